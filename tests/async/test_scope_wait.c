/* SPDX-License-Identifier: MIT */
/* What weft_scope_wait waits for: what runs, not what only lasts. */
#include <weft/lock.h>
#include <weft/task.h>

#include "async/deferred_test.h"

static weft_scope *work;
static weft_time began_at;

static int wait_setup(void **state)
{
    int status = deferred_setup(state);

    work = weft_scope_open(scope, WEFT_NEVER);
    began_at = weft_loop_now(loop);
    return work ? status : -1;
}

#define wait_test(function) cmocka_unit_test_setup_teardown(function, wait_setup, deferred_teardown)

static int waits(weft_task *me, void *arg)
{
    int status = weft_scope_wait(work);

    (void)me;
    (void)arg;
    note("%s@%d ", weft_error_name(status), (int)((weft_loop_now(loop) - began_at) / MS));
    return 0;
}

static void begin_to_wait(void)
{
    assert_int_equal(weft_spawn(scope, waits, NULL), 0);
    turn();
}

/* -- deferreds -- */

static void a_result_that_nobody_looked_at_is_not_waited_for(void **state)
{
    number d = weft_deferred_new(number, work);

    (void)state;
    begin_to_wait();
    assert_trace("");
    assert_int_equal(weft_fire(d, 1), 0);
    turn();
    assert_trace("OK@0 ");
    assert_int_equal(weft_scope_count(work), 1);
    begin_to_wait();
    assert_trace("OK@0 ");
    assert_int_equal(weft_peek(d, &(int){0}), 0); /* it is still there */
}

static void a_deferred_that_became_another_is_waited_for_again(void **state)
{
    number d = weft_deferred_new(number, work), inner = weft_deferred_new(number, scope);

    (void)state;
    assert_int_equal(weft_fire(d, 1), 0);
    add_then(d, ACT('a', BECOME, .inner = inner));
    begin_to_wait();
    assert_trace("a1 ");
    assert_int_equal(weft_fire(inner, 2), 0);
    turn();
    assert_trace("OK@0 ");
}

static void a_deferred_that_somebody_took_is_forgotten(void **state)
{
    number d = weft_deferred_new(number, work), other = weft_deferred_new(number, work);

    (void)state;
    assert_int_equal(weft_fire(d, 1), 0);
    weft_forget(d.deferred);
    turn();
    assert_int_equal(weft_scope_count(work), 1);
    begin_to_wait();
    assert_trace("");
    assert_int_equal(weft_fire(other, 1), 0);
    turn();
    assert_trace("OK@0 ");
}

/* -- timers -- */

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void a_stopped_timer_is_not_waited_for(void **state)
{
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, work, nothing), 0);
    begin_to_wait();
    assert_trace("OK@0 ");
    weft_timer_start(&timer, WEFT_HOURS(1));
    begin_to_wait();
    assert_trace("");
    weft_timer_stop(&timer);
    turn();
    assert_trace("OK@0 ");
    weft_timer_fini(&timer);
    assert_int_equal(weft_scope_count(work), 0);
}

static void fires_again(weft_timer *timer)
{
    static int left = 2;

    if (--left > 0)
        weft_timer_start(timer, 5 * MS);
}

static void a_timer_is_waited_for_until_it_fired_for_the_last_time(void **state)
{
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, work, fires_again), 0);
    weft_timer_start(&timer, 5 * MS);
    begin_to_wait();
    run();
    assert_trace("OK@10 ");
    weft_timer_fini(&timer);
}

static void a_timer_in_the_background_is_not_waited_for(void **state)
{
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, work, nothing), 0);
    weft_timer_set_background(&timer, true);
    weft_timer_start(&timer, WEFT_HOURS(1));
    begin_to_wait();
    assert_trace("OK@0 ");
    weft_timer_fini(&timer);
}

static void a_scope_with_both_is_left_and_freed_in_any_order(void **state)
{
    weft_timer first, second;
    number d = weft_deferred_new(number, work);

    (void)state;
    assert_int_equal(weft_timer_init(&first, work, nothing), 0);
    assert_int_equal(weft_timer_init(&second, work, nothing), 0);
    weft_timer_start(&first, 3 * MS);
    weft_timer_start(&second, 7 * MS);
    assert_int_equal(weft_fire(d, 1), 0);
    begin_to_wait();
    weft_timer_fini(&first);
    turn();
    assert_trace("");
    run();
    assert_trace("OK@7 ");
    weft_scope_close(work);
    run();
    assert_int_equal(weft_scope_count(scope), 0);
}

/* -- what else it waits for -- */

static int takes_time(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return weft_sleep(4 * MS);
}

static void a_task_a_lock_and_an_open_scope_are_waited_for(void **state)
{
    weft_scope *inner = weft_scope_open(work, WEFT_NEVER);
    weft_lock *lock = weft_lock_new(scope);

    (void)state;
    assert_int_equal(weft_spawn(work, takes_time, NULL), 0);
    weft_forget(weft_lock_acquire(work, lock).deferred);
    begin_to_wait();
    run();
    assert_trace("");
    assert_int_equal(weft_lock_release(work, lock), 0);
    run();
    assert_trace("");
    weft_scope_close(inner);
    run();
    assert_trace("OK@4 ");
}

static int finishes(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    note("%s ", weft_error_name(weft_scope_finish(work)));
    return 0;
}

static void finishing_waits_until_the_scope_is_empty(void **state)
{
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, work, nothing), 0);
    weft_forget(weft_deferred_new(number, work).deferred);
    assert_int_equal(weft_spawn(work, takes_time, NULL), 0);
    assert_int_equal(weft_spawn(scope, finishes, NULL), 0);
    run();
    assert_trace("OK ");
    assert_int_equal(weft_scope_count(scope), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wait_test(a_result_that_nobody_looked_at_is_not_waited_for),
        wait_test(a_deferred_that_became_another_is_waited_for_again),
        wait_test(a_deferred_that_somebody_took_is_forgotten),
        wait_test(a_stopped_timer_is_not_waited_for),
        wait_test(a_timer_is_waited_for_until_it_fired_for_the_last_time),
        wait_test(a_timer_in_the_background_is_not_waited_for),
        wait_test(a_scope_with_both_is_left_and_freed_in_any_order),
        wait_test(a_task_a_lock_and_an_open_scope_are_waited_for),
        wait_test(finishing_waits_until_the_scope_is_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
