/* SPDX-License-Identifier: MIT */
#include <ev.h>

#include "timers.h"

static size_t fired;

static void count_fired(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
    fired++;
}

static void start(struct ev_loop *loop, ev_timer *timer, unsigned timeout_ms)
{
    ev_timer_set(timer, timeout_ms / 1e3, 0.);
    ev_timer_start(loop, timer);
}

static void restart(struct ev_loop *loop, ev_timer *timer, unsigned timeout_ms)
{
    timer->repeat = timeout_ms / 1e3;
    ev_timer_again(loop, timer);
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_timer *timers = many(count, sizeof *timers);

    for (size_t i = 0; i < count; i++)
        ev_timer_init(&timers[i], count_fired, 1., 0.);
    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(START, round, i, count, start(loop, &timers[i], long_timeout(i)));
        MEASURE(RESTART, round, i, count, restart(loop, &timers[i], long_timeout(i + 7)));
        MEASURE(STOP, round, i, count, ev_timer_stop(loop, &timers[i]));
        MEASURE(START_STOP, round, i, count, {
            start(loop, &timers[i], long_timeout(i));
            ev_timer_stop(loop, &timers[i]);
        });
        ev_now_update(loop);
        for (size_t i = 0; i < count; i++)
            start(loop, &timers[i], short_timeout(i));
        wait_for_timeouts();
        fired = 0;
        MEASURE_FIRING(round, fired, count, ev_run(loop, EVRUN_NOWAIT));
    }
    report("libev", sizeof *timers);
    ev_loop_destroy(loop);
    free(timers);
    return 0;
}
