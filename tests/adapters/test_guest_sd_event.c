/* SPDX-License-Identifier: MIT */
#include <weft/adapters/sd_event.h>

#include "adapters/native_sd_event.h"
#include "loop/loop_test.h"

static weft_sd_guest *inside;
static bool is_open;
static int exit_code;

static void exited(int code, void *arg)
{
    assert_ptr_equal(arg, &event);
    exit_code = code;
}

static int guest_open(weft_scope *scope)
{
    int status;

    assert_true(sd_event_new(&event) >= 0);
    status = weft_sd_guest_new(scope, event, exited, &event, &inside);
    is_open = status == 0;
    if (!is_open)
        sd_event_unref(event);
    return status;
}

static void guest_free(void)
{
    if (is_open)
        weft_sd_guest_free(inside);
    is_open = false;
}

static void native_close(void)
{
    guest_free();
    sd_event_unref(event);
}

#include "adapters/guest_test.h"

static void exit_with_seven(weft_timer *timer)
{
    (void)timer;
    assert_true(sd_event_exit(event, 7) >= 0);
}

static void the_loop_ends_when_it_exits(void **state)
{
    weft_timer timer;

    (void)state;
    begin(&timer, exit_with_seven);
    exit_code = 0;
    run(outer);
    assert_int_equal(exit_code, 7);
    finish(&timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TESTS,
        support_test(the_loop_ends_when_it_exits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
