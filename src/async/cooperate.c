/* SPDX-License-Identifier: MIT */
/*
 * Work in small steps (weft/pace.h).
 *
 * A job lies in the room of its deferred. It is in the list `ready` of its
 * cooperator, or, while it is paused or waits for something, in `idle`. While
 * `ready` is not empty the cooperator is queued for the end of each turn.
 */
#include <weft/pace.h>

#include <weft/log.h>

#include "async/inner.h"
#include "async/waiters.h"

#define BUDGET WEFT_MILLISECONDS(1)
/* Steps in a turn at most: the simulator's time does not pass within one. */
#define STEPS_PER_TURN 1024

struct weft_cooperator {
    weft_scope *scope;
    weft_time budget;
    weft_link ready, idle;
    struct loop_task turn; /* queued with the scope pinned */
};

struct job {
    weft_link link;
    weft_cooperator *cooperator;
    weft_deferred *deferred;
    weft_step_function *step;
    void *arg;
    unsigned pauses;
    struct inner inner;
};

static const int none;

static void call_soon(weft_cooperator *cooperator)
{
    if (cooperator->turn.next || weft_link_is_alone(&cooperator->ready))
        return;
    scope_pin(cooperator->scope);
    loop_later(cooperator->scope->loop, &cooperator->turn);
}

/* Puts @p job at the end of the list in which it belongs. */
static void place_job(struct job *job)
{
    weft_cooperator *cooperator = job->cooperator;
    bool is_idle = job->pauses > 0 || job->inner.deferred;

    weft_link_remove(&job->link);
    if (!cooperator || weft_deferred_fired(job->deferred))
        return; /* it is gone, and the job is about to be cancelled */
    weft_link_insert_before(is_idle ? &cooperator->idle : &cooperator->ready, &job->link);
    call_soon(cooperator);
}

/* -- the end of a job -- */

static void end(struct job *job, int status)
{
    weft_link_remove(&job->link);
    inner_drop(&job->inner, WEFT_ECANCELED);
    if (status < 0) {
        inner_fail(&job->inner, job->deferred, status);
        return;
    }
    weft_failure_unref(job->inner.failure);
    job->inner.failure = NULL;
    (void)weft_deferred_fire(job->deferred, &none);
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct job *job = weft_deferred_room(deferred);

    (void)arg;
    weft_link_remove(&job->link);
    inner_drop(&job->inner, reason);
    weft_failure_unref(job->inner.failure);
    job->inner.failure = NULL;
}

static void inner_ended(struct inner *inner, int status)
{
    struct job *job = weft_container_of(inner, struct job, inner);

    if (status < 0)
        end(job, status);
    else
        place_job(job);
}

/* -- steps -- */

static void step(struct job *job)
{
    weft_deferred *deferred = job->deferred;
    int status;

    if (deferred->flags & DEFERRED_DOOMED) {
        weft_link_remove(&job->link); /* about to be cancelled */
        return;
    }
    place_job(job); /* behind the others */
    loop_calls(job->cooperator->scope->loop, "step", (uintptr_t)job->step);
    weft_deferred_ref(deferred);
    status = job->step((weft_done){deferred}, job->arg);
    if (!weft_deferred_fired(deferred) && status <= 0)
        end(job, status);
    weft_deferred_unref(deferred);
}

static void turn(struct loop_task *task)
{
    weft_cooperator *cooperator = weft_container_of(task, weft_cooperator, turn);
    weft_scope *scope = cooperator->scope;
    struct backend *backend = scope->loop->backend;
    weft_time began = backend->ops->now(backend);

    for (int steps = 0; steps < STEPS_PER_TURN && !weft_link_is_alone(&cooperator->ready); steps++) {
        if (steps > 0 && backend->ops->now(backend) - began >= cooperator->budget)
            break;
        step(weft_container_of(cooperator->ready.next, struct job, link));
    }
    call_soon(cooperator);
    scope_unpin(scope);
}

/* -- for users -- */

static void doom(weft_link *list)
{
    while (!weft_link_is_alone(list)) {
        struct job *job = weft_container_of(list->next, struct job, link);
        weft_link_remove(&job->link);
        job->cooperator = NULL;
        waiter_doom(job->deferred);
    }
}

static void freed(void *memory)
{
    weft_cooperator *cooperator = memory;

    doom(&cooperator->ready);
    doom(&cooperator->idle);
}

weft_cooperator *weft_cooperator_new(weft_scope *scope, weft_time budget)
{
    weft_cooperator *cooperator = scope_allocate(scope, sizeof *cooperator, freed);

    if (!cooperator)
        return NULL;
    cooperator->scope = scope;
    cooperator->budget = budget > 0 ? budget : BUDGET;
    weft_link_init(&cooperator->ready);
    weft_link_init(&cooperator->idle);
    cooperator->turn.run = turn;
    return cooperator;
}

weft_deferred *weft_cooperate_at(weft_scope *scope, weft_cooperator *cooperator, weft_step_function *step_function,
                                 void *arg, weft_place place)
{
    weft_deferred *deferred;
    struct job *job;

    if (!cooperator)
        return NULL;
    deferred = weft_deferred_make(scope, &weft_done_type_, sizeof *job, cancelled, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    job = weft_deferred_room(deferred);
    weft_link_init(&job->link);
    job->cooperator = cooperator;
    job->deferred = deferred;
    job->step = step_function;
    job->arg = arg;
    job->inner.ended = inner_ended;
    place_job(job);
    return deferred;
}

int weft_cooperate_wait(weft_done done_of_job, weft_done done)
{
    struct job *job = weft_deferred_room(done_of_job.deferred);
    int status = weft_deferred_fired(job->deferred) ? -EALREADY : inner_wait(&job->inner, done.deferred);

    if (status < 0)
        return status;
    place_job(job);
    return 1;
}

void weft_cooperate_pause(weft_done done_of_job)
{
    struct job *job = weft_deferred_room(done_of_job.deferred);

    job->pauses++;
    place_job(job);
}

int weft_cooperate_resume(weft_done done_of_job)
{
    struct job *job = weft_deferred_room(done_of_job.deferred);

    if (job->pauses == 0) {
        weft_log(WEFT_LOG_ERROR, "cooperate", "a job made at %s:%d was resumed and is not paused",
                 job->deferred->place.file, job->deferred->place.line);
        return -EINVAL;
    }
    job->pauses--;
    place_job(job);
    return 0;
}
