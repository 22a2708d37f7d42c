/* SPDX-License-Identifier: MIT */
/* `allow`, which is asked for each address, ends what it is asked for: the request, others, the client, the scope. */
#include "families/http/origin.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROOT weft_loop_scope(world.loop)
#define REQUESTS 4

static struct origin_world world;

/* A request, and what became of it. */
struct asked {
    weft_http_receiver receiver;
    weft_http_request *request;
    unsigned gone;
    int reason;
};

static struct asked requests[REQUESTS];
static weft_scope *scope;

/* What the filter does, when it is asked for the address number `at`. */
static struct {
    void (*act)(void);
    unsigned at, asked;
    bool answer;
} filter;

/* What names are looked up to. */
static weft_address found[2];

int __wrap_names_resolve(const char *host, weft_address *ret, size_t room);
int __wrap_names_resolve(const char *host, weft_address *ret, size_t room)
{
    (void)host;
    assert_true(room >= 2);
    memcpy(ret, found, sizeof found);
    return 2;
}

static bool allow(const weft_address *address, void *arg)
{
    (void)address;
    assert_ptr_equal(arg, &filter);
    if (++filter.asked == filter.at)
        filter.act();
    return filter.answer;
}

static void gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct asked *asked = weft_container_of(receiver, struct asked, receiver);

    assert_ptr_equal(asked->request, request);
    asked->gone++;
    asked->reason = reason;
}

static const weft_http_receiver_ops ops = {.name = "test", .gone = gone};

/* -- what it does -- */

static void cancel_it(void)
{
    weft_http_request_cancel(requests[0].request, WEFT_ECANCELED);
}

static void cancel_the_next(void)
{
    weft_http_request_cancel(requests[1].request, WEFT_ECANCELED);
}

static void cancel_all(void)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].request)
            weft_http_request_cancel(requests[i].request, WEFT_ECANCELED);
}

static void close_the_client(void)
{
    weft_http_client_close(world.client);
    world.client = NULL;
}

static void cancel_the_scope(void)
{
    weft_scope_cancel(scope, WEFT_ECANCELED);
}

static void close_the_scope(void)
{
    weft_scope_close(scope);
    scope = NULL;
}

static void (*const acts[])(void) = {cancel_it, cancel_all, close_the_client, cancel_the_scope, close_the_scope};

/* -- where it does it -- */

static void start(struct asked *asked, const char *host)
{
    char url[128];
    weft_http_call call = {.size = sizeof call, .client = world.client, .url = url};

    snprintf(url, sizeof url, "http://%s/", host);
    asked->receiver.ops = &ops;
    assert_int_equal(weft_http_request_start(scope, &call, &asked->receiver, &asked->request), 0);
}

static void open_world(void (*act)(void), unsigned at, bool answer)
{
    weft_http_client_options options = {.size = sizeof options, .allow = allow, .allow_arg = &filter};

    memset(requests, 0, sizeof requests);
    memset(&filter, 0, sizeof filter);
    filter.act = act;
    filter.at = at;
    filter.answer = answer;
    origin_open(&world, &options, NULL, 1);
    scope = weft_scope_open(ROOT, WEFT_NEVER);
    assert_non_null(scope);
}

static void close_world(void)
{
    weft_scope_close(scope);
    origin_close(&world);
}

/* The filter, asked for the address number @p at of @p host, ends it. */
static void ends_at(const char *host, unsigned at, bool answer)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        open_world(acts[i], at, answer);
        start(&requests[0], host);
        origin_pass(&world, WEFT_SECONDS(5));
        assert_int_equal(requests[0].gone, 1);
        assert_int_equal(requests[0].reason, WEFT_ECANCELED);
        assert_int_equal(filter.asked, at);
        assert_int_equal(world.origins[0].connections, 0);
        close_world();
    }
}

static void asked_for_a_numeric_address_it_may_end_the_request(void **state)
{
    (void)state;
    ends_at("127.0.0.1:9", 1, true);
    ends_at("127.0.0.1:9", 1, false);
}

static void asked_after_a_look_up_it_may_end_the_request(void **state)
{
    (void)state;
    found[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 8}};
    found[1] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 9}};
    ends_at("one.example:9", 1, true);
    ends_at("one.example:9", 1, false);
    ends_at("one.example:9", 2, false);
}

static void asked_after_a_failed_attempt_it_may_end_the_request(void **state)
{
    (void)state;
    ends_at("localhost:9", 2, true);
    ends_at("one.example:9", 2, true);
}

/* Those that wait are walked while the filter ends some of them. */
static void it_may_end_requests_that_wait(void **state)
{
    (void)state;
    open_world(cancel_the_next, 1, false);
    for (size_t i = 0; i < REQUESTS; i++)
        start(&requests[i], "127.0.0.1:9");
    origin_pass(&world, WEFT_SECONDS(5));
    for (size_t i = 0; i < REQUESTS; i++) {
        assert_int_equal(requests[i].gone, 1);
        assert_int_equal(requests[i].reason, i == 1 ? WEFT_ECANCELED : WEFT_EADDRESS);
    }
    assert_int_equal(filter.asked, REQUESTS - 1);
    close_world();
}

static void start_another(void)
{
    start(&requests[1], "127.0.0.1:9");
}

static void it_may_start_requests(void **state)
{
    (void)state;
    open_world(start_another, 1, true);
    start(&requests[0], "127.0.0.1:9");
    origin_pass(&world, WEFT_SECONDS(5));
    assert_int_equal(requests[0].reason, -ECONNREFUSED);
    assert_int_equal(requests[1].reason, -ECONNREFUSED);
    close_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(asked_for_a_numeric_address_it_may_end_the_request),
        support_test(asked_after_a_look_up_it_may_end_the_request),
        support_test(asked_after_a_failed_attempt_it_may_end_the_request),
        support_test(it_may_end_requests_that_wait),
        support_test(it_may_start_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
