/* SPDX-License-Identifier: MIT */
/*
 * The life of a task (weft/task.h); its waits are in task_wait.c.
 *
 * Tasks are switched to from one place only, the loop's queue of what is
 * ready, and switch back to the loop only. So no call into Weft runs another
 * task before it returns, unless it is one that waits.
 */
#include "async/task_internal.h"

#include <stdio.h>

#include <weft/log.h>
#include <weft/memory.h>

#include "base/options.h"

_Thread_local struct async_current async_current;

/* -- what the tasks of a loop share -- */

static void runtime_free(struct loop_slot *slot)
{
    struct task_runtime *runtime = weft_container_of(slot, struct task_runtime, slot);

    stack_pool_free(runtime->stacks);
    weft_release(runtime);
}

static bool turns(weft_loop *loop);

static int runtime_of(weft_loop *loop, struct task_runtime **ret)
{
    static const char kind;
    struct task_runtime *runtime = loop->tasks;
    int status;

    if (!runtime) {
        runtime = weft_allocate_zeroed(1, sizeof *runtime);
        status = runtime ? stack_pool_new(&runtime->stacks) : WEFT_ENOMEM;
        if (status < 0) {
            weft_release(runtime);
            return status;
        }
        loop_slot_enter(loop, &runtime->slot, &kind, runtime_free);
        loop->tasks = runtime;
        loop->task_turns = turns;
    }
    *ret = runtime;
    return 0;
}

/* -- the end -- */

static bool has_failed(const weft_task *task)
{
    return task->result < 0 && task->result != task->cancelled && task->result != task->cancelled_first &&
           weft_error_class_of(task->result) != WEFT_CLASS_CANCELLED;
}

static void tell_failure(const weft_task *task)
{
    weft_log_field field = {.name = "error", .text = weft_bytes_from(weft_error_name(task->result))};

    weft_log_fields(WEFT_LOG_ERROR, "task", &field, 1, "the task \"%s\" failed after its deferred was cancelled: %s",
                    task->name, weft_error_text(task->result));
}

static void over(weft_task *task)
{
    struct task_runtime *runtime = task->loop->tasks;
    weft_scope *scope = task->member.scope;
    weft_deferred *done = task->done;
    int result = task->result, none = 0;
    bool fails_scope = task->failed && !task->detached;
    struct stack stack = task->stack;

    if (task->failed && task->detached)
        tell_failure(task);
    context_release(&task->context);
    scope_pin(scope);
    scope_leave(&task->member);
    stack_pool_give(runtime->stacks, &stack);
    if (done && result < 0)
        (void)weft_deferred_fail(done, result);
    else if (done)
        (void)weft_deferred_fire(done, &none);
    else if (fails_scope)
        scope_fail(scope, result);
    scope_unpin(scope);
}

static void emptied(struct scope_watcher *watcher) WEFT_NONBLOCKING
{
    task_wake(weft_container_of(watcher, weft_task, scope_watcher));
}

/* Closes what the task made and waits for its end. Nothing interrupts this: it has been cancelled. */
static void close_own(weft_task *task)
{
    weft_scope *own = task->own;

    if (!own)
        return;
    weft_scope_close(own);
    while (own->count > 0) {
        own->closer = &task->scope_watcher;
        task_park(task, "the end of what it made", weft_scope_name(own), task->place);
    }
    scope_unpin(own);
}

static void body(void *arg)
{
    weft_task *task = arg;
    struct task_runtime *runtime = task->loop->tasks;

    if (task->plain)
        task->plain(task, task->arg);
    else
        task->result = task->function(task, task->arg);
    if (task->result >= 0)
        task->result = 0;
    task->failed = has_failed(task);
    task->cancelled = task->cancelled ? task->cancelled : WEFT_ECANCELED; /* what still calls on it cannot wait */
    weft_scope_close(task->shield);
    close_own(task);
    task->ended = true;
    context_leave(&task->context, &runtime->main);
}

/* -- running -- */

static void run(struct loop_task *ready)
{
    weft_task *task = weft_container_of(ready, weft_task, ready);
    struct task_runtime *runtime = task->loop->tasks;
    struct async_current before = async_current; /* a task may run a loop of its own */
    struct context outer = runtime->main;        /* or turns of the loop that it is in */

    if (!task->began && task->cancelled) {
        task->result = task->cancelled;
        over(task);
        return;
    }
    task->began = true;
    task->waits = NULL;
    loop_calls(task->loop, task->name, (uintptr_t)task->function | (uintptr_t)task->plain);
    if (!before.prepared)
        stack_fault_prepare();
    async_current = (struct async_current){.task = task, .depth = loop_depth, .prepared = true};
    context_switch(&runtime->main, &task->context);
    loop_task_waits(task->loop);
    runtime->main = outer;
    async_current = before;
    async_current.prepared = true;
    if (task->ended)
        over(task);
}

bool task_run_now(weft_task *task)
{
    struct task_runtime *runtime;

    if (async_current.task || async_current.callbacks || task->ready.next || !task->waits)
        return false;
    runtime = task->loop->tasks;
    runtime->direct = task;
    run(&task->ready);
    runtime->direct = NULL;
    return true;
}

void task_park(weft_task *task, const char *what, const char *name, weft_place place)
{
    struct task_runtime *runtime = task->loop->tasks;

    task->waits = what;
    task->waits_name = name;
    task->waits_at = place;
    task->since = task->loop->now;
    context_switch(&task->context, &runtime->main);
}

/* Whether who asks for a turn of @p loop is a task of it. One that goes on inside of a delivery lets that end first. */
static bool turns(weft_loop *loop)
{
    struct task_runtime *runtime = loop->tasks;
    weft_task *task = weft_task_current();

    if (!task || task->loop != loop)
        return false;
    if (runtime->direct != task)
        return true;
    if (async_current.callbacks > 0)
        return false; /* it cannot wait */
    task_wake(task);
    task_park(task, "its turn", "weft_loop_run", task->place);
    return true;
}

/* -- cancelling -- */

static void cancel_task(weft_task *task, int reason)
{
    if (!task->cancelled)
        task->cancelled_first = reason;
    if (!task->cancelled || scope_outranks(reason, task->cancelled))
        task->cancelled = reason;
    if (task->waits && !task->shield)
        task_wake(task);
}

static void cancelled(weft_scope_member *member, int reason)
{
    cancel_task(weft_container_of(member, weft_task, member), reason);
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const weft_task *task = weft_container_of(member, const weft_task, member);

    if (task->waits)
        snprintf(buffer, size, " \"%s\": waits for %s (%s) at %s:%d for %.3f s", task->name, task->waits,
                 task->waits_name, task->waits_at.file, task->waits_at.line,
                 (double)(task->loop->now - task->since) / (double)WEFT_SECONDS(1));
    else
        snprintf(buffer, size, " \"%s\": %s, spawned at %s:%d", task->name, task->began ? "runs" : "has not begun",
                 task->place.file, task->place.line);
}

static const struct scope_member_class task_class = {.kind = "task", .cancel = cancelled, .describe = describe};

/* -- the beginning -- */

/* Puts the struct of a task at the high end of its stack, and its context below. */
static weft_task *place_task(const struct stack *stack)
{
    uintptr_t high = (uintptr_t)stack->low + stack->size - sizeof(weft_task);
    weft_task *task = (weft_task *)(high & ~(uintptr_t)63);

    memset(task, 0, sizeof *task);
    task->stack = *stack;
    context_make(&task->context, stack->low, (size_t)((char *)task - stack->low), body, task);
    return task;
}

static int spawn(weft_scope *scope, const weft_task_options *options, const char *name, weft_place place,
                 weft_task **ret_task)
{
    weft_task_options known = {0};
    struct task_runtime *runtime;
    struct stack stack;
    weft_task *task;
    int status = scope ? scope->cancelled : WEFT_ENOMEM;

    if (status == 0)
        status = options_copy(&known, sizeof known, options);
    if (status == 0)
        status = runtime_of(scope->loop, &runtime);
    if (status == 0)
        status = stack_pool_take(runtime->stacks, known.stack, &stack);
    if (status < 0)
        return status;
    task = place_task(&stack);
    (void)scope_join(scope, &task->member, &task_class);
    task->loop = scope->loop;
    task->name = known.name ? known.name : name;
    task->place = place;
    task->ready.run = run;
    task->scope_watcher.emptied = emptied;
    stack_set_name(&stack, task->name);
    if (known.keep_fp)
        context_keep_fp(&task->context);
    task_wake(task);
    *ret_task = task;
    return 0;
}

int weft_task_spawn(weft_scope *scope, weft_task_function *function, void *arg, const weft_task_options *options,
                    const char *name, weft_place place)
{
    weft_task *task;
    int status = spawn(scope, options, name, place, &task);

    if (status < 0)
        return status;
    task->function = function;
    task->arg = arg;
    return 0;
}

int weft_task_spawn_plain(weft_scope *scope, void (*function)(weft_task *me, void *arg), void *arg,
                          const weft_task_options *options, const char *name, weft_place place)
{
    weft_task *task;
    int status = spawn(scope, options, name, place, &task);

    if (status < 0)
        return status;
    task->plain = function;
    task->arg = arg;
    return 0;
}

/* -- a task whose end is a deferred -- */

static void canceller(weft_deferred *deferred, int reason, void *arg)
{
    weft_task **task = weft_deferred_room(deferred);

    (void)arg;
    if (!*task)
        return;
    (*task)->done = NULL;
    (*task)->detached = true;
    cancel_task(*task, reason);
}

static weft_deferred *spawn_done(weft_scope *scope, const weft_task_options *options, const char *name,
                                 weft_place place, weft_task **ret_task)
{
    weft_deferred *done = weft_deferred_make(scope, &weft_done_type_, sizeof *ret_task, canceller, NULL, place);
    int status;

    *ret_task = NULL;
    if (!done || weft_deferred_fired(done))
        return done;
    status = spawn(scope, options, name, place, ret_task);
    if (status < 0) {
        (void)weft_deferred_fail(done, status);
        return done;
    }
    *(weft_task **)weft_deferred_room(done) = *ret_task;
    (*ret_task)->done = done;
    return done;
}

weft_deferred *weft_task_spawn_done(weft_scope *scope, weft_task_function *function, void *arg,
                                    const weft_task_options *options, const char *name, weft_place place)
{
    weft_task *task;
    weft_deferred *done = spawn_done(scope, options, name, place, &task);

    if (task) {
        task->function = function;
        task->arg = arg;
    }
    return done;
}

weft_deferred *weft_task_spawn_done_plain(weft_scope *scope, void (*function)(weft_task *me, void *arg), void *arg,
                                          const weft_task_options *options, const char *name, weft_place place)
{
    weft_task *task;
    weft_deferred *done = spawn_done(scope, options, name, place, &task);

    if (task) {
        task->plain = function;
        task->arg = arg;
    }
    return done;
}

/* -- about tasks -- */

weft_task *weft_task_current(void)
{
    return async_current.depth == loop_depth ? async_current.task : NULL;
}

weft_scope *weft_task_scope(weft_task *task)
{
    if (!task->own && (task->own = scope_open_held(task->member.scope, task->name)))
        scope_pin(task->own); /* until the task ends (close_own), even if it closes it itself */
    return task->own;
}

weft_loop *weft_task_loop(const weft_task *task)
{
    return task->loop;
}

const char *weft_task_name(const weft_task *task)
{
    return task->name;
}

int weft_task_cancelled(const weft_task *task)
{
    return task->cancelled;
}
