/* SPDX-License-Identifier: MIT */
/*
 * The inside of a task.
 *
 *   queued --> runs <--> parked --> ended (its function returned) --> over (all that it made has ended, too)
 *
 * The struct lies at the high end of the task's own stack: spawning one that
 * finds a free stack allocates nothing.
 */
#ifndef ASYNC_TASK_INTERNAL_H
#define ASYNC_TASK_INTERNAL_H

#include <weft/task.h>

#include "async/context.h"
#include "async/deferred_internal.h"
#include "async/stack_pool.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

/* What the tasks of a loop share. */
struct task_runtime {
    struct loop_slot slot;
    struct stack_pool *stacks;
    struct context main; /* the loop's own */
    weft_task *direct;   /* goes on inside of a delivery (task_run_now); or NULL */
};

struct weft_task {
    weft_scope_member member;        /* in the scope in which it was spawned */
    weft_scope_member shield_member; /* in `shield` */
    struct loop_task ready;          /* queued: it can go on */
    struct context context;
    struct stack stack;
    weft_loop *loop;
    weft_task_function *function; /* one of the two */
    void (*plain)(weft_task *me, void *arg);
    void *arg;
    const char *name;
    weft_place place;
    weft_scope *own;    /* weft_task_scope, or NULL */
    weft_scope *shield; /* NULL: waits are interrupted by cancellation */
    weft_deferred *done;
    int cancelled, result;
    int cancelled_first; /* the reason that some of its waits may have returned before `cancelled` took its place */
    bool began, ended;
    bool failed;       /* by itself, not because somebody had cancelled it */
    bool detached;     /* its deferred was cancelled: nobody waits for its end */
    const char *waits; /* for what, while it is parked; else NULL */
    const char *waits_name;
    weft_place waits_at;
    weft_time since;
    struct deferred_waiter deferred_waiter;
    struct scope_watcher scope_watcher;
    weft_timer_entry timer;
};

/* What runs on this thread. */
struct async_current {
    weft_task *task;
    unsigned depth; /* of turns in each other when it began to run: what a turn inside of it calls is not the task */
    unsigned callbacks; /* of deferreds, in each other: no task can wait there */
    bool prepared;      /* for the report of an overflow */
};

extern _Thread_local struct async_current async_current __attribute__((tls_model("initial-exec")));

/* The task that may wait here; NULL if none may, which is logged with @p place. */
weft_task *task_that_waits(const char *call, weft_place place);
/* Why @p task must not wait (any longer): 0, or the reason. */
static inline int task_reason(const weft_task *task)
{
    return task->shield ? task->shield->cancelled : task->cancelled;
}
/* Stops the running @p task until task_wake, which may come for other reasons, too. @p what and @p name say for what
 * it waits, @p place where. */
void task_park(weft_task *task, const char *what, const char *name, weft_place place);
/* Lets @p task go on, in this turn or the next. */
static inline void task_wake(weft_task *task)
{
    loop_ready(task->loop, &task->ready);
}

/* Lets @p task, which is parked and not queued, go on now. Only from the loop, never from a call of a user's. Returns
 * false, and does nothing, where that is not so. */
bool task_run_now(weft_task *task);

#endif
