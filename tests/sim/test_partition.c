/* SPDX-License-Identifier: MIT */
/* A connection that one end aborts while the link is cut: the other learns of it when it says something, or asks. */
#include "support/support.h"

#include <errno.h>
#include <string.h>

#include <weft/sim.h>
#include <weft/weft.h>

static struct {
    weft_sim *sim;
    weft_loop *client, *server;
    weft_stream *ends[2]; /* the client's, the server's; NULL: lost */
    int reason;           /* of the client's */
} world;

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    (void)protocol;
    world.ends[0] = stream;
}

static void client_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    world.ends[0] = NULL;
    world.reason = reason;
}

static void server_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    (void)reason;
    world.ends[1] = NULL;
}

static WEFT_PROTOCOL(client_ops, "client", "a test", .connected = connected, .lost = client_lost);
static WEFT_PROTOCOL(server_ops, "server", "a test", .lost = server_lost);
static weft_protocol client_protocol = {&client_ops}, server_protocol = {&server_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    world.ends[1] = stream;
    return &server_protocol;
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    (void)factory;
    (void)drained;
    (void)aborted;
}

/* -- what is done on a loop -- */

static void run_for(weft_time time)
{
    assert_true(weft_sim_run(world.sim, time) >= 0);
}

static void do_on(weft_loop *loop, void (*what)(weft_post *post))
{
    weft_post post = {.run = what};

    weft_loop_post(loop, &post);
    run_for(WEFT_SECONDS(1));
}

static void abort_server(weft_post *post)
{
    (void)post;
    weft_stream_abort(world.ends[1]);
}

static void write_client(weft_post *post)
{
    (void)post;
    assert_int_equal(weft_stream_write(world.ends[0], weft_bytes_from("is anybody there?")), 0);
}

/* -- a connection whose server has aborted it, with the link cut -- */

static void begin(weft_time keepalive)
{
    static const weft_factory_ops ops = {.build = build, .stopped = stopped};
    static weft_factory factory = {.ops = &ops};
    weft_stream_options patient = {
        .size = sizeof patient, .idle = WEFT_NEVER, .write_stall = WEFT_NEVER, .keepalive = keepalive};

    memset(&world, 0, sizeof world);
    world.sim = weft_sim_new(1);
    world.server = weft_sim_host(world.sim, "server");
    world.client = weft_sim_host(world.sim, "client");
    assert_true(world.server && world.client);
    assert_int_equal(weft_listen(weft_loop_scope(world.server), "tcp://:7", &factory, NULL, NULL, NULL), 0);
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(world.client), "tcp://10.0.0.1:7", &client_protocol, &patient, NULL, NULL),
        0);
    run_for(WEFT_SECONDS(1));
    assert_true(world.ends[0] && world.ends[1]);
    assert_int_equal(weft_sim_cut(world.sim, "client", "server", true), 0);
    do_on(world.server, abort_server);
    assert_null(world.ends[1]);
    assert_non_null(world.ends[0]);
}

static void mend(void)
{
    assert_int_equal(weft_sim_cut(world.sim, "client", "server", false), 0);
    run_for(WEFT_SECONDS(1));
}

static void end(void)
{
    weft_sim_free(world.sim);
}

static void who_speaks_to_one_that_has_forgotten_is_reset(void **state)
{
    (void)state;
    begin(0);
    mend();
    assert_non_null(world.ends[0]);
    do_on(world.client, write_client);
    assert_null(world.ends[0]);
    assert_int_equal(world.reason, -ECONNRESET);
    end();
}

static void what_was_said_meanwhile_is_answered_with_a_reset(void **state)
{
    (void)state;
    begin(0);
    do_on(world.client, write_client);
    assert_non_null(world.ends[0]);
    mend();
    assert_null(world.ends[0]);
    assert_int_equal(world.reason, -ECONNRESET);
    end();
}

static void who_probes_one_that_has_forgotten_is_reset(void **state)
{
    (void)state;
    begin(WEFT_SECONDS(30));
    mend();
    assert_non_null(world.ends[0]);
    run_for(WEFT_SECONDS(31));
    assert_null(world.ends[0]);
    assert_int_equal(world.reason, -ECONNRESET);
    end();
}

static void who_neither_speaks_nor_probes_never_learns(void **state)
{
    (void)state;
    begin(0);
    mend();
    run_for(WEFT_HOURS(24));
    assert_non_null(world.ends[0]);
    end();
}

static void who_speaks_into_a_cut_for_too_long_gives_up(void **state)
{
    (void)state;
    begin(0);
    do_on(world.client, write_client);
    run_for(WEFT_MINUTES(10));
    assert_non_null(world.ends[0]);
    run_for(WEFT_MINUTES(10));
    assert_null(world.ends[0]);
    assert_int_equal(world.reason, -ETIMEDOUT);
    assert_int_equal(weft_sim_reached(world.sim, "sim: a silent peer was given up"), 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(who_speaks_to_one_that_has_forgotten_is_reset),
        support_test(what_was_said_meanwhile_is_answered_with_a_reset),
        support_test(who_probes_one_that_has_forgotten_is_reset),
        support_test(who_neither_speaks_nor_probes_never_learns),
        support_test(who_speaks_into_a_cut_for_too_long_gives_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
