/* SPDX-License-Identifier: MIT */
#include <weft/pace.h>

#include "async/pace_test.h"

/* What the looping call does. */
struct plan {
    weft_time began;
    unsigned calls, stop_at, fail_at; /* after so many calls; 0: never */
    weft_time takes;                  /* each call waits so long */
    unsigned takes_at;                /* only this one; 0: all */
    weft_done waits;                  /* what it waits for, if it takes no time */
    int fails;                        /* what it waits for fails */
    bool resets;
};

static struct plan plan;
static weft_looping *looping;
static weft_done done;

static int fail_with(int error, int *value, void *arg)
{
    (void)error;
    (void)value;
    (void)arg;
    return plan.fails;
}

/* Writes at which millisecond it was called, and how many intervals that were. */
static int tick(weft_looping *me, uint64_t count, void *arg)
{
    assert_ptr_equal(me, looping);
    assert_ptr_equal(arg, &plan);
    note("%d:%d ", (int)((weft_loop_now(loop) - plan.began) / MS), (int)count);
    plan.calls++;
    if (plan.calls == plan.stop_at)
        weft_looping_stop(me);
    if (plan.resets)
        weft_looping_reset(me);
    if (plan.calls == plan.fail_at)
        return -EIO;
    if (plan.waits.deferred)
        return weft_looping_wait(me, plan.waits);
    if (plan.takes > 0 && (plan.takes_at == 0 || plan.takes_at == plan.calls)) {
        weft_done wait = weft_later(scope, plan.takes);
        if (plan.fails)
            assert_int_equal(weft_then(wait, fail_with, NULL), 0);
        return weft_looping_wait(me, wait);
    }
    return 0;
}

static void start(weft_time interval, bool now, struct plan what)
{
    begin();
    plan = what;
    looping = weft_looping_new(scope, tick, &plan);
    assert_non_null(looping);
    plan.began = weft_loop_now(loop);
    done = weft_looping_start(looping, interval, now);
    watch(done, "done");
}

/* -- when it is called -- */

static void first_call_comes_now_but_not_at_once(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.stop_at = 3});
    assert_trace("");
    assert_true(weft_looping_runs(looping));
    run(loop);
    assert_trace("0:1 5:1 10:1 done");
    assert_false(weft_looping_runs(looping));
    finish();
}

static void or_after_the_first_interval(void **state)
{
    (void)state;
    start(5 * MS, false, (struct plan){.stop_at = 2});
    run(loop);
    assert_trace("5:1 10:1 done");
    finish();
}

static void intervals_that_are_no_whole_milliseconds_do_not_drift(void **state)
{
    (void)state;
    start(WEFT_MICROSECONDS(1500), false, (struct plan){.stop_at = 6});
    run(loop);
    assert_trace("2:1 3:1 5:1 6:1 8:1 9:1 done");
    finish();
}

static void calls_that_were_missed_are_counted(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.stop_at = 4, .takes = 12 * MS, .takes_at = 2});
    run(loop);
    assert_trace("0:1 5:1 20:3 25:1 done"); /* those at 10 and 15 were missed; the grid stays */
    finish();
}

static void intervals_below_a_millisecond_are_counted(void **state)
{
    (void)state;
    start(WEFT_MICROSECONDS(250), false, (struct plan){.stop_at = 3});
    run(loop);
    assert_trace("1:4 2:4 3:4 done");
    finish();
}

static void interval_of_0_is_every_turn(void **state)
{
    uint64_t turns;

    (void)state;
    start(0, true, (struct plan){.stop_at = 5});
    turns = 0;
    while (plan.calls < 5) {
        unsigned before = plan.calls;
        assert_int_equal(weft_loop_step(loop) < 0, 0);
        assert_true(plan.calls <= before + 1);
        turns++;
    }
    assert_true(turns >= 5);
    run(loop);
    assert_trace("0:1 0:1 0:1 0:1 0:1 done");
    finish();
}

static void there_is_no_call_while_one_waits(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.stop_at = 3, .takes = 7 * MS});
    run(loop);
    assert_trace("0:1 10:2 20:2 done");
    assert_int_equal((weft_loop_now(loop) - plan.began) / MS, 27); /* it ended with its last call */
    finish();
}

static int reset_it(int error, int *value, void *arg)
{
    (void)value;
    (void)arg;
    weft_looping_reset(looping);
    return error;
}

static void reset_begins_a_new_grid(void **state)
{
    (void)state;
    start(5 * MS, false, (struct plan){.stop_at = 2});
    assert_int_equal(weft_then(weft_later(scope, 3 * MS), reset_it, NULL), 0);
    run(loop);
    assert_trace("8:1 13:1 done");
    weft_looping_reset(looping); /* harmless */
    finish();
}

static void it_may_reset_itself(void **state)
{
    (void)state;
    start(WEFT_MICROSECONDS(1500), false, (struct plan){.stop_at = 3, .resets = true});
    run(loop);
    assert_trace("2:1 4:1 6:1 done"); /* from one call to the next */
    finish();
}

/* -- how it ends -- */

static void stopping_fires_its_deferred_at_once(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){0});
    weft_looping_stop(looping);
    assert_trace("done");
    weft_looping_stop(looping); /* harmless */
    run(loop);
    assert_trace("");
    finish();
}

static void stopping_waits_for_the_call_that_waits(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){0});
    plan.waits = weft_deferred_new(weft_done, scope);
    assert_true(weft_loop_step(loop) >= 0);
    weft_looping_stop(looping);
    assert_trace("0:1 ");
    weft_fire(plan.waits, 0);
    assert_trace("done");
    finish();
}

static void failed_call_ends_it(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.fail_at = 2});
    run(loop);
    assert_trace("0:1 5:1 done!EIO ");
    assert_false(weft_looping_runs(looping));
    finish();
}

static void failure_of_what_a_call_waits_for_ends_it(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.takes = MS, .fails = -EPIPE});
    run(loop);
    assert_trace("0:1 done!EPIPE ");
    finish();
}

static void what_a_call_waits_for_may_have_ended(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){.stop_at = 2});
    plan.waits = weft_succeed(weft_done, scope, 0);
    assert_true(weft_loop_step(loop) >= 0);
    assert_trace("0:1 ");
    plan.waits = weft_fail(weft_done, scope, -EIO);
    run(loop);
    assert_trace("5:1 done!EIO ");
    assert_int_equal(weft_looping_wait(looping, (weft_done){NULL}), -EINVAL); /* not in its function */
    finish();
}

static char story[256];

static int keep_story(int error, int *value, void *arg)
{
    (void)arg;
    assert_int_equal(error, -EIO);
    weft_failure_describe(weft_failure_here(value), story, sizeof story);
    return 0;
}

static void story_of_the_failure_is_passed_on(void **state)
{
    (void)state;
    begin();
    plan = (struct plan){.began = weft_loop_now(loop), .waits = weft_deferred_new(weft_done, scope)};
    looping = weft_looping_new(scope, tick, &plan);
    assert_int_equal(weft_catch(weft_looping_start(looping, MS, true), keep_story, NULL), 0);
    assert_true(weft_loop_step(loop) >= 0);
    weft_deferred_fail_with(plan.waits.deferred, weft_failure_new(-EIO, NULL, "a wet disk"));
    assert_non_null(strstr(story, "a wet disk"));
    finish();
}

static void cancelling_stops_it_and_what_it_waits_for(void **state)
{
    (void)state;
    start(5 * MS, true, (struct plan){0});
    plan.waits = weft_deferred_new(weft_done, scope);
    weft_deferred_ref(plan.waits.deferred);
    assert_true(weft_loop_step(loop) >= 0);
    weft_cancel_for(done.deferred, WEFT_ETIMEDOUT);
    assert_trace("0:1 done!ETIMEDOUT ");
    assert_true(weft_deferred_fired(plan.waits.deferred));
    weft_deferred_unref(plan.waits.deferred);
    assert_false(weft_looping_runs(looping));
    run(loop);
    assert_trace("");
    finish();
}

static void closing_its_scope_stops_it(void **state)
{
    (void)state;
    for (int now = 0; now < 2; now++) {
        start(5 * MS, now, (struct plan){0});
        weft_scope_close(scope);
        run(loop);
        assert_trace("done!ECANCELED ");
        scope = NULL;
        finish();
    }
}

static void it_runs_once_at_a_time_and_can_be_started_again(void **state)
{
    (void)state;
    start(5 * MS, false, (struct plan){.stop_at = 1});
    watch(weft_looping_start(looping, MS, true), "second");
    watch(weft_looping_start(looping, -1, true), "third");
    assert_trace("second!EALREADY third!EINVAL ");
    run(loop);
    assert_trace("5:1 done");
    plan.stop_at = 2;
    watch(weft_looping_start(looping, MS, false), "again");
    run(loop);
    assert_trace("6:1 again");
    finish();
}

/* -- tasks -- */

static int beat(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    note("beat ");
    return weft_sleep(2 * MS);
}

static int call_task(weft_looping *me, uint64_t count, void *arg)
{
    note("%d ", (int)count);
    if (++*(int *)arg == 3)
        weft_looping_stop(me);
    return weft_looping_wait(me, weft_spawn_done(scope, beat, NULL));
}

static int await_looping(weft_task *me, void *arg)
{
    int calls = 0;

    looping = weft_looping_new(weft_task_scope(me), call_task, &calls);
    note("%d", weft_wait(weft_looping_start(looping, MS, true)));
    (void)arg;
    return 0;
}

static void calls_may_be_tasks_and_a_task_may_wait_for_the_end(void **state)
{
    (void)state;
    begin();
    assert_int_equal(weft_spawn(scope, await_looping, NULL), 0);
    run(loop);
    assert_trace("1 beat 3 beat 3 beat 0");
    finish();
}

/* -- memory -- */

static int tick_or_fail(weft_looping *me, uint64_t count, void *arg)
{
    (void)count;
    if (++*(int *)arg == 3)
        weft_looping_stop(me);
    return weft_looping_wait(me, weft_later(scope, MS));
}

static void all_of_it(void *arg)
{
    int calls = 0;

    (void)arg;
    if (!try_begin())
        return;
    looping = weft_looping_new(scope, tick_or_fail, &calls);
    try_watch(weft_looping_start(looping, MS, true), "done");
    if (scope)
        run(loop);
    if (support_injected() == 0)
        assert_trace("done");
    else
        assert_true(trace[0] == '\0' || strcmp(trace, "done!ENOMEM ") == 0);
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
        support_test(first_call_comes_now_but_not_at_once),
        support_test(or_after_the_first_interval),
        support_test(intervals_that_are_no_whole_milliseconds_do_not_drift),
        support_test(calls_that_were_missed_are_counted),
        support_test(intervals_below_a_millisecond_are_counted),
        support_test(interval_of_0_is_every_turn),
        support_test(there_is_no_call_while_one_waits),
        support_test(reset_begins_a_new_grid),
        support_test(it_may_reset_itself),
        support_test(stopping_fires_its_deferred_at_once),
        support_test(stopping_waits_for_the_call_that_waits),
        support_test(failed_call_ends_it),
        support_test(failure_of_what_a_call_waits_for_ends_it),
        support_test(what_a_call_waits_for_may_have_ended),
        support_test(story_of_the_failure_is_passed_on),
        support_test(cancelling_stops_it_and_what_it_waits_for),
        support_test(closing_its_scope_stops_it),
        support_test(it_runs_once_at_a_time_and_can_be_started_again),
        support_test(calls_may_be_tasks_and_a_task_may_wait_for_the_end),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
