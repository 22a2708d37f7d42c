/* SPDX-License-Identifier: MIT */
/* What holds for sockets of datagrams, on every backend (datagram_law.h). */
#include "laws/datagram_law.h"

#include <string.h>

#define EVERYWHERE (LAW_REAL | LAW_SIM | LAW_FAULTS)

static struct dlaw_peer *const server = &dlaw_server, *const client = &dlaw_client, *const third = &dlaw_third;

static void echo(struct dlaw_peer *peer, const weft_datagram *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(LAW_CALL(peer->world, weft_datagram_reply(peer->socket, &datagrams[i], datagrams[i].bytes)),
                         0);
}

static weft_address address_of(const struct dlaw_peer *peer)
{
    weft_address address;

    assert_int_equal(weft_datagram_local(peer->socket, &address), 0);
    return address;
}

static void assert_same(const weft_address *a, const weft_address *b)
{
    assert_int_equal(a->family, b->family);
    assert_int_equal(a->port, b->port);
    assert_memory_equal(a->ip, b->ip, sizeof a->ip);
}

/* -- sending and receiving -- */

static void each_arrives_as_it_was_sent(struct law_world *world)
{
    static const size_t lengths[] = {1, 0, 100, 1472, 1473, 9000, 2};

    dlaw_pair(world);
    server->received = echo;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(dlaw_send(client, "hello", lengths[i]), 0);
        dlaw_until_got(client, i + 1);
        assert_int_equal(server->got[i].length, lengths[i]);
        assert_int_equal(client->got[i].length, lengths[i]);
        assert_false(client->got[i].datagram.truncated);
    }
    assert_string_equal(server->got[4].text, "helloxxxxxxxxxxxxxxxxxx");
    dlaw_over(world);
}

static void those_of_a_turn_arrive_in_their_order(struct law_world *world)
{
    char text[16];

    dlaw_pair(world);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(dlaw_send(client, text, 100 + i % 3), 0);
    }
    dlaw_until_got(server, 10);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%ux", i);
        assert_memory_equal(server->got[i].text, text, 2);
        assert_int_equal(server->got[i].length, 100 + i % 3);
    }
    dlaw_over(world);
}

/* Neighbours of one size may be sent, and come, as one. */
static void many_of_one_size_arrive_each_by_itself(struct law_world *world)
{
    enum { COUNT = 100 };
    static char bytes[COUNT][900];
    static weft_datagram many[COUNT];

    dlaw_pair(world);
    memset(many, 0, sizeof many);
    for (unsigned i = 0; i < COUNT; i++) {
        memset(bytes[i], 'x', sizeof bytes[i]);
        bytes[i][0] = (char)('0' + i % 10);
        bytes[i][1] = (char)('0' + i / 10);
        many[i].bytes = weft_bytes_of(bytes[i], i == COUNT - 1 ? 333 : sizeof bytes[i]);
    }
    assert_in_range(LAW_CALL(world, weft_datagram_send(client->socket, many, COUNT)), 0, 1);
    dlaw_until_got(server, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(server->got[i].length, many[i].bytes.length);
        assert_int_equal(server->got[i].text[0], '0' + i % 10);
        assert_int_equal(server->got[i].text[1], '0' + i / 10);
    }
    dlaw_over(world);
}

static void peers_know_each_other(struct law_world *world)
{
    weft_address own, other;

    dlaw_pair(world);
    server->received = echo;
    assert_int_equal(dlaw_send(client, "a", 1), 0);
    dlaw_until_got(client, 1);
    if (dlaw_is_unix(world)) {
        assert_string_equal(server->got[0].path, client->url + strlen("unixgram://"));
        assert_string_equal(client->got[0].path, server->url + strlen("unixgram://"));
    } else {
        own = address_of(client);
        other = address_of(server);
        assert_same(&server->got[0].datagram.peer, &own);
        assert_same(&client->got[0].datagram.peer, &other);
    }
    dlaw_over(world);
}

static void a_stranger_is_not_heard_by_one_that_is_connected(struct law_world *world)
{
    weft_datagram_options options = {.size = sizeof options};
    char own[WEFT_LISTENER_URL];
    weft_address to;

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://127.0.0.1:0", NULL);
    memcpy(own, server->url, sizeof own);
    dlaw_close(server);
    dlaw_until_lost(server);
    dlaw_open(world, server, "udp://127.0.0.1:0", NULL);
    options.bind = own; /* a port that it has asked for is kept for it */
    dlaw_open_to(world, client, server->url, &options);
    dlaw_open(world, third, "udp://127.0.0.1:0", NULL);
    to = address_of(client);
    assert_int_equal(dlaw_send_to(third, &to, "stranger"), 0);
    dlaw_settle(world);
    assert_int_equal(client->count, 0);
    assert_int_equal(LAW_CALL(world, weft_datagram_connect(client->socket, NULL)), 0);
    assert_int_equal(dlaw_send_to(third, &to, "friend"), 0);
    dlaw_until_got(client, 1);
    assert_string_equal(client->got[0].text, "friend");
    dlaw_over(world);
}

static void connected_to_another(struct law_world *world)
{
    weft_address to;

    if (dlaw_is_unix(world))
        return;
    dlaw_pair(world);
    dlaw_open(world, third, "udp://127.0.0.1:0", NULL);
    to = address_of(third);
    assert_int_equal(LAW_CALL(world, weft_datagram_connect(client->socket, &to)), 0);
    assert_int_equal(dlaw_send(client, "hello", 5), 0);
    dlaw_until_got(third, 1);
    assert_int_equal(server->count, 0);
    to.family = WEFT_ADDRESS_IPV6;
    assert_int_equal(weft_datagram_connect(client->socket, &to), -EINVAL);
    dlaw_over(world);
}

/* -- which address -- */

static void ask_at(struct law_world *world, const char *host)
{
    char url[80];

    snprintf(url, sizeof url, "udp://%s:%u", host, address_of(server).port);
    dlaw_open_to(world, client, url, NULL);
    assert_int_equal(dlaw_send(client, "who", 3), 0);
    dlaw_until_got(client, 1); /* which gets only what comes from the very address that it has asked */
    dlaw_close(client);
    dlaw_until_lost(client);
}

static void the_address_that_was_asked_answers(struct law_world *world)
{
    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://0.0.0.0:0", NULL);
    server->received = echo;
    ask_at(world, "127.0.0.1");
    ask_at(world, "127.0.0.2");
    assert_int_equal(server->got[1].datagram.local.ip[3], 2);
    assert_int_equal(server->got[1].datagram.interface, 1);
    assert_false(server->got[1].datagram.to_group);
    dlaw_over(world);
}

static void every_address_is_both_families(struct law_world *world)
{
    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://:0", NULL);
    server->received = echo;
    ask_at(world, "127.0.0.1");
    ask_at(world, "127.0.0.3");
    ask_at(world, "[::1]");
    assert_int_equal(server->got[0].datagram.peer.family, WEFT_ADDRESS_IPV4);
    assert_int_equal(server->got[1].datagram.local.family, WEFT_ADDRESS_IPV4);
    assert_int_equal(server->got[2].datagram.local.family, WEFT_ADDRESS_IPV6);
    assert_int_equal(server->got[2].datagram.peer.family, WEFT_ADDRESS_IPV6);
    dlaw_over(world);
}

static void a_place_is_taken_and_free_again(struct law_world *world)
{
    char url[WEFT_LISTENER_URL];

    dlaw_open(world, server, dlaw_place(world), NULL);
    memcpy(url, server->url, sizeof url);
    assert_int_equal(dlaw_try_open(world, third, url, NULL), -EADDRINUSE);
    dlaw_close(server);
    dlaw_until_lost(server);
    dlaw_open(world, third, url, NULL);
    dlaw_over(world);
}

static void shared_ports(struct law_world *world)
{
    weft_datagram_options options = {.size = sizeof options, .reuse_port = true};

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://127.0.0.1:0", &options);
    dlaw_open(world, third, server->url, &options);
    for (int i = 0; i < 20; i++) { /* each from a port of its own */
        dlaw_open_to(world, client, server->url, NULL);
        assert_int_equal(dlaw_send(client, "a", 1), 0);
        dlaw_settle(world);
        dlaw_close(client);
        dlaw_until_lost(client);
    }
    assert_int_equal(server->count + third->count, 20);
    dlaw_over(world);
}

/* -- pausing, closing, ending -- */

static void nothing_comes_while_paused(struct law_world *world)
{
    dlaw_pair(world);
    dlaw_pause(server, true);
    assert_int_equal(dlaw_send(client, "one", 3), 0);
    assert_int_equal(dlaw_send(client, "two", 3), 0);
    dlaw_settle(world);
    assert_int_equal(server->count, 0);
    dlaw_pause(server, false);
    dlaw_until_got(server, 2);
    assert_string_equal(server->got[1].text, "two");
    dlaw_over(world);
}

static void close_sends_what_was_queued(struct law_world *world)
{
    dlaw_pair(world);
    for (int i = 0; i < 5; i++)
        assert_int_equal(dlaw_send(client, "last words", 100), 0);
    dlaw_close(client);
    LAW_DO(world, weft_datagram_close(client->socket));
    assert_int_equal(dlaw_send(client, "too late", 8), WEFT_EENDED);
    dlaw_until_lost(client);
    assert_int_equal(client->reason, WEFT_ECLOSED);
    dlaw_until_got(server, 5);
    dlaw_over(world);
}

static void abort_drops_what_was_queued(struct law_world *world)
{
    dlaw_pair(world);
    assert_int_equal(dlaw_send(client, "never said", 10), 0);
    dlaw_abort(client);
    LAW_DO(world, weft_datagram_abort(client->socket));
    dlaw_until_lost(client);
    assert_int_equal(client->reason, WEFT_EABORTED);
    dlaw_settle(world);
    assert_int_equal(server->count, 0);
    dlaw_over(world);
}

static void close_now(struct dlaw_peer *peer, const weft_datagram *datagrams, size_t count)
{
    (void)datagrams;
    (void)count;
    dlaw_close(peer);
}

static void closed_in_received_nothing_comes_but_lost(struct law_world *world)
{
    dlaw_pair(world);
    server->received = close_now;
    for (int i = 0; i < 8; i++)
        assert_int_equal(dlaw_send(client, "a", 10), 0);
    dlaw_until_lost(server);
    assert_int_equal(server->reason, WEFT_ECLOSED);
    assert_true(server->count >= 1);
    dlaw_over(world);
}

static void a_scope_ends_its_sockets(struct law_world *world)
{
    dlaw_pair(world);
    assert_int_equal(dlaw_send(client, "a", 10), 0);
    client->over = server->over = true;
    LAW_DO(world, weft_scope_cancel(world->scope, WEFT_ETIMEDOUT));
    dlaw_until_lost(client);
    dlaw_until_lost(server);
    assert_int_equal(client->reason, WEFT_ETIMEDOUT);
    dlaw_over(world);
}

static void a_loop_is_freed_with_open_sockets(struct law_world *world)
{
    dlaw_pair(world);
    assert_int_equal(dlaw_send(client, "a", 10), 0);
}

/* -- what goes wrong -- */

static void a_refusal_is_told_and_is_not_the_end(struct law_world *world)
{
    char url[WEFT_LISTENER_URL];

    if (dlaw_is_unix(world))
        return;
    dlaw_pair(world);
    memcpy(url, server->url, sizeof url);
    dlaw_close(server);
    dlaw_until_lost(server);
    assert_int_equal(dlaw_send(client, "anybody?", 8), 0);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, -ECONNREFUSED);
    dlaw_open(world, server, url, NULL);
    assert_int_equal(dlaw_send(client, "you!", 4), 0);
    dlaw_until_got(server, 1);
    assert_string_equal(server->got[0].text, "you!");
    dlaw_over(world);
}

/* One datagram is dropped, and those behind it are not. */
static void an_error_of_one_datagram_names_its_peer(struct law_world *world)
{
    weft_address to, bad;

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://127.0.0.1:0", NULL);
    dlaw_open(world, client, "udp://127.0.0.1:0", NULL);
    to = bad = address_of(server);
    bad.family = WEFT_ADDRESS_IPV6; /* not by this socket */
    assert_int_equal(dlaw_send_to(client, &to, "one"), 0);
    assert_int_equal(dlaw_send_to(client, &bad, "two"), 0);
    assert_int_equal(dlaw_send_to(client, &to, "three"), 0);
    dlaw_until_got(server, 2);
    assert_int_equal(client->failed, 1);
    assert_int_equal(client->status, -EAFNOSUPPORT);
    assert_same(&client->failed_peer, &bad);
    assert_string_equal(server->got[1].text, "three");
    dlaw_over(world);
}

static void without_a_peer_it_is_told(struct law_world *world)
{
    dlaw_open(world, client, dlaw_place(world), NULL);
    assert_int_equal(dlaw_send(client, "to nobody", 9), 0);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, dlaw_is_unix(world) ? -ENOTCONN : -EDESTADDRREQ);
    dlaw_over(world);
}

static void lengths_have_an_end(struct law_world *world)
{
    dlaw_pair(world);
    if (!dlaw_is_unix(world)) {
        assert_int_equal(dlaw_send(client, "", 65508), -EINVAL);
        assert_int_equal(dlaw_send(client, "", 65507), 0);
        dlaw_until_got(server, 1);
        assert_int_equal(server->got[0].length, 65507);
        assert_false(server->got[0].datagram.truncated);
    } else {
        assert_int_equal(dlaw_send(client, "", 65537), 1);
        dlaw_until_got(server, 1);
        assert_int_equal(server->got[0].length, 65536);
        assert_true(server->got[0].datagram.truncated);
    }
    dlaw_over(world);
}

static void unix_nobody_there(struct law_world *world)
{
    weft_datagram one = {
        .bytes = WEFT_BYTES("a"), .path = WEFT_BYTES("/nonexistent/weft"), .peer.family = WEFT_ADDRESS_UNIX};

    if (!dlaw_is_unix(world))
        return;
    assert_int_equal(dlaw_try_open_to(world, client, "unixgram://@weft-nobody-is-here", NULL), -ECONNREFUSED);
    assert_int_equal(dlaw_try_open_to(world, client, "unixgram:///nonexistent/weft", NULL), -ENOENT);
    dlaw_open(world, client, dlaw_place(world), NULL);
    assert_int_equal(LAW_CALL(world, weft_datagram_send(client->socket, &one, 1)), 0);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, -ENOENT);
    dlaw_over(world);
}

/* -- backpressure -- */

static void the_queue_is_bounded(struct law_world *world)
{
    weft_datagram_options options = {
        .size = sizeof options, .high_water = 1000, .low_water = 100, .output_limit = 3000, .output_count = 5};
    weft_datagram_counts counts;

    dlaw_open(world, server, dlaw_place(world), NULL);
    dlaw_open_to(world, client, server->url, &options);
    assert_int_equal(dlaw_send(client, "", 900), 0);
    assert_int_equal(weft_datagram_queued(client->socket), 900);
    assert_int_equal(dlaw_send(client, "", 101), 1);
    assert_int_equal(dlaw_send(client, "", 2000), WEFT_EOUTPUTLIMIT);
    assert_int_equal(dlaw_send(client, "", 0), 1);
    assert_int_equal(dlaw_send(client, "", 0), 1);
    assert_int_equal(dlaw_send(client, "", 0), 1);
    assert_int_equal(dlaw_send(client, "", 0), WEFT_EOUTPUTLIMIT);
    dlaw_until_got(server, 5);
    dlaw_settle(world);
    assert_int_equal(client->drained, 1);
    assert_int_equal(dlaw_send(client, "", 900), 0);
    dlaw_until_got(server, 6);
    weft_datagram_count(client->socket, &counts);
    assert_int_equal(counts.sent, 6);
    assert_int_equal(counts.sent_bytes, 1901);
    assert_int_equal(counts.refused, 2);
    assert_int_equal(counts.dropped, 0);
    dlaw_over(world);
}

/* A UNIX datagram whose receiver is full waits, whether its sender is connected or not. */
static void flood(struct law_world *world, bool connected)
{
    enum { COUNT = 60 };
    weft_datagram one = {.bytes = WEFT_BYTES("flood")};

    if (!dlaw_is_unix(world))
        return;
    dlaw_pair(world);
    if (!connected) {
        dlaw_open(world, third, dlaw_place(world), NULL);
        one.peer.family = WEFT_ADDRESS_UNIX;
        one.path = weft_bytes_from(server->url + strlen("unixgram://"));
    }
    dlaw_pause(server, true);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(LAW_CALL(world, weft_datagram_send((connected ? client : third)->socket, &one, 1)), 0);
    law_turns(world, 20);
    assert_true(weft_datagram_queued((connected ? client : third)->socket) > 0);
    dlaw_pause(server, false);
    dlaw_until_got(server, COUNT);
    dlaw_over(world);
}

static void a_full_receiver_holds_up_one_that_is_connected(struct law_world *world)
{
    flood(world, true);
}

static void a_full_receiver_holds_up_one_that_is_not(struct law_world *world)
{
    flood(world, false);
}

static void what_waits_too_long_is_dropped(struct law_world *world)
{
    weft_datagram_options options = {.size = sizeof options, .output_time = WEFT_SECONDS(2), .high_water = 50};
    weft_datagram_counts counts;

    if (!dlaw_is_unix(world))
        return;
    dlaw_open(world, server, dlaw_place(world), NULL);
    dlaw_open_to(world, client, server->url, &options);
    dlaw_pause(server, true);
    for (int i = 0; i < 40; i++)
        assert_in_range(dlaw_send(client, "late", 4), 0, 1);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, WEFT_EWRITESTALL);
    assert_int_equal(client->drained, 1);
    weft_datagram_count(client->socket, &counts);
    assert_int_equal(counts.sent + counts.dropped, 40);
    assert_true(counts.dropped > 0);
    for (int i = 0; i < 40; i++)
        assert_in_range(dlaw_send(client, "later", 5), 0, 1);
    dlaw_close(client);
    dlaw_until_lost(client);
    assert_int_equal(client->reason, WEFT_ECLOSED);
    dlaw_over(world);
}

/* -- groups, broadcast, marks -- */

static const weft_address group4 = {.family = WEFT_ADDRESS_IPV4, .ip = {239, 7, 7, 7}};
static const weft_address group6 = {.family = WEFT_ADDRESS_IPV6, .ip = {0xff, 0x11, [15] = 0x77}};

/* The system may have no way by which a group of that family is reached by the loopback. */
static bool has_no_way(const struct law_world *world)
{
    if (world->kind->simulated || client->failed == 0 || client->status != -ENETUNREACH)
        return false;
    print_message("there is no route for groups of IPv6 on the loopback\n");
    return true;
}

static void groups(struct law_world *world, const char *any, const weft_address *address)
{
    weft_datagram_options options = {.size = sizeof options, .multicast_interface = 1, .reuse_address = true};
    weft_datagram_group group = {.address = *address, .interface = 1};
    weft_address to = *address;

    dlaw_open(world, server, any, &options);
    to.port = address_of(server).port;
    dlaw_open(world, client, any, &options);
    assert_int_equal(dlaw_send_to(client, &to, "nobody"), 0);
    dlaw_settle(world);
    assert_int_equal(server->count, 0);
    assert_int_equal(LAW_CALL(world, weft_datagram_join(server->socket, &group)), 0);
    assert_int_equal(weft_datagram_join(server->socket, &group), -EADDRINUSE);
    if (has_no_way(world)) {
        dlaw_over(world);
        return;
    }
    assert_int_equal(dlaw_send_to(client, &to, "all"), 0);
    dlaw_until_got(server, 1);
    assert_string_equal(server->got[0].text, "all");
    assert_true(server->got[0].datagram.to_group);
    assert_memory_equal(server->got[0].datagram.local.ip, address->ip, 16);
    assert_int_equal(
        LAW_CALL(world, weft_datagram_reply(server->socket, &server->got[0].datagram, weft_bytes_from("I"))), 0);
    dlaw_until_got(client, 1);
    assert_int_equal(LAW_CALL(world, weft_datagram_leave(server->socket, &group)), 0);
    assert_int_equal(weft_datagram_leave(server->socket, &group), -EADDRNOTAVAIL);
    assert_int_equal(dlaw_send_to(client, &to, "gone"), 0);
    dlaw_settle(world);
    assert_int_equal(server->count, 1);
    dlaw_over(world);
}

static void a_group_is_joined_and_left(struct law_world *world)
{
    if (dlaw_is_unix(world))
        return;
    groups(world, "udp://0.0.0.0:0", &group4);
    law_world_close(world);
    law_world_open(world, world->kind, world->seed);
    groups(world, "udp://[::]:0", &group6);
}

static void a_group_of_one_source(struct law_world *world)
{
    weft_datagram_options options = {.size = sizeof options, .multicast_interface = 1};
    weft_datagram_group group = {.address = {.family = WEFT_ADDRESS_IPV4, .ip = {232, 1, 2, 3}}, .interface = 1};
    weft_address to = group.address;

    if (dlaw_is_unix(world))
        return;
    group.source = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 2}};
    dlaw_open(world, server, "udp://0.0.0.0:0", NULL);
    to.port = address_of(server).port;
    assert_int_equal(LAW_CALL(world, weft_datagram_join(server->socket, &group)), 0);
    dlaw_open(world, client, "udp://127.0.0.2:0", &options);
    dlaw_open(world, third, "udp://127.0.0.3:0", &options);
    assert_int_equal(dlaw_send_to(third, &to, "no"), 0);
    dlaw_settle(world);
    assert_int_equal(dlaw_send_to(client, &to, "yes"), 0);
    dlaw_until_got(server, 1);
    assert_string_equal(server->got[0].text, "yes");
    assert_int_equal(LAW_CALL(world, weft_datagram_leave(server->socket, &group)), 0);
    dlaw_over(world);
}

static void no_group_is_refused(struct law_world *world)
{
    weft_datagram_group group = {.address = {.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}}};

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://127.0.0.1:0", NULL);
    assert_int_equal(weft_datagram_join(server->socket, &group), -EINVAL);
    group.address = group6;
    assert_int_equal(weft_datagram_join(server->socket, &group), -EINVAL);
    group.address = group4;
    group.interface = 4000000;
    assert_int_equal(weft_datagram_join(server->socket, &group), -ENODEV);
    assert_int_equal(weft_datagram_set(server->socket, WEFT_DATAGRAM_HOPS, 256), -EINVAL);
    assert_int_equal(weft_datagram_set(server->socket, WEFT_DATAGRAM_HOPS, 7), 0);
    assert_int_equal(weft_datagram_set(server->socket, WEFT_DATAGRAM_MULTICAST_HOPS, 0), 0);
    assert_int_equal(weft_datagram_set(server->socket, WEFT_DATAGRAM_MULTICAST_LOOP, 0), 0);
    dlaw_over(world);
}

static void broadcast_has_to_be_allowed(struct law_world *world)
{
    weft_address to = {.family = WEFT_ADDRESS_IPV4, .ip = {127, 255, 255, 255}};

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://0.0.0.0:0", NULL);
    to.port = address_of(server).port;
    dlaw_open(world, client, "udp://127.0.0.1:0", NULL);
    assert_int_equal(dlaw_send_to(client, &to, "no"), 0);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, -EACCES);
    assert_int_equal(LAW_CALL(world, weft_datagram_set(client->socket, WEFT_DATAGRAM_BROADCAST, 1)), 0);
    assert_int_equal(dlaw_send_to(client, &to, "yes"), 0);
    dlaw_until_got(server, 1);
    assert_string_equal(server->got[0].text, "yes");
    assert_true(server->got[0].datagram.to_group);
    dlaw_over(world);
}

/* The answer leaves from an address of our own, which a broadcast's is not. */
static void a_broadcast_to_a_socket_of_both_families_can_be_answered(struct law_world *world)
{
    weft_address to = {.family = WEFT_ADDRESS_IPV4, .ip = {127, 255, 255, 255}};
    weft_datagram_options options = {.size = sizeof options, .broadcast = true};

    if (dlaw_is_unix(world))
        return;
    dlaw_open(world, server, "udp://:0", NULL);
    to.port = address_of(server).port;
    dlaw_open(world, client, "udp://127.0.0.1:0", &options);
    server->received = echo;
    assert_int_equal(dlaw_send_to(client, &to, "anybody?"), 0);
    dlaw_until_got(server, 1);
    assert_true(server->got[0].datagram.to_group);
    dlaw_until_got(client, 1);
    assert_string_equal(client->got[0].text, "anybody?");
    dlaw_over(world);
}

static void marks(struct law_world *world, const char *place)
{
    weft_datagram_options options = {.size = sizeof options, .congestion = true};

    dlaw_open(world, server, place, &options);
    dlaw_open_to(world, client, server->url, NULL);
    for (uint8_t ecn = 0; ecn < 4; ecn++) {
        weft_datagram one = {.bytes = WEFT_BYTES("mark"), .ecn = ecn};

        assert_int_equal(LAW_CALL(world, weft_datagram_send(client->socket, &one, 1)), 0);
        dlaw_until_got(server, ecn + 1U);
        assert_int_equal(server->got[ecn].datagram.ecn, ecn);
    }
    dlaw_over(world);
}

static void congestion_marks_come_through(struct law_world *world)
{
    if (dlaw_is_unix(world))
        return;
    marks(world, "udp://127.0.0.1:0");
    law_world_close(world);
    law_world_open(world, world->kind, world->seed);
    marks(world, "udp://[::1]:0");
}

int main(void)
{
    static const struct law laws[] = {
        {"each_arrives_as_it_was_sent", each_arrives_as_it_was_sent, EVERYWHERE},
        {"those_of_a_turn_arrive_in_their_order", those_of_a_turn_arrive_in_their_order, EVERYWHERE},
        {"many_of_one_size_arrive_each_by_itself", many_of_one_size_arrive_each_by_itself, EVERYWHERE},
        {"peers_know_each_other", peers_know_each_other, EVERYWHERE},
        {"a_stranger_is_not_heard_by_one_that_is_connected", a_stranger_is_not_heard_by_one_that_is_connected,
         EVERYWHERE},
        {"connected_to_another", connected_to_another, EVERYWHERE},
        {"the_address_that_was_asked_answers", the_address_that_was_asked_answers, EVERYWHERE},
        {"every_address_is_both_families", every_address_is_both_families, EVERYWHERE},
        {"a_place_is_taken_and_free_again", a_place_is_taken_and_free_again, EVERYWHERE},
        {"shared_ports", shared_ports, EVERYWHERE},
        {"nothing_comes_while_paused", nothing_comes_while_paused, EVERYWHERE},
        {"close_sends_what_was_queued", close_sends_what_was_queued, EVERYWHERE},
        {"abort_drops_what_was_queued", abort_drops_what_was_queued, EVERYWHERE},
        {"closed_in_received_nothing_comes_but_lost", closed_in_received_nothing_comes_but_lost, EVERYWHERE},
        {"a_scope_ends_its_sockets", a_scope_ends_its_sockets, EVERYWHERE},
        {"a_loop_is_freed_with_open_sockets", a_loop_is_freed_with_open_sockets, EVERYWHERE},
        {"a_refusal_is_told_and_is_not_the_end", a_refusal_is_told_and_is_not_the_end, EVERYWHERE},
        {"an_error_of_one_datagram_names_its_peer", an_error_of_one_datagram_names_its_peer, EVERYWHERE},
        {"without_a_peer_it_is_told", without_a_peer_it_is_told, EVERYWHERE},
        {"lengths_have_an_end", lengths_have_an_end, EVERYWHERE},
        {"unix_nobody_there", unix_nobody_there, EVERYWHERE},
        {"the_queue_is_bounded", the_queue_is_bounded, EVERYWHERE},
        {"a_full_receiver_holds_up_one_that_is_connected", a_full_receiver_holds_up_one_that_is_connected, EVERYWHERE},
        {"a_full_receiver_holds_up_one_that_is_not", a_full_receiver_holds_up_one_that_is_not, EVERYWHERE},
        {"what_waits_too_long_is_dropped", what_waits_too_long_is_dropped, EVERYWHERE | LAW_JUMPS},
        {"a_group_is_joined_and_left", a_group_is_joined_and_left, EVERYWHERE},
        {"a_group_of_one_source", a_group_of_one_source, EVERYWHERE},
        {"no_group_is_refused", no_group_is_refused, EVERYWHERE},
        {"broadcast_has_to_be_allowed", broadcast_has_to_be_allowed, EVERYWHERE},
        {"a_broadcast_to_a_socket_of_both_families_can_be_answered",
         a_broadcast_to_a_socket_of_both_families_can_be_answered, EVERYWHERE},
        {"congestion_marks_come_through", congestion_marks_come_through, EVERYWHERE},
    };

    return law_main(laws, sizeof laws / sizeof *laws);
}
