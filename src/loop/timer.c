/* SPDX-License-Identifier: MIT */
/*
 * Timers for users (weft/timer.h): an entry in the wheel that belongs to a
 * scope and counts as something that the loop waits for.
 */
#include <weft/timer.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

static void timer_cancel(weft_scope_member *member, int reason)
{
    (void)reason;
    weft_timer_fini(weft_container_of(member, weft_timer, member));
}

static const struct scope_member_class timer_class = {.kind = "timer", .cancel = timer_cancel};

_Static_assert(sizeof(weft_timer) <= 64, "a timer fits a cache line");

/* One in the background is nothing that the loop waits for while it is started, nor its scope. */
static bool counts(const weft_timer_entry *entry)
{
    return !(entry->due & WHEEL_BACKGROUND);
}

static void begin(weft_timer *timer, weft_loop *loop)
{
    if (!counts(&timer->entry))
        return;
    loop->waiting++;
    scope_works(timer->member.scope);
}

static void end(weft_timer *timer, weft_loop *loop)
{
    if (!counts(&timer->entry))
        return;
    loop->waiting--;
    scope_idles(timer->member.scope);
}

void timer_fire(weft_loop *loop, weft_timer_entry *entry)
{
    weft_timer *timer = weft_container_of(entry, weft_timer, entry);

    end(timer, loop);
    loop_calls(loop, "timer", (uintptr_t)entry->timer_fired);
    entry->timer_fired(timer);
}

int weft_timer_init(weft_timer *timer, weft_scope *scope, void (*fired)(weft_timer *timer))
{
    int status;

    wheel_entry_init(&timer->entry, NULL);
    timer->entry.timer_fired = fired;
    timer->entry.due = WHEEL_TIMER;
    timer->member.scope = NULL;
    weft_link_init(&timer->member.link);
    status = scope_join(scope, &timer->member, &timer_class);
    if (status == 0)
        scope_idles(scope);
    return status;
}

void weft_timer_set_background(weft_timer *timer, bool background)
{
    timer->entry.due &= ~WHEEL_BACKGROUND;
    if (background)
        timer->entry.due |= WHEEL_BACKGROUND;
}

void weft_timer_fini(weft_timer *timer)
{
    if (!timer->member.scope)
        return;
    weft_timer_stop(timer);
    scope_works(timer->member.scope); /* no more: it leaves */
    scope_leave(&timer->member);
}

void weft_timer_start(weft_timer *timer, weft_time delay)
{
    weft_loop *loop;

    if (!timer->member.scope)
        return; /* its scope was cancelled: it will never fire again */
    loop = timer->member.scope->loop;
    if (delay >= WEFT_NEVER - WHEEL_KIND - loop->now) {
        weft_timer_stop(timer);
        return;
    }
    if (!wheel_entry_active(&timer->entry))
        begin(timer, loop);
    wheel_start(&loop->wheel, &timer->entry, loop->now + (delay < 0 ? 0 : delay));
}

void weft_timer_stop(weft_timer *timer)
{
    weft_loop *loop;

    if (!wheel_entry_active(&timer->entry))
        return;
    loop = timer->member.scope->loop;
    end(timer, loop);
    wheel_stop(&loop->wheel, &timer->entry);
}

bool weft_timer_active(const weft_timer *timer)
{
    return wheel_entry_active(&timer->entry);
}
