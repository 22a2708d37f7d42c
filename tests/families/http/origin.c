/* SPDX-License-Identifier: MIT */
#include "families/http/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/wire/http1.h>

#include "loop/loop_internal.h"

/* -- a server's connection -- */

struct connection {
    weft_protocol protocol;
    struct origin *origin;
    weft_stream *stream;
    weft_timer timer;
    weft_post post;
    struct origin_answer pending;
    weft_http1_parser parser;
    unsigned number;
    char *text; /* of the request under way */
    size_t length;
    bool answered; /* the request under way, before its end */
};

static struct connection *connection_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct connection, protocol);
}

static void reset_when_sent(weft_post *post)
{
    struct connection *connection = weft_container_of(post, struct connection, post);

    if (weft_stream_queued(connection->stream) > 0)
        weft_loop_post(connection->origin->world->loop, post);
    else
        weft_stream_abort(connection->stream);
}

static void act(struct connection *connection, const struct origin_answer *answer)
{
    size_t length = answer->length ? answer->length : strlen(answer->text ? answer->text : "");

    if (!connection->stream)
        return;
    if (length > 0)
        (void)weft_stream_write(connection->stream, weft_bytes_of(answer->text, length));
    if (answer->then == THEN_CLOSE)
        weft_stream_close(connection->stream);
    else if (answer->then == THEN_RESET)
        weft_stream_abort(connection->stream);
    else if (answer->then == THEN_END)
        weft_stream_end(connection->stream);
    else if (answer->then == THEN_RESET_WHEN_SENT)
        weft_loop_post(connection->origin->world->loop, &connection->post);
}

static void late(weft_timer *timer)
{
    struct connection *connection = weft_container_of(timer, struct connection, timer);

    act(connection, &connection->pending);
}

static void answer(struct connection *connection)
{
    struct origin *origin = connection->origin;
    const struct origin_answer *next;

    if (origin->answer_next == origin->answer_count)
        return; /* it says nothing */
    next = &origin->answers[origin->answer_next++];
    if (next->delay > 0) {
        connection->pending = *next;
        weft_timer_start(&connection->timer, next->delay);
    } else {
        act(connection, next);
    }
}

static const struct origin_answer *next_answer(const struct origin *origin)
{
    return origin->answer_next < origin->answer_count ? &origin->answers[origin->answer_next] : NULL;
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct connection *connection = connection_of(protocol);
    const struct origin_answer *next = next_answer(connection->origin);

    connection->stream = stream;
    if (connection->origin->stalls)
        weft_stream_pause(stream);
    if (next && next->on_connect)
        answer(connection);
}

static void keep(struct connection *connection, weft_bytes bytes)
{
    connection->text = realloc(connection->text, connection->length + bytes.length + 1);
    assert_non_null(connection->text);
    memcpy(connection->text + connection->length, bytes.data, bytes.length);
    connection->length += bytes.length;
    connection->text[connection->length] = '\0';
}

static void request_ended(struct connection *connection)
{
    struct origin *origin = connection->origin;

    if (origin->request_count < ORIGIN_REQUESTS) {
        origin->requests[origin->request_count] = connection->text;
        origin->request_connection[origin->request_count++] = connection->number;
    } else {
        free(connection->text);
    }
    connection->text = NULL;
    connection->length = 0;
    weft_http1_parser_reset(&connection->parser);
    if (!connection->answered)
        answer(connection);
    connection->answered = false;
}

static void head_ended(struct connection *connection)
{
    const struct origin_answer *next = next_answer(connection->origin);

    while (next && next->at_once && connection->stream) {
        connection->answered = connection->answered || !next->text || strncmp(next->text, "HTTP/1.1 100", 12) != 0;
        answer(connection);
        next = connection->answered ? NULL : next_answer(connection->origin);
    }
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct connection *connection = connection_of(protocol);
    weft_bytes rest = in;
    weft_http1_event event;
    int type;

    (void)stream;
    for (;;) {
        weft_bytes before = rest;

        type = weft_http1_next(&connection->parser, &rest, &event);
        keep(connection, weft_bytes_first(before, before.length - rest.length));
        if (type < 0)
            connection->origin->extra += rest.length;
        if (type <= 0)
            break;
        if (type == WEFT_HTTP1_HEAD_END)
            head_ended(connection);
        if (type == WEFT_HTTP1_MESSAGE_END)
            request_ended(connection);
    }
    return in.length - rest.length;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct connection *connection = connection_of(protocol);

    (void)stream;
    (void)reason;
    weft_timer_fini(&connection->timer);
    connection->origin->open--;
    free(connection->text);
    free(connection);
}

static WEFT_PROTOCOL(connection_ops, "origin", "a test", .connected = connected, .received = received, .lost = lost);

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    static const weft_http1_limits limits = {.body = WEFT_UNLIMITED, .head_bytes = 1 << 20, .request_line = 1 << 20};
    struct connection *connection = calloc(1, sizeof *connection);

    assert_non_null(connection);
    connection->protocol.ops = &connection_ops;
    connection->origin = weft_container_of(factory, struct origin, factory);
    connection->post.run = reset_when_sent;
    connection->number = connection->origin->connections++;
    connection->origin->open++;
    assert_int_equal(weft_timer_init(&connection->timer, weft_loop_scope(weft_stream_loop(stream)), late), 0);
    weft_http1_parser_init(&connection->parser, WEFT_HTTP1_REQUEST, &limits);
    return &connection->protocol;
}

static const weft_factory_ops factory_ops = {.build = build};

/* -- scripts -- */

void origin_will(struct origin *origin, struct origin_answer answer_)
{
    assert_true(origin->answer_count < ORIGIN_ANSWERS);
    origin->answers[origin->answer_count++] = answer_;
}

void origin_will_say(struct origin *origin, const char *text)
{
    origin_will(origin, (struct origin_answer){.text = text});
}

void origin_forget(struct origin *origin)
{
    for (size_t i = 0; i < origin->request_count; i++)
        free(origin->requests[i]);
    origin->request_count = origin->answer_count = origin->answer_next = 0;
}

bool origin_got(const struct origin *origin, size_t number, const char *text)
{
    assert_true(number < origin->request_count);
    return strstr(origin->requests[number], text) != NULL;
}

/* -- a world -- */

static int listen(struct origin_world *world, struct origin *origin)
{
    weft_stream_options stream = {
        .size = sizeof stream, .idle = WEFT_NEVER, .output_limit = WEFT_UNLIMITED, .write_stall = WEFT_NEVER};
    weft_listen_options options = {.size = sizeof options, .stream = stream};
    int status;

    origin->factory.ops = &factory_ops;
    origin->world = world;
    status = weft_listen(weft_loop_scope(world->loop), "tcp://127.0.0.1:0", &origin->factory, &options,
                         &origin->listener, NULL);
    if (status < 0)
        return status;
    weft_listener_url(origin->listener, "http", origin->url);
    origin->url[strlen(origin->url) - 1] = '\0';
    snprintf(origin->host, sizeof origin->host, "%.60s", origin->url + 7);
    return 0;
}

static int open_world(struct origin_world *world, const weft_http_client_options *options, const weft_faults *faults,
                      uint64_t seed)
{
    char backend[32];
    weft_loop_options loop_options = {.size = sizeof loop_options, .backend = backend, .watchdog = WEFT_NEVER};
    int status;

    memset(world, 0, sizeof *world);
    snprintf(backend, sizeof backend, "sim:%" PRIu64, seed);
    status = weft_loop_new(&loop_options, &world->loop);
    if (status < 0)
        return status;
    if (faults)
        sim_set_faults(world->loop->backend, faults);
    for (size_t i = 0; i < ORIGINS && status == 0; i++)
        status = listen(world, &world->origins[i]);
    if (status == 0)
        status = weft_http_client_new(weft_loop_scope(world->loop), options, &world->client);
    return status;
}

void origin_open(struct origin_world *world, const weft_http_client_options *options, const weft_faults *faults,
                 uint64_t seed)
{
    assert_int_equal(open_world(world, options, faults, seed), 0);
}

int origin_try_open(struct origin_world *world, const weft_http_client_options *options)
{
    return open_world(world, options, NULL, 1);
}

void origin_close(struct origin_world *world)
{
    weft_loop_free(world->loop);
    for (size_t i = 0; i < ORIGINS; i++) {
        assert_int_equal(world->origins[i].open, 0);
        origin_forget(&world->origins[i]);
    }
}

/* -- running -- */

struct guard {
    weft_timer timer;
    weft_loop *loop;
    bool fired;
};

static void guard_fired(weft_timer *timer)
{
    struct guard *guard = weft_container_of(timer, struct guard, timer);

    guard->fired = true;
    weft_loop_stop(guard->loop);
}

void origin_pass(struct origin_world *world, weft_time time)
{
    struct guard guard = {.loop = world->loop};

    assert_int_equal(weft_timer_init(&guard.timer, weft_loop_scope(world->loop), guard_fired), 0);
    weft_timer_start(&guard.timer, time);
    while (!guard.fired)
        assert_int_equal(weft_loop_run(world->loop), 0);
    weft_timer_fini(&guard.timer);
}

void origin_wait(struct origin_world *world, struct origin_result *result)
{
    struct guard guard = {.loop = world->loop};

    assert_int_equal(weft_timer_init(&guard.timer, weft_loop_scope(world->loop), guard_fired), 0);
    weft_timer_start(&guard.timer, WEFT_HOURS(1));
    while (!result->done && !guard.fired)
        assert_int_equal(weft_loop_run(world->loop), 0);
    weft_timer_fini(&guard.timer);
    assert_true(result->done);
}

static int finished(int error, weft_http_response **value, void *arg)
{
    struct origin_result *result = arg;

    assert_false(result->done);
    result->done = true;
    result->error = error;
    result->response = *value;
    if (weft_failure_here(value))
        weft_failure_describe(weft_failure_here(value), result->story, sizeof result->story);
    weft_loop_stop(result->world->loop);
    return 0;
}

weft_http_reply origin_begin(struct origin_world *world, weft_scope *scope, const weft_http_call *call,
                             struct origin_result *result)
{
    weft_http_call own = *call;
    weft_http_reply reply;

    *result = (struct origin_result){.world = world};
    own.size = sizeof own;
    own.client = world->client;
    reply = weft_http_fetch(scope, &own);
    if (weft_finally(reply, finished, result) < 0) {
        result->done = true;
        result->error = WEFT_ENOMEM;
    }
    return reply;
}

void origin_fetch(struct origin_world *world, weft_scope *scope, const weft_http_call *call,
                  struct origin_result *result)
{
    (void)origin_begin(world, scope, call, result);
    origin_wait(world, result);
}

void origin_get(struct origin_world *world, weft_scope *scope, struct origin *origin, const char *path,
                struct origin_result *result)
{
    char url[512];
    weft_http_call call = {.url = url};

    snprintf(url, sizeof url, "%s%s", origin->url, path);
    origin_fetch(world, scope, &call, result);
}
