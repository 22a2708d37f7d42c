/* SPDX-License-Identifier: MIT */
/* How long deferreds are there, what is told of failures that nobody looked at, and memory that is short. */
#include "async/deferred_test.h"

static size_t here(void)
{
    return weft_scope_count(scope);
}

/* -- when it is freed -- */

static void it_is_freed_at_the_end_of_the_turn_in_which_its_result_was_had(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a'));
    turn();
    assert_int_equal(here(), 1); /* it has not fired */
    weft_fire(d, 1);
    add_finally(d, ACT('b'));
    assert_int_equal(here(), 1);
    turn();
    assert_int_equal(here(), 0);
    assert_trace("a1 b1 ");
}

static void it_stays_while_nobody_had_its_result(void **state)
{
    number good = weft_succeed(number, scope, 1), bad = weft_fail(number, scope, -EIO);

    (void)state;
    turn();
    turn();
    assert_int_equal(here(), 2);
    add_finally(good, ACT('a'));
    add_finally(bad, ACT('b', GIVE, 0));
    assert_trace("a1 b!EIO ");
    turn();
    assert_int_equal(here(), 0);
}

static void looking_alone_does_not_free_it(void **state)
{
    number d = weft_succeed(number, scope, 1);
    int out;

    (void)state;
    assert_int_equal(weft_peek(d, &out), 0);
    turn();
    assert_int_equal(here(), 1);
}

static void callback_that_makes_it_wait_keeps_it(void **state)
{
    number d = weft_succeed(number, scope, 1), inner = make();

    (void)state;
    add_then(d, ACT('a'));
    add_then(d, ACT('b', BECOME, .inner = inner)); /* it was to be freed */
    turn();
    assert_int_equal(here(), 2);
    add_then(d, ACT('c'));
    weft_fire(inner, 2);
    assert_trace("a1 b1 c2 ");
    turn();
    assert_int_equal(here(), 0);
}

static void paused_one_is_kept(void **state)
{
    number d = weft_succeed(number, scope, 1);

    (void)state;
    add_then(d, ACT('a'));
    weft_pause(d.deferred);
    turn();
    assert_int_equal(here(), 1);
    weft_unpause(d.deferred);
    turn();
    assert_int_equal(here(), 0);
    assert_trace("a1 ");
}

static void inner_one_is_freed_when_it_was_taken(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    weft_fire(d, 1);
    turn();
    assert_int_equal(here(), 2);
    weft_fire(inner, 2);
    turn();
    assert_int_equal(here(), 0);
    assert_trace("a1 ");
}

static void forgotten_one_is_freed_when_it_has_fired(void **state)
{
    number early = make(), late = weft_fail(number, scope, -EIO);

    (void)state;
    weft_forget(early.deferred);
    weft_forget(late.deferred);
    turn();
    assert_int_equal(here(), 1);
    weft_deferred_fail(early.deferred, -EPIPE);
    turn();
    assert_int_equal(here(), 0);
}

static void forgetting_does_not_cancel(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a'));
    weft_forget(d.deferred);
    turn();
    weft_fire(d, 3);
    assert_trace("a3 ");
}

/* -- references -- */

static void referred_to_it_stays_and_works(void **state)
{
    number d = make(), inner = make();

    (void)state;
    assert_ptr_equal(weft_deferred_ref(d.deferred), d.deferred);
    weft_deferred_ref(d.deferred);
    add_then(d, ACT('a'));
    weft_fire(d, 1);
    turn();
    add_then(d, ACT('b', BECOME, .inner = inner));
    weft_deferred_unref(d.deferred);
    turn();
    assert_int_equal(weft_timeout(d.deferred, MS), 0); /* its scope is still its scope */
    add_finally(d, ACT('c', GIVE, 0));
    run();
    assert_trace("a1 b1 c!ETIMEDOUT ");
    assert_int_equal(here(), 1);
    weft_deferred_unref(d.deferred);
    turn();
    assert_int_equal(here(), 0);
}

static void reference_outlives_the_scope(void **state)
{
    number fired = make(), unfired = make();
    int out = 0;

    (void)state;
    weft_deferred_ref(fired.deferred);
    weft_deferred_ref(unfired.deferred);
    weft_fire(fired, 7);
    weft_scope_close(scope);
    run();
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    assert_int_equal(weft_peek(fired, &out), 0);
    assert_int_equal(out, 7);
    assert_int_equal(weft_peek(unfired, &out), WEFT_ECANCELED);
    assert_int_equal(weft_fire(unfired, 8), 0); /* the late producer, who is ignored */
    add_finally(fired, ACT('a'));
    assert_trace("a7 ");
    weft_pause(fired.deferred); /* nothing: there is no scope that waits for it */
    weft_deferred_unref(fired.deferred);
    weft_deferred_unref(unfired.deferred);
}

static void reference_dropped_while_it_waits_without_a_scope(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number d = make(), inner = weft_deferred_new(number, other);

    (void)state;
    weft_deferred_ref(d.deferred);
    weft_fire(d, 1);
    weft_scope_close(scope);
    run();
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_deferred_unref(d.deferred);
    weft_fire(inner, 2);
    assert_trace("a1 b2 ");
}

static void drop(void *arg)
{
    weft_deferred_unref(arg);
}

static void inner_one_may_have_outlived_its_scope(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number inner = weft_deferred_new(number, other), d = make();

    (void)state;
    weft_deferred_ref(inner.deferred);
    weft_scope_close(other);
    run();
    add_then(d, ACT('a', BECOME, .inner = inner, .also = drop, .arg = weft_deferred_ref(inner.deferred)));
    add_catch(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    weft_deferred_unref(inner.deferred);
    assert_trace("a1 b!ECANCELED ");
}

static void callback_may_drop_the_last_reference(void **state)
{
    number d = make();

    (void)state;
    weft_deferred_ref(d.deferred);
    add_finally(d, ACT('a', .also = drop, .arg = d.deferred));
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    assert_trace("a1 b1 ");
}

/* -- scopes -- */

static void close_scope(void *arg)
{
    weft_scope_close(arg);
    note("closed ");
}

static void closing_cancels_what_has_not_fired_later_in_the_turn(void **state) /* EL-13 */
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0));
    weft_scope_close(scope);
    assert_trace("");
    turn();
    assert_trace("a!ECANCELED ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void closing_frees_what_is_ready(void **state)
{
    (void)state;
    assert_non_null(weft_succeed(number, scope, 1).deferred);
    weft_scope_close(scope);
    turn();
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void closing_runs_what_is_paused(void **state)
{
    number fired = weft_succeed(number, scope, 1), unfired = make();

    (void)state;
    weft_pause(fired.deferred);
    weft_pause(unfired.deferred);
    weft_pause(unfired.deferred);
    add_finally(fired, ACT('a'));
    add_finally(unfired, ACT('b', GIVE, 0));
    weft_scope_close(scope);
    turn();
    turn();
    assert_trace("b!ECANCELED a1 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void pause_it(void *arg)
{
    weft_pause(arg);
}

static void pausing_does_not_keep_a_scope_that_closes(void **state)
{
    number d = make();

    (void)state;
    add_finally(d, ACT('a', GIVE, 0, .also = pause_it, .arg = d.deferred));
    add_finally(d, ACT('b'));
    weft_scope_close(scope);
    run();
    assert_trace("a!ECANCELED b0 ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void closing_cancels_what_waits_for_one_in_another_scope(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number d = make(), inner = weft_deferred_new(number, other);

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    weft_scope_close(scope);
    run();
    assert_trace("a1 b!ECANCELED ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
    assert_int_equal(weft_scope_count(other), 0);
}

/* It was to be freed, and then a callback made it wait again: the scope must not wait for that for ever. */
static void closing_cancels_what_was_to_be_freed_and_waits_again(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number d = weft_succeed(number, scope, 1), inner = weft_deferred_new(number, other);

    (void)state;
    add_then(d, ACT('a'));
    add_then(d, ACT('b', BECOME, .inner = inner));
    add_finally(d, ACT('c', GIVE, 0));
    weft_scope_close(scope);
    run();
    assert_trace("a1 b1 c!ECANCELED ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
}

static void closing_the_inner_ones_scope_fails_the_outer(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number d = make(), inner = weft_deferred_new(number, other);

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    weft_scope_close(other);
    run();
    assert_trace("a1 b!ECANCELED ");
}

static void callback_may_close_the_scope_of_its_deferred(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', GIVE, 2, .also = close_scope, .arg = scope));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 closed b2 ");
    run();
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void callback_that_was_cancelled_may_wait_once_more_in_vain(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    number d = make(), inner = weft_deferred_new(number, other);

    (void)state;
    add_catch(d, ACT('a', BECOME, .inner = inner));
    add_catch(d, ACT('b', GIVE, 0));
    weft_scope_close(scope);
    run();
    assert_trace("a!ECANCELED b!ECANCELED ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 1);
}

static void one_made_in_a_cancelled_scope_has_failed_for_the_same_reason(void **state)
{
    number d, good, bad, story, maybe;

    (void)state;
    weft_scope_cancel(scope, -ECONNRESET);
    d = make();
    good = weft_succeed(number, scope, 1);
    bad = weft_fail(number, scope, -EIO);
    story = weft_fail_with(number, scope, weft_failure_new(-EIO, NULL, "story"));
    maybe = weft_maybe(number, scope, play, ACT('m'));
    add_finally(d, ACT('a', GIVE, 0));
    add_finally(good, ACT('b', GIVE, 0));
    add_finally(bad, ACT('c', GIVE, 0));
    add_finally(story, ACT('d', GIVE, 0));
    add_finally(maybe, ACT('e', GIVE, 0));
    assert_trace("a!ECONNRESET b!ECONNRESET c!ECONNRESET d!ECONNRESET e!ECONNRESET ");
    assert_int_equal(weft_fire(d, 1), 0); /* its producer, who does not know */
}

static void one_made_in_a_closing_scope_does_not_keep_it(void **state)
{
    number first = make();
    struct act *act = ACT('a', GIVE, 0);

    (void)state;
    add_finally(first, act);
    weft_scope_close(scope);
    assert_non_null(weft_deferred_new(number, scope).deferred);
    assert_non_null(weft_succeed(number, scope, 1).deferred);
    run();
    assert_trace("a!ECANCELED ");
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

static void freeing_the_loop_ends_what_waits(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    weft_fire(d, 1);
    weft_pause(inner.deferred);
    assert_int_equal(weft_timeout(make().deferred, WEFT_HOURS(1)), 0);
    assert_trace("a1 ");
}

/* -- failures -- */

static void failure_that_nobody_looked_at_is_told_once_with_the_place(void **state) /* EL-13 */
{
    char place[64];
    number d = weft_fail(number, scope, -EIO);

    (void)state;
    snprintf(place, sizeof place, "test_deferred_life.c:%d", __LINE__ - 3);
    support_log_expect("nobody looked at the failure of a number");
    assert_non_null(d.deferred);
    weft_scope_close(scope);
    run();
    assert_int_equal(support_log_count(place), 1);
    assert_int_equal(support_log_count("error=EIO"), 1);
    assert_int_equal(support_log_count("nobody looked"), 1);
}

static void failure_of_a_callback_is_told(void **state)
{
    number d = make();

    (void)state;
    support_log_expect("nobody looked at the failure of a number");
    add_then(d, ACT('a', FAIL, -EPIPE));
    weft_fire(d, 1);
    turn();
    assert_int_equal(support_log_count("error=EPIPE"), 1);
    assert_trace("a1 ");
}

static void failure_that_a_callback_passed_on_is_told(void **state)
{
    number d = weft_fail(number, scope, -EPIPE);

    (void)state;
    support_log_expect("nobody looked");
    add_catch(d, ACT('a'));
    turn();
    assert_trace("a!EPIPE ");
}

static void failure_that_was_looked_at_is_not_told(void **state)
{
    number dealt = weft_fail(number, scope, -EIO), peeked = weft_fail(number, scope, -EIO);
    number forgotten = weft_fail(number, scope, -EIO);

    (void)state;
    add_catch(dealt, ACT('a', GIVE, 0));
    assert_int_equal(weft_peek(peeked, &(int){0}), -EIO);
    weft_forget(forgotten.deferred);
    weft_scope_close(scope);
    run();
    assert_trace("a!EIO ");
}

static void failure_after_one_that_was_looked_at_is_told(void **state)
{
    number first = weft_fail(number, scope, -EIO), second = weft_succeed(number, scope, 1);

    (void)state;
    support_log_expect("nobody looked");
    assert_int_equal(weft_peek(first, &(int){0}), -EIO);
    assert_int_equal(weft_peek(second, &(int){0}), 0);
    add_catch(first, ACT('a', FAIL, -EPIPE));
    add_then(second, ACT('b', FAIL, -ENOENT));
    turn();
    assert_int_equal(support_log_count("error=EPIPE"), 1);
    assert_int_equal(support_log_count("error=ENOENT"), 1);
    assert_trace("a!EIO b1 ");
}

static void cancellation_is_no_news(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a'));
    weft_cancel(d.deferred);
    turn();
    assert_non_null(make().deferred);
    weft_scope_close(scope);
    run();
    assert_trace("");
}

static void failure_that_was_handed_on_is_told_by_the_last(void **state)
{
    number inner = make(), outer = make(), chained = make();

    (void)state;
    support_log_expect("nobody looked");
    add_then(outer, ACT('o', BECOME, .inner = inner));
    weft_fire(outer, 1);
    assert_int_equal(weft_chain(outer, chained), 0);
    weft_deferred_fail(inner.deferred, -EIO);
    weft_forget(outer.deferred);
    add_then(chained, ACT('c'));
    run();
    assert_int_equal(support_log_count("nobody looked"), 1);
    assert_trace("o1 ");
}

static void story_tells_the_whole_way(void **state)
{
    char places[3][64];
    number inner, outer, chained;

    (void)state;
    inner = weft_deferred_new(number, scope);
    outer = weft_deferred_new(number, scope);
    chained = weft_deferred_new(number, scope);
    for (int i = 0; i < 3; i++)
        snprintf(places[i], sizeof places[i], "test_deferred_life.c:%d", __LINE__ - 4 + i);
    support_log_expect("the disk is on fire");
    add_then(outer, ACT('o', BECOME, .inner = inner));
    weft_fire(outer, 1);
    assert_int_equal(weft_chain(outer, chained), 0);
    add_then(chained, ACT('c'));
    weft_deferred_fail_with(inner.deferred, weft_failure_new(-EIO, NULL, "the disk is on fire"));
    turn();
    assert_int_equal(support_log_count("nobody looked"), 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(support_log_count(places[i]), 1);
    assert_trace("o1 ");
}

static int look_at_the_story(int error, int *value, void *arg)
{
    const weft_failure *failure = weft_failure_here(value);

    assert_int_equal(error, -EIO);
    assert_non_null(failure);
    assert_string_equal(weft_failure_text(failure), arg);
    return error;
}

static int throw_another(int error, int *value, void *arg)
{
    weft_failure *cause = weft_failure_ref((weft_failure *)(uintptr_t)weft_failure_here(value));

    (void)arg;
    assert_int_equal(error, -EIO);
    return weft_deferred_throw(value, weft_failure_new(-EPIPE, cause, "so that did not work"));
}

static void callbacks_can_read_and_replace_the_story(void **state)
{
    number d = weft_fail_with(number, scope, weft_failure_new(-EIO, NULL, "first story"));
    char text[128];

    (void)state;
    assert_string_equal(weft_failure_text(weft_deferred_failure(d.deferred)), "first story");
    assert_int_equal(weft_catch(d, look_at_the_story, (char[]){"first story"}), 0);
    assert_int_equal(weft_catch(d, look_at_the_story, (char[]){"first story"}), 0);
    assert_int_equal(weft_catch(d, throw_another, NULL), 0);
    weft_failure_describe(weft_deferred_failure(d.deferred), text, sizeof text);
    assert_string_equal(text, "so that did not work: first story: Input/output error");
    add_catch(d, ACT('a', GIVE, 0));
    assert_null(weft_deferred_failure(d.deferred));
    assert_trace("a!EPIPE ");
}

static void other_error_ends_the_story(void **state)
{
    number d = weft_fail_with(number, scope, weft_failure_new(-EIO, NULL, "old story"));

    (void)state;
    add_catch(d, ACT('a', FAIL, -EPIPE));
    assert_null(weft_deferred_failure(d.deferred));
    add_catch(d, ACT('b', GIVE, 0));
    assert_trace("a!EIO b!EPIPE ");
}

/* -- memory -- */

/* Uses everything that allocates. What could not be done said so, and the rest is whole. */
static void live_through_it(void *arg)
{
    weft_scope *mine = weft_scope_open(scope, WEFT_NEVER);
    number d = weft_deferred_new(number, mine), inner = weft_deferred_new_with(number, mine, 100, NULL, NULL);
    number bad = weft_fail_with(number, mine, weft_failure_new(-EIO, NULL, "bad")), maybe;
    struct act *pass = ACT('p'), *become = ACT('b', BECOME, .inner = bad), *give = ACT('g', GIVE, 0);
    int added = 0, status = 0;

    (void)arg;
    for (int i = 0; i < 12; i++) {
        int one = weft_finally(d, play, pass);
        added += one == 0;
        status = status ? status : one;
    }
    if (d.deferred)
        assert_true(added >= 4);
    assert_true(status == 0 || status == WEFT_ENOMEM);
    status = weft_timeout(d.deferred, MS);
    assert_true(status == 0 || status == WEFT_ENOMEM);
    status = weft_chain(d, inner);
    assert_true(status == 0 || (status == WEFT_ENOMEM && support_injected() > 0));
    status = weft_then_or(inner, play, play, become);
    assert_true(status == 0 || status == WEFT_ENOMEM);
    status = weft_finally(inner, play, give);
    assert_true(status == 0 || status == WEFT_ENOMEM);
    maybe = weft_maybe(number, mine, play, pass);
    assert_true(maybe.deferred || support_injected() > 0);
    weft_forget(bad.deferred);
    assert_int_equal(weft_fire(d, 1), d.deferred ? 0 : WEFT_ENOMEM);
    if (support_injected() == 0)
        assert_int_equal(added, 12);
    weft_scope_close(mine);
    turn();
    turn();
    assert_int_equal(weft_scope_count(scope), 0);
    trace[0] = '\0';
}

static void deadline_without_memory_is_refused(void **state)
{
    number d = make();

    (void)state;
    support_fail_at(1, true);
    assert_int_equal(weft_timeout(d.deferred, MS), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_int_equal(weft_fire(d, 1), 0);
    add_then(d, ACT('a'));
    assert_trace("a1 ");
}

static void failed_allocation_is_an_error_everywhere(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) { /* so that the loop has its spare memory */
        live_through_it(NULL);
        assert_true(weft_scope_count(scope) == 0);
    }
    assert_true(support_torture(live_through_it, NULL) >= 5);
}

/* Under a checker of memory a loop keeps none (loop.c). */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_SPARES false
#elif defined(__has_feature)
#define KEEPS_SPARES !__has_feature(address_sanitizer)
#else
#define KEEPS_SPARES true
#endif

static void memory_is_used_again(void **state)
{
    size_t attempts;

    (void)state;
    if (!KEEPS_SPARES)
        skip();
    add_finally(weft_succeed(number, scope, 1), ACT('a'));
    turn();
    attempts = support_allocations();
    for (int i = 0; i < 1000; i++) {
        number d = make();
        add_finally(d, ACT('a'));
        weft_fire(d, 1);
        turn();
        trace[0] = '\0';
    }
    assert_int_equal(support_allocations(), attempts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(it_is_freed_at_the_end_of_the_turn_in_which_its_result_was_had),
        deferred_test(it_stays_while_nobody_had_its_result),
        deferred_test(looking_alone_does_not_free_it),
        deferred_test(callback_that_makes_it_wait_keeps_it),
        deferred_test(paused_one_is_kept),
        deferred_test(inner_one_is_freed_when_it_was_taken),
        deferred_test(forgotten_one_is_freed_when_it_has_fired),
        deferred_test(forgetting_does_not_cancel),
        deferred_test(referred_to_it_stays_and_works),
        deferred_test(reference_outlives_the_scope),
        deferred_test(reference_dropped_while_it_waits_without_a_scope),
        deferred_test(inner_one_may_have_outlived_its_scope),
        deferred_test(callback_may_drop_the_last_reference),
        deferred_test(closing_cancels_what_has_not_fired_later_in_the_turn),
        deferred_test(closing_frees_what_is_ready),
        deferred_test(closing_runs_what_is_paused),
        deferred_test(pausing_does_not_keep_a_scope_that_closes),
        deferred_test(closing_cancels_what_waits_for_one_in_another_scope),
        deferred_test(closing_cancels_what_was_to_be_freed_and_waits_again),
        deferred_test(closing_the_inner_ones_scope_fails_the_outer),
        deferred_test(callback_may_close_the_scope_of_its_deferred),
        deferred_test(callback_that_was_cancelled_may_wait_once_more_in_vain),
        deferred_test(one_made_in_a_cancelled_scope_has_failed_for_the_same_reason),
        deferred_test(one_made_in_a_closing_scope_does_not_keep_it),
        deferred_test(freeing_the_loop_ends_what_waits),
        deferred_test(failure_that_nobody_looked_at_is_told_once_with_the_place),
        deferred_test(failure_of_a_callback_is_told),
        deferred_test(failure_that_a_callback_passed_on_is_told),
        deferred_test(failure_that_was_looked_at_is_not_told),
        deferred_test(failure_after_one_that_was_looked_at_is_told),
        deferred_test(cancellation_is_no_news),
        deferred_test(failure_that_was_handed_on_is_told_by_the_last),
        deferred_test(story_tells_the_whole_way),
        deferred_test(callbacks_can_read_and_replace_the_story),
        deferred_test(other_error_ends_the_story),
        deferred_test(deadline_without_memory_is_refused),
        deferred_test(failed_allocation_is_an_error_everywhere),
        deferred_test(memory_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
