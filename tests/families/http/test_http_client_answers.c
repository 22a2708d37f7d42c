/* SPDX-License-Identifier: MIT */
/* Requests and their whole responses. */
#include "families/http/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct origin_world world;
static struct origin *origin;

static int begin(void **state)
{
    support_setup(state);
    origin_open(&world, NULL, NULL, 1);
    origin = &world.origins[0];
    return 0;
}

static int end(void **state)
{
    origin_close(&world);
    return support_teardown(state);
}

#define test(function) cmocka_unit_test_setup_teardown(function, begin, end)
#define ROOT weft_loop_scope(world.loop)

static void get(const char *path, struct origin_result *result)
{
    origin_get(&world, ROOT, origin, path, result);
}

static void expect_body(const struct origin_result *result, const char *text)
{
    assert_int_equal(result->error, 0);
    assert_non_null(result->response);
    assert_string_equal(result->response->body.data, text);
    assert_int_equal(result->response->body.length, strlen(text));
}

static void a_whole_response_is_fetched(void **state)
{
    struct origin_result result;
    char expected[256];

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 Fine\r\nContent-Length: 5\r\nX-One: 1\r\nx-one: 2\r\n\r\nhello");
    get("/a?b=c#fragment", &result);
    expect_body(&result, "hello");
    assert_int_equal(result.response->status, 200);
    assert_int_equal(result.response->minor, 1);
    assert_true(weft_bytes_equal(result.response->reason, weft_bytes_from("Fine")));
    assert_int_equal(result.response->field_count, 3);
    assert_true(weft_bytes_equal(weft_http_response_field(result.response, "X-ONE"), weft_bytes_from("1")));
    assert_null(weft_http_response_field(result.response, "X-Two").data);
    snprintf(expected, sizeof expected, "%s/a?b=c", origin->url);
    assert_string_equal(result.response->url.data, expected);
    snprintf(expected, sizeof expected,
             "GET /a?b=c HTTP/1.1\r\nHost: %s\r\nUser-Agent: weft/" WEFT_VERSION
             "\r\nAccept-Encoding: gzip, deflate\r\n\r\n",
             origin->host);
    assert_string_equal(origin->requests[0], expected);
}

static void a_url_without_a_path_asks_for_the_root(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will_say(origin, "HTTP/1.1 204 No Content\r\n\r\n");
    get("?q", &result);
    expect_body(&result, "");
    assert_true(origin_got(origin, 0, "GET /?q HTTP/1.1\r\n"));
}

static void chunks_and_trailers_are_read(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nSum: 5\r\nEnd: yes\r\n\r\n");
    get("/", &result);
    expect_body(&result, "abcde");
    assert_int_equal(result.response->trailer_count, 2);
    assert_true(weft_bytes_equal(result.response->trailers[0].name, weft_bytes_from("Sum")));
    assert_true(weft_bytes_equal(result.response->trailers[1].value, weft_bytes_from("yes")));
    assert_null(weft_http_response_field(result.response, "Sum").data);
}

static void a_body_until_the_end_of_the_stream_is_read(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will(origin, (struct origin_answer){.text = "HTTP/1.0 200 OK\r\n\r\nall of it", .then = THEN_CLOSE});
    get("/", &result);
    expect_body(&result, "all of it");
    assert_int_equal(result.response->minor, 0);
}

static void a_head_request_has_no_body(void **state)
{
    struct origin_result result;
    weft_http_call call = {.url = origin->url, .method = "HEAD"};

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n");
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    origin_fetch(&world, ROOT, &call, &result);
    expect_body(&result, "");
    get("/", &result);
    expect_body(&result, "ok");
    assert_int_equal(origin->connections, 1);
}

static void a_status_of_an_error_is_a_response(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will_say(origin, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
    get("/", &result);
    expect_body(&result, "no");
    assert_int_equal(result.response->status, 404);
}

static void a_body_is_sent_with_its_length(void **state)
{
    static const weft_http_field fields[] = {{WEFT_BYTES("Content-Type"), WEFT_BYTES("text/plain")},
                                             {WEFT_BYTES("User-Agent"), WEFT_BYTES("me")},
                                             {WEFT_BYTES("Accept-Encoding"), WEFT_BYTES("identity")}};
    struct origin_result result;
    weft_http_call call = {.url = origin->url, .body = WEFT_BYTES("payload"), .fields = fields, .field_count = 3};
    char expected[256];

    (void)state;
    origin_will_say(origin, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    origin_fetch(&world, ROOT, &call, &result);
    expect_body(&result, "");
    snprintf(expected, sizeof expected,
             "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nUser-Agent: me\r\n"
             "Accept-Encoding: identity\r\nContent-Length: 7\r\n\r\npayload",
             origin->host);
    assert_string_equal(origin->requests[0], expected);
}

static void a_post_without_a_body_says_so(void **state)
{
    struct origin_result result;
    weft_http_call call = {.url = origin->url, .method = "POST"};

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, 0);
    assert_true(origin_got(origin, 0, "Content-Length: 0\r\n"));
}

static void a_large_body_is_sent_and_received(void **state)
{
    enum { SIZE = 9 * 1024 * 1024 };
    char *body = malloc(SIZE), *answer = malloc(SIZE + 100);
    struct origin_result result;
    weft_http_call call = {.url = origin->url, .body = {body, SIZE}};
    int head;

    (void)state;
    assert_true(body && answer);
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (char)('a' + i % 23);
    head = snprintf(answer, 100, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
    memcpy(answer + head, body, SIZE);
    origin_will(origin, (struct origin_answer){.text = answer, .length = (size_t)head + SIZE});
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, 0);
    assert_int_equal(result.response->body.length, SIZE);
    assert_memory_equal(result.response->body.data, body, SIZE);
    assert_true(strlen(origin->requests[0]) > SIZE);
    assert_memory_equal(origin->requests[0] + strlen(origin->requests[0]) - SIZE, body, SIZE);
    free(body);
    free(answer);
}

static void interim_responses_are_passed_by(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will_say(origin, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    get("/", &result);
    expect_body(&result, "x");
    assert_int_equal(result.response->field_count, 1);
}

static void what_is_asked_for_outlives_its_call(void **state)
{
    struct origin_result result;
    char url[WEFT_LISTENER_URL + 8], body[] = "before", name[] = "X-A", value[] = "one";
    weft_http_field field = {{name, 3}, {value, 3}};
    weft_http_call call = {.url = url, .body = {body, 6}, .fields = &field, .field_count = 1};

    (void)state;
    snprintf(url, sizeof url, "%s/x", origin->url);
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    (void)origin_begin(&world, ROOT, &call, &result);
    memset(url, 'z', sizeof url - 1);
    memset(body, 'z', 6);
    memset(name, 'z', 3);
    memset(value, 'z', 3);
    origin_wait(&world, &result);
    assert_int_equal(result.error, 0);
    assert_true(origin_got(origin, 0, "POST /x HTTP/1.1\r\n"));
    assert_true(origin_got(origin, 0, "X-A: one\r\n"));
    assert_true(origin_got(origin, 0, "\r\n\r\nbefore"));
}

static void a_response_dies_with_its_scope_and_not_before(void **state)
{
    weft_scope *scope = weft_scope_open(ROOT, WEFT_NEVER);
    struct origin_result result;
    size_t before;

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    origin_get(&world, scope, origin, "/", &result);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    origin_pass(&world, WEFT_SECONDS(1));
    expect_body(&result, "ok");
    before = support_live();
    weft_scope_close(scope);
    assert_true(support_live() < before);
}

static void basic_credentials_are_sent(void **state)
{
    struct origin_result result;
    weft_http_call call = {.url = origin->url, .user = "Aladdin", .password = "open sesame"};

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    origin_fetch(&world, ROOT, &call, &result);
    assert_true(origin_got(origin, 0, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")); /* RFC 7617 §2 */
}

static void credentials_in_a_url_need_leave(void **state)
{
    struct origin_result result;
    char url[128];
    weft_http_call call = {.url = url};

    (void)state;
    snprintf(url, sizeof url, "http://a%%40b:c%%3Ad@%s/x", origin->host);
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_EURL);
    call.url_credentials = true;
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, 0);
    assert_true(origin_got(origin, 0, "Authorization: Basic YUBiOmM6ZA==\r\n")); /* a@b:c:d */
    assert_false(origin_got(origin, 0, "@"));
    assert_null(strchr(result.response->url.data, '@'));
    call.user = "other";
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_EURL);
}

static void the_short_form_uses_the_loops_own_client(void **state)
{
    weft_http_reply reply;

    (void)state;
    for (int i = 0; i < 2; i++) {
        weft_http_response *response = NULL;

        origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        reply = weft_http_get(ROOT, origin->url);
        weft_deferred_ref(reply.deferred);
        while (!weft_deferred_ready(reply.deferred))
            assert_true(weft_loop_step(world.loop) >= 0);
        assert_int_equal(weft_peek(reply, &response), 0);
        assert_string_equal(response->body.data, "hi");
        weft_forget(reply.deferred);
        weft_deferred_unref(reply.deferred);
    }
    assert_int_equal(origin->connections, 1);
    assert_int_equal(weft_counters_read(weft_loop_counters(world.loop), "http.client.connections"), 1);
    assert_int_equal(weft_counters_read(weft_loop_counters(world.loop), "http.client.reused"), 1);
}

static void a_failure_tells_what_was_asked_for_and_what_was_wrong(void **state)
{
    struct origin_result result;
    char expected[300];

    (void)state;
    origin_will_say(origin, "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok");
    get("/x", &result);
    assert_int_equal(result.error, WEFT_EPROTOCOL);
    snprintf(expected, sizeof expected, "GET %s/x: a line ends with a bare LF: the peer broke the protocol",
             origin->url);
    assert_string_equal(result.story, expected);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(a_whole_response_is_fetched),
        test(a_url_without_a_path_asks_for_the_root),
        test(chunks_and_trailers_are_read),
        test(a_body_until_the_end_of_the_stream_is_read),
        test(a_head_request_has_no_body),
        test(a_status_of_an_error_is_a_response),
        test(a_body_is_sent_with_its_length),
        test(a_post_without_a_body_says_so),
        test(a_large_body_is_sent_and_received),
        test(interim_responses_are_passed_by),
        test(what_is_asked_for_outlives_its_call),
        test(a_response_dies_with_its_scope_and_not_before),
        test(basic_credentials_are_sent),
        test(credentials_in_a_url_need_leave),
        test(the_short_form_uses_the_loops_own_client),
        test(a_failure_tells_what_was_asked_for_and_what_was_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
