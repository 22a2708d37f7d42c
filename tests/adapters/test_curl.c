/* SPDX-License-Identifier: MIT */
/* libcurl on a loop, against a server whose URL the first argument is: /BYTES is a resource of so many. */
#include <weft/adapters/curl.h>

#include <stdio.h>
#include <stdlib.h>

#include "adapters/host_test.h"

#define TRANSFERS 40

static const char *server;
static unsigned ended, went_well, cancelled;

struct fetch {
    CURL *easy;
    size_t bytes;
    weft_curl_result result;
    bool cancels; /* when its first bytes come */
};

static size_t take(char *bytes, size_t size, size_t count, void *arg)
{
    struct fetch *fetch = arg;

    (void)bytes;
    fetch->bytes += size * count;
    if (fetch->cancels)
        weft_cancel(fetch->result.deferred);
    return size * count;
}

static int told(int error, CURLcode *result, void *arg)
{
    (void)arg;
    ended++;
    went_well += error == 0 && *result == CURLE_OK;
    cancelled += error == WEFT_ECANCELED;
    return 0;
}

static void begin(struct fetch *fetch, weft_curl *curl, const char *url, size_t bytes)
{
    char text[200];

    snprintf(text, sizeof text, "%s/%zu", url, bytes);
    fetch->easy = curl_easy_init();
    curl_easy_setopt(fetch->easy, CURLOPT_URL, text);
    curl_easy_setopt(fetch->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, fetch);
    fetch->result = weft_curl_perform(curl, fetch->easy);
    assert_int_equal(weft_finally(fetch->result, told, NULL), 0);
}

static weft_curl *curl_on(weft_scope *scope)
{
    weft_curl *curl = NULL;

    ended = went_well = cancelled = 0;
    assert_int_equal(weft_curl_new(scope, &curl), 0);
    return curl;
}

static void many_transfers_run_at_once(void **state)
{
    static struct fetch fetches[TRANSFERS];
    weft_loop *loop = loop_on("epoll");
    weft_curl *curl = curl_on(weft_loop_scope(loop));

    (void)state;
    for (size_t i = 0; i < TRANSFERS; i++)
        begin(&fetches[i], curl, server, i * 10000);
    run(loop);
    assert_int_equal(went_well, TRANSFERS);
    for (size_t i = 0; i < TRANSFERS; i++) {
        assert_int_equal(fetches[i].bytes, i * 10000);
        curl_easy_cleanup(fetches[i].easy);
    }
    weft_curl_free(curl);
    weft_loop_free(loop);
}

static void a_refusal_is_a_result(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_curl *curl = curl_on(weft_loop_scope(loop));
    struct fetch fetch = {0};

    (void)state;
    begin(&fetch, curl, "http://127.0.0.1:1", 1);
    run(loop);
    assert_int_equal(ended, 1);
    assert_int_equal(went_well + cancelled, 0);
    curl_easy_cleanup(fetch.easy);
    weft_curl_free(curl);
    weft_loop_free(loop);
}

static void a_transfer_may_be_cancelled_by_its_own_bytes(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_curl *curl = curl_on(weft_loop_scope(loop));
    struct fetch fetch = {.cancels = true}, other = {0};

    (void)state;
    begin(&fetch, curl, server, 50000000);
    begin(&other, curl, server, 100000);
    run(loop);
    assert_int_equal(cancelled, 1);
    assert_int_equal(went_well, 1);
    assert_true(fetch.bytes < 50000000);
    curl_easy_cleanup(fetch.easy);
    curl_easy_cleanup(other.easy);
    weft_curl_free(curl);
    weft_loop_free(loop);
}

static void the_end_of_the_scope_cancels_them(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_curl *curl = curl_on(scope);
    struct fetch fetches[3] = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        begin(&fetches[i], curl, server, 50000000);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    run(loop);
    assert_int_equal(cancelled, 3);
    weft_curl_free(curl);
    weft_scope_close(scope);
    for (size_t i = 0; i < 3; i++)
        curl_easy_cleanup(fetches[i].easy);
    weft_loop_free(loop);
}

static int free_curl(int error, CURLcode *result, void *arg)
{
    (void)result;
    weft_curl_free(arg);
    return error;
}

static void it_may_be_freed_when_one_has_ended(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_curl *curl = curl_on(weft_loop_scope(loop));
    struct fetch first = {0}, second = {0};

    (void)state;
    begin(&first, curl, server, 10);
    begin(&second, curl, server, 50000000);
    assert_int_equal(weft_finally(first.result, free_curl, curl), 0);
    run(loop);
    assert_int_equal(went_well, 1);
    assert_int_equal(cancelled, 1);
    curl_easy_cleanup(first.easy);
    curl_easy_cleanup(second.easy);
    weft_loop_free(loop);
}

static void want_of_memory_is_an_error(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_curl *curl = NULL;
    CURL *easy = curl_easy_init();
    weft_curl_result result;

    (void)state;
    support_fail_at(1, false);
    assert_int_equal(weft_curl_new(weft_loop_scope(loop), &curl), WEFT_ENOMEM);
    curl = curl_on(weft_loop_scope(loop));
    support_fail_at(1, false);
    result = weft_curl_perform(curl, easy);
    support_fail_at(0, false);
    assert_int_equal(weft_peek(result, &(CURLcode){0}), WEFT_ENOMEM);
    curl_easy_cleanup(easy);
    weft_curl_free(curl);
    weft_loop_free(loop);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        support_test(many_transfers_run_at_once),
        support_test(a_refusal_is_a_result),
        support_test(a_transfer_may_be_cancelled_by_its_own_bytes),
        support_test(the_end_of_the_scope_cancels_them),
        support_test(it_may_be_freed_when_one_has_ended),
        support_test(want_of_memory_is_an_error),
    };

    if (argc != 2)
        return 2;
    server = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
