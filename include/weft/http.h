/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An HTTP/1.1 server (RFC 9110, RFC 9112).
 *
 * A server is a weft_factory: give it to weft_listen. For each request it
 * calls the handler with an *exchange*, which is the request and the response
 * to it. The handler answers at once, in one call, or keeps the exchange, with
 * a *responder* that hears of the request's body and of the exchange's end,
 * and answers when it can. The requests of one connection are handled one
 * after the other, so their responses are in order; what a client sends ahead
 * waits: at most the stream's input limit and one read of the engine (256 KiB).
 *
 * What breaks the protocol or a limit is answered by the server itself (400,
 * 408, 413, 414, 417, 431, 501, 505), and the connection is closed.
 */
#ifndef WEFT_HTTP_H
#define WEFT_HTTP_H

#include <weft/listener.h>

WEFT_BEGIN_DECLS

/** A server: a factory of connections, with their limits. */
typedef struct weft_http_server weft_http_server;
/** One request and the response to it; the server owns it. */
typedef struct weft_http_exchange weft_http_exchange;
typedef struct weft_http_handler weft_http_handler;
typedef struct weft_http_responder weft_http_responder;

/** A field of a request or a response. */
typedef struct weft_http_field {
    weft_bytes name;
    weft_bytes value;
} weft_http_field;

/** What was done with one request: for an access log. *Borrowed* during the call. */
typedef struct weft_http_record {
    const weft_address *peer;
    weft_bytes method;     /**< empty if the request was too broken to have one */
    weft_bytes target;     /**< as it was sent */
    unsigned minor;        /**< HTTP/1.minor */
    unsigned status;       /**< 0 if no response was begun */
    uint64_t body_bytes;   /**< of the response, without framing */
    weft_time wall;        /**< when the request's head was complete */
    weft_time duration;    /**< until the response was handed to the stream */
    weft_bytes referer;    /**< the field's value, or empty */
    weft_bytes user_agent; /**< the field's value, or empty */
    bool complete;         /**< the whole response was handed over */
} weft_http_record;

/** A handler's callbacks. */
typedef struct weft_http_handler_ops {
    const char *name; /**< for dumps and the watchdog */

    /**
     * A request's head is complete. The handler responds, or attaches a responder; if it does neither, the client
     * gets 500. The exchange and all slices of it are *borrowed* until its end (`gone`), or, without a responder,
     * until the handler returns.
     */
    void (*request)(weft_http_handler *handler, weft_http_exchange *exchange);

    /** A request is done with, for an access log; may be NULL. */
    void (*record)(weft_http_handler *handler, const weft_http_record *record);
} weft_http_handler_ops;

/** The base that a user's handler embeds. */
struct weft_http_handler {
    const weft_http_handler_ops *ops;
};

/** A responder's callbacks; all but `gone` may be NULL. */
typedef struct weft_http_responder_ops {
    /** The next bytes of the request's body, in order; *borrowed* during the call. */
    void (*body)(weft_http_responder *responder, weft_http_exchange *exchange, weft_bytes bytes);
    /** The request's body is complete (at once, if it has none). */
    void (*body_ended)(weft_http_responder *responder, weft_http_exchange *exchange);
    /** After a write answered 1: there is room for more. */
    void (*drained)(weft_http_responder *responder, weft_http_exchange *exchange);
    /** The exchange is over: with 0 if the response was handed over completely, or the reason why not (the client
     *  left, a deadline passed). The last call, exactly once. */
    void (*gone)(weft_http_responder *responder, weft_http_exchange *exchange, int reason);
} weft_http_responder_ops;

/** The base that a user's responder embeds. */
struct weft_http_responder {
    const weft_http_responder_ops *ops;
};

/** Limits and deadlines of a server. Zero means the default; WEFT_UNLIMITED and WEFT_NEVER are the words for none. */
typedef struct weft_http_server_options {
    size_t size;           /**< sizeof(weft_http_server_options) */
    size_t request_line;   /**< bytes (default 8 KiB); beyond it 414 */
    size_t head_bytes;     /**< of all fields (default 16 KiB); beyond it 431 */
    size_t field_count;    /**< (default 100); beyond it 431 */
    uint64_t body;         /**< bytes of a request's body (default 1 MiB; UINT64_MAX for none); beyond it 413 */
    weft_time head_time;   /**< from a request's first byte to the end of its head (default 30 s); then 408 */
    weft_time body_time;   /**< from there to the end of its body (default 60 s); then 408 */
    weft_time answer_time; /**< from there until the response was handed over, and anew from each write to it
                                  and each `drained` (default 5 min); then 503, or an abort
                                  if it had begun */
    weft_time idle_time;   /**< between two requests (default 60 s); then the connection is closed */
    size_t requests;       /**< of one connection, before it is closed (default WEFT_UNLIMITED) */
    weft_time total_time;  /**< from the end of a request's head until its response was handed over, and taken by the
                                  client but for what a stream queues (default WEFT_NEVER); then 408, if the body
                                  is not complete, or 503, or an abort if the response had begun */
    size_t request_rate;   /**< bytes a second in which a request's body must come (default 240; WEFT_UNLIMITED for
                                  none); then 408. Not counted while the handler pauses it */
    size_t response_rate;  /**< bytes a second that a client must take of a response, while more is queued for it than
                                  the stream's high water (default 240; WEFT_UNLIMITED for none); then an abort */
    weft_time rate_grace;  /**< how long a client may send, or take, nothing (default 5 s for requests, 30 s for
                                  responses). What it does earns it time, at the rate, up to 30 s or the grace at
                                  once */
} weft_http_server_options;

/**
 * Makes a server for @p loop.
 * @param handler  *borrowed* until weft_http_server_free
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_server  *returned*, the caller frees it
 * @return 0 or WEFT_ENOMEM; -EINVAL or -E2BIG for options of no size, or with something that this version does not know
 */
WEFT_API WEFT_NODISCARD int weft_http_server_new(weft_loop *loop, weft_http_handler *handler,
                                                 const weft_http_server_options *options,
                                                 weft_http_server **ret_server);
/** Frees a server; its listeners must have stopped (`stopped`), or their loop must be gone. NULL does nothing. */
WEFT_API void weft_http_server_free(weft_http_server *server);
/**
 * The factory to listen with.
 * @param stopped  called as weft_factory_ops says, may be NULL; @p arg is passed through
 * @return *borrowed*, *until* the server is freed
 */
WEFT_API weft_factory *weft_http_server_factory(weft_http_server *server,
                                                void (*stopped)(void *arg, size_t drained, size_t aborted), void *arg);

/**
 * The whole of a small HTTP server: serves at @p url with the default limits until SIGTERM or SIGINT, and says
 * `listening on http://…` on standard error.
 * @param handler  *borrowed* until the call returns
 * @return an exit status for main: 0; 1 after an error; 2 for a bad URL
 */
WEFT_API int weft_http_serve(const char *url, weft_http_handler *handler);

/** @name The request
 * Slices are *borrowed*: see `request` above.
 * @{ */
WEFT_API weft_bytes weft_http_exchange_method(const weft_http_exchange *exchange);    /**< "GET" */
WEFT_API weft_bytes weft_http_exchange_target(const weft_http_exchange *exchange);    /**< as it was sent */
WEFT_API weft_bytes weft_http_exchange_path(const weft_http_exchange *exchange);      /**< path and query, raw */
WEFT_API weft_bytes weft_http_exchange_authority(const weft_http_exchange *exchange); /**< Host, or the target's */
WEFT_API unsigned weft_http_exchange_minor(const weft_http_exchange *exchange);       /**< HTTP/1.minor */
/** How many fields it has. */
WEFT_API size_t weft_http_exchange_field_count(const weft_http_exchange *exchange);
/** Field number @p index, in the order in which they came. @return *borrowed* */
WEFT_API const weft_http_field *weft_http_exchange_field_at(const weft_http_exchange *exchange, size_t index);
/**
 * The value of the first field called @p name (without regard to case).
 * @param[out] ret_value  *borrowed*; set on success only; may be NULL
 * @return how many fields of that name there are: 0 if none
 */
WEFT_API size_t weft_http_exchange_field(const weft_http_exchange *exchange, weft_bytes name, weft_bytes *ret_value);
/** Whether a body follows (or followed) the head. */
WEFT_API bool weft_http_exchange_has_body(const weft_http_exchange *exchange);
/** How many trailers came; known when the body has ended. */
WEFT_API size_t weft_http_exchange_trailer_count(const weft_http_exchange *exchange);
/** Trailer number @p index. @return *borrowed* */
WEFT_API const weft_http_field *weft_http_exchange_trailer_at(const weft_http_exchange *exchange, size_t index);
/** The client's address. @return *borrowed*, *until* the exchange ends */
WEFT_API const weft_address *weft_http_exchange_peer(const weft_http_exchange *exchange);
/** A scope of this connection alone: what is put there may outlive the exchange, and is cancelled when the connection
 *  is lost. @return *borrowed*, *until* the exchange ends; NULL if memory is short */
WEFT_API weft_scope *weft_http_exchange_scope(const weft_http_exchange *exchange);
/** The loop. @return *borrowed* */
WEFT_API weft_loop *weft_http_exchange_loop(const weft_http_exchange *exchange);
/** @} */

/**
 * Keeps the exchange beyond `request`: @p responder hears of it until `gone`. Only in `request`, once.
 * A client that waits for `100 Continue` gets it if the responder wants the body (has `body` or `body_ended`).
 * @return 0; WEFT_ENOMEM, and then the exchange can only be answered at once
 */
WEFT_API WEFT_NODISCARD int weft_http_exchange_attach(weft_http_exchange *exchange, weft_http_responder *responder);
/** Delivers no more of the request's body until resume: the client is slowed down. */
WEFT_API void weft_http_exchange_pause(weft_http_exchange *exchange);
/** Delivers the body again. */
WEFT_API void weft_http_exchange_resume(weft_http_exchange *exchange);

/** @name The response
 * The server adds Date, Connection and the framing (Content-Length or Transfer-Encoding); the fields given must not
 * contain them. A name or value with a byte that HTTP does not allow is refused with -EINVAL, never repaired. For a
 * HEAD request, and for 204 and 304, what is written as a body is counted and dropped.
 * @{ */

/** A length for weft_http_respond_start: not known yet, so the body is chunked (for HTTP/1.0: until close). */
#define WEFT_HTTP_LENGTH_UNKNOWN UINT64_MAX

/**
 * Responds with a whole body.
 * @param status  200 to 599
 * @param fields  *borrowed*, @p count of them
 * @param body    *borrowed*, copied
 * @return 0; -EINVAL, WEFT_ENOMEM or WEFT_EOUTPUTLIMIT, with nothing sent; -EALREADY if a response was begun;
 *         WEFT_EENDED if the client is gone
 */
WEFT_API int weft_http_respond(weft_http_exchange *exchange, unsigned status, const weft_http_field *fields,
                               size_t count, weft_bytes body);

/**
 * Begins a response. The body follows with weft_http_respond_write and _file, and _end ends it.
 * @param length  of the body, exactly; or WEFT_HTTP_LENGTH_UNKNOWN
 * @return as weft_http_respond
 */
WEFT_API int weft_http_respond_start(weft_http_exchange *exchange, unsigned status, const weft_http_field *fields,
                                     size_t count, uint64_t length);

/**
 * Writes the next bytes of the body (*borrowed*, copied).
 * @return 0; 1 if more is queued than the client takes: wait for `drained`; -EMSGSIZE, with nothing written, beyond the
 *         length that was announced; WEFT_ENOMEM, WEFT_EOUTPUTLIMIT, WEFT_EENDED as weft_stream_write
 */
WEFT_API int weft_http_respond_write(weft_http_exchange *exchange, weft_bytes bytes);

/** Writes a stretch of a file as the next bytes of the body. @return as weft_http_respond_write */
WEFT_API int weft_http_respond_file(weft_http_exchange *exchange, weft_file *file, uint64_t offset, uint64_t length);

/**
 * Ends the response. If fewer bytes were written than announced, the connection is aborted, so that the client sees
 * that it is incomplete. Calls nobody back before it returns; `gone` follows from the loop.
 * @param trailers  *borrowed*, @p count of them; only in a chunked body, else they are dropped
 * @return 0; -EINVAL for a bad trailer; an error as above
 */
WEFT_API int weft_http_respond_end(weft_http_exchange *exchange, const weft_http_field *trailers, size_t count);

/** Gives the exchange up: the connection is aborted, and `gone` follows from the loop with WEFT_EABORTED. */
WEFT_API void weft_http_exchange_abort(weft_http_exchange *exchange);
/** @} */

WEFT_END_DECLS

#endif
