/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Runs an example in this process, again and again: each time another
 * allocation fails, or it is cancelled at another place where a task waits.
 *
 * After each run nothing may be left: no allocation, no descriptor, and
 * nothing in the root scope when the loop is freed. A run that does not end
 * within a bound ends the test.
 */
#ifndef TORTURE_EXAMPLE_H
#define TORTURE_EXAMPLE_H

#include "support/support.h"

/** What one run of an example came to. */
struct torture_end {
    int status;         /**< of main */
    bool disturbed;     /**< an allocation failed, or it was cancelled */
    bool cancelled;     /**< the second */
    size_t alarms;      /**< warnings and errors that were logged */
    const char *output; /**< what it wrote on standard output and standard error */
};

/** An example and how it is played with. */
struct torture_example {
    const char *name;
    int (*play)(void *arg);                                  /**< one run; returns the exit status */
    void (*judge)(void *arg, const struct torture_end *end); /**< asserts that it ended as it should */
    void *arg;
};

/** Every allocation fails, once and for ever. */
void torture_allocations(const struct torture_example *example);
/** The root scope is cancelled at every place where a task waits. */
void torture_waits(const struct torture_example *example);

/** Memory is not short any more; from another thread, while the example runs. */
void torture_relent(void);

/** For the table of tests: like support_test, but the log is only counted. */
#define torture_test(function) cmocka_unit_test_setup_teardown(function, torture_setup, torture_teardown)

int torture_setup(void **state);
int torture_teardown(void **state);

#endif
