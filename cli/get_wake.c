/* SPDX-License-Identifier: MIT */
#include "get_wake.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int get_wake_init(struct get_wake *wake)
{
    wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wake->fd < 0 ? -errno : 0;
}

void get_wake_fini(struct get_wake *wake)
{
    if (wake->fd >= 0)
        (void)close(wake->fd);
    wake->fd = -1;
}

void get_wake_raise(struct get_wake *wake)
{
    uint64_t one = 1;

    while (write(wake->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void get_wake_clear(struct get_wake *wake)
{
    uint64_t count;

    while (read(wake->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
}

int get_wake_wait(const struct get_wake *wake, int fd, short events, int timeout_ms)
{
    struct pollfd watched[] = {{.fd = wake->fd, .events = POLLIN}, {.fd = fd, .events = events}};
    int count;

    do
        count = poll(watched, 2, timeout_ms);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return -errno;
    return watched[0].revents ? -ECANCELED : 0;
}
