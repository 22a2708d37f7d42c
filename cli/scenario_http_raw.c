/* SPDX-License-Identifier: MIT */
/*
 * Clients of the scenario "http" that write what they like: several requests
 * ahead, chunks of any size, old versions, and in small pieces. What comes
 * back must be a response to each, in order, and to the last byte.
 */
#include <stdio.h>
#include <stdlib.h>

#include <weft/wire/http1.h>

#include "scenario_http.h"

#define AHEAD 16 /* requests on one connection */
#define HEAD 256

enum style { SLOWLY = 1 << 0, PAUSES = 1 << 1, GIVES_UP = 1 << 2, STYLES = 1 << 3 };

struct asked {
    struct web_ask ask;
    bool head; /* its response has no body */
};

struct web_raw {
    weft_protocol protocol;
    weft_timer timer, pause; /* to connect again, or to send the next request; to resume */
    struct scenario *scenario;
    weft_stream *stream;
    unsigned number, dials, style;
    unsigned left; /* exchanges */
    struct asked asked[AHEAD];
    unsigned count, sent, answered;
    weft_http1_parser parser;
    unsigned status;
    uint64_t position; /* in the body of the response */
    size_t rest;       /* of what was received, what was not taken */
    enum life life;
    bool paused, last_said;
    bool over;   /* the last response said that no other follows */
    bool trails; /* it was to HEAD, but the server may not have read so far: a body follows */
};

size_t web_raw_size(void)
{
    return sizeof(struct web_raw);
}

static uint64_t draw(const struct web_raw *raw, uint64_t bound)
{
    return weft_sim_draw(raw->scenario->sim, bound);
}

static void fail(struct web_raw *raw, const char *what)
{
    weft_sim_fail(raw->scenario->sim, "raw client %u, connection %u, response %u of %u, byte %llu: %s", raw->number,
                  raw->dials, raw->answered + 1, raw->count, (unsigned long long)raw->position, what);
}

static void check(struct web_raw *raw, bool right, const char *what)
{
    if (!right)
        fail(raw, what);
    if (scenario_misplaced(raw->life))
        fail(raw, scenario_misplaced(raw->life));
}

/* -- sending -- */

static void put(struct web_raw *raw, weft_bytes bytes)
{
    int status = weft_stream_write(raw->stream, bytes);

    if (status < 0 && status != WEFT_ENOMEM && status != WEFT_EENDED)
        fail(raw, weft_error_name(status));
    if (status == WEFT_ENOMEM) {
        weft_stream_abort(raw->stream);
        raw->life = CLOSED;
    }
}

static void put_text(struct web_raw *raw, const char *text)
{
    put(raw, weft_bytes_from(text));
}

static void put_chunks(struct web_raw *raw, const struct web_ask *ask)
{
    char line[WEFT_HTTP1_CHUNK_ROOM + 1];

    for (size_t at = 0; at < ask->length;) {
        size_t run = 1 + (size_t)draw(raw, draw(raw, 2) ? 100 : 8000);

        run = run < ask->length - at ? run : ask->length - at;
        snprintf(line, sizeof line, draw(raw, 2) ? "%zx\r\n" : "%zX\r\n", run);
        put_text(raw, line);
        put(raw, scenario_bytes(ask->key, at, run));
        put_text(raw, "\r\n");
        at += run;
    }
    put_text(raw, draw(raw, 2) ? "0\r\n\r\n" : "0\r\nX-Sum: none\r\n\r\n");
}

static const char *method_of(const struct asked *asked)
{
    if (asked->ask.kind == WEB_ECHO)
        return "POST";
    return asked->head ? "HEAD" : "GET";
}

static void put_request(struct web_raw *raw, const struct asked *asked, bool last)
{
    bool old = last && asked->ask.kind != WEB_ECHO && draw(raw, 4) == 0, chunked = draw(raw, 2);
    char target[WEB_TARGET], head[HEAD];

    web_target(&asked->ask, target, sizeof target);
    raw->last_said = last && (old || draw(raw, 2) == 0);
    snprintf(head, sizeof head, "%s %s%s HTTP/1.%u\r\nHost: web.example\r\n", method_of(asked),
             draw(raw, 4) ? "" : "http://web.example", target, old ? 0 : 1);
    put_text(raw, head);
    if (raw->last_said && !old)
        put_text(raw, "Connection: close\r\n");
    if (asked->ask.kind != WEB_ECHO) {
        put_text(raw, "\r\n");
    } else if (chunked) {
        put_text(raw, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(raw, &asked->ask);
    } else {
        snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", asked->ask.length);
        put_text(raw, head);
        put(raw, scenario_bytes(asked->ask.key, 0, asked->ask.length));
    }
}

static void send_some(struct web_raw *raw)
{
    unsigned some = raw->style & SLOWLY ? 1 : AHEAD;

    for (; some > 0 && raw->life == OPEN && raw->sent < raw->count; some--, raw->sent++)
        put_request(raw, &raw->asked[raw->sent], raw->sent + 1 == raw->count);
    if (raw->sent < raw->count)
        weft_timer_start(&raw->timer, (weft_time)draw(raw, WEFT_MILLISECONDS(200)));
}

/* -- responses -- */

static void expect_next(struct web_raw *raw)
{
    raw->position = 0;
    raw->status = 0;
    if (raw->answered < raw->count && raw->asked[raw->answered].head)
        weft_http1_parser_answers(&raw->parser, WEFT_HTTP1_ANSWERS_HEAD);
}

/* A response is complete. */
static void settle(struct web_raw *raw)
{
    const struct asked *asked = &raw->asked[raw->answered];

    if (raw->status == 200) {
        if (raw->position != (asked->head ? 0 : asked->ask.length))
            fail(raw, "the body is complete, and has not its length");
        raw->left--;
    } else if (!web_is_trouble(raw->status)) {
        fail(raw, "a status that was not asked for");
    }
    raw->answered++;
    weft_http1_parser_reset(&raw->parser);
    expect_next(raw);
}

static void check_trailer(struct web_raw *raw, const weft_http1_field *field)
{
    uint64_t length;

    if (!weft_bytes_equal(field->name, weft_bytes_from(WEB_TRAILER)) ||
        weft_bytes_to_uint64(field->value, UINT64_MAX, &length) < 0 || length != raw->position)
        fail(raw, "a trailer is wrong");
}

static void take_event(struct web_raw *raw, const weft_http1_event *event)
{
    if (raw->answered == raw->sent)
        fail(raw, "a response to nothing");
    switch (event->type) {
    case WEFT_HTTP1_STATUS_LINE:
        raw->status = event->status.code;
        break;
    case WEFT_HTTP1_HEAD_END:
        raw->over = !event->head.keep_alive;
        raw->trails = raw->over && raw->asked[raw->answered].head && raw->status == 408;
        if (event->head.interim)
            fail(raw, "an interim response that nobody asked for");
        break;
    case WEFT_HTTP1_BODY:
        if (raw->status == 200 && (raw->position + event->body.length > raw->asked[raw->answered].ask.length ||
                                   !scenario_is_bytes(raw->asked[raw->answered].ask.key, raw->position, event->body)))
            fail(raw, "a byte of the response is wrong");
        raw->position += event->body.length;
        break;
    case WEFT_HTTP1_TRAILER:
        check_trailer(raw, &event->field);
        break;
    case WEFT_HTTP1_MESSAGE_END:
        settle(raw);
        break;
    default:
        break;
    }
}

/* What follows the last response. */
static void take_end(struct web_raw *raw, weft_bytes *in)
{
    if (in->length > 0 && !raw->trails)
        fail(raw, "something follows the last response");
    *in = weft_bytes_skip(*in, in->length);
}

static void take_responses(struct web_raw *raw, weft_bytes *in)
{
    weft_http1_event event;
    int type = 1;

    while (weft_sim_failure(raw->scenario->sim) == NULL && (type = weft_http1_next(&raw->parser, in, &event)) > 0) {
        take_event(raw, &event);
        if (type == WEFT_HTTP1_MESSAGE_END && raw->over) {
            take_end(raw, in);
            return;
        }
    }
    if (type < 0)
        fail(raw, weft_http1_parser_problem(&raw->parser));
}

/* -- what it is told -- */

static struct web_raw *raw_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct web_raw, protocol);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct web_raw *raw = raw_of(protocol);

    check(raw, raw->life == CONNECTING && raw->stream == stream, "connected twice");
    raw->life = OPEN;
    send_some(raw);
}

static void leave(struct web_raw *raw, bool abort)
{
    if (abort)
        weft_stream_abort(raw->stream);
    else
        weft_stream_close(raw->stream);
    raw->life = CLOSED;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct web_raw *raw = raw_of(protocol);
    weft_bytes rest = in;

    check(raw, raw->life == OPEN && in.length > 0, "received out of turn");
    check(raw, !raw->paused, "something was delivered while it was paused");
    if (raw->over && raw->status == 0)
        take_end(raw, &rest);
    else
        take_responses(raw, &rest);
    raw->rest = rest.length;
    if (raw->style & GIVES_UP && draw(raw, 64) == 0) {
        leave(raw, true);
    } else if (raw->answered == raw->count && !raw->last_said) {
        leave(raw, draw(raw, 4) == 0);
    } else if (raw->style & PAUSES && draw(raw, 8) == 0) {
        weft_stream_pause(stream);
        raw->paused = true;
        weft_timer_start(&raw->pause, (weft_time)draw(raw, WEFT_SECONDS(2)));
    }
    return in.length - rest.length;
}

/* The server closes in order: after it was asked to, or after it has said what was wrong. */
static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct web_raw *raw = raw_of(protocol);
    weft_http1_event event;
    int type = raw->rest > 0 || raw->trails ? 0 : weft_http1_end(&raw->parser, weft_bytes_of(NULL, 0), &event);

    (void)stream;
    check(raw, raw->life == OPEN && !raw->paused, "ended out of turn");
    if (type < 0)
        fail(raw, "a response ends in the middle, in good order");
    if (type == WEFT_HTTP1_MESSAGE_END)
        take_event(raw, &event);
    leave(raw, false);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct web_raw *raw = raw_of(protocol);

    if (raw->life == APART || raw->stream != stream || reason >= 0)
        fail(raw, "lost twice, or for no reason");
    if (raw->scenario->gentle && reason == WEFT_EIDLE)
        fail(raw, "no response comes, though nothing breaks");
    raw->life = APART;
    raw->stream = NULL;
    weft_timer_stop(&raw->pause);
    if (raw->left > 0) {
        weft_timer_start(&raw->timer, WEFT_MILLISECONDS(1) + (weft_time)draw(raw, WEFT_SECONDS(1)));
        return;
    }
    weft_timer_fini(&raw->timer);
    weft_timer_fini(&raw->pause);
    scenario_client_done(raw->scenario);
}

static WEFT_PROTOCOL(raw_ops, "raw client", "it is part of a simulation", .connected = connected, .received = received,
                     .ended = ended, .lost = lost);

/* -- connections -- */

static void draw_batch(struct web_raw *raw)
{
    raw->count = 1 + (unsigned)draw(raw, raw->left < AHEAD ? raw->left : AHEAD);
    for (unsigned i = 0; i < raw->count; i++) {
        struct asked *asked = &raw->asked[i];
        asked->ask = web_draw(raw->scenario, (uint64_t)raw->number * 10000 + raw->dials * AHEAD + i);
        asked->head = (asked->ask.kind == WEB_MEMORY || asked->ask.kind == WEB_FILE) && draw(raw, 8) == 0;
    }
}

static void dial(struct web_raw *raw)
{
    weft_stream_options options = scenario_stream_options(raw->scenario);
    weft_scope *scope = scenario_scope(raw->scenario, raw->number);

    raw->dials++;
    raw->sent = raw->answered = 0;
    raw->paused = raw->last_said = raw->over = raw->trails = false;
    raw->rest = 0;
    raw->life = CONNECTING;
    draw_batch(raw);
    weft_http1_parser_init(&raw->parser, WEFT_HTTP1_RESPONSE, NULL);
    expect_next(raw);
    if (weft_stream_connect(scope, "tcp://10.0.0.3:80", &raw->protocol, &options, &raw->stream, NULL) == 0)
        return;
    raw->life = APART;
    weft_timer_start(&raw->timer, WEFT_SECONDS(1));
}

static void timer_fired(weft_timer *timer)
{
    struct web_raw *raw = weft_container_of(timer, struct web_raw, timer);

    if (raw->life == APART)
        dial(raw);
    else if (raw->life == OPEN)
        send_some(raw);
}

static void pause_fired(weft_timer *timer)
{
    struct web_raw *raw = weft_container_of(timer, struct web_raw, pause);

    raw->paused = false;
    if (raw->life == OPEN)
        weft_stream_resume(raw->stream);
}

int web_raw_begin(struct web_raw *raw, struct scenario *scenario, unsigned number, unsigned exchanges)
{
    weft_scope *scope = scenario_scope(scenario, number);
    int status = weft_timer_init(&raw->timer, scope, timer_fired);

    if (status == 0)
        status = weft_timer_init(&raw->pause, scope, pause_fired);
    if (status < 0)
        return status;
    raw->protocol.ops = &raw_ops;
    raw->scenario = scenario;
    raw->number = number;
    raw->left = exchanges;
    raw->style = scenario_style(scenario, STYLES);
    scenario->pending++;
    weft_timer_start(&raw->timer, scenario_arrival(scenario));
    return 0;
}
