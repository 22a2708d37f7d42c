/* SPDX-License-Identifier: MIT */
/* How a connection ends: deadlines, a stop that drains, a client that half-closes or leaves. */
#include "families/http/web.h"

#include <string.h>

#include "families/http/http_error_page.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define OK_2_CLOSE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct web_options short_times = {
    .seed = 1,
    .server = {.size = sizeof(weft_http_server_options),
               .head_time = WEFT_SECONDS(3),
               .body_time = WEFT_SECONDS(5),
               .idle_time = WEFT_SECONDS(10)},
};

static void expect_408(struct web_client *client)
{
    if (!strstr(web_text(client), "HTTP/1.1 408 Request Timeout\r\n") ||
        !strstr(web_text(client), "\r\nConnection: close\r\n"))
        fail_msg("no 408 but %s", web_text(client));
    web_forget(client);
    web_expect_lost(client, true);
}

/* The page that says so is counted. */
static void expect_record_of_408(const struct web *web, size_t number, const char *method)
{
    char page[HTTP_ERROR_PAGE_ROOM];

    web_expect_record(web, number, method, 408, http_error_page(408, page), true);
}

static void answer_ok(struct web *web, size_t number)
{
    assert_int_equal(web_answer(web, web_kept_at(web, number)->exchange, "ok"), 0);
    web_settle(web);
}

/* -- deadlines -- */

static void a_head_has_a_deadline_from_its_first_byte(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_echo_path);
    client = web_connect(&web);
    web_send(client, GET);
    web_expect(client, OK_2 "/x");
    web_pass(&web, WEFT_SECONDS(9));
    web_send(client, "G");
    for (int i = 0; i < 5; i++) { /* a byte now and then does not help (RFC 9110 §15.5.9) */
        web_pass(&web, WEFT_MILLISECONDS(550));
        web_send(client, &"ET / "[i]);
        web_expect(client, "");
        web_expect_open(client);
    }
    web_pass(&web, WEFT_MILLISECONDS(550));
    expect_408(client);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
    expect_record_of_408(&web, 1, "");
}

static void a_connection_that_says_nothing_gets_408(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_echo_path);
    client = web_connect(&web);
    web_pass(&web, WEFT_MILLISECONDS(2900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    expect_408(client);
    web_close(&web);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_echo_path);
    client = web_connect(&web);
    for (int i = 0; i < 3; i++) {
        web_send(client, GET);
        web_expect(client, OK_2 "/x");
        web_pass(&web, WEFT_MILLISECONDS(9900));
        web_expect_open(client);
    }
    web_pass(&web, WEFT_MILLISECONDS(200));
    web_expect(client, "");
    web_expect_lost(client, true);
    web_close(&web);
    assert_int_equal(web.record_count, 3);
}

static void a_body_has_a_deadline(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_keep_only);
    client = web_connect(&web);
    web_pass(&web, WEFT_SECONDS(2));
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    for (int i = 0; i < 9; i++) {
        web_pass(&web, WEFT_MILLISECONDS(550));
        web_send(client, "b");
    }
    web_expect(client, "");
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(100));
    expect_408(client);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_ETIMEDOUT);
    assert_int_equal(web_kept_at(&web, 0)->body_bytes, 9);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    expect_record_of_408(&web, 0, "POST");
}

/* RFC 9112 §9.6: half of a response must not look whole. */
static void a_body_that_is_late_after_the_response_began_aborts(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_keep_only);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    assert_int_equal(weft_http_respond_start(web_kept_at(&web, 0)->exchange, 200, NULL, 0, 5), 0);
    web_pass(&web, WEFT_SECONDS(6));
    web_expect_lost(client, false);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_ETIMEDOUT);
    web_close(&web);
    web_expect_record(&web, 0, "POST", 200, 0, false);
}

static void an_unread_body_that_does_not_come_ends_the_connection(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_echo_path);
    client = web_connect(&web);
    web_send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    web_expect(client, OK_2 "/x");
    web_pass(&web, WEFT_MILLISECONDS(4900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    web_expect(client, "");
    assert_int_equal(client->lost, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "POST", 200, 2, true);
}

static void a_slow_handler_is_not_cut_off(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &short_times, web_keep_only);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    for (int i = 0; i < 4; i++)
        web_pass(&web, WEFT_MINUTES(1));
    web_expect_open(client);
    answer_ok(&web, 0);
    web_expect(client, OK_2 "ok");
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGE"); /* and what waits meanwhile is not late either */
    for (int i = 0; i < 4; i++)
        web_pass(&web, WEFT_MINUTES(1));
    answer_ok(&web, 1);
    web_expect(client, OK_2 "ok");
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(2900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    expect_408(client);
    web_close(&web);
    assert_true(web_record_at(&web, 0)->duration >= WEFT_MINUTES(4));
}

static void expect_503(struct web *web, weft_time limit)
{
    struct web_client *client = web_connect(web);
    char page[HTTP_ERROR_PAGE_ROOM];

    web_send(client, GET);
    for (int i = 0; i < 9; i++)
        web_pass(web, limit / 10);
    web_pass(web, limit / 10 - WEFT_MILLISECONDS(100));
    web_expect(client, "");
    web_expect_open(client);
    web_pass(web, WEFT_MILLISECONDS(200));
    if (!strstr(web_text(client), "HTTP/1.1 503 Service Unavailable\r\n") ||
        !strstr(web_text(client), "\r\nConnection: close\r\n"))
        fail_msg("no 503 but %s", web_text(client));
    web_forget(client);
    web_expect_lost(client, true);
    assert_int_equal(web_kept_at(web, 0)->gone, 1);
    assert_int_equal(web_kept_at(web, 0)->reason, WEFT_ETIMEDOUT);
    web_close(web);
    assert_int_equal(web->record_count, 1);
    web_expect_record(web, 0, "GET", 503, http_error_page(503, page), true);
}

static void a_handler_that_never_answers_gets_503_for_its_client(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .answer_time = WEFT_SECONDS(7)}};
    struct web web;

    (void)state;
    web_open(&web, &options, web_keep_only);
    expect_503(&web, WEFT_SECONDS(7));
    web_open(&web, NULL, web_keep_only);
    expect_503(&web, WEFT_MINUTES(5));
}

static void an_answer_that_began_and_does_not_go_on_is_aborted(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .answer_time = WEFT_SECONDS(7)}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, web_keep_only);
    client = web_connect(&web);
    web_send(client, GET);
    assert_int_equal(weft_http_respond_start(web_kept_at(&web, 0)->exchange, 200, NULL, 0, 5), 0);
    web_pass(&web, WEFT_MILLISECONDS(6900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    web_expect_lost(client, false);
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_ETIMEDOUT);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 200, 0, false);
}

/* More than the high-water mark: each piece is followed by `drained`. */
static char piece[100000];
#define PIECES 6

static void write_piece(struct web_kept *kept)
{
    assert_int_equal(WEB_CALL(kept->web, weft_http_respond_write(kept->exchange, weft_bytes_of(piece, sizeof piece))),
                     1);
    if (++kept->sent == PIECES)
        assert_int_equal(WEB_CALL(kept->web, weft_http_respond_end(kept->exchange, NULL, 0)), 0);
}

static void write_later(struct web_kept *kept)
{
    web_later(kept, WEFT_SECONDS(5), write_piece);
}

static void stream_slowly(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, PIECES * sizeof piece)), 0);
    kept->on_drained = write_later;
    write_piece(kept);
}

static void an_answer_that_goes_on_is_not_cut(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .answer_time = WEFT_SECONDS(7)}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, stream_slowly);
    client = web_connect(&web);
    client->counts = true;
    web_send(client, GET);
    for (int i = 0; i < 26; i++)
        web_pass(&web, WEFT_SECONDS(1));
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, 0);
    web_expect_open(client);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 200, PIECES * sizeof piece, true);
    assert_true(web_record_at(&web, 0)->duration >= WEFT_SECONDS(25));
}

static void deadlines_can_be_switched_off(void **state)
{
    struct web_options options = {.seed = 1,
                                  .server = {.size = sizeof options.server,
                                             .head_time = WEFT_NEVER,
                                             .body_time = WEFT_NEVER,
                                             .answer_time = WEFT_NEVER,
                                             .idle_time = WEFT_NEVER,
                                             .request_rate = WEFT_UNLIMITED,
                                             .response_rate = WEFT_UNLIMITED},
                                  .stream = {.size = sizeof options.stream, .idle = WEFT_NEVER}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, web_keep_only);
    client = web_connect(&web);
    web_pass(&web, WEFT_HOURS(1));
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\n");
    web_pass(&web, WEFT_HOURS(1));
    web_send(client, "Content-Length: 1\r\n\r\n");
    web_pass(&web, WEFT_HOURS(1));
    web_send(client, "b");
    web_pass(&web, WEFT_HOURS(1));
    answer_ok(&web, 0);
    web_pass(&web, WEFT_HOURS(1));
    web_expect(client, OK_2 "ok");
    web_expect_open(client);
    web_close(&web);
}

/* -- a stop that drains -- */

static void stop(struct web *web, weft_time grace)
{
    weft_listener_stop(web->listener, grace);
    web_settle(web);
}

static void an_idle_connection_is_closed_by_a_stop(void **state)
{
    struct web web;
    struct web_client *once, *twice;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    once = web_connect(&web);
    twice = web_connect(&web);
    web_send(once, GET);
    web_send(twice, GET);
    web_send(twice, GET);
    web_expect(once, OK_2 "/x");
    web_expect(twice, OK_2 "/x" OK_2 "/x");
    stop(&web, WEFT_SECONDS(10));
    web_expect_lost(once, true);
    web_expect_lost(twice, true);
    assert_int_equal(web.stopped, 1);
    assert_int_equal(web.drained, 2);
    assert_int_equal(web.aborted, 0);
    web_close(&web);
}

/* It may have waited in the backlog, with its request on the way. */
static void a_connection_gets_its_first_answer_after_a_stop(void **state)
{
    struct web web;
    struct web_client *quick, *slow, *piped;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    quick = web_connect(&web);
    slow = web_connect(&web);
    piped = web_connect(&web);
    stop(&web, WEFT_SECONDS(10));
    web_expect_open(quick);
    web_expect_open(slow);
    web_send(quick, GET);
    web_expect(quick, OK_2_CLOSE "/x");
    web_expect_lost(quick, true);
    web_send(piped, GET GET);
    web_expect(piped, OK_2_CLOSE "/x");
    web_expect_lost(piped, true);
    web_pass(&web, WEFT_MILLISECONDS(900));
    web_send(slow, GET);
    web_expect(slow, OK_2_CLOSE "/x");
    web_expect_lost(slow, true);
    assert_int_equal(web.stopped, 1);
    assert_int_equal(web.drained, 3);
    assert_int_equal(web.aborted, 0);
    web_close(&web);
}

static void a_connection_that_says_nothing_does_not_hold_up_a_stop(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_pass(&web, WEFT_SECONDS(2));
    stop(&web, WEFT_SECONDS(10));
    web_pass(&web, WEFT_MILLISECONDS(900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    expect_408(client);
    assert_int_equal(web.stopped, 1);
    assert_int_equal(web.aborted, 0);
    web_close(&web);
}

static void a_busy_connection_finishes_before_a_stop(void **state)
{
    struct web web;
    struct web_client *handled, *pipelined, *begun, *half;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    handled = web_connect(&web);
    pipelined = web_connect(&web);
    begun = web_connect(&web);
    half = web_connect(&web);
    web_send(handled, GET);
    web_send(pipelined, GET GET);
    web_send(begun, GET);
    assert_int_equal(weft_http_respond_start(web_kept_at(&web, 2)->exchange, 200, NULL, 0, 2), 0);
    web_send(half, "GET /x HT");
    stop(&web, WEFT_SECONDS(10));
    web_expect(begun, OK_2); /* the head went out before the stop */
    answer_ok(&web, 0);
    answer_ok(&web, 1);
    assert_int_equal(weft_http_respond_write(web_kept_at(&web, 2)->exchange, weft_bytes_from("ok")), 0);
    assert_int_equal(weft_http_respond_end(web_kept_at(&web, 2)->exchange, NULL, 0), 0);
    web_send(half, "TP/1.1\r\nHost: a\r\n\r\n");
    answer_ok(&web, 3);
    web_expect(handled, OK_2_CLOSE "ok");
    web_expect(pipelined, OK_2_CLOSE "ok");
    web_expect(begun, "ok");
    web_expect(half, OK_2_CLOSE "ok");
    assert_int_equal(web.requests, 4);
    assert_int_equal(web.stopped, 1);
    assert_int_equal(web.drained, 4);
    assert_int_equal(web.aborted, 0);
    web_expect_lost(handled, true);
    web_close(&web);
}

static void a_handler_that_takes_longer_than_the_grace_is_aborted(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, GET);
    stop(&web, WEFT_SECONDS(10));
    web_pass(&web, WEFT_MILLISECONDS(9900));
    web_expect_open(client);
    web_pass(&web, WEFT_MILLISECONDS(200));
    web_expect_lost(client, false);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_EDRAIN);
    assert_int_equal(web.aborted, 1);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 0, 0, false);
}

/* -- half-close -- */

static void a_request_before_a_half_close_is_answered(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_write(client, GET);
    web_end(client);
    web_expect(client, "");
    answer_ok(&web, 0);
    assert_non_null(strstr(web_text(client), "Content-Length: 2\r\n"));
    assert_non_null(strstr(web_text(client), "\r\n\r\nok"));
    assert_int_equal(client->lost, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, 0);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 200, 2, true);
}

static void a_half_close_between_requests_closes(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, GET);
    web_expect(client, OK_2 "/x");
    web_end(client);
    web_expect(client, "");
    assert_int_equal(client->lost, 1);
    client = web_connect(&web);
    web_end(client);
    web_expect(client, "");
    assert_int_equal(client->lost, 1);
    client = web_connect(&web);
    web_send(client, "GET / HTT");
    web_end(client);
    assert_int_equal(client->lost, 1);
    assert_int_equal(web.requests, 1);
    web_close(&web);
}

/* RFC 9112 §8: an incomplete request must not be taken for a whole one. */
static void a_half_close_in_a_body_is_not_its_end(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    web_end(client);
    web_pass(&web, WEFT_SECONDS(3));
    assert_int_equal(client->lost, 1);
    assert_string_equal(web_kept_at(&web, 0)->body, "hel");
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 0);
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_true(web_kept_at(&web, 0)->reason < 0);
    client = web_connect(&web);
    web_send(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n");
    web_end(client);
    web_pass(&web, WEFT_SECONDS(3));
    assert_int_equal(client->lost, 1);
    assert_int_equal(web_kept_at(&web, 1)->body_ended, 0);
    assert_int_equal(web_kept_at(&web, 1)->gone, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
    assert_true(web_record_at(&web, 0)->status == 0 || web_record_at(&web, 0)->status >= 400);
}

/* -- a client that leaves -- */

static void on_drained_try(struct web_kept *kept)
{
    (void)kept;
    fail_msg("drained after the client left");
}

static void a_client_that_leaves_is_told_once(void **state)
{
    struct web web;
    struct web_client *client;
    struct web_kept *kept;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, GET GET);
    kept = web_kept_at(&web, 0);
    kept->on_drained = on_drained_try;
    web_abort(client);
    /* Nothing is read while a handler waits, so a reset is found out by the next write or by TCP. */
    if (!kept->gone) {
        assert_true(web_answer(&web, kept->exchange, "ok") >= 0);
        web_settle(&web);
    }
    web_pass(&web, WEFT_SECONDS(31));
    assert_int_equal(kept->gone, 1);
    assert_int_equal(web.requests, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
}

static void a_client_that_leaves_in_its_body_is_told_with_the_reason(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, "POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    assert_int_equal(weft_http_respond_start(web_kept_at(&web, 0)->exchange, 200, NULL, 0, 9), 0);
    assert_int_equal(weft_http_respond_write(web_kept_at(&web, 0)->exchange, weft_bytes_from("four")), 0);
    web_abort(client);
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, -ECONNRESET);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "POST", 200, 4, false);
    assert_string_equal(web_record_at(&web, 0)->target, "/gone");
}

/* The scope of the loop ends while handlers wait. */
static void the_end_of_the_loop_ends_every_exchange(void **state)
{
    struct web web;
    struct web_client *first, *second;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    first = web_connect(&web);
    second = web_connect(&web);
    web_send(first, GET);
    web_send(second, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    web_close(&web);
    assert_int_equal(web.record_count, 2);
    web_expect_record(&web, 0, NULL, 0, 0, false);
    web_expect_record(&web, 1, NULL, 0, 0, false);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_head_has_a_deadline_from_its_first_byte),
        support_test(a_connection_that_says_nothing_gets_408),
        support_test(an_idle_connection_is_closed_without_a_word),
        support_test(a_body_has_a_deadline),
        support_test(a_body_that_is_late_after_the_response_began_aborts),
        support_test(an_unread_body_that_does_not_come_ends_the_connection),
        support_test(a_slow_handler_is_not_cut_off),
        support_test(a_handler_that_never_answers_gets_503_for_its_client),
        support_test(an_answer_that_began_and_does_not_go_on_is_aborted),
        support_test(an_answer_that_goes_on_is_not_cut),
        support_test(deadlines_can_be_switched_off),
        support_test(an_idle_connection_is_closed_by_a_stop),
        support_test(a_connection_gets_its_first_answer_after_a_stop),
        support_test(a_connection_that_says_nothing_does_not_hold_up_a_stop),
        support_test(a_busy_connection_finishes_before_a_stop),
        support_test(a_handler_that_takes_longer_than_the_grace_is_aborted),
        support_test(a_request_before_a_half_close_is_answered),
        support_test(a_half_close_between_requests_closes),
        support_test(a_half_close_in_a_body_is_not_its_end),
        support_test(a_client_that_leaves_is_told_once),
        support_test(a_client_that_leaves_in_its_body_is_told_with_the_reason),
        support_test(the_end_of_the_loop_ends_every_exchange),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
