/* SPDX-License-Identifier: MIT */
#include "async/waiters.h"

void waiters_init(struct waiters *waiters, weft_scope *scope, size_t most)
{
    waiters->scope = scope;
    weft_link_init(&waiters->line);
    waiters->most = most ? most : WAITERS_MOST;
}

static void leave(struct waiter *waiter)
{
    weft_link_remove(&waiter->link);
    waiter->waiters->count--;
    waiter->waiters = NULL;
}

void waiter_doom(struct weft_deferred *deferred)
{
    deferred->member.class_->cancel(&deferred->member, WEFT_ECANCELED);
}

void waiters_fini(struct waiters *waiters)
{
    while (!weft_link_is_alone(&waiters->line)) {
        struct waiter *waiter = weft_container_of(waiters->line.next, struct waiter, link);
        leave(waiter);
        waiter_doom(waiter->deferred);
    }
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct waiter *waiter = weft_deferred_room(deferred);
    struct waiters *waiters = waiter->waiters;

    (void)reason;
    (void)arg;
    if (!waiters)
        return;
    leave(waiter);
    if (waiters->left)
        waiters->left(waiters);
}

weft_deferred *waiters_pass(struct waiters *waiters, weft_scope *scope, const weft_deferred_type *type, size_t room,
                            weft_place place)
{
    weft_deferred *deferred;
    struct waiter *waiter;

    deferred = weft_deferred_make(scope, type, room, cancelled, NULL, place);
    if (!deferred || weft_deferred_fired(deferred))
        return deferred;
    waiter = weft_deferred_room(deferred);
    waiter->deferred = deferred;
    waiter->waiters = waiters;
    weft_link_insert_before(&waiters->line, &waiter->link);
    waiters->count++;
    return deferred;
}

weft_deferred *waiters_join(struct waiters *waiters, weft_scope *scope, const weft_deferred_type *type, size_t room,
                            weft_place place)
{
    if (waiters->count >= waiters->most)
        return weft_deferred_make_failed(scope, type, WEFT_EWAITERS, NULL, place);
    return waiters_pass(waiters, scope, type, room, place);
}

/* Those whose scope was cancelled are about to be. */
struct waiter *waiters_first(weft_link *line)
{
    while (!weft_link_is_alone(line)) {
        struct waiter *waiter = weft_container_of(line->next, struct waiter, link);
        if (!(waiter->deferred->flags & (DEFERRED_DOOMED | DEFERRED_FIRED)))
            return waiter;
        leave(waiter);
    }
    return NULL;
}

struct waiter *waiters_take(weft_link *line)
{
    struct waiter *waiter = waiters_first(line);

    if (waiter)
        leave(waiter);
    return waiter;
}
