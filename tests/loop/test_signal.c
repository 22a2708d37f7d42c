/* SPDX-License-Identifier: MIT */
#include <weft/signal.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "backend/sim.h"
#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define STORM 10000

struct watch {
    weft_signal signal;
    unsigned raised;
    struct watch *other;
    weft_loop *loop;
    bool stops_itself, stops_loop;
};

static void count(weft_signal *signal)
{
    struct watch *watch = weft_container_of(signal, struct watch, signal);

    watch->raised++;
    if (watch->other)
        weft_signal_stop(&watch->other->signal);
    if (watch->stops_itself)
        weft_signal_stop(signal);
    if (watch->stops_loop)
        weft_loop_stop(watch->loop);
}

static int start(struct watch *watch, weft_loop *loop, int number)
{
    watch->loop = loop;
    return weft_signal_start(&watch->signal, weft_loop_scope(loop), number, count);
}

static bool is_blocked(int number)
{
    sigset_t now;

    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    return sigismember(&now, number);
}

static void signal_is_delivered_from_the_loop(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct watch watch = {.stops_itself = true};

    (void)state;
    assert_int_equal(start(&watch, loop, SIGUSR1), 0);
    kill(getpid(), SIGUSR1);
    assert_int_equal(watch.raised, 0);
    run(loop);
    assert_int_equal(watch.raised, 1);
    assert_false(is_blocked(SIGUSR1));
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_signal_stop(&watch.signal);
    weft_loop_free(loop);
}

static void all_watches_on_a_number_are_called_in_order(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct watch first = {.stops_itself = true}, second = first, other = first;

    (void)state;
    assert_int_equal(start(&first, loop, SIGUSR1), 0);
    assert_int_equal(start(&other, loop, SIGUSR2), 0);
    assert_int_equal(start(&second, loop, SIGUSR1), 0);
    kill(getpid(), SIGUSR1);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_int_equal(first.raised + second.raised, 2);
    assert_int_equal(other.raised, 0);
    assert_false(is_blocked(SIGUSR1));
    assert_true(is_blocked(SIGUSR2));
    weft_loop_free(loop);
    assert_false(is_blocked(SIGUSR2));
}

/* The first stops itself, and the second goes on watching: the number must stay blocked. */
static void watch_that_stops_in_its_callback_leaves_the_others(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct watch first = {.stops_itself = true}, second = {.stops_loop = true};

    (void)state;
    assert_int_equal(start(&first, loop, SIGUSR1), 0);
    assert_int_equal(start(&second, loop, SIGUSR1), 0);
    kill(getpid(), SIGUSR1);
    run(loop);
    assert_true(is_blocked(SIGUSR1));
    kill(getpid(), SIGUSR1);
    run(loop);
    assert_int_equal(first.raised, 1);
    assert_int_equal(second.raised, 2);
    weft_loop_free(loop);
}

static void watch_stopped_by_another_is_not_called(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct watch first = {.stops_itself = true}, second = {.stops_itself = true};

    (void)state;
    first.other = &second;
    assert_int_equal(start(&first, loop, SIGUSR1), 0);
    assert_int_equal(start(&second, loop, SIGUSR1), 0);
    kill(getpid(), SIGUSR1);
    run(loop);
    assert_int_equal(first.raised, 1);
    assert_int_equal(second.raised, 0);
    assert_false(is_blocked(SIGUSR1));
    weft_loop_free(loop);
}

static void number_that_cannot_be_watched_is_refused(void **state)
{
    static const int bad[] = {0, -1, 65, 1000, SIGKILL, SIGSTOP, INT32_MAX, INT32_MIN};
    weft_loop *loops[] = {loop_on(support_engine()), loop_on_sim()};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
            struct watch watch = {.raised = 0};
            assert_int_equal(start(&watch, loops[i], bad[j]), -EINVAL);
            weft_signal_stop(&watch.signal);
        }
        assert_int_equal(weft_scope_count(weft_loop_scope(loops[i])), 0);
        run(loops[i]);
        weft_loop_free(loops[i]);
    }
}

static void watch_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct watch watch = {.raised = 0};

    (void)state;
    assert_int_equal(weft_signal_start(&watch.signal, NULL, SIGUSR1, count), WEFT_ENOMEM);
    weft_signal_stop(&watch.signal);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(weft_signal_start(&watch.signal, scope, SIGUSR1, count), WEFT_ETIMEDOUT);
    weft_signal_stop(&watch.signal);
    assert_false(is_blocked(SIGUSR1));
    weft_loop_free(loop);
}

static void closing_the_scope_stops_watching(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct watch watch = {.raised = 0};

    (void)state;
    assert_int_equal(weft_signal_start(&watch.signal, scope, SIGUSR1, count), 0);
    assert_true(is_blocked(SIGUSR1));
    weft_scope_close(scope);
    assert_false(is_blocked(SIGUSR1));
    run(loop);
    weft_loop_free(loop);
}

static void el_17_signal_storm_is_merged_and_starves_nobody(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    struct watch watch = {.raised = 0};

    (void)state;
    assert_int_equal(start(&watch, loop, SIGUSR1), 0);
    for (int i = 0; i < STORM; i++) {
        kill(getpid(), SIGUSR1);
        if (i % 100 == 0)
            assert_int_equal(weft_loop_step(loop), 1);
    }
    assert_int_equal(weft_loop_step(loop), 1);
    assert_in_range(watch.raised, STORM / 100, STORM / 100 + 1);
    assert_int_equal(weft_loop_step(loop), 1);
    assert_in_range(watch.raised, STORM / 100, STORM / 100 + 1);
    weft_loop_free(loop);
}

static void simulated_signal_is_delivered_to_who_watches_it(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct watch first = {.stops_itself = true}, second = {.stops_itself = true};

    (void)state;
    assert_int_equal(start(&first, loop, SIGTERM), 0);
    assert_int_equal(start(&second, loop, SIGTERM), 0);
    sim_raise(loop->backend, SIGINT);
    sim_raise(loop->backend, SIGTERM);
    run(loop);
    assert_int_equal(first.raised, 1);
    assert_int_equal(second.raised, 1);
    sim_raise(loop->backend, SIGTERM);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_int_equal(first.raised, 1);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(signal_is_delivered_from_the_loop),
        support_test(all_watches_on_a_number_are_called_in_order),
        support_test(watch_that_stops_in_its_callback_leaves_the_others),
        support_test(watch_stopped_by_another_is_not_called),
        support_test(number_that_cannot_be_watched_is_refused),
        support_test(watch_needs_a_scope_that_is_not_cancelled),
        support_test(closing_the_scope_stops_watching),
        support_test(el_17_signal_storm_is_merged_and_starves_nobody),
        support_test(simulated_signal_is_delivered_to_who_watches_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
