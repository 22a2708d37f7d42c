/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Streams for tasks: calls that wait.
 *
 *     static void echo(weft_stream *peer, void *unused)
 *     {
 *         weft_bytes in;
 *         while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
 *             ;
 *     }
 *
 * A stream from weft_serve, weft_accept or weft_connect is a task's: it has a
 * protocol of Weft's own, which keeps what arrives (at most 64 KiB, or one
 * delivery, then the peer is slowed down) until a task reads it. What never waits
 * (weft_stream_write, weft_stream_end, weft_stream_set_options and the rest of
 * weft/stream.h) can be used on it, too. One task at a time may read it, and
 * one may write; others get -EBUSY. Outside of a task every call here gives
 * WEFT_ENOTASK.
 *
 * weft_stream_set_protocol is the way from a task to a state machine: the
 * protocol that it names gets what was received and no task has read, and from
 * then on the stream is like any other with a protocol. It belongs to the scope
 * that weft_connect or weft_accept was given, or, in a handler of weft_serve,
 * to its listener, so the handler may return. The calls below answer -EINVAL,
 * also those that wait already, and bytes that were lent are not to be used any
 * more.
 */
#ifndef WEFT_TASK_STREAM_H
#define WEFT_TASK_STREAM_H

#include <weft/listener.h>
#include <weft/task.h>

WEFT_BEGIN_DECLS

/**
 * Waits for bytes.
 * @param[out] ret  all that is there, at least one byte; *borrowed* until the next read on @p stream, or its scope ends
 * @return how many; 0 at the end, or when the listener stops and nothing has come; the reason for which the stream was
 *         lost; the reason if the task was cancelled; WEFT_ENOMEM if memory is short, and nothing is lost: a later read
 *         may get it; -EBUSY if another task reads; -EINVAL if @p stream is not a task's
 */
#define weft_read(stream, ret) weft_task_read(stream, ret, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_read(weft_stream *stream, weft_bytes *ret, weft_place place);

/** Waits for exactly @p length bytes (1 to INT_MAX). @return as weft_read; 0 if the end came before the first of
 *  them, WEFT_ETRUNCATED if it came after */
#define weft_read_exactly(stream, length, ret) weft_task_read_exactly(stream, length, ret, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_read_exactly(weft_stream *stream, size_t length, weft_bytes *ret, weft_place place);

/** Waits for bytes up to and with the first @p delimiter (*borrowed*, not empty). @return as weft_read_exactly;
 *  WEFT_EINPUTLIMIT if it is not among the first @p limit bytes, which are then still to be read */
#define weft_read_until(stream, delimiter, limit, ret) weft_task_read_until(stream, delimiter, limit, ret, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_read_until(weft_stream *stream, weft_bytes delimiter, size_t limit, weft_bytes *ret,
                                  weft_place place);

/** Writes @p bytes, and waits while more is queued than the stream's high-water mark. @return 0; an error of
 *  weft_stream_write; the reason for which the stream was lost, or for which the task was cancelled: the bytes may
 *  then have been sent or not */
#define weft_write(stream, bytes) weft_task_write(stream, bytes, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_write(weft_stream *stream, weft_bytes bytes, weft_place place);

/** Closes @p stream (weft_stream_close) and waits until it is gone. @return 0 if all that was written went out and it
 *  ended cleanly; else the reason for which it was lost, or for which the task was cancelled */
#define weft_close(stream) weft_task_close(stream, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_close(weft_stream *stream, weft_place place);

/**
 * Connects to @p url and waits for it.
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_stream  belongs to @p scope: usable, even when it is lost, until that closes, which closes it,
 *                         gracefully: what was written still goes out. Cancelled, it is reset
 * @return 0; an error of weft_stream_connect; the reason for which it could not be established, or for which the task
 *         was cancelled
 */
#define weft_connect(scope, url, options, ret_stream) weft_task_connect(scope, url, options, ret_stream, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API WEFT_NODISCARD int weft_task_connect(weft_scope *scope, const char *url, const weft_stream_options *options,
                                              weft_stream **ret_stream, weft_place place);

/** Connections that wait to be accepted by a task; its scope owns it. */
typedef struct weft_acceptor weft_acceptor;

/** Listens at @p url for weft_accept. More than 64 connections that no task has accepted yet are refused; those that
 *  were lost meanwhile, with nothing left to be read, are forgotten. Parameters as those of weft_listen.
 *  @return as weft_listen */
WEFT_API WEFT_NODISCARD int weft_acceptor_open(weft_scope *scope, const char *url, const weft_listen_options *options,
                                               weft_acceptor **ret_acceptor, weft_url_error *ret_error);
/** Its listener, to stop it, or to ask where it listens. @return *borrowed* until it has stopped */
WEFT_API weft_listener *weft_acceptor_listener(const weft_acceptor *acceptor);
/**
 * Waits for a connection.
 * @param scope  to which the stream belongs from now on: usable until that closes, which closes it, gracefully. It
 *               counts among the listener's connections, is asked to finish when that is stopped, and ends with the
 *               grace time; but it outlives the acceptor's scope
 * @return 0; WEFT_EENDED when the listener has stopped; the reason if the task or @p scope was cancelled; -EBUSY if
 *         another task waits
 */
#define weft_accept(acceptor, scope, ret_stream) weft_task_accept(acceptor, scope, ret_stream, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API WEFT_NODISCARD int weft_task_accept(weft_acceptor *acceptor, weft_scope *scope, weft_stream **ret_stream,
                                             weft_place place);

/** What speaks on a connection; when it returns, the connection is closed, gracefully. */
typedef void weft_stream_handler(weft_stream *peer, void *arg);

/** A whole server: as weft_serve_factory, with a task for each connection that runs @p handler. @return as that */
WEFT_API int weft_serve(const char *url, weft_stream_handler *handler, void *arg);

/** A factory whose connections run @p handler, for weft_listen. @return *returned*, the caller releases it with
 *  weft_task_factory_free when its listeners have stopped; NULL if memory is short */
WEFT_API weft_factory *weft_task_factory_new(weft_stream_handler *handler, void *arg);
/** Frees it. NULL does nothing. */
WEFT_API void weft_task_factory_free(weft_factory *factory);

WEFT_END_DECLS

#endif
