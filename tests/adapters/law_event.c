/* SPDX-License-Identifier: MIT */
#include <weft/adapters/event.h>

#include <stdlib.h>

#include "adapters/law_kinds.h"

static struct event_base *base;
static weft_event_host *inside;

static void host_open(weft_loop *loop, void (*stopped)(weft_loop *loop, void *arg), void *arg)
{
    base = event_base_new();
    assert_non_null(base);
    assert_int_equal(weft_event_host_new(loop, base, stopped, arg, &inside), 0);
}

static void host_turn(bool may_sleep)
{
    if (inside)
        weft_event_host_touch(inside);
    assert_int_equal(event_base_loop(base, may_sleep ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

struct native {
    struct native *next;
    struct event *event;
    void (*told)(void);
};

static struct native *natives;

static void told(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    ((struct native *)arg)->told();
}

static void native_new(int fd, short events, const struct timeval *after, void (*function)(void))
{
    struct native *native = calloc(1, sizeof *native);

    if (!native)
        abort();
    *native = (struct native){natives, event_new(base, fd, events, told, native), function};
    event_add(native->event, after);
    natives = native;
}

static void native_timer(unsigned milliseconds, void (*function)(void))
{
    native_new(-1, 0, &(struct timeval){milliseconds / 1000, milliseconds % 1000 * 1000}, function);
}

static void native_watch(int fd, void (*function)(void))
{
    native_new(fd, EV_READ | EV_PERSIST, NULL, function);
}

static void host_detach(void)
{
    weft_event_host_free(inside);
    inside = NULL;
}

static void host_close(void)
{
    struct native *native;

    while ((native = natives)) {
        natives = native->next;
        event_free(native->event);
        free(native);
    }
    host_detach();
    event_base_free(base);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("libevent", &host);
