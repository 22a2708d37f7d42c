/* SPDX-License-Identifier: MIT */
/*
 * The inside of the HTTP/1.1 client. These files share it:
 *
 *   http_client.c             a client: options, who waits for a connection, the end
 *   http_client_connect.c     a connection's birth: name, addresses in their order
 *   http_client_connection.c  its life: pulls events from the codec; idle, used again, lost
 *   http_client_response.c    what becomes of a response: fields, body, end
 *   http_client_fetch.c       the short form: a whole response, as a deferred
 *   http_request.c            a request: what a user calls; its end
 *   http_request_start.c      checking and copying what a user asks for
 *   http_request_head.c       writing its head
 *   http_request_send.c       sending its body
 *   http_request_deadline.c   its one timer
 *   http_redirect.c           where a redirect leads, and what it may take along
 *   http_pool.c, http_url.c, http_decode.c   pure parts
 *
 * A request's phases, and what ends each:
 *
 *   WAIT --slot--> NAME --addresses--> CONNECT --> SEND --all handed over--> HEAD --head--> BODY --end--> over
 *     ^ \___________ idle connection ______________^  \ CONTINUE: 100 or 1 s /                |
 *     |_______________________ redirect, or once again on a new connection __________________|
 *
 * Invariants:
 *  1. `gone` is told once, from the loop, after REQUEST_OVER is set; nothing else is told after it is set.
 *  2. A request and its connection point to each other, or neither does.
 *  3. A connection is idle only if the exchange before it ended cleanly on both sides, with no byte left over; a byte
 *     that comes while it is idle closes it and is never parsed.
 *  4. The memory of both lives until the turn is over (loop_reap).
 */
#ifndef FAMILIES_HTTP_CLIENT_H
#define FAMILIES_HTTP_CLIENT_H

#include <weft/http_client.h>
#include <weft/wire/http1.h>

#include "families/http/http_decode.h"
#include "families/http/http_pool.h"
#include "families/http/http_url.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"
#include "net/names.h"

/* What is left of a redirect's body is read and dropped up to here, so that the connection can go on. */
#define HTTP_CLIENT_DISCARD (64 * 1024)

struct weft_http_client {
    weft_scope_member member; /* in the user's scope */
    weft_scope *scope;        /* held: streams, names that are looked up */
    weft_loop *loop;
    weft_http_client_options options; /* all set */
    char *user_agent;
    weft_tls_client *tls; /* NULL: made when it is first needed */
    weft_http1_limits limits;
    struct http_pool pool;
    weft_link waiting; /* requests, in their order */
    size_t waiting_count;
    weft_link requests;    /* all that are not over */
    size_t alive;          /* requests and connections whose memory is there */
    struct loop_task task; /* gives connections to who waits; at the end frees the client */
    bool closing;
    weft_http_field *scratch; /* of the head that is being read */
    size_t scratch_room;
    weft_counter made, reused, repeated;
    struct loop_slot by_default; /* entered by a loop's own client only */
};

enum {
    LINK_OPEN = 1 << 0, /* connected */
    LINK_IDLE = 1 << 1,
    LINK_PARSING = 1 << 2, /* in the loop that pulls events */
    LINK_DYING = 1 << 3,   /* nothing more is parsed: closed, aborted or handed over */
    LINK_RESUME = 1 << 4,  /* the task is to deliver what was held back */
    LINK_ASKING = 1 << 5,  /* `allow` is being called: whoever asks frees it, should its request end */
    LINK_BROKEN = 1 << 6,  /* by the server, while it was sent to: nothing more goes out */
};

/* A connection. */
struct http_link {
    weft_protocol protocol;
    weft_http_client *client;
    struct http_pool_host *host;
    struct http_pool_place place;
    weft_http_request *request; /* NULL: idle, or dying */
    weft_stream *stream;
    struct loop_task task;
    struct names_lookup *lookup;
    weft_address *addresses; /* while it connects */
    size_t address_count, address_next;
    int connect_error; /* of the attempt before; the first that failed counts */
    weft_time connect_due;
    weft_http1_parser parser;
    uint32_t flags;
    size_t served;
    uint64_t sent; /* bytes of the request under way */
};

enum http_phase {
    PHASE_WAIT,
    PHASE_NAME,
    PHASE_CONNECT,
    PHASE_SEND,
    PHASE_CONTINUE,
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_PAUSED
};

enum {
    REQUEST_OVER = 1 << 0,     /* nothing but `gone` follows */
    REQUEST_STREAMED = 1 << 1, /* the user writes its body */
    REQUEST_CHUNKED = 1 << 2,
    REQUEST_EXPECT = 1 << 3,   /* 100 was asked for */
    REQUEST_MAY_SEND = 1 << 4, /* the head was sent, and nothing keeps the body back */
    REQUEST_SENT = 1 << 5,     /* all of it was handed over */
    REQUEST_ASKED = 1 << 6,    /* a streamed body was begun: it cannot be sent again */
    REQUEST_ANSWERED = 1 << 7, /* a byte of a response came */
    REQUEST_HEADED = 1 << 8,   /* the final response's head was told */
    REQUEST_PAUSED = 1 << 9,
    REQUEST_REDIRECT = 1 << 10, /* the response is one to be followed: its body is dropped */
    REQUEST_REPEATED = 1 << 11, /* on a new connection */
    REQUEST_SECRETS = 1 << 12,  /* it still is at its own origin: they may be sent */
    REQUEST_RAW = 1 << 13,
    REQUEST_KEEP_REDIRECTS = 1 << 14,
    REQUEST_HEAD_METHOD = 1 << 15,
    REQUEST_OWN_AGENT = 1 << 16,   /* the user gave a User-Agent */
    REQUEST_OWN_CODINGS = 1 << 17, /* the user gave an Accept-Encoding, or a Range */
    REQUEST_WAITING = 1 << 18,     /* in the client's list */
    REQUEST_NO_BODY = 1 << 19,     /* a redirect took the body away that its user was to write */
    REQUEST_UPGRADED = 1 << 20,
    REQUEST_FULL = 1 << 21, /* the server takes less than is written: the user waits for `drained` */
};

/* Behind it, in the same memory, lie its method, body and the like. */
struct weft_http_request {
    weft_scope_member member;
    weft_http_client *client;
    weft_http_receiver *receiver;
    struct http_link *link; /* NULL while it waits, and when it is over */
    struct http_pool_host *host;
    weft_link place; /* in the client's `waiting` */
    weft_link all;   /* in the client's `requests` */
    struct loop_task task;
    weft_timer_entry timer;
    uint32_t flags;
    enum http_phase phase;
    weft_time phase_due, total_due;
    int reason;
    const char *problem;
    char *story; /* of a TLS that failed; `problem` may be it */
    weft_address peer;

    /* what is asked for */
    struct http_url url;
    char *url_text; /* what `url` is slices of */
    size_t url_length;
    weft_bytes method;
    weft_bytes lines, secret_lines; /* fields, written out */
    weft_bytes body;
    weft_bytes through, upgrade;
    uint64_t length; /* of the body */
    uint64_t sent;   /* of it */
    size_t redirects_most;
    uint64_t body_limit;
    size_t expansion;

    /* what came */
    unsigned status, minor, interim, redirects;
    weft_http1_framing framing;
    uint64_t response_length;
    bool keep_alive;
    char *kept; /* fields and reason */
    weft_http_field *fields, *trailers;
    size_t field_count, trailer_count;
    weft_bytes reason_phrase;
    uint64_t received; /* of the body, delivered or dropped */
    struct http_decode *decode;
    char *held; /* of a coded body, what came and was not decoded because the user paused */
    size_t held_length;
    bool ended; /* the response is complete but for what is held */
};

/* http_client.c */
/* The loop's own. Returns 0 or an error. */
int http_client_default(weft_loop *loop, weft_http_client **ret);
/* Looks, from the loop, who can have a connection. */
void http_client_changed(weft_http_client *client);
/* The memory of a request or a connection goes. */
void http_client_let_go(weft_http_client *client);

/* http_client_connect.c */
/* Opens a connection, which was claimed, for @p request. Returns 0, or an error and has given the claim back. */
int http_link_open(weft_http_request *request);
/* The stream of an attempt is lost: tries the next address. Returns whether there is one, and a request that wants it. */
bool http_link_next(struct http_link *link, int reason);
/* Nothing of the attempts is needed any more. */
void http_link_connected(struct http_link *link);

/* http_client_connection.c */
extern const weft_protocol_ops http_link_ops;
/* Sends @p request, to which the link belongs, and is connected. */
void http_link_begin(struct http_link *link);
/* The exchange is over: makes the link idle, or closes it. */
void http_link_release(struct http_link *link, bool reusable);
/* The request does not want it any more: aborts it. */
void http_link_abort(struct http_link *link);
/* Closes an idle one, to make room. */
void http_link_drop(struct http_link *link);
/* Frees it; its stream, if it had one, is lost. */
void http_link_free(struct http_link *link);
/* Writes bytes of a request. As weft_stream_write. */
int http_link_write(struct http_link *link, weft_bytes bytes);
/* What was paused goes on, from the loop. */
void http_link_resume(struct http_link *link);
/* The place of an idle one is in the pool. */
static inline struct http_link *http_link_at(struct http_pool_place *place)
{
    return weft_container_of(place, struct http_link, place);
}

/* http_client_response.c: what the connection reads. Each returns 0, or the error with which the request fails. */
int http_response_head(weft_http_request *request, const weft_http1_head *head);
int http_response_body(weft_http_request *request, weft_bytes bytes);
int http_response_trailer(weft_http_request *request, weft_bytes name, weft_bytes value);
/* The message is complete: the request goes on to where it is redirected, or ends. */
void http_response_ended(weft_http_request *request);
/* Decodes what was held back. Returns 0, or an error. */
int http_response_release_held(weft_http_request *request);
/* Forgets a response, for the next. */
void http_response_reset(weft_http_request *request);

/* http_request.c */
/* Puts it into the line of those who wait for a connection. @p first: before all others. */
void http_request_queue(weft_http_request *request, bool first);
void http_request_unqueue(weft_http_request *request);
/* It is over for @p reason (0: complete): `gone` follows from the loop. Its connection is aborted. */
void http_request_finish(weft_http_request *request, int reason);
/* Sends it, which has no connection any more, again on a new one, if it was not sent twice before and doing so changes
 * nothing. Returns whether it does. */
bool http_request_repeat(weft_http_request *request);
/* Before each call to the receiver: for the watchdog. */
void http_request_enter(weft_http_request *request);
static inline bool http_request_is_over(const weft_http_request *request)
{
    return (request->flags & REQUEST_OVER) != 0;
}

/* http_request_start.c */
/* Makes a request for @p call; it is in no scope yet. */
int http_request_new(weft_http_client *client, const weft_http_call *call, weft_http_request **ret);
void http_request_free(weft_http_request *request);
/* Gives it the URL @p text, whose memory is taken; slices of the one before are not valid any more. */
int http_request_set_url(weft_http_request *request, struct http_text *text);
/* The host in the pool for its URL. Returns 0 or WEFT_ENOMEM. */
int http_request_find_host(weft_http_request *request);

/* http_request_head.c */
int http_request_write_head(weft_http_request *request);

/* http_request_send.c */
/* Sends what can be sent of the body, or asks the user for it. */
void http_request_pump(weft_http_request *request);
/* Whether the server has all of it, or will: its user may still have to say that this was the end (RFC 9112 §6.3: it is
 * after as many bytes as were announced). */
bool http_request_is_sent(const weft_http_request *request);
/* 100 came, or was waited for long enough. */
void http_request_go_on(weft_http_request *request);

/* http_request_deadline.c */
void http_request_enter_phase(weft_http_request *request, enum http_phase phase);
/* A byte came: the clock of the body begins anew. */
void http_request_touch(weft_http_request *request);
void http_request_timer_init(weft_http_request *request, weft_time total_time);
void http_request_timer_stop(weft_http_request *request);

/* http_redirect.c */
/* Whether the response leads elsewhere, and is to be followed. */
bool http_redirect_is_one(const weft_http_request *request);
/* Changes the request to what the redirect asks for. Returns 0, or an error. */
int http_redirect_follow(weft_http_request *request);
/* Whether a redirect of @p status makes @p method a GET (RFC 9110 §15.4). */
bool http_redirect_changes_method(unsigned status, weft_bytes method);

/* http_client_fetch.c has only what is public. */

#endif
