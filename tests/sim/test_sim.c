/* SPDX-License-Identifier: MIT */
/* A world of several hosts (weft/sim.h): programs in it, and that the same seed is the same run. */
#include "support/support.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/serve.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>

#define MESSAGES 20

static unsigned answered;

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

/* Says what it has to say, and checks what comes back; its connection may break, but what comes must be right. */
static void talk(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    if (weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer) < 0)
        return;
    for (unsigned i = 0; i < MESSAGES; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "message %u of this connection", i);

        if (weft_write(peer, weft_bytes_of(text, (size_t)length)) < 0)
            return;
        if (weft_read_exactly(peer, (size_t)length, &in) != length)
            return;
        assert_memory_equal(in.data, text, (size_t)length);
        answered++;
    }
}

static int client_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_run(talk, NULL);
}

/* The hash of a run. */
static uint64_t run(uint64_t seed, bool hostile)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;
    int status;

    assert_non_null(sim);
    answered = 0;
    if (hostile)
        weft_sim_swarm(sim, false);
    assert_int_equal(weft_sim_program(sim, "server", server_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    for (int i = 0; i < 5; i++) {
        char host[16];
        snprintf(host, sizeof host, "client%d", i);
        assert_int_equal(weft_sim_program(sim, host, client_main, arguments), 0);
    }
    status = weft_sim_run(sim, WEFT_MINUTES(30));
    assert_true(status == 0 || status == 1);
    assert_int_equal(weft_sim_signal(sim, "server", SIGTERM), 0);
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(2)), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static void programs_talk_to_each_other(void **state)
{
    (void)state;
    run(1, false);
    assert_int_equal(answered, 5 * MESSAGES);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR); /* what goes wrong is told, and is not what this is about */
    for (uint64_t seed = 1; seed <= 100; seed++) {
        support_set_context("seed %" PRIu64, seed);
        assert_int_equal(run(seed, true), run(seed, true));
        support_clear_context();
    }
    assert_int_not_equal(run(1, true), run(2, true));
    weft_log_set_threshold(WEFT_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(programs_talk_to_each_other),
        support_test(the_same_seed_is_the_same_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
