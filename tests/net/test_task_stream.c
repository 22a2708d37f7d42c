/* SPDX-License-Identifier: MIT */
/* Streams that tasks read and write: every form of reading, backpressure, ends and losses, cancellation, accepting. */
#include "backend/sim.h"
#include "net/task_test.h"

#include <stdlib.h>

static weft_bytes text(const char *string)
{
    return weft_bytes_from(string);
}

/* A pair of connected streams in the scope of the task that runs. */
static void make_pair(weft_task *me, weft_stream **here, weft_stream **there)
{
    weft_scope *scope = weft_task_scope(me);
    weft_acceptor *acceptor;

    assert_int_equal(weft_acceptor_open(scope, "mem://pair", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_connect(scope, "mem://pair", NULL, here), 0);
    assert_int_equal(weft_accept(acceptor, scope, there), 0);
}

static void assert_read(weft_stream *stream, const char *expected)
{
    weft_bytes in;

    assert_int_equal(weft_read_exactly(stream, strlen(expected), &in), (int)strlen(expected));
    assert_memory_equal(in.data, expected, strlen(expected));
}

/* -- reading -- */

static int reads_in_every_form(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_write(a, text("one\ntwo\r\n\r\nthree")), 0);
    assert_int_equal(weft_read_until(b, text("\n"), 100, &in), 4);
    assert_memory_equal(in.data, "one\n", 4);
    assert_int_equal(weft_read_until(b, text("\r\n\r\n"), 100, &in), 7);
    assert_int_equal(weft_read_exactly(b, 2, &in), 2);
    assert_memory_equal(in.data, "th", 2);
    assert_read(b, "ree");
    weft_stream_end(a);
    assert_int_equal(weft_read(b, &in), 0);
    assert_int_equal(weft_read_exactly(b, 1, &in), 0);
    assert_int_equal(weft_read_until(b, text("x"), 5, &in), 0);
    return 0;
}

static void every_form_of_reading_gets_its_bytes_and_the_end(void **state)
{
    (void)state;
    run(reads_in_every_form);
}

static int meets_an_early_end(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_write(a, text("abc")), 0);
    weft_stream_close(a);
    assert_int_equal(weft_read_exactly(b, 4, &in), WEFT_ETRUNCATED);
    assert_int_equal(weft_read_until(b, text("\n"), 10, &in), WEFT_ETRUNCATED);
    assert_int_equal(weft_read_exactly(b, 3, &in), 3); /* what is there is not lost */
    assert_int_equal(weft_read(b, &in), 0);
    return 0;
}

static void an_end_in_the_middle_is_a_truncation(void **state)
{
    (void)state;
    run(meets_an_early_end);
}

static int meets_the_limit(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_write(a, text("abcdefgh\n")), 0);
    assert_int_equal(weft_read_until(b, text("\n"), 8, &in), WEFT_EINPUTLIMIT);
    assert_int_equal(weft_read_until(b, text("\n"), 9, &in), 9);
    return 0;
}

static void a_line_longer_than_its_limit_is_refused_and_kept(void **state)
{
    (void)state;
    run(meets_the_limit);
}

static int lends_until_the_next_read(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes first, next;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_write(a, text("first")), 0);
    assert_int_equal(weft_read(b, &first) > 0, 1);
    assert_int_equal(weft_write(a, text("second")), 0);
    weft_sleep(WEFT_SECONDS(5)); /* it arrives while the first is lent */
    assert_memory_equal(first.data, "first", first.length);
    assert_int_equal(weft_read(b, &next) > 0, 1);
    return 0;
}

static void what_is_lent_stays_until_the_next_read(void **state)
{
    (void)state;
    run(lends_until_the_next_read);
}

/* -- backpressure -- */

#define MUCH (1024 * 1024)

static int writes_much(weft_task *me, void *arg)
{
    weft_stream *stream = arg;
    char block[4096];

    (void)me;
    memset(block, 'x', sizeof block);
    for (size_t sent = 0; sent < MUCH; sent += sizeof block)
        assert_int_equal(weft_write(stream, weft_bytes_of(block, sizeof block)), 0);
    weft_stream_end(stream);
    return 0;
}

static int reads_slowly(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;
    size_t got = 0, most = 0;
    int count;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), writes_much, a), 0);
    weft_sleep(WEFT_SECONDS(3));
    assert_true(weft_stream_queued(a) <= 64 * 1024 + 4096);
    while ((count = weft_read(b, &in)) > 0) {
        got += (size_t)count;
        most = in.length > most ? in.length : most;
        weft_sleep(WEFT_MILLISECONDS(1));
    }
    assert_int_equal(count, 0);
    assert_int_equal(got, MUCH);
    assert_true(most <= 128 * 1024);
    return 0;
}

static void a_slow_reader_slows_the_writer(void **state)
{
    (void)state;
    run(reads_slowly);
}

/* -- losses -- */

static int meets_a_reset(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;
    int status;

    (void)arg;
    make_pair(me, &a, &b);
    weft_stream_abort(a);
    status = weft_read(b, &in);
    assert_true(status < 0);
    assert_int_equal(weft_read(b, &in), status);
    assert_int_equal(weft_write(b, text("x")), status);
    assert_int_equal(weft_read(a, &in), WEFT_EABORTED);
    return 0;
}

static void a_lost_stream_says_why_each_time(void **state)
{
    (void)state;
    run(meets_a_reset);
}

static int closes_and_waits(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_write(a, text("last words")), 0);
    weft_stream_close(b);
    assert_int_equal(weft_close(a), 0);
    assert_int_equal(weft_close(a), 0);
    return 0;
}

static void close_waits_for_the_end(void **state)
{
    (void)state;
    run(closes_and_waits);
}

static int connects_to_nobody(weft_task *me, void *arg)
{
    weft_stream *stream;

    (void)arg;
    assert_int_equal(weft_connect(weft_task_scope(me), "mem://nobody", NULL, &stream), -ECONNREFUSED);
    assert_int_equal(weft_connect(weft_task_scope(me), "nonsense", NULL, &stream), WEFT_ESCHEME);
    return 0;
}

static void a_connection_that_fails_says_why(void **state)
{
    (void)state;
    run(connects_to_nobody);
}

/* -- cancelling -- */

static int waits_for_input(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read(arg, &in), WEFT_ETIMEDOUT);
    assert_int_equal(weft_read(arg, &in), WEFT_ETIMEDOUT);
    return 0;
}

static int cancels_a_reader(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_SECONDS(1));
    weft_stream *a, *b;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(scope, waits_for_input, b), 0);
    assert_int_equal(weft_scope_wait(scope), WEFT_ETIMEDOUT);
    weft_scope_close(scope);
    assert_int_equal(weft_write(a, text("still there")), 0); /* the stream was not the scope's */
    assert_read(b, "still there");
    return 0;
}

static void a_reader_that_is_cancelled_leaves_the_stream(void **state)
{
    (void)state;
    run(cancels_a_reader);
}

static int reads_too(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read(arg, &in), -EBUSY);
    return 0;
}

static int reads_twice_at_once(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_too, b), 0);
    weft_stream_set_deadline(a, WEFT_NEVER);
    weft_stream_close(a);
    assert_int_equal(weft_read(b, &in), 0);
    return 0;
}

static void two_readers_of_one_stream_are_refused(void **state)
{
    (void)state;
    run(reads_twice_at_once);
}

static int fills_the_output(weft_task *me, void *arg)
{
    static char block[256 * 1024];

    (void)me;
    assert_int_equal(weft_write(arg, weft_bytes_of(block, sizeof block)), WEFT_ECANCELED);
    return 0;
}

static int writes_beside_a_writer(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_stream *a, *b;
    size_t queued;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(scope, fills_the_output, a), 0);
    weft_sleep(WEFT_SECONDS(5));
    queued = weft_stream_queued(a);
    assert_true(queued > 0);
    assert_int_equal(weft_write(a, text("more")), -EBUSY);
    assert_int_equal(weft_stream_queued(a), queued);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    (void)weft_scope_finish(scope);
    return 0;
}

static void a_second_writer_queues_nothing(void **state)
{
    (void)state;
    run(writes_beside_a_writer);
}

static int floods(weft_task *me, void *arg)
{
    static char block[4096];

    (void)me;
    memset(block, 'x', sizeof block);
    while (weft_write(arg, weft_bytes_of(block, sizeof block)) == 0)
        ;
    return 0;
}

static int gives_up_a_long_line(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(me, &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), floods, a), 0);
    assert_int_equal(weft_read_until(b, text("\n"), 200 * 1024, &in), WEFT_EINPUTLIMIT);
    weft_sleep(WEFT_SECONDS(60));
    assert_true(weft_read(b, &in) > 0);
    assert_true(in.length < 512 * 1024); /* it was held up, though more than the usual limit was there */
    return 0;
}

static void a_peer_is_held_up_after_a_line_that_was_too_long(void **state)
{
    (void)state;
    run(gives_up_a_long_line);
}

static int reads_until_it_is_over(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_true(weft_read(arg, &in) < 0);
    return 0;
}

static int closes_the_scope_of_the_stream(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_acceptor *acceptor;
    weft_stream *a;

    (void)arg;
    assert_int_equal(weft_acceptor_open(weft_task_scope(me), "mem://pair", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_connect(scope, "mem://pair", NULL, &a), 0);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_until_it_is_over, a), 0);
    weft_sleep(WEFT_SECONDS(1));
    weft_scope_close(scope);
    weft_sleep(WEFT_SECONDS(1));
    return 0;
}

static void a_reader_outlives_the_scope_of_its_stream(void **state)
{
    (void)state;
    run(closes_the_scope_of_the_stream);
}

/* -- serving -- */

static void echo(weft_stream *peer, void *arg)
{
    weft_bytes in;

    (void)arg;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

struct service {
    weft_factory *factory;
    weft_listener *listener;
};

static int speaks_with_echo(weft_task *me, void *arg)
{
    struct service *service = arg;
    weft_stream *streams[50];
    weft_bytes in;

    for (size_t i = 0; i < 50; i++)
        assert_int_equal(weft_connect(weft_task_scope(me), "mem://echo", NULL, &streams[i]), 0);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(weft_write(streams[i], text("hello")), 0);
    for (size_t i = 0; i < 50; i++)
        assert_read(streams[i], "hello");
    weft_listener_stop(service->listener, WEFT_SECONDS(100)); /* idle conversations end at once */
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(weft_read(streams[i], &in), 0);
    assert_true(weft_loop_now(loop) < WEFT_SECONDS(50));
    return 0;
}

static void a_handler_is_run_for_each_connection(void **state)
{
    struct service service = {.factory = weft_task_factory_new(echo, NULL)};

    (void)state;
    assert_int_equal(weft_listen(weft_loop_scope(loop), "mem://echo", service.factory, NULL, &service.listener, NULL),
                     0);
    run_with(speaks_with_echo, &service);
    weft_task_factory_free(service.factory);
}

/* -- the end of a task that connected -- */

#define LAST_WORDS 50000 /* less than a writer waits for */

static int says_and_returns(weft_task *me, void *arg)
{
    static char words[LAST_WORDS];
    weft_stream *stream;

    (void)arg;
    assert_int_equal(weft_connect(weft_task_scope(me), "mem://pair", NULL, &stream), 0);
    return weft_write(stream, weft_bytes_of(words, sizeof words));
}

static int hears_the_last_words(weft_task *me, void *arg)
{
    weft_acceptor *acceptor;
    weft_stream *stream;
    weft_bytes in;
    size_t heard = 0;
    int status;

    (void)arg;
    assert_int_equal(weft_acceptor_open(weft_task_scope(me), "mem://pair", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_spawn(weft_loop_scope(loop), says_and_returns, NULL), 0);
    assert_int_equal(weft_accept(acceptor, weft_task_scope(me), &stream), 0);
    while ((status = weft_read(stream, &in)) > 0)
        heard += (size_t)in.length;
    assert_int_equal(status, 0);
    assert_int_equal(heard, LAST_WORDS);
    return 0;
}

static void the_last_words_of_a_task_go_out(void **state)
{
    (void)state;
    run(hears_the_last_words);
}

static int accepts_until_the_end(weft_task *me, void *arg)
{
    weft_acceptor *acceptor;
    weft_stream *stream;

    (void)arg;
    assert_int_equal(weft_acceptor_open(weft_task_scope(me), "mem://short", NULL, &acceptor, NULL), 0);
    weft_listener_stop(weft_acceptor_listener(acceptor), 0);
    assert_int_equal(weft_accept(acceptor, weft_task_scope(me), &stream), WEFT_EENDED);
    return 0;
}

static void accepting_ends_with_the_listener(void **state)
{
    (void)state;
    run(accepts_until_the_end);
}

static void outside_of_a_task_nothing_waits(void **state)
{
    weft_bytes in;

    (void)state;
    support_log_expect("only a task can wait");
    assert_int_equal(weft_read(NULL, &in), WEFT_ENOTASK);
}

/* -- memory short -- */

static int exchanges(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_acceptor *acceptor;
    weft_stream *a, *b;
    weft_bytes in;
    int status = weft_acceptor_open(scope, "mem://pair", NULL, &acceptor, NULL);

    (void)arg;
    if (status == 0)
        status = weft_connect(scope, "mem://pair", NULL, &a);
    if (status == 0) {
        weft_listener_stop(weft_acceptor_listener(acceptor), WEFT_SECONDS(1));
        status = weft_accept(acceptor, scope, &b);
    }
    if (status == 0)
        status = weft_write(a, text("hello"));
    if (status == 0)
        status = weft_read_exactly(b, 5, &in);
    return status < 0 ? status : 0;
}

static void whole_exchange(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:3"};
    weft_done done;
    int status = weft_loop_new(&options, &loop);

    (void)arg;
    if (status == 0) {
        done = weft_spawn_done(weft_loop_scope(loop), exchanges, NULL);
        weft_deferred_ref(done.deferred);
        status = done.deferred ? weft_loop_run(loop) : WEFT_ENOMEM;
        if (status == 0)
            status = weft_peek(done, &(int){0});
        weft_deferred_unref(done.deferred);
        weft_loop_free(loop);
        loop = NULL;
    }
    if (support_injected() == 0)
        assert_int_equal(status, 0);
}

static void failed_allocation_ends_an_exchange_cleanly(void **state)
{
    (void)state;
    support_log_expect("cannot accept");
    support_torture(whole_exchange, NULL);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup_on_sim, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(every_form_of_reading_gets_its_bytes_and_the_end),
        task_test(an_end_in_the_middle_is_a_truncation),
        task_test(a_line_longer_than_its_limit_is_refused_and_kept),
        task_test(what_is_lent_stays_until_the_next_read),
        task_test(a_slow_reader_slows_the_writer),
        task_test(a_lost_stream_says_why_each_time),
        task_test(close_waits_for_the_end),
        task_test(a_connection_that_fails_says_why),
        task_test(a_reader_that_is_cancelled_leaves_the_stream),
        task_test(two_readers_of_one_stream_are_refused),
        task_test(a_second_writer_queues_nothing),
        task_test(a_peer_is_held_up_after_a_line_that_was_too_long),
        task_test(a_reader_outlives_the_scope_of_its_stream),
        task_test(a_handler_is_run_for_each_connection),
        task_test(the_last_words_of_a_task_go_out),
        task_test(accepting_ends_with_the_listener),
        task_test(outside_of_a_task_nothing_waits),
        support_test(failed_allocation_ends_an_exchange_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
