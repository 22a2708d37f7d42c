/* SPDX-License-Identifier: MIT */
/* Descriptors that somebody else opened: fd://N, listening or connected, and stdio: over pipes, files and a socket. */
#include "laws/law.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_internal.h"

#define EPOLL (&law_kinds[0])

static size_t echo(struct law_peer *peer, weft_bytes in)
{
    peer->bytes_in += in.length;
    assert_true(LAW_CALL(peer->world, weft_stream_write(peer->stream, in)) >= 0);
    return in.length;
}

static const struct law_hooks echoing = {.received = echo};
static const struct law_hooks quiet = {0};

static bool is_blocking(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* @p fd is -1 for stdio. */
static int listen_at(struct law_world *world, int fd)
{
    char url[32] = "stdio:";

    if (fd >= 0)
        snprintf(url, sizeof url, "fd://%d", fd);
    world->server_hooks = &echoing;
    return LAW_CALL(world, weft_listen(world->scope, url, &world->factory, NULL, &world->listener, NULL));
}

static bool is_stopped(struct law_world *world)
{
    return world->stopped;
}

static bool three_came(struct law_world *world)
{
    return world->server[0].bytes_in >= 3;
}

static void expect_bytes(int fd, const char *text)
{
    char buffer[64] = {0};

    assert_int_equal(read(fd, buffer, sizeof buffer), strlen(text));
    assert_string_equal(buffer, text);
}

static void expect_end(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 0);
}

static void a_connected_socket_is_one_connection(void **state)
{
    static struct law_world world;
    char url[WEFT_LISTENER_URL], expected[32];
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, pair[0]), 0);
    assert_int_equal(weft_listener_connections(world.listener), 1);
    snprintf(expected, sizeof expected, "fd://%d", pair[0]);
    weft_listener_url(world.listener, NULL, url);
    assert_string_equal(url, expected);
    assert_int_equal(write(pair[1], "abc", 3), 3);
    law_until(&world, three_came);
    assert_int_equal(weft_counters_read(weft_loop_counters(world.loop), "listener.accepted"), 1);
    law_turns(&world, 2);
    expect_bytes(pair[1], "abc");
    close(pair[1]);
    law_until(&world, is_stopped);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
    law_world_close(&world);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1); /* it was taken */
}

static bool client_connected(struct law_world *world)
{
    return world->client[0].connected;
}

static void a_connected_socket_as_a_client(void **state)
{
    static struct law_world world;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    law_world_open(&world, EPOLL, 1);
    snprintf(world.url, sizeof world.url, "fd://%d", pair[0]);
    law_connect(&world, 0, NULL, &quiet);
    assert_int_equal(LAW_CALL(&world, weft_stream_write(world.client[0].stream, weft_bytes_from("hello"))), 0);
    law_until(&world, client_connected);
    law_turns(&world, 2);
    expect_bytes(pair[1], "hello");
    law_close(&world.client[0]);
    law_turns(&world, 2);
    expect_end(pair[1]);
    close(pair[1]);
    law_world_close(&world);
}

static void closed_before_it_is_open_it_is_only_lost(void **state)
{
    static struct law_world world;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    law_world_open(&world, EPOLL, 1);
    snprintf(world.url, sizeof world.url, "fd://%d", pair[0]);
    law_connect(&world, 0, NULL, &quiet);
    law_close(&world.client[0]);
    law_turns(&world, 3);
    expect_end(pair[1]);
    close(pair[1]);
    law_world_close(&world);
    assert_int_equal(world.client[0].connected, 0);
}

static int tcp_listener(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static bool pair_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[0].connected;
}

static void a_listening_socket_listens(void **state)
{
    static struct law_world world;
    int fd = tcp_listener(), no_delay = 0;
    socklen_t length = sizeof no_delay;

    (void)state;
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, fd), 0);
    weft_listener_url(world.listener, NULL, world.url);
    assert_memory_equal(world.url, "tcp://127.0.0.1:", 16);
    law_connect(&world, 0, NULL, &quiet);
    law_until(&world, pair_connected);
    assert_int_equal(
        getsockopt(((struct backend_stream *)world.server[0].stream)->fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length),
        0);
    assert_int_equal(no_delay, 1); /* as of every other stream */
    law_world_close(&world);
}

static void what_cannot_be_adopted_stays_as_it_was(void **state)
{
    static struct law_world world;
    int pair[2], plain = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(pipe(pair), 0);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, 987), -EBADF);
    assert_int_equal(listen_at(&world, pair[0]), -ENOTSOCK);
    assert_int_equal(listen_at(&world, plain), -ENOTCONN);
    assert_true(is_blocking(pair[0]));
    assert_true(is_blocking(plain));
    world.accepted = 0;
    assert_int_equal(weft_scope_count(world.scope), 0);
    law_world_close(&world);
    close(pair[0]);
    close(pair[1]);
    close(plain);
}

/* The descriptor has a twin, as when a parent keeps its own: closing ours does not take it out of epoll by itself. */
static void a_twin_that_stays_open_brings_no_events(void **state)
{
    static struct law_world world;
    int pair[2], twin, listening = tcp_listener(), listening_twin = dup(listening);

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    twin = dup(pair[0]);
    law_world_open(&world, EPOLL, 1);
    snprintf(world.url, sizeof world.url, "fd://%d", pair[0]);
    law_connect(&world, 0, NULL, &quiet);
    assert_int_equal(listen_at(&world, listening), 0);
    law_until(&world, client_connected);
    law_abort(&world.client[0]);
    LAW_DO(&world, weft_listener_stop(world.listener, 0));
    law_until(&world, is_stopped);
    law_turns(&world, 2);
    assert_int_equal(write(pair[1], "abc", 3), 3);
    law_turns(&world, 5); /* an event here would touch freed memory */
    law_world_close(&world);
    close(twin);
    close(pair[1]);
    close(listening_twin);
}

static void connect_by_tcp(int *server, int *client)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    int listening = tcp_listener();

    assert_int_equal(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    *client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*client, (struct sockaddr *)&name, sizeof name), 0);
    *server = accept(listening, NULL, NULL);
    assert_true(*server >= 0);
    close(listening);
}

/* It was never counted for its address, and must not be counted out. */
static void a_connected_tcp_socket_with_a_limit_for_its_address(void **state)
{
    static struct law_world world;
    weft_listen_options options = {.size = sizeof options, .max_per_address = 2};
    int client, fd;
    char url[32];

    (void)state;
    connect_by_tcp(&fd, &client);
    law_world_open(&world, EPOLL, 1);
    world.server_hooks = &echoing;
    snprintf(url, sizeof url, "fd://%d", fd);
    assert_int_equal(LAW_CALL(&world, weft_listen(world.scope, url, &world.factory, &options, &world.listener, NULL)),
                     0);
    assert_int_equal(write(client, "abc", 3), 3);
    law_until(&world, three_came);
    assert_int_equal(weft_stream_peer(world.server[0].stream)->family, WEFT_ADDRESS_IPV4); /* the case that is meant */
    law_turns(&world, 2);
    expect_bytes(client, "abc");
    close(client);
    law_until(&world, is_stopped);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
    law_world_close(&world);
}

/* -- stdio: -- */

static int saved[2];

static void replace_stdio(int in, int out)
{
    fflush(stdout);
    saved[0] = dup(0);
    saved[1] = dup(1);
    assert_true(dup2(in, 0) == 0 && dup2(out, 1) == 1);
    close(in);
    if (out != in)
        close(out);
}

static void restore_stdio(void)
{
    assert_true(dup2(saved[0], 0) == 0 && dup2(saved[1], 1) == 1);
    close(saved[0]);
    close(saved[1]);
}

static void stdio_over_pipes(void **state)
{
    static struct law_world world;
    int in[2], out[2], in_twin, out_twin;

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    in_twin = dup(in[0]);
    out_twin = dup(out[1]);
    replace_stdio(in[0], out[1]);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    assert_int_equal(write(in[1], "abc", 3), 3);
    law_until(&world, three_came);
    law_turns(&world, 2);
    assert_false(is_blocking(in_twin));
    close(in[1]);
    law_until(&world, is_stopped);
    law_world_close(&world);
    restore_stdio();
    assert_true(is_blocking(in_twin)); /* others who share it find it as it was */
    assert_true(is_blocking(out_twin));
    expect_bytes(out[0], "abc");
    close(in_twin);
    close(out_twin);
    expect_end(out[0]);
    close(out[0]);
    assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
}

static int descriptor_of(const struct law_peer *peer)
{
    return ((struct backend_stream *)peer->stream)->fd;
}

static bool next_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[1].connected;
}

/* Else the next connection would get what some part of the program prints. */
static void the_numbers_of_stdio_are_never_free(void **state)
{
    static struct law_world world;
    int in[2], out[2], left[2], next[2];

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    replace_stdio(in[0], out[1]);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    close(in[1]);
    law_until(&world, is_stopped);
    left[0] = fcntl(0, F_GETFD);
    left[1] = fcntl(1, F_GETFD);
    world.stopped = 0;
    law_listen(&world, NULL, &quiet);
    law_connect(&world, 0, NULL, &quiet);
    law_until(&world, next_connected);
    next[0] = descriptor_of(&world.client[0]);
    next[1] = descriptor_of(&world.server[1]);
    law_world_close(&world);
    restore_stdio();
    expect_end(out[0]); /* the pipe itself was let go */
    close(out[0]);
    assert_true(left[0] >= 0 && left[1] >= 0);
    assert_true(next[0] > 2 && next[1] > 2);
}

/* Packets, as a terminal's lines: a short read does not mean that nothing is left. */
static void stdio_reads_packet_after_packet(void **state)
{
    static struct law_world world;
    int in[2], out[2];

    (void)state;
    assert_int_equal(pipe2(in, O_DIRECT), 0);
    assert_int_equal(pipe(out), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(write(in[1], "x", 1), 1);
    replace_stdio(in[0], out[1]);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    law_turns(&world, 10);
    assert_int_equal(world.server[0].bytes_in, 3);
    law_world_close(&world);
    restore_stdio();
    close(in[1]);
    close(out[0]);
}

static void stdio_over_one_socket_ends_it(void **state)
{
    static struct law_world world;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    replace_stdio(pair[0], pair[0]);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    assert_int_equal(write(pair[1], "abc", 3), 3);
    law_until(&world, three_came);
    law_close(&world.server[0]);
    law_turns(&world, 3);
    expect_bytes(pair[1], "abc");
    expect_end(pair[1]); /* at once, and not when both descriptors are closed after the lingering */
    close(pair[1]);
    law_until(&world, is_stopped);
    law_world_close(&world);
    restore_stdio();
}

static bool is_stopped_or_accepted(struct law_world *world)
{
    return world->stopped || world->accepted > 0;
}

/* Nobody looks at who is behind standard input: under inetd it may be anybody. */
static void pp_01_no_header_is_believed_over_stdio(void **state)
{
    static const char header[] = "PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\nabc";
    static struct law_world world;
    int server, client;

    (void)state;
    connect_by_tcp(&server, &client);
    replace_stdio(server, server);
    law_world_open(&world, EPOLL, 1);
    world.server_hooks = &echoing;
    assert_int_equal(LAW_CALL(&world, weft_listen(world.scope, "proxy+stdio:?from=unix", &world.factory, NULL,
                                                  &world.listener, NULL)),
                     0);
    assert_true(write(client, header, sizeof header - 1) > 0);
    law_until(&world, is_stopped_or_accepted);
    law_world_close(&world);
    restore_stdio();
    close(client);
    assert_int_equal(world.accepted, 0);
}

static void stdio_over_regular_files(void **state)
{
    static struct law_world world;
    FILE *in = tmpfile(), *out = tmpfile();
    int result;

    (void)state;
    assert_true(in && out);
    for (int i = 0; i < 100000; i++)
        fputs("0123456789", in);
    rewind(in);
    result = dup(fileno(out));
    replace_stdio(dup(fileno(in)), dup(fileno(out)));
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    law_until(&world, is_stopped);
    law_world_close(&world);
    restore_stdio();
    assert_int_equal(world.server[0].bytes_in, 1000000);
    assert_int_equal(lseek(result, 0, SEEK_END), 1000000);
    close(result);
    fclose(in);
    fclose(out);
}

/* EL-06: a pipe has no MSG_NOSIGNAL. */
static void a_reader_that_has_gone_is_no_signal(void **state)
{
    static struct law_world world;
    int in[2], out[2];

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    replace_stdio(in[0], out[1]);
    close(out[0]);
    law_world_open(&world, EPOLL, 1);
    assert_int_equal(listen_at(&world, -1), 0);
    assert_int_equal(write(in[1], "abc", 3), 3);
    law_until(&world, is_stopped);
    law_world_close(&world);
    restore_stdio();
    close(in[1]);
    assert_int_equal(world.server[0].reason, -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(a_connected_socket_is_one_connection),
        support_test(a_connected_socket_as_a_client),
        support_test(closed_before_it_is_open_it_is_only_lost),
        support_test(a_listening_socket_listens),
        support_test(what_cannot_be_adopted_stays_as_it_was),
        support_test(a_twin_that_stays_open_brings_no_events),
        support_test(a_connected_tcp_socket_with_a_limit_for_its_address),
        support_test(stdio_over_pipes),
        support_test(the_numbers_of_stdio_are_never_free),
        support_test(stdio_reads_packet_after_packet),
        support_test(stdio_over_one_socket_ends_it),
        support_test(pp_01_no_header_is_believed_over_stdio),
        support_test(stdio_over_regular_files),
        support_test(a_reader_that_has_gone_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
