/* SPDX-License-Identifier: MIT */
/*
 * EL-30: what waits in a listener's backlog when it stops was established long ago for whoever connected. It is
 * accepted, within the listener's limits, before the socket is closed, which would reset it.
 */
#include "laws/law.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 8

static const struct law_hooks quiet = {0};

/* A protocol that has something to say to everybody, even to those who come late. */
static void say_goodbye(struct law_peer *peer)
{
    assert_int_equal(peer->connected, 1);
    assert_int_equal(law_write_pattern(peer, 100), 0);
    law_close(peer);
}

static const struct law_hooks polite = {.draining = say_goodbye};

static void connect_crowd(struct law_world *world)
{
    for (size_t i = 0; i < CROWD; i++)
        law_connect(world, i, NULL, &quiet);
}

static bool stopped_and_crowd_lost(struct law_world *world)
{
    for (size_t i = 0; i < CROWD; i++)
        if (!world->client[i].lost)
            return false;
    return world->stopped;
}

static void check_all_heard_goodbye(const struct law_world *world)
{
    assert_int_equal(world->accepted, CROWD);
    assert_int_equal(world->drained, CROWD);
    assert_int_equal(world->aborted, 0);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(world->server[i].draining, 1);
        assert_int_equal(world->client[i].bytes_in, 100);
        assert_int_equal(world->client[i].reason, WEFT_ECLOSED);
    }
}

static void the_backlog_is_served_before_the_end(struct law_world *world)
{
    law_listen(world, NULL, &polite);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    assert_int_equal(world->accepted, 0);
    law_until(world, stopped_and_crowd_lost);
    check_all_heard_goodbye(world);
}

/* -- within the limits -- */

static weft_protocol *(*build_unchecked)(weft_factory *factory, weft_stream *stream);

static weft_protocol *build_checked(weft_factory *factory, weft_stream *stream)
{
    struct law_world *world = weft_container_of(factory, struct law_world, factory);

    assert_true(weft_listener_connections(world->listener) <= 2);
    return build_unchecked(factory, stream);
}

static void the_limit_on_connections_holds(struct law_world *world)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 2};
    weft_factory_ops checked = *world->factory.ops;

    build_unchecked = checked.build;
    checked.build = build_checked;
    world->factory.ops = &checked;
    law_listen(world, &options, &polite);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_crowd_lost);
    check_all_heard_goodbye(world);
}

static void the_limit_on_an_address_holds(struct law_world *world)
{
    weft_listen_options options = {.size = sizeof options, .max_per_address = 3};
    size_t reset = 0;

    law_listen(world, &options, &polite);
    if (world->kind->url[0] != 't')
        return; /* only addresses are counted */
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_crowd_lost);
    for (size_t i = 0; i < CROWD; i++)
        reset += world->client[i].reason == -ECONNRESET;
    assert_int_equal(world->accepted + reset, CROWD);
    assert_in_range(world->accepted, 3, CROWD); /* (those that have gone make room) */
}

static bool stopped_and_three_lost(struct law_world *world)
{
    return world->stopped && world->client[0].lost && world->client[1].lost && world->client[2].lost;
}

/* The first two are one address, the third is another. */
static void whoever_waits_behind_one_that_is_refused_is_served(struct law_world *world)
{
    weft_listen_options options = {.size = sizeof options, .max_per_address = 1};
    char url[WEFT_LISTENER_URL];

    if (world->kind->url[0] != 't')
        return; /* only addresses are counted */
    world->server_hooks = &polite;
    assert_int_equal(weft_listen(world->scope, "tcp://:0", &world->factory, &options, &world->listener, NULL), 0);
    weft_listener_url(world->listener, NULL, url);
    for (size_t i = 0; i < 3; i++) {
        snprintf(world->url, sizeof world->url, "tcp://%s%s", i < 2 ? "127.0.0.1" : "[::1]", strrchr(url, ':'));
        law_connect(world, i, NULL, &quiet);
    }
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_three_lost);
    assert_int_equal(world->accepted, 2);
    assert_int_equal(world->client[1].reason, -ECONNRESET);
    assert_int_equal(world->client[2].bytes_in, 100);
    assert_int_equal(world->client[2].reason, WEFT_ECLOSED);
}

static void those_for_whom_no_place_becomes_free_go_with_the_grace_time(struct law_world *world)
{
    weft_listen_options options = {.size = sizeof options, .max_connections = 1};

    law_listen(world, &options, &quiet);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_MILLISECONDS(50)));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 1);
    assert_int_equal(world->aborted, 1);
    assert_int_equal(world->server[0].reason, WEFT_EDRAIN);
}

static void no_more_are_accepted_than_the_backlog_holds(struct law_world *world)
{
    weft_listen_options options = {.size = sizeof options, .backlog = 3};

    if (world->kind->url[0] == 'm')
        return; /* there the fourth is refused at once */
    law_listen(world, &options, &polite);
    for (size_t i = 0; i < 3; i++)
        law_connect(world, i, NULL, &quiet);
    for (size_t i = 3; i < CROWD; i++) /* the system holds one more, and lets the others try again */
        law_connect(world, i, &(weft_stream_options){.size = sizeof(weft_stream_options), .connect = 1}, &quiet);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world->client[i].reason, WEFT_ECLOSED);
}

/* -- more than are taken in one turn -- */

#define MULTITUDE 150

static unsigned welcomed, parted, parted_in_order;

static void part(weft_protocol *protocol, weft_stream *stream)
{
    (void)protocol;
    welcomed++;
    weft_stream_close(stream);
}

static void count_parted(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    parted++;
    parted_in_order += reason == WEFT_ECLOSED;
}

static WEFT_PROTOCOL(host_ops, "host", "it is a test", .draining = part);
static WEFT_PROTOCOL(guest_ops, "guest", "it is a test", .lost = count_parted);

static weft_protocol *build_host(weft_factory *factory, weft_stream *stream)
{
    static weft_protocol host = {&host_ops};

    (void)factory;
    (void)stream;
    return &host;
}

static bool stopped_and_all_parted(struct law_world *world)
{
    return world->stopped && parted == MULTITUDE;
}

static void a_multitude_in_the_backlog_is_served_in_several_turns(struct law_world *world)
{
    static weft_protocol guest = {&guest_ops};
    weft_listen_options options = {.size = sizeof options, .backlog = MULTITUDE, .max_per_address = WEFT_UNLIMITED};
    weft_factory_ops ops = *world->factory.ops;

    welcomed = parted = parted_in_order = 0;
    ops.build = build_host;
    world->factory.ops = &ops;
    law_listen(world, &options, &quiet);
    for (unsigned i = 0; i < MULTITUDE; i++)
        assert_int_equal(weft_stream_connect(world->scope, world->url, &guest, NULL, NULL, NULL), 0);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_all_parted);
    assert_int_equal(welcomed, MULTITUDE);
    assert_int_equal(parted_in_order, MULTITUDE);
}

/* -- when there is nothing to wait for -- */

static void stopped_without_grace_accepts_nobody(struct law_world *world)
{
    law_listen(world, NULL, &polite);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 0);
}

static void a_second_stop_without_grace_accepts_nobody(struct law_world *world)
{
    law_listen(world, NULL, &polite);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 0);
}

static void a_scope_that_closes_accepts_nobody(struct law_world *world)
{
    law_listen(world, NULL, &polite);
    for (size_t i = 0; i < CROWD; i++) {
        law_peer_init(&world->client[i], world, &quiet);
        assert_int_equal(weft_stream_connect(weft_loop_scope(world->loop), world->url, &world->client[i].protocol, NULL,
                                             &world->client[i].stream, NULL),
                         0);
    }
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    LAW_DO(world, weft_scope_close(world->scope));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 0);
}

/* -- what a callback does meanwhile -- */

static void stop_at_once(struct law_peer *peer)
{
    if (peer->number == 102)
        LAW_DO(peer->world, weft_listener_stop(peer->world->listener, 0));
}

static void stopped_for_good_by_the_third(struct law_world *world)
{
    law_listen(world, NULL, &polite);
    world->build = stop_at_once;
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, 3);
    assert_int_equal(world->drained + world->aborted, 3);
}

static weft_protocol *refuse(weft_factory *factory, weft_stream *stream)
{
    (void)stream;
    weft_container_of(factory, struct law_world, factory)->accepted++;
    return NULL;
}

static void those_whom_the_factory_refuses_are_gone_at_once(struct law_world *world)
{
    weft_factory_ops refusing = *world->factory.ops;

    refusing.build = refuse;
    world->factory.ops = &refusing;
    law_listen(world, NULL, &polite);
    connect_crowd(world);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_HOURS(1)));
    law_until(world, stopped_and_crowd_lost);
    assert_int_equal(world->accepted, CROWD);
    world->accepted = 0;
}

/* With latency nobody is in the backlog yet when the listener stops. */
enum { AT_ONCE = LAW_EVERYWHERE & ~LAW_FAULTS };

static const struct law laws[] = {
    {"EL-30: the backlog is served before the end", the_backlog_is_served_before_the_end, AT_ONCE},
    {"EL-30: the limit on connections holds", the_limit_on_connections_holds, AT_ONCE},
    {"EL-30: the limit on an address holds", the_limit_on_an_address_holds, AT_ONCE},
    {"EL-30: whoever waits behind one that is refused is served", whoever_waits_behind_one_that_is_refused_is_served,
     AT_ONCE},
    {"EL-30: those for whom no place becomes free go with the grace time",
     those_for_whom_no_place_becomes_free_go_with_the_grace_time, AT_ONCE},
    {"EL-30: no more are accepted than the backlog holds", no_more_are_accepted_than_the_backlog_holds,
     LAW_REAL | LAW_SIM},
    {"EL-30: a multitude in the backlog is served in several turns",
     a_multitude_in_the_backlog_is_served_in_several_turns, AT_ONCE},
    {"stopped without grace accepts nobody", stopped_without_grace_accepts_nobody, LAW_EVERYWHERE},
    {"a second stop without grace accepts nobody", a_second_stop_without_grace_accepts_nobody, LAW_EVERYWHERE},
    {"a scope that closes accepts nobody", a_scope_that_closes_accepts_nobody, LAW_EVERYWHERE},
    {"stopped for good by the third", stopped_for_good_by_the_third, AT_ONCE},
    {"those whom the factory refuses are gone at once", those_whom_the_factory_refuses_are_gone_at_once, AT_ONCE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
