/* SPDX-License-Identifier: MIT */
/* The server: a factory of connections, with what they share (http_server.h). */
#include "families/http/http_server.h"

#include <weft/memory.h>
#include <weft/wire/http_date.h>

#include "base/options.h"

#define HEAD_TIME WEFT_SECONDS(30)
#define BODY_TIME WEFT_SECONDS(60)
#define IDLE_TIME WEFT_SECONDS(60)
#define ANSWER_TIME WEFT_MINUTES(5)
/* What is commonly asked of a client: less is no use to anybody. */
#define RATE 240
#define REQUEST_GRACE WEFT_SECONDS(5)
/* As long as a stream waits for a client that takes nothing: many stop for a while, to show or store what they have. */
#define RESPONSE_GRACE WEFT_SECONDS(30)

/* A head waits in the stream until it is complete: its limits are the server's, not the stream's. */
static int make_room_for_head(weft_http_server *server, weft_stream *stream)
{
    weft_stream_options options = {.size = sizeof options};

    if (server->input_limit == 0)
        return 0;
    options.input_limit = server->input_limit;
    return weft_stream_set_options(stream, &options);
}

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    weft_http_server *server = weft_container_of(factory, weft_http_server, factory);

    if (make_room_for_head(server, stream) < 0)
        return NULL;
    return http_connection_new(server, stream);
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    weft_http_server *server = weft_container_of(factory, weft_http_server, factory);

    if (server->stopped)
        server->stopped(server->stopped_arg, drained, aborted);
}

static const weft_factory_ops factory_ops = {.build = build, .stopped = stopped};

/* What the stream's own limit (64 KiB) must become; 0 if that is enough. */
static size_t head_room(const weft_http_server_options *options)
{
    size_t line = options->request_line, fields = options->head_bytes;

    if (line <= 16 * 1024 && fields <= 32 * 1024)
        return 0;
    if (line >= WEFT_UNLIMITED / 2 || fields >= WEFT_UNLIMITED / 2)
        return WEFT_UNLIMITED;
    return (line ? line : 8 * 1024) + (fields ? fields : 16 * 1024) + 1024;
}

static void set_rates(weft_http_server *server, const weft_http_server_options *options)
{
    server->request_rate = options->request_rate ? options->request_rate : RATE;
    server->response_rate = options->response_rate ? options->response_rate : RATE;
    server->request_grace = options->rate_grace ? options->rate_grace : REQUEST_GRACE;
    server->response_grace = options->rate_grace ? options->rate_grace : RESPONSE_GRACE;
}

static void set_options(weft_http_server *server, const weft_http_server_options *options)
{
    server->limits = (weft_http1_limits){
        .request_line = options->request_line,
        .head_bytes = options->head_bytes,
        .field_count = options->field_count,
        .body = options->body >= WEFT_UNLIMITED ? WEFT_UNLIMITED : (size_t)options->body,
        .whole_head = true,
    };
    server->input_limit = head_room(options);
    server->answer_time = options->answer_time ? options->answer_time : ANSWER_TIME;
    server->head_time = options->head_time ? options->head_time : HEAD_TIME;
    server->body_time = options->body_time ? options->body_time : BODY_TIME;
    server->idle_time = options->idle_time ? options->idle_time : IDLE_TIME;
    server->total_time = options->total_time ? options->total_time : WEFT_NEVER;
    set_rates(server, options);
    server->requests = options->requests ? options->requests : WEFT_UNLIMITED;
}

int weft_http_server_new(weft_loop *loop, weft_http_handler *handler, const weft_http_server_options *options,
                         weft_http_server **ret_server)
{
    weft_http_server_options known = {0};
    weft_http_server *server;
    int status = options_copy(&known, sizeof known, options);

    if (status < 0)
        return status;
    server = weft_allocate_zeroed(1, sizeof *server);
    if (!server)
        return WEFT_ENOMEM;
    server->factory.ops = &factory_ops;
    server->loop = loop;
    server->handler = handler;
    server->date_second = -1;
    set_options(server, &known);
    *ret_server = server;
    return 0;
}

void weft_http_server_free(weft_http_server *server)
{
    if (!server)
        return;
    while (server->free_exchanges) {
        weft_http_exchange *exchange = server->free_exchanges;
        server->free_exchanges = exchange->next_free;
        weft_release(exchange);
    }
    weft_release(server->scratch);
    weft_release(server);
}

weft_factory *weft_http_server_factory(weft_http_server *server, void (*stopped_)(void *, size_t, size_t), void *arg)
{
    server->stopped = stopped_;
    server->stopped_arg = arg;
    return &server->factory;
}

/* The date changes once a second, and so is written once a second. */
const char *http_server_date(weft_http_server *server)
{
    weft_time second = weft_loop_wall(server->loop) / WEFT_SECONDS(1);

    if (second != server->date_second && weft_http_date_format(second, server->date) == 0)
        server->date_second = second;
    return server->date;
}
