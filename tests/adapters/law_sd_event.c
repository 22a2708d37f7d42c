/* SPDX-License-Identifier: MIT */
#include <weft/adapters/sd_event.h>

#include <time.h>

#include "adapters/law_kinds.h"

static sd_event *event;
static weft_sd_host *inside;

static void host_open(weft_loop *loop, void (*stopped)(weft_loop *loop, void *arg), void *arg)
{
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(weft_sd_host_new(loop, event, stopped, arg, &inside), 0);
}

static void host_turn(bool may_sleep)
{
    assert_true(sd_event_run(event, may_sleep ? UINT64_MAX : 0) >= 0);
}

union told {
    void (*function)(void);
    void *pointer;
};

static int fired(sd_event_source *source, uint64_t microseconds, void *arg)
{
    (void)source;
    (void)microseconds;
    ((union told){.pointer = arg}).function();
    return 0;
}

static int readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
    (void)source;
    (void)fd;
    (void)events;
    ((union told){.pointer = arg}).function();
    return 0;
}

static void native_timer(unsigned milliseconds, void (*told)(void))
{
    assert_true(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, (uint64_t)milliseconds * 1000, 1, fired,
                                           ((union told){told}).pointer) >= 0);
}

static void native_watch(int fd, void (*told)(void))
{
    assert_true(sd_event_add_io(event, NULL, fd, EPOLLIN, readable, ((union told){told}).pointer) >= 0);
}

static void host_detach(void)
{
    weft_sd_host_free(inside);
    inside = NULL;
}

static void host_close(void)
{
    host_detach();
    sd_event_unref(event);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("sd-event", &host);
