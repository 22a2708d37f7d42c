/* SPDX-License-Identifier: MIT */
/* Clients that are too slow, in sending a request or in taking a response, and those that are just fast enough. */
#include "families/http/web.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "base/realtime.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define OK_2_CLOSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"

/* No other deadline is in the way. */
static const struct web_options patient = {
    .seed = 1,
    .server = {.size = sizeof(weft_http_server_options), .body_time = WEFT_NEVER, .answer_time = WEFT_NEVER},
};

static struct web_options with_rates(size_t request_rate, size_t response_rate, weft_time grace)
{
    struct web_options options = patient;

    options.server.request_rate = request_rate;
    options.server.response_rate = response_rate;
    options.server.rate_grace = grace;
    return options;
}

static void expect_408(struct web_client *client)
{
    web_expect_lost(client, true);
    if (strncmp(web_text(client), "HTTP/1.1 408 Request Timeout\r\n", 30) != 0 ||
        !strstr(web_text(client), "\r\nConnection: close\r\n"))
        fail_msg("no 408 but %s", web_text(client));
    web_forget(client);
}

/* Sends @p text every second, @p times. */
static void drip(struct web_client *client, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        web_pass(client->web, WEFT_SECONDS(1));
        web_expect_open(client);
        web_send(client, text);
    }
}

/* -- requests -- */

static void check_slow_body(const struct web_options *options, const char *head, const char *part, unsigned seconds)
{
    struct web web;
    struct web_client *client;

    web_open(&web, options, web_keep_only);
    client = web_connect(&web);
    web_send(client, head);
    drip(client, part, seconds - 1);
    web_pass(&web, WEFT_MILLISECONDS(950));
    web_expect(client, "");
    web_expect_open(client);
    assert_int_equal(web_kept_at(&web, 0)->gone, 0);
    web_pass(&web, WEFT_MILLISECONDS(200));
    expect_408(client);
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_ETIMEDOUT);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    assert_int_equal(web_record_at(&web, 0)->status, 408);
}

/* H1-17: with 240 bytes a second, and 5 seconds of grace. */
static void a_body_that_comes_a_byte_a_second_gets_408(void **state)
{
    struct web_options options = with_rates(10, 0, WEFT_SECONDS(2));

    (void)state;
    check_slow_body(NULL, POST("5000"), "b", 5);
    check_slow_body(NULL, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nb\r\n", 5);
    check_slow_body(&options, POST("5000"), "b", 2);
}

/* H1-17 */
static void a_body_at_the_least_rate_is_read_to_its_end(void **state)
{
    char part[25];
    struct web web;
    struct web_client *client;

    (void)state;
    memset(part, 'b', 24);
    part[24] = '\0';
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, POST("9600"));
    for (int i = 0; i < 400; i++) {
        web_pass(&web, WEFT_MILLISECONDS(100));
        web_expect_open(client);
        web_send(client, part);
    }
    assert_int_equal(web_kept_at(&web, 0)->body_bytes, 9600);
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 1);
    assert_int_equal(web_answer(&web, web_kept_at(&web, 0)->exchange, "ok"), 0);
    web_settle(&web);
    web_expect(client, OK_2 "ok");
    web_expect_open(client);
    web_close(&web);
}

/* H1-17: a body that begins fast is not free to go on as it likes. */
static void what_came_fast_pays_for_half_a_minute(void **state)
{
    static char much[500001];
    struct web web;
    struct web_client *client;

    (void)state;
    memset(much, 'b', sizeof much - 1);
    web_open(&web, &patient, web_keep_only);
    client = web_connect(&web);
    web_send(client, POST("900000"));
    web_send(client, much);
    assert_int_equal(web_kept_at(&web, 0)->body_bytes, sizeof much - 1);
    drip(client, "b", 34); /* it is looked at when the grace is over: that, and half a minute more */
    web_pass(&web, WEFT_SECONDS(2));
    expect_408(client);
    web_close(&web);
}

static void a_pause_of_the_handler_does_not_count(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &patient, web_keep_only);
    client = web_connect(&web);
    web_send(client, POST("5000"));
    drip(client, "b", 3);
    WEB_DO(&web, weft_http_exchange_pause(web_kept_at(&web, 0)->exchange));
    web_pass(&web, WEFT_MINUTES(4));
    web_expect_open(client);
    WEB_DO(&web, weft_http_exchange_resume(web_kept_at(&web, 0)->exchange));
    web_pass(&web, WEFT_MILLISECONDS(1900)); /* of the five seconds, two were left */
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    expect_408(client);
    web_close(&web);
}

static void a_pause_from_the_start_does_not_count(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &patient, web_keep_only);
    client = web_connect(&web);
    web_send(client, POST("5000"));
    for (int i = 0; i < 20; i++) {
        WEB_DO(&web, weft_http_exchange_pause(web_kept_at(&web, 0)->exchange));
        web_pass(&web, WEFT_SECONDS(10));
        WEB_DO(&web, weft_http_exchange_resume(web_kept_at(&web, 0)->exchange));
        web_pass(&web, WEFT_MILLISECONDS(200));
    }
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(1200));
    expect_408(client);
    web_close(&web);
}

static void keep_without_body(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep_without_body(web, exchange);
}

/* RFC 9110 §10.1.1: it may wait for 100, which a handler that wants no body does not send. */
static void a_client_that_waits_for_100_is_not_slow(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &patient, keep_without_body);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    web_pass(&web, WEFT_MINUTES(3));
    web_expect_open(client);
    assert_int_equal(web_answer(&web, web_kept_at(&web, 0)->exchange, "ok"), 0);
    web_settle(&web);
    web_expect(client, OK_2_CLOSE "ok");
    web_close(&web);
}

/* It has its answer: a second one would be taken for that to another request. */
static void a_slow_body_after_the_response_ends_the_connection(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    web_expect(client, OK_2 "/x");
    drip(client, "b", 4);
    web_pass(&web, WEFT_MILLISECONDS(1200));
    web_expect(client, "");
    web_expect_lost(client, true);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "POST", 200, 2, true);
}

static void without_a_rate_a_body_may_take_its_time(void **state)
{
    struct web_options options = with_rates(WEFT_UNLIMITED, 0, 0);
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, web_keep_only);
    client = web_connect(&web);
    web_send(client, POST("2"));
    web_pass(&web, WEFT_MINUTES(4));
    web_send(client, "h");
    web_pass(&web, WEFT_MINUTES(4));
    web_send(client, "i");
    web_expect_open(client);
    assert_string_equal(web_kept_at(&web, 0)->body, "hi");
    web_close(&web);
}

/* -- responses -- */

#define SIZE 1000000
/* What a client that reads for a moment takes: what waits in the network. */
#define GULP (64 * 1024)

static char bytes[SIZE];

static void answer_at_once(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, NULL, 0, weft_bytes_of(bytes, SIZE))), 0);
}

static void write_on(struct web_kept *kept)
{
    int status = 0;

    while (status == 0 && kept->sent < SIZE) {
        kept->sent += 10000;
        status = WEB_CALL(kept->web, weft_http_respond_write(kept->exchange, weft_bytes_of(bytes, 10000)));
        assert_true(status >= 0);
    }
    if (kept->sent == SIZE)
        assert_int_equal(WEB_CALL(kept->web, weft_http_respond_end(kept->exchange, NULL, 0)), 0);
}

static void stream(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, SIZE)), 0);
    kept->on_drained = write_on;
    write_on(kept);
}

/* A file of that size, in @p count stretches. */
static void answer_with_file(weft_http_exchange *exchange, unsigned count)
{
    char path[] = "/tmp/weft-pace-XXXXXX";
    int fd = mkstemp(path);
    weft_directory *directory;
    weft_file *file;

    realtime_look_away();
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    close(fd);
    assert_int_equal(weft_directory_open("/tmp", &directory), 0);
    assert_int_equal(file_open(directory, path + 5, true, &file), 0);
    assert_int_equal(unlink(path), 0);
    realtime_look_again();
    assert_int_equal(weft_http_respond_start(exchange, 200, NULL, 0, SIZE), 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(weft_http_respond_file(exchange, file, i * (SIZE / count), SIZE / count), 1);
    assert_int_equal(weft_http_respond_end(exchange, NULL, 0), 0);
    weft_file_unref(file);
    weft_directory_unref(directory);
}

static void send_file(struct web *web, weft_http_exchange *exchange)
{
    (void)web;
    answer_with_file(exchange, 1);
}

static void send_stretches(struct web *web, weft_http_exchange *exchange)
{
    (void)web;
    answer_with_file(exchange, 4);
}

static void (*const answers[])(struct web *, weft_http_exchange *) = {answer_at_once, stream, send_file,
                                                                      send_stretches};
static const char *const requests[] = {GET, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789"};

static struct web_client *begin_to_read(struct web *web, const struct web_options *options, size_t kind)
{
    struct web_client *client;

    web_open(web, options, answers[kind % 4]);
    client = web_connect(web);
    web_pass(web, WEFT_SECONDS(1));
    client->counts = true;
    weft_stream_pause(client->stream);
    web_send(client, requests[kind / 4]);
    return client;
}

/* Reads about as much as waits in the network, if there is as much. */
static void gulp(struct web_client *client, weft_time pause)
{
    uint64_t before = client->bytes;

    web_pass(client->web, pause);
    if (client->lost)
        return;
    weft_stream_resume(client->stream);
    for (int turns = 0; turns < 500 && client->bytes - before < GULP / 2 && !client->lost; turns++)
        assert_true(weft_loop_step(client->web->loop) >= 0);
    if (!client->lost)
        weft_stream_pause(client->stream);
}

static void a_client_that_takes_too_little_is_cut_off(void **state)
{
    struct web_options options = with_rates(0, GULP, WEFT_SECONDS(12));

    (void)state;
    for (size_t kind = 0; kind < 12; kind++) {
        struct web web;
        struct web_client *client;
        unsigned gulps = 0;

        if (kind % 4 == 3)
            continue; /* each of several stretches brings a grace of its own */
        support_set_context("kind %zu", kind);
        client = begin_to_read(&web, &options, kind);
        while (!client->lost && gulps++ < 10)
            gulp(client, WEFT_SECONDS(5)); /* no stall, but a fifth of the rate */
        assert_in_range(gulps, 2, 5);
        web_expect_lost(client, false);
        assert_true(client->bytes >= GULP / 2 && client->bytes < SIZE); /* what it had not read goes with the reset */
        if (kind % 4 == 1) {
            assert_int_equal(web_kept_at(&web, 0)->gone, 1);
            assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_ETIMEDOUT);
        }
        web_close(&web);
        assert_int_equal(web.record_count, 1);
        assert_int_equal(web_record_at(&web, 0)->complete, kind % 4 != 1);
        support_clear_context();
    }
}

static void a_client_that_takes_enough_gets_all(void **state)
{
    struct web_options options = with_rates(0, GULP / 16, WEFT_SECONDS(12));

    (void)state;
    for (size_t kind = 0; kind < 12; kind++) {
        struct web web;
        struct web_client *client;

        support_set_context("kind %zu", kind);
        client = begin_to_read(&web, &options, kind);
        for (unsigned i = 0; i < 40 && client->bytes < SIZE; i++)
            gulp(client, WEFT_SECONDS(5));
        assert_true(client->bytes > SIZE);
        if (client->stream)
            weft_stream_resume(client->stream);
        web_settle(&web);
        if (kind / 4 == 1)
            web_expect_lost(client, true);
        else
            web_expect_open(client);
        web_close(&web);
        assert_int_equal(web.record_count, 1);
        assert_true(web_record_at(&web, 0)->complete);
        support_clear_context();
    }
}

static void a_pipelined_request_waits_for_a_slow_reader(void **state)
{
    struct web_options options = with_rates(0, GULP / 16, WEFT_SECONDS(12));
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, answer_at_once);
    client = web_connect(&web);
    client->counts = true;
    weft_stream_pause(client->stream);
    web_send(client, GET GET);
    assert_int_equal(web.requests, 1);
    weft_stream_resume(client->stream);
    web_settle(&web);
    assert_int_equal(web.requests, 2);
    assert_true(client->bytes > 2 * SIZE);
    web_expect_open(client);
    web_close(&web);
}

static void without_a_rate_it_is_the_stall_that_ends_it(void **state)
{
    struct web_options options = with_rates(0, WEFT_UNLIMITED, WEFT_SECONDS(1));
    struct web web;
    struct web_client *client;

    (void)state;
    client = begin_to_read(&web, &options, 0);
    web_pass(&web, WEFT_SECONDS(29));
    assert_int_equal(weft_listener_connections(web.listener), 1);
    web_pass(&web, WEFT_SECONDS(2));
    assert_int_equal(weft_listener_connections(web.listener), 0);
    web_expect_lost(client, false);
    web_close(&web);
}

static void start_only(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 5)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(kept->exchange, weft_bytes_from("abc"))), 0);
}

static void a_client_that_has_taken_all_there_is_is_not_slow(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &patient, start_only);
    client = web_connect(&web);
    web_send(client, GET);
    web_pass(&web, WEFT_MINUTES(4));
    web_expect_open(client);
    assert_int_equal(web_kept_at(&web, 0)->gone, 0);
    web_close(&web);
}

/* -- all of an exchange -- */

static void an_exchange_may_be_given_a_time_in_all(void **state)
{
    struct web_options options = patient;
    struct web web;
    struct web_client *sends, *waits, *reads;

    (void)state;
    options.server.total_time = WEFT_SECONDS(20);
    options.server.request_rate = options.server.response_rate = WEFT_UNLIMITED;
    web_open(&web, &options, web_keep_only);
    sends = web_connect(&web);
    waits = web_connect(&web);
    reads = web_connect(&web);
    web_pass(&web, WEFT_SECONDS(15));
    web_send(sends, POST("5000"));
    web_send(waits, GET);
    web_send(reads, GET);
    reads->counts = true;
    weft_stream_pause(reads->stream);
    assert_int_equal(
        WEB_CALL(&web, weft_http_respond(web_kept_at(&web, 2)->exchange, 200, NULL, 0, weft_bytes_of(bytes, SIZE))), 0);
    drip(sends, "b", 19);
    web_pass(&web, WEFT_MILLISECONDS(900));
    web_expect_open(sends);
    web_expect_open(waits);
    assert_int_equal(weft_listener_connections(web.listener), 3);
    web_pass(&web, WEFT_MILLISECONDS(200));
    assert_int_equal(weft_listener_connections(web.listener), 0);
    web_settle(&web);
    expect_408(sends);
    web_expect_lost(waits, true);
    assert_int_equal(strncmp(web_text(waits), "HTTP/1.1 503 ", 13), 0);
    web_expect_lost(reads, false);
    web_close(&web);
    assert_int_equal(web.record_count, 3);
}

static void the_time_in_all_begins_anew_with_each_request(void **state)
{
    struct web_options options = patient;
    struct web web;
    struct web_client *client;

    (void)state;
    options.server.total_time = WEFT_SECONDS(20);
    web_open(&web, &options, web_echo_path);
    client = web_connect(&web);
    for (int i = 0; i < 5; i++) {
        web_send(client, GET);
        web_expect(client, OK_2 "/x");
        web_pass(&web, WEFT_SECONDS(15));
        web_expect_open(client);
    }
    web_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_body_that_comes_a_byte_a_second_gets_408),
        support_test(a_body_at_the_least_rate_is_read_to_its_end),
        support_test(what_came_fast_pays_for_half_a_minute),
        support_test(a_pause_of_the_handler_does_not_count),
        support_test(a_pause_from_the_start_does_not_count),
        support_test(a_client_that_waits_for_100_is_not_slow),
        support_test(a_slow_body_after_the_response_ends_the_connection),
        support_test(without_a_rate_a_body_may_take_its_time),
        support_test(a_client_that_takes_too_little_is_cut_off),
        support_test(a_client_that_takes_enough_gets_all),
        support_test(a_pipelined_request_waits_for_a_slow_reader),
        support_test(without_a_rate_it_is_the_stall_that_ends_it),
        support_test(a_client_that_has_taken_all_there_is_is_not_slow),
        support_test(an_exchange_may_be_given_a_time_in_all),
        support_test(the_time_in_all_begins_anew_with_each_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
