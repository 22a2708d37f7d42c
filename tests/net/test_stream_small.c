/* SPDX-License-Identifier: MIT */
/*
 * What a delivery writes on its own stream is gathered in one place if it is little, and sent when `received` has
 * returned. Nobody must be able to tell it from what is queued: order, limits, marks, endings and errors are the same.
 *
 * The server's transport is wrapped: it counts and checks each send, and can come up short. Its table also says of
 * in-memory streams that they send at once, which they do.
 */
#include "laws/law.h"

#include <stdlib.h>

#include "net/stream_internal.h"

enum fault { NO_FAULT, SHORT, NOTHING, TIMED_OUT };

static struct backend_transport wrapped;
static const struct backend_transport *real;
static unsigned sends;
static const struct backend_transport *others; /* of another stream: its sends may work otherwise */
static uint64_t send_turn;                     /* the turn of the last */
static enum fault fault;                       /* of the next send */
static bool in_received;
static weft_stream *watched; /* whose sends are counted */

static int64_t send_checked(struct backend *backend, struct backend_stream *io, const weft_bytes *runs, size_t count,
                            bool more)
{
    enum fault now = fault;
    weft_bytes some = weft_bytes_first(runs[0], 7);

    assert_false(in_received);
    if (io != &watched->io)
        return others->send(backend, io, runs, count, more);
    assert_true(send_turn != watched->loop->turn); /* at most one in a turn */
    send_turn = watched->loop->turn;
    sends++;
    fault = NO_FAULT;
    if (now == NOTHING)
        return BACKEND_LATER;
    if (now == TIMED_OUT)
        return -ETIMEDOUT;
    return real->send(backend, io, now == SHORT ? &some : runs, now == SHORT ? 1 : count, more);
}

static void wrap(struct law_peer *peer)
{
    bool first = peer == &peer->world->server[0];

    *(first ? &real : &others) = peer->stream->io.transport;
    wrapped = *peer->stream->io.transport;
    wrapped.send = send_checked;
    wrapped.sends_at_once = true;
    peer->stream->io.transport = &wrapped;
    if (!first)
        return;
    watched = peer->stream;
    sends = 0;
    send_turn = 0;
}

/* -- what a test's `received` does -- */

static void (*answer)(struct law_peer *peer);

static size_t received(struct law_peer *peer, weft_bytes in)
{
    in_received = true;
    if (peer->received == 1)
        answer(peer);
    in_received = false;
    return in.length;
}

static const struct law_hooks server = {.connected = wrap, .received = received, .ended = law_ignore};
static const struct law_hooks client = {.ended = law_ignore};

static void ask_with(struct law_world *world, void (*how)(struct law_peer *peer), const weft_stream_options *options)
{
    answer = how;
    fault = NO_FAULT;
    law_pair(world, &server, &client, options);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
}

static bool all_here(struct law_world *world)
{
    return world->server[0].received && world->client[0].bytes_in == world->server[0].bytes_out;
}

static bool asked(struct law_world *world)
{
    return world->server[0].received;
}

static void ask(struct law_world *world, void (*how)(struct law_peer *peer), const weft_stream_options *options)
{
    ask_with(world, how, options);
    law_until(world, all_here);
    assert_int_equal(weft_stream_queued(watched), 0);
}

static void check_one_send(const struct law_world *world)
{
    if (!world->kind->faulty)
        assert_int_equal(sends, 1);
}

/* -- what is sent -- */

static void write_three(struct law_peer *peer)
{
    for (size_t i = 1; i <= 3; i++) {
        assert_int_equal(law_write_pattern(peer, 100), 0);
        assert_int_equal(weft_stream_queued(peer->stream), 100 * i);
    }
    assert_null(peer->stream->task.next); /* nothing is put off */
    assert_null(peer->stream->output.first);
}

static void small_answers_are_one_send(struct law_world *world)
{
    ask(world, write_three, NULL);
    check_one_send(world);
}

static void write_much(struct law_peer *peer)
{
    for (int i = 0; i < 30; i++)
        assert_int_equal(law_write_pattern(peer, 1000), 0);
    assert_int_equal(weft_stream_queued(peer->stream), 30000);
}

static void more_than_there_is_room_for_is_one_send(struct law_world *world)
{
    ask(world, write_much, NULL);
    check_one_send(world);
}

static void fill_exactly(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, STREAM_STAGE), 0);
    assert_null(peer->stream->output.first);
    assert_int_equal(law_write_pattern(peer, 1), 0);
    assert_non_null(peer->stream->output.first);
}

static void one_byte_too_many(struct law_world *world)
{
    ask(world, fill_exactly, NULL);
    check_one_send(world);
}

static void write_the_pattern_owned(struct law_peer *peer, size_t length)
{
    static char bytes[1000];

    for (size_t i = 0; i < length; i++)
        bytes[i] = law_pattern(peer->bytes_out + i);
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write_owned(peer->stream, weft_bytes_of(bytes, length), NULL)),
                     0);
    peer->bytes_out += length;
}

static void write_mixed(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 10), 0);
    write_the_pattern_owned(peer, 500);
    assert_int_equal(law_write_pattern(peer, 20), 0);
    assert_int_equal(law_write_pattern(peer, 0), 0);
    assert_int_equal(law_write_pattern(peer, 30), 0);
    assert_int_equal(weft_stream_queued(peer->stream), 560);
}

static void owned_bytes_keep_their_place(struct law_world *world)
{
    ask(world, write_mixed, NULL);
    check_one_send(world);
}

static weft_post later;

static void write_later(weft_post *post)
{
    (void)post;
    assert_int_equal(weft_stream_write(watched, weft_bytes_from("!")), 0);
}

static void write_and_post(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 10), 0);
    later.run = write_later;
    weft_loop_post(peer->world->loop, &later);
}

static size_t count_bytes(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    if (peer->bytes_in == 11)
        assert_int_equal(in.data[in.length - 1], '!');
    return in.length;
}

static bool eleven_here(struct law_world *world)
{
    return world->client[0].bytes_in == 11;
}

/* (send_checked sees to it that the turn has one send.) */
static void what_the_rest_of_the_turn_writes_goes_out_in_the_next(struct law_world *world)
{
    static const struct law_hooks counts = {.received = count_bytes, .ended = law_ignore};

    answer = write_and_post;
    law_pair(world, &server, &counts, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until(world, eleven_here);
    if (!world->kind->faulty)
        assert_int_equal(sends, 2);
}

static void write_to_both(struct law_peer *peer)
{
    struct law_peer *other = &peer->world->server[1];

    for (int i = 0; i < 5; i++) {
        assert_int_equal(law_write_pattern(peer, 10), 0);
        assert_int_equal(law_write_pattern(other, 10), 0);
    }
    assert_int_equal(weft_stream_queued(other->stream), 50);
}

static bool second_connected(struct law_world *world)
{
    return world->server[1].connected && world->client[1].connected;
}

static bool both_here(struct law_world *world)
{
    return world->client[0].bytes_in == 50 && world->client[1].bytes_in == 50;
}

static void a_second_stream_has_its_own_bytes(struct law_world *world)
{
    answer = write_to_both;
    law_pair(world, &server, &client, NULL);
    law_connect(world, 1, NULL, &client);
    law_until(world, second_connected);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until(world, both_here);
    check_one_send(world);
}

/* A message in pieces: what was left over is offered again, and its answer is as direct. */
static size_t answer_the_second_time(struct law_peer *peer, weft_bytes in)
{
    if (in.length < 2)
        return 0;
    write_three(peer);
    return in.length;
}

static void an_answer_to_what_waited_is_one_send(struct law_world *world)
{
    static const struct law_hooks patient = {.connected = wrap, .received = answer_the_second_time};

    law_pair(world, &patient, &client, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until(world, asked);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("y"))), 0);
    world->server[0].received = 0;
    law_until(world, all_here);
    law_turns(world, 2);
    assert_int_equal(world->client[0].bytes_in, 300);
    check_one_send(world);
}

/* -- limits and marks -- */

static void pass_the_limit(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 60), 0);
    assert_int_equal(law_write_pattern(peer, 41), WEFT_EOUTPUTLIMIT);
    assert_int_equal(weft_stream_queued(peer->stream), 60);
    assert_int_equal(law_write_pattern(peer, 40), 0);
    assert_int_equal(law_write_pattern(peer, 1), WEFT_EOUTPUTLIMIT);
    assert_int_equal(weft_stream_queued(peer->stream), 100);
}

static void the_output_limit_holds(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .output_limit = 100};

    ask(world, pass_the_limit, &options);
    assert_int_equal(world->client[0].bytes_in, 100);
    check_one_send(world);
}

static void pass_the_mark(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 50), 0);
    assert_int_equal(law_write_pattern(peer, 1), 1);
    assert_int_equal(law_write_pattern(peer, 1), 1);
}

static bool server_drained(struct law_world *world)
{
    return world->server[0].drained;
}

static void the_high_water_mark_holds(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .high_water = 50};

    ask(world, pass_the_mark, &options);
    law_until(world, server_drained);
}

static void lower_the_mark(struct law_peer *peer)
{
    weft_stream_options options = {.size = sizeof options, .high_water = 50, .output_limit = 120};

    assert_int_equal(law_write_pattern(peer, 100), 0);
    assert_int_equal(LAW_CALL(peer->world, weft_stream_set_options(peer->stream, &options)), 0);
    assert_int_equal(law_write_pattern(peer, 10), 1);
    assert_int_equal(law_write_pattern(peer, 11), WEFT_EOUTPUTLIMIT);
}

static void marks_that_change_meanwhile_hold(struct law_world *world)
{
    ask(world, lower_the_mark, NULL);
    law_until(world, server_drained);
    assert_int_equal(world->client[0].bytes_in, 110);
}

/* -- endings -- */

static void write_and_close(struct law_peer *peer)
{
    write_three(peer);
    law_close(peer);
    assert_int_equal(weft_stream_queued(peer->stream), 300);
}

static const struct law_hooks ends_too = {.ended = law_close};

static void ask_to_the_end(struct law_world *world, void (*how)(struct law_peer *peer))
{
    answer = how;
    law_pair(world, &server, &ends_too, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until_lost(world);
}

static void closed_behind_what_was_written(struct law_world *world)
{
    ask_to_the_end(world, write_and_close);
    assert_int_equal(world->client[0].bytes_in, 300);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
    check_one_send(world);
}

static void write_and_end(struct law_peer *peer)
{
    write_three(peer);
    law_end(peer);
}

static void ended_behind_what_was_written(struct law_world *world)
{
    ask_to_the_end(world, write_and_end);
    assert_int_equal(world->client[0].bytes_in, 300);
    assert_int_equal(world->client[0].ended, 1);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
    check_one_send(world);
}

static void write_and_abort(struct law_peer *peer)
{
    write_three(peer);
    law_abort(peer);
}

static void aborted_nothing_is_sent(struct law_world *world)
{
    ask_to_the_end(world, write_and_abort);
    assert_int_equal(world->server[0].reason, WEFT_EABORTED);
    assert_int_equal(world->client[0].bytes_in, 0);
    assert_int_equal(sends, 0);
}

static void write_and_cancel(struct law_peer *peer)
{
    write_three(peer);
    peer->over = true;
    LAW_DO(peer->world, weft_scope_cancel(weft_stream_scope(peer->stream), WEFT_ECANCELED));
}

static void cancelled_nothing_is_sent(struct law_world *world)
{
    ask_to_the_end(world, write_and_cancel);
    assert_int_equal(sends, 0);
}

static size_t write_and_take_nothing(struct law_peer *peer, weft_bytes in)
{
    (void)in;
    write_three(peer);
    return 0;
}

static void lost_for_what_it_left_nothing_is_sent(struct law_world *world)
{
    static const struct law_hooks greedy = {.connected = wrap, .received = write_and_take_nothing};
    static const weft_stream_options options = {.size = sizeof options, .input_limit = 1};

    law_pair(world, &greedy, &ends_too, &options);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("xy"))), 0);
    law_until_lost(world);
    assert_int_equal(world->server[0].reason, WEFT_EINPUTLIMIT);
}

static void write_and_give_away(struct law_peer *peer)
{
    struct law_peer *heir = &peer->world->server[LAW_SERVERS - 1];

    write_three(peer);
    law_peer_init(heir, peer->world, &client);
    heir->connected = 1;
    peer->given_away = true;
    LAW_DO(peer->world, weft_stream_set_protocol(peer->stream, &heir->protocol));
}

static void given_away_it_is_sent(struct law_world *world)
{
    ask(world, write_and_give_away, NULL);
    check_one_send(world);
}

static void write_and_pause(struct law_peer *peer)
{
    write_three(peer);
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
}

static void paused_it_is_sent(struct law_world *world)
{
    ask(world, write_and_pause, NULL);
    check_one_send(world);
    LAW_DO(world, weft_stream_resume(world->server[0].stream));
}

/* -- what goes wrong -- */

static void write_and_fail(struct law_peer *peer, enum fault how)
{
    write_three(peer);
    fault = how;
}

static void write_short(struct law_peer *peer)
{
    write_and_fail(peer, SHORT);
}

static void write_nothing(struct law_peer *peer)
{
    write_and_fail(peer, NOTHING);
}

static void write_and_time_out(struct law_peer *peer)
{
    write_and_fail(peer, TIMED_OUT);
}

/* The system has room again: the backend says so. */
static void go_on(void)
{
    watched->io.events->sent(&watched->io, 0);
}

static void what_the_system_does_not_take_is_kept(struct law_world *world, void (*how)(struct law_peer *peer),
                                                  size_t kept)
{
    ask_with(world, how, NULL);
    law_until(world, asked);
    law_turns(world, 3);
    assert_int_equal(sends, 1); /* nothing more before it says that there is room */
    assert_int_equal(weft_stream_queued(watched), kept);
    go_on();
    law_until(world, all_here);
    assert_int_equal(sends, 2);
}

static void a_short_send(struct law_world *world)
{
    what_the_system_does_not_take_is_kept(world, write_short, 293);
}

static void no_room_at_all(struct law_world *world)
{
    what_the_system_does_not_take_is_kept(world, write_nothing, 300);
}

static void a_failed_send(struct law_world *world)
{
    ask_to_the_end(world, write_and_time_out);
    assert_int_equal(world->server[0].reason, -ETIMEDOUT);
    assert_int_equal(world->server[0].lost, 1);
}

static void write_short_and_close(struct law_peer *peer)
{
    write_short(peer);
    law_close(peer);
}

static void closed_after_a_short_send(struct law_world *world)
{
    answer = write_short_and_close;
    law_pair(world, &server, &ends_too, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until(world, asked);
    law_turns(world, 1);
    assert_int_equal(world->server[0].lost, 0);
    go_on();
    law_until_lost(world);
    assert_int_equal(world->client[0].bytes_in, 300);
    assert_int_equal(world->server[0].reason, WEFT_ECLOSED);
}

/* -- when memory is short -- */

static void write_too_much_for_memory(struct law_peer *peer)
{
    write_three(peer);
    weft_chunk_pool_trim(peer->world->loop->chunks);
    support_fail_at(1, true);
    assert_int_equal(law_write_pattern(peer, STREAM_STAGE), WEFT_ENOMEM);
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write_owned(peer->stream, weft_bytes_from("never sent"), NULL)),
                     WEFT_ENOMEM);
    assert_int_equal(weft_stream_queued(peer->stream), 300);
    assert_int_equal(law_write_pattern(peer, 10), 0); /* this needs none */
    support_fail_at(0, false);
}

static void a_write_that_fails_leaves_what_was_written(struct law_world *world)
{
    ask(world, write_too_much_for_memory, NULL);
    assert_int_equal(world->client[0].bytes_in, 310);
    check_one_send(world);
}

static int64_t send_short_without_memory(struct backend *backend, struct backend_stream *io, const weft_bytes *runs,
                                         size_t count, bool more)
{
    int64_t sent = send_checked(backend, io, runs, count, more);

    weft_chunk_pool_trim(watched->loop->chunks);
    support_fail_at(1, true);
    return sent;
}

static void write_short_without_memory(struct law_peer *peer)
{
    write_short(peer);
    wrapped.send = send_short_without_memory;
}

static bool server_lost(struct law_world *world)
{
    return world->server[0].lost;
}

static void what_cannot_be_kept_ends_the_stream(struct law_world *world)
{
    answer = write_short_without_memory;
    law_pair(world, &server, &ends_too, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_write(world->client[0].stream, weft_bytes_from("x"))), 0);
    law_until(world, server_lost);
    support_fail_at(0, false);
    assert_int_equal(world->server[0].reason, WEFT_ENOMEM);
    law_until_lost(world);
}

static const struct law laws[] = {
    {"small answers are one send", small_answers_are_one_send, LAW_EVERYWHERE},
    {"more than there is room for is one send", more_than_there_is_room_for_is_one_send, LAW_EVERYWHERE},
    {"one byte too many", one_byte_too_many, LAW_EVERYWHERE},
    {"owned bytes keep their place", owned_bytes_keep_their_place, LAW_EVERYWHERE},
    {"what the rest of the turn writes goes out in the next", what_the_rest_of_the_turn_writes_goes_out_in_the_next,
     LAW_EVERYWHERE},
    {"a second stream has its own bytes", a_second_stream_has_its_own_bytes, LAW_EVERYWHERE},
    {"an answer to what waited is one send", an_answer_to_what_waited_is_one_send,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"the output limit holds", the_output_limit_holds, LAW_EVERYWHERE},
    {"the high-water mark holds", the_high_water_mark_holds, LAW_EVERYWHERE},
    {"marks that change meanwhile hold", marks_that_change_meanwhile_hold, LAW_EVERYWHERE},
    {"closed behind what was written", closed_behind_what_was_written, LAW_EVERYWHERE},
    {"ended behind what was written", ended_behind_what_was_written, LAW_EVERYWHERE},
    {"aborted nothing is sent", aborted_nothing_is_sent, LAW_EVERYWHERE},
    {"cancelled nothing is sent", cancelled_nothing_is_sent, LAW_EVERYWHERE},
    {"lost for what it left nothing is sent", lost_for_what_it_left_nothing_is_sent,
     LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"given away it is sent", given_away_it_is_sent, LAW_EVERYWHERE},
    {"paused it is sent", paused_it_is_sent, LAW_EVERYWHERE},
    {"a short send", a_short_send, LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"no room at all", no_room_at_all, LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"a reset meanwhile", a_failed_send, LAW_EVERYWHERE},
    {"closed after a short send", closed_after_a_short_send, LAW_REAL | LAW_MEMORY | LAW_SIM | LAW_AT_ONCE},
    {"a write that fails leaves what was written", a_write_that_fails_leaves_what_was_written, LAW_EVERYWHERE},
    {"what cannot be kept ends the stream", what_cannot_be_kept_ends_the_stream, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
