/* SPDX-License-Identifier: MIT */
/* Every allocation of a request fails, once and for ever, with handlers of every kind. */
#include "families/http/web.h"

#include <errno.h>
#include <string.h>

#define UNDISTURBED "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"

/* Echoes the body as it comes; gives up when it cannot. */
static void echo_body(struct web_kept *kept, weft_bytes bytes)
{
    int status = WEB_CALL(kept->web, weft_http_respond_write(kept->exchange, bytes));

    if (status < 0 && status != WEFT_EENDED)
        WEB_DO(kept->web, weft_http_exchange_abort(kept->exchange));
}

static void echo_ended(struct web_kept *kept)
{
    int status = WEB_CALL(kept->web, weft_http_respond_end(kept->exchange, NULL, 0));

    if (status < 0 && status != WEFT_EENDED)
        WEB_DO(kept->web, weft_http_exchange_abort(kept->exchange));
}

static void echo(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_try_keep(web, exchange);

    if (!kept) {
        (void)WEB_CALL(web, weft_http_respond(exchange, 503, NULL, 0, weft_bytes_from("busy")));
        return;
    }
    kept->on_body = echo_body;
    kept->on_body_ended = echo_ended;
    if (WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)) < 0)
        WEB_DO(web, weft_http_exchange_abort(exchange));
}

/* Collects the body, then answers at once; what cannot be answered is given up. */
static void answer_collected(struct web_kept *kept)
{
    if (web_answer(kept->web, kept->exchange, kept->body) < 0)
        WEB_DO(kept->web, weft_http_exchange_abort(kept->exchange));
}

static void collect(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_try_keep(web, exchange);

    if (kept)
        kept->on_body_ended = answer_collected; /* else it is not answered: the server says 500 */
}

/* Answers with 50 KB in one call, or says why not. */
static void answer_large(struct web *web, weft_http_exchange *exchange)
{
    static char large[50000];

    memset(large, 'l', sizeof large);
    if (WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_of(large, sizeof large))) == WEFT_ENOMEM)
        (void)WEB_CALL(web, weft_http_respond(exchange, 503, NULL, 0, weft_bytes_from("busy")));
}

static void a_body_with_a_length_survives_short_memory(void **state)
{
    struct web_torture torture = {.handle = echo, .request = UNDISTURBED, .undisturbed = UNDISTURBED};

    (void)state;
    web_torture(&torture);
    torture.handle = collect;
    web_torture(&torture);
}

static void a_chunked_body_with_trailers_survives_short_memory(void **state)
{
    struct web_torture torture = {
        .request = "POST /long/enough/to/need/memory HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5\r\nhello\r\n6\r\n world\r\n0\r\nOne: 1\r\nTwo: 2\r\nThree: 3\r\n\r\n",
        .undisturbed = UNDISTURBED};

    (void)state;
    torture.handle = echo;
    web_torture(&torture);
    torture.handle = collect;
    web_torture(&torture);
}

static void a_pipeline_survives_short_memory(void **state)
{
    struct web_torture torture = {.handle = collect,
                                  .request = UNDISTURBED UNDISTURBED "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                  .undisturbed = UNDISTURBED};

    (void)state;
    web_torture(&torture);
}

static void a_large_answer_survives_short_memory(void **state)
{
    struct web_torture torture = {.handle = answer_large,
                                  .request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                  .undisturbed = "GET / HTTP/1.1\r\nHost: b\r\n\r\n"};

    (void)state;
    web_torture(&torture);
}

/* More fields than any request before it had: the server's array grows. */
static void many_fields_survive_short_memory(void **state)
{
#define FIELDS "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI: 9\r\nJ: 10\r\n"
    struct web_torture torture = {
        .handle = collect,
        .request = "GET / HTTP/1.1\r\nHost: a\r\n" FIELDS FIELDS FIELDS FIELDS FIELDS FIELDS FIELDS "\r\n",
        .undisturbed = "GET / HTTP/1.1\r\nHost: b\r\n\r\n"};

    (void)state;
    web_torture(&torture);
}

static void a_refusal_survives_short_memory(void **state)
{
    struct web_torture torture = {
        .handle = collect, .request = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .undisturbed = UNDISTURBED};

    (void)state;
    web_torture(&torture);
}

static void an_expectation_survives_short_memory(void **state)
{
    struct web_torture torture = {
        .handle = collect,
        .request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        .undisturbed = UNDISTURBED};

    (void)state;
    web_torture(&torture);
}

/* The server itself, and a connection from its first byte to its last. */
static void from_nothing(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    static weft_http_handler handler;
    weft_http_server *server = NULL;
    weft_loop *loop = NULL;
    int status;

    (void)arg;
    if (weft_loop_new(&options, &loop) < 0) {
        assert_true(support_injected() > 0);
        return;
    }
    status = weft_http_server_new(loop, &handler, NULL, &server);
    if (status == 0)
        status = weft_listen(weft_loop_scope(loop), "tcp://127.0.0.1:0", weft_http_server_factory(server, NULL, NULL),
                             NULL, NULL, NULL);
    assert_true(status == 0 || (status == WEFT_ENOMEM && support_injected() > 0));
    weft_loop_free(loop);
    weft_http_server_free(server);
    weft_http_server_free(NULL);
}

static void making_a_server_survives_short_memory(void **state)
{
    (void)state;
    (void)support_torture(from_nothing, NULL);
}

static void options_without_a_size_make_no_server(void **state)
{
    weft_http_server_options options = {.size = 0};
    weft_http_server *server = NULL;
    struct web web;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    assert_int_equal(weft_http_server_new(web.loop, &web.handler, &options, &server), -EINVAL);
    assert_null(server);
    web_close(&web);
}

static void answer_ok(struct web *web, weft_http_exchange *exchange)
{
    (void)web_answer(web, exchange, "ok");
}

/* RFC 9110, section 9.3.2: no content follows, whatever the answer is. */
static void a_refused_head_has_no_body(void **state)
{
    static const char request[] = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    unsigned refused = 0;

    (void)state;
    for (size_t k = 1; k <= 12; k++) {
        struct web web;
        struct web_client *client;
        const char *end;

        web_open(&web, NULL, answer_ok);
        client = web_connect(&web);
        assert_true(weft_stream_write(client->stream, weft_bytes_from(request)) >= 0);
        support_fail_at(k, false);
        web_settle(&web);
        support_fail_at(0, false);
        end = strstr(web_text(client), "\r\n\r\n");
        if (strncmp(web_text(client), "HTTP/1.1 503 ", 13) == 0 && end) {
            assert_string_equal(end, "\r\n\r\n");
            refused++;
        }
        web_close(&web);
    }
    assert_true(refused > 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_body_with_a_length_survives_short_memory),
        support_test(a_chunked_body_with_trailers_survives_short_memory),
        support_test(a_pipeline_survives_short_memory),
        support_test(a_large_answer_survives_short_memory),
        support_test(many_fields_survive_short_memory),
        support_test(a_refusal_survives_short_memory),
        support_test(an_expectation_survives_short_memory),
        support_test(making_a_server_survives_short_memory),
        support_test(options_without_a_size_make_no_server),
        support_test(a_refused_head_has_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
