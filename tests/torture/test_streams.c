/* SPDX-License-Identifier: MIT */
/*
 * Law 6, EL-18 and EL-19: in a run of connect, accept, echo, half-close, a file and a graceful stop every allocation
 * fails, and on the backend of real sockets every system call. Nothing crashes or leaks, every end is told once, and a
 * connection that was there before goes on undisturbed.
 */
#include "laws/law.h"
#include "torture/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
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
    assert_true(torture_is_disturbed());
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

/* What a scenario is played with. */
struct stage {
    const struct law_kind *kind;
    struct law_world *world;
};

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
        assert_true(torture_is_disturbed());
        peer->protocol.ops = NULL;
    }
    return status;
}

/* The bystander comes before anything fails. */
static void prepare_stage(void *arg)
{
    struct stage *stage = arg;
    weft_listen_options options = {.size = sizeof options, .unix_mode = 0600};

    stage->world = calloc(1, sizeof *stage->world);
    if (!stage->world)
        abort();
    law_world_open(stage->world, stage->kind, 1);
    law_listen(stage->world, &options, &server);
    law_connect(stage->world, 0, NULL, &bystander);
    assert_int_equal(law_write_pattern(&stage->world->client[0], 10), 0);
    law_until(stage->world, echoed);
    weft_chunk_pool_trim(stage->world->loop->chunks); /* so that writing allocates */
}

static int play(void *arg)
{
    struct law_world *world = ((struct stage *)arg)->world;
    int status = try_connect(world, 1, &client);

    if (status < 0)
        return status;
    law_until(world, first_is_over);
    if (!torture_is_disturbed()) {
        assert_in_range(world->client[1].bytes_in, 30000 - 50 + LENGTH, 30000 + LENGTH);
        assert_int_equal(world->client[1].reason, WEFT_ECLOSED);
    }
    return world->client[1].bytes_in < LENGTH || world->client[1].reason != WEFT_ECLOSED;
}

/* The bystander was idle meanwhile: its connection goes on as if nothing had been. */
static void undisturbed(struct law_world *world)
{
    assert_int_equal(world->client[0].lost, 0);
    world->client[0].bytes_in = 0;
    assert_int_equal(law_write_pattern(&world->client[0], 10), 0);
    law_until(world, echoed);
    assert_int_equal(world->client[0].bytes_in, 10);
}

static void settle_stage(void *arg)
{
    struct law_world *world = ((struct stage *)arg)->world;

    undisturbed(world);
    support_fail_at(1, true); /* stopping needs no memory */
    LAW_DO(world, weft_listener_stop(world->listener, 0));
    law_until(world, all_over);
    support_fail_at(0, false);
    law_world_close(world);
    free(world);
}

static void judge(void *arg, const struct torture_end *end)
{
    (void)arg;
    if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static void every_allocation_fails(void **state)
{
    (void)state;
    for (const struct law_kind *kind = law_kinds; kind->name; kind++) {
        struct stage stage = {.kind = kind};

        torture_allocations(&(struct torture_scenario){kind->name, play, judge, &stage, prepare_stage, settle_stage});
    }
}

static void every_call_fails(void **state)
{
    static const struct law_kind kinds[] = {
        {.name = "epoll, tcp", .backend = "epoll", .url = "tcp://127.0.0.1:0"},
        {.name = "epoll, tcp6", .backend = "epoll", .url = "tcp://[::1]:0"},
        {.name = "epoll, unix", .backend = "epoll", .url = "unix:///tmp/weft-torture-%.sock"},
        {.name = "io_uring 6.1, tcp", .backend = "io_uring:6.1", .url = "tcp://127.0.0.1:0"},
        {.name = "io_uring 6.15, tcp", .backend = "io_uring:6.15", .url = "tcp://127.0.0.1:0"},
        {.name = "io_uring 6.10, unix", .backend = "io_uring:6.10", .url = "unix:///tmp/weft-torture-%.sock"},
        {.name = "poll, tcp", .backend = "poll", .url = "tcp://127.0.0.1:0"},
        {.name = "poll, unix", .backend = "poll", .url = "unix:///tmp/weft-torture-%.sock"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct stage stage = {.kind = &kinds[i]};

        torture_calls(&(struct torture_scenario){kinds[i].name, play, judge, &stage, prepare_stage, settle_stage});
    }
}

/* -- making a loop and a listener: an error, and nothing is left -- */

struct place {
    const char *backend, *url;
    weft_listen_options options;
};

static weft_protocol *refuse(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return NULL;
}

static int start(void *arg)
{
    static const weft_factory_ops nothing = {.build = refuse};
    const struct place *at = arg;
    weft_loop_options options = {.size = sizeof options, .backend = at->backend};
    weft_factory factory = {&nothing};
    weft_listener *listener = NULL;
    char url[WEFT_LISTENER_URL];
    weft_loop *loop;
    int status = weft_loop_new(&options, &loop);

    if (status < 0)
        return status;
    status = weft_listen(weft_loop_scope(loop), at->url, &factory, &at->options, &listener, NULL);
    if (status < 0) {
        assert_null(listener);
        assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    } else {
        weft_listener_url(listener, NULL, url);
        assert_memory_equal(url, at->url, strcspn(at->url, ":") + 3); /* it knows where it listens */
    }
    weft_loop_free(loop);
    return status;
}

/* What a killed server leaves behind. */
static void leave_path(void *arg)
{
    const struct place *at = arg;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd;

    if (strncmp(at->url, "unix://", 7) != 0)
        return;
    snprintf(name.sun_path, sizeof name.sun_path, "%s", at->url + 7);
    unlink(name.sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
    close(fd);
}

/* However it went: it can be tried again. */
static void start_again(void *arg)
{
    assert_int_equal(start(arg), 0);
}

static void starting_fails_cleanly(void **state)
{
    static struct place places[] = {
        {"epoll", "tcp://127.0.0.1:0", {.size = sizeof(weft_listen_options), .reuse_port = true}},
        {"epoll", "tcp://[::]:0", {.size = sizeof(weft_listen_options)}},
        {"epoll", "unix:///tmp/weft-torture.sock", {.size = sizeof(weft_listen_options), .unix_mode = 0600}},
        {"io_uring", "tcp://127.0.0.1:0", {.size = sizeof(weft_listen_options)}},
        {"epoll", "mem://x", {.size = sizeof(weft_listen_options)}},
        {"poll", "tcp://127.0.0.1:0", {.size = sizeof(weft_listen_options)}},
        {"sim:1", "mem://x", {.size = sizeof(weft_listen_options)}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct torture_scenario scenario = {places[i].url, start, judge, &places[i], leave_path, start_again};

        torture_allocations(&scenario);
        if (strncmp(places[i].backend, "sim", 3) != 0)
            torture_calls(&scenario);
    }
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
        torture_test(every_allocation_fails),
        torture_test(every_call_fails),
        torture_test(starting_fails_cleanly),
    };
    return torture_over(cmocka_run_group_tests(tests, prepare, tidy_up));
}
