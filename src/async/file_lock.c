/* SPDX-License-Identifier: MIT */
/*
 * Locks between processes (weft/file_lock.h).
 *
 *   free --acquire--> waits <--looks again--> held --release--> free
 *                       |  cancelled
 *                       +-----------> free
 *
 * A look is a job of the lock's scope. One that is under way is not ended by
 * who gives up: it is there for the next who waits, or gives back what it got.
 */
#include <weft/file_lock.h>

#include <string.h>

#include <weft/job.h>

#include "async/waiters.h"
#include "backend/file_lock.h"
#include "loop/scope_internal.h"

#define INTERVAL WEFT_SECONDS(1)

/* Lies in the room of the deferred that waits. */
struct acquisition {
    weft_timer timer;
    weft_deferred *deferred;
    weft_file_lock *lock;
};

struct weft_file_lock {
    weft_scope *scope;
    struct acquisition *waiting; /* or NULL */
    weft_time interval;
    weft_file *held; /* or NULL */
    weft_job look;
    bool looking;
    int status;       /* what the look came to */
    weft_file *found; /* and what it locked, or NULL */
    char path[];
};

static const int none;

static void freed(void *memory)
{
    weft_file_lock *lock = memory;

    if (lock->waiting) {
        weft_timer_fini(&lock->waiting->timer);
        lock->waiting->lock = NULL;
        waiter_doom(lock->waiting->deferred);
    }
    weft_file_unref(lock->held);
}

weft_file_lock *weft_file_lock_new(weft_scope *scope, const char *path)
{
    size_t size = strlen(path) + 1;
    weft_file_lock *lock = scope_allocate(scope, sizeof *lock + size, freed);

    if (!lock)
        return NULL;
    *lock = (weft_file_lock){.scope = scope, .interval = INTERVAL};
    memcpy(lock->path, path, size);
    return lock;
}

void weft_file_lock_set_interval(weft_file_lock *lock, weft_time interval)
{
    lock->interval = interval > 0 ? interval : INTERVAL;
}

bool weft_file_lock_held(const weft_file_lock *lock)
{
    return lock->held != NULL;
}

int weft_file_lock_try(weft_file_lock *lock)
{
    return lock->waiting || lock->held ? -EALREADY : file_lock_take(lock->path, &lock->held);
}

int weft_file_lock_release(weft_file_lock *lock)
{
    if (!lock->held)
        return WEFT_ENOTHELD;
    weft_file_unref(lock->held);
    lock->held = NULL;
    return 0;
}

/* -- waiting -- */

static void come_to(weft_deferred *deferred, int status)
{
    if (status < 0)
        (void)weft_deferred_fail(deferred, status);
    else
        (void)weft_deferred_fire(deferred, &none);
}

static void stop_waiting(struct acquisition *acquisition)
{
    weft_timer_fini(&acquisition->timer);
    if (acquisition->lock)
        acquisition->lock->waiting = NULL;
}

static void end_waiting(struct acquisition *acquisition, int status)
{
    stop_waiting(acquisition);
    come_to(acquisition->deferred, status);
}

static void look_work(weft_job *job)
{
    weft_file_lock *lock = weft_container_of(job, weft_file_lock, look);

    lock->status = file_lock_take(lock->path, &lock->found);
}

static void look_done(weft_job *job, int status)
{
    weft_file_lock *lock = weft_container_of(job, weft_file_lock, look);
    weft_file *found = lock->found;

    lock->looking = false;
    lock->found = NULL;
    if (status == 0)
        status = lock->status;
    if (lock->waiting && status == 0)
        lock->held = found;
    else
        weft_file_unref(found);
    if (lock->waiting && status == -EAGAIN)
        weft_timer_start(&lock->waiting->timer, lock->interval);
    else if (lock->waiting)
        end_waiting(lock->waiting, status);
}

static int look(weft_file_lock *lock)
{
    int status = lock->looking ? 0 : weft_job_start(&lock->look, lock->scope, look_work, look_done);

    if (status == 0)
        lock->looking = true;
    return status;
}

static void look_again(weft_timer *timer)
{
    struct acquisition *acquisition = weft_container_of(timer, struct acquisition, timer);
    int status = look(acquisition->lock);

    if (status < 0)
        end_waiting(acquisition, status);
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    (void)reason;
    (void)arg;
    stop_waiting(weft_deferred_room(deferred));
}

weft_deferred *weft_file_lock_acquire_at(weft_scope *scope, weft_file_lock *lock, weft_place place)
{
    struct acquisition *acquisition;
    weft_deferred *deferred;
    int status;

    if (!lock)
        return NULL;
    deferred = weft_deferred_make(scope, &weft_done_type_, sizeof *acquisition, cancelled, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    acquisition = weft_deferred_room(deferred);
    status = lock->waiting || lock->held ? -EALREADY : weft_timer_init(&acquisition->timer, scope, look_again);
    if (status < 0) {
        come_to(deferred, status);
        return deferred;
    }
    acquisition->deferred = deferred;
    acquisition->lock = lock;
    lock->waiting = acquisition;
    status = look(lock);
    if (status < 0)
        end_waiting(acquisition, status);
    return deferred;
}
