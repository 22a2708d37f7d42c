/* SPDX-License-Identifier: MIT */
/*
 * Deferreds (weft/deferred.h): making, looking, freeing. How callbacks run is
 * in deferred_run.c, how they are kept in deferred_queue.c.
 *
 * A deferred is a member of its scope until it is freed. It is freed
 *   - at the end of a turn, when it is ready, somebody has had its result, and nobody refers to it;
 *   - at once, when a task or a group takes its result;
 *   - when its scope closes: if it has not fired, it is cancelled first, later
 *     in that turn, since cancelling a scope runs no user's code.
 * References of users keep it, but in a scope that has closed only its memory.
 */
#include "async/deferred_internal.h"

#include <stdalign.h>
#include <stdio.h>

#include <weft/log.h>
#include <weft/memory.h>

/* Where the room for an operation begins. */
#define ROOM_AT \
    ((sizeof(struct weft_deferred) + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t))

/* -- freeing -- */

/* An error that nobody has looked at. A cancellation was somebody's wish: it is no news. */
static bool is_news(const struct weft_deferred *deferred)
{
    return deferred->status < 0 && !(deferred->flags & (DEFERRED_LOOKED | DEFERRED_FORGOTTEN)) &&
           weft_error_class_of(deferred->status) != WEFT_CLASS_CANCELLED;
}

static void report(const struct weft_deferred *deferred)
{
    char story[512];
    weft_log_field fields[] = {
        {.name = "error", .text = weft_bytes_from(weft_error_name(deferred->status))},
        {.name = "made_at", .text = weft_bytes_from(deferred->place.file)},
        {.name = "line", .number = deferred->place.line},
    };

    if (deferred->failure)
        weft_failure_describe(deferred->failure, story, sizeof story);
    weft_log_fields(WEFT_LOG_ERROR, "deferred", fields, 3, "nobody looked at the failure of a %s made at %s:%d: %s",
                    deferred->type->name, deferred->place.file, deferred->place.line,
                    deferred->failure ? story : weft_error_text(deferred->status));
}

/* @p loop: that of its scope, which keeps the memory for the next; NULL if it has outlived its scope. */
static void destroy(struct weft_deferred *deferred, weft_loop *loop)
{
    if (is_news(deferred))
        report(deferred);
    if (deferred->failure)
        weft_failure_unref(deferred->failure);
    if (deferred->more)
        weft_release(deferred->more);
    if (loop && (deferred->flags & DEFERRED_PLAIN))
        loop_spare_put(loop, deferred);
    else
        weft_release(deferred);
}

static bool is_unused(const struct weft_deferred *deferred)
{
    return deferred->references == 0 && !(deferred->flags & DEFERRED_RUNNING);
}

/* Takes it out of its scope, and frees it unless a user refers to it or it runs further down the stack. */
static void leave(struct weft_deferred *deferred)
{
    weft_loop *loop = deferred->member.scope ? deferred->member.scope->loop : NULL;

    deferred_works(deferred); /* no more: it leaves */
    scope_leave(&deferred->member);
    if (is_unused(deferred))
        destroy(deferred, loop);
}

static bool is_over(const struct weft_deferred *deferred)
{
    return deferred_is_ready(deferred) && !deferred->waiter && !deferred->outer &&
           (((deferred->flags & DEFERRED_HAD) && deferred->references == 0) || deferred->member.scope->closing);
}

static void cancelled(weft_scope_member *member, int reason);

static void reap(struct loop_task *task)
{
    struct weft_deferred *deferred = weft_container_of(task, struct weft_deferred, task);

    deferred->flags &= (uint16_t)~DEFERRED_REAPED;
    if (is_over(deferred))
        leave(deferred);
    else if (deferred->member.scope->cancelled) /* a callback that was added meanwhile made it wait again */
        cancelled(&deferred->member, deferred->member.scope->cancelled);
}

static void reap_later(struct weft_deferred *deferred)
{
    if (!deferred->member.scope || (deferred->flags & (DEFERRED_REAPED | DEFERRED_DOOMED)))
        return;
    deferred->flags |= DEFERRED_REAPED;
    deferred->task.run = reap;
    loop_reap(deferred->member.scope->loop, &deferred->task);
}

void deferred_settled(struct weft_deferred *deferred)
{
    if (deferred->member.scope && is_over(deferred))
        reap_later(deferred);
    else if (!deferred->member.scope && is_unused(deferred) && deferred_is_ready(deferred) && !deferred->outer)
        destroy(deferred, NULL);
}

void deferred_had(struct weft_deferred *deferred)
{
    deferred->flags |= DEFERRED_HAD;
    deferred_settled(deferred);
}

/* -- cancelling with the scope -- */

static void cancel_now(struct loop_task *task)
{
    struct weft_deferred *deferred = weft_container_of(task, struct weft_deferred, task);
    weft_scope *scope = deferred->member.scope;

    loop_enters(scope->loop, "deferred");
    deferred->flags &= (uint16_t)~DEFERRED_DOOMED;
    deferred->references++; /* its callbacks may drop it */
    weft_cancel_for(deferred, scope->cancelled);
    if (deferred->status == scope->cancelled) /* whoever set the scope's deadline knows of it */
        deferred->flags |= DEFERRED_LOOKED;
    if (scope->closing) { /* nobody could unpause it any more */
        deferred->pauses = 0;
        deferred_run(deferred);
    }
    deferred->references--;
    deferred_settled(deferred);
}

static void cancelled(weft_scope_member *member, int reason)
{
    struct weft_deferred *deferred = weft_container_of(member, struct weft_deferred, member);

    (void)reason;
    if (deferred_is_ready(deferred)) {
        deferred_settled(deferred);
        return;
    }
    if (deferred->flags & (DEFERRED_DOOMED | DEFERRED_REAPED))
        return;
    deferred->flags |= DEFERRED_DOOMED;
    deferred->task.run = cancel_now;
    loop_later(member->scope->loop, &deferred->task);
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const struct weft_deferred *deferred = weft_container_of(member, const struct weft_deferred, member);
    const char *state = deferred_is_ready(deferred)           ? "ready"
                        : !(deferred->flags & DEFERRED_FIRED) ? "has not fired"
                        : deferred->inner                     ? "waits for another"
                                                              : "paused";

    snprintf(buffer, size, " of type %s: %s, made at %s:%d%s", deferred->type->name, state, deferred->place.file,
             deferred->place.line, deferred->waiter ? ", somebody waits for it" : "");
}

static const struct scope_member_class deferred_class = {.kind = "deferred", .cancel = cancelled, .describe = describe};

/* -- making -- */

/* A zeroed deferred with room behind it. Those without are made by the million, so the loop keeps some. */
static struct weft_deferred *new_deferred(weft_loop *loop, size_t room)
{
    struct weft_deferred *deferred = room == 0 ? loop_spare_take(loop) : NULL;

    if (deferred)
        memset(deferred, 0, offsetof(struct weft_deferred, callbacks));
    else
        deferred = weft_allocate_zeroed(1, ROOM_AT + room);
    if (deferred && room == 0)
        deferred->flags = DEFERRED_PLAIN;
    return deferred;
}

weft_deferred *weft_deferred_make(weft_scope *scope, const weft_deferred_type *type, size_t room,
                                  weft_canceller *canceller, void *arg, weft_place place)
{
    struct weft_deferred *deferred = scope ? new_deferred(scope->loop, room) : NULL;

    if (!deferred)
        return NULL;
    deferred->type = type;
    deferred->place = place;
    deferred->canceller = canceller;
    deferred->canceller_arg = arg;
    (void)scope_join_ended(scope, &deferred->member, &deferred_class);
    if (scope->cancelled) {
        deferred->canceller = NULL;
        weft_cancel_for(deferred, scope->cancelled);
    }
    return deferred;
}

weft_deferred *weft_deferred_make_succeeded(weft_scope *scope, const weft_deferred_type *type, const void *value,
                                            weft_place place)
{
    weft_deferred *deferred = weft_deferred_make(scope, type, 0, NULL, NULL, place);

    if (deferred && !weft_deferred_fired(deferred))
        (void)weft_deferred_fire(deferred, value);
    return deferred;
}

weft_deferred *weft_deferred_make_failed(weft_scope *scope, const weft_deferred_type *type, int error,
                                         weft_failure *failure, weft_place place)
{
    weft_deferred *deferred = weft_deferred_make(scope, type, 0, NULL, NULL, place);

    if (!deferred || weft_deferred_fired(deferred))
        weft_failure_unref(failure);
    else if (failure)
        (void)weft_deferred_fail_with(deferred, failure);
    else
        (void)weft_deferred_fail(deferred, error);
    return deferred;
}

weft_deferred *weft_deferred_make_maybe(weft_scope *scope, const weft_deferred_type *type, weft_code code, void *arg,
                                        weft_place place)
{
    static const uint64_t zero[WEFT_DEFERRED_VALUE / 8];
    weft_deferred *deferred = weft_deferred_make_succeeded(scope, type, zero, place);

    if (deferred && weft_deferred_add(deferred, code, NULL, arg) < 0)
        return NULL; /* never: the first four need no memory */
    if (deferred)
        deferred->flags &= (uint16_t)~DEFERRED_HAD; /* this was the producer's; nobody has had the result */
    return deferred;
}

void *weft_deferred_room(weft_deferred *deferred)
{
    return deferred ? (char *)deferred + ROOM_AT : NULL;
}

/* -- looking -- */

bool weft_deferred_fired(const weft_deferred *deferred)
{
    return deferred && (deferred->flags & DEFERRED_FIRED);
}

bool weft_deferred_ready(const weft_deferred *deferred)
{
    return deferred && deferred_is_ready(deferred);
}

const weft_failure *weft_deferred_failure(const weft_deferred *deferred)
{
    return weft_deferred_ready(deferred) ? deferred->failure : NULL;
}

/* It is ready. */
static int look(struct weft_deferred *deferred, void *out)
{
    if (deferred->status < 0)
        deferred->flags |= DEFERRED_LOOKED;
    else if (out)
        deferred_copy_value(out, &deferred->value, deferred->type->size);
    return deferred->status;
}

int weft_deferred_peek(weft_deferred *deferred, void *out)
{
    if (!deferred)
        return WEFT_ENOMEM;
    return deferred_is_ready(deferred) ? look(deferred, out) : -EAGAIN;
}

int deferred_take(struct weft_deferred *deferred, void *out)
{
    int status = look(deferred, out);

    if (deferred->flags & DEFERRED_CLAIMED)
        deferred->references--;
    deferred->flags &= (uint16_t)~DEFERRED_CLAIMED;
    if (deferred->flags & (DEFERRED_REAPED | DEFERRED_DOOMED))
        deferred->flags |= DEFERRED_HAD; /* it is queued: freed from there */
    else
        leave(deferred);
    return status;
}

int deferred_wait(struct weft_deferred *deferred, struct deferred_waiter *waiter)
{
    if (!deferred)
        return WEFT_ENOMEM;
    if ((deferred->flags & DEFERRED_CLAIMED) || deferred->outer)
        return -EBUSY;
    if (deferred_is_ready(deferred))
        return 1;
    deferred->waiter = waiter;
    deferred->references++; /* it is there until the waiter has come, even if its scope closes first */
    deferred->flags |= DEFERRED_CLAIMED;
    return 0;
}

void deferred_unwait(struct weft_deferred *deferred)
{
    deferred->waiter = NULL;
    if (!(deferred->flags & DEFERRED_CLAIMED))
        return;
    deferred->flags &= (uint16_t)~DEFERRED_CLAIMED;
    deferred->references--;
    deferred_settled(deferred);
}

/* -- holding -- */

weft_deferred *weft_deferred_ref(weft_deferred *deferred)
{
    if (deferred)
        deferred->references++;
    return deferred;
}

void weft_deferred_unref(weft_deferred *deferred)
{
    if (!deferred)
        return;
    deferred->references--;
    deferred_settled(deferred);
}

void weft_forget(weft_deferred *deferred)
{
    if (!deferred)
        return;
    deferred->flags |= DEFERRED_FORGOTTEN;
    deferred_had(deferred);
}
