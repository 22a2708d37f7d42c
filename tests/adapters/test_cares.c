/* SPDX-License-Identifier: MIT */
/* c-ares on a loop, against the server of dns_server.py, whose address and port the first argument has. */
#include <weft/adapters/cares.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "adapters/host_test.h"

static const char *server;

#define NAMES 200

/* Nothing of this system's own configuration, and little patience. */
static weft_cares *channel_on(weft_scope *scope, const char *servers)
{
    char lookups[] = "b", path[] = "/dev/null";
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH, .timeout = 100, .tries = 2, .lookups = lookups, .resolvconf_path = path};
    weft_cares *cares = NULL;

    assert_int_equal(
        weft_cares_new(scope, &options,
                       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF,
                       &cares),
        0);
    assert_int_equal(ares_set_servers_ports_csv(weft_cares_channel(cares), servers), ARES_SUCCESS);
    return cares;
}

static weft_cares_result ask(weft_cares *cares, const char *name)
{
    static const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT};

    return weft_cares_addresses(cares, name, NULL, &hints);
}

/* Frees the addresses. @return how many there were, or the error */
static int addresses_of(weft_cares_result result)
{
    struct ares_addrinfo *addresses;
    int count = 0, status = weft_peek(result, &addresses);

    if (status < 0)
        return status;
    for (const struct ares_addrinfo_node *node = addresses->nodes; node; node = node->ai_next)
        count++;
    ares_freeaddrinfo(addresses);
    return count;
}

/* Asks for one name, and returns what addresses_of does; if @p words are given they are in the story of its error. */
static int look_up(const char *servers, const char *name, const char *words)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), servers);
    weft_cares_result result = ask(cares, name);
    int count;

    run(loop); /* returns when c-ares has closed its sockets */
    if (words) {
        const weft_failure *failure = weft_deferred_failure(result.deferred);
        assert_non_null(failure);
        if (!strstr(weft_failure_text(failure), words))
            fail_msg("the story is: %s", weft_failure_text(failure));
    }
    count = addresses_of(result);
    weft_cares_free(cares);
    weft_loop_free(loop);
    return count;
}

static void a_name_has_addresses_of_both_kinds(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "good.test", NULL), 2);
}

static void many_names_are_asked_for_at_once(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), server);
    weft_cares_result results[NAMES];
    char name[20];

    (void)state;
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        results[i] = ask(cares, name);
    }
    run(loop);
    for (int i = 0; i < NAMES; i++) {
        struct ares_addrinfo *addresses;
        bool found = false;

        assert_int_equal(weft_peek(results[i], &addresses), 0);
        for (const struct ares_addrinfo_node *node = addresses->nodes; node; node = node->ai_next)
            found = found || (node->ai_family == AF_INET &&
                              ((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr.s_addr ==
                                  htonl(0xc0000200U + (unsigned)i));
        assert_true(found);
        ares_freeaddrinfo(addresses);
    }
    weft_cares_free(cares);
    weft_loop_free(loop);
}

static void what_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "nobody.test", "Domain name not found"), WEFT_ENONAME);
    assert_int_equal(look_up(server, "empty.test", "no data"), WEFT_ENONAME);
}

static void a_server_that_refuses_or_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "refused.test", "c-ares: "), WEFT_ENAMETRY);
    assert_int_equal(look_up("127.0.0.1:1", "good.test", "Could not contact DNS servers"), WEFT_ENAMETRY);
}

static void silence_is_a_time_out(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "silent.test", "Timeout"), WEFT_ENAMETIME);
}

static void a_datagram_that_was_lost_is_sent_again(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "late.test", NULL), 2);
}

static void an_answer_that_is_too_large_comes_by_tcp(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "large.test", NULL), 200);
}

static void a_server_that_ends_in_the_middle_of_an_answer_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(look_up(server, "broken.test", "c-ares: "), WEFT_ENAMETRY);
}

/* -- cancelling -- */

static void one_may_be_cancelled_and_the_others_go_on(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), server);
    weft_cares_result cancelled = ask(cares, "good.test"), other = ask(cares, "n7.test");

    (void)state;
    weft_cancel(cancelled.deferred);
    assert_int_equal(addresses_of(cancelled), WEFT_ECANCELED);
    run(loop);
    assert_int_equal(addresses_of(other), 2);
    weft_cares_free(cares);
    weft_loop_free(loop);
}

static void ares_cancel_cancels_all_and_lets_the_loop_end(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), server);
    weft_cares_result one = ask(cares, "silent.test"), two = ask(cares, "good.test");

    (void)state;
    ares_cancel(weft_cares_channel(cares));
    assert_int_equal(addresses_of(one), WEFT_ECANCELED);
    assert_int_equal(addresses_of(two), WEFT_ECANCELED);
    assert_false(weft_loop_alive(loop));
    two = ask(cares, "good.test");
    run(loop);
    assert_int_equal(addresses_of(two), 2);
    weft_cares_free(cares);
    weft_loop_free(loop);
}

static void the_end_of_the_scope_cancels_them(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_cares *cares = channel_on(scope, server);
    weft_cares_result result = ask(cares, "silent.test");

    (void)state;
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run(loop);
    assert_int_equal(addresses_of(result), WEFT_ECANCELED);
    assert_int_equal(addresses_of(ask(cares, "good.test")), WEFT_ECANCELED);
    weft_cares_free(cares);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

static int free_it(int error, struct ares_addrinfo **addresses, void *arg)
{
    ares_freeaddrinfo(error == 0 ? *addresses : NULL);
    weft_cares_free(arg);
    fired++;
    return 0;
}

static void it_may_be_freed_by_whoever_is_told(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), server);
    weft_cares_result silent = ask(cares, "silent.test"), again;

    (void)state;
    fired = 0;
    assert_int_equal(weft_finally(ask(cares, "good.test"), free_it, cares), 0);
    run(loop);
    assert_int_equal(fired, 1);
    assert_int_equal(addresses_of(silent), WEFT_ECANCELED);
    cares = channel_on(weft_loop_scope(loop), server);
    again = ask(cares, "localhost"); /* it is there at once, so this calls back before it returns */
    assert_int_equal(weft_finally(again, free_it, cares), 0);
    assert_int_equal(fired, 2);
    weft_loop_free(loop);
}

static unsigned char answer[512];
static int answer_length, answer_status;

static void answered(void *arg, int status, int timeouts, unsigned char *bytes, int length)
{
    (void)arg;
    (void)timeouts;
    answer_status = status;
    answer_length = length < (int)sizeof answer ? length : 0;
    if (answer_length > 0)
        memcpy(answer, bytes, (size_t)answer_length);
}

static void what_was_asked_of_the_channel_itself_is_answered(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = channel_on(weft_loop_scope(loop), server);

    (void)state;
    answer_status = -1;
    ares_query(weft_cares_channel(cares), "good.test", 1, 1, answered, NULL);
    run(loop);
    assert_int_equal(answer_status, ARES_SUCCESS);
    assert_memory_equal(answer + answer_length - 4, "\xc0\x00\x02\x01", 4);
    ares_query(weft_cares_channel(cares), "silent.test", 1, 1, answered, NULL);
    weft_cares_free(cares);
    assert_int_equal(answer_status, ARES_EDESTRUCTION);
    weft_loop_free(loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_cares *cares = NULL;
    weft_cares_result result;

    (void)state;
    support_fail_at(1, false);
    assert_int_equal(weft_cares_new(weft_loop_scope(loop), NULL, 0, &cares), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_null(cares);
    cares = channel_on(weft_loop_scope(loop), server);
    support_fail_at(1, false);
    result = ask(cares, "good.test");
    assert_null(result.deferred);
    support_fail_at(2, true); /* there is no watch for a socket, so there is no socket, and no server to be asked */
    result = ask(cares, "good.test");
    support_fail_at(0, false);
    assert_int_equal(addresses_of(result), WEFT_ENOMEM);
    result = ask(cares, "good.test");
    run(loop);
    assert_int_equal(addresses_of(result), 2);
    weft_cares_free(cares);
    weft_loop_free(loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        support_test(a_name_has_addresses_of_both_kinds),
        support_test(many_names_are_asked_for_at_once),
        support_test(what_is_not_there_is_an_error),
        support_test(a_server_that_refuses_or_is_not_there_is_an_error),
        support_test(silence_is_a_time_out),
        support_test(a_datagram_that_was_lost_is_sent_again),
        support_test(an_answer_that_is_too_large_comes_by_tcp),
        support_test(a_server_that_ends_in_the_middle_of_an_answer_is_an_error),
        support_test(one_may_be_cancelled_and_the_others_go_on),
        support_test(ares_cancel_cancels_all_and_lets_the_loop_end),
        support_test(the_end_of_the_scope_cancels_them),
        support_test(it_may_be_freed_by_whoever_is_told),
        support_test(what_was_asked_of_the_channel_itself_is_answered),
        support_test(want_of_memory_is_an_error),
    };

    if (argc != 2)
        return 2;
    server = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
