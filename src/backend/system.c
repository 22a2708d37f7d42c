/* SPDX-License-Identifier: MIT */
#include "backend/system.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static weft_time read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return WEFT_SECONDS(time.tv_sec) + time.tv_nsec;
}

/* CLOCK_MONOTONIC: a set-back of the wall clock, a leap second or a suspend moves no timer. */
weft_time system_now(struct backend *backend)
{
    (void)backend;
    return read_clock(CLOCK_MONOTONIC);
}

weft_time system_wall(struct backend *backend)
{
    (void)backend;
    return read_clock(CLOCK_REALTIME_COARSE);
}

int system_entropy(struct backend *backend, void *memory, size_t length)
{
    char *at = memory;

    (void)backend;
    while (length > 0) {
        ssize_t count = getrandom(at, length, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        at += count;
        length -= (size_t)count;
    }
    return 0;
}
