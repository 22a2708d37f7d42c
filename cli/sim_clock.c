/* SPDX-License-Identifier: MIT */
#include "sim_clock.h"

#include <time.h>

weft_time sim_clock_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return WEFT_SECONDS(time.tv_sec) + time.tv_nsec;
}
