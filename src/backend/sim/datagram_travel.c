/* SPDX-License-Identifier: MIT */
/* How a datagram gets from one simulated socket to the other, or does not (datagram.h). */
#include "backend/sim/datagram.h"

#include <errno.h>
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

/* A router keeps what takes so long to send on, and marks what takes a part of it (RFC 3168); the rest is dropped. */
#define ROUTER_KEEPS WEFT_MILLISECONDS(200)
#define ROUTER_MARKS WEFT_MILLISECONDS(50)
/* Headers of IPv4 and UDP. */
#define HEADERS 28
/* What fits into an IP packet beside them; what a UNIX socket takes. */
#define UDP_MOST 65507
#define UNIX_MOST (SIM_DATAGRAM_ROOM - 32)
/* net.unix.max_dgram_qlen, and one more, as Linux counts. */
#define UNIX_WAITING 11

/* -- packets -- */

static struct sim_packet *packet_new(struct sim_datagram *from, const char *data, size_t length)
{
    struct sim_world *world = from->host->world;
    struct sim_packet *packet = sim_allocate(world, sizeof *packet + length + from->path_length);

    if (!packet)
        return NULL;
    packet->world = world;
    packet->from_host = packet->to_host = from->host;
    packet->sender = from->number;
    packet->length = length;
    packet->path_length = from->path_length;
    if (length > 0)
        memcpy(packet->data, data, length);
    memcpy(packet->data + length, from->path, from->path_length);
    weft_link_init(&packet->link);
    return packet;
}

static struct sim_packet *packet_copy(const struct sim_packet *packet)
{
    size_t size = sizeof *packet + packet->length + packet->path_length;
    struct sim_packet *copy = sim_allocate(packet->world, size);

    if (!copy)
        return NULL;
    memcpy(copy, packet, size);
    weft_link_init(&copy->link);
    return copy;
}

void sim_packet_free(struct sim_packet *packet)
{
    weft_link_remove(&packet->link);
    weft_release(packet);
}

void sim_packets_free(struct sim_world *world)
{
    while (!weft_link_is_alone(&world->packets)) {
        struct sim_packet *packet = weft_container_of(world->packets.next, struct sim_packet, link);

        sim_event_cancel(world, &packet->event);
        sim_packet_free(packet);
    }
}

/* -- arriving -- */

static size_t room_of(const struct sim_packet *packet)
{
    return packet->length + SIM_PACKET_OVERHEAD;
}

/* It takes @p packet. What a socket does not take out in time is dropped, and nobody is told. */
static void land(struct sim_datagram *socket, struct sim_packet *packet)
{
    struct sim_world *world = packet->world;

    weft_link_remove(&packet->link);
    if (!socket->is_unix && socket->arrived_room + room_of(packet) > socket->room) {
        sim_probe(world, "sim: a datagram for which a socket had no room");
        sim_packet_free(packet);
        return;
    }
    sim_note(world, "datagram arrives", socket->host, socket->number, (int64_t)packet->length, packet->from.port);
    world->counts.bytes += packet->length;
    socket->arrived_count++;
    socket->arrived_room += room_of(packet);
    weft_link_insert_before(&socket->arrived, &packet->link);
    sim_datagram_has_news(socket);
}

static void land_at_all(struct sim_packet *packet)
{
    weft_link *sockets = &packet->to_host->datagrams;

    for (weft_link *link = sockets->next; link != sockets; link = link->next) {
        struct sim_datagram *socket = weft_container_of(link, struct sim_datagram, link);
        struct sim_packet *copy = sim_datagram_hears(socket, packet) ? packet_copy(packet) : NULL;

        if (copy)
            land(socket, copy);
    }
    sim_packet_free(packet);
}

static bool is_for_many(const weft_address *to)
{
    return sim_address_is_group(to) || sim_address_is_broadcast(to);
}

/* How long it is on its way, if nothing is in the way of it. */
static weft_time travel(struct sim_world *world)
{
    const weft_time *latency = world->faults.rates.latency;

    if (latency[1] == 0)
        return 0;
    return latency[0] + (weft_time)random_below(&world->network, (uint64_t)(latency[1] - latency[0]) + 1);
}

/* Nobody is there: its host says so (RFC 1122 §4.1.3.1). */
static void answer_unreachable(struct sim_packet *packet)
{
    struct sim_host *from = packet->from_host;

    packet->unreachable = true;
    packet->from_host = packet->to_host;
    packet->to_host = from;
    sim_event_plan(packet->world, &packet->event, packet->world->now + travel(packet->world));
}

static void hear_unreachable(struct sim_packet *packet)
{
    struct sim_datagram *socket = sim_datagram_numbered(packet->to_host, packet->sender);

    if (socket && socket->peer.port == packet->to.port && sim_addresses_are_same(&socket->peer, &packet->to)) {
        sim_note(packet->world, "port unreachable", socket->host, socket->number, packet->to.port, 0);
        socket->failure = -ECONNREFUSED;
        sim_datagram_has_news(socket);
    }
    sim_packet_free(packet);
}

static void arrive(struct sim_world *world, struct sim_event *event)
{
    struct sim_packet *packet = weft_container_of(event, struct sim_packet, event);
    struct sim_datagram *socket;

    (void)world;
    if (packet->unreachable) {
        hear_unreachable(packet);
    } else if (is_for_many(&packet->to)) {
        land_at_all(packet);
    } else {
        socket = sim_datagram_for(packet);
        if (socket)
            land(socket, packet);
        else
            answer_unreachable(packet);
    }
}

/* -- setting out -- */

/* Waits behind what the link has still to send. Returns whether it does not get through. */
static bool is_crowded_out(struct sim_packet *packet, struct sim_link *way, weft_time *due)
{
    struct sim_world *world = packet->world;
    uint64_t bandwidth = world->faults.rates.bandwidth;
    weft_time *busy = &way->busy[packet->to_host == way->ends[0]], waits;

    if (bandwidth == 0)
        return false;
    waits = *busy > world->now ? *busy - world->now : 0;
    if (waits > ROUTER_KEEPS) {
        sim_probe(world, "sim: a datagram that a router dropped");
        return true;
    }
    if (waits > ROUTER_MARKS && packet->ecn != WEFT_ECN_NONE)
        packet->ecn = WEFT_ECN_CE;
    *busy = world->now + waits + (weft_time)((packet->length + HEADERS) * UINT64_C(1000000000) / bandwidth);
    *due += *busy - world->now;
    return false;
}

static void put_on_its_way(struct sim_datagram *from, struct sim_packet *packet, weft_time due)
{
    struct sim_world *world = packet->world;

    if (sim_fault(&world->faults, FAULT_late_datagrams))
        due += (weft_time)sim_fault_below(&world->faults, FAULT_late_datagrams, WEFT_SECONDS(1));
    else if (due < from->last_due)
        due = from->last_due;
    else
        from->last_due = due;
    sim_event_init(&packet->event, arrive);
    weft_link_insert_before(&world->packets, &packet->link);
    sim_event_plan(world, &packet->event, due);
}

/* Takes @p packet over. */
static void set_out(struct sim_datagram *from, struct sim_packet *packet)
{
    struct sim_world *world = packet->world;
    struct sim_link *way = sim_link_between(packet->from_host, packet->to_host);
    weft_time due = world->now + travel(world);
    struct sim_packet *copy;

    if (way)
        sim_link_strike(world, way);
    if (!way || way->cut || sim_fault(&world->faults, FAULT_lost_datagrams) || is_crowded_out(packet, way, &due)) {
        sim_packet_free(packet);
        return;
    }
    copy = sim_fault(&world->faults, FAULT_doubled_datagrams) ? packet_copy(packet) : NULL;
    put_on_its_way(from, packet, due);
    if (copy)
        put_on_its_way(from, copy, world->now + travel(world));
}

/* The host's own sockets hear it, too, unless the sender does not want that. */
static void set_out_to_all(struct sim_datagram *from, struct sim_packet *packet)
{
    bool stays = sim_address_is_group(&packet->to) ? from->multicast_hops == 0 : packet->to.ip[0] == 127;
    struct sim_world *world = packet->world;

    for (weft_link *link = world->hosts.next; link != &world->hosts; link = link->next) {
        struct sim_host *host = weft_container_of(link, struct sim_host, link);
        struct sim_packet *copy;

        if (host == from->host ? from->no_loop && sim_address_is_group(&packet->to) : stays)
            continue;
        copy = packet_copy(packet);
        if (!copy)
            break;
        copy->to_host = host;
        set_out(from, copy);
    }
    sim_packet_free(packet);
}

/* -- what the sender is told at once -- */

static int check_peer(const struct sim_datagram *socket, const weft_address *to, size_t length)
{
    if (to->family == WEFT_ADDRESS_NONE)
        return -EDESTADDRREQ;
    if (to->family == WEFT_ADDRESS_UNIX || (to->family == WEFT_ADDRESS_IPV6 && socket->address.family != to->family))
        return -EAFNOSUPPORT;
    if (to->family == WEFT_ADDRESS_IPV4 && socket->address.family != to->family && socket->v6_only)
        return -ENETUNREACH;
    if (to->port == 0)
        return -EINVAL;
    if (length > UDP_MOST)
        return -EMSGSIZE;
    return sim_address_is_broadcast(to) && !socket->broadcast ? -EACCES : 0;
}

/* The address that the packet bears as its sender's. */
static int name_sender(struct sim_datagram *socket, const weft_datagram *datagram, struct sim_packet *packet)
{
    packet->from = socket->address;
    if (datagram->local.family != WEFT_ADDRESS_NONE) {
        if (datagram->local.family != packet->to.family || sim_host_at(socket->host, &datagram->local) != socket->host)
            return -ENETUNREACH;
        packet->from = datagram->local;
    } else if (sim_address_is_any(&socket->address)) {
        sim_host_address(socket->host, packet->to_host, &packet->to, &packet->from);
    }
    packet->from.port = socket->address.port;
    packet->from.scope_id = 0;
    return 0;
}

static int send_udp(struct sim_datagram *socket, const weft_datagram *datagram)
{
    const weft_address *to = datagram->peer.family != WEFT_ADDRESS_NONE ? &datagram->peer : &socket->peer;
    int status = check_peer(socket, to, datagram->bytes.length);
    struct sim_packet *packet;
    struct sim_host *host;

    if (status == 0 && socket->address.port == 0)
        status = sim_datagram_take_port(socket);
    if (status < 0)
        return status;
    packet = packet_new(socket, datagram->bytes.data, datagram->bytes.length);
    if (!packet)
        return WEFT_ENOMEM;
    packet->to = *to;
    packet->ecn = datagram->ecn & 3;
    host = is_for_many(to) ? NULL : sim_host_at(socket->host, to);
    if (sim_address_is_any(to)) { /* this host */
        packet->to.ip[to->family == WEFT_ADDRESS_IPV4 ? 3 : 15] = 1;
        if (to->family == WEFT_ADDRESS_IPV4)
            packet->to.ip[0] = 127;
    }
    packet->to_host = host;
    status = name_sender(socket, datagram, packet);
    if (status == 0 && is_for_many(to))
        set_out_to_all(socket, packet);
    else if (status == 0 && host)
        set_out(socket, packet);
    else
        sim_packet_free(packet); /* an address that nobody has: it is lost */
    return status;
}

static struct sim_datagram *unix_target(struct sim_datagram *socket, const weft_datagram *datagram, int *ret_status)
{
    struct sim_datagram *target;

    *ret_status = -ECONNREFUSED;
    if (datagram->path.length == 0) {
        if (socket->unix_peer == 0)
            *ret_status = -ENOTCONN;
        return sim_datagram_numbered(socket->host, socket->unix_peer);
    }
    target = sim_datagram_at_path(socket->host, datagram->path.data, datagram->path.length);
    if (!target && datagram->path.data[0] != '@')
        *ret_status = -ENOENT;
    return target;
}

static int send_unix(struct sim_datagram *socket, const weft_datagram *datagram)
{
    struct sim_datagram *target;
    struct sim_packet *packet;
    int status;

    if (datagram->bytes.length > UNIX_MOST)
        return -EMSGSIZE;
    target = unix_target(socket, datagram, &status);
    if (!target)
        return status;
    if (target->unix_peer != 0 && target->unix_peer != socket->number)
        return -EPERM;
    if (target != socket && target->arrived_count >= UNIX_WAITING)
        return BACKEND_LATER;
    packet = packet_new(socket, datagram->bytes.data, datagram->bytes.length);
    if (!packet)
        return WEFT_ENOMEM;
    packet->from.family = socket->path_length > 0 ? WEFT_ADDRESS_UNIX : WEFT_ADDRESS_NONE;
    land(target, packet);
    return 0;
}

int sim_datagram_send_one(struct sim_datagram *socket, const weft_datagram *datagram)
{
    int failure = socket->failure;

    if (failure < 0) { /* whoever asks first is told (as SO_ERROR) */
        socket->failure = 0;
        return failure;
    }
    return (socket->is_unix ? send_unix : send_udp)(socket, datagram);
}
