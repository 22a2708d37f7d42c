/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Events: a flag for which any number may wait.
 */
#ifndef WEFT_EVENT_H
#define WEFT_EVENT_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A flag: set or not. */
typedef struct weft_event weft_event;

/** A new event, not set. At most @p backlog may wait (0: 1024).
 *  @return *until* @p scope is gone; those that wait for it then are cancelled. NULL if memory is short */
WEFT_API weft_event *weft_event_new(weft_scope *scope, size_t backlog);
/** Sets @p event: all that wait for it now are fired, in the order in which they came. Harmless if it is set. */
WEFT_API void weft_event_set(weft_event *event);
/** Clears it: who waits from here on waits for the next weft_event_set. */
WEFT_API void weft_event_clear(weft_event *event);
/** Whether it is set. */
WEFT_API bool weft_event_is_set(const weft_event *event);

/** A weft_done in @p scope that fires when @p event is set, at once if it is. It fails with WEFT_EWAITERS if too many
 *  wait already. */
#define weft_event_wait(scope, event) WEFT_HANDLE_(weft_done, weft_event_wait_at(scope, event, WEFT_HERE))
/** Beneath the macro weft_event_wait. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_event_wait_at(weft_scope *scope, weft_event *event, weft_place place);

WEFT_END_DECLS

#endif
