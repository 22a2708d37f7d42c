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

WEFT_END_DECLS

#endif
