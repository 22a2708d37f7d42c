/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Weft and libuv on one thread. Link weft-uv.
 */
#ifndef WEFT_ADAPTERS_UV_H
#define WEFT_ADAPTERS_UV_H

#include <uv.h>

#include <weft/deferred.h>
#include <weft/loop.h>

WEFT_BEGIN_DECLS

/** A loop inside a libuv loop. */
typedef struct weft_uv_host weft_uv_host;

/**
 * Has @p uv run @p loop: what is ready or due there gets a turn in each of libuv's iterations, and libuv sleeps no
 * longer than the loop may. uv_run goes on as long as something is left on either.
 *
 * @param loop  *until* weft_uv_host_free, which comes before weft_loop_free
 * @param uv  *until* uv_run has closed the handles, after weft_uv_host_free
 * @param stopped  called from @p uv after weft_loop_stop, or when the loop's backend has failed, which is logged; it
 *                 may free the host. NULL: uv_stop is called.
 * @param[out] ret_host  *returned*, the caller frees it with weft_uv_host_free
 * @return 0; -EOPNOTSUPP if the loop's backend cannot be hosted, as the simulator's; WEFT_ENOMEM; an error of
 *         uv_poll_init
 */
WEFT_API WEFT_NODISCARD int weft_uv_host_new(weft_loop *loop, uv_loop_t *uv,
                                             void (*stopped)(weft_loop *loop, void *arg), void *arg,
                                             weft_uv_host **ret_host);
/** Says that something may have been started on a loop on which nothing was left, where that is not seen in time: after
 *  uv_run has returned, or in a closing callback (from libuv 1.45 on also in a timer's). */
WEFT_API void weft_uv_host_touch(weft_uv_host *host);
/** Ends it: the loop is run no more. At any time, also from a callback of either loop. As always with libuv, its
 *  handles are closed in the iteration that follows, so uv_run must be called before uv_loop_close. NULL does
 *  nothing. */
WEFT_API void weft_uv_host_free(weft_uv_host *host);

/** A libuv loop inside a loop. */
typedef struct weft_uv_guest weft_uv_guest;

/**
 * Has the loop of @p scope run @p uv: what is ready or due there is run (UV_RUN_NOWAIT) in a turn of the loop, which
 * sleeps no longer than @p uv may. weft_loop_run goes on as long as @p uv is alive. When @p scope is cancelled or
 * closed, @p uv stands still, and what is open on it remains open.
 *
 * @param uv  *until* weft_uv_guest_free: only this loop runs it
 * @param[out] ret_guest  *returned*, the caller frees it with weft_uv_guest_free, before the loop is freed
 * @return 0; WEFT_ENOMEM; an error of weft_watch_start, -ENOTSUP under the simulator
 */
WEFT_API WEFT_NODISCARD int weft_uv_guest_new(weft_scope *scope, uv_loop_t *uv, weft_uv_guest **ret_guest);
/** Ends it: @p uv is run no more, and can be run by itself again. At any time, also from a callback of either. NULL
 *  does nothing. */
WEFT_API void weft_uv_guest_free(weft_uv_guest *guest);

/** What a request of libuv's comes to: its result or status, which is not negative. */
WEFT_DEFERRED(weft_uv_result, ssize_t);

/**
 * A deferred with a request for one call of libuv's:
 *
 *     uv_fs_t *open;
 *     weft_uv_result opened = weft_uv_request(scope, sizeof *open, (void **)&open);
 *     weft_uv_begun(opened, uv_fs_open(uv, open, path, O_RDONLY, 0, weft_uv_fs_done));
 *
 * It fails with what libuv says: an errno, WEFT_ENONAME for names that are not found, -EIO for what is neither. What
 * is in the request is read, and cleaned up (uv_fs_req_cleanup, uv_freeaddrinfo), in the deferred's callbacks or by
 * the task that awaited it. Cancelling the deferred cancels the request (uv_cancel); if libuv is at it already it is
 * finished, and what it brings is cleaned up.
 *
 * @param scope  of the loop on whose thread the libuv loop runs
 * @param size  of the request: a uv_fs_t, uv_work_t, uv_getaddrinfo_t, or one with a callback that gets a status
 * @param[out] ret_request  zeroed; *until* the deferred is freed and libuv has called back; its `data` is the caller's
 * @return a deferred; if its `deferred` is NULL memory is short, and *@p ret_request is untouched: then make no call
 */
WEFT_API weft_uv_result weft_uv_request(weft_scope *scope, size_t size, void **ret_request);
/** Says what libuv answered to the call: if that is negative, there will be no callback, and @p result fails. */
WEFT_API void weft_uv_begun(weft_uv_result result, int status);
/** @name Callbacks for requests of weft_uv_request
 * @{ */
/** For the functions with a uv_fs_t. */
WEFT_API void weft_uv_fs_done(uv_fs_t *request);
/** For uv_queue_work. */
WEFT_API void weft_uv_work_done(uv_work_t *request, int status);
/** For uv_getaddrinfo; the addresses are in `request->addrinfo`. */
WEFT_API void weft_uv_getaddrinfo_done(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses);
/** For uv_tcp_connect and uv_pipe_connect. */
WEFT_API void weft_uv_connect_done(uv_connect_t *request, int status);
/** For uv_write. */
WEFT_API void weft_uv_write_done(uv_write_t *request, int status);
/** For uv_shutdown. */
WEFT_API void weft_uv_shutdown_done(uv_shutdown_t *request, int status);
/** @} */

WEFT_END_DECLS

#endif
