/* SPDX-License-Identifier: MIT */
/* Sockets of datagrams on the system: options, URLs, paths, and how many calls they cost (laws/test_datagrams.c has the rest). */
#include "laws/datagram_law.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/memory.h>

#include "net/datagram_internal.h"

static struct law_world world;
static struct dlaw_peer *const server = &dlaw_server, *const client = &dlaw_client;

static int prepare(void **state)
{
    int status = support_setup(state);

    law_world_open(&world, &law_kinds[0], 1);
    return status;
}

static int tidy_up(void **state)
{
    dlaw_over(&world);
    law_world_close(&world);
    return support_teardown(state);
}

static int option_of(const struct dlaw_peer *peer, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof value;

    assert_int_equal(getsockopt(peer->socket->io.fd, level, option, &value, &length), 0);
    return value;
}

static void a_url_says_where(void **state)
{
    static const struct {
        const char *url;
        int status;
        size_t offset;
    } wrong[] = {
        {"tcp://127.0.0.1:1", WEFT_ESCHEME, 0},   {"udp://127.0.0.1", WEFT_EURL, 15}, {"udp://name:1", WEFT_EURL, 6},
        {"udp://127.0.0.1:65536", WEFT_EURL, 16}, {"unixgram://", WEFT_EURL, 11},     {"udp://[::1:1", WEFT_EURL, 6},
    };
    weft_address address;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        weft_url_error where = {0};
        weft_datagram_protocol protocol = {NULL};

        assert_int_equal(weft_datagram_open(world.scope, wrong[i].url, &protocol, NULL, NULL, &where), wrong[i].status);
        assert_int_equal(where.offset, wrong[i].offset);
        assert_non_null(where.text);
    }
    assert_int_equal(weft_datagram_address("udp://[fe80::1]:53", &address, NULL), 0);
    assert_int_equal(address.port, 53);
    assert_int_equal(address.family, WEFT_ADDRESS_IPV6);
    assert_int_equal(weft_datagram_address("udp://:53", &address, NULL), 0);
    assert_int_equal(address.ip[15], 1);
    dlaw_open(&world, server, "udp://localhost:0", NULL);
    assert_memory_equal(server->url, "udp://127.0.0.1:", 16);
    assert_string_not_equal(server->url + 16, "0");
}

static void options_reach_the_socket(void **state)
{
    weft_datagram_options options = {.size = sizeof options,
                                     .hops = 9,
                                     .multicast_hops = 3,
                                     .broadcast = true,
                                     .dont_fragment = true,
                                     .no_multicast_loop = true,
                                     .receive_buffer = 50000,
                                     .send_buffer = 40000,
                                     .congestion = true};

    (void)state;
    dlaw_open(&world, server, "udp://127.0.0.1:0", &options);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_TTL), 9);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_MULTICAST_TTL), 3);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_RECVTOS), 1);
    assert_int_equal(option_of(server, IPPROTO_IP, IP_PKTINFO), 0); /* it has one address */
    assert_int_equal(option_of(server, SOL_SOCKET, SO_BROADCAST), 1);
    assert_int_equal(option_of(server, SOL_SOCKET, SO_RCVBUF), 100000);
    assert_int_equal(option_of(server, SOL_SOCKET, SO_SNDBUF), 80000);
    dlaw_open(&world, client, "udp://:0", &options);
    assert_int_equal(option_of(client, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 9);
    assert_int_equal(option_of(client, IPPROTO_IP, IP_TTL), 9);
    assert_int_equal(option_of(client, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
    assert_int_equal(option_of(client, IPPROTO_IP, IP_PKTINFO), 1);
    assert_int_equal(option_of(client, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    assert_int_equal(fcntl(client->socket->io.fd, F_GETFD), FD_CLOEXEC);
}

static void options_out_of_range(void **state)
{
    weft_datagram_options options = {0};

    (void)state;
    assert_int_equal(dlaw_try_open(&world, server, "udp://127.0.0.1:0", &options), -EINVAL);
    options.size = sizeof options;
    options.hops = 256;
    assert_int_equal(dlaw_try_open(&world, server, "udp://127.0.0.1:0", &options), -EINVAL);
    options.hops = 0;
    options.output_time = -1;
    assert_int_equal(dlaw_try_open(&world, server, "udp://127.0.0.1:0", &options), -EINVAL);
    assert_int_equal(weft_scope_count(world.scope), 0);
}

static void the_path_of_a_unix_socket(void **state)
{
    weft_datagram_options options = {.size = sizeof options, .unix_mode = 0640};
    char place[] = "/tmp/weft-datagram-XXXXXX", url[64], *path = url + strlen("unixgram://");
    struct stat about;
    int stale;

    (void)state;
    assert_non_null(mkdtemp(place));
    snprintf(url, sizeof url, "unixgram://%s/s", place);
    dlaw_open(&world, server, url, &options);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    assert_string_equal(server->url, url);
    assert_int_equal(dlaw_try_open(&world, client, url, NULL), -EADDRINUSE);
    stale = dup(server->socket->io.fd); /* so that the path stays when it is closed: somebody else's would be there */
    dlaw_close(server);
    dlaw_until_lost(server);
    close(stale);
    assert_int_equal(stat(path, &about), -1);
    dlaw_open(&world, server, url, NULL);
    dlaw_close(server);
    dlaw_until_lost(server);
    assert_int_equal(rmdir(place), 0);
}

static void options_in_a_url_reach_the_socket(void **state)
{
    weft_datagram_options options = {.size = sizeof options, .bind = "udp://127.0.0.1:0?reuseport=yes"};

    (void)state;
    dlaw_open(&world, server, "udp://127.0.0.1:0?reuseport=yes", NULL);
    assert_int_equal(option_of(server, SOL_SOCKET, SO_REUSEPORT), 1);
    dlaw_open_to(&world, client, server->url, &options);
    assert_int_equal(option_of(client, SOL_SOCKET, SO_REUSEPORT), 1);
    options = (weft_datagram_options){.size = sizeof options, .reuse_port = true};
    dlaw_open(&world, &dlaw_third, "udp://127.0.0.1:0?reuseport=no",
              &options); /* it goes before what the program says */
    assert_int_equal(option_of(&dlaw_third, SOL_SOCKET, SO_REUSEPORT), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat about;

    assert_int_equal(stat(path, &about), 0);
    return about.st_mode & 0777;
}

static void the_mode_in_a_url_is_the_path_s(void **state)
{
    weft_datagram_options options = {.size = sizeof options, .unix_mode = 0640};
    char place[] = "/tmp/weft-datagram-XXXXXX", path[64], url[96], bind[96];

    (void)state;
    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/s", place);
    snprintf(url, sizeof url, "unixgram://%s?mode=604", path);
    dlaw_open(&world, server, url, &options);
    assert_int_equal(mode_of(path), 0604);
    snprintf(path, sizeof path, "%s/c", place);
    snprintf(bind, sizeof bind, "unixgram://%s?mode=602", path);
    options.bind = bind;
    dlaw_open_to(&world, client, server->url, &options);
    assert_int_equal(mode_of(path), 0602);
    dlaw_close(server);
    dlaw_close(client);
    dlaw_until_lost(server);
    dlaw_until_lost(client);
    assert_int_equal(rmdir(place), 0);
}

static void what_it_writes_as_its_url_is_one(void **state)
{
    char place[] = "/tmp/weft-datagram-XXXXXX", url[96];
    weft_address address;

    (void)state;
    assert_non_null(mkdtemp(place));
    snprintf(url, sizeof url, "unixgram://%s/a%%3Fb%%25c%%20d", place);
    dlaw_open(&world, server, url, NULL);
    assert_string_equal(server->url, url);
    dlaw_close(server);
    dlaw_until_lost(server);
    assert_int_equal(rmdir(place), 0);
    dlaw_open(&world, client, "udp://[ff02::1%251]:0", NULL);
    assert_int_equal(weft_datagram_address(client->url, &address, NULL), 0);
    assert_int_equal(address.scope_id, 1);
    assert_int_not_equal(address.port, 0);
}

/* A kernel or a device may not know how to divide: then each goes by itself. */
static void what_cannot_be_divided_is_sent_one_by_one(void **state)
{
    static const char bytes[100] = {0};
    weft_datagram many[20];
    int checksums = 1;

    (void)state;
    memset(many, 0, sizeof many);
    dlaw_pair(&world);
    for (size_t i = 0; i < 20; i++)
        many[i].bytes = weft_bytes_of(bytes, sizeof bytes);
    /* Linux divides only where it may compute the checksum later. */
    assert_int_equal(setsockopt(client->socket->io.fd, SOL_SOCKET, SO_NO_CHECK, &checksums, sizeof checksums), 0);
    assert_int_equal(LAW_CALL(&world, weft_datagram_send(client->socket, many, 20)), 0);
    dlaw_until_got(server, 20);
    assert_int_equal(client->failed, 0);
    assert_int_equal(server->bytes, 2000);
}

static void a_paused_socket_is_told_of_a_refusal(void **state)
{
    (void)state;
    dlaw_pair(&world);
    dlaw_close(server);
    dlaw_until_lost(server);
    dlaw_pause(client, true);
    assert_int_equal(dlaw_send(client, "anybody?", 8), 0);
    dlaw_until_failed(client, 1);
    assert_int_equal(client->status, -ECONNREFUSED);
}

static void a_loop_counts_its_datagrams(void **state)
{
    const weft_counters *counters = weft_loop_counters(world.loop);

    (void)state;
    dlaw_pair(&world);
    assert_int_equal(dlaw_send(client, "one", 3), 0);
    assert_int_equal(dlaw_send(client, "two", 3), 0);
    dlaw_until_got(server, 2);
    assert_int_equal(weft_counters_read(counters, "datagram.sent"), 2);
    assert_int_equal(weft_counters_read(counters, "datagram.received"), 2);
    assert_int_equal(weft_counters_read(counters, "datagram.dropped"), 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, prepare, tidy_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_url_says_where),
        test(options_reach_the_socket),
        test(options_out_of_range),
        test(the_path_of_a_unix_socket),
        test(options_in_a_url_reach_the_socket),
        test(the_mode_in_a_url_is_the_path_s),
        test(what_it_writes_as_its_url_is_one),
        test(what_cannot_be_divided_is_sent_one_by_one),
        test(a_paused_socket_is_told_of_a_refusal),
        test(a_loop_counts_its_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
