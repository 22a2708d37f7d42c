/* SPDX-License-Identifier: MIT */
/* Deadlines of deferreds (weft_timeout). */
#include "async/deferred_internal.h"

#include <weft/memory.h>

struct deferred_timeout {
    weft_timer timer;
    struct weft_deferred *deferred;
    bool passed;
};

static void passed(weft_timer *timer)
{
    struct deferred_timeout *timeout = weft_container_of(timer, struct deferred_timeout, timer);

    timeout->passed = true;
    weft_cancel(timeout->deferred);
}

int weft_timeout(weft_deferred *deferred, weft_time delay)
{
    struct deferred_timeout *timeout;
    unsigned had;
    int status;

    if (!deferred)
        return WEFT_ENOMEM;
    if (deferred_is_ready(deferred) || !deferred->member.scope || deferred->member.scope->cancelled)
        return 0; /* it is over, or will be soon */
    timeout = weft_allocate_zeroed(1, sizeof *timeout);
    if (!timeout)
        return WEFT_ENOMEM;
    timeout->deferred = deferred;
    had = deferred->flags & DEFERRED_HAD;
    status = weft_timer_init(&timeout->timer, deferred->member.scope, passed);
    if (status == 0) {
        weft_timer_start(&timeout->timer, delay);
        status = deferred_put(deferred, DEFERRED_TIMED, NULL, timeout);
    }
    if (status < 0) {
        weft_timer_fini(&timeout->timer);
        weft_release(timeout);
        return status;
    }
    if (!had) /* a deadline alone is nobody who had the result */
        deferred->flags &= (uint16_t)~DEFERRED_HAD;
    return 0;
}

int deferred_timed(struct weft_deferred *deferred, void *arg)
{
    struct deferred_timeout *timeout = arg;
    int status = deferred->status;

    if (timeout->passed && weft_error_class_of(status) == WEFT_CLASS_CANCELLED)
        status = WEFT_ETIMEDOUT;
    weft_timer_fini(&timeout->timer);
    weft_release(timeout);
    return status;
}
