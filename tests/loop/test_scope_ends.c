/* SPDX-License-Identifier: MIT */
/* How scopes end: which reason counts, what is shielded, the failures of tasks, who is told. */
#include "loop/scope_probe.h"

/* -- which reason counts -- */

static void cancellation_outranks_a_timeout_and_nothing_else(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop), *inner = weft_scope_open(scope, WEFT_NEVER);
    struct probe probe;

    (void)state;
    probe_join(&probe, inner, 'p', true);
    weft_scope_cancel(inner, WEFT_EIDLE); /* of the class of timeouts */
    assert_int_equal(probe.reason, WEFT_EIDLE);
    weft_scope_cancel(inner, -ECONNRESET);
    assert_int_equal(probe.reason, WEFT_EIDLE);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    assert_int_equal(probe.reason, WEFT_ECANCELED);
    assert_int_equal(weft_scope_cancelled(inner), WEFT_ECANCELED);
    weft_scope_cancel(inner, WEFT_ETIMEDOUT);
    assert_int_equal(probe.reason, WEFT_ECANCELED);
    scope_leave(&probe.member);
    weft_loop_free(loop);
}

static void only_a_timeout_is_outranked(void **state)
{
    static const int reasons[] = {-ECONNRESET, WEFT_ECLOSED, WEFT_ENOMEM, WEFT_ECANCELED};

    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        assert_false(scope_outranks(WEFT_ECANCELED, reasons[i]));
    assert_true(scope_outranks(WEFT_ECANCELED, WEFT_ETIMEDOUT));
    assert_false(scope_outranks(WEFT_ETIMEDOUT, WEFT_ETIMEDOUT));
}

/* -- shielded scopes -- */

static void shielded_scope_is_not_reached_from_above(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, WEFT_SECONDS(1));
    struct probe inside, beside;

    (void)state;
    probe_join(&inside, shielded, 'i', false);
    probe_join(&beside, outer, 'b', false);
    weft_scope_cancel(outer, -ECONNRESET);
    assert_string_equal(order, "b");
    assert_int_equal(weft_scope_cancelled(shielded), 0);
    weft_scope_cancel(shielded, -EPIPE); /* but by itself it can be cancelled */
    assert_string_equal(order, "bi");
    assert_int_equal(inside.reason, -EPIPE);
    weft_scope_close(shielded);
    assert_int_equal(weft_scope_count(outer), 0);
    weft_loop_free(loop);
}

static void shielded_scope_must_have_a_deadline(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    assert_null(weft_scope_open_shielded(weft_loop_scope(loop), WEFT_NEVER));
    assert_null(weft_scope_open_shielded(NULL, WEFT_SECONDS(1)));
    weft_loop_free(loop);
}

static void shielded_scope_can_be_opened_in_a_scope_that_ends(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *cancelled = open_in(loop), *closing = open_in(loop), *shielded;
    struct probe slow, probe;

    (void)state;
    weft_scope_cancel(cancelled, WEFT_ETIMEDOUT);
    shielded = weft_scope_open_shielded(cancelled, WEFT_SECONDS(1));
    assert_int_equal(weft_scope_cancelled(shielded), 0);
    probe_join(&probe, shielded, 'p', false);
    probe_join(&slow, closing, 's', true);
    weft_scope_close(closing);
    shielded = weft_scope_open_shielded(closing, WEFT_SECONDS(1));
    assert_non_null(shielded);
    assert_int_equal(weft_scope_cancelled(shielded), 0);
    weft_scope_close(shielded);
    scope_leave(&slow.member);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    scope_leave(&probe.member);
    weft_loop_free(loop);
}

static void closing_parent_waits_for_what_is_shielded(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, WEFT_SECONDS(1));
    weft_scope *below;
    struct probe probe, deep;

    (void)state;
    probe_join(&probe, shielded, 'p', false);
    weft_scope_close(outer);
    assert_string_equal(order, "");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    below = weft_scope_open(shielded, WEFT_NEVER); /* what is in it may go on as before */
    assert_non_null(below);
    probe_join(&deep, below, 'd', false);
    scope_leave(&probe.member);
    weft_scope_close(below);
    assert_string_equal(order, "d");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void empty_shielded_scope_goes_with_its_parent(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop);

    (void)state;
    assert_non_null(weft_scope_open_shielded(outer, WEFT_SECONDS(1)));
    weft_scope_close(outer);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void deadline_ends_what_is_shielded_and_lets_the_parent_go(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, 10 * MS);
    struct probe probe;
    weft_timer clock;

    (void)state;
    probe_join(&probe, shielded, 'p', false);
    weft_scope_close(outer);
    assert_int_equal(weft_timer_init(&clock, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&clock, 20 * MS);
    run(loop);
    weft_timer_fini(&clock);
    assert_string_equal(order, "p");
    assert_int_equal(probe.reason, WEFT_ETIMEDOUT);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void orphan_that_is_cancelled_ends(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, 10 * MS);
    struct probe probe;

    (void)state;
    probe_join(&probe, shielded, 'p', false);
    weft_scope_close(outer);
    weft_scope_cancel(shielded, -EPIPE);
    assert_int_equal(probe.reason, -EPIPE);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

/* A member that only lasts, such as a result that nobody takes: it goes when its scope closes. */
static void lasting_cancel(weft_scope_member *member, int reason)
{
    weft_container_of(member, struct probe, member)->reason = reason;
    if (member->scope->closing)
        scope_leave(member);
}

static const struct scope_member_class lasting_class = {.kind = "lasting", .idle = true, .cancel = lasting_cancel};

static void shielded_scope_that_is_over_goes_with_its_parent(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, WEFT_SECONDS(1));
    struct probe lasting = {.letter = 'l'};

    (void)state;
    assert_int_equal(scope_join(shielded, &lasting.member, &lasting_class), 0);
    weft_scope_cancel(shielded, -EPIPE);
    assert_int_equal(weft_scope_count(shielded), 1);
    weft_scope_cancel(outer, WEFT_ECANCELED);
    assert_int_equal(weft_scope_count(shielded), 1);
    weft_scope_close(outer);
    assert_int_equal(lasting.reason, -EPIPE);
    assert_null(lasting.member.scope);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void shielded_scope_whose_deadline_has_passed_goes_with_its_parent(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *outer = open_in(loop), *shielded = weft_scope_open_shielded(outer, 10 * MS);
    struct probe lasting = {.letter = 'l'};
    weft_timer clock;

    (void)state;
    assert_int_equal(scope_join(shielded, &lasting.member, &lasting_class), 0);
    assert_int_equal(weft_timer_init(&clock, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&clock, 20 * MS);
    run(loop);
    weft_timer_fini(&clock);
    weft_scope_close(outer);
    assert_int_equal(lasting.reason, WEFT_ETIMEDOUT); /* its own, which its parent's does not outrank */
    assert_null(lasting.member.scope);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

/* -- failures of tasks -- */

static void first_failure_is_kept_and_cancels_the_others(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probe;

    (void)state;
    probe_join(&probe, scope, 'p', false);
    assert_int_equal(weft_scope_error(scope), 0);
    scope_fail(scope, -EPIPE);
    scope_fail(scope, -EIO);
    assert_int_equal(weft_scope_error(scope), -EPIPE);
    assert_int_equal(probe.reason, WEFT_ECANCELED);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static void independent_scope_is_not_cancelled_by_a_failure(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);

    (void)state;
    weft_scope_set_independent(scope, true);
    scope_fail(scope, -EPIPE);
    assert_int_equal(weft_scope_cancelled(scope), 0);
    assert_int_equal(weft_scope_error(scope), -EPIPE);
    weft_scope_set_independent(scope, false);
    scope_fail(scope, -EPIPE);
    assert_int_equal(weft_scope_cancelled(scope), WEFT_ECANCELED);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static void root_is_independent(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    support_log_expect("a task in the scope \"root\" failed: Broken pipe");
    scope_fail(weft_loop_scope(loop), -EPIPE);
    assert_int_equal(weft_scope_cancelled(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void failure_that_nobody_asked_for_is_told(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop), *cancelled = open_in(loop);

    (void)state;
    support_log_expect("a task in the scope \"mine\" failed: Broken pipe");
    weft_scope_set_name(scope, "mine");
    scope_fail(scope, -EPIPE);
    scope_fail(cancelled, WEFT_ECANCELED); /* is no news */
    weft_scope_close(scope);
    weft_scope_close(cancelled);
    assert_int_equal(support_log_count("failed"), 1);
    weft_loop_free(loop);
}

static void error_is_logged_with_the_story_that_belongs_to_it(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    weft_failure *failure = weft_failure_new(-EIO, NULL, "the disk is on fire");

    (void)state;
    support_log_expect("Input/output error");
    support_log_expect("Broken pipe");
    weft_log_error(scope, -EIO);
    assert_int_equal(support_log_count("on fire"), 0);
    scope_note(scope, failure);
    weft_failure_unref(failure);
    weft_log_error(scope, -EPIPE);
    assert_int_equal(support_log_count("on fire"), 0);
    weft_log_error(scope, -EIO);
    assert_int_equal(support_log_count("scope: the disk is on fire: Input/output error error=EIO"), 1);
    scope_note(scope, NULL);
    weft_log_error(scope, -EIO);
    assert_int_equal(support_log_count("on fire"), 1);
    weft_log_error(NULL, -EIO);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

/* -- watching -- */

struct watch {
    struct scope_watcher watcher;
    int emptied;
};

static void count_emptied(struct scope_watcher *watcher)
{
    weft_container_of(watcher, struct watch, watcher)->emptied++;
}

static void watcher_is_told_once_when_the_scope_is_empty(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct watch watch = {{count_emptied}, 0}, other = {{count_emptied}, 0};
    struct probe a, b;

    (void)state;
    probe_join(&a, scope, 'a', false);
    probe_join(&b, scope, 'b', false);
    assert_int_equal(scope_watch(scope, &watch.watcher), 0);
    assert_int_equal(scope_watch(scope, &other.watcher), -EBUSY);
    scope_leave(&a.member);
    assert_int_equal(watch.emptied, 0);
    scope_leave(&b.member);
    assert_int_equal(watch.emptied, 1);
    probe_join(&a, scope, 'a', false);
    scope_leave(&a.member);
    assert_int_equal(watch.emptied, 1);
    assert_int_equal(scope_watch(scope, &other.watcher), 0);
    assert_int_equal(scope_watch(scope, NULL), 0); /* taken away */
    probe_join(&a, scope, 'a', false);
    scope_leave(&a.member);
    assert_int_equal(other.emptied, 0);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static void closing_tells_the_watcher_too(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct watch watch = {{count_emptied}, 0}, closer = {{count_emptied}, 0};
    struct probe probe;

    (void)state;
    probe_join(&probe, scope, 'p', true);
    assert_int_equal(scope_watch(scope, &watch.watcher), 0);
    scope->closer = &closer.watcher;
    weft_scope_close(scope);
    assert_int_equal(watch.emptied + closer.emptied, 0);
    scope_leave(&probe.member);
    assert_int_equal(watch.emptied, 1);
    assert_int_equal(closer.emptied, 1);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void closing_keeps_the_reason_of_before(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = open_in(loop);
    struct probe probe;

    (void)state;
    probe_join(&probe, scope, 'p', true);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    weft_scope_close(scope);
    assert_int_equal(probe.reason, WEFT_ETIMEDOUT);
    scope_leave(&probe.member);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scope_test(cancellation_outranks_a_timeout_and_nothing_else),
        scope_test(only_a_timeout_is_outranked),
        scope_test(shielded_scope_is_not_reached_from_above),
        scope_test(shielded_scope_must_have_a_deadline),
        scope_test(shielded_scope_can_be_opened_in_a_scope_that_ends),
        scope_test(closing_parent_waits_for_what_is_shielded),
        scope_test(empty_shielded_scope_goes_with_its_parent),
        scope_test(deadline_ends_what_is_shielded_and_lets_the_parent_go),
        scope_test(orphan_that_is_cancelled_ends),
        scope_test(shielded_scope_that_is_over_goes_with_its_parent),
        scope_test(shielded_scope_whose_deadline_has_passed_goes_with_its_parent),
        scope_test(first_failure_is_kept_and_cancels_the_others),
        scope_test(independent_scope_is_not_cancelled_by_a_failure),
        scope_test(root_is_independent),
        scope_test(failure_that_nobody_asked_for_is_told),
        scope_test(error_is_logged_with_the_story_that_belongs_to_it),
        scope_test(watcher_is_told_once_when_the_scope_is_empty),
        scope_test(closing_tells_the_watcher_too),
        scope_test(closing_keeps_the_reason_of_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
