/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server and its clients in one simulated loop: what the tests of the server share.
 *
 * Time is virtual and only web_pass lets it go on. A client is told byte by byte what to send; what the server says is
 * compared as a whole, without the Date fields. Every record of the access log is kept.
 */
#ifndef FAMILIES_HTTP_WEB_H
#define FAMILIES_HTTP_WEB_H

#include "support/support.h"

#include <weft/http.h>
#include <weft/timer.h>

#include "backend/sim.h"

#define WEB_CLIENTS 8
#define WEB_RECORDS 64

struct web;

struct web_record {
    char method[16], target[80], referer[40], user_agent[40];
    unsigned minor, status;
    uint64_t body_bytes;
    weft_time wall, duration;
    bool complete;
};

struct web_client {
    weft_protocol protocol;
    struct web *web;
    weft_stream *stream; /* NULL once it is lost */
    char *text;          /* what came and was not expected yet, NUL-terminated */
    size_t length, room;
    uint64_t bytes; /* that came in all */
    bool counts;    /* what comes is counted only */
    unsigned connected, ended, lost;
    int reason;
};

/* An exchange that a handler kept. All that its responder is told is counted and checked. */
struct web_kept {
    weft_http_responder responder;
    struct web *web;
    weft_http_exchange *exchange; /* NULL once it is gone */
    weft_timer timer;             /* web_later; stopped when the exchange is gone */
    struct web_kept *next;
    size_t number;  /* in the order in which they were kept */
    char body[512]; /* the first bytes of it, NUL-terminated */
    uint64_t body_bytes;
    unsigned body_ended, drained, gone;
    int reason;
    uint64_t sent; /* for the handler's use */
    void (*on_body)(struct web_kept *kept, weft_bytes bytes);
    void (*on_body_ended)(struct web_kept *kept);
    void (*on_drained)(struct web_kept *kept);
    void (*on_timer)(struct web_kept *kept);
};

struct web {
    weft_http_handler handler;
    void (*handle)(struct web *web, weft_http_exchange *exchange);
    weft_loop *loop;
    weft_http_server *server;
    weft_listener *listener;
    char url[WEFT_LISTENER_URL];
    struct web_client clients[WEB_CLIENTS];
    size_t client_count;
    struct web_record records[WEB_RECORDS];
    size_t record_count; /* all of them, also those for which there is no room */
    size_t requests;     /* that the handler was given */
    struct web_kept *kept, **kept_end;
    size_t kept_count;
    unsigned stopped;
    size_t drained, aborted;
    unsigned calling; /* a call into Weft is under way: no callback may come */
    int status;       /* for the handler's use */
};

/* How a world is made; zero is the default. */
struct web_options {
    uint64_t seed;
    const weft_faults *faults;
    weft_http_server_options server;
    weft_stream_options stream; /* of the server's end */
    weft_http_handler *handler; /* instead of `handle` */
};

/* Calls into Weft, in which no callback may run. */
#define WEB_CALL(web, expression)           \
    __extension__({                         \
        (web)->calling++;                   \
        __auto_type result_ = (expression); \
        (web)->calling--;                   \
        result_;                            \
    })
#define WEB_DO(web, expression) \
    do {                        \
        (web)->calling++;       \
        (expression);           \
        (web)->calling--;       \
    } while (0)

/* Makes a world whose server calls @p handle. Fails the test if it cannot. */
void web_open(struct web *web, const struct web_options *options,
              void (*handle)(struct web *web, weft_http_exchange *exchange));
/* Ends it, and checks that every kept exchange was told so once. */
void web_close(struct web *web);
/* Runs turns until nothing happens any more; the clock stands still. */
void web_settle(struct web *web);
/* Runs for @p time of virtual time. */
void web_pass(struct web *web, weft_time time);

/* Connects a client and settles. */
struct web_client *web_connect(struct web *web);
/* Sends text and settles. */
void web_send(struct web_client *client, const char *text);
void web_send_bytes(struct web_client *client, weft_bytes bytes);
/* Sends text and leaves the rest to the test. */
void web_write(struct web_client *client, const char *text);
/* Half-closes, or resets, and settles. */
void web_end(struct web_client *client);
void web_abort(struct web_client *client);
/* Compares all that came since the last time, without Date fields, with @p text. */
void web_expect(struct web_client *client, const char *text);
/* Compares its beginning, up to the first empty line, and forgets the rest. */
void web_expect_head(struct web_client *client, const char *text);
/* The server has closed the connection (in order, if @p cleanly). */
void web_expect_lost(struct web_client *client, bool cleanly);
/* It has not. */
void web_expect_open(const struct web_client *client);
/* What came, without Date fields. Borrowed, until more comes. */
const char *web_text(struct web_client *client);
void web_forget(struct web_client *client);

/* Attaches a responder to @p exchange; what it is told is in the result. Borrowed, until web_close. */
struct web_kept *web_keep(struct web *web, weft_http_exchange *exchange);
/* The same, but NULL if memory is short. */
struct web_kept *web_try_keep(struct web *web, weft_http_exchange *exchange);
/* As web_keep, with a responder that does not want the request's body. */
struct web_kept *web_keep_without_body(struct web *web, weft_http_exchange *exchange);
/* Has @p on_timer called after @p delay, unless the exchange is gone by then. */
void web_later(struct web_kept *kept, weft_time delay, void (*on_timer)(struct web_kept *kept));
/* Number @p number of them. Fails the test if it is not there. */
struct web_kept *web_kept_at(struct web *web, size_t number);

/* Answers 200 with @p text. @return as weft_http_respond */
int web_answer(struct web *web, weft_http_exchange *exchange, const char *text);
/* Handlers: each answers at once with the request's path; or keeps the exchange. */
void web_echo_path(struct web *web, weft_http_exchange *exchange);
void web_keep_only(struct web *web, weft_http_exchange *exchange);

/* The only record since web_open (or number @p number). */
const struct web_record *web_record_at(const struct web *web, size_t number);
/* Checks it. @p method NULL: not looked at. */
void web_expect_record(const struct web *web, size_t number, const char *method, unsigned status, uint64_t body_bytes,
                       bool complete);

/* What web_torture needs of a test. */
struct web_torture {
    /* Makes a world, and ends it. NULL: `handle` answers, with the defaults. */
    void (*open)(struct web *web);
    void (*close)(struct web *web);
    void (*handle)(struct web *web, weft_http_exchange *exchange);
    const char *request;     /* while it is sent and answered an allocation fails */
    const char *undisturbed; /* the request of another connection, before and after */
};

/*
 * Makes the k-th allocation fail, for k = 1, 2, ..., once and then for ever. However it goes, the client gets a whole
 * response or is disconnected, another connection is answered as before, and nothing is left.
 */
void web_torture(const struct web_torture *torture);

#endif
