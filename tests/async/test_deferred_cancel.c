/* SPDX-License-Identifier: MIT */
/* Cancelling deferreds, and their deadlines. */
#include "async/deferred_test.h"

/* -- without a canceller -- */

static void cancelled_one_fails(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel(d.deferred);
    assert_trace("a!ECANCELED ");
    assert_true(weft_deferred_fired(d.deferred));
}

static void reason_can_be_another(void **state)
{
    number d = make(), odd = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel_for(d.deferred, -ECONNRESET);
    add_finally(odd, ACT('b', GIVE, 0));
    weft_cancel_for(odd.deferred, 5);
    assert_trace("a!ECONNRESET b!ECANCELED ");
}

static void first_late_fire_is_ignored_and_the_second_is_not(void **state) /* EL-15 */
{
    number d = make();

    (void)state;
    support_log_expect("was fired twice");
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel(d.deferred);
    assert_int_equal(weft_fire(d, 1), 0);
    assert_int_equal(support_log_count("was fired twice"), 0);
    assert_int_equal(weft_fire(d, 2), -EALREADY);
    assert_trace("a!ECANCELED ");
}

static void first_late_failure_is_ignored_and_its_story_freed(void **state)
{
    number d = make();

    (void)state;
    support_log_expect("was fired twice");
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel(d.deferred);
    assert_int_equal(weft_deferred_fail_with(d.deferred, weft_failure_new(-EIO, NULL, "too late")), 0);
    assert_int_equal(weft_deferred_fail(d.deferred, -EIO), -EALREADY);
    assert_trace("a!ECANCELED ");
}

static void cancelling_again_does_nothing(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel(d.deferred);
    weft_cancel(d.deferred);
    weft_cancel_for(d.deferred, -EIO);
    assert_trace("a!ECANCELED ");
    assert_int_equal(weft_fire(d, 1), 0);
    weft_cancel(d.deferred);
}

static void what_has_fired_is_not_cancelled(void **state)
{
    number good = weft_succeed(number, scope, 1), bad = weft_fail(number, scope, -EIO);

    (void)state;
    weft_cancel(good.deferred);
    weft_cancel(bad.deferred);
    add_finally(good, ACT('a'));
    add_finally(bad, ACT('b', GIVE, 0));
    assert_trace("a1 b!EIO ");
}

static void paused_one_fails_when_it_is_unpaused(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0));
    weft_pause(d.deferred);
    weft_cancel(d.deferred);
    assert_trace("");
    weft_unpause(d.deferred);
    assert_trace("a!ECANCELED ");
}

/* -- with one -- */

struct plan {
    enum { NOTHING, FIRE, FAIL_IT, CANCEL_AGAIN, DROP } what;
    weft_deferred *deferred;
    int calls, reason;
};

static void canceller(weft_deferred *deferred, int reason, void *arg)
{
    struct plan *plan = arg;
    number d = {.deferred = deferred};

    plan->calls++;
    plan->reason = reason;
    plan->deferred = deferred;
    switch (plan->what) {
    case FIRE:
        assert_int_equal(weft_fire(d, 50), 0);
        break;
    case FAIL_IT:
        assert_int_equal(weft_deferred_fail(deferred, -EPIPE), 0);
        break;
    case CANCEL_AGAIN:
        weft_cancel(deferred);
        break;
    case DROP:
        weft_deferred_unref(deferred);
        break;
    case NOTHING:
        break;
    }
}

static struct act last = {.letter = 'a', .answer = GIVE};

static number planned(struct plan *plan)
{
    number d = weft_deferred_new_with(number, scope, 0, canceller, plan);

    assert_non_null(d.deferred);
    add_finally(d, &last);
    return d;
}

static void canceller_gets_the_deferred_and_the_reason(void **state)
{
    struct plan plan = {.what = NOTHING};
    number d = planned(&plan);

    (void)state;
    weft_cancel_for(d.deferred, -ECONNRESET);
    assert_trace("a!ECONNRESET ");
    assert_int_equal(plan.calls, 1);
    assert_int_equal(plan.reason, -ECONNRESET);
    assert_ptr_equal(plan.deferred, d.deferred);
}

static void canceller_is_called_once(void **state)
{
    struct plan plan = {.what = NOTHING};
    number d = planned(&plan);

    (void)state;
    weft_cancel(d.deferred);
    weft_cancel(d.deferred);
    assert_int_equal(plan.calls, 1);
}

static void late_fire_after_a_canceller_is_an_error(void **state)
{
    struct plan plan = {.what = NOTHING};
    number d = planned(&plan);

    (void)state;
    support_log_expect("was fired twice");
    weft_cancel(d.deferred);
    assert_int_equal(weft_fire(d, 1), -EALREADY);
    assert_trace("a!ECANCELED ");
}

static void canceller_may_fire_or_fail_it(void **state)
{
    struct plan fires = {.what = FIRE}, fails = {.what = FAIL_IT};

    (void)state;
    weft_cancel(planned(&fires).deferred);
    weft_cancel(planned(&fails).deferred);
    assert_trace("a50 a!EPIPE ");
}

static void cancelling_in_the_canceller_does_nothing(void **state)
{
    struct plan plan = {.what = CANCEL_AGAIN};

    (void)state;
    weft_cancel(planned(&plan).deferred);
    assert_int_equal(plan.calls, 1);
    assert_trace("a!ECANCELED ");
}

static void canceller_may_drop_the_last_reference(void **state)
{
    struct plan plan = {.what = DROP};
    number d = planned(&plan);

    (void)state;
    weft_deferred_ref(d.deferred);
    weft_cancel(d.deferred);
    assert_trace("a!ECANCELED ");
    turn();
}

static void canceller_of_what_has_fired_is_not_called(void **state)
{
    struct plan plan = {.what = NOTHING};
    number d = planned(&plan);

    (void)state;
    weft_fire(d, 2);
    weft_cancel(d.deferred);
    weft_scope_close(scope);
    run();
    assert_trace("a2 ");
    assert_int_equal(plan.calls, 0);
}

/* -- while it waits for another -- */

static void cancelling_reaches_the_innermost(void **state)
{
    number outer = make(), middle = make(), inner;
    struct plan plan = {.what = FAIL_IT};

    (void)state;
    inner = weft_deferred_new_with(number, scope, 0, canceller, &plan);
    add_then(middle, ACT('m', BECOME, .inner = inner));
    weft_fire(middle, 1);
    add_then(outer, ACT('o', BECOME, .inner = middle));
    weft_fire(outer, 2);
    add_finally(outer, &last);
    weft_cancel_for(outer.deferred, -ECONNRESET);
    assert_int_equal(plan.calls, 1);
    assert_int_equal(plan.reason, -ECONNRESET);
    assert_trace("m1 o2 a!EPIPE ");
}

static void inner_one_may_answer_its_cancelling_with_a_value(void **state)
{
    number outer = make(), inner;
    struct plan plan = {.what = FIRE};

    (void)state;
    inner = weft_deferred_new_with(number, scope, 0, canceller, &plan);
    add_then(outer, ACT('o', BECOME, .inner = inner));
    weft_fire(outer, 2);
    add_then(outer, &last);
    weft_cancel(outer.deferred);
    assert_trace("o2 a50 ");
}

static void outer_one_can_be_cancelled_again_when_it_waits_again(void **state)
{
    number d = make(), first = make(), second = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = first));
    add_catch(d, ACT('b', BECOME, .inner = second));
    add_catch(d, ACT('c', GIVE, 0));
    weft_fire(d, 1);
    weft_cancel(d.deferred);
    assert_trace("a1 b!ECANCELED ");
    weft_cancel_for(d.deferred, -EPIPE);
    assert_trace("c!EPIPE ");
}

static void cancelling_one_whose_inner_is_paused_waits_for_it(void **state)
{
    number d = make(), inner = weft_succeed(number, scope, 4);

    (void)state;
    weft_pause(inner.deferred);
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_finally(d, ACT('b'));
    weft_fire(d, 1);
    weft_cancel(d.deferred); /* the inner one has fired: nothing is left to cancel */
    assert_trace("a1 ");
    weft_unpause(inner.deferred);
    assert_trace("b4 ");
}

/* -- deadlines -- */

static weft_time at;

static void deadline_that_passes_is_a_timeout(void **state)
{
    number d = make();

    (void)state;
    at = weft_loop_now(loop);
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, ACT('a', GIVE, 0));
    run();
    assert_trace("a!ETIMEDOUT ");
    assert_in_range(weft_loop_now(loop) - at, 10 * MS, 11 * MS);
}

static void result_before_the_deadline_stops_the_clock(void **state)
{
    number good = make(), bad = make();

    (void)state;
    at = weft_loop_now(loop);
    assert_int_equal(weft_timeout(good.deferred, 10 * MS), 0);
    assert_int_equal(weft_timeout(bad.deferred, 10 * MS), 0);
    add_finally(good, ACT('a'));
    add_finally(bad, ACT('b', GIVE, 0));
    weft_fire(good, 1);
    weft_deferred_fail(bad.deferred, -EIO);
    assert_trace("a1 b!EIO ");
    run(); /* for nothing: the timers are gone */
    assert_true(weft_loop_now(loop) == at);
}

static void deadline_covers_what_was_added_before_it(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    run();
    assert_trace("a1 b!ETIMEDOUT ");
}

static void deadline_does_not_cover_what_is_added_after_it(void **state)
{
    number d = make(), inner = make();

    (void)state;
    at = weft_loop_now(loop);
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_finally(d, ACT('b'));
    weft_fire(d, 1);
    run();
    assert_true(weft_loop_now(loop) == at);
    weft_fire(inner, 2);
    assert_trace("a1 b2 ");
}

static void cancelling_before_the_deadline_is_a_cancellation(void **state)
{
    number d = make();

    (void)state;
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, ACT('a', GIVE, 0));
    weft_cancel(d.deferred);
    run();
    assert_trace("a!ECANCELED ");
}

static void canceller_decides_what_a_deadline_brings(void **state)
{
    struct plan fires = {.what = FIRE}, fails = {.what = FAIL_IT};
    number good = weft_deferred_new_with(number, scope, 0, canceller, &fires);
    number bad = weft_deferred_new_with(number, scope, 0, canceller, &fails);

    (void)state;
    assert_int_equal(weft_timeout(good.deferred, 10 * MS), 0);
    assert_int_equal(weft_timeout(bad.deferred, 20 * MS), 0);
    add_finally(good, &last);
    add_finally(bad, &last);
    run();
    assert_trace("a50 a!EPIPE ");
    assert_int_equal(fires.reason, WEFT_ECANCELED);
}

static void error_dealt_with_before_the_deadline_ends_stays_dealt_with(void **state)
{
    number d = make();

    (void)state;
    add_catch(d, ACT('a', GIVE, 4));
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, ACT('b'));
    run();
    assert_trace("a!ECANCELED b4 ");
}

static void error_changed_before_the_deadline_ends_stays_as_it_is(void **state)
{
    number d = make();

    (void)state;
    add_catch(d, ACT('a', FAIL, -EIO));
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, ACT('b', GIVE, 0));
    run();
    assert_trace("a!ECANCELED b!EIO ");
}

static void of_two_deadlines_the_shorter_one_counts(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        number d = make();
        at = weft_loop_now(loop);
        assert_int_equal(weft_timeout(d.deferred, i ? 10 * MS : WEFT_HOURS(1)), 0);
        assert_int_equal(weft_timeout(d.deferred, i ? WEFT_HOURS(1) : 10 * MS), 0);
        add_finally(d, &last);
        run();
        assert_trace("a!ETIMEDOUT ");
        assert_in_range(weft_loop_now(loop) - at, 10 * MS, 11 * MS);
    }
}

static void deadline_of_what_is_ready_costs_nothing(void **state)
{
    number d = weft_succeed(number, scope, 1);
    size_t live = support_live();

    (void)state;
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    assert_int_equal(support_live(), live);
    run();
    add_finally(d, ACT('a'));
    assert_trace("a1 ");
}

static void deadline_alone_is_nobody_who_had_the_result(void **state)
{
    number d = make();
    int out = 0;

    (void)state;
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    weft_fire(d, 6);
    turn();
    turn();
    assert_int_equal(weft_peek(d, &out), 0);
    assert_int_equal(out, 6);
}

static void deadline_ends_with_the_scope(void **state)
{
    number d = make();

    (void)state;
    at = weft_loop_now(loop);
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    add_finally(d, &last);
    weft_scope_close(scope);
    run();
    assert_trace("a!ECANCELED ");
    assert_true(weft_loop_now(loop) == at);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void deadline_in_a_cancelled_scope_is_not_needed(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, &last);
    weft_scope_cancel(scope, -ECONNRESET);
    assert_int_equal(weft_timeout(d.deferred, 10 * MS), 0);
    run();
    assert_trace("a!ECONNRESET ");
}

static void deadline_of_zero_is_for_the_next_turn(void **state)
{
    number d = make();

    (void)state;
    assert_int_equal(weft_timeout(d.deferred, 0), 0);
    add_finally(d, &last);
    assert_trace("");
    run();
    assert_trace("a!ETIMEDOUT ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(cancelled_one_fails),
        deferred_test(reason_can_be_another),
        deferred_test(first_late_fire_is_ignored_and_the_second_is_not),
        deferred_test(first_late_failure_is_ignored_and_its_story_freed),
        deferred_test(cancelling_again_does_nothing),
        deferred_test(what_has_fired_is_not_cancelled),
        deferred_test(paused_one_fails_when_it_is_unpaused),
        deferred_test(canceller_gets_the_deferred_and_the_reason),
        deferred_test(canceller_is_called_once),
        deferred_test(late_fire_after_a_canceller_is_an_error),
        deferred_test(canceller_may_fire_or_fail_it),
        deferred_test(cancelling_in_the_canceller_does_nothing),
        deferred_test(canceller_may_drop_the_last_reference),
        deferred_test(canceller_of_what_has_fired_is_not_called),
        deferred_test(cancelling_reaches_the_innermost),
        deferred_test(inner_one_may_answer_its_cancelling_with_a_value),
        deferred_test(outer_one_can_be_cancelled_again_when_it_waits_again),
        deferred_test(cancelling_one_whose_inner_is_paused_waits_for_it),
        deferred_test(deadline_that_passes_is_a_timeout),
        deferred_test(result_before_the_deadline_stops_the_clock),
        deferred_test(deadline_covers_what_was_added_before_it),
        deferred_test(deadline_does_not_cover_what_is_added_after_it),
        deferred_test(cancelling_before_the_deadline_is_a_cancellation),
        deferred_test(canceller_decides_what_a_deadline_brings),
        deferred_test(error_dealt_with_before_the_deadline_ends_stays_dealt_with),
        deferred_test(error_changed_before_the_deadline_ends_stays_as_it_is),
        deferred_test(of_two_deadlines_the_shorter_one_counts),
        deferred_test(deadline_of_what_is_ready_costs_nothing),
        deferred_test(deadline_alone_is_nobody_who_had_the_result),
        deferred_test(deadline_ends_with_the_scope),
        deferred_test(deadline_in_a_cancelled_scope_is_not_needed),
        deferred_test(deadline_of_zero_is_for_the_next_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
