/* SPDX-License-Identifier: MIT */
/* Whose a simulated datagram is (datagram.h). */
#include "backend/sim/datagram.h"

#include <string.h>

static size_t ip_size(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 ? 4 : 16;
}

bool sim_address_is_any(const weft_address *address)
{
    static const uint8_t any[16];

    return memcmp(address->ip, any, ip_size(address)) == 0;
}

bool sim_address_is_group(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 ? (address->ip[0] & 0xf0) == 0xe0
                                                : address->family == WEFT_ADDRESS_IPV6 && address->ip[0] == 0xff;
}

bool sim_address_is_broadcast(const weft_address *address)
{
    static const uint8_t all[] = {255, 10, 127}; /* everybody, the network, this host */

    return address->family == WEFT_ADDRESS_IPV4 && memchr(all, address->ip[0], sizeof all) &&
           memcmp(address->ip + 1, "\xff\xff\xff", 3) == 0;
}

bool sim_addresses_are_same(const weft_address *a, const weft_address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, ip_size(a)) == 0;
}

static struct sim_datagram *socket_of(weft_link *link)
{
    return weft_container_of(link, struct sim_datagram, link);
}

/* -- who has which address -- */

static bool overlap(const struct sim_datagram *a, const struct sim_datagram *b)
{
    if (a->address.port != b->address.port)
        return false;
    if (a->address.family == b->address.family)
        return sim_address_is_any(&a->address) || sim_address_is_any(&b->address) ||
               sim_addresses_are_same(&a->address, &b->address);
    if (a->address.family == WEFT_ADDRESS_IPV4)
        return sim_address_is_any(&b->address) && !b->v6_only;
    return sim_address_is_any(&a->address) && !a->v6_only;
}

bool sim_datagram_is_taken(const struct sim_datagram *socket)
{
    for (weft_link *link = socket->host->datagrams.next; link != &socket->host->datagrams; link = link->next) {
        const struct sim_datagram *other = socket_of(link);

        if (other == socket || other->is_unix != socket->is_unix)
            continue;
        if (socket->is_unix) {
            if (other->path_length == socket->path_length &&
                memcmp(other->path, socket->path, socket->path_length) == 0)
                return true;
        } else if (overlap(socket, other) && !(socket->shares_port && other->shares_port) &&
                   !(socket->shares_address && other->shares_address)) {
            return true;
        }
    }
    return false;
}

struct sim_datagram *sim_datagram_numbered(const struct sim_host *host, uint64_t number)
{
    for (weft_link *link = host->datagrams.next; link != &host->datagrams; link = link->next)
        if (socket_of(link)->number == number)
            return socket_of(link);
    return NULL;
}

struct sim_datagram *sim_datagram_at_path(const struct sim_host *host, const char *path, size_t length)
{
    for (weft_link *link = host->datagrams.next; link != &host->datagrams; link = link->next) {
        struct sim_datagram *socket = socket_of(link);

        if (socket->is_unix && length > 0 && socket->path_length == length && memcmp(socket->path, path, length) == 0)
            return socket;
    }
    return NULL;
}

/* -- who gets what -- */

/* As Linux rates it (udp.c, compute_score): -1 for none of its. */
static int score(const struct sim_datagram *socket, const struct sim_packet *packet)
{
    const weft_address *at = &socket->address;
    int points = 0;

    if (socket->is_unix || at->port == 0 || at->port != packet->to.port)
        return -1;
    if (at->family != packet->to.family) {
        if (at->family == WEFT_ADDRESS_IPV4 || socket->v6_only || !sim_address_is_any(at))
            return -1;
    } else if (!sim_address_is_any(at)) {
        if (!sim_addresses_are_same(at, &packet->to))
            return -1;
        points += 4;
    }
    if (socket->peer.family != WEFT_ADDRESS_NONE) {
        if (socket->peer.port != packet->from.port || !sim_addresses_are_same(&socket->peer, &packet->from))
            return -1;
        points += 8;
    }
    return points + (at->family == packet->to.family);
}

static uint64_t hash_of(const weft_address *address)
{
    uint64_t hash = address->port;

    for (size_t i = 0; i < sizeof address->ip; i++)
        hash = hash * 31 + address->ip[i];
    return hash * UINT64_C(0x9e3779b97f4a7c15) >> 33;
}

/* Of several that share a port each peer has one of its own; of several that share an address the last gets it. */
struct sim_datagram *sim_datagram_for(const struct sim_packet *packet)
{
    struct sim_datagram *found = NULL;
    unsigned alike = 0;
    int best = -1;

    for (weft_link *link = packet->to_host->datagrams.next; link != &packet->to_host->datagrams; link = link->next) {
        struct sim_datagram *socket = socket_of(link);
        int points = score(socket, packet);

        if (points < 0 || points < best)
            continue;
        alike = points > best ? 1 : alike + 1;
        if (points > best || !socket->shares_port || hash_of(&packet->from) % alike == 0)
            found = socket;
        best = points;
    }
    return found;
}

static bool is_from(const struct backend_group *group, const weft_address *from)
{
    return group->source.family == WEFT_ADDRESS_NONE || sim_addresses_are_same(&group->source, from);
}

bool sim_datagram_hears(const struct sim_datagram *socket, const struct sim_packet *packet)
{
    if (socket->peer.family != WEFT_ADDRESS_NONE || score(socket, packet) < 0)
        return false;
    if (sim_address_is_broadcast(&packet->to))
        return true;
    for (weft_link *link = socket->groups.next; link != &socket->groups; link = link->next) {
        const struct sim_membership *membership = weft_container_of(link, struct sim_membership, link);

        if (sim_addresses_are_same(&membership->group.address, &packet->to) &&
            is_from(&membership->group, &packet->from))
            return true;
    }
    return false;
}

struct sim_membership *sim_membership_of(const struct sim_datagram *socket, const struct backend_group *group)
{
    for (weft_link *link = socket->groups.next; link != &socket->groups; link = link->next) {
        struct sim_membership *membership = weft_container_of(link, struct sim_membership, link);

        if (sim_addresses_are_same(&membership->group.address, &group->address) &&
            membership->group.source.family == group->source.family &&
            (group->source.family == WEFT_ADDRESS_NONE ||
             sim_addresses_are_same(&membership->group.source, &group->source)))
            return membership;
    }
    return NULL;
}
