/* SPDX-License-Identifier: MIT */
/*
 * Queues (weft/queue.h): a ring of values, and two lines of those that wait.
 *
 * Invariants: whoever waits for a value waits at an empty queue, and whoever
 * waits for room at a full one, apart from those that are about to be
 * cancelled (waiters_take passes them by).
 */
#include <weft/queue.h>

#include <string.h>

#include <weft/memory.h>

#include "async/task_internal.h"
#include "async/waiters.h"
#include "base/checked.h"
#include "base/probe.h"

#define SIZE_DEFAULT 1024
/* The first allocation has room for so many values. */
#define RING_FIRST 16

struct weft_queue {
    struct waiters getters, putters;
    const weft_deferred_type *type;
    size_t size;
    char *ring;
    size_t capacity, first, count;
    bool closed;
};

struct putter {
    struct waiter waiter;
    uint64_t value[WEFT_DEFERRED_VALUE / 8];
};

static const int none;

/* -- the ring -- */

static char *slot(const weft_queue *queue, size_t number)
{
    size_t at = queue->first + number;

    if (at >= queue->capacity)
        at -= queue->capacity;
    return queue->ring + at * queue->type->size;
}

static void take_oldest(weft_queue *queue, void *out)
{
    memcpy(out, slot(queue, 0), queue->type->size);
    queue->first = queue->first + 1 == queue->capacity ? 0 : queue->first + 1;
    queue->count--;
}

/* Makes room for one more value; fewer than `size` are there. */
static int reserve(weft_queue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity : RING_FIRST / 2, bytes, item = queue->type->size;
    char *ring;

    if (queue->count < queue->capacity)
        return 0;
    capacity = capacity > queue->size / 2 ? queue->size : capacity * 2;
    ring = size_multiply(capacity, item, &bytes) ? weft_allocate(bytes) : NULL;
    if (!ring)
        return WEFT_ENOMEM;
    for (size_t i = 0; i < queue->count; i++)
        memcpy(ring + i * item, slot(queue, i), item);
    weft_release(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
    return 0;
}

static int append(weft_queue *queue, const void *value)
{
    int status = reserve(queue);

    if (status < 0)
        return status;
    memcpy(slot(queue, queue->count++), value, queue->type->size);
    return 0;
}

/* -- making -- */

static void freed(void *memory)
{
    weft_queue *queue = memory;

    waiters_fini(&queue->getters);
    waiters_fini(&queue->putters);
    weft_release(queue->ring);
}

weft_queue *weft_queue_make(weft_scope *scope, const weft_deferred_type *type, size_t size, size_t backlog)
{
    weft_queue *queue = scope_allocate(scope, sizeof *queue, freed);

    if (!queue)
        return NULL;
    queue->type = type;
    queue->size = size ? size : SIZE_DEFAULT;
    waiters_init(&queue->getters, scope, backlog);
    waiters_init(&queue->putters, scope, backlog);
    return queue;
}

size_t weft_queue_count(const weft_queue *queue)
{
    return queue->count;
}

size_t weft_queue_getters(const weft_queue *queue)
{
    return queue->getters.count;
}

size_t weft_queue_putters(const weft_queue *queue)
{
    return queue->putters.count;
}

/* -- what never waits -- */

/* Gives @p value to the first that waits for one. Returns whether there is one; then the queue may be gone. */
static bool give(weft_queue *queue, const void *value)
{
    struct waiter *getter = waiters_take(&queue->getters.line);

    if (getter)
        (void)weft_deferred_fire(getter->deferred, value);
    return getter;
}

int weft_queue_try_put_into(weft_queue *queue, const void *value)
{
    if (!queue)
        return WEFT_ENOMEM;
    if (queue->closed)
        return WEFT_ENOMORE;
    if (queue->getters.count > 0 && give(queue, value))
        return 0;
    if (queue->count == queue->size) {
        PROBE("queue: full");
        return WEFT_EFULL;
    }
    return append(queue, value);
}

/* There is room: the first that waits for it puts its value. The queue may be gone afterwards. */
static void let_in(weft_queue *queue)
{
    struct waiter *waiter = queue->putters.count > 0 ? waiters_take(&queue->putters.line) : NULL;

    if (!waiter)
        return;
    (void)append(queue, weft_container_of(waiter, struct putter, waiter)->value); /* a full ring needs no memory */
    (void)weft_deferred_fire(waiter->deferred, &none);
}

int weft_queue_try_get_from(weft_queue *queue, void *out)
{
    if (!queue)
        return WEFT_ENOMEM;
    if (queue->count == 0)
        return queue->closed ? WEFT_ENOMORE : -EAGAIN;
    take_oldest(queue, out);
    let_in(queue);
    return 0;
}

/* -- deferreds -- */

static weft_deferred *put_in_line(weft_scope *scope, weft_queue *queue, const void *value, weft_place place)
{
    weft_deferred *deferred = waiters_join(&queue->putters, scope, &weft_done_type_, sizeof(struct putter), place);

    if (deferred && !weft_deferred_fired(deferred)) {
        struct putter *putter = weft_deferred_room(deferred);
        memcpy(putter->value, value, queue->type->size);
    }
    return deferred;
}

weft_deferred *weft_queue_put_into(weft_scope *scope, weft_queue *queue, const void *value, weft_place place)
{
    weft_deferred *deferred;
    int status;

    if (!queue)
        return NULL;
    if (queue->count == queue->size && !queue->closed)
        return put_in_line(scope, queue, value, place);
    deferred = weft_deferred_make(scope, &weft_done_type_, 0, NULL, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    status = weft_queue_try_put_into(queue, value);
    if (status < 0)
        (void)weft_deferred_fail(deferred, status);
    else
        (void)weft_deferred_fire(deferred, &none);
    return deferred;
}

weft_deferred *weft_queue_get_from(weft_scope *scope, weft_queue *queue, weft_place place)
{
    uint64_t value[WEFT_DEFERRED_VALUE / 8];
    weft_deferred *deferred;

    if (!queue)
        return NULL;
    if (queue->count == 0 && !queue->closed)
        return waiters_join(&queue->getters, scope, queue->type, sizeof(struct waiter), place);
    if (queue->count == 0)
        return weft_deferred_make_failed(scope, queue->type, WEFT_ENOMORE, NULL, place);
    deferred = weft_deferred_make(scope, queue->type, 0, NULL, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    take_oldest(queue, value);
    weft_deferred_ref(deferred); /* those who are let in may do anything */
    let_in(queue);
    (void)weft_deferred_fire(deferred, value);
    weft_deferred_unref(deferred);
    return deferred;
}

static void turn_away(struct waiters *waiters)
{
    struct waiter *waiter;
    weft_link now;

    weft_link_init(&now);
    weft_link_splice(&now, &waiters->line);
    while ((waiter = waiters_take(&now)))
        (void)weft_deferred_fail(waiter->deferred, WEFT_ENOMORE);
}

void weft_queue_close(weft_queue *queue)
{
    weft_scope *pinned;

    if (!queue || queue->closed)
        return;
    pinned = queue->getters.scope;
    queue->closed = true;
    scope_pin(pinned);
    turn_away(&queue->getters);
    turn_away(&queue->putters);
    scope_unpin(pinned);
}

/* -- tasks -- */

/* Where what @p task waits for belongs, so that it goes when the task has given up. */
static weft_scope *scope_of(weft_task *task)
{
    return task->shield ? task->shield : weft_task_scope(task);
}

/* Waits for @p deferred, unless the task is cancelled: then it leaves the line, or, if it has fired in that very turn,
 * what it brought counts. */
static int wait_in_line(weft_deferred *deferred, void *out, weft_place place)
{
    int status;

    if (!deferred)
        return WEFT_ENOMEM;
    weft_deferred_ref(deferred);
    status = weft_await_deferred(deferred, out, place);
    if (status < 0 && deferred->member.scope) { /* it was not taken */
        weft_cancel(deferred);
        status = weft_deferred_peek(deferred, out) == 0 ? 0 : status;
        weft_forget(deferred);
    }
    weft_deferred_unref(deferred);
    return status;
}

int weft_queue_push_into(weft_queue *queue, const void *value, weft_place place)
{
    weft_task *task = task_that_waits("weft_push", place);
    int status = task ? task_reason(task) : WEFT_ENOTASK;

    if (status == 0)
        status = weft_queue_try_put_into(queue, value);
    if (status != WEFT_EFULL)
        return status;
    return wait_in_line(weft_queue_put_into(scope_of(task), queue, value, place), NULL, place);
}

int weft_queue_pop_from(weft_queue *queue, void *out, weft_place place)
{
    weft_task *task = task_that_waits("weft_pop", place);
    int status = task ? task_reason(task) : WEFT_ENOTASK;

    if (status == 0)
        status = weft_queue_try_get_from(queue, out);
    if (status != -EAGAIN)
        return status;
    return wait_in_line(weft_queue_get_from(scope_of(task), queue, place), out, place);
}
