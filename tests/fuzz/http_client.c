/* SPDX-License-Identifier: MIT */
/*
 * A client's connections to a server in the simulator that says what it likes.
 *
 * The input: four bytes that decide what is asked for and how the network splits, then what the server says, as it is,
 * but for the byte 0xff, which begins an action:
 *
 *     ff 00..1f  time passes, 100 ms times the square of the number (0: only what is ready is done)
 *     ff 20      the newest connection is half-closed      ff 21  reset       ff 22  closed
 *     ff 23      another request begins                    ff 24  one is cancelled
 *     ff 25      one turn of the loop                      ff 26  a response is paused   ff 27  resumed
 *     ff 28      the client is closed
 *     ff ff      a byte 0xff
 *
 * What must hold: every request is told once that it is gone, and nothing else after that; no more is delivered than its
 * limit; a body follows a head; secrets are sent to their own host only; nothing is left allocated.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/http_client.h>
#include <weft/timer.h>

#include "backend/sim.h"
#include "base/random.h"
#include "loop/loop_internal.h"
#include "support/support.h"

#define TURNS 5000
#define REQUESTS 32
#define BODY_LIMIT 50000

struct world;

struct asked {
    weft_http_receiver receiver;
    struct world *world;
    weft_http_request *request; /* NULL once it is gone */
    bool headed, gone, streams, pauses;
    uint64_t bytes;
};

struct server {
    weft_protocol protocol;
    struct world *world;
    struct server *older;
    weft_stream *stream; /* NULL once it is lost */
};

struct world {
    weft_factory factory;
    weft_loop *loop;
    weft_http_client *client;
    weft_listener *listener;
    struct server *newest;
    struct random_source random;
    struct asked asked[REQUESTS];
    size_t count;
    char url[WEFT_LISTENER_URL];
};

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* -- the client -- */

static struct asked *asked_of(weft_http_receiver *receiver, weft_http_request *request)
{
    struct asked *asked = weft_container_of(receiver, struct asked, receiver);

    demand(!asked->gone && asked->request == request, "nothing is told after the end");
    return asked;
}

static void on_head(weft_http_receiver *receiver, weft_http_request *request)
{
    struct asked *asked = asked_of(receiver, request);

    demand(!asked->headed, "there is one head");
    demand(weft_http_request_status(request) >= 200, "the response is final");
    demand(weft_http_request_redirects(request) <= 3, "redirects have a limit");
    for (size_t i = 0; i < weft_http_request_field_count(request); i++)
        demand(!memchr(weft_http_request_field_at(request, i)->value.data, '\n',
                       weft_http_request_field_at(request, i)->value.length),
               "a value has no line end");
    asked->headed = true;
}

static void on_body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct asked *asked = asked_of(receiver, request);

    demand(asked->headed && bytes.length > 0, "a body follows a head");
    asked->bytes += bytes.length;
    demand(asked->bytes <= BODY_LIMIT, "a body has its limit");
    if (asked->pauses)
        weft_http_request_pause(request);
}

static void on_drained(weft_http_receiver *receiver, weft_http_request *request)
{
    struct asked *asked = asked_of(receiver, request);
    static const char filler[3000];
    uint64_t way = random_below(&asked->world->random, 4);

    demand(asked->streams, "only who streams is asked");
    if (way > 0)
        (void)weft_http_request_write(request, weft_bytes_of(filler, sizeof filler));
    if (way > 1)
        (void)weft_http_request_end(request, NULL, 0);
}

static void on_gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct asked *asked = asked_of(receiver, request);

    demand(reason < 0 || asked->headed, "what is complete has a head");
    asked->gone = true;
    asked->request = NULL;
}

static const weft_http_receiver_ops ops = {.head = on_head, .body = on_body, .drained = on_drained, .gone = on_gone};

static void ask(struct world *world)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT"};
    static const weft_http_field fields[] = {{WEFT_BYTES("Cookie"), WEFT_BYTES("SECRET")},
                                             {WEFT_BYTES("A"), WEFT_BYTES("b")}};
    uint64_t way = random_next(&world->random);
    struct asked *asked = &world->asked[world->count];
    weft_http_call call = {
        .size = sizeof call,
        .client = world->client,
        .url = world->url,
        .method = methods[way & 3],
        .fields = fields,
        .field_count = 2,
        .streamed = (way & 4) && (way & 2),
        .length = way & 8 ? WEFT_HTTP_LENGTH_UNKNOWN : 3000,
        .expect = (way & 16) != 0,
        .raw = (way & 32) != 0,
        .redirects = 3,
        .body_limit = BODY_LIMIT,
        .total_time = way & 64 ? WEFT_SECONDS(20) : WEFT_NEVER,
    };

    if (world->count == REQUESTS)
        return;
    asked->receiver.ops = &ops;
    asked->world = world;
    asked->streams = call.streamed;
    asked->pauses = (way & 128) != 0;
    if (!call.streamed && (way & 2))
        call.body = weft_bytes_from("a body");
    if (weft_http_request_start(weft_loop_scope(world->loop), &call, &asked->receiver, &asked->request) == 0)
        world->count++;
}

/* -- the server -- */

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct server *server = weft_container_of(protocol, struct server, protocol);

    server->stream = stream;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct world *world = weft_container_of(protocol, struct server, protocol)->world;
    const weft_bytes end = weft_bytes_from("\r\n\r\n");

    (void)stream;
    for (size_t i = 0; i + end.length <= in.length; i++)
        if (memcmp(in.data + i, end.data, end.length) == 0) {
            char *head = strndup(in.data, i);
            char host[WEFT_LISTENER_URL];

            demand(head != NULL, "there is memory");
            snprintf(host, sizeof host, "Host: %s", world->url + 7);
            host[strlen(host) - 1] = '\0';
            if (strstr(head, "SECRET"))
                demand(strstr(head, host) != NULL, "secrets are sent to their own host");
            free(head);
            return i + end.length;
        }
    return in.length > 10000 ? in.length : 0;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct server *server = weft_container_of(protocol, struct server, protocol), **at = &server->world->newest;

    (void)stream;
    (void)reason;
    while (*at != server)
        at = &(*at)->older;
    *at = server->older;
    free(server);
}

static WEFT_PROTOCOL(server_ops, "server", "a test", .connected = connected, .received = received, .lost = lost);

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    struct world *world = weft_container_of(factory, struct world, factory);
    struct server *server = calloc(1, sizeof *server);

    demand(server != NULL, "there is memory");
    server->protocol.ops = &server_ops;
    server->world = world;
    server->stream = stream;
    server->older = world->newest;
    world->newest = server;
    return &server->protocol;
}

static const weft_factory_ops factory_ops = {.build = build};

/* -- the world -- */

static void settle(struct world *world)
{
    for (int turns = 0, quiet = 0; turns < TURNS && quiet < 2; turns++) {
        demand(weft_loop_step(world->loop) >= 0, "the loop can turn");
        if (weft_loop_prepare(world->loop) > 0 && !world->loop->backend->ops->has_work(world->loop->backend))
            quiet++;
        else
            quiet = 0;
    }
}

/* For pass. */
struct pause {
    weft_timer timer;
    weft_loop *loop;
};

static void pass_fired(weft_timer *timer)
{
    weft_loop_stop(weft_container_of(timer, struct pause, timer)->loop);
}

static void pass(struct world *world, weft_time time)
{
    struct pause pause = {.loop = world->loop};

    if (time > 0) {
        demand(weft_timer_init(&pause.timer, weft_loop_scope(world->loop), pass_fired) == 0, "a timer can be made");
        weft_timer_start(&pause.timer, time);
        demand(weft_loop_run(world->loop) == 0, "the loop can run");
        weft_timer_fini(&pause.timer);
    }
    settle(world);
}

static void world_open(struct world *world, const uint8_t draws[4])
{
    static const weft_http_client_options limits = {.size = sizeof limits,
                                                    .connections = 3,
                                                    .per_host = 2,
                                                    .waiting = 8,
                                                    .head_bytes = 400,
                                                    .field_count = 12,
                                                    .interim = 4,
                                                    .head_time = WEFT_SECONDS(10),
                                                    .body_time = WEFT_SECONDS(10)};
    weft_faults faults = {.short_reads = draws[0] & 1 ? 500000 : 0,
                          .short_writes = draws[0] & 1 ? 500000 : 0,
                          .latency = {0, draws[0] & 2 ? WEFT_MILLISECONDS(3) : 0}};
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};

    world->factory.ops = &factory_ops;
    random_init(&world->random, (uint64_t)draws[1] | (uint64_t)draws[2] << 8 | (uint64_t)draws[3] << 16);
    demand(weft_loop_new(&options, &world->loop) == 0, "a loop can be made");
    sim_set_faults(world->loop->backend, &faults);
    demand(weft_listen(weft_loop_scope(world->loop), "tcp://127.0.0.1:8080", &world->factory, NULL, &world->listener,
                       NULL) == 0,
           "a server can listen");
    weft_listener_url(world->listener, "http", world->url);
    demand(weft_http_client_new(weft_loop_scope(world->loop), &limits, &world->client) == 0, "a client can be made");
    ask(world);
    settle(world);
}

/* One of those that are not over. */
static struct asked *pick(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->asked[i].request)
            return &world->asked[i];
    return NULL;
}

static void act_on_request(struct world *world, uint8_t action)
{
    struct asked *asked = pick(world);

    if (!asked)
        return;
    if (action == 0x24)
        weft_http_request_cancel(asked->request, WEFT_ECANCELED);
    else if (action == 0x26)
        weft_http_request_pause(asked->request);
    else
        weft_http_request_resume(asked->request);
}

static void act_on_stream(struct world *world, uint8_t action)
{
    weft_stream *stream = world->newest ? world->newest->stream : NULL;

    if (!stream)
        return;
    if (action == 0x20)
        weft_stream_end(stream);
    else if (action == 0x21)
        weft_stream_abort(stream);
    else if (action == 0x22)
        weft_stream_close(stream);
    else
        (void)weft_stream_write(stream, weft_bytes_of("\xff", 1));
}

static void act(struct world *world, uint8_t action)
{
    if (action < 0x20) {
        pass(world, WEFT_MILLISECONDS(100) * action * action);
    } else if (action == 0x23 && world->client) {
        ask(world);
    } else if (action == 0x25) {
        demand(weft_loop_step(world->loop) >= 0, "the loop can turn");
    } else if (action == 0x28) {
        weft_http_client_close(world->client);
        world->client = NULL;
    } else if (action == 0x24 || action == 0x26 || action == 0x27) {
        act_on_request(world, action);
    } else if (action <= 0x22 || action == 0xff) {
        act_on_stream(world, action);
    }
}

static void play(struct world *world, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const uint8_t *mark = memchr(data, 0xff, size);
        size_t length = mark ? (size_t)(mark - data) : size;

        if (length > 0 && world->newest && world->newest->stream)
            (void)weft_stream_write(world->newest->stream, weft_bytes_of((const char *)data, length));
        data += length;
        size -= length;
        if (size > 0)
            act(world, size > 1 ? data[1] : 0);
        data += size > 1 ? 2 : size;
        size -= size > 1 ? 2 : size;
    }
    pass(world, WEFT_SECONDS(3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world *world;

    if (size < 4)
        return 0;
    support_allocator_install();
    world = calloc(1, sizeof *world);
    demand(world != NULL, "there is memory");
    world_open(world, data);
    play(world, data + 4, size - 4);
    weft_loop_free(world->loop);
    demand(pick(world) == NULL, "every request was told that it is gone");
    demand(world->newest == NULL, "every connection was told that it was lost");
    demand(support_live() == 0, "nothing is left allocated");
    support_allocator_remove();
    free(world);
    return 0;
}
