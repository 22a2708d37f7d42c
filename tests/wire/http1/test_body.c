/* SPDX-License-Identifier: MIT */
/* Bodies and their limits (RFC 9112 §6, §7.1). */
#include <stdio.h>
#include <stdlib.h>

#include <weft/time.h>

#include "base/random.h"
#include "support/support.h"
#include "wire/http1/check.h"
#include "wire/http1/reader.h"

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD                                                                           \
    "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\nfield#3 Transfer-Encoding=chunked\n" \
    "head chunked 0 keep-alive\n"

static const struct check plain = {.kind = WEFT_HTTP1_REQUEST};

static void chunks_and_trailers_are_given(void **state)
{
    (void)state;
    check_transcript(&plain,
                     CHUNKED "5\r\nhello\r\n1;a=\"b\\\";\"\r\n,\r\n0006 ; c\r\n world\r\n0\r\nX-A:  b \r\nX-B:\r\n\r\n",
                     CHUNKED_HEAD "body hello, world\ntrailer X-A=b\ntrailer X-B=\nend\nclosed\n");
}

static void a_bad_chunk_is_refused_before_its_data(void **state)
{
    (void)state;
    check_transcript(&plain, CHUNKED "5\r\nhello\r\nx\r\nevil\r\n0\r\n\r\n",
                     CHUNKED_HEAD "body hello\nrefused 400 a chunk's size is not valid\n");
    check_transcript(&plain, CHUNKED "5\r\nhelloX",
                     CHUNKED_HEAD "body hello\nrefused 400 no CRLF after a chunk's data\n");
    check_transcript(&plain, CHUNKED "5\r\nhello\rX",
                     CHUNKED_HEAD "body hello\nrefused 400 no CRLF after a chunk's data\n");
    check_transcript(&plain, CHUNKED "8000000000000000\r\n", CHUNKED_HEAD "refused 400 a chunk's size is not valid\n");
    check_transcript(&plain, CHUNKED "00000000000000005\r\n", CHUNKED_HEAD "refused 400 a chunk's size is not valid\n");
}

/* The next run of the body must be at @p data and have @p length bytes. */
static void assert_run(weft_http1_parser *parser, weft_bytes *input, const char *data, size_t length)
{
    weft_http1_event event;

    assert_int_equal(weft_http1_next(parser, input, &event), WEFT_HTTP1_BODY);
    assert_ptr_equal(event.body.data, data);
    assert_int_equal(event.body.length, length);
}

static void skip_head(weft_http1_parser *parser, weft_bytes *input)
{
    weft_http1_event event;

    do
        assert_true(weft_http1_next(parser, input, &event) > 0);
    while (event.type != WEFT_HTTP1_HEAD_END);
}

static void runs_are_as_long_as_they_can_be_and_not_copied(void **state)
{
    static const char counted[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789GET";
    static const char chunked[] = CHUNKED "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n";
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = weft_bytes_of(counted, sizeof counted - 10);

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    skip_head(&parser, &input);
    assert_run(&parser, &input, counted + sizeof counted - 14, 4);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_NEED_MORE);
    input = weft_bytes_of(counted + sizeof counted - 10, 9);
    assert_run(&parser, &input, counted + sizeof counted - 10, 6);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_MESSAGE_END);
    assert_int_equal(input.length, 3);

    weft_http1_parser_reset(&parser);
    input = weft_bytes_of(chunked, sizeof chunked - 1);
    skip_head(&parser, &input);
    assert_run(&parser, &input, chunked + sizeof CHUNKED - 1 + 3, 4);
    assert_run(&parser, &input, chunked + sizeof CHUNKED - 1 + 12, 6);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_MESSAGE_END);
    assert_int_equal(input.length, 0);
}

static void a_long_length_is_refused_before_the_body(void **state)
{
    static const weft_http1_limits limits = {.body = 5};
    const struct check small = {.limits = &limits};

    (void)state;
    check_transcript(&small, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                     "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\nfield#2 Content-Length=5\n"
                     "head length 5 keep-alive\nbody hello\nend\nclosed\n");
    check_transcript(&small, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello!",
                     "request 1.1 POST / origin [] [] [/]\nfield#1 Host=a\nfield#2 Content-Length=6\n"
                     "refused 413 the body is longer than its limit\n");
}

static void chunks_are_counted_together(void **state)
{
    static const weft_http1_limits limits = {.body = 5};
    const struct check small = {.limits = &limits};

    (void)state;
    check_transcript(&small, CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", CHUNKED_HEAD "body abcde\nend\nclosed\n");
    check_transcript(&small, CHUNKED "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
                     CHUNKED_HEAD "body abc\nrefused 413 the body is longer than its limit\n");
    check_transcript(&small, CHUNKED "3\r\nabc\r\n7fffffffffffffff\r\n",
                     CHUNKED_HEAD "body abc\nrefused 413 the body is longer than its limit\n");
}

static void the_limit_of_one_body_can_be_changed(void **state)
{
    static const char requests[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n";
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = weft_bytes_of(requests, sizeof requests - 1);

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_REQUEST_LINE);
    weft_http1_parser_limit_body(&parser, 2000000);
    skip_head(&parser, &input);

    input = weft_bytes_from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    weft_http1_parser_limit_body(&parser, 0);
    while (weft_http1_next(&parser, &input, &event) > 0)
        ;
    assert_int_equal(weft_http1_parser_status(&parser), 413);

    input = weft_bytes_from(CHUNKED "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    skip_head(&parser, &input);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_HTTP1_BODY);
    weft_http1_parser_limit_body(&parser, 2);
    assert_int_equal(weft_http1_next(&parser, &input, &event), WEFT_EPROTOCOL);
    assert_int_equal(weft_http1_parser_status(&parser), 413);
}

static void reset_brings_the_limit_back(void **state)
{
    weft_http1_parser parser;
    weft_http1_event event;
    weft_bytes input = weft_bytes_from("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");

    (void)state;
    weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, NULL);
    weft_http1_parser_limit_body(&parser, UINT64_MAX);
    weft_http1_parser_reset(&parser);
    while (weft_http1_next(&parser, &input, &event) > 0)
        ;
    assert_int_equal(weft_http1_parser_status(&parser), 413);
}

static void extensions_have_a_budget_for_each_message(void **state)
{
    static const weft_http1_limits limits = {.chunk_line = 6, .chunk_extensions = 6};
    const struct check small = {.limits = &limits};

    (void)state;
    check_transcript(&small, CHUNKED "1;ab\r\nx\r\n1;ab\r\ny\r\n0\r\n\r\n" CHUNKED "1;ab\r\nx\r\n1;abc\r\ny\r\n",
                     CHUNKED_HEAD "body xy\nend\n" CHUNKED_HEAD
                                  "body x\nrefused 400 the chunk extensions are longer than their limit\n");
    check_transcript(&small, CHUNKED "1;abcd\r\nx\r\n0\r\n\r\n", CHUNKED_HEAD "body x\nend\nclosed\n");
    check_transcript(&small, CHUNKED "1;abcde\r\nx\r\n",
                     CHUNKED_HEAD "refused 400 the line of a chunk's size is longer than its limit\n");
    check_transcript(&small, CHUNKED "1;abcdef",
                     CHUNKED_HEAD "refused 400 the line of a chunk's size is longer than its limit\n");
}

static void trailers_share_the_limits_of_the_head(void **state)
{
    static const weft_http1_limits limits = {.head_bytes = 9 + 28 + 8, .field_count = 4};
    const struct check small = {.limits = &limits};

    (void)state;
    check_transcript(&small, CHUNKED "0\r\nA: 1\r\nB:\r\n\r\n",
                     CHUNKED_HEAD "trailer A=1\nrefused 431 the fields are longer than their limit\n");
    check_transcript(&small, CHUNKED "0\r\nA: 12\r\n\r\n", CHUNKED_HEAD "trailer A=12\nend\nclosed\n");
    check_transcript(&((struct check){.limits = &(weft_http1_limits){.field_count = 3}}),
                     CHUNKED "0\r\nA:\r\nB:\r\n\r\n",
                     CHUNKED_HEAD "trailer A=\nrefused 431 there are more fields than their limit\n");
}

/* A reference in ten lines: the number that 1*DIGIT without a leading zero spells, or -1. */
static int64_t read_length_slowly(const char *text)
{
    unsigned __int128 number = 0;

    if (!*text || (text[0] == '0' && text[1]))
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = number * 10 + (unsigned)(*text - '0');
        if (number > INT64_MAX)
            return -1;
    }
    return (int64_t)number;
}

static void content_length_is_what_the_reference_says(void **state)
{
    static const char alphabet[] = "0123456789999990000+-x, ._e;\"";
    static const weft_http1_limits limits = {.body = WEFT_UNLIMITED};
    struct random_source random;

    (void)state;
    random_init(&random, 7);
    for (int round = 0; round < 50000; round++) {
        size_t digits = random_between(&random, 0, 3) ? 9 : sizeof alphabet - 2;
        char value[32], request[128];
        size_t length = (size_t)random_between(&random, 1, 20);
        weft_http1_parser parser;
        weft_http1_event event;
        weft_bytes input;
        int64_t expected;

        for (size_t i = 0; i < length; i++)
            value[i] = alphabet[random_between(&random, 0, digits)];
        value[length] = '\0';
        if (value[0] == ' ' || value[length - 1] == ' ')
            continue;
        snprintf(request, sizeof request, "POST / HTTP/1.0\r\nContent-Length: %s\r\n\r\n", value);
        input = weft_bytes_from(request);
        expected = read_length_slowly(value);
        weft_http1_parser_init(&parser, WEFT_HTTP1_REQUEST, &limits);
        while (weft_http1_next(&parser, &input, &event) > 0 && event.type != WEFT_HTTP1_HEAD_END)
            ;
        assert_int_equal(weft_http1_parser_status(&parser), expected < 0 ? 400 : 0);
        if (expected >= 0)
            assert_int_equal(event.head.length, expected);
    }
}

/* Random chunks, of which the reader must give exactly the data. */
static void chunked_bodies_come_out_as_they_went_in(void **state)
{
    struct random_source random;

    (void)state;
    random_init(&random, 3);
    for (int round = 0; round < 200; round++) {
        char wire[8192], expected[4096];
        size_t at = (size_t)sprintf(wire, "%s", CHUNKED);
        size_t end = (size_t)sprintf(expected, "%sbody ", CHUNKED_HEAD);
        size_t chunks = (size_t)random_between(&random, 1, 20);

        for (size_t i = 0; i < chunks; i++) {
            size_t size = (size_t)random_between(&random, 1, 60);

            at += (size_t)sprintf(wire + at, random_between(&random, 0, 1) ? "%zx\r\n" : "%04zX;x=y\r\n", size);
            for (size_t j = 0; j < size; j++)
                wire[at++] = expected[end++] = "0123456789abcdef ;"[random_between(&random, 0, 17)];
            at += (size_t)sprintf(wire + at, "\r\n");
        }
        at += (size_t)sprintf(wire + at, "0\r\n\r\n");
        sprintf(expected + end, "\nend\nclosed\n");
        check_bytes(&plain, weft_bytes_of(wire, at), expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(chunks_and_trailers_are_given),
        support_test(a_bad_chunk_is_refused_before_its_data),
        support_test(runs_are_as_long_as_they_can_be_and_not_copied),
        support_test(a_long_length_is_refused_before_the_body),
        support_test(chunks_are_counted_together),
        support_test(the_limit_of_one_body_can_be_changed),
        support_test(reset_brings_the_limit_back),
        support_test(extensions_have_a_budget_for_each_message),
        support_test(trailers_share_the_limits_of_the_head),
        support_test(content_length_is_what_the_reference_says),
        support_test(chunked_bodies_come_out_as_they_went_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
