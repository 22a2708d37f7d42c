/* SPDX-License-Identifier: MIT */
#include "backend/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <weft/error.h>
#include <weft/memory.h>

int thread_make(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret, attributes, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static void *run(void *arg)
{
    struct thread *thread = arg;

    thread->run(thread->arg);
    return NULL;
}

int thread_begin(struct thread *thread)
{
    return thread_make(&thread->thread, NULL, run, thread);
}

int thread_start(struct backend *backend, struct thread **ret, void (*run_)(void *arg), void *arg)
{
    struct thread *thread = weft_allocate(sizeof *thread);
    int status;

    (void)backend;
    if (!thread)
        return WEFT_ENOMEM;
    thread->run = run_;
    thread->arg = arg;
    status = thread_begin(thread);
    if (status < 0) {
        weft_release(thread);
        return status;
    }
    *ret = thread;
    return 0;
}

void thread_join(struct backend *backend, struct thread *thread)
{
    (void)backend;
    pthread_join(thread->thread, NULL);
    weft_release(thread);
}

unsigned long thread_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            return (unsigned long)before;
    }
    return (unsigned long)limit.rlim_cur;
}

unsigned thread_processors(void)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0 || CPU_COUNT(&allowed) < 1)
        return 1;
    return (unsigned)CPU_COUNT(&allowed);
}
