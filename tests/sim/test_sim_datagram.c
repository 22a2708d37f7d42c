/* SPDX-License-Identifier: MIT */
/* What befalls datagrams between the hosts of a simulated world (weft/sim.h). */
#include "support/support.h"

#include <errno.h>
#include <string.h>

#include <weft/datagram.h>
#include <weft/sim.h>
#include <weft/timer.h>

#define COUNT 1000
#define MILLION 1000000

struct end {
    weft_datagram_protocol protocol;
    weft_datagram_socket *socket;
    unsigned got, marked, out_of_order, lost;
    unsigned times[COUNT]; /* each number came so often */
    unsigned last;
    int status;
    bool echoes;
};

static struct end server, client, other;
static weft_sim *world;

static void on_received(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                        size_t count)
{
    struct end *end = weft_container_of(protocol, struct end, protocol);

    for (size_t i = 0; i < count; i++) {
        unsigned number = 0;

        if (datagrams[i].bytes.length >= sizeof number)
            memcpy(&number, datagrams[i].bytes.data, sizeof number);
        end->got++;
        end->marked += datagrams[i].ecn == WEFT_ECN_CE;
        end->out_of_order += number < end->last;
        end->last = number;
        end->times[number % COUNT]++;
        if (end->echoes)
            (void)weft_datagram_reply(socket, &datagrams[i], datagrams[i].bytes);
    }
}

static void on_failed(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int status,
                      const weft_address *peer)
{
    (void)socket;
    (void)peer;
    weft_container_of(protocol, struct end, protocol)->status = status;
}

static void on_lost(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason)
{
    struct end *end = weft_container_of(protocol, struct end, protocol);

    (void)socket;
    (void)reason;
    end->lost++;
    end->socket = NULL;
}

static WEFT_DATAGRAM_PROTOCOL(end_ops, "simulated", "it is a test", .received = on_received, .failed = on_failed,
                              .lost = on_lost);

static void open_end(struct end *end, weft_loop *loop, const char *at, const char *to,
                     const weft_datagram_options *options)
{
    weft_scope *root = weft_loop_scope(loop);

    memset(end, 0, sizeof *end);
    end->protocol.ops = &end_ops;
    assert_int_equal(at ? weft_datagram_open(root, at, &end->protocol, options, &end->socket, NULL)
                        : weft_datagram_open_to(root, to, &end->protocol, options, &end->socket, NULL),
                     0);
}

/* Two hosts: a server on the first, and on the other a client of it. */
static void begin(uint64_t seed, const weft_faults *faults, const weft_datagram_options *options)
{
    weft_datagram_options large = {.size = sizeof large, .receive_buffer = 10 << 20};
    weft_loop *there, *here;

    if (options)
        large = *options;
    world = weft_sim_new(seed);
    assert_non_null(world);
    assert_int_equal(weft_sim_faults(world, faults), 0);
    there = weft_sim_host(world, "server");
    here = weft_sim_host(world, "client");
    assert_true(there && here);
    open_end(&server, there, "udp://10.0.0.1:53", NULL, &large);
    open_end(&client, here, NULL, "udp://10.0.0.1:53", &large);
    memset(&other, 0, sizeof other);
}

static void run(weft_time time)
{
    assert_in_range(weft_sim_run(world, time), 0, 1);
}

static void end(void)
{
    weft_sim_free(world);
    assert_int_equal(server.lost, 1);
    assert_int_equal(client.lost, 1);
}

/* @p count datagrams with their numbers, one a millisecond. */
static void send_numbers(unsigned count, size_t length, uint8_t ecn)
{
    static char bytes[2000];

    for (unsigned number = 0; number < count; number++) {
        weft_datagram one = {.bytes = weft_bytes_of(bytes, length), .ecn = ecn};

        memcpy(bytes, &number, sizeof number);
        assert_in_range(weft_datagram_send(client.socket, &one, 1), 0, 1);
        run(WEFT_MILLISECONDS(1));
    }
    run(WEFT_SECONDS(10));
}

static uint64_t found;

static void look(const char *kind, unsigned per_million, uint64_t occasions, uint64_t times, void *arg)
{
    (void)per_million;
    (void)occasions;
    if (strcmp(kind, arg) == 0)
        found = times;
}

static uint64_t times_of(const char *kind)
{
    found = 0;
    weft_sim_each_fault(world, look, (void *)(uintptr_t)kind);
    return found;
}

static void a_kind_world_loses_nothing(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .latency = {WEFT_MILLISECONDS(1), WEFT_MILLISECONDS(80)}};

    (void)state;
    begin(1, &faults, NULL);
    server.echoes = true;
    send_numbers(COUNT, 100, 0);
    assert_int_equal(server.got, COUNT);
    assert_int_equal(client.got, COUNT);
    assert_int_equal(server.out_of_order, 0);
    end();
}

static void some_are_lost(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .lost_datagrams = 200000};

    (void)state;
    begin(2, &faults, NULL);
    send_numbers(COUNT, 100, 0);
    assert_in_range(server.got, COUNT * 7 / 10, COUNT * 9 / 10);
    assert_int_equal(times_of("lost-datagrams"), COUNT - server.got);
    for (unsigned i = 0; i < COUNT; i++)
        assert_in_range(server.times[i], 0, 1);
    assert_int_equal(server.out_of_order, 0);
    end();
}

static void some_come_twice(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .doubled_datagrams = 200000};

    (void)state;
    begin(3, &faults, NULL);
    send_numbers(COUNT, 100, 0);
    assert_in_range(server.got, COUNT * 11 / 10, COUNT * 13 / 10);
    assert_int_equal(times_of("doubled-datagrams"), server.got - COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        assert_in_range(server.times[i], 1, 2);
    end();
}

static void some_come_late(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .late_datagrams = 200000};

    (void)state;
    begin(4, &faults, NULL);
    send_numbers(COUNT, 100, 0);
    assert_int_equal(server.got, COUNT);
    assert_true(server.out_of_order > 50);
    assert_in_range(times_of("late-datagrams"), 100, 300);
    end();
}

static void what_is_sent_over_a_cut_link_is_lost(void **state)
{
    static const weft_faults faults = {.size = sizeof faults};

    (void)state;
    begin(5, &faults, NULL);
    assert_int_equal(weft_sim_cut(world, "server", "client", true), 0);
    send_numbers(10, 100, 0);
    assert_int_equal(server.got, 0);
    assert_int_equal(weft_sim_cut(world, "server", "client", false), 0);
    run(WEFT_SECONDS(10));
    assert_int_equal(server.got, 0); /* what was sent meanwhile does not come later */
    send_numbers(10, 100, 0);
    assert_int_equal(server.got, 10);
    end();
}

/* 1,000 datagrams of 1,000 bytes in a second, where 100,000 bytes a second pass. */
static void a_crowded_link_marks_and_drops(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .bandwidth = 100000};
    weft_datagram_options options = {.size = sizeof options, .congestion = true, .receive_buffer = 10 << 20};

    (void)state;
    begin(6, &faults, &options);
    send_numbers(COUNT, 972, WEFT_ECN_ECT0);
    assert_in_range(server.got, 90, 150);
    assert_in_range(server.marked, 60, server.got);
    assert_true(weft_sim_reached(world, "sim: a datagram that a router dropped") > 0);
    server.got = server.marked = 0;
    send_numbers(100, 972, WEFT_ECN_NONE);
    assert_in_range(server.got, 10, 40);
    assert_int_equal(server.marked, 0);
    end();
}

static void a_host_at_which_nobody_receives_says_so(void **state)
{
    static const weft_faults faults = {.size = sizeof faults, .latency = {WEFT_MILLISECONDS(5), WEFT_MILLISECONDS(5)}};

    (void)state;
    begin(7, &faults, NULL);
    weft_datagram_close(server.socket);
    run(WEFT_MILLISECONDS(1));
    assert_in_range(weft_datagram_send(client.socket, &(weft_datagram){.bytes = WEFT_BYTES("?")}, 1), 0, 1);
    run(WEFT_MILLISECONDS(8));
    assert_int_equal(client.status, 0);
    run(WEFT_MILLISECONDS(4));
    assert_int_equal(client.status, -ECONNREFUSED);
    end();
}

static void a_host_without_power_says_nothing(void **state)
{
    static const weft_faults faults = {.size = sizeof faults};

    (void)state;
    begin(8, &faults, NULL);
    assert_int_equal(weft_sim_cut(world, "server", "client", true), 0);
    assert_int_equal(weft_sim_crash(world, "server"), 0);
    assert_int_equal(server.lost, 1);
    send_numbers(5, 100, 0);
    assert_int_equal(client.status, 0);
    end();
}

static void what_a_killed_host_had_is_free_again(void **state)
{
    static const weft_faults faults = {.size = sizeof faults};
    weft_loop *again;

    (void)state;
    begin(9, &faults, NULL);
    assert_int_equal(weft_sim_kill(world, "server"), 0);
    assert_int_equal(server.lost, 1);
    send_numbers(1, 100, 0);
    assert_int_equal(client.status, -ECONNREFUSED);
    again = weft_sim_host(world, "server");
    assert_non_null(again);
    open_end(&other, again, "udp://:53", NULL, NULL);
    weft_sim_free(world);
    assert_int_equal(client.lost, 1);
    assert_int_equal(other.lost, 1);
}

static void groups_and_broadcast_reach_other_hosts(void **state)
{
    static const weft_faults faults = {.size = sizeof faults};
    weft_datagram_group group = {.address = {.family = WEFT_ADDRESS_IPV4, .ip = {239, 1, 2, 3}}};
    weft_datagram_options options = {.size = sizeof options, .broadcast = true};
    weft_datagram one = {.bytes = WEFT_BYTES("everybody"), .peer = group.address};
    weft_loop *third;

    (void)state;
    begin(10, &faults, NULL);
    third = weft_sim_host(world, "third");
    open_end(&other, third, "udp://:53", NULL, &options);
    assert_int_equal(weft_datagram_join(other.socket, &group), 0);
    weft_datagram_abort(client.socket);
    run(WEFT_SECONDS(1));
    open_end(&client, weft_datagram_loop(server.socket), "udp://0.0.0.0:5353", NULL, &options);
    one.peer.port = 53;
    assert_int_equal(weft_datagram_send(client.socket, &one, 1), 0);
    run(WEFT_SECONDS(1));
    assert_int_equal(other.got, 1); /* the server has not joined */
    assert_int_equal(server.got, 0);
    one.peer = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {255, 255, 255, 255}, .port = 53};
    assert_int_equal(weft_datagram_send(client.socket, &one, 1), 0);
    run(WEFT_SECONDS(1));
    assert_int_equal(other.got, 2);
    assert_int_equal(server.got, 0); /* it is bound to one address */
    assert_int_equal(weft_datagram_set(client.socket, WEFT_DATAGRAM_MULTICAST_HOPS, 0), 0);
    one.peer = group.address;
    one.peer.port = 53;
    assert_int_equal(weft_datagram_send(client.socket, &one, 1), 0);
    run(WEFT_SECONDS(1));
    assert_int_equal(other.got, 2); /* it did not leave its host */
    end();
}

static void without_the_loop_its_own_host_does_not_hear_it(void **state)
{
    static const weft_faults faults = {.size = sizeof faults};
    weft_datagram_group group = {.address = {.family = WEFT_ADDRESS_IPV4, .ip = {239, 1, 2, 3}}};
    weft_datagram one = {.bytes = WEFT_BYTES("everybody"), .peer = group.address};

    (void)state;
    begin(11, &faults, NULL);
    open_end(&other, weft_datagram_loop(server.socket), "udp://0.0.0.0:54", NULL, NULL);
    one.peer.port = 54;
    assert_int_equal(weft_datagram_join(other.socket, &group), 0);
    assert_int_equal(weft_datagram_send(other.socket, &one, 1), 0);
    run(WEFT_SECONDS(1));
    assert_int_equal(other.got, 1);
    assert_int_equal(weft_datagram_set(other.socket, WEFT_DATAGRAM_MULTICAST_LOOP, 0), 0);
    assert_int_equal(weft_datagram_send(other.socket, &one, 1), 0);
    run(WEFT_SECONDS(1));
    assert_int_equal(other.got, 1);
    end();
}

static uint64_t hash_of(uint64_t seed)
{
    static const weft_faults faults = {.size = sizeof faults,
                                       .latency = {WEFT_MILLISECONDS(1), WEFT_MILLISECONDS(20)},
                                       .lost_datagrams = MILLION / 10,
                                       .doubled_datagrams = MILLION / 10,
                                       .late_datagrams = MILLION / 10,
                                       .short_reads = MILLION / 2,
                                       .short_writes = MILLION / 2,
                                       .refused_writes = MILLION / 4,
                                       .partitions = MILLION / 100,
                                       .rare_paths = MILLION / 4};
    uint64_t hash;

    begin(seed, &faults, NULL);
    server.echoes = true;
    send_numbers(300, 100, 0);
    hash = weft_sim_hash(world);
    end();
    return hash;
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        assert_true(hash_of(seed) == hash_of(seed));
    assert_true(hash_of(1) != hash_of(2));
}

/* With each fault that there is, allocations that fail among them: no crash, no leak, each socket lost once. */
static void swarms(void **state)
{
    static const weft_faults none = {.size = sizeof none};

    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        support_set_context("seed %llu", (unsigned long long)seed);
        begin(seed, &none, NULL);
        server.echoes = true;
        weft_sim_swarm(world, true);
        for (unsigned number = 0; number < 50; number++) {
            weft_datagram one = {.bytes = weft_bytes_of(&number, sizeof number)};
            weft_datagram many[10];

            for (size_t i = 0; i < 10; i++)
                many[i] = one;
            if (client.socket)
                (void)weft_datagram_send(client.socket, many, number % 2 ? 10 : 1);
            run(WEFT_MILLISECONDS(20));
        }
        weft_sim_calm(world);
        run(WEFT_SECONDS(120));
        end();
        support_clear_context();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_kind_world_loses_nothing),
        support_test(some_are_lost),
        support_test(some_come_twice),
        support_test(some_come_late),
        support_test(what_is_sent_over_a_cut_link_is_lost),
        support_test(a_crowded_link_marks_and_drops),
        support_test(a_host_at_which_nobody_receives_says_so),
        support_test(a_host_without_power_says_nothing),
        support_test(what_a_killed_host_had_is_free_again),
        support_test(groups_and_broadcast_reach_other_hosts),
        support_test(without_the_loop_its_own_host_does_not_hear_it),
        support_test(the_same_seed_is_the_same_run),
        support_test(swarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
