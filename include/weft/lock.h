/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Locks and semaphores, for what takes several waits and must not be mixed
 * with what others do.
 *
 *     if (weft_wait(weft_lock_acquire(scope, lock)) == 0) {
 *         ...                                       // waits, too
 *         weft_lock_release(scope, lock);
 *     }
 *
 * Whoever acquires does so for a scope. When that scope closes, what it still
 * holds is given back, so a task that was cancelled cannot leave others
 * waiting for ever. While it is held it counts as a member of that scope.
 *
 * Those that wait get it in the order in which they came. One that is
 * cancelled, or whose scope is, leaves the line.
 */
#ifndef WEFT_LOCK_H
#define WEFT_LOCK_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A lock: one holder, or as many as it has tokens, which makes it a semaphore. */
typedef struct weft_lock weft_lock;

/** A new lock. @return *until* @p scope is gone; those that wait for it then are cancelled. NULL if memory is short */
WEFT_API weft_lock *weft_lock_new(weft_scope *scope);
/** A new semaphore: a lock that @p tokens at once can hold. Memory for all of them is allocated here.
 *  @return as weft_lock_new; NULL also if @p tokens is 0 */
WEFT_API weft_lock *weft_semaphore_new(weft_scope *scope, size_t tokens);
/** Sets how many may wait; further ones fail with WEFT_EWAITERS. The default is 1024. With 0 a lock is had at once
 *  or not at all. */
WEFT_API void weft_lock_set_backlog(weft_lock *lock, size_t most);

/** Acquires @p lock, or one of its tokens, for @p scope. The deferred fires when it is held; at once, if it is free. */
#define weft_lock_acquire(scope, lock) WEFT_HANDLE_(weft_done, weft_lock_acquire_at(scope, lock, WEFT_HERE))
/** Beneath the macro weft_lock_acquire. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_lock_acquire_at(weft_scope *scope, weft_lock *lock, weft_place place);

/** Gives back what was acquired for @p scope, once. The next that waits has it when this returns.
 *  @return 0; WEFT_ENOTHELD if @p scope holds nothing of it, which is logged */
WEFT_API int weft_lock_release(weft_scope *scope, weft_lock *lock);

/**
 * Acquires @p lock for @p scope, runs @p callback (a weft_done_callback), waits for what it becomes (weft_become), and
 * releases @p lock, however it ended. If the lock is not had, @p callback does not run.
 */
#define weft_lock_run(scope, lock, callback, arg) \
    WEFT_HANDLE_(weft_done, weft_lock_run_at(scope, lock, WEFT_CODE_(weft_done_callback, callback), arg, WEFT_HERE))
/** Beneath the macro weft_lock_run. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_lock_run_at(weft_scope *scope, weft_lock *lock, weft_code callback, void *arg,
                                         weft_place place);

/** How many tokens are free; for a lock 0 or 1. */
WEFT_API size_t weft_lock_available(const weft_lock *lock);
/** How many wait. */
WEFT_API size_t weft_lock_waiting(const weft_lock *lock);

WEFT_END_DECLS

#endif
