/* SPDX-License-Identifier: MIT */
#include <weft/group.h>

#include "async/pace_test.h"

WEFT_DEFERRED(number, int);

#define COUNT 3

static number members[COUNT];

struct outcome {
    int calls, error;
    weft_group_end end;
    char story[512];
};

static int note_end(int error, weft_group_end *end, void *arg)
{
    struct outcome *outcome = arg;
    const weft_failure *failure = weft_failure_here(end);

    outcome->calls++;
    outcome->error = error;
    outcome->end = *end;
    if (failure)
        weft_failure_describe(failure, outcome->story, sizeof outcome->story);
    return 0;
}

static void begin_with_members(void)
{
    begin();
    for (int i = 0; i < COUNT; i++)
        members[i] = weft_deferred_new(number, scope);
}

static void watch_group(weft_group group, struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    assert_int_equal(weft_finally(group, note_end, outcome), 0);
}

static int value_of(number one)
{
    int value = -1, status = weft_peek(one, &value);

    return status < 0 ? status : value;
}

/* -- gather -- */

static void gather_fires_when_all_have_succeeded(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_gather(scope, members, COUNT), &got);
    weft_fire(members[2], 12);
    weft_fire(members[0], 10);
    assert_int_equal(got.calls, 0);
    weft_fire(members[1], 11);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.end.index, COUNT);
    assert_int_equal(got.end.failed, 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(value_of(members[i]), 10 + i);
    finish();
}

static void gather_fails_with_the_first_failure_and_tells_its_index(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_gather(scope, members, COUNT), &got);
    weft_deferred_fail_with(members[1].deferred, weft_failure_new(-EIO, NULL, "the disk is wet"));
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.error, -EIO);
    assert_non_null(strstr(got.story, "member 1 of 3 (a number made at "));
    assert_non_null(strstr(got.story, "the disk is wet"));
    assert_false(weft_deferred_fired(members[0].deferred)); /* the others go on */
    weft_fire(members[0], 7);
    weft_deferred_fail(members[2].deferred, -EPIPE); /* and what fails later is not reported */
    assert_int_equal(got.calls, 1);
    assert_int_equal(value_of(members[0]), 7);
    finish();
}

static void gather_of_what_has_fired_fires_at_once(void **state)
{
    weft_group group;
    weft_group_end end;

    (void)state;
    begin_with_members();
    for (int i = 0; i < COUNT; i++)
        weft_fire(members[i], i);
    group = weft_gather(scope, members, COUNT);
    assert_int_equal(weft_peek(group, &end), 0);
    weft_deferred_fail(weft_deferred_ref(members[0].deferred), -EIO);
    support_log_expect("fired twice");
    weft_deferred_unref(members[0].deferred);
    finish();
}

static void gather_of_one_that_has_failed_has_failed(void **state)
{
    weft_group group;
    weft_group_end end;

    (void)state;
    begin_with_members();
    weft_deferred_fail(members[2].deferred, -EIO);
    group = weft_gather(scope, members, COUNT);
    assert_int_equal(weft_peek(group, &end), -EIO);
    assert_non_null(weft_deferred_failure(group.deferred));
    finish();
}

static void empty_gather_and_collect_fire_at_once(void **state)
{
    weft_group_end end = {9, 9};

    (void)state;
    begin_with_members();
    assert_int_equal(weft_peek(weft_gather(scope, members, 0), &end), 0);
    assert_true(end.index == 0 && end.failed == 0);
    assert_int_equal(weft_peek(weft_collect(scope, (number *)NULL, 0), &end), 0);
    assert_int_equal(weft_peek(weft_race(scope, members, 0), &end), -EINVAL);
    finish();
}

static void gather_that_cancels_ends_the_others(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_group_of(scope, members, COUNT, WEFT_GROUP_FIRST_FAILURE | WEFT_GROUP_CANCEL), &got);
    weft_deferred_fail(members[0].deferred, -EIO);
    assert_int_equal(got.error, -EIO);
    assert_int_equal(value_of(members[1]), WEFT_ECANCELED);
    assert_int_equal(value_of(members[2]), WEFT_ECANCELED);
    finish();
}

/* -- collect, first success -- */

static void collect_waits_for_all_and_counts_failures(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_collect(scope, members, COUNT), &got);
    weft_deferred_fail(members[0].deferred, -EIO);
    weft_fire(members[1], 1);
    assert_int_equal(got.calls, 0);
    weft_deferred_fail(members[2].deferred, -EPIPE);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.end.failed, 2);
    assert_int_equal(value_of(members[0]), -EIO);
    assert_int_equal(value_of(members[2]), -EPIPE);
    finish();
}

static void first_success_passes_failures_by_and_leaves_the_others(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_group_of(scope, members, COUNT, WEFT_GROUP_FIRST_SUCCESS), &got);
    weft_deferred_fail(members[0].deferred, -EIO);
    weft_fire(members[2], 5);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.end.index, 2);
    assert_int_equal(got.end.failed, 1);
    weft_fire(members[1], 6);
    assert_int_equal(got.calls, 1);
    assert_int_equal(value_of(members[1]), 6);
    finish();
}

/* -- race -- */

static int cancelled_with[COUNT];

static void note_cancel(weft_deferred *deferred, int reason, void *arg)
{
    (void)deferred;
    *(int *)arg = reason;
}

static void race_is_won_by_the_first_success_and_the_others_are_cancelled(void **state)
{
    struct outcome got;
    int value;

    (void)state;
    begin_with_members();
    for (int i = 0; i < COUNT; i++) {
        cancelled_with[i] = 0;
        members[i] = weft_deferred_new_with(number, scope, 0, note_cancel, &cancelled_with[i]);
    }
    watch_group(weft_race(scope, members, COUNT), &got);
    weft_fire(members[1], 42);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.end.index, 1);
    assert_int_equal(weft_peek(members[1], &value), 0);
    assert_int_equal(value, 42);
    assert_int_equal(cancelled_with[0], WEFT_ECANCELED);
    assert_int_equal(cancelled_with[1], 0);
    assert_int_equal(cancelled_with[2], WEFT_ECANCELED);
    run(loop);
    assert_int_equal(weft_scope_count(scope),
                     COUNT + 1); /* the losers have gone: what begin made and the winner are left */
    finish();
}

static void race_that_all_lose_tells_of_each(void **state)
{
    struct outcome got;
    char others[256];

    (void)state;
    begin_with_members();
    watch_group(weft_race(scope, members, COUNT), &got);
    weft_deferred_fail(members[2].deferred, -EPIPE);
    weft_deferred_fail_with(members[0].deferred, weft_failure_new(-EIO, NULL, "a wet disk"));
    assert_int_equal(got.calls, 0);
    weft_deferred_fail(members[1].deferred, WEFT_ETIMEDOUT);
    assert_int_equal(got.error, -EIO); /* that of the first of the array */
    assert_non_null(strstr(got.story, "all 3 members failed; 0: a wet disk"));
    snprintf(others, sizeof others, "; 1: %s; 2: %s", weft_error_text(WEFT_ETIMEDOUT), weft_error_text(-EPIPE));
    assert_non_null(strstr(got.story, others));
    finish();
}

/* The canceller of a loser fires it: too late for the race. */
static void fire_it(weft_deferred *deferred, int reason, void *arg)
{
    static const int value = 99;

    (void)reason;
    (void)arg;
    (void)weft_deferred_fire(deferred, &value);
}

static void loser_that_succeeds_when_it_is_cancelled_does_not_win(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    members[0] = weft_deferred_new_with(number, scope, 0, fire_it, NULL);
    watch_group(weft_race(scope, members, COUNT), &got);
    weft_fire(members[2], 1);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.end.index, 2);
    finish();
}

static weft_group doomed;

static void cancel_the_group(weft_deferred *deferred, int reason, void *arg)
{
    (void)deferred;
    (void)reason;
    (void)arg;
    weft_cancel(doomed.deferred);
}

static void group_that_a_canceller_cancels_fails_once(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    members[0] = weft_deferred_new_with(number, scope, 0, cancel_the_group, NULL);
    doomed = weft_race(scope, members, COUNT);
    watch_group(doomed, &got);
    weft_fire(members[2], 1);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.error, WEFT_ECANCELED);
    finish();
}

/* -- cancelling -- */

static void cancelling_a_group_cancels_its_members(void **state)
{
    static const unsigned kinds[] = {0, WEFT_GROUP_FIRST_FAILURE, WEFT_GROUP_FIRST_SUCCESS};
    struct outcome got;

    (void)state;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        begin_with_members();
        weft_fire(members[1], 3);
        if (kinds[kind] == WEFT_GROUP_FIRST_SUCCESS)
            members[1] = weft_deferred_new(number, scope);
        weft_group group = weft_group_of(scope, members, COUNT, kinds[kind]);
        watch_group(group, &got);
        weft_cancel_for(group.deferred, -EPIPE);
        assert_int_equal(got.calls, 1);
        assert_int_equal(got.error, -EPIPE);
        assert_int_equal(value_of(members[0]), -EPIPE);
        assert_int_equal(value_of(members[2]), -EPIPE);
        finish();
    }
}

static void closing_its_scope_cancels_a_group_and_its_members(void **state)
{
    struct outcome got;
    weft_scope *inner;

    (void)state;
    begin_with_members();
    inner = weft_scope_open(scope, WEFT_NEVER);
    watch_group(weft_gather(inner, members, COUNT), &got);
    weft_scope_close(inner);
    assert_int_equal(got.calls, 0);
    run(loop);
    assert_int_equal(got.error, WEFT_ECANCELED);
    assert_int_equal(value_of(members[0]), WEFT_ECANCELED);
    finish();
}

static void group_in_a_cancelled_scope_has_failed_and_cancels_its_members(void **state)
{
    weft_scope *inner;
    weft_group_end end;

    (void)state;
    begin_with_members();
    inner = weft_scope_open(scope, WEFT_NEVER);
    weft_scope_cancel(inner, WEFT_ETIMEDOUT);
    weft_group group = weft_collect(inner, members, COUNT);
    assert_int_equal(weft_peek(group, &end), WEFT_ETIMEDOUT);
    assert_int_equal(value_of(members[0]), WEFT_ETIMEDOUT);
    for (int i = 0; i < COUNT; i++)
        weft_forget(members[i].deferred);
    finish();
}

static void members_whose_scope_ends_have_failed(void **state)
{
    struct outcome got;
    weft_scope *inner;

    (void)state;
    begin_with_members();
    inner = weft_scope_open(scope, WEFT_NEVER);
    members[0] = weft_deferred_new(number, inner);
    watch_group(weft_collect(scope, members, COUNT), &got);
    weft_fire(members[1], 1);
    weft_fire(members[2], 2);
    weft_scope_close(inner);
    run(loop);
    assert_int_equal(got.error, 0);
    assert_int_equal(got.end.failed, 1);
    finish();
}

static void timed_out_group_says_so(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    weft_group group = weft_collect(scope, members, COUNT);
    assert_int_equal(weft_timeout(group.deferred, WEFT_SECONDS(2)), 0);
    watch_group(group, &got);
    run(loop);
    assert_int_equal(got.error, WEFT_ETIMEDOUT);
    finish();
}

/* -- members of other kinds -- */

static void null_member_has_failed(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    members[1] = (number){NULL};
    watch_group(weft_gather(scope, members, COUNT), &got);
    assert_int_equal(got.error, WEFT_ENOMEM);
    finish();
}

static void member_that_is_there_twice_has_failed(void **state)
{
    weft_group_end end;

    (void)state;
    begin_with_members();
    members[1] = members[0];
    weft_group group = weft_gather(scope, members, COUNT);
    assert_int_equal(weft_peek(group, &end), -EBUSY);
    weft_fire(members[0], 3); /* it is as it was */
    assert_int_equal(value_of(members[0]), 3);
    finish();
}

static void members_may_differ_in_type(void **state)
{
    struct outcome got;
    weft_done done;
    weft_deferred *all[2];

    (void)state;
    begin_with_members();
    done = weft_deferred_new(weft_done, scope);
    all[0] = done.deferred;
    all[1] = members[0].deferred;
    watch_group(weft_group_of_any(scope, all, 2, WEFT_GROUP_FIRST_FAILURE), &got);
    weft_fire(done, 0);
    weft_fire(members[0], 1);
    assert_int_equal(got.error, 0);
    finish();
}

static void group_may_be_a_member(void **state)
{
    struct outcome got;
    weft_group pair[2];

    (void)state;
    begin_with_members();
    pair[0] = weft_gather(scope, members, 2);
    pair[1] = weft_gather(scope, members + 2, 1);
    watch_group(weft_gather(scope, pair, 2), &got);
    for (int i = 0; i < COUNT; i++)
        weft_fire(members[i], i);
    assert_int_equal(got.calls, 1);
    finish();
}

static void chain_of_groups_takes_no_stack(void **state)
{
    enum { DEEP = 20000 };
    struct outcome got;
    weft_group top;

    (void)state;
    begin_with_members();
    top = weft_gather(scope, members, 1);
    for (int i = 1; i < DEEP; i++)
        top = weft_gather(scope, (weft_group[1]){top}, 1);
    watch_group(top, &got);
    weft_fire(members[0], 1);
    assert_int_equal(got.calls, 1);
    finish();
}

static int add_one(int error, int *value, void *arg)
{
    (void)arg;
    ++*value;
    return error;
}

static void member_with_callbacks_stays_until_its_result_is_taken(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(weft_then(members[i], add_one, NULL), 0);
    watch_group(weft_gather(scope, members, COUNT), &got);
    for (int i = 0; i < COUNT; i++)
        weft_fire(members[i], i);
    run(loop); /* turns go by */
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(value_of(members[i]), i + 1);
    finish();
}

/* -- tasks -- */

static int awaited;

static int fire_later(int error, int *value, void *arg)
{
    (void)error;
    (void)value;
    weft_fire(*(number *)arg, 5);
    return 0;
}

static int await_all(weft_task *me, void *arg)
{
    weft_group group = weft_gather(weft_task_scope(me), members, COUNT);
    int value, status = weft_wait(group);

    (void)arg;
    for (int i = 0; status == 0 && i < COUNT; i++) {
        status = weft_await(members[i], &value);
        awaited += value;
    }
    return status;
}

static void task_awaits_a_group_and_then_its_members(void **state)
{
    weft_done timers[COUNT];

    (void)state;
    begin_with_members();
    awaited = 0;
    for (int i = 0; i < COUNT; i++) {
        timers[i] = weft_deferred_new(weft_done, scope);
        assert_int_equal(weft_timeout(timers[i].deferred, WEFT_SECONDS(i + 1)), 0);
        assert_int_equal(weft_finally(timers[i], fire_later, &members[i]), 0);
    }
    assert_int_equal(weft_spawn(scope, await_all, NULL), 0);
    run(loop);
    assert_int_equal(awaited, 15);
    assert_true(weft_loop_now(loop) >= WEFT_SECONDS(3));
    assert_int_equal(weft_scope_error(scope), 0);
    finish();
}

static int await_first(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return weft_await(members[0], &awaited);
}

static void member_that_has_ended_may_be_awaited_while_the_group_waits(void **state)
{
    struct outcome got;

    (void)state;
    begin_with_members();
    watch_group(weft_gather(scope, members, COUNT), &got);
    weft_fire(members[0], 8);
    assert_int_equal(weft_spawn(scope, await_first, NULL), 0);
    run(loop);
    assert_int_equal(awaited, 8);
    assert_int_equal(weft_scope_error(scope), 0);
    weft_fire(members[1], 1);
    weft_fire(members[2], 2);
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.error, 0);
    finish();
}

static int give_up(weft_task *me, void *arg)
{
    weft_group group = weft_gather(weft_task_scope(me), members, COUNT);

    *(int *)arg = weft_wait(group);
    return 0;
}

static void cancelled_task_gives_its_group_up(void **state)
{
    int result = 0;

    (void)state;
    begin_with_members();
    assert_int_equal(weft_spawn(scope, give_up, &result), 0);
    assert_int_equal(weft_loop_step(loop), 0);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    run(loop);
    assert_int_equal(result, WEFT_ETIMEDOUT);
    finish();
}

/* -- memory -- */

static void all_kinds(void *arg)
{
    static const unsigned kinds[] = {0, WEFT_GROUP_FIRST_FAILURE,
                                     WEFT_GROUP_FIRST_SUCCESS | WEFT_GROUP_CANCEL | WEFT_GROUP_FORGET};
    struct outcome got;

    (void)arg;
    if (!try_begin())
        return;
    for (size_t kind = 0; kind < 3; kind++) {
        number some[COUNT];
        got = (struct outcome){0};
        for (int i = 0; i < COUNT; i++)
            some[i] = weft_deferred_new(number, scope);
        weft_group group = weft_group_of(scope, some, COUNT, kinds[kind]);
        int status = weft_finally(group, note_end, &got);
        assert_int_equal(status, group.deferred ? 0 : WEFT_ENOMEM);
        for (int i = 0; i < COUNT; i++)
            if (some[i].deferred && !weft_deferred_fired(some[i].deferred))
                (void)weft_deferred_fail(some[i].deferred, -EIO);
        for (int i = 0; i < COUNT; i++)
            if (!group.deferred && some[i].deferred)
                weft_forget(some[i].deferred);
        assert_int_equal(got.calls, group.deferred != NULL);
        if (support_injected() == 0)
            assert_int_equal(got.error, kind == 0 ? 0 : -EIO);
        run(loop);
    }
    finish();
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
    support_torture(all_kinds, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(gather_fires_when_all_have_succeeded),
        support_test(gather_fails_with_the_first_failure_and_tells_its_index),
        support_test(gather_of_what_has_fired_fires_at_once),
        support_test(gather_of_one_that_has_failed_has_failed),
        support_test(empty_gather_and_collect_fire_at_once),
        support_test(gather_that_cancels_ends_the_others),
        support_test(collect_waits_for_all_and_counts_failures),
        support_test(first_success_passes_failures_by_and_leaves_the_others),
        support_test(race_is_won_by_the_first_success_and_the_others_are_cancelled),
        support_test(race_that_all_lose_tells_of_each),
        support_test(loser_that_succeeds_when_it_is_cancelled_does_not_win),
        support_test(group_that_a_canceller_cancels_fails_once),
        support_test(cancelling_a_group_cancels_its_members),
        support_test(closing_its_scope_cancels_a_group_and_its_members),
        support_test(group_in_a_cancelled_scope_has_failed_and_cancels_its_members),
        support_test(members_whose_scope_ends_have_failed),
        support_test(timed_out_group_says_so),
        support_test(null_member_has_failed),
        support_test(member_that_is_there_twice_has_failed),
        support_test(members_may_differ_in_type),
        support_test(group_may_be_a_member),
        support_test(chain_of_groups_takes_no_stack),
        support_test(member_with_callbacks_stays_until_its_result_is_taken),
        support_test(task_awaits_a_group_and_then_its_members),
        support_test(member_that_has_ended_may_be_awaited_while_the_group_waits),
        support_test(cancelled_task_gives_its_group_up),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
