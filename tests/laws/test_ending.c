/* SPDX-License-Identifier: MIT */
/* Law 3: how a stream ends. Also attack rows EL-03 and EL-06. */
#include "laws/law.h"

#define BULK 300000

static const struct law_hooks quiet = {0};

static void close_now(struct law_peer *peer)
{
    law_close(peer);
}

static void abort_now(struct law_peer *peer)
{
    law_abort(peer);
}

static void end_now(struct law_peer *peer)
{
    law_end(peer);
}

static void write_and_close(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, BULK), 1);
    law_close(peer);
}

static void close_sends_what_was_written(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_and_close};

    law_pair(world, &quiet, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, BULK);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static void close_after_high_water_does_not_spin(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_and_close};
    static const struct law_hooks server = {.ended = law_ignore};

    law_pair(world, &server, &client, NULL);
    /* a turn for each piece that the faults make, and none without a reason */
    world->turn_limit = world->kind->rare ? 50000 : 5000;
    law_pass(world, WEFT_SECONDS(10));
    assert_int_equal(world->client[0].lost, 1);
    assert_int_equal(world->client[0].drained, 0);
    assert_int_equal(world->server[0].bytes_in, BULK);
}

static void write_and_abort(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, BULK), 1);
    law_abort(peer);
}

static void abort_drops_what_was_written_and_resets(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_and_abort};

    law_pair(world, &quiet, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 0);
    assert_int_equal(world->client[0].reason, WEFT_EABORTED);
    assert_int_equal(world->server[0].reason, world->kind->tells_reset ? -ECONNRESET : WEFT_ECLOSED);
}

static size_t abort_received(struct law_peer *peer, weft_bytes in)
{
    law_abort(peer);
    return in.length;
}

static size_t close_received(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    law_close(peer);
    return in.length;
}

static void write_some(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 1000), 0);
}

static void abort_in_received_calls_nothing_but_lost(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_some}, server = {.received = abort_received};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, WEFT_EABORTED);
    assert_int_equal(world->server[0].received, 1);
}

static void close_in_received_calls_nothing_but_lost(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_some}, server = {.received = close_received};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static void close_in_every_first_callback(struct law_world *world)
{
    static const struct law_hooks client = {.connected = close_now}, server = {.connected = close_now};

    law_listen(world, NULL, &server);
    law_connect(world, 0, NULL, &client);
    law_until_lost(world);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
}

static void abort_in_every_first_callback(struct law_world *world)
{
    static const struct law_hooks client = {.connected = abort_now}, server = {.connected = abort_now};

    law_listen(world, NULL, &server);
    law_connect(world, 0, NULL, &client);
    law_until_lost(world);
}

/* -- half-close -- */

static void write_and_end(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, BULK), 1);
    law_end(peer);
}

static void half_close_leaves_the_other_direction_open(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_and_end, .ended = law_ignore};
    static const struct law_hooks server = {.ended = write_and_end};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].ended, 1);
    assert_int_equal(world->server[0].bytes_in, BULK);
    assert_int_equal(world->client[0].bytes_in, BULK);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED); /* both sides have ended */
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static void both_ends_at_once(struct law_world *world)
{
    static const struct law_hooks both = {.connected = write_and_end, .ended = law_ignore};

    law_pair(world, &both, &both, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, BULK);
    assert_int_equal(world->client[0].bytes_in, BULK);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static void write_some_and_end(struct law_peer *peer)
{
    write_some(peer);
    law_end(peer);
}

static size_t answer_at_length(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    if (peer->bytes_out == 0)
        assert_int_equal(law_write_pattern(peer, BULK), 1);
    return in.length;
}

static void without_ended_the_stream_closes_after_its_output(struct law_world *world)
{
    static const struct law_hooks client = {.connected = write_some_and_end}, server = {.received = answer_at_length};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 1000);
    assert_int_equal(world->client[0].bytes_in, BULK);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

/* -- before the connection is there -- */

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

static void close_while_connecting(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
    law_connect(world, 0, NULL, &quiet);
    law_close(&world->client[0]);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
}

static void written_and_ended_while_connecting(struct law_world *world)
{
    static const struct law_hooks server = {.ended = end_now}, client = {.ended = law_ignore};

    law_listen(world, NULL, &server);
    law_connect(world, 0, NULL, &client);
    assert_int_equal(law_write_pattern(&world->client[0], 1000), 0);
    law_end(&world->client[0]);
    world->turn_limit = 3000;
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 1000);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
}

static void refused_connection_is_lost_without_connected(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_turns(world, 5);
    law_connect(world, 0, NULL, &quiet);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].connected, 0);
    assert_int_equal(world->client[0].reason, -ECONNREFUSED);
}

/* -- EL-03: what was sent arrives, though the other end goes on sending -- */

static void pump_on(struct law_peer *peer)
{
    law_pump(peer);
}

static void pump_much(struct law_peer *peer)
{
    peer->to_send = 200000;
    law_pump(peer);
}

static size_t answer_and_close(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    write_and_close(peer);
    return in.length;
}

static void peer_gets_all_bytes_although_it_still_sends(struct law_world *world)
{
    static const struct law_hooks client = {.connected = pump_much, .drained = pump_on};
    static const struct law_hooks server = {.received = answer_and_close};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->client[0].bytes_in, BULK);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

static void reset_while_output_waits_is_the_reason(struct law_world *world) /* EL-06 */
{
    static const struct law_hooks client = {.connected = pump_much, .drained = pump_on};
    static const struct law_hooks server = {.received = abort_received};

    law_pair(world, &server, &client, NULL);
    world->client[0].to_send = 8000000;
    law_until_lost(world);
    assert_true(world->client[0].reason == -ECONNRESET || world->client[0].reason == -EPIPE);
}

/* More than any system takes at once. */
static void write_much_and_close(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, peer->world->kind->is_mem ? 1000000 : 8000000), 1);
    law_close(peer);
}

/* The system tells of a reset once; a later send would only say that the connection is gone. */
static void reset_while_closing_is_the_reason(struct law_world *world) /* EL-06 */
{
    static const struct law_hooks client = {.connected = write_much_and_close};
    static const struct law_hooks server = {.received = abort_received};
    weft_stream_options options = {.size = sizeof options, .output_limit = 10000000};

    law_pair(world, &server, &client, &options);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, WEFT_EABORTED);
    if (world->kind->completes && world->client[0].reason == -ECONNRESET)
        return; /* a UNIX socket, too, tells of it by an error, which io_uring may see before there is room to send */
    assert_int_equal(world->client[0].reason, world->kind->tells_reset ? -ECONNRESET : -EPIPE);
}

static size_t abort_and_end_the_other(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    law_abort(peer);
    law_end(&peer->world->client[0]);
    return in.length;
}

/* The system knows of the reset when it is asked to end, but has not told. */
static void ended_after_a_reset_that_was_not_told(struct law_world *world) /* EL-06 */
{
    static const struct law_hooks client = {.connected = write_some, .ended = law_ignore};
    static const struct law_hooks server = {.received = abort_and_end_the_other};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->client[0].reason, world->kind->tells_reset ? -ECONNRESET : WEFT_ECLOSED);
}

/* -- memory -- */

static weft_stream *kept;

static void keep(struct law_peer *peer)
{
    kept = weft_stream_ref(peer->stream);
}

static void reference_keeps_the_memory(struct law_world *world)
{
    static const struct law_hooks client = {.connected = close_now, .lost = keep};
    weft_address address;

    law_pair(world, &quiet, &client, NULL);
    law_until_lost(world);
    law_turns(world, 3);
    assert_int_equal(LAW_CALL(world, weft_stream_write(kept, weft_bytes_from("x"))), WEFT_EENDED);
    assert_int_equal(weft_stream_queued(kept), 0);
    assert_true(weft_stream_local(kept, &address) < 0);
    assert_non_null(weft_stream_peer(kept));
    LAW_DO(world, weft_stream_close(kept));
    LAW_DO(world, weft_stream_abort(kept));
    LAW_DO(world, weft_stream_end(kept));
    LAW_DO(world, weft_stream_pause(kept));
    LAW_DO(world, weft_stream_resume(kept));
    LAW_DO(world, weft_stream_set_deadline(kept, WEFT_SECONDS(1)));
    law_turns(world, 3);
    LAW_DO(world, weft_stream_unref(kept));
    law_turns(world, 1);
}

static void set_another(struct law_peer *peer)
{
    struct law_peer *other = &peer->world->client[1];

    law_peer_init(other, peer->world, &quiet);
    other->given_away = true; /* it is told nothing */
    LAW_DO(peer->world, weft_stream_set_protocol(peer->stream, &other->protocol));
}

static void set_protocol_in_lost_tells_nobody(struct law_world *world)
{
    static const struct law_hooks client = {.connected = close_now, .lost = set_another};

    law_pair(world, &quiet, &client, NULL);
    law_until_lost(world);
    law_turns(world, 3);
}

static const struct law laws[] = {
    {"close sends what was written", close_sends_what_was_written, LAW_EVERYWHERE},
    {"close after high water does not spin", close_after_high_water_does_not_spin, LAW_EVERYWHERE | LAW_JUMPS},
    {"abort drops what was written and resets", abort_drops_what_was_written_and_resets, LAW_EVERYWHERE | LAW_TOGETHER},
    {"abort in received calls nothing but lost", abort_in_received_calls_nothing_but_lost, LAW_EVERYWHERE},
    {"close in received calls nothing but lost", close_in_received_calls_nothing_but_lost, LAW_EVERYWHERE},
    {"close in every first callback", close_in_every_first_callback, LAW_EVERYWHERE},
    {"abort in every first callback", abort_in_every_first_callback, LAW_EVERYWHERE | LAW_TOGETHER},
    {"half-close leaves the other direction open", half_close_leaves_the_other_direction_open, LAW_EVERYWHERE},
    {"both ends at once", both_ends_at_once, LAW_EVERYWHERE},
    {"without ended the stream closes after its output", without_ended_the_stream_closes_after_its_output,
     LAW_EVERYWHERE},
    {"close while connecting", close_while_connecting, LAW_EVERYWHERE},
    {"written and ended while connecting", written_and_ended_while_connecting, LAW_EVERYWHERE},
    {"refused connection is lost without connected", refused_connection_is_lost_without_connected, LAW_EVERYWHERE},
    {"EL-03: peer gets all bytes although it still sends", peer_gets_all_bytes_although_it_still_sends, LAW_EVERYWHERE},
    {"EL-06: reset while output waits is the reason", reset_while_output_waits_is_the_reason, LAW_EVERYWHERE},
    {"EL-06: reset while closing is the reason", reset_while_closing_is_the_reason, LAW_EVERYWHERE},
    {"EL-06: ended after a reset that was not told", ended_after_a_reset_that_was_not_told, LAW_EVERYWHERE},
    {"reference keeps the memory", reference_keeps_the_memory, LAW_EVERYWHERE},
    {"set_protocol in lost tells nobody", set_protocol_in_lost_tells_nobody, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
