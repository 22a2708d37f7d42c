/* SPDX-License-Identifier: MIT */
/*
 * Law 6 for datagrams: in a run of open, join, send, echo and close every allocation fails, and every system call. Nothing
 * crashes or leaks, and each socket is lost once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/datagram.h>
#include <weft/timer.h>

#include "torture/driver.h"

#define COUNT 10
#define TRIES_MOST 12

struct place {
    const char *backend, *url, *bind;
    unsigned mode;
};

struct end {
    weft_datagram_protocol protocol;
    struct stage *stage;
    weft_datagram_socket *socket;
    unsigned got, lost;
};

struct stage {
    const struct place *place;
    weft_loop *loop;
    weft_timer timer;
    struct end server, client;
    unsigned tries;
};

static void finish(struct stage *stage)
{
    weft_timer_stop(&stage->timer);
    if (stage->client.socket)
        weft_datagram_close(stage->client.socket);
    if (stage->server.socket)
        weft_datagram_close(stage->server.socket);
}

static void on_received(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                        size_t count)
{
    struct end *end = weft_container_of(protocol, struct end, protocol);

    end->got += (unsigned)count;
    for (size_t i = 0; i < count && end == &end->stage->server; i++)
        (void)weft_datagram_reply(socket, &datagrams[i], datagrams[i].bytes);
    if (end == &end->stage->client && end->got >= COUNT)
        finish(end->stage);
}

static void on_lost(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason)
{
    struct end *end = weft_container_of(protocol, struct end, protocol);

    (void)socket;
    assert_true(reason < 0);
    assert_int_equal(end->lost++, 0);
    end->socket = NULL;
    finish(end->stage);
}

static WEFT_DATAGRAM_PROTOCOL(end_ops, "tortured", "it is a test", .received = on_received, .lost = on_lost);

/* Datagrams are lost when something fails: they are sent again. */
static void send_all(struct stage *stage)
{
    weft_datagram all[COUNT];

    memset(all, 0, sizeof all);
    for (size_t i = 0; i < COUNT; i++)
        all[i].bytes = weft_bytes_from(i == 3 ? "an odd one" : "all alike");
    (void)weft_datagram_send(stage->client.socket, all, COUNT);
    (void)weft_datagram_send(stage->client.socket, all, 2);
}

static void fired(weft_timer *timer)
{
    struct stage *stage = weft_container_of(timer, struct stage, timer);

    if (++stage->tries > TRIES_MOST || !stage->client.socket) {
        finish(stage);
        return;
    }
    send_all(stage);
    weft_timer_start(timer, WEFT_MILLISECONDS(5));
}

static void join(struct stage *stage)
{
    weft_datagram_group group = {.address = {.family = WEFT_ADDRESS_IPV4, .ip = {239, 1, 1, 1}}, .interface = 1};
    weft_address local = {.family = WEFT_ADDRESS_IPV4};

    if (weft_datagram_local(stage->server.socket, &local) < 0)
        return;
    (void)weft_datagram_join(stage->server.socket, &group);
    group.source = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    group.address.ip[0] = 232;
    (void)weft_datagram_join(stage->server.socket, &group);
    (void)weft_datagram_connect(stage->client.socket, NULL);
    local.ip[0] = 127, local.ip[3] = 1;
    (void)weft_datagram_connect(stage->client.socket, &local);
}

static int open_both(struct stage *stage)
{
    weft_scope *root = weft_loop_scope(stage->loop);
    weft_datagram_options options = {.size = sizeof options,
                                     .unix_mode = stage->place->mode,
                                     .congestion = true,
                                     .dont_fragment = true,
                                     .broadcast = true,
                                     .hops = 5,
                                     .multicast_hops = 2,
                                     .no_multicast_loop = true,
                                     .multicast_interface = 1,
                                     .receive_buffer = 100000,
                                     .send_buffer = 100000,
                                     .reuse_port = true,
                                     .reuse_address = true};
    char url[WEFT_LISTENER_URL];
    int status =
        weft_datagram_open(root, stage->place->url, &stage->server.protocol, &options, &stage->server.socket, NULL);

    if (status < 0)
        return status;
    weft_datagram_url(stage->server.socket, url);
    options = (weft_datagram_options){.size = sizeof options, .bind = stage->place->bind};
    return weft_datagram_open_to(root, url, &stage->client.protocol, &options, &stage->client.socket, NULL);
}

static int talk(struct stage *stage)
{
    int status = open_both(stage);

    if (status == 0 && strcmp(stage->place->url, "udp://127.0.0.1:0") == 0)
        join(stage);
    if (status == 0) {
        weft_timer_start(&stage->timer, WEFT_MILLISECONDS(5));
        send_all(stage);
        status = weft_loop_run(stage->loop);
    }
    if (status == 0 && stage->client.got < COUNT)
        status = -ETIMEDOUT;
    return status;
}

static int play(void *arg)
{
    struct stage stage = {.place = arg, .server.protocol.ops = &end_ops, .client.protocol.ops = &end_ops};
    weft_loop_options options = {.size = sizeof options, .backend = stage.place->backend, .watchdog = WEFT_NEVER};
    bool server, client;
    int status = weft_loop_new(&options, &stage.loop);

    if (status < 0)
        return status;
    stage.server.stage = stage.client.stage = &stage;
    status = weft_timer_init(&stage.timer, weft_loop_scope(stage.loop), fired);
    if (status == 0)
        status = talk(&stage);
    server = stage.server.socket || stage.server.lost;
    client = stage.client.socket || stage.client.lost;
    weft_loop_free(stage.loop);
    assert_int_equal(stage.server.lost, server);
    assert_int_equal(stage.client.lost, client);
    return status;
}

static void judge(void *arg, const struct torture_end *end)
{
    (void)arg;
    if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static struct place places[] = {
    {"epoll", "udp://127.0.0.1:0", NULL, 0},
    {"epoll", "udp://:0", NULL, 0},
    {"epoll", "unixgram:///tmp/weft-torture-dgram", "unixgram:///tmp/weft-torture-dgram-c", 0600},
    {"poll", "udp://127.0.0.1:0", NULL, 0},
    {"io_uring", "udp://127.0.0.1:0", NULL, 0},
    {"sim:1", "udp://127.0.0.1:0", NULL, 0},
    {"sim:1", "unixgram://@weft-torture", "unixgram://@weft-torture-c", 0},
};

static void every_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        torture_allocations(&(struct torture_scenario){places[i].url, play, judge, &places[i], NULL, NULL});
}

static void every_call_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strncmp(places[i].backend, "sim", 3) != 0)
            torture_calls(&(struct torture_scenario){places[i].url, play, judge, &places[i], NULL, NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(every_allocation_fails),
        torture_test(every_call_fails),
    };
    return torture_over(cmocka_run_group_tests(tests, NULL, NULL));
}
