/* SPDX-License-Identifier: MIT */
/*
 * A loop inside an event_base: an event on its descriptor, and one that is due when the loop is. libevent calls nothing
 * before it sleeps, so whoever has used the loop from outside sees to it that the second one is set anew: the run
 * function here, which goes through libevent's loop once for each sleep.
 */
#include <weft/adapters/event.h>

#include <weft/memory.h>

#include "adapter.h"

struct weft_event_host {
    weft_loop *loop;
    struct event_base *base;
    void (*stopped)(weft_loop *loop, void *arg);
    void *arg;
    struct event *readable, *due;
    unsigned inside; /* functions of this file that still use it */
    bool freed;
};

static void enter(weft_event_host *host)
{
    host->inside++;
}

static void leave(weft_event_host *host)
{
    if (--host->inside == 0 && host->freed)
        weft_release(host);
}

/* Has libevent sleep no longer than @p sleep. An event that were made active here would come before libevent looks at its
 * descriptors again, and so for ever keep it from them; a timer that is due at once comes after. */
static void set_due(weft_event_host *host, weft_time sleep)
{
    weft_time microseconds = sleep / WEFT_MICROSECONDS(1) + (sleep % WEFT_MICROSECONDS(1) != 0);
    struct timeval after = {.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};

    if (sleep == WEFT_NEVER)
        evtimer_del(host->due);
    else
        evtimer_add(host->due, &after);
}

void weft_event_host_touch(weft_event_host *host)
{
    set_due(host, weft_loop_prepare(host->loop));
}

static void on_event(evutil_socket_t fd, short events, void *arg)
{
    weft_event_host *host = arg;

    (void)fd;
    (void)events;
    enter(host);
    if (adapter_step(host->loop, "libevent") != ADAPTER_GOES_ON && !host->freed) {
        if (host->stopped)
            host->stopped(host->loop, host->arg);
        else
            event_base_loopbreak(host->base);
    }
    if (!host->freed)
        weft_event_host_touch(host);
    leave(host);
}

static bool goes_on(const weft_event_host *host)
{
    return !host->freed && !event_base_got_break(host->base) && !event_base_got_exit(host->base);
}

/* Whether nothing is left on either, once the time for which both may sleep is set. */
static bool is_over(const weft_event_host *host, weft_time sleep)
{
    int own = 1 + (evtimer_pending(host->due, NULL) != 0);

    return sleep != 0 && !weft_loop_alive(host->loop) &&
           event_base_get_num_events(host->base, EVENT_BASE_COUNT_ADDED) <= own;
}

int weft_event_host_run(weft_event_host *host)
{
    int status = 0;

    enter(host);
    do {
        weft_time sleep = weft_loop_prepare(host->loop);
        set_due(host, sleep);
        if (is_over(host, sleep))
            break;
        if (event_base_loop(host->base, EVLOOP_ONCE) < 0)
            status = -EIO;
    } while (status == 0 && goes_on(host));
    leave(host);
    return status;
}

int weft_event_host_new(weft_loop *loop, struct event_base *base, void (*stopped)(weft_loop *loop, void *arg),
                        void *arg, weft_event_host **ret_host)
{
    weft_event_host *host;
    int fd = weft_loop_fd(loop), status;

    if (fd < 0)
        return -EOPNOTSUPP;
    host = weft_allocate_zeroed(1, sizeof *host);
    if (!host)
        return WEFT_ENOMEM;
    *host = (weft_event_host){.loop = loop, .base = base, .stopped = stopped, .arg = arg};
    host->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_event, host);
    host->due = evtimer_new(base, on_event, host);
    status = !host->readable || !host->due ? WEFT_ENOMEM : event_add(host->readable, NULL) < 0 ? -EIO : 0;
    if (status < 0) {
        weft_event_host_free(host);
        return status;
    }
    weft_event_host_touch(host);
    *ret_host = host;
    return 0;
}

void weft_event_host_free(weft_event_host *host)
{
    if (!host)
        return;
    if (host->readable)
        event_free(host->readable);
    if (host->due)
        event_free(host->due);
    host->freed = true;
    enter(host);
    leave(host);
}
