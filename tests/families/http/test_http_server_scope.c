/* SPDX-License-Identifier: MIT */
/* The scope of a connection: made when a handler asks for it, cancelled when the connection is lost. */
#include "families/http/web.h"

#include <stdlib.h>

#include "families/http/http_server.h"

#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

static weft_timer timers[4];
static weft_scope *scopes[4];
static size_t used;

static void fired(weft_timer *timer)
{
    (void)timer;
    fail_msg("a timer fired");
}

static void put_timer(struct web *web, weft_http_exchange *exchange)
{
    scopes[used] = WEB_CALL(web, weft_http_exchange_scope(exchange));
    assert_int_equal(weft_timer_init(&timers[used], scopes[used], fired), 0);
    weft_timer_start(&timers[used++], WEFT_HOURS(1));
}

static void answer_with_timer(struct web *web, weft_http_exchange *exchange)
{
    put_timer(web, exchange);
    web_echo_path(web, exchange);
}

static void keep_with_timer(struct web *web, weft_http_exchange *exchange)
{
    put_timer(web, exchange);
    web_keep_only(web, exchange);
}

static void check_lost(void (*handle)(struct web *, weft_http_exchange *))
{
    struct web web;
    struct web_client *leaves, *stays;

    used = 0;
    web_open(&web, NULL, handle);
    leaves = web_connect(&web);
    stays = web_connect(&web);
    web_send(leaves, GET);
    web_send(stays, GET);
    assert_int_equal(used, 2);
    assert_ptr_not_equal(scopes[0], scopes[1]);
    assert_ptr_equal(weft_scope_parent(scopes[0]), weft_scope_parent(scopes[1]));
    web_abort(leaves);
    web_pass(&web, WEFT_SECONDS(1));
    assert_false(weft_timer_active(&timers[0]));
    assert_true(weft_timer_active(&timers[1]));
    web_expect_open(stays);
    web_close(&web);
    assert_false(weft_timer_active(&timers[1]));
}

static void what_is_in_it_ends_with_its_connection_only(void **state)
{
    (void)state;
    check_lost(answer_with_timer);
    check_lost(keep_with_timer);
}

static void what_is_in_it_outlives_the_exchange(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    used = 0;
    web_open(&web, NULL, answer_with_timer);
    client = web_connect(&web);
    web_send(client, GET GET);
    web_expect(client, OK_2 "/x" OK_2 "/x");
    assert_ptr_equal(scopes[0], scopes[1]);
    assert_true(weft_timer_active(&timers[0]) && weft_timer_active(&timers[1]));
    assert_int_equal(weft_scope_cancelled(scopes[0]), 0);
    weft_timer_fini(&timers[0]);
    assert_true(weft_timer_active(&timers[1]));
    web_close(&web);
    assert_false(weft_timer_active(&timers[1]));
}

static void ask_only(struct web *web, weft_http_exchange *exchange)
{
    weft_scope *scope = WEB_CALL(web, weft_http_exchange_scope(exchange));

    assert_non_null(scope);
    assert_ptr_equal(scope, WEB_CALL(web, weft_http_exchange_scope(exchange)));
    assert_int_equal(weft_scope_count(scope), 0);
    web_echo_path(web, exchange);
}

static void an_idle_connection_pays_for_no_empty_scope(void **state)
{
    struct web web;
    struct web_client *client;
    size_t without;

    (void)state;
    web_open(&web, NULL, web_echo_path);
    client = web_connect(&web);
    client->counts = true;
    web_send(client, GET);
    without = support_live();
    web.handle = ask_only;
    for (int i = 0; i < 3; i++)
        web_send(client, GET);
    assert_int_equal(web.requests, 4);
    assert_int_equal(support_live(), without);
    web_close(&web);
}

static void the_size_of_an_idle_connection_is_known(void **state)
{
    (void)state;
    assert_true(sizeof(struct http_connection) <= 120); /* with eight more the allocator takes sixteen more */
}

/* The listener's scope goes first. */
static void the_end_of_the_loop_ends_it(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    used = 0;
    web_open(&web, NULL, keep_with_timer);
    client = web_connect(&web);
    web_send(client, GET);
    web_close(&web);
    assert_false(weft_timer_active(&timers[0]));
}

static void try_to_ask(struct web *web, weft_http_exchange *exchange)
{
    (void)weft_http_exchange_scope(exchange);
    (void)web_answer(web, exchange, "ok");
}

static void it_may_not_be_made_when_memory_is_short(void **state)
{
    static const struct web_torture torture = {.handle = try_to_ask, .request = GET GET, .undisturbed = GET};

    (void)state;
    web_torture(&torture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(what_is_in_it_ends_with_its_connection_only),
        support_test(what_is_in_it_outlives_the_exchange),
        support_test(an_idle_connection_pays_for_no_empty_scope),
        support_test(the_size_of_an_idle_connection_is_known),
        support_test(the_end_of_the_loop_ends_it),
        support_test(it_may_not_be_made_when_memory_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
