/* SPDX-License-Identifier: MIT */
/* The watchdog looks at the real clock, so these tests take as long as it needs to speak; none depends on how long. */
#include <weft/timer.h>

#include <sched.h>
#include <time.h>

#include "loop/loop_test.h"

#define LIMIT WEFT_MILLISECONDS(8)

static weft_loop *guarded_loop(const char *backend, weft_time limit)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = limit};
    weft_loop *loop = NULL;

    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return loop;
}

static weft_time monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return WEFT_SECONDS(now.tv_sec) + now.tv_nsec;
}

static void hold_for(weft_time time)
{
    for (weft_time until = monotonic() + time; monotonic() < until;)
        sched_yield();
}

static void hold_until_named(weft_timer *timer)
{
    size_t before = support_log_count("a callback holds the turn");

    (void)timer;
    while (support_log_count("a callback holds the turn") == before)
        sched_yield();
    hold_for(3 * LIMIT); /* it is not named again */
}

static void hold_until_named_in_a_post(weft_post *post)
{
    (void)post;
    hold_until_named(NULL);
}

static void callback_that_holds_the_turn_is_named_once(void **state)
{
    weft_loop *loop = guarded_loop("epoll", LIMIT);
    weft_post post = {.run = hold_until_named_in_a_post};
    weft_timer timer;

    (void)state;
    support_log_expect("watchdog: a callback holds the turn of the loop callback=timer held_ms=");
    support_log_expect("watchdog: a callback holds the turn of the loop callback=post held_ms=");
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), hold_until_named), 0);
    weft_timer_start(&timer, 1);
    run(loop);
    assert_int_equal(support_log_count("a callback holds"), 1);
    weft_loop_post(loop, &post);
    run(loop);
    assert_int_equal(support_log_count("a callback holds"), 2);
    assert_int_equal(support_log_count("callback=post"), 1);
    weft_loop_free(loop);
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void loop_that_waits_or_is_not_running_holds_nothing(void **state)
{
    weft_loop *loop = guarded_loop("epoll", LIMIT);
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&timer, 4 * LIMIT); /* waits in the backend */
    run(loop);
    assert_int_equal(weft_loop_step(loop), 0);
    hold_for(3 * LIMIT); /* between two runs, time is the caller's own */
    assert_int_equal(support_log_count("a callback holds"), 0);
    weft_loop_free(loop);
}

static void hold_beyond_any_limit(weft_timer *timer)
{
    (void)timer;
    hold_for(3 * LIMIT);
}

static void watchdog_can_be_left_out_and_a_simulated_loop_has_none(void **state)
{
    weft_loop *loops[] = {guarded_loop("epoll", WEFT_NEVER), guarded_loop("sim:1", LIMIT)};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weft_timer timer;

        assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loops[i]), hold_beyond_any_limit), 0);
        weft_timer_start(&timer, 1);
        run(loops[i]);
        weft_loop_free(loops[i]);
    }
    assert_int_equal(support_log_count("a callback holds"), 0);
}

static void extreme_limits_are_taken(void **state)
{
    static const weft_time limits[] = {1, -1, WEFT_NEVER - 1};

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        weft_loop_free(guarded_loop("epoll", limits[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(callback_that_holds_the_turn_is_named_once),
        support_test(loop_that_waits_or_is_not_running_holds_nothing),
        support_test(watchdog_can_be_left_out_and_a_simulated_loop_has_none),
        support_test(extreme_limits_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
