/* SPDX-License-Identifier: MIT */
/*
 * The one deadline of a connection (http_server.h): the nearest of what it
 * waits for.
 *
 * It is set when something nearer has come up. What has moved away since (the
 * handler wrote, the client sent or took something) is found out when it
 * passes: bytes cost an addition, and no timer.
 *
 * The pace of a client is measured as a time that it has. It begins with the
 * grace, and each byte adds what it takes at the least rate, so that whoever
 * keeps to the rate is never late. What was quick pays for a pause of up to
 * MOST_EARNED; without that bound the first megabyte would buy an hour of
 * silence.
 */
#include "families/http/http_server.h"

#include "base/probe.h"
#include "net/stream_internal.h"

/* As long as a stream waits for a client that takes nothing. */
#define MOST_EARNED WEFT_SECONDS(30)

enum late { LATE_BODY, LATE_ANSWER, LATE_READER, LATE_EXCHANGE };

struct due {
    weft_time at;
    enum late late;
};

static weft_time after(weft_time from, weft_time delay)
{
    return delay >= WEFT_NEVER - from ? WEFT_NEVER : from + delay;
}

static void sooner(struct due *due, weft_time at, enum late late)
{
    if (at < due->at)
        *due = (struct due){at, late};
}

static weft_time now_of(const struct http_connection *connection)
{
    return weft_loop_now(connection_server(connection)->loop);
}

/* -- pace -- */

/* The time @p due after @p bytes have moved. */
static weft_time earn(weft_time due, uint64_t bytes, size_t rate, weft_time grace, weft_time now)
{
    weft_time most = grace > MOST_EARNED ? grace : MOST_EARNED;

    if (bytes / rate < (uint64_t)(most / WEFT_SECONDS(1))) {
        unsigned __int128 time = (unsigned __int128)bytes * WEFT_SECONDS(1) / rate;
        due = after(due, (weft_time)time);
    } else {
        due = WEFT_NEVER;
    }
    return due < after(now, most) ? due : after(now, most);
}

/* After the last response nobody wants the rest of a body. */
static bool reads_body(const struct http_connection *connection)
{
    const weft_http_exchange *exchange = connection->exchange;

    if (exchange->flags & EXCHANGE_REQUEST_DONE)
        return false;
    return !(exchange->flags & EXCHANGE_RESPONSE_DONE) || !(connection->flags & HTTP_LAST);
}

/* Whether it is the client alone that the body waits for. One that expects 100 (Continue) may wait for it. */
static bool must_send(const struct http_connection *connection)
{
    const weft_http_exchange *exchange = connection->exchange;

    if (!reads_body(connection) || (exchange->flags & EXCHANGE_EXPECT))
        return false;
    return !(connection->flags & HTTP_PAUSED_BODY) || (exchange->flags & EXCHANGE_GONE);
}

static void earn_reading(const struct http_connection *connection, weft_time now)
{
    const weft_http_server *server = connection_server(connection);
    weft_http_exchange *exchange = connection->exchange;

    exchange->read_due = earn(exchange->read_due, exchange->came, server->request_rate, server->request_grace, now);
    exchange->came = 0;
}

/* The clock stands while it is not the client's turn. */
static void watch_reading(struct http_connection *connection, weft_time now)
{
    weft_http_exchange *exchange = connection->exchange;
    bool runs = (exchange->flags & EXCHANGE_READ_PACE) != 0;

    if (runs == must_send(connection))
        return;
    exchange->flags ^= EXCHANGE_READ_PACE;
    if (runs) {
        earn_reading(connection, now);
        exchange->read_due = exchange->read_due > now ? exchange->read_due - now : 0;
    } else {
        exchange->read_due = after(now, exchange->read_due);
    }
}

/* What of the response is still on its way, as far as it is known without a walk through the queue: all of it but for
 * stretches of files that follow another one. */
static struct http_taking taking_of(const weft_http_exchange *exchange)
{
    const weft_stream *stream = exchange->connection->stream;
    size_t stretches = weft_bytequeue_opaque_count(&stream->output);
    int64_t unconfirmed = weft_stream_unconfirmed(stream);
    uint64_t offset, left = stretches == 1 ? exchange->stretch : 0;
    weft_owner *owner;
    bool in_file = weft_bytequeue_peek_opaque(&stream->output, &owner, &offset, &left);

    return (struct http_taking){
        .queued = exchange->queued,
        .untaken = weft_stream_queued(stream) + left + (unconfirmed < 0 ? 0 : (uint64_t)unconfirmed),
        .position = stretches > 1 ? 1 + 2 * (exchange->stretches - stretches) + in_file : 0,
    };
}

static void watch_taking(struct http_connection *connection, weft_time now)
{
    weft_http_exchange *exchange = connection->exchange;

    if ((connection->flags & (HTTP_FULL | HTTP_MEASURED)) != HTTP_FULL)
        return;
    connection->flags |= HTTP_MEASURED;
    if (!(exchange->flags & EXCHANGE_TAKE_PACE)) {
        exchange->flags |= EXCHANGE_TAKE_PACE;
        exchange->taking = taking_of(exchange);
        exchange->take_due = connection_server(connection)->response_grace;
    }
    exchange->take_due = after(now, exchange->take_due);
}

/* What it took counts when it is looked at next: a client that keeps up is not looked at. */
void http_deadline_drained(struct http_connection *connection)
{
    weft_http_exchange *exchange = connection->exchange;
    weft_time now = now_of(connection);

    exchange->active = now; /* the answer goes on */
    if (connection->flags & HTTP_MEASURED)
        exchange->take_due = exchange->take_due > now ? exchange->take_due - now : 0;
    connection->flags &= ~(uint32_t)(HTTP_MEASURED | HTTP_TIMED);
}

static void earn_taking(struct http_connection *connection, weft_time now)
{
    const weft_http_server *server = connection_server(connection);
    weft_http_exchange *exchange = connection->exchange;
    struct http_taking before = exchange->taking, taking = taking_of(exchange);
    uint64_t had = before.untaken + (taking.queued - before.queued);

    exchange->taking = taking;
    if (taking.position != before.position) /* another stretch is being sent: that is progress enough */
        exchange->take_due = after(now, server->response_grace);
    else if (taking.untaken < had)
        exchange->take_due =
            earn(exchange->take_due, had - taking.untaken, server->response_rate, server->response_grace, now);
}

/* -- the nearest -- */

static weft_time nearest(const struct http_connection *connection, enum late *ret_late)
{
    const weft_http_server *server = connection_server(connection);
    const weft_http_exchange *exchange = connection->exchange;
    struct due due = {.at = WEFT_NEVER};

    if (reads_body(connection))
        sooner(&due, after(exchange->began, server->body_time), LATE_BODY);
    else if (!(exchange->flags & EXCHANGE_RESPONSE_DONE) && !(connection->flags & HTTP_FULL))
        sooner(&due, after(exchange->active, server->answer_time), LATE_ANSWER);
    if ((exchange->flags & EXCHANGE_READ_PACE) && server->request_rate != WEFT_UNLIMITED)
        sooner(&due, exchange->read_due, LATE_BODY);
    if ((connection->flags & HTTP_MEASURED) && server->response_rate != WEFT_UNLIMITED)
        sooner(&due, exchange->take_due, LATE_READER);
    sooner(&due, after(exchange->began, server->total_time), LATE_EXCHANGE);
    *ret_late = due.late;
    return due.at;
}

static void set_for_exchange(struct http_connection *connection)
{
    weft_time now = now_of(connection), due;
    enum late late;

    if (connection->flags & HTTP_TIMED)
        return;
    connection->flags |= HTTP_TIMED;
    watch_reading(connection, now);
    watch_taking(connection, now);
    due = nearest(connection, &late);
    weft_stream_set_deadline(connection->stream, due == WEFT_NEVER ? WEFT_NEVER : due - now);
}

void http_deadline_set(struct http_connection *connection, bool begun)
{
    const weft_http_server *server = connection_server(connection);

    if (connection->exchange) {
        set_for_exchange(connection);
    } else if (begun || (connection->flags & HTTP_HEAD_BEGUN)) {
        if (!(connection->flags & HTTP_HEAD_BEGUN))
            weft_stream_set_deadline(connection->stream, server->head_time);
        connection->flags |= HTTP_HEAD_BEGUN;
    } else {
        weft_stream_set_deadline(connection->stream, server->idle_time);
    }
}

/* -- too late -- */

static void body_is_late(struct http_connection *connection)
{
    PROBE("http server: a request's body is too slow");
    if (connection->exchange->flags & EXCHANGE_RESPONSE_DONE)
        http_connection_finish(connection);
    else
        http_connection_refuse(connection, 408, WEFT_ETIMEDOUT);
}

static void answer_is_late(struct http_connection *connection)
{
    if (weft_stream_queued(connection->stream) == 0) {
        http_connection_refuse(connection, 503, WEFT_ETIMEDOUT);
        return;
    }
    connection->exchange->active = now_of(connection); /* it is the client that is slow, and the stream watches that */
    http_deadline_set(connection, false);
}

static void exchange_is_late(struct http_connection *connection, enum late late)
{
    const weft_http_exchange *exchange = connection->exchange;

    switch (late) {
    case LATE_BODY:
        body_is_late(connection);
        break;
    case LATE_ANSWER:
        answer_is_late(connection);
        break;
    case LATE_READER: /* something of the response was sent: this is an abort */
    case LATE_EXCHANGE:
        http_connection_refuse(connection, exchange->flags & EXCHANGE_REQUEST_DONE ? 503 : 408, WEFT_ETIMEDOUT);
        break;
    }
}

void http_deadline_passed(struct http_connection *connection)
{
    weft_time now = now_of(connection);
    enum late late;

    connection->flags &= ~(uint32_t)HTTP_TIMED;
    if (!connection->exchange) {
        if ((connection->flags & HTTP_HEAD_BEGUN) || connection->requests == 0)
            http_connection_refuse(connection, 408, WEFT_ETIMEDOUT);
        else
            http_connection_close(connection);
        return;
    }
    if (connection->exchange->flags & EXCHANGE_READ_PACE)
        earn_reading(connection, now);
    if (connection->flags & HTTP_MEASURED)
        earn_taking(connection, now);
    if (nearest(connection, &late) > now)
        set_for_exchange(connection);
    else
        exchange_is_late(connection, late);
}
