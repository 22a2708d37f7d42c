/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Timers: start, restart and stop cost O(1), however many are pending.
 *
 * A timer lives in its user's memory. Its resolution is a millisecond: it
 * fires in the first turn at or after its due time rounded up to one, never
 * early, and timers that are due at the same millisecond fire in the order in
 * which they were started.
 */
#ifndef WEFT_TIMER_H
#define WEFT_TIMER_H

#include <weft/list.h>
#include <weft/loop.h>

WEFT_BEGIN_DECLS

struct scope_member_class;

/** What makes an object a member of a scope. Embedded; private. */
typedef struct weft_scope_member {
    weft_scope *scope;
    const struct scope_member_class *class_;
    weft_link link;
} weft_scope_member;

struct weft_timer;

/** A place in the loop's timing wheel. Embedded; private. */
typedef struct weft_timer_entry {
    weft_link link;
    weft_time due; /* its two lowest bits say what kind of entry it is */
    union {
        void (*fired)(struct weft_timer_entry *entry);
        void (*timer_fired)(struct weft_timer *timer);
    };
} weft_timer_entry;

/** A timer: 64 bytes. Its fields are private. */
typedef struct weft_timer {
    weft_timer_entry entry;
    weft_scope_member member;
} weft_timer;

/**
 * Makes @p timer a stopped timer that belongs to @p scope; when the scope closes, it stops.
 * @param fired  called from the loop, with the timer stopped; it may start, stop or fini it
 * @return 0; WEFT_ENOMEM if @p scope is NULL; the reason if it is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_timer_init(weft_timer *timer, weft_scope *scope, void (*fired)(weft_timer *timer));
/** Says whether @p timer, which is stopped, is in the background: then weft_loop_run does not wait for it. */
WEFT_API void weft_timer_set_background(weft_timer *timer, bool background) WEFT_NONBLOCKING;
/** Stops it and takes it out of its scope; its memory is the caller's again. Harmless if done already. */
WEFT_API void weft_timer_fini(weft_timer *timer);
/** Starts it, or starts it anew: it fires @p delay nanoseconds after this turn's time, once; with a delay of 0 or less
 *  in the next millisecond, never in this turn; with WEFT_NEVER it is stopped. Never fails. In a scope that was
 *  cancelled nothing happens. */
WEFT_API void weft_timer_start(weft_timer *timer, weft_time delay) WEFT_NONBLOCKING;
/** Stops it: after this it does not fire. Harmless if it is stopped. */
WEFT_API void weft_timer_stop(weft_timer *timer) WEFT_NONBLOCKING;
/** Whether it is started. */
WEFT_API bool weft_timer_active(const weft_timer *timer) WEFT_NONBLOCKING;

WEFT_END_DECLS

#endif
