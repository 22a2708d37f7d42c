/* SPDX-License-Identifier: MIT */
#include <weft/adapters/event.h>

#include "adapters/host_test.h"

static struct event_base *base;

static weft_event_host *host(weft_loop *loop)
{
    weft_event_host *inside = NULL;

    base = event_base_new();
    assert_int_equal(weft_event_host_new(loop, base, NULL, NULL, &inside), 0);
    return inside;
}

static void end(weft_event_host *inside, weft_loop *loop)
{
    weft_event_host_free(inside);
    event_base_free(base);
    weft_loop_free(loop);
}

static void the_simulator_cannot_be_hosted(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_event_host *inside = NULL;

    (void)state;
    base = event_base_new();
    assert_int_equal(weft_event_host_new(loop, base, NULL, NULL, &inside), -EOPNOTSUPP);
    assert_null(inside);
    end(inside, loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = NULL;

    (void)state;
    base = event_base_new();
    support_fail_at(1, false);
    assert_int_equal(weft_event_host_new(loop, base, NULL, NULL, &inside), WEFT_ENOMEM);
    support_fail_at(0, false);
    end(inside, loop);
}

static void the_run_ends_when_nothing_is_left(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = host(loop);
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, count_fired);
    assert_int_equal(weft_event_host_run(inside), 0);
    assert_int_equal(fired, 1);
    assert_int_equal(weft_event_host_run(inside), 0);
    weft_timer_fini(&timer);
    end(inside, loop);
}

static void start_other(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    weft_timer_start(arg, MS);
}

static void what_libevent_starts_on_the_loop_is_run(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = host(loop);
    struct timeval soon = {.tv_usec = 1000};
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, count_fired);
    weft_timer_stop(&timer);
    assert_int_equal(event_base_once(base, -1, EV_TIMEOUT, start_other, &timer, &soon), 0);
    assert_int_equal(weft_event_host_run(inside), 0);
    assert_int_equal(fired, 1);
    weft_timer_fini(&timer);
    end(inside, loop);
}

static void a_stop_breaks_the_run(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = host(loop);
    weft_timer timer, other;

    (void)state;
    start_timer(&timer, loop, stop_loop);
    start_timer(&other, loop, count_fired);
    weft_timer_start(&other, WEFT_HOURS(1));
    assert_int_equal(weft_event_host_run(inside), 0);
    assert_int_equal(fired, 0);
    weft_timer_start(&other, 0);
    assert_int_equal(weft_event_host_run(inside), 0);
    assert_int_equal(fired, 1);
    weft_timer_fini(&timer);
    weft_timer_fini(&other);
    end(inside, loop);
}

static void free_host(weft_loop *loop, void *arg)
{
    (void)loop;
    weft_event_host_free(*(weft_event_host **)arg);
    *(weft_event_host **)arg = NULL;
}

static void the_run_ends_when_the_host_is_freed(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = NULL;
    weft_timer timer;

    (void)state;
    base = event_base_new();
    assert_int_equal(weft_event_host_new(loop, base, free_host, &inside, &inside), 0);
    start_timer(&timer, loop, stop_loop);
    assert_int_equal(weft_event_host_run(inside), 0);
    assert_null(inside);
    weft_timer_fini(&timer);
    end(inside, loop);
}

static void dispatch_runs_what_was_touched(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_event_host *inside = host(loop);
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, stop_loop);
    weft_event_host_touch(inside);
    assert_int_equal(event_base_dispatch(base), 0);
    assert_int_equal(event_base_got_break(base), 1);
    weft_timer_fini(&timer);
    end(inside, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_simulator_cannot_be_hosted),
        support_test(want_of_memory_is_an_error),
        support_test(the_run_ends_when_nothing_is_left),
        support_test(what_libevent_starts_on_the_loop_is_run),
        support_test(a_stop_breaks_the_run),
        support_test(the_run_ends_when_the_host_is_freed),
        support_test(dispatch_runs_what_was_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
