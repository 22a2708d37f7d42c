/* SPDX-License-Identifier: MIT */
#include "laws/law.h"

#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/timer.h>

#include "backend/readiness.h"
#include "backend/sim.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

#define TURN_LIMIT 200000
#define SEEDS_FAULTY 25

/* A program of which another file has such a table goes by that one. */
__attribute__((weak)) const struct law_kind law_kinds[] = {
    {.name = "epoll, tcp", .backend = "epoll", .url = "tcp://127.0.0.1:0", .tells_reset = true},
    {.name = "epoll, unix", .backend = "epoll", .url = "unix://@weft-law-%"},
    {.name = "epoll, mem", .backend = "epoll", .url = "mem://law", .tells_reset = true, .is_mem = true},
    {.name = "io_uring 6.1, tcp",
     .backend = "io_uring:6.1",
     .url = "tcp://127.0.0.1:0",
     .tells_reset = true,
     .completes = true},
    {.name = "io_uring 6.10, tcp",
     .backend = "io_uring:6.10",
     .url = "tcp://127.0.0.1:0",
     .tells_reset = true,
     .completes = true},
    {.name = "io_uring 6.15, tcp",
     .backend = "io_uring:6.15",
     .url = "tcp://127.0.0.1:0",
     .tells_reset = true,
     .completes = true},
    {.name = "io_uring 6.1, unix", .backend = "io_uring:6.1", .url = "unix://@weft-law-%", .completes = true},
    {.name = "io_uring 6.10, unix", .backend = "io_uring:6.10", .url = "unix://@weft-law-%", .completes = true},
    {.name = "io_uring 6.15, unix", .backend = "io_uring:6.15", .url = "unix://@weft-law-%", .completes = true},
    {.name = "io_uring, mem", .backend = "io_uring", .url = "mem://law", .tells_reset = true, .is_mem = true},
    {.name = "poll, tcp", .backend = "poll", .url = "tcp://127.0.0.1:0", .tells_reset = true},
    {.name = "poll, unix", .backend = "poll", .url = "unix://@weft-law-%"},
    {.name = "poll, mem", .backend = "poll", .url = "mem://law", .tells_reset = true, .is_mem = true},
    {.name = "sim, tcp",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .tells_reset = true,
     .is_mem = true},
    {.name = "sim, unix", .backend = "sim:%", .url = "unix://@weft-law-%", .simulated = true, .is_mem = true},
    {.name = "sim, mem",
     .backend = "sim:%",
     .url = "mem://law",
     .simulated = true,
     .tells_reset = true,
     .is_mem = true},
    {.name = "sim with faults",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .tells_reset = true,
     .is_mem = true},
    {.name = "sim with rare paths",
     .backend = "sim:%",
     .url = "tcp://127.0.0.1:0",
     .simulated = true,
     .faulty = true,
     .rare = true,
     .tells_reset = true,
     .is_mem = true},
    {.name = NULL},
};

static struct law_world *watched; /* whose loop runs: the shim of the backend's wait has no other way to know */

/* -- what every callback checks -- */

static struct law_peer *peer_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct law_peer, protocol);
}

static void hash_in(struct law_world *world, uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8)
        world->hash = (world->hash ^ (value & 0xff)) * UINT64_C(0x100000001b3);
}

static struct law_peer *enter(weft_protocol *protocol, weft_stream *stream, unsigned kind, size_t length)
{
    struct law_peer *peer = peer_of(protocol);
    struct law_world *world = peer->world;

    assert_int_equal(world->calling, 0); /* law 2: nothing re-enters */
    assert_int_equal(peer->lost, 0);     /* law 3: `lost` is the last call */
    assert_false(peer->given_away);
    assert_ptr_equal(weft_stream_loop(stream), world->loop);
    assert_ptr_equal(weft_stream_protocol(stream), protocol);
    peer->stream = stream;
    hash_in(world, kind);
    hash_in(world, peer->number);
    hash_in(world, length);
    hash_in(world, (uint64_t)weft_loop_now(world->loop) * (world->kind->simulated ? 1 : 0));
    return peer;
}

/* For all but connected and lost. */
static struct law_peer *enter_open(weft_protocol *protocol, weft_stream *stream, unsigned kind, size_t length)
{
    struct law_peer *peer = enter(protocol, stream, kind, length);

    assert_int_equal(peer->connected, 1);
    assert_false(peer->over);
    return peer;
}

static void on_connected(weft_protocol *protocol, weft_stream *stream)
{
    struct law_peer *peer = enter(protocol, stream, 1, 0);

    assert_int_equal(peer->connected++, 0);
    assert_false(peer->over);
    if (peer->hooks->connected)
        peer->hooks->connected(peer);
}

static size_t on_received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct law_peer *peer = enter_open(protocol, stream, 2, in.length);

    assert_true(in.length > 0);
    assert_int_equal(peer->ended, 0);
    peer->received++;
    if (peer->hooks->received)
        return peer->hooks->received(peer, in);
    law_check_pattern(peer, in);
    return in.length;
}

static void on_drained(weft_protocol *protocol, weft_stream *stream)
{
    struct law_peer *peer = enter_open(protocol, stream, 3, 0);

    peer->drained++;
    if (peer->hooks->drained)
        peer->hooks->drained(peer);
}

static void on_ended(weft_protocol *protocol, weft_stream *stream)
{
    struct law_peer *peer = enter_open(protocol, stream, 4, 0);

    assert_int_equal(peer->ended++, 0);
    peer->hooks->ended(peer);
}

static void on_deadline(weft_protocol *protocol, weft_stream *stream)
{
    struct law_peer *peer = enter(protocol, stream, 5, 0);

    assert_false(peer->over);
    peer->deadline++;
    if (peer->hooks->deadline)
        peer->hooks->deadline(peer);
}

static void on_draining(weft_protocol *protocol, weft_stream *stream)
{
    struct law_peer *peer = enter_open(protocol, stream, 6, 0);

    assert_int_equal(peer->draining++, 0);
    if (peer->hooks->draining)
        peer->hooks->draining(peer);
}

static void on_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct law_peer *peer = enter(protocol, stream, 7, (size_t)-reason);
    struct law_world *world = peer->world;

    assert_true(reason < 0);
    peer->reason = reason;
    peer->lost_at = weft_loop_now(world->loop);
    assert_int_equal(LAW_CALL(world, weft_stream_write(stream, weft_bytes_from("x"))), WEFT_EENDED);
    if (peer->hooks->lost)
        peer->hooks->lost(peer);
    peer->lost++;
    peer->stream = NULL;
}

static WEFT_PROTOCOL(law_ops, "law", "a test", .connected = on_connected, .received = on_received,
                     .drained = on_drained, .ended = on_ended, .deadline = on_deadline, .draining = on_draining,
                     .lost = on_lost);
static WEFT_PROTOCOL(law_ops_without_ended, "law", "a test", .connected = on_connected, .received = on_received,
                     .drained = on_drained, .deadline = on_deadline, .draining = on_draining, .lost = on_lost);

void law_peer_init(struct law_peer *peer, struct law_world *world, const struct law_hooks *hooks)
{
    *peer = (struct law_peer){
        .protocol.ops = hooks->ended ? &law_ops : &law_ops_without_ended,
        .world = world,
        .hooks = hooks,
    };
}

/* -- an end -- */

char law_pattern(uint64_t position)
{
    return (char)(position * 31 + (position >> 8) * 7 + (position >> 16));
}

void law_check_pattern(struct law_peer *peer, weft_bytes in)
{
    for (size_t i = 0; i < in.length; i++)
        if (in.data[i] != law_pattern(peer->bytes_in + i))
            fail_msg("byte %" PRIu64 " is wrong", peer->bytes_in + i);
    peer->bytes_in += in.length;
}

int law_write_pattern(struct law_peer *peer, size_t length)
{
    char *bytes = malloc(length + 1);
    int status;

    if (!bytes)
        abort();
    for (size_t i = 0; i < length; i++)
        bytes[i] = law_pattern(peer->bytes_out + i);
    status = LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_of(bytes, length)));
    free(bytes);
    if (status >= 0)
        peer->bytes_out += length;
    return status;
}

void law_pump(struct law_peer *peer)
{
    int status = 0;

    while (status == 0 && peer->bytes_out < peer->to_send) {
        uint64_t left = peer->to_send - peer->bytes_out;
        status = law_write_pattern(peer, left < 10000 ? (size_t)left : 10000);
        assert_true(status >= 0);
    }
}

void law_close(struct law_peer *peer)
{
    peer->over = true;
    LAW_DO(peer->world, weft_stream_close(peer->stream));
    LAW_DO(peer->world, weft_stream_close(peer->stream));
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_from("x"))), WEFT_EENDED);
}

void law_abort(struct law_peer *peer)
{
    peer->over = true;
    LAW_DO(peer->world, weft_stream_abort(peer->stream));
    LAW_DO(peer->world, weft_stream_abort(peer->stream));
    LAW_DO(peer->world, weft_stream_close(peer->stream));
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_from("x"))), WEFT_EENDED);
}

void law_end(struct law_peer *peer)
{
    LAW_DO(peer->world, weft_stream_end(peer->stream));
    LAW_DO(peer->world, weft_stream_end(peer->stream));
    assert_int_equal(LAW_CALL(peer->world, weft_stream_write(peer->stream, weft_bytes_from("x"))), WEFT_EENDED);
}

void law_ignore(struct law_peer *peer)
{
    (void)peer;
}

/* -- a world -- */

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    struct law_world *world = weft_container_of(factory, struct law_world, factory);
    struct law_peer *peer;

    assert_int_equal(world->calling, 0);
    assert_int_equal(world->stopped, 0);
    assert_true(world->accepted < LAW_SERVERS);
    peer = &world->server[world->accepted];
    law_peer_init(peer, world, world->server_hooks);
    peer->number = 100 + world->accepted++;
    peer->stream = stream;
    if (world->build)
        world->build(peer);
    return &peer->protocol;
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    struct law_world *world = weft_container_of(factory, struct law_world, factory);

    assert_int_equal(world->calling, 0);
    assert_int_equal(world->stopped++, 0);
    world->drained = drained;
    world->aborted = aborted;
    world->listener = NULL;
}

static const weft_factory_ops factory_ops = {.build = build, .stopped = stopped};

static bool something_came(const struct law_world *world, const struct backend *backend)
{
    return weft_container_of(backend, const struct readiness, base)->event_count > 0 || world->real->has_work(backend);
}

/* A real backend whose clock jumps, as the simulator's does; but what the system is about to deliver comes first. */
static int jump(struct law_world *world, struct backend *backend, weft_time timeout)
{
    int status = world->real->wait(backend, 0);

    if (status < 0 || timeout == 0 || something_came(world, backend))
        return status;
    if (timeout == WEFT_NEVER)
        return world->real->wait(backend, timeout);
    support_loopback_settle(&world->loopback);
    status = world->real->wait(backend, 0);
    if (status == 0 && !something_came(world, backend))
        world->now += timeout;
    return status;
}

static int shim_wait(struct backend *backend, weft_time timeout)
{
    struct law_world *world = watched;

    world->turns++;
    if (world->done && world->done(world))
        world->reached = true;
    if (world->reached || world->turns > world->turn_limit) {
        weft_loop_stop(world->loop);
        timeout = 0;
    }
    return world->jumps ? jump(world, backend, timeout) : world->real->wait(backend, timeout);
}

static weft_time shim_now(struct backend *backend)
{
    struct law_world *world = watched;

    return world->jumps ? world->now : world->real->now(backend);
}

/* What a jump does for a loop that waits itself: a host looks at a real clock, so before it does, the other one has
 * passed. */
static void jump_before_the_host_sleeps(struct law_world *world)
{
    weft_time sleep = weft_loop_prepare(world->loop);
    struct pollfd ready = {.fd = weft_loop_fd(world->loop), .events = POLLIN};

    if (sleep == 0 || sleep == WEFT_NEVER)
        return;
    support_loopback_settle(&world->loopback);
    if (poll(&ready, 1, 0) == 0)
        world->now += sleep;
}

static void host_stopped(weft_loop *loop, void *arg)
{
    struct law_world *world = arg;

    assert_ptr_equal(loop, world->loop);
    world->host_stopped = true;
}

/* weft_loop_run, or a host until that would have returned. */
static int run_world(struct law_world *world)
{
    const struct law_host *host = world->kind->host;

    if (!host)
        return weft_loop_run(world->loop);
    world->host_stopped = false;
    host->open(world->loop, host_stopped, world);
    while (!world->host_stopped && weft_loop_alive(world->loop)) {
        if (world->done && world->done(world))
            weft_loop_stop(world->loop); /* as shim_wait does before a wait */
        if (world->jumps)
            jump_before_the_host_sleeps(world);
        host->turn(true);
    }
    host->close();
    return 0;
}

static void fill_in(char *buffer, size_t size, const char *text, uint64_t number)
{
    size_t before = strcspn(text, "%");

    if (text[before])
        snprintf(buffer, size, "%.*s%" PRIu64 "%s", (int)before, text, number, text + before + 1);
    else
        snprintf(buffer, size, "%s", text);
}

void law_world_open(struct law_world *world, const struct law_kind *kind, uint64_t seed)
{
    weft_faults faults = {.short_reads = 500000, .short_writes = 500000, .latency = {0, WEFT_MILLISECONDS(5)}};
    char backend[64];
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};

    *world = (struct law_world){.kind = kind, .seed = seed, .hash = UINT64_C(0xcbf29ce484222325)};
    fill_in(backend, sizeof backend, strcmp(kind->backend, "epoll") == 0 ? support_engine() : kind->backend, seed);
    assert_int_equal(weft_loop_new(&options, &world->loop), 0);
    faults.rare_paths = kind->rare ? 300000 : 0;
    if (kind->faulty)
        sim_set_faults(world->loop->backend, &faults);
    world->real = world->loop->backend->ops;
    world->shim = *world->real;
    world->shim.wait = shim_wait;
    world->shim.now = shim_now;
    world->now = weft_loop_now(world->loop);
    world->loop->backend->ops = &world->shim;
    world->turn_limit = TURN_LIMIT;
    world->factory.ops = &factory_ops;
    world->scope = weft_scope_open(weft_loop_scope(world->loop), WEFT_NEVER);
    assert_non_null(world->scope);
    watched = world;
}

static void check_peer(const struct law_peer *peer)
{
    if (peer->protocol.ops && !peer->given_away)
        assert_int_equal(peer->lost, 1);
}

void law_world_close(struct law_world *world)
{
    bool listening = world->listener != NULL;

    world->done = NULL;
    world->reached = false;
    world->turns = 0;
    weft_loop_free(world->loop);
    assert_true(world->turns <= world->turn_limit);
    for (size_t i = 0; i < LAW_SERVERS; i++) {
        check_peer(&world->server[i]);
        check_peer(&world->client[i]);
    }
    if (listening)
        assert_int_equal(world->stopped, 1);
}

void law_layer(struct law_world *world)
{
    if (world->kind->layer_listener)
        world->kind->layer_listener(world->listener);
}

void law_layer_client(struct law_peer *peer)
{
    if (peer->world->kind->layer_client)
        peer->world->kind->layer_client(peer->stream);
}

void law_listen(struct law_world *world, const weft_listen_options *options, const struct law_hooks *hooks)
{
    static uint64_t number;
    char url[WEFT_LISTENER_URL];

    fill_in(url, sizeof url, world->kind->url, (uint64_t)getpid() * 100000 + ++number);
    world->server_hooks = hooks;
    assert_int_equal(LAW_CALL(world, weft_listen(world->scope, url, &world->factory, options, &world->listener, NULL)),
                     0);
    law_layer(world);
    weft_listener_url(world->listener, NULL, world->url);
}

void law_connect(struct law_world *world, size_t index, const weft_stream_options *options,
                 const struct law_hooks *hooks)
{
    struct law_peer *peer = &world->client[index];

    law_peer_init(peer, world, hooks);
    peer->number = index;
    assert_int_equal(
        LAW_CALL(world, weft_stream_connect(world->scope, world->url, &peer->protocol, options, &peer->stream, NULL)),
        0);
    law_layer_client(peer);
}

static bool both_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[0].connected;
}

void law_pair(struct law_world *world, const struct law_hooks *server, const struct law_hooks *client,
              const weft_stream_options *options)
{
    weft_listen_options listen = {.size = sizeof listen};

    if (options)
        listen.stream = *options;
    law_listen(world, &listen, server);
    law_connect(world, 0, options, client);
    law_until(world, both_connected);
}

void law_until(struct law_world *world, bool (*done)(struct law_world *world))
{
    world->turns = 0;
    world->reached = false;
    world->done = done;
    while (!world->reached && world->turns <= world->turn_limit) {
        int status = run_world(world);
        if (status < 0)
            fail_msg("the loop failed: %s", weft_error_name(status));
        if (!world->reached && done(world))
            world->reached = true;
        if (!world->reached && world->turns <= world->turn_limit)
            fail_msg("nothing is left to wait for, but it has not happened");
    }
    world->done = NULL;
    if (!world->reached)
        fail_msg("it has not happened after %" PRIu64 " turns", world->turns);
}

static bool both_lost(struct law_world *world)
{
    return world->client[0].lost && world->server[0].lost;
}

void law_until_lost(struct law_world *world)
{
    law_until(world, both_lost);
}

void law_turns(struct law_world *world, unsigned turns)
{
    const struct law_host *host = world->kind->host;

    world->turns = 0;
    world->reached = false;
    if (host)
        host->open(world->loop, host_stopped, world);
    while (turns-- > 0) {
        if (host)
            host->turn(false);
        else
            assert_true(weft_loop_step(world->loop) >= 0);
    }
    if (host)
        host->close();
}

static bool timer_over;

static void timer_fired(weft_timer *timer)
{
    (void)timer;
    timer_over = true;
}

static bool time_over(struct law_world *world)
{
    (void)world;
    return timer_over;
}

void law_pass(struct law_world *world, weft_time time)
{
    weft_timer timer;

    assert_true(world->kind->simulated || world->jumps);
    timer_over = false;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(world->loop), timer_fired), 0);
    weft_timer_start(&timer, time);
    law_until(world, time_over);
    weft_timer_fini(&timer);
}

size_t law_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* -- running them -- */

struct law_test {
    const struct law *law;
    const struct law_kind *kind;
    char name[120];
};

static void run_once(const struct law_test *test, uint64_t seed)
{
    struct law_world *world = calloc(1, sizeof *world);
    size_t descriptors = law_descriptors(), live = support_live();

    if (!world)
        abort();
    support_set_context("%s on %s, seed %" PRIu64, test->law->name, test->kind->name, seed);
    law_world_open(world, test->kind, seed);
    world->jumps = (test->law->where & LAW_JUMPS) && !test->kind->simulated;
    if (world->jumps)
        support_loopback_open(&world->loopback);
    test->law->run(world);
    law_world_close(world);
    if (world->jumps)
        support_loopback_close(&world->loopback);
    assert_int_equal(law_descriptors(), descriptors);
    assert_int_equal(support_live(), live);
    support_clear_context();
    free(world);
}

static void run_law(void **state)
{
    const struct law_test *test = *state;

    for (uint64_t seed = 1; seed <= (test->kind->faulty ? SEEDS_FAULTY : 1); seed++)
        run_once(test, seed);
}

static unsigned where_of(const struct law_kind *kind)
{
    if (kind->simulated)
        return kind->faulty ? LAW_FAULTS : LAW_SIM;
    return kind->is_mem ? LAW_MEMORY : LAW_REAL;
}

static const char *why(unsigned where)
{
    if (where & LAW_WHY_PROCESS)
        return "a stranger's socket; in the simulator tests/sim/test_conformance_places.c shares ports";
    if (where & LAW_WHY_SILENCE)
        return "a peer that has vanished: within one system none does";
    if (where & LAW_WHY_DESCRIPTOR)
        return "the simulator has no descriptors";
    return "no reason is given";
}

/* How many laws there are on each backend; those that are missing on one must say why. @return how many do not */
static int count_laws(const struct law *laws, size_t count)
{
    unsigned on_epoll = 0, on_sim = 0;
    int unexplained = 0;

    for (size_t i = 0; i < count; i++) {
        bool real = laws[i].where & (LAW_REAL | LAW_MEMORY), sim = laws[i].where & (LAW_SIM | LAW_FAULTS);

        on_epoll += real;
        on_sim += sim;
        if (real && sim)
            continue;
        print_message("on %s alone: %s: %s\n", real ? "epoll" : "the simulator", laws[i].name, why(laws[i].where));
        unexplained += !(laws[i].where & LAW_WHYS);
    }
    print_message("laws: %u on epoll, %u on the simulator\n", on_epoll, on_sim);
    return unexplained;
}

static size_t count_kinds(void)
{
    size_t count = 0;

    while (law_kinds[count].name)
        count++;
    return count;
}

int law_main(const struct law *laws, size_t count)
{
    size_t most = count * count_kinds(), made = 0;
    struct law_test *tests = calloc(most, sizeof *tests);
    struct CMUnitTest *units = calloc(most, sizeof *units);
    int failed;

    if (!tests || !units)
        abort();
    for (size_t i = 0; i < count; i++) {
        for (const struct law_kind *kind = law_kinds; kind->name; kind++) {
            if (!(laws[i].where & where_of(kind)) || ((laws[i].where & LAW_AT_ONCE) && kind->completes) ||
                ((laws[i].where & LAW_TOGETHER) && kind->apart))
                continue;
            tests[made] = (struct law_test){.law = &laws[i], .kind = kind};
            snprintf(tests[made].name, sizeof tests[made].name, "%s (%s)", laws[i].name, kind->name);
            units[made] = (struct CMUnitTest){.name = tests[made].name,
                                              .test_func = run_law,
                                              .setup_func = support_setup,
                                              .teardown_func = support_teardown,
                                              .initial_state = &tests[made]};
            made++;
        }
    }
    failed = count_laws(laws, count);
    failed += _cmocka_run_group_tests("laws", units, made, NULL, NULL);
    free(units);
    free(tests);
    return failed;
}
