/* SPDX-License-Identifier: MIT */
/* Tasks: order, and what they can wait for. How they are cancelled is in test_task_cancel.c. */
#include <errno.h>

#include <weft/task.h>

#include "async/deferred_test.h"

static weft_time began_at;

static weft_time since_begin(void)
{
    return (weft_loop_now(loop) - began_at) / MS;
}

#define spawn(scope, function, arg) assert_int_equal(weft_spawn(scope, function, arg), 0)

static void write_name(weft_task *me, void *arg)
{
    (void)me;
    note("%s ", (const char *)arg);
}

/* -- spawning -- */

static void tasks_begin_in_their_order_and_not_at_once(void **state)
{
    (void)state;
    spawn(scope, write_name, (char[]){"a"});
    spawn(scope, write_name, (char[]){"b"});
    spawn(scope, write_name, (char[]){"c"});
    assert_trace("");
    run();
    assert_trace("a b c ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static int spawn_another(weft_task *me, void *arg)
{
    static char inner[] = "inner";

    (void)arg;
    note("( ");
    spawn(weft_task_scope(me), write_name, inner);
    note(") ");
    return 0;
}

static int wait_for_children(weft_task *me, void *arg)
{
    (void)spawn_another(me, arg);
    assert_int_equal(weft_scope_wait(weft_task_scope(me)), 0);
    note("end ");
    return 0;
}

static void task_may_spawn_others(void **state)
{
    (void)state;
    spawn(scope, wait_for_children, NULL);
    run();
    assert_trace("( ) inner end ");
}

static void what_a_task_leaves_behind_is_cancelled_before_it_began(void **state)
{
    (void)state;
    spawn(scope, spawn_another, NULL);
    run();
    assert_trace("( ) ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static void describe(weft_task *me, void *arg)
{
    (void)arg;
    assert_ptr_equal(weft_task_current(), me);
    assert_ptr_equal(weft_task_loop(me), loop);
    assert_int_equal(weft_task_cancelled(me), 0);
    assert_ptr_equal(weft_scope_parent(weft_task_scope(me)), scope);
    assert_ptr_equal(weft_task_scope(me), weft_task_scope(me));
    assert_string_equal(weft_scope_name(weft_task_scope(me)), weft_task_name(me));
    note("%s ", weft_task_name(me));
}

static void task_knows_itself(void **state)
{
    weft_task_options options = {.size = sizeof options, .name = "other name", .stack = 200000, .keep_fp = true};

    (void)state;
    assert_null(weft_task_current());
    spawn(scope, describe, NULL);
    assert_int_equal(weft_spawn_with(scope, describe, NULL, &options), 0);
    run();
    assert_null(weft_task_current());
    assert_trace("describe other name ");
}

static void options_without_a_size_start_no_task(void **state)
{
    weft_task_options options = {.size = 0};

    (void)state;
    assert_int_equal(weft_spawn_with(scope, describe, NULL, &options), -EINVAL);
    run();
    assert_trace("");
}

static void fill_stack(weft_task *me, void *arg)
{
    size_t size = *(size_t *)arg;
    volatile char *memory = __builtin_alloca(size);

    (void)me;
    for (size_t i = 0; i < size; i += 1024)
        memory[i] = 1;
    note("%zu ", size);
}

static void stack_has_the_size_that_was_asked_for(void **state)
{
    size_t small = 48 * 1024, large = 1024 * 1024;
    weft_task_options options = {.size = sizeof options, .stack = large + 64 * 1024};

    (void)state;
    spawn(scope, fill_stack, &small);
    assert_int_equal(weft_spawn_with(scope, fill_stack, &large, &options), 0);
    run();
    assert_trace("49152 1048576 ");
}

static void spawning_in_no_scope_means_that_memory_was_short(void **state)
{
    (void)state;
    assert_int_equal(weft_spawn(NULL, write_name, NULL), WEFT_ENOMEM);
    assert_null(weft_spawn_done(NULL, write_name, NULL).deferred);
}

/* -- time -- */

static int sleep_for(weft_task *me, void *arg)
{
    const int *ms = arg;

    (void)me;
    assert_int_equal(weft_sleep(*ms * MS), 0);
    note("%d@%d ", *ms, (int)since_begin());
    return 0;
}

static void sleepers_wake_in_the_order_of_their_times(void **state)
{
    int times[] = {30, 10, 20};

    (void)state;
    began_at = weft_loop_now(loop);
    for (int i = 0; i < 3; i++)
        spawn(scope, sleep_for, &times[i]);
    run();
    assert_trace("10@10 20@20 30@30 ");
}

static int sleep_less_than_nothing(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    return weft_sleep(-5 * MS);
}

static void sleeping_less_than_nothing_is_a_turn(void **state)
{
    (void)state;
    spawn(scope, sleep_less_than_nothing, NULL);
    run();
    assert_int_equal(weft_scope_error(scope), 0);
}

/* -- turns -- */

static int yield_thrice(weft_task *me, void *arg)
{
    (void)me;
    for (int i = 0; i < 3; i++) {
        note("%s%d ", (const char *)arg, i);
        assert_int_equal(weft_yield(), 0);
    }
    return 0;
}

static void tasks_that_yield_take_turns(void **state)
{
    (void)state;
    spawn(scope, yield_thrice, (char[]){"a"});
    spawn(scope, yield_thrice, (char[]){"b"});
    run();
    assert_trace("a0 b0 a1 b1 a2 b2 ");
}

static void posted(weft_post *post)
{
    (void)post;
    note("post ");
}

static weft_post a_post = {.run = posted};

static int post_and_yield(weft_task *me, void *arg)
{
    (void)arg;
    weft_loop_post(weft_task_loop(me), &a_post);
    note("posted ");
    assert_int_equal(weft_yield(), 0); /* to the end of this turn */
    assert_int_equal(weft_yield(), 0); /* behind the next one's events */
    note("after ");
    return 0;
}

static void yielding_lets_what_comes_from_outside_go_first(void **state)
{
    (void)state;
    spawn(scope, post_and_yield, NULL);
    run();
    assert_trace("posted post after ");
}

/* -- deferreds -- */

struct wait {
    number d;
    int status, value;
};

static int await_it(weft_task *me, void *arg)
{
    struct wait *wait = arg;

    (void)me;
    wait->status = weft_await(wait->d, &wait->value);
    if (wait->status < 0)
        note("!%s ", weft_error_name(wait->status));
    else
        note("=%d ", wait->value);
    return 0;
}

static void awaiting_what_is_ready_does_not_wait(void **state)
{
    struct wait good = {.d = weft_succeed(number, scope, 5)}, bad = {.d = weft_fail(number, scope, -EIO), .value = 17};

    (void)state;
    spawn(scope, await_it, &good);
    spawn(scope, await_it, &bad);
    turn();
    assert_trace("=5 !EIO ");
    assert_int_equal(bad.value, 17);
    assert_int_equal(weft_scope_count(scope), 0); /* both were taken */
}

static void awaiting_waits_until_it_is_ready(void **state)
{
    struct wait good = {.d = make()}, bad = {.d = make()};

    (void)state;
    spawn(scope, await_it, &good);
    spawn(scope, await_it, &bad);
    run();
    assert_trace("");
    weft_fire(good.d, 6);
    weft_deferred_fail(bad.d.deferred, -EPIPE);
    assert_trace(""); /* never from inside */
    run();
    assert_trace("=6 !EPIPE ");
    assert_int_equal(weft_scope_count(scope), 0);
}

static void tasks_go_on_in_the_order_in_which_their_deferreds_fired(void **state)
{
    struct wait waits[3] = {{.d = make()}, {.d = make()}, {.d = make()}};

    (void)state;
    for (int i = 0; i < 3; i++)
        spawn(scope, await_it, &waits[i]);
    run();
    weft_fire(waits[2].d, 2);
    weft_fire(waits[0].d, 0);
    weft_fire(waits[1].d, 1);
    run();
    assert_trace("=2 =0 =1 ");
}

static void awaiting_waits_for_callbacks_and_for_what_they_become(void **state)
{
    number inner = make();
    struct wait wait = {.d = make()};

    (void)state;
    add_then(wait.d, ACT('a', BECOME, .inner = inner));
    add_then(wait.d, ACT('b', GIVE, 9));
    spawn(scope, await_it, &wait);
    weft_fire(wait.d, 1);
    run();
    assert_trace("a1 ");
    weft_fire(inner, 2);
    run();
    assert_trace("b2 =9 ");
}

static void callback_added_after_the_firing_makes_the_task_wait_again(void **state)
{
    number inner = make();
    struct wait wait = {.d = make()};

    (void)state;
    spawn(scope, await_it, &wait);
    run();
    weft_fire(wait.d, 1); /* the task is on its way */
    add_then(wait.d, ACT('a', BECOME, .inner = inner));
    turn();
    assert_trace("a1 ");
    weft_fire(inner, 2);
    run();
    assert_trace("=2 ");
}

static void cancelled_deferred_ends_the_wait(void **state)
{
    struct wait wait = {.d = make()};

    (void)state;
    spawn(scope, await_it, &wait);
    run();
    weft_cancel_for(wait.d.deferred, -ECONNRESET);
    run();
    assert_trace("!ECONNRESET ");
}

static void closing_the_scope_of_a_deferred_ends_the_wait(void **state)
{
    weft_scope *other = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct wait wait = {.d = weft_deferred_new(number, other)};

    (void)state;
    spawn(scope, await_it, &wait);
    run();
    weft_scope_close(other);
    run();
    assert_trace("!ECANCELED ");
}

static void only_one_task_waits_for_a_deferred(void **state)
{
    struct wait first = {.d = make()}, second = {.d = first.d}, third = {.d = first.d};

    (void)state;
    weft_deferred_ref(first.d.deferred);
    spawn(scope, await_it, &first);
    spawn(scope, await_it, &second);
    run();
    assert_trace("!EBUSY ");
    weft_fire(first.d, 3);
    spawn(scope, await_it, &third); /* comes when it is ready */
    run();
    assert_trace("=3 =3 ");
    weft_deferred_unref(first.d.deferred);
}

static int await_ahead(weft_task *me, void *arg)
{
    struct wait *wait = arg;

    (void)me;
    weft_fire(wait->d, 4); /* wakes the other one, which has not run yet */
    return await_it(me, arg);
}

static void result_belongs_to_the_task_that_waited_first(void **state)
{
    struct wait first = {.d = make()}, second = {.d = first.d};

    (void)state;
    spawn(scope, await_it, &first);
    run();
    spawn(scope, await_ahead, &second);
    run();
    assert_trace("!EBUSY =4 ");
}

static void inner_deferred_cannot_be_awaited(void **state)
{
    number outer = make();
    struct wait wait = {.d = make()}, ready = {.d = make()};

    (void)state;
    add_then(outer, ACT('a', BECOME, .inner = wait.d));
    weft_fire(outer, 1);
    spawn(scope, await_it, &wait);
    run();
    assert_trace("a1 !EBUSY ");
    weft_fire(wait.d, 1);
    ready.d = outer;
    spawn(scope, await_it, &ready);
    run();
    assert_trace("=1 ");
}

static int become_and_say(int error, int *value, void *arg)
{
    number *inner = arg;
    int status = weft_become(value, *inner);

    (void)error;
    note("%s ", weft_error_name(status));
    return 0;
}

static void awaited_deferred_cannot_be_become(void **state)
{
    number outer = make();
    struct wait wait = {.d = make()};

    (void)state;
    assert_int_equal(weft_then(outer, become_and_say, &wait.d), 0);
    spawn(scope, await_it, &wait);
    run();
    weft_fire(wait.d, 1);
    weft_fire(outer, 1); /* its task has not taken it yet */
    run();
    assert_trace("EBUSY =1 ");
}

static void awaiting_no_deferred_means_that_memory_was_short(void **state)
{
    struct wait wait = {.value = 0};

    (void)state;
    spawn(scope, await_it, &wait);
    run();
    assert_trace("!ENOMEM ");
}

static int wait_without_value(weft_task *me, void *arg)
{
    number *d = arg;

    (void)me;
    note("%s ", weft_error_name(weft_wait(d[0])));
    note("%s ", weft_error_name(weft_wait(d[1])));
    return 0;
}

static void waiting_works_without_the_value(void **state)
{
    number d[2] = {weft_succeed(number, scope, 5), weft_fail(number, scope, -EIO)};

    (void)state;
    spawn(scope, wait_without_value, d);
    run();
    assert_trace("OK EIO ");
}

static int await_and_log(weft_task *me, void *arg)
{
    number *d = arg;
    int status = weft_wait(*d);

    weft_log_error(scope, status);
    weft_log_error(weft_task_scope(me), -EPIPE); /* another error: without that story */
    return 0;
}

static void story_of_an_awaited_error_can_be_logged(void **state)
{
    number d = weft_fail_with(number, scope, weft_failure_new(-EIO, NULL, "the disk is on fire"));

    (void)state;
    support_log_expect("the disk is on fire: Input/output error");
    support_log_expect("Broken pipe");
    spawn(scope, await_and_log, &d);
    run();
    assert_int_equal(support_log_count("the disk is on fire"), 1);
}

/* -- where nobody can wait -- */

static int wait_in_callback(int error, int *value, void *arg)
{
    number *other = arg;

    (void)error;
    assert_int_equal(weft_await(*other, value), WEFT_ENOTASK);
    assert_int_equal(weft_sleep(MS), WEFT_ENOTASK);
    assert_int_equal(weft_yield(), WEFT_ENOTASK);
    assert_int_equal(weft_scope_wait(scope), WEFT_ENOTASK);
    note("refused ");
    return 0;
}

static int wait_in_callback_of_task(weft_task *me, void *arg)
{
    number *d = arg;

    (void)me;
    assert_int_equal(weft_then(d[0], wait_in_callback, &d[1]), 0);
    assert_int_equal(weft_sleep(MS), 0); /* here it can */
    note("slept ");
    return 0;
}

static void callback_cannot_wait_and_is_told_why(void **state)
{
    number d[2] = {weft_succeed(number, scope, 1), weft_succeed(number, scope, 2)};

    (void)state;
    support_log_expect("a callback of a deferred cannot wait; it can return weft_become");
    spawn(scope, wait_in_callback_of_task, d);
    run();
    assert_trace("refused slept ");
    assert_int_equal(support_log_count("weft_await at "), 1);
    assert_int_equal(support_log_count("weft_sleep at "), 1);
    assert_int_equal(support_log_count("weft_yield at "), 1);
    assert_int_equal(support_log_count("weft_scope_wait at "), 1);
    assert_int_equal(support_log_count("test_task.c:"), 4);
}

static void outside_of_a_task_nobody_can_wait(void **state)
{
    number d = weft_succeed(number, scope, 1);
    int value = 17;

    (void)state;
    support_log_expect("only a task can wait; weft_spawn makes one, weft_then waits without");
    assert_int_equal(weft_await(d, &value), WEFT_ENOTASK);
    assert_int_equal(weft_wait(d), WEFT_ENOTASK);
    assert_int_equal(weft_sleep(MS), WEFT_ENOTASK);
    assert_int_equal(weft_yield(), WEFT_ENOTASK);
    assert_int_equal(weft_scope_wait(scope), WEFT_ENOTASK);
    assert_null(weft_shield(MS));
    assert_int_equal(value, 17);
    assert_int_equal(weft_peek(d, &value), 0); /* it was not taken */
}

/* -- a task whose end is a deferred -- */

static int return_number(weft_task *me, void *arg)
{
    (void)me;
    assert_int_equal(weft_sleep(MS), 0);
    return *(int *)arg;
}

static int show_end(int error, int *value, void *arg)
{
    (void)value;
    note("%s:%s ", (const char *)arg, weft_error_name(error));
    return 0;
}

static void end_of_a_task_is_a_deferred(void **state)
{
    int ends[] = {0, 7, -EPIPE};
    weft_done good = weft_spawn_done(scope, return_number, &ends[0]);
    weft_done positive = weft_spawn_done(scope, return_number, &ends[1]);
    weft_done bad = weft_spawn_done(scope, return_number, &ends[2]);
    weft_done plain = weft_spawn_done(scope, write_name, (char[]){"x"});

    (void)state;
    assert_int_equal(weft_finally(good, show_end, (char[]){"good"}), 0);
    assert_int_equal(weft_finally(positive, show_end, (char[]){"positive"}), 0);
    assert_int_equal(weft_finally(bad, show_end, (char[]){"bad"}), 0);
    assert_int_equal(weft_finally(plain, show_end, (char[]){"plain"}), 0);
    run();
    assert_trace("x plain:OK good:OK positive:OK bad:EPIPE ");
    assert_int_equal(weft_scope_error(scope), 0); /* it was the deferred's */
    assert_int_equal(weft_scope_cancelled(scope), 0);
}

static void failure_of_a_task_whose_deferred_nobody_looked_at_is_told(void **state)
{
    int end = -EIO;
    weft_done bad = weft_spawn_done(scope, return_number, &end);

    (void)state;
    support_log_expect("nobody looked at the failure of a weft_done");
    assert_non_null(bad.deferred);
    run();
    weft_scope_close(scope);
    run();
}

/* -- loops -- */

static int run_inner_loop(weft_task *me, void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:2", .watchdog = WEFT_NEVER};
    weft_loop *inner;
    weft_scope *root;

    (void)arg;
    assert_int_equal(weft_loop_new(&options, &inner), 0);
    root = weft_loop_scope(inner);
    spawn(root, yield_thrice, (char[]){"x"});
    spawn(root, yield_thrice, (char[]){"y"});
    assert_int_equal(weft_loop_run(inner), 0);
    assert_ptr_equal(weft_task_current(), me);
    weft_loop_free(inner);
    assert_int_equal(weft_sleep(MS), 0);
    note("end ");
    return 0;
}

static void task_may_run_a_loop_of_its_own(void **state)
{
    (void)state;
    spawn(scope, run_inner_loop, NULL);
    spawn(scope, write_name, (char[]){"other"});
    run();
    assert_trace("x0 y0 x1 y1 x2 y2 other end ");
}

static int step_own_loop(weft_task *me, void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++)
        assert_true(weft_loop_step(weft_task_loop(me)) >= 0);
    assert_ptr_equal(weft_task_current(), me);
    note("stepped ");
    assert_int_equal(weft_sleep(MS), 0);
    note("end ");
    return 0;
}

static void task_may_run_turns_of_the_loop_that_it_is_in(void **state)
{
    (void)state;
    spawn(scope, step_own_loop, NULL);
    spawn(scope, yield_thrice, (char[]){"x"});
    run();
    assert_trace("x0 x1 x2 stepped end ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(tasks_begin_in_their_order_and_not_at_once),
        deferred_test(task_may_spawn_others),
        deferred_test(what_a_task_leaves_behind_is_cancelled_before_it_began),
        deferred_test(task_knows_itself),
        deferred_test(options_without_a_size_start_no_task),
        deferred_test(stack_has_the_size_that_was_asked_for),
        deferred_test(spawning_in_no_scope_means_that_memory_was_short),
        deferred_test(sleepers_wake_in_the_order_of_their_times),
        deferred_test(sleeping_less_than_nothing_is_a_turn),
        deferred_test(tasks_that_yield_take_turns),
        deferred_test(yielding_lets_what_comes_from_outside_go_first),
        deferred_test(awaiting_what_is_ready_does_not_wait),
        deferred_test(awaiting_waits_until_it_is_ready),
        deferred_test(tasks_go_on_in_the_order_in_which_their_deferreds_fired),
        deferred_test(awaiting_waits_for_callbacks_and_for_what_they_become),
        deferred_test(callback_added_after_the_firing_makes_the_task_wait_again),
        deferred_test(cancelled_deferred_ends_the_wait),
        deferred_test(closing_the_scope_of_a_deferred_ends_the_wait),
        deferred_test(only_one_task_waits_for_a_deferred),
        deferred_test(result_belongs_to_the_task_that_waited_first),
        deferred_test(inner_deferred_cannot_be_awaited),
        deferred_test(awaited_deferred_cannot_be_become),
        deferred_test(awaiting_no_deferred_means_that_memory_was_short),
        deferred_test(waiting_works_without_the_value),
        deferred_test(story_of_an_awaited_error_can_be_logged),
        deferred_test(callback_cannot_wait_and_is_told_why),
        deferred_test(outside_of_a_task_nobody_can_wait),
        deferred_test(end_of_a_task_is_a_deferred),
        deferred_test(failure_of_a_task_whose_deferred_nobody_looked_at_is_told),
        deferred_test(task_may_run_a_loop_of_its_own),
        deferred_test(task_may_run_turns_of_the_loop_that_it_is_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
