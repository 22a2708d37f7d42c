/* SPDX-License-Identifier: MIT */
/* What users of libuv do on it: a timer that fires once, and a descriptor that is told as long as it can be read. */
#ifndef ADAPTERS_NATIVE_UV_H
#define ADAPTERS_NATIVE_UV_H

#include <stdlib.h>

#include <uv.h>

#include "support/support.h"

static uv_loop_t uv;

struct native {
    union {
        uv_handle_t handle;
        uv_timer_t timer;
        uv_poll_t poll;
    };
    void (*told)(void);
};

static struct native *native_new(void (*told)(void))
{
    struct native *native = calloc(1, sizeof *native);

    if (!native)
        abort();
    native->told = told;
    return native;
}

static void release(uv_handle_t *handle)
{
    free(weft_container_of(handle, struct native, handle));
}

static void native_fired(uv_timer_t *timer)
{
    struct native *native = weft_container_of(timer, struct native, timer);
    void (*told)(void) = native->told;

    uv_close(&native->handle, release);
    told();
}

static void native_timer(unsigned milliseconds, void (*told)(void))
{
    struct native *native = native_new(told);

    uv_timer_init(&uv, &native->timer);
    uv_timer_start(&native->timer, native_fired, milliseconds, 0);
}

static void native_readable(uv_poll_t *poll, int status, int events)
{
    assert_int_equal(status, 0);
    assert_int_equal(events, UV_READABLE);
    weft_container_of(poll, struct native, poll)->told();
}

static void native_watch(int fd, void (*told)(void))
{
    struct native *native = native_new(told);

    uv_poll_init(&uv, &native->poll, fd);
    uv_poll_start(&native->poll, UV_READABLE, native_readable);
}

static void native_end(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, release);
}

#endif
