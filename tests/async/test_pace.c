/* SPDX-License-Identifier: MIT */
/* Delays, cooperative work, token buckets, back-off. */
#include <weft/pace.h>

#include "async/pace_test.h"

static weft_time began;

static void begin_now(void)
{
    begin();
    began = weft_loop_now(loop);
}

/* Milliseconds since the beginning. */
static int elapsed(void)
{
    return (int)((weft_loop_now(loop) - began) / MS);
}

static int note_time(int error, int *value, void *arg)
{
    note("%d:", elapsed());
    return note_done(error, value, arg);
}

static void watch_time(weft_done done, const char *letter)
{
    assert_int_equal(weft_finally(done, note_time, (void *)(uintptr_t)letter), 0);
}

/* -- later -- */

static void later_fires_after_the_delay(void **state)
{
    (void)state;
    begin_now();
    watch_time(weft_later(scope, 7 * MS), "b ");
    watch_time(weft_later(scope, 0), "a ");
    assert_trace("");
    run(loop);
    assert_trace("1:a 7:b ");
    finish();
}

static void later_that_is_cancelled_is_over_at_once(void **state)
{
    weft_done one;

    (void)state;
    begin_now();
    one = weft_later(scope, WEFT_HOURS(1));
    watch_time(one, "a");
    weft_cancel(one.deferred);
    run(loop);
    assert_trace("0:a!ECANCELED ");
    watch_time(weft_later(scope, WEFT_HOURS(1)), "b");
    weft_scope_close(scope);
    run(loop);
    assert_trace("0:b!ECANCELED ");
    scope = NULL;
    finish();
}

static int wait_a_second(weft_task *me, void *arg)
{
    (void)arg;
    note("%d", weft_wait(weft_later(weft_task_scope(me), WEFT_SECONDS(1))));
    return 0;
}

static void task_waits_for_later(void **state)
{
    (void)state;
    begin_now();
    assert_int_equal(weft_spawn(scope, wait_a_second, NULL), 0);
    run(loop);
    assert_trace("0");
    assert_int_equal(elapsed() / 1000, 1);
    finish();
}

/* -- cooperative work -- */

struct work {
    const char *letter;
    int steps;   /* left */
    int result;  /* of the last */
    int wait_at; /* at this step it waits for `waits` */
    weft_done waits;
    bool cancels, pauses;
};

static weft_cooperator *cooperator;

static int step(weft_done job, void *arg)
{
    struct work *work = arg;

    note("%s", work->letter);
    work->steps--;
    if (work->cancels)
        weft_cancel(job.deferred);
    if (work->pauses)
        weft_cooperate_pause(job);
    if (work->waits.deferred && work->steps == work->wait_at)
        return weft_cooperate_wait(job, work->waits);
    return work->steps > 0 ? 1 : work->result;
}

static weft_done cooperate(struct work *work)
{
    weft_done job = weft_cooperate(scope, cooperator, step, work);

    watch(job, " ");
    return job;
}

static void begin_with_cooperator(void)
{
    begin_now();
    cooperator = weft_cooperator_new(scope, 0);
    assert_non_null(cooperator);
}

static void jobs_take_steps_in_rotation(void **state)
{
    struct work a = {.letter = "a", .steps = 3}, b = {.letter = "b", .steps = 2}, c = {.letter = "c", .steps = 4};

    (void)state;
    begin_with_cooperator();
    cooperate(&a);
    cooperate(&b);
    cooperate(&c);
    assert_trace(""); /* never at once */
    run(loop);
    assert_trace("abcab ca cc ");
    finish();
}

static void turn_has_a_bound_of_steps(void **state)
{
    struct work a = {.letter = "", .steps = 3000};

    (void)state;
    begin_with_cooperator();
    cooperate(&a);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_int_equal(a.steps, 3000 - 1024);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_int_equal(a.steps, 3000 - 2048);
    run(loop);
    assert_int_equal(a.steps, 0);
    finish();
}

static int spin(weft_done job, void *arg)
{
    struct work *work = arg;

    (void)job;
    return --work->steps > 0;
}

/* On a real clock, whatever its speed: a budget of a nanosecond ends after a step or two. */
static void turn_has_a_budget_of_time(void **state)
{
    struct work a = {.letter = "", .steps = 100};
    int turns = 0;

    (void)state;
    begin();
    finish();
    loop = loop_on(support_engine());
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    cooperator = weft_cooperator_new(scope, 1);
    assert_int_equal(weft_finally(weft_cooperate(scope, cooperator, spin, &a), note_done, TEXT("")), 0);
    while (a.steps > 0) {
        assert_true(weft_loop_step(loop) >= 0);
        turns++;
    }
    assert_true(turns >= 2);
    finish();
}

static void failed_step_ends_the_job(void **state)
{
    struct work a = {.letter = "a", .steps = 2, .result = -EIO}, b = {.letter = "b", .steps = 3};

    (void)state;
    begin_with_cooperator();
    cooperate(&a);
    cooperate(&b);
    run(loop);
    assert_trace("aba !EIO bb ");
    finish();
}

static void paused_job_takes_no_steps(void **state)
{
    struct work a = {.letter = "a", .steps = 2}, b = {.letter = "b", .steps = 2};
    weft_done job;

    (void)state;
    begin_with_cooperator();
    job = cooperate(&a);
    cooperate(&b);
    weft_cooperate_pause(job);
    weft_cooperate_pause(job);
    run(loop);
    assert_trace("bb ");
    assert_int_equal(weft_cooperate_resume(job), 0);
    run(loop);
    assert_trace("");
    assert_int_equal(weft_cooperate_resume(job), 0);
    support_log_expect("was resumed and is not paused");
    assert_int_equal(weft_cooperate_resume(job), -EINVAL);
    run(loop);
    assert_trace("aa ");
    finish();
}

static void job_may_pause_itself(void **state)
{
    struct work a = {.letter = "a", .steps = 2, .pauses = true};
    weft_done job;

    (void)state;
    begin_with_cooperator();
    job = cooperate(&a);
    run(loop);
    assert_trace("a");
    assert_int_equal(weft_cooperate_resume(job), 0);
    run(loop);
    assert_trace("a ");
    finish();
}

static void cancelled_job_takes_no_more_steps(void **state)
{
    struct work a = {.letter = "a", .steps = 9}, b = {.letter = "b", .steps = 9, .cancels = true};
    weft_done job;

    (void)state;
    begin_with_cooperator();
    job = cooperate(&a);
    cooperate(&b);
    weft_cancel(job.deferred);
    run(loop);
    assert_trace(" !ECANCELED b !ECANCELED ");
    finish();
}

static void job_waits_for_a_deferred_between_steps(void **state)
{
    struct work a = {.letter = "a", .steps = 3, .wait_at = 1}, b = {.letter = "b", .steps = 2};

    (void)state;
    begin_with_cooperator();
    a.waits = weft_deferred_new(weft_done, scope);
    cooperate(&a);
    cooperate(&b);
    run(loop);
    assert_trace("abab ");
    weft_fire(a.waits, 0);
    assert_trace("");
    run(loop);
    assert_trace("a ");
    finish();
}

static void failure_of_what_it_waits_for_ends_the_job(void **state)
{
    struct work a = {.letter = "a", .steps = 3, .wait_at = 1}, b = {.letter = "b", .steps = 3, .wait_at = 1};

    (void)state;
    begin_with_cooperator();
    a.waits = weft_deferred_new(weft_done, scope);
    b.waits = weft_fail(weft_done, scope, -EPIPE);
    cooperate(&a);
    cooperate(&b);
    run(loop);
    assert_trace("abab !EPIPE ");
    weft_deferred_fail(a.waits.deferred, -EIO);
    assert_trace(" !EIO ");
    finish();
}

static void cancelling_a_job_cancels_what_it_waits_for(void **state)
{
    struct work a = {.letter = "a", .steps = 3, .wait_at = 2};
    weft_done job;

    (void)state;
    begin_with_cooperator();
    a.waits = weft_deferred_new(weft_done, scope);
    weft_deferred_ref(a.waits.deferred);
    job = cooperate(&a);
    run(loop);
    weft_cancel(job.deferred);
    assert_trace("a !ECANCELED ");
    assert_true(weft_deferred_fired(a.waits.deferred));
    weft_deferred_unref(a.waits.deferred);
    finish();
}

static void jobs_end_with_the_scope_of_the_cooperator(void **state)
{
    struct work a = {.letter = "a", .steps = 9}, b = {.letter = "b", .steps = 9};
    weft_scope *own;
    weft_done job;

    (void)state;
    begin_now();
    own = weft_scope_open(scope, WEFT_NEVER);
    cooperator = weft_cooperator_new(own, 0);
    cooperate(&a);
    job = cooperate(&b);
    weft_cooperate_pause(job);
    weft_scope_close(own);
    weft_cooperate_pause(job); /* it is still there */
    run(loop);
    assert_null(strchr(trace, 'b'));
    assert_non_null(strstr(trace, " !ECANCELED "));
    finish();
}

static void job_whose_cooperator_has_gone_may_still_be_paused(void **state)
{
    struct work a = {.letter = "a", .steps = 9};
    weft_scope *own;
    weft_done job;

    (void)state;
    begin_now();
    own = weft_scope_open(scope, WEFT_NEVER);
    cooperator = weft_cooperator_new(own, 0);
    job = cooperate(&a);
    weft_cooperate_pause(job);
    run(loop);
    weft_scope_close(own);
    weft_cooperate_pause(job);
    assert_int_equal(weft_cooperate_resume(job), 0);
    run(loop);
    assert_trace(" !ECANCELED ");
    finish();
}

/* Somebody still holds its deferred; nothing puts it into the cooperator's lists again. */
static void job_that_has_ended_may_still_be_resumed(void **state)
{
    struct work a = {.letter = "a", .steps = 9};
    weft_done job;

    (void)state;
    begin_with_cooperator();
    job = cooperate(&a);
    weft_deferred_ref(job.deferred);
    weft_cooperate_pause(job);
    weft_cancel(job.deferred);
    assert_trace(" !ECANCELED ");
    assert_int_equal(weft_cooperate_resume(job), 0);
    run(loop);
    assert_int_equal(a.steps, 9);
    assert_trace("");
    weft_deferred_unref(job.deferred);
    run(loop);
    finish();
}

static void job_ends_with_its_own_scope(void **state)
{
    struct work a = {.letter = "a", .steps = 9};
    weft_scope *own;

    (void)state;
    begin_with_cooperator();
    own = weft_scope_open(scope, WEFT_NEVER);
    watch(weft_cooperate(own, cooperator, step, &a), " ");
    weft_scope_close(own);
    run(loop);
    assert_trace(" !ECANCELED ");
    finish();
}

static int await_job(weft_task *me, void *arg)
{
    note("%d", weft_wait(weft_cooperate(weft_task_scope(me), cooperator, step, arg)));
    return 0;
}

static void task_awaits_a_job(void **state)
{
    struct work a = {.letter = "a", .steps = 3};

    (void)state;
    begin_with_cooperator();
    assert_int_equal(weft_spawn(scope, await_job, &a), 0);
    run(loop);
    assert_trace("aaa0");
    finish();
}

/* -- token buckets -- */

static weft_bucket *bucket;

static weft_done take(uint64_t count, const char *letter)
{
    weft_done done = weft_bucket_take(scope, bucket, count);

    watch_time(done, letter);
    return done;
}

static void begin_with_bucket(uint64_t rate, uint64_t burst)
{
    begin_now();
    bucket = weft_bucket_new(scope, rate, burst);
    assert_non_null(bucket);
}

static void bucket_gives_a_burst_and_then_its_rate(void **state)
{
    (void)state;
    begin_with_bucket(100, 2);
    take(1, "a ");
    take(1, "b ");
    take(1, "c ");
    take(2, "d ");
    take(1, "e ");
    assert_trace("0:a 0:b ");
    run(loop);
    assert_trace("10:c 30:d 40:e ");
    finish();
}

static void bucket_holds_no_more_than_its_burst(void **state)
{
    (void)state;
    begin_with_bucket(1000, 5);
    take(5, "a ");
    watch_time(weft_later(scope, WEFT_SECONDS(1)), "later ");
    run(loop);
    assert_int_equal(weft_bucket_level(bucket), 5);
    take(5, "b ");
    take(1, "c ");
    assert_trace("0:a 1000:later 1000:b ");
    run(loop);
    assert_trace("1001:c ");
    finish();
}

static void full_bucket_gains_nothing_by_waiting(void **state)
{
    (void)state;
    begin_with_bucket(1, 5);
    watch_time(weft_later(scope, WEFT_SECONDS(3)), "later ");
    run(loop);
    take(5, "a ");
    assert_trace("3000:later 3000:a ");
    assert_int_equal(weft_bucket_level(bucket), 0);
    finish();
}

/* Three tokens a second: nothing is lost to rounding, nothing comes too early. */
static void bucket_does_not_drift(void **state)
{
    (void)state;
    begin_with_bucket(3, 1);
    take(1, "");
    for (int i = 0; i < 900; i++) {
        assert_int_equal(weft_finally(weft_bucket_take(scope, bucket, 1), note_done, TEXT("")), 0);
        if (i % 2)
            run(loop);
    }
    run(loop);
    assert_int_equal(elapsed() / 10, 30000);
    finish();
}

static void bucket_gives_more_than_one_in_a_millisecond(void **state)
{
    (void)state;
    begin_with_bucket(1000000, 1);
    take(1, "");
    for (int i = 0; i < 1000; i++)
        assert_int_equal(weft_finally(weft_bucket_take(scope, bucket, 1), note_done, TEXT("")), 0);
    assert_trace("0:");
    run(loop);
    assert_int_equal(elapsed(), 1);
    assert_int_equal(weft_bucket_level(bucket), 0);
    assert_int_equal(weft_bucket_try_take(bucket, 1), -EAGAIN);
    finish();
}

static void bucket_serves_in_order(void **state)
{
    (void)state;
    begin_with_bucket(10, 10);
    take(10, "a ");
    take(9, "big ");
    take(1, "small ");
    assert_int_equal(weft_bucket_try_take(bucket, 0), -EAGAIN);
    run(loop);
    assert_trace("0:a 900:big 1000:small ");
    assert_int_equal(weft_bucket_try_take(bucket, 1), -EAGAIN);
    finish();
}

static void try_take_takes_what_is_there(void **state)
{
    (void)state;
    begin_with_bucket(10, 3);
    assert_int_equal(weft_bucket_try_take(bucket, 2), 0);
    assert_int_equal(weft_bucket_try_take(bucket, 2), -EAGAIN);
    assert_int_equal(weft_bucket_try_take(bucket, 1), 0);
    assert_int_equal(weft_bucket_level(bucket), 0);
    finish();
}

static void cancelled_taker_lets_the_next_go_first(void **state)
{
    weft_done big;

    (void)state;
    begin_with_bucket(10, 10);
    take(10, "a ");
    big = take(10, "big");
    take(1, "small ");
    weft_cancel(big.deferred);
    run(loop);
    assert_trace("0:a 0:big!ECANCELED 100:small ");
    finish();
}

static void taker_whose_scope_closes_lets_the_next_go_first(void **state)
{
    weft_scope *own;

    (void)state;
    begin_with_bucket(10, 10);
    take(10, "a ");
    own = weft_scope_open(scope, WEFT_NEVER);
    watch_time(weft_bucket_take(own, bucket, 10), "big");
    take(1, "small ");
    weft_scope_close(own);
    run(loop);
    assert_trace("0:a 0:big!ECANCELED 100:small ");
    finish();
}

static void bucket_refuses_what_can_never_be(void **state)
{
    (void)state;
    begin_with_bucket(10, 10);
    weft_bucket_set_backlog(bucket, 1);
    take(11, "a");
    take(10, "b ");
    take(1, "c ");
    take(1, "d");
    assert_trace("0:a!ERANGE 0:b 0:d!WEFT_EWAITERS ");
    assert_null(weft_bucket_new(scope, 1, 0));
    assert_null(weft_bucket_take(scope, NULL, 1).deferred);
    finish();
}

static void bucket_without_a_rate_gives_its_burst_only(void **state)
{
    (void)state;
    begin_with_bucket(0, 1);
    take(1, "a ");
    take(1, "b");
    run(loop); /* nothing to wait for */
    assert_trace("0:a ");
    weft_scope_close(scope);
    run(loop);
    assert_trace("0:b!ECANCELED ");
    scope = NULL;
    finish();
}

static void bucket_of_the_highest_rate_is_exact(void **state)
{
    (void)state;
    begin_with_bucket(UINT64_MAX, UINT64_MAX);
    take(UINT64_MAX, "a ");
    take(UINT64_MAX, "b ");
    run(loop);
    assert_trace("0:a 1000:b ");
    finish();
}

static void bucket_that_goes_cancels_those_that_wait(void **state)
{
    weft_scope *own;

    (void)state;
    begin_now();
    own = weft_scope_open(scope, WEFT_NEVER);
    bucket = weft_bucket_new(own, 1, 1);
    take(1, "a ");
    take(1, "b");
    weft_scope_close(own);
    run(loop);
    assert_trace("0:a 0:b!ECANCELED ");
    finish();
}

static int take_two(weft_task *me, void *arg)
{
    (void)arg;
    note("%d", weft_wait(weft_bucket_take(weft_task_scope(me), bucket, 2)));
    note("%d", weft_wait(weft_bucket_take(weft_task_scope(me), bucket, 2)));
    return 0;
}

static void task_waits_for_tokens(void **state)
{
    (void)state;
    begin_with_bucket(2, 2);
    assert_int_equal(weft_spawn(scope, take_two, NULL), 0);
    run(loop);
    assert_trace("00");
    assert_int_equal(elapsed() / 1000, 1);
    finish();
}

/* -- back-off -- */

static void delays_are_random_below_a_bound_that_doubles(void **state)
{
    static const int bounds[] = {100, 200, 400, 800, 1000, 1000, 1000};
    weft_backoff_options options = {.size = sizeof options, .most = WEFT_SECONDS(1)};
    weft_time most[7] = {0}, delay;
    weft_backoff backoff;

    (void)state;
    begin();
    weft_backoff_init(&backoff, loop, &options);
    for (int round = 0; round < 200; round++) {
        weft_backoff_reset(&backoff);
        for (int i = 0; i < 7; i++) {
            assert_int_equal(weft_backoff_next(&backoff, &delay), 0);
            assert_true(delay >= 0 && delay <= bounds[i] * MS);
            most[i] = delay > most[i] ? delay : most[i];
        }
    }
    for (int i = 0; i < 7; i++)
        assert_true(most[i] > bounds[i] * MS / 10 * 9); /* of 200 one is above nine tenths: 1 - 0.9^200 */
    finish();
}

static void tries_have_a_limit_that_a_reset_renews(void **state)
{
    weft_backoff_options options = {.size = sizeof options, .first = 10 * MS, .most = MS, .tries = 2};
    weft_backoff backoff;
    weft_time delay;

    (void)state;
    begin_now();
    weft_backoff_init(&backoff, loop, &options);
    watch(weft_backoff_wait(scope, &backoff), "a");
    watch(weft_backoff_wait(scope, &backoff), "b");
    watch(weft_backoff_wait(scope, &backoff), "c");
    run(loop);
    assert_trace("c!WEFT_ETRIES ab");
    assert_true(elapsed() <= 2); /* the bound is no more than the most */
    assert_int_equal(weft_backoff_next(&backoff, &delay), WEFT_ETRIES);
    weft_backoff_reset(&backoff);
    assert_int_equal(weft_backoff_next(&backoff, &delay), 0);
    finish();
}

static void draw(weft_time delays[10])
{
    weft_backoff backoff;

    begin();
    weft_backoff_init(&backoff, loop, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(weft_backoff_next(&backoff, &delays[i]), 0);
    finish();
}

static void the_same_seed_gives_the_same_delays(void **state)
{
    weft_time first[10], second[10];

    (void)state;
    draw(first);
    draw(second);
    assert_memory_equal(first, second, sizeof first);
}

static void bound_does_not_overflow(void **state)
{
    weft_backoff_options options = {.size = sizeof options, .first = WEFT_NEVER / 2 + 1, .most = WEFT_NEVER};
    weft_backoff backoff;
    weft_time delay;

    (void)state;
    begin();
    weft_backoff_init(&backoff, loop, &options);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weft_backoff_next(&backoff, &delay), 0);
        assert_true(delay >= 0);
    }
    finish();
}

/* -- memory -- */

static void all_of_it(void *arg)
{
    struct work a = {.letter = "", .steps = 3};
    weft_backoff backoff;

    (void)arg;
    if (!try_begin())
        return;
    cooperator = weft_cooperator_new(scope, 0);
    bucket = weft_bucket_new(scope, 1, 1);
    weft_backoff_init(&backoff, loop, NULL);
    try_watch(weft_later(scope, MS), "a");
    try_watch(weft_cooperate(scope, cooperator, step, &a), "b");
    try_watch(weft_bucket_take(scope, bucket, 1), "c");
    try_watch(weft_bucket_take(scope, bucket, 1), "d");
    try_watch(weft_backoff_wait(scope, &backoff), "e");
    if (scope)
        run(loop);
    if (support_injected() == 0)
        assert_int_equal(strlen(trace), 5);
    else
        assert_null(strchr(trace, '!'));
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
        support_test(later_fires_after_the_delay),
        support_test(later_that_is_cancelled_is_over_at_once),
        support_test(task_waits_for_later),
        support_test(jobs_take_steps_in_rotation),
        support_test(turn_has_a_bound_of_steps),
        support_test(turn_has_a_budget_of_time),
        support_test(failed_step_ends_the_job),
        support_test(paused_job_takes_no_steps),
        support_test(job_may_pause_itself),
        support_test(cancelled_job_takes_no_more_steps),
        support_test(job_waits_for_a_deferred_between_steps),
        support_test(failure_of_what_it_waits_for_ends_the_job),
        support_test(cancelling_a_job_cancels_what_it_waits_for),
        support_test(jobs_end_with_the_scope_of_the_cooperator),
        support_test(job_whose_cooperator_has_gone_may_still_be_paused),
        support_test(job_that_has_ended_may_still_be_resumed),
        support_test(job_ends_with_its_own_scope),
        support_test(task_awaits_a_job),
        support_test(bucket_gives_a_burst_and_then_its_rate),
        support_test(bucket_holds_no_more_than_its_burst),
        support_test(full_bucket_gains_nothing_by_waiting),
        support_test(bucket_does_not_drift),
        support_test(bucket_gives_more_than_one_in_a_millisecond),
        support_test(bucket_serves_in_order),
        support_test(try_take_takes_what_is_there),
        support_test(cancelled_taker_lets_the_next_go_first),
        support_test(taker_whose_scope_closes_lets_the_next_go_first),
        support_test(bucket_refuses_what_can_never_be),
        support_test(bucket_without_a_rate_gives_its_burst_only),
        support_test(bucket_of_the_highest_rate_is_exact),
        support_test(bucket_that_goes_cancels_those_that_wait),
        support_test(task_waits_for_tokens),
        support_test(delays_are_random_below_a_bound_that_doubles),
        support_test(tries_have_a_limit_that_a_reset_renews),
        support_test(the_same_seed_gives_the_same_delays),
        support_test(bound_does_not_overflow),
        support_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
