/* SPDX-License-Identifier: MIT */
/* What becomes of a response: its fields are kept, its body is decoded and delivered, its end decides (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>

/* -- fields -- */

static weft_bytes put(char **at, weft_bytes bytes)
{
    char *copy = *at;

    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    *at += bytes.length;
    return weft_bytes_of(copy, bytes.length);
}

/* Copies what the connection's scratch and the input hold. */
static int keep_head(weft_http_request *request)
{
    const weft_http_field *from = request->client->scratch;
    size_t size = request->field_count * sizeof *from + request->reason_phrase.length + 1;
    weft_http_field *fields;
    char *at;

    for (size_t i = 0; i < request->field_count; i++)
        size += from[i].name.length + from[i].value.length;
    at = weft_allocate(size);
    if (!at)
        return WEFT_ENOMEM;
    request->kept = at;
    fields = (weft_http_field *)(void *)at;
    at += request->field_count * sizeof *fields;
    for (size_t i = 0; i < request->field_count; i++) {
        fields[i].name = put(&at, from[i].name);
        fields[i].value = put(&at, from[i].value);
    }
    request->reason_phrase = put(&at, request->reason_phrase);
    request->fields = fields;
    return 0;
}

int http_response_trailer(weft_http_request *request, weft_bytes name, weft_bytes value)
{
    weft_http_field *grown;
    char *copy;

    if (request->flags & REQUEST_REDIRECT)
        return 0;
    grown = weft_reallocate(request->trailers, (request->trailer_count + 1) * sizeof *grown);
    if (!grown)
        return WEFT_ENOMEM;
    request->trailers = grown;
    copy = weft_allocate(name.length + value.length);
    if (!copy)
        return WEFT_ENOMEM;
    grown += request->trailer_count++;
    grown->name = put(&copy, name);
    grown->value = put(&copy, value);
    return 0;
}

void http_response_reset(weft_http_request *request)
{
    for (size_t i = 0; i < request->trailer_count; i++)
        weft_release((void *)(uintptr_t)request->trailers[i].name.data);
    weft_release(request->trailers);
    weft_release(request->kept);
    weft_release(request->held);
    http_decode_free(request->decode);
    request->trailers = request->fields = NULL;
    request->trailer_count = request->field_count = request->held_length = 0;
    request->kept = request->held = NULL;
    request->decode = NULL;
    request->reason_phrase = weft_bytes_of(NULL, 0);
    request->status = 0;
    request->received = 0;
    request->ended = false;
}

/* -- the head -- */

static weft_bytes codings(const weft_http_request *request)
{
    weft_bytes value = weft_http_request_field(request, "Content-Encoding");

    return value.data ? value : weft_bytes_of(NULL, 0);
}

static int begin_decoding(weft_http_request *request)
{
    enum http_coding coding;

    if ((request->flags & (REQUEST_RAW | REQUEST_OWN_CODINGS)) || request->framing == WEFT_HTTP1_BODY_NONE)
        return 0;
    coding = http_coding_of(codings(request));
    if (coding == HTTP_CODING_NONE)
        return 0;
    if (coding == HTTP_CODING_UNKNOWN) {
        request->problem = "the Content-Encoding is none that was asked for";
        return WEFT_ECODING;
    }
    request->decode = http_decode_new(coding, request->expansion);
    return request->decode ? 0 : WEFT_ENOMEM;
}

/* RFC 9112 §9.5: what is refused need not be sent to its end; the connection cannot be used again then. */
static void stop_sending(weft_http_request *request)
{
    if (!http_request_is_sent(request) && request->status >= 300)
        request->flags &= ~(uint32_t)REQUEST_MAY_SEND;
}

static int check_upgrade(weft_http_request *request)
{
    if (request->upgrade.length > 0)
        return 0;
    request->problem = "the server switches to another protocol, which nobody asked for";
    return WEFT_EPROTOCOL;
}

static void tell_head(weft_http_request *request)
{
    const weft_http_receiver_ops *ops = request->receiver->ops;

    request->flags |= REQUEST_HEADED;
    if (request->flags & REQUEST_PAUSED)
        weft_stream_pause(request->link->stream);
    http_request_enter_phase(request, request->flags & REQUEST_PAUSED ? PHASE_PAUSED : PHASE_BODY);
    http_request_enter(request);
    if (ops->head)
        ops->head(request->receiver, request);
}

/* A 204 that announces a body: its sender may send one, where the next response is awaited (RFC 9110 §8.6). */
static bool belies_itself(const weft_http_request *request)
{
    weft_bytes length = weft_http_request_field(request, "content-length");

    return request->status == 204 && (weft_http_request_field(request, "transfer-encoding").data ||
                                      (length.data && !weft_bytes_equal(length, weft_bytes_from("0"))));
}

/* What is still to be decoded may come to less. */
static int check_length(weft_http_request *request)
{
    if (request->framing != WEFT_HTTP1_BODY_LENGTH || request->decode ||
        request->response_length <= request->body_limit)
        return 0;
    request->problem = "the Content-Length is more than the limit for the body";
    return WEFT_EBODYLIMIT;
}

int http_response_head(weft_http_request *request, const weft_http1_head *head)
{
    int status = keep_head(request);

    if (status < 0)
        return status;
    if (head->upgrade)
        return check_upgrade(request);
    request->framing = head->framing;
    request->keep_alive = head->keep_alive && !belies_itself(request);
    request->response_length = head->framing == WEFT_HTTP1_BODY_LENGTH ? head->length
                               : head->framing == WEFT_HTTP1_BODY_NONE ? 0
                                                                       : WEFT_HTTP_LENGTH_UNKNOWN;
    stop_sending(request);
    if (http_redirect_is_one(request)) {
        request->flags |= REQUEST_REDIRECT;
        http_request_enter_phase(request, PHASE_BODY);
        return 0;
    }
    status = begin_decoding(request);
    if (status == 0)
        status = check_length(request);
    if (status == 0)
        tell_head(request);
    return status;
}

/* -- the body -- */

static int deliver(weft_http_request *request, weft_bytes bytes)
{
    const weft_http_receiver_ops *ops = request->receiver->ops;

    request->received += bytes.length;
    if (request->received > request->body_limit) {
        request->problem = "more came than the limit for the body";
        return WEFT_EBODYLIMIT;
    }
    http_request_enter(request);
    if (ops->body)
        ops->body(request->receiver, request, bytes);
    return 0;
}

static int hold(weft_http_request *request, weft_bytes bytes)
{
    char *copy;

    if (bytes.length == 0)
        return 0;
    copy = weft_allocate(bytes.length);
    if (!copy)
        return WEFT_ENOMEM;
    memcpy(copy, bytes.data, bytes.length);
    weft_release(request->held);
    request->held = copy;
    request->held_length = bytes.length;
    return 0;
}

/* Decodes until the user has had enough; what is left then waits. zlib may hold more than a piece: asked with nothing. */
static int decode(weft_http_request *request, weft_bytes in)
{
    weft_bytes bytes;
    int status;

    do {
        status = http_decode_next(request->decode, &in, &bytes);
        if (status <= 0)
            return status;
        status = deliver(request, bytes);
        if (status < 0 || http_request_is_over(request))
            return status;
    } while (!(request->flags & REQUEST_PAUSED));
    return hold(request, in);
}

int http_response_release_held(weft_http_request *request)
{
    char *held = request->held;
    int status;

    if (!request->decode)
        return 0;
    request->held = NULL;
    status = decode(request, weft_bytes_of(held, request->held_length));
    if (!request->held)
        request->held_length = 0;
    weft_release(held);
    return status;
}

/* A redirect's: of no interest, and if it is long not worth its connection. */
static int drop(weft_http_request *request, size_t length)
{
    request->received += length;
    if (request->received > HTTP_CLIENT_DISCARD) {
        request->keep_alive = false;
        http_response_ended(request);
    }
    return 0;
}

int http_response_body(weft_http_request *request, weft_bytes bytes)
{
    http_request_touch(request);
    if (request->flags & REQUEST_REDIRECT)
        return drop(request, bytes.length);
    return request->decode ? decode(request, bytes) : deliver(request, bytes);
}

/* -- the end -- */

static void release_link(weft_http_request *request)
{
    struct http_link *link = request->link;

    request->link = NULL;
    http_link_release(link, request->keep_alive && http_request_is_sent(request));
}

void http_response_ended(weft_http_request *request)
{
    bool redirected = (request->flags & REQUEST_REDIRECT) != 0;
    int status = 0;

    if (request->held_length > 0)
        return; /* until the user goes on */
    if (request->decode)
        status = http_decode_end(request->decode);
    release_link(request);
    if (status == 0 && redirected)
        status = http_redirect_follow(request);
    if (status < 0 || !redirected)
        http_request_finish(request, status);
    else
        http_request_queue(request, false);
}
