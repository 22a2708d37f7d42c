/* SPDX-License-Identifier: MIT */
/* What the tests of deferreds have in common: a kind of deferred, callbacks that write down what they get, a loop. */
#ifndef ASYNC_DEFERRED_TEST_H
#define ASYNC_DEFERRED_TEST_H

#include <stdio.h>
#include <string.h>

#include <weft/deferred.h>
#include <weft/loop.h>
#include <weft/timer.h>

#include "support/support.h"

WEFT_DEFERRED(number, int);

#define MS WEFT_MILLISECONDS(1)

/* What `play` does when it is called: it writes its letter and what it gets, calls `also`, and then answers. */
struct act {
    char letter;
    enum { PASS, GIVE, FAIL, BECOME } answer; /* PASS: the error or the value stays */
    int with;                                 /* the value, or the error */
    number inner;
    void (*also)(void *arg);
    void *arg;
};

static char trace[512];

static inline WEFT_PRINTF(1, 2) void note(const char *format, ...)
{
    size_t length = strlen(trace);
    va_list args;

    va_start(args, format);
    vsnprintf(trace + length, sizeof trace - length, format, args);
    va_end(args);
}

/* Compares what was written since the last time. */
#define assert_trace(expected)                  \
    do {                                        \
        assert_string_equal(trace, (expected)); \
        trace[0] = '\0';                        \
    } while (0)

static inline int play(int error, int *value, void *arg)
{
    const struct act *act = arg;

    if (error < 0)
        note("%c!%s ", act->letter, weft_error_name(error));
    else
        note("%c%d ", act->letter, *value);
    if (error < 0)
        assert_int_equal(*value, 0);
    if (act->also)
        act->also(act->arg);
    switch (act->answer) {
    case GIVE:
        *value = act->with;
        return 0;
    case FAIL:
        return act->with;
    case BECOME:
        return weft_become(value, act->inner);
    case PASS:
        break;
    }
    return error;
}

/* An act that lasts as long as the block in which it is written. */
#define ACT(...) (&(struct act){.letter = __VA_ARGS__})

#define add_then(d, act) assert_int_equal(weft_then(d, play, act), 0)
#define add_catch(d, act) assert_int_equal(weft_catch(d, play, act), 0)
#define add_finally(d, act) assert_int_equal(weft_finally(d, play, act), 0)

/* The loop and the scope of the running test. */
static weft_loop *loop;
static weft_scope *scope;

static inline int deferred_setup(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    int status = support_setup(state);

    trace[0] = '\0';
    if (status == 0)
        status = weft_loop_new(&options, &loop);
    if (status == 0)
        scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    return status;
}

static inline int deferred_teardown(void **state)
{
    weft_loop_free(loop);
    return support_teardown(state);
}

#define deferred_test(function) cmocka_unit_test_setup_teardown(function, deferred_setup, deferred_teardown)

/* One turn of the loop. */
static inline void turn(void)
{
    assert_true(weft_loop_step(loop) >= 0);
}

/* As many turns as there is work for. */
static inline void run(void)
{
    assert_int_equal(weft_loop_run(loop), 0);
}

static inline number make(void)
{
    number made = weft_deferred_new(number, scope);

    assert_non_null(made.deferred);
    return made;
}

#endif
