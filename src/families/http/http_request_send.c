/* SPDX-License-Identifier: MIT */
/* Sending a request's body: all of it from memory, or as its user writes it (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>

#define PIECE (64 * 1024)
#define TRAILERS_MOST 8192

static void set_sent(weft_http_request *request)
{
    request->flags |= REQUEST_SENT;
    if (!(request->flags & REQUEST_HEADED) && request->phase == PHASE_SEND)
        http_request_enter_phase(request, PHASE_HEAD);
}

/* From memory, in pieces that the stream takes. */
static void send_body(weft_http_request *request)
{
    int status = 0;

    while (request->sent < request->length && status == 0) {
        weft_bytes piece = weft_bytes_first(weft_bytes_skip(request->body, (size_t)request->sent), PIECE);

        status = http_link_write(request->link, piece);
        if (status >= 0)
            request->sent += piece.length;
    }
    if (status < 0 && status != WEFT_EOUTPUTLIMIT)
        http_request_finish(request, status);
    else if (request->sent == request->length)
        set_sent(request);
}

static void ask_user(weft_http_request *request)
{
    const weft_http_receiver_ops *ops = request->receiver->ops;

    request->flags |= REQUEST_ASKED;
    request->flags &= ~(uint32_t)REQUEST_FULL;
    http_request_enter(request);
    if (ops->drained)
        ops->drained(request->receiver, request);
}

void http_request_pump(weft_http_request *request)
{
    if ((request->flags & (REQUEST_MAY_SEND | REQUEST_SENT | REQUEST_OVER)) != REQUEST_MAY_SEND)
        return;
    if (!(request->flags & REQUEST_STREAMED))
        send_body(request);
    else if (!(request->flags & REQUEST_ASKED) || (request->flags & REQUEST_FULL))
        ask_user(request);
}

void http_request_go_on(weft_http_request *request)
{
    if (request->phase != PHASE_CONTINUE)
        return; /* a 100 that nobody waits for (any more) */
    request->flags |= REQUEST_MAY_SEND;
    http_request_enter_phase(request, PHASE_SEND);
    http_request_pump(request);
}

bool http_request_is_sent(const weft_http_request *request)
{
    const uint32_t streams = REQUEST_STREAMED | REQUEST_MAY_SEND;

    return (request->flags & REQUEST_SENT) ||
           ((request->flags & (streams | REQUEST_CHUNKED)) == streams && request->sent == request->length);
}

/* -- as its user writes it -- */

static int may_write(const weft_http_request *request)
{
    if (request->flags & REQUEST_NO_BODY)
        return WEFT_EENDED;
    if (!(request->flags & REQUEST_STREAMED))
        return -EINVAL;
    if (request->flags & (REQUEST_OVER | REQUEST_SENT))
        return WEFT_EENDED;
    if (!(request->flags & REQUEST_ASKED))
        return -EAGAIN;
    return (request->flags & REQUEST_MAY_SEND) && request->link ? 0 : WEFT_EENDED; /* no link: it was handed over */
}

static int write_chunk(weft_http_request *request, weft_bytes bytes)
{
    char line[WEFT_HTTP1_CHUNK_ROOM];
    int size = weft_http1_write_chunk(line, sizeof line, bytes.length), status;

    if (size < 0)
        return size;
    status = http_link_write(request->link, weft_bytes_of(line, (size_t)size));
    if (status < 0)
        return status;
    status = http_link_write(request->link, bytes);
    if (status >= 0)
        status = http_link_write(request->link, weft_bytes_of("\r\n", 2));
    if (status < 0)
        http_request_finish(request, status); /* a part of a chunk is queued: it cannot be completed any more */
    return status;
}

int weft_http_request_write(weft_http_request *request, weft_bytes bytes)
{
    bool chunked = (request->flags & REQUEST_CHUNKED) != 0;
    int status = may_write(request);

    if (status < 0 || bytes.length == 0)
        return status;
    if (!chunked && bytes.length > request->length - request->sent)
        return -EMSGSIZE;
    status = chunked ? write_chunk(request, bytes) : http_link_write(request->link, bytes);
    if (status < 0)
        return status;
    request->sent += bytes.length;
    if (status == 1)
        request->flags |= REQUEST_FULL;
    return status;
}

static int end_chunks(weft_http_request *request, const weft_http_field *trailers, size_t count)
{
    char end[TRAILERS_MOST];
    size_t length = 0;
    int written = weft_http1_write_last_chunk(end, sizeof end);

    for (size_t i = 0; i < count && written >= 0; i++) {
        length += (size_t)written;
        written = weft_http1_write_trailer(end + length, sizeof end - length, trailers[i].name, trailers[i].value);
    }
    if (written >= 0) {
        length += (size_t)written;
        written = weft_http1_write_crlf(end + length, sizeof end - length);
    }
    if (written < 0)
        return written == -ENOSPC ? -EMSGSIZE : written;
    return http_link_write(request->link, weft_bytes_of(end, length + (size_t)written));
}

int weft_http_request_end(weft_http_request *request, const weft_http_field *trailers, size_t count)
{
    int status = may_write(request);

    if (status < 0)
        return status;
    if (request->flags & REQUEST_CHUNKED)
        status = end_chunks(request, trailers, count);
    else if (request->sent < request->length)
        status = -EMSGSIZE;
    if (status < 0)
        return status;
    set_sent(request);
    return 0;
}
