/* SPDX-License-Identifier: MIT */
/*
 * Requests that the server itself refuses: each status that the parser gives, answered once, with Connection: close,
 * recorded once, and nothing after it is looked at.
 */
#include "families/http/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "families/http/http_error_page.h"

/* -- the cases -- */

struct refusal {
    const char *bytes;
    unsigned status;
};

static const struct refusal refusals[] = {
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\nHost: a\n\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400},
    {"\x16\x03\x01\x02", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413},
    {"GET /0123456789012345678901234567890123456789 HTTP/1.1\r\nHost: a\r\n\r\n", 414},
    {"GET /0123456789012345678901234567890123456789", 414},
    {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\n", 417},
    {"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", 431},
    {"GET / HTTP/1.1\r\nHost: a\r\nA: 0123456789012345678901234567890123456789012345678901234567890123456789", 431},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
};

static const struct web_options small_limits = {
    .seed = 1,
    .server =
        {.size = sizeof(weft_http_server_options), .request_line = 40, .head_bytes = 80, .field_count = 4, .body = 100},
};

static void expect_refusal(struct web_client *client, unsigned status, bool head)
{
    char page[HTTP_ERROR_PAGE_ROOM], text[HTTP_ERROR_PAGE_ROOM + 256];
    size_t length = http_error_page(status, page);
    weft_bytes reason = http_status_reason(status);

    snprintf(text, sizeof text,
             "HTTP/1.1 %u %.*s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\nConnection: close"
             "\r\n\r\n%s",
             status, (int)reason.length, reason.data, length, head ? "" : page);
    web_expect(client, text);
    web_expect_lost(client, true);
}

static void feed_refusal(void *arg, const weft_bytes *pieces, size_t count)
{
    const struct refusal *refusal = arg;
    struct web web;
    struct web_client *client;
    char page[HTTP_ERROR_PAGE_ROOM];

    web_open(&web, &small_limits, web_echo_path);
    client = web_connect(&web);
    for (size_t i = 0; i < count; i++)
        if (client->stream && !client->ended)
            (void)weft_stream_write(client->stream, pieces[i]);
    web_settle(&web);
    web_pass(&web, WEFT_SECONDS(3));
    expect_refusal(client, refusal->status, false);
    assert_int_equal(web.requests, 0);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, NULL, refusal->status, http_error_page(refusal->status, page), true);
}

static void each_refusal_is_answered_and_recorded_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        /* What follows a refused request must not be answered. */
        char bytes[256];

        snprintf(bytes, sizeof bytes, "%s", refusals[i].bytes);
        support_three_ways(weft_bytes_from(bytes), feed_refusal, (void *)(uintptr_t)&refusals[i]);
        if (strstr(bytes, "\r\n\r\n")) {
            strncat(bytes, "GET /poison HTTP/1.1\r\nHost: a\r\n\r\n", sizeof bytes - strlen(bytes) - 1);
            support_three_ways(weft_bytes_from(bytes), feed_refusal, (void *)(uintptr_t)&refusals[i]);
        }
    }
}

static void what_came_before_a_refusal_is_answered(void **state)
{
    static const char expected[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 400 ";
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, "GET /good HTTP/1.1\r\nHost: a\r\n\r\nGET /bad HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "");
    assert_int_equal(web_answer(&web, web_kept_at(&web, 0)->exchange, "ok"), 0);
    web_settle(&web);
    assert_memory_equal(web_text(client), expected, strlen(expected));
    assert_int_equal(web.requests, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
    web_expect_record(&web, 0, "GET", 200, 2, true);
    assert_int_equal(web_record_at(&web, 1)->status, 400);
}

/* What is known of the request is in the record. */
static void the_record_of_a_refusal_says_what_was_asked(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "PUT /where HTTP/1.1\r\nHost: a\r\nUser-Agent: me\r\nTransfer-Encoding: gzip\r\n\r\n");
    expect_refusal(client, 501, false);
    client = web_connect(&web);
    web_send(client, "HEAD /head HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    expect_refusal(client, 400, true);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
    assert_string_equal(web_record_at(&web, 0)->method, "PUT");
    assert_string_equal(web_record_at(&web, 0)->target, "/where");
    assert_string_equal(web_record_at(&web, 0)->user_agent, "me");
    web_expect_record(&web, 1, "HEAD", 400, 0, true);
    assert_true(web_record_at(&web, 0)->wall >= WEFT_SECONDS(1767225601));
}

/* The defaults of the documentation. */
static void the_default_limits_are_as_documented(void **state)
{
    static const struct {
        size_t target, fields, value;
        unsigned status;
    } cases[] = {
        {8192 - 13, 1, 1, 200}, {8192 - 12, 1, 1, 414},     {1, 99, 1, 200},
        {1, 100, 1, 431},       {1, 1, 16384 - 9 - 5, 200}, {1, 1, 16384 - 9 - 4, 431},
    };
    char *text = malloc(40000);

    (void)state;
    if (!text)
        abort();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct web web;
        struct web_client *client;
        int at = sprintf(text, "GET %.*s HTTP/1.1\r\nHost: a\r\n", (int)cases[i].target, "");
        char status[32];

        at = sprintf(text, "GET ");
        memset(text + at, '/', cases[i].target);
        at += (int)cases[i].target;
        at += sprintf(text + at, " HTTP/1.1\r\nHost: a\r\n");
        for (size_t j = 0; j < cases[i].fields; j++) {
            at += sprintf(text + at, "A: ");
            memset(text + at, 'v', cases[i].value);
            at += (int)cases[i].value;
            at += sprintf(text + at, "\r\n");
        }
        sprintf(text + at, "\r\n");
        web_open(&web, NULL, web_echo_path);
        client = web_connect(&web);
        web_send(client, text);
        snprintf(status, sizeof status, "HTTP/1.1 %u ", cases[i].status);
        if (strncmp(web_text(client), status, strlen(status)) != 0)
            fail_msg("case %zu: not %s but %.40s", i, status, web_text(client));
        web_close(&web);
    }
    free(text);
}

/* What the stream would hold by itself is less. */
static void a_large_head_is_taken_if_its_limit_says_so(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .head_bytes = 200000}};
    static char value[1001];
    struct web web;
    struct web_client *client;

    (void)state;
    memset(value, 'v', 1000);
    web_open(&web, &options, web_echo_path);
    client = web_connect(&web);
    web_send(client, "GET /x HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 90; i++) {
        web_send(client, i % 10 == 0 ? "X-Large: " : "");
        web_send(client, value);
        web_send(client, i % 10 == 9 ? "\r\n" : "");
    }
    web_expect(client, "");
    web_send(client, "\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/x");
    web_expect_open(client);
    web_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_large_head_is_taken_if_its_limit_says_so),
        support_test(each_refusal_is_answered_and_recorded_once),
        support_test(what_came_before_a_refusal_is_answered),
        support_test(the_record_of_a_refusal_says_what_was_asked),
        support_test(the_default_limits_are_as_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
