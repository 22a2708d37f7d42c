/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Weft and systemd's sd-event on one thread. Link weft-sd-event.
 */
#ifndef WEFT_ADAPTERS_SD_EVENT_H
#define WEFT_ADAPTERS_SD_EVENT_H

#include <systemd/sd-event.h>

#include <weft/loop.h>

WEFT_BEGIN_DECLS

/** A loop inside an sd_event. */
typedef struct weft_sd_host weft_sd_host;

/**
 * Has @p event run @p loop: what is ready or due there gets a turn, and @p event sleeps no longer than the loop may.
 * Its sources have the priority SD_EVENT_PRIORITY_NORMAL. It does not end when nothing is left on the loop.
 *
 * @param loop  *until* weft_sd_host_free, which comes before weft_loop_free
 * @param event  the host keeps a reference of its own
 * @param stopped  called from @p event after weft_loop_stop, or when the loop's backend has failed, which is logged; it
 *                 may free the host. NULL: sd_event_exit is called, with 0 or the error.
 * @param[out] ret_host  *returned*, the caller frees it with weft_sd_host_free
 * @return 0; -EOPNOTSUPP if the loop's backend cannot be hosted, as the simulator's; WEFT_ENOMEM; an error of
 *         sd_event_add_io and its like
 */
WEFT_API WEFT_NODISCARD int weft_sd_host_new(weft_loop *loop, sd_event *event,
                                             void (*stopped)(weft_loop *loop, void *arg), void *arg,
                                             weft_sd_host **ret_host);
/** Ends it: the loop is run no more. At any time, also from a callback of either loop. NULL does nothing. */
WEFT_API void weft_sd_host_free(weft_sd_host *host);

/** An sd_event inside a loop. */
typedef struct weft_sd_guest weft_sd_guest;

/**
 * Has the loop of @p scope run @p event: one of its sources in a turn, as sd_event_run does. weft_loop_run goes on
 * until sd_event_exit. When @p scope is cancelled or closed, @p event stands still.
 *
 * @param event  the guest keeps a reference of its own; only this loop runs it
 * @param exited  called when @p event has exited, with the code, or with an error if it failed; it may free the guest.
 *                May be NULL
 * @param[out] ret_guest  *returned*, the caller frees it with weft_sd_guest_free, before the loop is freed
 * @return 0; WEFT_ENOMEM; an error of weft_watch_start, -ENOTSUP under the simulator
 */
WEFT_API WEFT_NODISCARD int weft_sd_guest_new(weft_scope *scope, sd_event *event, void (*exited)(int code, void *arg),
                                              void *arg, weft_sd_guest **ret_guest);
/** Ends it: @p event is run no more, and can be run by itself again. At any time, also from a callback of either.
 *  NULL does nothing. */
WEFT_API void weft_sd_guest_free(weft_sd_guest *guest);

WEFT_END_DECLS

#endif
