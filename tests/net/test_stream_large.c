/* SPDX-License-Identifier: MIT */
/*
 * A large delivery that is written back on its own stream is sent from where it lies, and if it is above the high-water
 * mark, at once: who writes it is told to wait only if the peer does not take it.
 *
 * The server's transport is wrapped: it counts each send, and can come up short.
 */
#include "laws/law.h"

#include "net/stream_internal.h"

#define LARGE ((size_t)8 * 1024)
#define MARK ((size_t)5 * 1024)

enum fault { NO_FAULT, SHORT, NOTHING, TIMED_OUT };

static struct backend_transport wrapped;
static const struct backend_transport *real;
static weft_stream *watched; /* whose sends are counted */
static unsigned sends, sends_inside;
static bool in_received;
static enum fault fault; /* of the next send */
static int answered;     /* what the first write returned */
static size_t first;     /* how much of a delivery it has; the rest is written after it */

static int64_t send_counted(struct backend *backend, struct backend_stream *io, const weft_bytes *runs, size_t count,
                            bool more)
{
    enum fault now = fault;
    weft_bytes some = weft_bytes_first(runs[0], 7);

    if (io != &watched->io)
        return real->send(backend, io, runs, count, more);
    sends++;
    sends_inside += in_received;
    fault = NO_FAULT;
    if (now == NOTHING)
        return BACKEND_LATER;
    if (now == TIMED_OUT)
        return -ETIMEDOUT;
    return real->send(backend, io, now == SHORT ? &some : runs, now == SHORT ? 1 : count, more);
}

static void wrap(struct law_peer *peer)
{
    real = peer->stream->io.transport;
    wrapped = *real;
    wrapped.send = send_counted;
    wrapped.sends_at_once = true;
    peer->stream->io.transport = &wrapped;
    watched = peer->stream;
    sends = sends_inside = 0;
}

static int write_back(struct law_peer *peer, weft_bytes in)
{
    int status = LAW_CALL(peer->world, weft_stream_write(peer->stream, in));

    peer->bytes_out += status < 0 ? 0 : in.length;
    return status;
}

/* Waits for the whole, so that all of it is one delivery. */
static size_t received(struct law_peer *peer, weft_bytes in)
{
    if (in.length < LARGE)
        return 0;
    law_check_pattern(peer, in);
    in_received = true;
    answered = write_back(peer, weft_bytes_first(in, first));
    if (first < in.length)
        (void)write_back(peer, weft_bytes_skip(in, first));
    in_received = false;
    return in.length;
}

static const struct law_hooks server = {.connected = wrap, .received = received, .ended = law_ignore};
static const struct law_hooks client = {.ended = law_close};

static void start(struct law_world *world, enum fault with, size_t first_write)
{
    static const weft_stream_options options = {.size = sizeof options, .high_water = MARK, .low_water = 1};

    fault = with;
    first = first_write;
    law_pair(world, &server, &client, &options);
    assert_true(law_write_pattern(&world->client[0], LARGE) >= 0);
}

static bool all_is_back(struct law_world *world)
{
    return world->client[0].bytes_in == LARGE;
}

static bool server_drained(struct law_world *world)
{
    return world->server[0].drained;
}

static void what_the_peer_takes_is_sent_before_write_returns(struct law_world *world)
{
    start(world, NO_FAULT, LARGE);
    law_until(world, all_is_back);
    law_turns(world, 2);
    assert_int_equal(answered, 0);
    assert_int_equal(sends_inside, 1);
    assert_int_equal(sends, 1);
    assert_int_equal(world->server[0].drained, 0); /* nobody was told to wait */
}

static bool server_has_it(struct law_world *world)
{
    return world->server[0].bytes_in == LARGE;
}

static void what_the_peer_does_not_take_is_kept_and_said(struct law_world *world, enum fault with, size_t kept)
{
    start(world, with, LARGE);
    law_until(world, server_has_it);
    law_turns(world, 3);
    assert_int_equal(answered, 1);
    assert_int_equal(sends, 1); /* nothing more before the backend says that there is room */
    assert_int_equal(weft_stream_queued(watched), kept);
    watched->io.events->sent(&watched->io, 0);
    law_until(world, all_is_back);
    law_until(world, server_drained);
    assert_int_equal(sends, 2);
    assert_int_equal(world->server[0].drained, 1);
}

static void the_rest_of_a_short_send_is_kept(struct law_world *world)
{
    what_the_peer_does_not_take_is_kept_and_said(world, SHORT, LARGE - 7);
}

static void all_is_kept_where_there_is_no_room(struct law_world *world)
{
    what_the_peer_does_not_take_is_kept_and_said(world, NOTHING, LARGE);
}

static void a_reset_meanwhile_is_told_after_the_delivery(struct law_world *world)
{
    start(world, TIMED_OUT, LARGE);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, -ETIMEDOUT);
    assert_int_equal(world->server[0].lost, 1);
}

static void what_more_is_to_follow_is_gathered(struct law_world *world)
{
    start(world, NO_FAULT, MARK + 1);
    law_until(world, all_is_back);
    assert_int_equal(answered, 1);
    assert_int_equal(sends_inside, 0);
    assert_int_equal(sends, 1);
}

static const struct law laws[] = {
    {"what the peer takes is sent before write returns", what_the_peer_takes_is_sent_before_write_returns,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"the rest of a short send is kept", the_rest_of_a_short_send_is_kept,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"all is kept where there is no room", all_is_kept_where_there_is_no_room,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"a reset meanwhile is told after the delivery", a_reset_meanwhile_is_told_after_the_delivery,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"what more is to follow is gathered", what_more_is_to_follow_is_gathered,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
