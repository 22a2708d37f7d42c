/* SPDX-License-Identifier: MIT */
/* Workers of a program that is alone in its simulated world, as the environment has it. */
#include "support/support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/signal.h>
#include <weft/timer.h>
#include <weft/worker.h>

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

/* -- a worker that waits outside of Weft -- */

static sem_t arrived, outside; /* it waits there; it may go on */

int __wrap_sem_timedwait(sem_t *semaphore, const struct timespec *end);

/* The patience with it ends when it has arrived there, and not before. */
int __wrap_sem_timedwait(sem_t *semaphore, const struct timespec *end)
{
    (void)end;
    for (;;) {
        if (sem_trywait(semaphore) == 0)
            return 0;
        if (sem_trywait(&arrived) == 0) {
            sem_post(&outside);
            errno = ETIMEDOUT;
            return -1;
        }
        sched_yield();
    }
}

static weft_loop *new_loop(void)
{
    weft_loop *loop;

    assert_int_equal(weft_loop_new(NULL, &loop), 0);
    return loop;
}

struct flag {
    weft_post post;
    weft_loop *loop;
    struct flag *peer;
    unsigned runs;
    bool raised;
};

static void raise_flag(weft_post *post)
{
    weft_container_of(post, struct flag, post)->raised = true;
}

/* Turns in a circle until the other has raised its flag. */
static void spin(weft_post *post)
{
    struct flag *flag = weft_container_of(post, struct flag, post);

    flag->runs++;
    if (!flag->peer->raised)
        weft_loop_post(flag->loop, &flag->post);
}

static void a_loop_that_always_has_something_to_do_lets_the_others_run(void **state)
{
    struct flag other = {.post.run = raise_flag}, main_ = {.post.run = spin, .peer = &other};
    weft_worker *worker;

    (void)state;
    main_.loop = new_loop();
    other.loop = new_loop();
    assert_int_equal(weft_worker_start(other.loop, &worker), 0);
    weft_loop_post(main_.loop, &main_.post);
    weft_loop_post(other.loop, &other.post);
    assert_int_equal(weft_loop_run(main_.loop), 0);
    assert_true(other.raised && main_.runs > 0);
    assert_int_equal(weft_worker_join(worker), 0);
    weft_loop_free(other.loop);
    weft_loop_free(main_.loop);
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

/* Both wait at once: an hour is an hour, not two. */
static void loops_of_a_program_share_a_clock(void **state)
{
    weft_loop *mine = new_loop(), *other = new_loop();
    weft_timer timers[2];
    weft_worker *worker;
    weft_time begin;

    (void)state;
    assert_string_equal(weft_loop_backend(mine), "sim");
    assert_int_equal(weft_timer_init(&timers[0], weft_loop_scope(mine), nothing), 0);
    assert_int_equal(weft_timer_init(&timers[1], weft_loop_scope(other), nothing), 0);
    begin = weft_loop_now(mine);
    assert_true(weft_loop_now(other) == begin);
    weft_timer_start(&timers[0], WEFT_HOURS(1));
    weft_timer_start(&timers[1], WEFT_HOURS(1));
    assert_int_equal(weft_worker_start(other, &worker), 0);
    assert_int_equal(weft_loop_run(mine), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    assert_true(weft_loop_now(mine) == begin + WEFT_HOURS(1) && weft_loop_now(other) == begin + WEFT_HOURS(1));
    weft_loop_free(mine);
    weft_loop_free(other);
}

static weft_worker *second;
static weft_loop *second_loop;

static void start_second(weft_timer *timer)
{
    (void)timer;
    assert_int_equal(weft_loop_new(NULL, &second_loop), 0);
    assert_int_equal(weft_worker_start(second_loop, &second), 0);
}

static void join_second(weft_timer *timer)
{
    (void)timer;
    assert_int_equal(weft_worker_join(second), 0);
    weft_loop_free(second_loop);
}

/* Also inside of a turn. */
static void a_worker_may_start_and_join_workers(void **state)
{
    weft_loop *loop = new_loop();
    weft_timer timers[2];
    weft_worker *worker;

    (void)state;
    assert_int_equal(weft_timer_init(&timers[0], weft_loop_scope(loop), start_second), 0);
    assert_int_equal(weft_timer_init(&timers[1], weft_loop_scope(loop), join_second), 0);
    weft_timer_start(&timers[0], WEFT_SECONDS(1));
    weft_timer_start(&timers[1], WEFT_SECONDS(2));
    assert_int_equal(weft_worker_start(loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    weft_loop_free(loop);
}

static void ignore(weft_signal *watch)
{
    (void)watch;
}

static void a_worker_for_which_nothing_will_happen_is_joined(void **state)
{
    weft_loop *loop = new_loop();
    weft_worker *worker;
    weft_signal watch;

    (void)state;
    assert_int_equal(weft_signal_start(&watch, weft_loop_scope(loop), SIGUSR1, ignore), 0);
    assert_int_equal(weft_worker_start(loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), -EDEADLK);
    weft_loop_free(loop);
}

static void a_worker_that_cannot_be_started_is_an_error(void **state)
{
    weft_loop *loop = new_loop();
    weft_worker *worker = NULL;

    (void)state;
    no_threads = true;
    assert_int_equal(weft_worker_start(loop, &worker), -EAGAIN);
    no_threads = false;
    support_fail_at(1, false);
    assert_int_equal(weft_worker_start(loop, &worker), WEFT_ENOMEM);
    support_fail_at(2, false);
    assert_int_equal(weft_worker_start(loop, &worker), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_null(worker);
    weft_loop_free(loop);
}

static void wait_outside(weft_post *post)
{
    (void)post;
    sem_post(&arrived);
    while (sem_wait(&outside) < 0)
        ;
}

static void a_worker_that_waits_outside_is_told_of(void **state)
{
    weft_post post = {.run = wait_outside};
    weft_loop *loop = new_loop();
    weft_worker *worker;

    (void)state;
    weft_loop_post(loop, &post);
    assert_int_equal(weft_worker_start(loop, &worker), 0);
    support_log_expect("error: sim: a worker on localhost has not waited in its loop for 5 s of real time");
    assert_int_equal(weft_worker_join(worker), 0);
    weft_loop_free(loop);
}

static void *run_here(void *arg)
{
    static int status;

    status = weft_loop_run(arg);
    return &status;
}

/* A thread of the program's own has a world of its own ... */
static void *run_own(void *arg)
{
    weft_loop *loop;
    weft_timer timer;

    (void)arg;
    if (weft_loop_new(NULL, &loop) < 0 || weft_timer_init(&timer, weft_loop_scope(loop), nothing) < 0)
        return NULL;
    weft_timer_start(&timer, WEFT_HOURS(1));
    run_here(loop);
    weft_loop_free(loop);
    return NULL;
}

/* ... and no turn in another's. */
static void a_thread_of_the_programs_own_is_not_of_its_world(void **state)
{
    weft_loop *loops[] = {new_loop(), new_loop()};
    weft_timer timer;
    pthread_t thread;
    void *status;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loops[0]), nothing), 0);
    weft_timer_start(&timer, WEFT_SECONDS(1));
    assert_int_equal(pthread_create(&thread, NULL, run_own, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    support_log_expect("error: sim: the loops of a simulated world take turns");
    assert_int_equal(pthread_create(&thread, NULL, run_here, loops[0]), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(*(int *)status, -EXDEV);
    weft_loop_free(loops[0]);
    weft_loop_free(loops[1]);
}

static void processors_come_from_the_seed(void **state)
{
    unsigned seen = 0;
    char text[16];

    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned count;

        snprintf(text, sizeof text, "sim:%u", seed);
        setenv("WEFT_BACKEND", text, 1);
        count = weft_worker_processors();
        assert_in_range(count, 1, 4);
        assert_int_equal(weft_worker_processors(), count);
        seen |= 1U << count;
    }
    assert_int_equal(seen, 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4);
}

static int alone(void **state)
{
    setenv("WEFT_BACKEND", "sim:7", 1);
    return support_setup(state);
}

static int not_alone(void **state)
{
    unsetenv("WEFT_BACKEND");
    return support_teardown(state);
}

#define alone_test(function) cmocka_unit_test_setup_teardown(function, alone, not_alone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        alone_test(a_loop_that_always_has_something_to_do_lets_the_others_run),
        alone_test(loops_of_a_program_share_a_clock),
        alone_test(a_worker_may_start_and_join_workers),
        alone_test(a_worker_for_which_nothing_will_happen_is_joined),
        alone_test(a_worker_that_cannot_be_started_is_an_error),
        alone_test(a_worker_that_waits_outside_is_told_of),
        alone_test(a_thread_of_the_programs_own_is_not_of_its_world),
        alone_test(processors_come_from_the_seed),
    };

    sem_init(&arrived, 0, 0);
    sem_init(&outside, 0, 0);
    unsetenv("WEFT_BACKEND");
    return cmocka_run_group_tests_name("simulated workers of a program alone", tests, NULL, NULL);
}
