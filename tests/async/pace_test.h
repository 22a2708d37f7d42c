/* SPDX-License-Identifier: MIT */
/* What the tests of groups, locks, queues and time have in common: a scope on a loop whose time is virtual, and
 * callbacks that write down what they get. */
#ifndef ASYNC_PACE_TEST_H
#define ASYNC_PACE_TEST_H

#include <stdio.h>
#include <string.h>

#include <weft/task.h>

#include "loop/loop_test.h"

#define MS WEFT_MILLISECONDS(1)

static weft_loop *loop;
static weft_scope *scope;
static char trace[256];

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

static inline void begin(void)
{
    trace[0] = '\0';
    loop = loop_on_sim();
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    assert_non_null(scope);
}

static inline void finish(void)
{
    weft_scope_close(scope);
    weft_loop_free(loop);
}

/* The same where allocations fail, also those for the loop. Returns whether there is one. */
static inline bool try_begin(void)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};

    trace[0] = '\0';
    if (weft_loop_new(&options, &loop) < 0)
        return false;
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    return true;
}

/* A text as the argument of a task or a callback. */
#define TEXT(text) ((char[]){text})

/* Writes its letter, and the error if there is one. */
static inline int note_done(int error, int *value, void *arg)
{
    (void)value;
    note("%s", (const char *)arg);
    if (error < 0)
        note("!%s ", weft_error_name(error));
    return 0;
}

static inline void watch(weft_done done, const char *letter)
{
    assert_int_equal(weft_finally(done, note_done, (void *)(uintptr_t)letter), 0);
}

/* The same where memory may be short. */
static inline void try_watch(weft_done done, const char *letter)
{
    int status = weft_finally(done, note_done, (void *)(uintptr_t)letter);

    assert_int_equal(status, done.deferred ? 0 : WEFT_ENOMEM);
}

#endif
