/* SPDX-License-Identifier: MIT */
/* weft/watch.h: stopping, by the owner, by others and by scopes. */
#include "loop/watch_test.h"

/* -- stopping -- */

static void nothing_is_told_after_a_stop(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    stop(&seen); /* was never started */
    change(&seen, WEFT_READABLE);
    weft_watch_set_background(&seen.watch, true);
    pair_of(ends);
    put(ends[1], "x");
    start(&seen, loop, ends[0], BOTH);
    stop(&seen);
    stop(&seen);
    change(&seen, BOTH);
    assert_false(weft_watch_active(&seen.watch));
    assert_int_equal(weft_watch_interest(&seen.watch), 0);
    assert_int_equal(weft_watch_descriptor(&seen.watch), -1);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    turns(loop, 3);
    assert_int_equal(seen.told, 0);
    start(&seen, loop, ends[0], WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

static void stop_and_free(struct seen *seen)
{
    int fd = weft_watch_descriptor(&seen->watch);

    stop(seen);
    close(fd);
    memset(seen, 0xa5, sizeof *seen);
    free(seen);
}

static void its_callback_may_stop_it_close_the_descriptor_and_free_the_memory(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen *seen = calloc(1, sizeof *seen);
    int ends[2];

    (void)state;
    pair_of(ends);
    put(ends[1], "x");
    assert_non_null(seen);
    seen->act = stop_and_free;
    start(seen, loop, ends[0], BOTH);
    assert_int_equal(weft_loop_run(loop), 0); /* nothing is left to wait for */
    close(ends[1]);
    weft_loop_free(loop);
}

static void stop_the_other(struct seen *seen)
{
    stop(seen->other);
}

static void tell_the_other_to_want_nothing(struct seen *seen)
{
    change(seen->other, 0);
}

/* Whichever comes first keeps the other, which is ready too, from being told. */
static void of_two_that_are_ready_the_first_can(void (*silence)(struct seen *seen))
{
    weft_loop *loop = loop_on(engine);
    struct seen first = {.act = silence}, second = {.act = silence, .other = &first};
    int ends[2];

    first.other = &second;
    pair_of(ends);
    start(&first, loop, ends[0], WEFT_WRITABLE);
    start(&second, loop, ends[1], WEFT_WRITABLE);
    turns(loop, 1);
    assert_int_equal(first.told + second.told, 1);
    stop(&first);
    stop(&second);
    close_both(ends);
    weft_loop_free(loop);
}

static void one_that_another_callback_stops_is_told_nothing(void **state)
{
    (void)state;
    of_two_that_are_ready_the_first_can(stop_the_other);
}

static void one_whose_interest_another_callback_takes_is_told_nothing(void **state)
{
    (void)state;
    of_two_that_are_ready_the_first_can(tell_the_other_to_want_nothing);
}

/* The other is stopped, its descriptor closed, and the number used for one that is not readable. */
static void put_a_quiet_one_in_its_place(struct seen *seen)
{
    int fd = weft_watch_descriptor(&seen->other->watch), ends[2];

    if (seen->told > 1 || seen->other->told > 0)
        return;
    stop(seen->other);
    close(fd);
    pipe_of(ends);
    assert_int_equal(ends[0], fd); /* the case that is meant */
    start(seen->other, seen->loop, ends[0], WEFT_READABLE);
    seen->other->other_end = ends[1];
    seen->other->act = stop_it;
}

static void a_number_used_again_gets_no_old_event(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen first = {.act = put_a_quiet_one_in_its_place}, second = {.act = put_a_quiet_one_in_its_place};
    struct seen *told;
    int ends[2], fd;

    (void)state;
    first.other = &second;
    second.other = &first;
    pair_of(ends);
    put(ends[0], "x");
    put(ends[1], "x");
    start(&first, loop, ends[0], WEFT_READABLE);
    start(&second, loop, ends[1], WEFT_READABLE);
    turns(loop, 1);
    assert_int_equal(first.told + second.told, 1);
    told = first.told ? &first : &second;
    fd = weft_watch_descriptor(&told->watch);
    stop(told);
    close(fd);
    fd = weft_watch_descriptor(&told->other->watch);
    stop(told->other);
    close(fd);
    close(told->other->other_end);
    weft_loop_free(loop);
}

/* A copy in another process, or of dup(2), keeps the file alive: the stop must have taken the watch from it. */
static void nothing_comes_of_a_copy_after_the_stop(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2], copy;

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_READABLE);
    copy = dup(ends[0]);
    stop(&seen);
    close(ends[0]);
    put(ends[1], "x");
    turns(loop, 2);
    assert_false(would_wake(loop));
    assert_int_equal(seen.told, 0);
    close(copy);
    close(ends[1]);
    weft_loop_free(loop);
}

/* Then nothing can take the watch away from the copy any more. */
static void one_that_was_closed_too_early_is_told_nothing_of_a_copy(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2], copy;

    (void)state;
    support_log_expect("was closed while it was watched");
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_READABLE);
    copy = dup(ends[0]);
    close(ends[0]);
    stop(&seen);
    put(ends[1], "x");
    turns(loop, 3);
    assert_int_equal(seen.told, 0);
    close(copy);
    close(ends[1]);
    weft_loop_free(loop);
}

/* The mistake of an owner must not harm whoever got the number next. */
static void one_that_was_closed_too_early_harms_nobody(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen wrong = {0}, right = {0};
    int ends[2], others[2];

    (void)state;
    support_log_expect("was closed while it was watched");
    pair_of(ends);
    start(&wrong, loop, ends[0], WEFT_READABLE);
    close(ends[0]);
    pair_of(others);
    assert_int_equal(others[0], ends[0]); /* the case that is meant */
    start(&right, loop, others[0], WEFT_READABLE);
    change(&wrong, BOTH);
    stop(&wrong);
    put(others[1], "x");
    assert_int_equal(told_next(&right), WEFT_READABLE);
    assert_int_equal(wrong.told, 0);
    stop(&right);
    close_both(others);
    close(ends[1]);
    weft_loop_free(loop);
}

/* -- scopes -- */

static void a_scope_that_is_cancelled_stops_its_watches(void **state)
{
    weft_loop *loop = loop_on(engine);
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct seen first = {0}, second = {0}, late = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    assert_int_equal(start_on(&first, scope, ends[0], BOTH), 0);
    assert_int_equal(start_on(&second, scope, ends[1], 0), 0);
    assert_int_equal(weft_scope_count(scope), 2);
    DO(weft_scope_cancel(scope, WEFT_ETIMEDOUT));
    assert_false(weft_watch_active(&first.watch));
    assert_false(weft_watch_active(&second.watch));
    assert_int_equal(weft_scope_count(scope), 0);
    assert_int_equal(start_on(&late, scope, ends[0], BOTH), WEFT_ETIMEDOUT);
    assert_false(weft_watch_active(&late.watch));
    run(loop);
    assert_int_equal(first.told + second.told, 0);
    stop(&first);
    stop(&late);
    weft_scope_close(scope);
    close_both(ends);
    weft_loop_free(loop);
}

static void close_its_scope(struct seen *seen)
{
    weft_scope *scope = seen->watch.member.scope;

    DO(weft_scope_close(scope));
    assert_false(weft_watch_active(&seen->watch));
}

static void its_callback_may_close_its_scope(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {.act = close_its_scope};
    int ends[2];

    (void)state;
    pair_of(ends);
    assert_int_equal(start_on(&seen, weft_scope_open(weft_loop_scope(loop), WEFT_NEVER), ends[0], WEFT_WRITABLE), 0);
    run(loop);
    assert_int_equal(seen.told, 1);
    close_both(ends);
    weft_loop_free(loop);
}

static void the_loop_frees_what_is_left(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], BOTH);
    weft_loop_free(loop);
    assert_false(weft_watch_active(&seen.watch));
    stop(&seen);
    close_both(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(nothing_is_told_after_a_stop),
        support_test(its_callback_may_stop_it_close_the_descriptor_and_free_the_memory),
        support_test(one_that_another_callback_stops_is_told_nothing),
        support_test(one_whose_interest_another_callback_takes_is_told_nothing),
        support_test(a_number_used_again_gets_no_old_event),
        support_test(nothing_comes_of_a_copy_after_the_stop),
        support_test(one_that_was_closed_too_early_is_told_nothing_of_a_copy),
        support_test(one_that_was_closed_too_early_harms_nobody),
        support_test(a_scope_that_is_cancelled_stops_its_watches),
        support_test(its_callback_may_close_its_scope),
        support_test(the_loop_frees_what_is_left),
    };

    return watch_main(tests);
}
