/* SPDX-License-Identifier: MIT */
/* A server of tasks when memory is short: a connection that cannot be served ends, and the server goes on. */
#include "net/task_test.h"

/* An echo that makes something of its own, so that it asks for its task's scope. */
static void echo(weft_stream *peer, void *arg)
{
    weft_scope *own = weft_scope_open(weft_task_scope(weft_task_current()), WEFT_NEVER);
    weft_bytes in;

    (void)arg;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
    weft_scope_close(own);
}

/* Says hello, and waits for the answer or the end. */
static int asks(weft_scope *scope)
{
    weft_stream *stream;
    weft_bytes in;
    int status = weft_connect(scope, "mem://echo", NULL, &stream);

    if (status == 0)
        status = weft_write(stream, weft_bytes_from("hello"));
    if (status == 0)
        status = weft_read_exactly(stream, 5, &in);
    return status;
}

struct server {
    weft_factory *factory;
    weft_listener *listener;
    size_t points;
};

static int tries(weft_task *me, void *arg)
{
    struct server *server = arg;
    size_t injected = 1;

    for (size_t k = 1; injected > 0; k++) {
        weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
        weft_time began = weft_loop_now(loop);
        int status;

        support_set_context("allocation %zu fails", k);
        support_fail_at(k, false);
        status = asks(scope);
        injected = support_injected();
        support_fail_at(0, false);
        assert_true(injected > 0 || status == 5);
        assert_true(weft_loop_now(loop) - began < WEFT_SECONDS(10)); /* it ends, nobody has to lose patience */
        assert_int_equal(asks(scope), 5);
        (void)weft_scope_finish(scope);
        weft_sleep(WEFT_SECONDS(10));
        assert_int_equal(weft_listener_connections(server->listener), 0);
        server->points = k;
    }
    support_clear_context();
    weft_listener_stop(server->listener, 0);
    return 0;
}

static void a_failed_allocation_ends_one_connection_and_not_the_server(void **state)
{
    struct server server = {.factory = weft_task_factory_new(echo, NULL)};

    (void)state;
    support_log_expect("a task in the scope \"connections\" failed");
    assert_int_equal(weft_listen(weft_loop_scope(loop), "mem://echo", server.factory, NULL, &server.listener, NULL), 0);
    run_with(tries, &server);
    weft_task_factory_free(server.factory);
    assert_true(server.points > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_allocation_ends_one_connection_and_not_the_server, setup_on_sim,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
