/* SPDX-License-Identifier: MIT */
/* A connection's life: pulls events from the codec; idle, used again, lost (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>
#include <weft/tls.h>

#include "base/probe.h"
#include "wire/http1/http1_parser.h"

/* For the story of a TLS that failed. */
#define STORY_ROOM 512

static struct http_link *link_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct http_link, protocol);
}

/* -- its end -- */

static void reap(struct loop_task *task)
{
    struct http_link *link = weft_container_of(task, struct http_link, task);
    weft_http_client *client = link->client;

    weft_release(link);
    http_client_let_go(client);
}

void http_link_free(struct http_link *link)
{
    if (link->lookup)
        names_forget(link->lookup);
    http_link_connected(link);
    http_pool_take(&link->place);
    http_pool_unclaim(link->host);
    http_client_changed(link->client);
    link->flags |= LINK_DYING;
    link->task.run = reap;
    if (!link->task.next)
        loop_reap(link->client->loop, &link->task);
}

void http_link_abort(struct http_link *link)
{
    link->flags |= LINK_DYING;
    if (link->stream)
        weft_stream_abort(link->stream);
    else if (!(link->flags & LINK_ASKING))
        http_link_free(link);
}

static void stop_idling(struct http_link *link)
{
    if (!(link->flags & LINK_IDLE))
        return;
    link->flags &= ~(uint32_t)LINK_IDLE;
    http_pool_take(&link->place);
    link->client->loop->waiting++;
}

void http_link_drop(struct http_link *link)
{
    stop_idling(link);
    http_link_abort(link);
}

void http_link_release(struct http_link *link, bool reusable)
{
    weft_http_client *client = link->client;

    link->request = NULL;
    if (!reusable || (link->flags & LINK_BROKEN) || client->closing || link->served >= client->options.uses ||
        RARE("http client: keep nothing")) {
        stop_idling(link);
        link->flags |= LINK_DYING;
        weft_stream_close(link->stream);
        return;
    }
    link->flags |= LINK_IDLE;
    client->loop->waiting--; /* nobody waits for it */
    weft_stream_resume(link->stream);
    weft_stream_set_deadline(link->stream, client->options.idle_time);
    http_pool_put(link->host, &link->place);
    http_client_changed(client);
}

/* -- sending -- */

int http_link_write(struct http_link *link, weft_bytes bytes)
{
    int status = weft_stream_write(link->stream, bytes);

    /* The server has broken the connection: its answer may have come before, or `lost` comes. */
    if (status == WEFT_EENDED) {
        PROBE("http client: the server broke off while it was sent to");
        link->flags |= LINK_BROKEN;
        return 1;
    }
    if (status >= 0)
        link->sent += bytes.length;
    return status;
}

void http_link_begin(struct http_link *link)
{
    weft_http_request *request = link->request;
    int status;

    link->sent = 0;
    link->served++;
    if (link->served > 1) {
        weft_stream_set_deadline(link->stream, WEFT_NEVER);
        weft_http1_parser_reset(&link->parser);
    }
    request->peer = *weft_stream_peer(link->stream);
    if (request->flags & REQUEST_HEAD_METHOD)
        weft_http1_parser_answers(&link->parser, WEFT_HTTP1_ANSWERS_HEAD);
    http_request_enter_phase(request, PHASE_SEND);
    status = http_request_write_head(request);
    if (status < 0)
        http_request_finish(request, status);
    else
        http_request_pump(request);
}

/* -- receiving -- */

static int add_field(weft_http_client *client, weft_http_request *request, const weft_http1_field *field)
{
    if (request->field_count == client->scratch_room) {
        size_t room = client->scratch_room ? client->scratch_room * 2 : 32;
        void *grown = weft_reallocate(client->scratch, room * sizeof *client->scratch);
        if (!grown)
            return WEFT_ENOMEM;
        client->scratch = grown;
        client->scratch_room = room;
    }
    client->scratch[request->field_count++] = (weft_http_field){field->name, field->value};
    return 0;
}

/* After the end of a 1xx: the final response, or another of them, follows. */
static int next_response(struct http_link *link)
{
    weft_http_request *request = link->request;

    weft_http1_parser_reset(&link->parser);
    if (request->flags & REQUEST_HEAD_METHOD)
        weft_http1_parser_answers(&link->parser, WEFT_HTTP1_ANSWERS_HEAD);
    http_response_reset(request);
    if (++request->interim > link->client->options.interim)
        return WEFT_EINTERIM;
    return 0;
}

static bool is_interim(const weft_http_request *request)
{
    return request->status / 100 == 1;
}

/* RFC 9110 §7.8: the user takes the stream, and what follows the response is not HTTP. */
static int hand_over(struct http_link *link)
{
    weft_http_request *request = link->request;
    weft_stream *stream = link->stream;

    request->flags |= REQUEST_UPGRADED;
    link->request = NULL;
    request->link = NULL;
    link->stream = NULL;
    http_request_enter(request);
    request->receiver->ops->upgraded(request->receiver, request, stream);
    if (weft_stream_protocol(stream) == &link->protocol) {
        link->stream = stream;
        http_link_abort(link);
    } else {
        http_link_free(link);
    }
    http_request_finish(request, 0);
    return 0;
}

static int handle(struct http_link *link, const weft_http1_event *event)
{
    weft_http_request *request = link->request;

    switch (event->type) {
    case WEFT_HTTP1_STATUS_LINE:
        request->status = event->status.code;
        request->minor = event->status.minor;
        request->reason_phrase = event->status.reason;
        return 0;
    case WEFT_HTTP1_FIELD:
        return add_field(link->client, request, &event->field);
    case WEFT_HTTP1_HEAD_END:
        return event->head.interim ? 0 : http_response_head(request, &event->head);
    case WEFT_HTTP1_BODY:
        return http_response_body(request, event->body);
    case WEFT_HTTP1_TRAILER:
        return http_response_trailer(request, event->field.name, event->field.value);
    default:
        return 0;
    }
}

/* What the codec refused. */
static int refusal(const struct http_link *link)
{
    link->request->problem = weft_http1_parser_problem(&link->parser);
    switch ((enum http1_problem)link->parser.problem) {
    case HTTP1_BAD_LONG_LINE:
    case HTTP1_BAD_LARGE_HEAD:
    case HTTP1_BAD_MANY_FIELDS:
        return WEFT_EHEADLIMIT;
    default:
        return WEFT_EPROTOCOL;
    }
}

/* The end of a message. Returns whether parsing goes on. */
static bool end_message(struct http_link *link, bool more)
{
    weft_http_request *request = link->request;
    int status;

    if (is_interim(request) && request->status != 101) {
        bool goes_on = request->status == 100;

        status = next_response(link);
        if (status < 0)
            http_request_finish(request, status);
        else if (goes_on)
            http_request_go_on(request);
        return link->request == request;
    }
    if (request->status == 101) {
        (void)hand_over(link);
        return false;
    }
    request->ended = true;
    if (more)
        request->keep_alive = false; /* bytes that nobody asked for: never to be taken for the next response */
    http_response_ended(request);
    return false;
}

/* Pulls events until there is nothing more, or nobody wants it. */
static void parse(struct http_link *link, weft_bytes *in)
{
    weft_http_request *request = link->request;
    weft_http1_event event;
    int type, status;

    link->flags |= LINK_PARSING;
    while (link->request == request && !(link->flags & LINK_DYING) &&
           !((request->flags & REQUEST_PAUSED) && (request->flags & REQUEST_HEADED))) {
        type = weft_http1_next(&link->parser, in, &event);
        if (type == WEFT_HTTP1_NEED_MORE)
            break;
        status = type < 0 ? refusal(link) : handle(link, &event);
        if (status < 0 && link->request == request)
            http_request_finish(request, status);
        if (status < 0 || (type == WEFT_HTTP1_MESSAGE_END && !end_message(link, in->length > 0)))
            break;
    }
    link->flags &= ~(uint32_t)LINK_PARSING;
}

/* Only the first request on a connection shows that the server is not there; a later one may have met its end. */
static bool may_repeat(const struct http_link *link, const weft_http_request *request)
{
    return link->served > 1 && !(request->flags & REQUEST_ANSWERED);
}

/* The connection was of no use to its request. */
static void give_up(struct http_link *link, int reason)
{
    weft_http_request *request = link->request;

    link->request = NULL;
    request->link = NULL;
    http_link_abort(link);
    if (!may_repeat(link, request) || !http_request_repeat(request))
        http_request_finish(request, reason);
}

/* Bytes that came before the server can have seen the request: nothing that answers it. */
static bool is_too_early(const struct http_link *link)
{
    return link->served > 1 && !(link->request->flags & REQUEST_ANSWERED) &&
           weft_stream_queued(link->stream) >= link->sent;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct http_link *link = link_of(protocol);
    weft_http_request *request = link->request;
    weft_bytes rest = in;

    if (link->flags & LINK_DYING)
        return in.length;
    if (!request) { /* RFC 9112 §9.3: nobody asked */
        stop_idling(link);
        link->flags |= LINK_DYING;
        weft_stream_abort(stream);
        return in.length;
    }
    if (is_too_early(link)) {
        give_up(link, WEFT_EPROTOCOL);
        return in.length;
    }
    request->flags |= REQUEST_ANSWERED;
    parse(link, &rest);
    return in.length - rest.length;
}

/* -- what is held back -- */

/* The user may have paused between the last byte and the end: no more input comes to pull it with. */
static void pull_end(struct http_link *link)
{
    weft_bytes none = weft_bytes_of("", 0);

    if (link->parser.state != HTTP1_DONE)
        return;
    PROBE("http client: an end was held back by a pause");
    parse(link, &none);
}

static void resume(struct loop_task *task)
{
    struct http_link *link = weft_container_of(task, struct http_link, task);
    weft_http_request *request = link->request;
    int status;

    if (!(link->flags & LINK_RESUME) || (link->flags & LINK_DYING))
        return;
    link->flags &= ~(uint32_t)LINK_RESUME;
    if (!request || (request->flags & REQUEST_PAUSED))
        return;
    status = http_response_release_held(request);
    if (link->request != request || (request->flags & REQUEST_PAUSED))
        return;
    if (status < 0)
        http_request_finish(request, status);
    else if (request->ended)
        http_response_ended(request);
    else
        pull_end(link);
    if (link->request == request && !(request->flags & REQUEST_PAUSED))
        weft_stream_resume(link->stream);
}

void http_link_resume(struct http_link *link)
{
    if (link->flags & LINK_DYING)
        return;
    link->flags |= LINK_RESUME;
    link->task.run = resume;
    loop_later(link->client->loop, &link->task);
}

/* -- the stream's other calls -- */

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct http_link *link = link_of(protocol);

    (void)stream;
    link->flags |= LINK_OPEN;
    http_link_connected(link);
    weft_counter_increment(&link->client->made);
    if (link->request)
        http_link_begin(link);
}

static void drained(weft_protocol *protocol, weft_stream *stream)
{
    struct http_link *link = link_of(protocol);

    (void)stream;
    if (link->request)
        http_request_pump(link->request);
}

/* The server has ended its side: it sends nothing more. */
static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct http_link *link = link_of(protocol);
    weft_http_request *request = link->request;
    weft_http1_event event;
    int type;

    if (!request) {
        PROBE("http client: the server ended a kept connection");
        stop_idling(link);
        link->flags |= LINK_DYING;
        weft_stream_close(stream);
        return;
    }
    if (!(request->flags & REQUEST_ANSWERED)) {
        give_up(link, WEFT_ETRUNCATED);
        return;
    }
    type = weft_http1_end(&link->parser, weft_bytes_of("", 0), &event);
    if (type == WEFT_HTTP1_MESSAGE_END && !request->ended)
        (void)end_message(link, false);
    else if (type != WEFT_HTTP1_MESSAGE_END)
        http_request_finish(request, WEFT_ETRUNCATED);
}

static void deadline(weft_protocol *protocol, weft_stream *stream)
{
    struct http_link *link = link_of(protocol);

    (void)stream;
    if (link->flags & LINK_IDLE)
        http_link_release(link, false);
}

/* What a stream that was lost means to a request that waited for its response. */
static int reason_of(const weft_http_request *request, int reason)
{
    if (reason == WEFT_ECLOSED)
        return WEFT_ETRUNCATED;
    return reason == WEFT_EINPUTLIMIT && !(request->flags & REQUEST_HEADED) ? WEFT_EHEADLIMIT : reason;
}

/* Which certificate, which name, and why. (If memory is short, the number has to do.) */
static void keep_story(weft_http_request *request, const weft_failure *failure)
{
    char *story = weft_allocate(STORY_ROOM);

    if (!story)
        return;
    (void)weft_failure_describe(failure, story, STORY_ROOM);
    weft_release(request->story);
    request->problem = request->story = story;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct http_link *link = link_of(protocol);
    weft_http_request *request = link->request;
    const weft_failure *failure = weft_stream_tls_failure(stream);

    if (!(link->flags & (LINK_OPEN | LINK_DYING)) && request && !failure) {
        if (http_link_next(link, reason))
            return;
        reason = link->connect_error;
    }
    link->stream = NULL;
    stop_idling(link);
    if (request) {
        reason = reason_of(request, reason);
        link->request = NULL;
        request->link = NULL;
        if (!may_repeat(link, request) || !http_request_repeat(request)) {
            if (failure)
                keep_story(request, failure);
            http_request_finish(request, reason);
        }
    }
    http_link_free(link);
}

WEFT_PROTOCOL(http_link_ops, "http client", "a client's request would have to be handed over with its user's code",
              .connected = connected, .received = received, .drained = drained, .ended = ended, .deadline = deadline,
              .lost = lost);
