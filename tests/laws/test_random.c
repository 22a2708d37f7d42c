/* SPDX-License-Identifier: MIT */
/*
 * EL-01: in every callback anything may be done to any stream: close, abort, pause, resume, write, end, give it to
 * another protocol, hold it and let it go, connect another, stop the listener, close the scope. Whatever the seed
 * chooses, the laws that law.c checks hold, under the address sanitizer. And law 8: the same seed is the same run.
 *
 * The argument is the number of seeds.
 */
#include "laws/law.h"

#include <stdio.h>
#include <stdlib.h>

#include "backend/sim.h"
#include "base/random.h"
#include "loop/loop_internal.h"

#define CLIENTS 10
#define HEIRS 48
#define REFERENCES 8
#define ACTIONS 600
#define REPEATED 40

static struct random_source dice;
static struct law_peer heirs[HEIRS];
static size_t heirs_used, clients_used, actions;
static weft_stream *held[REFERENCES];
static unsigned seeds = 500;
static struct law_peer *unborn; /* its factory has not returned it yet */

static void act(struct law_peer *peer);
static size_t act_received(struct law_peer *peer, weft_bytes in);

static const struct law_hooks wild = {.connected = act,
                                      .received = act_received,
                                      .ended = act,
                                      .drained = act,
                                      .deadline = act,
                                      .draining = act,
                                      .lost = act};
static const struct law_hooks wild_without_ended =
    {.connected = act, .received = act_received, .drained = act, .deadline = act, .draining = act, .lost = act};

static unsigned roll(unsigned sides)
{
    return (unsigned)random_below(&dice, sides);
}

static const struct law_hooks *some_hooks(void)
{
    return roll(3) ? &wild : &wild_without_ended;
}

/* An end that is open and whose protocol is still its own; maybe NULL. */
static struct law_peer *some_peer(struct law_world *world)
{
    struct law_peer *peer;

    switch (roll(3)) {
    case 0:
        peer = &world->client[roll(CLIENTS)];
        break;
    case 1:
        peer = &world->server[roll(LAW_SERVERS)];
        break;
    default:
        peer = &heirs[roll(HEIRS)];
    }
    return peer->stream && !peer->lost && !peer->given_away ? peer : NULL;
}

static void give_away(struct law_peer *peer)
{
    struct law_peer *heir;

    if (heirs_used == HEIRS || peer->over || peer->reason || peer == unborn)
        return; /* (when it is lost or not yet built, another protocol would not be told) */
    heir = &heirs[heirs_used];
    law_peer_init(heir, peer->world, some_hooks());
    heir->number = 1000 + heirs_used++;
    heir->connected = peer->connected;
    heir->bytes_in = peer->bytes_in;
    heir->bytes_out = peer->bytes_out;
    heir->draining = peer->draining;
    heir->stream = peer->stream;
    peer->given_away = true;
    LAW_DO(peer->world, weft_stream_set_protocol(peer->stream, &heir->protocol));
}

static void hold(weft_stream *stream)
{
    size_t place = roll(REFERENCES);

    if (held[place])
        weft_stream_unref(held[place]);
    held[place] = roll(3) ? weft_stream_ref(stream) : NULL;
}

static void connect_another(struct law_world *world)
{
    struct law_peer *peer = &world->client[clients_used];

    if (clients_used == CLIENTS || !world->scope || !world->listener)
        return;
    law_peer_init(peer, world, some_hooks());
    peer->number = clients_used++;
    if (LAW_CALL(world, weft_stream_connect(world->scope, world->url, &peer->protocol, NULL, &peer->stream, NULL)) < 0)
        peer->protocol.ops = NULL;
    else
        law_layer_client(peer);
}

static void close_scope(struct law_world *world)
{
    weft_scope *scope = world->scope;

    if (!scope || roll(10))
        return;
    world->scope = NULL;
    LAW_DO(world, weft_scope_close(scope));
}

static void do_to(struct law_peer *peer)
{
    struct law_world *world = peer->world;

    switch (roll(14)) {
    case 0:
        law_close(peer);
        break;
    case 1:
        law_abort(peer);
        break;
    case 2:
        law_end(peer);
        break;
    case 3:
    case 4:
        LAW_DO(world, weft_stream_pause(peer->stream));
        break;
    case 5:
    case 6:
        LAW_DO(world, weft_stream_resume(peer->stream));
        break;
    case 7:
        give_away(peer);
        break;
    case 8:
        hold(peer->stream);
        break;
    case 9:
        LAW_DO(world, weft_stream_set_deadline(peer->stream, WEFT_MILLISECONDS(roll(20))));
        break;
    default:
        (void)law_write_pattern(peer, roll(8) ? roll(2000) : roll(200000));
    }
}

static void do_to_world(struct law_world *world)
{
    switch (roll(40)) {
    case 0:
        close_scope(world);
        break;
    case 1:
        if (world->listener && world->scope)
            LAW_DO(world, weft_listener_stop(world->listener, WEFT_MILLISECONDS(roll(30))));
        break;
    case 2:
    case 3:
    case 4:
        connect_another(world);
        break;
    default:
        break;
    }
}

static void act(struct law_peer *self)
{
    struct law_world *world = self->world;

    for (unsigned i = roll(4); i > 0 && actions < ACTIONS; i--) {
        struct law_peer *peer = roll(2) ? self : some_peer(world);
        actions++;
        if (peer && !peer->given_away && peer->stream && !peer->lost)
            do_to(peer);
        do_to_world(world);
    }
}

static void act_build(struct law_peer *peer)
{
    unborn = peer;
    act(peer);
    unborn = NULL;
}

static size_t act_received(struct law_peer *peer, weft_bytes in)
{
    size_t taken = roll(2) ? in.length : roll((unsigned)in.length + 1);

    law_check_pattern(peer, in);
    peer->bytes_in -= in.length - taken;
    act(peer);
    return taken;
}

static void begin(struct law_world *world, const struct law_kind *kind, uint64_t seed)
{
    weft_faults faults = {
        .short_reads = 500000, .short_writes = 500000, .latency = {0, WEFT_MILLISECONDS(5)}, .resets = 2000};

    random_init(&dice, seed * 7919);
    memset(heirs, 0, sizeof heirs);
    memset(held, 0, sizeof held);
    heirs_used = clients_used = actions = 0;
    law_world_open(world, kind, seed);
    faults.rare_paths = kind->rare ? 300000 : 0;
    if (kind->faulty)
        sim_set_faults(world->loop->backend, &faults);
    world->build = roll(3) ? NULL : act_build;
    law_listen(world, NULL, some_hooks());
    for (int i = 0; i < 4; i++)
        connect_another(world);
}

static void finish(struct law_world *world)
{
    for (size_t i = 0; i < REFERENCES; i++)
        weft_stream_unref(held[i]);
    actions = ACTIONS; /* nothing more is done, so that it ends */
    law_world_close(world);
    for (size_t i = 0; i < heirs_used; i++)
        if (!heirs[i].given_away)
            assert_int_equal(heirs[i].lost, 1);
}

/* Returns the hash of the run. */
static uint64_t run_seed(const struct law_kind *kind, uint64_t seed)
{
    struct law_world *world = calloc(1, sizeof *world);
    size_t descriptors = law_descriptors(), live = support_live();
    uint64_t hash;

    if (!world)
        abort();
    support_set_context("EL-01 on %s, seed %llu", kind->name, (unsigned long long)seed);
    begin(world, kind, seed);
    if (kind->simulated)
        law_pass(world, WEFT_MILLISECONDS(100));
    else
        law_turns(world, 60);
    hash = world->hash;
    finish(world);
    assert_int_equal(law_descriptors(), descriptors);
    assert_int_equal(support_live(), live);
    support_clear_context();
    free(world);
    return hash;
}

static void anything_may_be_done_in_a_callback(void **state)
{
    (void)state;
    for (const struct law_kind *kind = law_kinds; kind->name; kind++)
        for (uint64_t seed = 1; seed <= (kind->faulty ? seeds : (seeds + 9) / 10); seed++)
            (void)run_seed(kind, seed);
}

static void the_same_seed_is_the_same_run(void **state)
{
    uint64_t before = 0;

    (void)state;
    for (const struct law_kind *kind = law_kinds; kind->name; kind++) {
        if (!kind->simulated)
            continue;
        for (uint64_t seed = 1; seed <= REPEATED; seed++) {
            uint64_t hash = run_seed(kind, seed);
            assert_int_equal(run_seed(kind, seed), hash);
            assert_int_not_equal(hash, before);
            before = hash;
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        support_test(anything_may_be_done_in_a_callback),
        support_test(the_same_seed_is_the_same_run),
    };

    if (argc > 1)
        seeds = (unsigned)strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
