/* SPDX-License-Identifier: MIT */
/*
 * A deferred for which an operation waits between two calls of its user's
 * function (weft_looping_wait, weft_cooperate_wait).
 */
#ifndef ASYNC_INNER_H
#define ASYNC_INNER_H

#include "async/deferred_internal.h"

struct inner {
    struct deferred_waiter waiter;
    struct weft_deferred *deferred; /* NULL: waits for none */
    weft_failure *failure;          /* the story of the last one's error, or NULL */
    /* It has come to @p status. */
    void (*ended)(struct inner *inner, int status);
};

/* Waits for @p deferred, which is taken. Returns 0 if it has still to end; 1 if it has succeeded; its error; -EBUSY if
 * somebody else waits for it, or this waits already; WEFT_ENOMEM for NULL. */
int inner_wait(struct inner *inner, struct weft_deferred *deferred);
/* Cancels it with @p reason and waits no longer; harmless if there is none. */
void inner_drop(struct inner *inner, int reason);
/* Fails @p deferred with @p error, and with the story, if it is of that error. */
void inner_fail(struct inner *inner, struct weft_deferred *deferred, int error);

#endif
