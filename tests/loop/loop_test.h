/* SPDX-License-Identifier: MIT */
/* What the tests of the loop have in common. */
#ifndef LOOP_LOOP_TEST_H
#define LOOP_LOOP_TEST_H

#include <weft/loop.h>

#include "support/support.h"

/** A loop on @p backend without a watchdog, which the caller frees. */
static inline weft_loop *loop_on(const char *backend)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    weft_loop *loop = NULL;

    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return loop;
}

/** A loop whose time is virtual. */
static inline weft_loop *loop_on_sim(void)
{
    return loop_on("sim:1");
}

static inline void run(weft_loop *loop)
{
    assert_int_equal(weft_loop_run(loop), 0);
}

#endif
