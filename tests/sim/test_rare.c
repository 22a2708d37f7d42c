/* SPDX-License-Identifier: MIT */
/* What a world has Weft's own code do rarely (base/probe.h): here how it accepts. Nobody may notice but by the clock. */
#include "support/support.h"

#include <inttypes.h>
#include <string.h>

#include <weft/log.h>
#include <weft/sim.h>
#include <weft/weft.h>

#define CLIENTS 10
#define SEEDS 30

/* One run. */
static struct {
    weft_loop *server;
    weft_listener *listener;
    unsigned accepted, at_turn, most; /* at the end of the last turn; in one turn */
    unsigned answered;
} run;

/* -- the server, on its loop -- */

static size_t received(weft_protocol *self, weft_stream *peer, weft_bytes in)
{
    (void)self;
    assert_int_equal(weft_stream_write(peer, in), 0);
    return in.length;
}

static WEFT_PROTOCOL(echo_ops, "echo", "it keeps nothing", .received = received);

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    static weft_protocol echo = {&echo_ops};

    (void)factory;
    (void)stream;
    run.accepted++;
    return &echo;
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    (void)factory;
    (void)drained;
    (void)aborted;
}

static void listen_there(weft_post *post)
{
    static const weft_factory_ops ops = {.build = build, .stopped = stopped};
    static weft_factory factory = {.ops = &ops};

    (void)post;
    assert_int_equal(weft_listen(weft_loop_scope(run.server), "tcp://:7", &factory, NULL, &run.listener, NULL), 0);
}

static void stop(weft_post *post)
{
    (void)post;
    weft_listener_stop(run.listener, WEFT_SECONDS(10));
}

/* -- the clients -- */

static void talk(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    if (weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer) == 0 &&
        weft_write(peer, weft_bytes_from("hello")) == 0 && weft_read_exactly(peer, 5, &in) == 5)
        run.answered++;
}

/* -- a run -- */

static const char *count_turn(weft_sim_check *check)
{
    unsigned taken = run.accepted - run.at_turn;

    (void)check;
    run.most = taken > run.most ? taken : run.most;
    run.at_turn = run.accepted;
    return NULL;
}

/* A server, and clients that all connect at once; it is stopped when they have come to an end, or while they wait in its
 * backlog. Returns how many it accepted in one turn, at most. */
static unsigned most_accepted(weft_sim *sim, bool early)
{
    weft_post listens = {.run = listen_there}, stops = {.run = stop};
    weft_sim_check check = {.broken = count_turn};
    weft_loop *client;

    memset(&run, 0, sizeof run);
    weft_sim_add_check(sim, &check);
    run.server = weft_sim_host(sim, "server");
    client = weft_sim_host(sim, "client");
    assert_true(run.server && client);
    weft_loop_post(run.server, &listens);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(weft_spawn(weft_loop_scope(client), talk, NULL), 0);
    assert_true(weft_sim_run(sim, early ? WEFT_MILLISECONDS(1) : WEFT_MINUTES(10)) >= 0);
    weft_loop_post(run.server, &stops);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(10)), 0);
    if (!early)
        assert_int_equal(run.answered, CLIENTS);
    else if (weft_sim_reached(sim, "sim: a full backlog") == 0) /* (who was not in it is refused) */
        assert_int_equal(run.accepted, CLIENTS);
    return run.most;
}

/* In how many of some worlds a turn accepts one connection at most, and in how many the backlog was full. */
static void count_worlds(const weft_faults *faults, bool early, unsigned *ret_alone, unsigned *ret_full)
{
    *ret_alone = *ret_full = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        weft_sim *sim = weft_sim_new(seed);

        support_set_context("seed %" PRIu64, seed);
        assert_non_null(sim);
        assert_int_equal(weft_sim_faults(sim, faults), 0);
        *ret_alone += most_accepted(sim, early) == 1;
        *ret_full += weft_sim_reached(sim, "sim: a full backlog") > 0;
        weft_sim_free(sim);
        support_clear_context();
    }
}

static void a_turn_accepts_one_connection_in_some_worlds(void **state)
{
    weft_faults kind = {.size = sizeof kind}, rare = {.size = sizeof rare, .rare_paths = 1000000};
    unsigned alone, full;

    (void)state;
    count_worlds(&kind, false, &alone, &full);
    assert_int_equal(alone, 0);
    assert_int_equal(full, 0);
    count_worlds(&rare, false, &alone, &full);
    assert_true(alone > 0 && alone < SEEDS);
}

static void a_backlog_is_full_in_some_worlds(void **state)
{
    weft_faults rare = {.size = sizeof rare, .rare_paths = 1000000};
    unsigned alone, full;

    (void)state;
    count_worlds(&rare, false, &alone, &full);
    assert_true(full > 0 && full < SEEDS);
}

/* They wait in the backlog when the server is told to stop: it takes them first. */
static void a_server_that_stops_takes_its_backlog_one_by_one_in_some_worlds(void **state)
{
    weft_faults slow = {.size = sizeof slow, .slow_accepts = 1000000}, rare = slow;
    unsigned alone, full;

    (void)state;
    rare.rare_paths = 1000000;
    count_worlds(&slow, true, &alone, &full);
    assert_int_equal(alone, 0);
    count_worlds(&rare, true, &alone, &full);
    assert_true(alone > 0 && alone < SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_turn_accepts_one_connection_in_some_worlds),
        support_test(a_backlog_is_full_in_some_worlds),
        support_test(a_server_that_stops_takes_its_backlog_one_by_one_in_some_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
