/* SPDX-License-Identifier: MIT */
/* The inside of the test kit (weft/test.h). It stands on public headers alone. */
#ifndef TESTKIT_TESTKIT_H
#define TESTKIT_TESTKIT_H

#include <weft/list.h>
#include <weft/stream.h>
#include <weft/test.h>
#include <weft/timer.h>

/* Log events that may be expected at once. */
#define EXPECTED_LOGS 32

struct weft_test {
    weft_sim *sim;
    weft_loop *loop;  /* of the code under test */
    weft_loop *other; /* of the peers */
    weft_timer clock; /* on the loop of the peers: time passes, though nothing may happen in it */
    bool stirred;     /* a peer has heard of something */
    weft_link peers;
    weft_link gone; /* peers that were closed, until the world is freed */
    unsigned peer_count;
    weft_chunks chunks;
    unsigned failures;
    char *expected[EXPECTED_LOGS];
    size_t expected_count;
};

struct weft_test_peer {
    weft_link link; /* in test->peers */
    weft_test *test;
    weft_protocol protocol;
    weft_factory factory;      /* it waits to be connected to */
    weft_factory pair;         /* of the other end of a pair */
    weft_protocol *under_test; /* which that other end gets */
    weft_listener *listener;   /* that waits for either; NULL when it has stopped */
    weft_stream *stream;       /* NULL before it is connected and after it is lost */
    bool connected, ended, lost;
    int reason;
    bool failed;   /* its further calls do nothing */
    size_t wanted; /* bytes that are waited for */
    char *bytes;   /* what came and was not expected yet */
    size_t length, room;
};

/* Runs until @p done says so: false if that does not happen within @p time. */
bool test_run_until(weft_test_peer *peer, weft_time time, bool (*done)(const weft_test_peer *peer));
/* A failure of a peer: told, and its further calls do nothing. */
void peer_fail(weft_test_peer *peer, const char *file, int line, const char *format, ...) WEFT_PRINTF(4, 5);
void peer_free(weft_test_peer *peer);

#endif
