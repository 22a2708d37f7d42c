/* SPDX-License-Identifier: MIT */
/*
 * The inside of a deferred, for the files of this floor.
 *
 *   unfired --> fired, runs its callbacks --> ready --> freed
 *                 ^ |                           |
 *                 | v                           v  (another callback was added)
 *          waits for an inner one            runs ...
 *
 * It is *ready* when it has fired and nothing is left to run.
 */
#ifndef ASYNC_DEFERRED_INTERNAL_H
#define ASYNC_DEFERRED_INTERNAL_H

#include <string.h>

#include <weft/deferred.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

/* Callbacks that need no allocation. */
#define DEFERRED_CALLBACKS 4

enum deferred_kind {
    DEFERRED_THEN,  /* on success */
    DEFERRED_CATCH, /* on an error */
    DEFERRED_BOTH,
    DEFERRED_PAIR,  /* on success; passes the next one by, which is its DEFERRED_CATCH */
    DEFERRED_CHAIN, /* fires the deferred `arg`, to which it refers */
    DEFERRED_TIMED, /* ends the timeout `arg` */
};

struct deferred_callback {
    weft_code code;
    void *arg;
};

/* Those above DEFERRED_CALLBACKS. */
struct deferred_more {
    unsigned capacity;
    struct deferred_more_entry {
        struct deferred_callback callback;
        enum deferred_kind kind;
    } entries[];
};

enum deferred_flag {
    DEFERRED_FIRED = 1,
    DEFERRED_RUNNING = 2,      /* in deferred_run, here or further down its stack */
    DEFERRED_SWALLOWS = 4,     /* was cancelled without a canceller: the next attempt to fire it is ignored */
    DEFERRED_CANCELLING = 8,   /* in its canceller */
    DEFERRED_HAD = 16,         /* somebody has had its result, or never wants it: freed when it is ready */
    DEFERRED_LOOKED = 32,      /* somebody has looked at its error */
    DEFERRED_REAPED = 64,      /* queued to be freed */
    DEFERRED_DOOMED = 128,     /* its scope was cancelled: it will be cancelled later in this turn */
    DEFERRED_CLAIMED = 256,    /* somebody waits for it and refers to it, until it takes the result or gives up */
    DEFERRED_PLAIN = 512,      /* has no room behind it: the loop keeps its memory for the next */
    DEFERRED_FORGOTTEN = 1024, /* nobody will look at its error */
    DEFERRED_IDLE = 2048,      /* its scope knows that nothing of it runs */
};

/* Somebody who waits for the deferred to be ready: a task or a group. At most one. */
struct deferred_waiter {
    /* Called once, from inside deferred_run. The deferred must stay in its scope (deferred_unwait, no deferred_take).
     * Returns another deferred, which the waiter has fired and which is to be run next; or NULL. */
    struct weft_deferred *(*ready)(struct deferred_waiter *waiter);
};

struct weft_deferred {
    weft_scope_member member;
    struct loop_task task; /* to be freed, or to be cancelled */
    const weft_deferred_type *type;
    weft_place place;
    union {
        uint64_t words[WEFT_DEFERRED_VALUE / 8];
        void *pointer;
    } value;
    weft_failure *failure; /* the story of `status`, or NULL */
    int status;            /* 0 or the error, once it has fired */
    uint16_t flags;
    uint8_t count, told; /* callbacks that wait; links of the story told so far */
    uint8_t first;       /* the first of them */
    unsigned references; /* of users */
    unsigned pauses;
    uint8_t kinds[DEFERRED_CALLBACKS];
    unsigned more_first, more_count;
    struct deferred_more *more;
    struct deferred_waiter *waiter;
    struct weft_deferred *inner; /* what a callback said that it will become */
    struct weft_deferred *outer; /* what will become this one */
    struct weft_deferred *below; /* to be run after this one (deferred_run) */
    weft_canceller *canceller;
    void *canceller_arg;
    struct deferred_callback callbacks[DEFERRED_CALLBACKS]; /* last: not zeroed when its memory is used again */
};

static inline bool deferred_is_ready(const struct weft_deferred *deferred)
{
    return (deferred->flags & (DEFERRED_FIRED | DEFERRED_RUNNING)) == DEFERRED_FIRED && deferred->pauses == 0 &&
           deferred->count == 0 && deferred->more_count == 0 && !deferred->inner;
}

/* Copies a value of @p size bytes; with a fixed size where that is a usual one. */
static inline void deferred_copy_value(void *to, const void *from, size_t size)
{
    if (size == sizeof(void *))
        memcpy(to, from, sizeof(void *));
    else if (size == sizeof(int))
        memcpy(to, from, sizeof(int));
    else
        memcpy(to, from, size);
}

/* It is ready: whoever waits for its scope need not wait until somebody has had its result. */
static inline void deferred_idles(struct weft_deferred *deferred)
{
    if (!deferred->member.scope || (deferred->flags & DEFERRED_IDLE))
        return;
    deferred->flags |= DEFERRED_IDLE;
    scope_idles(deferred->member.scope);
}

/* It goes on, or leaves its scope. */
static inline void deferred_works(struct weft_deferred *deferred)
{
    if (!(deferred->flags & DEFERRED_IDLE))
        return;
    deferred->flags &= (uint16_t)~DEFERRED_IDLE;
    scope_works(deferred->member.scope);
}

/* deferred.c */
/* Frees @p deferred at the end of this turn, if it is over. */
void deferred_settled(struct weft_deferred *deferred);
/* Somebody has had the result of @p deferred: it is freed at the end of the turn, once it is ready. */
void deferred_had(struct weft_deferred *deferred);
/* Takes the result into @p out (which may be NULL), ends the waiter's claim, and frees the deferred unless it is referred to. It is ready. */
int deferred_take(struct weft_deferred *deferred, void *out);
/* Lets @p waiter know when @p deferred is ready. Returns 0; 1 if it is ready now; -EBUSY if somebody else waits;
 * WEFT_ENOMEM for NULL. */
int deferred_wait(struct weft_deferred *deferred, struct deferred_waiter *waiter);
/* Takes the waiter away, and its claim; harmless if there is none. */
void deferred_unwait(struct weft_deferred *deferred);

/* deferred_queue.c */
/* Adds a callback and runs it if its time has come. Returns 0, or WEFT_ENOMEM (also for NULL). */
int deferred_put(struct weft_deferred *deferred, enum deferred_kind kind, weft_code code, void *arg);
/* The same as deferred_next for those that are not inside the deferred. */
enum deferred_kind deferred_next_of_more(struct weft_deferred *deferred, struct deferred_callback *ret);
/* Takes the next callback out; there is one. Returns its kind. */
static inline enum deferred_kind deferred_next(struct weft_deferred *deferred, struct deferred_callback *ret)
{
    unsigned at = deferred->first;

    if (deferred->count == 0)
        return deferred_next_of_more(deferred, ret);
    deferred->first = (uint8_t)((at + 1) % DEFERRED_CALLBACKS);
    deferred->count--;
    *ret = deferred->callbacks[at];
    return (enum deferred_kind)deferred->kinds[at];
}

/* deferred_run.c */
/* Runs what there is to run, unless it is being run further down the stack. */
void deferred_run(struct weft_deferred *deferred);

/* deferred_time.c */
/* The end of what a weft_timeout covers. Returns the error as it is from here on. */
int deferred_timed(struct weft_deferred *deferred, void *arg);

#endif
