/* SPDX-License-Identifier: MIT */
/* Workers in simulated worlds: threads that take turns (backend/sim/worker.h). */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
#define MESSAGES 10

static char name[] = "program", *arguments[] = {name, NULL};

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

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

static unsigned answered;

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
    assert_int_equal(answered, CLIENTS * MESSAGES);
    for (int i = 0; i < WORKERS; i++) {
        assert_true(pool.members[i].connections > 0);
        assert_int_equal(pool.members[i].messages, pool.members[i].connections * MESSAGES);
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
    assert_int_equal(answered, CLIENTS * MESSAGES);
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

/* -- a program alone, as the environment has it -- */

static weft_loop *new_loop(void)
{
    weft_loop *loop;

    assert_int_equal(weft_loop_new(NULL, &loop), 0);
    return loop;
}

struct flag {
    weft_post post;
    weft_loop *loop;
    struct flag *peer;
    unsigned runs;
    bool raised;
};

static void raise_flag(weft_post *post)
{
    weft_container_of(post, struct flag, post)->raised = true;
}

/* Turns in a circle until the other has raised its flag. */
static void spin(weft_post *post)
{
    struct flag *flag = weft_container_of(post, struct flag, post);

    flag->runs++;
    if (!flag->peer->raised)
        weft_loop_post(flag->loop, &flag->post);
}

static void a_loop_that_always_has_something_to_do_lets_the_others_run(void **state)
{
    struct flag other = {.post.run = raise_flag}, main_ = {.post.run = spin, .peer = &other};
    weft_worker *worker;

    (void)state;
    main_.loop = new_loop();
    other.loop = new_loop();
    assert_int_equal(weft_worker_start(other.loop, &worker), 0);
    weft_loop_post(main_.loop, &main_.post);
    weft_loop_post(other.loop, &other.post);
    assert_int_equal(weft_loop_run(main_.loop), 0);
    assert_true(other.raised && main_.runs > 0);
    assert_int_equal(weft_worker_join(worker), 0);
    weft_loop_free(other.loop);
    weft_loop_free(main_.loop);
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

/* Both wait at once: an hour is an hour, not two. */
static void loops_of_a_program_share_a_clock(void **state)
{
    weft_loop *mine = new_loop(), *other = new_loop();
    weft_timer timers[2];
    weft_worker *worker;
    weft_time begin;

    (void)state;
    assert_string_equal(weft_loop_backend(mine), "sim");
    assert_int_equal(weft_timer_init(&timers[0], weft_loop_scope(mine), nothing), 0);
    assert_int_equal(weft_timer_init(&timers[1], weft_loop_scope(other), nothing), 0);
    begin = weft_loop_now(mine);
    assert_true(weft_loop_now(other) == begin);
    weft_timer_start(&timers[0], WEFT_HOURS(1));
    weft_timer_start(&timers[1], WEFT_HOURS(1));
    assert_int_equal(weft_worker_start(other, &worker), 0);
    assert_int_equal(weft_loop_run(mine), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    assert_true(weft_loop_now(mine) == begin + WEFT_HOURS(1) && weft_loop_now(other) == begin + WEFT_HOURS(1));
    weft_loop_free(mine);
    weft_loop_free(other);
}

static weft_worker *second;
static weft_loop *second_loop;

static void start_second(weft_timer *timer)
{
    (void)timer;
    assert_int_equal(weft_loop_new(NULL, &second_loop), 0);
    assert_int_equal(weft_worker_start(second_loop, &second), 0);
}

static void join_second(weft_timer *timer)
{
    (void)timer;
    assert_int_equal(weft_worker_join(second), 0);
    weft_loop_free(second_loop);
}

/* Also inside of a turn. */
static void a_worker_may_start_and_join_workers(void **state)
{
    weft_loop *loop = new_loop();
    weft_timer timers[2];
    weft_worker *worker;

    (void)state;
    assert_int_equal(weft_timer_init(&timers[0], weft_loop_scope(loop), start_second), 0);
    assert_int_equal(weft_timer_init(&timers[1], weft_loop_scope(loop), join_second), 0);
    weft_timer_start(&timers[0], WEFT_SECONDS(1));
    weft_timer_start(&timers[1], WEFT_SECONDS(2));
    assert_int_equal(weft_worker_start(loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), 0);
    weft_loop_free(loop);
}

static void a_worker_for_which_nothing_will_happen_is_joined(void **state)
{
    weft_loop *loop = new_loop();
    weft_worker *worker;
    weft_signal watch;

    (void)state;
    assert_int_equal(weft_signal_start(&watch, weft_loop_scope(loop), SIGUSR1, stop_all), 0);
    assert_int_equal(weft_worker_start(loop, &worker), 0);
    assert_int_equal(weft_worker_join(worker), -EDEADLK);
    weft_loop_free(loop);
}

static void a_worker_that_cannot_be_started_is_an_error(void **state)
{
    weft_loop *loop = new_loop();
    weft_worker *worker = NULL;

    (void)state;
    no_threads = true;
    assert_int_equal(weft_worker_start(loop, &worker), -EAGAIN);
    no_threads = false;
    support_fail_at(1, false);
    assert_int_equal(weft_worker_start(loop, &worker), WEFT_ENOMEM);
    support_fail_at(2, false);
    assert_int_equal(weft_worker_start(loop, &worker), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_null(worker);
    weft_loop_free(loop);
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

static void *run_here(void *arg)
{
    static int status;

    status = weft_loop_run(arg);
    return &status;
}

/* A thread of the program's own has a world of its own ... */
static void *run_own(void *arg)
{
    weft_loop *loop;
    weft_timer timer;

    (void)arg;
    if (weft_loop_new(NULL, &loop) < 0 || weft_timer_init(&timer, weft_loop_scope(loop), nothing) < 0)
        return NULL;
    weft_timer_start(&timer, WEFT_HOURS(1));
    run_here(loop);
    weft_loop_free(loop);
    return NULL;
}

/* ... and no turn in another's. */
static void a_thread_of_the_programs_own_is_not_of_its_world(void **state)
{
    weft_loop *loops[] = {new_loop(), new_loop()};
    weft_timer timer;
    pthread_t thread;
    void *status;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loops[0]), nothing), 0);
    weft_timer_start(&timer, WEFT_SECONDS(1));
    assert_int_equal(pthread_create(&thread, NULL, run_own, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    support_log_expect("error: sim: the loops of a simulated world take turns");
    assert_int_equal(pthread_create(&thread, NULL, run_here, loops[0]), 0);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal(*(int *)status, -EXDEV);
    weft_loop_free(loops[0]);
    weft_loop_free(loops[1]);
}

static void processors_come_from_the_seed(void **state)
{
    unsigned seen = 0;
    char text[16];

    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned count;

        snprintf(text, sizeof text, "sim:%u", seed);
        setenv("WEFT_BACKEND", text, 1);
        count = weft_worker_processors();
        assert_in_range(count, 1, 4);
        assert_int_equal(weft_worker_processors(), count);
        seen |= 1U << count;
    }
    assert_int_equal(seen, 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4);
}

static int alone(void **state)
{
    setenv("WEFT_BACKEND", "sim:7", 1);
    return support_setup(state);
}

static int not_alone(void **state)
{
    unsetenv("WEFT_BACKEND");
    return support_teardown(state);
}

#define alone_test(function) cmocka_unit_test_setup_teardown(function, alone, not_alone)

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
        support_test(the_loop_of_a_host_has_its_turns_already),
        alone_test(a_loop_that_always_has_something_to_do_lets_the_others_run),
        alone_test(loops_of_a_program_share_a_clock),
        alone_test(a_worker_may_start_and_join_workers),
        alone_test(a_worker_for_which_nothing_will_happen_is_joined),
        alone_test(a_worker_that_cannot_be_started_is_an_error),
        alone_test(a_thread_of_the_programs_own_is_not_of_its_world),
        alone_test(processors_come_from_the_seed),
    };

    unsetenv("WEFT_BACKEND");
    return cmocka_run_group_tests_name("simulated workers", tests, NULL, NULL);
}
