/* SPDX-License-Identifier: MIT */
/* Streams that connect to a name, on real sockets: the resolver is the test's. */
#include "support/support.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include <weft/listener.h>
#include <weft/loop.h>

#include "backend/names.h"

static struct {
    int result;
    weft_address addresses[4];
} resolver;

/* For a name that hangs. A thread that nobody waits for may still be at them when the next test begins. */
static sem_t begun, go;

int __wrap_names_resolve(const char *host, weft_address *ret, size_t room);
int __wrap_names_resolve(const char *host, weft_address *ret, size_t room)
{
    if (strcmp(host, "hangs.example") == 0) {
        sem_post(&begun);
        while (sem_wait(&go) < 0)
            ;
        return WEFT_ENONAME;
    }
    for (int i = 0; i < resolver.result && (size_t)i < room; i++)
        ret[i] = resolver.addresses[i];
    return resolver.result;
}

/* -- who speaks -- */

static struct {
    weft_protocol protocol;
    unsigned connected, lost;
    int reason;
} client, server;

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    (void)stream;
    if (protocol == &client.protocol)
        client.connected++;
    else
        server.connected++;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes bytes)
{
    (void)protocol;
    (void)stream;
    return bytes.length;
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)stream;
    if (protocol != &client.protocol) {
        server.lost++;
        return;
    }
    client.lost++;
    client.reason = reason;
}

static const weft_protocol_ops ops = {.name = "test",
                                      .connected = connected,
                                      .received = received,
                                      .lost = lost,
                                      .not_handed_over = "it is a test's"};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &server.protocol;
}

static const weft_factory_ops factory_ops = {.build = build};
static weft_factory factory = {&factory_ops};
static weft_loop *loop;
static weft_listener *listener;
static char port[16];

static int begin(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    char url[WEFT_LISTENER_URL];

    support_setup(state);
    memset(&resolver, 0, sizeof resolver);
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    client.protocol.ops = server.protocol.ops = &ops;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(weft_listen(weft_loop_scope(loop), "tcp://127.0.0.1:0", &factory, NULL, &listener, NULL), 0);
    weft_listener_url(listener, NULL, url);
    snprintf(port, sizeof port, "%s", strrchr(url, ':'));
    for (int i = 0; i < 4; i++) /* nobody listens there */
        resolver.addresses[i] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 7}};
    return 0;
}

static int end(void **state)
{
    weft_loop_free(loop);
    return support_teardown(state);
}

#define connect_test(name) cmocka_unit_test_setup_teardown(name, begin, end)

static weft_stream *begin_connecting(const char *name)
{
    weft_stream *stream;
    char url[64];

    snprintf(url, sizeof url, "tcp://%s%s", name, port);
    assert_int_equal(weft_stream_connect(weft_loop_scope(loop), url, &client.protocol, NULL, &stream, NULL), 0);
    return stream;
}

static void turn_until(const unsigned *count)
{
    while (*count == 0)
        assert_true(weft_loop_step(loop) >= 0);
}

/* -- */

static void addresses_are_tried_in_turn(void **state)
{
    weft_stream *stream;
    weft_address local;

    (void)state;
    resolver.result = 4;
    resolver.addresses[2].ip[3] = 1;
    stream = begin_connecting("server.example");
    assert_int_equal(weft_stream_write(stream, weft_bytes_from("before it is open")), 0);
    assert_true(weft_stream_local(stream, &local) < 0);
    turn_until(&client.connected);
    turn_until(&server.connected);
    assert_int_equal(client.lost, 0);
    assert_int_equal(weft_stream_local(stream, &local), 0);
    weft_stream_close(stream);
    turn_until(&client.lost);
    assert_int_equal(client.connected, 1);
    assert_int_equal(client.lost, 1);
}

static void the_first_failure_of_all_is_told(void **state)
{
    (void)state;
    resolver.result = 3;
    resolver.addresses[1].family = resolver.addresses[2].family = WEFT_ADDRESS_IPV6; /* 7f00:7:: has no route */
    begin_connecting("server.example");
    turn_until(&client.lost);
    assert_int_equal(client.reason, -ECONNREFUSED);
    assert_int_equal(client.connected, 0);
}

static void an_unknown_name_is_the_reason_of_the_loss(void **state)
{
    (void)state;
    resolver.result = WEFT_ENAMETRY;
    begin_connecting("server.example");
    assert_int_equal(client.lost, 0);
    turn_until(&client.lost);
    assert_int_equal(client.reason, WEFT_ENAMETRY);
}

static void closing_does_not_wait_for_the_resolver(void **state)
{
    weft_stream *stream = begin_connecting("hangs.example");

    (void)state;
    while (sem_wait(&begun) < 0)
        ;
    weft_stream_close(stream);
    turn_until(&client.lost);
    assert_int_equal(client.reason, WEFT_ECLOSED);
    resolver.result = WEFT_ENONAME;
    sem_post(&go);
}

static void closing_between_two_addresses_is_told_once(void **state)
{
    weft_stream *stream;

    (void)state;
    resolver.result = 4;
    for (int turns = 1; turns < 12; turns++) {
        client.lost = 0;
        stream = begin_connecting("server.example");
        for (int i = 0; i < turns && client.lost == 0; i++)
            assert_true(weft_loop_step(loop) >= 0);
        if (client.lost > 0)
            continue;
        weft_stream_abort(stream);
        turn_until(&client.lost);
        assert_int_equal(client.lost, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        connect_test(addresses_are_tried_in_turn),
        connect_test(the_first_failure_of_all_is_told),
        connect_test(an_unknown_name_is_the_reason_of_the_loss),
        connect_test(closing_does_not_wait_for_the_resolver),
        connect_test(closing_between_two_addresses_is_told_once),
    };
    sem_init(&begun, 0, 0);
    sem_init(&go, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
