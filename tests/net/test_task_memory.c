/* SPDX-License-Identifier: MIT */
/* How much memory a task's stream holds while its reader does something else. */
#include "loop/loop_internal.h"

#include "net/task_test.h"

struct readers {
    weft_scope *scope;
    weft_task_function *reads;
    weft_acceptor *acceptor;
    char where[WEFT_LISTENER_URL];
    size_t parked;
};

static struct readers readers;

/* @p count more readers, each of which has got 8 KiB and waits. Returns by how much memory has grown. */
static size_t add_readers(size_t count)
{
    static char block[8 * 1024];
    size_t before = support_live_bytes();
    weft_stream *from, *to;

    memset(block, 'x', sizeof block);
    for (size_t i = 0; i < count; i++) {
        size_t parked = readers.parked;

        assert_int_equal(weft_connect(readers.scope, readers.where, NULL, &from), 0);
        assert_int_equal(weft_accept(readers.acceptor, readers.scope, &to), 0);
        assert_int_equal(weft_spawn(readers.scope, readers.reads, to), 0);
        assert_int_equal(weft_sleep(0), 0);
        assert_int_equal(weft_write(from, weft_bytes_of(block, sizeof block)), 0);
        while (readers.parked == parked)
            assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    }
    return support_live_bytes() - before;
}

static void open_readers(weft_task *me, weft_task_function *reads)
{
    readers = (struct readers){.scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER), .reads = reads};
    assert_int_equal(weft_acceptor_open(readers.scope, "tcp://127.0.0.1:0", NULL, &readers.acceptor, NULL), 0);
    weft_listener_url(weft_acceptor_listener(readers.acceptor), NULL, readers.where);
}

/* -- who was lent some -- */

static int reads_and_waits(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_true(weft_read(arg, &in) > 0);
    readers.parked++;
    (void)weft_sleep(WEFT_HOURS(1));
    for (size_t i = 0; i < in.length; i++)
        assert_int_equal(in.data[i], 'x');
    return 0;
}

static int lends_to_many(weft_task *me, void *arg)
{
    (void)arg;
    open_readers(me, reads_and_waits);
    (void)add_readers(20);
    assert_true(add_readers(20) < (size_t)20 * 32 * 1024);
    (void)weft_scope_finish(readers.scope);
    while (loop->waiting > 1) /* this task; the streams still end */
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    open_readers(me, reads_and_waits);
    assert_true(add_readers(16) < (size_t)17 * 300 * 1024); /* what was held has been given back */
    (void)weft_scope_finish(readers.scope);
    return 0;
}

static void many_readers_that_were_lent_a_little_hold_little(void **state)
{
    (void)state;
    run(lends_to_many);
}

/* -- who has not found what it looks for -- */

static int looks_for_a_line(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    readers.parked++; /* about to */
    (void)!weft_read_until(arg, weft_bytes_from("\n"), 60 * 1024, &in);
    return 0;
}

static int waits_for_lines(weft_task *me, void *arg)
{
    size_t before = support_live_bytes();

    (void)arg;
    open_readers(me, looks_for_a_line);
    (void)add_readers(8);
    for (int i = 0; i < 50; i++)
        assert_int_equal(weft_yield(), 0);
    assert_true(support_live_bytes() - before < (size_t)(2 * 256 + 8 * 32) * 1024); /* two buffers are the loop's */
    (void)weft_scope_finish(readers.scope);
    return 0;
}

static void a_reader_that_waits_for_the_rest_of_a_line_holds_its_beginning_only(void **state)
{
    (void)state;
    run(waits_for_lines);
}

/* -- who reads in small parts -- */

static int reads_in_parts(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read_exactly(arg, 100, &in), 100);
    (void)weft_yield();
    assert_int_equal(weft_read_exactly(arg, 100, &in), 100);
    for (size_t i = 0; i < in.length; i++)
        assert_int_equal(in.data[i], 'x');
    readers.parked++;
    (void)weft_sleep(WEFT_HOURS(1));
    return 0;
}

static int reads_parts(weft_task *me, void *arg)
{
    (void)arg;
    open_readers(me, reads_in_parts);
    assert_true(add_readers(10) < (size_t)(2 * 256 + 10 * 32) * 1024);
    (void)weft_scope_finish(readers.scope);
    return 0;
}

static void a_reader_of_small_parts_lets_the_large_buffer_go(void **state)
{
    (void)state;
    run(reads_parts);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup_on_epoll, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(many_readers_that_were_lent_a_little_hold_little),
        task_test(a_reader_that_waits_for_the_rest_of_a_line_holds_its_beginning_only),
        task_test(a_reader_of_small_parts_lets_the_large_buffer_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
