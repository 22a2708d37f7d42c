/* SPDX-License-Identifier: MIT */
/* To whom a connection belongs that a task accepts, and which of those that wait count. */
#include "net/task_test.h"

static void assert_arrives(weft_stream *from, weft_stream *to, const char *text)
{
    weft_bytes in;

    assert_int_equal(weft_write(from, weft_bytes_from(text)), 0);
    assert_int_equal(weft_read_exactly(to, strlen(text), &in), (int)strlen(text));
    assert_memory_equal(in.data, text, strlen(text));
}

/* Three scopes: the acceptor's, the one for what is accepted, the one for what connects. */
struct world {
    weft_scope *listens, *accepted, *connects;
    weft_acceptor *acceptor;
    weft_stream *here, *there;
};

static void make_world(weft_task *me, struct world *world, const weft_listen_options *options)
{
    weft_scope *scope = weft_task_scope(me);

    world->listens = weft_scope_open(scope, WEFT_NEVER);
    world->accepted = weft_scope_open(scope, WEFT_NEVER);
    world->connects = weft_scope_open(scope, WEFT_NEVER);
    assert_int_equal(weft_acceptor_open(world->listens, "mem://here", options, &world->acceptor, NULL), 0);
    assert_int_equal(weft_connect(world->connects, "mem://here", NULL, &world->there), 0);
    assert_int_equal(weft_accept(world->acceptor, world->accepted, &world->here), 0);
}

/* -- the scope -- */

static int outlives_the_acceptor(weft_task *me, void *arg)
{
    struct world world;

    (void)arg;
    make_world(me, &world, NULL);
    assert_ptr_equal(weft_stream_scope(world.here), world.accepted);
    assert_int_equal(weft_scope_finish(world.listens), 0); /* it waits for nobody's guest */
    assert_arrives(world.there, world.here, "question");
    assert_arrives(world.here, world.there, "answer");
    return 0;
}

static void an_accepted_stream_outlives_its_acceptors_scope(void **state)
{
    (void)state;
    run(outlives_the_acceptor);
}

static int says_last_words(weft_task *me, void *arg)
{
    struct world world;
    weft_bytes in;

    (void)arg;
    make_world(me, &world, NULL);
    assert_int_equal(weft_write(world.here, weft_bytes_from("last words")), 0);
    weft_scope_close(world.accepted);
    assert_int_equal(weft_read_exactly(world.there, 10, &in), 10);
    assert_int_equal(weft_read(world.there, &in), 0);
    weft_stream_close(world.there);
    assert_int_equal(weft_scope_wait(world.connects), 0);
    weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(weft_listener_connections(weft_acceptor_listener(world.acceptor)), 0);
    return 0;
}

static void a_scope_that_closes_ends_its_accepted_stream_gracefully(void **state)
{
    (void)state;
    run(says_last_words);
}

static int is_cancelled(weft_task *me, void *arg)
{
    struct world world;
    weft_bytes in;

    (void)arg;
    make_world(me, &world, NULL);
    weft_scope_cancel(world.accepted, WEFT_ETIMEDOUT);
    assert_true(weft_read(world.there, &in) < 0);
    assert_int_equal(weft_read(world.here, &in), WEFT_ETIMEDOUT);
    return 0;
}

static void a_scope_that_is_cancelled_resets_its_accepted_stream(void **state)
{
    (void)state;
    run(is_cancelled);
}

static int is_waited_for(weft_task *me, void *arg)
{
    struct world world;

    (void)arg;
    make_world(me, &world, NULL);
    weft_stream_close(world.here);
    weft_stream_close(world.there);
    assert_int_equal(weft_scope_wait(world.accepted), 0); /* though it can still be asked about */
    assert_int_equal(weft_scope_wait(world.connects), 0);
    return 0;
}

static void a_scope_waits_for_an_accepted_stream_until_it_is_lost(void **state)
{
    (void)state;
    run(is_waited_for);
}

static int closes_the_scope(weft_task *me, void *arg)
{
    struct world *world = arg;

    (void)me;
    weft_scope_close(world->accepted);
    assert_int_equal(weft_connect(world->connects, "mem://here", NULL, &world->there), 0);
    return 0;
}

static int accepts_for_a_scope_that_closes(weft_task *me, void *arg)
{
    struct world world;
    weft_stream *none;

    (void)arg;
    make_world(me, &world, NULL);
    assert_int_equal(weft_spawn(weft_task_scope(me), closes_the_scope, &world), 0);
    assert_int_equal(weft_accept(world.acceptor, world.accepted, &none), WEFT_ECANCELED);
    assert_int_equal(weft_accept(world.acceptor, weft_task_scope(me), &world.here), 0);
    weft_sleep(WEFT_SECONDS(1)); /* the other end has it, too: it was not lost */
    assert_arrives(world.there, world.here, "question");
    return 0;
}

static void a_scope_that_closes_while_it_is_accepted_for_takes_nothing(void **state)
{
    (void)state;
    run(accepts_for_a_scope_that_closes);
}

/* -- what it still is to its listener -- */

static int counts(weft_task *me, void *arg)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 1};
    struct world world;
    weft_stream *second, *accepted;

    (void)arg;
    make_world(me, &world, &options);
    assert_int_equal(weft_listener_connections(weft_acceptor_listener(world.acceptor)), 1);
    (void)!weft_connect(world.connects, "mem://here", NULL, &second);
    assert_int_equal(weft_listener_connections(weft_acceptor_listener(world.acceptor)), 1);
    weft_stream_abort(world.here);
    assert_int_equal(weft_accept(world.acceptor, world.accepted, &accepted), 0);
    assert_int_equal(weft_listener_connections(weft_acceptor_listener(world.acceptor)), 1);
    return 0;
}

static void an_accepted_stream_counts_among_its_listeners(void **state)
{
    (void)state;
    run(counts);
}

static int is_asked_to_finish(weft_task *me, void *arg)
{
    struct world world;
    weft_stream *none;
    weft_bytes in;

    (void)arg;
    make_world(me, &world, NULL);
    weft_listener_stop(weft_acceptor_listener(world.acceptor), WEFT_SECONDS(5));
    assert_int_equal(weft_read(world.here, &in), 0); /* asked to finish */
    assert_arrives(world.here, world.there, "and still");
    assert_true(weft_read(world.there, &in) < 0); /* the grace time has ended */
    assert_int_equal(weft_write(world.here, weft_bytes_from("too late")), WEFT_EDRAIN);
    assert_int_equal(weft_accept(world.acceptor, world.accepted, &none), WEFT_EENDED);
    return 0;
}

static void a_listener_that_stops_asks_its_guests_and_ends_them_after_the_grace_time(void **state)
{
    (void)state;
    run(is_asked_to_finish);
}

/* A guest that is a state machine, and when it is asked closes the scope of another. */
struct guest {
    weft_protocol protocol;
    weft_scope *closes;
    bool asked;
};

static void guest_draining(weft_protocol *protocol, weft_stream *stream)
{
    struct guest *guest = weft_container_of(protocol, struct guest, protocol);

    guest->asked = true;
    weft_scope_close(guest->closes);
    weft_stream_close(stream);
}

static WEFT_PROTOCOL(guest_ops, "guest", "a test", .draining = guest_draining);

static int closes_another_when_asked(weft_task *me, void *arg)
{
    struct guest first = {{&guest_ops}, NULL, false}, last = {{&guest_ops}, NULL, false};
    weft_stream *second, *third, *there;
    struct world world;

    (void)arg;
    make_world(me, &world, NULL);
    first.closes = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    assert_int_equal(weft_connect(world.connects, "mem://here", NULL, &there), 0);
    assert_int_equal(weft_accept(world.acceptor, first.closes, &second), 0);
    assert_int_equal(weft_connect(world.connects, "mem://here", NULL, &there), 0);
    assert_int_equal(weft_accept(world.acceptor, world.accepted, &third), 0);
    weft_stream_set_protocol(world.here, &first.protocol);
    weft_stream_set_protocol(third, &last.protocol);
    weft_listener_stop(weft_acceptor_listener(world.acceptor), WEFT_SECONDS(5));
    weft_sleep(WEFT_SECONDS(1));
    assert_true(first.asked);
    assert_true(last.asked);
    weft_scope_close(world.connects);
    weft_sleep(WEFT_SECONDS(10));
    return 0;
}

static void all_guests_are_asked_though_one_ends_another(void **state)
{
    (void)state;
    run(closes_another_when_asked);
}

static int closes_while_it_stops(weft_task *me, void *arg)
{
    struct world world;

    (void)arg;
    make_world(me, &world, NULL);
    weft_listener_stop(weft_acceptor_listener(world.acceptor), WEFT_SECONDS(5));
    assert_int_equal(weft_scope_finish(world.listens), 0);
    weft_sleep(WEFT_SECONDS(10));
    assert_arrives(world.there, world.here, "question");
    return 0;
}

static void a_listener_whose_scope_closes_while_it_stops_leaves_its_guests(void **state)
{
    (void)state;
    run(closes_while_it_stops);
}

/* -- those that wait -- */

static int finds_the_living(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_acceptor *acceptor;
    weft_stream *dead[64], *alive, *accepted;

    (void)arg;
    assert_int_equal(weft_acceptor_open(scope, "mem://queue", NULL, &acceptor, NULL), 0);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(weft_connect(scope, "mem://queue", NULL, &dead[i]), 0);
    for (size_t i = 0; i < 64; i++)
        weft_stream_abort(dead[i]);
    weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(weft_connect(scope, "mem://queue", NULL, &alive), 0);
    assert_int_equal(weft_write(alive, weft_bytes_from("me")), 0);
    assert_int_equal(weft_accept(acceptor, scope, &accepted), 0);
    assert_arrives(accepted, alive, "you");
    return 0;
}

static void connections_that_were_lost_while_they_waited_take_no_place(void **state)
{
    (void)state;
    run(finds_the_living);
}

static int reads_what_the_dead_said(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_acceptor *acceptor;
    weft_stream *teller, *accepted;
    weft_bytes in;

    (void)arg;
    assert_int_equal(weft_acceptor_open(scope, "mem://queue", NULL, &acceptor, NULL), 0);
    assert_int_equal(weft_connect(scope, "mem://queue", NULL, &teller), 0);
    assert_int_equal(weft_write(teller, weft_bytes_from("a will")), 0);
    weft_sleep(WEFT_SECONDS(1));
    weft_stream_abort(teller);
    weft_sleep(WEFT_SECONDS(1));
    assert_int_equal(weft_accept(acceptor, scope, &accepted), 0);
    assert_int_equal(weft_read(accepted, &in), 6);
    assert_true(weft_read(accepted, &in) < 0);
    return 0;
}

static void a_lost_connection_that_said_something_is_still_accepted(void **state)
{
    (void)state;
    run(reads_what_the_dead_said);
}

#define task_test(function) cmocka_unit_test_setup_teardown(function, setup_on_sim, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        task_test(an_accepted_stream_outlives_its_acceptors_scope),
        task_test(a_scope_that_closes_ends_its_accepted_stream_gracefully),
        task_test(a_scope_that_is_cancelled_resets_its_accepted_stream),
        task_test(a_scope_waits_for_an_accepted_stream_until_it_is_lost),
        task_test(a_scope_that_closes_while_it_is_accepted_for_takes_nothing),
        task_test(an_accepted_stream_counts_among_its_listeners),
        task_test(a_listener_that_stops_asks_its_guests_and_ends_them_after_the_grace_time),
        task_test(all_guests_are_asked_though_one_ends_another),
        task_test(a_listener_whose_scope_closes_while_it_stops_leaves_its_guests),
        task_test(connections_that_were_lost_while_they_waited_take_no_place),
        task_test(a_lost_connection_that_said_something_is_still_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
