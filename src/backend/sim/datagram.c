/* SPDX-License-Identifier: MIT */
/* A simulated socket for datagrams: what its owner asks, and what it is told (datagram.h). */
#include "backend/sim/datagram.h"

#include <errno.h>
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

/* As on a real system. */
#define BATCH 32
/* Where ports begin that are given to whoever asks for none; as with Linux, nobody knows which is next. */
#define FIRST_PORT 32768
#define LAST_PORT 60999

static void note(const struct sim_datagram *socket, const char *what, int64_t a, int64_t b)
{
    sim_note(socket->host->world, what, socket->host, socket->number, a, b);
}

void sim_datagram_has_news(struct sim_datagram *socket)
{
    if (socket->socket && !socket->killed)
        sim_news_add(socket->backend, &socket->news);
}

/* -- its life -- */

/* It receives nothing any more. */
static void leave(struct sim_datagram *socket)
{
    weft_link_remove(&socket->link);
    while (!weft_link_is_alone(&socket->arrived))
        sim_packet_free(weft_container_of(socket->arrived.next, struct sim_packet, link));
    while (!weft_link_is_alone(&socket->groups)) {
        struct sim_membership *membership = weft_container_of(socket->groups.next, struct sim_membership, link);

        weft_link_remove(&membership->link);
        weft_release(membership);
    }
}

static void free_socket(struct sim_datagram *socket)
{
    if (socket->busy || socket->socket)
        return;
    leave(socket);
    weft_link_remove(&socket->news.link);
    weft_release(socket);
}

static bool sim_datagram_close(struct backend *backend, struct backend_datagram *handle)
{
    struct sim_datagram *socket = handle->sim;

    (void)backend;
    note(socket, "close datagrams", (int64_t)socket->arrived_count, 0);
    leave(socket);
    socket->receiving = false;
    socket->closing = true;
    if (socket->closes_later && !socket->killed) {
        sim_news_add(socket->backend, &socket->news);
        return false;
    }
    socket->socket = NULL;
    free_socket(socket);
    return true;
}

void sim_datagrams_kill(const struct sim_backend *backend)
{
    for (weft_link *link = backend->host->datagrams.next, *next; link != &backend->host->datagrams; link = next) {
        struct sim_datagram *socket = weft_container_of(link, struct sim_datagram, link);

        next = link->next;
        if (socket->backend != backend)
            continue;
        socket->killed = true;
        leave(socket);
        if (!socket->closing)
            weft_link_remove(&socket->news.link);
    }
}

/* -- receiving -- */

static void sim_receive_start(struct backend *backend, struct backend_datagram *handle)
{
    (void)backend;
    note(handle->sim, "receive datagrams", 1, 0);
    handle->sim->receiving = true;
    if (handle->sim->arrived_count > 0)
        sim_datagram_has_news(handle->sim);
}

static void sim_receive_stop(struct backend *backend, struct backend_datagram *handle)
{
    (void)backend;
    note(handle->sim, "receive datagrams", 0, 0);
    handle->sim->receiving = false;
}

static void describe(const struct sim_datagram *socket, const struct sim_packet *packet, weft_datagram *ret)
{
    size_t most = 64 * 1024;

    *ret = (weft_datagram){.bytes = weft_bytes_of(packet->data, packet->length < most ? packet->length : most),
                           .path = weft_bytes_of(packet->data + packet->length, packet->path_length),
                           .peer = packet->from,
                           .ecn = socket->tells_ecn ? packet->ecn : 0,
                           .truncated = packet->length > most};
    if (!socket->tells_all)
        return;
    ret->local = packet->to;
    ret->local.port = 0;
    ret->interface = packet->from_host == packet->to_host ? SIM_LOOPBACK : SIM_ETHERNET;
    ret->to_group = sim_address_is_group(&packet->to) || sim_address_is_broadcast(&packet->to);
}

/* Whoever waits for room in this socket's queue may go on: the system tells those who are connected to it. */
static void tell_who_waits(const struct sim_datagram *socket)
{
    weft_link *sockets = &socket->host->datagrams;

    for (weft_link *link = sockets->next; link != sockets; link = link->next) {
        struct sim_datagram *other = weft_container_of(link, struct sim_datagram, link);

        if (other->blocked && other->unix_peer == socket->number) {
            other->has_room = true;
            sim_datagram_has_news(other);
        }
    }
}

/* How many of those that have come this delivery brings. */
static size_t batch_of(struct sim_datagram *socket)
{
    struct sim_faults *faults = &socket->host->world->faults;
    size_t most = socket->arrived_count < BATCH ? socket->arrived_count : BATCH;

    if (most > 1 && sim_fault(faults, FAULT_short_reads))
        return 1 + (size_t)sim_fault_below(faults, FAULT_short_reads, most);
    return most;
}

static void deliver(struct sim_datagram *socket)
{
    weft_datagram batch[BATCH];
    size_t count = batch_of(socket);
    weft_link taken;

    weft_link_init(&taken);
    for (size_t i = 0; i < count; i++) {
        struct sim_packet *packet = weft_container_of(socket->arrived.next, struct sim_packet, link);

        weft_link_remove(&packet->link);
        weft_link_insert_before(&taken, &packet->link);
        socket->arrived_count--;
        socket->arrived_room -= packet->length + SIM_PACKET_OVERHEAD;
        describe(socket, packet, &batch[i]);
    }
    note(socket, "datagrams received", (int64_t)count, 0);
    if (socket->is_unix)
        tell_who_waits(socket);
    socket->socket->events->received(socket->socket, batch, count);
    while (!weft_link_is_alone(&taken))
        sim_packet_free(weft_container_of(taken.next, struct sim_packet, link));
}

/* -- telling -- */

static void tell_failure(struct sim_datagram *socket)
{
    int failure = socket->failure;

    socket->failure = 0;
    note(socket, "datagram failed", failure, 0);
    socket->socket->events->failed(socket->socket, failure);
}

static void tell_room(struct sim_datagram *socket)
{
    socket->has_room = socket->blocked = false;
    note(socket, "datagram room", 0, 0);
    socket->socket->events->writable(socket->socket);
}

static void tell_closed(struct sim_datagram *socket)
{
    struct backend_datagram *handle = socket->socket;

    socket->socket = NULL;
    handle->events->closed(handle);
}

static void tell(struct sim_backend *backend, struct sim_news *news)
{
    struct sim_datagram *socket = weft_container_of(news, struct sim_datagram, news);

    (void)backend;
    socket->busy = true;
    if (socket->failure < 0 && !socket->closing)
        tell_failure(socket);
    if (socket->has_room && !socket->closing)
        tell_room(socket);
    if (socket->receiving && socket->arrived_count > 0 && !socket->closing)
        deliver(socket);
    if (socket->receiving && socket->arrived_count > 0)
        sim_datagram_has_news(socket);
    if (socket->closing && socket->socket)
        tell_closed(socket);
    socket->busy = false;
    free_socket(socket);
}

/* -- sending -- */

/* It takes nothing by a whim, and has room again soon. */
static bool is_put_off(struct sim_datagram *socket)
{
    socket->put_off = !socket->put_off && sim_fault(&socket->host->world->faults, FAULT_refused_writes);
    if (socket->put_off)
        socket->has_room = true;
    return socket->put_off;
}

static int later(struct sim_datagram *socket)
{
    socket->blocked = true;
    if (socket->has_room)
        sim_datagram_has_news(socket);
    return BACKEND_LATER;
}

static int send_batch(struct sim_datagram *socket, const weft_datagram *datagrams, size_t count)
{
    struct sim_faults *faults = &socket->host->world->faults;

    if (count > 1 && sim_fault(faults, FAULT_short_writes))
        count = 1 + (size_t)sim_fault_below(faults, FAULT_short_writes, count);
    for (size_t i = 0; i < count; i++) {
        int status = sim_datagram_send_one(socket, &datagrams[i]);

        if (status < 0 && i > 0)
            return (int)i; /* the next attempt meets it again */
        if (status < 0)
            return status == BACKEND_LATER ? later(socket) : status;
        sim_note_bytes(socket->host->world, "datagram", socket->host, socket->number, datagrams[i].bytes.data,
                       datagrams[i].bytes.length);
    }
    return (int)count;
}

static int sim_datagram_send(struct backend *backend, struct backend_datagram *handle, const weft_datagram *datagrams,
                             size_t count)
{
    struct sim_datagram *socket = handle->sim;
    int result;

    (void)backend;
    if (count > BACKEND_DATAGRAMS)
        count = BACKEND_DATAGRAMS;
    if (socket->killed || socket->host->down)
        return -ENETDOWN;
    result = is_put_off(socket) ? later(socket) : send_batch(socket, datagrams, count);
    note(socket, "send datagrams", (int64_t)count, result);
    return result;
}

/* -- what else is asked -- */

int sim_datagram_take_port(struct sim_datagram *socket)
{
    struct sim_world *world = socket->host->world;

    if (socket->address.port != 0)
        return sim_datagram_is_taken(socket) ? -EADDRINUSE : 0;
    for (unsigned tries = 0; tries < 1000; tries++) {
        socket->address.port = (uint16_t)random_between(&world->network, FIRST_PORT, LAST_PORT);
        if (!sim_datagram_is_taken(socket))
            return 0;
    }
    return -EADDRINUSE;
}

static int connect_unix(struct sim_datagram *socket, const struct backend_endpoint *to)
{
    const struct sim_datagram *target = sim_datagram_at_path(socket->host, to->path.data, to->path.length);

    if (!target)
        return to->path.length > 0 && to->path.data[0] == '@' ? -ECONNREFUSED : -ENOENT;
    if (target->unix_peer != 0 && target->unix_peer != socket->number)
        return -EPERM;
    socket->unix_peer = target->number;
    return 0;
}

static int connect_ip(struct sim_datagram *socket, const struct backend_endpoint *to)
{
    const struct sim_host *host = sim_host_at(socket->host, &to->address);

    socket->peer = to->address;
    socket->peer.scope_id = 0;
    if (sim_address_is_any(&socket->bound))
        sim_host_address(socket->host, host, &to->address, &socket->address);
    return socket->address.port == 0 ? sim_datagram_take_port(socket) : 0;
}

static int connect_to(struct sim_datagram *socket, const struct backend_endpoint *to)
{
    if (!to) {
        memset(&socket->peer, 0, sizeof socket->peer);
        socket->unix_peer = 0;
        socket->address = socket->bound; /* a port that it was not bound to is given back, too */
        return 0;
    }
    return (socket->is_unix ? connect_unix : connect_ip)(socket, to);
}

static int sim_datagram_connect(struct backend *backend, struct backend_datagram *handle,
                                const struct backend_endpoint *to)
{
    (void)backend;
    note(handle->sim, "connect datagrams", to ? to->address.port : 0, 0);
    return connect_to(handle->sim, to);
}

static int sim_datagram_join(struct backend *backend, struct backend_datagram *handle,
                             const struct backend_group *group, bool on)
{
    struct sim_datagram *socket = handle->sim;
    struct sim_membership *membership = sim_membership_of(socket, group);

    (void)backend;
    if (group->interface > SIM_ETHERNET)
        return -ENODEV;
    if (on && membership)
        return group->source.family == WEFT_ADDRESS_NONE ? -EADDRINUSE : -EADDRNOTAVAIL;
    if (!on && !membership)
        return -EADDRNOTAVAIL;
    note(socket, "group", on, group->address.ip[0]);
    if (!on) {
        weft_link_remove(&membership->link);
        weft_release(membership);
        return 0;
    }
    membership = sim_allocate(socket->host->world, sizeof *membership);
    if (!membership)
        return WEFT_ENOMEM;
    membership->group = *group;
    weft_link_insert_before(&socket->groups, &membership->link);
    return 0;
}

static int sim_datagram_set(struct backend *backend, struct backend_datagram *handle,
                            enum backend_datagram_setting what, unsigned value)
{
    struct sim_datagram *socket = handle->sim;

    (void)backend;
    switch (what) {
    case BACKEND_BROADCAST:
        socket->broadcast = value;
        break;
    case BACKEND_MULTICAST_LOOP:
        socket->no_loop = !value;
        break;
    case BACKEND_MULTICAST_HOPS:
        socket->multicast_hops = value;
        break;
    case BACKEND_MULTICAST_INTERFACE:
        return value > SIM_ETHERNET ? -ENODEV : 0;
    case BACKEND_HOPS:
        break;
    }
    return 0;
}

static int sim_datagram_local(struct backend *backend, const struct backend_datagram *handle, weft_address *ret)
{
    (void)backend;
    *ret = handle->sim->address;
    return 0;
}

static const struct backend_datagram_transport sim_datagram_transport = {
    .receive_start = sim_receive_start,
    .receive_stop = sim_receive_stop,
    .send = sim_datagram_send,
    .connect = sim_datagram_connect,
    .join = sim_datagram_join,
    .set = sim_datagram_set,
    .close = sim_datagram_close,
    .local = sim_datagram_local,
};

/* -- opening -- */

static int bind_unix(struct sim_datagram *socket, const struct backend_endpoint *at)
{
    if (at->path.length == 0 || at->path.length >= SIM_PATH)
        return -ENAMETOOLONG;
    memcpy(socket->path, at->path.data, at->path.length);
    socket->path_length = at->path.length;
    return sim_datagram_is_taken(socket) ? -EADDRINUSE : 0;
}

static int bind_ip(struct sim_datagram *socket)
{
    const weft_address *at = &socket->address;

    if (!sim_address_is_any(at) && !sim_address_is_group(at) && !sim_address_is_broadcast(at) &&
        sim_host_at(socket->host, at) != socket->host)
        return -EADDRNOTAVAIL;
    return sim_datagram_take_port(socket);
}

static void take_options(struct sim_datagram *socket, const struct backend_datagram_options *options)
{
    struct sim_world *world = socket->host->world;

    socket->v6_only = options->v6_only;
    socket->shares_port = options->reuse_port;
    socket->shares_address = options->reuse_address;
    socket->tells_ecn = options->tells_ecn;
    socket->broadcast = options->broadcast;
    socket->no_loop = options->no_multicast_loop;
    socket->multicast_hops = options->multicast_hops ? options->multicast_hops : 1;
    socket->room = options->receive_buffer ? 2 * options->receive_buffer : SIM_DATAGRAM_ROOM; /* socket(7) */
    socket->closes_later = world->faults.chance[FAULT_rare_paths] > 0 && random_below(&world->network, 2) == 0;
}

static int open_at(struct sim_datagram *socket, const struct backend_endpoint *at, const struct backend_endpoint *to)
{
    int status = 0;

    socket->is_unix = (at ? at : to)->address.family == WEFT_ADDRESS_UNIX;
    socket->address.family = (at ? at : to)->address.family;
    if (at)
        socket->address = at->address;
    if (at && !socket->is_unix)
        socket->tells_all = sim_address_is_any(&at->address) || sim_address_is_group(&at->address);
    socket->bound = socket->address; /* as it was asked for */
    if (at)
        status = socket->is_unix ? bind_unix(socket, at) : bind_ip(socket);
    return status == 0 && to ? connect_to(socket, to) : status;
}

int sim_datagram_open(struct backend *backend, struct backend_datagram *handle, const struct backend_endpoint *at,
                      const struct backend_endpoint *to, const struct backend_datagram_options *options)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_datagram *socket;
    int status;

    if (self->host->down)
        return -ENETDOWN;
    if (sim_fault(&self->world->faults, FAULT_descriptors))
        return -EMFILE;
    socket = sim_allocate(self->world, sizeof *socket);
    if (!socket)
        return WEFT_ENOMEM;
    socket->news.tell = tell;
    weft_link_init(&socket->news.link);
    weft_link_init(&socket->link);
    weft_link_init(&socket->arrived);
    weft_link_init(&socket->groups);
    socket->host = self->host;
    socket->backend = self;
    socket->number = ++self->world->connections;
    take_options(socket, options);
    status = open_at(socket, at, to);
    if (status < 0) {
        weft_release(socket);
        return status;
    }
    socket->socket = handle;
    weft_link_insert_before(&self->host->datagrams, &socket->link);
    handle->transport = &sim_datagram_transport;
    handle->sim = socket;
    note(socket, "open datagrams", socket->address.port, to ? to->address.port : 0);
    return 0;
}
