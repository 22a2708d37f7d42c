/* SPDX-License-Identifier: MIT */
/*
 * What only poll can do to us: it says again and again whatever is true, failures and hang-ups even unasked. So a turn
 * that nothing can come of must not be had at once for ever.
 */
#include "laws/law.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/watch.h>

#include "backend/poll.h"
#include "loop/loop_internal.h"

#define CROWD 200

static const struct law_kind *poll_kind(void)
{
    const struct law_kind *kind = law_kinds;

    while (strcmp(kind->name, "poll, tcp") != 0)
        kind++;
    return kind;
}

/* How many descriptors poll has something to say of, once what could be done has been. */
static int still_reported(weft_loop *loop)
{
    for (int i = 0; i < 5; i++)
        assert_true(weft_loop_step(loop) >= 0);
    assert_int_equal(loop->backend->ops->wait(loop->backend, 0), 0);
    return readiness_of(loop->backend)->event_count;
}

static const struct law_hooks quiet = {.ended = law_ignore};

static void a_paused_stream_whose_peer_has_ended_is_not_reported_for_ever(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, poll_kind(), 1);
    law_pair(&world, &quiet, &quiet, NULL);
    weft_stream_pause(world.server[0].stream);
    law_end(&world.server[0]);
    law_end(&world.client[0]);
    law_turns(&world, 5);
    assert_int_equal(still_reported(world.loop), 0);
    weft_stream_resume(world.server[0].stream);
    law_until_lost(&world);
    law_world_close(&world);
}

static void bytes_that_a_paused_stream_does_not_take_are_not_reported(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, poll_kind(), 1);
    law_pair(&world, &quiet, &quiet, NULL);
    weft_stream_pause(world.server[0].stream);
    assert_true(law_write_pattern(&world.client[0], 3000000) >= 0);
    law_turns(&world, 5);
    assert_int_equal(still_reported(world.loop), 0);
    weft_stream_resume(world.server[0].stream);
    law_turns(&world, 50);
    assert_true(world.server[0].bytes_in > 0);
    law_world_close(&world);
}

static bool two_accepted(struct law_world *world)
{
    return world->accepted == 2;
}

static void who_waits_at_a_listener_that_does_not_accept_is_not_reported(void **state)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 1};
    static struct law_world world;

    (void)state;
    law_world_open(&world, poll_kind(), 1);
    law_listen(&world, &options, &quiet);
    law_connect(&world, 0, NULL, &quiet);
    law_connect(&world, 1, NULL, &quiet);
    law_turns(&world, 10);
    assert_int_equal(world.accepted, 1);
    law_turns(&world, 5);
    assert_int_equal(still_reported(world.loop), 0);
    law_abort(&world.server[0]);
    law_until(&world, two_accepted);
    law_world_close(&world);
}

/* -- a pipe's writing end whose reader has gone says so unasked, and for ever -- */

static void a_pipe_that_nobody_reads_is_not_reported_while_nothing_is_written(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "poll", .watchdog = WEFT_NEVER};
    struct backend_socket_options none = {0};
    struct backend_stream_events nothing = {0};
    struct backend_stream stream = {.events = &nothing};
    struct backend *backend;
    int in[2], out[2];
    weft_address peer;
    weft_loop *loop;

    (void)state;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    backend = loop->backend;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(backend->ops->adopt_stream(backend, &stream, in[0], out[1], &none, &peer), 0);
    close(out[0]);
    assert_int_equal(still_reported(loop), 0);
    close(in[1]);
    assert_int_equal(still_reported(loop), 0);
    assert_true(stream.transport->close(backend, &stream, false));
    weft_loop_free(loop);
}

/* -- places -- */

struct counted {
    weft_watch watch;
    unsigned told;
};

static void count(weft_watch *watch, unsigned what)
{
    (void)what;
    weft_container_of(watch, struct counted, watch)->told++;
}

static void one_that_its_owner_closed_is_forgotten(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "poll", .watchdog = WEFT_NEVER};
    struct counted counted = {.told = 0};
    weft_loop *loop;
    int ends[2];

    (void)state;
    support_log_expect("was closed while it was watched");
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(weft_watch_start(&counted.watch, weft_loop_scope(loop), ends[0], WEFT_READABLE, count), 0);
    close(ends[0]);
    assert_int_equal(still_reported(loop), 0);
    assert_int_equal(counted.told, 0);
    weft_watch_stop(&counted.watch);
    close(ends[1]);
    weft_loop_free(loop);
}

/* The places that are left are closed up, and each descriptor still finds its own. */
static void gaps_are_closed_and_all_keep_their_place(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "poll", .watchdog = WEFT_NEVER};
    static struct counted crowd[CROWD];
    int ends[2], copies[CROWD];
    weft_loop *loop;

    (void)state;
    memset(crowd, 0, sizeof crowd);
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    for (unsigned i = 0; i < CROWD; i++) {
        copies[i] = dup(ends[0]);
        assert_int_equal(weft_watch_start(&crowd[i].watch, weft_loop_scope(loop), copies[i], WEFT_READABLE, count), 0);
    }
    for (unsigned round = 1; round <= 4; round++) {
        for (unsigned i = round - 1; i < CROWD; i += 5)
            weft_watch_stop(&crowd[i].watch);
        assert_true(weft_loop_step(loop) >= 0);
        assert_int_equal(poll_of(loop->backend)->count, 1 + CROWD - round * CROWD / 5);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        assert_int_equal(crowd[i].told, i % 5);
        weft_watch_stop(&crowd[i].watch);
        close(copies[i]);
    }
    close(ends[0]);
    close(ends[1]);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_paused_stream_whose_peer_has_ended_is_not_reported_for_ever),
        support_test(bytes_that_a_paused_stream_does_not_take_are_not_reported),
        support_test(who_waits_at_a_listener_that_does_not_accept_is_not_reported),
        support_test(a_pipe_that_nobody_reads_is_not_reported_while_nothing_is_written),
        support_test(one_that_its_owner_closed_is_forgotten),
        support_test(gaps_are_closed_and_all_keep_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
