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

/* What a delivery writes on its stream, or a task until it waits, is gathered here if it is little: there is nothing to
 * keep when it is over. */
#define STREAM_STAGE (4 * 1024)

/* The bytes that are being delivered, on which stream, and what that has written so far (stream_output.c); or the stream
 * on which the task that runs writes. */
struct stream_borrow {
    const void *stream;                  /* NULL: none */
    void (*task_waits)(weft_loop *loop); /* to be called when the task that writes waits or ends; NULL: it is none */
    unsigned kept;                       /* whole buffers that tasks hold (task_stream.c) */
    weft_bytes bytes;
    weft_owner owner;    /* of those that were queued without a copy; its last reference is the loop's */
    size_t staged, room; /* bytes in `stage`, and how many more may come; no room if they go to the queue */
    char stage[STREAM_STAGE];
};

/* What a floor above keeps with a loop, one of its kind, which is found by its key: the address of something that the kind
 * has to itself. Embedded. */
struct loop_slot {
    weft_link link;
    const void *key;
    void (*destroy)(struct loop_slot *slot);
};

/* Memory of one size that was given back, for the next of its kind. */
struct loop_spare {
    struct loop_spare *next;
};

/* How much is done, or kept, at once. */
struct loop_bounds {
    unsigned timers, tasks; /* that have their turn in one turn of the loop */
    unsigned sends, runs;   /* of one stream in a turn; of bytes in one send */
    unsigned spares;        /* memory of deferreds that is kept */
    unsigned stage;         /* bytes that are staged */
};

struct weft_loop {
    struct backend *backend;
    struct loop_bounds bounds;
    weft_time now;
    struct backend_running running; /* what runs now, for the watchdog; set with loop_enters and loop_calls */
    uint64_t turn;                  /* read by the watchdog, too */
    weft_time wall;                 /* the wall clock, as of turn wall_turn */
    uint64_t wall_turn;
    weft_chunk_pool *chunks;
    weft_link slots;
    void *tasks;               /* what is in the slot of task.c: each switch needs it */
    struct loop_spare *spares; /* memory of deferreds */
    unsigned spare_count;
    struct loop_task *ready_first, *ready_last; /* tasks that can go on */
    struct loop_task *pending_first, *pending_last;
    struct loop_task *reap_first;
    struct wheel wheel;
    weft_link due; /* timers whose time has come */
    _Atomic(weft_post *) posts;
    atomic_bool wake_sent;
    bool stopping;
    bool turning;                        /* a turn is under way */
    bool (*task_turns)(weft_loop *loop); /* whether a task asks for a turn inside of it; it may first have to wait until
                                            it can have one. NULL: there are no tasks */
    size_t waiting; /* what weft_loop_run waits for: streams, listeners, started timers, signals, jobs */
    weft_scope *root;
    weft_link prepares;        /* who is asked before a sleep */
    weft_link signals;         /* the watches; while a signal is delivered, those that had their turn */
    weft_link signals_waiting; /* and those that have not */
    struct stream_borrow borrow;
    weft_counters counters;
    struct watchdog *watchdog;
    struct backend_host host;
};

/* How many turns, of whatever loops, are run on this thread in each other. */
extern _Thread_local unsigned loop_depth __attribute__((tls_model("initial-exec")));

/* The task that runs waits, ends, or runs a turn: what it has written goes out. */
static inline void loop_task_waits(weft_loop *loop)
{
    if (loop->borrow.task_waits)
        loop->borrow.task_waits(loop);
}

/* The backend's report of a signal (signal.c). */
void loop_signalled(struct backend_host *host, int number);

/* Calls who wants to be asked before the loop sleeps (prepare.c). */
void loop_sleeps(weft_loop *loop);

/* Lets the loop end although @p signal, which has been started, is watched. */
void signal_set_background(weft_signal *signal);

/* Says which callback runs now, by its kind and its address. For the watchdog: plain stores, but not data races. */
static inline void loop_calls(weft_loop *loop, const char *name, uintptr_t function)
{
    __atomic_store_n(&loop->running.function, function, __ATOMIC_RELAXED);
    __atomic_store_n(&loop->running.name, name, __ATOMIC_RELAXED);
}

/* The same for what is no single function; NULL while the loop waits. */
static inline void loop_enters(weft_loop *loop, const char *name)
{
    loop_calls(loop, name, 0);
}

/* Keeps @p slot with @p loop. @p destroy is called at the loop's end, when its scopes are gone, unless it has left; NULL
 * if it always will have. */
void loop_slot_enter(weft_loop *loop, struct loop_slot *slot, const void *key, void (*destroy)(struct loop_slot *slot));
/* Returns NULL if there is none. */
struct loop_slot *loop_slot_find(const weft_loop *loop, const void *key);
/* One that has not entered does nothing, if it is zero or has left before. */
void loop_slot_leave(struct loop_slot *slot);
/* The last that entered first. */
void loop_slots_destroy(weft_loop *loop);

#define LOOP_SPARES_MOST 1024
/* Sends of one stream in one turn: a gathering write and a stretch of a file behind it. */
#define LOOP_SENDS_MOST 2

/* Memory for a deferred that an earlier one has left; NULL if there is none. */
static inline void *loop_spare_take(weft_loop *loop)
{
    struct loop_spare *spare = loop->spares;

    if (spare) {
        loop->spares = spare->next;
        loop->spare_count--;
    }
    return spare;
}

/* Keeps the memory of a deferred for the next, or releases it. */
void loop_spare_put(weft_loop *loop, void *memory);

/* A weft_timer whose time has come (timer.c). */
void timer_fire(weft_loop *loop, weft_timer_entry *entry);

/* Appends @p task to the queue from @p first to @p last, unless it is in one already. */
static inline void loop_queue(struct loop_task **first, struct loop_task **last, struct loop_task *task)
{
    if (task->next)
        return;
    task->next = task;
    if (*last)
        (*last)->next = task;
    else
        *first = task;
    *last = task;
}

/* Queues @p task for the end of this turn, unless it is queued already. */
static inline void loop_later(weft_loop *loop, struct loop_task *task)
{
    loop_queue(&loop->pending_first, &loop->pending_last, task);
}

/* Queues @p task, which goes on with a coroutine, for this turn, before what loop_later queues. */
static inline void loop_ready(weft_loop *loop, struct loop_task *task)
{
    loop_queue(&loop->ready_first, &loop->ready_last, task);
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
