/* SPDX-License-Identifier: MIT */
/* A host need not sleep when its loop's backend has work, and when it is told that it may, nothing is missed. */
#include "laws/law.h"

#include <poll.h>
#include <signal.h>

#include <weft/job.h>
#include <weft/signal.h>
#include <weft/timer.h>

#include "backend/sim.h"
#include "loop/loop_internal.h"
#include "loop/loop_test.h"

/* -- the simulator -- */

static unsigned worked, heard;

static void work(weft_job *job)
{
    (void)job;
    worked++;
}

static void done(weft_job *job, int status)
{
    (void)job;
    assert_int_equal(status, 0);
}

static void simulated_jobs_are_work(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_job job;

    (void)state;
    worked = 0;
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    assert_int_equal(weft_job_start(&job, weft_loop_scope(loop), work, done), 0);
    assert_true(weft_loop_prepare(loop) == 0);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(worked, 1);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    weft_loop_free(loop);
}

static void hear(weft_signal *signal)
{
    (void)signal;
    heard++;
}

static void simulated_signals_are_work_if_somebody_watches(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_signal watch;

    (void)state;
    heard = 0;
    sim_raise(loop->backend, SIGUSR1);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(weft_signal_start(&watch, weft_loop_scope(loop), SIGUSR1, hear), 0);
    sim_raise(loop->backend, SIGUSR1);
    assert_true(weft_loop_prepare(loop) == 0);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_int_equal(heard, 1);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    weft_signal_stop(&watch);
    weft_loop_free(loop);
}

/* -- streams -- */

static const struct law_hooks quiet = {0};

static void bytes_in_memory_are_work(struct law_world *world)
{
    law_pair(world, &quiet, &quiet, NULL);
    while (weft_loop_prepare(world->loop) == 0)
        law_turns(world, 1);
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    assert_true(weft_loop_prepare(world->loop) == 0); /* the flush at the end of a turn */
    law_turns(world, 1);
    for (int turns = 0; world->server[0].bytes_in < 10; turns++) {
        assert_true(turns < 10);
        assert_true(weft_loop_prepare(world->loop) == 0);
        law_turns(world, 1);
    }
}

static void connecting_in_memory_is_work(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
    law_connect(world, 0, NULL, &quiet);
    for (int turns = 0; !world->client[0].connected || !world->server[0].connected; turns++) {
        assert_true(turns < 10);
        assert_true(weft_loop_prepare(world->loop) == 0);
        law_turns(world, 1);
    }
}

static bool half_came(struct law_world *world)
{
    return world->server[0].bytes_in >= 1000000;
}

static size_t count_bytes(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    return in.length;
}

/* A stream that had its share of a turn is looked at again without a wait: epoll would report nothing new. */
static void what_was_put_off_is_work(struct law_world *world)
{
    static const struct law_hooks counting = {.received = count_bytes};
    unsigned put_off = 0, turns = 0;

    law_pair(world, &counting, &quiet, NULL);
    (void)law_write_pattern(&world->client[0], 2000000);
    for (; !half_came(world); turns++) {
        assert_true(turns < 100000);
        if (((struct backend_stream *)world->server[0].stream)->ready_next || weft_loop_prepare(world->loop) == 0)
            put_off++;
        law_turns(world, 1);
    }
    assert_true(put_off > 0);
}

/* One turn of a host that sleeps whenever it is told that it may: for ever, if that were wrong. Where there is no
 * descriptor to wait for it looks every millisecond. */
static void host_turn(struct law_world *world)
{
    struct pollfd ready = {.fd = weft_loop_fd(world->loop), .events = POLLIN};
    weft_time sleep = weft_loop_prepare(world->loop);
    struct timespec most = {.tv_sec = sleep / WEFT_SECONDS(1), .tv_nsec = sleep % WEFT_SECONDS(1)};

    if (ready.fd < 0 && sleep > WEFT_MILLISECONDS(1)) {
        most = (struct timespec){.tv_nsec = WEFT_MILLISECONDS(1)};
        sleep = 0;
    }
    assert_true(ppoll(&ready, 1, sleep == WEFT_NEVER ? NULL : &most, NULL) >= 0);
    law_turns(world, 1);
}

static void a_host_that_sleeps_misses_nothing(struct law_world *world)
{
    law_pair(world, &quiet, &quiet, NULL);
    assert_true(law_write_pattern(&world->client[0], 3000000) >= 0);
    assert_true(law_write_pattern(&world->server[0], 3000000) >= 0);
    while (world->server[0].bytes_in < 3000000 || world->client[0].bytes_in < 3000000)
        host_turn(world);
    law_close(&world->client[0]);
    while (!world->client[0].lost || !world->server[0].lost)
        host_turn(world);
    assert_int_equal(world->server[0].bytes_in, 3000000);
}

static const struct law laws[] = {
    {"bytes in memory are work", bytes_in_memory_are_work, LAW_MEMORY | LAW_SIM},
    {"connecting in memory is work", connecting_in_memory_is_work, LAW_MEMORY | LAW_SIM},
    {"what was put off is work", what_was_put_off_is_work, LAW_REAL | LAW_MEMORY | LAW_SIM},
    {"a host that sleeps misses nothing", a_host_that_sleeps_misses_nothing,
     LAW_REAL | LAW_MEMORY | LAW_WHY_DESCRIPTOR},
};

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(simulated_jobs_are_work),
        support_test(simulated_signals_are_work_if_somebody_watches),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return law_main(laws, sizeof laws / sizeof *laws) + failed;
}
