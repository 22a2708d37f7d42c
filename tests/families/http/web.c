/* SPDX-License-Identifier: MIT */
#include "families/http/web.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/wire/http1.h>

#include "loop/loop_internal.h"

#define TURNS_MOST 200000

/* -- a client -- */

static struct web_client *client_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct web_client, protocol);
}

static void client_connected(weft_protocol *protocol, weft_stream *stream)
{
    (void)stream;
    client_of(protocol)->connected++;
}

static void append(struct web_client *client, weft_bytes in)
{
    if (client->length + in.length + 1 > client->room) {
        client->room = (client->length + in.length + 1) * 2;
        client->text = realloc(client->text, client->room);
        if (!client->text)
            abort();
    }
    memcpy(client->text + client->length, in.data, in.length);
    client->length += in.length;
    client->text[client->length] = '\0';
}

static size_t client_received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct web_client *client = client_of(protocol);

    (void)stream;
    client->bytes += in.length;
    if (!client->counts)
        append(client, in);
    return in.length;
}

static void client_ended(weft_protocol *protocol, weft_stream *stream)
{
    client_of(protocol)->ended++;
    weft_stream_close(stream);
}

static void client_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct web_client *client = client_of(protocol);

    (void)stream;
    client->lost++;
    client->reason = reason;
    client->stream = NULL;
}

static WEFT_PROTOCOL(client_ops, "client", "a test", .connected = client_connected, .received = client_received,
                     .ended = client_ended, .lost = client_lost);

struct web_client *web_connect(struct web *web)
{
    weft_stream_options options = {
        .size = sizeof options, .idle = WEFT_NEVER, .write_stall = WEFT_NEVER, .output_limit = WEFT_UNLIMITED};
    struct web_client *client = &web->clients[web->client_count++];

    assert_true(web->client_count <= WEB_CLIENTS);
    client->protocol.ops = &client_ops;
    client->web = web;
    assert_int_equal(
        weft_stream_connect(weft_loop_scope(web->loop), web->url, &client->protocol, &options, &client->stream, NULL),
        0);
    web_settle(web);
    return client;
}

void web_write(struct web_client *client, const char *text)
{
    assert_non_null(client->stream);
    assert_true(weft_stream_write(client->stream, weft_bytes_from(text)) >= 0);
}

void web_send_bytes(struct web_client *client, weft_bytes bytes)
{
    assert_non_null(client->stream);
    assert_true(weft_stream_write(client->stream, bytes) >= 0);
    web_settle(client->web);
}

void web_send(struct web_client *client, const char *text)
{
    web_send_bytes(client, weft_bytes_from(text));
}

void web_end(struct web_client *client)
{
    weft_stream_end(client->stream);
    web_settle(client->web);
}

void web_abort(struct web_client *client)
{
    weft_stream_abort(client->stream);
    web_settle(client->web);
}

/* -- what came -- */

/* A date is always as long, so a field is taken out where it begins. */
static void strip_dates(struct web_client *client)
{
    static const size_t length = 6 + 29 + 2;
    char *at = client->text;

    while (at && (at = strstr(at, "\r\nDate: ")) != NULL) {
        at += 2;
        if ((size_t)(client->text + client->length - at) < length)
            return;
        assert_memory_equal(at + length - 6, " GMT\r\n", 6);
        memmove(at, at + length, (size_t)(client->text + client->length - at) - length + 1);
        client->length -= length;
        at -= 2;
    }
}

const char *web_text(struct web_client *client)
{
    strip_dates(client);
    return client->text ? client->text : "";
}

void web_forget(struct web_client *client)
{
    client->length = 0;
    if (client->text)
        client->text[0] = '\0';
}

void web_expect(struct web_client *client, const char *text)
{
    assert_string_equal(web_text(client), text);
    web_forget(client);
}

void web_expect_head(struct web_client *client, const char *text)
{
    char *end = strstr((char *)(uintptr_t)web_text(client), "\r\n\r\n");

    if (end)
        end[4] = '\0';
    assert_string_equal(web_text(client), text);
    web_forget(client);
}

void web_expect_lost(struct web_client *client, bool cleanly)
{
    assert_int_equal(client->lost, 1);
    assert_int_equal(client->ended, cleanly ? 1 : 0);
    assert_int_equal(client->reason, cleanly ? WEFT_ECLOSED : -ECONNRESET);
}

void web_expect_open(const struct web_client *client)
{
    assert_int_equal(client->connected, 1);
    assert_int_equal(client->ended, 0);
    assert_int_equal(client->lost, 0);
}

/* -- the handler -- */

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    struct web *web = weft_container_of(handler, struct web, handler);

    assert_int_equal(web->calling, 0);
    web->requests++;
    web->handle(web, exchange);
}

static void copy(char *to, size_t room, weft_bytes from)
{
    snprintf(to, room, "%.*s", (int)from.length, from.length ? from.data : "");
}

static void record(weft_http_handler *handler, const weft_http_record *about)
{
    struct web *web = weft_container_of(handler, struct web, handler);
    struct web_record *kept;

    assert_int_equal(web->calling, 0);
    assert_non_null(about->peer);
    if (web->record_count++ >= WEB_RECORDS)
        return;
    kept = &web->records[web->record_count - 1];
    *kept = (struct web_record){
        .minor = about->minor,
        .status = about->status,
        .body_bytes = about->body_bytes,
        .wall = about->wall,
        .duration = about->duration,
        .complete = about->complete,
    };
    copy(kept->method, sizeof kept->method, about->method);
    copy(kept->target, sizeof kept->target, about->target);
    copy(kept->referer, sizeof kept->referer, about->referer);
    copy(kept->user_agent, sizeof kept->user_agent, about->user_agent);
}

static const weft_http_handler_ops handler_ops = {.name = "test", .request = request, .record = record};

const struct web_record *web_record_at(const struct web *web, size_t number)
{
    assert_true(number < web->record_count && number < WEB_RECORDS);
    return &web->records[number];
}

void web_expect_record(const struct web *web, size_t number, const char *method, unsigned status, uint64_t body_bytes,
                       bool complete)
{
    const struct web_record *about = web_record_at(web, number);

    if (method)
        assert_string_equal(about->method, method);
    assert_int_equal(about->status, status);
    assert_int_equal(about->body_bytes, body_bytes);
    assert_int_equal(about->complete, complete);
}

/* -- exchanges that are kept -- */

static struct web_kept *enter(weft_http_responder *responder, const weft_http_exchange *exchange)
{
    struct web_kept *kept = weft_container_of(responder, struct web_kept, responder);

    assert_int_equal(kept->web->calling, 0);
    assert_int_equal(kept->gone, 0);
    assert_ptr_equal(kept->exchange, exchange);
    return kept;
}

static void on_body(weft_http_responder *responder, weft_http_exchange *exchange, weft_bytes bytes)
{
    struct web_kept *kept = enter(responder, exchange);

    assert_true(bytes.length > 0);
    assert_int_equal(kept->body_ended, 0);
    if (kept->body_bytes < sizeof kept->body) {
        size_t room = sizeof kept->body - 1 - (size_t)kept->body_bytes;
        memcpy(kept->body + kept->body_bytes, bytes.data, bytes.length < room ? bytes.length : room);
    }
    kept->body_bytes += bytes.length;
    if (kept->on_body)
        kept->on_body(kept, bytes);
}

static void on_body_ended(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct web_kept *kept = enter(responder, exchange);

    assert_int_equal(kept->body_ended++, 0);
    if (kept->on_body_ended)
        kept->on_body_ended(kept);
}

static void on_drained(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct web_kept *kept = enter(responder, exchange);

    kept->drained++;
    if (kept->on_drained)
        kept->on_drained(kept);
}

static void on_gone(weft_http_responder *responder, weft_http_exchange *exchange, int reason)
{
    struct web_kept *kept = enter(responder, exchange);

    assert_true(reason <= 0);
    kept->reason = reason;
    kept->gone++;
    kept->exchange = NULL;
    weft_timer_fini(&kept->timer);
}

static const weft_http_responder_ops responder_ops = {.body = on_body,
                                                      .body_ended = on_body_ended,
                                                      .drained = on_drained,
                                                      .gone = on_gone};
static const weft_http_responder_ops bodyless_ops = {.drained = on_drained, .gone = on_gone};

static void timer_fired(weft_timer *timer)
{
    struct web_kept *kept = weft_container_of(timer, struct web_kept, timer);

    assert_int_equal(kept->web->calling, 0);
    assert_int_equal(kept->gone, 0);
    kept->on_timer(kept);
}

void web_later(struct web_kept *kept, weft_time delay, void (*on_timer)(struct web_kept *kept))
{
    kept->on_timer = on_timer;
    weft_timer_start(&kept->timer, delay);
}

static struct web_kept *try_keep(struct web *web, weft_http_exchange *exchange, const weft_http_responder_ops *ops)
{
    struct web_kept *kept = calloc(1, sizeof *kept);

    if (!kept)
        abort();
    kept->responder.ops = ops;
    kept->web = web;
    kept->exchange = exchange;
    assert_int_equal(weft_timer_init(&kept->timer, weft_loop_scope(web->loop), timer_fired), 0);
    if (WEB_CALL(web, weft_http_exchange_attach(exchange, &kept->responder)) < 0) {
        weft_timer_fini(&kept->timer);
        free(kept);
        return NULL;
    }
    kept->number = web->kept_count++;
    *web->kept_end = kept;
    web->kept_end = &kept->next;
    return kept;
}

struct web_kept *web_try_keep(struct web *web, weft_http_exchange *exchange)
{
    return try_keep(web, exchange, &responder_ops);
}

static struct web_kept *keep(struct web *web, weft_http_exchange *exchange, const weft_http_responder_ops *ops)
{
    struct web_kept *kept = try_keep(web, exchange, ops);

    assert_non_null(kept);
    return kept;
}

struct web_kept *web_keep(struct web *web, weft_http_exchange *exchange)
{
    return keep(web, exchange, &responder_ops);
}

struct web_kept *web_keep_without_body(struct web *web, weft_http_exchange *exchange)
{
    return keep(web, exchange, &bodyless_ops);
}

struct web_kept *web_kept_at(struct web *web, size_t number)
{
    struct web_kept *kept = web->kept;

    while (kept && number-- > 0)
        kept = kept->next;
    assert_non_null(kept);
    return kept;
}

void web_keep_only(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep(web, exchange);
}

int web_answer(struct web *web, weft_http_exchange *exchange, const char *text)
{
    return WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_from(text)));
}

void web_echo_path(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_http_exchange_path(exchange))), 0);
}

/* -- a world -- */

static void stopped(void *arg, size_t drained, size_t aborted)
{
    struct web *web = arg;

    web->stopped++;
    web->drained = drained;
    web->aborted = aborted;
    web->listener = NULL;
}

static void listen(struct web *web, const struct web_options *options)
{
    weft_listen_options listening = {.size = sizeof listening, .stream = options->stream};

    assert_int_equal(weft_listen(weft_loop_scope(web->loop), "tcp://127.0.0.1:0",
                                 weft_http_server_factory(web->server, stopped, web), &listening, &web->listener, NULL),
                     0);
    weft_listener_url(web->listener, NULL, web->url);
}

void web_open(struct web *web, const struct web_options *options,
              void (*handle)(struct web *web, weft_http_exchange *exchange))
{
    static const struct web_options defaults = {.seed = 1};
    char backend[32];
    weft_loop_options loop_options = {.size = sizeof loop_options, .backend = backend, .watchdog = WEFT_NEVER};

    if (!options)
        options = &defaults;
    *web = (struct web){.handler.ops = &handler_ops, .handle = handle};
    web->kept_end = &web->kept;
    snprintf(backend, sizeof backend, "sim:%" PRIu64, options->seed);
    assert_int_equal(weft_loop_new(&loop_options, &web->loop), 0);
    if (options->faults)
        sim_set_faults(web->loop->backend, options->faults);
    assert_int_equal(weft_http_server_new(web->loop, options->handler ? options->handler : &web->handler,
                                          options->server.size ? &options->server : NULL, &web->server),
                     0);
    listen(web, options);
}

void web_close(struct web *web)
{
    weft_loop_free(web->loop);
    assert_int_equal(web->stopped, 1);
    weft_http_server_free(web->server);
    for (size_t i = 0; i < web->client_count; i++) {
        assert_int_equal(web->clients[i].lost, 1);
        free(web->clients[i].text);
    }
    while (web->kept) {
        struct web_kept *kept = web->kept;
        web->kept = kept->next;
        assert_int_equal(kept->gone, 1);
        free(kept);
    }
}

static bool is_quiet(const struct web *web)
{
    return weft_loop_prepare(web->loop) > 0 && !web->loop->backend->ops->has_work(web->loop->backend);
}

void web_settle(struct web *web)
{
    unsigned quiet = 0, turns = 0;

    while (quiet < 3) { /* a job may be under way, which shows only when it is done */
        assert_true(weft_loop_step(web->loop) >= 0);
        assert_true(++turns < TURNS_MOST);
        quiet = is_quiet(web) ? quiet + 1 : 0;
    }
}

/* For web_pass. */
struct pause {
    weft_timer timer;
    weft_loop *loop;
};

static void pass_fired(weft_timer *timer)
{
    weft_loop_stop(weft_container_of(timer, struct pause, timer)->loop);
}

void web_pass(struct web *web, weft_time time)
{
    struct pause pause = {.loop = web->loop};

    assert_int_equal(weft_timer_init(&pause.timer, weft_loop_scope(web->loop), pass_fired), 0);
    weft_timer_start(&pause.timer, time);
    assert_int_equal(weft_loop_run(web->loop), 0);
    weft_timer_fini(&pause.timer);
    web_settle(web);
}

/* -- torture -- */

#define POINTS_MOST 2000

/* Whether a whole final response came. */
static bool is_answered(const struct web_client *client, const char *request)
{
    weft_bytes rest = weft_bytes_of(client->text, client->length);
    weft_http1_parser parser;
    weft_http1_event event;
    bool interim = false;
    int type;

    weft_http1_parser_init(&parser, WEFT_HTTP1_RESPONSE, NULL);
    if (strncmp(request, "HEAD ", 5) == 0)
        weft_http1_parser_answers(&parser, WEFT_HTTP1_ANSWERS_HEAD);
    while ((type = weft_http1_next(&parser, &rest, &event)) > 0) {
        if (type == WEFT_HTTP1_HEAD_END)
            interim = event.head.interim;
        if (type == WEFT_HTTP1_MESSAGE_END && !interim)
            return true;
        if (type == WEFT_HTTP1_MESSAGE_END)
            weft_http1_parser_reset(&parser);
    }
    assert_int_equal(type, 0);
    return false;
}

static void torture_open(const struct web_torture *torture, struct web *web)
{
    if (torture->open)
        torture->open(web);
    else
        web_open(web, NULL, torture->handle);
}

static void torture_close(const struct web_torture *torture, struct web *web)
{
    if (torture->close)
        torture->close(web);
    else
        web_close(web);
}

/* What the other connection hears when nothing fails. Freed by the caller. */
static char *undisturbed(const struct web_torture *torture, struct web *web)
{
    struct web_client *client;
    char *text;

    torture_open(torture, web);
    client = web_connect(web);
    web_send(client, torture->undisturbed);
    text = strdup(web_text(client));
    torture_close(torture, web);
    return text;
}

/* Nothing was sent before, so that no pool is warm. @return whether an allocation failed */
static bool torture_at(const struct web_torture *torture, struct web *web, size_t k, bool forever, const char *expected)
{
    struct web_client *client, *other;
    bool failed, sent;
    size_t live = support_live();

    support_set_context("allocation %zu failing %s", k, forever ? "for ever" : "once");
    torture_open(torture, web);
    client = web_connect(web);
    other = web_connect(web);
    support_fail_at(k, forever);
    sent = weft_stream_write(client->stream, weft_bytes_from(torture->request)) >= 0;
    web_settle(web);
    failed = support_injected() > 0;
    support_fail_at(0, false);
    web_settle(web);
    web_pass(web, WEFT_SECONDS(1));
    if (sent && !client->lost && !is_answered(client, torture->request))
        fail_msg("neither answered nor disconnected; it got: %s", web_text(client));
    if (!failed)
        assert_true(is_answered(client, torture->request));
    web_send(other, torture->undisturbed);
    web_expect(other, expected);
    web_expect_open(other);
    torture_close(torture, web);
    assert_int_equal(support_live(), live);
    support_clear_context();
    return failed;
}

void web_torture(const struct web_torture *torture)
{
    struct web *web = calloc(1, sizeof *web);
    char *expected;

    if (!web)
        abort();
    expected = undisturbed(torture, web);
    for (int forever = 0; forever < 2; forever++) {
        size_t k = 1;

        while (torture_at(torture, web, k, forever, expected))
            assert_true(++k < POINTS_MOST);
        assert_true(k > 1); /* else it proves nothing */
        print_message("%zu points, failing %s\n", k - 1, forever ? "for ever" : "once");
    }
    free(expected);
    free(web);
}
