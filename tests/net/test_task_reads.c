/* SPDX-License-Identifier: MIT */
/* One task at a time reads a stream; others are refused, and disturb nothing. What it is told when memory is short. */
#include "net/task_test.h"

#include <errno.h>

#define MS WEFT_MILLISECONDS(1)

static void make_pair(weft_task *me, weft_stream **here, weft_stream **there)
{
    weft_scope *scope = weft_task_scope(me);
    weft_acceptor *acceptor;

    assert_int_equal(weft_acceptor_open(scope, "mem://pair", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_connect(scope, "mem://pair", NULL, here), 0);
    assert_int_equal(weft_accept(acceptor, scope, there), 0);
}

static void write_text(weft_stream *stream, const char *text)
{
    assert_int_equal(weft_write(stream, weft_bytes_from(text)), 0);
}

/* -- two readers -- */

static int reads_eight(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read_exactly(arg, 8, &in), 8);
    assert_memory_equal(in.data, "hello wo", 8);
    return 0;
}

static int reads_beside_another(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(scope, reads_eight, b), 0);
    write_text(a, "hello ");
    assert_int_equal(weft_sleep(100 * MS), 0); /* it waits for more than that */
    assert_int_equal(weft_read(b, &in), -EBUSY);
    assert_int_equal(weft_read_exactly(b, 1, &in), -EBUSY);
    assert_int_equal(weft_read_until(b, weft_bytes_from("l"), 10, &in), -EBUSY);
    write_text(a, "world");
    assert_int_equal(weft_scope_wait(scope), 0);
    assert_int_equal(weft_read(b, &in), 3);
    assert_memory_equal(in.data, "rld", 3);
    return 0;
}

static void a_second_reader_is_refused_even_if_there_is_something(void **state)
{
    (void)state;
    run(reads_beside_another);
}

/* -- without memory -- */

static int reads_without_memory(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;
    int status;

    (void)arg;
    make_pair(me, &a, &b);
    write_text(a, "hello");
    assert_int_equal(weft_read(b, &in), 5);
    write_text(a, "world");
    assert_int_equal(weft_sleep(100 * MS), 0); /* it comes while the first is lent, and waits */
    support_fail_at(1, true);
    status = weft_read(b, &in);
    assert_int_equal(weft_read_exactly(b, 5, &in), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_int_equal(status, WEFT_ENOMEM);
    assert_int_equal(weft_read(b, &in), 5); /* nothing was lost */
    assert_memory_equal(in.data, "world", 5);
    return 0;
}

static void a_reader_is_told_that_memory_is_short_and_may_try_again(void **state)
{
    (void)state;
    run(reads_without_memory);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup_on_sim, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(a_second_reader_is_refused_even_if_there_is_something),
        task_test(a_reader_is_told_that_memory_is_short_and_may_try_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
