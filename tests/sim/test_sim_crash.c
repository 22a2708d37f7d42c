/* SPDX-License-Identifier: MIT */
/* Hosts that lose their power while others talk to them (weft_sim_crash). */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/serve.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>

#define CLIENTS 5

static char name[] = "program", *arguments[] = {name, NULL};
static unsigned answers, ends;
static int reasons[CLIENTS];

static void echo(weft_stream *peer, void *arg)
{
    weft_bytes in;

    (void)arg;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

static int server_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_serve("tcp://0.0.0.0:7", echo, NULL);
}

/* Talks as long as it is answered. */
static void talk(weft_task *me, void *arg)
{
    int *reason = arg;
    weft_stream *peer;
    weft_bytes in;

    *reason = weft_connect(weft_task_scope(me), "tcp://server:7", NULL, &peer);
    while (*reason == 0) {
        *reason = weft_write(peer, weft_bytes_from("a word"));
        if (*reason == 0 && (*reason = weft_read_exactly(peer, 6, &in)) == 6)
            *reason = weft_sleep(WEFT_MILLISECONDS(100)), answers++;
        else if (*reason == 0)
            *reason = WEFT_ECLOSED;
    }
    ends++;
}

static void start_talking(weft_loop *clients)
{
    answers = ends = 0;
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(weft_spawn(weft_loop_scope(clients), talk, &reasons[i]), 0);
}

static void start_again(weft_sim *sim)
{
    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
}

/* A world in which CLIENTS talk to a server that loses its power. */
static weft_sim *begin(uint64_t seed, bool hostile, weft_loop **ret_clients)
{
    weft_sim *sim = weft_sim_new(seed);
    weft_loop *clients;

    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    clients = weft_sim_host(sim, "clients");
    assert_non_null(clients);
    if (hostile)
        weft_sim_swarm(sim, false);
    start_talking(clients);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(3)) >= 0);
    assert_int_equal(weft_sim_crash(sim, "server"), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), -ENOENT);
    weft_sim_calm(sim);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    *ret_clients = clients;
    return sim;
}

/* Their deadlines end them: nobody tells them anything. */
static void whoever_talked_to_it_hears_nothing(void **state)
{
    weft_loop *clients;
    weft_sim *sim = begin(1, false, &clients);
    unsigned before = answers;

    (void)state;
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0);
    assert_int_equal(ends, CLIENTS);
    assert_int_equal(answers, before);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(reasons[i], WEFT_EIDLE);
    start_again(sim);
    start_talking(clients);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(3)), 1);
    assert_true(answers > CLIENTS);
    assert_int_equal(ends, 0);
    weft_sim_free(sim);
}

/* What they had sent is sent again, and a system that has just begun knows no such connection (RFC 9293, 3.5.2). */
static void whoever_waits_for_an_answer_is_reset_by_a_host_that_is_back(void **state)
{
    weft_loop *clients;
    weft_sim *sim = begin(1, false, &clients);

    (void)state;
    assert_int_equal(ends, 0);
    start_again(sim);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    assert_int_equal(ends, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(reasons[i], -ECONNRESET);
    weft_sim_free(sim);
}

/* -- one client -- */

static struct {
    weft_time keepalive, pause; /* how long it says nothing */
    int written, reason;
    weft_time at; /* when it was told so */
    weft_sim *sim;
} quiet;

static void keep_quiet(weft_task *me, void *arg)
{
    const weft_stream_options options = {.size = sizeof options, .idle = WEFT_NEVER, .keepalive = quiet.keepalive};
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    assert_int_equal(weft_connect(weft_task_scope(me), "tcp://server:7", &options, &peer), 0);
    assert_int_equal(weft_write(peer, weft_bytes_from("a word")), 0);
    assert_int_equal(weft_read_exactly(peer, 6, &in), 6);
    if (quiet.pause > 0) {
        (void)weft_sleep(quiet.pause);
        quiet.written = weft_write(peer, weft_bytes_from("a word"));
    }
    quiet.reason = weft_read(peer, &in);
    quiet.at = weft_sim_now(quiet.sim);
}

/* Its server loses its power after 1 s, and has it again after 2. */
static void say_little(weft_time keepalive, weft_time pause)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *clients;

    memset(&quiet, 0, sizeof quiet);
    quiet.keepalive = keepalive;
    quiet.pause = pause;
    quiet.sim = sim;
    start_again(sim);
    assert_true(weft_sim_run(sim, WEFT_MILLISECONDS(500)) >= 0);
    clients = weft_sim_host(sim, "clients");
    assert_int_equal(weft_spawn(weft_loop_scope(clients), keep_quiet, NULL), 0);
    assert_true(weft_sim_run(sim, WEFT_MILLISECONDS(500)) >= 0);
    assert_int_equal(weft_sim_crash(sim, "server"), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    start_again(sim);
    assert_true(weft_sim_run(sim, WEFT_HOURS(1)) >= 0);
    weft_sim_free(sim);
}

static void whoever_has_said_nothing_is_reset_when_it_does(void **state)
{
    (void)state;
    say_little(WEFT_NEVER, WEFT_MINUTES(1));
    assert_int_equal(quiet.written, 0);
    assert_int_equal(quiet.reason, -ECONNRESET);
    assert_true(quiet.at >= WEFT_MINUTES(1) && quiet.at < WEFT_MINUTES(1) + WEFT_SECONDS(1));
}

static void a_probe_for_life_is_answered_with_a_reset(void **state)
{
    (void)state;
    say_little(WEFT_SECONDS(30), 0);
    assert_int_equal(quiet.reason, -ECONNRESET);
    assert_true(quiet.at >= WEFT_SECONDS(30) && quiet.at <= WEFT_SECONDS(33));
}

static int reached;

static void reach(weft_task *me, void *arg)
{
    weft_stream *peer;

    (void)arg;
    reached = weft_connect(weft_task_scope(me), "tcp://server:7", NULL, &peer);
}

/* Its SYN is sent again until somebody is there. */
static void whoever_calls_a_host_without_power_waits(void **state)
{
    weft_loop *clients;
    weft_sim *sim = begin(1, false, &clients);

    (void)state;
    reached = 1;
    assert_int_equal(weft_spawn(weft_loop_scope(clients), reach, NULL), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(2)) >= 0);
    assert_int_equal(reached, 1);
    start_again(sim);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(10)) >= 0);
    assert_int_equal(reached, 0);
    weft_sim_free(sim);
}

static uint64_t run(uint64_t seed)
{
    weft_loop *clients;
    weft_sim *sim = begin(seed, true, &clients);
    uint64_t hash;

    start_again(sim);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(10)) >= 0);
    assert_int_equal(weft_sim_crash(sim, "clients"), 0);
    assert_int_equal(ends, CLIENTS);
    assert_true(weft_sim_run(sim, WEFT_HOURS(1)) >= 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

/* Ends its own side, and waits for the other's. */
static void half_close(weft_task *me, void *arg)
{
    static const weft_stream_options options = {
        .size = sizeof options, .idle = WEFT_NEVER, .lifetime = WEFT_NEVER, .keepalive = WEFT_NEVER};
    int *reason = arg;
    weft_stream *peer;
    weft_bytes in;

    assert_int_equal(weft_connect(weft_task_scope(me), "tcp://server:7", &options, &peer), 0);
    weft_stream_end(peer);
    *reason = weft_read(peer, &in);
}

/* tcp(7): it is sent again, as bytes are, until it is given up. */
static void an_end_that_nobody_confirms_is_a_loss(void **state)
{
    static const weft_faults far = {.size = sizeof far, .latency = {WEFT_SECONDS(1), WEFT_SECONDS(1)}};
    weft_sim *sim = weft_sim_new(1);
    weft_loop *clients;
    int reason = 1;

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &far), 0);
    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    clients = weft_sim_host(sim, "clients");
    assert_int_equal(weft_spawn(weft_loop_scope(clients), half_close, &reason), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MILLISECONDS(2500)), 1);
    assert_int_equal(weft_sim_crash(sim, "server"), 0);
    assert_true(weft_sim_run(sim, WEFT_HOURS(1)) >= 0);
    assert_int_equal(reason, -ETIMEDOUT);
    weft_sim_free(sim);
}

static void hostile_worlds_lose_power_and_repeat(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        support_set_context("seed %" PRIu64, seed);
        assert_int_equal(run(seed), run(seed));
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(whoever_talked_to_it_hears_nothing),
        support_test(whoever_waits_for_an_answer_is_reset_by_a_host_that_is_back),
        support_test(whoever_has_said_nothing_is_reset_when_it_does),
        support_test(a_probe_for_life_is_answered_with_a_reset),
        support_test(whoever_calls_a_host_without_power_waits),
        support_test(an_end_that_nobody_confirms_is_a_loss),
        support_test(hostile_worlds_lose_power_and_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
