/* SPDX-License-Identifier: MIT */
/*
 * What a task writes is gathered if it is little, and sent when the task waits. Nobody must be able to tell it from what
 * is queued: order, limits, endings and errors are the same. The transport of the stream is wrapped: it counts each send,
 * and can come up short.
 */
#include "net/stream_internal.h"
#include "net/task_test.h"

enum fault { NO_FAULT, SHORT, NOTHING, TIMED_OUT };

static struct backend_transport wrapped;
static const struct backend_transport *real;
static weft_stream *watched;
static unsigned sends;
static uint64_t send_turn;
static enum fault fault; /* of the next send */

static int64_t send_counted(struct backend *backend, struct backend_stream *io, const weft_bytes *runs, size_t count,
                            bool more)
{
    weft_bytes some = weft_bytes_first(runs[0], 3);
    enum fault now = fault;

    if (io != &watched->io)
        return real->send(backend, io, runs, count, more);
    assert_true(send_turn != loop->turn); /* at most one in a turn */
    send_turn = loop->turn;
    sends++;
    fault = NO_FAULT;
    if (now == NOTHING)
        return BACKEND_LATER;
    if (now == TIMED_OUT)
        return -ETIMEDOUT;
    return real->send(backend, io, now == SHORT ? &some : runs, now == SHORT ? 1 : count, more);
}

static void forget(void)
{
    sends = 0;
    send_turn = 0;
    fault = NO_FAULT;
}

static int setup(void **state)
{
    forget();
    return setup_on_epoll(state);
}

static int setup_simulated(void **state)
{
    forget();
    return setup_on_sim(state);
}

static void make_pair_with(weft_task *me, weft_stream **here, weft_stream **there, const weft_stream_options *options)
{
    weft_scope *scope = weft_task_scope(me);
    char where[WEFT_LISTENER_URL];
    weft_acceptor *acceptor;

    assert_int_equal(weft_acceptor_open(scope, "tcp://127.0.0.1:0", NULL, &acceptor, NULL), 0);
    weft_listener_url(weft_acceptor_listener(acceptor), NULL, where);
    assert_int_equal(weft_connect(scope, where, options, here), 0);
    assert_int_equal(weft_accept(acceptor, scope, there), 0);
    watched = *here;
    real = watched->io.transport;
    wrapped = *real;
    wrapped.send = send_counted;
    watched->io.transport = &wrapped;
    assert_int_equal(weft_yield(), 0); /* another turn, in which nothing was sent yet */
}

static void make_pair(weft_task *me, weft_stream **here, weft_stream **there)
{
    make_pair_with(me, here, there, NULL);
}

static void write_text(weft_stream *stream, const char *text)
{
    assert_int_equal(weft_write(stream, weft_bytes_from(text)), 0);
}

static void assert_arrives(weft_stream *stream, const char *text)
{
    weft_bytes in;

    assert_int_equal(weft_read_exactly(stream, strlen(text), &in), (int)strlen(text));
    assert_memory_equal(in.data, text, strlen(text));
}

/* -- one send -- */

static unsigned seen;

static int looks(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    seen = sends;
    return 0;
}

static int writes_two_parts(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), looks, NULL), 0);
    write_text(a, "header ");
    assert_int_equal(weft_stream_write(a, weft_bytes_from("and ")), 0);
    write_text(a, "body");
    assert_int_equal(weft_stream_queued(a), 15);
    assert_int_equal(sends, 0);
    assert_arrives(b, "header and body");
    assert_int_equal(sends, 1);
    assert_int_equal(seen, 1); /* it went when the task waited, before the next one ran */
    return 0;
}

static void small_parts_are_one_send_when_the_task_waits(void **state)
{
    (void)state;
    run(writes_two_parts);
}

static int writes_more(weft_task *me, void *arg)
{
    static char block[3000];
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 3; i++)
        assert_int_equal(weft_write(a, weft_bytes_of(block, sizeof block)), 0);
    write_text(a, "last");
    assert_int_equal(weft_read_exactly(b, 3 * sizeof block, &in), (int)(3 * sizeof block));
    assert_arrives(b, "last");
    assert_int_equal(sends, 1);
    return 0;
}

static void more_than_there_is_room_for_keeps_its_order(void **state)
{
    (void)state;
    run(writes_more);
}

static int writes_to_two(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    write_text(a, "one ");
    write_text(b, "two ");
    write_text(a, "one again");
    write_text(b, "two again");
    assert_arrives(b, "one one again");
    assert_arrives(a, "two two again");
    assert_int_equal(sends, 1);
    return 0;
}

static void two_streams_of_one_task_have_their_own_bytes(void **state)
{
    (void)state;
    run(writes_to_two);
}

static int writes_in_every_run(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    for (int i = 0; i < 5; i++) {
        write_text(a, "again ");
        assert_int_equal(weft_sleep(0), 0);
    }
    assert_arrives(b, "again again again again again ");
    assert_int_equal(sends, 5);
    return 0;
}

static void each_wait_sends(void **state)
{
    (void)state;
    run(writes_in_every_run);
}

static int turns(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    write_text(a, "before ");
    assert_true(weft_loop_step(loop) >= 0);
    assert_int_equal(sends, 1);
    write_text(a, "after");
    assert_arrives(b, "before after");
    return 0;
}

static void a_task_that_runs_a_turn_sends_first(void **state)
{
    (void)state;
    run(turns);
}

static int asks_how_long(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    fault = TIMED_OUT;
    write_text(a, "into the void");
    assert_true(weft_loop_prepare(loop) == 0); /* the loss is to be told */
    assert_int_equal(sends, 1);
    assert_true(weft_loop_step(loop) >= 0);
    assert_int_equal(weft_write(a, weft_bytes_from("x")), -ETIMEDOUT);
    return 0;
}

static void a_task_that_asks_how_long_the_loop_may_sleep_sends_first(void **state)
{
    (void)state;
    run(asks_how_long);
}

/* -- limits -- */

static int meets_its_limits(weft_task *me, void *arg)
{
    weft_stream_options options = {.size = sizeof options, .output_limit = 10, .high_water = 8, .low_water = 1};
    weft_stream *a, *b;

    (void)arg;
    make_pair_with(me, &a, &b, &options);
    write_text(a, "12345678");
    assert_int_equal(weft_write(a, weft_bytes_from("901")), WEFT_EOUTPUTLIMIT);
    assert_int_equal(sends, 0);
    write_text(a, "90"); /* above the mark: it waits */
    assert_int_equal(sends, 1);
    assert_int_equal(weft_stream_queued(a), 0);
    assert_arrives(b, "1234567890");
    return 0;
}

static void limit_and_mark_hold(void **state)
{
    (void)state;
    run(meets_its_limits);
}

static int reads_on(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    while (weft_read(arg, &in) > 0)
        ;
    return 0;
}

static int writes_now_and_then(weft_task *me, void *arg)
{
    weft_stream_options options = {.size = sizeof options, .idle = WEFT_MILLISECONDS(500)};
    weft_stream *a, *b;

    (void)arg;
    make_pair_with(me, &a, &b, &options);
    assert_true(a->io.transport->sends_at_once); /* so that it is gathered */
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_on, b), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(200)), 0);
        write_text(a, "still here ");
    }
    assert_int_equal(weft_sleep(WEFT_SECONDS(1)), 0);
    assert_int_equal(weft_write(a, weft_bytes_from("too late")), WEFT_EIDLE);
    return 0;
}

static void a_stream_that_is_written_to_is_not_idle(void **state)
{
    (void)state;
    run(writes_now_and_then);
}

/* -- endings and errors -- */

static int closes_behind(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    write_text(a, "last words");
    weft_stream_close(a);
    assert_int_equal(weft_write(a, weft_bytes_from("too late")), WEFT_EENDED);
    assert_arrives(b, "last words");
    assert_int_equal(weft_read(b, &in), 0);
    assert_int_equal(weft_close(b), 0);
    assert_int_equal(weft_close(a), 0);
    return 0;
}

static void closed_behind_it_all_goes_out(void **state)
{
    (void)state;
    run(closes_behind);
}

static int aborts_behind(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    write_text(a, "nothing");
    weft_stream_abort(a);
    assert_int_equal(weft_read(b, &in), -ECONNRESET);
    assert_int_equal(sends, 0);
    return 0;
}

static void aborted_nothing_is_sent(void **state)
{
    (void)state;
    run(aborts_behind);
}

static int comes_up(weft_task *me, enum fault with)
{
    weft_stream *a, *b;

    make_pair(me, &a, &b);
    fault = with;
    write_text(a, "hello ");
    write_text(a, "world");
    assert_int_equal(weft_sleep(0), 0);
    if (with == TIMED_OUT) {
        assert_int_equal(weft_write(a, weft_bytes_from("x")), -ETIMEDOUT);
        return 0;
    }
    assert_int_equal(weft_stream_queued(a), with == SHORT ? 8 : 11);
    stream_sent(&a->io, 0); /* there is room again */
    assert_arrives(b, "hello world");
    return 0;
}

static int comes_up_short(weft_task *me, void *arg)
{
    (void)arg;
    return comes_up(me, SHORT);
}

static int comes_up_empty(weft_task *me, void *arg)
{
    (void)arg;
    return comes_up(me, NOTHING);
}

static int comes_up_failed(weft_task *me, void *arg)
{
    (void)arg;
    return comes_up(me, TIMED_OUT);
}

static void what_does_not_go_out_is_queued(void **state)
{
    (void)state;
    run(comes_up_short);
    sends = 0;
    send_turn = 0;
    run(comes_up_empty);
}

static void an_error_is_told_by_the_next_call(void **state)
{
    (void)state;
    run(comes_up_failed);
}

static int comes_up_failed_before_it_is_lost(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    int status;

    (void)arg;
    make_pair(me, &a, &b);
    fault = TIMED_OUT;
    write_text(a, "hello");
    assert_int_equal(weft_yield(), 0); /* it goes out, and the loop has not told of the loss yet */
    status = weft_write(a, weft_bytes_from("x"));
    return status == -ETIMEDOUT ? 0 : -EPROTO;
}

static void an_error_is_told_before_the_loss(void **state)
{
    (void)state;
    run(comes_up_failed_before_it_is_lost);
}

static int says_goodbye(weft_task *me, void *arg)
{
    (void)me;
    write_text(arg, "goodbye");
    return 0;
}

static int ends_after_writing(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), says_goodbye, a), 0);
    assert_arrives(b, "goodbye");
    return 0;
}

static void what_a_task_wrote_last_goes_out_when_it_ends(void **state)
{
    (void)state;
    run(ends_after_writing);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(small_parts_are_one_send_when_the_task_waits),
        task_test(more_than_there_is_room_for_keeps_its_order),
        task_test(two_streams_of_one_task_have_their_own_bytes),
        task_test(each_wait_sends),
        task_test(a_task_that_runs_a_turn_sends_first),
        task_test(a_task_that_asks_how_long_the_loop_may_sleep_sends_first),
        task_test(limit_and_mark_hold),
        cmocka_unit_test_setup_teardown(a_stream_that_is_written_to_is_not_idle, setup_simulated, teardown),
        task_test(closed_behind_it_all_goes_out),
        task_test(aborted_nothing_is_sent),
        task_test(what_does_not_go_out_is_queued),
        task_test(an_error_is_told_by_the_next_call),
        task_test(an_error_is_told_before_the_loss),
        task_test(what_a_task_wrote_last_goes_out_when_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
