/* SPDX-License-Identifier: MIT */
/* What tests of tasks on streams share: a loop for each test, a task that is the test, a pair of streams. */
#ifndef NET_TASK_TEST_H
#define NET_TASK_TEST_H

#include "support/support.h"

#include <string.h>

#include <weft/task_stream.h>

static weft_loop *loop;

static inline int setup_on(void **state, const char *backend)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    int status = support_setup(state);

    return status < 0 ? status : weft_loop_new(&options, &loop);
}

static inline int setup_on_epoll(void **state)
{
    return setup_on(state, support_engine());
}

static inline int setup_on_sim(void **state)
{
    return setup_on(state, "sim:7");
}

static inline int teardown(void **state)
{
    weft_loop_free(loop);
    loop = NULL;
    return support_teardown(state);
}

/* Runs @p function as a task, which returns 0, and the loop until nothing is left. */
static inline void run_with(weft_task_function *function, void *arg)
{
    weft_done done = weft_spawn_done(weft_loop_scope(loop), function, arg);

    weft_deferred_ref(done.deferred);
    assert_int_equal(weft_loop_run(loop), 0);
    assert_int_equal(weft_peek(done, &(int){0}), 0);
    weft_deferred_unref(done.deferred);
}

static inline void run(weft_task_function *function)
{
    run_with(function, NULL);
}

#endif
