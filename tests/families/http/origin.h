/* SPDX-License-Identifier: MIT */
/*
 * Scripted servers and a client in one simulated loop: what the tests of the client share.
 *
 * A server answers each whole request with the next answer of its script, byte for byte, and remembers what it was
 * sent. Time is virtual.
 */
#ifndef FAMILIES_HTTP_ORIGIN_H
#define FAMILIES_HTTP_ORIGIN_H

#include "support/support.h"

#include <weft/http_client.h>
#include <weft/timer.h>

#include "backend/sim.h"

#define ORIGINS 3
#define ORIGIN_ANSWERS 64
#define ORIGIN_REQUESTS 64

/* What a server does after it has written an answer. */
enum origin_then { THEN_STAY, THEN_CLOSE, THEN_RESET, THEN_END, THEN_RESET_WHEN_SENT };

struct origin_answer {
    const char *text;
    size_t length; /* 0: that of the text */
    enum origin_then then;
    weft_time delay; /* before it */
    bool at_once;    /* answers a request as soon as its head is there */
    bool on_connect; /* answers a connection, before any request */
};

struct origin_world;

struct origin {
    weft_factory factory;
    struct origin_world *world;
    weft_listener *listener;
    char url[WEFT_LISTENER_URL]; /* http://127.0.0.1:PORT, without a slash */
    char host[64];               /* 127.0.0.1:PORT */
    struct origin_answer answers[ORIGIN_ANSWERS];
    size_t answer_count, answer_next;
    char *requests[ORIGIN_REQUESTS]; /* NUL-terminated, as they came */
    unsigned request_connection[ORIGIN_REQUESTS];
    size_t request_count;
    unsigned connections, open;
    size_t extra; /* bytes that came when no request was expected */
    bool stalls;  /* reads nothing */
};

struct origin_world {
    weft_loop *loop;
    struct origin origins[ORIGINS];
    weft_http_client *client;
};

/* What became of a fetch. */
struct origin_result {
    bool done;
    int error;
    weft_http_response *response; /* until the scope is closed */
    struct origin_world *world;
    char story[256];
};

/* Makes a loop of a simulator with ORIGINS servers and a client with @p options (or NULL). */
void origin_open(struct origin_world *world, const weft_http_client_options *options, const weft_faults *faults,
                 uint64_t seed);
/* The same, but returns an error where memory is short. */
int origin_try_open(struct origin_world *world, const weft_http_client_options *options);
void origin_close(struct origin_world *world);

void origin_will(struct origin *origin, struct origin_answer answer);
/* 200 with @p body and a length. */
void origin_will_say(struct origin *origin, const char *text);
/* Has the number of the answer that follows count from the start again. */
void origin_forget(struct origin *origin);

/* Fetches and runs until that is done; all in @p scope. */
void origin_fetch(struct origin_world *world, weft_scope *scope, const weft_http_call *call,
                  struct origin_result *result);
/* The same with GET, from @p origin. */
void origin_get(struct origin_world *world, weft_scope *scope, struct origin *origin, const char *path,
                struct origin_result *result);
/* Begins a fetch. */
weft_http_reply origin_begin(struct origin_world *world, weft_scope *scope, const weft_http_call *call,
                             struct origin_result *result);
/* Runs until @p result is done; the test fails if that takes more than an hour. */
void origin_wait(struct origin_world *world, struct origin_result *result);
/* Runs for @p time. */
void origin_pass(struct origin_world *world, weft_time time);

/* Whether request number @p number has @p text in it. */
bool origin_got(const struct origin *origin, size_t number, const char *text);

#endif
