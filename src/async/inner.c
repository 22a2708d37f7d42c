/* SPDX-License-Identifier: MIT */
#include "async/inner.h"

/* Looks at what @p deferred came to and leaves it. Returns its status. */
static int look(struct inner *inner, struct weft_deferred *deferred)
{
    int status = weft_deferred_peek(deferred, NULL);
    const weft_failure *failure = weft_deferred_failure(deferred);

    weft_failure_unref(inner->failure);
    inner->failure = weft_failure_ref((weft_failure *)(uintptr_t)failure);
    weft_forget(deferred);
    return status;
}

static struct weft_deferred *ready(struct deferred_waiter *waiter)
{
    struct inner *inner = weft_container_of(waiter, struct inner, waiter);
    struct weft_deferred *deferred = inner->deferred;

    inner->deferred = NULL;
    deferred_unwait(deferred);
    inner->ended(inner, look(inner, deferred));
    return NULL;
}

int inner_wait(struct inner *inner, struct weft_deferred *deferred)
{
    int status = inner->deferred ? -EBUSY : deferred_wait(deferred, &inner->waiter);

    inner->waiter.ready = ready;
    if (status == 0)
        inner->deferred = deferred;
    if (status <= 0)
        return status;
    status = look(inner, deferred);
    return status < 0 ? status : 1;
}

void inner_drop(struct inner *inner, int reason)
{
    struct weft_deferred *deferred = inner->deferred;

    if (!deferred)
        return;
    inner->deferred = NULL;
    weft_deferred_ref(deferred);
    deferred_unwait(deferred);
    weft_cancel_for(deferred, reason);
    weft_forget(deferred);
    weft_deferred_unref(deferred);
}

void inner_fail(struct inner *inner, struct weft_deferred *deferred, int error)
{
    weft_failure *failure = inner->failure;

    inner->failure = NULL;
    if (failure && weft_failure_error(failure) == error) {
        (void)weft_deferred_fail_with(deferred, failure);
        return;
    }
    weft_failure_unref(failure);
    (void)weft_deferred_fail(deferred, error);
}
