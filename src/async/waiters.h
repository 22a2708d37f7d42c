/* SPDX-License-Identifier: MIT */
/*
 * Deferreds that wait in a line at an object (a lock, a queue, a bucket).
 *
 * The object lives in its scope's memory; those that wait belong to scopes of
 * their own. One that is cancelled leaves the line. Those that are left when
 * the object goes are cancelled later in that turn.
 */
#ifndef ASYNC_WAITERS_H
#define ASYNC_WAITERS_H

#include "async/deferred_internal.h"

/* What lies at the beginning of the room of one that waits. */
struct waiter {
    weft_link link;
    struct waiters *waiters; /* NULL: not in a line (any more) */
    struct weft_deferred *deferred;
};

struct waiters {
    weft_scope *scope; /* of the object */
    weft_link line;
    size_t count, most;
    /* Somebody in the line was cancelled and has left it; or NULL. May fire others. */
    void (*left)(struct waiters *waiters);
};

/* So many may wait if nobody says otherwise. */
#define WAITERS_MOST 1024

void waiters_init(struct waiters *waiters, weft_scope *scope, size_t most);
/* The object goes: cancels those that are in the line, later in this turn. */
void waiters_fini(struct waiters *waiters);

/* A new deferred in @p scope with @p room bytes, which begin with a struct waiter. It is at the end of the line, unless
 * it has failed already: the line is full, or the scope is cancelled. Returns NULL if memory is short. */
weft_deferred *waiters_join(struct waiters *waiters, weft_scope *scope, const weft_deferred_type *type, size_t room,
                            weft_place place);
/* The same, however many wait: for one that will be fired at once. */
weft_deferred *waiters_pass(struct waiters *waiters, weft_scope *scope, const weft_deferred_type *type, size_t room,
                            weft_place place);
/* The first in @p line (that of its waiters, or what was spliced from it) that can still be fired; those before it are
 * taken out. Returns NULL if there is none. */
struct waiter *waiters_first(weft_link *line);
/* The same, and takes it out. Firing it may end the object, unless its scope is pinned. */
struct waiter *waiters_take(weft_link *line);

/* Has @p deferred cancelled later in this turn, if it has not fired. */
void waiter_doom(struct weft_deferred *deferred);

#endif
