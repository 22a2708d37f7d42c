/* SPDX-License-Identifier: MIT */
/* Deadlines, limits, cancellation: how a request ends that is not answered as it should be. */
#include "families/http/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

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

static void expect_error_after(const weft_http_client_options *options, struct origin_answer answer, int error,
                               weft_time least, weft_time most)
{
    struct origin_result result;
    weft_time began;

    open_with(options);
    origin_will(origin, answer);
    began = weft_loop_now(world.loop);
    get(&result);
    assert_int_equal(result.error, error);
    assert_true(weft_loop_now(world.loop) - began >= least);
    assert_true(weft_loop_now(world.loop) - began <= most);
    origin_pass(&world, WEFT_SECONDS(3));
    assert_int_equal(origin->open, 0);
    origin_close(&world);
}

/* -- deadlines -- */

static void a_server_that_says_nothing_is_given_up(void **state)
{
    (void)state;
    expect_error_after(NULL, (struct origin_answer){0}, WEFT_EHEADTIME, WEFT_SECONDS(60), WEFT_SECONDS(61));
}

static void a_head_that_is_not_complete_is_given_up(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .head_time = WEFT_SECONDS(5)};

    (void)state;
    expect_error_after(&options, (struct origin_answer){.text = "HTTP/1.1 200 OK\r\nContent-"}, WEFT_EHEADTIME,
                       WEFT_SECONDS(5), WEFT_SECONDS(6));
}

/* Interim responses do not make it wait longer. */
static void endless_waiting_with_interim_responses_is_given_up(void **state)
{
    weft_http_client_options options = {.size = sizeof options, .head_time = WEFT_SECONDS(5)};

    (void)state;
    expect_error_after(&options,
                       (struct origin_answer){.text = "HTTP/1.1 102 Processing\r\n\r\n", .delay = WEFT_SECONDS(4)},
                       WEFT_EHEADTIME, WEFT_SECONDS(5), WEFT_SECONDS(6));
}

static void a_body_that_stops_is_given_up(void **state)
{
    (void)state;
    expect_error_after(NULL, (struct origin_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"},
                       WEFT_EBODYTIME, WEFT_SECONDS(60), WEFT_SECONDS(61));
}

static void the_whole_has_its_time(void **state)
{
    struct origin_result result;
    weft_http_call call = {.total_time = WEFT_SECONDS(3)};

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_ETOTALTIME);
    origin_close(&world);
}

static void a_server_that_takes_nothing_is_given_up(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    char *body = calloc(1, SIZE);
    struct origin_result result;
    weft_http_call call = {.body = {body, SIZE}};

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    origin->stalls = true;
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_EWRITESTALL);
    origin_close(&world);
    free(body);
}

static void waiting_for_a_connection_has_its_time(void **state)
{
    weft_http_client_options options = {
        .size = sizeof options, .per_host = 1, .wait_time = WEFT_SECONDS(5), .head_time = WEFT_SECONDS(30)};
    struct origin_result results[2];

    (void)state;
    open_with(&options);
    (void)origin_begin(&world, ROOT, &(weft_http_call){.url = origin->url}, &results[0]);
    (void)origin_begin(&world, ROOT, &(weft_http_call){.url = origin->url}, &results[1]);
    origin_wait(&world, &results[1]);
    assert_int_equal(results[1].error, WEFT_EWAITTIME);
    assert_false(results[0].done);
    origin_wait(&world, &results[0]);
    assert_int_equal(results[0].error, WEFT_EHEADTIME);
    origin_close(&world);
}

static void the_deadline_of_a_scope_ends_what_is_in_it(void **state)
{
    weft_scope *scope;
    struct origin_result result;

    (void)state;
    open_with(NULL);
    scope = weft_scope_open(ROOT, WEFT_SECONDS(2));
    origin_get(&world, scope, origin, "/", &result);
    assert_int_equal(result.error, WEFT_ETIMEDOUT);
    origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(origin->open, 0);
    weft_scope_close(scope);
    origin_close(&world);
}

/* -- cancelling, at every turn of the loop -- */

static void cancelled_at(unsigned turns, bool by_scope, const weft_faults *faults)
{
    weft_scope *scope;
    struct origin_result result;
    weft_http_reply reply;
    weft_http_call call = {.body = WEFT_BYTES("payload")};

    origin_open(&world, NULL, faults, 7);
    origin = &world.origins[0];
    scope = weft_scope_open(ROOT, WEFT_NEVER);
    call.url = origin->url;
    origin_will_say(origin, "HTTP/1.1 307 Moved\r\nLocation: /x\r\nContent-Length: 1\r\n\r\nx");
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n");
    reply = origin_begin(&world, scope, &call, &result);
    for (unsigned i = 0; i < turns; i++)
        assert_true(weft_loop_step(world.loop) >= 0);
    if (by_scope)
        weft_scope_close(scope);
    else if (!result.done)
        weft_cancel(reply.deferred);
    origin_wait(&world, &result);
    assert_true(result.error == 0 || result.error == WEFT_ECANCELED);
    if (!by_scope)
        weft_scope_close(scope);
    origin_pass(&world, WEFT_SECONDS(40));
    assert_int_equal(origin->open, 0);
    origin_close(&world);
}

static void a_cancelled_request_leaves_nothing(void **state)
{
    static const weft_faults slow = {
        .short_reads = 500000, .short_writes = 500000, .latency = {0, WEFT_MILLISECONDS(2)}};

    (void)state;
    for (unsigned turns = 0; turns < 40; turns++) {
        support_set_context("turn %u", turns);
        cancelled_at(turns, false, NULL);
        cancelled_at(turns, true, NULL);
        cancelled_at(turns, false, &slow);
        cancelled_at(turns, true, &slow);
    }
    support_clear_context();
}

static void closing_the_client_ends_its_requests(void **state)
{
    struct origin_result results[3];

    (void)state;
    open_with(&(weft_http_client_options){.size = sizeof(weft_http_client_options), .per_host = 2});
    for (int i = 0; i < 3; i++)
        (void)origin_begin(&world, ROOT, &(weft_http_call){.url = origin->url}, &results[i]);
    origin_pass(&world, WEFT_SECONDS(1));
    weft_http_client_close(world.client);
    weft_http_client_close(world.client);
    assert_false(results[0].done || results[1].done || results[2].done);
    for (int i = 0; i < 3; i++) {
        origin_wait(&world, &results[i]);
        assert_int_equal(results[i].error, WEFT_ECANCELED);
    }
    origin_close(&world);
}

static void closing_no_client_does_nothing(void **state)
{
    (void)state;
    weft_http_client_close(NULL);
}

/* -- limits -- */

static void h1_31_a_flood_of_fields_is_refused(void **state)
{
    struct origin_result result;
    size_t room = 2 * 1024 * 1024;
    char *text = malloc(room);
    size_t length;

    (void)state;
    open_with(NULL);
    length = (size_t)snprintf(text, room, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 257; i++)
        length += (size_t)snprintf(text + length, room - length, "A%d: b\r\n", i);
    length += (size_t)snprintf(text + length, room - length, "\r\n");
    origin_will(origin, (struct origin_answer){.text = text, .length = length});
    get(&result);
    assert_int_equal(result.error, WEFT_EHEADLIMIT);
    length = (size_t)snprintf(text, room, "HTTP/1.1 200 OK\r\nA: ");
    memset(text + length, 'x', 1024 * 1024);
    origin_will(origin, (struct origin_answer){.text = text, .length = 1024 * 1024});
    get(&result);
    assert_int_equal(result.error, WEFT_EHEADLIMIT);
    memset(text, 'H', 1024 * 1024);
    origin_will(origin, (struct origin_answer){.text = text, .length = 1024 * 1024});
    get(&result);
    assert_true(result.error == WEFT_EHEADLIMIT || result.error == WEFT_EPROTOCOL);
    free(text);
    origin_close(&world);
}

static void h1_31_endless_interim_responses_are_refused(void **state)
{
    struct origin_result result;
    static char text[40 * 30];

    (void)state;
    open_with(NULL);
    text[0] = '\0';
    for (int i = 0; i < 33; i++)
        strcat(text, "HTTP/1.1 103 Hints\r\n\r\n");
    origin_will_say(origin, text);
    get(&result);
    assert_int_equal(result.error, WEFT_EINTERIM);
    text[0] = '\0';
    for (int i = 0; i < 32; i++)
        strcat(text, "HTTP/1.1 103 Hints\r\n\r\n");
    strcat(text, OK);
    origin_will_say(origin, text);
    get(&result);
    assert_int_equal(result.error, 0);
    origin_close(&world);
}

static void a_body_has_its_limit(void **state)
{
    static const char *const bodies[] = {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
                                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"};
    struct origin_result result;
    weft_http_call call = {0};

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    for (size_t i = 0; i < 2; i++)
        for (uint64_t limit = 3; limit < 5; limit++) {
            call.body_limit = limit;
            origin_will_say(origin, bodies[i]);
            origin_fetch(&world, ROOT, &call, &result);
            assert_int_equal(result.error, limit < 4 ? WEFT_EBODYLIMIT : 0);
        }
    origin_close(&world);
}

static void a_fetch_takes_16_mib_unless_it_is_told(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(NULL);
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\n");
    get(&result);
    assert_int_equal(result.error, WEFT_EBODYLIMIT);
    origin_will(origin, (struct origin_answer){.text = "HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\nx",
                                               .then = THEN_CLOSE});
    get(&result);
    assert_int_equal(result.error, WEFT_ETRUNCATED);
    origin_close(&world);
}

/* -- decoding -- */

static size_t compressed(char *out, size_t room, const char *head, int bits, size_t zeros, const char *text)
{
    char length[80];
    static char coded[4 * 1024 * 1024], plain[65536];
    z_stream zlib = {0};
    size_t written;

    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_out = (Bytef *)coded;
    zlib.avail_out = sizeof coded;
    memset(plain, 0, sizeof plain);
    for (; zeros > 0; zeros -= zeros < sizeof plain ? zeros : sizeof plain) {
        zlib.next_in = (Bytef *)plain;
        zlib.avail_in = (uInt)(zeros < sizeof plain ? zeros : sizeof plain);
        assert_int_equal(deflate(&zlib, Z_NO_FLUSH), Z_OK);
    }
    zlib.next_in = (Bytef *)(uintptr_t)text;
    zlib.avail_in = (uInt)strlen(text);
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    snprintf(length, sizeof length, "Content-Length: %lu\r\n\r\n", zlib.total_out);
    written = (size_t)snprintf(out, room, "%s%s", head, length);
    assert_true(written + zlib.total_out <= room);
    memcpy(out + written, coded, zlib.total_out);
    written += zlib.total_out;
    deflateEnd(&zlib);
    return written;
}

static char coded[4 * 1024 * 1024 + 1000];

static void gzip_and_deflate_are_decoded(void **state)
{
    static const struct {
        const char *name;
        int bits;
    } cases[] = {{"gzip", 31}, {"x-gzip", 31}, {"deflate", 15}, {"deflate", -15}, {"identity, gzip", 31}};
    static const weft_faults splits = {.short_reads = 500000, .short_writes = 500000};
    struct origin_result result;

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        origin_open(&world, NULL, round ? &splits : NULL, 3);
        origin = &world.origins[0];
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char head[100];
            size_t length;

            snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\n", cases[i].name);
            length = compressed(coded, sizeof coded, head, cases[i].bits, 40000, "the end");
            origin_will(origin, (struct origin_answer){.text = coded, .length = length});
            get(&result);
            assert_int_equal(result.error, 0);
            assert_int_equal(result.response->body.length, 40007);
            assert_string_equal(result.response->body.data + 40000, "the end");
        }
        origin_close(&world);
    }
}

static void what_was_not_asked_for_is_not_decoded(void **state)
{
    struct origin_result result;
    weft_http_call call = {.raw = true};
    size_t length;

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    length = compressed(coded, sizeof coded, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", 31, 0, "text");
    origin_will(origin, (struct origin_answer){.text = coded, .length = length});
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, 0);
    assert_memory_equal(result.response->body.data, "\x1f\x8b", 2);
    assert_false(origin_got(origin, 0, "Accept-Encoding"));
    origin_close(&world);
}

static void bad_codings_are_errors(void **state)
{
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok", WEFT_ECODING},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\nok", WEFT_ECODING},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", WEFT_ECODING},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", WEFT_ETRUNCATED},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 0},
    };
    struct origin_result result;

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        origin_will_say(origin, cases[i].text);
        get(&result);
        assert_int_equal(result.error, cases[i].error);
    }
    origin_close(&world);
}

/* A tampered twin: every byte of a good body, changed or cut off, is an error or the same text. */
static void a_damaged_coding_is_never_another_text(void **state)
{
    struct origin_result result;
    size_t length, at, wrong = 0;
    static char damaged[2000];

    (void)state;
    open_with(NULL);
    length = compressed(coded, sizeof coded, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", 31, 100, "some text");
    at = (size_t)(strstr(coded, "\r\n\r\n") + 4 - coded);
    for (; at < length; at++) {
        memcpy(damaged, coded, length);
        damaged[at] = (char)(damaged[at] ^ 0x24);
        origin_forget(origin);
        origin_will(origin, (struct origin_answer){.text = damaged, .length = length});
        get(&result);
        if (result.error < 0)
            wrong++;
        else
            assert_string_equal(result.response->body.data + 100, "some text");
    }
    assert_true(wrong > 20);
    origin_close(&world);
}

/* H1-24: 1 GiB of zeros in 1 MiB. */
static void h1_24_a_bomb_is_refused(void **state)
{
    struct origin_result result;
    weft_http_call call = {.body_limit = UINT64_MAX};
    size_t length, before;

    (void)state;
    open_with(NULL);
    call.url = origin->url;
    length =
        compressed(coded, sizeof coded, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", 31, 512 * 1024 * 1024, "");
    origin_will(origin, (struct origin_answer){.text = coded, .length = length});
    before = support_live_bytes();
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_EEXPANSION);
    assert_true(support_live_bytes() < before + 1024 * 1024);
    origin_will(origin, (struct origin_answer){.text = coded, .length = length});
    call.expansion = 2000;
    call.body_limit = 8 * 1024 * 1024;
    origin_fetch(&world, ROOT, &call, &result);
    assert_int_equal(result.error, WEFT_EBODYLIMIT);
    origin_close(&world);
}

/* -- what cannot be sent -- */

/* H1-25: all 256 bytes, in every place where a user's bytes go. */
static void h1_25_no_byte_leads_out_of_its_place(void **state)
{
    struct origin_result result;

    (void)state;
    open_with(&(weft_http_client_options){.size = sizeof(weft_http_client_options), .connections = 1});
    for (unsigned byte = 1; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'}, url[200];
        weft_http_field by_name = {{text, 3}, WEFT_BYTES("v")}, by_value = {WEFT_BYTES("N"), {text, 3}};
        weft_http_call calls[] = {
            {.url = origin->url, .method = text},
            {.url = origin->url, .fields = &by_name, .field_count = 1},
            {.url = origin->url, .fields = &by_value, .field_count = 1},
            {.url = origin->url, .secrets = &by_name, .secret_count = 1},
            {.url = origin->url, .secrets = &by_value, .secret_count = 1},
            {.url = url},
        };

        snprintf(url, sizeof url, "%s/%s", origin->url, text);
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            origin_forget(origin);
            origin_will_say(origin, OK);
            origin_fetch(&world, ROOT, &calls[i], &result);
            assert_int_equal(origin->extra, 0);
            if (result.error == 0)
                assert_int_equal(origin->request_count, 1);
            else
                assert_true(result.error == -EINVAL || result.error == WEFT_EURL);
            if (byte < 0x20 && byte != '\t')
                assert_true(result.error < 0);
        }
    }
    origin_close(&world);
}

static void h1_25_nul_and_line_ends_are_refused(void **state)
{
    static const weft_bytes bad[] = {WEFT_BYTES("a\0b"), WEFT_BYTES("a\r\nX: y"), WEFT_BYTES("a\nb"),
                                     WEFT_BYTES("a\r"),  WEFT_BYTES(" a"),        WEFT_BYTES("a ")};
    struct origin_result result;

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        weft_http_field value = {WEFT_BYTES("N"), bad[i]}, name = {bad[i], WEFT_BYTES("v")};

        origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url, .fields = &value, .field_count = 1}, &result);
        assert_int_equal(result.error, -EINVAL);
        origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url, .fields = &name, .field_count = 1}, &result);
        assert_int_equal(result.error, -EINVAL);
    }
    assert_int_equal(origin->connections, 0);
    origin_close(&world);
}

static void what_the_client_answers_for_is_refused(void **state)
{
    static const char *const names[] = {"Host", "content-length", "Transfer-Encoding", "Connection", "Trailer",
                                        "TE",   "Expect",         "Upgrade",           "Keep-Alive", "Proxy-Connection",
                                        ""};
    struct origin_result result;
    weft_http_client *client;

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        weft_http_field field = {weft_bytes_from(names[i]), WEFT_BYTES("5")};

        origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url, .fields = &field, .field_count = 1}, &result);
        assert_int_equal(result.error, -EINVAL);
    }
    origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url, .method = "CONNECT"}, &result);
    assert_int_equal(result.error, -EINVAL);
    origin_fetch(&world, ROOT, &(weft_http_call){.url = origin->url, .method = ""}, &result);
    assert_int_equal(result.error, -EINVAL);
    assert_int_equal(weft_http_client_new(
                         ROOT,
                         &(weft_http_client_options){.size = sizeof(weft_http_client_options), .user_agent = "a\r\nb"},
                         &client),
                     -EINVAL);
    origin_close(&world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_server_that_says_nothing_is_given_up),
        support_test(a_head_that_is_not_complete_is_given_up),
        support_test(endless_waiting_with_interim_responses_is_given_up),
        support_test(a_body_that_stops_is_given_up),
        support_test(the_whole_has_its_time),
        support_test(a_server_that_takes_nothing_is_given_up),
        support_test(waiting_for_a_connection_has_its_time),
        support_test(the_deadline_of_a_scope_ends_what_is_in_it),
        support_test(a_cancelled_request_leaves_nothing),
        support_test(closing_the_client_ends_its_requests),
        support_test(closing_no_client_does_nothing),
        support_test(h1_31_a_flood_of_fields_is_refused),
        support_test(h1_31_endless_interim_responses_are_refused),
        support_test(a_body_has_its_limit),
        support_test(a_fetch_takes_16_mib_unless_it_is_told),
        support_test(gzip_and_deflate_are_decoded),
        support_test(what_was_not_asked_for_is_not_decoded),
        support_test(bad_codings_are_errors),
        support_test(a_damaged_coding_is_never_another_text),
        support_test(h1_24_a_bomb_is_refused),
        support_test(h1_25_no_byte_leads_out_of_its_place),
        support_test(h1_25_nul_and_line_ends_are_refused),
        support_test(what_the_client_answers_for_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
