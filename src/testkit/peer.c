/* SPDX-License-Identifier: MIT */
/* The other side of a connection, as a test plays it (weft/test.h). */
#include "testkit/testkit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <weft/memory.h>

/* How long something is waited for: longer than any deadline that is on by default. */
#define PATIENCE WEFT_MINUTES(5)
/* How much of a text a failure shows. */
#define SHOWN 400

/* -- what a peer hears -- */

static weft_test_peer *peer_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, weft_test_peer, protocol);
}

static void stir(weft_test_peer *peer)
{
    peer->test->stirred = true;
    weft_sim_stop(peer->test->sim);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    weft_test_peer *peer = peer_of(protocol);

    peer->connected = true;
    peer->stream = stream;
    stir(peer);
}

static bool keep(weft_test_peer *peer, weft_bytes in)
{
    if (peer->length + in.length > peer->room) {
        size_t room = (peer->length + in.length) * 2;
        char *bytes = weft_reallocate(peer->bytes, room);
        if (!bytes)
            return false;
        peer->bytes = bytes;
        peer->room = room;
    }
    memcpy(peer->bytes + peer->length, in.data, in.length);
    peer->length += in.length;
    return true;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    weft_test_peer *peer = peer_of(protocol);

    if (!keep(peer, in)) {
        peer_fail(peer, NULL, 0, "no memory for what was received");
        weft_stream_abort(stream);
    }
    stir(peer);
    return in.length;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    weft_test_peer *peer = peer_of(protocol);

    (void)stream;
    peer->ended = true;
    stir(peer);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    weft_test_peer *peer = peer_of(protocol);

    (void)stream;
    peer->lost = true;
    peer->reason = reason;
    peer->stream = NULL;
    stir(peer);
}

static WEFT_PROTOCOL(peer_ops, "a test's peer", "a test ends with its process", .connected = connected,
                     .received = received, .ended = ended, .lost = lost);

/* -- how it comes to its connection -- */

static weft_protocol *build_peer(weft_factory *factory, weft_stream *stream)
{
    weft_test_peer *peer = weft_container_of(factory, weft_test_peer, factory);

    (void)stream;
    return peer->connected || peer->lost ? NULL : &peer->protocol;
}

static weft_protocol *build_pair(weft_factory *factory, weft_stream *stream)
{
    (void)stream;
    return weft_container_of(factory, weft_test_peer, pair)->under_test;
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    (void)factory;
    (void)drained;
    (void)aborted;
}

static const weft_factory_ops accepting_ops = {.build = build_peer, .stopped = stopped};
static const weft_factory_ops pair_ops = {.build = build_pair, .stopped = stopped};

/* No deadline of the peer's own: the test says when it goes. */
static const weft_stream_options patient = {.size = sizeof patient,
                                            .connect = WEFT_NEVER,
                                            .idle = WEFT_NEVER,
                                            .write_stall = WEFT_NEVER};

static weft_test_peer *peer_new(weft_test *test)
{
    weft_test_peer *peer = weft_allocate_zeroed(1, sizeof *peer);

    if (!peer) {
        weft_test_fail_at(test, NULL, 0, "no memory for a peer");
        return NULL;
    }
    peer->test = test;
    peer->protocol.ops = &peer_ops;
    peer->factory.ops = &accepting_ops;
    peer->pair.ops = &pair_ops;
    test->peer_count++;
    weft_link_insert_before(&test->peers, &peer->link);
    return peer;
}

static weft_test_peer *connect_to(weft_test_peer *peer, const char *url)
{
    int status = weft_stream_connect(weft_loop_scope(peer->test->other), url, &peer->protocol, &patient, NULL, NULL);

    if (status < 0) {
        peer->lost = true;
        peer_fail(peer, NULL, 0, "cannot connect to %s: %s", url, weft_error_text(status));
    }
    weft_test_pass(peer->test, 0);
    return peer;
}

weft_test_peer *weft_test_connect(weft_test *test, const char *url)
{
    weft_test_peer *peer = peer_new(test);

    return peer ? connect_to(peer, url) : NULL;
}

static void listen_at(weft_test_peer *peer, weft_loop *loop, const char *url, weft_factory *factory)
{
    weft_listen_options options = {.size = sizeof options};
    int status = weft_listen(weft_loop_scope(loop), url, factory, &options, &peer->listener, NULL);

    if (status < 0)
        peer_fail(peer, NULL, 0, "cannot listen at %s: %s", url, weft_error_text(status));
}

weft_test_peer *weft_test_accept(weft_test *test, const char *url)
{
    weft_test_peer *peer = peer_new(test);

    if (peer)
        listen_at(peer, test->other, url, &peer->factory);
    return peer;
}

weft_test_peer *weft_test_pair(weft_test *test, weft_protocol *protocol)
{
    weft_test_peer *peer = peer_new(test);
    char url[48];

    if (!peer)
        return NULL;
    peer->under_test = protocol;
    (void)snprintf(url, sizeof url, "mem://weft-test-%u", test->peer_count);
    listen_at(peer, test->loop, url, &peer->pair);
    if (peer->failed)
        return peer;
    (void)connect_to(peer, url);
    weft_listener_stop(peer->listener, WEFT_NEVER);
    return peer;
}

void peer_free(weft_test_peer *peer)
{
    if (peer->stream)
        weft_stream_close(peer->stream);
    /* (a factory may still be told that its listener has stopped: the memory stays until the world is gone) */
    weft_link_remove(&peer->link);
    weft_link_insert_before(&peer->test->gone, &peer->link);
}

/* -- sending -- */

void weft_test_chunks(weft_test *test, weft_chunks chunks)
{
    test->chunks = chunks;
}

static size_t next_piece(weft_test *test, size_t length)
{
    switch (test->chunks) {
    case WEFT_CHUNKS_BYTES:
        return 1;
    case WEFT_CHUNKS_RANDOM:
        return 1 + (size_t)weft_sim_draw(test->sim, length);
    default:
        return length;
    }
}

static bool is_usable(const weft_test_peer *peer)
{
    return peer && !peer->failed;
}

void weft_test_send_at(weft_test_peer *peer, weft_bytes bytes, const char *file, int line)
{
    while (is_usable(peer) && bytes.length > 0) {
        size_t piece = next_piece(peer->test, bytes.length);
        int status = peer->stream ? weft_stream_write(peer->stream, weft_bytes_first(bytes, piece)) : -ENOTCONN;

        if (status < 0) {
            peer_fail(peer, file, line, "cannot send: %s", weft_error_text(peer->lost ? peer->reason : status));
            return;
        }
        bytes = weft_bytes_skip(bytes, piece);
        weft_test_pass(peer->test, 0);
    }
}

void weft_test_half_close(weft_test_peer *peer)
{
    if (is_usable(peer) && peer->stream)
        weft_stream_end(peer->stream);
    if (peer)
        weft_test_pass(peer->test, 0);
}

void weft_test_close(weft_test_peer *peer)
{
    if (is_usable(peer) && peer->stream)
        weft_stream_close(peer->stream);
    if (peer)
        weft_test_pass(peer->test, 0);
}

void weft_test_reset(weft_test_peer *peer)
{
    if (is_usable(peer) && peer->stream)
        weft_stream_abort(peer->stream);
    if (peer)
        weft_test_pass(peer->test, 0);
}

void weft_test_pause(weft_test_peer *peer, bool pause)
{
    if (!is_usable(peer) || !peer->stream)
        return;
    if (pause)
        weft_stream_pause(peer->stream);
    else
        weft_stream_resume(peer->stream);
    weft_test_pass(peer->test, 0);
}

/* -- expecting -- */

weft_bytes weft_test_received(const weft_test_peer *peer)
{
    return peer ? weft_bytes_of(peer->bytes, peer->length) : weft_bytes_of(NULL, 0);
}

static bool has_news(const weft_test_peer *peer)
{
    return peer->length > 0 || peer->ended || peer->lost;
}

static bool has_enough(const weft_test_peer *peer)
{
    return peer->length >= peer->wanted || peer->ended || peer->lost;
}

static bool is_over(const weft_test_peer *peer)
{
    return peer->ended || peer->lost;
}

static bool is_lost(const weft_test_peer *peer)
{
    return peer->lost;
}

/* A byte as it would stand in C, and in a dialogue. */
static int show_byte(unsigned char byte, char *at)
{
    static const char names[] = "rnt\\\"", bytes[] = "\r\n\t\\\"";
    const char *name = memchr(bytes, byte, sizeof bytes - 1);

    if (name)
        return snprintf(at, 5, "\\%c", names[name - bytes]);
    if (byte >= 0x20 && byte < 0x7f)
        return snprintf(at, 5, "%c", byte);
    return snprintf(at, 5, "\\x%02x", byte);
}

static void show(weft_bytes bytes, char *buffer)
{
    size_t length = 0;

    buffer[0] = 0;
    for (size_t i = 0; i < bytes.length && length < SHOWN - 8; i++)
        length += (size_t)show_byte((unsigned char)bytes.data[i], buffer + length);
}

/* What the peer sees instead of what was expected. */
static void fail_with_sight(weft_test_peer *peer, const char *file, int line, const char *expected)
{
    char seen[SHOWN];

    show(weft_test_received(peer), seen);
    if (peer->length > 0)
        peer_fail(peer, file, line, "expected %s, got \"%s\"", expected, seen);
    else if (peer->lost)
        peer_fail(peer, file, line, "expected %s, but the connection is gone: %s", expected,
                  weft_error_text(peer->reason));
    else
        peer_fail(peer, file, line, "expected %s, got %s", expected, peer->ended ? "the end" : "nothing");
}

static size_t common_length(weft_bytes a, weft_bytes b)
{
    size_t i = 0;

    while (i < a.length && i < b.length && a.data[i] == b.data[i])
        i++;
    return i;
}

void weft_test_expect_at(weft_test_peer *peer, weft_bytes bytes, const char *file, int line)
{
    char expected[SHOWN], text[SHOWN + 64];
    size_t same;

    if (!is_usable(peer))
        return;
    peer->wanted = bytes.length;
    (void)test_run_until(peer, PATIENCE, has_enough);
    same = common_length(weft_test_received(peer), bytes);
    if (same < bytes.length) {
        show(bytes, expected);
        (void)snprintf(text, sizeof text, "\"%s\" (the first %zu bytes came)", expected, same);
        fail_with_sight(peer, file, line, text);
        return;
    }
    peer->length -= bytes.length;
    memmove(peer->bytes, peer->bytes + bytes.length, peer->length);
}

void weft_test_expect_end_at(weft_test_peer *peer, const char *file, int line)
{
    if (!is_usable(peer))
        return;
    (void)test_run_until(peer, PATIENCE, is_over);
    if (peer->length > 0 || !(peer->ended || (peer->lost && peer->reason == WEFT_ECLOSED)))
        fail_with_sight(peer, file, line, "the end");
}

void weft_test_expect_reset_at(weft_test_peer *peer, const char *file, int line)
{
    if (!is_usable(peer))
        return;
    (void)test_run_until(peer, PATIENCE, is_lost);
    if (peer->length > 0 || !peer->lost || peer->reason == WEFT_ECLOSED)
        fail_with_sight(peer, file, line, "a reset");
}

void weft_test_expect_nothing_at(weft_test_peer *peer, weft_time time, const char *file, int line)
{
    if (!is_usable(peer))
        return;
    if (test_run_until(peer, time, has_news))
        fail_with_sight(peer, file, line, "nothing");
}
