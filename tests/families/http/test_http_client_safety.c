/* SPDX-License-Identifier: MIT */
/* What a client must not do with what it was given: secrets, forbidden addresses, connections that cannot be trusted. */
#include "families/http/origin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct origin_world world;

static void a_password_is_in_no_story(void **state)
{
    static const struct {
        const char *url, *told;
    } urls[] = {
        {"https://alice:s3cret@@example.com/", "https://...@example.com/"},
        {"http://alice:s3cret@@example.com/", "http://...@example.com/"},
        {"ftp://alice:s3cret@example.com/", "ftp://...@example.com/"},
        {"alice:s3cret@", "...@"},
        {"ftp://example.com/alice:s3cret@", "a URL"},
    };

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        weft_http_call call = {.size = sizeof call, .url = urls[i].url, .url_credentials = i % 2 == 0};
        weft_http_reply reply = weft_http_fetch(weft_loop_scope(world.loop), &call);
        weft_http_response *response;
        char story[256] = "";

        assert_true(weft_peek(reply, &response) < 0);
        weft_failure_describe(weft_deferred_failure(reply.deferred), story, sizeof story);
        assert_non_null(strstr(story, ": "));
        assert_null(strstr(story, "s3cret"));
        assert_non_null(strstr(story, urls[i].told));
        weft_forget(reply.deferred);
    }
    origin_close(&world);
}

static bool only_ipv6(const weft_address *address, void *arg)
{
    ++*(unsigned *)arg;
    return address->family == WEFT_ADDRESS_IPV6;
}

static void a_mapped_address_is_asked_for_as_what_it_leads_to(void **state)
{
    unsigned asked = 0;
    weft_http_client_options options = {.size = sizeof options, .allow = only_ipv6, .allow_arg = &asked};
    weft_http_call call = {.size = sizeof call};
    weft_http_response *response;
    weft_http_reply reply;
    char url[128];

    (void)state;
    origin_open(&world, &options, NULL, 1);
    snprintf(url, sizeof url, "http://[::ffff:127.0.0.1]%s/", strrchr(world.origins[0].host, ':'));
    call.client = world.client;
    call.url = url;
    reply = weft_http_fetch(weft_loop_scope(world.loop), &call);
    weft_deferred_ref(reply.deferred);
    origin_pass(&world, WEFT_SECONDS(5));
    assert_int_equal(weft_peek(reply, &response), WEFT_EADDRESS);
    assert_int_equal(asked, 1);
    assert_int_equal(world.origins[0].connections, 0);
    weft_deferred_unref(reply.deferred);
    origin_close(&world);
}

static void a_204_that_announces_a_body_ends_its_connection(void **state)
{
    struct origin *origin = &world.origins[0];
    struct origin_result first, second;

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    origin_will(origin, (struct origin_answer){.text = "HTTP/1.1 204 No Content\r\nContent-Length: 42\r\n\r\n"});
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
    origin_get(&world, weft_loop_scope(world.loop), origin, "/", &first);
    assert_int_equal(first.error, 0);
    origin_get(&world, weft_loop_scope(world.loop), origin, "/", &second);
    assert_int_equal(second.error, 0);
    assert_int_equal(origin->connections, 2);
    origin_close(&world);
}

static void gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    (void)receiver;
    (void)request;
    (void)reason;
}

static void an_upgrade_needs_somebody_to_take_it(void **state)
{
    static const weft_http_receiver_ops ops = {.gone = gone};
    weft_http_receiver receiver = {.ops = &ops};
    weft_http_call call = {.size = sizeof call, .url = "http://127.0.0.1/", .upgrade = "echo"};

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    assert_int_equal(weft_http_request_start(weft_loop_scope(world.loop), &call, &receiver, NULL), -EINVAL);
    origin_close(&world);
}

/* As a program has it that was compiled before there was a total_time. */
static void a_shorter_call_is_not_read_beyond_its_end(void **state)
{
    size_t size = offsetof(weft_http_call, total_time);
    weft_http_call *call = malloc(size), whole = {.size = size, .client = NULL};
    struct origin *origin = &world.origins[0];
    weft_http_response *response;
    weft_http_reply reply;
    char url[256];

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
    snprintf(url, sizeof url, "%s/", origin->url);
    whole.url = url;
    whole.client = world.client;
    assert_non_null(call);
    memcpy((void *)call, &whole, size);
    reply = weft_http_fetch(weft_loop_scope(world.loop), call);
    weft_deferred_ref(reply.deferred);
    free(call);
    origin_pass(&world, WEFT_SECONDS(5));
    assert_int_equal(weft_peek(reply, &response), 0);
    weft_deferred_unref(reply.deferred);
    origin_close(&world);
}

static void a_call_without_a_size_is_refused(void **state)
{
    static const weft_http_receiver_ops ops = {.gone = gone};
    weft_http_receiver receiver = {.ops = &ops};
    weft_http_call call = {.url = "http://127.0.0.1/"};
    weft_http_response *response;
    weft_http_reply reply;

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    reply = weft_http_fetch(weft_loop_scope(world.loop), &call);
    assert_int_equal(weft_peek(reply, &response), -EINVAL);
    weft_forget(reply.deferred);
    assert_int_equal(weft_http_request_start(weft_loop_scope(world.loop), &call, &receiver, NULL), -EINVAL);
    origin_close(&world);
}

static void options_without_a_size_make_no_client(void **state)
{
    struct {
        weft_http_client_options known;
        uint64_t later; /* what a newer version may ask for */
    } options = {.known.size = 0};
    weft_http_client *client = NULL;

    (void)state;
    origin_open(&world, NULL, NULL, 1);
    assert_int_equal(weft_http_client_new(weft_loop_scope(world.loop), &options.known, &client), -EINVAL);
    options.known.size = sizeof options;
    options.later = 1;
    assert_int_equal(weft_http_client_new(weft_loop_scope(world.loop), &options.known, &client), -E2BIG);
    assert_null(client);
    assert_int_equal(weft_http_client_new(NULL, NULL, &client), WEFT_ENOMEM);
    origin_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_password_is_in_no_story),
        support_test(a_mapped_address_is_asked_for_as_what_it_leads_to),
        support_test(a_204_that_announces_a_body_ends_its_connection),
        support_test(an_upgrade_needs_somebody_to_take_it),
        support_test(a_shorter_call_is_not_read_beyond_its_end),
        support_test(a_call_without_a_size_is_refused),
        support_test(options_without_a_size_make_no_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
