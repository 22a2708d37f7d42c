/* SPDX-License-Identifier: MIT */
#include <weft/adapters/uv.h>

#include "adapters/host_test.h"

static uv_loop_t uv;

static weft_uv_host *host(weft_loop *loop)
{
    weft_uv_host *inside = NULL;

    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(weft_uv_host_new(loop, &uv, NULL, NULL, &inside), 0);
    return inside;
}

static void end(weft_uv_host *inside, weft_loop *loop)
{
    weft_uv_host_free(inside);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
    weft_loop_free(loop);
}

static void the_simulator_cannot_be_hosted(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_uv_host *inside = NULL;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    assert_int_equal(weft_uv_host_new(loop, &uv, NULL, NULL, &inside), -EOPNOTSUPP);
    assert_null(inside);
    end(NULL, loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_uv_host *inside = NULL;

    (void)state;
    assert_int_equal(uv_loop_init(&uv), 0);
    support_fail_at(1, false);
    assert_int_equal(weft_uv_host_new(loop, &uv, NULL, NULL, &inside), WEFT_ENOMEM);
    support_fail_at(0, false);
    end(inside, loop);
}

static void a_loop_is_hosted_once(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_uv_host *inside = host(loop), *again = NULL;

    (void)state;
    assert_int_equal(weft_uv_host_new(loop, &uv, NULL, NULL, &again), -EEXIST);
    assert_null(again);
    end(inside, loop);
}

static void uv_run_returns_when_nothing_is_left(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_uv_host *inside = host(loop);
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, count_fired);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(fired, 1);
    weft_timer_start(&timer, MS);
    weft_uv_host_touch(inside);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(fired, 2);
    weft_timer_fini(&timer);
    end(inside, loop);
}

static void a_stop_makes_uv_run_return(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_uv_host *inside = host(loop);
    weft_timer timer, other;

    (void)state;
    start_timer(&timer, loop, stop_loop);
    start_timer(&other, loop, count_fired);
    weft_timer_start(&other, WEFT_HOURS(1));
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 1);
    assert_false(weft_loop_stopped(loop));
    weft_timer_start(&other, 0);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(fired, 1);
    weft_timer_fini(&timer);
    weft_timer_fini(&other);
    end(inside, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_simulator_cannot_be_hosted), support_test(want_of_memory_is_an_error),
        support_test(a_loop_is_hosted_once),          support_test(uv_run_returns_when_nothing_is_left),
        support_test(a_stop_makes_uv_run_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
