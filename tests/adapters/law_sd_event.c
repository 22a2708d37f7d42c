/* SPDX-License-Identifier: MIT */
#include <weft/adapters/sd_event.h>

#include "adapters/law_kinds.h"
#include "adapters/native_sd_event.h"

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
