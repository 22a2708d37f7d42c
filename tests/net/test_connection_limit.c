/* SPDX-License-Identifier: MIT */
/* One limit for several listeners: on one loop here, on several threads in test_connection_limit_threads.c. */
#include "laws/law.h"

#include <stdio.h>
#include <unistd.h>

#include <weft/connection_limit.h>

static const struct law_hooks quiet = {0};

static weft_connection_limit *limit_of(size_t connections, size_t per_address)
{
    weft_connection_limit_options options = {
        .size = sizeof options, .connections = connections, .per_address = per_address};
    weft_connection_limit *limit = NULL;

    assert_int_equal(weft_connection_limit_new(&options, &limit), 0);
    return limit;
}

/* -- two listeners with one factory -- */

struct pair {
    weft_factory_ops ops;
    weft_listener *listener[2];
    char url[2][WEFT_LISTENER_URL];
};

static unsigned stopped;

static void count_stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    (void)factory;
    (void)drained;
    (void)aborted;
    stopped++;
}

static void name_endpoint(const struct law_world *world, unsigned number, char *url)
{
    static unsigned made;

    if (world->kind->url[0] == 'u')
        snprintf(url, WEFT_LISTENER_URL, "unix://@weft-limit-%d-%u", (int)getpid(), ++made);
    else if (world->kind->url[0] == 'm')
        snprintf(url, WEFT_LISTENER_URL, "mem://limit%u", number);
    else
        snprintf(url, WEFT_LISTENER_URL, "tcp://127.0.0.1:0");
}

static void listen_twice(struct law_world *world, struct pair *pair, weft_connection_limit *limit,
                         const struct law_hooks *hooks)
{
    weft_listen_options options = {.size = sizeof options, .limit = limit};

    stopped = 0;
    pair->ops = *world->factory.ops;
    pair->ops.stopped = count_stopped;
    world->factory.ops = &pair->ops;
    world->server_hooks = hooks;
    for (unsigned i = 0; i < 2; i++) {
        name_endpoint(world, i, pair->url[i]);
        assert_int_equal(weft_listen(world->scope, pair->url[i], &world->factory, &options, &pair->listener[i], NULL),
                         0);
        weft_listener_url(pair->listener[i], NULL, pair->url[i]);
    }
}

static void connect_to(struct law_world *world, const struct pair *pair, unsigned which, size_t client)
{
    snprintf(world->url, sizeof world->url, "%s", pair->url[which]);
    law_connect(world, client, NULL, &quiet);
}

static void some_turns(struct law_world *world)
{
    if (world->kind->simulated)
        law_pass(world, WEFT_SECONDS(1));
    else
        law_turns(world, 30);
}

static bool both_stopped(struct law_world *world)
{
    (void)world;
    return stopped == 2;
}

static bool one_stopped(struct law_world *world)
{
    (void)world;
    return stopped == 1;
}

static void what_one_gives_up_the_other_takes(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(3, 0);
    static struct pair pair;

    listen_twice(world, &pair, limit, &quiet);
    for (size_t i = 0; i < 4; i++)
        connect_to(world, &pair, 0, i);
    for (size_t i = 4; i < 8; i++)
        connect_to(world, &pair, 1, i);
    for (size_t gone = 0; gone < 5; gone++) {
        some_turns(world);
        assert_int_equal(world->accepted, 3 + gone);
        assert_int_equal(weft_connection_limit_connections(limit), 3);
        law_abort(&world->server[gone]);
    }
    some_turns(world);
    assert_int_equal(world->accepted, 8);
    for (size_t i = 5; i < 8; i++)
        law_abort(&world->server[i]);
    some_turns(world);
    assert_int_equal(weft_connection_limit_connections(limit), 0);
    weft_connection_limit_unref(limit);
}

static void a_place_is_free_for_who_needs_it(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(1, 0);
    static struct pair pair;

    listen_twice(world, &pair, limit, &quiet);
    connect_to(world, &pair, 0, 0);
    some_turns(world);
    connect_to(world, &pair, 0, 1);
    some_turns(world);
    connect_to(world, &pair, 1, 2);
    some_turns(world);
    assert_int_equal(world->accepted, 1);
    law_abort(&world->server[0]);
    some_turns(world);
    assert_int_equal(world->accepted, 2);
    law_abort(&world->server[1]);
    some_turns(world);
    assert_int_equal(world->accepted, 3);
    weft_connection_limit_unref(limit);
}

static void a_listeners_own_limit_holds_beside_it(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(2, 0);
    weft_listen_options options = {.size = sizeof options, .max_connections = 1, .limit = limit};

    law_listen(world, &options, &quiet);
    law_connect(world, 0, NULL, &quiet);
    law_connect(world, 1, NULL, &quiet);
    some_turns(world);
    assert_int_equal(world->accepted, 1);
    assert_int_equal(weft_connection_limit_connections(limit), 1);
    law_abort(&world->server[0]);
    some_turns(world);
    assert_int_equal(world->accepted, 2);
    weft_connection_limit_unref(limit);
}

static size_t lost_clients(const struct law_world *world)
{
    size_t lost = 0;

    for (size_t i = 0; i < LAW_SERVERS; i++)
        lost += world->client[i].lost;
    return lost;
}

static void an_addresss_connections_are_counted_on_both(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(0, 3);
    static struct pair pair;

    listen_twice(world, &pair, limit, &quiet);
    for (size_t i = 0; i < 8; i++)
        connect_to(world, &pair, i % 2, i);
    some_turns(world);
    if (world->kind->url[0] != 't') { /* only addresses are counted */
        assert_int_equal(world->accepted, 8);
    } else {
        assert_int_equal(world->accepted, 3);
        assert_int_equal(lost_clients(world), 5);
        assert_int_equal(weft_connection_limit_connections(limit), 3);
        law_abort(&world->server[1]);
        some_turns(world);
        connect_to(world, &pair, 0, 8);
        some_turns(world);
        assert_int_equal(world->accepted, 4);
        assert_int_equal(world->client[8].lost, 0);
    }
    weft_connection_limit_unref(limit);
}

/* -- the end -- */

static void a_listener_that_waits_can_stop(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(1, 0);
    static struct pair pair;

    listen_twice(world, &pair, limit, &quiet);
    connect_to(world, &pair, 0, 0);
    some_turns(world);
    connect_to(world, &pair, 1, 1);
    some_turns(world);
    assert_int_equal(world->accepted, 1);
    LAW_DO(world, weft_listener_stop(pair.listener[1], 0));
    some_turns(world);
    assert_int_equal(stopped, 1);
    assert_int_equal(world->client[1].lost, 1);
    weft_connection_limit_unref(limit); /* the listeners have references of their own */
}

/* It is told of a place in the very turn in which it ends. */
static void a_listener_that_was_just_told_can_stop(struct law_world *world)
{
    weft_connection_limit *limit = limit_of(1, 0);
    static struct pair pair;

    listen_twice(world, &pair, limit, &quiet);
    connect_to(world, &pair, 0, 0);
    some_turns(world);
    connect_to(world, &pair, 1, 1);
    some_turns(world);
    law_abort(&world->server[0]);
    LAW_DO(world, weft_listener_stop(pair.listener[1], 0));
    LAW_DO(world, weft_listener_stop(pair.listener[0], 0));
    law_until(world, both_stopped);
    assert_int_equal(weft_connection_limit_connections(limit), 0);
    weft_connection_limit_unref(limit);
}

static void say_goodbye(struct law_peer *peer)
{
    assert_int_equal(law_write_pattern(peer, 100), 0);
    law_close(peer);
}

static void the_backlog_is_served_with_what_the_other_gives_up(struct law_world *world) /* EL-30 */
{
    static const struct law_hooks polite = {.draining = say_goodbye};
    weft_connection_limit *limit = limit_of(2, 0);
    static struct pair pair;

    listen_twice(world, &pair, limit, &polite);
    connect_to(world, &pair, 0, 0);
    connect_to(world, &pair, 0, 1);
    some_turns(world);
    for (size_t i = 2; i < 8; i++)
        connect_to(world, &pair, 1, i);
    some_turns(world);
    assert_int_equal(world->accepted, 2);
    LAW_DO(world, weft_listener_stop(pair.listener[1], WEFT_HOURS(1)));
    some_turns(world);
    assert_int_equal(world->accepted, 2);
    assert_int_equal(stopped, 0);
    law_abort(&world->server[0]);
    law_until(world, one_stopped);
    assert_int_equal(world->accepted, 8);
    for (size_t i = 2; i < 8; i++)
        assert_int_equal(world->client[i].bytes_in, 100);
    assert_int_equal(weft_connection_limit_connections(limit), 1);
    weft_connection_limit_unref(limit);
}

/* -- making one -- */

static void options_must_say_their_size(struct law_world *world)
{
    struct {
        weft_connection_limit_options known;
        size_t future;
    } newer = {.known = {.size = sizeof newer, .connections = 7}, .future = 1};
    weft_connection_limit_options none = {.connections = 7};
    weft_connection_limit *limit = NULL;

    (void)world;
    assert_int_equal(weft_connection_limit_new(&none, &limit), -EINVAL);
    assert_int_equal(weft_connection_limit_new(&newer.known, &limit), -E2BIG);
    assert_null(limit);
    newer.future = 0;
    assert_int_equal(weft_connection_limit_new(&newer.known, &limit), 0);
    weft_connection_limit_unref(limit);
    assert_int_equal(weft_connection_limit_new(NULL, &limit), 0);
    assert_ptr_equal(weft_connection_limit_ref(limit), limit);
    weft_connection_limit_unref(limit);
    weft_connection_limit_unref(limit);
    weft_connection_limit_unref(NULL);
}

static void without_memory_there_is_none(struct law_world *world)
{
    weft_connection_limit *limit = NULL;
    size_t at;

    (void)world;
    for (at = 1; !limit; at++) {
        support_fail_at(at, false);
        if (weft_connection_limit_new(NULL, &limit) < 0)
            assert_int_equal(support_injected(), 1);
    }
    support_fail_at(0, false);
    assert_true(at > 2);
    weft_connection_limit_unref(limit);
}

static const struct law laws[] = {
    {"what one gives up the other takes", what_one_gives_up_the_other_takes, LAW_EVERYWHERE},
    {"a place is free for who needs it", a_place_is_free_for_who_needs_it, LAW_EVERYWHERE},
    {"a listener's own limit holds beside it", a_listeners_own_limit_holds_beside_it, LAW_EVERYWHERE},
    {"EL-28: an address's connections are counted on both", an_addresss_connections_are_counted_on_both,
     LAW_EVERYWHERE},
    {"a listener that waits can stop", a_listener_that_waits_can_stop, LAW_EVERYWHERE},
    {"a listener that was just told can stop", a_listener_that_was_just_told_can_stop, LAW_EVERYWHERE},
    {"EL-30: the backlog is served with what the other gives up", the_backlog_is_served_with_what_the_other_gives_up,
     LAW_EVERYWHERE},
    {"options must say their size", options_must_say_their_size, LAW_EVERYWHERE},
    {"without memory there is none", without_memory_there_is_none, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
