/* SPDX-License-Identifier: MIT */
/*
 * Threads that look names up (names.h). getaddrinfo cannot be interrupted and
 * may take as long as it likes; so its threads are detached and belong to the
 * process, not to a loop, whose end would have to wait for them.
 *
 * A thread looks up a copy of the name into memory of its own. What ties it
 * to a query is one pointer, which is used only under the lock and which who
 * gives the query up takes away: then there is nobody to report to, and the
 * memory of the query is its loop's alone. Threads are made as queries come,
 * and end when no more wait.
 *
 * A child of fork has none of them: it begins with nothing.
 */
#include "backend/names.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include <weft/error.h>

#include "backend/thread.h"

/* More names than these are not looked up at once, whichever loops they are for; also those count that were given up
 * but hang. */
#define THREADS 16

struct name_thread {
    bool there;
    struct name_query *query; /* that it looks up; NULL if nobody waits for it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct name_thread threads[THREADS];
static size_t thread_count;
static struct name_query *first, *last; /* that wait for a thread */

static struct name_query *next_of(const struct name_query *query)
{
    return query->work.next ? weft_container_of(query->work.next, struct name_query, work) : NULL;
}

/* -- the queue, under the lock -- */

static void append(struct name_query *query)
{
    query->work.next = NULL;
    if (last)
        last->work.next = &query->work;
    else
        first = query;
    last = query;
}

static struct name_query *take_first(void)
{
    struct name_query *query = first;

    if (query)
        first = next_of(query);
    if (!first)
        last = NULL;
    return query;
}

static void withdraw(struct name_query *query)
{
    struct name_query *before = NULL, *at = first;

    for (; at && at != query; at = next_of(at))
        before = at;
    if (!at)
        return;
    if (before)
        before->work.next = query->work.next;
    else
        first = next_of(query);
    if (last == query)
        last = before;
}

/* -- a thread -- */

/* Returns whether there is something to do; without it the thread is no more. */
static bool take(struct name_thread *self, char *host)
{
    struct name_query *query;

    pthread_mutex_lock(&lock);
    query = self->query = take_first();
    if (query) {
        memcpy(host, query->host, sizeof query->host);
    } else {
        self->there = false;
        thread_count--;
    }
    pthread_mutex_unlock(&lock);
    return query != NULL;
}

static void report(struct name_thread *self, int result, const weft_address *addresses)
{
    struct name_query *query;

    pthread_mutex_lock(&lock);
    query = self->query;
    self->query = NULL;
    if (query) {
        query->pending = false;
        query->result = result;
        if (result > 0)
            memcpy(query->addresses, addresses, (size_t)result * sizeof *addresses);
        query->finished(query);
    }
    pthread_mutex_unlock(&lock);
}

static void *look_up(void *arg)
{
    struct name_thread *self = arg;
    weft_address addresses[NAMES_MOST];
    char host[NAMES_LENGTH + 1];

    while (take(self, host))
        report(self, names_resolve(host, addresses, NAMES_MOST), addresses);
    return NULL;
}

/* The stack is as large as the system has it for all: what the resolver loads (nsswitch.conf) was made for that. */
static int make_thread(void)
{
    struct name_thread *self = threads;
    pthread_attr_t attributes;
    pthread_t thread;
    int status;

    while (self->there)
        self++;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    status = thread_make(&thread, &attributes, look_up, self);
    pthread_attr_destroy(&attributes);
    if (status < 0)
        return status;
    self->there = true;
    thread_count++;
    return 0;
}

/* -- fork: the child has the lock as the thread that forked left it, and must find it open -- */

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* What the parent's loops wait for, the parent will tell them; the child can only give it up. */
static void in_child(void)
{
    memset(threads, 0, sizeof threads);
    thread_count = 0;
    first = last = NULL;
    pthread_mutex_unlock(&lock);
}

/* Once; what fails for want of memory is tried again for the next name. */
static int mind_forks(void)
{
    static atomic_bool minded;
    int status;

    if (atomic_exchange(&minded, true))
        return 0;
    status = -pthread_atfork(before_fork, after_fork, in_child);
    if (status < 0)
        atomic_store(&minded, false);
    return status;
}

/* -- for the loops -- */

int name_threads_submit(struct name_query *query)
{
    int status = mind_forks();

    if (status < 0)
        return status;
    pthread_mutex_lock(&lock);
    query->pending = true;
    append(query);
    if (thread_count < THREADS)
        status = make_thread();
    if (thread_count > 0)
        status = 0; /* the threads that there are will do it */
    else
        withdraw(query);
    pthread_mutex_unlock(&lock);
    return status;
}

bool name_threads_cancel(struct name_query *query)
{
    bool pending;

    pthread_mutex_lock(&lock);
    pending = query->pending;
    if (pending) {
        query->pending = false;
        withdraw(query);
        for (size_t i = 0; i < THREADS; i++)
            if (threads[i].query == query)
                threads[i].query = NULL;
    }
    pthread_mutex_unlock(&lock);
    return pending;
}
