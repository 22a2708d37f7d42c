/* SPDX-License-Identifier: MIT */
/* hiredis on a loop, against a server whose socket the first argument names. */
#include <weft/adapters/hiredis.h>

#include <signal.h>

#include "adapters/host_test.h"

#define COMMANDS 10000

static const char *path;
static unsigned answered, given_up;
static bool connected, disconnected;

static void on_connect(const redisAsyncContext *redis, int status)
{
    (void)redis;
    connected = status == REDIS_OK;
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
    (void)redis;
    (void)status;
    disconnected = true;
}

static redisAsyncContext *attach(weft_scope *scope)
{
    redisAsyncContext *redis = redisAsyncConnectUnix(path);

    answered = given_up = 0;
    connected = disconnected = false;
    assert_non_null(redis);
    assert_int_equal(redis->err, 0);
    assert_int_equal(weft_hiredis_attach(scope, redis), 0);
    redisAsyncSetConnectCallback(redis, on_connect);
    redisAsyncSetDisconnectCallback(redis, on_disconnect);
    return redis;
}

static void count(redisAsyncContext *redis, void *reply, void *arg)
{
    const redisReply *value = reply;

    (void)arg;
    if (!value) {
        given_up++;
        return;
    }
    assert_int_equal(value->type, REDIS_REPLY_INTEGER);
    assert_int_equal(value->integer, ++answered);
    if (answered == COMMANDS)
        redisAsyncDisconnect(redis);
}

static void ten_thousand_commands_are_answered_in_order(void **state)
{
    weft_loop *loop = loop_on("epoll");
    redisAsyncContext *redis = attach(weft_loop_scope(loop));

    (void)state;
    redisAsyncCommand(redis, NULL, NULL, "DEL counter");
    for (int i = 0; i < COMMANDS; i++)
        redisAsyncCommand(redis, count, NULL, "INCR counter");
    run(loop); /* returns when it has disconnected */
    assert_true(connected);
    assert_true(disconnected);
    assert_int_equal(answered, COMMANDS);
    assert_int_equal(given_up, 0);
    weft_loop_free(loop);
}

static weft_scope *scope;

static void close_scope(weft_timer *timer)
{
    (void)timer;
    weft_scope_close(scope);
}

/* BLPOP on a list that nobody fills waits for ever. */
static void the_end_of_the_scope_gives_commands_up(void **state)
{
    weft_loop *loop = loop_on("epoll");
    redisAsyncContext *redis;
    weft_timer timer;

    (void)state;
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    redis = attach(scope);
    redisAsyncCommand(redis, count, NULL, "BLPOP nothing 0");
    start_timer(&timer, loop, close_scope);
    weft_timer_start(&timer, 20 * MS);
    run(loop);
    assert_int_equal(given_up, 1);
    weft_timer_fini(&timer);
    weft_loop_free(loop);
}

static void free_in_reply(redisAsyncContext *redis, void *reply, void *arg)
{
    (void)arg;
    if (reply)
        redisAsyncFree(redis);
    else
        given_up++;
}

static void it_may_be_freed_in_a_reply(void **state)
{
    weft_loop *loop = loop_on("epoll");
    redisAsyncContext *redis = attach(weft_loop_scope(loop));

    (void)state;
    redisAsyncCommand(redis, free_in_reply, NULL, "PING");
    redisAsyncCommand(redis, free_in_reply, NULL, "PING");
    run(loop);
    assert_int_equal(given_up, 1);
    weft_loop_free(loop);
}

static void close_in_reply(redisAsyncContext *redis, void *reply, void *arg)
{
    (void)redis;
    (void)arg;
    if (reply)
        weft_scope_close(scope);
}

static void its_scope_may_be_closed_in_a_reply(void **state)
{
    weft_loop *loop = loop_on("epoll");

    (void)state;
    scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    redisAsyncCommand(attach(scope), close_in_reply, NULL, "PING");
    run(loop);
    weft_loop_free(loop);
}

static void want_of_memory_attaches_nothing(void **state)
{
    weft_loop *loop = loop_on("epoll");
    redisAsyncContext *redis = redisAsyncConnectUnix(path);

    (void)state;
    for (size_t k = 1; k <= 3; k++) {
        support_fail_at(k, false);
        assert_int_equal(weft_hiredis_attach(weft_loop_scope(loop), redis), WEFT_ENOMEM);
        support_fail_at(0, false);
        assert_null(redis->ev.data);
    }
    assert_int_equal(weft_hiredis_attach(weft_loop_scope(loop), redis), 0);
    assert_int_equal(weft_hiredis_attach(weft_loop_scope(loop), redis), -EALREADY);
    redisAsyncFree(redis);
    weft_loop_free(loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        support_test(ten_thousand_commands_are_answered_in_order),
        support_test(the_end_of_the_scope_gives_commands_up),
        support_test(it_may_be_freed_in_a_reply),
        support_test(its_scope_may_be_closed_in_a_reply),
        support_test(want_of_memory_attaches_nothing),
    };

    if (argc != 2)
        return 2;
    path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
