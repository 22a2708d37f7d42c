/* SPDX-License-Identifier: MIT */
/*
 * Watches on descriptors that belong to somebody else (weft/watch.h): a member
 * of a scope, in front of what the backend keeps for it.
 */
#include <weft/watch.h>

#include <errno.h>
#include <stdio.h>

#include <weft/log.h>

#include "backend/watch.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

_Static_assert(WEFT_READABLE == (int)BACKEND_READABLE && WEFT_WRITABLE == (int)BACKEND_WRITABLE &&
                   WEFT_FAILED == (int)BACKEND_FAILED && WEFT_HANGUP == (int)BACKEND_HANGUP,
               "the seam speaks of the same bits");

static void watch_cancel(weft_scope_member *member, int reason)
{
    (void)reason;
    weft_watch_stop(weft_container_of(member, weft_watch, member));
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const weft_watch *watch = weft_container_of(member, const weft_watch, member);
    static const char *const waits[] = {"nothing", "reading", "writing", "reading and writing"};

    snprintf(buffer, size, " of descriptor %d: waits for %s", watch->seam->fd, waits[watch->seam->interest]);
}

static const struct scope_member_class watch_class = {.kind = "watch", .cancel = watch_cancel, .describe = describe};

static weft_loop *loop_of(const weft_watch *watch)
{
    return watch->member.scope->loop;
}

/* One that watches for nothing, or is in the background, is nothing that anybody waits for. */
static void count(weft_watch *watch)
{
    bool counts = !watch->background && watch->seam->interest;

    if (counts == watch->counts)
        return;
    watch->counts = counts;
    if (counts) {
        loop_of(watch)->waiting++;
        scope_works(watch->member.scope);
    } else {
        loop_of(watch)->waiting--;
        scope_idles(watch->member.scope);
    }
}

static void tell(void *owner, unsigned what)
{
    weft_watch *watch = owner;

    loop_calls(loop_of(watch), "watch", (uintptr_t)watch->ready);
    watch->ready(watch, what);
}

static int start(weft_watch *watch, weft_loop *loop, int fd, unsigned interest)
{
    int status = interest & ~(unsigned)(WEFT_READABLE | WEFT_WRITABLE)
                     ? -EINVAL
                     : loop->backend->ops->watch_start(loop->backend, fd, interest, tell, watch, &watch->seam);

    if (status == -ENOTSUP)
        weft_log(WEFT_LOG_ERROR, "watch", "descriptor %d cannot be watched: a simulated world has none", fd);
    return status;
}

int weft_watch_start(weft_watch *watch, weft_scope *scope, int fd, unsigned interest,
                     void (*ready)(weft_watch *watch, unsigned what))
{
    int status;

    *watch = (weft_watch){.ready = ready};
    weft_link_init(&watch->member.link);
    status = scope_join(scope, &watch->member, &watch_class);
    if (status < 0)
        return status;
    status = start(watch, scope->loop, fd, interest);
    if (status < 0) {
        scope_leave(&watch->member);
        return status;
    }
    watch->counts = interest != 0;
    if (watch->counts)
        scope->loop->waiting++;
    else
        scope_idles(scope);
    return 0;
}

void weft_watch_change(weft_watch *watch, unsigned interest)
{
    interest &= WEFT_READABLE | WEFT_WRITABLE;
    if (!watch->seam || interest == watch->seam->interest)
        return;
    loop_of(watch)->backend->ops->watch_change(loop_of(watch)->backend, watch->seam, interest);
    count(watch);
}

void weft_watch_stop(weft_watch *watch)
{
    struct backend_watch *seam = watch->seam;
    weft_loop *loop;

    if (!seam)
        return;
    loop = loop_of(watch);
    loop->waiting -= watch->counts;
    if (!watch->counts)
        scope_works(watch->member.scope); /* no more: it leaves */
    watch->seam = NULL;
    watch->counts = false;
    loop->backend->ops->watch_stop(loop->backend, seam);
    scope_leave(&watch->member);
}

void weft_watch_set_background(weft_watch *watch, bool background)
{
    if (!watch->seam)
        return;
    watch->background = background;
    count(watch);
}

bool weft_watch_active(const weft_watch *watch)
{
    return watch->seam;
}

unsigned weft_watch_interest(const weft_watch *watch)
{
    return watch->seam ? watch->seam->interest : 0;
}

int weft_watch_descriptor(const weft_watch *watch)
{
    return watch->seam ? watch->seam->fd : -1;
}
