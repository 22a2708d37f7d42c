/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An HTTP/1.1 client (RFC 9110, RFC 9112).
 *
 * The short form fetches a whole response; in a task:
 *
 *     weft_http_reply reply = weft_http_get(scope, "http://one.example/");
 *     weft_http_response *response;
 *     int err = weft_await(reply, &response);     // response->status, ->body; it belongs to the scope
 *
 * weft_http_fetch does the same with a method, fields, a body, credentials.
 * For bodies that do not fit into memory there is the long form below: a
 * *request* that is given a *receiver*, which hears of the response piece by
 * piece and is asked for the request's body when there is room for it.
 *
 * A *client* holds the connections, which are used again, and the limits.
 * Where none is given the loop's own is used, which is made at first use.
 *
 * Names are looked up by the system's resolver, of all loops of the process
 * no more than 16 at once: the others wait, within their name_time. It cannot
 * be interrupted, so one that is given up goes on by itself, and counts among
 * the 16 until the resolver is done. Nothing waits for it, neither the end of
 * a loop nor that of the process, nor dlclose: the libraries stay in memory
 * once they are loaded. Other jobs of the loop are not held up.
 *
 * What a client does by itself: it follows redirects, never from https to
 * http, and takes no credentials to another origin; it repeats a request once
 * whose connection turns out to have been closed by the server before, if
 * that changes nothing (RFC 9110 §9.2.2); it asks for gzip and deflate and
 * decodes them, within limits. For https the server's certificate is verified,
 * and must be for the URL's host.
 *
 * Errors: WEFT_EURL, WEFT_ESCHEME; WEFT_ETLS...; WEFT_ENONAME, WEFT_ENAMETRY,
 * WEFT_ENAMETIME, WEFT_EADDRESS; WEFT_EWAITTIME, WEFT_EQUEUE;
 * WEFT_ECONNECTTIME, -ECONNREFUSED and the like; WEFT_EWRITESTALL,
 * WEFT_EHEADTIME, WEFT_EBODYTIME, WEFT_ETOTALTIME; WEFT_EPROTOCOL,
 * WEFT_ETRUNCATED, WEFT_EHEADLIMIT, WEFT_EINTERIM, WEFT_EBODYLIMIT;
 * WEFT_ECODING, WEFT_EEXPANSION; WEFT_EREDIRECTS, WEFT_EREDIRECT,
 * WEFT_EREPEAT; WEFT_ENOMEM; the reason of a cancellation. A status of 400 and
 * above is a response, not an error.
 */
#ifndef WEFT_HTTP_CLIENT_H
#define WEFT_HTTP_CLIENT_H

#include <weft/deferred.h>
#include <weft/http.h>

WEFT_BEGIN_DECLS

/** Connections, limits and deadlines; its scope owns it. */
typedef struct weft_http_client weft_http_client;
/** One request and the response to it, redirects included; its scope owns it. */
typedef struct weft_http_request weft_http_request;
typedef struct weft_http_receiver weft_http_receiver;

/** A whole response. It belongs to the scope of its request and is freed when that closes; so are all slices of it. */
typedef struct weft_http_response {
    unsigned status;               /**< 200 to 999 */
    unsigned minor;                /**< HTTP/1.minor */
    weft_bytes reason;             /**< the reason phrase, often empty */
    weft_bytes body;               /**< whole and decoded; a zero byte follows it */
    weft_bytes url;                /**< where it came from: the last, if there were redirects. Without credentials and
                                          fragment; a zero byte follows it */
    const weft_http_field *fields; /**< in the order in which they came */
    size_t field_count;
    const weft_http_field *trailers; /**< after a chunked body */
    size_t trailer_count;
    unsigned redirects; /**< that were followed */
} weft_http_response;

/** The value of the first field called @p name (without regard to case). @return *borrowed*; empty, with data NULL, if
 *  there is none */
WEFT_API weft_bytes weft_http_response_field(const weft_http_response *response, const char *name);

/** A deferred for a whole response. */
WEFT_DEFERRED(weft_http_reply, weft_http_response *);

/** Where connections may go, by address family. */
typedef enum weft_http_family { WEFT_HTTP_ANY_FAMILY, WEFT_HTTP_ONLY_IPV4, WEFT_HTTP_ONLY_IPV6 } weft_http_family;

/** Limits and deadlines of a client. Zero means the default; WEFT_UNLIMITED and WEFT_NEVER are the words for none. */
typedef struct weft_http_client_options {
    size_t size;            /**< sizeof(weft_http_client_options) */
    const char *user_agent; /**< copied (default "weft/" and the version); "" sends none */
    size_t connections;     /**< at once (default 128) */
    size_t per_host;        /**< of these, to one host (default 8) */
    size_t waiting;         /**< requests that wait for a connection (default 10,000); beyond it WEFT_EQUEUE */
    size_t uses;            /**< requests on one connection (default WEFT_UNLIMITED) */
    weft_time idle_time;    /**< that an unused connection is kept (default 30 s) */
    weft_time wait_time;    /**< for a free connection (default 60 s); then WEFT_EWAITTIME */
    weft_time name_time;    /**< to look a name up (default 15 s); then WEFT_ENAMETIME */
    weft_time connect_time; /**< to connect, all addresses of a name together (default 30 s); then WEFT_ECONNECTTIME */
    weft_time send_time;    /**< in which the server takes nothing of a request (default 30 s); then WEFT_EWRITESTALL */
    weft_time continue_time; /**< to wait for 100 (Continue) before a body is sent all the same (default 1 s) */
    weft_time head_time;     /**< from the end of a request to the end of its response's head (default 60 s); then
                                  WEFT_EHEADTIME */
    weft_time body_time;     /**< without a byte of the response's body, while it is not paused (default 60 s); then
                                  WEFT_EBODYTIME */
    size_t head_bytes;       /**< of all fields of a response (default 64 KiB); beyond it WEFT_EHEADLIMIT */
    size_t field_count;      /**< (default 256); beyond it WEFT_EHEADLIMIT */
    size_t interim;          /**< responses of 1xx before the final one (default 32); beyond it WEFT_EINTERIM */
    weft_http_family family; /**< which addresses of a name are used */
    /** Asked for each address before it is connected to, also for numeric ones, but not for `through`, which no
     *  stranger chose; false refuses it. May be NULL. For whoever fetches URLs that strangers chose: what is connected
     *  to is exactly what was asked for here. It may cancel requests, close the client and end scopes: then nothing is
     *  connected to, whatever it answers. */
    bool (*allow)(const weft_address *address, void *arg);
    void *allow_arg; /**< passed through */
    /** How it speaks TLS for https (weft/tls.h; its protocols should be none or "http/1.1"); *borrowed*, the client
     *  takes a reference. NULL: with the defaults and the system's authorities, which the first request for https
     *  reads: that may wait for the disk. */
    weft_tls_client *tls;
} weft_http_client_options;

/**
 * Makes a client in @p scope. When the scope ends, so do its requests and connections.
 * @param options  *borrowed*, may be NULL
 * @param[out] ret_client  *borrowed* until weft_http_client_close, or until its scope is cancelled
 * @return 0; WEFT_ENOMEM; -EINVAL or -E2BIG for options of no size, or with something that this version does not know;
 *         the reason if @p scope is cancelled; an error of the system if it gives no random bytes
 */
WEFT_API WEFT_NODISCARD int weft_http_client_new(weft_scope *scope, const weft_http_client_options *options,
                                                 weft_http_client **ret_client);
/** Ends a client: its requests fail with WEFT_ECANCELED, and idle connections are closed in order, which may take two
 *  seconds (the end of its scope resets them). Calls nobody back before it returns. NULL does nothing. */
WEFT_API void weft_http_client_close(weft_http_client *client);

/** What a request asks for. Zero is the default. */
typedef struct weft_http_call {
    size_t size;                   /**< sizeof(weft_http_call) */
    weft_http_client *client;      /**< NULL: the loop's own */
    const char *method;            /**< NULL: GET, or POST if there is a body. Not CONNECT */
    const char *url;               /**< http://host:port/path?query, or https; a fragment is not sent */
    const weft_http_field *fields; /**< besides those that the client adds: Host, User-Agent, Accept-Encoding, and those
                                         of the framing, of which only the User-Agent and Accept-Encoding may be given
                                         here. @c Authorization, @c Cookie and @c Proxy-Authorization go to the URL's
                                         own origin (scheme, host and port) only */
    size_t field_count;
    const weft_http_field *secrets; /**< fields that go to the URL's own origin only */
    size_t secret_count;
    const char *user;     /**< basic authentication (RFC 7617), for the URL's own origin; may be NULL */
    const char *password; /**< may be NULL */
    bool url_credentials; /**< user:password@ in @c url is used so, too; else it is refused */
    weft_bytes body;      /**< of the request, copied */
    bool streamed;        /**< weft_http_request_start: the body follows by weft_http_request_write */
    uint64_t length;      /**< of a streamed body, or WEFT_HTTP_LENGTH_UNKNOWN */
    bool expect;          /**< send the body only after 100 (Continue), or continue_time */
    const char *upgrade;  /**< weft_http_request_start: asks to switch to this protocol (RFC 9110 §7.8); the
                                         receiver must have `upgraded` */
    bool raw;             /**< ask for no coding, and decode none */
    bool keep_redirects;  /**< give a response of 3xx as it is */
    size_t redirects;     /**< to follow (default 10); beyond it WEFT_EREDIRECTS */
    uint64_t body_limit;  /**< of the response, decoded (default 16 MiB for weft_http_fetch, else none; UINT64_MAX
                                         for none); beyond it WEFT_EBODYLIMIT, before `head` if the response announces a
                                         longer one that is not coded */
    size_t expansion;     /**< times its size that a compressed body may have, after the first MiB (default 200);
                                         beyond it WEFT_EEXPANSION */
    weft_time total_time; /**< for the whole exchange (default 5 min for weft_http_fetch, else WEFT_NEVER); then
                                         WEFT_ETOTALTIME */
    const char *through;  /**< connect to this endpoint (weft/listener.h) instead of the URL's host and port:
                                         "unix:///run/x.sock" */
} weft_http_call;

/** Fetches @p url with GET. @return a deferred; cancelling it, or @p scope, closes the connection. */
#define weft_http_get(scope, url_) WEFT_HANDLE_(weft_http_reply, weft_http_get_at(scope, url_, WEFT_HERE))
/** Does what @p call says and fetches the whole response. @param call  *borrowed* @return as weft_http_get */
#define weft_http_fetch(scope, call) WEFT_HANDLE_(weft_http_reply, weft_http_fetch_at(scope, call, WEFT_HERE))

/** Does what weft_http_get says, which adds the place. @return *borrowed*: as long as a deferred lives; NULL if memory
 *  is short */
WEFT_API weft_deferred *weft_http_get_at(weft_scope *scope, const char *url, weft_place place);
/** Does what weft_http_fetch says, which adds the place. @return *borrowed*, as weft_http_get_at */
WEFT_API weft_deferred *weft_http_fetch_at(weft_scope *scope, const weft_http_call *call, weft_place place);

/** @name The long form
 * @{ */

/** A receiver's callbacks; all but `gone` may be NULL. Each may cancel its request. */
typedef struct weft_http_receiver_ops {
    const char *name; /**< for dumps and the watchdog */
    /** The final response's head is there: weft_http_request_status and the like answer. Not for a redirect that is
     *  followed. */
    void (*head)(weft_http_receiver *receiver, weft_http_request *request);
    /** The next bytes of the response's body, decoded, in order; *borrowed* during the call. */
    void (*body)(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes);
    /** There is room for the body of a streamed request: first when its head was sent (after 100, if that was asked
     *  for), then whenever a write answered 1. */
    void (*drained)(weft_http_receiver *receiver, weft_http_request *request);
    /** The server switches to the protocol that was asked for: a weft_protocol must be set on @p stream now, and it
     *  belongs to that then; what follows the response goes to it. Only `gone`, with 0, follows. The stream
     *  stays in the client's scope. */
    void (*upgraded)(weft_http_receiver *receiver, weft_http_request *request, weft_stream *stream);
    /** The exchange is over: with 0 if the response was complete, or the reason why not. The last call, exactly once;
     *  the request is *borrowed* until it returns. */
    void (*gone)(weft_http_receiver *receiver, weft_http_request *request, int reason);
} weft_http_receiver_ops;

/** The base that a user's receiver embeds. */
struct weft_http_receiver {
    const weft_http_receiver_ops *ops;
};

/**
 * Starts a request.
 * @param call      *borrowed*
 * @param receiver  *borrowed* until `gone`, which is called exactly once if the result is 0
 * @param[out] ret_request  *borrowed* until `gone`; may be NULL
 * @return 0; WEFT_EURL, WEFT_ESCHEME; -EINVAL for a method, field or combination that cannot be sent;
 *         WEFT_EQUEUE; WEFT_ENOMEM; the reason if @p scope is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_http_request_start(weft_scope *scope, const weft_http_call *call,
                                                    weft_http_receiver *receiver, weft_http_request **ret_request);
/** Gives a request up: its connection is closed, and `gone` follows from the loop with @p reason (a negative error).
 *  Does nothing if it is over. */
WEFT_API void weft_http_request_cancel(weft_http_request *request, int reason);

/**
 * Writes the next bytes of a streamed body (*borrowed*, copied).
 * @return 0; 1 if more is queued than the server takes: wait for `drained`; -EAGAIN before the first `drained`;
 *         -EMSGSIZE, with nothing written, beyond the length that was announced; -EINVAL if the request is not
 *         streamed; WEFT_EENDED if the body was ended, a redirect took it away (303, or 301 and 302 after a POST) or
 *         the response is complete; WEFT_ENOMEM
 */
WEFT_API int weft_http_request_write(weft_http_request *request, weft_bytes bytes);
/** Ends a streamed body; before all that was announced was written it is -EMSGSIZE. @return as
 *  weft_http_request_write */
WEFT_API int weft_http_request_end(weft_http_request *request, const weft_http_field *trailers, size_t count);

/** Delivers no more of the response's body until resume: the server is slowed down. */
WEFT_API void weft_http_request_pause(weft_http_request *request);
/** Delivers it again. */
WEFT_API void weft_http_request_resume(weft_http_request *request);

/** The response's status; 0 before `head`. */
WEFT_API unsigned weft_http_request_status(const weft_http_request *request);
/** The response's version, HTTP/1.minor. */
WEFT_API unsigned weft_http_request_minor(const weft_http_request *request);
/** The response's reason phrase. @return *borrowed*, *until* `gone` returns */
WEFT_API weft_bytes weft_http_request_reason(const weft_http_request *request);
/** How many fields the response has. */
WEFT_API size_t weft_http_request_field_count(const weft_http_request *request);
/** Its field number @p index. @return *borrowed*, *until* `gone` returns */
WEFT_API const weft_http_field *weft_http_request_field_at(const weft_http_request *request, size_t index);
/** The value of its first field called @p name (without regard to case). @return as weft_http_response_field */
WEFT_API weft_bytes weft_http_request_field(const weft_http_request *request, const char *name);
/** How many trailers came; known in `gone`. */
WEFT_API size_t weft_http_request_trailer_count(const weft_http_request *request);
/** Trailer number @p index. @return *borrowed*, *until* `gone` returns */
WEFT_API const weft_http_field *weft_http_request_trailer_at(const weft_http_request *request, size_t index);
/** The length that the response announced for its body, before decoding; WEFT_HTTP_LENGTH_UNKNOWN if none. */
WEFT_API uint64_t weft_http_request_length(const weft_http_request *request);
/** The URL that is being asked, without credentials and fragment; changes with each redirect. @return *borrowed* */
WEFT_API weft_bytes weft_http_request_url(const weft_http_request *request);
/** How many redirects were followed. */
WEFT_API unsigned weft_http_request_redirects(const weft_http_request *request);
/** The server's address; family WEFT_ADDRESS_NONE if there was no connection yet. @return *borrowed*, *until* `gone`
 *  returns */
WEFT_API const weft_address *weft_http_request_peer(const weft_http_request *request);
/** What was wrong, for a log: "a line ends with a bare LF". A constant; "" if there is nothing more to say than the
 *  error does. */
WEFT_API const char *weft_http_request_problem(const weft_http_request *request);
/** @} */

WEFT_END_DECLS

#endif
