/* SPDX-License-Identifier: MIT */
/* H1-32: where redirects lead, and what never goes along. */
#include "families/http/origin.h"

#include <stdio.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ROOT weft_loop_scope(world.loop)

static struct origin_world world;
static struct origin *here, *there;
static char answers[ORIGIN_ANSWERS][512];
static size_t answer_count;

static int begin(void **state)
{
    support_setup(state);
    origin_open(&world, NULL, NULL, 1);
    here = &world.origins[0];
    there = &world.origins[1];
    answer_count = 0;
    return 0;
}

static int end(void **state)
{
    origin_close(&world);
    return support_teardown(state);
}

#define test(function) cmocka_unit_test_setup_teardown(function, begin, end)

static void redirect(struct origin *from, unsigned status, const char *to)
{
    char *text = answers[answer_count++];

    snprintf(text, sizeof *answers, "HTTP/1.1 %u Moved\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nmove", status, to);
    origin_will_say(from, text);
}

static void redirect_to(struct origin *from, unsigned status, const struct origin *to, const char *path)
{
    char url[256];

    snprintf(url, sizeof url, "%s%s", to->url, path);
    redirect(from, status, url);
}

static void fetch(weft_http_call call, struct origin_result *result)
{
    if (!call.url)
        call.url = here->url;
    origin_fetch(&world, ROOT, &call, result);
}

static void get(struct origin_result *result)
{
    fetch((weft_http_call){0}, result);
}

static void expect_ok(const struct origin_result *result, const struct origin *from, const char *path)
{
    char url[256];

    assert_int_equal(result->error, 0);
    assert_int_equal(result->response->status, 200);
    assert_string_equal(result->response->body.data, "ok");
    snprintf(url, sizeof url, "%s%s", from->url, path);
    assert_string_equal(result->response->url.data, url);
}

static void redirects_are_followed(void **state)
{
    static const unsigned statuses[] = {301, 302, 303, 307, 308};
    struct origin_result result;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        origin_forget(here);
        redirect(here, statuses[i], "/next?x=1#fragment");
        origin_will_say(here, OK);
        get(&result);
        expect_ok(&result, here, "/next?x=1");
        assert_int_equal(result.response->redirects, 1);
        assert_true(origin_got(here, 1, "GET /next?x=1 HTTP/1.1\r\n"));
    }
    assert_int_equal(here->connections, 1);
}

static void relative_locations_are_resolved(void **state)
{
    struct origin_result result;
    char url[256];

    (void)state;
    redirect(here, 302, "../d e");
    redirect(here, 302, "?q");
    origin_will_say(here, OK);
    snprintf(url, sizeof url, "%s/a/b/c", here->url);
    fetch((weft_http_call){.url = url}, &result);
    expect_ok(&result, here, "/a/d%20e?q");
}

static void other_statuses_are_responses(void **state)
{
    static const unsigned statuses[] = {300, 304, 305, 306, 309};
    struct origin_result result;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        origin_forget(here);
        redirect(here, statuses[i], "/next");
        if (statuses[i] == 304)
            here->answers[0].text = "HTTP/1.1 304 Not Modified\r\nLocation: /next\r\n\r\n";
        get(&result);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.response->status, statuses[i]);
    }
    origin_forget(here);
    origin_will_say(here, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    get(&result);
    assert_int_equal(result.response->status, 302);
    redirect(here, 302, "/next");
    fetch((weft_http_call){.keep_redirects = true}, &result);
    assert_int_equal(result.response->status, 302);
    assert_string_equal(result.response->body.data, "move");
}

/* RFC 9110 §15.4.2 to §15.4.9 */
static void the_method_and_the_body_change_as_the_standard_says(void **state)
{
    static const weft_http_field fields[] = {{WEFT_BYTES("Content-Type"), WEFT_BYTES("text/plain")},
                                             {WEFT_BYTES("X-Kept"), WEFT_BYTES("yes")},
                                             {WEFT_BYTES("Content-Language"), WEFT_BYTES("en")}};
    weft_http_call call = {.body = WEFT_BYTES("payload"), .fields = fields, .field_count = 3};
    struct origin_result result;

    (void)state;
    for (unsigned status = 301; status <= 308; status++) {
        bool keeps = status >= 307;

        if (status > 303 && !keeps)
            continue;
        origin_forget(here);
        redirect(here, status, "/next");
        origin_will_say(here, OK);
        fetch(call, &result);
        expect_ok(&result, here, "/next");
        assert_int_equal(origin_got(here, 1, "POST /next"), keeps);
        assert_int_equal(origin_got(here, 1, "GET /next"), !keeps);
        assert_int_equal(origin_got(here, 1, "payload"), keeps);
        assert_int_equal(origin_got(here, 1, "Content-Type"), keeps);
        assert_int_equal(origin_got(here, 1, "Content-Language"), keeps);
        assert_int_equal(origin_got(here, 1, "Content-Length"), keeps);
        assert_true(origin_got(here, 1, "X-Kept: yes\r\n"));
    }
}

/* What was a HEAD stays one: nobody waits for a body. */
static void a_head_stays_a_head(void **state)
{
    struct origin_result result;

    (void)state;
    origin_will_say(here, "HTTP/1.1 303 See Other\r\nLocation: /next\r\nContent-Length: 9\r\n\r\n");
    origin_will_say(here, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    fetch((weft_http_call){.method = "HEAD"}, &result);
    assert_int_equal(result.response->status, 200);
    assert_true(origin_got(here, 1, "HEAD /next"));
}

/* -- secrets -- */

static const weft_http_field secret_fields[] = {{WEFT_BYTES("Cookie"), WEFT_BYTES("SECRET1")},
                                                {WEFT_BYTES("Proxy-Authorization"), WEFT_BYTES("SECRET2")},
                                                {WEFT_BYTES("X-Open"), WEFT_BYTES("shown")}};
static const weft_http_field marked[] = {{WEFT_BYTES("X-Api-Key"), WEFT_BYTES("SECRET3")}};

#define WITH_SECRETS                                                                                       \
    .fields = secret_fields, .field_count = 3, .secrets = marked, .secret_count = 1, .user = "SECRETuser", \
    .password = "SECRETpassword"

static void expect_secrets(const struct origin *origin, size_t number, bool sent)
{
    assert_true(origin_got(origin, number, "X-Open: shown\r\n"));
    assert_int_equal(origin_got(origin, number, "SECRET1"), sent);
    assert_int_equal(origin_got(origin, number, "SECRET2"), sent);
    assert_int_equal(origin_got(origin, number, "SECRET3"), sent);
    assert_int_equal(origin_got(origin, number, "Authorization: Basic"), sent);
    if (!sent) {
        assert_false(origin_got(origin, number, "SECRET"));
        assert_false(origin_got(origin, number, "Cookie"));
        assert_false(origin_got(origin, number, "Authorization"));
    }
}

static void h1_32_secrets_stay_with_their_origin(void **state)
{
    struct origin_result result;

    (void)state;
    redirect(here, 302, "/same");
    redirect_to(here, 307, there, "/other");
    origin_will_say(there, OK);
    fetch((weft_http_call){WITH_SECRETS}, &result);
    expect_ok(&result, there, "/other");
    expect_secrets(here, 0, true);
    expect_secrets(here, 1, true);
    expect_secrets(there, 0, false);
}

/* Another name for the same address is another origin. */
static void h1_32_another_host_name_gets_no_secrets(void **state)
{
    struct origin_result result;
    char url[128];

    (void)state;
    snprintf(url, sizeof url, "http://localhost%s/", strrchr(here->url, ':'));
    redirect(here, 301, url);
    origin_will_say(here, OK);
    fetch((weft_http_call){WITH_SECRETS}, &result);
    expect_secrets(here, 0, true);
    expect_secrets(here, 1, false);
}

/* A detour does not bring them back: who sent us here may have chosen the path. */
static void h1_32_secrets_that_were_dropped_stay_so(void **state)
{
    struct origin_result result;

    (void)state;
    redirect_to(here, 302, there, "/");
    redirect_to(there, 302, here, "/back");
    origin_will_say(here, OK);
    fetch((weft_http_call){WITH_SECRETS}, &result);
    expect_ok(&result, here, "/back");
    expect_secrets(here, 0, true);
    expect_secrets(there, 0, false);
    expect_secrets(here, 1, false);
}

static void h1_32_credentials_in_urls_go_nowhere_else(void **state)
{
    struct origin_result result;
    char url[128];

    (void)state;
    snprintf(url, sizeof url, "http://SECRETu:SECRETp@%s/", here->host);
    redirect_to(here, 302, there, "/");
    snprintf(answers[answer_count], sizeof *answers,
             "HTTP/1.1 302 F\r\nLocation: http://chosen:byserver@%s/\r\nContent-Length: 0\r\n\r\n", there->host);
    origin_will_say(there, answers[answer_count++]);
    origin_will_say(there, OK);
    fetch((weft_http_call){.url = url, .url_credentials = true}, &result);
    expect_ok(&result, there, "/");
    assert_true(origin_got(here, 0, "Authorization: Basic"));
    for (size_t i = 0; i < 2; i++) {
        assert_false(origin_got(there, i, "Authorization"));
        assert_false(origin_got(there, i, "SECRET"));
        assert_false(origin_got(there, i, "chosen"));
    }
}

static void h1_32_no_referer_is_sent(void **state)
{
    struct origin_result result;

    (void)state;
    redirect_to(here, 302, there, "/");
    origin_will_say(there, OK);
    get(&result);
    assert_false(origin_got(there, 0, "Referer"));
}

/* -- limits -- */

static void h1_32_loops_end(void **state)
{
    struct origin_result result;

    (void)state;
    for (int i = 0; i < 20; i++) {
        redirect_to(here, 302, there, "/");
        redirect_to(there, 302, here, "/");
    }
    get(&result);
    assert_int_equal(result.error, WEFT_EREDIRECTS);
    assert_int_equal(here->request_count + there->request_count, 11);
    fetch((weft_http_call){.redirects = 2}, &result);
    assert_int_equal(result.error, WEFT_EREDIRECTS);
    assert_int_equal(here->request_count + there->request_count, 14);
}

static void h1_32_bad_locations_are_refused(void **state)
{
    static const struct {
        const char *to;
        int error;
    } cases[] = {
        {"file:///etc/passwd", WEFT_EREDIRECT},
        {"gopher://a/", WEFT_EREDIRECT},
        {"javascript:alert(1)", WEFT_EREDIRECT},
        {"unix:///run/x", WEFT_EREDIRECT},
        {"http://", WEFT_EREDIRECT},
        {"http:///x", WEFT_EREDIRECT},
        {"http://127.1/", WEFT_EREDIRECT},
        {"//0x7f.1/", WEFT_EREDIRECT},
        {"http://a\\b/", WEFT_EREDIRECT},
        {"http://[::1", WEFT_EREDIRECT},
        {"http://a:b:c/", WEFT_EREDIRECT},
        {"http://a/\r\nLocation: /", WEFT_EPROTOCOL},
        {"/tab\tin", WEFT_EREDIRECT},
    };
    struct origin_result result;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        origin_forget(here);
        answer_count = 0;
        redirect(here, 302, cases[i].to);
        support_set_context("%s", cases[i].to);
        get(&result);
        assert_int_equal(result.error, cases[i].error);
        support_clear_context();
    }
}

static void a_long_body_of_a_redirect_is_not_read(void **state)
{
    struct origin_result result;
    static char text[300000];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "HTTP/1.1 302 F\r\nLocation: /next\r\nContent-Length: 10000000\r\n\r\n", 62);
    origin_will(here, (struct origin_answer){.text = text, .length = sizeof text});
    origin_will_say(here, OK);
    get(&result);
    expect_ok(&result, here, "/next");
    assert_int_equal(here->connections, 2);
}

/* H1-36: what a filter refuses is not connected to, whichever way the URL came. */
static bool only_loopback(const weft_address *address, void *arg)
{
    unsigned *asked = arg;

    ++*asked;
    return address->family == WEFT_ADDRESS_IPV4 && address->ip[0] == 127 && address->ip[3] == 1;
}

static void h1_36_the_filter_sees_what_is_connected_to(void **state)
{
    unsigned asked = 0;
    weft_http_client_options options = {.size = sizeof options, .allow = only_loopback, .allow_arg = &asked};
    weft_http_client *client;
    struct origin_result result;
    static const char *const refused[] = {"http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/",
                                          "http://[::ffff:127.0.0.2]/", "http://127.0.0.2/"};

    (void)state;
    assert_int_equal(weft_http_client_new(ROOT, &options, &client), 0);
    weft_http_client_close(world.client);
    world.client = client;
    origin_will_say(here, OK);
    get(&result);
    expect_ok(&result, here, "/");
    assert_int_equal(asked, 1);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        fetch((weft_http_call){.url = refused[i]}, &result);
        assert_int_equal(result.error, WEFT_EADDRESS);
        redirect(here, 302, refused[i]);
        get(&result);
        assert_int_equal(result.error, WEFT_EADDRESS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(redirects_are_followed),
        test(relative_locations_are_resolved),
        test(other_statuses_are_responses),
        test(the_method_and_the_body_change_as_the_standard_says),
        test(a_head_stays_a_head),
        test(h1_32_secrets_stay_with_their_origin),
        test(h1_32_another_host_name_gets_no_secrets),
        test(h1_32_secrets_that_were_dropped_stay_so),
        test(h1_32_credentials_in_urls_go_nowhere_else),
        test(h1_32_no_referer_is_sent),
        test(h1_32_loops_end),
        test(h1_32_bad_locations_are_refused),
        test(a_long_body_of_a_redirect_is_not_read),
        test(h1_36_the_filter_sees_what_is_connected_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
