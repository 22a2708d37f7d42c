/* SPDX-License-Identifier: MIT */
#include <weft/adapters/uv.h>

#include <stdlib.h>

#include "adapters/law_kinds.h"

static uv_loop_t uv;
static weft_uv_host *inside;

/* The first loop of a process opens what libuv keeps for signals, which would be missed by whoever counts descriptors. */
static __attribute__((constructor)) void begin(void)
{
    if (uv_loop_init(&uv) != 0 || uv_loop_close(&uv) != 0)
        abort();
}

static void host_open(weft_loop *loop, void (*stopped)(weft_loop *loop, void *arg), void *arg)
{
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(weft_uv_host_new(loop, &uv, stopped, arg, &inside), 0);
}

static void host_turn(bool may_sleep)
{
    if (inside)
        weft_uv_host_touch(inside);
    uv_run(&uv, may_sleep ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

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

static void fired(uv_timer_t *timer)
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
    uv_timer_start(&native->timer, fired, milliseconds, 0);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    assert_int_equal(status, 0);
    assert_int_equal(events, UV_READABLE);
    weft_container_of(poll, struct native, poll)->told();
}

static void native_watch(int fd, void (*told)(void))
{
    struct native *native = native_new(told);

    uv_poll_init(&uv, &native->poll, fd);
    uv_poll_start(&native->poll, UV_READABLE, readable);
}

static void close_rest(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, release);
}

static void host_detach(void)
{
    weft_uv_host_free(inside);
    inside = NULL;
}

static void host_close(void)
{
    host_detach();
    uv_walk(&uv, close_rest, NULL);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("libuv", &host);
