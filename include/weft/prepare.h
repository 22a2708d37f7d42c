/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Being asked before the loop sleeps.
 *
 * For whoever runs another loop inside this one (adapters/ has those of GLib,
 * libuv and sd-event): what that waits for, and until when, may have changed in
 * any callback, and this is where it is looked at. Nothing else needs it.
 */
#ifndef WEFT_PREPARE_H
#define WEFT_PREPARE_H

#include <weft/timer.h>

WEFT_BEGIN_DECLS

/** A place before the loop's sleep. Embedded; its fields are private. Zeroed memory is one that is stopped. */
typedef struct weft_prepare {
    weft_scope_member member;
    weft_link link;
    void (*sleeps)(struct weft_prepare *prepare);
} weft_prepare;

/**
 * Has @p sleeps called whenever the loop is about to find out how long it may sleep (by itself, or because its host
 * asks), also if it will not sleep at all. It may start and stop timers, watches and posts, itself too; with
 * weft_loop_post the loop does not sleep. When @p scope is cancelled or closed, it is stopped. It is in the background:
 * neither weft_loop_run nor weft_scope_wait waits for it.
 * @param prepare  stopped, or never used; untouched memory until weft_prepare_stop
 * @return 0; the reason if @p scope is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_prepare_start(weft_prepare *prepare, weft_scope *scope,
                                               void (*sleeps)(weft_prepare *prepare));
/** Stops it: it is called no more. Harmless if it is stopped. */
WEFT_API void weft_prepare_stop(weft_prepare *prepare);

WEFT_END_DECLS

#endif
