/* SPDX-License-Identifier: MIT */
/* Four loops on four threads share a limit of five connections; a crowd of clients, each of which has to be served. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/listener.h>
#include <weft/worker.h>

#include "support/support.h"

#define WORKERS 4
#define LIMIT 5
#define CLIENTS 12
#define ROUNDS 200

struct worker {
    weft_factory factory;
    weft_protocol protocol;
    weft_loop *loop;
    weft_worker *thread;
    weft_listener *listener;
    weft_post stop;
    uint16_t port;
};

static struct worker workers[WORKERS];
static atomic_uint open_now, most_open, served, failures;

/* -- the servers: a byte for each connection, which stays until the client has gone -- */

static void on_connected(weft_protocol *protocol, weft_stream *stream)
{
    unsigned now = atomic_fetch_add(&open_now, 1) + 1, most = atomic_load(&most_open);

    (void)protocol;
    while (now > most && !atomic_compare_exchange_weak(&most_open, &most, now))
        ;
    atomic_fetch_add(&served, 1);
    if (weft_stream_write(stream, weft_bytes_from("x")) < 0)
        atomic_fetch_add(&failures, 1);
}

static void on_lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    (void)protocol;
    (void)stream;
    (void)reason;
    atomic_fetch_sub(&open_now, 1);
}

static WEFT_PROTOCOL(greeter, "greeter", "a test", .connected = on_connected, .lost = on_lost);

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)stream;
    return &weft_container_of(factory, struct worker, factory)->protocol;
}

static const weft_factory_ops factory_ops = {.build = build};

static void stop_worker(weft_post *post)
{
    weft_listener_stop(weft_container_of(post, struct worker, stop)->listener, WEFT_SECONDS(60));
}

static void start_worker(struct worker *worker, weft_connection_limit *limit)
{
    weft_listen_options options = {.size = sizeof options, .limit = limit};
    weft_loop_options loop = {.size = sizeof loop, .backend = support_engine(), .watchdog = WEFT_NEVER};
    char url[WEFT_LISTENER_URL];

    *worker = (struct worker){.factory.ops = &factory_ops, .protocol.ops = &greeter, .stop.run = stop_worker};
    assert_int_equal(weft_loop_new(&loop, &worker->loop), 0);
    assert_int_equal(weft_listen(weft_loop_scope(worker->loop), "tcp://127.0.0.1:0", &worker->factory, &options,
                                 &worker->listener, NULL),
                     0);
    weft_listener_url(worker->listener, NULL, url);
    worker->port = (uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10);
}

/* -- the clients -- */

static bool visit(uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte = 0;
    bool done;

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    done = fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0 && recv(fd, &byte, 1, 0) == 1;
    close(fd);
    return done && byte == 'x';
}

static void *visit_all(void *arg)
{
    size_t number = (size_t)(uintptr_t)arg;

    for (size_t i = 0; i < ROUNDS; i++)
        if (!visit(workers[(number * 7 + i * 3) % WORKERS].port))
            atomic_fetch_add(&failures, 1);
    return NULL;
}

static void everybody_is_served_and_never_more_than_five_at_once(void **state)
{
    weft_connection_limit_options options = {.size = sizeof options, .connections = LIMIT, .per_address = 100};
    weft_connection_limit *limit;
    pthread_t clients[CLIENTS];

    (void)state;
    assert_int_equal(weft_connection_limit_new(&options, &limit), 0);
    for (size_t i = 0; i < WORKERS; i++)
        start_worker(&workers[i], limit);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(weft_worker_start(workers[i].loop, &workers[i].thread), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, visit_all, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    for (size_t i = 0; i < WORKERS; i++)
        weft_loop_post(workers[i].loop, &workers[i].stop);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(weft_worker_join(workers[i].thread), 0);
        weft_loop_free(workers[i].loop);
    }
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(atomic_load(&served), CLIENTS * ROUNDS);
    assert_in_range(atomic_load(&most_open), 1, LIMIT);
    assert_int_equal(weft_connection_limit_connections(limit), 0);
    weft_connection_limit_unref(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {support_test(everybody_is_served_and_never_more_than_five_at_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
