/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A stream: bytes in order, both ways, with backpressure, until it is lost
 * exactly once.
 *
 * Functions that take a stream never wait and never call back before they
 * return. A stream belongs to its scope and ends with it; a pointer to it is
 * valid until `lost` returns, or longer if weft_stream_ref holds it. An idle
 * stream holds no buffer.
 */
#ifndef WEFT_STREAM_H
#define WEFT_STREAM_H

#include <weft/address.h>
#include <weft/file.h>
#include <weft/loop.h>
#include <weft/protocol.h>

WEFT_BEGIN_DECLS

struct weft_proxy_header;
/** How a client speaks TLS (weft/tls.h). */
typedef struct weft_tls_client weft_tls_client;

/** A stream's limits and deadlines. Zero means the default; WEFT_UNLIMITED and WEFT_NEVER are the words for none. */
typedef struct weft_stream_options {
    size_t size;           /**< sizeof(weft_stream_options) */
    size_t high_water;     /**< weft_stream_write returns 1 above this many queued bytes (default 64 KiB) */
    size_t low_water;      /**< `drained` is called at or below this many (default 16 KiB) */
    size_t output_limit;   /**< a write that would queue more is refused with WEFT_EOUTPUTLIMIT (default 4 MiB) */
    size_t input_limit;    /**< bytes that `received` may leave unconsumed (default 64 KiB) */
    weft_time connect;     /**< to establish a connection (default 30 s) */
    weft_time idle;        /**< without a byte in either direction (default 5 min) */
    weft_time write_stall; /**< with output queued and none taken by the peer (default 30 s) */
    weft_time lifetime;    /**< from connected to the end (default WEFT_NEVER) */
    bool delay;            /**< TCP: leave Nagle's algorithm on (default: TCP_NODELAY is set) */
    weft_time keepalive;   /**< TCP: probe a silent peer after this long (default: no probes) */
    weft_time
        handshake; /**< from connected or accepted to ready, where layers such as TLS lie between (default 10 s) */
    /** Through proxy+ endpoints: what the PROXY header (weft/wire/proxy.h) says of whom the connection is for; its
     *  version is the endpoint's. *Borrowed* during the call (default: NULL, the connection itself). */
    const struct weft_proxy_header *announce;
    weft_tls_client *tls; /**< of an outgoing connection: speak TLS (weft/tls.h); *borrowed* during the call */
    /** Whom its certificate must be for (default: the URL's host); *borrowed*. -EINVAL where no TLS is spoken. */
    const char *tls_name;
} weft_stream_options;

/**
 * Writes @p bytes (*borrowed*, copied unless they go out at once): they are queued and go out at the end of the turn,
 * or when the `received` in which they were written has returned, or the task that wrote them with weft_write waits.
 * The last of the very bytes that are being delivered may go out before this returns, if they take the queue above its
 * high-water mark: then there is nothing left to gather them with. One attempt is made a turn, of at most two system
 * calls.
 * @return 0; 1 if the queue is above the high-water mark, or was and `drained` is still to come (stop, and go on when
 *         it is called; the bytes are queued all the same); WEFT_EOUTPUTLIMIT or WEFT_ENOMEM, and nothing was queued;
 *         WEFT_EENDED after close, abort, end or the loss of the stream, and once the peer has broken the connection:
 *         what it had sent before is still delivered, unless the stream is paused, and `lost` says why
 */
WEFT_API int weft_stream_write(weft_stream *stream, weft_bytes bytes);

/**
 * Writes @p bytes without a copy.
 * @param owner  one reference is *taken* on success, released when the bytes have gone out; NULL for bytes that live
 *               for ever
 * @return as weft_stream_write
 */
WEFT_API int weft_stream_write_owned(weft_stream *stream, weft_bytes bytes, weft_owner *owner);

/**
 * Writes @p length bytes of @p file, from @p offset, without a copy through user space where the system can.
 * If the file turns out shorter, the stream is aborted with WEFT_ECHANGED once it gets there, never padded (though
 * Linux may send zeros for what was on its way when the file was cut). The bytes do not count against the output limit,
 * but at most 64 stretches wait at once (then WEFT_EOUTPUTLIMIT).
 * @param file  *borrowed*; the stream holds a reference until the bytes have gone out
 * @return as weft_stream_write; 1 until the file has been sent
 */
WEFT_API int weft_stream_write_file(weft_stream *stream, weft_file *file, uint64_t offset, uint64_t length);

/** Stops reading, sends what was written, then closes: lost with WEFT_ECLOSED. Nothing but `lost` is called from now
 *  on; later writes fail. It may take as long as write_stall allows, and two seconds more for the peer to end. A stream
 *  that is still connecting is dropped. Idempotent. */
WEFT_API void weft_stream_close(weft_stream *stream);
/** Drops what was written and resets the connection: lost with WEFT_EABORTED, and nothing else is called before. A UNIX
 *  socket or a pipe has no reset: there the peer sees an end. Idempotent. */
WEFT_API void weft_stream_abort(weft_stream *stream);
/** Half-close: sends what was written, then tells the peer that no more will come; reading goes on. When the peer has
 *  ended too, the stream is lost with WEFT_ECLOSED. If the peer ends first, while something is still queued, `ended` is
 *  called, and the stream is lost when the queue has gone out. Idempotent. */
WEFT_API void weft_stream_end(weft_stream *stream);

/** Delivers nothing until resume. The engine stops reading; what it had received already waits, within its bound. */
WEFT_API void weft_stream_pause(weft_stream *stream);
/** Delivers again, first (from the loop) what waited. */
WEFT_API void weft_stream_resume(weft_stream *stream);

/** How many written bytes the peer's system has not taken yet (file stretches not counted). */
WEFT_API size_t weft_stream_queued(const weft_stream *stream);

/** How many bytes that were sent the peer's system has not confirmed. @return a count; -1 if that cannot be known */
WEFT_API int64_t weft_stream_unconfirmed(const weft_stream *stream);

/** Has `deadline` called @p delay from now, once; WEFT_NEVER takes it back. Resolution: about a millisecond. */
WEFT_API void weft_stream_set_deadline(weft_stream *stream, weft_time delay);
/** Changes limits and deadlines of this stream: fields that are zero stay as they are. @return 0;
 *  WEFT_ENOMEM; -EINVAL or -E2BIG as weft_listen */
WEFT_API WEFT_NODISCARD int weft_stream_set_options(weft_stream *stream, const weft_stream_options *options);

/** Gives the stream to another protocol; the former gets no further call, not even `lost`. Input that was not
 *  consumed goes to the new one, from the loop; so does an `ended` that the former was told. It is not called
 *  `connected` again. Once the stream is lost this does nothing. From a task's stream it is the way to a state machine:
 *  weft/task_stream.h says how; if memory for the input is short, the stream is lost with WEFT_ENOMEM. */
WEFT_API void weft_stream_set_protocol(weft_stream *stream, weft_protocol *protocol);
/** The protocol that speaks on it. @return *borrowed* */
WEFT_API weft_protocol *weft_stream_protocol(const weft_stream *stream);

/** The other end's address; valid until the stream's memory is gone. Of one that came with a PROXY header it is the
 *  address that this names: for logs, access rules and applications. */
WEFT_API const weft_address *weft_stream_peer(const weft_stream *stream);
/** The address that is really connected, whatever a PROXY header says: what limits for each address count. Without such
 *  a header it is the same as weft_stream_peer. @return *until* the stream's memory is gone */
WEFT_API const weft_address *weft_stream_direct_peer(const weft_stream *stream);
/** The PROXY header that it came with (weft/wire/proxy.h). @return *until* the stream's memory is gone; NULL if there
 *  was none */
WEFT_API const struct weft_proxy_header *weft_stream_proxy_header(const weft_stream *stream);
/** This end's address. @return 0, or a negative error after the stream is lost */
WEFT_API WEFT_NODISCARD int weft_stream_local(const weft_stream *stream, weft_address *ret_address);
/** The loop that it lives on. */
WEFT_API weft_loop *weft_stream_loop(const weft_stream *stream);
/** The scope that it belongs to; NULL when it is lost. @return *borrowed* */
WEFT_API weft_scope *weft_stream_scope(const weft_stream *stream);

/** Keeps the stream's memory (not its connection) until unref, which must come before the loop is freed.
 *  @return @p stream */
WEFT_API weft_stream *weft_stream_ref(weft_stream *stream);
/** One reference less. NULL does nothing. */
WEFT_API void weft_stream_unref(weft_stream *stream);

WEFT_END_DECLS

#endif
