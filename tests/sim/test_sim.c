/* SPDX-License-Identifier: MIT */
/* A world of several hosts (weft/sim.h): programs in it, and that the same seed is the same run. */
#include "sim/talk.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/loop.h>
#include <weft/probe.h>
#include <weft/serve.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>
#include <weft/timer.h>

#include "net/names.h"

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
    assert_int_equal(answered, 5 * TALK_MESSAGES);
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

static weft_loop *stopped;

static void stop_its_loop(weft_post *post)
{
    (void)post;
    weft_loop_stop(stopped);
}

static void a_loop_that_is_stopped_does_not_stop_its_world(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_post post = {.run = stop_its_loop};

    (void)state;
    stopped = weft_sim_host(sim, "host");
    weft_loop_post(stopped, &post);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_null(weft_sim_failure(sim));
    weft_sim_free(sim);
}

/* -- ends -- */

static int brief_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 3;
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void a_program_that_has_ended_is_not_woken(void **state)
{
    static char name[] = "program", *arguments[] = {name, NULL};
    weft_sim *sim = weft_sim_new(1);
    weft_timer timer;
    weft_loop *loop;

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .spurious_wakeups = 500000}), 0);
    assert_int_equal(weft_sim_program(sim, "brief", brief_main, arguments), 0);
    loop = weft_sim_host(sim, "host");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
        weft_timer_start(&timer, WEFT_SECONDS(1));
        assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0);
        weft_timer_fini(&timer);
    }
    assert_int_equal(weft_sim_program_status(sim, "brief"), 3);
    weft_sim_free(sim);
}

/* -- names -- */

struct answer {
    int calls, status;
    size_t count;
    weft_address addresses[NAMES_MOST];
};

static void take_answer(void *arg, int status, const weft_address *addresses, size_t count)
{
    struct answer *answer = arg;

    answer->calls++;
    answer->status = status;
    answer->count = count;
    memcpy(answer->addresses, addresses, count * sizeof *addresses);
}

/* Looks @p name up in a world whose second host is "server.example". */
static struct answer look_up(const weft_faults *faults, const char *name, weft_time *ret_took)
{
    weft_sim *sim = weft_sim_new(1);
    struct answer answer = {.calls = 0};
    struct names_lookup *lookup;
    weft_loop *client = weft_sim_host(sim, "client.example");

    assert_non_null(weft_sim_host(sim, "server.example"));
    assert_int_equal(weft_sim_faults(sim, faults), 0);
    assert_int_equal(names_start(weft_loop_scope(client), weft_bytes_from(name), take_answer, &answer, &lookup), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0);
    assert_int_equal(answer.calls, 1);
    *ret_took = weft_sim_now(sim);
    weft_sim_free(sim);
    return answer;
}

static void names_are_those_of_the_hosts_of_the_world(void **state)
{
    static const weft_faults kind = {.size = sizeof kind};
    weft_time took;
    struct answer answer = look_up(&kind, "server.example", &took);

    (void)state;
    assert_int_equal(answer.status, 0);
    assert_int_equal(answer.count, 2);
    assert_int_equal(answer.addresses[0].family, WEFT_ADDRESS_IPV4);
    assert_memory_equal(answer.addresses[0].ip, ((const uint8_t[]){10, 0, 0, 2}), 4);
    assert_int_equal(answer.addresses[1].family, WEFT_ADDRESS_IPV6);
    assert_int_equal(answer.addresses[1].ip[15], 2);
    assert_int_equal(look_up(&kind, "nobody.example", &took).status, WEFT_ENONAME);
}

static void names_fail_and_come_late(void **state)
{
    static const weft_faults failing = {.size = sizeof failing, .name_failures = 1000000};
    static const weft_faults slow = {.size = sizeof slow, .slow_names = 1000000};
    weft_time took;

    (void)state;
    assert_true(look_up(&failing, "server.example", &took).status < 0);
    assert_int_equal(look_up(&slow, "server.example", &took).status, 0);
    assert_true(took > 0);
}

/* -- probes -- */

#define PROBES 1000

static char names[PROBES][16];

static void reach_all(weft_post *post)
{
    (void)post;
    for (int i = 0; i < PROBES; i++)
        WEFT_PROBE(names[i]);
}

static void every_probe_is_counted_however_many_there_are(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *host = weft_sim_host(sim, "host");
    weft_post posts[2] = {{.run = reach_all}, {.run = reach_all}};

    (void)state;
    assert_non_null(host);
    for (int i = 0; i < PROBES; i++)
        snprintf(names[i], sizeof names[i], "probe %d", i);
    for (int i = 0; i < 2; i++) {
        weft_loop_post(host, &posts[i]);
        assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    }
    for (int i = 0; i < PROBES; i++)
        assert_int_equal(weft_sim_reached(sim, names[i]), 2);
    assert_int_equal(weft_sim_reached(sim, "probe 1000"), 0);
    weft_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(programs_talk_to_each_other),
        support_test(a_loop_that_is_stopped_does_not_stop_its_world),
        support_test(names_are_those_of_the_hosts_of_the_world),
        support_test(names_fail_and_come_late),
        support_test(the_same_seed_is_the_same_run),
        support_test(every_probe_is_counted_however_many_there_are),
        support_test(a_program_that_has_ended_is_not_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
