/* SPDX-License-Identifier: MIT */
/* Laws 3 and 4: bytes in order, backpressure and its limits. Also attack rows EL-05, EL-11, EL-22 and EL-28. */
#include "laws/law.h"

#include <stdlib.h>

static const struct law_hooks quiet = {0};

static void pump_on(struct law_peer *peer)
{
    law_pump(peer);
    if (peer->bytes_out == peer->to_send)
        law_end(peer);
}

static void begin_megabytes(struct law_peer *peer)
{
    peer->to_send = peer->world->kind->faulty ? 500000 : 4000000;
    pump_on(peer);
}

static void on_drained(struct law_peer *peer)
{
    assert_true(weft_stream_queued(peer->stream) <= 16 * 1024); /* the default low-water mark */
    if (peer->bytes_out < peer->to_send)
        pump_on(peer);
}

static void megabytes_both_ways_in_order(struct law_world *world) /* EL-05 */
{
    static const struct law_hooks both = {.connected = begin_megabytes, .drained = on_drained, .ended = law_ignore};

    law_pair(world, &both, &both, NULL);
    law_until_lost(world);
    assert_int_equal(world->client[0].bytes_in, world->server[0].bytes_out);
    assert_int_equal(world->server[0].bytes_in, world->client[0].bytes_out);
    assert_int_equal(world->client[0].bytes_in, world->client[0].to_send);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
}

/* -- marks and limits -- */

static bool server_began(struct law_world *world)
{
    return world->server[0].connected;
}

static bool client_drained(struct law_world *world)
{
    return world->client[0].drained > 0;
}

static void pause_at_once(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
}

static void fill(struct law_peer *peer)
{
    while (law_write_pattern(peer, 10000) == 0)
        ;
    assert_true(weft_stream_queued(peer->stream) <= 64 * 1024 + 10000);
}

static void slow_reader_slows_the_writer(struct law_world *world) /* EL-11 */
{
    static const struct law_hooks server = {.connected = pause_at_once};
    struct law_peer *writer = &world->client[0];
    unsigned before;

    law_pair(world, &server, &quiet, NULL);
    for (int i = 0; i < 400; i++) { /* until the system's buffers are full */
        before = writer->drained;
        fill(writer);
        law_turns(world, 40);
        if (writer->drained == before)
            break;
    }
    assert_true(weft_stream_queued(writer->stream) > 16 * 1024);
    law_turns(world, 20);
    assert_int_equal(writer->drained, before);
    assert_int_equal(world->server[0].received, 0);
    writer->drained = 0;
    LAW_DO(world, weft_stream_resume(world->server[0].stream));
    law_until(world, client_drained);
    assert_true(weft_stream_queued(writer->stream) <= 16 * 1024);
    law_close(writer);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, writer->bytes_out);
}

static void drained_comes_once(struct law_world *world)
{
    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(law_write_pattern(&world->client[0], 64 * 1024), 0); /* at the mark is not above it */
    assert_int_equal(law_write_pattern(&world->client[0], 1), 1);
    assert_int_equal(law_write_pattern(&world->client[0], 1), 1);
    law_until(world, client_drained);
    law_turns(world, 20);
    assert_int_equal(world->client[0].drained, 1);
    assert_int_equal(law_write_pattern(&world->client[0], 1000), 0);
    law_turns(world, 20);
    assert_int_equal(world->client[0].drained, 1);
}

static void check_low(struct law_peer *peer)
{
    assert_true(weft_stream_queued(peer->stream) <= 16 * 1024);
}

/* Written again when all had been sent, but before `drained` could be called: it comes after that has gone too. */
static void drained_comes_when_the_queue_is_low(struct law_world *world)
{
    static const struct law_hooks client = {.drained = check_low};

    law_pair(world, &quiet, &client, NULL);
    for (int i = 0; i < 10; i++) {
        (void)law_write_pattern(&world->client[0], 64 * 1024 + 1);
        law_turns(world, 1);
    }
    world->client[0].drained = 0;
    law_until(world, client_drained);
}

static void marks_can_be_set(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .high_water = 1000, .low_water = 10};

    law_pair(world, &quiet, &quiet, &options);
    assert_int_equal(law_write_pattern(&world->client[0], 1000), 0);
    assert_int_equal(law_write_pattern(&world->client[0], 1), 1);
    law_until(world, client_drained);
    assert_true(weft_stream_queued(world->client[0].stream) <= 10);
}

static void output_limit_refuses_and_queues_nothing(struct law_world *world) /* EL-28, EL-22 */
{
    static const weft_stream_options options = {.size = sizeof options, .output_limit = 100000};
    struct law_peer *client = &world->client[0];
    weft_owner owner = {.references = 1};

    law_pair(world, &quiet, &quiet, &options);
    assert_int_equal(law_write_pattern(client, 60000), 0);
    assert_int_equal(law_write_pattern(client, 40001), WEFT_EOUTPUTLIMIT);
    assert_int_equal(weft_stream_queued(client->stream), 60000);
    assert_int_equal(LAW_CALL(world, weft_stream_write(client->stream, weft_bytes_of("x", SIZE_MAX))),
                     WEFT_EOUTPUTLIMIT);
    assert_int_equal(
        LAW_CALL(world, weft_stream_write_owned(client->stream, weft_bytes_of("x", SIZE_MAX - 59999), &owner)),
        WEFT_EOUTPUTLIMIT);
    assert_int_equal(owner.references, 1);
    assert_int_equal(law_write_pattern(client, 40000), 1);
    law_close(client);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 100000);
}

/* -- what `received` leaves -- */

static size_t take_tens(struct law_peer *peer, weft_bytes in)
{
    size_t taken = in.length - in.length % 10;

    law_check_pattern(peer, in); /* what was left begins it again */
    peer->bytes_in -= in.length - taken;
    return taken;
}

static void write_in_pieces(struct law_peer *peer)
{
    for (int i = 0; i < 100; i++)
        assert_int_equal(law_write_pattern(peer, 13 + (size_t)i), 0);
    law_write_pattern(peer, (size_t)(10 - peer->bytes_out % 10));
    law_close(peer);
}

static void leftover_comes_back_contiguous(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_tens}, client = {.connected = write_in_pieces};

    law_pair(world, &server, &client, NULL);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, world->client[0].bytes_out);
}

static size_t take_nothing(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, in);
    peer->bytes_in = 0;
    return 0;
}

static void input_limit(struct law_world *world) /* EL-28 */
{
    static const struct law_hooks server = {.received = take_nothing};
    static const weft_stream_options options = {.size = sizeof options, .input_limit = 1000};

    law_pair(world, &server, &quiet, &options);
    assert_int_equal(law_write_pattern(&world->client[0], 1000), 0);
    if (world->kind->simulated)
        law_pass(world, WEFT_SECONDS(1));
    else
        law_turns(world, 20);
    assert_int_equal(world->server[0].lost, 0);
    assert_int_equal(law_write_pattern(&world->client[0], 1), 0);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, WEFT_EINPUTLIMIT);
    /* who went on sending is not to take it for a clean end; a UNIX socket knows no other */
    assert_int_equal(world->client[0].reason, world->kind->tells_reset ? -ECONNRESET : WEFT_ECLOSED);
}

/* -- pause and resume -- */

static size_t take_one_and_pause(struct law_peer *peer, weft_bytes in)
{
    law_check_pattern(peer, weft_bytes_first(in, 1));
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
    return 1;
}

static bool server_received(struct law_world *world)
{
    return world->server[0].received > 0;
}

static void pause_in_received_and_resume(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_one_and_pause};

    law_pair(world, &server, &quiet, NULL);
    assert_int_equal(law_write_pattern(&world->client[0], 30), 0);
    for (unsigned i = 1; i <= 30; i++) {
        law_until(world, server_received);
        assert_int_equal(world->server[0].received, 1);
        assert_int_equal(world->server[0].bytes_in, i);
        law_turns(world, 5);
        assert_int_equal(world->server[0].received, 1);
        world->server[0].received = 0;
        LAW_DO(world, weft_stream_resume(world->server[0].stream));
    }
    law_turns(world, 5);
    assert_int_equal(world->server[0].received, 0);
    law_close(&world->client[0]);
    law_until_lost(world);
}

static void paused_before_it_was_connected_it_reads_nothing(struct law_world *world)
{
    weft_listen_options listen = {.size = sizeof listen};

    world->build = pause_at_once;
    law_listen(world, &listen, &quiet);
    law_connect(world, 0, NULL, &quiet);
    for (int i = 0; i < 6; i++)
        (void)law_write_pattern(&world->client[0], 500000);
    law_until(world, server_began);
    if (world->kind->simulated)
        law_pass(world, WEFT_SECONDS(1));
    else
        law_turns(world, 50);
    assert_int_equal(world->server[0].received, 0);
    assert_true(support_live_bytes() < 6 * 1000 * 1000);
    assert_true(weft_stream_queued(world->client[0].stream) > 0 || !world->kind->is_mem);
    LAW_DO(world, weft_stream_resume(world->server[0].stream));
    law_close(&world->client[0]);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 3000000);
}

/* A second connection's callback resumes the first in the turn in which its end arrives: what waits comes first. */
static size_t pause_the_first(struct law_peer *peer, weft_bytes in)
{
    if (peer == &peer->world->server[0] && peer->received == 1) {
        LAW_DO(peer->world, weft_stream_pause(peer->stream));
        return 0;
    }
    if (peer == &peer->world->server[1])
        LAW_DO(peer->world, weft_stream_resume(peer->world->server[0].stream));
    else
        law_check_pattern(peer, in);
    return in.length;
}

static bool two_accepted(struct law_world *world)
{
    return world->accepted == 2 && world->client[1].connected;
}

static void what_waits_is_delivered_before_the_end(struct law_world *world)
{
    static const struct law_hooks server = {.received = pause_the_first, .ended = law_ignore};

    law_pair(world, &server, &quiet, NULL);
    law_connect(world, 1, NULL, &quiet);
    law_until(world, two_accepted);
    assert_int_equal(law_write_pattern(&world->client[0], 30), 0);
    law_until(world, server_received);
    assert_int_equal(law_write_pattern(&world->client[1], 30), 0);
    law_end(&world->client[0]);
    world->turns = 0;
    while (world->server[0].ended == 0 && world->turns < 1000) {
        world->turns++;
        if (world->kind->simulated)
            law_pass(world, WEFT_MILLISECONDS(1));
        else
            law_turns(world, 1);
    }
    assert_int_equal(world->server[0].ended, 1);
    assert_int_equal(world->server[0].bytes_in, 30);
}

static void pause_and_resume(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
    LAW_DO(peer->world, weft_stream_resume(peer->stream));
}

static bool server_ended(struct law_world *world)
{
    return world->server[0].ended;
}

static void what_was_left_over_is_gone_when_the_peer_ended(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_nothing, .ended = pause_and_resume};

    law_pair(world, &server, &quiet, NULL);
    assert_int_equal(law_write_pattern(&world->client[0], 30), 0);
    law_end(&world->client[0]);
    law_until(world, server_ended);
    law_turns(world, 5); /* nothing is received after the end: law.c checks it */
}

/* -- another protocol -- */

static const struct law_hooks successor = {.ended = law_ignore};

static void hand_over(struct law_peer *peer)
{
    struct law_peer *other = &peer->world->server[LAW_SERVERS - 1];

    law_peer_init(other, peer->world, &successor);
    other->connected = 1;
    other->bytes_in = peer->bytes_in;
    peer->given_away = true;
    LAW_DO(peer->world, weft_stream_set_protocol(peer->stream, &other->protocol));
    assert_ptr_equal(weft_stream_protocol(peer->stream), &other->protocol);
}

static size_t take_three_and_hand_over(struct law_peer *peer, weft_bytes in)
{
    weft_bytes first = weft_bytes_first(in, 3);

    law_check_pattern(peer, first);
    hand_over(peer);
    return first.length;
}

static bool successor_ended(struct law_world *world)
{
    return world->server[LAW_SERVERS - 1].ended;
}

static void set_protocol_hands_over_the_leftover(struct law_world *world)
{
    static const struct law_hooks server = {.received = take_three_and_hand_over};

    law_pair(world, &server, &quiet, NULL);
    assert_int_equal(law_write_pattern(&world->client[0], 30), 0);
    law_end(&world->client[0]);
    law_until(world, successor_ended);
    assert_int_equal(world->server[LAW_SERVERS - 1].bytes_in, 30);
}

static void set_protocol_in_ended_tells_the_new_one(struct law_world *world)
{
    static const struct law_hooks server = {.ended = hand_over};

    law_pair(world, &server, &quiet, NULL);
    law_end(&world->client[0]);
    law_until(world, successor_ended);
}

static void set_protocol_of_a_paused_stream_tells_the_new_one_of_the_end(struct law_world *world)
{
    static const struct law_hooks server = {.ended = law_ignore};

    law_pair(world, &server, &quiet, NULL);
    law_end(&world->client[0]);
    law_until(world, server_ended);
    LAW_DO(world, weft_stream_pause(world->server[0].stream));
    hand_over(&world->server[0]);
    law_turns(world, 10);
    assert_int_equal(world->server[LAW_SERVERS - 1].ended, 0);
    LAW_DO(world, weft_stream_resume(world->server[0].stream));
    law_until(world, successor_ended);
}

/* -- how it is sent -- */

static struct backend_transport counting;
static const struct backend_transport *counted;
static unsigned sends;

static int64_t count_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                          bool more)
{
    sends++;
    return counted->send(backend, stream, runs, count, more);
}

/* A weft_stream begins with its handle. */
static struct backend_stream *handle_of(weft_stream *stream)
{
    return (struct backend_stream *)stream;
}

static void a_turns_writes_are_one_send(struct law_world *world)
{
    law_pair(world, &quiet, &quiet, NULL);
    counted = handle_of(world->client[0].stream)->transport;
    counting = *counted;
    counting.send = count_send;
    handle_of(world->client[0].stream)->transport = &counting;
    sends = 0;
    for (int i = 0; i < 50; i++)
        assert_int_equal(law_write_pattern(&world->client[0], 100), 0);
    assert_int_equal(sends, 0); /* not before the turn ends */
    law_turns(world, 5);
    if (world->kind->faulty)
        assert_true(sends <= 5);
    else
        assert_int_equal(sends, 1);
    law_close(&world->client[0]);
    law_until_lost(world);
    assert_int_equal(world->server[0].bytes_in, 5000);
}

struct counted_owner {
    weft_owner owner;
    unsigned destroyed;
};

static void destroy(weft_owner *owner)
{
    weft_container_of(owner, struct counted_owner, owner)->destroyed++;
}

static void owned_bytes_are_released_once(struct law_world *world)
{
    struct counted_owner sent = {{1, destroy}, 0}, dropped = {{1, destroy}, 0};
    char *bytes = malloc(100000);

    if (!bytes)
        abort();
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = law_pattern(i);
    law_pair(world, &quiet, &quiet, NULL);
    assert_int_equal(
        LAW_CALL(world, weft_stream_write_owned(world->client[0].stream, weft_bytes_of(bytes, 100000), &sent.owner)),
        1);
    law_until(world, client_drained);
    law_close(&world->client[0]);
    assert_int_equal(
        LAW_CALL(world, weft_stream_write_owned(world->client[0].stream, weft_bytes_of(bytes, 1), &dropped.owner)),
        WEFT_EENDED);
    law_until_lost(world);
    assert_int_equal(sent.destroyed, 1);
    assert_int_equal(dropped.destroyed, 0);
    assert_int_equal(world->server[0].bytes_in, 100000);
    law_connect(world, 1, NULL, &quiet);
    assert_int_equal(
        LAW_CALL(world, weft_stream_write_owned(world->client[1].stream, weft_bytes_of(bytes, 100000), &dropped.owner)),
        1);
    law_abort(&world->client[1]);
    law_turns(world, 2);
    assert_int_equal(dropped.destroyed, 1);
    free(bytes);
}

static const struct law laws[] = {
    {"EL-05: megabytes both ways, in order", megabytes_both_ways_in_order, LAW_EVERYWHERE},
    {"EL-11: slow reader slows the writer", slow_reader_slows_the_writer, LAW_EVERYWHERE},
    {"drained comes once", drained_comes_once, LAW_REAL | LAW_MEMORY | LAW_SIM},
    {"drained comes when the queue is low", drained_comes_when_the_queue_is_low, LAW_EVERYWHERE},
    {"marks can be set", marks_can_be_set, LAW_EVERYWHERE},
    {"EL-22, EL-28: output limit refuses and queues nothing", output_limit_refuses_and_queues_nothing, LAW_EVERYWHERE},
    {"leftover comes back contiguous", leftover_comes_back_contiguous, LAW_EVERYWHERE},
    {"EL-28: input limit", input_limit, LAW_EVERYWHERE},
    {"pause in received and resume", pause_in_received_and_resume, LAW_EVERYWHERE},
    {"paused before it was connected it reads nothing", paused_before_it_was_connected_it_reads_nothing,
     LAW_EVERYWHERE},
    {"what waits is delivered before the end", what_waits_is_delivered_before_the_end, LAW_EVERYWHERE},
    {"what was left over is gone when the peer ended", what_was_left_over_is_gone_when_the_peer_ended, LAW_EVERYWHERE},
    {"set_protocol hands over the leftover", set_protocol_hands_over_the_leftover, LAW_EVERYWHERE},
    {"set_protocol in ended tells the new one", set_protocol_in_ended_tells_the_new_one, LAW_EVERYWHERE},
    {"set_protocol of a paused stream tells the new one of the end",
     set_protocol_of_a_paused_stream_tells_the_new_one_of_the_end, LAW_EVERYWHERE},
    {"a turn's writes are one send", a_turns_writes_are_one_send, LAW_EVERYWHERE},
    {"owned bytes are released once", owned_bytes_are_released_once, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
