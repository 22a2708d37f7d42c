/* SPDX-License-Identifier: MIT */
/* What a handler answers, and how that looks on the wire: framing, keep-alive, what is refused. */
#include "families/http/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/file.h"
#include "base/realtime.h"
#include "families/http/http_server.h"

static void get_of(const char *method, const char *version, const char *fields, char *out, size_t room)
{
    snprintf(out, room, "%s /x HTTP/%s\r\nHost: a\r\n%s\r\n", method, version, fields);
}

/* Sends one request to a server with @p handle and expects all of the answer. */
static void check(void (*handle)(struct web *, weft_http_exchange *), const char *method, const char *version,
                  const char *fields, const char *answer, bool stays_open)
{
    struct web web;
    struct web_client *client;
    char text[256];

    web_open(&web, NULL, handle);
    client = web_connect(&web);
    get_of(method, version, fields, text, sizeof text);
    web_send(client, text);
    web_expect(client, answer);
    if (stays_open)
        web_expect_open(client);
    else
        web_expect_lost(client, true);
    assert_int_equal(web.record_count, 1);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
}

/* -- keep-alive -- */

static void a_connection_is_kept_for_the_next_request(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/a");
    web_send(client, "GET /bc HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n/bc");
    web_expect_open(client);
    web_close(&web);
    web_expect_record(&web, 0, "GET", 200, 2, true);
    web_expect_record(&web, 1, "GET", 200, 3, true);
}

static void connection_close_is_honoured_and_said(void **state)
{
    (void)state;
    check(web_echo_path, "GET", "1.1", "Connection: close\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/x", false);
}

static void http_1_0_is_closed_unless_it_asks(void **state)
{
    (void)state;
    check(web_echo_path, "GET", "1.0", "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/x",
          false);
    check(web_echo_path, "GET", "1.0", "Connection: keep-alive\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n/x", true);
}

static void the_last_request_of_a_connection_is_answered_with_close(void **state)
{
    struct web_options options = {.seed = 1, .server = {.size = sizeof options.server, .requests = 2}};
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, &options, web_echo_path);
    client = web_connect(&web);
    web_send(client, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                     "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n/1"
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/2");
    web_expect_lost(client, true);
    assert_int_equal(web.requests, 2);
    web_close(&web);
    assert_int_equal(web.record_count, 2);
}

/* -- responses without a body -- */

static void respond_with_body(struct web *web, weft_http_exchange *exchange, unsigned status)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, status, NULL, 0, weft_bytes_from("hello"))), 0);
}

static void answer_200(struct web *web, weft_http_exchange *exchange)
{
    respond_with_body(web, exchange, 200);
}

static void answer_204(struct web *web, weft_http_exchange *exchange)
{
    respond_with_body(web, exchange, 204);
}

static void answer_304(struct web *web, weft_http_exchange *exchange)
{
    respond_with_body(web, exchange, 304);
}

static void answer_304_without_length(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 304, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
}

static void stream_unknown(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("hello"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from(""))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from(" you"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
}

static void answer_empty_304(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 304, NULL, 0, weft_bytes_of(NULL, 0))), 0);
}

static void answer_205(struct web *web, weft_http_exchange *exchange)
{
    respond_with_body(web, exchange, 205);
}

static void head_204_and_304_have_no_body(void **state)
{
    (void)state;
    check(answer_200, "HEAD", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true);
    check(answer_204, "GET", "1.1", "", "HTTP/1.1 204 No Content\r\n\r\n", true);
    check(answer_304, "GET", "1.1", "", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", true);
    check(answer_304_without_length, "GET", "1.1", "", "HTTP/1.1 304 Not Modified\r\n\r\n", true);
    check(answer_empty_304, "GET", "1.1", "", "HTTP/1.1 304 Not Modified\r\n\r\n", true);
    check(answer_205, "GET", "1.1", "", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", true);
    check(answer_304_without_length, "HEAD", "1.0", "", "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
          false);
    check(answer_204, "GET", "1.0", "Connection: keep-alive\r\n",
          "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n", true);
    check(stream_unknown, "HEAD", "1.1", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
}

static void the_record_of_head_counts_no_body(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_200);
    client = web_connect(&web);
    web_send(client, "HEAD /h HTTP/1.1\r\nHost: a\r\nReferer: r\r\nUser-Agent: u\r\n\r\n");
    web_send(client, "GET /g HTTP/1.0\r\nHost: a\r\n\r\n");
    web_close(&web);
    web_expect_record(&web, 0, "HEAD", 200, 0, true);
    web_expect_record(&web, 1, "GET", 200, 5, true);
    assert_string_equal(web_record_at(&web, 0)->target, "/h");
    assert_string_equal(web_record_at(&web, 0)->referer, "r");
    assert_string_equal(web_record_at(&web, 0)->user_agent, "u");
    assert_string_equal(web_record_at(&web, 1)->referer, "");
    assert_int_equal(web_record_at(&web, 0)->minor, 1);
    assert_int_equal(web_record_at(&web, 1)->minor, 0);
    assert_int_equal(web_record_at(&web, 0)->wall / WEFT_SECONDS(1), 1767225601);
}

/* -- lengths -- */

static void end_with_trailer(struct web *web, weft_http_exchange *exchange)
{
    static const weft_http_field trailer = {WEFT_BYTES("Sum"), WEFT_BYTES("9")};

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("hello"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, &trailer, 1)), 0);
}

static void an_unknown_length_is_chunked_or_until_close(void **state)
{
    (void)state;
    check(stream_unknown, "GET", "1.1", "",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\n you\r\n0\r\n\r\n", true);
    check(end_with_trailer, "GET", "1.1", "",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nSum: 9\r\n\r\n", true);
    check(stream_unknown, "GET", "1.0", "", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello you", false);
    check(stream_unknown, "GET", "1.0", "Connection: keep-alive\r\n",
          "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello you", false);
    check(end_with_trailer, "GET", "1.0", "", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", false);
}

/* Bytes 2 to 4 of a file, and then some of it again. */
static void stream_file(struct web *web, weft_http_exchange *exchange)
{
    char path[] = "/tmp/weft-answer-XXXXXX";
    int fd = mkstemp(path);
    weft_directory *directory;
    weft_file *file;

    realtime_look_away();
    assert_int_equal(write(fd, "0123456", 7), 7);
    close(fd);
    assert_int_equal(weft_directory_open("/tmp", &directory), 0);
    assert_int_equal(file_open(directory, strrchr(path, '/') + 1, true, &file), 0);
    assert_int_equal(unlink(path), 0);
    realtime_look_again();
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    assert_true(WEB_CALL(web, weft_http_respond_file(exchange, file, 2, 3)) >= 0);
    assert_true(WEB_CALL(web, weft_http_respond_file(exchange, file, 2, 0)) >= 0);
    assert_true(WEB_CALL(web, weft_http_respond_file(exchange, file, 6, 1)) >= 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
    weft_file_unref(file);
    weft_directory_unref(directory);
}

static void a_file_in_a_body_of_unknown_length_is_framed_as_well(void **state)
{
    (void)state;
    check(stream_file, "GET", "1.1", "",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n234\r\n1\r\n6\r\n0\r\n\r\n", true);
    check(stream_file, "GET", "1.0", "", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n2346", false);
    check(stream_file, "HEAD", "1.1", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true);
}

static void write_too_much(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 6)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("hello"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("ab"))), -EMSGSIZE);
    assert_int_equal(WEB_CALL(web, weft_http_respond_file(exchange, NULL, 0, 2)), -EMSGSIZE);
    assert_int_equal(WEB_CALL(web, weft_http_respond_file(exchange, NULL, 0, UINT64_MAX)), -EMSGSIZE);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("c"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("d"))), -EMSGSIZE);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("d"))), WEFT_EENDED);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), WEFT_EENDED);
}

static void more_than_was_announced_is_refused(void **state)
{
    (void)state;
    check(write_too_much, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhelloc", true);
    check(write_too_much, "HEAD", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", true);
}

static void write_too_little(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 6)), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("hello"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
}

static void less_than_was_announced_aborts(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, write_too_little);
    client = web_connect(&web);
    web_send(client, "GET /short HTTP/1.1\r\n");
    web_send(client, "Host: a\r\n\r\n");
    web_expect_lost(client, false);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "GET", 200, 5, false);
    assert_string_equal(web_record_at(&web, 0)->target, "/short");
}

/* RFC 9110 §9.3.2: what is not written for HEAD is not missing. */
static void head_may_leave_the_body_out(void **state)
{
    (void)state;
    check(write_too_little, "HEAD", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", true);
}

/* -- mistakes of a handler -- */

static void answer_twice(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("x"))), -EINVAL);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), -EINVAL);
    assert_int_equal(web_answer(web, exchange, "once"), 0);
    assert_int_equal(web_answer(web, exchange, "twice"), -EALREADY);
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 0)), -EALREADY);
}

static void a_second_answer_is_refused(void **state)
{
    (void)state;
    check(answer_twice, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce", true);
}

static void start_twice(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 1)), 0);
    assert_int_equal(web_answer(web, exchange, "twice"), -EALREADY);
    assert_int_equal(WEB_CALL(web, weft_http_respond_write(exchange, weft_bytes_from("x"))), 0);
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
}

static void an_answer_after_a_start_is_refused(void **state)
{
    (void)state;
    check(start_twice, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", true);
}

static void answer_nothing(struct web *web, weft_http_exchange *exchange)
{
    (void)web;
    (void)exchange;
}

static void start_only(struct web *web, weft_http_exchange *exchange)
{
    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, 5)), 0);
}

static void a_handler_that_does_not_answer_gives_500(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_nothing);
    client = web_connect(&web);
    web_send(client, "GET /n HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(web_text(client), "HTTP/1.1 500 Internal Server Error\r\n"));
    assert_non_null(strstr(web_text(client), "\r\nConnection: close\r\n"));
    web_expect_lost(client, true);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    assert_int_equal(web_record_at(&web, 0)->status, 500);
    assert_true(web_record_at(&web, 0)->complete);
}

static void a_handler_that_answers_half_aborts(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, start_only);
    client = web_connect(&web);
    web_send(client, "GET /n HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect_lost(client, false);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "GET", 200, 0, false);
}

static void give_up(struct web *web, weft_http_exchange *exchange)
{
    WEB_DO(web, weft_http_exchange_abort(exchange));
    assert_int_equal(web_answer(web, exchange, "late"), WEFT_EENDED);
}

/* The request's slices lie in the stream's memory, which is gone by the time the connection is lost. */
static void an_exchange_that_is_given_up_at_once_is_recorded(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, give_up);
    client = web_connect(&web);
    web_send(client, "GET /given-up HTTP/1.1\r\nUser-Agent: me\r\n");
    web_send(client, "Host: a\r\n\r\n");
    web_expect_lost(client, false);
    web_close(&web);
    assert_int_equal(web.record_count, 1);
    web_expect_record(&web, 0, "GET", 0, 0, false);
    assert_string_equal(web_record_at(&web, 0)->target, "/given-up");
    assert_string_equal(web_record_at(&web, 0)->user_agent, "me");
}

static void an_exchange_that_was_kept_and_given_up_is_gone_once(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_keep_only);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    WEB_DO(&web, weft_http_exchange_abort(web_kept_at(&web, 0)->exchange));
    assert_int_equal(web_kept_at(&web, 0)->gone, 0);
    web_settle(&web);
    assert_int_equal(web_kept_at(&web, 0)->gone, 1);
    assert_int_equal(web_kept_at(&web, 0)->reason, WEFT_EABORTED);
    web_expect_lost(client, false);
    web_close(&web);
}

static void attach_twice(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(WEB_CALL(web, weft_http_exchange_attach(exchange, &kept->responder)), -EALREADY);
}

static void a_second_responder_is_refused(void **state)
{
    struct web web;
    struct web_client *client;
    struct web_kept *kept;

    (void)state;
    web_open(&web, NULL, attach_twice);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    kept = web_kept_at(&web, 0);
    assert_int_equal(WEB_CALL(&web, weft_http_exchange_attach(kept->exchange, &kept->responder)), -EALREADY);
    assert_int_equal(web_answer(&web, kept->exchange, "done"), 0);
    web_settle(&web);
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
    assert_int_equal(kept->gone, 1);
    assert_int_equal(kept->reason, 0);
    web_close(&web);
}

static void keep_and_answer(struct web *web, weft_http_exchange *exchange)
{
    struct web_kept *kept = web_keep(web, exchange);

    assert_int_equal(web_answer(web, exchange, "at once"), 0);
    assert_int_equal(kept->gone, 0);
}

static void a_responder_of_an_answered_exchange_is_told_so(void **state)
{
    (void)state;
    check(keep_and_answer, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nat once", true);
}

/* -- what may not be sent -- */

static void try_reserved(struct web *web, weft_http_exchange *exchange)
{
    static const char *const names[] = {"Content-Length", "content-length", "Transfer-Encoding",
                                        "CONNECTION",     "Date",           "Trailer"};
    static const unsigned statuses[] = {0, 99, 100, 101, 103, 199, 600, 999, 1000};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weft_http_field field = {weft_bytes_from(names[i]), WEFT_BYTES("1")};
        assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, &field, 1, weft_bytes_from("x"))), -EINVAL);
    }
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, statuses[i], NULL, 0, weft_bytes_from("x"))),
                         -EINVAL);
    assert_int_equal(web_answer(web, exchange, "after all"), 0);
}

static void reserved_fields_and_impossible_statuses_are_refused(void **state)
{
    (void)state;
    check(try_reserved, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nafter all", true);
}

/* RFC 9110 §5.6.2 and §5.5, written down once more. */
static bool is_tchar(unsigned byte)
{
    return byte > 32 && byte < 127 && !strchr("\"(),/:;<=>?@[\\]{}", (int)byte);
}

static bool is_value_byte(unsigned byte)
{
    return byte == '\t' || (byte >= 32 && byte != 127);
}

static void try_bytes(struct web *web, weft_http_exchange *exchange)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char name[] = {'X', (char)byte, 'Y'}, value[] = {'x', (char)byte, 'y'};
        weft_http_field fields[] = {{weft_bytes_of(name, 3), WEFT_BYTES("v")},
                                    {WEFT_BYTES("N"), weft_bytes_of(value, 3)}};
        bool name_ok = is_tchar(byte), value_ok = is_value_byte(byte);

        if (!name_ok)
            assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, fields, 1, weft_bytes_from(""))), -EINVAL);
        if (!value_ok)
            assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, &fields[1], 1, weft_bytes_from(""))),
                             -EINVAL);
    }
    assert_int_equal(web_answer(web, exchange, "clean"), 0);
}

static void bytes_that_http_does_not_allow_are_refused(void **state)
{
    (void)state;
    check(try_bytes, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean", true);
}

static void answer_all_allowed(struct web *web, weft_http_exchange *exchange)
{
    char name[256], value[256];
    size_t names = 0, values = 0;
    weft_http_field field;

    for (unsigned byte = 0; byte < 256; byte++) {
        if (is_tchar(byte))
            name[names++] = (char)byte;
        if (is_value_byte(byte) && byte != ' ' && byte != '\t')
            value[values++] = (char)byte;
    }
    field = (weft_http_field){weft_bytes_of(name, names), weft_bytes_of(value, values)};
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, &field, 1, weft_bytes_from(""))), 0);
}

static void every_allowed_byte_is_sent_as_it_is(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, answer_all_allowed);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(web_text(client), "\r\n!#$%&'*+-.0123456789ABC"));
    assert_non_null(strstr(web_text(client), "`abcdefghijklmnopqrstuvwxyz|~: !\"#"));
    assert_non_null(strstr(web_text(client), "\xfe\xff\r\n"));
    web_close(&web);
}

static void try_trailers(struct web *web, weft_http_exchange *exchange)
{
    static const char *const never[] = {"Content-Length", "Host", "Transfer-Encoding", "bad name", ""};

    assert_int_equal(WEB_CALL(web, weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN)), 0);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        weft_http_field field = {weft_bytes_from(never[i]), WEFT_BYTES("1")};
        assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, &field, 1)), -EINVAL);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char value[] = {'x', (char)byte, 'y'};
        weft_http_field field = {WEFT_BYTES("Sum"), weft_bytes_of(value, 3)};
        if (!is_value_byte(byte))
            assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, &field, 1)), -EINVAL);
    }
    assert_int_equal(WEB_CALL(web, weft_http_respond_end(exchange, NULL, 0)), 0);
}

static void bad_trailers_are_refused(void **state)
{
    (void)state;
    check(try_trailers, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true);
}

static void try_large_head(struct web *web, weft_http_exchange *exchange)
{
    static char large[9000];
    weft_http_field field = {WEFT_BYTES("Large"), weft_bytes_of(large, sizeof large)};

    memset(large, 'x', sizeof large);
    assert_int_equal(WEB_CALL(web, weft_http_respond(exchange, 200, &field, 1, weft_bytes_from("x"))), -EMSGSIZE);
    assert_int_equal(web_answer(web, exchange, "small"), 0);
}

static void a_head_that_is_too_large_is_refused(void **state)
{
    (void)state;
    check(try_large_head, "GET", "1.1", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall", true);
    check(try_large_head, "GET", "1.0", "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsmall",
          false);
}

/* -- what a handler may ask -- */

static void look(struct web *web, weft_http_exchange *exchange)
{
    weft_bytes value = WEFT_BYTES("untouched");

    assert_true(weft_bytes_equal(weft_http_exchange_method(exchange), weft_bytes_from("PUT")));
    assert_true(weft_bytes_equal(weft_http_exchange_target(exchange), weft_bytes_from("http://b:8/p?q")));
    assert_true(weft_bytes_equal(weft_http_exchange_path(exchange), weft_bytes_from("/p?q")));
    assert_true(weft_bytes_equal(weft_http_exchange_authority(exchange), weft_bytes_from("b:8")));
    assert_int_equal(weft_http_exchange_minor(exchange), 1);
    assert_int_equal(weft_http_exchange_field_count(exchange), 4);
    assert_int_equal(weft_http_exchange_field(exchange, weft_bytes_from("none"), &value), 0);
    assert_true(weft_bytes_equal(value, weft_bytes_from("untouched")));
    assert_int_equal(weft_http_exchange_field(exchange, weft_bytes_from("twice"), &value), 2);
    assert_true(weft_bytes_equal(value, weft_bytes_from("1")));
    assert_int_equal(weft_http_exchange_field(exchange, weft_bytes_from("TWICE"), NULL), 2);
    assert_true(weft_bytes_equal(weft_http_exchange_field_at(exchange, 3)->name, weft_bytes_from("Content-Length")));
    assert_true(weft_http_exchange_has_body(exchange));
    assert_ptr_equal(weft_http_exchange_loop(exchange), web->loop);
    assert_non_null(weft_http_exchange_scope(exchange));
    assert_int_equal(weft_http_exchange_peer(exchange)->family, WEFT_ADDRESS_IPV4);
}

static void look_before_and_after_keeping(struct web *web, weft_http_exchange *exchange)
{
    look(web, exchange);
    (void)web_keep(web, exchange);
    look(web, exchange);
}

static void what_is_kept_stays_as_it_was(void **state)
{
    struct web web;
    struct web_client *client, *other;

    (void)state;
    web_open(&web, NULL, look_before_and_after_keeping);
    client = web_connect(&web);
    web_send(client, "PUT http://b:8/p?q HTTP/1.1\r\nHost: b:8\r\nTwice: 1\r\ntwice: 2\r\nContent-Length: 1\r\n\r\n");
    web.handle = web_echo_path;
    other = web_connect(&web);
    web_send(other, "GET /other HTTP/1.1\r\nHost: c\r\nA: b\r\nC: d\r\nE: f\r\nTwice: no\r\n\r\n");
    web_expect(other, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n/other");
    look(&web, web_kept_at(&web, 0)->exchange);
    web_send(client, "x");
    look(&web, web_kept_at(&web, 0)->exchange);
    assert_int_equal(web_kept_at(&web, 0)->body_ended, 1);
    assert_int_equal(web_answer(&web, web_kept_at(&web, 0)->exchange, "ok"), 0);
    web_settle(&web);
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    web_close(&web);
}

static void look_at_the_root(struct web *web, weft_http_exchange *exchange)
{
    (void)web_keep(web, exchange);
    assert_int_equal(weft_http_exchange_path(exchange).length, 1);
    assert_ptr_equal(weft_http_exchange_path(exchange).data, weft_http_exchange_target(exchange).data);
    (void)web_answer(web, exchange, "ok");
}

static void the_shortest_path_is_kept_with_its_target(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, look_at_the_root);
    client = web_connect(&web);
    web_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    web_expect(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    web_close(&web);
}

/* The date is written once a second. */
static void the_date_follows_the_clock(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    web_send(client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(client->text, "\r\nDate: Thu, 01 Jan 2026 00:00:01 GMT\r\n"));
    web_forget(client);
    web_pass(&web, WEFT_SECONDS(9));
    web_send(client, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_non_null(strstr(client->text, "\r\nDate: Thu, 01 Jan 2026 00:00:10 GMT\r\n"));
    web_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_connection_is_kept_for_the_next_request),
        support_test(connection_close_is_honoured_and_said),
        support_test(http_1_0_is_closed_unless_it_asks),
        support_test(the_last_request_of_a_connection_is_answered_with_close),
        support_test(head_204_and_304_have_no_body),
        support_test(the_record_of_head_counts_no_body),
        support_test(an_unknown_length_is_chunked_or_until_close),
        support_test(a_file_in_a_body_of_unknown_length_is_framed_as_well),
        support_test(more_than_was_announced_is_refused),
        support_test(less_than_was_announced_aborts),
        support_test(head_may_leave_the_body_out),
        support_test(a_second_answer_is_refused),
        support_test(an_answer_after_a_start_is_refused),
        support_test(a_handler_that_does_not_answer_gives_500),
        support_test(a_handler_that_answers_half_aborts),
        support_test(an_exchange_that_is_given_up_at_once_is_recorded),
        support_test(an_exchange_that_was_kept_and_given_up_is_gone_once),
        support_test(a_second_responder_is_refused),
        support_test(a_responder_of_an_answered_exchange_is_told_so),
        support_test(reserved_fields_and_impossible_statuses_are_refused),
        support_test(bytes_that_http_does_not_allow_are_refused),
        support_test(every_allowed_byte_is_sent_as_it_is),
        support_test(bad_trailers_are_refused),
        support_test(a_head_that_is_too_large_is_refused),
        support_test(what_is_kept_stays_as_it_was),
        support_test(the_shortest_path_is_kept_with_its_target),
        support_test(the_date_follows_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
