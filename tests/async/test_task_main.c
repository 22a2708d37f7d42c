/* SPDX-License-Identifier: MIT */
/* weft_run: each program is a child process of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/loop.h>
#include <weft/signal.h>
#include <weft/task.h>

#include "base/realtime.h"
#include "support/support.h"

/* What a program printed, on either output. */
static char printed[1024];

/* Runs @p program in a child. @return its exit status, or minus the signal that ended it */
static int run_child(int (*program)(void))
{
    int pipes[2], status;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        exit(program());
    }
    close(pipes[1]);
    while ((got = read(pipes[0], printed + length, sizeof printed - 1 - length)) > 0)
        length += (size_t)got;
    printed[length] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void print(const char *text)
{
    realtime_look_away();
    fputs(text, stdout);
    fflush(stdout);
    realtime_look_again();
}

/* -- ends -- */

static int sleep_and_return(weft_task *me, void *arg)
{
    (void)me;
    (void)weft_sleep(WEFT_MILLISECONDS(1));
    print("done");
    return *(int *)arg;
}

static int succeed(void)
{
    return weft_run(sleep_and_return, (int[]){0});
}

static int succeed_with_number(void)
{
    return weft_run(sleep_and_return, (int[]){3});
}

static int fail_with_pipe(void)
{
    return weft_run(sleep_and_return, (int[]){-EPIPE});
}

static void plain(weft_task *me, void *arg)
{
    (void)me;
    print(arg);
}

static int return_nothing(void)
{
    return weft_run(plain, (char[]){"plain"});
}

static int run_twice(void)
{
    return weft_run(plain, (char[]){"one "}) + weft_run(plain, (char[]){"two"});
}

static void exit_status_is_that_of_the_task(void **state)
{
    (void)state;
    assert_int_equal(run_child(succeed), EXIT_SUCCESS);
    assert_string_equal(printed, "done");
    assert_int_equal(run_child(succeed_with_number), EXIT_SUCCESS);
    assert_int_equal(run_child(return_nothing), EXIT_SUCCESS);
    assert_string_equal(printed, "plain");
    assert_int_equal(run_child(run_twice), EXIT_SUCCESS);
    assert_string_equal(printed, "one two");
}

static void failure_is_told_on_standard_error(void **state)
{
    (void)state;
    assert_int_equal(run_child(fail_with_pipe), EXIT_FAILURE);
    assert_string_equal(printed, "donesleep_and_return: Broken pipe\n");
}

/* -- what is left behind -- */

static int leave_things_behind(weft_task *me, void *arg)
{
    (void)arg;
    assert_int_equal(weft_spawn(weft_task_scope(me), sleep_and_return, (int[]){0}), 0);
    assert_non_null(weft_deferred_new(weft_done, weft_task_scope(me)).deferred);
    return 0;
}

static int leave(void)
{
    return weft_run(leave_things_behind, NULL);
}

static void what_the_task_leaves_does_not_keep_the_program(void **state)
{
    (void)state;
    assert_int_equal(run_child(leave), EXIT_SUCCESS);
    assert_string_equal(printed, "");
}

/* -- a deadlock -- */

static int wait_for_nothing(weft_task *me, void *arg)
{
    (void)arg;
    return weft_wait(weft_deferred_new(weft_done, weft_task_scope(me)));
}

static int deadlock(void)
{
    return weft_run(wait_for_nothing, NULL);
}

static void waiting_for_what_nothing_will_bring_is_told(void **state)
{
    (void)state;
    assert_int_equal(run_child(deadlock), EXIT_FAILURE);
    assert_string_equal(printed, "wait_for_nothing: waits for something that nothing will bring\n");
}

/* -- signals -- */

static int raise_and_sleep(weft_task *me, void *arg)
{
    (void)me;
    kill(getpid(), *(int *)arg);
    print(weft_error_name(weft_sleep(WEFT_HOURS(1))));
    return 0;
}

static int terminate(void)
{
    return weft_run(raise_and_sleep, (int[]){SIGTERM});
}

static int interrupt(void)
{
    return weft_run(raise_and_sleep, (int[]){SIGINT});
}

static void signal_cancels_the_task(void **state)
{
    (void)state;
    assert_int_equal(run_child(terminate), 128 + SIGTERM);
    assert_string_equal(printed, "ECANCELED");
    assert_int_equal(run_child(interrupt), 128 + SIGINT);
    assert_string_equal(printed, "ECANCELED");
}

static int raise_and_say_last_words(weft_task *me, void *arg)
{
    weft_scope *shield;

    (void)me;
    (void)arg;
    kill(getpid(), SIGTERM);
    (void)weft_sleep(WEFT_HOURS(1));
    shield = weft_shield(WEFT_SECONDS(10));
    print(weft_error_name(weft_sleep(WEFT_MILLISECONDS(1))));
    weft_scope_close(shield);
    return 0;
}

static int terminate_gracefully(void)
{
    return weft_run(raise_and_say_last_words, NULL);
}

static void last_words_are_said_after_a_signal(void **state)
{
    (void)state;
    assert_int_equal(run_child(terminate_gracefully), 128 + SIGTERM);
    assert_string_equal(printed, "OK");
}

static int ignore_cancelling(weft_task *me, void *arg)
{
    weft_scope *shield;

    (void)me;
    (void)arg;
    kill(getpid(), SIGINT);
    (void)weft_sleep(WEFT_HOURS(1));
    shield = weft_shield(WEFT_HOURS(1));
    kill(getpid(), SIGINT);
    (void)weft_sleep(WEFT_HOURS(1));
    weft_scope_close(shield);
    return 0;
}

static int interrupt_twice(void)
{
    return weft_run(ignore_cancelling, NULL);
}

static void second_signal_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(run_child(interrupt_twice), -SIGINT);
}

static void restored(int number)
{
    (void)number;
    print(" handled");
}

static int raise_afterwards(void)
{
    int status;

    signal(SIGTERM, restored);
    status = weft_run(plain, (char[]){"plain"});
    raise(SIGTERM);
    return status;
}

static void signals_are_as_before_afterwards(void **state)
{
    (void)state;
    assert_int_equal(run_child(raise_afterwards), EXIT_SUCCESS);
    assert_string_equal(printed, "plain handled");
}

/* -- memory -- */

static int run_with_little_memory(void)
{
    support_allocator_install();
    for (size_t k = 1; k < 1000; k++) {
        int status;

        support_fail_at(k, true);
        status = weft_run(plain, (char[]){"."});
        if (support_injected() == 0)
            return status == EXIT_SUCCESS ? 77 : 1;
        support_fail_at(0, false);
        if (status == EXIT_SUCCESS || support_live() != 0)
            return 2;
    }
    return 3;
}

static int cancel_everything(weft_task *me, void *arg)
{
    (void)arg;
    weft_scope_cancel(weft_loop_scope(weft_task_loop(me)), WEFT_ECANCELED);
    return weft_sleep(WEFT_HOURS(1));
}

static int run_until_the_root_is_cancelled(void)
{
    return weft_run(cancel_everything, NULL);
}

/* The root takes the watches of signals with it. */
static void program_whose_root_is_cancelled_ends(void **state)
{
    (void)state;
    assert_int_equal(run_child(run_until_the_root_is_cancelled), EXIT_FAILURE);
}

static void too_little_memory_is_a_failure(void **state)
{
    (void)state;
    assert_int_equal(run_child(run_with_little_memory), 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_is_that_of_the_task),
        cmocka_unit_test(failure_is_told_on_standard_error),
        cmocka_unit_test(what_the_task_leaves_does_not_keep_the_program),
        cmocka_unit_test(waiting_for_what_nothing_will_bring_is_told),
        cmocka_unit_test(signal_cancels_the_task),
        cmocka_unit_test(last_words_are_said_after_a_signal),
        cmocka_unit_test(second_signal_ends_at_once),
        cmocka_unit_test(signals_are_as_before_afterwards),
        cmocka_unit_test(program_whose_root_is_cancelled_ends),
        cmocka_unit_test(too_little_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
