/* SPDX-License-Identifier: MIT */
/* What users of sd-event do on it: a timer that fires once, and a descriptor that is told as long as it can be read. */
#ifndef ADAPTERS_NATIVE_SD_EVENT_H
#define ADAPTERS_NATIVE_SD_EVENT_H

#include <time.h>

#include <systemd/sd-event.h>

#include "support/support.h"

static sd_event *event;

union told {
    void (*function)(void);
    void *pointer;
};

static int native_fired(sd_event_source *source, uint64_t microseconds, void *arg)
{
    (void)source;
    (void)microseconds;
    ((union told){.pointer = arg}).function();
    return 0;
}

static int native_readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
    (void)source;
    (void)fd;
    (void)events;
    ((union told){.pointer = arg}).function();
    return 0;
}

static void native_timer(unsigned milliseconds, void (*told)(void))
{
    assert_true(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, (uint64_t)milliseconds * 1000, 1, native_fired,
                                           ((union told){told}).pointer) >= 0);
}

static void native_watch(int fd, void (*told)(void))
{
    assert_true(sd_event_add_io(event, NULL, fd, EPOLLIN, native_readable, ((union told){told}).pointer) >= 0);
}

#endif
