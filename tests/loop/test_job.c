/* SPDX-License-Identifier: MIT */
#include <weft/job.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "loop/loop_test.h"

#define MANY 500

struct job {
    weft_job job;
    weft_loop *loop;
    weft_scope *scope;
    atomic_uint worked;
    unsigned done;
    int status;
    sem_t *begun, *go; /* for work that lasts until it is told to go on */
    struct job *other;
    pthread_t thread;
};

static struct job *job_of(weft_job *job)
{
    return weft_container_of(job, struct job, job);
}

static void work(weft_job *base)
{
    struct job *job = job_of(base);

    job->thread = pthread_self();
    atomic_fetch_add(&job->worked, 1);
    if (job->begun)
        sem_post(job->begun);
    if (job->go)
        sem_wait(job->go);
}

static void done(weft_job *base, int status)
{
    struct job *job = job_of(base);

    job->done++;
    job->status = status;
}

static weft_loop *loop_with_threads(size_t threads)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    weft_loop *loop = NULL;

    options.job_threads = threads;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return loop;
}

static int start(struct job *job, weft_scope *scope)
{
    job->scope = scope;
    job->status = 1;
    return weft_job_start(&job->job, scope, work, done);
}

static void job_works_elsewhere_and_is_done_once_on_the_loop(void **state)
{
    weft_loop *loops[] = {loop_with_threads(0), loop_on_sim()};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct job *jobs = calloc(MANY, sizeof *jobs);

        assert_non_null(jobs);
        for (size_t j = 0; j < MANY; j++)
            assert_int_equal(start(&jobs[j], weft_loop_scope(loops[i])), 0);
        for (size_t j = 0; j < MANY; j++)
            assert_int_equal(jobs[j].done, 0);
        assert_int_equal(weft_scope_count(weft_loop_scope(loops[i])), MANY);
        run(loops[i]);
        for (size_t j = 0; j < MANY; j++) {
            assert_int_equal(atomic_load(&jobs[j].worked), 1);
            assert_int_equal(jobs[j].done, 1);
            assert_int_equal(jobs[j].status, 0);
            assert_true((pthread_equal(jobs[j].thread, pthread_self()) != 0) == (i == 1));
        }
        assert_int_equal(weft_scope_count(weft_loop_scope(loops[i])), 0);
        weft_loop_free(loops[i]);
        free(jobs);
    }
}

static void start_again(weft_job *base, int status)
{
    struct job *job = job_of(base);

    done(base, status);
    if (job->done < 10)
        assert_int_equal(weft_job_start(&job->job, job->scope, work, start_again), 0);
    else
        free(job);
}

static void job_may_be_started_again_and_freed_when_done(void **state)
{
    weft_loop *loop = loop_with_threads(2);

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct job *job = calloc(1, sizeof *job);

        assert_non_null(job);
        job->scope = weft_loop_scope(loop);
        assert_int_equal(weft_job_start(&job->job, job->scope, work, start_again), 0);
    }
    run(loop);
    weft_loop_free(loop);
}

static void job_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_with_threads(1);
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct job job = {.loop = loop};

    (void)state;
    assert_int_equal(start(&job, NULL), WEFT_ENOMEM);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(start(&job, scope), WEFT_ETIMEDOUT);
    run(loop);
    assert_int_equal(atomic_load(&job.worked) + job.done, 0);
    weft_loop_free(loop);
}

/* Each job waits for all the others: this ends only if the pool has as many threads as it may. */
static pthread_barrier_t barrier;

static void work_together(weft_job *base)
{
    (void)base;
    pthread_barrier_wait(&barrier);
}

static void jobs_run_beside_each_other_up_to_the_limit(void **state)
{
    enum { WIDTH = 4 };
    weft_loop *loop = loop_with_threads(WIDTH);
    struct job jobs[WIDTH], warm = {.loop = loop};

    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, WIDTH), 0);
    for (int round = 0; round < 200; round++) {
        assert_int_equal(start(&warm, weft_loop_scope(loop)), 0); /* leaves one thread idle, or about to be */
        run(loop);
        for (int i = 0; i < WIDTH; i++) {
            jobs[i] = (struct job){.loop = loop};
            assert_int_equal(weft_job_start(&jobs[i].job, weft_loop_scope(loop), work_together, done), 0);
        }
        run(loop);
    }
    pthread_barrier_destroy(&barrier);
    weft_loop_free(loop);
}

static atomic_int at_work, most_at_work;

static void work_counted(weft_job *base)
{
    int now = atomic_fetch_add(&at_work, 1) + 1, most = atomic_load(&most_at_work);

    (void)base;
    while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now))
        ;
    sched_yield();
    atomic_fetch_sub(&at_work, 1);
}

static void no_more_jobs_run_at_once_than_the_limit(void **state)
{
    weft_loop *loop = loop_with_threads(3);
    struct job *jobs = calloc(MANY, sizeof *jobs);

    (void)state;
    assert_non_null(jobs);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(weft_job_start(&jobs[i].job, weft_loop_scope(loop), work_counted, done), 0);
    run(loop);
    assert_in_range(atomic_load(&most_at_work), 1, 3);
    weft_loop_free(loop);
    free(jobs);
}

static void unlimited_threads_are_made_as_they_are_needed(void **state)
{
    weft_loop *loop = loop_with_threads(WEFT_UNLIMITED);
    struct job jobs[20];

    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 20), 0);
    for (int i = 0; i < 20; i++) {
        jobs[i] = (struct job){.loop = loop};
        assert_int_equal(weft_job_start(&jobs[i].job, weft_loop_scope(loop), work_together, done), 0);
    }
    run(loop);
    pthread_barrier_destroy(&barrier);
    weft_loop_free(loop);
}

/* -- cancelling -- */

struct busy {
    sem_t begun, go;
    weft_loop *loop;
    weft_scope *scope;
    struct job running, waiting;
};

/* One job that runs, held fast, and one that waits behind it. */
static void busy_init(struct busy *busy)
{
    *busy = (struct busy){.loop = loop_with_threads(1)};
    sem_init(&busy->begun, 0, 0);
    sem_init(&busy->go, 0, 0);
    busy->scope = weft_scope_open(weft_loop_scope(busy->loop), WEFT_NEVER);
    busy->running.begun = &busy->begun;
    busy->running.go = &busy->go;
    assert_int_equal(start(&busy->running, busy->scope), 0);
    assert_int_equal(start(&busy->waiting, busy->scope), 0);
    sem_wait(&busy->begun);
}

static void busy_fini(struct busy *busy)
{
    weft_loop_free(busy->loop);
    sem_destroy(&busy->begun);
    sem_destroy(&busy->go);
}

static void job_that_has_not_begun_never_runs_when_cancelled(void **state)
{
    struct busy busy;

    (void)state;
    busy_init(&busy);
    weft_scope_cancel(busy.scope, WEFT_ETIMEDOUT);
    assert_int_equal(busy.waiting.done, 0); /* never before cancel returns */
    assert_int_equal(weft_loop_step(busy.loop), 1);
    assert_int_equal(busy.waiting.done, 1);
    assert_int_equal(busy.waiting.status, WEFT_ETIMEDOUT);
    assert_int_equal(atomic_load(&busy.waiting.worked), 0);
    assert_int_equal(busy.running.done, 0); /* it is waited for */
    weft_scope_close(busy.scope);
    sem_post(&busy.go);
    run(busy.loop);
    assert_int_equal(busy.running.done, 1);
    assert_int_equal(busy.running.status, WEFT_ETIMEDOUT);
    assert_int_equal(busy.waiting.done, 1);
    assert_int_equal(weft_scope_count(weft_loop_scope(busy.loop)), 0);
    busy_fini(&busy);
}

static void *let_go(void *arg)
{
    sem_post(arg);
    return NULL;
}

static void freeing_the_loop_waits_for_the_job_that_runs(void **state)
{
    struct busy busy;
    pthread_t thread;

    (void)state;
    busy_init(&busy);
    assert_int_equal(pthread_create(&thread, NULL, let_go, &busy.go), 0);
    weft_loop_free(busy.loop);
    busy.loop = NULL;
    assert_int_equal(busy.running.done, 1);
    assert_int_equal(busy.running.status, WEFT_ECANCELED);
    assert_int_equal(busy.waiting.done, 1); /* the other may have been let go before the loop was: then it worked */
    assert_int_equal(pthread_join(thread, NULL), 0);
    busy_fini(&busy);
}

static void close_own_scope(weft_job *base, int status)
{
    done(base, status);
    weft_scope_close(job_of(base)->scope);
}

static void done_may_close_the_scope_of_its_job(void **state)
{
    weft_loop *loop = loop_with_threads(1);
    struct job alone = {.scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER)};
    struct job with_parent = {.scope = weft_scope_open(weft_scope_open(weft_loop_scope(loop), WEFT_NEVER), WEFT_NEVER)};

    (void)state;
    assert_int_equal(weft_job_start(&alone.job, alone.scope, work, close_own_scope), 0);
    assert_int_equal(weft_job_start(&with_parent.job, with_parent.scope, work, close_own_scope), 0);
    weft_scope_close(weft_scope_parent(with_parent.scope)); /* and with it the job's own, which `done` closes again */
    run(loop);
    assert_int_equal(alone.done, 1);
    assert_int_equal(with_parent.status, WEFT_ECANCELED);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

/* Cancels at a point that moves through the life of the jobs. */
static void done_is_called_once_whenever_the_cancellation_comes(void **state) /* EL-15 */
{
    enum { JOBS = 6 };
    weft_loop *loop = loop_with_threads(2);

    (void)state;
    for (int round = 0; round < 500; round++) {
        weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
        struct job jobs[JOBS];

        for (int i = 0; i < JOBS; i++) {
            jobs[i] = (struct job){.loop = loop};
            assert_int_equal(start(&jobs[i], scope), 0);
        }
        for (int i = 0; i < round % 5; i++)
            (void)weft_loop_step(loop);
        weft_scope_close(scope);
        run(loop);
        for (int i = 0; i < JOBS; i++) {
            assert_int_equal(jobs[i].done, 1);
            assert_true(jobs[i].status == 0 || jobs[i].status == WEFT_ECANCELED);
            assert_true(atomic_load(&jobs[i].worked) == 1 || jobs[i].status == WEFT_ECANCELED);
        }
    }
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void cancel_other(weft_job *base, int status)
{
    done(base, status);
    weft_scope_cancel(job_of(base)->other->scope, WEFT_ETIMEDOUT);
}

static void simulated_job_cancelled_by_an_earlier_one_never_runs(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct job first = {.loop = loop}, second = {.loop = loop};

    (void)state;
    first.other = &second;
    first.scope = weft_loop_scope(loop);
    assert_int_equal(weft_job_start(&first.job, first.scope, work, cancel_other), 0);
    assert_int_equal(start(&second, weft_scope_open(weft_loop_scope(loop), WEFT_NEVER)), 0);
    run(loop);
    assert_int_equal(second.done, 1);
    assert_int_equal(second.status, WEFT_ETIMEDOUT);
    assert_int_equal(atomic_load(&second.worked), 0);
    weft_loop_free(loop);
}

/* -- what can be missing -- */

static atomic_bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return atomic_load(&no_threads) ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

static void job_without_a_thread_is_refused_and_with_one_it_waits(void **state)
{
    weft_loop *loop = loop_with_threads(4);
    struct job first = {.loop = loop}, others[3];

    (void)state;
    atomic_store(&no_threads, true);
    assert_int_equal(start(&first, weft_loop_scope(loop)), -EAGAIN);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    run(loop);
    assert_int_equal(first.done, 0);
    atomic_store(&no_threads, false);
    assert_int_equal(start(&first, weft_loop_scope(loop)), 0);
    atomic_store(&no_threads, true);
    for (int i = 0; i < 3; i++) {
        others[i] = (struct job){.loop = loop};
        assert_int_equal(start(&others[i], weft_loop_scope(loop)), 0);
    }
    run(loop);
    atomic_store(&no_threads, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(others[i].done, 1);
    weft_loop_free(loop);
}

static void loop_without_a_watchdog_thread_is_not_made(void **state)
{
    weft_loop *loop = NULL;

    (void)state;
    atomic_store(&no_threads, true);
    assert_int_equal(weft_loop_new(NULL, &loop), -EAGAIN);
    atomic_store(&no_threads, false);
    assert_null(loop);
}

static void start_one(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    weft_loop *loop = NULL;
    struct job job = {.loop = NULL};
    int status = weft_loop_new(&options, &loop);

    (void)arg;
    if (status == 0)
        status = start(&job, weft_loop_scope(loop));
    assert_int_equal(status, support_injected() ? WEFT_ENOMEM : 0);
    if (loop)
        run(loop);
    assert_int_equal(job.done, status == 0);
    weft_loop_free(loop);
}

static void failed_allocation_refuses_the_job(void **state)
{
    support_torture(start_one, state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(job_works_elsewhere_and_is_done_once_on_the_loop),
        support_test(job_may_be_started_again_and_freed_when_done),
        support_test(job_needs_a_scope_that_is_not_cancelled),
        support_test(jobs_run_beside_each_other_up_to_the_limit),
        support_test(no_more_jobs_run_at_once_than_the_limit),
        support_test(unlimited_threads_are_made_as_they_are_needed),
        support_test(job_that_has_not_begun_never_runs_when_cancelled),
        support_test(freeing_the_loop_waits_for_the_job_that_runs),
        support_test(done_may_close_the_scope_of_its_job),
        support_test(done_is_called_once_whenever_the_cancellation_comes),
        support_test(simulated_job_cancelled_by_an_earlier_one_never_runs),
        support_test(job_without_a_thread_is_refused_and_with_one_it_waits),
        support_test(loop_without_a_watchdog_thread_is_not_made),
        support_test(failed_allocation_refuses_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
