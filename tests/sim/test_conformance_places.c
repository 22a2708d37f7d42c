/* SPDX-License-Identifier: MIT */
/* Who may listen where, who gets there, and who does not: the same on the kernel and in a simulated world (conform.h). */
#include "sim/conform.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/sim.h"

static bool is_tcp(const struct conform *conform)
{
    return conform->kind->net == CONFORM_TCP;
}

static bool is_unix(const struct conform *conform)
{
    return conform->kind->net == CONFORM_UNIX;
}

/* -- nobody there -- */

static void nobody_listens(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *end;
    struct backend_endpoint at = place->at;

    conform_unlisten(place);
    end = conform_connect(conform, &at);
    conform_told(end, CONFORM_CONNECTED, -ECONNREFUSED);
}

static void no_such_path(struct conform *conform)
{
    struct backend_endpoint at = {.address.family = WEFT_ADDRESS_UNIX};
    struct conform_end *end;

    at.path = weft_bytes_from("/tmp/weft-conform-nobody-was-ever-here");
    end = conform_connect(conform, &at);
    conform_told(end, CONFORM_CONNECTED, -ENOENT);
}

static void a_path_goes_with_its_listener(struct conform *conform)
{
    static const struct backend_socket_options options = {.backlog = 5};
    struct backend_endpoint at = {.address.family = WEFT_ADDRESS_UNIX};
    struct conform_place *place;
    struct conform_end *end;
    char path[80];
    int status;

    snprintf(path, sizeof path, "/tmp/weft-conform-%ld", (long)getpid());
    at.path = weft_bytes_from(path);
    place = conform_listen_at(conform, &at, &options, &status);
    assert_int_equal(status, 0);
    end = conform_connect(conform, &at);
    conform_told(end, CONFORM_CONNECTED, 0);
    conform_unlisten(place);
    conform_told(end, CONFORM_FAILURE, -ECONNRESET);
    end = conform_connect(conform, &at);
    conform_told(end, CONFORM_CONNECTED, -ENOENT);
}

static void a_path_that_is_too_long(struct conform *conform)
{
    static const struct backend_socket_options options = {.backlog = 5};
    struct backend_endpoint at = {.address.family = WEFT_ADDRESS_UNIX};
    struct backend_stream stream = {0};
    char path[108];
    int status;

    memset(path, 'x', sizeof path);
    path[0] = '@';
    at.path = weft_bytes_of(path, sizeof path);
    (void)conform_listen_at(conform, &at, &options, &status);
    assert_int_equal(status, -ENAMETOOLONG);
    assert_int_equal(conform->backend->ops->connect(conform->backend, &stream, &at, &options), -ENAMETOOLONG);
}

static void an_address_of_somebody_else(struct conform *conform)
{
    static const struct backend_socket_options options = {.backlog = 5};
    struct backend_endpoint v4 = conform_ip("192.0.2.1", 0), v6 = conform_ip("2001:db8::1", 0);
    int status;

    (void)conform_listen_at(conform, &v4, &options, &status);
    assert_int_equal(status, -EADDRNOTAVAIL);
    (void)conform_listen_at(conform, &v6, &options, &status);
    assert_int_equal(status, -EADDRNOTAVAIL);
}

/* -- accepting -- */

static void accepted_in_the_order_of_their_coming(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *clients[3], *server;

    for (size_t i = 0; i < 3; i++) {
        clients[i] = conform_connect(conform, &place->at);
        conform_told(clients[i], CONFORM_CONNECTED, 0);
        assert_int_equal(conform_send(clients[i], 10 + i), 10 + i);
    }
    for (size_t i = 0; i < 3; i++) {
        server = conform_accept(place);
        conform_receive(server, true);
        conform_bytes(server, 10 + i);
    }
    conform_quiet(conform);
}

static void accepted_when_its_client_has_closed(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *client = conform_connect(conform, &place->at), *server;

    conform_told(client, CONFORM_CONNECTED, 0);
    assert_int_equal(conform_send(client, 100), 100);
    conform_close(client, false);
    conform_settle(conform);
    server = conform_accept(place);
    conform_receive(server, true);
    conform_bytes(server, 100);
    conform_told(server, CONFORM_END, 0);
}

static void accepted_when_its_client_has_aborted(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *client = conform_connect(conform, &place->at), *server;

    conform_told(client, CONFORM_CONNECTED, 0);
    assert_int_equal(conform_send(client, 100), 100);
    conform_settle(conform);
    conform_close(client, true);
    conform_settle(conform);
    server = conform_accept(place);
    conform_receive(server, true);
    conform_bytes(server, 100);
    if (is_unix(conform))
        conform_told(server, CONFORM_END, 0);
    else
        conform_told(server, CONFORM_FAILURE, -ECONNRESET);
    assert_int_equal(conform_send(server, 1), -EPIPE);
}

static void accepting_can_be_stopped(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    const struct backend_listening *listening = place->handle.listening;

    listening->accept_start(conform->backend, &place->handle);
    listening->accept_stop(conform->backend, &place->handle);
    conform_told(conform_connect(conform, &place->at), CONFORM_CONNECTED, 0);
    conform_settle(conform);
    assert_int_equal(conform->end_count, 1);
    listening->accept_start(conform->backend, &place->handle);
    conform_settle(conform);
    assert_int_equal(conform->end_count, 2);
}

/* Its owner refuses it. */
static void turned_away(struct conform *conform, size_t speaks)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *client = conform_connect(conform, &place->at);

    conform_told(client, CONFORM_CONNECTED, 0);
    if (speaks > 0)
        assert_int_equal(conform_send(client, speaks), speaks);
    conform_settle(conform);
    conform_receive(client, true);
    place->refuse = 1;
    place->handle.listening->accept_start(conform->backend, &place->handle);
    if (is_unix(conform) && speaks == 0)
        conform_told(client, CONFORM_END, 0);
    else
        conform_told(client, CONFORM_FAILURE, -ECONNRESET);
}

static void one_that_is_refused(struct conform *conform)
{
    turned_away(conform, 0);
}

static void one_that_spoke_and_is_refused(struct conform *conform)
{
    turned_away(conform, 50);
}

static void those_that_wait_are_reset_with_their_listener(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *silent = conform_connect(conform, &place->at);
    struct conform_end *speaker = conform_connect(conform, &place->at);

    conform_told(silent, CONFORM_CONNECTED, 0);
    conform_told(speaker, CONFORM_CONNECTED, 0);
    assert_int_equal(conform_send(speaker, 50), 50);
    conform_settle(conform);
    conform_unlisten(place);
    conform_told(silent, CONFORM_FAILURE, -ECONNRESET);
    conform_told(speaker, CONFORM_FAILURE, -ECONNRESET);
}

/* It was connected and reset before its owner has heard of either. */
static void connected_and_reset_at_once(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 10);
    struct conform_end *client = conform_connect(conform, &place->at);

    conform_wait_untold(conform);
    conform_unlisten(place);
    if (conform->kind->simulated)
        conform_wait_untold(conform);
    if (conform->kind->far) { /* the reset may be later */
        if (conform_told_one_of(client, CONFORM_CONNECTED, 0, -ECONNRESET) == 0)
            conform_told(client, CONFORM_FAILURE, -ECONNRESET);
    } else if (is_unix(conform)) {
        conform_told(client, CONFORM_CONNECTED, 0);
        conform_told(client, CONFORM_FAILURE, -ECONNRESET);
    } else {
        conform_told(client, CONFORM_CONNECTED, -ECONNRESET);
    }
}

/* Linux lets one more wait than it was told; one more is not answered, or by a UNIX socket told to come again. */
static void a_full_backlog(struct conform *conform)
{
    struct conform_place *place = conform_listen(conform, 1);
    size_t room = is_tcp(conform) || is_unix(conform) ? 2 : 1;
    struct conform_end *client;

    for (size_t i = 0; i < room; i++)
        conform_told(conform_connect(conform, &place->at), CONFORM_CONNECTED, 0);
    conform_settle(conform);
    client = conform_connect(conform, &place->at);
    conform_settle(conform);
    if (is_tcp(conform))
        assert_int_equal(client->told_count, 0);
    else
        conform_told(client, CONFORM_CONNECTED, is_unix(conform) ? -EAGAIN : -ECONNREFUSED);
    conform_close(client, true);
}

/* -- who has which place -- */

static int listen_again(struct conform *conform, const struct backend_endpoint *at,
                        const struct backend_socket_options *options)
{
    struct conform_place *place;
    int status;

    place = conform_listen_at(conform, at, options, &status);
    if (place)
        conform_unlisten(place);
    return status;
}

static void a_place_is_taken_and_free_again(struct conform *conform)
{
    static const struct backend_socket_options options = {.backlog = 5};
    struct conform_place *place = conform_listen(conform, 5);
    struct backend_endpoint at = place->at;
    struct conform_end *client = conform_connect(conform, &at), *server = conform_accept(place);

    conform_told(client, CONFORM_CONNECTED, 0);
    assert_int_equal(listen_again(conform, &at, &options), -EADDRINUSE);
    conform_unlisten(place);
    assert_int_equal(listen_again(conform, &at, &options), 0); /* though a connection is still there */
    conform_close(server, false);
    conform_receive(client, true);
    conform_told(client, CONFORM_END, 0);
    assert_int_equal(listen_again(conform, &at, &options), 0);
}

struct address {
    const char *ip;
    bool v6_only;
};

static const struct address addresses[] = {{"0.0.0.0", false}, {"127.0.0.1", false}, {"127.0.0.2", false},
                                           {"::", false},      {"::", true},         {"::1", false}};
#define ADDRESSES (sizeof addresses / sizeof *addresses)

/* Whether two that both listen are in each other's way. */
static bool overlap(const struct address *one, const struct address *other)
{
    bool six = strchr(one->ip, ':'), other_six = strchr(other->ip, ':');

    if (six != other_six) {
        const struct address *v6 = six ? one : other;
        return strcmp(v6->ip, "::") == 0 && !v6->v6_only;
    }
    return strcmp(one->ip, other->ip) == 0 || strcmp(one->ip, six ? "::" : "0.0.0.0") == 0 ||
           strcmp(other->ip, six ? "::" : "0.0.0.0") == 0;
}

static int listen_at(struct conform *conform, const struct address *address, uint16_t port,
                     struct backend_socket_options options, struct conform_place **ret)
{
    struct backend_endpoint at = conform_ip(address->ip, port);
    int status;

    options.backlog = 5;
    options.v6_only = address->v6_only;
    *ret = conform_listen_at(conform, &at, &options, &status);
    return status;
}

/* A port that nobody has, and that is nobody's by accident: below those that the system gives to clients. */
static uint16_t free_port(struct conform *conform)
{
    struct conform_place *place;

    for (unsigned i = 0; i < 100; i++) {
        uint16_t port = (uint16_t)(10000 + ((unsigned)getpid() * 7 + i * 101) % 20000);
        if (listen_at(conform, &addresses[3], port, (struct backend_socket_options){0}, &place) == 0) {
            conform_unlisten(place);
            return port;
        }
    }
    fail_msg("there is no free port");
    return 0;
}

static void check_two(struct conform *conform, uint16_t port, size_t i, size_t k, unsigned shares)
{
    struct backend_socket_options first = {.reuse_port = shares & 1}, second = {.reuse_port = shares & 2};
    struct conform_place *one, *other;
    int expected = overlap(&addresses[i], &addresses[k]) && shares != 3 ? -EADDRINUSE : 0, status;

    assert_int_equal(listen_at(conform, &addresses[i], port, first, &one), 0);
    status = listen_at(conform, &addresses[k], port, second, &other);
    if (status != expected)
        fail_msg("%s%s and then %s%s, sharing %u: %d", addresses[i].ip, addresses[i].v6_only ? " (v6 only)" : "",
                 addresses[k].ip, addresses[k].v6_only ? " (v6 only)" : "", shares, status);
    if (other)
        conform_unlisten(other);
    second.claim_port = true;
    expected = overlap(&addresses[i], &addresses[k]) ? -EADDRINUSE : 0;
    assert_int_equal(listen_at(conform, &addresses[k], port, second, &other), expected);
    if (other)
        conform_unlisten(other);
    conform_unlisten(one);
}

static void who_may_listen_beside_whom(struct conform *conform)
{
    uint16_t port = free_port(conform);

    for (size_t i = 0; i < ADDRESSES; i++)
        for (size_t k = 0; k < ADDRESSES; k++)
            for (unsigned shares = 0; shares < 4; shares++)
                check_two(conform, port, i, k, shares);
}

static void several_share_a_port(struct conform *conform)
{
    static const struct backend_socket_options options = {.backlog = 5, .reuse_port = true};
    struct backend_endpoint at = conform_ip("127.0.0.1", 0);
    struct conform_place *one, *other;
    struct conform_end *clients[3];
    size_t lost = 0, left = 0;
    int status;

    one = conform_listen_at(conform, &at, &options, &status);
    other = conform_listen_at(conform, &one->at, &options, &status);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < 3; i++) {
        clients[i] = conform_connect(conform, &one->at);
        conform_told(clients[i], CONFORM_CONNECTED, 0);
    }
    conform_settle(conform);
    conform_unlisten(other); /* each has its own backlog */
    conform_settle(conform);
    for (size_t i = 0; i < 3; i++) {
        if (clients[i]->told_count == 0)
            continue;
        conform_told(clients[i], CONFORM_FAILURE, -ECONNRESET);
        lost++;
    }
    for (struct backend_stream stream; lost + left < 3; left++) {
        weft_address peer;
        assert_int_equal(one->handle.listening->accept_one(conform->backend, &one->handle, &stream, &peer), 1);
        stream.events = clients[0]->handle.events;
        assert_true(stream.transport->close(conform->backend, &stream, false));
    }
    for (size_t i = 0; i < 3; i++)
        if (clients[i]->is_open)
            conform_close(clients[i], true);
}

/* -- addresses -- */

static void check_local(const struct conform_end *end, const char *ip)
{
    struct backend_endpoint expected = conform_ip(ip, 0);
    weft_address local;

    assert_int_equal(end->handle.transport->local(end->conform->backend, &end->handle, &local), 0);
    assert_int_equal(local.family, expected.address.family);
    assert_memory_equal(local.ip, expected.address.ip, sizeof local.ip);
}

/* Connects to @p to, where somebody listens at @p at: @p client and @p server are then their addresses; NULL: refused. */
static void check_way(struct conform *conform, const struct address *at, const char *to, const char *client,
                      const char *server)
{
    struct backend_endpoint target = conform_ip(to, 0);
    struct conform_place *place;
    struct conform_end *one, *other;

    conform->end_count = 0; /* (those before are closed) */
    assert_int_equal(listen_at(conform, at, 0, (struct backend_socket_options){0}, &place), 0);
    target.address.port = place->at.address.port;
    one = conform_connect(conform, &target);
    conform_told(one, CONFORM_CONNECTED, client ? 0 : -ECONNREFUSED);
    if (client) {
        struct backend_endpoint expected = conform_ip(client, 0);
        other = conform_accept(place);
        check_local(one, client);
        check_local(other, server);
        assert_int_equal(other->peer.family, expected.address.family);
        assert_memory_equal(other->peer.ip, expected.address.ip, sizeof other->peer.ip);
        conform_close(other, true);
        conform_settle(conform);
        one->told_count = 0;
    }
    conform_close(one, true);
    conform_settle(conform);
    conform_unlisten(place);
}

static void which_way_leads_where(struct conform *conform)
{
    static const struct address any = {"0.0.0.0", false}, one = {"127.0.0.1", false}, both = {"::", false},
                                six = {"::", true}, six_one = {"::1", false};

    check_way(conform, &one, "127.0.0.1", "127.0.0.1", "127.0.0.1");
    check_way(conform, &one, "127.0.0.2", NULL, NULL);
    check_way(conform, &one, "0.0.0.0", "127.0.0.1", "127.0.0.1");
    check_way(conform, &one, "::1", NULL, NULL);
    check_way(conform, &any, "127.0.0.1", "127.0.0.1", "127.0.0.1");
    check_way(conform, &any, "127.0.0.2", "127.0.0.1", "127.0.0.2");
    check_way(conform, &any, "::1", NULL, NULL);
    check_way(conform, &both, "127.0.0.1", "127.0.0.1", "127.0.0.1");
    check_way(conform, &both, "127.0.0.2", "127.0.0.1", "127.0.0.2");
    check_way(conform, &both, "::1", "::1", "::1");
    check_way(conform, &both, "::", "::1", "::1");
    check_way(conform, &six, "127.0.0.1", NULL, NULL);
    check_way(conform, &six, "::1", "::1", "::1");
    check_way(conform, &six_one, "::1", "::1", "::1");
    check_way(conform, &six_one, "127.0.0.1", NULL, NULL);
}

static const struct conform_case cases[] = {
    {"nobody listens", nobody_listens, CONFORM_EVERYWHERE},
    {"no such path", no_such_path, CONFORM_UNIX},
    {"a path goes with its listener", a_path_goes_with_its_listener, CONFORM_UNIX},
    {"a path that is too long", a_path_that_is_too_long, CONFORM_UNIX},
    {"an address of somebody else", an_address_of_somebody_else, CONFORM_TCP},
    {"accepted in the order of their coming", accepted_in_the_order_of_their_coming, CONFORM_EVERYWHERE},
    {"accepted when its client has closed", accepted_when_its_client_has_closed, CONFORM_EVERYWHERE},
    {"accepted when its client has aborted", accepted_when_its_client_has_aborted, CONFORM_EVERYWHERE},
    {"accepting can be stopped", accepting_can_be_stopped, CONFORM_EVERYWHERE},
    {"one that is refused", one_that_is_refused, CONFORM_EVERYWHERE},
    {"one that spoke and is refused", one_that_spoke_and_is_refused, CONFORM_EVERYWHERE},
    {"those that wait are reset with their listener", those_that_wait_are_reset_with_their_listener,
     CONFORM_EVERYWHERE},
    {"connected and reset at once", connected_and_reset_at_once, CONFORM_EVERYWHERE},
    {"a full backlog", a_full_backlog, CONFORM_EVERYWHERE},
    {"a place is taken and free again", a_place_is_taken_and_free_again, CONFORM_EVERYWHERE},
    {"who may listen beside whom", who_may_listen_beside_whom, CONFORM_TCP},
    {"several share a port", several_share_a_port, CONFORM_TCP},
    {"which way leads where", which_way_leads_where, CONFORM_TCP},
};

int main(void)
{
    return conform_main(cases, sizeof cases / sizeof *cases);
}
