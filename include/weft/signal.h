/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Signals, delivered as ordinary turns of the loop.
 *
 * A signal that is watched is blocked for ordinary delivery in the thread
 * that watches it; start watching before other threads are made, so that they
 * inherit the block. Several deliveries may be merged into one call.
 */
#ifndef WEFT_SIGNAL_H
#define WEFT_SIGNAL_H

#include <weft/timer.h>

WEFT_BEGIN_DECLS

/** A watch on one signal number. Its fields are private. */
typedef struct weft_signal {
    weft_scope_member member;
    weft_link link;
    int number;
    bool background; /* it does not keep the loop going */
    void (*raised)(struct weft_signal *signal);
} weft_signal;

/**
 * Starts to watch signal @p number. Several watches on one number are all called.
 * @return 0; -EINVAL for a number that cannot be watched; WEFT_ENOMEM; the reason if @p scope is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_signal_start(weft_signal *signal, weft_scope *scope, int number,
                                              void (*raised)(weft_signal *signal));
/** Stops watching; the last watch on a number restores its ordinary delivery. Harmless if stopped. */
WEFT_API void weft_signal_stop(weft_signal *signal);

WEFT_END_DECLS

#endif
