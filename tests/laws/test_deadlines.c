/* SPDX-License-Identifier: MIT */
/*
 * Law 5: every deadline passes at its time, for its reason, on a clock that is virtual: nothing here waits. Also attack
 * rows EL-08 (a half-open peer), EL-09 (the clock is monotonic) and EL-27 (zero is the default, not "none").
 */
#include "laws/law.h"

#include "backend/sim.h"
#include "loop/loop_internal.h"

#define RESOLUTION WEFT_MILLISECONDS(4)

static const struct law_hooks quiet = {0};

static weft_time began;

/* With faults the last byte before may have been on its way for a while: @p latency either way. */
static void check_time_about(const struct law_peer *peer, weft_time after, weft_time latency)
{
    if (!peer->world->kind->faulty)
        latency = 0;
    assert_true(peer->lost_at >= began + after - latency);
    assert_true(peer->lost_at <= began + after + RESOLUTION + latency);
}

static void check_time(const struct law_peer *peer, weft_time after)
{
    check_time_about(peer, after, 0);
}

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

static bool is_settled(const struct law_peer *peer)
{
    return peer->connected || peer->lost;
}

static bool one_accepted(struct law_world *world)
{
    return world->accepted == 1 && is_settled(&world->client[1]);
}

static bool two_wait(struct law_world *world)
{
    return is_settled(&world->client[2]) && is_settled(&world->client[3]);
}

/* One connection is accepted, and those that wait fill the backlog: TCP lets whoever comes then go on trying. */
static void never_connects(struct law_world *world, const weft_stream_options *options, weft_time expected)
{
    weft_listen_options one = {.size = sizeof one, .max_connections = 1, .backlog = 1};
    struct law_peer *client = &world->client[0];

    law_listen(world, &one, &quiet);
    law_connect(world, 1, NULL, &quiet);
    law_until(world, one_accepted);
    law_connect(world, 2, NULL, &quiet);
    law_connect(world, 3, NULL, &quiet);
    law_until(world, two_wait);
    began = weft_loop_now(world->loop);
    law_connect(world, 0, options, &quiet);
    law_until(world, client_lost);
    assert_int_equal(client->connected, 0);
    if (world->url[0] == 't') {
        assert_int_equal(client->reason, WEFT_ECONNECTTIME);
        check_time(client, expected);
    } else {
        assert_int_equal(client->reason, world->url[0] == 'u' ? -EAGAIN : -ECONNREFUSED);
    }
}

static void connect_time(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .connect = WEFT_SECONDS(3)};

    never_connects(world, &options, WEFT_SECONDS(3));
}

static void connect_time_of_zero_is_the_default(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options};

    never_connects(world, &options, WEFT_SECONDS(30));
}

static void pair_at(struct law_world *world, const struct law_hooks *server, const struct law_hooks *client,
                    const weft_stream_options *options)
{
    law_pair(world, server, client, options);
    began = weft_loop_now(world->loop);
}

static void idle_time(struct law_world *world) /* EL-08 */
{
    static const weft_stream_options options = {.size = sizeof options, .idle = WEFT_SECONDS(7)};

    pair_at(world, &quiet, &quiet, &options);
    law_pass(world, WEFT_SECONDS(5));
    assert_int_equal(law_write_pattern(&world->client[0], 1), 0); /* begins it anew, on both sides */
    law_pass(world, WEFT_MILLISECONDS(1));
    began = weft_loop_now(world->loop) - WEFT_MILLISECONDS(2);
    law_until_lost(world);
    /* where a send completes late, the peer has begun anew before, or ends first in the same tick */
    assert_int_equal((world->kind->rare || world->kind->completes) &&
                             world->server[0].lost_at <= world->client[0].lost_at
                         ? world->server[0].reason
                         : world->client[0].reason,
                     WEFT_EIDLE);
    check_time_about(&world->client[0], WEFT_SECONDS(7), WEFT_MILLISECONDS(10));
}

static void idle_time_of_zero_is_the_default(struct law_world *world) /* EL-27 */
{
    pair_at(world, &quiet, &quiet, NULL);
    law_until_lost(world);
    assert_true(world->client[0].reason == WEFT_EIDLE || world->server[0].reason == WEFT_EIDLE);
    check_time_about(&world->client[0], WEFT_MINUTES(5), WEFT_MILLISECONDS(10));
}

static void never_is_a_word(struct law_world *world) /* EL-27 */
{
    static const weft_stream_options options = {
        .size = sizeof options, .idle = WEFT_NEVER, .lifetime = WEFT_NEVER, .write_stall = WEFT_NEVER};

    pair_at(world, &quiet, &quiet, &options);
    law_pass(world, WEFT_HOURS(24 * 40)); /* more than 2^31 ticks: no counter goes round */
    assert_int_equal(world->client[0].lost, 0);
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    law_pass(world, WEFT_SECONDS(1));
    assert_int_equal(world->server[0].bytes_in, 10);
}

static void pause_at_once(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
}

/* Writes more than any system takes at once. */
static void write_too_much(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .output_limit = 10000000};
    struct law_peer *client = &world->client[0];

    assert_int_equal(LAW_CALL(world, weft_stream_set_options(client->stream, &options)), 0);
    assert_int_equal(law_write_pattern(client, world->kind->is_mem ? 300000 : 8000000), 1);
}

static void write_stall(struct law_world *world)
{
    static const struct law_hooks server = {.connected = pause_at_once};

    pair_at(world, &server, &quiet, NULL);
    write_too_much(world);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EWRITESTALL);
    check_time_about(&world->client[0], WEFT_SECONDS(30), WEFT_SECONDS(1));
}

static struct backend_transport slow;
static int64_t on_its_way, takes;

static int64_t take_a_byte(const struct backend_stream *stream)
{
    (void)stream;
    if (takes > 0) {
        takes--;
        on_its_way--;
    }
    return on_its_way;
}

/* The peer is looked at every 30 seconds; twice it has taken a byte, and then no more. */
static void write_stall_of_a_peer_that_took_its_time_before(struct law_world *world)
{
    static const struct law_hooks server = {.connected = pause_at_once};
    struct backend_stream *handle;

    pair_at(world, &server, &quiet, NULL);
    write_too_much(world);
    law_pass(world, WEFT_SECONDS(5));
    handle = (struct backend_stream *)world->client[0].stream; /* a weft_stream begins with it */
    slow = *handle->transport;
    slow.unconfirmed = take_a_byte;
    handle->transport = &slow;
    on_its_way = 10;
    takes = 2;
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EWRITESTALL);
    assert_true(world->client[0].lost_at >= began + WEFT_SECONDS(90));
    assert_true(world->client[0].lost_at <= began + WEFT_SECONDS(91)); /* each look may be a tick late */
}

static void write_stall_while_closing(struct law_world *world)
{
    static const struct law_hooks server = {.connected = pause_at_once};

    pair_at(world, &server, &quiet, NULL);
    write_too_much(world);
    law_close(&world->client[0]);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EWRITESTALL);
    check_time_about(&world->client[0], WEFT_SECONDS(30), WEFT_SECONDS(1));
}

static void lifetime(struct law_world *world)
{
    static const weft_stream_options options = {.size = sizeof options, .lifetime = WEFT_SECONDS(20)};

    pair_at(world, &quiet, &quiet, &options);
    for (int i = 0; i < 19; i++) {
        assert_int_equal(law_write_pattern(&world->client[0], 1), 0);
        law_pass(world, WEFT_SECONDS(1));
    }
    law_until(world, client_lost);
    assert_true(world->client[0].reason == WEFT_ELIFETIME || world->client[0].reason == WEFT_ECLOSED);
    assert_true(world->client[0].lost_at <= began + WEFT_SECONDS(20) + WEFT_MILLISECONDS(30));
    law_until_lost(world);
}

static void an_idle_end_in_the_middle_of_output_is_a_reset(struct law_world *world)
{
    static const struct law_hooks server = {.connected = pause_at_once};
    static const weft_stream_options options = {
        .size = sizeof options, .idle = WEFT_SECONDS(5), .write_stall = WEFT_NEVER};
    weft_listen_options listen = {.size = sizeof listen};

    law_listen(world, &listen, &server);
    law_connect(world, 0, &options, &quiet);
    law_pass(world, WEFT_SECONDS(1));
    write_too_much(world);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EIDLE);
    if (!world->server[0].lost)
        LAW_DO(world, weft_stream_resume(world->server[0].stream));
    law_until_lost(world);
    /* a clean end would have looked complete; a UNIX socket knows no other */
    assert_int_equal(world->server[0].reason, world->kind->tells_reset ? -ECONNRESET : WEFT_ECLOSED);
}

static bool server_lost(struct law_world *world)
{
    return world->server[0].lost;
}

/* It is probed after 30 s, and nine times, 10 s apart; whoever has sent something tries for a quarter of an hour. */
static void keepalive_finds_a_peer_that_has_vanished(struct law_world *world) /* EL-08 */
{
    static const weft_stream_options options = {
        .size = sizeof options, .keepalive = WEFT_SECONDS(30), .idle = WEFT_NEVER, .write_stall = WEFT_NEVER};
    static const weft_faults vanishing = {.vanishings = 1000000};

    if (world->kind->url[0] != 't')
        return; /* within one system nobody vanishes */
    pair_at(world, &quiet, &quiet, &options);
    sim_set_faults(world->loop->backend, &vanishing);
    assert_int_equal(law_write_pattern(&world->client[0], 1), 0);
    law_until(world, server_lost);
    assert_int_equal(world->server[0].reason, -ETIMEDOUT);
    check_time_about(&world->server[0], WEFT_SECONDS(120), WEFT_MILLISECONDS(10));
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, -ETIMEDOUT);
    assert_true(world->client[0].lost_at > began + WEFT_MINUTES(14));
}

/* -- the protocol's own -- */

static void note(struct law_peer *peer)
{
    peer->lost_at = weft_loop_now(peer->world->loop);
}

static bool client_deadline(struct law_world *world)
{
    return world->client[0].deadline > 0;
}

static void own_deadline_comes_once(struct law_world *world)
{
    static const struct law_hooks client = {.deadline = note};

    pair_at(world, &quiet, &client, NULL);
    for (weft_time delay = WEFT_MICROSECONDS(1); delay < WEFT_MINUTES(4); delay = delay * 3 + 12345) {
        world->client[0].deadline = 0;
        law_pass(world, WEFT_MICROSECONDS(1234));
        began = weft_loop_now(world->loop);
        LAW_DO(world, weft_stream_set_deadline(world->client[0].stream, delay));
        law_until(world, client_deadline);
        check_time(&world->client[0], delay);
        assert_int_equal(law_write_pattern(&world->client[0], 1), 0);
        law_pass(world, WEFT_SECONDS(1));
        assert_int_equal(world->client[0].deadline, 1);
    }
}

/* The timer is set for the earlier time, and finds out there how much is left: no rounding may add up to "early". */
static void own_deadline_that_moved_is_never_early(struct law_world *world)
{
    static const struct law_hooks client = {.deadline = note};

    pair_at(world, &quiet, &client, NULL);
    for (weft_time i = 0; i < 200; i++) {
        weft_time delay = WEFT_MILLISECONDS(5) + i * WEFT_MICROSECONDS(333);

        world->client[0].deadline = 0;
        law_pass(world, WEFT_MICROSECONDS(1777));
        began = weft_loop_now(world->loop);
        LAW_DO(world, weft_stream_set_deadline(world->client[0].stream, WEFT_MILLISECONDS(1)));
        LAW_DO(world, weft_stream_set_deadline(world->client[0].stream, delay));
        law_until(world, client_deadline);
        check_time(&world->client[0], delay);
    }
}

static void own_deadline_can_be_moved_and_taken_back(struct law_world *world)
{
    static const struct law_hooks client = {.deadline = note};
    weft_stream *stream;

    pair_at(world, &quiet, &client, NULL);
    stream = world->client[0].stream;
    LAW_DO(world, weft_stream_set_deadline(stream, WEFT_SECONDS(1)));
    LAW_DO(world, weft_stream_set_deadline(stream, WEFT_SECONDS(9)));
    law_pass(world, WEFT_SECONDS(5));
    assert_int_equal(world->client[0].deadline, 0);
    law_until(world, client_deadline);
    check_time(&world->client[0], WEFT_SECONDS(9));
    LAW_DO(world, weft_stream_set_deadline(stream, WEFT_SECONDS(9)));
    LAW_DO(world, weft_stream_set_deadline(stream, WEFT_NEVER));
    law_pass(world, WEFT_SECONDS(20));
    assert_int_equal(world->client[0].deadline, 1);
    LAW_DO(world, weft_stream_set_deadline(stream, WEFT_SECONDS(9)));
    law_close(&world->client[0]);
    law_until_lost(world);
    assert_int_equal(world->client[0].deadline, 1);
}

static void options_can_be_changed(struct law_world *world)
{
    static const weft_stream_options sooner = {.size = sizeof sooner, .idle = WEFT_SECONDS(2)};

    pair_at(world, &quiet, &quiet, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_set_options(world->client[0].stream, &sooner)), 0);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_EIDLE);
    assert_true(world->client[0].lost_at <= began + WEFT_SECONDS(2) + RESOLUTION);
}

/* -- lingering -- */

static void a_peer_that_does_not_end_is_waited_for_two_seconds(struct law_world *world)
{
    static const struct law_hooks server = {.ended = law_ignore};

    pair_at(world, &server, &quiet, NULL);
    law_close(&world->client[0]);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_ECLOSED);
    assert_true(world->client[0].lost_at <= began + WEFT_SECONDS(2) + WEFT_MILLISECONDS(20));
}

static void scope_timeout_cancels(struct law_world *world)
{
    weft_scope *scope;

    law_listen(world, NULL, &quiet);
    began = weft_loop_now(world->loop);
    scope = world->scope;
    world->scope = weft_scope_open(scope, WEFT_SECONDS(3));
    law_connect(world, 0, NULL, &quiet);
    law_until(world, client_lost);
    assert_int_equal(world->client[0].reason, WEFT_ETIMEDOUT);
    check_time(&world->client[0], WEFT_SECONDS(3));
    weft_scope_close(world->scope);
    world->scope = scope;
}

#define TIMED (LAW_EVERYWHERE | LAW_JUMPS)

static const struct law laws[] = {
    {"connect time", connect_time, TIMED},
    {"EL-27: connect time of zero is the default", connect_time_of_zero_is_the_default, TIMED},
    {"EL-08: idle time", idle_time, TIMED},
    {"EL-27: idle time of zero is the default", idle_time_of_zero_is_the_default, TIMED},
    {"EL-27: never is a word", never_is_a_word, TIMED},
    {"write stall", write_stall, TIMED},
    {"write stall of a peer that took its time before", write_stall_of_a_peer_that_took_its_time_before, TIMED},
    {"write stall while closing", write_stall_while_closing, TIMED},
    {"lifetime", lifetime, TIMED},
    {"an idle end in the middle of output is a reset", an_idle_end_in_the_middle_of_output_is_a_reset, TIMED},
    {"EL-08: keepalive finds a peer that has vanished", keepalive_finds_a_peer_that_has_vanished,
     LAW_SIM | LAW_FAULTS | LAW_WHY_SILENCE},
    {"own deadline comes once", own_deadline_comes_once, TIMED},
    {"own deadline that moved is never early", own_deadline_that_moved_is_never_early, TIMED},
    {"own deadline can be moved and taken back", own_deadline_can_be_moved_and_taken_back, TIMED},
    {"options can be changed", options_can_be_changed, TIMED},
    {"a peer that does not end is waited for two seconds", a_peer_that_does_not_end_is_waited_for_two_seconds, TIMED},
    {"scope timeout cancels", scope_timeout_cancels, TIMED},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
