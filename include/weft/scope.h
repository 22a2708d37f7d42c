/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The scope tree: who owns what, and until when.
 *
 * Whatever outlives the call that made it (a stream, a listener, a timer, a
 * job) takes a scope first and belongs to it. Closing a scope cancels and
 * frees all that is in it, in every depth, newest first; the scope itself is
 * gone when the last of its members has come home, which may take a turn of
 * the loop. Where a function takes a scope, NULL means "the scope could not
 * be made" and gives WEFT_ENOMEM.
 */
#ifndef WEFT_SCOPE_H
#define WEFT_SCOPE_H

#include <stdbool.h>

#include <weft/error.h>
#include <weft/time.h>

WEFT_BEGIN_DECLS

/** A loop (weft/loop.h); whoever made it frees it. */
typedef struct weft_loop weft_loop;
/** A scope; its parent owns it. */
typedef struct weft_scope weft_scope;

/**
 * Opens a scope inside @p parent.
 *
 * @param timeout  after this long everything in it is cancelled with WEFT_ETIMEDOUT; WEFT_NEVER for no deadline.
 *                 A scope never outlives its parent's deadline. A deadline is nothing that weft_loop_run waits for.
 * @return *borrowed* until weft_scope_close; NULL if memory is short or @p parent is NULL or closing.
 *         In a scope that is cancelled but open it gives one that is cancelled for the same reason.
 */
WEFT_API weft_scope *weft_scope_open(weft_scope *parent, weft_time timeout);

/** Cancels all that is in @p scope with @p reason (a negative error) and lets it stay open, cancelled: what is added
 *  later fails with the same reason. The first reason stays, but a cancellation outranks a time-out. Calls nobody back
 *  before it returns. */
WEFT_API void weft_scope_cancel(weft_scope *scope, int reason);

/**
 * Opens a scope whose parent's cancellation does not reach it: what is in it may finish, and the parent waits for it.
 * It ends by its own deadline, which it must have, or when it is closed; if the parent is closing, also when it is
 * empty. For the last words of something that was
 * cancelled; in a task, weft_shield.
 * @return as weft_scope_open; also NULL if @p timeout is WEFT_NEVER; also in a parent that is cancelled or closing
 */
WEFT_API weft_scope *weft_scope_open_shielded(weft_scope *parent, weft_time timeout);

/** Cancels with WEFT_ECANCELED all that is still in @p scope and frees it when the last has ended; do not use it
 *  afterwards. Calls nobody back before it returns. NULL does nothing. */
WEFT_API void weft_scope_close(weft_scope *scope);

/** Says whether the tasks in @p scope stand for themselves. They don't at first: when one fails, the others are
 *  cancelled with WEFT_ECANCELED. A loop's root is independent. */
WEFT_API void weft_scope_set_independent(weft_scope *scope, bool independent);
/** Asks for the error of the first task in @p scope that failed; one that nobody asked for is logged when the scope is
 *  freed. @return 0 if none has failed */
WEFT_API int weft_scope_error(weft_scope *scope);
/** Logs @p error under the name of @p scope, with its story if it is the last that was awaited there. */
WEFT_API void weft_log_error(weft_scope *scope, int error);

/** @p size zeroed bytes that live as long as @p scope: they are freed after all that is in it has ended. They don't
 *  count as a member. @return aligned for any type; *until* the scope is gone; NULL if memory is short or @p scope is
 *  NULL */
WEFT_API WEFT_NODISCARD void *weft_scope_allocate(weft_scope *scope, size_t size);
/** Gives @p memory from weft_scope_allocate back before its scope ends. NULL does nothing. */
WEFT_API void weft_scope_release(void *memory);

/** Gives @p scope a name for dumps and logs; *until* the scope is gone (not copied). */
WEFT_API void weft_scope_set_name(weft_scope *scope, const char *name);
/** Its name; never NULL. */
WEFT_API const char *weft_scope_name(const weft_scope *scope);
/** The scope that it is in; NULL for a loop's root. */
WEFT_API weft_scope *weft_scope_parent(const weft_scope *scope);
/** The loop that it belongs to. @return *borrowed* */
WEFT_API weft_loop *weft_scope_loop(const weft_scope *scope);
/** Whether it was cancelled. @return 0, or the reason (a negative error) */
WEFT_API int weft_scope_cancelled(const weft_scope *scope);
/** How many members (scopes, streams, listeners, timers, signals, jobs) are in it, not counting those inside them. */
WEFT_API size_t weft_scope_count(const weft_scope *scope);

WEFT_END_DECLS

#endif
