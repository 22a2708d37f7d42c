/* SPDX-License-Identifier: MIT */
/*
 * Calls at intervals (weft/pace.h).
 *
 *   stopped --start--> waits for time <--> calls --> waits for what the call made --> waits for time
 *                                  |          |                                |
 *                                  +-- stop, an error, cancelled --------------+--> stopped, its deferred has fired
 *
 * It runs while `running`; `done` stays until the last call is over.
 */
#include <weft/pace.h>

#include "async/inner.h"

struct weft_looping {
    weft_scope *scope;
    weft_looping_function *function;
    void *arg;
    weft_deferred *done; /* NULL: it has fired */
    weft_timer timer;
    struct loop_task soon; /* queued with the scope pinned */
    bool running, calling;
    bool due; /* `soon` is to call */
    weft_time interval, start;
    int64_t last; /* the number of the interval in which the last call was */
    struct inner inner;
};

static const int none;

static void ended(weft_looping *looping, int status)
{
    weft_deferred *done = looping->done;

    looping->running = looping->due = false;
    looping->done = NULL;
    weft_timer_fini(&looping->timer);
    inner_drop(&looping->inner, WEFT_ECANCELED);
    if (status < 0)
        inner_fail(&looping->inner, done, status);
    else
        (void)weft_deferred_fire(done, &none);
}

/* -- when the next call comes -- */

static void call_soon(weft_looping *looping)
{
    looping->due = true;
    if (looping->soon.next)
        return;
    scope_pin(looping->scope);
    loop_later(looping->scope->loop, &looping->soon);
}

static void schedule(weft_looping *looping)
{
    weft_time since = looping->scope->loop->now - looping->start;

    if (looping->interval == 0)
        call_soon(looping);
    else
        weft_timer_start(&looping->timer, looping->interval - since % looping->interval);
}

/* How many intervals have come since the last call. */
static uint64_t count_intervals(weft_looping *looping)
{
    int64_t before = looping->last;

    if (looping->interval == 0)
        return 1;
    looping->last = (looping->scope->loop->now - looping->start) / looping->interval;
    return (uint64_t)(looping->last - before);
}

/* -- a call -- */

static void go_on(weft_looping *looping, int status)
{
    if (status < 0 || !looping->running)
        ended(looping, status < 0 ? status : 0);
    else
        schedule(looping);
}

static void inner_ended(struct inner *inner, int status)
{
    weft_looping *looping = weft_container_of(inner, weft_looping, inner);

    if (!looping->calling)
        go_on(looping, status);
}

static void call(weft_looping *looping)
{
    weft_scope *scope = looping->scope;
    int status;

    loop_calls(scope->loop, "looping", (uintptr_t)looping->function);
    scope_pin(scope);
    looping->calling = true;
    status = looping->function(looping, count_intervals(looping), looping->arg);
    looping->calling = false;
    if (!looping->done) /* cancelled meanwhile */
        inner_drop(&looping->inner, WEFT_ECANCELED);
    else if (status < 0 || !looping->inner.deferred)
        go_on(looping, status);
    scope_unpin(scope);
}

static void time_came(weft_timer *timer)
{
    call(weft_container_of(timer, weft_looping, timer));
}

static void called_soon(struct loop_task *task)
{
    weft_looping *looping = weft_container_of(task, weft_looping, soon);
    weft_scope *scope = looping->scope;

    if (looping->due && !(looping->done->flags & DEFERRED_DOOMED)) {
        looping->due = false;
        call(looping);
    }
    scope_unpin(scope);
}

/* -- for users -- */

static void freed(void *memory)
{
    weft_failure_unref(((weft_looping *)memory)->inner.failure);
}

weft_looping *weft_looping_new(weft_scope *scope, weft_looping_function *function, void *arg)
{
    weft_looping *looping = scope_allocate(scope, sizeof *looping, freed);

    if (!looping)
        return NULL;
    looping->scope = scope;
    looping->function = function;
    looping->arg = arg;
    looping->soon.run = called_soon;
    looping->inner.ended = inner_ended;
    return looping;
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    weft_looping *looping = arg;

    (void)deferred;
    looping->running = looping->due = false;
    looping->done = NULL;
    weft_timer_fini(&looping->timer);
    inner_drop(&looping->inner, reason);
}

weft_deferred *weft_looping_start_at(weft_looping *looping, weft_time interval, bool now, weft_place place)
{
    weft_deferred *done;

    if (!looping)
        return NULL;
    if (looping->done || interval < 0)
        return weft_deferred_make_failed(looping->scope, &weft_done_type_, interval < 0 ? -EINVAL : -EALREADY, NULL,
                                         place);
    done = weft_deferred_make(looping->scope, &weft_done_type_, 0, cancelled, looping, place);
    if (!done || weft_deferred_fired(done))
        return done;
    looping->done = done;
    if (weft_timer_init(&looping->timer, looping->scope, time_came) < 0)
        return done; /* never: the scope is not cancelled */
    looping->running = true;
    looping->interval = interval;
    looping->start = looping->scope->loop->now;
    looping->last = now ? -1 : 0;
    if (now)
        call_soon(looping);
    else
        schedule(looping);
    return done;
}

int weft_looping_wait(weft_looping *looping, weft_done done)
{
    int status = looping->calling ? inner_wait(&looping->inner, done.deferred) : -EINVAL;

    return status > 0 ? 0 : status;
}

void weft_looping_stop(weft_looping *looping)
{
    if (!looping->running)
        return;
    looping->running = looping->due = false;
    weft_timer_stop(&looping->timer);
    if (!looping->calling && !looping->inner.deferred)
        ended(looping, 0);
}

void weft_looping_reset(weft_looping *looping)
{
    if (!looping->running)
        return;
    looping->start = looping->scope->loop->now;
    looping->last = 0;
    looping->due = false;
    if (!looping->calling && !looping->inner.deferred)
        schedule(looping);
}

bool weft_looping_runs(const weft_looping *looping)
{
    return looping->running;
}
