/* SPDX-License-Identifier: MIT */
/* Responses (RFC 9112 §4, §6.3): what ends them, and what a client must not take for a complete one. */
#include <weft/time.h>

#include "support/support.h"
#include "wire/http1/check.h"
#include "wire/http1/reader.h"

static const struct check response = {.kind = WEFT_HTTP1_RESPONSE};
static const struct check to_head = {.kind = WEFT_HTTP1_RESPONSE, .answers = WEFT_HTTP1_ANSWERS_HEAD};
static const struct check to_connect = {.kind = WEFT_HTTP1_RESPONSE, .answers = WEFT_HTTP1_ANSWERS_CONNECT};

static void a_length_ends_the_body(void **state)
{
    (void)state;
    check_transcript(&response,
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                     "HTTP/1.1 404 Not  Found\t\xe9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                     "status 1.1 200 OK\nfield#2 Content-Length=5\nhead length 5 keep-alive\nbody hello\nend\n"
                     "status 1.1 404 Not  Found\\x09\\xe9\nfield#2 Content-Length=0\nfield#4 Connection=close\n"
                     "head none 0 close\nend\n");
}

static void chunks_end_the_body(void **state)
{
    (void)state;
    check_transcript(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
                     "status 1.1 200 OK\nfield#3 Transfer-Encoding=chunked\nhead chunked 0 keep-alive\nbody hello\n"
                     "trailer X=y\nend\nclosed\n");
}

static void the_end_of_the_stream_ends_the_body(void **state)
{
    (void)state;
    check_transcript(&response, "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello, world\r\n\r\n",
                     "status 1.1 200 OK\nfield Server=x\nhead until-close 0 close\n"
                     "body hello, world\\x0d\\x0a\\x0d\\x0a\nend\nclosed\n");
    check_transcript(&response, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
                     "status 1.0 200 OK\nfield#4 Connection=keep-alive\nhead until-close 0 close\nend\nclosed\n");
}

static void a_body_until_close_has_a_limit(void **state)
{
    static const weft_http1_limits limits = {.body = 5};
    static const weft_http1_limits none = {.body = WEFT_UNLIMITED};

    (void)state;
    check_transcript(&((struct check){.kind = WEFT_HTTP1_RESPONSE, .limits = &limits}), "HTTP/1.1 200 OK\r\n\r\nhello",
                     "status 1.1 200 OK\nhead until-close 0 close\nbody hello\nend\nclosed\n");
    check_transcript(&((struct check){.kind = WEFT_HTTP1_RESPONSE, .limits = &limits}), "HTTP/1.1 200 OK\r\n\r\nhello!",
                     "status 1.1 200 OK\nhead until-close 0 close\nbody hello\n"
                     "refused 502 the body is longer than its limit\n");
    check_transcript(&((struct check){.kind = WEFT_HTTP1_RESPONSE, .limits = &none}), "HTTP/1.1 200 OK\r\n\r\nhello!",
                     "status 1.1 200 OK\nhead until-close 0 close\nbody hello!\nend\nclosed\n");
}

static void some_codes_have_no_body_whatever_the_fields_say(void **state)
{
    (void)state;
    check_transcript(&response,
                     "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100\r\n\r\n"
                     "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"
                     "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                     "status 1.1 103 Early Hints\nfield Link=x\nhead none 0 keep-alive interim\nend\n"
                     "status 1.1 100 \nhead none 0 keep-alive interim\nend\n"
                     "status 1.1 204 No Content\nfield#2 Content-Length=5\nhead none 0 keep-alive\nend\n"
                     "status 1.1 304 Not Modified\nfield#3 Transfer-Encoding=chunked\nhead none 0 keep-alive\nend\n"
                     "status 1.1 200 OK\nfield#2 Content-Length=1\nhead length 1 keep-alive\nbody x\nend\nclosed\n");
}

static void the_request_decides_too(void **state)
{
    (void)state;
    check_transcript(&to_head, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                     "status 1.1 200 OK\nfield#2 Content-Length=99999999999\nhead none 0 keep-alive\nend\n"
                     "status 1.1 200 OK\nhead none 0 keep-alive\nend\nclosed\n");
    check_transcript(&to_connect, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nnot HTTP",
                     "status 1.1 200 OK\nfield#2 Content-Length=5\nhead none 0 keep-alive upgrade\nend\n");
    check_transcript(&to_connect, "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno",
                     "status 1.1 407 No\nfield#2 Content-Length=2\nhead length 2 keep-alive\nbody no\nend\nclosed\n");
    check_transcript(&response, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x01\x02",
                     "status 1.1 101 Switching Protocols\nfield#6 Upgrade=x\nhead none 0 keep-alive upgrade\nend\n");
}

static void a_response_that_is_cut_is_not_complete(void **state)
{
    (void)state;
    check_transcript(&response, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                     "status 1.1 200 OK\nfield#2 Content-Length=5\nhead length 5 keep-alive\nbody hell\n"
                     "refused 502 the stream ended in the middle of a message\nclosed\n");
    check_transcript(&response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                     "status 1.1 200 OK\nfield#3 Transfer-Encoding=chunked\nhead chunked 0 keep-alive\nbody hello\n"
                     "refused 502 the stream ended in the middle of a message\nclosed\n");
    check_transcript(&response, "HTTP/1.1 200 OK\r\nSer",
                     "status 1.1 200 OK\nrefused 502 the stream ended in the middle of a message\nclosed\n");
}

static void what_cannot_become_a_status_line_is_not_waited_for(void **state)
{
    (void)state;
    check_transcript(&response, "p", "refused 502 the first line does not end with one space and HTTP/1.x\n");
    check_transcript(&response, "HTTPS", "refused 502 the first line does not end with one space and HTTP/1.x\n");
    check_transcript(&response, "HTTP", "refused 502 the stream ended in the middle of a message\nclosed\n");
}

/* H1-31: the same strictness as for requests. */
static void bad_responses_are_refused(void **state)
{
    static const char *const bad[] = {
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>\r\n",
        "200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1\t200 OK\r\n\r\n",
        "HTTP/1.1 200\tOK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 \r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 200 O\x01K\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\x01\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 204 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reader reader;

        reader_init(&reader, WEFT_HTTP1_RESPONSE, NULL);
        reader_feed(&reader, weft_bytes_from(bad[i]));
        if (weft_http1_parser_status(&reader.parser) != 502 || reader.messages != 0)
            fail_msg("accepted: %s", bad[i]);
        reader_fini(&reader);
    }
}

static void whole_head_is_for_responses_too(void **state)
{
    static const weft_http1_limits limits = {.whole_head = true};
    const struct check waiting = {.kind = WEFT_HTTP1_RESPONSE, .limits = &limits, .open = true};

    (void)state;
    check_transcript(&waiting, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n", "");
    check_transcript(&waiting, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
                     "status 1.1 200 OK\nfield#2 Content-Length=1\nhead length 1 keep-alive\nbody x\nend\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_length_ends_the_body),
        support_test(chunks_end_the_body),
        support_test(the_end_of_the_stream_ends_the_body),
        support_test(a_body_until_close_has_a_limit),
        support_test(some_codes_have_no_body_whatever_the_fields_say),
        support_test(the_request_decides_too),
        support_test(a_response_that_is_cut_is_not_complete),
        support_test(what_cannot_become_a_status_line_is_not_waited_for),
        support_test(bad_responses_are_refused),
        support_test(whole_head_is_for_responses_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
