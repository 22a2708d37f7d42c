/* SPDX-License-Identifier: MIT */
/* Cancelling tasks: by scopes, deferreds and deadlines; shields; what a task's own scope does at the end. */
#include <weft/task.h>

#include "async/deferred_test.h"

#define spawn(scope, function, arg) assert_int_equal(weft_spawn(scope, function, arg), 0)

static weft_time began_at;

static int now_ms(void)
{
    return (int)((weft_loop_now(loop) - began_at) / MS);
}

static int cancel_setup(void **state)
{
    int status = deferred_setup(state);

    began_at = weft_loop_now(loop);
    return status;
}

#define cancel_test(function) cmocka_unit_test_setup_teardown(function, cancel_setup, deferred_teardown)

static int say(const char *what, int status)
{
    note("%s:%s@%d ", what, weft_error_name(status), now_ms());
    return status;
}

static int sleep_an_hour(weft_task *me, void *arg)
{
    (void)me;
    return say(arg ? arg : "sleep", weft_sleep(WEFT_HOURS(1)));
}

static int await_for_ever(weft_task *me, void *arg)
{
    number d = weft_deferred_new(number, weft_task_scope(me));

    (void)arg;
    return say("await", weft_wait(d));
}

static int yield_for_ever(weft_task *me, void *arg)
{
    int status = 0;

    (void)me;
    (void)arg;
    while (status == 0)
        status = weft_yield();
    return say("yield", status);
}

/* -- by the scope -- */

static void every_kind_of_wait_returns_the_reason(void **state) /* EL-14 */
{
    (void)state;
    spawn(scope, sleep_an_hour, NULL);
    spawn(scope, await_for_ever, NULL);
    spawn(scope, yield_for_ever, NULL);
    turn();
    weft_scope_cancel(scope, -ECONNRESET);
    assert_trace("");
    turn();
    turn();
    assert_trace("await:ECONNRESET@0 sleep:ECONNRESET@0 yield:ECONNRESET@0 ");
    assert_int_equal(weft_scope_count(scope), 0);
    assert_int_equal(weft_scope_error(scope), 0); /* that it was cancelled is not its failure */
}

static char inner_name[] = "inner";

static int wait_for_inner(weft_task *me, void *arg)
{
    weft_scope *inner = weft_scope_open(weft_task_scope(me), WEFT_NEVER);

    (void)arg;
    spawn(inner, sleep_an_hour, inner_name);
    return say("scope", weft_scope_wait(inner));
}

static void waiting_for_a_scope_is_cancelled_and_the_scope_too(void **state)
{
    (void)state;
    spawn(scope, wait_for_inner, NULL);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("inner:ECANCELED@0 scope:ECANCELED@0 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void task_that_was_cancelled_before_it_began_never_runs(void **state)
{
    (void)state;
    spawn(scope, sleep_an_hour, NULL);
    weft_scope_close(scope);
    run();
    assert_trace("");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void nothing_is_spawned_in_a_cancelled_scope(void **state)
{
    weft_done done;

    (void)state;
    weft_scope_cancel(scope, -ECONNRESET);
    assert_int_equal(weft_spawn(scope, sleep_an_hour, NULL), -ECONNRESET);
    done = weft_spawn_done(scope, sleep_an_hour, NULL);
    assert_int_equal(weft_peek(done, &(int){0}), -ECONNRESET);
    run();
    assert_trace("");
}

static int wait_after_cancelling(weft_task *me, void *arg)
{
    number ready = weft_succeed(number, weft_task_scope(me), 1);

    (void)arg;
    say("first", weft_sleep(WEFT_HOURS(1)));
    assert_int_equal(weft_task_cancelled(me), WEFT_ECANCELED);
    say("sleep", weft_sleep(MS));
    say("yield", weft_yield());
    say("await", weft_wait(ready));
    say("scope", weft_scope_wait(weft_task_scope(me)));
    return say("spawn", weft_spawn(weft_task_scope(me), sleep_an_hour, NULL));
}

static void cancellation_stays(void **state)
{
    (void)state;
    spawn(scope, wait_after_cancelling, NULL);
    turn();
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run();
    assert_trace("first:ECANCELED@0 sleep:ECANCELED@0 yield:ECANCELED@0 await:ECANCELED@0 scope:ECANCELED@0 "
                 "spawn:ECANCELED@0 ");
}

static void deadline_of_the_scope_cancels_with_a_timeout(void **state)
{
    weft_scope *limited = weft_scope_open(scope, 20 * MS);

    (void)state;
    spawn(limited, sleep_an_hour, NULL);
    run();
    assert_trace("sleep:ETIMEDOUT@20 ");
    assert_int_equal(weft_scope_error(limited), 0);
    assert_int_equal(weft_scope_cancelled(limited), WEFT_ETIMEDOUT);
}

static int note_two_reasons(weft_task *me, void *arg)
{
    weft_scope *shield;
    int status = say("first", weft_sleep(WEFT_HOURS(1)));

    (void)arg;
    shield = weft_shield(10 * MS);
    assert_non_null(shield);
    say("shielded", weft_sleep(5 * MS));
    weft_scope_close(shield);
    say("second", weft_sleep(MS));
    assert_int_equal(weft_task_cancelled(me), WEFT_ECANCELED);
    return status;
}

/* Closes a scope from outside. */
static struct {
    weft_timer timer;
    weft_scope *scope;
} closer;

static void close_it(weft_timer *timer)
{
    (void)timer;
    note("close@%d ", now_ms());
    weft_scope_close(closer.scope);
}

static void close_after(weft_scope *which, weft_time delay)
{
    closer.scope = which;
    assert_int_equal(weft_timer_init(&closer.timer, weft_loop_scope(loop), close_it), 0);
    weft_timer_start(&closer.timer, delay);
}

/* And the task that returns the first reason has not failed, though it is not the reason any more. */
static void cancellation_outranks_a_timeout(void **state)
{
    weft_scope *limited = weft_scope_open(scope, 20 * MS);

    (void)state;
    close_after(scope, 22 * MS);
    spawn(limited, note_two_reasons, NULL);
    run();
    weft_timer_fini(&closer.timer);
    assert_trace("first:ETIMEDOUT@20 close@22 shielded:OK@25 second:ECANCELED@25 ");
}

/* -- failures -- */

static int fail_after(weft_task *me, void *arg)
{
    const int *ms = arg;
    int status = weft_sleep(*ms * MS);

    (void)me;
    say("failing", status);
    return status ? status : -EPIPE;
}

static int two = 2, five = 5;

static void failure_cancels_the_others_in_the_scope(void **state)
{
    (void)state;
    spawn(scope, sleep_an_hour, NULL);
    spawn(scope, fail_after, &two);
    spawn(scope, fail_after, &five);
    run();
    assert_trace("failing:OK@2 failing:ECANCELED@2 sleep:ECANCELED@2 ");
    assert_int_equal(weft_scope_error(scope), -EPIPE);
    assert_int_equal(weft_scope_cancelled(scope), WEFT_ECANCELED);
}

static void failure_in_an_independent_scope_leaves_the_others(void **state)
{
    (void)state;
    weft_scope_set_independent(scope, true);
    spawn(scope, fail_after, &two);
    spawn(scope, fail_after, &five);
    run();
    assert_trace("failing:OK@2 failing:OK@5 ");
    assert_int_equal(weft_scope_error(scope), -EPIPE);
    assert_int_equal(weft_scope_cancelled(scope), 0);
}

static void error_that_nobody_asked_for_is_told(void **state)
{
    (void)state;
    support_log_expect("a task in the scope \"mine\" failed: Broken pipe");
    weft_scope_set_name(scope, "mine");
    spawn(scope, fail_after, &two);
    run();
    weft_scope_close(scope);
    run();
    assert_trace("failing:OK@2 ");
    assert_int_equal(support_log_count("error=EPIPE"), 1);
}

static int return_cancelled(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return WEFT_ECANCELED;
}

static void task_that_says_that_it_was_cancelled_has_not_failed(void **state)
{
    (void)state;
    spawn(scope, return_cancelled, NULL);
    run();
    assert_int_equal(weft_scope_error(scope), 0);
    assert_int_equal(weft_scope_cancelled(scope), 0);
}

/* -- waiting for a scope -- */

static int wait_for_failing(weft_task *me, void *arg)
{
    weft_scope *inner = weft_scope_open(weft_task_scope(me), WEFT_NEVER);

    (void)arg;
    spawn(inner, sleep_an_hour, inner_name);
    spawn(inner, fail_after, &two);
    say("scope", weft_scope_wait(inner));
    weft_scope_close(inner);
    return 0;
}

static void waiting_for_a_scope_gives_its_first_failure(void **state)
{
    (void)state;
    spawn(scope, wait_for_failing, NULL);
    run();
    assert_trace("failing:OK@2 inner:ECANCELED@2 scope:EPIPE@2 ");
}

static int wait_for_limited(weft_task *me, void *arg)
{
    weft_scope *inner = weft_scope_open(weft_task_scope(me), 3 * MS);

    (void)arg;
    spawn(inner, sleep_an_hour, inner_name);
    return say("scope", weft_scope_wait(inner));
}

static void waiting_for_a_scope_gives_its_deadline(void **state)
{
    (void)state;
    support_log_expect("a task in the scope \"scope\" failed: timed out"); /* here it is the task's own */
    spawn(scope, wait_for_limited, NULL);
    run();
    assert_trace("inner:ETIMEDOUT@3 scope:ETIMEDOUT@3 ");
}

static int wait_for_scope(weft_task *me, void *arg)
{
    (void)me;
    return say("wait", weft_scope_wait(arg));
}

static void somebody_may_close_a_scope_that_is_waited_for(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    (void)state;
    spawn(other, sleep_an_hour, inner_name);
    spawn(scope, wait_for_scope, other);
    close_after(other, 3 * MS);
    run();
    weft_timer_fini(&closer.timer);
    assert_trace("close@3 inner:ECANCELED@3 wait:ECANCELED@3 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
}

static void only_one_task_waits_for_a_scope(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);

    (void)state;
    weft_scope_set_independent(scope, true);
    spawn(other, fail_after, &two);
    spawn(scope, wait_for_scope, other);
    spawn(scope, wait_for_scope, other);
    run();
    assert_trace("wait:EBUSY@0 failing:OK@2 wait:EPIPE@2 ");
    assert_int_equal(weft_scope_error(scope), -EBUSY);
}

static int wait_for_what_it_is_in(weft_task *me, void *arg)
{
    weft_scope *shield;

    (void)arg;
    say("scope", weft_scope_wait(scope));
    say("root", weft_scope_wait(weft_loop_scope(loop)));
    shield = weft_shield(WEFT_HOURS(1));
    say("shield", weft_scope_wait(shield));
    say("own", weft_scope_wait(weft_task_scope(me)));
    weft_scope_close(shield);
    say("none", weft_scope_wait(NULL));
    return 0;
}

static void task_cannot_wait_for_what_it_is_in_itself(void **state)
{
    (void)state;
    spawn(scope, wait_for_what_it_is_in, NULL);
    run();
    assert_trace("scope:EDEADLK@0 root:EDEADLK@0 shield:EDEADLK@0 own:EDEADLK@0 none:ENOMEM@0 ");
}

static void task_function(weft_task *me, void *arg)
{
    weft_scope **own = arg;

    *own = weft_task_scope(me);
    spawn(*own, sleep_an_hour, inner_name);
    note("return@%d ", now_ms());
}

static int slow_end(weft_task *me, void *arg)
{
    weft_scope *shield;

    (void)arg;
    (void)me;
    (void)weft_sleep(WEFT_HOURS(1));
    shield = weft_shield(WEFT_HOURS(1));
    say("slow", weft_sleep(4 * MS));
    weft_scope_close(shield);
    return 0;
}

static int publish_own(weft_task *me, void *arg)
{
    weft_scope **own = arg;

    *own = weft_task_scope(me);
    spawn(*own, slow_end, NULL);
    (void)weft_yield();
    note("return@%d ", now_ms());
    return 0;
}

static int wait_for_published(weft_task *me, void *arg)
{
    weft_scope **own = arg;

    (void)me;
    return say("other", weft_scope_wait(*own));
}

/* The task waits for the end of its own scope, and that another waits for it must not get lost. */
static void another_task_may_wait_for_the_scope_of_one(void **state)
{
    weft_scope *own = NULL;

    (void)state;
    weft_scope_set_independent(scope, true);
    spawn(scope, publish_own, &own);
    spawn(scope, wait_for_published, &own);
    run();
    assert_trace("return@0 slow:OK@4 other:ECANCELED@4 ");
    assert_int_equal(weft_scope_count(scope), 0);
}

/* -- the end of a task -- */

static void own_scope_is_closed_at_the_end_and_waited_for(void **state)
{
    weft_scope *own = NULL;
    weft_done done;

    (void)state;
    done = weft_spawn_done(scope, publish_own, &own);
    run();
    assert_trace("return@0 slow:OK@4 ");
    assert_int_equal(weft_peek(done, &(int){0}), 0);
}

static void what_did_not_begin_does_not_keep_a_task(void **state)
{
    weft_scope *own = NULL;

    (void)state;
    spawn(scope, task_function, &own);
    run();
    assert_trace("return@0 ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static int fail_slowly(weft_task *me, void *arg)
{
    (void)arg;
    spawn(weft_task_scope(me), slow_end, NULL);
    return say("function", weft_sleep(WEFT_HOURS(1)));
}

/* While its own scope ends, another cancellation comes: what it has returned stays no failure. */
static void reason_that_changes_after_the_return_makes_no_failure(void **state)
{
    weft_scope *limited = weft_scope_open(scope, 10 * MS);
    (void)state;
    spawn(limited, fail_slowly, NULL);
    close_after(scope, 12 * MS);
    run();
    weft_timer_fini(&closer.timer);
    assert_trace("function:ETIMEDOUT@10 close@12 slow:OK@14 ");
}

static int open_scopes_and_close_them_late(weft_task *me, void *arg)
{
    weft_scope *own = weft_task_scope(me), *outer = weft_scope_open(own, WEFT_NEVER);
    weft_scope *inner = weft_scope_open(outer, WEFT_HOURS(2));
    number d = weft_deferred_new(number, inner);

    (void)arg;
    spawn(inner, sleep_an_hour, inner_name);
    say("await", weft_wait(d));
    assert_int_equal(weft_scope_cancelled(inner), WEFT_ECANCELED);
    (void)weft_yield();
    weft_scope_close(inner);
    weft_scope_close(outer);
    return 0;
}

static void scopes_of_a_task_are_its_own_when_its_scope_is_closed_from_outside(void **state)
{
    (void)state;
    spawn(scope, open_scopes_and_close_them_late, NULL);
    close_after(scope, 3 * MS);
    run();
    weft_timer_fini(&closer.timer);
    assert_trace("close@3 inner:ECANCELED@3 await:ECANCELED@3 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static int keep_stream_of_deferreds(weft_task *me, void *arg)
{
    weft_scope *inner = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    number d;

    (void)arg;
    say("sleep", weft_sleep(WEFT_HOURS(1)));
    d = weft_deferred_new(number, inner); /* in a cancelled scope */
    assert_int_equal(weft_peek(d, &(int){0}), WEFT_ECANCELED);
    assert_non_null(weft_scope_open(inner, WEFT_NEVER));
    return 0;
}

static void cancelled_task_finds_its_scopes_cancelled_and_usable(void **state)
{
    (void)state;
    spawn(scope, keep_stream_of_deferreds, NULL);
    close_after(scope, 3 * MS);
    run();
    weft_timer_fini(&closer.timer);
    assert_trace("close@3 sleep:ECANCELED@3 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static int first_scope_after_closing(weft_task *me, void *arg)
{
    weft_scope *own;
    number d;

    (void)arg;
    say("sleep", weft_sleep(WEFT_HOURS(1)));
    own = weft_task_scope(me);
    assert_non_null(own);
    assert_int_equal(weft_scope_cancelled(own), WEFT_ECANCELED);
    d = weft_deferred_new(number, own);
    assert_int_equal(weft_peek(d, &(int){0}), WEFT_ECANCELED);
    assert_int_equal(weft_spawn(own, sleep_an_hour, NULL), WEFT_ECANCELED);
    assert_int_equal(weft_scope_cancelled(weft_scope_open(own, WEFT_NEVER)), WEFT_ECANCELED);
    return 0;
}

static void task_that_asks_for_its_first_scope_too_late_gets_a_cancelled_one(void **state)
{
    (void)state;
    spawn(scope, first_scope_after_closing, NULL);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("sleep:ECANCELED@0 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

/* -- shields -- */

static int last_words(weft_task *me, void *arg)
{
    const int *ms = arg;
    weft_scope *shield;
    number d;

    (void)me;
    say("cancelled", weft_sleep(WEFT_HOURS(1)));
    shield = weft_shield(10 * MS);
    assert_non_null(shield);
    assert_null(weft_shield(10 * MS)); /* not in each other */
    say("words", weft_sleep(*ms * MS));
    d = weft_deferred_new(number, shield);
    if (weft_deferred_fired(d.deferred) || *ms > 10)
        weft_forget(d.deferred);
    else
        weft_fire(d, 1);
    say("await", weft_wait(d));
    weft_scope_close(shield);
    say("after", weft_sleep(MS));
    shield = weft_shield(10 * MS); /* a second one afterwards */
    assert_non_null(shield);
    say("again", weft_yield());
    weft_scope_close(shield);
    return 0;
}

static void shielded_part_is_not_interrupted(void **state)
{
    (void)state;
    spawn(scope, last_words, &five);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("cancelled:ECANCELED@0 words:OK@5 await:OK@5 after:ECANCELED@5 again:OK@5 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

/* The first scope that this task asks for is its shield, in a scope that closes: it must not go before the task. */
static void shielded_part_ends_at_its_deadline(void **state)
{
    int hour = 3600000;

    (void)state;
    spawn(scope, last_words, &hour);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("cancelled:ECANCELED@0 words:ETIMEDOUT@10 await:ETIMEDOUT@10 after:ECANCELED@10 again:OK@10 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static int sleep_shielded(weft_task *me, void *arg)
{
    weft_scope *shield = weft_shield(WEFT_HOURS(1));

    (void)me;
    (void)arg;
    say("shielded", weft_sleep(5 * MS));
    weft_scope_close(shield);
    return say("after", weft_sleep(MS));
}

static void shield_taken_before_holds_a_cancellation_off(void **state)
{
    (void)state;
    spawn(scope, sleep_shielded, NULL);
    turn();
    weft_scope_cancel(scope, -ECONNRESET);
    run();
    assert_trace("shielded:OK@5 after:ECONNRESET@5 ");
}

static int forget_shield(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    assert_null(weft_shield(WEFT_NEVER));
    assert_non_null(weft_shield(WEFT_HOURS(1)));
    return 0;
}

static void shield_that_was_left_open_ends_with_the_task(void **state)
{
    (void)state;
    spawn(scope, forget_shield, NULL);
    run();
    assert_int_equal(weft_scope_count(scope), 0);
    assert_int_equal(now_ms(), 0);
}

static int spawn_in_shield(weft_task *me, void *arg)
{
    weft_scope *shield;
    weft_done done;

    (void)me;
    (void)arg;
    (void)weft_sleep(WEFT_HOURS(1));
    shield = weft_shield(WEFT_HOURS(1));
    done = weft_spawn_done(shield, fail_after, &five);
    say("helper", weft_wait(done));
    weft_scope_close(shield);
    return 0;
}

static void shielded_part_may_spawn_helpers(void **state)
{
    (void)state;
    spawn(scope, spawn_in_shield, NULL);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("failing:OK@5 helper:EPIPE@5 ");
}

/* -- by the deferred of its end -- */

static int show_end(int error, int *value, void *arg)
{
    (void)value;
    say(arg, error);
    return 0;
}

static void cancelling_the_deferred_cancels_the_task(void **state)
{
    weft_done done = weft_spawn_done(scope, sleep_an_hour, NULL);

    (void)state;
    assert_int_equal(weft_finally(done, show_end, (char[]){"end"}), 0);
    turn();
    weft_cancel(done.deferred);
    assert_trace("end:ECANCELED@0 "); /* at once; the task takes its time */
    run();
    assert_trace("sleep:ECANCELED@0 ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static void cancelling_the_deferred_before_the_task_began_ends_it(void **state)
{
    weft_done done = weft_spawn_done(scope, sleep_an_hour, NULL);

    (void)state;
    assert_int_equal(weft_finally(done, show_end, (char[]){"end"}), 0);
    weft_cancel_for(done.deferred, -ECONNRESET);
    run();
    assert_trace("end:ECONNRESET@0 ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static int answer_cancelling_with_error(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    (void)weft_sleep(WEFT_HOURS(1));
    return -EIO;
}

/* It was nobody's but the deferred's: the others in the scope go on. */
static void failure_after_the_deferred_was_cancelled_is_told_and_cancels_nobody(void **state)
{
    weft_done done = weft_spawn_done(scope, answer_cancelling_with_error, NULL);

    (void)state;
    support_log_expect("the task \"answer_cancelling_with_error\" failed after its deferred was cancelled");
    spawn(scope, fail_after, &two);
    turn();
    weft_cancel(done.deferred);
    run();
    assert_trace("failing:OK@2 ");
    assert_int_equal(weft_scope_error(scope), -EPIPE);
}

static void closing_the_scope_ends_task_and_deferred(void **state)
{
    weft_done done = weft_spawn_done(scope, sleep_an_hour, NULL);

    (void)state;
    assert_int_equal(weft_finally(done, show_end, (char[]){"end"}), 0);
    turn();
    weft_scope_close(scope);
    run();
    assert_trace("sleep:ECANCELED@0 end:ECANCELED@0 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void freeing_the_loop_ends_every_task(void **state)
{
    (void)state;
    spawn(scope, sleep_an_hour, NULL);
    spawn(scope, await_for_ever, NULL);
    spawn(scope, wait_for_inner, NULL);
    spawn(scope, last_words, &five);
    turn();
    spawn(scope, yield_for_ever, NULL); /* never begins */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cancel_test(every_kind_of_wait_returns_the_reason),
        cancel_test(waiting_for_a_scope_is_cancelled_and_the_scope_too),
        cancel_test(task_that_was_cancelled_before_it_began_never_runs),
        cancel_test(nothing_is_spawned_in_a_cancelled_scope),
        cancel_test(cancellation_stays),
        cancel_test(deadline_of_the_scope_cancels_with_a_timeout),
        cancel_test(cancellation_outranks_a_timeout),
        cancel_test(failure_cancels_the_others_in_the_scope),
        cancel_test(failure_in_an_independent_scope_leaves_the_others),
        cancel_test(error_that_nobody_asked_for_is_told),
        cancel_test(task_that_says_that_it_was_cancelled_has_not_failed),
        cancel_test(waiting_for_a_scope_gives_its_first_failure),
        cancel_test(waiting_for_a_scope_gives_its_deadline),
        cancel_test(somebody_may_close_a_scope_that_is_waited_for),
        cancel_test(only_one_task_waits_for_a_scope),
        cancel_test(task_cannot_wait_for_what_it_is_in_itself),
        cancel_test(another_task_may_wait_for_the_scope_of_one),
        cancel_test(own_scope_is_closed_at_the_end_and_waited_for),
        cancel_test(what_did_not_begin_does_not_keep_a_task),
        cancel_test(reason_that_changes_after_the_return_makes_no_failure),
        cancel_test(scopes_of_a_task_are_its_own_when_its_scope_is_closed_from_outside),
        cancel_test(cancelled_task_finds_its_scopes_cancelled_and_usable),
        cancel_test(task_that_asks_for_its_first_scope_too_late_gets_a_cancelled_one),
        cancel_test(shielded_part_is_not_interrupted),
        cancel_test(shielded_part_ends_at_its_deadline),
        cancel_test(shield_taken_before_holds_a_cancellation_off),
        cancel_test(shield_that_was_left_open_ends_with_the_task),
        cancel_test(shielded_part_may_spawn_helpers),
        cancel_test(cancelling_the_deferred_cancels_the_task),
        cancel_test(cancelling_the_deferred_before_the_task_began_ends_it),
        cancel_test(failure_after_the_deferred_was_cancelled_is_told_and_cancels_nobody),
        cancel_test(closing_the_scope_ends_task_and_deferred),
        cancel_test(freeing_the_loop_ends_every_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
