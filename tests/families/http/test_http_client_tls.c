/* SPDX-License-Identifier: MIT */
/* The HTTP client over TLS: whom it trusts, what it says, and what ends too early. */
#include "families/http/origin.h"

#include <stdio.h>

#include <weft/tls.h>

#include "net/listener_internal.h"
#include "net/tls.h"
#include "net/tls/credentials.h"

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct credentials authority, stranger, here, elsewhere;
static struct origin_world world;
static struct origin *origin = &world.origins[0];
static char url[128];

static int make_credentials(void **state)
{
    (void)state;
    credentials_make(&authority, NULL, &(struct credentials_kind){.authority = true, .subject = "An Authority"});
    credentials_make(&stranger, NULL, &(struct credentials_kind){.authority = true, .subject = "A Stranger"});
    credentials_make(&here, &authority, &(struct credentials_kind){.names = "DNS:localhost,IP:127.0.0.1"});
    credentials_make(&elsewhere, &authority, &(struct credentials_kind){.names = "DNS:elsewhere.example"});
    return 0;
}

static int free_credentials(void **state)
{
    (void)state;
    credentials_free(&authority);
    credentials_free(&stranger);
    credentials_free(&here);
    credentials_free(&elsewhere);
    return 0;
}

/* A server that shows @p shown, or speaks no TLS, and a client that trusts @p trusted. */
static void open_world(const struct credentials *shown, const struct credentials *trusted)
{
    const weft_tls_client_options trusts = {.size = sizeof trusts, .ca = weft_bytes_from(trusted->chain)};
    weft_http_client_options options = {.size = sizeof options};

    assert_int_equal(weft_tls_client_new(&trusts, &options.tls, NULL), 0);
    origin_open(&world, &options, NULL, 1);
    weft_tls_client_unref(options.tls);
    snprintf(url, sizeof url, "https://localhost:%s/", strrchr(origin->url, ':') + 1);
    if (shown) {
        const weft_tls_identity identity = credentials_identity(shown);
        const weft_tls_server_options server_options = {
            .size = sizeof server_options, .identities = &identity, .identity_count = 1};
        weft_tls_server *server;

        assert_int_equal(weft_tls_server_new(&server_options, &server, NULL), 0);
        assert_int_equal(tls_server_maker(server, &origin->listener->layers), 0);
        weft_tls_server_unref(server);
    }
}

static void fetch(struct origin_result *result)
{
    weft_http_call call = {.url = url};

    origin_fetch(&world, weft_loop_scope(world.loop), &call, result);
}

static void a_page_comes_and_the_connection_is_kept(void **state)
{
    struct origin_result result;

    (void)state;
    open_world(&here, &authority);
    for (int i = 0; i < 3; i++) {
        origin_will_say(origin, ANSWER);
        fetch(&result);
        assert_int_equal(result.error, 0);
        assert_int_equal(result.response->status, 200);
    }
    assert_int_equal(origin->connections, 1);
    origin_close(&world);
}

static void another_name_is_refused_and_told(void **state)
{
    struct origin_result result;

    (void)state;
    open_world(&elsewhere, &authority);
    fetch(&result);
    assert_int_equal(result.error, WEFT_ETLSNAME);
    assert_non_null(strstr(result.story, "localhost"));
    assert_int_equal(origin->request_count, 0);
    origin_close(&world);
}

static void a_stranger_is_refused(void **state)
{
    struct origin_result result;

    (void)state;
    open_world(&here, &stranger);
    fetch(&result);
    assert_int_equal(result.error, WEFT_ETLSUNTRUSTED);
    assert_int_equal(origin->request_count, 0);
    origin_close(&world);
}

static void a_server_without_tls_is_no_server_for_https(void **state)
{
    struct origin_result result;

    (void)state;
    open_world(NULL, &authority);
    origin->answers[origin->answer_count++] =
        (struct origin_answer){.text = "HTTP/1.1 400 Bad Request\r\n\r\n", .on_connect = true, .then = THEN_CLOSE};
    fetch(&result);
    assert_true(result.error <= WEFT_ETLSHANDSHAKE && result.error > -5300);
    origin_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_page_comes_and_the_connection_is_kept),
        support_test(another_name_is_refused_and_told),
        support_test(a_stranger_is_refused),
        support_test(a_server_without_tls_is_no_server_for_https),
    };

    return cmocka_run_group_tests(tests, make_credentials, free_credentials);
}
