/* SPDX-License-Identifier: MIT */
/* Workers in worlds of several hosts: threads that take turns (backend/sim/worker.h). */
#include "sim/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/signal.h>
#include <weft/sim.h>
#include <weft/task.h>
#include <weft/task_stream.h>
#include <weft/timer.h>
#include <weft/worker.h>

#define WORKERS 3
#define CLIENTS 12

static char name[] = "program", *arguments[] = {name, NULL};

/* -- a server with three workers, each of which tells the next of each message -- */

struct member {
    weft_loop *loop;
    weft_worker *worker;
    weft_factory *factory;
    weft_listener *listener;
    weft_post stop, told;
    bool telling; /* `told` has not been run yet */
    unsigned connections, messages, heard;
    int ended; /* what its join returned */
};

static struct {
    struct member members[WORKERS];
    weft_signal signal;
} pool;

static _Thread_local struct member *here; /* a worker's own, as any thread's */

static void hear(weft_post *post)
{
    struct member *member = weft_container_of(post, struct member, told);

    assert_true(!here || here == member);
    here = member;
    member->telling = false;
    member->heard++;
}

static void tell_next(struct member *member)
{
    struct member *next = &pool.members[(member - pool.members + 1) % WORKERS];

    if (next->telling)
        return;
    next->telling = true;
    next->told.run = hear;
    weft_loop_post(next->loop, &next->told);
}

static void echo(weft_stream *peer, void *arg)
{
    struct member *member = arg;
    weft_bytes in;

    member->connections++;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0) {
        assert_true(!here || here == member);
        member->messages++;
        tell_next(member);
    }
}

static void stop_member(weft_post *post)
{
    struct member *member = weft_container_of(post, struct member, stop);

    weft_listener_stop(member->listener, WEFT_SECONDS(10));
}

static void stop_all(weft_signal *watch)
{
    weft_signal_stop(watch);
    for (int i = 0; i < WORKERS; i++) {
        pool.members[i].stop.run = stop_member;
        weft_loop_post(pool.members[i].loop, &pool.members[i].stop);
    }
}

static int open_member(struct member *member)
{
    weft_listen_options options = {.size = sizeof options, .reuse_port = true};
    int status = weft_loop_new(NULL, &member->loop);

    if (status < 0)
        return status;
    member->factory = weft_task_factory_new(echo, member);
    return weft_listen(weft_loop_scope(member->loop), "tcp://0.0.0.0:7", member->factory, &options, &member->listener,
                       NULL);
}

static int run_pool(void)
{
    int status = weft_signal_start(&pool.signal, weft_loop_scope(pool.members[0].loop), SIGTERM, stop_all);

    for (int i = 1; i < WORKERS && status == 0; i++)
        status = weft_worker_start(pool.members[i].loop, &pool.members[i].worker);
    if (status == 0)
        status = weft_loop_run(pool.members[0].loop);
    for (int i = 1; i < WORKERS; i++)
        pool.members[i].ended = weft_worker_join(pool.members[i].worker);
    return status;
}

static void close_pool(void)
{
    for (int i = 0; i < WORKERS; i++) {
        weft_loop_free(pool.members[i].loop);
        weft_task_factory_free(pool.members[i].factory);
    }
}

static int pool_main(int argc, char **argv)
{
    int status = 0;

    (void)argc;
    (void)argv;
    memset(&pool, 0, sizeof pool);
    for (int i = 0; i < WORKERS && status == 0; i++)
        status = open_member(&pool.members[i]);
    if (status == 0)
        status = run_pool();
    close_pool();
    return status < 0;
}

/* -- who comes -- */

static void come(weft_sim *sim)
{
    for (int i = 0; i < CLIENTS; i++) {
        char host[16];
        snprintf(host, sizeof host, "client%d", i);
        assert_int_equal(weft_sim_program(sim, host, client_main, arguments), 0);
    }
}

static uint64_t run(uint64_t seed, bool hostile)
{
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;
    int status;

    assert_non_null(sim);
    answered = 0;
    assert_int_equal(weft_sim_program(sim, "server", pool_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    if (hostile)
        weft_sim_swarm(sim, false);
    come(sim);
    status = weft_sim_run(sim, WEFT_MINUTES(30));
    assert_true(status == 0 || status == 1);
    assert_int_equal(weft_sim_signal(sim, "server", SIGTERM), 0);
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(2)), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), 0);
    for (int i = 1; i < WORKERS; i++)
        assert_int_equal(pool.members[i].ended, 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static void workers_share_a_port_and_tell_each_other(void **state)
{
    (void)state;
    run(1, false);
    assert_int_equal(answered, CLIENTS * TALK_MESSAGES);
    for (int i = 0; i < WORKERS; i++) {
        assert_true(pool.members[i].connections > 0);
        assert_int_equal(pool.members[i].messages, pool.members[i].connections * TALK_MESSAGES);
        assert_true(pool.members[i].heard > 0);
    }
}

static void the_seed_decides_who_gets_which_connection(void **state)
{
    unsigned least = CLIENTS, most = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run(seed, false);
        least = pool.members[0].connections < least ? pool.members[0].connections : least;
        most = pool.members[0].connections > most ? pool.members[0].connections : most;
    }
    assert_true(least < most);
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        support_set_context("seed %" PRIu64, seed);
        assert_true(run(seed, true) == run(seed, true));
        support_clear_context();
    }
    assert_true(run(1, true) != run(2, true));
    weft_log_set_threshold(WEFT_LOG_INFO);
}

/* -- ends -- */

static void a_world_that_ends_ends_its_workers(void **state)
{
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_program(sim, "server", pool_main, arguments), 0);
    come(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), -EINPROGRESS);
    weft_sim_free(sim);
    for (int i = 1; i < WORKERS; i++)
        assert_int_equal(pool.members[i].ended, -EDEADLK);
}

static void a_host_that_loses_its_power_loses_its_workers(void **state)
{
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_program(sim, "server", pool_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    assert_int_equal(weft_sim_crash(sim, "server"), 0);
    for (int i = 1; i < WORKERS; i++)
        assert_int_equal(pool.members[i].ended, -EDEADLK);
    assert_int_equal(weft_sim_program(sim, "server", pool_main, arguments), 0);
    answered = 0;
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    come(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0);
    assert_int_equal(answered, CLIENTS * TALK_MESSAGES);
    weft_sim_free(sim);
}

static uint64_t run_and_kill(uint64_t seed)
{
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;

    weft_sim_swarm(sim, false);
    for (int i = 0; i < 3; i++) {
        if (i > 0) {
            assert_int_equal(weft_sim_draw(sim, 2) ? weft_sim_kill(sim, "server") : weft_sim_crash(sim, "server"), 0);
            assert_int_equal(pool.members[1].ended, -EDEADLK);
        }
        assert_int_equal(weft_sim_program(sim, "server", pool_main, arguments), 0);
        assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
        if (i == 0)
            come(sim);
        assert_true(weft_sim_run(sim, (weft_time)weft_sim_draw(sim, WEFT_SECONDS(3))) >= 0);
    }
    assert_int_equal(weft_sim_signal(sim, "server", SIGTERM), 0);
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(2)), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static void a_killed_program_takes_its_workers_along(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        support_set_context("seed %" PRIu64, seed);
        assert_true(run_and_kill(seed) == run_and_kill(seed));
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
}

/* A program that returns ends its threads, as exit(3) does. */
static weft_worker *forgotten;
static weft_loop *forgotten_loop;

static void beat(weft_timer *timer)
{
    weft_timer_start(timer, WEFT_SECONDS(1));
}

static int forgetful_main(int argc, char **argv)
{
    static weft_timer timer;
    weft_loop *mine;
    weft_timer pause;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &forgotten_loop) < 0 || weft_loop_new(NULL, &mine) < 0 ||
        weft_timer_init(&timer, weft_loop_scope(forgotten_loop), beat) < 0 ||
        weft_timer_init(&pause, weft_loop_scope(mine), beat) < 0)
        return 1;
    weft_timer_start(&timer, WEFT_SECONDS(1));
    weft_timer_start(&pause, WEFT_MINUTES(1));
    if (weft_worker_start(forgotten_loop, &forgotten) < 0 || weft_loop_step(mine) < 0)
        return 1;
    weft_loop_free(mine);
    return 0;
}

static void a_program_that_returns_ends_its_workers(void **state)
{
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_program(sim, "server", forgetful_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_HOURS(1)), 0); /* nothing beats any more */
    assert_int_equal(weft_sim_program_status(sim, "server"), 0);
    assert_int_equal(weft_worker_join(forgotten), -EDEADLK);
    weft_loop_free(forgotten_loop);
    weft_sim_free(sim);
}

static void the_loop_of_a_host_has_its_turns_already(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *loop = weft_sim_host(sim, "host");
    weft_worker *worker;

    (void)state;
    assert_int_equal(weft_worker_start(loop, &worker), -EBUSY);
    weft_sim_free(sim);
}

/* -- a worker that a callback of a host's loop joins -- */

static int visited;
static weft_loop *visiting_loop;
static weft_worker *visitor;

/* What it waits for is on another host, whose loop must have its turns meanwhile. */
static void visit(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    visited = weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer);
    if (visited == 0)
        visited = weft_write(peer, weft_bytes_from("hello"));
    if (visited == 0)
        visited = weft_read_exactly(peer, 5, &in);
}

static void join_a_visitor(weft_post *post)
{
    (void)post;
    assert_int_equal(weft_loop_new(NULL, &visiting_loop), 0);
    assert_int_equal(weft_spawn(weft_loop_scope(visiting_loop), visit, NULL), 0);
    assert_int_equal(weft_worker_start(visiting_loop, &visitor), 0);
    assert_int_equal(weft_worker_join(visitor), 0);
    weft_loop_free(visiting_loop);
    assert_int_equal(weft_loop_new(NULL, &visiting_loop), 0); /* it is still the host's code that runs */
    assert_string_equal(weft_loop_backend(visiting_loop), "sim");
    weft_loop_free(visiting_loop);
}

static void answer_later(weft_task *me, void *arg)
{
    weft_acceptor *acceptor;
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    assert_int_equal(weft_acceptor_open(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_accept(acceptor, weft_task_scope(me), &peer), 0);
    assert_int_equal(weft_read_exactly(peer, 5, &in), 5);
    (void)weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(weft_write(peer, weft_bytes_from("hello")), 0);
}

static void whoever_joins_in_a_callback_lets_the_other_hosts_run(void **state)
{
    weft_sim *sim = weft_sim_new(1);
    weft_loop *server = weft_sim_host(sim, "server"), *client = weft_sim_host(sim, "client");
    weft_post post = {.run = join_a_visitor};

    (void)state;
    assert_int_equal(weft_spawn(weft_loop_scope(server), answer_later, NULL), 0);
    assert_true(weft_sim_run(sim, 0) >= 0);
    weft_loop_post(client, &post);
    visited = 0;
    assert_true(weft_sim_run(sim, WEFT_MINUTES(1)) >= 0);
    assert_int_equal(visited, 5);
    assert_true(weft_sim_now(sim) >= WEFT_SECONDS(1));
    weft_sim_free(sim);
}

static int fewer_main(int argc, char **argv)
{
    weft_worker *worker = NULL;
    weft_loop *loop;
    int status;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &loop) < 0)
        return 1;
    status = weft_worker_start(loop, &worker);
    weft_loop_free(loop);
    return status != -EAGAIN || worker;
}

static void a_fault_is_that_no_worker_can_be_started(void **state)
{
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .threads = 1000000}), 0);
    assert_int_equal(weft_sim_program(sim, "server", fewer_main, arguments), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
    assert_int_equal(weft_sim_program_status(sim, "server"), 0);
    weft_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(workers_share_a_port_and_tell_each_other),
        support_test(the_seed_decides_who_gets_which_connection),
        support_test(the_same_seed_is_the_same_run),
        support_test(a_world_that_ends_ends_its_workers),
        support_test(a_host_that_loses_its_power_loses_its_workers),
        support_test(a_killed_program_takes_its_workers_along),
        support_test(a_program_that_returns_ends_its_workers),
        support_test(whoever_joins_in_a_callback_lets_the_other_hosts_run),
        support_test(a_fault_is_that_no_worker_can_be_started),
        support_test(the_loop_of_a_host_has_its_turns_already),
    };
    return cmocka_run_group_tests_name("simulated workers", tests, NULL, NULL);
}
