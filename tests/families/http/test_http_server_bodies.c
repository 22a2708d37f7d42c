/* SPDX-License-Identifier: MIT */
/* Bodies of requests: delivered, paused, not wanted, waited for (Expect), refused. */
#include "families/http/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"

static void answer_ok(struct web_kept *kept)
{
    assert_int_equal(web_answer(kept->web, kept->exchange, "ok"), 0);
}

static void answer_at_end(struct web *web, weft_http_exchange *exchange)
{
    web_keep(web, exchange)->on_body_ended = answer_ok;
}

/* Sends @p length times 'b'. */
static void send_fill(struct web_client *client, size_t length)
{
    char *fill = malloc(length + 1);

    if (!fill)
        abort();
    memset(fill, 'b', length);
    web_send_bytes(client, weft_bytes_of(fill, length));
    free(fill);
}

static void expect_status(struct web_client *client, const char *start)
{
    if (strncmp(web_text(client), start, strlen(start)) != 0)
        fail_msg("not %s but %s", start, web_text(client));
    web_forget(client);
}

/* -- delivered -- */

static void feed_post(void *arg, const weft_bytes *pieces, size_t count)
{
    const char *expected = arg;
    struct web web;
    struct web_client *client;

    web_open(&web, NULL, answer_at_end);
    client = web_connect(&web);
    for (size_t i = 0; i < count; i++)
        web_send_bytes(client, pieces[i]);
    web_expect(client, OK_2 "ok" OK_2 "ok");
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(web_kept_at(&web, i)->body, expected);
        assert_int_equal(web_kept_at(&web, i)->body_bytes, strlen(expected));
        assert_int_equal(web_kept_at(&web, i)->body_ended, 1);
        assert_int_equal(web_kept_at(&web, i)->reason, 0);
    }
    web_close(&web);
}

static void a_body_arrives_whole_in_any_division(void **state)
{
    static const char length[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
                                 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
    static const char chunked[] =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\nSum: 1\r\n\r\n";
    static const char none[] =
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    support_three_ways(weft_bytes_from(length), feed_post, (void *)(uintptr_t) "hello world");
    support_three_ways(weft_bytes_from(chunked), feed_post, (void *)(uintptr_t) "hello world");
    support_three_ways(weft_bytes_from(none), feed_post, (void *)(uintptr_t) "");
}

static void look_at_trailers(struct web_kept *kept)
{
    const weft_http_field *first, *second;

    assert_int_equal(weft_http_exchange_trailer_count(kept->exchange), 2);
    first = weft_http_exchange_trailer_at(kept->exchange, 0);
    second = weft_http_exchange_trailer_at(kept->exchange, 1);
    assert_true(weft_bytes_equal(first->name, weft_bytes_from("Sum")));
    assert_true(weft_bytes_equal(first->value, weft_bytes_from("")));
    assert_true(weft_bytes_equal(second->name, weft_bytes_from("Other")));
    assert_true(weft_bytes_equal(second->value, weft_bytes_from("two words")));
    assert_int_equal(weft_http_exchange_field(kept->exchange, weft_bytes_from("Sum"), NULL), 0);
    answer_ok(kept);
}

static void keep_for_trailers(struct web *web, weft_http_exchange *exchange)
{
    web_keep(web, exchange)->on_body_ended = look_at_trailers;
    assert_int_equal(weft_http_exchange_trailer_count(exchange), 0);
}

static void trailers_are_kept_apart_from_fields(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, keep_for_trailers);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSum:\r\n");
    web_send(client, "Other: two words\r\n\r\n");
    web_expect(client, OK_2 "ok");
    web_close(&web);
}

/* -- paused -- */

static void pause_on_body(struct web_kept *kept, weft_bytes bytes)
{
    (void)bytes;
    WEB_DO(kept->web, weft_http_exchange_pause(kept->exchange));
}

static void keep_and_pause(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    kept->on_body = pause_on_body;
    kept->on_body_ended = answer_ok;
}

static void a_paused_body_slows_the_client_down(void **state)
{
    static const size_t length = 1000 * 1000;
    struct web web;
    struct web_client *client;
    struct web_kept *kept;
    uint64_t seen;

    (void)state;
    web_open(&web, NULL, keep_and_pause);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    send_fill(client, length);
    kept = web_kept_at(&web, 0);
    assert_true(kept->body_bytes <= 64 * 1024);
    assert_true(weft_stream_queued(client->stream) > length - 256 * 1024);
    for (int i = 0; kept->body_ended == 0; i++) {
        assert_true(i < 1000);
        seen = kept->body_bytes;
        WEB_DO(&web, weft_http_exchange_resume(kept->exchange));
        web_settle(&web);
        assert_true(kept->body_bytes > seen || kept->body_ended == 1);
        assert_true(kept->body_bytes - seen <= 128 * 1024);
    }
    assert_int_equal(kept->body_bytes, length);
    web_expect(client, OK_2 "ok");
    web_close(&web);
}

static void pause_and_answer(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep(web, exchange);
    WEB_DO(web, weft_http_exchange_pause(exchange));
    web->handle = answer_at_end;
    assert_int_equal(web_answer(web, exchange, "ok"), 0);
}

static void a_pause_ends_with_its_exchange(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, pause_and_answer);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    web_expect(client, OK_2 "ok");
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    web_expect(client, OK_2 "ok");
    assert_string_equal(web_kept_at(&web, 1)->body, "hello");
    web_close(&web);
}

/* The end of the body waits, too; and a pause in `request` keeps all of it back. */
static void a_pause_holds_all_of_the_body(void **state)
{
    struct web web;
    struct web_client *client;
    struct web_kept *kept;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    kept = web_kept_at(&web, 0);
    WEB_DO(&web, weft_http_exchange_pause(kept->exchange));
    WEB_DO(&web, weft_http_exchange_resume(kept->exchange));
    WEB_DO(&web, weft_http_exchange_pause(kept->exchange));
    web_settle(&web);
    web_send(client, "hello");
    assert_int_equal(kept->body_bytes, 0);
    assert_int_equal(kept->body_ended, 0);
    WEB_DO(&web, weft_http_exchange_resume(kept->exchange));
    assert_int_equal(kept->body_bytes, 0);
    web_settle(&web);
    assert_string_equal(kept->body, "hello");
    assert_int_equal(kept->body_ended, 1);
    answer_ok(kept);
    web_settle(&web);
    web_expect(client, OK_2 "ok");
    web_close(&web);
}

/* Nothing more comes from the client, so its last byte must not be needed to find the end. */
static void a_body_that_was_paused_at_its_end_still_ends(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, keep_and_pause);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_string_equal(web_kept_at(&web, 0)->body, "hello");
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 0);
    WEB_DO(&web, weft_http_exchange_resume(web_kept_at(&web, 0)->exchange));
    web_settle(&web);
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 1);
    web_expect(client, OK_2 "ok");
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    answer_ok(web_kept_at(&web, 1));
    web_settle(&web);
    web_expect(client, OK_2 "ok");
    web_pass(&web, WEFT_SECONDS(59)); /* it is idle, and not in the middle of a body */
    web_expect_open(client);
    web_pass(&web, WEFT_SECONDS(2));
    web_expect(client, "");
    web_expect_lost(client, true);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
}

/* -- not wanted -- */

static void a_small_body_that_nobody_read_is_dropped(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n");
    web_expect(client, OK_2 "/1");
    send_fill(client, 65536);
    web_send(client, "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, OK_2 "/2");
    web_send(client, "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n");
    send_fill(client, 65536);
    web_send(client, "\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, OK_2 "/3" OK_2 "/4");
    web_expect_open(client);
    web_close(&web);
}

static void a_large_body_that_nobody_read_closes(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/1");
    web_expect_lost(client, true);
    client = web_connect(&web);
    web_send(client, "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n");
    web_expect(client, OK_2 "/2");
    send_fill(client, 65537);
    assert_int_equal(client->lost, 1);
    assert_int_equal(web.requests, 2);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
}

/* What follows in the body must never be taken for a request. */
static void a_body_is_never_parsed_as_a_request(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\n\r\nGET /poison HTTP/1.1\r\nHost: a\r\n"
                     "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, OK_2 "/1" OK_2 "/2");
    web_send(client, "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n"
                     "GET /poison HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/3");
    assert_int_equal(web.requests, 3);
    web_close(&web);
}

/* -- Expect: 100-continue (RFC 9110 §10.1.1) -- */

#define EXPECTS(path, length) \
    "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\nExpect: 100-continue\r\n\r\n"

static void a_responder_that_wants_the_body_asks_for_it(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_at_end);
    client = web_connect(&web);
    web_send(client, EXPECTS("/1", "5"));
    web_expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
    web_send(client, "hello");
    web_expect(client, OK_2 "ok");
    web_expect_open(client);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "POST", 200, 2, true);
}

static void keep_without_body(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep_without_body(web, exchange);
}

static void a_final_response_comes_without_100_and_closes(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, EXPECTS("/1", "5"));
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/1");
    web_expect_lost(client, true);
    web.handle = keep_without_body;
    client = web_connect(&web);
    web_send(client, EXPECTS("/2", "5"));
    web_expect(client, "");
    answer_ok(web_kept_at(&web, 0));
    web_settle(&web);
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    web_expect_lost(client, true);
    web_close(&web);
}

static void start_and_keep(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep(web, exchange);
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 2)), 0);
}

static void no_100_follows_the_beginning_of_a_final_response(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, start_and_keep);
    client = web_connect(&web);
    web_send(client, EXPECTS("/1", "5"));
    assert_int_equal(weft_http_respond_write(web_kept_at(&web, 0)->exchange, weft_bytes_from("ok")), 0);
    assert_int_equal(weft_http_respond_end(web_kept_at(&web, 0)->exchange, NULL, 0), 0);
    web_settle(&web);
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    web_expect_lost(client, true);
    web_close(&web);
}

static void a_body_that_is_too_large_is_refused_before_100(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .body = 4}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, answer_at_end);
    client = web_connect(&web);
    web_send(client, EXPECTS("/1", "5"));
    expect_status(client, "HTTP/1.1 413 Content Too Large\r\n");
    web_expect_lost(client, true);
    assert_int_equal(web.requests, 0);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    assert_int_equal(web_record_at(&web, 0)->status, 413);
}

static void only_100_continue_with_a_body_is_an_expectation(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_at_end);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    web_expect(client, OK_2 "ok");
    web_send(client, "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    web_expect(client, "");
    web_send(client, "hello");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: miracles\r\n\r\n");
    expect_status(client, "HTTP/1.1 417 Expectation Failed\r\n");
    web_close(&web);
}

/* -- refused in the middle -- */

/* The handler waits for the rest of a body that @p more makes impossible. */
static void check_broken(const char *first, const char *more, const char *status, bool started)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .body = 8}};
    struct web web;
    struct web_client *client;

    web_open(&web, &options, web_keep_only);
    client = web_connect(&web);
    web_send(client, first);
    if (started)
        assert_int_equal(WEB_CALL(&web, weft_http_respond_start(web_kept_at(&web, 0)->exchange, 200, NULL, 0, 9)), 0);
    web_settle(&web);
    web_forget(client);
    web_send(client, more);
    if (started) {
        web_expect_lost(client, false);
    } else {
        expect_status(client, status);
        web_expect_lost(client, true);
    }
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_EPROTOCOL);
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 0);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    assert_int_equal(web_record_at(&web, 0)->complete, !started);
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void a_broken_body_is_refused(void **state)
{
    (void)state;
    for (int started = 0; started < 2; started++) {
        check_broken(CHUNKED "2\r\nhi\r\n", "z\r\n", "HTTP/1.1 400 ", started);
        check_broken(CHUNKED "2\r\nhi\r\n", "7\r\n", "HTTP/1.1 413 ", started);
        check_broken(CHUNKED "2\r\nhi", "x", "HTTP/1.1 400 ", started);
        check_broken(CHUNKED "0\r\n", "Bad name: x\r\n\r\n", "HTTP/1.1 400 ", started);
        check_broken(CHUNKED "0\r\n", "Content-Length: 4\r\n\r\n", "HTTP/1.1 400 ", started);
    }
}

static void a_body_of_exactly_the_limit_is_taken(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .body = 8}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, answer_at_end);
    client = web_connect(&web);
    web_send(client,
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678" CHUNKED "8\r\n12345678\r\n0\r\n\r\n");
    web_expect(client, OK_2 "ok" OK_2 "ok");
    web_close(&web);
}

static void a_body_may_be_without_limit(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .body = UINT64_MAX}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, answer_at_end);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    send_fill(client, 3000000);
    web_expect(client, OK_2 "ok");
    assert_int_equal(web_kept_at(&web, 0)->body_bytes, 3000000);
    web_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_body_arrives_whole_in_any_division),
        support_test(trailers_are_kept_apart_from_fields),
        support_test(a_paused_body_slows_the_client_down),
        support_test(a_pause_ends_with_its_exchange),
        support_test(a_pause_holds_all_of_the_body),
        support_test(a_body_that_was_paused_at_its_end_still_ends),
        support_test(a_small_body_that_nobody_read_is_dropped),
        support_test(a_large_body_that_nobody_read_closes),
        support_test(a_body_is_never_parsed_as_a_request),
        support_test(a_responder_that_wants_the_body_asks_for_it),
        support_test(a_final_response_comes_without_100_and_closes),
        support_test(no_100_follows_the_beginning_of_a_final_response),
        support_test(a_body_that_is_too_large_is_refused_before_100),
        support_test(only_100_continue_with_a_body_is_an_expectation),
        support_test(a_broken_body_is_refused),
        support_test(a_body_of_exactly_the_limit_is_taken),
        support_test(a_body_may_be_without_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
