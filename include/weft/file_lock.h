/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Locks between processes: a file that one of them holds at a time.
 *
 *     weft_file_lock *lock = weft_file_lock_new(scope, "/run/x/spool.lock");
 *
 *     if (weft_wait(weft_file_lock_acquire(scope, lock)) == 0) {
 *         ...                                       // waits, too
 *         weft_file_lock_release(lock);
 *     }
 *
 * It is a lock on an open file (fcntl's F_OFD_SETLK), so the system gives it
 * back when its holder ends, however that happens (and a child that it forked
 * and that ran no other program). The file is made if there is none and stays
 * when the lock is released. Nothing tells when another
 * process releases it: whoever waits looks again at intervals, on the loop's
 * clock. Among tasks of one process weft_lock is better.
 *
 * Each look is a job, since opening the file may have to wait for its disk;
 * only weft_file_lock_try looks on the caller's thread.
 */
#ifndef WEFT_FILE_LOCK_H
#define WEFT_FILE_LOCK_H

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A lock file: held or not by this object, which excludes other processes and other such objects in this one. */
typedef struct weft_file_lock weft_file_lock;

/** A lock on the file @p path (*copied*), not held. What is held is given back when @p scope is gone, and who waits
 *  then is cancelled. @return *until* @p scope is gone; NULL if memory is short */
WEFT_API weft_file_lock *weft_file_lock_new(weft_scope *scope, const char *path);
/** Sets how long whoever waits lets pass between two looks, in nanoseconds; the default is a second, 0 restores it. */
WEFT_API void weft_file_lock_set_interval(weft_file_lock *lock, weft_time interval);

/**
 * A weft_done in @p scope that fires when @p lock is held: as soon as it was looked at, if it is free. Give it a
 * deadline with weft_timeout or that of its scope; who is cancelled stops looking.
 *
 * It fails with -EALREADY if @p lock is held by this object, or somebody waits for it here already; with -EINVAL if
 * @p path is no regular file; with the system's error if it cannot be opened (it must be writable).
 */
#define weft_file_lock_acquire(scope, lock) WEFT_HANDLE_(weft_done, weft_file_lock_acquire_at(scope, lock, WEFT_HERE))
/** Beneath the macro weft_file_lock_acquire. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_file_lock_acquire_at(weft_scope *scope, weft_file_lock *lock, weft_place place);
/** Acquires @p lock if it is free. It may wait for a disk, so it is for programs that begin or end, not for callbacks.
 *  @return 0; -EAGAIN if another holds it (or this object looks at it, for somebody who gave up); the errors of
 *  weft_file_lock_acquire */
WEFT_API WEFT_NODISCARD int weft_file_lock_try(weft_file_lock *lock);
/** Gives it back. @return 0; WEFT_ENOTHELD if @p lock is not held by this object */
WEFT_API int weft_file_lock_release(weft_file_lock *lock);
/** Whether it is held by this object. */
WEFT_API bool weft_file_lock_held(const weft_file_lock *lock);

WEFT_END_DECLS

#endif
