/* SPDX-License-Identifier: MIT */
#include "support/loopback.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A handshake, the first bytes and their acknowledgements are five steps. */
#define ROUNDS 8

static void must(bool works)
{
    if (!works)
        abort();
}

void support_loopback_open(struct support_loopback *loopback)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof own;
    cpu_set_t here;

    CPU_ZERO(&here);
    CPU_SET((unsigned)sched_getcpu(), &here);
    must(sched_getaffinity(0, sizeof loopback->processors, &loopback->processors) == 0);
    must(sched_setaffinity(0, sizeof here, &here) == 0);
    loopback->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(loopback->fd >= 0 && bind(loopback->fd, (const struct sockaddr *)&own, sizeof own) == 0);
    must(getsockname(loopback->fd, (struct sockaddr *)&own, &length) == 0);
    must(connect(loopback->fd, (const struct sockaddr *)&own, sizeof own) == 0);
}

void support_loopback_settle(const struct support_loopback *loopback)
{
    for (char sent = 0, came = -1; sent < ROUNDS; sent++) {
        must(send(loopback->fd, &sent, 1, 0) == 1);
        must(recv(loopback->fd, &came, 1, 0) == 1 && came == sent);
    }
}

void support_loopback_close(struct support_loopback *loopback)
{
    close(loopback->fd);
    must(sched_setaffinity(0, sizeof loopback->processors, &loopback->processors) == 0);
}
