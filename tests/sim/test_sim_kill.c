/* SPDX-License-Identifier: MIT */
/* Programs that are killed: what their peers see is what the kernel lets them see (weft_sim_kill). */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/listener.h>
#include <weft/log.h>
#include <weft/sim.h>
#include <weft/stream.h>
#include <weft/task.h>
#include <weft/task_stream.h>

#define GREETING "hello"

static char name[] = "program", *arguments[] = {name, NULL};

/* -- a server that greets two, reads nothing, and lets others wait -- */

static weft_loop *left_open; /* by a program that returns after the first greeting */

static void greet(weft_protocol *protocol, weft_stream *stream)
{
    (void)protocol;
    (void)weft_stream_write(stream, weft_bytes_from(GREETING));
    weft_stream_pause(stream);
    if (left_open)
        weft_loop_stop(left_open);
}

static size_t take(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    (void)stream;
    return in.length;
}

static WEFT_PROTOCOL(greeter_ops, "greeter", "it is a test", .connected = greet, .received = take);
static weft_protocol greeter = {&greeter_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &greeter;
}

static const weft_factory_ops factory_ops = {.build = build};
static weft_factory factory = {&factory_ops};

static int tells = -1; /* whom the server tells its address, if anybody */

static int server_main(int argc, char **argv)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 2};
    char url[WEFT_LISTENER_URL];
    weft_listener *listener;
    weft_loop *loop;
    int status;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &loop) < 0 ||
        weft_listen(weft_loop_scope(loop), tells < 0 ? "tcp://0.0.0.0:7" : "tcp://127.0.0.1:0", &factory, &options,
                    &listener, NULL) < 0)
        return 1;
    weft_listener_url(listener, NULL, url);
    if (tells >= 0 && write(tells, url, sizeof url) != (ssize_t)sizeof url)
        return 1;
    status = weft_loop_run(loop);
    weft_loop_free(loop);
    return status < 0;
}

/* -- its peers -- */

struct peer {
    weft_protocol protocol;
    weft_loop *loop;
    weft_stream *stream;
    size_t got;
    bool connected, lost;
    int reason;
};

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct peer *peer = weft_container_of(protocol, struct peer, protocol);

    (void)stream;
    peer->connected = true;
    weft_loop_stop(peer->loop);
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct peer *peer = weft_container_of(protocol, struct peer, protocol);

    (void)stream;
    peer->got += in.length;
    weft_loop_stop(peer->loop);
    return in.length;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct peer *peer = weft_container_of(protocol, struct peer, protocol);

    (void)stream;
    peer->lost = true;
    peer->reason = reason;
    weft_loop_stop(peer->loop);
}

static WEFT_PROTOCOL(peer_ops, "peer", "it is a test", .connected = connected, .received = received, .lost = lost);

/* Where the two are: in a world, or on the kernel. */
struct place {
    weft_sim *sim;
    pid_t server;
    weft_loop *loop;
    char url[WEFT_LISTENER_URL];
    struct peer idle, unread, waiting, late;
};

static void go_on(struct place *place, const bool *until, const size_t *count, size_t wanted)
{
    while (until ? !*until : *count < wanted) {
        if (place->sim)
            assert_int_equal(weft_sim_run(place->sim, WEFT_SECONDS(5)) < 0, 0);
        else
            assert_int_equal(weft_loop_run(place->loop), 0);
    }
}

static void begin(struct place *place, struct peer *peer)
{
    *peer = (struct peer){.protocol = {&peer_ops}, .loop = place->loop};
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(place->loop), place->url, &peer->protocol, NULL, &peer->stream, NULL), 0);
}

/* Of three connections one has nothing under way, of one the server has not read what came, and one is not accepted. */
static void meet(struct place *place)
{
    begin(place, &place->idle);
    go_on(place, NULL, &place->idle.got, sizeof GREETING - 1);
    begin(place, &place->unread);
    go_on(place, NULL, &place->unread.got, sizeof GREETING - 1);
    assert_true(weft_stream_write(place->unread.stream, weft_bytes_from("unread")) >= 0);
    begin(place, &place->waiting);
    go_on(place, &place->waiting.connected, NULL, 0);
}

static void check_aftermath(struct place *place)
{
    go_on(place, &place->idle.lost, NULL, 0);
    go_on(place, &place->unread.lost, NULL, 0);
    go_on(place, &place->waiting.lost, NULL, 0);
    begin(place, &place->late);
    go_on(place, &place->late.lost, NULL, 0);
    assert_int_equal(place->idle.reason, WEFT_ECLOSED);
    assert_int_equal(place->unread.reason, -ECONNRESET);
    assert_int_equal(place->waiting.reason, -ECONNRESET);
    assert_false(place->late.connected);
    assert_int_equal(place->late.reason, -ECONNREFUSED);
}

static void the_kernel_closes_what_a_killed_process_had(void **state)
{
    struct place place = {.sim = NULL};
    int pipes[2], status;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    place.server = fork();
    assert_true(place.server >= 0);
    if (place.server == 0) {
        tells = pipes[1];
        _exit(server_main(1, arguments));
    }
    assert_int_equal(read(pipes[0], place.url, sizeof place.url), sizeof place.url);
    assert_int_equal(weft_loop_new(NULL, &place.loop), 0);
    meet(&place);
    assert_int_equal(kill(place.server, SIGKILL), 0);
    assert_int_equal(waitpid(place.server, &status, 0), place.server);
    check_aftermath(&place);
    weft_loop_free(place.loop);
    close(pipes[0]);
    close(pipes[1]);
}

static void so_does_the_world(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct place place = {.sim = weft_sim_new(seed), .url = "tcp://server:7"};
        weft_faults far = {.size = sizeof far, .latency = {WEFT_MILLISECONDS(1), WEFT_MILLISECONDS(80)}};

        support_set_context("seed %" PRIu64, seed);
        assert_int_equal(weft_sim_faults(place.sim, &far), 0);
        assert_int_equal(weft_sim_program(place.sim, "server", server_main, arguments), 0);
        place.loop = weft_sim_host(place.sim, "client");
        assert_int_equal(weft_sim_run(place.sim, WEFT_SECONDS(1)), 0);
        meet(&place);
        assert_int_equal(weft_sim_run(place.sim, WEFT_SECONDS(1)) < 0, 0); /* (until it has arrived) */
        assert_int_equal(weft_sim_kill(place.sim, "server"), 0);
        assert_int_equal(weft_sim_program_status(place.sim, "server"), -ENOENT);
        check_aftermath(&place);
        weft_sim_free(place.sim);
        support_clear_context();
    }
}

/* What a program leaves open the system closes, too. */
static int careless_main(int argc, char **argv)
{
    weft_listener *listener;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &left_open) < 0 ||
        weft_listen(weft_loop_scope(left_open), "tcp://0.0.0.0:7", &factory, NULL, &listener, NULL) < 0)
        return 1;
    return weft_loop_run(left_open) < 0;
}

static void what_a_program_leaves_open_is_closed_when_it_returns(void **state)
{
    struct place place = {.sim = weft_sim_new(1), .url = "tcp://server:7"};

    (void)state;
    assert_int_equal(weft_sim_program(place.sim, "server", careless_main, arguments), 0);
    place.loop = weft_sim_host(place.sim, "client");
    assert_int_equal(weft_sim_run(place.sim, WEFT_SECONDS(1)), 0);
    begin(&place, &place.idle);
    go_on(&place, &place.idle.lost, NULL, 0);
    assert_int_equal(place.idle.got, sizeof GREETING - 1);
    assert_int_equal(place.idle.reason, WEFT_ECLOSED);
    weft_loop_free(left_open);
    left_open = NULL;
    weft_sim_free(place.sim);
}

/* -- in a hostile world, again and again -- */

static unsigned answered;

static void echo(weft_stream *peer, void *arg)
{
    weft_bytes in;

    (void)arg;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

static int echo_main(int argc, char **argv)
{
    weft_factory *echoes = weft_task_factory_new(echo, NULL);
    weft_listener *listener;
    weft_loop *loop;
    int status;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &loop) < 0 ||
        weft_listen(weft_loop_scope(loop), "tcp://0.0.0.0:7", echoes, NULL, &listener, NULL) < 0)
        return 1;
    status = weft_loop_run(loop);
    weft_loop_free(loop);
    weft_task_factory_free(echoes);
    return status < 0;
}

static void talk(weft_task *me, void *arg)
{
    (void)arg;
    for (unsigned tries = 0; tries < 20; tries++) {
        weft_stream *peer;
        weft_bytes in;

        if (weft_connect(weft_task_scope(me), "tcp://server:7", NULL, &peer) < 0)
            continue;
        for (unsigned i = 0; i < 20; i++) {
            if (weft_write(peer, weft_bytes_from("message")) < 0 || weft_read_exactly(peer, 7, &in) != 7)
                break;
            assert_memory_equal(in.data, "message", 7);
            answered++;
        }
    }
}

static int client_main(int argc, char **argv)
{
    weft_loop *loop;
    int status;

    (void)argc;
    (void)argv;
    if (weft_loop_new(NULL, &loop) < 0 || weft_spawn(weft_loop_scope(loop), talk, NULL) < 0)
        return 1;
    status = weft_loop_run(loop);
    weft_loop_free(loop);
    return status < 0;
}

static uint64_t kill_often(uint64_t seed)
{
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;

    weft_sim_swarm(sim, false);
    for (unsigned i = 0; i < 6; i++) {
        const char *const hosts[] = {"server", "one", "other"};
        const char *host = hosts[weft_sim_draw(sim, 3)];

        for (unsigned one = 0; one < 3; one++)
            if (weft_sim_program_status(sim, hosts[one]) == -ENOENT)
                assert_int_equal(weft_sim_program(sim, hosts[one], one ? client_main : echo_main, arguments), 0);
        assert_true(weft_sim_run(sim, (weft_time)weft_sim_draw(sim, WEFT_SECONDS(3))) >= 0);
        assert_int_equal(weft_sim_draw(sim, 4) ? weft_sim_kill(sim, host) : weft_sim_crash(sim, host), 0);
    }
    weft_sim_calm(sim);
    assert_true(weft_sim_run(sim, WEFT_HOURS(1)) >= 0);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

static void what_is_killed_leaves_nothing_behind(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 150; seed++) {
        support_set_context("seed %" PRIu64, seed);
        assert_true(kill_often(seed) == kill_often(seed));
        support_clear_context();
    }
    assert_true(answered > 0);
    weft_log_set_threshold(WEFT_LOG_INFO);
}

static void only_a_host_that_is_there_can_be_killed(void **state)
{
    weft_sim *sim = weft_sim_new(1);

    (void)state;
    assert_int_equal(weft_sim_kill(sim, "nobody"), -ENOENT);
    weft_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_kernel_closes_what_a_killed_process_had),
        support_test(so_does_the_world),
        support_test(what_a_program_leaves_open_is_closed_when_it_returns),
        support_test(what_is_killed_leaves_nothing_behind),
        support_test(only_a_host_that_is_there_can_be_killed),
    };

    return cmocka_run_group_tests_name("killed programs", tests, NULL, NULL);
}
