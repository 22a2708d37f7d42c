/* SPDX-License-Identifier: MIT */
/* Locks, semaphores and events. */
#include <weft/event.h>
#include <weft/lock.h>

#include "async/pace_test.h"

static weft_lock *lock;
static weft_event *event;

/* Three scopes of three parties. */
static weft_scope *parties[3];

static void begin_with_lock(size_t tokens)
{
    begin();
    lock = tokens == 1 ? weft_lock_new(scope) : weft_semaphore_new(scope, tokens);
    assert_non_null(lock);
    for (int i = 0; i < 3; i++)
        parties[i] = weft_scope_open(scope, WEFT_NEVER);
}

static weft_done acquire(int party, const char *letter)
{
    weft_done done = weft_lock_acquire(parties[party], lock);

    watch(done, letter);
    return done;
}

/* -- locks -- */

static void free_lock_is_had_at_once(void **state)
{
    (void)state;
    begin_with_lock(1);
    assert_int_equal(weft_lock_available(lock), 1);
    acquire(0, "a");
    assert_trace("a");
    assert_int_equal(weft_lock_available(lock), 0);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void lock_is_passed_on_in_the_order_of_the_calls(void **state)
{
    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    acquire(1, "b");
    acquire(2, "c");
    acquire(0, "d");
    assert_trace("a");
    assert_int_equal(weft_lock_waiting(lock), 3);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_trace("b");
    assert_int_equal(weft_lock_release(parties[1], lock), 0);
    assert_trace("c");
    assert_int_equal(weft_lock_release(parties[2], lock), 0);
    assert_trace("d");
    finish();
}

static void releasing_what_is_not_held_is_an_error_that_is_told(void **state)
{
    (void)state;
    begin_with_lock(1);
    support_log_expect("released a lock that it does not hold");
    assert_int_equal(weft_lock_release(parties[0], lock), WEFT_ENOTHELD);
    acquire(0, "a");
    assert_int_equal(weft_lock_release(parties[1], lock), WEFT_ENOTHELD);
    assert_int_equal(weft_lock_available(lock), 0);
    finish();
}

static void cancelled_waiter_leaves_the_line(void **state)
{
    weft_done second;

    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    second = acquire(1, "b");
    acquire(2, "c");
    weft_cancel(second.deferred);
    assert_trace("ab!ECANCELED ");
    assert_int_equal(weft_lock_waiting(lock), 1);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_trace("c");
    finish();
}

static void waiter_whose_scope_ends_leaves_the_line(void **state)
{
    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    acquire(1, "b");
    acquire(2, "c");
    weft_scope_close(parties[1]);
    assert_int_equal(weft_lock_release(parties[0], lock), 0); /* before b was told */
    assert_trace("ac");
    run(loop);
    assert_trace("b!ECANCELED ");
    finish();
}

static void holder_whose_scope_closes_gives_it_back(void **state)
{
    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    acquire(1, "b");
    weft_scope_close(parties[0]);
    assert_trace("a"); /* closing calls nobody back */
    run(loop);
    assert_trace("b");
    weft_scope_close(parties[1]);
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void holder_whose_scope_is_cancelled_keeps_it_until_it_closes(void **state)
{
    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    acquire(1, "b");
    weft_scope_cancel(parties[0], WEFT_ETIMEDOUT);
    run(loop);
    assert_trace("a");
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_trace("b");
    finish();
}

static void nobody_in_a_cancelled_scope_gets_it(void **state)
{
    (void)state;
    begin_with_lock(1);
    weft_scope_cancel(parties[0], WEFT_ETIMEDOUT);
    acquire(0, "a");
    assert_trace("a!ETIMEDOUT ");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void lock_that_goes_cancels_those_that_wait(void **state)
{
    weft_scope *own;

    (void)state;
    begin_with_lock(1);
    own = weft_scope_open(scope, WEFT_NEVER);
    lock = weft_lock_new(own);
    acquire(0, "a");
    acquire(1, "b");
    weft_scope_close(own);
    run(loop);
    assert_trace("ab!ECANCELED ");
    assert_int_equal(weft_scope_count(parties[0]), 0); /* and nobody holds it any more */
    finish();
}

static void lock_and_holder_may_go_together(void **state)
{
    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    acquire(1, "b");
    weft_scope_close(scope);
    run(loop);
    assert_trace("ab!ECANCELED ");
    scope = NULL;
    finish();
}

static void line_has_a_bound(void **state)
{
    (void)state;
    begin_with_lock(1);
    weft_lock_set_backlog(lock, 1);
    acquire(0, "a");
    acquire(1, "b");
    acquire(2, "c");
    assert_trace("ac!WEFT_EWAITERS ");
    finish();
}

static void null_lock_means_that_memory_was_short(void **state)
{
    (void)state;
    begin_with_lock(1);
    assert_null(weft_lock_new(NULL));
    assert_null(weft_lock_acquire(scope, NULL).deferred);
    assert_null(weft_lock_acquire(NULL, lock).deferred);
    assert_null(weft_semaphore_new(scope, 0));
    assert_null(weft_semaphore_new(scope, SIZE_MAX));
    finish();
}

/* -- semaphores -- */

static void semaphore_has_as_many_holders_as_tokens(void **state)
{
    (void)state;
    begin_with_lock(2);
    acquire(0, "a");
    acquire(0, "b");
    acquire(1, "c");
    assert_trace("ab");
    assert_int_equal(weft_lock_available(lock), 0);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_trace("c");
    assert_int_equal(weft_lock_release(parties[1], lock), 0);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_int_equal(weft_lock_available(lock), 2);
    finish();
}

static void tokens_of_a_closed_scope_all_come_back(void **state)
{
    (void)state;
    begin_with_lock(3);
    acquire(0, "a");
    acquire(0, "b");
    acquire(1, "c");
    acquire(2, "d");
    acquire(2, "e");
    weft_scope_close(parties[0]);
    run(loop);
    assert_trace("abcde");
    finish();
}

/* -- running with it -- */

static weft_done inner;

static int become(int error, int *value, void *arg)
{
    note("%s:%zu ", (const char *)arg, weft_lock_available(lock));
    assert_int_equal(error, 0);
    inner = weft_deferred_new(weft_done, scope);
    return weft_become(value, inner);
}

static int refuse(int error, int *value, void *arg)
{
    (void)error;
    (void)value;
    (void)arg;
    return -EIO;
}

static void run_needs_no_place_in_the_line_of_a_free_lock(void **state)
{
    weft_done first, second;

    (void)state;
    begin_with_lock(1);
    weft_lock_set_backlog(lock, 0);
    first = weft_lock_run(parties[0], lock, become, TEXT("first"));
    second = weft_lock_run(parties[1], lock, become, TEXT("second"));
    watch(first, "a");
    watch(second, "b");
    assert_trace("first:0 b!WEFT_EWAITERS ");
    weft_fire(inner, 0);
    assert_trace("a");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void run_holds_the_lock_until_what_it_ran_has_ended(void **state)
{
    weft_done first, second;

    (void)state;
    begin_with_lock(1);
    first = weft_lock_run(parties[0], lock, become, TEXT("a"));
    second = weft_lock_run(parties[1], lock, become, TEXT("b"));
    assert_trace("a:0 ");
    run(loop); /* turns go by: it is still there */
    watch(first, "A");
    watch(second, "B");
    weft_fire(inner, 0);
    assert_trace("b:0 A");
    weft_fire(inner, 0);
    assert_trace("B");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void run_releases_the_lock_after_a_failure(void **state)
{
    (void)state;
    begin_with_lock(1);
    watch(weft_lock_run(parties[0], lock, refuse, NULL), "a");
    assert_trace("a!EIO ");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void run_that_has_ended_is_there_until_somebody_looks(void **state)
{
    weft_done done;

    (void)state;
    begin_with_lock(1);
    done = weft_lock_run(parties[0], lock, refuse, NULL);
    run(loop);
    watch(done, "a");
    assert_trace("a!EIO ");
    finish();
}

static void run_that_is_cancelled_in_the_line_runs_nothing(void **state)
{
    weft_done done;

    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    done = weft_lock_run(parties[1], lock, become, TEXT("b"));
    watch(done, "B");
    weft_cancel(done.deferred);
    assert_trace("aB!ECANCELED ");
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

static void run_that_is_cancelled_while_it_runs_releases_the_lock(void **state)
{
    weft_done done;

    (void)state;
    begin_with_lock(1);
    done = weft_lock_run(parties[1], lock, become, TEXT("b"));
    watch(done, "B");
    weft_scope_close(parties[1]);
    run(loop);
    assert_trace("b:0 B!ECANCELED ");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

/* -- tasks -- */

static int use(weft_task *me, void *arg)
{
    int status = weft_wait(weft_lock_acquire(weft_task_scope(me), lock));

    if (status < 0) {
        note("%s!%s ", (const char *)arg, weft_error_name(status));
        return status;
    }
    note("%s(", (const char *)arg);
    status = weft_sleep(WEFT_SECONDS(1));
    note(")");
    if (status == 0)
        assert_int_equal(weft_lock_release(weft_task_scope(me), lock), 0);
    return status; /* if it was cancelled it forgets to release */
}

static void tasks_take_turns(void **state)
{
    weft_time began;

    (void)state;
    begin_with_lock(1);
    began = weft_loop_now(loop);
    assert_int_equal(weft_spawn(parties[0], use, TEXT("a")), 0);
    assert_int_equal(weft_spawn(parties[1], use, TEXT("b")), 0);
    assert_int_equal(weft_spawn(parties[2], use, TEXT("c")), 0);
    run(loop);
    assert_trace("a()b()c()");
    assert_int_equal((weft_loop_now(loop) - began) / WEFT_SECONDS(1), 3);
    finish();
}

static void cancelled_task_leaves_the_lock_to_the_next(void **state)
{
    weft_done first;

    (void)state;
    begin_with_lock(1);
    first = weft_spawn_done(parties[0], use, TEXT("a"));
    watch(first, "A");
    assert_int_equal(weft_spawn(parties[1], use, TEXT("b")), 0);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_trace("a(");
    weft_cancel(first.deferred);
    run(loop);
    assert_trace("A!ECANCELED )b()");
    finish();
}

/* It is cancelled in the very turn in which it gets the lock: it must not keep it. */
static void task_that_is_cancelled_as_it_gets_the_lock_does_not_keep_it(void **state)
{
    weft_done second;

    (void)state;
    begin_with_lock(1);
    acquire(0, "a");
    second = weft_spawn_done(parties[1], use, TEXT("b"));
    watch(second, "B");
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(weft_lock_release(parties[0], lock), 0);
    weft_cancel(second.deferred);
    run(loop);
    assert_trace("aB!ECANCELED b!ECANCELED ");
    assert_int_equal(weft_lock_available(lock), 1);
    finish();
}

/* -- events -- */

static void begin_with_event(void)
{
    begin();
    event = weft_event_new(scope, 3);
    assert_non_null(event);
}

static void set_event_fires_all_that_wait_in_order(void **state)
{
    (void)state;
    begin_with_event();
    watch(weft_event_wait(scope, event), "a");
    watch(weft_event_wait(scope, event), "b");
    assert_trace("");
    weft_event_set(event);
    assert_trace("ab");
    assert_true(weft_event_is_set(event));
    watch(weft_event_wait(scope, event), "c");
    assert_trace("c");
    finish();
}

static void cleared_event_is_waited_for_again(void **state)
{
    (void)state;
    begin_with_event();
    weft_event_set(event);
    weft_event_clear(event);
    watch(weft_event_wait(scope, event), "a");
    assert_trace("");
    weft_event_set(event);
    assert_trace("a");
    finish();
}

static int clear_and_wait(int error, int *value, void *arg)
{
    note_done(error, value, TEXT("again "));
    weft_event_clear(event);
    watch(weft_event_wait(scope, event), arg);
    return 0;
}

static void who_waits_again_waits_for_the_next_set(void **state)
{
    (void)state;
    begin_with_event();
    assert_int_equal(weft_then(weft_event_wait(scope, event), clear_and_wait, TEXT("x")), 0);
    watch(weft_event_wait(scope, event), "b");
    weft_event_set(event);
    assert_trace("again b");
    assert_false(weft_event_is_set(event));
    weft_event_set(event);
    assert_trace("x");
    finish();
}

static int close_scope(int error, int *value, void *arg)
{
    weft_scope_close(arg);
    return note_done(error, value, TEXT("closed "));
}

static void event_may_go_while_it_is_set(void **state)
{
    weft_scope *own;

    (void)state;
    begin_with_event();
    own = weft_scope_open(scope, WEFT_NEVER);
    event = weft_event_new(own, 0);
    assert_int_equal(weft_then(weft_event_wait(scope, event), close_scope, own), 0);
    watch(weft_event_wait(scope, event), "b");
    weft_event_set(event);
    assert_trace("closed b");
    finish();
}

static void event_has_a_backlog_and_cancelled_waiters_leave_it(void **state)
{
    weft_done first;

    (void)state;
    begin_with_event();
    first = weft_event_wait(scope, event);
    watch(first, "a");
    watch(weft_event_wait(scope, event), "b");
    watch(weft_event_wait(scope, event), "c");
    watch(weft_event_wait(scope, event), "d");
    assert_trace("d!WEFT_EWAITERS ");
    weft_cancel(first.deferred);
    assert_trace("a!ECANCELED ");
    watch(weft_event_wait(scope, event), "e");
    weft_event_set(event);
    assert_trace("bce");
    finish();
}

static int wait_for_event(weft_task *me, void *arg)
{
    int status = weft_wait(weft_event_wait(weft_task_scope(me), event));

    note("%s%s", (const char *)arg, status < 0 ? "!" : "");
    return 0;
}

static void tasks_wait_for_an_event(void **state)
{
    (void)state;
    begin_with_event();
    assert_int_equal(weft_spawn(scope, wait_for_event, TEXT("a")), 0);
    assert_int_equal(weft_spawn(scope, wait_for_event, TEXT("b")), 0);
    assert_int_equal(weft_loop_step(loop), 0);
    weft_event_set(event);
    assert_trace("");
    run(loop);
    assert_trace("ab");
    finish();
}

/* -- memory -- */

static void all_of_it(void *arg)
{
    weft_scope *party;
    weft_done ran;

    (void)arg;
    if (!try_begin())
        return;
    party = weft_scope_open(scope, WEFT_NEVER);
    lock = weft_semaphore_new(scope, 1);
    event = weft_event_new(scope, 0);
    try_watch(weft_lock_acquire(party, lock), "a");
    try_watch(weft_lock_acquire(party, lock), "b");
    ran = weft_lock_run(party, lock, refuse, NULL);
    try_watch(ran, "c");
    try_watch(weft_event_wait(party, event), "d");
    if (event)
        weft_event_set(event);
    try_watch(weft_event_wait(party, event), "e");
    if (support_injected() == 0) {
        assert_trace("ade");
        assert_int_equal(weft_lock_release(party, lock), 0);
        assert_int_equal(weft_lock_release(party, lock), 0);
        assert_trace("bc!EIO ");
    }
    finish();
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    support_torture(all_of_it, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(free_lock_is_had_at_once),
        support_test(lock_is_passed_on_in_the_order_of_the_calls),
        support_test(releasing_what_is_not_held_is_an_error_that_is_told),
        support_test(cancelled_waiter_leaves_the_line),
        support_test(waiter_whose_scope_ends_leaves_the_line),
        support_test(holder_whose_scope_closes_gives_it_back),
        support_test(holder_whose_scope_is_cancelled_keeps_it_until_it_closes),
        support_test(nobody_in_a_cancelled_scope_gets_it),
        support_test(lock_that_goes_cancels_those_that_wait),
        support_test(lock_and_holder_may_go_together),
        support_test(line_has_a_bound),
        support_test(null_lock_means_that_memory_was_short),
        support_test(semaphore_has_as_many_holders_as_tokens),
        support_test(tokens_of_a_closed_scope_all_come_back),
        support_test(run_needs_no_place_in_the_line_of_a_free_lock),
        support_test(run_holds_the_lock_until_what_it_ran_has_ended),
        support_test(run_releases_the_lock_after_a_failure),
        support_test(run_that_has_ended_is_there_until_somebody_looks),
        support_test(run_that_is_cancelled_in_the_line_runs_nothing),
        support_test(run_that_is_cancelled_while_it_runs_releases_the_lock),
        support_test(tasks_take_turns),
        support_test(cancelled_task_leaves_the_lock_to_the_next),
        support_test(task_that_is_cancelled_as_it_gets_the_lock_does_not_keep_it),
        support_test(set_event_fires_all_that_wait_in_order),
        support_test(cleared_event_is_waited_for_again),
        support_test(who_waits_again_waits_for_the_next_set),
        support_test(event_may_go_while_it_is_set),
        support_test(event_has_a_backlog_and_cancelled_waiters_leave_it),
        support_test(tasks_wait_for_an_event),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
