/* SPDX-License-Identifier: MIT */
/* Writing a response: the head, and a body framed as the head said (http_server.h). */
#include "families/http/http_server.h"

#include <weft/memory.h>

#include "families/http/http_error_page.h"

/* The most that a response's head takes, with all its fields. */
#define HEAD_MOST 8192

/* A head being written: what does not fit, or may not be sent, is remembered. */
struct head {
    size_t length;
    int error;
    char data[HEAD_MOST];
};

static void add(struct head *head, int written)
{
    if (written < 0 && head->error == 0)
        head->error = written == -ENOSPC ? -EMSGSIZE : written;
    if (written > 0 && head->error == 0)
        head->length += (size_t)written;
}

static size_t room(const struct head *head)
{
    return sizeof head->data - head->length;
}

static void add_field(struct head *head, weft_bytes name, weft_bytes value)
{
    add(head, weft_http1_write_field(head->data + head->length, room(head), name, value));
}

/* Constant text of ours. */
static void add_line(struct head *head, const char *line, size_t length)
{
    if (length > room(head)) {
        add(head, -ENOSPC);
        return;
    }
    memcpy(head->data + head->length, line, length);
    head->length += length;
}

#define ADD_LINE(head, line) add_line(head, line "\r\n", sizeof(line) + 1)

static void write_first_lines(struct head *head, weft_http_server *server, unsigned status)
{
    head->length = 0;
    head->error = 0;
    if (status == 200)
        ADD_LINE(head, "HTTP/1.1 200 OK");
    else
        add(head, weft_http1_write_status_line(head->data, sizeof head->data, status, http_status_reason(status)));
    add_line(head, "Date: ", 6);
    add_line(head, http_server_date(server), WEFT_HTTP_DATE_LENGTH);
    add_line(head, "\r\n", 2);
}

/* The first lines of a 200 are the same for a second: copied as they were written last. */
static void begin_head(struct head *head, weft_http_server *server, unsigned status)
{
    weft_time second = weft_loop_wall(server->loop) / WEFT_SECONDS(1);

    if (status == 200 && second == server->ok_second && server->ok_length > 0) {
        memcpy(head->data, server->ok, sizeof server->ok);
        head->length = server->ok_length;
        head->error = 0;
        return;
    }
    write_first_lines(head, server, status);
    if (status == 200 && head->length <= sizeof server->ok) {
        memcpy(server->ok, head->data, head->length);
        server->ok_length = head->length;
        server->ok_second = second;
    }
}

/* The fields that the server itself is responsible for. */
static bool is_reserved(weft_bytes name)
{
    /* By length: no two of these names have the same one. */
    static const weft_bytes reserved[] = {
        [4] = WEFT_BYTES("Date"),
        [7] = WEFT_BYTES("Trailer"),
        [10] = WEFT_BYTES("Connection"),
        [14] = WEFT_BYTES("Content-Length"),
        [17] = WEFT_BYTES("Transfer-Encoding"),
    };

    return name.length > 0 && name.length < sizeof reserved / sizeof *reserved && reserved[name.length].length > 0 &&
           weft_bytes_equal_nocase(name, reserved[name.length]);
}

/* What is left of the request's body is too much, or may never come: the connection cannot go on after this response. */
static bool leaves_body_unread(const weft_http_exchange *exchange)
{
    if ((exchange->flags & (EXCHANGE_HAS_BODY | EXCHANGE_REQUEST_DONE)) != EXCHANGE_HAS_BODY)
        return false;
    return (exchange->flags & EXCHANGE_EXPECT) ||
           (exchange->request_left != UINT64_MAX && exchange->request_left > HTTP_DISCARD);
}

static void add_framing(struct head *head, weft_http_exchange *exchange, unsigned status, uint64_t length)
{
    struct http_connection *connection = exchange->connection;

    if ((exchange->flags & EXCHANGE_HEAD_METHOD) || status == 204 || status == 304)
        exchange->flags |= EXCHANGE_NO_BODY;
    if (status == 204 || (status == 304 && length == WEFT_HTTP_LENGTH_UNKNOWN)) {
        /* RFC 9110 §8.6: no Content-Length in a 204 */
    } else if (length != WEFT_HTTP_LENGTH_UNKNOWN) {
        add(head, weft_http1_write_length(head->data + head->length, room(head), length));
    } else if (exchange->minor >= 1) {
        exchange->flags |= EXCHANGE_CHUNKED;
        ADD_LINE(head, "Transfer-Encoding: chunked");
    } else {
        connection->flags |= HTTP_LAST;
    }
    if (leaves_body_unread(exchange) || (connection->flags & HTTP_DRAINING))
        connection->flags |= HTTP_LAST;
    if (connection->flags & HTTP_LAST)
        ADD_LINE(head, "Connection: close");
    else if (exchange->minor == 0)
        ADD_LINE(head, "Connection: keep-alive");
}

/* Remembers that the client takes less than it is sent: from now on its pace counts. */
static int note_full(weft_http_exchange *exchange, int written)
{
    struct http_connection *connection = exchange->connection;

    if (written == 1 && !(connection->flags & HTTP_FULL)) {
        connection->flags |= HTTP_FULL;
        connection->flags &= ~(uint32_t)HTTP_TIMED;
        http_connection_changed(connection);
    }
    return written;
}

static int note_written(weft_http_exchange *exchange, uint64_t length, int written)
{
    if (written >= 0)
        exchange->queued += length;
    return note_full(exchange, written);
}

static int write_stream(weft_http_exchange *exchange, weft_bytes bytes)
{
    return note_written(exchange, bytes.length, weft_stream_write(exchange->connection->stream, bytes));
}

static int write_stretch(weft_http_exchange *exchange, weft_file *file, uint64_t offset, uint64_t length)
{
    int written = weft_stream_write_file(exchange->connection->stream, file, offset, length);

    if (written >= 0 && length > 0) {
        exchange->stretches++;
        exchange->stretch = length;
    }
    return note_written(exchange, length, written);
}

/* -- the beginning -- */

/* Writes the whole head, if a response may begin now. */
static int compose_head(weft_http_exchange *exchange, struct head *head, unsigned status, const weft_http_field *fields,
                        size_t count, uint64_t length)
{
    if (exchange->flags & (EXCHANGE_STARTED | EXCHANGE_RESPONSE_DONE))
        return -EALREADY;
    if (exchange->flags & EXCHANGE_GONE)
        return WEFT_EENDED;
    if (status < 200 || status > 599)
        return -EINVAL;
    begin_head(head, connection_server(exchange->connection), status);
    for (size_t i = 0; i < count; i++) {
        if (is_reserved(fields[i].name))
            return -EINVAL;
        add_field(head, fields[i].name, fields[i].value);
    }
    add_framing(head, exchange, status, length);
    add_line(head, "\r\n", 2);
    return head->error;
}

/* A head and a body that do not fit into a struct head. */
struct block {
    weft_owner owner;
    char data[];
};

static void block_destroy(weft_owner *owner)
{
    weft_release(weft_container_of(owner, struct block, owner));
}

static int write_block(weft_http_exchange *exchange, const struct head *head, weft_bytes body)
{
    struct block *block = body.length < SIZE_MAX / 2 ? weft_allocate(sizeof *block + head->length + body.length) : NULL;
    weft_bytes bytes;
    int written;

    if (!block)
        return WEFT_ENOMEM;
    block->owner = (weft_owner){.references = 1, .destroy = block_destroy};
    memcpy(block->data, head->data, head->length);
    memcpy(block->data + head->length, body.data, body.length);
    bytes = weft_bytes_of(block->data, head->length + body.length);
    written = note_written(exchange, bytes.length,
                           weft_stream_write_owned(exchange->connection->stream, bytes, &block->owner));
    if (written < 0)
        weft_release(block);
    return written;
}

/* In one piece: either all of it is queued or nothing. */
static int write_together(weft_http_exchange *exchange, struct head *head, weft_bytes body)
{
    if (exchange->flags & EXCHANGE_NO_BODY)
        body.length = 0;
    if (body.length > room(head))
        return write_block(exchange, head, body);
    if (body.length > 0)
        memcpy(head->data + head->length, body.data, body.length);
    return write_stream(exchange, weft_bytes_of(head->data, head->length + body.length));
}

/* The head, with the first bytes of the body. The flags that deciding on the framing set are undone if it is refused. */
static int start_with(weft_http_exchange *exchange, unsigned status, const weft_http_field *fields, size_t count,
                      uint64_t length, weft_bytes body)
{
    struct http_connection *connection = exchange->connection;
    uint32_t exchange_flags = exchange->flags, connection_flags = connection->flags;
    struct head head;
    int written = compose_head(exchange, &head, status, fields, count, length);

    if (written >= 0)
        written = write_together(exchange, &head, body);
    if (written < 0) {
        exchange->flags = exchange_flags;
        connection->flags = connection_flags;
        return written;
    }
    exchange->flags |= EXCHANGE_STARTED;
    exchange->status = status;
    exchange->announced = length;
    exchange->written = body.length;
    return 0;
}

int weft_http_respond_start(weft_http_exchange *exchange, unsigned status, const weft_http_field *fields, size_t count,
                            uint64_t length)
{
    return start_with(exchange, status, fields, count, length, weft_bytes_of(NULL, 0));
}

/* -- the body -- */

/* Whether @p length more bytes of body are in order. Returns 1 if they are to be dropped. */
static int may_write(const weft_http_exchange *exchange, uint64_t length)
{
    if (!(exchange->flags & EXCHANGE_STARTED))
        return -EINVAL;
    if (exchange->flags & (EXCHANGE_RESPONSE_DONE | EXCHANGE_GONE))
        return WEFT_EENDED;
    if (exchange->announced != WEFT_HTTP_LENGTH_UNKNOWN && length > exchange->announced - exchange->written)
        return -EMSGSIZE;
    return (exchange->flags & EXCHANGE_NO_BODY) || length == 0;
}

static int write_chunk_line(weft_http_exchange *exchange, uint64_t length)
{
    char line[WEFT_HTTP1_CHUNK_ROOM];
    int size = weft_http1_write_chunk(line, sizeof line, length);

    return size < 0 ? size : write_stream(exchange, weft_bytes_of(line, (size_t)size));
}

/* A part of a chunk was queued and the rest was not: the body cannot be completed any more. */
static int broken(weft_http_exchange *exchange, int error)
{
    weft_http_exchange_abort(exchange);
    return error;
}

/* A handler that writes is not late. */
static void note_active(weft_http_exchange *exchange)
{
    exchange->active = weft_loop_now(connection_server(exchange->connection)->loop);
}

int weft_http_respond_write(weft_http_exchange *exchange, weft_bytes bytes)
{
    bool chunked = (exchange->flags & EXCHANGE_CHUNKED) != 0;
    int status = may_write(exchange, bytes.length);

    if (status < 0)
        return status;
    if (status == 0) {
        if (chunked && (status = write_chunk_line(exchange, bytes.length)) < 0)
            return status;
        status = write_stream(exchange, bytes);
        if (status >= 0 && chunked)
            status = write_stream(exchange, weft_bytes_of("\r\n", 2));
        if (status < 0)
            return chunked ? broken(exchange, status) : status;
        exchange->written += bytes.length;
        note_active(exchange);
        return status;
    }
    exchange->written += exchange->announced == WEFT_HTTP_LENGTH_UNKNOWN ? 0 : bytes.length;
    return 0;
}

int weft_http_respond_file(weft_http_exchange *exchange, weft_file *file, uint64_t offset, uint64_t length)
{
    bool chunked = (exchange->flags & EXCHANGE_CHUNKED) != 0;
    int status = may_write(exchange, length);

    if (status < 0)
        return status;
    if (status == 0) {
        if (chunked && (status = write_chunk_line(exchange, length)) < 0)
            return status;
        status = write_stretch(exchange, file, offset, length);
        if (status >= 0 && chunked)
            status = write_stream(exchange, weft_bytes_of("\r\n", 2));
        if (status < 0)
            return chunked ? broken(exchange, status) : status;
        note_active(exchange);
    }
    exchange->written += length;
    return status == 1 && !(exchange->flags & EXCHANGE_NO_BODY) && length > 0;
}

static int end_chunks(weft_http_exchange *exchange, const weft_http_field *trailers, size_t count)
{
    struct head end = {.length = 0};

    add(&end, weft_http1_write_last_chunk(end.data, sizeof end.data));
    for (size_t i = 0; i < count; i++)
        add(&end, weft_http1_write_trailer(end.data + end.length, room(&end), trailers[i].name, trailers[i].value));
    add_line(&end, "\r\n", 2);
    return end.error < 0 ? end.error : write_stream(exchange, weft_bytes_of(end.data, end.length));
}

int weft_http_respond_end(weft_http_exchange *exchange, const weft_http_field *trailers, size_t count)
{
    bool sends_body = !(exchange->flags & EXCHANGE_NO_BODY);
    int status = may_write(exchange, 0);

    if (status < 0)
        return status;
    if (sends_body && exchange->announced != WEFT_HTTP_LENGTH_UNKNOWN && exchange->written < exchange->announced) {
        weft_http_exchange_abort(exchange);
        return 0;
    }
    if (sends_body && (exchange->flags & EXCHANGE_CHUNKED) && (status = end_chunks(exchange, trailers, count)) < 0)
        return status;
    exchange->flags |= EXCHANGE_RESPONSE_DONE;
    http_connection_changed(exchange->connection);
    return 0;
}

int weft_http_respond(weft_http_exchange *exchange, unsigned status, const weft_http_field *fields, size_t count,
                      weft_bytes body)
{
    uint64_t length;
    int result;

    if (status == 205)
        body.length = 0; /* RFC 9110 §15.3.6: no content, and that is said */
    /* §15.4.5: a 304 has the length that the 200 would have, and without a body here nobody knows that */
    length = status == 304 && body.length == 0 ? WEFT_HTTP_LENGTH_UNKNOWN : body.length;
    result = start_with(exchange, status, fields, count, length, body);

    return result < 0 ? result : weft_http_respond_end(exchange, NULL, 0);
}

/* -- what the server says by itself -- */

int http_respond_continue(weft_http_exchange *exchange)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    exchange->flags &= ~(uint32_t)EXCHANGE_EXPECT;
    return write_stream(exchange, weft_bytes_of(line, sizeof line - 1));
}

/* The head and, but for HEAD, the page. Returns the bytes of the page, or an error. */
static int64_t write_refusal(struct http_connection *connection, unsigned status)
{
    const weft_http_exchange *exchange = connection->exchange;
    struct head head;
    char page[HTTP_ERROR_PAGE_ROOM];
    size_t length = http_error_page(status, page);
    int written;

    begin_head(&head, connection_server(connection), status);
    ADD_LINE(&head, "Content-Type: text/html; charset=utf-8");
    add(&head, weft_http1_write_length(head.data + head.length, room(&head), length));
    ADD_LINE(&head, "Connection: close");
    add_line(&head, "\r\n", 2);
    written = weft_stream_write(connection->stream, weft_bytes_of(head.data, head.length));
    if (written < 0)
        return written;
    if (exchange ? exchange->flags & EXCHANGE_HEAD_METHOD : connection->flags & HTTP_REFUSES_HEAD)
        return 0;
    written = weft_stream_write(connection->stream, weft_bytes_of(page, length));
    return written < 0 ? written : (int64_t)length;
}

int64_t http_respond_refusal(struct http_connection *connection, unsigned status)
{
    weft_http_exchange *exchange = connection->exchange;
    int64_t sent = write_refusal(connection, status);

    if (sent < 0)
        weft_stream_abort(connection->stream); /* a part of it may be queued, and would look like all of it */
    if (exchange && sent >= 0) {
        exchange->flags |= EXCHANGE_RESPONSE_DONE;
        exchange->status = status;
        exchange->written = (uint64_t)sent;
    }
    return sent;
}
