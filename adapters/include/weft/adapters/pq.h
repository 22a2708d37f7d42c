/* SPDX-License-Identifier: MIT */
/**
 * @file
 * libpq on a loop: connections to PostgreSQL, and what they answer. Link weft-pq.
 */
#ifndef WEFT_ADAPTERS_PQ_H
#define WEFT_ADAPTERS_PQ_H

#include <libpq-fe.h>

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** A connection to a server. */
typedef struct weft_pq weft_pq;

/** A connection: what weft_pq_close takes. */
WEFT_DEFERRED(weft_pq_connected, weft_pq *);
/** What PQgetResult returns: what PQclear takes, or NULL after the last one. */
WEFT_DEFERRED(weft_pq_result, PGresult *);

/**
 * Connects. libpq looks names up by getaddrinfo and waits for that, and reads its own files there and then: give it an
 * address (`hostaddr`) or the folder of a socket (`host=/run/postgresql`). Its `connect_timeout` does not count here:
 * use weft_timeout. Cancelling the deferred gives it up.
 *
 * weft_loop_run goes on as long as something is awaited of a connection, and no longer. When @p scope is cancelled or
 * closed, that is cancelled, and nothing more can be awaited; when it is gone only weft_pq_close may be called.
 *
 * @param conninfo  *borrowed*; as PQconnectdb has it
 * @return a deferred, whose value is *returned*, the caller closes it with weft_pq_close. It fails with -ECONNREFUSED
 *         if no server took it, whose story has the words of libpq; with WEFT_ENOMEM; with an error of
 *         weft_watch_start, -ENOTSUP under the simulator
 */
WEFT_API weft_pq_connected weft_pq_connect(weft_scope *scope, const char *conninfo);
/** Cancels what is awaited, closes the connection and frees it. At any time, also in a callback of a deferred. NULL
 *  does nothing. */
WEFT_API void weft_pq_close(weft_pq *pq);
/** libpq's connection, which does not block: for PQsendQueryParams and its like, and for all that does not wait.
 *  @return *until* weft_pq_close */
WEFT_API PGconn *weft_pq_connection(weft_pq *pq);

/**
 * What PQgetResult returns, without blocking; so, after a PQsend function returned 1:
 *
 *     while ((status = weft_await(weft_pq_next(pq), &result)) == 0 && result)
 *         ...
 *
 * An error of SQL is a result, and so are the last words of a server that ends a connection. When it is gone the
 * deferred fails with WEFT_ETRUNCATED, whose story has the words of libpq, and from then on with -ENOTCONN.
 *
 * Cancelling the deferred has a thread of the loop's jobs ask the server to stop (PQcancel) if a command is under way.
 * What that still brings is to be taken as ever, up to its NULL, before something else is sent; which does not come
 * before the server was asked, so that nothing else is stopped.
 *
 * @return a deferred, which may have fired already; its value is *returned*: PQclear. It fails with -EBUSY if a result
 *         is awaited already
 */
WEFT_API weft_pq_result weft_pq_next(weft_pq *pq);

WEFT_END_DECLS

#endif
