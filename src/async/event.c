/* SPDX-License-Identifier: MIT */
#include <weft/event.h>

#include "async/waiters.h"

struct weft_event {
    struct waiters waiters;
    bool set;
};

static const int none;

static void freed(void *memory)
{
    waiters_fini(&((weft_event *)memory)->waiters);
}

weft_event *weft_event_new(weft_scope *scope, size_t backlog)
{
    weft_event *event = scope_allocate(scope, sizeof *event, freed);

    if (event)
        waiters_init(&event->waiters, scope, backlog);
    return event;
}

void weft_event_set(weft_event *event)
{
    weft_scope *pinned = event->waiters.scope;
    struct waiter *waiter;
    weft_link now; /* who waits now: what they do may clear the event and wait again */

    event->set = true;
    scope_pin(pinned);
    weft_link_init(&now);
    weft_link_splice(&now, &event->waiters.line);
    while ((waiter = waiters_take(&now)))
        (void)weft_deferred_fire(waiter->deferred, &none);
    scope_unpin(pinned);
}

void weft_event_clear(weft_event *event)
{
    event->set = false;
}

bool weft_event_is_set(const weft_event *event)
{
    return event->set;
}

weft_deferred *weft_event_wait_at(weft_scope *scope, weft_event *event, weft_place place)
{
    if (!event)
        return NULL;
    if (event->set)
        return weft_deferred_make_succeeded(scope, &weft_done_type_, &none, place);
    return waiters_join(&event->waiters, scope, &weft_done_type_, sizeof(struct waiter), place);
}
