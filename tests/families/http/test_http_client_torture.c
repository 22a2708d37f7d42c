/* SPDX-License-Identifier: MIT */
/* Every allocation of a request fails, once and for ever. */
#include "families/http/origin.h"

#include <stdio.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* "text" in gzip */
static const char coded[] =
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n"
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\x49\xad\x28\x01\x00\xc7\xa7\x8b\x3b\x04\x00\x00\x00";

struct scenario {
    struct origin_answer answers[3];
    weft_http_call call;
    const char *body;
    const char *name; /* of a host that is looked up; NULL: a number */
};

int __wrap_names_resolve(const char *host, weft_address *ret, size_t room);
int __wrap_names_resolve(const char *host, weft_address *ret, size_t room)
{
    (void)host;
    (void)room;
    ret[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    return 1;
}

/* An allocation that fails is the request's error or that of one connection, which may be made again; the server, whose
 * accepting may fail too, can look like one that closes. */
static bool may_be(int error)
{
    return error == WEFT_ENOMEM || error == WEFT_ETRUNCATED || error == -ECONNRESET || error == -ECONNREFUSED;
}

static void play(struct origin_world *world, const struct scenario *scenario)
{
    struct origin *origin = &world->origins[0];
    struct origin_result result;
    weft_scope *scope = weft_scope_open(weft_loop_scope(world->loop), WEFT_SECONDS(100));
    weft_http_call call = scenario->call;
    char url[300];

    for (size_t i = 0; i < 3 && scenario->answers[i].text; i++)
        origin_will(origin, scenario->answers[i]);
    if (scenario->name)
        snprintf(url, sizeof url, "http://%s%s/", scenario->name, strrchr(origin->url, ':'));
    else
        snprintf(url, sizeof url, "%s/x", origin->url);
    call.url = url;
    (void)origin_begin(world, scope, &call, &result);
    for (int i = 0; i < 100 && !result.done; i++)
        origin_pass(world, WEFT_SECONDS(2));
    assert_true(result.done);
    if (result.error == 0)
        assert_string_equal(result.response->body.data, scenario->body);
    else if (result.error != WEFT_ETIMEDOUT || support_injected() == 0)
        assert_true(support_injected() > 0 && may_be(result.error));
    weft_scope_close(scope);
}

static void run(void *arg)
{
    struct origin_world world;

    if (origin_try_open(&world, NULL) < 0) {
        assert_true(support_injected() > 0);
        weft_loop_free(world.loop);
        return;
    }
    if (support_injected() == 0)
        play(&world, arg);
    origin_close(&world);
}

static void torture(struct scenario *scenario)
{
    (void)support_torture(run, scenario);
}

static void a_request_survives_short_memory(void **state)
{
    static const weft_http_field field = {WEFT_BYTES("A"), WEFT_BYTES("b")};
    struct scenario scenario = {
        .answers = {{.text = OK}},
        .call = {.fields = &field, .field_count = 1, .user = "u", .password = "p", .body = WEFT_BYTES("payload")},
        .body = "ok"};

    (void)state;
    torture(&scenario);
}

static void a_redirect_survives_short_memory(void **state)
{
    struct scenario scenario = {
        .answers = {{.text = "HTTP/1.1 302 F\r\nLocation: a/b/../c?d\r\nContent-Length: 1\r\n\r\nx"}, {.text = OK}},
        .body = "ok"};

    (void)state;
    torture(&scenario);
}

static void chunks_and_trailers_survive_short_memory(void **state)
{
    struct scenario scenario = {
        .answers = {{.text = "HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n3\r\ndef\r\n0\r\nOne: 1\r\nTwo: 2\r\n\r\n"}},
        .body = "abcdef"};

    (void)state;
    torture(&scenario);
}

static void decoding_survives_short_memory(void **state)
{
    struct scenario scenario = {.answers = {{.text = coded, .length = sizeof coded - 1}}, .body = "text"};

    (void)state;
    torture(&scenario);
}

static void looking_a_name_up_survives_short_memory(void **state)
{
    struct scenario scenario = {.answers = {{.text = OK}}, .name = "server.example", .body = "ok"};

    (void)state;
    torture(&scenario);
}

/* Used again, found closed, and repeated on a new connection. */
static void again(void *arg)
{
    struct origin_world world;
    struct scenario first = {.answers = {{.text = OK}}, .body = "ok"},
                    second = {.answers = {{.text = "", .then = THEN_RESET}, {.text = OK}}, .body = "ok"};

    (void)arg;
    if (origin_try_open(&world, NULL) < 0) {
        weft_loop_free(world.loop);
        return;
    }
    if (support_injected() == 0)
        play(&world, &first);
    if (support_injected() == 0)
        play(&world, &second);
    origin_close(&world);
}

static void a_repetition_survives_short_memory(void **state)
{
    (void)state;
    (void)support_torture(again, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_request_survives_short_memory),          support_test(a_redirect_survives_short_memory),
        support_test(chunks_and_trailers_survive_short_memory), support_test(decoding_survives_short_memory),
        support_test(looking_a_name_up_survives_short_memory),  support_test(a_repetition_survives_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
