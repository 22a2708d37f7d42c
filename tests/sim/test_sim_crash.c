/* SPDX-License-Identifier: MIT */
/* Hosts that lose their power while others talk to them (weft_sim_crash). */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

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

/* A world in which CLIENTS talk to a server that loses its power, and has it again. */
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
    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
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
    start_talking(clients);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(3)), 1);
    assert_true(answers > CLIENTS);
    assert_int_equal(ends, 0);
    weft_sim_free(sim);
}

static uint64_t run(uint64_t seed)
{
    weft_loop *clients;
    weft_sim *sim = begin(seed, true, &clients);
    uint64_t hash;

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
        support_test(an_end_that_nobody_confirms_is_a_loss),
        support_test(hostile_worlds_lose_power_and_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
