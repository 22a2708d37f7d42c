/* SPDX-License-Identifier: MIT */
/* The HTTP client as tasks use it. */
#include "families/http/origin.h"

#include <weft/task.h>

static struct origin_world world;
static bool went_on;

static void get_and_wait(weft_task *me, void *arg)
{
    weft_scope *both = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_http_call call = {.size = sizeof call, .client = world.client, .url = arg};
    weft_http_response *response;

    assert_int_equal(weft_await(weft_http_fetch(both, &call), &response), 0);
    assert_int_equal(weft_scope_wait(both), 0); /* the response lasts, but runs nothing */
    assert_int_equal(response->status, 200);
    weft_scope_close(both);
    went_on = true;
}

static void a_response_that_is_there_does_not_keep_its_scope_waiting(void **state)
{
    (void)state;
    went_on = false;
    origin_open(&world, NULL, NULL, 1);
    origin_will_say(&world.origins[0], "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(weft_spawn(weft_loop_scope(world.loop), get_and_wait, world.origins[0].url), 0);
    origin_pass(&world, WEFT_SECONDS(5));
    assert_true(went_on);
    origin_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_response_that_is_there_does_not_keep_its_scope_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
