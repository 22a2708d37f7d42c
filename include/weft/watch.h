/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Watching a descriptor that belongs to somebody else.
 *
 * Libraries that open sockets of their own (libpq, hiredis, c-ares, libcurl,
 * a language's selector) want to be told when one of them can be read or
 * written, and read and write it themselves. That is a watch; who wants to
 * move bytes through Weft uses a stream (weft/stream.h).
 *
 * - It is level-triggered, as such libraries expect: what is still ready is
 *   told again in the next turn. A callback may find that somebody else was
 *   faster, so the descriptor should be non-blocking; Weft reads nothing from
 *   it, writes nothing to it and changes none of its flags.
 * - From the moment of a stop nothing is called, and the descriptor and the
 *   memory of the watch are free for anything else: to be closed, to be used
 *   for another watch. **Stop it before the descriptor is closed**: its number
 *   may be the next connection's. A library that may close its socket without
 *   a word, as libpq while it connects, is stopped before each call that may.
 * - One watch at a time on one descriptor, for both directions. (Two numbers
 *   that dup(2) made of one are two descriptors.)
 *
 * docs/decisions/0016-watching-descriptors.md says why.
 */
#ifndef WEFT_WATCH_H
#define WEFT_WATCH_H

#include <weft/timer.h>

WEFT_BEGIN_DECLS

struct backend_watch;

/** What a descriptor is watched for, and what is told of it. */
enum weft_watch_what {
    WEFT_READABLE = 1, /**< reading does not wait: bytes, a connection to accept, or the peer's end */
    WEFT_WRITABLE = 2, /**< writing does not wait: there is room, or connecting is over */
    WEFT_FAILED = 4,   /**< told only: it has an error (SO_ERROR), or the reader of a pipe is gone */
    WEFT_HANGUP = 8,   /**< told only: both directions have ended. What came before can still be read. */
};

/** A watch on one descriptor. Embedded; its fields are private. Zeroed memory is one that is stopped. */
typedef struct weft_watch {
    weft_scope_member member;
    struct backend_watch *seam; /* NULL: it is stopped */
    void (*ready)(struct weft_watch *watch, unsigned what);
    bool background;
    bool counts; /* the loop and the scope wait for it */
} weft_watch;

/**
 * Starts to watch @p fd. When @p scope is cancelled or closed, the watch is stopped, of which nothing is told.
 *
 * While it watches for something it keeps weft_loop_run going (but see weft_watch_set_background).
 *
 * @param watch  stopped, or never used; untouched memory until weft_watch_stop
 * @param fd  *borrowed*, *until* weft_watch_stop: open, and its owner's
 * @param interest  WEFT_READABLE, WEFT_WRITABLE, both, or 0: nothing is told yet
 * @param ready  called from the loop, never before this function returns, once in a turn while something is ready that
 *               is wanted. @p what holds that, and WEFT_FAILED and WEFT_HANGUP whenever they are true. With one of
 *               these all that is wanted counts as ready, since an attempt would not wait: who looks at no other bits
 *               learns the error from its next call. May change, stop, start again or free its own watch, and others.
 * @return 0; -EPERM for what never waits and cannot be watched: a regular file, a directory, on epoll also devices like
 *         /dev/null (files: weft/file_open.h); -EEXIST if it is watched on this loop already, or is one of a stream or
 *         listener of it; -EBADF if it is not open; -EINVAL for other bits of @p interest; -ENOTSUP in a simulated
 *         world, which has no descriptors (logged); WEFT_ENOMEM; -ENOSPC if the system allows no more
 *         (fs.epoll.max_user_watches); the reason if @p scope is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_watch_start(weft_watch *watch, weft_scope *scope, int fd, unsigned interest,
                                             void (*ready)(weft_watch *watch, unsigned what));
/**
 * Says what is wanted from now on: WEFT_READABLE, WEFT_WRITABLE, both, or 0, with which not even failures are told.
 * What is wanted anew and ready is told in the next turn; what is no longer wanted is not, even if it had been seen
 * already. At any time, also from its own callback; costs a system call or two if something changes. Harmless on one
 * that is stopped.
 */
WEFT_API void weft_watch_change(weft_watch *watch, unsigned interest);
/** Stops it: nothing is called from now on. Harmless if it is stopped. At any time, also from its own callback. */
WEFT_API void weft_watch_stop(weft_watch *watch);
/** Says whether @p watch, which was started, is in the background: then neither weft_loop_run nor weft_scope_wait waits
 *  for it. */
WEFT_API void weft_watch_set_background(weft_watch *watch, bool background);
/** Whether it was started and has not been stopped, by its owner or by its scope. */
WEFT_API bool weft_watch_active(const weft_watch *watch);
/** What it is watched for; 0 if it is stopped. */
WEFT_API unsigned weft_watch_interest(const weft_watch *watch);
/** The descriptor. @return -1 if it is stopped */
WEFT_API int weft_watch_descriptor(const weft_watch *watch);

WEFT_END_DECLS

#endif
