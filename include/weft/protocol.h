/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a user writes to speak on a stream: a protocol, and a factory that
 * builds one for each connection.
 *
 * The user's own struct embeds a weft_protocol, and the callbacks get it back
 * with weft_container_of. A protocol without state of its own may be one
 * constant object that serves every stream. No call into Weft runs a callback
 * before it returns.
 */
#ifndef WEFT_PROTOCOL_H
#define WEFT_PROTOCOL_H

#include <weft/bytes.h>

WEFT_BEGIN_DECLS

/** A stream of bytes (weft/stream.h); its scope owns it. */
typedef struct weft_stream weft_stream;
typedef struct weft_protocol weft_protocol;
typedef struct weft_factory weft_factory;

/**
 * A protocol's callbacks. Any of them may be NULL, but @c name may not. In each, the protocol may close,
 * abort or pause its own or any other stream; only after @c lost may it free itself.
 */
typedef struct weft_protocol_ops {
    const char *name; /**< for dumps, logs and the watchdog: "echo" */

    /** How a live connection is handed to a new binary: not yet possible, so the reason why this protocol has no
     *  freeze and thaw. Set by WEFT_PROTOCOL. */
    const char *not_handed_over;

    /** The stream is ready: the first call, before any data. */
    void (*connected)(weft_protocol *protocol, weft_stream *stream);

    /**
     * Bytes arrived; @p in is valid during the call.
     * @return how many were consumed. The rest comes back, contiguous, in front of what follows; if that grows past
     *         the input limit, the stream is lost with WEFT_EINPUTLIMIT.
     */
    size_t (*received)(weft_protocol *protocol, weft_stream *stream, weft_bytes in);

    /** The output queue fell to the low-water mark after a write had passed the high-water mark. */
    void (*drained)(weft_protocol *protocol, weft_stream *stream);

    /** The peer half-closed: no more bytes will come. What was not consumed is lost. Writing still works; without
     *  this callback the stream is closed, after what was written has gone out. It is called at most once, also after
     *  weft_stream_end, as long as that has not reached the peer because something is queued before it. When it has,
     *  this is not called: both sides have ended, and the stream is lost with WEFT_ECLOSED at once. */
    void (*ended)(weft_protocol *protocol, weft_stream *stream);

    /** The time set with weft_stream_set_deadline has come (before `connected`, if it takes that long). */
    void (*deadline)(weft_protocol *protocol, weft_stream *stream);

    /** The listener is stopping gracefully: finish what runs and close. */
    void (*draining)(weft_protocol *protocol, weft_stream *stream);

    /** The stream is gone, for @p reason: WEFT_ECLOSED if it ended cleanly. The last call, exactly once, to
     *  the protocol that the stream has then, even if it never connected. The stream is still readable (addresses,
     *  counts), but writes fail. */
    void (*lost)(weft_protocol *protocol, weft_stream *stream, int reason);
} weft_protocol_ops;

/** The base that a user's protocol embeds. */
struct weft_protocol {
    const weft_protocol_ops *ops;
};

/**
 * Defines a protocol's table of callbacks as @p identifier.
 *
 * @p why_not_handed_over is the sentence that says why a live connection of this protocol cannot be frozen and handed
 * to a new binary; it cannot be left out.
 */
#define WEFT_PROTOCOL(identifier, protocol_name, why_not_handed_over, ...) \
    const weft_protocol_ops identifier = {                                 \
        .name = (protocol_name), .not_handed_over = ("" why_not_handed_over), __VA_ARGS__}

/** A factory's callbacks. */
typedef struct weft_factory_ops {
    /**
     * A connection was accepted: build its protocol.
     * @return the protocol that will speak on @p stream (also if @p stream was given one in this call); NULL refuses
     *         the connection, which is closed without a call
     */
    weft_protocol *(*build)(weft_factory *factory, weft_stream *stream);

    /** The listener stopped and the last of its streams is gone: the last call. @p aborted streams had to be ended by
     *  force, by the grace time or by their scope; the other @p drained finished after the stop began. */
    void (*stopped)(weft_factory *factory, size_t drained, size_t aborted);
} weft_factory_ops;

/** The base that a user's factory embeds. */
struct weft_factory {
    const weft_factory_ops *ops;
};

WEFT_END_DECLS

#endif
