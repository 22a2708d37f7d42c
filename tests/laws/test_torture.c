/* SPDX-License-Identifier: MIT */
/*
 * Law 6 and EL-18: in a run of accept, echo, half-close, a file and a graceful stop every allocation fails, once and
 * for ever. Nothing crashes or leaks, every end is told once, and a connection that was there before goes on
 * undisturbed (unless memory stays short, and then it is lost with an error).
 */
#include "laws/law.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/file.h"
#include "loop/loop_internal.h"

#define LENGTH 20000

static char place[64], path[80];
static weft_directory *directory;

static weft_file *file_of_peer(void)
{
    weft_file *file;

    return file_open(directory, "f", true, &file) == 0 ? file : NULL;
}

static void must(struct law_peer *peer, int status)
{
    if (status >= 0)
        return;
    assert_int_equal(status, WEFT_ENOMEM); /* the only thing that goes wrong here */
    law_abort(peer);
}

static size_t echo(struct law_peer *peer, weft_bytes in)
{
    size_t taken = in.length > 100 ? in.length - 50 : in.length; /* a leftover has to be kept */

    must(peer, LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_first(in, taken))));
    return taken;
}

static void send_file_and_end(struct law_peer *peer)
{
    weft_file *file = file_of_peer();

    if (!file) {
        law_abort(peer);
        return;
    }
    must(peer, LAW_CALL(peer->world, weft_stream_write_file(peer->stream, file, 0, LENGTH)));
    weft_file_unref(file);
    if (!peer->over)
        law_end(peer);
}

static void speak_and_end(struct law_peer *peer)
{
    int status = law_write_pattern(peer, 30000);

    must(peer, status);
    if (status >= 0)
        law_end(peer);
}

static size_t ignore_bytes(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    return in.length;
}

static void close_when_asked(struct law_peer *peer)
{
    law_close(peer);
}

static const struct law_hooks server = {.received = echo, .ended = send_file_and_end, .draining = close_when_asked};
static const struct law_hooks client = {.connected = speak_and_end, .received = ignore_bytes, .ended = law_ignore};
static const struct law_hooks bystander = {.received = ignore_bytes, .ended = close_when_asked};

static const struct law_kind *kind;

static bool first_is_over(struct law_world *world)
{
    return !world->client[1].protocol.ops || world->client[1].lost;
}

static bool echoed(struct law_world *world)
{
    return world->client[0].bytes_in >= 10 || world->client[0].lost;
}

static bool all_over(struct law_world *world)
{
    return world->stopped && world->client[0].lost;
}

static int try_connect(struct law_world *world, size_t index, const struct law_hooks *hooks)
{
    struct law_peer *peer = &world->client[index];
    int status;

    law_peer_init(peer, world, hooks);
    status = LAW_CALL(world, weft_stream_connect(world->scope, world->url, &peer->protocol, NULL, &peer->stream, NULL));
    if (status < 0) {
        assert_int_equal(status, WEFT_ENOMEM);
        peer->protocol.ops = NULL;
    }
    return status;
}

/* The part in which memory is short. */
static void disturbed(struct law_world *world)
{
    if (try_connect(world, 1, &client) == 0)
        law_until(world, first_is_over);
    if (world->client[1].protocol.ops && support_injected() == 0) {
        assert_in_range(world->client[1].bytes_in, 30000 - 50 + LENGTH, 30000 + LENGTH);
        assert_int_equal(world->client[1].reason, WEFT_ECLOSED);
    }
}

/* The bystander was idle while memory was short: its connection goes on as if nothing had been. */
static void undisturbed(struct law_world *world)
{
    assert_int_equal(world->client[0].lost, 0);
    world->client[0].bytes_in = 0;
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    law_until(world, echoed);
    assert_int_equal(world->client[0].bytes_in, 10);
}

/* One run with the k-th allocation failing. Returns whether one failed. */
static bool run_at(size_t k, bool forever)
{
    struct law_world *world = calloc(1, sizeof *world);
    size_t descriptors = law_descriptors(), live = support_live();
    bool failed;

    if (!world)
        abort();
    support_set_context("EL-18 on %s: allocation %zu fails %s", kind->name, k, forever ? "for ever" : "once");
    law_world_open(world, kind, 1);
    law_listen(world, NULL, &server);
    law_connect(world, 0, NULL, &bystander);
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    law_until(world, echoed);
    weft_chunk_pool_trim(world->loop->chunks); /* so that writing allocates */
    support_fail_at(k, forever);
    disturbed(world);
    failed = support_injected() > 0;
    support_fail_at(0, false);
    undisturbed(world);
    support_fail_at(forever ? 1 : 0, forever); /* stopping needs no memory */
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_until(world, all_over);
    support_fail_at(0, false);
    law_world_close(world);
    assert_int_equal(law_descriptors(), descriptors);
    assert_int_equal(support_live(), live);
    support_clear_context();
    free(world);
    return failed;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    for (kind = law_kinds; kind->name; kind++) {
        size_t once = 1, forever = 1;

        while (run_at(once, false))
            once++;
        while (run_at(forever, true))
            forever++;
        print_message("%s: %zu points, failing once; %zu, failing for ever\n", kind->name, once - 1, forever - 1);
        assert_true(once > 5); /* streams at both ends, their options, chunks: else this proves nothing */
    }
}

/* Making a loop and a listener: an error, and nothing is left. */
static void start(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = arg, .watchdog = WEFT_NEVER};
    struct law_world world = {.kind = kind};
    weft_listener *listener = NULL;
    int status = weft_loop_new(&options, &world.loop);

    if (status < 0) {
        assert_int_equal(status, WEFT_ENOMEM);
        return;
    }
    status = weft_listen(weft_loop_scope(world.loop), "mem://x", &world.factory, NULL, &listener, NULL);
    if (status < 0) {
        assert_int_equal(status, WEFT_ENOMEM);
        assert_null(listener);
        assert_int_equal(weft_scope_count(weft_loop_scope(world.loop)), 0);
    } else {
        static const weft_factory_ops nothing = {.build = NULL};
        world.factory.ops = &nothing;
    }
    weft_loop_free(world.loop);
}

static void starting_fails_cleanly(void **state)
{
    (void)state;
    support_torture(start, (void *)(uintptr_t) "epoll");
    support_torture(start, (void *)(uintptr_t) "sim:1");
}

static int prepare(void **state)
{
    FILE *out;

    (void)state;
    strcpy(place, "/tmp/weft-law-XXXXXX");
    if (!mkdtemp(place))
        return -1;
    snprintf(path, sizeof path, "%s/f", place);
    out = fopen(path, "w");
    for (size_t i = 0; out && i < LENGTH; i++)
        fputc('x', out);
    return out && fclose(out) == 0 ? weft_directory_open(place, &directory) : -1;
}

static int tidy_up(void **state)
{
    (void)state;
    weft_directory_unref(directory);
    unlink(path);
    return rmdir(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(every_allocation_fails),
        support_test(starting_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, prepare, tidy_up);
}
