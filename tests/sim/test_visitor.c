/* SPDX-License-Identifier: MIT */
/* Strangers who come to a program that is alone in its world (backend/sim/visitor.h). */
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/listener.h>
#include <weft/log.h>
#include <weft/signal.h>
#include <weft/stream.h>

#include "backend/sim/visitor.h"
#include "loop/loop_internal.h"

#define VISITORS 40

struct place {
    weft_loop *loop;
    weft_factory factory;
    weft_listener *listener;
    weft_signal signal;
    unsigned connected, lost;
    size_t bytes;
    bool asked_to_end;
};

static struct place place;

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    (void)protocol;
    (void)stream;
    place.connected++;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    place.bytes += in.length;
    (void)weft_stream_write(stream, in);
    return in.length;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    (void)reason;
    place.lost++;
}

static WEFT_PROTOCOL(echo_ops, "echo", "it is a test", .connected = connected, .received = received, .lost = lost);
static weft_protocol echo = {&echo_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &echo;
}

static const weft_factory_ops factory_ops = {.build = build};

static void on_signal(weft_signal *signal)
{
    (void)signal;
    place.asked_to_end = true;
    weft_listener_stop(place.listener, WEFT_SECONDS(1));
    weft_signal_stop(signal);
}

static unsigned messages = 400;

static uint64_t run(uint64_t seed, bool hostile, const char *url, const char *text)
{
    char backend[32];
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    struct sim_world *world;
    uint64_t hash;

    memset(&place, 0, sizeof place);
    snprintf(backend, sizeof backend, "sim:%llu", (unsigned long long)seed);
    assert_int_equal(weft_loop_new(&options, &place.loop), 0);
    world = sim_backend_of(place.loop->backend)->world;
    if (hostile)
        sim_faults_draw(&world->faults, &world->schedule, false);
    assert_int_equal(sim_visitors_invite(sim_backend_of(place.loop->backend)->host, VISITORS, messages, text), 0);
    place.factory.ops = &factory_ops;
    assert_int_equal(weft_signal_start(&place.signal, weft_loop_scope(place.loop), SIGTERM, on_signal), 0);
    assert_int_equal(weft_listen(weft_loop_scope(place.loop), url, &place.factory, NULL, &place.listener, NULL), 0);
    assert_int_equal(weft_loop_run(place.loop), 0);
    assert_true(place.asked_to_end);
    assert_int_equal(place.connected, place.lost);
    hash = world->hash;
    weft_loop_free(place.loop);
    return hash;
}

static void all_come_and_go_and_then_the_program_is_told_to_end(void **state)
{
    static const char *const urls[] = {"tcp://127.0.0.1:7", "tcp://0.0.0.0:7", "tcp://[::]:7", "mem://here",
                                       "unix://@here"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        support_set_context("%s", urls[i]);
        run(3, false, urls[i], NULL);
        assert_int_equal(place.connected, VISITORS);
        assert_true(place.bytes > 0);
        support_clear_context();
    }
}

static void they_say_what_they_are_told_to(void **state)
{
    (void)state;
    run(3, false, "tcp://127.0.0.1:7", "12345678901234567890");
    assert_true(place.bytes > 0 && place.bytes % 20 == 0);
}

static void the_first_speak_if_there_is_little_to_say(void **state)
{
    (void)state;
    messages = VISITORS / 2;
    run(3, false, "tcp://127.0.0.1:7", "12345678901234567890");
    messages = 400;
    assert_true(place.bytes > 0);
}

static void hostile_worlds_end_as_well_and_repeat(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        support_set_context("seed %llu", (unsigned long long)seed);
        assert_int_equal(run(seed, true, "tcp://127.0.0.1:7", NULL), run(seed, true, "tcp://127.0.0.1:7", NULL));
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(all_come_and_go_and_then_the_program_is_told_to_end),
        support_test(they_say_what_they_are_told_to),
        support_test(the_first_speak_if_there_is_little_to_say),
        support_test(hostile_worlds_end_as_well_and_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
