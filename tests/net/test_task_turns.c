/* SPDX-License-Identifier: MIT */
/* Turns of a loop inside of what it calls: a task may run them, even where it reads a large delivery at once. */
#include "net/task_test.h"

#include <errno.h>

#define LARGE ((size_t)8 * 1024) /* such a delivery is lent where it lies, and its reader runs inside of it */

static void make_pair(weft_task *me, weft_stream **here, weft_stream **there)
{
    weft_scope *scope = weft_task_scope(me);
    char where[WEFT_LISTENER_URL];
    weft_acceptor *acceptor;

    assert_int_equal(weft_acceptor_open(scope, "tcp://127.0.0.1:0", NULL, &acceptor, NULL), 0);
    weft_listener_url(weft_acceptor_listener(acceptor), NULL, where);
    assert_int_equal(weft_connect(scope, where, NULL, here), 0);
    assert_int_equal(weft_accept(acceptor, scope, there), 0);
}

static void write_many(weft_stream *stream, char letter)
{
    char block[LARGE];

    memset(block, letter, sizeof block);
    assert_int_equal(weft_stream_write(stream, weft_bytes_of(block, sizeof block)), 0);
}

static void assert_all(weft_bytes bytes, char letter)
{
    for (size_t i = 0; i < bytes.length; i++)
        assert_int_equal(bytes.data[i], letter);
}

/* -- a task -- */

static bool other_read;

static int reads_other(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    while (weft_read(arg, &in) > 0) {
        assert_all(in, 'B');
        other_read = true;
    }
    return 0;
}

static int turns_inside_of_a_delivery(weft_task *me, void *arg)
{
    weft_stream *a, *b, *c, *d;
    weft_bytes in, answer;

    (void)arg;
    other_read = false;
    make_pair(me, &a, &b);
    make_pair(me, &c, &d);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_other, d), 0);
    write_many(a, 'A');
    assert_true(weft_read(b, &in) > 0);
    assert_int_equal(weft_write(b, weft_bytes_from("answer")), 0);
    write_many(c, 'B');
    while (!other_read)
        assert_true(weft_loop_step(loop) >= 0);
    assert_all(in, 'A'); /* is lent until the next read */
    assert_int_equal(weft_read_exactly(a, 6, &answer), 6);
    assert_memory_equal(answer.data, "answer", 6);
    return 0;
}

static void a_reader_of_a_large_delivery_may_run_turns(void **state)
{
    (void)state;
    run(turns_inside_of_a_delivery);
}

static unsigned heard;

static int reads_and_runs_a_turn(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_true(weft_read(arg, &in) > 0);
    heard++;
    assert_true(weft_loop_step(loop) >= 0);
    return 0;
}

/* What else the system has told in the same breath is not lost to the turn within. */
static int two_deliveries_at_once(weft_task *me, void *arg)
{
    weft_stream *a, *b, *c, *d;

    (void)arg;
    heard = 0;
    make_pair(me, &a, &b);
    make_pair(me, &c, &d);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_and_runs_a_turn, b), 0);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_and_runs_a_turn, d), 0);
    assert_int_equal(weft_yield(), 0);
    write_many(a, 'A');
    write_many(c, 'B');
    for (int i = 0; i < 1000 && heard < 2; i++)
        assert_int_equal(weft_yield(), 0);
    assert_int_equal(heard, 2);
    return 0;
}

static void a_turn_within_a_delivery_loses_no_other(void **state)
{
    (void)state;
    run(two_deliveries_at_once);
}

static int aborts_inside_of_a_delivery(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    write_many(a, 'A');
    assert_true(weft_read(b, &in) > 0);
    weft_stream_abort(b);
    for (int i = 0; i < 3; i++)
        assert_true(weft_loop_step(loop) >= 0);
    assert_int_equal(weft_read(b, &in), WEFT_EABORTED);
    return 0;
}

static void a_stream_that_its_reader_aborts_is_lost_when_the_delivery_is_over(void **state)
{
    (void)state;
    run(aborts_inside_of_a_delivery);
}

/* -- other callbacks -- */

static bool tried;

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    (void)stream;
    assert_int_equal(weft_loop_step(loop), -EBUSY);
    assert_int_equal(weft_loop_run(loop), -EBUSY);
    tried = true;
    return in.length;
}

static WEFT_PROTOCOL(machine_ops, "machine", "a test", .received = received);

static int tries_a_turn(int error, int *value, void *arg)
{
    (void)value;
    (void)arg;
    assert_int_equal(weft_loop_step(loop), -EBUSY);
    tried = true;
    return error;
}

static int calls_back_inside_of_a_delivery(weft_task *me, void *arg)
{
    weft_done done = weft_succeed(weft_done, weft_task_scope(me), 0);
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    tried = false;
    make_pair(me, &a, &b);
    write_many(a, 'A');
    assert_true(weft_read(b, &in) > 0);
    assert_int_equal(weft_then(done, tries_a_turn, NULL), 0);
    assert_true(tried);
    return 0;
}

static void a_callback_of_a_deferred_inside_of_a_delivery_may_not(void **state)
{
    (void)state;
    support_log_expect("a callback cannot run a turn of its own loop");
    run(calls_back_inside_of_a_delivery);
}

static int feeds_a_machine(weft_task *me, void *arg)
{
    weft_protocol machine = {&machine_ops};
    weft_stream *a, *b;

    (void)arg;
    tried = false;
    make_pair(me, &a, &b);
    weft_stream_set_protocol(b, &machine);
    assert_int_equal(weft_write(a, weft_bytes_from("hello")), 0);
    while (!tried)
        assert_int_equal(weft_yield(), 0);
    weft_stream_abort(b);
    while (weft_stream_scope(b))
        assert_int_equal(weft_yield(), 0);
    return 0;
}

static void a_state_machine_may_not(void **state)
{
    (void)state;
    support_log_expect("a callback cannot run a turn of its own loop");
    run(feeds_a_machine);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup_on_epoll, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(a_reader_of_a_large_delivery_may_run_turns),
        task_test(a_turn_within_a_delivery_loses_no_other),
        task_test(a_stream_that_its_reader_aborts_is_lost_when_the_delivery_is_over),
        task_test(a_callback_of_a_deferred_inside_of_a_delivery_may_not),
        task_test(a_state_machine_may_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
