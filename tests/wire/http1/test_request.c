/* SPDX-License-Identifier: MIT */
/* Request lines and heads: what is given, what is kept back, what is refused when. */
#include <string.h>

#include "support/support.h"
#include "wire/http1/check.h"
#include "wire/http1/reader.h"

#include <weft/time.h>

static const struct check plain = {.kind = WEFT_HTTP1_REQUEST};

static void a_request_gives_its_parts_in_order(void **state)
{
    (void)state;
    check_transcript(&plain,
                     "POST /a/b?c=d HTTP/1.1\r\nHost: a.example\r\nX-Empty:\r\nX-A: \t b  c \r\n"
                     "Content-Length: 5\r\n\r\nhello",
                     "request 1.1 POST /a/b?c=d origin [] [] [/a/b?c=d]\n"
                     "field#1 Host=a.example\n"
                     "field X-Empty=\n"
                     "field X-A=b  c\n"
                     "field#2 Content-Length=5\n"
                     "head length 5 keep-alive\n"
                     "body hello\n"
                     "end\n"
                     "closed\n");
}

static void every_form_of_target_is_split(void **state)
{
    (void)state;
    check_transcript(&plain,
                     "GET HTTP://A.example:80/x?y HTTP/1.1\r\nHost: a.EXAMPLE\r\n\r\n"
                     "GET https://a.example?q HTTP/1.1\r\nHost: a.example:443\r\n\r\n"
                     "GET foo+bar-1.0://[::1]:9 HTTP/1.1\r\nHost: [::1]:9\r\n\r\n"
                     "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"
                     "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                     "request 1.1 GET HTTP://A.example:80/x?y absolute [HTTP] [A.example:80] [/x?y]\n"
                     "field#1 Host=a.EXAMPLE\nhead none 0 keep-alive\nend\n"
                     "request 1.1 GET https://a.example?q absolute [https] [a.example] [?q]\n"
                     "field#1 Host=a.example:443\nhead none 0 keep-alive\nend\n"
                     "request 1.1 GET foo+bar-1.0://[::1]:9 absolute [foo+bar-1.0] [[::1]:9] []\n"
                     "field#1 Host=[::1]:9\nhead none 0 keep-alive\nend\n"
                     "request 1.1 CONNECT a.example:443 authority [] [a.example:443] []\n"
                     "field#1 Host=a.example\nhead none 0 keep-alive\nend\n"
                     "request 1.1 OPTIONS * asterisk [] [] [*]\n"
                     "field#1 Host=a\nhead none 0 keep-alive\nend\n"
                     "closed\n");
}

static void what_was_before_a_bad_field_is_given(void **state)
{
    (void)state;
    check_transcript(&plain, "GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
                     "request 1.1 GET / origin [] [] [/]\n"
                     "field#1 Host=a\n"
                     "refused 400 a field name is not a token followed by a colon\n");
}

static void garbage_is_refused_at_its_first_byte(void **state)
{
    (void)state;
    check_transcript(&((struct check){.open = true}), "\x16", "refused 400 a control character in a line\n");
    check_transcript(&((struct check){.open = true}), "\n", "refused 400 a line ends with a bare LF\n");
    check_transcript(&((struct check){.open = true}), "GET /\x01", "refused 400 a control character in a line\n");
    check_transcript(&((struct check){.open = true}), "GET / HTTP/1.1\rX",
                     "refused 400 a CR without an LF in a line\n");
}

static void persistence_follows_version_and_connection(void **state)
{
    static const struct {
        const char *request, *head;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "head none 0 keep-alive\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "head none 0 close\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x,  Close , y\r\n\r\n", "head none 0 close\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", "head none 0 close\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "head none 0 keep-alive\n"},
        {"GET / HTTP/1.0\r\n\r\n", "head none 0 close\n"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "head none 0 keep-alive\n"},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "head none 0 close\n"},
        {"GET / HTTP/1.7\r\nHost: a\r\n\r\n", "head none 0 keep-alive\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader reader;

        reader_init(&reader, WEFT_HTTP1_REQUEST, NULL);
        reader_feed(&reader, weft_bytes_from(cases[i].request));
        assert_non_null(strstr(reader.text, cases[i].head));
        reader_fini(&reader);
    }
}

static void expect_and_upgrade_are_noticed(void **state)
{
    static const struct {
        const char *request, *head;
    } cases[] = {
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
         "head length 1 keep-alive expect\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
         "head chunked 0 keep-alive expect\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect:\r\nContent-Length: 1\r\n\r\n", "head length 1 keep-alive\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", "head none 0 keep-alive\n"},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "head length 1 close\n"},
        {"POST / HTTP/1.0\r\nExpect: more\r\nContent-Length: 1\r\n\r\n", "head length 1 close\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: a, Upgrade\r\n\r\n",
         "head none 0 keep-alive upgrade\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n", "head none 0 keep-alive\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n", "head none 0 keep-alive\n"},
        {"GET / HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "head none 0 close\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader reader;

        reader_init(&reader, WEFT_HTTP1_REQUEST, NULL);
        reader_feed(&reader, weft_bytes_from(cases[i].request));
        assert_non_null(strstr(reader.text, cases[i].head));
        reader_fini(&reader);
    }
}

static void a_refusal_is_for_ever_and_takes_nothing(void **state)
{
    weft_http1_parser parser;
    weft_http1_event event = {.type = WEFT_HTTP1_TRAILER};
    weft_bytes input = weft_bytes_from("GET * HTTP/1.1\r\nHost: a\r\n\r\n");

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_parser_status(&parser), 0);
    assert_string_equal(weft_http1_parser_problem(&parser), "");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_EPROTOCOL);
        assert_int_equal(event.type, WEFT_HTTP1_TRAILER);
        assert_int_equal(input.length, 27);
        assert_int_equal(weft_http1_parser_status(&parser), 400);
        weft_http1_parser_reset(&parser);
        input = weft_bytes_from("GET / HTTP/1.1\r\nHost: abc\r\n");
        assert_int_equal(input.length, 27);
    }
    assert_int_equal(weft_http1_end(&parser, input, &event), WEFT_EPROTOCOL);
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
}

static void the_end_of_a_message_is_given_until_reset(void **state)
{
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = weft_bytes_from("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_HEAD_END);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_MESSAGE_END);
        assert_int_equal(event.type, WEFT_HTTP1_MESSAGE_END);
        assert_int_equal(input.length, 18);
    }
    weft_http1_parser_reset(&parser);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
}

/* Flags, counts and limits of one message must not reach the next. */
static void nothing_of_a_message_is_left_for_the_next(void **state)
{
    (void)state;
    check_transcript(&plain,
                     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nUpgrade: x\r\nConnection: upgrade\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n0\r\nT: 1\r\n\r\n\r\n"
                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny"
                     "GET / HTTP/1.0\r\n\r\n",
                     "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\nfield#5 Expect=100-continue\n"
                     "field#6 Upgrade=x\nfield#4 Connection=upgrade\nfield#3 Transfer-Encoding=chunked\n"
                     "head chunked 0 keep-alive expect upgrade\nbody x\ntrailer T=1\nend\n"
                     "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\nfield#2 Content-Length=1\n"
                     "head length 1 keep-alive\nbody y\nend\n"
                     "request 1.0 GET / origin [] [] [/]\nhead none 0 close\nend\n");
}

static void the_end_of_the_stream_in_a_message_is_an_error(void **state)
{
    static const char *const beginnings[] = {
        "G",
        "\r",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        weft_http1_parser parser;
        weft_http1_event event;
        weft_bytes input = weft_bytes_from(beginnings[i]);

        weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
        while (weft_http1_next(&parser, &input, &event) > 0)
            ;
        assert_int_equal(weft_http1_parser_status(&parser), 0);
        assert_int_equal(weft_http1_end(&parser, input, &event), WEFT_ETRUNCATED);
        assert_int_equal(weft_http1_end(&parser, input, &event), WEFT_ETRUNCATED);
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_EPROTOCOL);
        assert_int_equal(weft_http1_parser_status(&parser), 400);
    }
}

static void the_end_of_the_stream_between_messages_is_none(void **state)
{
    weft_http1_parser parser;
    weft_http1_event event = {.type = WEFT_HTTP1_TRAILER};
    weft_bytes input = weft_bytes_from("\r\n");

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_end(&parser, (weft_bytes){NULL, 0}, &event), WEFT_HTTP1_NEED_MORE);
    assert_int_equal(event.type, WEFT_HTTP1_NEED_MORE);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
    assert_int_equal(input.length, 0);
    assert_int_equal(weft_http1_end(&parser, input, &event), WEFT_HTTP1_NEED_MORE);
}

static void whole_head_gives_nothing_before_the_head_is_complete(void **state)
{
    static const weft_http1_limits limits = {.whole_head = true};
    static const char request[] = "\r\nGET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n";
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = {NULL, 0};

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, &limits);
    for (size_t length = 2; length < sizeof request - 1; length++) {
        input = weft_bytes_of(length == 2 ? request : request + 2, length == 2 ? 2 : length - 2);
        assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
        assert_int_equal(input.length, length - 2);
    }
    input = weft_bytes_of(request + 2, sizeof request - 3);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
    assert_ptr_equal(event.request.method.data, request + 2);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_FIELD);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_FIELD);
    assert_ptr_equal(event.field.value.data, request + sizeof request - 6);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_HEAD_END);
}

static void whole_head_refuses_a_bad_first_line_at_once(void **state)
{
    static const weft_http1_limits limits = {.whole_head = true};

    (void)state;
    check_transcript(&((struct check){.limits = &limits, .open = true}), "GET / HTTP/2.0\r\n",
                     "refused 505 the major version of HTTP is not 1\n");
    check_transcript(&((struct check){.limits = &limits, .open = true}), "GET / HTTP/1.1\r\nHost: a\r\nX: \x01",
                     "request 1.1 GET / origin [] [] [/]\nfield#1 Host=a\nrefused 400 a control character in a line\n");
}

static void absolute_form_waits_for_the_host(void **state)
{
    (void)state;
    check_transcript(&((struct check){.open = true}), "GET http://a/ HTTP/1.1\r\nHost: a\r\n", "");
    check_transcript(&((struct check){.open = true}), "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
                     "refused 400 Host is not that of the request target\n");
    check_transcript(&((struct check){.open = true}), "GET http://a/ HTTP/1.1\r\nHost : b\r\n\r\n",
                     "request 1.1 GET http://a/ absolute [http] [a] [/]\n"
                     "refused 400 a field name is not a token followed by a colon\n");
}

/* What comes after the byte for which a head is refused may not be in the input yet: it must not change the answer. */
static void a_host_after_what_is_refused_is_not_compared(void **state)
{
    static const weft_http1_limits limits = {.head_bytes = 10};

    (void)state;
    check_transcript(&((struct check){.limits = &limits}),
                     "GET http://a/ HTTP/1.1\r\nA: 3\r\nB: 34567\r\nHost: b\r\n\r\n",
                     "request 1.1 GET http://a/ absolute [http] [a] [/]\nfield A=3\n"
                     "refused 431 the fields are longer than their limit\n");
    check_transcript(&((struct check){.limits = &limits}), "GET http://a/ HTTP/1.1\r\nA: 3\r\nHost: b\r\n\r\n",
                     "request 1.1 GET http://a/ absolute [http] [a] [/]\nfield A=3\n"
                     "refused 431 the fields are longer than their limit\n");
    check_transcript(&plain, "GET http://a/ HTTP/1.1\r\nA: 3\nHost: b\r\nHost: b\r\n\r\n",
                     "request 1.1 GET http://a/ absolute [http] [a] [/]\nrefused 400 a line ends with a bare LF\n");
}

/* Each limit: what is just as long is accepted, one byte more is not. */
static void limits_are_exact(void **state)
{
    static const weft_http1_limits limits = {.request_line = 15, .head_bytes = 19, .field_count = 2};
    const struct check small = {.limits = &limits};

    (void)state;
    check_transcript(&small, "GET /a HTTP/1.0\r\nX: 2345678\r\nY: 23\r\n\r\n",
                     "request 1.0 GET /a origin [] [] [/a]\nfield X=2345678\nfield Y=23\nhead none 0 close\nend\n");
    check_transcript(&small, "GET /ab HTTP/1.0\r\n", "refused 414 the request line is longer than its limit\n");
    check_transcript(&small, "GET /abcdefghijklmn", "refused 414 the request line is longer than its limit\n");
    check_transcript(&small, "GET /a HTTP/1.0\r\nX: 2345678\r\nY: 234\r\n\r\n",
                     "request 1.0 GET /a origin [] [] [/a]\nfield X=2345678\n"
                     "refused 431 the fields are longer than their limit\n");
    check_transcript(&small, "GET /a HTTP/1.0\r\nX: 2345678901234567890123456789",
                     "request 1.0 GET /a origin [] [] [/a]\nrefused 431 the fields are longer than their limit\n");
    check_transcript(&small, "GET /a HTTP/1.0\r\nA:\r\nB:\r\nC:\r\n\r\n",
                     "request 1.0 GET /a origin [] [] [/a]\nfield A=\nfield B=\n"
                     "refused 431 there are more fields than their limit\n");
}

static void unlimited_is_a_word(void **state)
{
    static const weft_http1_limits limits = {
        WEFT_UNLIMITED, WEFT_UNLIMITED, WEFT_UNLIMITED, WEFT_UNLIMITED, WEFT_UNLIMITED, WEFT_UNLIMITED, true};
    const struct check unlimited = {.limits = &limits};

    (void)state;
    check_transcript(&unlimited,
                     "POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "1;a\r\nx\r\n0\r\nX: y\r\n\r\n"
                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\nx",
                     "request 1.1 POST http://a/ absolute [http] [a] [/]\nfield#1 Host=a\n"
                     "field#3 Transfer-Encoding=chunked\nhead chunked 0 keep-alive\nbody x\ntrailer X=y\nend\n"
                     "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\n"
                     "field#2 Content-Length=9223372036854775807\nhead length 9223372036854775807 keep-alive\nbody x\n"
                     "refused 400 the stream ended in the middle of a message\nclosed\n");
}

/*
 * EL-23: a byte is not looked at again. What the parser has scanned is all of the input but a last CR, whose LF is yet
 * to come; so one byte at a time costs one step per byte.
 */
static void what_was_scanned_is_remembered(void **state)
{
    static const char *const inputs[] = {
        "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "GET http://a/ HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nX-A: bbbbbbbbbbbbbbbbbbb\r\nX",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weft_http1_parser parser;
        weft_http1_event event;

        weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
        for (size_t length = 1; length <= strlen(inputs[i]); length++) {
            weft_bytes input = weft_bytes_of(inputs[i], length);

            assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
            assert_int_equal(parser.scanned, length - (inputs[i][length - 1] == '\r'));
        }
    }
}

static void a_caller_that_presents_less_than_before_reads_nothing_wrong(void **state)
{
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = weft_bytes_from("GET http://a/ HTTP/1.1\r\nHost: a\r\n");

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
    input.length = 3;
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
    input.length = 0;
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_request_gives_its_parts_in_order),
        support_test(every_form_of_target_is_split),
        support_test(what_was_before_a_bad_field_is_given),
        support_test(garbage_is_refused_at_its_first_byte),
        support_test(persistence_follows_version_and_connection),
        support_test(expect_and_upgrade_are_noticed),
        support_test(a_refusal_is_for_ever_and_takes_nothing),
        support_test(the_end_of_a_message_is_given_until_reset),
        support_test(nothing_of_a_message_is_left_for_the_next),
        support_test(the_end_of_the_stream_in_a_message_is_an_error),
        support_test(the_end_of_the_stream_between_messages_is_none),
        support_test(whole_head_gives_nothing_before_the_head_is_complete),
        support_test(whole_head_refuses_a_bad_first_line_at_once),
        support_test(absolute_form_waits_for_the_host),
        support_test(a_host_after_what_is_refused_is_not_compared),
        support_test(limits_are_exact),
        support_test(unlimited_is_a_word),
        support_test(what_was_scanned_is_remembered),
        support_test(a_caller_that_presents_less_than_before_reads_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
