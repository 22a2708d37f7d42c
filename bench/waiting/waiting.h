/* SPDX-License-Identifier: MIT */
/* What the contestants of the table "waiting" share: a clock, and how a figure is told. */
#ifndef BENCH_WAITING_H
#define BENCH_WAITING_H

#include "../common/bench.h"

static inline double seconds_now(void)
{
    return (double)clock_ns(CLOCK_MONOTONIC) * 1e-9;
}

/* One line: the column and nanoseconds for each. */
static inline void tell(const char *column, double began, size_t count)
{
    printf("%s=%.3f\n", column, (seconds_now() - began) * 1e9 / (double)count);
}

/* The only argument: how often. */
static inline size_t count_from(int argc, char **argv)
{
    size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (count == 0) {
        fprintf(stderr, "usage: %s COUNT\n", argv[0]);
        exit(2);
    }
    return count;
}

#endif
