/* SPDX-License-Identifier: MIT */
/*
 * The inside of the HTTP/1.1 server. Five files share it:
 *
 *   http_server.c      the factory, limits, the date
 *   http_connection.c  a connection: pulls events from the codec
 *   http_deadline.c    its one deadline, and the pace of its client
 *   http_exchange.c    one request and its response: what a handler sees
 *   http_response.c    writing a response
 *
 * A connection's states, and what ends each:
 *
 *   IDLE ---first byte---> HEAD ---head complete---> BODY/ANSWER ---both done---> IDLE
 *    |idle_time             |head_time: 408            |body_time, rate: 408      or, not keep-alive,
 *    v                      v                          v                          close
 *   close                  close                      close
 *
 * An exchange whose response is more than the client takes at once stays until
 * the stream has drained, with its responder gone: the pace of the client is
 * measured on it, and nothing that follows is read.
 *
 * Invariants:
 *  1. There is at most one exchange on a connection; what follows its request
 *     waits in the stream.
 *  2. Nothing that follows a refused request, or a body that was not read to
 *     its end, is ever parsed.
 *  3. A responder hears `gone` once.
 *  4. HTTP_FULL is set only while there is an exchange.
 *  5. While HTTP_TIMED is set the stream's deadline is at the nearest of what
 *     the exchange waits for, or before.
 */
#ifndef FAMILIES_HTTP_SERVER_H
#define FAMILIES_HTTP_SERVER_H

#include <weft/http.h>
#include <weft/wire/http1.h>
#include <weft/wire/http_date.h>

#include "loop/loop_internal.h"

/* What is left of a request's body is read and dropped up to here, so that the connection can go on. */
#define HTTP_DISCARD (64 * 1024)
/* The status line of a 200, and Date. */
#define HTTP_OK_ROOM 64

enum {
    HTTP_HEAD_BEGUN = 1 << 0,    /* part of a head is here: head_time runs */
    HTTP_PARSING = 1 << 1,       /* http_connection.c is in its loop */
    HTTP_LAST = 1 << 2,          /* no request follows: close when the response is done */
    HTTP_DRAINING = 1 << 3,      /* the listener stops */
    HTTP_BROKEN = 1 << 4,        /* refused: nothing more is parsed */
    HTTP_PAUSED_BODY = 1 << 5,   /* the responder wants no body for now */
    HTTP_TIMED = 1 << 6,         /* the deadline of the exchange is set */
    HTTP_FULL = 1 << 7,          /* the client does not take what is queued: answer nothing more */
    HTTP_WAITING = 1 << 8,       /* the stream is paused */
    HTTP_ENDED = 1 << 9,         /* the client half-closed */
    HTTP_DEAD = 1 << 10,         /* lost, but the task is still queued */
    HTTP_MEASURED = 1 << 11,     /* FULL: the pace at which the client takes it is being measured */
    HTTP_REFUSES_HEAD = 1 << 12, /* there was no memory for an exchange, and it would have been a HEAD */
};

/* An idle connection is this and its stream: eight bytes more would cost sixteen (connection_server saves them). */
struct http_connection {
    weft_protocol protocol;
    weft_stream *stream;
    weft_http_exchange *exchange;
    weft_scope *scope; /* NULL until a handler asks for it */
    struct loop_task task;
    uint32_t flags;
    uint32_t requests;
    weft_http1_parser parser;
};

enum {
    EXCHANGE_HEAD_METHOD = 1 << 0, /* HEAD: no body is sent */
    EXCHANGE_EXPECT = 1 << 1,      /* the client waits for 100 Continue */
    EXCHANGE_HAS_BODY = 1 << 2,
    EXCHANGE_REQUEST_DONE = 1 << 3,  /* the request was read to its end */
    EXCHANGE_STARTED = 1 << 4,       /* the response's head was written */
    EXCHANGE_RESPONSE_DONE = 1 << 5, /* the response was handed over */
    EXCHANGE_CHUNKED = 1 << 6,
    EXCHANGE_NO_BODY = 1 << 7,     /* HEAD, 204, 304: what is written is dropped */
    EXCHANGE_IN_REQUEST = 1 << 10, /* the handler is being called */
    EXCHANGE_GONE = 1 << 11,
    EXCHANGE_READ_PACE = 1 << 12, /* the client's pace in sending the body is being measured */
    EXCHANGE_TAKE_PACE = 1 << 13, /* `taking` is set */
};

/* Where the sending of a response stood when it was looked at last. */
struct http_taking {
    uint64_t queued;  /* the exchange's */
    uint64_t untaken; /* what the client had not taken; of several stretches of files only the one at the front */
    size_t position;  /* 0, or with several of them another number for each move from one to the next */
};

struct weft_http_exchange {
    weft_http_responder *responder;
    uint32_t flags;
    unsigned status;
    size_t field_count, trailer_count;
    weft_http_field *fields; /* the server's scratch, until the exchange is kept */
    weft_http_field *trailers;
    char *kept;                  /* the memory of its slices */
    uint64_t announced, written; /* of the response's body */
    uint64_t discarded;          /* of the request's body, after the response */
    uint64_t request_left;       /* of the request's body, by its Content-Length; UINT64_MAX if chunked */
    uint64_t came;               /* of the request's body, for which the client was not yet given time */
    uint64_t queued;             /* bytes given to the stream */
    uint64_t stretch;            /* of them, those of the last stretch of a file */
    size_t stretches;            /* of files, given to the stream */
    /* A new exchange has zeros down to here only: what follows is set before anything reads it. */
    struct http_connection *connection;
    weft_bytes method, target, path, authority; /* these and minor as soon as there is an exchange */
    unsigned minor;
    weft_time began, wall; /* with fields, or in http_exchange_gone */
    weft_time active;      /* when the handler last did something, or could again, for its response */
    weft_time read_due;    /* READ_PACE: when the client is too slow; else how long it still has */
    weft_time take_due;    /* MEASURED: when the client is too slow; else how long it still has */
    struct http_taking taking;
    weft_http_exchange *next_free;
};

struct weft_http_server {
    weft_factory factory;
    weft_loop *loop;
    weft_http_handler *handler;
    weft_http1_limits limits;
    weft_time head_time, body_time, answer_time, idle_time, total_time;
    size_t request_rate, response_rate;
    weft_time request_grace, response_grace;
    size_t input_limit; /* of the streams, if it has to be more than theirs */
    size_t requests;
    void (*stopped)(void *arg, size_t drained, size_t aborted);
    void *stopped_arg;
    weft_http_exchange *free_exchanges;
    weft_http_field *scratch; /* fields of the head that is being handled */
    size_t scratch_room;
    weft_time date_second; /* the wall-clock second that `date` shows */
    char date[WEFT_HTTP_DATE_LENGTH + 1];
    weft_time ok_second; /* the same for `ok` */
    size_t ok_length;    /* 0: not yet written */
    char ok[HTTP_OK_ROOM];
    size_t listeners;
};

/* http_server.c */
const char *http_server_date(weft_http_server *server);

/* The parser of each connection has its limits from the server. */
static inline weft_http_server *connection_server(const struct http_connection *connection)
{
    return weft_container_of(connection->parser.limits, weft_http_server, limits);
}

/* http_connection.c */
weft_protocol *http_connection_new(weft_http_server *server, weft_stream *stream);
/* Lets what was queued go out, and closes. */
void http_connection_close(struct http_connection *connection);
/* The same after a response that is complete, while its client's pace is watched. */
void http_connection_finish(struct http_connection *connection);
/* Ends the connection because of @p reason, with an answer if none was begun. */
void http_connection_refuse(struct http_connection *connection, unsigned status, int reason);
/* The exchange may be over, or reading may go on: looked at from the loop if not already parsing. */
void http_connection_changed(struct http_connection *connection);

/* http_deadline.c */
/* Sets the deadline to what the connection waits for. @p begun: part of a head is here. */
void http_deadline_set(struct http_connection *connection, bool begun);
/* The client has taken what was queued: the exchange goes on. */
void http_deadline_drained(struct http_connection *connection);
/* It has passed. */
void http_deadline_passed(struct http_connection *connection);

/* http_exchange.c */
weft_http_exchange *http_exchange_new(struct http_connection *connection);
void http_exchange_free(weft_http_exchange *exchange);
/* Copies what the exchange borrows. Returns 0 or WEFT_ENOMEM. */
int http_exchange_keep(weft_http_exchange *exchange);
/* Tells the responder and the log, once. */
void http_exchange_gone(weft_http_exchange *exchange, int reason);
/* For the access log: what was refused before it had become an exchange. @p sent is http_respond_refusal's result. */
void http_record_refusal(struct http_connection *connection, unsigned status, int64_t sent);
int http_exchange_add_trailer(weft_http_exchange *exchange, weft_bytes name, weft_bytes value);

/* http_response.c */
/* The server's own answer to what it refuses; the connection is closed after it. Returns the bytes of its body, or an
 * error. */
int64_t http_respond_refusal(struct http_connection *connection, unsigned status);
int http_respond_continue(weft_http_exchange *exchange);

#endif
