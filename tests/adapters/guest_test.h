/* SPDX-License-Identifier: MIT */
/*
 * What holds for every guest. A test of one includes this after it has defined
 *
 *   guest_open(scope), guest_free()            both loops
 *   native_timer(milliseconds, told)           fires once
 *   native_watch(fd, told)                     is told as long as the descriptor can be read
 *   native_close()                             what these two have made
 */
#ifndef ADAPTERS_GUEST_TEST_H
#define ADAPTERS_GUEST_TEST_H

#include <unistd.h>

#include "adapters/host_test.h"
#include "base/realtime.h"

static weft_loop *outer;
static unsigned native_calls;

static void stop_outer(void)
{
    native_calls++;
    weft_loop_stop(outer);
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void begin(weft_timer *timer, void (*told)(weft_timer *timer))
{
    outer = loop_on("epoll");
    native_calls = 0;
    assert_int_equal(guest_open(weft_loop_scope(outer)), 0);
    start_timer(timer, outer, told);
}

static void finish(weft_timer *timer)
{
    weft_timer_fini(timer);
    native_close();
    guest_free();
    weft_loop_free(outer);
}

static void its_timer_wakes_the_loop(void **state)
{
    weft_timer timer;

    (void)state;
    begin(&timer, nothing);
    weft_timer_start(&timer, WEFT_HOURS(1));
    native_timer(3, stop_outer);
    run(outer);
    assert_int_equal(native_calls, 1);
    finish(&timer);
}

static int ends[2];

static inline void put_byte(void)
{
    realtime_look_away();
    assert_int_equal(write(ends[1], "x", 1), 1);
    realtime_look_again();
}

static void write_byte(weft_timer *timer)
{
    (void)timer;
    put_byte();
}

static void its_descriptor_wakes_the_loop(void **state)
{
    weft_timer timer;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    begin(&timer, write_byte);
    native_watch(ends[0], stop_outer);
    run(outer);
    assert_true(native_calls >= 1);
    finish(&timer);
    close(ends[0]);
    close(ends[1]);
}

static void start_native(weft_timer *timer)
{
    weft_timer_start(timer, WEFT_HOURS(1));
    native_timer(1, stop_outer);
}

static void what_the_loop_starts_on_it_is_heeded(void **state)
{
    weft_timer timer;

    (void)state;
    begin(&timer, start_native);
    run(outer);
    assert_int_equal(native_calls, 1);
    finish(&timer);
}

static unsigned posted;

static void post_again(weft_post *post)
{
    posted++;
    weft_loop_post(outer, post);
}

static void count_native(void)
{
    if (++native_calls == 300 || posted > 100000)
        weft_loop_stop(outer);
}

static void end_posts(weft_post *post)
{
    (void)post;
}

static void neither_starves_the_other(void **state)
{
    static weft_post post;
    weft_timer timer;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    put_byte();
    begin(&timer, nothing);
    posted = 0;
    post.run = post_again;
    weft_loop_post(outer, &post);
    native_watch(ends[0], count_native);
    run(outer);
    assert_int_equal(native_calls, 300);
    assert_true(posted >= 300 / 2);
    assert_true(posted <= 300 * 4); /* sd-event's descriptor may be seen in one turn and dispatched in the next */
    post.run = end_posts;
    finish(&timer);
    close(ends[0]);
    close(ends[1]);
}

static void free_and_stop(void)
{
    stop_outer();
    guest_free();
}

static void it_may_be_freed_in_its_own_callback(void **state)
{
    weft_timer timer;

    (void)state;
    begin(&timer, nothing);
    weft_timer_start(&timer, WEFT_HOURS(1));
    native_timer(1, free_and_stop);
    run(outer);
    assert_int_equal(native_calls, 1);
    finish(&timer);
}

static void it_stands_still_when_its_scope_ends(void **state)
{
    weft_scope *scope;
    weft_timer timer;

    (void)state;
    fired = native_calls = 0;
    outer = loop_on("epoll");
    scope = weft_scope_open(weft_loop_scope(outer), WEFT_NEVER);
    assert_int_equal(guest_open(scope), 0);
    native_timer(1, stop_outer);
    weft_scope_close(scope);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(outer), count_fired), 0);
    weft_timer_start(&timer, 5 * MS);
    run(outer);
    assert_int_equal(fired, 1);
    assert_int_equal(native_calls, 0);
    finish(&timer);
}

static void want_of_memory_makes_no_guest(void **state)
{
    (void)state;
    outer = loop_on("epoll");
    for (size_t k = 1; k <= 2; k++) {
        support_fail_at(k, false);
        assert_int_equal(guest_open(weft_loop_scope(outer)), WEFT_ENOMEM);
        assert_int_equal(support_injected(), 1);
        support_fail_at(0, false);
    }
    weft_loop_free(outer);
}

#define GUEST_TESTS                                                                                           \
    support_test(its_timer_wakes_the_loop), support_test(its_descriptor_wakes_the_loop),                      \
        support_test(what_the_loop_starts_on_it_is_heeded), support_test(neither_starves_the_other),          \
        support_test(it_may_be_freed_in_its_own_callback), support_test(it_stands_still_when_its_scope_ends), \
        support_test(want_of_memory_makes_no_guest)

#endif
