/* SPDX-License-Identifier: MIT */
/* From a task to a state machine: weft_stream_set_protocol on a task's stream. */
#include "net/task_test.h"

/* A protocol that collects what it is told. */
struct machine {
    weft_protocol protocol;
    char got[256];
    size_t length, total, takes; /* takes: at most so many bytes at once; 0: all */
    bool ended;
    int reason;
};

static size_t machine_received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct machine *machine = weft_container_of(protocol, struct machine, protocol);
    size_t take = machine->takes && machine->takes < in.length ? machine->takes : in.length;
    size_t keep = take < sizeof machine->got - machine->length ? take : sizeof machine->got - machine->length;

    memcpy(machine->got + machine->length, in.data, keep);
    machine->length += keep;
    machine->total += take;
    (void)stream;
    return take;
}

static void machine_ended(weft_protocol *protocol, weft_stream *stream)
{
    weft_container_of(protocol, struct machine, protocol)->ended = true;
    weft_stream_close(stream);
}

static void machine_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)stream;
    weft_container_of(protocol, struct machine, protocol)->reason = reason;
}

static WEFT_PROTOCOL(machine_ops, "machine", "a test", .received = machine_received, .ended = machine_ended,
                     .lost = machine_lost);

static struct machine machine;

static int setup(void **state)
{
    machine = (struct machine){.protocol.ops = &machine_ops};
    return setup_on_sim(state);
}

static int setup_kernel(void **state)
{
    machine = (struct machine){.protocol.ops = &machine_ops};
    return setup_on_epoll(state);
}

static void make_pair(weft_scope *scope, const char *url, weft_stream **here, weft_stream **there)
{
    char where[WEFT_LISTENER_URL];
    weft_acceptor *acceptor;

    assert_int_equal(weft_acceptor_open(scope, url, NULL, &acceptor, NULL), 0);
    weft_listener_url(weft_acceptor_listener(acceptor), NULL, where);
    assert_int_equal(weft_connect(scope, where, NULL, here), 0);
    assert_int_equal(weft_accept(acceptor, scope, there), 0);
}

static void write_text(weft_stream *stream, const char *text)
{
    assert_int_equal(weft_write(stream, weft_bytes_from(text)), 0);
}

static void assert_got(const char *expected)
{
    assert_int_equal(machine.length, strlen(expected));
    assert_memory_equal(machine.got, expected, machine.length);
}

/* -- what it gets -- */

static int hands_over_unread_input(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes line;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "for the task\nfor the machine, ");
    assert_int_equal(weft_read_until(b, weft_bytes_from("\n"), 100, &line), 13);
    weft_stream_set_protocol(b, &machine.protocol);
    assert_int_equal(weft_read(b, &line), -EINVAL);
    assert_int_equal(weft_write(b, weft_bytes_from("x")), -EINVAL);
    assert_int_equal(weft_close(b), -EINVAL);
    weft_sleep(WEFT_SECONDS(1));
    assert_got("for the machine, ");
    write_text(a, "and this");
    weft_stream_end(a);
    assert_int_equal(weft_read(a, &line), 0);
    assert_got("for the machine, and this");
    assert_true(machine.ended);
    return 0;
}

static void the_new_protocol_gets_what_the_task_did_not_read(void **state)
{
    (void)state;
    run(hands_over_unread_input);
    assert_int_equal(machine.reason, WEFT_ECLOSED);
}

static int hands_over_an_end(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "words");
    weft_stream_end(a);
    weft_sleep(WEFT_SECONDS(1));
    weft_stream_set_protocol(b, &machine.protocol);
    weft_sleep(WEFT_SECONDS(1));
    assert_got("words");
    assert_true(machine.ended);
    return 0;
}

static void the_new_protocol_is_told_the_end_after_the_input(void **state)
{
    (void)state;
    run(hands_over_an_end);
}

#define MUCH ((size_t)400 * 1024)

static int writes_much(weft_task *me, void *arg)
{
    static char block[4096];

    (void)me;
    for (size_t sent = 0; sent < MUCH; sent += sizeof block)
        assert_int_equal(weft_write(arg, weft_bytes_of(block, sizeof block)), 0);
    weft_stream_end(arg);
    return 0;
}

static int hands_over_a_paused_stream(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), writes_much, a), 0);
    assert_int_equal(weft_read_exactly(b, 100, &in), 100);
    weft_sleep(WEFT_SECONDS(5)); /* as much has come as may */
    weft_stream_set_protocol(b, &machine.protocol);
    weft_sleep(WEFT_SECONDS(5));
    assert_int_equal(machine.total, MUCH - 100);
    assert_true(machine.ended);
    return 0;
}

static void a_stream_whose_buffer_was_full_goes_on(void **state)
{
    (void)state;
    run(hands_over_a_paused_stream);
}

static int pauses_and_hands_over(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "for the task");
    assert_int_equal(weft_read(b, &in), 12);
    write_text(a, "for the machine");
    weft_sleep(WEFT_SECONDS(1)); /* it comes while the first is lent */
    weft_stream_pause(b);
    weft_stream_set_protocol(b, &machine.protocol);
    weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(machine.total, 0);
    weft_stream_resume(b);
    weft_sleep(WEFT_SECONDS(1));
    assert_got("for the machine");
    return 0;
}

static void a_stream_that_was_paused_stays_so_until_it_is_resumed(void **state)
{
    (void)state;
    run(pauses_and_hands_over);
}

static int reads_in_a_pause(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read(arg, &in), 7);
    machine.ended = true;
    return 0;
}

static int reads_what_is_paused(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "first");
    assert_int_equal(weft_read(b, &in), 5);
    write_text(a, " second");
    weft_sleep(WEFT_SECONDS(1));
    weft_stream_pause(b);
    assert_int_equal(weft_spawn(weft_task_scope(me), reads_in_a_pause, b), 0);
    weft_sleep(WEFT_SECONDS(1));
    assert_false(machine.ended);
    weft_stream_resume(b);
    weft_sleep(WEFT_SECONDS(1));
    assert_true(machine.ended);
    return 0;
}

static void a_read_does_not_undo_a_pause(void **state)
{
    (void)state;
    run(reads_what_is_paused);
}

static int hands_over_from_a_large_delivery(weft_task *me, void *arg)
{
    weft_stream *a, *b;
    weft_bytes in;

    (void)arg;
    make_pair(weft_task_scope(me), "tcp://127.0.0.1:0", &a, &b);
    assert_int_equal(weft_spawn(weft_task_scope(me), writes_much, a), 0);
    assert_int_equal(weft_read_exactly(b, 100, &in), 100);
    weft_stream_set_protocol(b, &machine.protocol);
    while (!machine.ended)
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    assert_int_equal(machine.total, MUCH - 100);
    return 0;
}

static void a_delivery_of_which_the_task_read_a_part_goes_on(void **state)
{
    (void)state;
    run(hands_over_from_a_large_delivery);
}

/* -- to whom it belongs -- */

static int owns_the_stream(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_acceptor *acceptor;
    weft_stream *a, *b;

    (void)arg;
    assert_int_equal(weft_acceptor_open(weft_task_scope(me), "mem://pair", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_connect(weft_task_scope(me), "mem://pair", NULL, &a), 0);
    assert_int_equal(weft_accept(acceptor, scope, &b), 0);
    weft_stream_set_protocol(b, &machine.protocol);
    assert_ptr_equal(weft_stream_scope(b), scope);
    assert_int_equal(weft_scope_finish(scope), 0);
    assert_int_equal(machine.reason, WEFT_ECANCELED);
    return 0;
}

static void the_stream_belongs_to_the_scope_that_was_given(void **state)
{
    (void)state;
    run(owns_the_stream);
}

static void greets(weft_stream *peer, void *arg)
{
    weft_bytes line;

    (void)arg;
    if (weft_read_until(peer, weft_bytes_from("\n"), 100, &line) > 0)
        weft_stream_set_protocol(peer, &machine.protocol);
}

static int speaks(weft_task *me, void *arg)
{
    weft_factory *factory = weft_task_factory_new(greets, NULL);
    weft_scope *listens = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_listener *listener;
    weft_stream *a;

    (void)arg;
    assert_int_equal(weft_listen(listens, "mem://serve", factory, NULL, &listener, NULL), 0);
    assert_int_equal(weft_connect(weft_task_scope(me), "mem://serve", NULL, &a), 0);
    write_text(a, "hello\nfirst ");
    weft_sleep(WEFT_SECONDS(1));
    write_text(a, "second");
    weft_sleep(WEFT_SECONDS(1));
    assert_got("first second");
    assert_int_equal(machine.reason, 0); /* the handler has returned, and the connection goes on */
    assert_int_equal(weft_scope_finish(listens), 0);
    assert_true(machine.reason < 0);
    weft_task_factory_free(factory);
    return 0;
}

static void a_handler_may_leave_its_connection_to_a_state_machine(void **state)
{
    (void)state;
    run(speaks);
}

/* -- who waits meanwhile -- */

static int waits_in_vain(weft_task *me, void *arg)
{
    weft_bytes in;

    (void)me;
    assert_int_equal(weft_read(arg, &in), -EINVAL);
    return 0;
}

static int takes_it_from_a_reader(weft_task *me, void *arg)
{
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    weft_stream *a, *b;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    assert_int_equal(weft_spawn(scope, waits_in_vain, b), 0);
    weft_sleep(WEFT_SECONDS(1));
    weft_stream_set_protocol(b, &machine.protocol);
    assert_int_equal(weft_scope_wait(scope), 0);
    write_text(a, "hello");
    weft_sleep(WEFT_SECONDS(1));
    assert_got("hello");
    return 0;
}

static void a_reader_is_told_that_it_is_no_longer_a_tasks(void **state)
{
    (void)state;
    run(takes_it_from_a_reader);
}

static int hands_over_what_is_lost(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "unread");
    weft_sleep(WEFT_SECONDS(1));
    weft_stream_abort(b);
    weft_stream_set_protocol(b, &machine.protocol);
    weft_sleep(WEFT_SECONDS(1));
    assert_got("");
    assert_int_equal(machine.reason, WEFT_EABORTED);
    return 0;
}

static void a_stream_that_is_about_to_be_lost_only_tells_why(void **state)
{
    (void)state;
    run(hands_over_what_is_lost);
}

/* -- memory short -- */

static int runs_short(weft_task *me, void *arg)
{
    weft_stream *a, *b;

    (void)arg;
    make_pair(weft_task_scope(me), "mem://pair", &a, &b);
    write_text(a, "unread");
    weft_sleep(WEFT_SECONDS(1));
    support_fail_at(1, false);
    weft_stream_set_protocol(b, &machine.protocol);
    support_fail_at(0, false);
    weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(machine.reason, WEFT_ENOMEM);
    return 0;
}

static void without_memory_for_the_input_the_stream_is_lost(void **state)
{
    (void)state;
    run(runs_short);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(the_new_protocol_gets_what_the_task_did_not_read),
        task_test(the_new_protocol_is_told_the_end_after_the_input),
        task_test(a_stream_whose_buffer_was_full_goes_on),
        task_test(a_stream_that_was_paused_stays_so_until_it_is_resumed),
        task_test(a_read_does_not_undo_a_pause),
        cmocka_unit_test_setup_teardown(a_delivery_of_which_the_task_read_a_part_goes_on, setup_kernel, teardown),
        task_test(the_stream_belongs_to_the_scope_that_was_given),
        task_test(a_handler_may_leave_its_connection_to_a_state_machine),
        task_test(a_reader_is_told_that_it_is_no_longer_a_tasks),
        task_test(a_stream_that_is_about_to_be_lost_only_tells_why),
        task_test(without_memory_for_the_input_the_stream_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
