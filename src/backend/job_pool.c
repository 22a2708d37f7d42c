/* SPDX-License-Identifier: MIT */
/*
 * The pool of threads for blocking jobs. Threads are made as jobs come, up to
 * the limit, and live until the pool is freed. A job that is done is
 * reported from job_pool_collect, on the loop's thread.
 */
#include "backend/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <weft/memory.h>

#include "backend/thread.h"

#define STACK (256 * 1024)

struct job_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    weft_work *first, *last;
    _Atomic(weft_work *) done;
    struct backend *backend;
    size_t queued, idle, made, limit;
    bool ending;
    pthread_t *threads; /* `made` of them */
};

static weft_work *take_job(struct job_pool *pool)
{
    weft_work *job;

    pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!pool->first && !pool->ending)
        pthread_cond_wait(&pool->work, &pool->lock);
    pool->idle--;
    job = pool->first;
    if (job) {
        pool->queued--;
        pool->first = job->next;
        if (!pool->first)
            pool->last = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void report(struct job_pool *pool, weft_work *job)
{
    job->next = atomic_load(&pool->done);
    while (!atomic_compare_exchange_weak(&pool->done, &job->next, job))
        ;
    pool->backend->ops->wake(pool->backend);
}

void job_pool_collect(struct job_pool *pool)
{
    weft_work *job, *ordered = NULL;

    if (!pool || !atomic_load_explicit(&pool->done, memory_order_relaxed))
        return;
    job = atomic_exchange(&pool->done, NULL);
    while (job) {
        weft_work *next = job->next;
        job->next = ordered;
        ordered = job;
        job = next;
    }
    while (ordered) {
        job = ordered;
        ordered = job->next;
        job->done(job);
    }
}

static void *run_jobs(void *arg)
{
    struct job_pool *pool = arg;
    weft_work *job;

    while ((job = take_job(pool)) != NULL) {
        job->run(job);
        report(pool, job);
    }
    return NULL;
}

static int make_thread(struct job_pool *pool)
{
    pthread_t *threads = weft_reallocate(pool->threads, (pool->made + 1) * sizeof *threads);
    pthread_attr_t attributes;
    int status;

    if (!threads)
        return WEFT_ENOMEM;
    pool->threads = threads;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    status = thread_make(&pool->threads[pool->made], &attributes, run_jobs, pool);
    pthread_attr_destroy(&attributes);
    if (status == 0)
        pool->made++;
    return status;
}

static struct job_pool *pool_new(struct backend *backend)
{
    struct job_pool *pool = weft_allocate_zeroed(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->limit = backend->job_threads;
    pool->backend = backend;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    return pool;
}

int job_pool_submit(struct job_pool **ret_pool, struct backend *backend, weft_work *job)
{
    struct job_pool *pool = *ret_pool ? *ret_pool : pool_new(backend);
    int status = 0;

    if (!pool)
        return WEFT_ENOMEM;
    *ret_pool = pool;
    pthread_mutex_lock(&pool->lock);
    /* An idle thread that was signalled stays idle until it runs: what is queued already is for it. */
    if (pool->queued >= pool->idle && pool->made < pool->limit)
        status = make_thread(pool);
    if (pool->made > 0) {
        status = 0; /* the threads that there are will do it */
        job->next = NULL;
        pool->queued++;
        if (pool->last)
            pool->last->next = job;
        else
            pool->first = job;
        pool->last = job;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return status;
}

bool job_pool_cancel(struct job_pool *pool, weft_work *job)
{
    weft_work *before = NULL, *at;

    pthread_mutex_lock(&pool->lock);
    for (at = pool->first; at && at != job; at = at->next)
        before = at;
    if (at) {
        pool->queued--;
        if (before)
            before->next = at->next;
        else
            pool->first = at->next;
        if (pool->last == at)
            pool->last = before;
    }
    pthread_mutex_unlock(&pool->lock);
    return at != NULL;
}

void job_pool_free(struct job_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->made; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    weft_release(pool->threads);
    weft_release(pool);
}
