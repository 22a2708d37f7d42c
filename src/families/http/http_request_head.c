/* SPDX-License-Identifier: MIT */
/* Writing a request's head, with a body that is short (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>

/* A head of up to this needs no memory. */
#define SMALL 2048
/* A body of up to this goes out with its head. */
#define TOGETHER (16 * 1024)
/* What the client itself writes, at most, besides what it counts: names, spaces, numbers. */
#define FIXED 512

/* A head being written, into enough room: what may not be sent is remembered. */
struct head {
    char *data;
    size_t length, room;
    int error;
};

static void add(struct head *head, int written)
{
    if (written < 0 && head->error == 0)
        head->error = written;
    if (written > 0 && head->error == 0)
        head->length += (size_t)written;
}

static void add_field(struct head *head, const char *name, weft_bytes value)
{
    add(head,
        weft_http1_write_field(head->data + head->length, head->room - head->length, weft_bytes_from(name), value));
}

static void add_bytes(struct head *head, weft_bytes bytes)
{
    if (bytes.length > head->room - head->length) {
        add(head, -ENOSPC);
        return;
    }
    if (bytes.length > 0)
        memcpy(head->data + head->length, bytes.data, bytes.length);
    head->length += bytes.length;
}

/* The Host of a normal form is the authority as it stands in it (RFC 9110 §7.2). */
static weft_bytes target_of(const weft_http_request *request)
{
    return request->url.target.length > 0 ? request->url.target : weft_bytes_of("/", 1);
}

static bool takes_body(weft_bytes method)
{
    return weft_bytes_equal(method, weft_bytes_from("POST")) || weft_bytes_equal(method, weft_bytes_from("PUT")) ||
           weft_bytes_equal(method, weft_bytes_from("PATCH"));
}

static void add_framing(struct head *head, const weft_http_request *request)
{
    if (request->flags & REQUEST_CHUNKED)
        add_field(head, "Transfer-Encoding", weft_bytes_from("chunked"));
    else if (request->length > 0 || takes_body(request->method)) /* RFC 9110 §8.6 */
        add(head, weft_http1_write_length(head->data + head->length, head->room - head->length, request->length));
    if (request->flags & REQUEST_EXPECT)
        add_field(head, "Expect", weft_bytes_from("100-continue"));
    if (request->upgrade.length > 0) {
        add_field(head, "Connection", weft_bytes_from("Upgrade"));
        add_field(head, "Upgrade", request->upgrade);
    }
}

static void write_lines(struct head *head, const weft_http_request *request)
{
    const char *agent = request->client->user_agent;

    add(head, weft_http1_write_request_line(head->data, head->room, request->method, target_of(request)));
    add_field(head, "Host", request->url.authority);
    if (*agent && !(request->flags & REQUEST_OWN_AGENT))
        add_field(head, "User-Agent", weft_bytes_from(agent));
    if (!(request->flags & (REQUEST_RAW | REQUEST_OWN_CODINGS)))
        add_field(head, "Accept-Encoding", weft_bytes_from("gzip, deflate"));
    add_bytes(head, request->lines);
    if (request->flags & REQUEST_SECRETS)
        add_bytes(head, request->secret_lines);
    add_framing(head, request);
    add_bytes(head, weft_bytes_of("\r\n", 2));
}

static bool waits_for_continue(const weft_http_request *request)
{
    return (request->flags & REQUEST_EXPECT) != 0;
}

static void add_short_body(struct head *head, weft_http_request *request)
{
    if (waits_for_continue(request) || (request->flags & REQUEST_STREAMED) || request->length > TOGETHER)
        return;
    add_bytes(head, request->body);
    request->sent = request->length;
}

/* The target and the authority are parts of the URL. */
static size_t room_for(const weft_http_request *request)
{
    size_t room = FIXED + request->method.length + request->url_length + request->lines.length +
                  request->secret_lines.length + request->upgrade.length + strlen(request->client->user_agent);

    return request->length <= TOGETHER ? room + (size_t)request->length : room;
}

/* As if nothing had been sent and nothing had come. */
static void start_anew(weft_http_request *request)
{
    request->flags &= ~(uint32_t)(REQUEST_MAY_SEND | REQUEST_SENT | REQUEST_ANSWERED | REQUEST_HEADED | REQUEST_FULL);
    request->sent = 0;
    request->interim = 0;
    http_response_reset(request);
}

int http_request_write_head(weft_http_request *request)
{
    char small[SMALL];
    struct head head = {.data = small, .room = room_for(request)};
    int status;

    start_anew(request);
    if (head.room > sizeof small && !(head.data = weft_allocate(head.room)))
        return WEFT_ENOMEM;
    write_lines(&head, request);
    add_short_body(&head, request);
    status = head.error < 0 ? head.error : http_link_write(request->link, weft_bytes_of(head.data, head.length));
    if (head.data != small)
        weft_release(head.data);
    if (status < 0)
        return status;
    if (waits_for_continue(request))
        http_request_enter_phase(request, PHASE_CONTINUE);
    else
        request->flags |= REQUEST_MAY_SEND;
    return 0;
}
