/* SPDX-License-Identifier: MIT */
#include <uv.h>

#include "timers.h"

static size_t fired;

static void count_fired(uv_timer_t *timer)
{
    (void)timer;
    fired++;
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    uv_timer_t *timers = many(count, sizeof *timers);
    uv_loop_t loop;

    uv_loop_init(&loop);
    for (size_t i = 0; i < count; i++)
        uv_timer_init(&loop, &timers[i]);
    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(START, round, i, count, uv_timer_start(&timers[i], count_fired, long_timeout(i), 0));
        MEASURE(RESTART, round, i, count, uv_timer_start(&timers[i], count_fired, long_timeout(i + 7), 0));
        MEASURE(STOP, round, i, count, uv_timer_stop(&timers[i]));
        MEASURE(START_STOP, round, i, count, {
            uv_timer_start(&timers[i], count_fired, long_timeout(i), 0);
            uv_timer_stop(&timers[i]);
        });
        uv_update_time(&loop);
        for (size_t i = 0; i < count; i++)
            uv_timer_start(&timers[i], count_fired, short_timeout(i), 0);
        wait_for_timeouts();
        fired = 0;
        MEASURE_FIRING(round, fired, count, uv_run(&loop, UV_RUN_NOWAIT));
    }
    report("libuv", sizeof *timers);
    free(timers);
    return 0;
}
