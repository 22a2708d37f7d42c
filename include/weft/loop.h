/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The loop: one thread, one turn after another.
 *
 * A turn does, in this order: it waits until something is ready; it delivers
 * what the backend completed (accepted, connected, received, sent); it runs
 * what other threads posted; it fires the timers that are due; it runs what
 * was put off in this turn (a stream's end, input left over after a resume)
 * and sends what was written, one gathering write per stream; it frees what
 * has ended. No step runs without bound: what is left is done in the next
 * turn, which then does not wait.
 *
 * There is no global loop. A process may have several, each on a thread of
 * its own; an object belongs to the loop that it was made on, and
 * weft_loop_post is the only function that another thread may call.
 */
#ifndef WEFT_LOOP_H
#define WEFT_LOOP_H

#include <weft/bytes.h>
#include <weft/counter.h>
#include <weft/scope.h>

WEFT_BEGIN_DECLS

/** How a loop is made. Zero (and NULL) means the default. */
typedef struct weft_loop_options {
    size_t size;         /**< sizeof(weft_loop_options) */
    const char *backend; /**< which engine: "epoll"; "io_uring", which is epoll, and a line in the log, where the kernel
                              forbids or lacks it; "io_uring:6.1", "io_uring:6.10" or "io_uring:6.15", what kernels of
                              that version can do and nothing else; "poll", which every POSIX system has, and whose
                              turns cost time for each descriptor that there is; "sim:SEED" for a simulated world
                              (weft/sim.h); default: what the environment's WEFT_BACKEND says in the same words, else
                              the best there is */
    weft_time watchdog;  /**< a callback that runs longer than this is named in the log (default 100 ms, real backends
                              only); WEFT_NEVER for no watchdog */
    size_t job_threads;  /**< threads for blocking jobs (default 4), started when the first job comes */
} weft_loop_options;

/**
 * Makes a loop. On a real system it also has the process ignore SIGPIPE, unless something else than the default was
 * chosen for it: a peer that has gone is an error of its stream.
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_loop  *returned*, the caller frees it with weft_loop_free
 * @return 0; WEFT_ENOMEM; -EOPNOTSUPP, -EPERM and the like for an io_uring that has to be of one version and is not
 *         to be had; -EINVAL for an unknown backend (the known ones are logged), or if @p options has no size;
 *         -E2BIG if it asks for what this version does not know; -EMFILE and the like from the system,
 *         which are logged if it is random bytes that it does not give
 */
WEFT_API WEFT_NODISCARD int weft_loop_new(const weft_loop_options *options, weft_loop **ret_loop);

/**
 * Closes the root scope, runs until all that the loop owned has ended, and frees the loop.
 * Not from a callback. NULL does nothing.
 */
WEFT_API void weft_loop_free(weft_loop *loop);

/**
 * Runs turns until weft_loop_stop is called or nothing is left to wait for
 * (no stream, listener, started timer, signal or job). May be called again;
 * while it runs, by a task of this loop, but not by any other callback.
 * @return 0; -EBUSY from such a callback, which is logged; a negative error if the backend failed
 */
WEFT_API WEFT_NODISCARD int weft_loop_run(weft_loop *loop);

/** Makes weft_loop_run return after the current turn (at once, if it is called before). */
WEFT_API void weft_loop_stop(weft_loop *loop) WEFT_NONBLOCKING;

/** The monotonic time at which this turn's work began, in nanoseconds. */
WEFT_API weft_time weft_loop_now(const weft_loop *loop) WEFT_NONBLOCKING;
/** The wall clock: nanoseconds since 1970 UTC, as of this turn. */
WEFT_API weft_time weft_loop_wall(weft_loop *loop);
/** The root of the loop's scope tree; it lives as long as the loop. */
WEFT_API weft_scope *weft_loop_scope(weft_loop *loop) WEFT_NONBLOCKING;
/** The loop's counters. @return *borrowed*, *until* the loop is freed */
WEFT_API weft_counters *weft_loop_counters(weft_loop *loop) WEFT_NONBLOCKING;
/** Which engine the loop runs on: "epoll", "io_uring", "poll", "sim". @return a constant */
WEFT_API const char *weft_loop_backend(const weft_loop *loop) WEFT_NONBLOCKING;
/** Fills @p memory with unpredictable bytes (under the simulator: from the seed). @return 0 or a negative error */
WEFT_API WEFT_NODISCARD int weft_loop_entropy(weft_loop *loop, void *memory, size_t length);

/** Takes a line of a dump; @p text is *borrowed* during the call. Must not change what is dumped. */
typedef void weft_dump_line(const char *text, void *arg);
/** Says what belongs to whom on @p loop, and which task waits for what, where and since when: a line for each member of
 *  the scope tree, those inside it indented by two. @param line  called for each; NULL: they go to the log */
WEFT_API void weft_loop_dump(const weft_loop *loop, weft_dump_line *line, void *arg);

/** Something for the loop to run. Embedded in the poster's memory, untouched until run is called. */
typedef struct weft_post {
    struct weft_post *next;              /**< private */
    void (*run)(struct weft_post *post); /**< called on the loop's thread, once; may free the post */
} weft_post;

/**
 * Has @p post->run called on the loop's thread. From any thread, at any time while the loop exists; never waits,
 * never fails, allocates nothing. Posts of one thread run in their order.
 */
WEFT_API void weft_loop_post(weft_loop *loop, weft_post *post) WEFT_NONBLOCKING;

/** @name Hosting: another loop drives this one (docs/decisions/0017-hosting.md).
 *
 * Before it sleeps, and after all of its callbacks that may have used this loop, the host asks weft_loop_prepare; it
 * sleeps no longer than that, and no longer than until weft_loop_fd is readable; then it calls weft_loop_step. All on
 * one thread. Adapters for GLib, libuv, libevent and sd-event are in adapters/.
 * @{ */
/** A descriptor that is readable when weft_loop_step has something to do. @return the descriptor, the loop's own;
 *  -1 if the backend has none ("poll", "sim"): then the host has to call weft_loop_step whenever it can */
WEFT_API int weft_loop_fd(const weft_loop *loop);
/** How long the host may sleep: a duration, 0 if there is work already (a stop counts as that), WEFT_NEVER if only the
 *  descriptor matters. */
WEFT_API weft_time weft_loop_prepare(weft_loop *loop);
/** One turn that does not wait. @return 1 if something is left to wait for, 0 if not, a negative error; -EBUSY as
 *  weft_loop_run */
WEFT_API int weft_loop_step(weft_loop *loop);
/** Whether weft_loop_stop was called, since no weft_loop_run was there to return for it. Asking takes it back. */
WEFT_API bool weft_loop_stopped(weft_loop *loop) WEFT_NONBLOCKING;
/** Whether something is left to wait for: what weft_loop_run goes on for. */
WEFT_API bool weft_loop_alive(const weft_loop *loop) WEFT_NONBLOCKING;
/** @} */

WEFT_END_DECLS

#endif
