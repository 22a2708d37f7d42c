/* SPDX-License-Identifier: MIT */
/* One request and the response to it, as a handler sees them (http_server.h). */
#include "families/http/http_server.h"

#include <weft/memory.h>

#include "loop/scope_internal.h"

weft_http_exchange *http_exchange_new(struct http_connection *connection)
{
    weft_http_server *server = connection_server(connection);
    weft_http_exchange *exchange = server->free_exchanges;

    if (exchange)
        server->free_exchanges = exchange->next_free;
    else
        exchange = weft_allocate(sizeof *exchange);
    if (!exchange)
        return NULL;
    memset(exchange, 0, offsetof(weft_http_exchange, connection));
    exchange->connection = connection;
    exchange->read_due = server->request_grace;
    return exchange;
}

void http_exchange_free(weft_http_exchange *exchange)
{
    weft_http_server *server = connection_server(exchange->connection);

    for (size_t i = 0; i < exchange->trailer_count; i++)
        weft_release((void *)(uintptr_t)exchange->trailers[i].name.data);
    weft_release(exchange->trailers);
    weft_release(exchange->kept);
    exchange->next_free = server->free_exchanges;
    server->free_exchanges = exchange;
}

/* -- keeping what was borrowed -- */

static size_t kept_size(const weft_http_exchange *exchange)
{
    size_t size = exchange->field_count * sizeof(weft_http_field) + exchange->method.length + exchange->target.length +
                  exchange->authority.length;

    for (size_t i = 0; i < exchange->field_count; i++)
        size += exchange->fields[i].name.length + exchange->fields[i].value.length;
    return size;
}

static weft_bytes put(char **at, weft_bytes bytes)
{
    char *copy = *at;

    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    *at += bytes.length;
    return weft_bytes_of(copy, bytes.length);
}

int http_exchange_keep(weft_http_exchange *exchange)
{
    char *at = weft_allocate(kept_size(exchange) + 1);
    weft_http_field *fields = (weft_http_field *)(void *)at;
    weft_bytes target;

    if (!at)
        return WEFT_ENOMEM;
    exchange->kept = at;
    at += exchange->field_count * sizeof *fields;
    for (size_t i = 0; i < exchange->field_count; i++) {
        fields[i].name = put(&at, exchange->fields[i].name);
        fields[i].value = put(&at, exchange->fields[i].value);
    }
    exchange->fields = fields;
    exchange->method = put(&at, exchange->method);
    exchange->authority = put(&at, exchange->authority);
    target = put(&at, exchange->target);
    if (exchange->path.length > 0) /* the path is a part of the target */
        exchange->path.data = target.data + (exchange->path.data - exchange->target.data);
    exchange->target = target;
    return 0;
}

int weft_http_exchange_attach(weft_http_exchange *exchange, weft_http_responder *responder)
{
    int status;

    if (exchange->responder || !(exchange->flags & EXCHANGE_IN_REQUEST))
        return -EALREADY;
    status = http_exchange_keep(exchange);
    if (status == 0)
        exchange->responder = responder;
    return status;
}

int http_exchange_add_trailer(weft_http_exchange *exchange, weft_bytes name, weft_bytes value)
{
    weft_http_field *grown;
    char *copy;

    if (exchange->flags & EXCHANGE_GONE)
        return 0; /* nobody will ask */
    grown = weft_reallocate(exchange->trailers, (exchange->trailer_count + 1) * sizeof *grown);
    if (!grown)
        return WEFT_ENOMEM;
    exchange->trailers = grown;
    copy = weft_allocate(name.length + value.length);
    if (!copy)
        return WEFT_ENOMEM;
    grown += exchange->trailer_count++;
    grown->name = put(&copy, name);
    grown->value = put(&copy, value);
    return 0;
}

/* -- the end -- */

static void write_record(const weft_http_exchange *exchange)
{
    weft_http_handler *handler = connection_server(exchange->connection)->handler;
    weft_http_record record;

    if (!handler->ops->record)
        return;
    record = (weft_http_record){
        .peer = weft_http_exchange_peer(exchange),
        .method = exchange->method,
        .target = exchange->target,
        .minor = exchange->minor,
        .status = exchange->status,
        .body_bytes = exchange->flags & EXCHANGE_NO_BODY ? 0 : exchange->written,
        .wall = exchange->wall,
        .duration = weft_loop_now(connection_server(exchange->connection)->loop) - exchange->began,
        .complete = (exchange->flags & EXCHANGE_RESPONSE_DONE) != 0,
    };
    (void)weft_http_exchange_field(exchange, weft_bytes_of("Referer", 7), &record.referer);
    (void)weft_http_exchange_field(exchange, weft_bytes_of("User-Agent", 10), &record.user_agent);
    handler->ops->record(handler, &record);
}

void http_record_refusal(struct http_connection *connection, unsigned status, int64_t sent)
{
    weft_http_handler *handler = connection_server(connection)->handler;
    weft_http_record record = {
        .peer = weft_stream_peer(connection->stream),
        .minor = 1,
        .status = sent < 0 ? 0 : status,
        .body_bytes = sent < 0 ? 0 : (uint64_t)sent,
        .wall = weft_loop_wall(connection_server(connection)->loop),
        .complete = sent >= 0,
    };

    if (handler->ops->record)
        handler->ops->record(handler, &record);
}

void http_exchange_gone(weft_http_exchange *exchange, int reason)
{
    weft_http_responder *responder = exchange->responder;

    exchange->flags |= EXCHANGE_GONE;
    if (!exchange->fields) { /* refused in the middle of the head */
        exchange->fields = connection_server(exchange->connection)->scratch;
        exchange->wall = weft_loop_wall(connection_server(exchange->connection)->loop);
        exchange->began = weft_loop_now(connection_server(exchange->connection)->loop);
    }
    write_record(exchange);
    if (responder) {
        loop_enters(connection_server(exchange->connection)->loop,
                    connection_server(exchange->connection)->handler->ops->name);
        responder->ops->gone(responder, exchange, reason);
    }
    exchange->responder = NULL;
    weft_release(exchange->kept); /* the exchange itself may stay, while its response is sent */
    exchange->kept = NULL;
}

/* -- what a handler may ask -- */

weft_bytes weft_http_exchange_method(const weft_http_exchange *exchange)
{
    return exchange->method;
}

weft_bytes weft_http_exchange_target(const weft_http_exchange *exchange)
{
    return exchange->target;
}

weft_bytes weft_http_exchange_path(const weft_http_exchange *exchange)
{
    return exchange->path;
}

weft_bytes weft_http_exchange_authority(const weft_http_exchange *exchange)
{
    return exchange->authority;
}

unsigned weft_http_exchange_minor(const weft_http_exchange *exchange)
{
    return exchange->minor;
}

size_t weft_http_exchange_field_count(const weft_http_exchange *exchange)
{
    return exchange->field_count;
}

const weft_http_field *weft_http_exchange_field_at(const weft_http_exchange *exchange, size_t index)
{
    return &exchange->fields[index];
}

size_t weft_http_exchange_field(const weft_http_exchange *exchange, weft_bytes name, weft_bytes *ret_value)
{
    size_t count = 0;

    for (size_t i = 0; i < exchange->field_count; i++) {
        if (!weft_bytes_equal_nocase(exchange->fields[i].name, name))
            continue;
        if (count++ == 0 && ret_value)
            *ret_value = exchange->fields[i].value;
    }
    return count;
}

bool weft_http_exchange_has_body(const weft_http_exchange *exchange)
{
    return (exchange->flags & EXCHANGE_HAS_BODY) != 0;
}

size_t weft_http_exchange_trailer_count(const weft_http_exchange *exchange)
{
    return exchange->trailer_count;
}

const weft_http_field *weft_http_exchange_trailer_at(const weft_http_exchange *exchange, size_t index)
{
    return &exchange->trailers[index];
}

const weft_address *weft_http_exchange_peer(const weft_http_exchange *exchange)
{
    return weft_stream_peer(exchange->connection->stream);
}

weft_scope *weft_http_exchange_scope(const weft_http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;

    if (!connection->scope && !(connection->flags & HTTP_DEAD)) {
        connection->scope = weft_scope_open(weft_stream_scope(connection->stream), WEFT_NEVER);
        if (connection->scope) {
            weft_scope_set_name(connection->scope, "http connection");
            scope_hold(connection->scope); /* `lost` closes it, and may come after the end of the listener's scope */
        }
    }
    return connection->scope;
}

weft_loop *weft_http_exchange_loop(const weft_http_exchange *exchange)
{
    return connection_server(exchange->connection)->loop;
}

void weft_http_exchange_pause(weft_http_exchange *exchange)
{
    exchange->connection->flags |= HTTP_PAUSED_BODY;
    exchange->connection->flags &= ~(uint32_t)HTTP_TIMED;
    http_connection_changed(exchange->connection);
}

void weft_http_exchange_resume(weft_http_exchange *exchange)
{
    exchange->connection->flags &= ~(uint32_t)(HTTP_PAUSED_BODY | HTTP_TIMED);
    http_connection_changed(exchange->connection);
}

void weft_http_exchange_abort(weft_http_exchange *exchange)
{
    exchange->connection->flags |= HTTP_BROKEN;
    weft_stream_abort(exchange->connection->stream);
}
