/* SPDX-License-Identifier: MIT */
#include <weft/pace.h>
#include <weft/queue.h>

#include "async/pace_test.h"

WEFT_QUEUE(numbers, int);

struct pair {
    const char *name;
    int64_t number;
};
WEFT_QUEUE(pairs, struct pair);

static numbers queue;

static void begin_with_queue(size_t size, size_t backlog)
{
    begin();
    queue = weft_queue_new(numbers, scope, size, backlog);
    assert_non_null(queue.queue);
}

static int note_item(int error, int *value, void *arg)
{
    (void)arg;
    if (error < 0)
        note("!%s ", weft_error_name(error));
    else
        note("%d ", *value);
    return 0;
}

static numbers_item get(void)
{
    numbers_item item = weft_queue_get(scope, queue);

    assert_int_equal(weft_finally(item, note_item, NULL), 0);
    return item;
}

static void put(int value, const char *letter)
{
    watch(weft_queue_put(scope, queue, value), letter);
}

/* -- values -- */

static void values_come_out_in_order(void **state)
{
    int value;

    (void)state;
    begin_with_queue(100, 1);
    for (int round = 0; round < 3; round++) { /* the ring grows and goes round */
        for (int i = 0; i < 30 * (round + 1); i++)
            assert_int_equal(weft_queue_try_put(queue, i), 0);
        for (int i = 0; i < 30 * (round + 1); i++) {
            assert_int_equal(weft_queue_try_get(queue, &value), 0);
            assert_int_equal(value, i);
        }
    }
    assert_int_equal(weft_queue_try_get(queue, &value), -EAGAIN);
    finish();
}

static void memory_is_taken_as_values_come(void **state)
{
    size_t before;

    (void)state;
    begin_with_queue(1000, 1);
    before = support_live_bytes();
    assert_int_equal(weft_queue_try_put(queue, 0), 0);
    assert_true(support_live_bytes() <= before + 500);
    for (int i = 1; i < 1000; i++)
        assert_int_equal(weft_queue_try_put(queue, i), 0);
    assert_true(support_live_bytes() <= before + 1000 * sizeof(int) + 100);
    finish();
}

static void ring_that_goes_round_grows_in_order(void **state)
{
    int value, in = 0, out = 0;

    (void)state;
    begin_with_queue(1000, 1);
    while (in < 1000) { /* two in, one out */
        assert_int_equal(weft_queue_try_put(queue, in++), 0);
        assert_int_equal(weft_queue_try_put(queue, in++), 0);
        assert_int_equal(weft_queue_try_get(queue, &value), 0);
        assert_int_equal(value, out++);
    }
    while (weft_queue_try_get(queue, &value) == 0)
        assert_int_equal(value, out++);
    assert_int_equal(out, in);
    finish();
}

static void values_may_be_structs(void **state)
{
    pairs some;
    struct pair got;

    (void)state;
    begin();
    some = weft_queue_new(pairs, scope, 0, 0);
    assert_int_equal(weft_queue_try_put(some, ((struct pair){"x", 1})), 0);
    assert_int_equal(weft_peek(weft_queue_get(scope, some), &got), 0);
    assert_string_equal(got.name, "x");
    assert_int_equal(got.number, 1);
    finish();
}

static void full_queue_overflows(void **state)
{
    (void)state;
    begin_with_queue(2, 1);
    assert_int_equal(weft_queue_try_put(queue, 1), 0);
    assert_int_equal(weft_queue_try_put(queue, 2), 0);
    assert_int_equal(weft_queue_try_put(queue, 3), WEFT_EFULL);
    assert_int_equal(weft_queue_count(queue.queue), 2);
    finish();
}

/* -- waiting for values -- */

static void getters_are_served_in_order(void **state)
{
    (void)state;
    begin_with_queue(2, 2);
    get();
    get();
    assert_int_equal(weft_queue_getters(queue.queue), 2);
    assert_int_equal(weft_queue_try_put(queue, 1), 0);
    assert_trace("1 ");
    assert_int_equal(weft_queue_try_put(queue, 2), 0);
    assert_int_equal(weft_queue_try_put(queue, 3), 0);
    assert_trace("2 ");
    get();
    assert_trace("3 ");
    finish();
}

static void too_many_getters_underflow(void **state)
{
    (void)state;
    begin_with_queue(2, 1);
    get();
    get();
    assert_trace("!WEFT_EWAITERS ");
    finish();
}

static void cancelled_getter_takes_no_value(void **state)
{
    numbers_item first;

    (void)state;
    begin_with_queue(2, 2);
    first = get();
    get();
    weft_cancel(first.deferred);
    assert_trace("!ECANCELED ");
    assert_int_equal(weft_queue_try_put(queue, 1), 0);
    assert_trace("1 ");
    finish();
}

static void getter_in_a_cancelled_scope_takes_no_value(void **state)
{
    weft_scope *own;
    int value = 0;

    (void)state;
    begin_with_queue(2, 2);
    own = weft_scope_open(scope, WEFT_NEVER);
    assert_int_equal(weft_finally(weft_queue_get(own, queue), note_item, NULL), 0);
    weft_scope_close(own);
    assert_int_equal(weft_queue_try_put(queue, 5), 0);
    run(loop);
    assert_trace("!ECANCELED ");
    assert_int_equal(weft_peek(weft_queue_get(own = weft_scope_open(scope, WEFT_NEVER), queue), &value), 0);
    assert_int_equal(value, 5);
    weft_scope_cancel(own, WEFT_ETIMEDOUT);
    assert_int_equal(weft_queue_try_put(queue, 6), 0);
    assert_int_equal(weft_peek(weft_queue_get(own, queue), &value), WEFT_ETIMEDOUT); /* it stays in the queue */
    assert_int_equal(weft_queue_count(queue.queue), 1);
    finish();
}

/* -- waiting for room -- */

static void put_waits_for_room_in_order(void **state)
{
    int value;

    (void)state;
    begin_with_queue(1, 2);
    put(1, "a");
    put(2, "b");
    put(3, "c");
    put(4, "d");
    assert_trace("ad!WEFT_EWAITERS ");
    assert_int_equal(weft_queue_putters(queue.queue), 2);
    assert_int_equal(weft_queue_try_get(queue, &value), 0);
    assert_int_equal(value, 1);
    assert_trace("b");
    get();
    assert_trace("c2 ");
    get();
    assert_trace("3 ");
    finish();
}

static void cancelled_putter_puts_nothing(void **state)
{
    weft_done second;
    int value;

    (void)state;
    begin_with_queue(1, 2);
    put(1, "a");
    second = weft_queue_put(scope, queue, 2);
    watch(second, "b");
    put(3, "c");
    weft_cancel(second.deferred);
    assert_trace("ab!ECANCELED ");
    assert_int_equal(weft_queue_try_get(queue, &value), 0);
    assert_trace("c");
    assert_int_equal(weft_queue_try_get(queue, &value), 0);
    assert_int_equal(value, 3);
    finish();
}

/* -- the end -- */

static void closed_queue_gives_what_is_left_and_then_an_error(void **state)
{
    int value;

    (void)state;
    begin_with_queue(1, 2);
    put(1, "a");
    put(2, "b");
    weft_queue_close(queue.queue);
    assert_trace("ab!WEFT_ENOMORE ");
    assert_int_equal(weft_queue_try_put(queue, 3), WEFT_ENOMORE);
    put(3, "c");
    assert_trace("c!WEFT_ENOMORE ");
    get();
    assert_trace("1 ");
    get();
    assert_trace("!WEFT_ENOMORE ");
    assert_int_equal(weft_queue_try_get(queue, &value), WEFT_ENOMORE);
    weft_queue_close(queue.queue);
    finish();
}

static void closing_fails_those_that_wait(void **state)
{
    (void)state;
    begin_with_queue(1, 2);
    get();
    get();
    weft_queue_close(queue.queue);
    assert_trace("!WEFT_ENOMORE !WEFT_ENOMORE ");
    finish();
}

static int close_scope(int error, int *value, void *arg)
{
    weft_scope_close(arg);
    return note_item(error, value, NULL);
}

static void queue_that_goes_cancels_those_that_wait(void **state)
{
    weft_scope *own;

    (void)state;
    begin();
    own = weft_scope_open(scope, WEFT_NEVER);
    queue = weft_queue_new(numbers, own, 1, 2);
    get();
    weft_scope_close(own);
    run(loop);
    assert_trace("!ECANCELED ");
    own = weft_scope_open(scope, WEFT_NEVER);
    queue = weft_queue_new(numbers, own, 1, 2);
    assert_int_equal(weft_finally(weft_queue_get(scope, queue), close_scope, own), 0);
    get();
    assert_int_equal(weft_queue_try_put(queue, 4), 0); /* in its callback the queue goes */
    assert_trace("4 ");
    run(loop);
    assert_trace("!ECANCELED ");
    finish();
}

static void null_queue_means_that_memory_was_short(void **state)
{
    int value;

    (void)state;
    begin();
    queue = weft_queue_new(numbers, NULL, 0, 0);
    assert_null(queue.queue);
    assert_int_equal(weft_queue_try_put(queue, 1), WEFT_ENOMEM);
    assert_int_equal(weft_queue_try_get(queue, &value), WEFT_ENOMEM);
    assert_null(weft_queue_get(scope, queue).deferred);
    assert_null(weft_queue_put(scope, queue, 1).deferred);
    weft_queue_close(queue.queue);
    finish();
}

/* -- tasks -- */

static int produce(weft_task *me, void *arg)
{
    int status = 0;

    (void)me;
    for (int i = 0; status == 0 && i < *(int *)arg; i++)
        status = weft_push(queue, i);
    weft_queue_close(queue.queue);
    return status;
}

static int consume(weft_task *me, void *arg)
{
    int value, expected = 0, status;

    (void)me;
    while ((status = weft_pop(queue, &value)) == 0)
        assert_int_equal(value, expected++);
    *(int *)arg = expected;
    return status == WEFT_ENOMORE ? 0 : status;
}

static void queue_is_a_channel_of_tasks(void **state)
{
    int count = 1000, got = 0;

    (void)state;
    for (size_t size = 1; size <= 64; size *= 8) {
        begin_with_queue(size, 1);
        assert_int_equal(weft_spawn(scope, produce, &count), 0);
        assert_int_equal(weft_spawn(scope, consume, &got), 0);
        run(loop);
        assert_int_equal(got, count);
        assert_int_equal(weft_scope_error(scope), 0);
        finish();
    }
}

static int pop_one(weft_task *me, void *arg)
{
    int value = -1, status = weft_pop(queue, &value);

    (void)me;
    (void)arg;
    note_item(status, &value, NULL);
    assert_int_equal(weft_queue_getters(queue.queue), 0);
    return status;
}

static int push_one(weft_task *me, void *arg)
{
    int status = weft_push(queue, *(int *)arg);

    (void)me;
    note("push%s ", status < 0 ? weft_error_name(status) : "");
    return status;
}

static void cancelled_pop_loses_no_value(void **state)
{
    weft_done first;
    int value;

    (void)state;
    begin_with_queue(4, 4);
    first = weft_spawn_done(scope, pop_one, NULL);
    watch(first, "A");
    assert_int_equal(weft_loop_step(loop), 0);
    weft_cancel(first.deferred);
    run(loop);
    assert_trace("A!ECANCELED !ECANCELED ");
    assert_int_equal(weft_queue_getters(queue.queue), 0);
    first = weft_spawn_done(scope, pop_one, NULL);
    watch(first, "B");
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(weft_queue_try_put(queue, 7), 0);
    weft_cancel(first.deferred); /* in the turn in which it got its value */
    run(loop);
    assert_trace("B!ECANCELED 7 ");
    assert_int_equal(weft_queue_try_get(queue, &value), -EAGAIN);
    finish();
}

static void cancelled_push_puts_nothing(void **state)
{
    weft_done first;
    int value = 9;

    (void)state;
    begin_with_queue(1, 4);
    assert_int_equal(weft_queue_try_put(queue, 1), 0);
    first = weft_spawn_done(scope, push_one, &value);
    watch(first, "A");
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(weft_queue_putters(queue.queue), 1);
    weft_cancel(first.deferred);
    run(loop);
    assert_trace("A!ECANCELED pushECANCELED ");
    assert_int_equal(weft_queue_putters(queue.queue), 0);
    finish();
}

static int try_after_cancel(weft_task *me, void *arg)
{
    int value = 3;

    (void)arg;
    assert_int_equal(weft_sleep(WEFT_SECONDS(1)), WEFT_ECANCELED);
    assert_int_equal(weft_pop(queue, &value), WEFT_ECANCELED);
    assert_int_equal(weft_push(queue, value), WEFT_ECANCELED);
    assert_int_equal(weft_queue_count(queue.queue), 1);
    weft_scope *shield = weft_shield(WEFT_SECONDS(1));
    assert_non_null(shield);
    assert_int_equal(weft_pop(queue, &value), 0);
    weft_scope_close(shield);
    note("%s", weft_task_name(me));
    return 0;
}

static void cancelled_task_gets_and_puts_no_more(void **state)
{
    (void)state;
    begin_with_queue(4, 4);
    assert_int_equal(weft_queue_try_put(queue, 1), 0);
    assert_int_equal(weft_spawn(scope, try_after_cancel, NULL), 0);
    assert_int_equal(weft_loop_step(loop), 1);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run(loop);
    assert_trace("try_after_cancel");
    finish();
}

static int put_seven(int error, int *value, void *arg)
{
    (void)value;
    (void)arg;
    assert_int_equal(weft_queue_try_put(queue, 7), 0);
    return error;
}

static int pop_last_words(weft_task *me, void *arg)
{
    weft_scope *shield;
    int value = 0;

    (void)me;
    (void)arg;
    assert_int_equal(weft_pop(queue, &value), WEFT_ECANCELED);
    shield = weft_shield(WEFT_SECONDS(2));
    assert_int_equal(weft_then(weft_later(shield, WEFT_SECONDS(1)), put_seven, NULL), 0);
    assert_int_equal(weft_pop(queue, &value), 0);
    weft_scope_close(shield);
    note("%d", value);
    return 0;
}

static void shielded_part_waits_for_a_value(void **state)
{
    (void)state;
    begin_with_queue(4, 4);
    weft_scope *own = weft_scope_open(scope, WEFT_NEVER);
    assert_int_equal(weft_spawn(own, pop_last_words, NULL), 0);
    assert_int_equal(weft_loop_step(loop), 0);
    weft_scope_cancel(own, WEFT_ECANCELED);
    run(loop);
    assert_trace("7");
    finish();
}

static void only_tasks_wait(void **state)
{
    int value;

    (void)state;
    begin_with_queue(4, 4);
    support_log_expect("weft_pop at ");
    support_log_expect("weft_push at ");
    assert_int_equal(weft_pop(queue, &value), WEFT_ENOTASK);
    assert_int_equal(weft_push(queue, 1), WEFT_ENOTASK);
    finish();
}

/* -- memory -- */

static void all_of_it(void *arg)
{
    int count = 40, got = -1, value, status;

    (void)arg;
    if (!try_begin())
        return;
    queue = weft_queue_new(numbers, scope, 30, 0);
    numbers_item item = weft_queue_get(scope, queue);
    status = weft_finally(item, note_item, NULL);
    assert_int_equal(status, item.deferred ? 0 : WEFT_ENOMEM);
    for (int i = 0; i < 32; i++)
        try_watch(weft_queue_put(scope, queue, i), "");
    while (weft_queue_try_get(queue, &value) == 0)
        got = value;
    if (support_injected() == 0) {
        assert_trace("0 ");
        assert_int_equal(got, 31);
    }
    queue = weft_queue_new(numbers, scope, 20, 0);
    status = weft_spawn(scope, produce, &count);
    if (status == 0)
        status = weft_spawn(scope, consume, &got);
    if (scope)
        run(loop);
    if (support_injected() == 0)
        assert_int_equal(got, count);
    else
        assert_true(status == 0 || status == WEFT_ENOMEM);
    if (scope)
        (void)weft_scope_error(scope);
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
        support_test(values_come_out_in_order),
        support_test(memory_is_taken_as_values_come),
        support_test(ring_that_goes_round_grows_in_order),
        support_test(values_may_be_structs),
        support_test(full_queue_overflows),
        support_test(getters_are_served_in_order),
        support_test(too_many_getters_underflow),
        support_test(cancelled_getter_takes_no_value),
        support_test(getter_in_a_cancelled_scope_takes_no_value),
        support_test(put_waits_for_room_in_order),
        support_test(cancelled_putter_puts_nothing),
        support_test(closed_queue_gives_what_is_left_and_then_an_error),
        support_test(closing_fails_those_that_wait),
        support_test(queue_that_goes_cancels_those_that_wait),
        support_test(null_queue_means_that_memory_was_short),
        support_test(queue_is_a_channel_of_tasks),
        support_test(cancelled_pop_loses_no_value),
        support_test(cancelled_push_puts_nothing),
        support_test(cancelled_task_gets_and_puts_no_more),
        support_test(shielded_part_waits_for_a_value),
        support_test(only_tasks_wait),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
