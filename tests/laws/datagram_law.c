/* SPDX-License-Identifier: MIT */
#include "laws/datagram_law.h"

#include <string.h>
#include <unistd.h>

#include <weft/timer.h>

struct dlaw_peer dlaw_server, dlaw_client, dlaw_third;

/* -- what sockets are told -- */

static struct dlaw_peer *enter(weft_datagram_protocol *protocol, weft_datagram_socket *socket)
{
    struct dlaw_peer *peer = weft_container_of(protocol, struct dlaw_peer, protocol);

    assert_int_equal(peer->world->calling, 0);
    assert_int_equal(peer->lost, 0);
    assert_ptr_equal(weft_datagram_loop(socket), peer->world->loop);
    return peer;
}

static struct dlaw_peer *enter_open(weft_datagram_protocol *protocol, weft_datagram_socket *socket)
{
    struct dlaw_peer *peer = enter(protocol, socket);

    assert_false(peer->over);
    return peer;
}

static void keep(struct dlaw_peer *peer, const weft_datagram *datagram)
{
    struct dlaw_got *got = &peer->got[peer->count % DLAW_KEPT];

    memset(got, 0, sizeof *got);
    got->length = datagram->bytes.length;
    got->datagram = *datagram;
    if (datagram->bytes.length > 0)
        memcpy(got->text, datagram->bytes.data,
               datagram->bytes.length < DLAW_TEXT ? datagram->bytes.length : DLAW_TEXT - 1);
    assert_true(datagram->path.length < sizeof got->path);
    if (datagram->path.length > 0)
        memcpy(got->path, datagram->path.data, datagram->path.length);
    got->datagram.path.data = got->path;
    peer->count++;
    peer->bytes += datagram->bytes.length;
}

static void on_received(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                        size_t count)
{
    struct dlaw_peer *peer = enter_open(protocol, socket);

    assert_false(peer->paused);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        keep(peer, &datagrams[i]);
    if (peer->received)
        peer->received(peer, datagrams, count);
}

static void on_drained(weft_datagram_protocol *protocol, weft_datagram_socket *socket)
{
    struct dlaw_peer *peer = enter_open(protocol, socket);

    peer->drained++;
    if (peer->drained_hook)
        peer->drained_hook(peer);
}

static void on_failed(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int status,
                      const weft_address *to)
{
    struct dlaw_peer *peer = enter_open(protocol, socket);

    assert_true(status < 0);
    peer->failed++;
    peer->status = status;
    peer->failed_peer = to ? *to : (weft_address){.family = WEFT_ADDRESS_NONE};
}

static void on_lost(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason)
{
    struct dlaw_peer *peer = enter(protocol, socket);
    weft_address local;

    assert_true(reason < 0);
    assert_int_equal(LAW_CALL(peer->world, weft_datagram_send(socket, &(weft_datagram){.ecn = 0}, 1)), WEFT_EENDED);
    assert_int_equal(weft_datagram_local(socket, &local), WEFT_EENDED);
    peer->lost = 1;
    peer->reason = reason;
    peer->socket = NULL;
}

static WEFT_DATAGRAM_PROTOCOL(dlaw_ops, "law", "it is a test", .received = on_received, .drained = on_drained,
                              .failed = on_failed, .lost = on_lost);

/* -- opening -- */

const char *dlaw_place(struct law_world *world)
{
    static char places[4][64];
    static unsigned number;
    char *place = places[++number % 4];

    if (!dlaw_is_unix(world))
        return "udp://127.0.0.1:0";
    snprintf(place, sizeof *places, "unixgram://@weft-dlaw-%ld-%u", (long)getpid(), number);
    return place;
}

static void begin(struct law_world *world, struct dlaw_peer *peer)
{
    memset(peer, 0, sizeof *peer);
    peer->world = world;
    peer->protocol.ops = &dlaw_ops;
}

static int opened(struct dlaw_peer *peer, int status)
{
    if (status < 0)
        peer->world = NULL;
    else
        weft_datagram_url(peer->socket, peer->url);
    return status;
}

int dlaw_try_open(struct law_world *world, struct dlaw_peer *peer, const char *url,
                  const weft_datagram_options *options)
{
    begin(world, peer);
    return opened(
        peer, LAW_CALL(world, weft_datagram_open(world->scope, url, &peer->protocol, options, &peer->socket, NULL)));
}

int dlaw_try_open_to(struct law_world *world, struct dlaw_peer *peer, const char *url,
                     const weft_datagram_options *options)
{
    begin(world, peer);
    return opened(
        peer, LAW_CALL(world, weft_datagram_open_to(world->scope, url, &peer->protocol, options, &peer->socket, NULL)));
}

void dlaw_open(struct law_world *world, struct dlaw_peer *peer, const char *url, const weft_datagram_options *options)
{
    assert_int_equal(dlaw_try_open(world, peer, url, options), 0);
}

void dlaw_open_to(struct law_world *world, struct dlaw_peer *peer, const char *url,
                  const weft_datagram_options *options)
{
    assert_int_equal(dlaw_try_open_to(world, peer, url, options), 0);
}

void dlaw_pair(struct law_world *world)
{
    weft_datagram_options options = {.size = sizeof options};

    dlaw_open(world, &dlaw_server, dlaw_place(world), NULL);
    if (dlaw_is_unix(world))
        options.bind = dlaw_place(world);
    dlaw_open_to(world, &dlaw_client, dlaw_server.url, &options);
}

/* -- what a law does -- */

int dlaw_send(struct dlaw_peer *peer, const char *text, size_t length)
{
    static char bytes[128 * 1024];
    weft_datagram one = {.bytes = weft_bytes_of(bytes, length)};

    assert_true(length <= sizeof bytes);
    memset(bytes, 'x', length);
    memcpy(bytes, text, strlen(text) < length ? strlen(text) : length);
    return LAW_CALL(peer->world, weft_datagram_send(peer->socket, &one, 1));
}

int dlaw_send_to(struct dlaw_peer *peer, const weft_address *to, const char *text)
{
    weft_datagram one = {.bytes = weft_bytes_from(text), .peer = *to};

    return LAW_CALL(peer->world, weft_datagram_send(peer->socket, &one, 1));
}

void dlaw_close(struct dlaw_peer *peer)
{
    peer->over = true;
    LAW_DO(peer->world, weft_datagram_close(peer->socket));
}

void dlaw_abort(struct dlaw_peer *peer)
{
    peer->over = true;
    LAW_DO(peer->world, weft_datagram_abort(peer->socket));
}

void dlaw_pause(struct dlaw_peer *peer, bool on)
{
    peer->paused = on;
    if (on)
        LAW_DO(peer->world, weft_datagram_pause(peer->socket));
    else
        LAW_DO(peer->world, weft_datagram_resume(peer->socket));
}

/* -- waiting -- */

static struct dlaw_peer *awaited;
static size_t awaited_count;

static bool has_got(struct law_world *world)
{
    (void)world;
    return awaited->count >= awaited_count;
}

static bool has_failed(struct law_world *world)
{
    (void)world;
    return awaited->failed >= awaited_count;
}

static bool is_lost(struct law_world *world)
{
    (void)world;
    return awaited->lost;
}

static void await(struct dlaw_peer *peer, size_t count, bool (*done)(struct law_world *world))
{
    awaited = peer;
    awaited_count = count;
    law_until(peer->world, done);
}

void dlaw_until_got(struct dlaw_peer *peer, size_t count)
{
    await(peer, count, has_got);
    assert_int_equal(peer->count, count);
}

void dlaw_until_failed(struct dlaw_peer *peer, unsigned count)
{
    await(peer, count, has_failed);
}

void dlaw_until_lost(struct dlaw_peer *peer)
{
    await(peer, 0, is_lost);
}

static bool settled;

static void settle_fired(weft_timer *timer)
{
    (void)timer;
    settled = true;
}

static bool has_settled(struct law_world *world)
{
    (void)world;
    return settled;
}

void dlaw_settle(struct law_world *world)
{
    weft_timer timer;

    if (!world->kind->simulated && !world->jumps) {
        law_turns(world, 20);
        return;
    }
    settled = false;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(world->loop), settle_fired), 0);
    weft_timer_start(&timer, WEFT_SECONDS(1));
    law_until(world, has_settled);
    weft_timer_fini(&timer);
}

static void check_lost(struct dlaw_peer *peer)
{
    if (peer->world)
        assert_int_equal(peer->lost, 1);
    peer->world = NULL;
}

void dlaw_over(struct law_world *world)
{
    weft_scope_cancel(world->scope, WEFT_ECANCELED);
    law_turns(world, 3);
    check_lost(&dlaw_server);
    check_lost(&dlaw_client);
    check_lost(&dlaw_third);
}
