/* SPDX-License-Identifier: MIT */
/*
 * Pipelining: a client sends many requests ahead on a network that splits and delays, handlers answer at once, late or
 * bit by bit, and the responses are those of the requests, in their order. One handler runs at a time.
 *
 * The number of seeds is the program's argument.
 */
#include "families/http/web.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/wire/http1.h>

#include "base/random.h"

#define REQUESTS_MOST 24
#define PARTS_MOST 5

static uint64_t seeds = 2000;

/* -- one run -- */

struct asked {
    bool head, http10;
    size_t body; /* bytes of the request's */
};

struct run {
    struct web web;
    struct random_source random;
    struct asked asked[REQUESTS_MOST];
    size_t count;     /* requests that are sent */
    size_t begun;     /* that the handler was given */
    size_t under_way; /* exchanges that are not answered */
    size_t parts;     /* still to be written of the one that is answered bit by bit */
    uint64_t body_seen;
};

static struct run *run_of(struct web *web)
{
    return weft_container_of(web, struct run, web);
}

/* Every response says which request it belongs to. */
static void text_of(size_t number, char out[32])
{
    snprintf(out, 32, "answer to %zu;", number);
}

static void over(struct run *run)
{
    assert_int_equal(run->under_way, 1);
    run->under_way = 0;
}

static void answer_now(struct run *run, weft_http_exchange *exchange, size_t number)
{
    char text[32];

    text_of(number, text);
    assert_int_equal(web_answer(&run->web, exchange, text), 0);
    over(run);
}

static void answer_kept(struct web_kept *kept)
{
    answer_now(run_of(kept->web), kept->exchange, (size_t)kept->sent);
}

static void write_part(struct web_kept *kept)
{
    struct run *run = run_of(kept->web);
    char text[32];

    text_of((size_t)kept->sent, text);
    if (run->parts == 0) {
        assert_int_equal(WEB_CALL(kept->web, weft_http_respond_end(kept->exchange, NULL, 0)), 0);
        over(run);
        return;
    }
    run->parts--;
    assert_int_equal(WEB_CALL(kept->web, weft_http_respond_write(kept->exchange, weft_bytes_from(text))), 0);
    web_later(kept, (weft_time)random_below(&run->random, WEFT_MILLISECONDS(20)), write_part);
}

static void start_parts(struct run *run, struct web_kept *kept)
{
    char text[32];
    uint64_t length = WEFT_HTTP_LENGTH_UNKNOWN;

    text_of((size_t)kept->sent, text);
    run->parts = (size_t)random_below(&run->random, PARTS_MOST);
    if (random_below(&run->random, 2))
        length = run->parts * strlen(text);
    assert_int_equal(WEB_CALL(&run->web, weft_http_respond_start(kept->exchange, 200, NULL, 0, length)), 0);
    web_later(kept, (weft_time)random_below(&run->random, WEFT_MILLISECONDS(20)), write_part);
}

static void handle(struct web *web, weft_http_exchange *exchange)
{
    struct run *run = run_of(web);
    size_t number = run->begun++;
    struct web_kept *kept;
    char path[16];

    snprintf(path, sizeof path, "/%zu", number);
    assert_true(weft_bytes_equal(weft_http_exchange_path(exchange), weft_bytes_from(path)));
    assert_int_equal(run->under_way++, 0);
    if (random_below(&run->random, 3) == 0) {
        answer_now(run, exchange, number);
        return;
    }
    kept = web_keep(web, exchange);
    kept->sent = number;
    switch (random_below(&run->random, 4)) {
    case 0:
        answer_now(run, exchange, number);
        return;
    case 1:
        kept->on_body_ended = answer_kept;
        return;
    case 2:
        web_later(kept, (weft_time)random_below(&run->random, WEFT_MILLISECONDS(50)), answer_kept);
        return;
    default:
        start_parts(run, kept);
    }
}

/* -- what the client sends -- */

/* The server may have closed meanwhile, after a response to HTTP/1.0. */
static void say(struct web_client *client, weft_bytes bytes)
{
    if (client->stream && !client->ended)
        assert_true(weft_stream_write(client->stream, bytes) >= 0);
}

static void say_text(struct web_client *client, const char *text)
{
    say(client, weft_bytes_from(text));
}

static void send_body(struct run *run, struct web_client *client, size_t length, bool chunked)
{
    char text[80];

    memset(text, 'b', sizeof text);
    while (length > 0) {
        size_t piece = 1 + (size_t)random_below(&run->random, length < 40 ? length : 40);
        char line[16];

        snprintf(line, sizeof line, "%zx\r\n", piece);
        if (chunked)
            say_text(client, line);
        say(client, weft_bytes_of(text, piece));
        if (chunked)
            say_text(client, "\r\n");
        length -= piece;
    }
    if (chunked)
        say_text(client, "0\r\nSum: 1\r\n\r\n");
}

static void send_request(struct run *run, struct web_client *client, size_t number)
{
    struct asked *asked = &run->asked[number];
    char text[160];
    bool chunked = random_below(&run->random, 2) && !asked->http10,
         has_body = !asked->head && random_below(&run->random, 2);

    asked->body = has_body ? (size_t)random_below(&run->random, 200) + 1 : 0;
    snprintf(text, sizeof text, "%s /%zu HTTP/1.%d\r\nHost: a\r\n%s",
             asked->head ? "HEAD"
             : has_body  ? "POST"
                         : "GET",
             number, asked->http10 ? 0 : 1, asked->http10 ? "Connection: keep-alive\r\n" : "");
    say_text(client, text);
    if (has_body && chunked)
        snprintf(text, sizeof text, "Transfer-Encoding: chunked\r\n\r\n");
    else
        snprintf(text, sizeof text, "Content-Length: %zu\r\n\r\n", asked->body);
    say_text(client, text);
    if (has_body)
        send_body(run, client, asked->body, chunked);
}

static void send_all(struct run *run, struct web_client *client)
{
    run->count = 1 + (size_t)random_below(&run->random, REQUESTS_MOST);
    for (size_t i = 0; i < run->count; i++) {
        run->asked[i].head = random_below(&run->random, 5) == 0;
        run->asked[i].http10 = random_below(&run->random, 8) == 0;
        send_request(run, client, i);
        if (random_below(&run->random, 4) == 0)
            web_pass(&run->web, (weft_time)random_below(&run->random, WEFT_MILLISECONDS(30)));
    }
}

/* -- what the client gets -- */

/* Reads one response. Returns false when no whole one is left. */
static bool read_response(weft_bytes *rest, bool head, size_t number, bool *ret_keep_alive)
{
    weft_http1_parser parser;
    weft_http1_event event;
    char text[32];
    size_t at = 0, length;
    int type;

    text_of(number, text);
    length = strlen(text);
    weft_http1_parser_init(&parser, WEFT_HTTP1_RESPONSE, NULL);
    weft_http1_parser_answers(&parser, head ? WEFT_HTTP1_ANSWERS_HEAD : WEFT_HTTP1_ANSWERS_OTHER);
    while ((type = weft_http1_next(&parser, rest, &event)) > 0 && type != WEFT_HTTP1_MESSAGE_END) {
        if (type == WEFT_HTTP1_STATUS_LINE)
            assert_int_equal(event.status.code, 200);
        if (type == WEFT_HTTP1_HEAD_END)
            *ret_keep_alive = event.head.keep_alive;
        for (size_t i = 0; type == WEFT_HTTP1_BODY && i < event.body.length; i++, at++)
            assert_int_equal(event.body.data[i], text[at % length]);
    }
    assert_true(type >= 0);
    if (type == WEFT_HTTP1_NEED_MORE)
        type = weft_http1_end(&parser, *rest, &event);
    assert_int_equal(at % length, 0);
    return type == WEFT_HTTP1_MESSAGE_END;
}

static void check_responses(struct run *run, struct web_client *client)
{
    weft_bytes rest = weft_bytes_of(client->text, client->length);
    bool keep_alive = true;
    size_t number = 0;

    for (; number < run->count && keep_alive; number++)
        if (!read_response(&rest, run->asked[number].head, number, &keep_alive))
            fail_msg("response %zu of %zu is not there", number, run->count);
    assert_int_equal(rest.length, 0);
    assert_int_equal(number, run->begun);
    assert_int_equal(run->under_way, 0);
    if (keep_alive)
        web_expect_open(client);
    else
        assert_int_equal(client->lost, 1);
}

/* -- the tests -- */

static void run_seed(uint64_t seed)
{
    static const weft_faults faults = {
        .short_reads = 500000, .short_writes = 500000, .latency = {0, WEFT_MILLISECONDS(5)}};
    struct web_options options = {.seed = seed, .faults = seed % 4 ? &faults : NULL};
    struct run *run = calloc(1, sizeof *run);
    struct web_client *client;

    if (!run)
        abort();
    support_set_context("seed %" PRIu64, seed);
    random_init(&run->random, seed);
    web_open(&run->web, &options, handle);
    client = web_connect(&run->web);
    send_all(run, client);
    web_pass(&run->web, WEFT_SECONDS(15));
    check_responses(run, client);
    web_close(&run->web);
    assert_int_equal(run->web.record_count, run->begun);
    free(run);
    support_clear_context();
}

static void responses_are_in_the_order_of_the_requests(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        run_seed(seed);
    print_message("%" PRIu64 " seeds\n", seeds);
}

/* While a handler waits, no more is read than one delivery, however much the client sends. */
static void what_is_sent_ahead_is_not_read(void **state)
{
    struct web web;
    struct web_client *client;
    size_t before, client_queue;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    before = support_live_bytes();
    for (int i = 0; i < 20000; i++)
        web_write(client, "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n");
    web_settle(&web);
    client_queue = weft_stream_queued(client->stream);
    assert_int_equal(web.requests, 1);
    assert_true(client_queue > 1000 * 1000); /* of 1.5 MB: the rest is in the network and in one delivery */
    assert_true(support_live_bytes() - before - client_queue < 512 * 1024);
    web_pass(&web, WEFT_SECONDS(29)); /* more would be a write stall of the client's */
    assert_int_equal(web.requests, 1);
    web_close(&web);
}

static void keep_and_answer_late(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    web_later(kept, WEFT_MILLISECONDS(1), answer_kept);
    kept->sent = run_of(web)->begun++;
    run_of(web)->under_way++;
}

/* Nothing is lost, or handled twice, at any depth. */
static void a_deep_pipeline_is_answered(void **state)
{
    struct run *run = calloc(1, sizeof *run);
    struct web_client *client;
    bool keep_alive;
    weft_bytes rest;

    (void)state;
    if (!run)
        abort();
    web_open(&run->web, NULL, keep_and_answer_late);
    client = web_connect(&run->web);
    for (int i = 0; i < 5000; i++)
        web_write(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_pass(&run->web, WEFT_SECONDS(20));
    assert_int_equal(run->begun, 5000);
    rest = weft_bytes_of(client->text, client->length);
    for (size_t i = 0; i < 5000; i++)
        assert_true(read_response(&rest, false, i, &keep_alive));
    assert_int_equal(rest.length, 0);
    web_expect_open(client);
    web_close(&run->web);
    free(run);
}

static void what_was_sent_before_the_end_is_answered(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_write(client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    web_end(client);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(web.requests, i + 1);
        assert_int_equal(web_answer(&web, web_kept_at(&web, i)->exchange, "ok"), 0);
        web_settle(&web);
    }
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_int_equal(client->lost, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 3);
    web_expect_record(&web, 2, "GET", 200, 2, true);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        support_test(responses_are_in_the_order_of_the_requests),
        support_test(what_is_sent_ahead_is_not_read),
        support_test(a_deep_pipeline_is_answered),
        support_test(what_was_sent_before_the_end_is_answered),
    };

    if (argc > 1)
        seeds = strtoull(argv[1], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
