/* SPDX-License-Identifier: MIT */
#include <weft/adapters/uv.h>

#include "adapters/law_kinds.h"
#include "adapters/native_uv.h"

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

static void host_detach(void)
{
    weft_uv_host_free(inside);
    inside = NULL;
}

static void host_close(void)
{
    host_detach();
    uv_walk(&uv, native_end, NULL);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("libuv", &host);
