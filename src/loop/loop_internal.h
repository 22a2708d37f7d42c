/* SPDX-License-Identifier: MIT */
/*
 * The inside of a loop, for the floors that stand on it.
 */
#ifndef LOOP_LOOP_INTERNAL_H
#define LOOP_LOOP_INTERNAL_H

#include <stdatomic.h>

#include <weft/loop.h>
#include <weft/signal.h>

#include "backend/backend.h"
#include "loop/wheel.h"

/* Something to do later in this turn (or, if that step is over, in the next). Embedded. */
struct loop_task {
    struct loop_task *next; /* NULL and not queued, or the next; the last points to itself */
    void (*run)(struct loop_task *task);
};

/* The bytes that are being delivered, and on which stream (stream_output.c). */
struct stream_borrow {
    const void *stream; /* NULL: none */
    weft_bytes bytes;
    weft_owner owner; /* of those that were queued without a copy; its last reference is the loop's */
};

struct weft_loop {
    struct backend *backend;
    weft_time now;
    const char *running; /* the callback that runs; the watchdog reads it, so it is set with loop_enters */
    uint64_t turn;       /* read by the watchdog, too */
    weft_time wall;      /* the wall clock, as of turn wall_turn */
    uint64_t wall_turn;
    weft_chunk_pool *chunks;
    struct loop_task *pending_first, *pending_last;
    struct loop_task *reap_first;
    struct wheel wheel;
    weft_link due; /* timers whose time has come */
    _Atomic(weft_post *) posts;
    atomic_bool wake_sent;
    bool stopping;
    size_t waiting; /* what weft_loop_run waits for: streams, listeners, started timers, signals, jobs */
    weft_scope *root;
    weft_link signals;         /* the watches; while a signal is delivered, those that had their turn */
    weft_link signals_waiting; /* and those that have not */
    struct stream_borrow borrow;
    weft_counters counters;
    struct watchdog *watchdog;
    struct backend_host host;
};

/* The backend's report of a signal (signal.c). */
void loop_signalled(struct backend_host *host, int number);

/* Says which callback runs now; NULL while the loop waits. For the watchdog: a plain store, but not a data race. */
static inline void loop_enters(weft_loop *loop, const char *name)
{
    __atomic_store_n(&loop->running, name, __ATOMIC_RELAXED);
}

/* A weft_timer whose time has come (timer.c). */
void timer_fire(weft_loop *loop, weft_timer_entry *entry);

/* Queues @p task, unless it is queued already. */
static inline void loop_later(weft_loop *loop, struct loop_task *task)
{
    if (task->next)
        return;
    task->next = task;
    if (loop->pending_last)
        loop->pending_last->next = task;
    else
        loop->pending_first = task;
    loop->pending_last = task;
}

/* Runs @p task when this turn is over and no callback or event of it can still refer to the object it frees. The task
 * must not be queued. */
static inline void loop_reap(weft_loop *loop, struct loop_task *task)
{
    task->next = loop->reap_first;
    loop->reap_first = task;
}

static inline void loop_timer_start(weft_loop *loop, weft_timer_entry *entry, weft_time delay)
{
    wheel_start(&loop->wheel, entry, delay >= WEFT_NEVER - loop->now ? WEFT_NEVER : loop->now + delay);
}

#endif
