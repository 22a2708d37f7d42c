/* SPDX-License-Identifier: MIT */
/*
 * Both sides end (weft_stream_end). As with Twisted's loseWriteConnection, what was written goes out first, and until
 * then the other side's end is news; after it, it is the end of the connection.
 */
#include "laws/law.h"

/* More than the system's buffers hold. */
#define MUCH ((size_t)16 * 1024 * 1024)

static const weft_stream_options roomy = {.size = sizeof roomy, .output_limit = 2 * MUCH};

static size_t queued_at_end;

static void end_behind_much(struct law_peer *peer)
{
    assert_true(law_write_pattern(peer, MUCH) >= 0);
    law_end(peer);
}

static void end_unread(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
    law_end(peer);
}

static void note_queued(struct law_peer *peer)
{
    queued_at_end = weft_stream_queued(peer->stream);
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_from("x"))), WEFT_EENDED);
}

static bool client_was_told(struct law_world *world)
{
    return world->client[0].ended > 0;
}

static void end_is_told_while_something_is_queued(struct law_world *world)
{
    static const struct law_hooks server = {.connected = end_unread, .ended = law_ignore};
    static const struct law_hooks client = {.connected = end_behind_much, .ended = note_queued};

    law_pair(world, &server, &client, &roomy);
    law_until(world, client_was_told);
    assert_true(queued_at_end > 0);
    assert_int_equal(world->client[0].lost, 0); /* what was written comes first */
    LAW_DO(world, weft_stream_resume(world->server[0].stream));
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, MUCH);
    assert_int_equal(world->client[0].ended, 1);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
    assert_int_equal(world->server[0].ended, 0); /* its own end had gone out */
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static size_t answer_the_last_byte(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    if (peer->bytes_in == MUCH) {
        assert_true(law_write_pattern(peer, 10) >= 0);
        law_end(peer);
    }
    return in.length;
}

static void end_after_our_own_is_the_loss(struct law_world *world)
{
    static const struct law_hooks server = {.received = answer_the_last_byte, .ended = law_ignore};
    static const struct law_hooks client = {.connected = end_behind_much, .ended = law_ignore};

    law_pair(world, &server, &client, &roomy);
    law_until_lost(world);
    assert_int_equal(world->client[0].bytes_in, 10);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
    assert_true(world->client[0].ended + world->server[0].ended <= 1);
    assert_int_equal(world->client[0].ended, 0);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static const struct law laws[] = {
    {"the end is told while something is queued", end_is_told_while_something_is_queued,
     LAW_REAL | LAW_MEMORY | LAW_SIM},
    {"an end after our own is the loss", end_after_our_own_is_the_loss, LAW_REAL | LAW_MEMORY | LAW_SIM},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
