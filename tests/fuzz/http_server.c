/* SPDX-License-Identifier: MIT */
/*
 * One connection to an HTTP server in the simulator.
 *
 * The input: four bytes that decide what the handlers do and how the network splits, then what the client sends, as it
 * is, but for the byte 0xff, which begins an action:
 *
 *     ff 00..1f  time passes, 100 ms times the square of the number (0: only what is ready is done)
 *     ff 20      half-close          ff 21  reset
 *     ff 22      reads no more       ff 23  reads again
 *     ff 24      the server is asked to stop within 10 s
 *     ff 25      one turn of the loop
 *     ff ff      a byte 0xff
 *
 * What must hold: what the server says is parsed by our own parser and agrees, response by response, with the access
 * log; every handler that waits is told once that its exchange is gone; nothing is left allocated.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/http.h>
#include <weft/timer.h>
#include <weft/wire/http1.h>

#include "backend/sim.h"
#include "base/random.h"
#include "loop/loop_internal.h"
#include "support/support.h"

#define RESPONSES 256
#define TURNS 5000

struct logged {
    bool head, complete;
    unsigned status;
    uint64_t body_bytes;
};

struct world {
    weft_http_handler handler;
    weft_protocol client;
    weft_loop *loop;
    weft_http_server *server;
    weft_listener *listener;
    weft_stream *stream; /* the client's end; NULL once it is lost */
    bool ended;          /* the server's end came */
    struct random_source random;
    char *text; /* what the client got */
    size_t length, room;
    struct logged log[RESPONSES];
    size_t logged, requests, waiting;
};

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* -- handlers -- */

struct waiter {
    weft_http_responder responder;
    struct world *world;
    weft_http_exchange *exchange;
    weft_timer timer;
    bool at_end, pauses, streams, begun, large, over;
    unsigned parts;
};

static char filler[40000];

static void answer(struct world *world, weft_http_exchange *exchange)
{
    static const unsigned statuses[] = {200, 204, 304, 404, 500, 200};
    static const weft_http_field field = {WEFT_BYTES("X-Test"), WEFT_BYTES("yes")};
    unsigned status = statuses[random_below(&world->random, 6)];
    size_t length = (size_t)random_below(&world->random, random_below(&world->random, 8) ? 20 : sizeof filler);

    (void)weft_http_respond(exchange, status, &field, random_below(&world->random, 2), weft_bytes_of(filler, length));
}

static void finish(struct waiter *waiter)
{
    static const weft_http_field trailer = {WEFT_BYTES("Sum"), WEFT_BYTES("1")};

    if (waiter->over)
        return;
    waiter->over = true;
    if (waiter->begun)
        (void)weft_http_respond_end(waiter->exchange, &trailer, waiter->parts & 1);
    else
        answer(waiter->world, waiter->exchange);
}

static void write_part(struct waiter *waiter)
{
    int status = 0;

    if (!waiter->begun) {
        uint64_t length = random_below(&waiter->world->random, 3) ? WEFT_HTTP_LENGTH_UNKNOWN : waiter->parts * 7;
        waiter->begun = weft_http_respond_start(waiter->exchange, 200, NULL, 0, length) == 0;
    }
    while (waiter->begun && waiter->parts > 0 && status == 0) {
        status = weft_http_respond_write(waiter->exchange, weft_bytes_of(filler, waiter->large ? sizeof filler : 7));
        waiter->parts--;
        if (!waiter->large)
            break;
    }
    if (waiter->parts == 0 || !waiter->begun || status < 0)
        finish(waiter);
}

static void timer_fired(weft_timer *timer)
{
    struct waiter *waiter = weft_container_of(timer, struct waiter, timer);

    weft_http_exchange_resume(waiter->exchange);
    if (waiter->streams)
        write_part(waiter);
    else if (!waiter->at_end)
        finish(waiter);
    if (!waiter->over)
        weft_timer_start(timer, (weft_time)random_below(&waiter->world->random, WEFT_SECONDS(2)));
}

static struct waiter *waiter_of(weft_http_responder *responder, const weft_http_exchange *exchange)
{
    struct waiter *waiter = weft_container_of(responder, struct waiter, responder);

    demand(waiter->exchange == exchange, "a responder hears of its own exchange");
    return waiter;
}

static void on_body(weft_http_responder *responder, weft_http_exchange *exchange, weft_bytes bytes)
{
    struct waiter *waiter = waiter_of(responder, exchange);

    demand(bytes.length > 0, "a piece of a body is not empty");
    if (waiter->pauses)
        weft_http_exchange_pause(exchange);
}

static void on_body_ended(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct waiter *waiter = waiter_of(responder, exchange);

    for (size_t i = 0; i < weft_http_exchange_trailer_count(exchange); i++)
        demand(weft_http1_is_trailer_name(weft_http_exchange_trailer_at(exchange, i)->name), "a trailer is allowed");
    if (waiter->at_end)
        finish(waiter);
}

static void on_drained(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct waiter *waiter = waiter_of(responder, exchange);

    if (waiter->begun && waiter->large && !waiter->over)
        write_part(waiter);
}

static void on_gone(weft_http_responder *responder, weft_http_exchange *exchange, int reason)
{
    struct waiter *waiter = waiter_of(responder, exchange);

    demand(reason <= 0, "a reason is 0 or an error");
    weft_timer_fini(&waiter->timer);
    waiter->world->waiting--;
    free(waiter);
}

static const weft_http_responder_ops ops_with_body = {.body = on_body,
                                                      .body_ended = on_body_ended,
                                                      .drained = on_drained,
                                                      .gone = on_gone};
static const weft_http_responder_ops ops_without_body = {.drained = on_drained, .gone = on_gone};

static void keep(struct world *world, weft_http_exchange *exchange, uint64_t way)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    bool without = (way & 24) == 24;

    demand(waiter != NULL, "there is memory");
    waiter->world = world;
    waiter->exchange = exchange;
    waiter->at_end = !without && (way & 1);
    waiter->pauses = (way & 2) != 0;
    waiter->streams = (way & 4) != 0;
    waiter->large = (way & 32) != 0;
    waiter->parts = (unsigned)random_below(&world->random, 6);
    waiter->responder.ops = without ? &ops_without_body : &ops_with_body;
    demand(weft_timer_init(&waiter->timer, weft_loop_scope(world->loop), timer_fired) == 0, "a timer can be made");
    demand(weft_http_exchange_attach(exchange, &waiter->responder) == 0, "a responder can be attached");
    world->waiting++;
    if (waiter->streams && (way & 64))
        write_part(waiter);
    if (!waiter->over)
        weft_timer_start(&waiter->timer, (weft_time)random_below(&world->random, WEFT_SECONDS(2)));
}

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    struct world *world = weft_container_of(handler, struct world, handler);
    uint64_t way = random_below(&world->random, 16);

    world->requests++;
    demand(weft_http1_is_token(weft_http_exchange_method(exchange)), "a method is a token");
    demand(weft_http1_is_target(weft_http_exchange_target(exchange)), "a target can be sent");
    if (way < 5)
        answer(world, exchange);
    else if (way == 5)
        weft_http_exchange_abort(exchange);
    else if (way == 6)
        (void)weft_http_respond_start(exchange, 200, NULL, 0, 5);
    else if (way > 7) /* 7: not answered */
        keep(world, exchange, random_below(&world->random, 128));
}

static void record(weft_http_handler *handler, const weft_http_record *about)
{
    struct world *world = weft_container_of(handler, struct world, handler);

    demand(about->method.length < 100000 && about->target.length < 100000, "a record is whole");
    demand(!memchr(about->user_agent.length ? about->user_agent.data : "", '\n', about->user_agent.length),
           "a value has no newline");
    if (world->logged < RESPONSES)
        world->log[world->logged++] = (struct logged){
            .head = weft_bytes_equal(about->method, weft_bytes_of("HEAD", 4)),
            .complete = about->complete,
            .status = about->status,
            .body_bytes = about->body_bytes,
        };
}

static const weft_http_handler_ops handler_ops = {.name = "fuzz", .request = request, .record = record};

/* -- the client -- */

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct world *world = weft_container_of(protocol, struct world, client);

    (void)stream;
    if (world->length + in.length > world->room) {
        world->room = (world->length + in.length) * 2;
        world->text = realloc(world->text, world->room);
        demand(world->text != NULL, "there is memory");
    }
    memcpy(world->text + world->length, in.data, in.length);
    world->length += in.length;
    return in.length;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    weft_container_of(protocol, struct world, client)->ended = true;
    weft_stream_close(stream);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)stream;
    (void)reason;
    weft_container_of(protocol, struct world, client)->stream = NULL;
}

static WEFT_PROTOCOL(client_ops, "client", "a test", .received = received, .ended = ended, .lost = lost);

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

static void stopped(void *arg, size_t drained, size_t aborted)
{
    (void)drained;
    (void)aborted;
    ((struct world *)arg)->listener = NULL;
}

static void world_open(struct world *world, const uint8_t draws[4])
{
    static const weft_http_server_options limits = {.size = sizeof limits,
                                                    .request_line = 200,
                                                    .head_bytes = 400,
                                                    .field_count = 12,
                                                    .body = 100000,
                                                    .requests = 40};
    weft_faults faults = {.short_reads = draws[0] & 1 ? 500000 : 0,
                          .short_writes = draws[0] & 1 ? 500000 : 0,
                          .latency = {0, draws[0] & 2 ? WEFT_MILLISECONDS(3) : 0}};
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    char url[WEFT_LISTENER_URL];

    world->handler.ops = &handler_ops;
    world->client.ops = &client_ops;
    random_init(&world->random, (uint64_t)draws[1] | (uint64_t)draws[2] << 8 | (uint64_t)draws[3] << 16);
    demand(weft_loop_new(&options, &world->loop) == 0, "a loop can be made");
    sim_set_faults(world->loop->backend, &faults);
    demand(weft_http_server_new(world->loop, &world->handler, &limits, &world->server) == 0, "a server can be made");
    demand(weft_listen(weft_loop_scope(world->loop), "tcp://127.0.0.1:0",
                       weft_http_server_factory(world->server, stopped, world), NULL, &world->listener, NULL) == 0,
           "a server can listen");
    weft_listener_url(world->listener, NULL, url);
    demand(weft_stream_connect(weft_loop_scope(world->loop), url, &world->client, NULL, &world->stream, NULL) == 0,
           "a client can connect");
}

static void act(struct world *world, uint8_t action)
{
    if (action < 0x20)
        pass(world, WEFT_MILLISECONDS(100) * action * action);
    else if (action == 0x25)
        demand(weft_loop_step(world->loop) >= 0, "the loop can turn");
    else if (action == 0x24 && world->listener)
        weft_listener_stop(world->listener, WEFT_SECONDS(10));
    if (!world->stream)
        return;
    switch (action) {
    case 0x20:
        weft_stream_end(world->stream);
        return;
    case 0x21:
        weft_stream_abort(world->stream);
        return;
    case 0x22:
        weft_stream_pause(world->stream);
        return;
    case 0x23:
        weft_stream_resume(world->stream);
        return;
    case 0xff:
        (void)weft_stream_write(world->stream, weft_bytes_of("\xff", 1));
        return;
    default:
        return;
    }
}

static void play(struct world *world, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const uint8_t *mark = memchr(data, 0xff, size);
        size_t length = mark ? (size_t)(mark - data) : size;

        if (length > 0 && world->stream)
            (void)weft_stream_write(world->stream, weft_bytes_of((const char *)data, length));
        data += length;
        size -= length;
        if (size > 0)
            act(world, size > 1 ? data[1] : 0);
        data += size > 1 ? 2 : size;
        size -= size > 1 ? 2 : size;
    }
    pass(world, WEFT_SECONDS(8));
}

/* -- what the client got -- */

struct response {
    unsigned status;
    bool interim, keep_alive;
    uint64_t body_bytes;
};

/* Returns whether a whole response was read. */
static bool read_response(const struct world *world, weft_bytes *rest, bool head, struct response *ret)
{
    weft_http1_limits limits = {.body = WEFT_UNLIMITED};
    weft_http1_parser parser;
    weft_http1_event event;
    int type;

    *ret = (struct response){.keep_alive = true};
    weft_http1_parser_init(&parser, WEFT_HTTP1_RESPONSE, &limits);
    weft_http1_parser_answers(&parser, head ? WEFT_HTTP1_ANSWERS_HEAD : WEFT_HTTP1_ANSWERS_OTHER);
    while ((type = weft_http1_next(&parser, rest, &event)) > 0 && type != WEFT_HTTP1_MESSAGE_END) {
        if (type == WEFT_HTTP1_STATUS_LINE)
            ret->status = event.status.code;
        if (type == WEFT_HTTP1_HEAD_END) {
            ret->interim = event.head.interim;
            ret->keep_alive = event.head.keep_alive || event.head.interim;
        }
        if (type == WEFT_HTTP1_BODY)
            ret->body_bytes += event.body.length;
    }
    if (type < 0)
        fprintf(stderr, "%s\n", weft_http1_parser_problem(&parser));
    demand(type >= 0, "the response is one");
    if (type == WEFT_HTTP1_NEED_MORE && world->ended)
        type = weft_http1_end(&parser, *rest, &event);
    return type == WEFT_HTTP1_MESSAGE_END;
}

static void check_responses(const struct world *world)
{
    weft_bytes rest = weft_bytes_of(world->text, world->length);
    size_t number = 0;

    while (rest.length > 0 && number < RESPONSES) {
        struct response response;
        bool known = number < world->logged, whole;

        whole = read_response(world, &rest, known && world->log[number].head, &response);
        if (response.interim && whole) {
            demand(response.status == 100, "100 is the only interim response");
            continue;
        }
        if (!known || !whole) /* cut off, or cut short by the end of the test */
            break;
        demand(response.status == world->log[number].status, "the log has the status");
        if (world->log[number].complete)
            demand(response.body_bytes == world->log[number].body_bytes, "the log has the length");
        number++;
        demand(number <= world->requests + 1, "there are no more responses than requests, and a refusal");
        demand(response.keep_alive || rest.length == 0, "nothing follows the last response");
    }
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
    check_responses(world);
    weft_http_server_free(world->server);
    demand(world->listener == NULL, "the listener was told that it stopped");
    demand(world->stream == NULL, "the client was told that it was lost");
    demand(world->waiting == 0, "every exchange was told that it was gone");
    demand(support_live() == 0, "nothing is left allocated");
    support_allocator_remove();
    free(world->text);
    free(world);
    return 0;
}
