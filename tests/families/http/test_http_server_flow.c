/* SPDX-License-Identifier: MIT */
/*
 * Backpressure: a client that does not read stops the handler and the reading of its requests, and memory stays flat.
 */
#include "families/http/web.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "families/http/http_server.h"

#define HIGH_WATER (64 * 1024)
#define WRITE 16384
#define TOTAL (UINT64_C(100) * 1000 * 1000)

/* What lies between the two ends of a simulated connection and in the client's memory, at most. */
#define NETWORK (256 * 1024)

static char block[WRITE];
static size_t most_queued;

static weft_stream *stream_of(const struct web_kept *kept)
{
    return kept->exchange->connection->stream;
}

static void write_on(struct web_kept *kept)
{
    int status = 0;

    while (status == 0 && kept->sent < TOTAL) {
        uint64_t left = TOTAL - kept->sent;
        size_t length = left < WRITE ? (size_t)left : WRITE;

        status = WEB_CALL(kept->web, weft_http_respond_write(kept->exchange, weft_bytes_of(block, length)));
        assert_true(status >= 0);
        kept->sent += length;
        if (weft_stream_queued(stream_of(kept)) > most_queued)
            most_queued = weft_stream_queued(stream_of(kept));
    }
    if (kept->sent == TOTAL)
        assert_int_equal(WEB_CALL(kept->web, weft_http_respond_end(kept->exchange, NULL, 0)), 0);
}

static void stream_known(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, TOTAL)), 0);
    kept->on_drained = write_on;
    write_on(kept);
}

static void stream_chunked(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    kept->on_drained = write_on;
    write_on(kept);
}

static void check_stream(void (*handle)(struct web *, weft_http_exchange *), const weft_faults *faults)
{
    struct web_options options = {.seed = 7, .faults = faults};
    struct web web;
    struct web_client *client;
    struct web_kept *kept;
    size_t before;

    most_queued = 0;
    web_open(&web, &options, handle);
    client = web_connect(&web);
    web_pass(&web, WEFT_SECONDS(1));
    client->counts = true;
    weft_stream_pause(client->stream);
    before = support_live_bytes();
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_pass(&web, WEFT_SECONDS(20));
    kept = web_kept_at(&web, 0);
    assert_true(kept->sent < HIGH_WATER + WRITE + NETWORK);
    assert_true(support_live_bytes() - before < HIGH_WATER + WRITE + NETWORK);
    assert_int_equal(kept->gone, 0);
    weft_stream_resume(client->stream);
    for (int i = 0; i < 1000 && kept->gone == 0; i++)
        web_pass(&web, WEFT_SECONDS(60));
    assert_int_equal(kept->gone, 1);
    assert_int_equal(kept->reason, 0);
    assert_int_equal(kept->sent, TOTAL);
    assert_true(kept->drained > 500);
    web_pass(&web, WEFT_SECONDS(2));
    assert_true(client->bytes >= TOTAL);
    assert_true(most_queued <= HIGH_WATER + WRITE + 300); /* the head, or a chunk's size */
    assert_true(support_live_bytes() - before < NETWORK);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 200, TOTAL, true);
}

static void a_client_that_does_not_read_stops_the_handler(void **state)
{
    (void)state;
    check_stream(stream_known, NULL);
    check_stream(stream_chunked, NULL);
}

static void the_same_on_a_network_that_splits_and_delays(void **state)
{
    static const weft_faults faults = {.latency = {0, WEFT_MILLISECONDS(3)}};

    (void)state;
    check_stream(stream_known, &faults);
}

static void a_client_that_never_reads_is_cut_off(void **state)
{
    struct web web;
    struct web_client *client;
    struct web_kept *kept;

    (void)state;
    web_open(&web, NULL, stream_known);
    client = web_connect(&web);
    weft_stream_pause(client->stream);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    kept = web_kept_at(&web, 0);
    web_pass(&web, WEFT_SECONDS(29));
    assert_int_equal(kept->gone, 0);
    web_pass(&web, WEFT_SECONDS(2));
    assert_int_equal(kept->gone, 1);
    assert_int_equal(kept->reason, WEFT_EWRITESTALL);
    assert_int_equal(client->lost, 1); /* a reset reaches it, though it does not read */
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    assert_false(web_record_at(&web, 0)->complete);
}

static void answer_20k(struct web *web, weft_http_exchange *exchange)
{
    static char body[20000];

    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_of(body, sizeof body))), 0);
}

/* 1,000 requests of 27 bytes would make a queue of 20 MB. */
static void a_pipelining_client_that_does_not_read_is_not_answered_further(void **state)
{
    struct web web;
    struct web_client *client;
    size_t before;

    (void)state;
    web_open(&web, NULL, answer_20k);
    client = web_connect(&web);
    client->counts = true;
    weft_stream_pause(client->stream);
    before = support_live_bytes();
    for (int i = 0; i < 1000; i++)
        web_write(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_settle(&web);
    assert_true(web.requests < 20);
    assert_true(support_live_bytes() - before < NETWORK + HIGH_WATER + 20000);
    weft_stream_resume(client->stream);
    web_settle(&web);
    web_pass(&web, WEFT_SECONDS(1));
    assert_int_equal(web.requests, 1000);
    assert_true(client->bytes > 20000 * 1000);
    web_expect_open(client);
    web_pass(&web, WEFT_SECONDS(58)); /* idle again */
    web_expect_open(client);
    web_pass(&web, WEFT_SECONDS(2));
    web_expect_lost(client, true);
    web_close(&web);
    assert_int_equal(web.record_count, 1000);
}

/* A write that would go beyond the output limit is refused, and the handler can go on when there is room. */
static void keep_and_overfill(struct web *web, weft_http_exchange *exchange)
{
    static char large[3 * 1024 * 1024];
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_of(large, sizeof large))), 0);
    (void)kept;
}

static void keep_and_overfill_twice(struct web *web, weft_http_exchange *exchange)
{
    static char large[3 * 1024 * 1024];

    (void)web_keep(web, exchange);
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 2 * sizeof large)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_of(large, sizeof large))), 1);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_of(large, sizeof large))),
                     WEFT_EOUTPUTLIMIT);
}

static void the_output_limit_is_an_error_and_not_a_loss(void **state)
{
    static char large[3 * 1024 * 1024];
    struct web web;
    struct web_client *client;
    struct web_kept *kept;

    (void)state;
    web_open(&web, NULL, keep_and_overfill);
    client = web_connect(&web);
    client->counts = true;
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect_open(client);
    assert_int_equal(web_kept_at(&web, 0)->reason, 0);
    web.handle = keep_and_overfill_twice;
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    kept = web_kept_at(&web, 1);
    assert_int_equal(kept->drained, 1);
    assert_true(weft_http_respond_write(kept->exchange, weft_bytes_of(large, sizeof large)) >= 0);
    assert_int_equal(weft_http_respond_end(kept->exchange, NULL, 0), 0);
    web_settle(&web);
    assert_int_equal(kept->reason, 0);
    web_expect_open(client);
    assert_true(client->bytes > 9 * 1024 * 1024);
    web_close(&web);
}

/* More than the output limit in one call: refused with nothing sent, so that something else can be said. */
static void answer_too_much(struct web *web, weft_http_exchange *exchange)
{
    static char huge[5 * 1024 * 1024];

    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_of(huge, sizeof huge))),
                     WEFT_EOUTPUTLIMIT);
    web->status = WEB_CALL(web, weft_http_respond(exchange, 503, NULL, 0, weft_bytes_from("busy")));
}

static void a_response_beyond_the_output_limit_leaves_nothing_sent(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_too_much);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(web.status, 0);
    web_expect(client, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy");
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "GET", 503, 4, true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_client_that_does_not_read_stops_the_handler),
        support_test(the_same_on_a_network_that_splits_and_delays),
        support_test(a_client_that_never_reads_is_cut_off),
        support_test(a_pipelining_client_that_does_not_read_is_not_answered_further),
        support_test(the_output_limit_is_an_error_and_not_a_loss),
        support_test(a_response_beyond_the_output_limit_leaves_nothing_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
