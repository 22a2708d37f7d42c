/* SPDX-License-Identifier: MIT */
/*
 * The datagrams of a simulated network: UDP between hosts and within one, with multicast and broadcast, and UNIX datagrams
 * within one.
 *
 *   datagram.c         a socket: what its owner asks, and what it is told
 *   datagram_find.c    whose is what arrives
 *   datagram_travel.c  from one socket to the other
 *
 * A packet is an event of its own while it travels, and lies in a socket's queue when it has arrived. Datagrams of one
 * socket arrive in their order, but for those that a fault holds up.
 */
#ifndef BACKEND_SIM_DATAGRAM_H
#define BACKEND_SIM_DATAGRAM_H

#include "backend/sim/network.h"

/* What Linux counts for a small datagram beside its bytes, and what it keeps for a socket (net.core.rmem_default). */
#define SIM_PACKET_OVERHEAD 768
#define SIM_DATAGRAM_ROOM 212992
/* Interfaces: the host's own, and that to the others. */
#define SIM_LOOPBACK 1
#define SIM_ETHERNET 2

struct sim_packet {
    struct sim_event event;
    weft_link link; /* in world->packets, or in the queue of a socket */
    struct sim_world *world;
    struct sim_host *from_host, *to_host;
    uint64_t sender; /* the number of its socket */
    weft_address from, to;
    uint8_t ecn;
    bool unreachable; /* it is ICMP's answer, on its way to the sender: nobody is there */
    size_t length, path_length;
    char data[]; /* the bytes, and the path of a UNIX socket */
};

struct sim_membership {
    weft_link link;
    struct backend_group group;
};

/* A socket. */
struct sim_datagram {
    struct sim_news news;
    weft_link link; /* in host->datagrams; alone after it was closed or killed */
    struct sim_host *host;
    struct sim_backend *backend;
    struct backend_datagram *socket; /* NULL: closed, and its owner was told */
    uint64_t number;
    bool is_unix;
    weft_address address, peer; /* a peer of no family: it is not connected */
    weft_address bound;         /* what it was asked to be bound to: a port of 0 is not kept for it */
    uint64_t unix_peer;         /* UNIX: the number of the socket that it is connected to, or 0 */
    weft_link groups;           /* memberships */
    weft_link arrived;          /* packets */
    size_t arrived_count, arrived_room, room;
    weft_time last_due; /* of what it has sent */
    bool v6_only, shares_port, shares_address, tells_all, tells_ecn, broadcast, no_loop;
    unsigned multicast_hops;
    int failure; /* that is to be told, once */
    bool receiving, blocked, has_room, put_off;
    bool closes_later, closing, killed, busy;
    size_t path_length;
    char path[SIM_PATH];
};

/* -- datagram.c -- */

void sim_datagram_has_news(struct sim_datagram *socket);
/* Gives it a port of its own, if it has none. Returns 0 or -EADDRINUSE. */
int sim_datagram_take_port(struct sim_datagram *socket);

/* -- datagram_find.c -- */

bool sim_address_is_any(const weft_address *address);
bool sim_address_is_group(const weft_address *address);
bool sim_address_is_broadcast(const weft_address *address);
bool sim_addresses_are_same(const weft_address *a, const weft_address *b);
/* Whether somebody has @p socket's address, who does not share it. */
bool sim_datagram_is_taken(const struct sim_datagram *socket);
struct sim_datagram *sim_datagram_numbered(const struct sim_host *host, uint64_t number);
struct sim_datagram *sim_datagram_at_path(const struct sim_host *host, const char *path, size_t length);
/* The socket to which @p packet gets, which is not for a group; or NULL. */
struct sim_datagram *sim_datagram_for(const struct sim_packet *packet);
/* Whether @p socket gets @p packet, which is for a group or for all. */
bool sim_datagram_hears(const struct sim_datagram *socket, const struct sim_packet *packet);
struct sim_membership *sim_membership_of(const struct sim_datagram *socket, const struct backend_group *group);

/* -- datagram_travel.c -- */

/* Sends one: 0, an error, or BACKEND_LATER. */
int sim_datagram_send_one(struct sim_datagram *socket, const weft_datagram *datagram);
void sim_packet_free(struct sim_packet *packet);

#endif
