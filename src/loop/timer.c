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

static void timer_fired(weft_timer_entry *entry)
{
    weft_timer *timer = weft_container_of(entry, weft_timer, entry);
    weft_loop *loop = weft_scope_loop(timer->member.scope);

    loop->waiting--;
    loop_enters(loop, "timer");
    timer->fired(timer);
}

int weft_timer_init(weft_timer *timer, weft_scope *scope, void (*fired)(weft_timer *timer))
{
    timer->fired = fired;
    wheel_entry_init(&timer->entry, timer_fired);
    timer->member.scope = NULL;
    weft_link_init(&timer->member.link);
    return scope_join(scope, &timer->member, &timer_class);
}

void weft_timer_fini(weft_timer *timer)
{
    if (!timer->member.scope)
        return;
    weft_timer_stop(timer);
    scope_leave(&timer->member);
}

void weft_timer_start(weft_timer *timer, weft_time delay)
{
    weft_loop *loop;
    bool was;

    if (!timer->member.scope)
        return; /* its scope was cancelled: it will never fire again */
    loop = weft_scope_loop(timer->member.scope);
    was = wheel_entry_active(&timer->entry);
    loop_timer_start(loop, &timer->entry, delay < 0 ? 0 : delay);
    loop->waiting += (size_t)wheel_entry_active(&timer->entry) - (size_t)was; /* with WEFT_NEVER it does not start */
}

void weft_timer_stop(weft_timer *timer)
{
    if (!wheel_entry_active(&timer->entry))
        return;
    weft_scope_loop(timer->member.scope)->waiting--;
    weft_link_remove(&timer->entry.link);
}

bool weft_timer_active(const weft_timer *timer)
{
    return wheel_entry_active(&timer->entry);
}
