/* SPDX-License-Identifier: MIT */
#include "loop/scope_probe.h"

#include <stdlib.h>

static void scope_knows_its_place(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *root = weft_loop_scope(loop), *scope = weft_scope_open(root, WEFT_NEVER);

    (void)state;
    assert_string_equal(weft_scope_name(root), "root");
    assert_string_equal(weft_scope_name(scope), "scope");
    weft_scope_set_name(scope, "mine");
    assert_string_equal(weft_scope_name(scope), "mine");
    weft_scope_set_name(scope, NULL);
    assert_non_null(weft_scope_name(scope));
    assert_ptr_equal(weft_scope_parent(scope), root);
    assert_null(weft_scope_parent(root));
    assert_ptr_equal(weft_scope_loop(scope), loop);
    assert_int_equal(weft_scope_cancelled(scope), 0);
    assert_int_equal(weft_scope_count(root), 1);
    weft_scope_close(scope);
    assert_int_equal(weft_scope_count(root), 0);
    weft_loop_free(loop);
}

static void count_is_of_direct_members(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *inner = weft_scope_open(outer, WEFT_NEVER);
    struct probe a, b;

    (void)state;
    probe_join(&a, outer, 'a', false);
    probe_join(&b, inner, 'b', false);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    assert_int_equal(weft_scope_count(outer), 2);
    assert_int_equal(weft_scope_count(inner), 1);
    scope_leave(&b.member);
    scope_leave(&b.member);
    assert_int_equal(weft_scope_count(inner), 0);
    weft_loop_free(loop);
}

static void null_scope_means_that_memory_was_short(void **state)
{
    struct probe probe = {.letter = 'a'};

    (void)state;
    assert_null(weft_scope_open(NULL, WEFT_NEVER));
    assert_int_equal(scope_join(NULL, &probe.member, &probe_class), WEFT_ENOMEM);
    weft_scope_close(NULL);
}

static void closing_cancels_in_every_depth_newest_first(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *inner, *innermost;
    struct probe probes[6];

    (void)state;
    probe_join(&probes[0], outer, 'a', false);
    inner = weft_scope_open(outer, WEFT_NEVER);
    probe_join(&probes[1], inner, 'b', false);
    innermost = weft_scope_open(inner, WEFT_NEVER);
    probe_join(&probes[2], innermost, 'c', false);
    probe_join(&probes[3], innermost, 'd', false);
    probe_join(&probes[4], inner, 'e', false);
    probe_join(&probes[5], outer, 'f', false);
    weft_scope_close(outer);
    assert_string_equal(order, "fedcba");
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(probes[i].reason, WEFT_ECANCELED);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void scope_is_gone_when_the_last_member_has_come_home(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *inner = weft_scope_open(outer, WEFT_NEVER);
    size_t with_scopes = support_live();
    struct probe slow, slower;

    (void)state;
    probe_join(&slow, outer, 'a', true);
    probe_join(&slower, inner, 'b', true);
    weft_scope_close(outer);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    assert_int_equal(weft_scope_cancelled(outer), WEFT_ECANCELED);
    scope_leave(&slow.member);
    assert_int_equal(support_live(), with_scopes);
    scope_leave(&slower.member);
    assert_int_equal(support_live(), with_scopes - 2);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void cancelled_scope_stays_open_and_takes_nobody(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe early, late = {.letter = 'l'};

    (void)state;
    probe_join(&early, scope, 'e', false);
    weft_scope_cancel(scope, -ECONNRESET);
    assert_int_equal(early.reason, -ECONNRESET);
    assert_int_equal(weft_scope_cancelled(scope), -ECONNRESET);
    assert_int_equal(scope_join(scope, &late.member, &probe_class), -ECONNRESET);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT); /* the first reason stays */
    assert_int_equal(weft_scope_cancelled(scope), -ECONNRESET);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    weft_scope_close(scope);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void scope_opened_in_a_cancelled_one_is_cancelled_for_the_same_reason(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *inner;
    struct probe late = {.letter = 'l'};

    (void)state;
    weft_scope_cancel(outer, WEFT_ETIMEDOUT);
    inner = weft_scope_open(outer, MS);
    assert_non_null(inner);
    assert_int_equal(weft_scope_cancelled(inner), WEFT_ETIMEDOUT);
    assert_int_equal(scope_join(inner, &late.member, &probe_class), WEFT_ETIMEDOUT);
    weft_scope_close(outer);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void closing_scope_opens_no_other(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe slow;

    (void)state;
    probe_join(&slow, scope, 's', true);
    weft_scope_close(scope);
    assert_null(weft_scope_open(scope, WEFT_NEVER));
    scope_leave(&slow.member);
    weft_loop_free(loop);
}

static void reason_that_is_no_error_is_a_cancellation(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);

    (void)state;
    weft_scope_cancel(scope, 0);
    assert_int_equal(weft_scope_cancelled(scope), WEFT_ECANCELED);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

/* What cannot end at once is cancelled again if its scope is; then the reason is the first. */
static void members_that_stayed_keep_their_order(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probes[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        probe_join(&probes[i], scope, (char)('a' + i), true);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    weft_scope_close(scope);
    assert_string_equal(order, "cbacba");
    assert_int_equal(probes[0].reason, WEFT_ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        scope_leave(&probes[i].member);
    weft_loop_free(loop);
}

static void depth_has_no_limit_that_a_program_meets(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outermost = open_in(loop), *scope = outermost;
    struct probe probe;

    (void)state;
    for (int depth = 0; depth < 5000; depth++)
        scope = weft_scope_open(scope, WEFT_HOURS(1));
    probe_join(&probe, scope, 'p', true);
    weft_scope_close(outermost);
    assert_string_equal(order, "p");
    scope_leave(&probe.member);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

/* -- deadlines -- */

struct ticker {
    weft_timer timer;
    weft_scope *scope;
    unsigned fired;
};

static void count_fired(weft_timer *timer)
{
    struct ticker *ticker = weft_container_of(timer, struct ticker, timer);

    ticker->fired++;
    weft_timer_start(timer, MS);
}

static void deadline_cancels_what_is_in_the_scope(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = weft_scope_open(weft_loop_scope(loop), 10 * MS), *inner = weft_scope_open(outer, WEFT_HOURS(1));
    struct ticker ticker = {.fired = 0};
    struct probe probe;

    (void)state;
    probe_join(&probe, inner, 'p', false);
    assert_int_equal(weft_timer_init(&ticker.timer, inner, count_fired), 0);
    weft_timer_start(&ticker.timer, MS);
    run(loop); /* returns when the deadline has stopped the timer */
    assert_int_equal(probe.reason, WEFT_ETIMEDOUT);
    assert_int_equal(weft_scope_cancelled(outer), WEFT_ETIMEDOUT);
    assert_int_equal(weft_scope_cancelled(inner), WEFT_ETIMEDOUT);
    assert_in_range(ticker.fired, 9, 10);
    weft_scope_close(outer);
    weft_loop_free(loop);
}

static void shorter_deadline_inside_spares_the_outer_scope(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = weft_scope_open(weft_loop_scope(loop), WEFT_HOURS(1)), *inner = weft_scope_open(outer, 5 * MS);
    struct ticker ticker = {.fired = 0};

    (void)state;
    assert_int_equal(weft_timer_init(&ticker.timer, inner, count_fired), 0);
    weft_timer_start(&ticker.timer, MS);
    run(loop);
    assert_int_equal(weft_scope_cancelled(inner), WEFT_ETIMEDOUT);
    assert_int_equal(weft_scope_cancelled(outer), 0);
    weft_loop_free(loop);
}

static void deadline_alone_does_not_keep_the_loop_going(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_SECONDS(1));
    weft_time before = weft_loop_now(loop);

    (void)state;
    run(loop);
    assert_true(weft_loop_now(loop) == before);
    assert_int_equal(weft_scope_cancelled(scope), 0);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static void deadline_of_a_closed_scope_does_nothing(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_timer clock;

    (void)state;
    assert_int_equal(weft_timer_init(&clock, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&clock, 100 * MS);
    for (int i = 0; i < 50; i++)
        weft_scope_close(weft_scope_open(weft_loop_scope(loop), MS * i));
    run(loop);
    weft_loop_free(loop);
}

/* -- from inside callbacks -- */

static void close_scope_of_timer(weft_timer *timer)
{
    struct ticker *ticker = weft_container_of(timer, struct ticker, timer);

    write_letter('t');
    weft_scope_close(ticker->scope);
    free(ticker); /* it is in no scope any more */
}

static void callback_of_a_member_may_close_the_scope(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ticker *ticker = malloc(sizeof *ticker);
        assert_non_null(ticker);
        ticker->scope = weft_scope_open(scope, WEFT_SECONDS(1));
        assert_int_equal(weft_timer_init(&ticker->timer, ticker->scope, close_scope_of_timer), 0);
        weft_timer_start(&ticker->timer, MS);
    }
    run(loop);
    assert_string_equal(order, "ttt");
    assert_int_equal(weft_scope_count(scope), 0);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

/* -- freeing the loop -- */

static void freeing_the_loop_closes_what_was_left_open(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probe;

    (void)state;
    probe_join(&probe, weft_scope_open(scope, WEFT_SECONDS(1)), 'p', false);
    weft_scope_cancel(open_in(loop), WEFT_ETIMEDOUT);
    weft_loop_free(loop);
    assert_string_equal(order, "p");
}

static void the_root_can_be_closed_and_is_freed_with_the_loop(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct probe probe;

    (void)state;
    probe_join(&probe, open_in(loop), 'p', false);
    weft_scope_close(weft_loop_scope(loop));
    assert_string_equal(order, "p");
    assert_null(weft_scope_open(weft_loop_scope(loop), WEFT_NEVER));
    run(loop);
    weft_loop_free(loop);
}

/* -- what the floors above use -- */

static void held_scope_waits_for_its_owner(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *held = weft_scope_open(outer, WEFT_NEVER);

    (void)state;
    scope_hold(held);
    weft_scope_close(outer);
    assert_int_equal(weft_scope_cancelled(held), WEFT_ECANCELED);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    weft_scope_close(held);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void pinned_scope_outlives_its_closing(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probe;

    (void)state;
    probe_join(&probe, scope, 'p', true);
    scope_pin(scope);
    weft_scope_close(weft_loop_scope(loop));
    scope_leave(&probe.member);
    weft_scope_close(scope); /* by somebody who could not know that it was closed with its parent */
    scope_unpin(scope);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void visit_probe(weft_scope_member *member, void *arg)
{
    const struct probe *probe = weft_container_of(member, const struct probe, member);

    write_letter(probe->letter);
    if (arg)
        scope_leave(member);
}

static void visit_goes_through_members_of_one_kind_oldest_first(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probes[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        probe_join(&probes[i], scope, (char)('a' + i), false);
        assert_non_null(weft_scope_open(scope, WEFT_NEVER));
    }
    scope_visit(scope, "probe", visit_probe, NULL);
    scope_visit(scope, "probe", visit_probe, scope);
    scope_visit(scope, "probe", visit_probe, scope);
    assert_string_equal(order, "abcabc");
    assert_int_equal(weft_scope_count(scope), 3);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static void visit_and_close(weft_scope_member *member, void *arg)
{
    visit_probe(member, NULL);
    weft_scope_close(arg);
}

static void visit_may_close_the_scope(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probes[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        probe_join(&probes[i], scope, (char)('a' + i), i == 1);
    scope_visit(scope, "probe", visit_and_close, scope);
    assert_string_equal(order, "adcba"); /* visited, and cancelled; none was left out */
    scope_leave(&probes[1].member);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}
/* -- memory -- */

static void open_and_close(void *arg)
{
    weft_loop *loop = arg;
    weft_scope *outer = weft_scope_open(weft_loop_scope(loop), WEFT_SECONDS(1));
    weft_scope *inner = weft_scope_open(outer, WEFT_NEVER);
    weft_timer timer;

    assert_true((outer && inner) || support_injected() > 0);
    assert_int_equal(weft_timer_init(&timer, inner, count_fired), inner ? 0 : WEFT_ENOMEM);
    weft_scope_close(outer);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void failed_allocation_is_a_null_scope(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    assert_int_equal(support_torture(open_and_close, loop), 2);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scope_test(scope_knows_its_place),
        scope_test(count_is_of_direct_members),
        scope_test(null_scope_means_that_memory_was_short),
        scope_test(closing_cancels_in_every_depth_newest_first),
        scope_test(scope_is_gone_when_the_last_member_has_come_home),
        scope_test(cancelled_scope_stays_open_and_takes_nobody),
        scope_test(scope_opened_in_a_cancelled_one_is_cancelled_for_the_same_reason),
        scope_test(closing_scope_opens_no_other),
        scope_test(reason_that_is_no_error_is_a_cancellation),
        scope_test(members_that_stayed_keep_their_order),
        scope_test(depth_has_no_limit_that_a_program_meets),
        scope_test(deadline_cancels_what_is_in_the_scope),
        scope_test(shorter_deadline_inside_spares_the_outer_scope),
        scope_test(deadline_alone_does_not_keep_the_loop_going),
        scope_test(deadline_of_a_closed_scope_does_nothing),
        scope_test(callback_of_a_member_may_close_the_scope),
        scope_test(freeing_the_loop_closes_what_was_left_open),
        scope_test(the_root_can_be_closed_and_is_freed_with_the_loop),
        scope_test(held_scope_waits_for_its_owner),
        scope_test(pinned_scope_outlives_its_closing),
        scope_test(visit_goes_through_members_of_one_kind_oldest_first),
        scope_test(visit_may_close_the_scope),
        scope_test(failed_allocation_is_a_null_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
