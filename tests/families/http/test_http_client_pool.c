/* SPDX-License-Identifier: MIT */
/* Which connections are used again, and which are not; who waits. */
#include "families/http/origin.h"

#include <stdio.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ROOT weft_loop_scope(world.loop)

static struct origin_world world;
static struct origin *origin;

static void open_with(const weft_http_client_options *options)
{
    origin_open(&world, options, NULL, 1);
    origin = &world.origins[0];
}

static void get(struct origin_result *result)
{
    origin_get(&world, ROOT, origin, "/", result);
}

static void expect_ok(const struct origin_result *result)
{
    assert_int_equal(result->error, 0);
    assert_string_equal(result->response->body.data, "ok");
}

static uint64_t counted(const char *name)
{
    return weft_counters_read(weft_loop_counters(world.loop), name);
}

static void a_connection_is_used_again(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    for (int i = 0; i < 20; i++) {
        origin_will_say(origin,
                        i % 2 ? OK : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        get(&result);
        expect_ok(&result);
    }
    assert_int_equal(origin->connections, 1);
    assert_int_equal(counted("http.client.reused"), 19);
    origin_close(&world);
}

static int fetch_by_default(weft_scope *scope)
{
    weft_http_reply reply = weft_http_get(scope, origin->url);
    weft_http_response *response;
    int status;

    weft_deferred_ref(reply.deferred);
    origin_pass(&world, WEFT_SECONDS(1));
    status = weft_peek(reply, &response);
    weft_forget(reply.deferred);
    weft_deferred_unref(reply.deferred);
    return status;
}

static void a_loop_has_one_client_of_its_own(void **state)
{
    struct origin_world other;

    (void)state;
    open_with(NULL);
    origin_open(&other, NULL, NULL, 2);
    for (int i = 0; i < 3; i++) {
        origin_will_say(origin, OK);
        assert_int_equal(fetch_by_default(ROOT), 0);
    }
    assert_int_equal(origin->connections, 1);
    assert_int_equal(counted("http.client.connections"), 1);
    assert_int_equal(weft_counters_read(weft_loop_counters(other.loop), "http.client.connections"), 0);
    origin_close(&other);
    origin_close(&world);
}

/* What outlives the loop's own client, since it is shielded, gets no connection from it any more. */
static void a_client_that_ends_takes_no_requests(void **state)
{
    weft_http_response *response;
    weft_http_reply reply;
    weft_scope *shielded;

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    assert_int_equal(fetch_by_default(ROOT), 0);
    shielded = weft_scope_open_shielded(ROOT, WEFT_SECONDS(5));
    assert_non_null(shielded);
    weft_scope_cancel(ROOT, WEFT_ECANCELED);
    reply = weft_http_get(shielded, origin->url);
    assert_int_equal(weft_peek(reply, &response), WEFT_ECANCELED);
    weft_forget(reply.deferred);
    weft_scope_close(shielded);
    origin_close(&world);
}

/* RFC 9112 §9.3, §9.6: whatever leaves a doubt about where the next response begins ends the connection. */
static void a_connection_in_doubt_is_not_used_again(void **state)
{
    static const struct origin_answer answers[] = {
        {.text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"},
        {.text = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"},
        {.text = "HTTP/1.1 200 OK\r\n\r\nok", .then = THEN_CLOSE},
        {.text = OK "x"},
        {.text = OK OK},
        {.text = OK "\r\n"},
        {.text = OK, .then = THEN_CLOSE},
        {.text = OK, .then = THEN_END},
    };
    struct origin_result result;
    unsigned count = sizeof answers / sizeof *answers;

    (void)state;
    open_with(NULL);
    for (unsigned i = 0; i < count; i++) {
        origin_will(origin, answers[i]);
        get(&result);
        expect_ok(&result);
        origin_pass(&world, WEFT_SECONDS(1));
        assert_int_equal(origin->connections, i + 1);
    }
    origin_close(&world);
}

/* H1-35: a response that nobody asked for is not that of the next request. */
static void h1_35_bytes_on_an_idle_connection_close_it(void **state)
{
    static const char poison[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    get(&result);
    expect_ok(&result);
    origin_will(origin, (struct origin_answer){.text = OK});
    origin_will(origin, (struct origin_answer){.text = poison, .delay = WEFT_SECONDS(3)});
    get(&result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 1);
    /* the script's third answer goes out on the same connection, unasked for, while that is idle */
    origin_forget(origin);
    origin_will(origin, (struct origin_answer){.text = OK "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"});
    origin_will_say(origin, OK);
    get(&result);
    expect_ok(&result);
    origin_pass(&world, WEFT_SECONDS(5));
    get(&result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 2);
    origin_close(&world);
}

/* A server that closes when it has been idle: the next request meets the end, and is sent again. */
static void a_stale_connection_costs_one_repetition(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    get(&result);
    origin_will(origin, (struct origin_answer){.then = THEN_RESET});
    origin_will_say(origin, OK);
    get(&result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 2);
    assert_int_equal(counted("http.client.repeated"), 1);
    origin_will(origin, (struct origin_answer){.then = THEN_CLOSE});
    origin_will(origin, (struct origin_answer){.then = THEN_CLOSE});
    get(&result);
    assert_int_equal(result.error, WEFT_ETRUNCATED); /* once, not for ever */
    assert_int_equal(counted("http.client.repeated"), 2);
    origin_close(&world);
}

/* RFC 9110 §9.2.2 */
static void what_must_not_be_done_twice_is_not_repeated(void **state)
{
    static const char *const methods[] = {"POST", "PATCH", "LOCK"};
    struct origin_result result;

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 3; i++) {
        weft_http_call call = {.url = origin->url, .method = methods[i], .body = WEFT_BYTES("x")};

        origin_will_say(origin, OK);
        get(&result);
        origin_will(origin, (struct origin_answer){.then = THEN_RESET});
        origin_fetch(&world, ROOT, &call, &result);
        assert_int_equal(result.error, -ECONNRESET);
    }
    assert_int_equal(counted("http.client.repeated"), 0);
    origin_close(&world);
}

static void a_body_in_memory_is_repeated(void **state)
{
    struct origin_result result;
    weft_http_call call = {.method = "PUT", .body = WEFT_BYTES("again")};

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    origin_will_say(origin, OK);
    get(&result);
    origin_will(origin, (struct origin_answer){.then = THEN_RESET});
    origin_will_say(origin, OK);
    origin_fetch(&world, ROOT, &call, &result);
    expect_ok(&result);
    assert_true(origin_got(origin, 1, "\r\n\r\nagain"));
    assert_true(origin_got(origin, 2, "\r\n\r\nagain"));
    origin_close(&world);
}

static void nothing_is_repeated_after_the_first_byte(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    get(&result);
    origin_will(origin, (struct origin_answer){.text = "H", .then = THEN_CLOSE});
    get(&result);
    assert_int_equal(result.error, WEFT_ETRUNCATED);
    assert_int_equal(origin->connections, 1);
    origin_close(&world);
}

static void a_new_connection_that_fails_is_not_tried_again(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.then = THEN_CLOSE});
    get(&result);
    assert_int_equal(result.error, WEFT_ETRUNCATED);
    origin_will(origin, (struct origin_answer){.then = THEN_RESET});
    get(&result);
    assert_int_equal(result.error, -ECONNRESET);
    assert_int_equal(origin->connections, 2);
    origin_close(&world);
}

/* H1-33, with real connections: another host name, port or way is another connection. */
static void h1_33_connections_are_not_shared_between_origins(void **state)
{
    struct origin_result result;
    char url[WEFT_LISTENER_URL + 8], through[WEFT_LISTENER_URL + 8];
    weft_http_call call = {.url = url};

    (void)state;
    open_with(NULL);
    for (int i = 0; i < 5; i++)
        origin_will_say(origin, OK);
    get(&result);
    snprintf(url, sizeof url, "http://localhost%s/", strrchr(origin->url, ':')); /* the same address by another name */
    origin_fetch(&world, ROOT, &call, &result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 2);
    snprintf(url, sizeof url, "%s/", origin->url);
    snprintf(through, sizeof through, "tcp%s", strstr(origin->url, "://"));
    call.through = through;
    origin_fetch(&world, ROOT, &call, &result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 3);
    snprintf(url, sizeof url, "http://elsewhere.example/");
    origin_fetch(&world, ROOT, &call, &result);
    expect_ok(&result);
    assert_int_equal(origin->connections, 4);
    assert_true(origin_got(origin, 3, "Host: elsewhere.example\r\n"));
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(origin->connections, 4);
    origin_close(&world);
}

static void an_idle_connection_is_closed_in_time_and_keeps_no_loop_running(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .idle_time = WEFT_SECONDS(7)};
    struct origin_result result;

    (void)state;
    open_with(&options);
    origin_will_say(origin, OK);
    get(&result);
    origin_pass(&world, WEFT_SECONDS(6));
    assert_int_equal(origin->open, 1);
    origin_pass(&world, WEFT_SECONDS(2));
    assert_int_equal(origin->open, 0);
    origin_close(&world);
}

static void a_connection_has_its_uses(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .uses = 2};
    struct origin_result result;

    (void)state;
    open_with(&options);
    for (int i = 0; i < 5; i++) {
        origin_will_say(origin, OK);
        get(&result);
        expect_ok(&result);
    }
    assert_int_equal(origin->connections, 3);
    origin_close(&world);
}

/* -- limits -- */

static void begin_many(struct origin_result *results, size_t count, struct origin *at)
{
    weft_http_call call = {.url = at->url};

    for (size_t i = 0; i < count; i++)
        (void)origin_begin(&world, ROOT, &call, &results[i]);
}

static void requests_wait_for_their_turn(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .per_host = 3};
    struct origin_result results[12];

    (void)state;
    open_with(&options);
    for (int i = 0; i < 12; i++)
        origin_will(origin, (struct origin_answer){.text = OK, .delay = WEFT_MILLISECONDS(10)});
    begin_many(results, 12, origin);
    for (size_t i = 0; i < 12; i++) {
        origin_wait(&world, &results[i]);
        expect_ok(&results[i]);
    }
    assert_int_equal(origin->connections, 3);
    assert_int_equal(origin->request_count, 12);
    origin_close(&world);
}

static void an_idle_connection_makes_room_for_another_host(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .connections = 2};
    struct origin_result result;

    (void)state;
    open_with(&options);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < ORIGINS; i++) {
            origin_will_say(&world.origins[i], OK);
            origin_get(&world, ROOT, &world.origins[i], "/", &result);
            expect_ok(&result);
            assert_true(world.origins[0].open + world.origins[1].open + world.origins[2].open <= 2);
        }
    origin_close(&world);
}

static void a_host_that_is_full_does_not_hold_up_another(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .per_host = 1};
    struct origin_result blocked[4], result;

    (void)state;
    open_with(&options);
    begin_many(blocked, 4, origin); /* it says nothing */
    origin_will_say(&world.origins[1], OK);
    origin_get(&world, ROOT, &world.origins[1], "/", &result);
    expect_ok(&result);
    for (int i = 0; i < 4; i++)
        assert_false(blocked[i].done);
    weft_http_client_close(world.client);
    for (int i = 0; i < 4; i++) {
        origin_wait(&world, &blocked[i]);
        assert_int_equal(blocked[i].error, WEFT_ECANCELED);
    }
    origin_close(&world);
}

static void the_queue_has_an_end(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .per_host = 1, .waiting = 3};
    struct origin_result results[5];

    (void)state;
    open_with(&options);
    begin_many(results, 1, origin);
    origin_pass(&world, WEFT_SECONDS(1));
    begin_many(results + 1, 4, origin);
    assert_true(results[4].done);
    assert_int_equal(results[4].error, WEFT_EQUEUE);
    weft_http_client_close(world.client);
    origin_wait(&world, &results[3]);
    origin_close(&world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_connection_is_used_again),
        support_test(a_loop_has_one_client_of_its_own),
        support_test(a_client_that_ends_takes_no_requests),
        support_test(a_connection_in_doubt_is_not_used_again),
        support_test(h1_35_bytes_on_an_idle_connection_close_it),
        support_test(a_stale_connection_costs_one_repetition),
        support_test(what_must_not_be_done_twice_is_not_repeated),
        support_test(a_body_in_memory_is_repeated),
        support_test(nothing_is_repeated_after_the_first_byte),
        support_test(a_new_connection_that_fails_is_not_tried_again),
        support_test(h1_33_connections_are_not_shared_between_origins),
        support_test(an_idle_connection_is_closed_in_time_and_keeps_no_loop_running),
        support_test(a_connection_has_its_uses),
        support_test(requests_wait_for_their_turn),
        support_test(an_idle_connection_makes_room_for_another_host),
        support_test(a_host_that_is_full_does_not_hold_up_another),
        support_test(the_queue_has_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
