/* SPDX-License-Identifier: MIT */
#include <event2/event.h>
#include <event2/event_struct.h>

#include "timers.h"

static size_t fired;

static void count_fired(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    (void)arg;
    fired++;
}

static void start(struct event *timer, unsigned timeout_ms)
{
    struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

    if (event_add(timer, &timeout) < 0)
        exit(1);
}

static struct event_base *base_without_locks(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    struct event_base *base = base_without_locks();
    struct event *timers = many(count, sizeof *timers);

    for (size_t i = 0; i < count; i++)
        evtimer_assign(&timers[i], base, count_fired, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(START, round, i, count, start(&timers[i], long_timeout(i)));
        MEASURE(RESTART, round, i, count, start(&timers[i], long_timeout(i + 7)));
        MEASURE(STOP, round, i, count, event_del(&timers[i]));
        MEASURE(START_STOP, round, i, count, {
            start(&timers[i], long_timeout(i));
            event_del(&timers[i]);
        });
        for (size_t i = 0; i < count; i++)
            start(&timers[i], short_timeout(i));
        wait_for_timeouts();
        fired = 0;
        MEASURE_FIRING(round, fired, count, event_base_loop(base, EVLOOP_NONBLOCK));
    }
    report("libevent", sizeof *timers);
    event_base_free(base);
    free(timers);
    return 0;
}
