/* SPDX-License-Identifier: MIT */
/*
 * Scenarios with a defect that `weft sim` is to find, for command.py. PLANTED
 * in the environment says which; seeds that are multiples of 5 have those that
 * are not the network's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/sim_scenario.h>
#include <weft/weft.h>

#define FRAME 8

static weft_sim *world;
static unsigned frames;

static bool is_planted(const char *name)
{
    const char *planted = getenv("PLANTED");

    return planted && strcmp(planted, name) == 0;
}

/* The defect: what one read gives is taken to be a whole frame. */
static void serve(weft_stream *peer, void *unused)
{
    weft_bytes in;

    (void)unused;
    while (weft_read(peer, &in) > 0) {
        if (in.length != FRAME && is_planted("split"))
            weft_sim_fail(world, "a frame of %zu bytes\nis what the server got", in.length);
        if (in.length != FRAME)
            WEFT_PROBE("planted: a frame in pieces");
        if (weft_write(peer, in) < 0)
            return;
    }
}

static int server(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_serve("tcp://0.0.0.0:7", serve, NULL);
}

static void talk(weft_task *me, void *unused)
{
    weft_stream *peer;
    weft_bytes in;

    (void)unused;
    if (is_planted("address"))
        (void)weft_sleep((weft_time)((uintptr_t)&world >> 12) % WEFT_SECONDS(1));
    if (weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer) < 0)
        return;
    if (is_planted("address in a message")) {
        uintptr_t address = (uintptr_t)&world;
        (void)weft_write(peer, weft_bytes_of((const char *)&address, sizeof address));
        weft_close(peer);
        return;
    }
    if (is_planted("memory that nobody has set")) {
        char *volatile memory = malloc(64);
        (void)weft_write(peer, weft_bytes_of(memory + 32, 8));
        free(memory);
        weft_close(peer);
        return;
    }
    for (unsigned i = 0; i < frames; i++)
        if (weft_write(peer, weft_bytes_from("12345678")) < 0 || weft_read_exactly(peer, FRAME, &in) != FRAME)
            return;
    weft_close(peer);
}

static void wait_for_ever(weft_task *me, void *unused)
{
    weft_done nothing = weft_deferred_new(weft_done, weft_task_scope(me));

    (void)unused;
    (void)!weft_wait(nothing);
}

/* It waits on purpose: nobody is stuck. */
static void wait_for_callers(weft_task *me, void *unused)
{
    weft_acceptor *acceptor;
    weft_stream *peer;

    (void)unused;
    if (weft_acceptor_open(weft_task_scope(me), "tcp://0.0.0.0:8", NULL, &acceptor, NULL) == 0)
        (void)!weft_accept(acceptor, weft_task_scope(me), &peer);
}

static void crash(void)
{
    volatile int *volatile nowhere = NULL;

    printf("about to crash\n");
    *nowhere = 1;
}

/* Says something else in each process. */
static void have_moods(void)
{
    char text[41] = "";

    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = (char)('a' + (getpid() >> i % 8) % 26);
    weft_sim_fail(world, "%s", text);
}

static void go_on(weft_timer *timer)
{
    weft_timer_start(timer, WEFT_SECONDS(1));
}

static weft_timer restless;

static void misbehave(uint64_t seed)
{
    static uint64_t runs;

    if (is_planted("memory of runs") && runs++ > 0)
        weft_sim_fail(world, "this is the second run");
    if (seed % 5 != 0)
        return;
    if (is_planted("crash"))
        crash();
    if (is_planted("hang"))
        for (volatile bool on = true; on;)
            ;
    if (is_planted("exit"))
        exit(0);
    if (is_planted("moods"))
        have_moods();
    if (is_planted("leak"))
        (void)!weft_allocate(10);
    if (is_planted("open file"))
        (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int begin(const weft_sim_plan *plan)
{
    static char name[] = "server", *arguments[] = {name, NULL};
    weft_loop *clients;
    int status = weft_sim_program(world, "server", server, arguments);

    if (status == 0)
        status = weft_sim_run(world, WEFT_SECONDS(1));
    clients = weft_sim_host(world, "clients");
    if (!clients)
        return WEFT_ENOMEM;
    frames = plan->messages / plan->connections + 1;
    if (is_planted("restless") && weft_sim_seed(world) % 5 == 0 &&
        weft_timer_init(&restless, weft_loop_scope(clients), go_on) == 0)
        weft_timer_start(&restless, WEFT_SECONDS(1));
    if (is_planted("stuck") && weft_sim_seed(world) % 5 == 0)
        status = weft_spawn(weft_loop_scope(clients), wait_for_ever, NULL);
    if (is_planted("served") && status >= 0)
        status = weft_spawn(weft_loop_scope(clients), wait_for_callers, NULL);
    for (unsigned i = 0; i < plan->connections && status >= 0; i++)
        status = weft_spawn(weft_loop_scope(clients), talk, NULL);
    return status;
}

/* It fails with the last of its faults, and not without. */
static const char *count_faults(weft_sim_check *check)
{
    weft_sim_counts counts;

    (void)check;
    weft_sim_count(world, &counts);
    return counts.faults >= 105000 ? "too many faults" : NULL;
}

static weft_sim_check too_many = {.broken = count_faults};

static int run(weft_sim *sim, const weft_sim_plan *plan)
{
    int status;

    if (is_planted("many faults"))
        weft_sim_add_check(sim, &too_many);

    world = sim;
    misbehave(weft_sim_seed(sim));
    status = begin(plan);
    if (status >= 0)
        status = weft_sim_run(sim, WEFT_MINUTES(5));
    weft_sim_calm(sim);
    weft_sim_signal(sim, "server", SIGTERM);
    return status < 0 ? status : weft_sim_run(sim, WEFT_HOURS(2));
}

static const char *const probes[] = {"planted: a frame in pieces", NULL};

#ifndef PLANTED_NAME
#define PLANTED_NAME weft_scenario
#endif
#ifndef PLANTED_SIZE
#define PLANTED_SIZE sizeof(weft_sim_scenario)
#endif

extern const weft_sim_scenario PLANTED_NAME;
WEFT_API const weft_sim_scenario PLANTED_NAME = {
    .size = PLANTED_SIZE,
    .name = "planted",
    .summary = "clients that send frames",
    .probes = probes,
    .plan = {.size = sizeof(weft_sim_plan), .connections = 8, .messages = 100},
    .run = run,
};
