/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Weft and libevent on one thread. Link weft-event.
 */
#ifndef WEFT_ADAPTERS_EVENT_H
#define WEFT_ADAPTERS_EVENT_H

#include <event2/event.h>

#include <weft/loop.h>

WEFT_BEGIN_DECLS

/** A loop inside an event_base. */
typedef struct weft_event_host weft_event_host;

/**
 * Has @p base run @p loop: what is ready or due there gets a turn, and libevent sleeps no longer than the loop may.
 *
 * libevent has nothing that it would call before it sleeps (until 2.2), so the base is to be run by
 * weft_event_host_run. Where that is not possible, event_base_dispatch does all that comes from the loop's descriptor
 * and timers; only after libevent's own callbacks have used the loop must they call weft_event_host_touch.
 *
 * @param loop  *until* weft_event_host_free, which comes before weft_loop_free
 * @param base  *until* weft_event_host_free, which comes before event_base_free
 * @param stopped  called from @p base after weft_loop_stop, or when the loop's backend has failed, which is logged; it
 *                 may free the host. NULL: event_base_loopbreak is called.
 * @param[out] ret_host  *returned*, the caller frees it with weft_event_host_free
 * @return 0; -EOPNOTSUPP if the loop's backend cannot be hosted, as the simulator's; WEFT_ENOMEM; -EIO if libevent
 *         refused
 */
WEFT_API WEFT_NODISCARD int weft_event_host_new(weft_loop *loop, struct event_base *base,
                                                void (*stopped)(weft_loop *loop, void *arg), void *arg,
                                                weft_event_host **ret_host);
/** Runs both in place of event_base_dispatch: until event_base_loopbreak or event_base_loopexit, until the host is
 *  freed, or until nothing is left on either. @return 0; -EIO if libevent failed */
WEFT_API WEFT_NODISCARD int weft_event_host_run(weft_event_host *host);
/** Says that the loop was used by a callback of libevent, where event_base_dispatch runs the base. */
WEFT_API void weft_event_host_touch(weft_event_host *host);
/** Ends it: the loop is run no more. At any time, also from a callback of either loop. NULL does nothing. */
WEFT_API void weft_event_host_free(weft_event_host *host);

WEFT_END_DECLS

#endif
