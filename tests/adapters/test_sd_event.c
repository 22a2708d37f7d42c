/* SPDX-License-Identifier: MIT */
#include <weft/adapters/sd_event.h>

#include "adapters/host_test.h"

static sd_event *event;

static weft_sd_host *host(weft_loop *loop)
{
    weft_sd_host *inside = NULL;

    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(weft_sd_host_new(loop, event, NULL, NULL, &inside), 0);
    return inside;
}

static void end(weft_sd_host *inside, weft_loop *loop)
{
    weft_sd_host_free(inside);
    assert_null(sd_event_unref(event));
    weft_loop_free(loop);
}

static void the_simulator_cannot_be_hosted(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_sd_host *inside = NULL;

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    assert_int_equal(weft_sd_host_new(loop, event, NULL, NULL, &inside), -EOPNOTSUPP);
    assert_null(inside);
    end(inside, loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_sd_host *inside = NULL;

    (void)state;
    assert_true(sd_event_new(&event) >= 0);
    support_fail_at(1, false);
    assert_int_equal(weft_sd_host_new(loop, event, NULL, NULL, &inside), WEFT_ENOMEM);
    support_fail_at(0, false);
    end(inside, loop);
}

static void a_loop_is_hosted_once_by_an_event(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_sd_host *inside = host(loop), *again = NULL;

    (void)state;
    assert_int_equal(weft_sd_host_new(loop, event, NULL, NULL, &again), -EEXIST);
    assert_null(again);
    end(inside, loop);
}

static void a_stop_exits(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_sd_host *inside = host(loop);
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, stop_loop);
    assert_int_equal(sd_event_loop(event), 0);
    assert_int_equal(sd_event_get_state(event), SD_EVENT_FINISHED);
    weft_timer_fini(&timer);
    end(inside, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_simulator_cannot_be_hosted),
        support_test(want_of_memory_is_an_error),
        support_test(a_loop_is_hosted_once_by_an_event),
        support_test(a_stop_exits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
