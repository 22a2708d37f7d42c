/* SPDX-License-Identifier: MIT */
/*
 * What Twisted's transports and reactors promise besides: addresses, a producer behind a consumer, listening again, and
 * a cancellation that meets its own completion (EL-15, EL-16). docs/reference/laws.md has the whole contract.
 */
#include "laws/law.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const struct law_hooks quiet = {0};

/* -- addresses -- */

static weft_address seen; /* by the client in `lost`: its peer's */

static void keep_peer(struct law_peer *peer)
{
    seen = *weft_stream_peer(peer->stream);
}

static void both_ends_know_the_same_addresses(struct law_world *world)
{
    static const struct law_hooks client = {.lost = keep_peer};
    weft_address local, remote;

    law_pair(world, &quiet, &client, NULL);
    assert_int_equal(LAW_CALL(world, weft_stream_local(world->client[0].stream, &local)), 0);
    assert_memory_equal(&local, weft_stream_peer(world->server[0].stream), sizeof local);
    assert_int_equal(LAW_CALL(world, weft_stream_local(world->server[0].stream, &remote)), 0);
    assert_memory_equal(&remote, weft_stream_peer(world->client[0].stream), sizeof remote);
    assert_int_equal(local.family, remote.family);
    assert_true(world->url[0] == 't' ? local.port != 0 && local.port != remote.port : local.port == 0);
    law_abort(&world->server[0]);
    law_until_lost(world);
    assert_memory_equal(&seen, &remote, sizeof remote); /* as it was, to the last */
}

/* -- a producer, a consumer that is itself one, and one that does not read -- */

#define PROXIED 1500000

static void proxy_on(struct law_peer *out)
{
    LAW_DO(out->world, weft_stream_resume(out->world->server[0].stream));
}

/* server[0] hands on to server[1] what client[0] sends; client[1] gets it. */
static size_t proxy(struct law_peer *in, weft_bytes bytes)
{
    struct law_world *world = in->world;
    int status = LAW_CALL(world, weft_stream_write(world->server[1].stream, bytes));

    assert_true(status >= 0);
    if (status > 0)
        LAW_DO(world, weft_stream_pause(in->stream));
    in->bytes_in += bytes.length;
    return bytes.length;
}

static void pump_on(struct law_peer *peer)
{
    law_pump(peer);
}

static void pause_at_once(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_pause(peer->stream));
}

static bool two_accepted(struct law_world *world)
{
    return world->accepted == 2 && world->client[1].connected;
}

static bool all_came_through(struct law_world *world)
{
    return world->client[1].bytes_in == PROXIED;
}

static void a_reader_that_waits_holds_up_the_writer_behind_a_proxy(struct law_world *world)
{
    static const struct law_hooks server = {.received = proxy, .drained = proxy_on};
    static const struct law_hooks source = {.drained = pump_on}, sink = {.connected = pause_at_once};

    law_pair(world, &server, &source, NULL);
    law_connect(world, 1, NULL, &sink);
    law_until(world, two_accepted);
    world->client[0].to_send = PROXIED;
    law_pump(&world->client[0]);
    law_pass(world, WEFT_SECONDS(5));
    assert_true(weft_stream_queued(world->server[1].stream) <= 64 * 1024 + 256 * 1024); /* its mark, and one delivery */
    assert_true(!world->kind->is_mem || world->client[0].bytes_out < PROXIED);
    LAW_DO(world, weft_stream_resume(world->client[1].stream));
    law_until(world, all_came_through);
    assert_int_equal(world->client[0].bytes_out, PROXIED);
}

/* -- listening again -- */

static bool listener_stopped(struct law_world *world)
{
    return world->stopped == 1;
}

static void a_place_can_be_listened_at_again(struct law_world *world)
{
    char url[WEFT_LISTENER_URL];

    law_pair(world, &quiet, &quiet, NULL);
    law_close(&world->client[0]);
    strcpy(url, world->url);
    LAW_DO(world, weft_listener_stop(world->listener, WEFT_SECONDS(5)));
    law_until(world, listener_stopped);
    world->stopped = 0;
    assert_int_equal(LAW_CALL(world, weft_listen(world->scope, url, &world->factory, NULL, &world->listener, NULL)), 0);
    law_layer(world);
    law_connect(world, 1, NULL, &quiet);
    law_until(world, two_accepted);
    assert_int_equal(world->client[1].lost, 0);
}

/* -- a cancellation and what it cancels -- */

#define TRIES 12

static bool told_of_all(struct law_world *world)
{
    for (size_t i = 0; i < TRIES; i++)
        if (!world->client[i].lost)
            return false;
    return true;
}

/* One attempt is cancelled in each turn from its first on: it was connected before, or never; and is lost once. */
static void a_cancellation_in_every_turn(struct law_world *world) /* EL-15 */
{
    weft_scope *all = world->scope, *scopes[TRIES];

    law_listen(world, NULL, &quiet);
    for (size_t i = 0; i < TRIES; i++) {
        world->scope = scopes[i] = weft_scope_open(all, WEFT_NEVER);
        assert_non_null(world->scope);
        law_connect(world, i, NULL, &quiet);
        (void)law_write_pattern(&world->client[i], 1000);
    }
    world->scope = all;
    for (size_t i = 0; i < TRIES; i++) {
        unsigned connected = world->client[i].connected;
        LAW_DO(world, weft_scope_close(scopes[i]));
        law_turns(world, 1);
        assert_int_equal(world->client[i].connected, connected); /* nothing after the cancellation but `lost` */
    }
    law_until(world, told_of_all);
    for (size_t i = 0; i < TRIES; i++)
        assert_true(world->client[i].reason == WEFT_ECANCELED || world->client[i].reason == WEFT_ECLOSED);
}

/* -- descriptors -- */

static void check_close_on_exec(const char *before)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;
    size_t checked = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd >= 1024 || before[fd] || fd == dirfd(directory))
            continue;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        checked++;
    }
    closedir(directory);
    assert_true(checked > 4); /* of the loop, the listener, and two ends */
}

static void no_descriptor_is_inherited_by_a_program(struct law_world *world) /* EL-16 */
{
    char before[1024] = {0};
    weft_loop *other;

    for (int fd = 0; fd < 1024; fd++)
        before[fd] = fcntl(fd, F_GETFD) >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(weft_loop_new(&(weft_loop_options){.size = sizeof(weft_loop_options), .backend = "epoll"}, &other),
                     0);
    law_pair(world, &quiet, &quiet, NULL);
    check_close_on_exec(before);
    weft_loop_free(other);
}

static const struct law laws[] = {
    {"both ends know the same addresses", both_ends_know_the_same_addresses, LAW_EVERYWHERE},
    {"a reader that waits holds up the writer behind a proxy", a_reader_that_waits_holds_up_the_writer_behind_a_proxy,
     LAW_EVERYWHERE | LAW_JUMPS},
    {"a place can be listened at again", a_place_can_be_listened_at_again, LAW_EVERYWHERE | LAW_JUMPS},
    {"EL-15: a cancellation in every turn", a_cancellation_in_every_turn, LAW_EVERYWHERE},
    {"EL-16: no descriptor is inherited by a program", no_descriptor_is_inherited_by_a_program,
     LAW_REAL | LAW_WHY_DESCRIPTOR},
};

int main(void)
{
    return law_main(laws, sizeof laws / sizeof *laws);
}
