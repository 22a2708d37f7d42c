/* SPDX-License-Identifier: MIT */
/* Tasks that wait for datagrams (weft/task_datagram.h), on the system and in a simulated world. */
#include "net/task_test.h"

#include <errno.h>

#include <weft/task_datagram.h>

#define MS WEFT_MILLISECONDS(1)

/* An inbox at a place of its own, and one that is connected to it. */
static void open_pair(weft_scope *scope, weft_inbox **server, weft_inbox **client)
{
    char url[WEFT_LISTENER_URL];

    assert_int_equal(weft_inbox_open(scope, "udp://127.0.0.1:0", NULL, server, NULL), 0);
    weft_datagram_url(weft_inbox_socket(*server), url);
    assert_int_equal(weft_inbox_open_to(scope, url, NULL, client, NULL), 0);
}

static void send_text(weft_inbox *inbox, const char *text)
{
    weft_datagram one = {.bytes = weft_bytes_from(text)};

    assert_int_equal(weft_send(inbox, &one, 1), 0);
}

static void receive_text(weft_inbox *inbox, weft_datagram *ret, const char *text)
{
    assert_int_equal(weft_receive(inbox, ret), 1);
    assert_int_equal(ret->bytes.length, strlen(text));
    assert_memory_equal(ret->bytes.data, text, strlen(text));
}

static int asks_and_answers(weft_task *me, void *arg)
{
    weft_inbox *server, *client;
    weft_datagram in;

    (void)arg;
    open_pair(weft_task_scope(me), &server, &client);
    for (int i = 0; i < 10; i++) {
        send_text(client, "question");
        receive_text(server, &in, "question");
        assert_int_equal(weft_datagram_reply(weft_inbox_socket(server), &in, weft_bytes_from("answer")), 0);
        receive_text(client, &in, "answer");
    }
    return 0;
}

static void a_question_and_its_answer(void **state)
{
    (void)state;
    run(asks_and_answers);
}

/* What comes later does not move what the task still has. */
static int keeps_one(weft_task *me, void *arg)
{
    weft_inbox *server, *client;
    weft_datagram kept, more;

    (void)arg;
    open_pair(weft_task_scope(me), &server, &client);
    send_text(client, "kept");
    receive_text(server, &kept, "kept");
    for (int i = 0; i < 200; i++)
        send_text(client, "and more of them, so that memory has to grow");
    assert_int_equal(weft_sleep(50 * MS), 0);
    assert_memory_equal(kept.bytes.data, "kept", 4);
    for (int i = 0; i < 200; i++)
        receive_text(server, &more, "and more of them, so that memory has to grow");
    return 0;
}

static void what_was_received_stays_until_the_next(void **state)
{
    (void)state;
    run(keeps_one);
}

/* More than an inbox keeps: the system keeps the rest, as far as it can, until the task reads on. */
static int reads_late(weft_task *me, void *arg)
{
    weft_inbox *server, *client;
    weft_datagram in;
    unsigned number;

    (void)arg;
    open_pair(weft_task_scope(me), &server, &client);
    for (unsigned i = 0; i < 400; i++) {
        weft_datagram one = {.bytes = weft_bytes_of(&i, sizeof i)};
        assert_int_equal(weft_send(client, &one, 1), 0);
        if (i % 50 == 0)
            assert_int_equal(weft_sleep(MS), 0);
    }
    for (unsigned i = 0; i < 400; i++) {
        assert_int_equal(weft_receive(server, &in), 1);
        memcpy(&number, in.bytes.data, sizeof number);
        assert_int_equal(number, i);
    }
    return 0;
}

static void a_full_inbox_leaves_the_rest_to_the_system(void **state)
{
    (void)state;
    run(reads_late);
}

static int is_refused(weft_task *me, void *arg)
{
    weft_inbox *server, *client;
    weft_datagram in;

    (void)arg;
    open_pair(weft_task_scope(me), &server, &client);
    weft_datagram_close(weft_inbox_socket(server));
    assert_int_equal(weft_receive(server, &in), WEFT_ECLOSED);
    assert_null(weft_inbox_socket(server));
    assert_int_equal(weft_receive(server, &in), WEFT_ECLOSED);
    assert_int_equal(weft_send(server, &in, 1), WEFT_ECLOSED);
    send_text(client, "anybody?");
    assert_int_equal(weft_receive(client, &in), -ECONNREFUSED);
    send_text(client, "still nobody?");
    assert_int_equal(weft_receive(client, &in), -ECONNREFUSED);
    return 0;
}

static void a_refusal_and_an_end_are_told(void **state)
{
    (void)state;
    run(is_refused);
}

static int waits_for_ever(weft_task *me, void *arg)
{
    weft_datagram in;

    (void)me;
    return weft_receive(arg, &in);
}

static int disturbs(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_inbox *server, *client;
    weft_datagram in;
    weft_done done;
    int result;

    (void)arg;
    open_pair(weft_task_scope(me), &server, &client);
    weft_scope_set_independent(scope, true);
    done = weft_spawn_done(scope, waits_for_ever, server);
    assert_int_equal(weft_sleep(MS), 0);
    assert_int_equal(weft_receive(server, &in), -EBUSY);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(weft_await(done, &result), WEFT_ETIMEDOUT);
    send_text(client, "now");
    receive_text(server, &in, "now");
    weft_scope_close(scope);
    return 0;
}

static void one_task_at_a_time_and_a_cancelled_one_lets_go(void **state)
{
    (void)state;
    run(disturbs);
}

/* The inbox's scope closes while a task of another waits. */
static int closes_under_it(weft_task *me, void *arg)
{
    weft_scope *inner = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_scope *waiters = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_inbox *server, *client;
    weft_done done;
    int result;

    (void)arg;
    weft_scope_set_independent(waiters, true);
    open_pair(inner, &server, &client);
    done = weft_spawn_done(waiters, waits_for_ever, server);
    assert_int_equal(weft_sleep(MS), 0);
    weft_scope_close(inner);
    assert_true(weft_await(done, &result) < 0);
    weft_scope_close(waiters);
    return 0;
}

static void a_scope_that_closes_ends_a_wait(void **state)
{
    (void)state;
    run(closes_under_it);
}

static void outside_of_a_task_nothing_waits(void **state)
{
    weft_inbox *inbox;
    weft_datagram in;

    (void)state;
    assert_int_equal(weft_inbox_open(weft_loop_scope(loop), "udp://127.0.0.1:0", NULL, &inbox, NULL), 0);
    support_log_expect("weft_receive");
    assert_int_equal(weft_receive(inbox, &in), WEFT_ENOTASK);
    assert_int_equal(weft_inbox_open(weft_loop_scope(loop), "udp://nowhere", NULL, &inbox, NULL), WEFT_EURL);
}

#define on_both(function)                                                                                           \
    cmocka_unit_test_setup_teardown(function, setup_on_epoll, teardown),                                            \
    {                                                                                                               \
        .name = #function " (sim)", .test_func = (function), .setup_func = setup_on_sim, .teardown_func = teardown, \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(a_question_and_its_answer),
        on_both(what_was_received_stays_until_the_next),
        on_both(a_full_inbox_leaves_the_rest_to_the_system),
        on_both(a_refusal_and_an_end_are_told),
        on_both(one_task_at_a_time_and_a_cancelled_one_lets_go),
        on_both(a_scope_that_closes_ends_a_wait),
        on_both(outside_of_a_task_nothing_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
