/* SPDX-License-Identifier: MIT */
/*
 * EL-04: no descriptor is left. The listener sheds those that wait with its reserved descriptor, says so once, counts,
 * rests, and takes connections again as soon as it can; it never spins.
 */
#include "laws/law.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_internal.h"

#define CLIENTS 8

static const struct law_hooks quiet = {0};

static unsigned port_of(const char *url)
{
    return (unsigned)strtoul(strrchr(url, ':') + 1, NULL, 10);
}

/* A client with a descriptor that was made before they ran out. */
static void connect_to(int fd, const char *url)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(url))};

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
}

static rlim_t forbid_descriptors(void)
{
    struct rlimit limit;
    rlim_t before;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    close(next);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void allow_descriptors(rlim_t number)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = number;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static bool one_accepted(struct law_world *world)
{
    return world->accepted >= 1;
}

static void check_was_dropped(int fd)
{
    char byte;

    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void running_out_of_descriptors_sheds_and_recovers(void **state)
{
    static struct law_world world;
    int clients[CLIENTS + 1];
    uint64_t exhausted;
    rlim_t before;

    (void)state;
    support_log_expect("cannot accept");
    law_world_open(&world, &law_kinds[0], 1);
    law_listen(&world, NULL, &quiet);
    for (size_t i = 0; i <= CLIENTS; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = forbid_descriptors();
    for (size_t i = 0; i < CLIENTS / 2; i++)
        connect_to(clients[i], world.url);
    law_turns(&world, 50);
    for (size_t i = CLIENTS / 2; i < CLIENTS; i++) /* while the listener rests they wait */
        connect_to(clients[i], world.url);
    law_turns(&world, 50);
    exhausted = weft_counters_read(weft_loop_counters(world.loop), "listener.exhausted");
    assert_in_range(exhausted, 1, 2);
    assert_int_equal(world.accepted, 0);
    for (size_t i = 0; i < CLIENTS / 2; i++)
        check_was_dropped(clients[i]);
    allow_descriptors(before);
    law_until(&world, one_accepted); /* one of those that waited: the listener started again by itself */
    assert_true(world.turns < 1000); /* it rested on its timer and did not spin */
    assert_int_equal(support_log_count("cannot accept"), 1);
    assert_int_equal(support_log_count("shed=4"), 1);
    law_world_close(&world);
    for (size_t i = CLIENTS / 2; i <= CLIENTS; i++)
        close(clients[i]);
}

static uint64_t exhausted_count;

static bool exhausted_often(struct law_world *world)
{
    exhausted_count = weft_counters_read(weft_loop_counters(world->loop), "listener.exhausted");
    return exhausted_count >= 2;
}

static void it_says_so_once_and_counts_each_time(void **state)
{
    static struct law_world world;
    int clients[2];
    rlim_t before;

    (void)state;
    support_log_expect("cannot accept");
    law_world_open(&world, &law_kinds[0], 1);
    law_listen(&world, NULL, &quiet);
    clients[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    clients[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = forbid_descriptors();
    connect_to(clients[0], world.url);
    law_turns(&world, 20);
    connect_to(clients[1], world.url);
    law_until(&world, exhausted_often);
    assert_true(world.turns < 1000);
    allow_descriptors(before);
    assert_int_equal(support_log_count("cannot accept"), 1);
    check_was_dropped(clients[0]);
    check_was_dropped(clients[1]);
    law_world_close(&world);
}

/* A descriptor for a connection outwards: an error, and nothing is called. */
static void connecting_without_a_descriptor_is_an_error(void **state)
{
    static struct law_world world;
    struct law_peer *client = &world.client[0];
    rlim_t before;

    (void)state;
    law_world_open(&world, &law_kinds[0], 1);
    law_listen(&world, NULL, &quiet);
    before = forbid_descriptors();
    law_peer_init(client, &world, &quiet);
    assert_int_equal(weft_stream_connect(world.scope, world.url, &client->protocol, NULL, &client->stream, NULL),
                     -EMFILE);
    assert_null(client->stream);
    allow_descriptors(before);
    client->protocol.ops = NULL;
    law_world_close(&world);
}

static bool is_stopped(struct law_world *world)
{
    return world->stopped;
}

static void close_it(struct law_peer *peer)
{
    law_close(peer);
}

/* EL-30: while it stops, it sheds nobody: those that wait may have their turn before the grace time ends. */
static void a_backlog_waits_for_descriptors(void **state)
{
    static const struct law_hooks polite = {.draining = close_it};
    static struct law_world world;
    int clients[CLIENTS];
    rlim_t before;
    char byte;

    (void)state;
    support_log_expect("cannot accept");
    law_world_open(&world, &law_kinds[0], 1);
    law_listen(&world, NULL, &polite);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    before = forbid_descriptors();
    for (size_t i = 0; i < CLIENTS; i++)
        connect_to(clients[i], world.url);
    LAW_DO(&world, weft_listener_stop(world.listener, WEFT_HOURS(1)));
    law_turns(&world, 50);
    assert_int_equal(world.accepted, 0);
    assert_int_equal(world.stopped, 0);
    assert_in_range(weft_counters_read(weft_loop_counters(world.loop), "listener.exhausted"), 1, 2);
    allow_descriptors(before);
    for (size_t i = 0; i < CLIENTS; i++)
        shutdown(clients[i], SHUT_WR); /* so that nobody lingers */
    law_until(&world, is_stopped);
    assert_true(world.turns < 1000);
    assert_int_equal(world.accepted, CLIENTS);
    assert_int_equal(world.drained, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(recv(clients[i], &byte, 1, 0), 0);
        close(clients[i]);
    }
    law_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(running_out_of_descriptors_sheds_and_recovers),
        support_test(it_says_so_once_and_counts_each_time),
        support_test(connecting_without_a_descriptor_is_an_error),
        support_test(a_backlog_waits_for_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
