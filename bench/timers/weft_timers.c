/* SPDX-License-Identifier: MIT */
#include <weft/timer.h>

#include "timers.h"

static size_t fired;

static void count_fired(weft_timer *timer)
{
    (void)timer;
    fired++;
}

static void turn(weft_loop *loop)
{
    if (weft_loop_step(loop) < 0)
        exit(1);
}

static weft_timer *make_timers(weft_loop *loop, size_t count)
{
    weft_timer *timers = many(count, sizeof *timers);

    for (size_t i = 0; i < count; i++)
        if (weft_timer_init(&timers[i], weft_loop_scope(loop), count_fired) < 0)
            exit(1);
    return timers;
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    weft_loop *loop;
    weft_timer *timers;

    if (weft_loop_new(NULL, &loop) < 0)
        return 1;
    timers = make_timers(loop, count);
    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(START, round, i, count, weft_timer_start(&timers[i], WEFT_MILLISECONDS(long_timeout(i))));
        MEASURE(RESTART, round, i, count, weft_timer_start(&timers[i], WEFT_MILLISECONDS(long_timeout(i + 7))));
        MEASURE(STOP, round, i, count, weft_timer_stop(&timers[i]));
        MEASURE(START_STOP, round, i, count, {
            weft_timer_start(&timers[i], WEFT_MILLISECONDS(long_timeout(i)));
            weft_timer_stop(&timers[i]);
        });
        turn(loop);
        for (size_t i = 0; i < count; i++)
            weft_timer_start(&timers[i], WEFT_MILLISECONDS(short_timeout(i)));
        wait_for_timeouts();
        fired = 0;
        MEASURE_FIRING(round, fired, count, turn(loop));
    }
    report("weft", sizeof *timers);
    weft_loop_free(loop);
    free(timers);
    return 0;
}
