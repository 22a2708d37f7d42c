/* SPDX-License-Identifier: MIT */
#include "support/loopback.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A handshake, the first bytes and their acknowledgements are five steps. */
#define ROUNDS 8
/* An acknowledgement may be put off for 40 ms, and a rest that is smaller than a segment for 200. */
#define PATIENCE_MS 1000
/* Those of a test are below. */
#define DESCRIPTORS 128
/* What tcpi_state may be; linux/tcp.h names none. */
enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };

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

/* Whether a connection still moves by itself. One whose peer takes no more (its window is 0) does not. */
static bool moves(int fd)
{
    struct tcp_info about = {0};
    socklen_t length = sizeof about;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &about, &length) < 0 || about.tcpi_state == STATE_LISTEN ||
        about.tcpi_state == STATE_SYN_SENT || about.tcpi_state == STATE_CLOSE)
        return false;
    return about.tcpi_unacked > 0 || (about.tcpi_notsent_bytes > 0 && about.tcpi_snd_wnd > 0);
}

static bool something_moves(void)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (moves(fd))
            return true;
    return false;
}

static void deliver(const struct support_loopback *loopback)
{
    for (char sent = 0, came = -1; sent < ROUNDS; sent++) {
        must(send(loopback->fd, &sent, 1, 0) == 1);
        must(recv(loopback->fd, &came, 1, 0) == 1 && came == sent);
    }
}

void support_loopback_settle(const struct support_loopback *loopback)
{
    deliver(loopback);
    for (int waited = 0; something_moves() && waited < PATIENCE_MS; waited++) {
        (void)poll(NULL, 0, 1);
        deliver(loopback);
    }
}

void support_loopback_close(struct support_loopback *loopback)
{
    close(loopback->fd);
    must(sched_setaffinity(0, sizeof loopback->processors, &loopback->processors) == 0);
}
