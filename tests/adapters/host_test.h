/* SPDX-License-Identifier: MIT */
/* What the tests of single adapters have in common: a loop, and timers on it that count or stop. */
#ifndef ADAPTERS_HOST_TEST_H
#define ADAPTERS_HOST_TEST_H

#include <errno.h>

#include <weft/error.h>
#include <weft/timer.h>

#include "loop/loop_test.h"

#define MS WEFT_MILLISECONDS(1)

static unsigned fired;

static inline void count_fired(weft_timer *timer)
{
    (void)timer;
    fired++;
}

static inline void stop_loop(weft_timer *timer)
{
    weft_loop_stop(weft_scope_loop(timer->member.scope));
}

/** Starts @p timer, which calls @p told after a millisecond. */
static inline void start_timer(weft_timer *timer, weft_loop *loop, void (*told)(weft_timer *timer))
{
    fired = 0;
    assert_int_equal(weft_timer_init(timer, weft_loop_scope(loop), told), 0);
    weft_timer_start(timer, MS);
}

#endif
