/* SPDX-License-Identifier: MIT */
/* A loop and its host share a thread: neither waits for the other, and nothing of either is missed. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/timer.h>

#include "laws/law.h"

#define MS WEFT_MILLISECONDS(1)

static const struct law_host *host;
static struct law_world *world; /* of the law that runs, for what has no argument */
static unsigned native_calls, native_timers, stops;

static void count_stop(weft_loop *loop, void *arg)
{
    assert_ptr_equal(loop, world->loop);
    assert_ptr_equal(arg, world);
    stops++;
}

static void open_host(struct law_world *of)
{
    world = of;
    host = of->kind->host;
    native_calls = native_timers = stops = 0;
    host->open(of->loop, count_stop, of);
}

/* Turns of the host, which may sleep, until @p done; it is no question of time how many that takes at most. */
static unsigned turns_until(bool (*done)(void), unsigned most)
{
    unsigned turns = 0;

    while (!done()) {
        assert_true(turns++ < most);
        host->turn(true);
    }
    return turns;
}

static const struct law_hooks quiet = {0};

/* -- neither starves -- */

static size_t throw_back(struct law_peer *peer, weft_bytes in)
{
    (void)LAW_CALL(peer->world, weft_stream_write(peer->stream, in));
    peer->bytes_in += in.length;
    return in.length;
}

static void count_call(void)
{
    native_calls++;
}

static void count_timer(void)
{
    native_timers++;
    host->timer(1, count_timer);
}

static bool everything_had_its_turn(void)
{
    return world->client[0].received >= 500 && native_calls >= 500 && native_timers >= 20;
}

/* Two of these always have something to do, and a turn of the host has room for one (sd-event) or for all. */
static void neither_starves_the_other(struct law_world *of)
{
    static const struct law_hooks echo = {.received = throw_back};
    int ends[2];
    unsigned turns, first;

    law_pair(of, &echo, &echo, NULL);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(weft_stream_write(of->client[0].stream, weft_bytes_from("ball")) >= 0);
    first = of->client[0].received;
    open_host(of);
    host->watch(ends[0], count_call);
    host->timer(1, count_timer);
    turns = turns_until(everything_had_its_turn, 1000000);
    host->close();
    assert_true(native_calls >= turns / 4);
    assert_true(of->client[0].received - first >= turns / 16); /* a ball takes four turns of the loop in memory */
    close(ends[0]);
    close(ends[1]);
}

/* -- what a callback of the host does with the loop is done before the host sleeps -- */

static bool server_has_three(void)
{
    return world->server[0].bytes_in >= 3;
}

static void write_three(void)
{
    assert_int_equal(law_write_pattern(&world->client[0], 3), 0);
}

static void a_write_goes_out_before_the_host_sleeps(struct law_world *of)
{
    law_pair(of, &quiet, &quiet, NULL);
    open_host(of);
    host->timer(1, write_three);
    assert_true(turns_until(server_has_three, 40) > 0);
    host->close();
}

static weft_timer timer;
static unsigned fired;

static void count_fired(weft_timer *of)
{
    (void)of;
    fired++;
}

static bool has_fired(void)
{
    return fired > 0;
}

static void start_timer(void)
{
    weft_timer_start(&timer, 3 * MS);
}

static void a_timer_that_it_starts_is_heeded(struct law_world *of)
{
    fired = 0;
    assert_int_equal(weft_timer_init(&timer, of->scope, count_fired), 0);
    weft_timer_start(&timer, WEFT_HOURS(1));
    open_host(of);
    host->timer(1, start_timer);
    (void)turns_until(has_fired, 40);
    host->close();
    weft_timer_fini(&timer);
}

static bool both_are_lost(void)
{
    return world->client[0].lost && world->server[0].lost;
}

static void close_scope(void)
{
    weft_scope_close(world->scope);
}

static void a_cancellation_reaches_everything(struct law_world *of)
{
    law_pair(of, &quiet, &quiet, NULL);
    of->listener = NULL; /* `stopped` comes, too */
    open_host(of);
    host->timer(1, close_scope);
    (void)turns_until(both_are_lost, 40);
    host->close();
    assert_int_equal(of->client[0].reason, WEFT_ECANCELED);
}

static void stop_loop(void)
{
    weft_loop_stop(world->loop);
}

static void stop_from_timer(weft_timer *of)
{
    (void)of;
    stop_loop();
}

static bool was_stopped(void)
{
    return stops > 0;
}

static void a_stop_is_told_once_and_the_loop_goes_on(struct law_world *of)
{
    open_host(of);
    host->timer(1, stop_loop);
    (void)turns_until(was_stopped, 40);
    stops = fired = 0;
    assert_int_equal(weft_timer_init(&timer, of->scope, stop_from_timer), 0);
    weft_timer_start(&timer, MS);
    (void)turns_until(was_stopped, 40);
    weft_timer_fini(&timer);
    assert_int_equal(weft_timer_init(&timer, of->scope, count_fired), 0);
    weft_timer_start(&timer, MS);
    (void)turns_until(has_fired, 40);
    assert_int_equal(stops, 1);
    weft_timer_fini(&timer);
    host->close();
}

static void post_runs(weft_post *post)
{
    (void)post;
    fired++;
}

static void *post_from_afar(void *arg)
{
    static weft_post post = {.run = post_runs};

    weft_loop_post(arg, &post);
    return NULL;
}

static void a_post_wakes_the_host(struct law_world *of)
{
    pthread_t thread;

    fired = 0;
    open_host(of);
    assert_int_equal(weft_timer_init(&timer, of->scope, count_fired), 0);
    weft_timer_start(&timer, WEFT_HOURS(1)); /* some hosts do not sleep for nothing */
    assert_int_equal(pthread_create(&thread, NULL, post_from_afar, of->loop), 0);
    (void)turns_until(has_fired, 40);
    assert_int_equal(pthread_join(thread, NULL), 0);
    weft_timer_fini(&timer);
    host->close();
}

/* -- many timers -- */

#define TIMERS 5000

struct timed {
    weft_timer timer;
    weft_time due;
};

static weft_time last_due;

static void check_order(weft_timer *of)
{
    struct timed *timed = weft_container_of(of, struct timed, timer);

    assert_true(weft_loop_now(world->loop) >= timed->due);
    assert_true(timed->due >= last_due - MS);
    last_due = timed->due;
    fired++;
}

static bool all_have_fired(void)
{
    return fired == TIMERS;
}

/* Two hundred turns are more than the milliseconds that there are: whoever wakes for nothing needs more. */
static void thousands_of_timers_fire_in_order_and_wake_the_host_once_each(struct law_world *of)
{
    struct timed *timed = calloc(TIMERS, sizeof *timed);

    if (!timed)
        abort();
    fired = 0;
    last_due = 0;
    open_host(of);
    for (int i = 0; i < TIMERS; i++) {
        weft_time delay = (weft_time)(i * 7919 % TIMERS) * MS / 100;
        assert_int_equal(weft_timer_init(&timed[i].timer, of->scope, check_order), 0);
        timed[i].due = weft_loop_now(of->loop) + delay;
        weft_timer_start(&timed[i].timer, delay);
    }
    (void)turns_until(all_have_fired, 200);
    host->close();
    for (int i = 0; i < TIMERS; i++)
        weft_timer_fini(&timed[i].timer);
    free(timed);
}

/* -- the end of hosting -- */

static void detach(weft_timer *of)
{
    (void)of;
    fired++;
    host->detach();
}

static bool native_timer_has_fired(void)
{
    return native_timers > 0;
}

static void count_once(void)
{
    native_timers++;
}

static void hosting_ends_in_a_callback_of_the_loop(struct law_world *of)
{
    weft_timer other;

    fired = 0;
    open_host(of);
    assert_int_equal(weft_timer_init(&timer, of->scope, detach), 0);
    assert_int_equal(weft_timer_init(&other, of->scope, count_fired), 0);
    weft_timer_start(&timer, MS);
    (void)turns_until(has_fired, 40);
    weft_timer_start(&other, MS);
    host->timer(10, count_once);
    (void)turns_until(native_timer_has_fired, 40);
    assert_int_equal(fired, 1);
    assert_int_equal(weft_loop_run(of->loop), 0); /* it runs by itself again */
    assert_int_equal(fired, 2);
    host->close();
    weft_timer_fini(&timer);
    weft_timer_fini(&other);
}

static const struct law laws[] = {
    {"neither starves the other", neither_starves_the_other, LAW_REAL | LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"a write goes out before the host sleeps", a_write_goes_out_before_the_host_sleeps,
     LAW_REAL | LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"a timer that it starts is heeded", a_timer_that_it_starts_is_heeded, LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"a cancellation reaches everything", a_cancellation_reaches_everything,
     LAW_REAL | LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"a stop is told once and the loop goes on", a_stop_is_told_once_and_the_loop_goes_on,
     LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"a post wakes the host", a_post_wakes_the_host, LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"thousands of timers fire in order and wake the host once each",
     thousands_of_timers_fire_in_order_and_wake_the_host_once_each, LAW_MEMORY | LAW_WHY_DESCRIPTOR},
    {"hosting ends in a callback of the loop", hosting_ends_in_a_callback_of_the_loop, LAW_MEMORY | LAW_WHY_DESCRIPTOR},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
