/* SPDX-License-Identifier: MIT */
#include <weft/adapters/uv.h>

#include "adapters/native_uv.h"
#include "loop/loop_test.h"

static weft_uv_guest *inside;
static bool is_open;

static int guest_open(weft_scope *scope)
{
    int status;

    if (uv_loop_init(&uv) < 0)
        abort();
    status = weft_uv_guest_new(scope, &uv, &inside);
    is_open = status == 0;
    if (!is_open)
        (void)uv_loop_close(&uv);
    return status;
}

static void guest_free(void)
{
    if (is_open)
        weft_uv_guest_free(inside);
    is_open = false;
}

static void native_close(void)
{
    guest_free();
    uv_walk(&uv, native_end, NULL);
    assert_int_equal(uv_run(&uv, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&uv), 0);
}

#include "adapters/guest_test.h"

static void count_call(void)
{
    native_calls++;
}

static void the_loop_ends_when_libuv_is_not_alive(void **state)
{
    weft_timer timer;

    (void)state;
    begin(&timer, nothing);
    weft_timer_stop(&timer);
    native_timer(2, count_call);
    run(outer);
    assert_int_equal(native_calls, 1);
    run(outer);
    finish(&timer);
}

/* Ours in libuv, in ours: three descriptors deep. */
static void a_host_may_be_a_guest(void **state)
{
    weft_loop *inner = loop_on("epoll");
    weft_uv_host *host = NULL;
    weft_timer timer, deep;

    (void)state;
    begin(&timer, nothing);
    weft_timer_start(&timer, WEFT_HOURS(1));
    assert_int_equal(weft_uv_host_new(inner, &uv, NULL, NULL, &host), 0);
    assert_int_equal(pipe(ends), 0);
    start_timer(&deep, inner, write_byte);
    native_watch(ends[0], stop_outer);
    run(outer);
    assert_true(native_calls >= 1);
    weft_timer_fini(&deep);
    weft_uv_host_free(host);
    guest_free();
    assert_int_equal(uv_run(&uv, UV_RUN_NOWAIT) >= 0, 1);
    weft_loop_free(inner);
    finish(&timer);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TESTS,
        support_test(the_loop_ends_when_libuv_is_not_alive),
        support_test(a_host_may_be_a_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
