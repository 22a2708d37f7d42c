/* SPDX-License-Identifier: MIT */
/**
 * @file
 * hiredis on a loop. Link weft-hiredis.
 */
#ifndef WEFT_ADAPTERS_HIREDIS_H
#define WEFT_ADAPTERS_HIREDIS_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <weft/scope.h>

WEFT_BEGIN_DECLS

/**
 * Has the loop of @p scope do what @p redis waits for. weft_loop_run goes on as long as it is connected.
 *
 * When @p scope is cancelled or closed, @p redis is freed (redisAsyncFree): each of its callbacks gets a NULL reply.
 * Otherwise it is hiredis's to free, as always.
 *
 * hiredis itself looks names up by getaddrinfo and waits for that: connect to an address or a path.
 *
 * @param redis  fresh from redisAsyncConnect or redisAsyncConnectUnix, with nothing attached to it and without an error
 * @return 0; WEFT_ENOMEM; -EINVAL if @p redis is NULL or has an error; -EALREADY if something is attached to it; an
 *         error of weft_watch_start, -ENOTSUP under the simulator; the reason if @p scope is cancelled. After an error
 *         @p redis is as it was.
 */
WEFT_API WEFT_NODISCARD int weft_hiredis_attach(weft_scope *scope, redisAsyncContext *redis);

WEFT_END_DECLS

#endif
