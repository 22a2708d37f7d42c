/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The driver of all torture. It runs a scenario in this process again and
 * again, and each time something else goes wrong:
 *
 *   - the k-th allocation fails, once, or with all that follow;
 *   - the k-th system call of src/backend fails, with each error that it can
 *     give, once, or with all calls of its name that follow (inject.h);
 *   - the root scope is cancelled at the k-th place where a task waits.
 *
 * After each run nothing may be left: no allocation, no descriptor, and
 * nothing in the root scope when the loop is freed. A run that does not end
 * within a bound ends the test.
 */
#ifndef TORTURE_DRIVER_H
#define TORTURE_DRIVER_H

#include "support/support.h"

/** What one run of a scenario came to. */
struct torture_end {
    int status;         /**< that play returned */
    bool disturbed;     /**< something failed, or it was cancelled */
    bool cancelled;     /**< the second */
    bool by_call;       /**< it was a system call that failed */
    size_t alarms;      /**< warnings and errors that were logged */
    const char *output; /**< what it wrote on standard output and standard error */
};

/** A scenario and how it is judged. */
struct torture_scenario {
    const char *name;
    int (*play)(void *arg);                                  /**< one run; returns an exit status */
    void (*judge)(void *arg, const struct torture_end *end); /**< asserts that it ended as it should */
    void *arg;
    void (*prepare)(void *arg); /**< before it, while nothing fails; may be NULL */
    void (*settle)(void *arg);  /**< after it, when nothing fails any more: what was there goes on. May be NULL */
};

/** Every allocation fails, once and for ever. */
void torture_allocations(const struct torture_scenario *scenario);
/** Every system call of the backend fails with every error, once and for ever. */
void torture_calls(const struct torture_scenario *scenario);
/** The root scope is cancelled at every place where a task waits. */
void torture_waits(const struct torture_scenario *scenario);

/** Nothing fails any more; from another thread, while the scenario runs. */
void torture_relent(void);
/** Whether anything has failed or was cancelled so far in this run. */
bool torture_is_disturbed(void);

/** How many warnings and errors were logged so far in this run. */
size_t torture_alarms(void);

/** For the table of tests: like support_test, but the log is only counted. */
#define torture_test(function) cmocka_unit_test_setup_teardown(function, torture_setup, torture_teardown)

int torture_setup(void **state);
int torture_teardown(void **state);
/** In main, after the tests: writes down which calls were reached and says how many points there were. */
int torture_over(int status);

#endif
