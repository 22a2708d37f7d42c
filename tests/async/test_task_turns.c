/* SPDX-License-Identifier: MIT */
/* A task that runs turns of a loop: what these call is not the task. */
#include <weft/task.h>

#include "async/deferred_test.h"

static void tries_to_sleep(weft_timer *timer)
{
    (void)timer;
    note("%s ", weft_error_name(weft_sleep(WEFT_HOURS(1))));
    assert_null(weft_task_current());
    assert_null(weft_shield(WEFT_SECONDS(1)));
}

static int turns_its_own_loop(weft_task *me, void *arg)
{
    weft_timer timer;

    (void)arg;
    assert_int_equal(weft_timer_init(&timer, weft_task_scope(me), tries_to_sleep), 0);
    weft_timer_start(&timer, MS);
    assert_int_equal(weft_loop_run(loop), 0);
    weft_timer_fini(&timer);
    assert_ptr_equal(weft_task_current(), me);
    note("%s ", weft_error_name(weft_sleep(MS)));
    return 0;
}

static void a_timer_in_a_turn_inside_of_a_task_cannot_wait(void **state)
{
    (void)state;
    support_log_expect("is not that task and cannot wait");
    assert_int_equal(weft_spawn(scope, turns_its_own_loop, NULL), 0);
    run();
    assert_trace("WEFT_ENOTASK OK ");
}

static int sleeps(weft_task *me, void *arg)
{
    (void)me;
    note("%s%s ", (const char *)arg, weft_error_name(weft_sleep(MS)));
    return 0;
}

static int runs_another_loop(weft_task *me, void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:2", .watchdog = WEFT_NEVER};
    weft_timer timer;
    weft_loop *inner;

    (void)arg;
    assert_int_equal(weft_loop_new(&options, &inner), 0);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(inner), tries_to_sleep), 0);
    weft_timer_start(&timer, MS);
    assert_int_equal(weft_spawn(weft_loop_scope(inner), sleeps, (char[]){"inner:"}), 0);
    assert_int_equal(weft_loop_run(inner), 0);
    weft_loop_free(inner);
    return sleeps(me, (char[]){"outer:"});
}

static void a_task_of_a_loop_inside_of_a_task_can_wait_and_its_timers_cannot(void **state)
{
    (void)state;
    support_log_expect("is not that task and cannot wait");
    assert_int_equal(weft_spawn(scope, runs_another_loop, NULL), 0);
    run();
    assert_trace("WEFT_ENOTASK inner:OK outer:OK ");
}

static int steps_beside_a_task(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    assert_int_equal(weft_spawn(scope, sleeps, (char[]){"beside:"}), 0);
    for (int i = 0; i < 5; i++)
        assert_true(weft_loop_step(loop) >= 0);
    return sleeps(me, (char[]){"self:"});
}

static void a_task_that_an_inner_turn_began_goes_on_in_an_outer_one(void **state)
{
    (void)state;
    assert_int_equal(weft_spawn(scope, steps_beside_a_task, NULL), 0);
    run();
    assert_non_null(strstr(trace, "beside:OK"));
    assert_non_null(strstr(trace, "self:OK"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(a_timer_in_a_turn_inside_of_a_task_cannot_wait),
        deferred_test(a_task_of_a_loop_inside_of_a_task_can_wait_and_its_timers_cannot),
        deferred_test(a_task_that_an_inner_turn_began_goes_on_in_an_outer_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
