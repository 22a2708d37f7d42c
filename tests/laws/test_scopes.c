/* SPDX-License-Identifier: MIT */
/* Laws 1 and 9: who owns what. law_world_close checks that nothing is left: no descriptor, no allocation. */
#include "laws/law.h"

static const struct law_hooks quiet = {0};
static const struct law_hooks stays = {.ended = law_ignore};

static void pause_at_once(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
}

static bool five_accepted(struct law_world *world)
{
    return world->accepted == 5;
}

/* Connections in every state: idle, paused, with output that waits, closing, half-closed. */
static void open_everything(struct law_world *world)
{
    static const struct law_hooks paused = {.connected = pause_at_once, .ended = law_ignore};

    law_listen(world, NULL, &paused);
    for (size_t i = 0; i < 5; i++)
        law_connect(world, i, NULL, &stays);
    law_until(world, five_accepted);
    for (size_t i = 1; i < 4; i++)
        (void)law_write_pattern(&world->client[i], 4000000);
    law_turns(world, 5);
    law_close(&world->client[2]);
    law_end(&world->client[3]);
    law_end(&world->client[4]);
    law_turns(world, 5);
}

static bool stopped(struct law_world *world)
{
    return world->stopped && world->client[0].lost && world->client[4].lost;
}

static void closing_a_scope_ends_all_that_is_in_it(struct law_world *world)
{
    open_everything(world);
    world->client[2].over = world->client[3].over = true;
    LAW_DO(world, weft_scope_close(world->scope));
    law_until(world, stopped);
    assert_int_equal(world->client[0].reason, WEFT_ECANCELED);
    assert_int_equal(world->server[0].reason, WEFT_ECANCELED);
    assert_int_equal(weft_scope_count(weft_loop_scope(world->loop)), 0);
    assert_int_equal(world->drained + world->aborted, 5);
    assert_int_equal(world->aborted, 5); /* none of them finished */
}

static void freeing_a_loop_ends_all_that_is_on_it(struct law_world *world)
{
    open_everything(world);
}

static void freeing_a_loop_while_connecting(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
    for (size_t i = 0; i < LAW_SERVERS; i++) {
        law_connect(world, i, NULL, &quiet);
        (void)law_write_pattern(&world->client[i], 1000);
    }
}

static void freeing_a_loop_at_once(struct law_world *world)
{
    law_listen(world, NULL, &quiet);
}

static void a_cancelled_scope_takes_nothing(struct law_world *world)
{
    struct law_peer *client = &world->client[0];

    law_listen(world, NULL, &quiet);
    LAW_DO(world, weft_scope_cancel(world->scope, -EPERM));
    law_peer_init(client, world, &quiet);
    assert_int_equal(
        LAW_CALL(world, weft_stream_connect(world->scope, world->url, &client->protocol, NULL, &client->stream, NULL)),
        -EPERM);
    assert_int_equal(LAW_CALL(world, weft_listen(world->scope, "mem://other", &world->factory, NULL, NULL, NULL)),
                     -EPERM);
    assert_int_equal(
        LAW_CALL(world, weft_stream_connect(NULL, world->url, &client->protocol, NULL, &client->stream, NULL)),
        WEFT_ENOMEM);
    client->protocol.ops = NULL; /* nothing was called, and nothing will be */
}

static void close_scope(struct law_peer *peer)
{
    struct law_world *world = peer->world;

    LAW_DO(world, weft_scope_close(world->scope));
    world->scope = NULL;
}

static size_t close_scope_received(struct law_peer *peer, weft_bytes in)
{
    close_scope(peer);
    return in.length;
}

static bool server_and_client_lost(struct law_world *world)
{
    return world->client[0].lost && world->server[0].lost && world->stopped;
}

static void a_callback_may_close_the_scope_that_it_is_in(struct law_world *world)
{
    static const struct law_hooks server = {.received = close_scope_received};

    law_pair(world, &server, &quiet, NULL);
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    law_until(world, server_and_client_lost);
    assert_int_equal(weft_scope_count(weft_loop_scope(world->loop)), 0);
}

static void build_may_close_the_scope_that_it_is_in(struct law_world *world)
{
    world->build = close_scope;
    law_listen(world, NULL, &quiet);
    for (size_t i = 0; i < LAW_SERVERS; i++)
        law_connect(world, i, NULL, &quiet);
    law_turns(world, 1);
    while (!world->client[0].lost && world->turns++ < 100000)
        assert_true(weft_loop_run(world->loop) == 0);
    assert_int_equal(world->accepted, 1);
}

static void stop_listening(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_listener_stop(peer->world->listener, 0));
    peer->world->build = NULL;
}

static bool first_client_lost(struct law_world *world)
{
    return world->client[0].lost && world->stopped;
}

/* Others wait to be accepted in the same turn. */
static void build_may_stop_its_listener(struct law_world *world)
{
    world->build = stop_listening;
    law_listen(world, NULL, &quiet);
    for (size_t i = 0; i < LAW_SERVERS; i++)
        law_connect(world, i, NULL, &quiet);
    law_until(world, first_client_lost);
}

static const struct law laws[] = {
    {"closing a scope ends all that is in it", closing_a_scope_ends_all_that_is_in_it, LAW_EVERYWHERE},
    {"freeing a loop ends all that is on it", freeing_a_loop_ends_all_that_is_on_it, LAW_EVERYWHERE},
    {"freeing a loop while connecting", freeing_a_loop_while_connecting, LAW_EVERYWHERE},
    {"freeing a loop at once", freeing_a_loop_at_once, LAW_EVERYWHERE},
    {"a cancelled scope takes nothing", a_cancelled_scope_takes_nothing, LAW_EVERYWHERE},
    {"a callback may close the scope that it is in", a_callback_may_close_the_scope_that_it_is_in, LAW_EVERYWHERE},
    {"build may close the scope that it is in", build_may_close_the_scope_that_it_is_in, LAW_EVERYWHERE},
    {"build may stop its listener", build_may_stop_its_listener, LAW_EVERYWHERE},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
