/* SPDX-License-Identifier: MIT */
/* What a task can wait for (weft/task.h). */
#include "async/task_internal.h"

#include <weft/log.h>

weft_task *task_that_waits(const char *call, weft_place place)
{
    weft_task *task = weft_task_current();

    if (task && async_current.callbacks == 0)
        return task;
    weft_log(WEFT_LOG_ERROR, "task",
             task                 ? "%s at %s:%d: a callback of a deferred cannot wait; it can return weft_become"
             : async_current.task ? "%s at %s:%d: what a loop calls that a task runs is not that task and cannot wait"
                                  : "%s at %s:%d: only a task can wait; weft_spawn makes one, weft_then waits without",
             call, place.file, place.line);
    return NULL;
}

/* -- deferreds -- */

static weft_deferred *deferred_ready(struct deferred_waiter *waiter)
{
    task_wake(weft_container_of(waiter, weft_task, deferred_waiter));
    return NULL;
}

/* Takes the result, which is ready, and leaves the story of an error where weft_log_error finds it. */
static int take(weft_deferred *deferred, void *out)
{
    weft_scope *scope = deferred->member.scope;

    if (scope && deferred->failure)
        scope_note(scope, deferred->failure);
    return deferred_take(deferred, out);
}

int weft_await_deferred(weft_deferred *deferred, void *out, weft_place place)
{
    weft_task *task = task_that_waits("weft_await", place);
    int status = !task ? WEFT_ENOTASK : deferred ? task_reason(task) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    task->deferred_waiter.ready = deferred_ready;
    status = deferred_wait(deferred, &task->deferred_waiter);
    if (status < 0)
        return status;
    while (!deferred_is_ready(deferred)) {
        deferred->waiter = &task->deferred_waiter; /* again, if since it was ready a callback made it wait */
        task_park(task, "a deferred", deferred->type->name, place);
        status = task_reason(task);
        if (status < 0) {
            deferred_unwait(deferred);
            return status;
        }
    }
    return take(deferred, out);
}

/* -- time -- */

static void time_passed(weft_timer_entry *entry)
{
    task_wake(weft_container_of(entry, weft_task, timer));
}

int weft_task_sleep(weft_time delay, weft_place place)
{
    weft_task *task = task_that_waits("weft_sleep", place);
    int status = task ? task_reason(task) : WEFT_ENOTASK;

    if (status < 0)
        return status;
    wheel_entry_init(&task->timer, time_passed);
    loop_timer_start(task->loop, &task->timer, delay < 0 ? 0 : delay);
    task->loop->waiting++;
    do {
        task_park(task, "time", "weft_sleep", place);
        status = task_reason(task);
    } while (status == 0 && (wheel_entry_active(&task->timer) || delay == WEFT_NEVER));
    task->loop->waiting--;
    wheel_stop(&task->loop->wheel, &task->timer);
    return status;
}

int weft_task_yield(weft_place place)
{
    weft_task *task = task_that_waits("weft_yield", place);
    int status = task ? task_reason(task) : WEFT_ENOTASK;

    if (status < 0)
        return status;
    loop_later(task->loop, &task->ready); /* behind what is ready, and behind the next turn's I/O if that has begun */
    task_park(task, "its turn", "weft_yield", place);
    return task_reason(task);
}

/* -- scopes -- */

/* Whether @p task is in @p scope, in any depth: it would wait for itself. */
static bool is_inside(const weft_task *task, const weft_scope *scope)
{
    for (const weft_scope *at = task->member.scope; at; at = weft_scope_parent(at))
        if (at == scope)
            return true;
    for (const weft_scope *at = task->shield; at; at = weft_scope_parent(at))
        if (at == scope)
            return true;
    return false;
}

static int outcome(weft_scope *scope)
{
    int error = weft_scope_error(scope);

    return error ? error : weft_scope_cancelled(scope);
}

static int wait_until_idle(weft_task *task, weft_scope *scope, weft_place place)
{
    int status;

    while (scope->count > scope->idle) {
        status = scope_watch(scope, &task->scope_watcher);
        if (status < 0)
            return status;
        task_park(task, "a scope", weft_scope_name(scope), place);
        status = task_reason(task);
        if (status < 0) {
            (void)scope_watch(scope, NULL);
            return status;
        }
    }
    return outcome(scope);
}

int weft_task_wait_scope(weft_scope *scope, weft_place place)
{
    weft_task *task = task_that_waits("weft_scope_wait", place);
    int status = !task ? WEFT_ENOTASK : scope ? task_reason(task) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    if (is_inside(task, scope))
        return -EDEADLK;
    scope_pin(scope); /* somebody may close it meanwhile */
    status = wait_until_idle(task, scope, place);
    scope_unpin(scope);
    return status;
}

int weft_task_finish_scope(weft_scope *scope, weft_place place)
{
    weft_task *task = scope ? task_that_waits("weft_scope_finish", place) : NULL;
    int error = 0, status = task ? 0 : WEFT_ENOTASK;

    if (!scope)
        return 0;
    if (task && is_inside(task, scope))
        status = -EDEADLK;
    scope_pin(scope);
    weft_scope_close(scope);
    while (status == 0 && weft_scope_count(scope) > 0) {
        status = scope_watch(scope, &task->scope_watcher);
        if (status == 0)
            task_park(task, "the end of a scope", weft_scope_name(scope), place);
    }
    error = weft_scope_error(scope);
    scope_unpin(scope);
    return status < 0 ? status : error;
}

/* -- a part that is not interrupted -- */

static void shield_ended(weft_scope_member *member, int reason)
{
    weft_task *task = weft_container_of(member, weft_task, shield_member);

    (void)reason;
    if (member->scope->closing) {
        scope_leave(member);
        task->shield = NULL;
    }
    if (task->waits)
        task_wake(task);
}

static const struct scope_member_class shield_class = {.kind = "shield", .cancel = shield_ended};

weft_scope *weft_shield(weft_time timeout)
{
    weft_task *task = weft_task_current();
    weft_scope *own, *shield;

    if (!task || task->shield)
        return NULL;
    own = weft_task_scope(task);
    shield = weft_scope_open_shielded(own ? own : task->member.scope, timeout);
    if (!shield)
        return NULL;
    scope_hold(shield); /* the task closes it, even if what it is in has closed before */
    weft_scope_set_name(shield, "shield");
    if (scope_join(shield, &task->shield_member, &shield_class) < 0) {
        weft_scope_close(shield);
        return NULL;
    }
    task->shield = shield;
    return shield;
}
