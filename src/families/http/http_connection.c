/* SPDX-License-Identifier: MIT */
/* A connection: pulls events from the codec and decides what happens next (http_server.h). */
#include "families/http/http_server.h"

#include <weft/memory.h>

#include "base/probe.h"

static bool is_over(const struct http_connection *connection)
{
    return (connection->flags & (HTTP_BROKEN | HTTP_DEAD)) != 0;
}

/* -- the end of an exchange -- */

void http_connection_close(struct http_connection *connection)
{
    connection->flags |= HTTP_BROKEN;
    weft_stream_close(connection->stream);
}

void http_connection_finish(struct http_connection *connection)
{
    if (!(connection->flags & HTTP_FULL)) {
        http_connection_close(connection);
        return;
    }
    connection->flags |= HTTP_LAST;
    connection->flags &= ~(uint32_t)HTTP_TIMED;
    http_connection_changed(connection);
}

/* A scope that holds nothing is not worth its memory while the connection is idle. */
static void end_exchange(struct http_connection *connection)
{
    weft_http_exchange *exchange = connection->exchange;

    connection->exchange = NULL;
    connection->flags &= ~(uint32_t)(HTTP_PAUSED_BODY | HTTP_TIMED);
    http_exchange_free(exchange);
    if (connection->scope && weft_scope_count(connection->scope) == 0) {
        weft_scope_close(connection->scope);
        connection->scope = NULL;
    }
}

/* Does what is due once the response, and then the request, is done. Returns whether a next request can be parsed. */
static bool settle(struct http_connection *connection)
{
    weft_http_exchange *exchange = connection->exchange;

    if (!exchange)
        return !is_over(connection);
    if (!(exchange->flags & EXCHANGE_RESPONSE_DONE))
        return false;
    if (!(exchange->flags & EXCHANGE_GONE))
        http_exchange_gone(exchange, 0);
    if (is_over(connection))
        return false;
    if (!(exchange->flags & EXCHANGE_REQUEST_DONE) && !(connection->flags & HTTP_LAST))
        return false;
    if (connection->flags & HTTP_FULL) {
        PROBE("http server: a response waits for its client");
        return false; /* until `drained` */
    }
    end_exchange(connection);
    if (connection->flags & (HTTP_LAST | HTTP_DRAINING | HTTP_ENDED)) {
        http_connection_close(connection);
        return false;
    }
    weft_http1_parser_reset(&connection->parser);
    return true;
}

void http_connection_refuse(struct http_connection *connection, unsigned status, int reason)
{
    weft_http_exchange *exchange = connection->exchange;
    int64_t sent = 0;

    connection->flags |= HTTP_BROKEN;
    if (exchange && (exchange->flags & EXCHANGE_STARTED)) {
        weft_stream_abort(connection->stream);
    } else {
        sent = http_respond_refusal(connection, status);
        weft_stream_close(connection->stream);
    }
    if (!exchange)
        http_record_refusal(connection, status, sent);
    else if (!(exchange->flags & EXCHANGE_GONE))
        http_exchange_gone(exchange, reason);
}

/* -- events of the codec -- */

static int add_field(weft_http_server *server, weft_http_exchange *exchange, const weft_http1_field *field)
{
    if (exchange->field_count == server->scratch_room) {
        size_t room = server->scratch_room ? server->scratch_room * 2 : 32;
        void *grown = weft_reallocate(server->scratch, room * sizeof *server->scratch);
        if (!grown)
            return WEFT_ENOMEM;
        server->scratch = grown;
        server->scratch_room = room;
    }
    server->scratch[exchange->field_count++] = (weft_http_field){field->name, field->value};
    if (field->id == WEFT_HTTP1_FIELD_HOST && exchange->authority.length == 0)
        exchange->authority = field->value;
    return 0;
}

static int begin_exchange(struct http_connection *connection, const weft_http1_request_line *line)
{
    weft_http_exchange *exchange = http_exchange_new(connection);
    bool is_head = weft_bytes_equal(line->method, weft_bytes_of("HEAD", 4));

    if (!exchange) {
        connection->flags |= is_head ? HTTP_REFUSES_HEAD : 0;
        return WEFT_ENOMEM;
    }
    connection->exchange = exchange;
    connection->requests++;
    exchange->method = line->method;
    exchange->target = line->target;
    exchange->path = line->path;
    exchange->authority = line->authority;
    exchange->minor = line->minor;
    if (is_head)
        exchange->flags |= EXCHANGE_HEAD_METHOD;
    return 0;
}

static void take_framing(struct http_connection *connection, const weft_http1_head *head)
{
    weft_http_exchange *exchange = connection->exchange;

    exchange->fields = connection_server(connection)->scratch;
    if (head->framing != WEFT_HTTP1_BODY_NONE)
        exchange->flags |= EXCHANGE_HAS_BODY;
    if (head->expect_continue)
        exchange->flags |= EXCHANGE_EXPECT;
    exchange->request_left = head->framing == WEFT_HTTP1_BODY_CHUNKED ? UINT64_MAX : head->length;
    if (!head->keep_alive || connection->requests >= connection_server(connection)->requests ||
        RARE("http server: this response is the last"))
        connection->flags |= HTTP_LAST;
    connection->flags &= ~(uint32_t)HTTP_HEAD_BEGUN;
}

/* The head is complete: the handler's turn. */
static void handle(struct http_connection *connection, const weft_http1_head *head)
{
    weft_http_exchange *exchange = connection->exchange;
    weft_http_handler *handler = connection_server(connection)->handler;

    take_framing(connection, head);
    exchange->began = weft_loop_now(connection_server(connection)->loop);
    exchange->wall = weft_loop_wall(connection_server(connection)->loop);
    exchange->flags |= EXCHANGE_IN_REQUEST;
    loop_enters(connection_server(connection)->loop, handler->ops->name);
    handler->ops->request(handler, exchange);
    exchange->flags &= ~(uint32_t)EXCHANGE_IN_REQUEST;
    if (is_over(connection)) {
        if (!exchange->responder)
            http_exchange_gone(exchange, WEFT_EABORTED); /* as below: its slices do not live until `lost` */
        return;
    }
    if (!exchange->responder && !(exchange->flags & EXCHANGE_RESPONSE_DONE)) {
        http_connection_refuse(connection, 500, WEFT_EPROTOCOL); /* the handler did not answer, and cannot any more */
        return;
    }
    if (exchange->flags & EXCHANGE_RESPONSE_DONE) {
        http_exchange_gone(exchange, 0); /* now, while what its slices refer to is there */
        return;
    }
    /* RFC 9110 §10.1.1: not after the final response has begun. */
    if ((exchange->flags & (EXCHANGE_EXPECT | EXCHANGE_STARTED)) == EXCHANGE_EXPECT &&
        (exchange->responder->ops->body || exchange->responder->ops->body_ended) && http_respond_continue(exchange) < 0)
        weft_stream_abort(connection->stream);
}

static void take_body(struct http_connection *connection, weft_bytes bytes)
{
    weft_http_exchange *exchange = connection->exchange;
    weft_http_responder *responder = exchange->responder;

    if (exchange->request_left != UINT64_MAX)
        exchange->request_left -= bytes.length;
    exchange->came += bytes.length;
    if (exchange->flags & EXCHANGE_GONE) {
        exchange->discarded += bytes.length;
        if (exchange->discarded > HTTP_DISCARD)
            connection->flags |= HTTP_LAST;
        return;
    }
    if (responder && responder->ops->body)
        responder->ops->body(responder, exchange, bytes);
}

static void end_message(struct http_connection *connection)
{
    weft_http_exchange *exchange = connection->exchange;
    weft_http_responder *responder = exchange->responder;

    exchange->flags |= EXCHANGE_REQUEST_DONE;
    exchange->active = weft_loop_now(connection_server(connection)->loop);
    connection->flags &= ~(uint32_t)HTTP_TIMED;
    if (!(exchange->flags & EXCHANGE_GONE) && responder && responder->ops->body_ended)
        responder->ops->body_ended(responder, exchange);
}

/*
 * The next event but those of a head before its end, which are most of them and after which nothing is to be decided:
 * they are taken here. Returns its type or the codec's error; sets *ret_status to how taking them went.
 */
static int next_event(struct http_connection *connection, weft_bytes *rest, weft_http1_event *event, int *ret_status)
{
    int status = 0, type;

    do {
        type = weft_http1_next(&connection->parser, rest, event);
        if (type == WEFT_HTTP1_FIELD)
            status = add_field(connection_server(connection), connection->exchange, &event->field);
        else if (type == WEFT_HTTP1_REQUEST_LINE)
            status = begin_exchange(connection, &event->request);
        else
            break;
    } while (status == 0);
    *ret_status = status;
    return type;
}

static int take_event(struct http_connection *connection, const weft_http1_event *event)
{
    switch (event->type) {
    case WEFT_HTTP1_HEAD_END:
        handle(connection, &event->head);
        return 0;
    case WEFT_HTTP1_BODY:
        take_body(connection, event->body);
        return 0;
    case WEFT_HTTP1_TRAILER:
        return http_exchange_add_trailer(connection->exchange, event->field.name, event->field.value);
    case WEFT_HTTP1_MESSAGE_END:
        end_message(connection);
        return 0;
    default:
        return 0;
    }
}

/* -- reading -- */

/* Whether nothing can be done with the client's bytes for now. */
static bool must_wait(const struct http_connection *connection)
{
    const weft_http_exchange *exchange = connection->exchange;

    if (!exchange)
        return false;
    if ((exchange->flags & EXCHANGE_RESPONSE_DONE) && (connection->flags & HTTP_FULL) &&
        ((exchange->flags & EXCHANGE_REQUEST_DONE) || (connection->flags & HTTP_LAST)))
        return true;
    if (exchange->flags & EXCHANGE_REQUEST_DONE)
        return !(exchange->flags & EXCHANGE_RESPONSE_DONE);
    return (connection->flags & HTTP_PAUSED_BODY) && !(exchange->flags & EXCHANGE_GONE);
}

/* One event. Returns whether there may be another. */
static bool parse_one(struct http_connection *connection, weft_bytes *rest)
{
    weft_http1_event event;
    int status, type = next_event(connection, rest, &event, &status);

    if (type == WEFT_HTTP1_NEED_MORE)
        return false;
    if (type < 0) {
        http_connection_refuse(connection, weft_http1_parser_status(&connection->parser), WEFT_EPROTOCOL);
        return false;
    }
    if (status == 0)
        status = take_event(connection, &event);
    if (status < 0 && !is_over(connection)) {
        http_connection_refuse(connection, 503, status);
        return false;
    }
    (void)settle(connection);
    return !is_over(connection);
}

static void wait_or_go_on(struct http_connection *connection)
{
    bool wait = must_wait(connection);

    if (wait && !(connection->flags & HTTP_WAITING)) {
        connection->flags |= HTTP_WAITING;
        weft_stream_pause(connection->stream);
    } else if (!wait && (connection->flags & HTTP_WAITING)) {
        connection->flags &= ~(uint32_t)HTTP_WAITING;
        weft_stream_resume(connection->stream);
    }
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);
    weft_bytes rest = in;

    (void)stream;
    connection->flags |= HTTP_PARSING;
    while (!is_over(connection) && !must_wait(connection) && parse_one(connection, &rest))
        ;
    connection->flags &= ~(uint32_t)HTTP_PARSING;
    if (is_over(connection))
        return in.length;
    wait_or_go_on(connection);
    http_deadline_set(connection, rest.length > 0);
    return in.length - rest.length;
}

/* The end of a body of which all was read before a pause: no further byte brings it. */
static void take_paused_end(struct http_connection *connection)
{
    const weft_http_exchange *exchange = connection->exchange;
    weft_bytes none = weft_bytes_of(NULL, 0);

    if (!exchange || exchange->request_left > 0 || (exchange->flags & EXCHANGE_REQUEST_DONE) || must_wait(connection))
        return;
    PROBE("http server: a request's end was read before a pause");
    connection->flags |= HTTP_PARSING;
    (void)parse_one(connection, &none);
    connection->flags &= ~(uint32_t)HTTP_PARSING;
}

static void connection_task(struct loop_task *task)
{
    struct http_connection *connection = weft_container_of(task, struct http_connection, task);

    if (connection->flags & HTTP_DEAD) {
        weft_release(connection);
        return;
    }
    (void)settle(connection);
    if (!is_over(connection))
        take_paused_end(connection);
    if (is_over(connection))
        return;
    wait_or_go_on(connection);
    http_deadline_set(connection, false);
}

void http_connection_changed(struct http_connection *connection)
{
    if (!(connection->flags & (HTTP_PARSING | HTTP_DEAD)))
        loop_later(connection_server(connection)->loop, &connection->task);
}

/* -- what else happens to a stream -- */

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);

    weft_stream_set_deadline(stream, connection_server(connection)->head_time);
}

static void drained(weft_protocol *protocol, weft_stream *stream)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);
    weft_http_exchange *exchange = connection->exchange;

    (void)stream;
    connection->flags &= ~(uint32_t)HTTP_FULL;
    if (exchange)
        http_deadline_drained(connection);
    if (exchange && exchange->responder && !(exchange->flags & EXCHANGE_GONE) && exchange->responder->ops->drained)
        exchange->responder->ops->drained(exchange->responder, exchange);
    http_connection_changed(connection);
}

/* The client must see that this response is not all of it. */
static bool begun_only(const weft_http_exchange *exchange)
{
    return (exchange->flags & (EXCHANGE_STARTED | EXCHANGE_RESPONSE_DONE)) == EXCHANGE_STARTED;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);
    weft_http_exchange *exchange = connection->exchange;

    connection->flags |= HTTP_ENDED;
    if (!exchange) {
        http_connection_close(connection);
    } else if (!(exchange->flags & EXCHANGE_REQUEST_DONE)) {
        /* RFC 9112 §8: an incomplete request is not acted upon; the responses before it are still sent. */
        if (begun_only(exchange)) {
            connection->flags |= HTTP_BROKEN;
            weft_stream_abort(stream);
        } else {
            http_connection_finish(connection);
        }
    }
}

static void deadline(weft_protocol *protocol, weft_stream *stream)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);

    (void)stream;
    if (!is_over(connection))
        http_deadline_passed(connection);
}

/* How long a stop waits for the first byte of a connection that has not said anything: browsers keep such in reserve. */
#define FIRST_WORD WEFT_SECONDS(1)

static void draining(weft_protocol *protocol, weft_stream *stream)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);

    connection->flags |= HTTP_DRAINING;
    if (connection->exchange || (connection->flags & (HTTP_HEAD_BEGUN | HTTP_BROKEN)))
        return;
    if (connection->requests > 0)
        http_connection_close(connection);
    else /* it may have waited in the backlog until now, its request with it: it gets its first answer */
        weft_stream_set_deadline(stream, FIRST_WORD);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct http_connection *connection = weft_container_of(protocol, struct http_connection, protocol);
    weft_http_exchange *exchange = connection->exchange;

    (void)stream;
    connection->flags |= HTTP_DEAD;
    if (exchange) {
        PROBE(begun_only(exchange) ? "http server: lost in the middle of a response"
                                   : "http server: lost before it answered");
        if (!(exchange->flags & EXCHANGE_GONE))
            http_exchange_gone(exchange, exchange->flags & EXCHANGE_RESPONSE_DONE ? 0 : reason);
        http_exchange_free(exchange);
    }
    weft_scope_close(connection->scope);
    if (!connection->task.next)
        weft_release(connection);
}

static WEFT_PROTOCOL(http_ops, "http", "handing over a live connection comes with the upgrade of running programs",
                     .connected = connected, .received = received, .drained = drained, .ended = ended,
                     .deadline = deadline, .draining = draining, .lost = lost);

weft_protocol *http_connection_new(weft_http_server *server, weft_stream *stream)
{
    struct http_connection *connection = weft_allocate_zeroed(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->protocol.ops = &http_ops;
    connection->stream = stream;
    connection->task.run = connection_task;
    weft_http1_parser_init(&connection->parser, WEFT_HTTP1_REQUEST, &server->limits);
    return &connection->protocol;
}
