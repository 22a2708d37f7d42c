/* SPDX-License-Identifier: MIT */
/*
 * The connections of a simulated network: TCP between hosts and within one,
 * UNIX sockets, and in-memory streams.
 *
 *   bytes of one direction:   sent by its owner ... | flying | arrived | ... delivered
 *
 * An end keeps what travels towards it, as a kernel would: what has arrived
 * and was not delivered yet, what is on its way, and what its sender still has
 * in its own buffer. A segment is a stretch that left at once; it arrives
 * after those that left before it, and it carries the end of the stream if it
 * is the last.
 *
 * Figures and answers are Linux's: tests/laws and tests/sim/test_conformance.c
 * hold the two side by side.
 */
#ifndef BACKEND_SIM_NETWORK_H
#define BACKEND_SIM_NETWORK_H

#include "backend/sim/world.h"

/* Segments of one direction that are on their way at once. */
#define SIM_SEGMENTS 8

/* So long is no name of a UNIX socket: sun_path, with its NUL. */
#define SIM_PATH 108

enum sim_net { SIM_TCP, SIM_UNIX, SIM_MEMORY };

struct sim_segment {
    weft_time due;
    uint32_t length;
    bool last; /* it carries the end */
};

/* A place to listen at. */
struct sim_port {
    struct sim_news news;  /* connections wait */
    struct sim_event slow; /* and will be told of */
    weft_link link;        /* in host->ports */
    struct sim_host *host;
    struct sim_backend *backend;
    struct backend_listener *listener;
    enum sim_net net;
    weft_address address;
    bool v6_only;
    bool shares; /* SO_REUSEPORT */
    weft_time keepalive;
    bool accepting;
    size_t most, waiting;
    weft_link backlog; /* ends of connections */
    size_t name_length;
    char name[]; /* UNIX path, name of an in-memory stream */
};

struct sim_connection;

/* One end, and what comes towards it. */
struct sim_end {
    struct sim_news news;
    weft_link waiting; /* in the backlog of `port` */
    struct sim_connection *connection;
    struct sim_end *peer;
    struct sim_host *host;
    struct sim_backend *backend;   /* NULL until it was accepted */
    struct backend_stream *stream; /* NULL before and after it has an owner */
    struct sim_port *port;         /* it waits to be accepted here */
    weft_address local;

    /* what comes towards it: a ring */
    char *ring;
    size_t ring_size, ring_at;
    char *lent; /* the ring whose bytes are being delivered, so many of them */
    size_t lent_length;
    size_t arrived, flying, unsent;
    struct sim_segment segments[SIM_SEGMENTS];
    unsigned segment_count;
    struct sim_event arrival; /* of the first segment */
    struct sim_event break_;  /* it learns that the connection is broken */
    struct sim_event death;   /* it gives up a silent peer */
    struct sim_event disk;    /* the disk has what is to be sent */
    bool fetched;             /* it has had */
    int break_status;
    bool break_told; /* a send has told of it already */

    weft_bytes *later; /* room for the runs of a send that has not completed; so many */
    size_t later_count;
    weft_time keepalive;
    int status;                /* < 0: it knows that the connection is broken */
    int failure;               /* and has still to say so, once, to whoever asks first (as SO_ERROR) */
    bool ends;                 /* its owner has ended its own direction */
    bool end_sent;             /* the end towards it is on its way */
    bool end_came;             /* and has arrived */
    bool read_over;            /* its reader was told of the end or of a failure */
    bool connecting, answered; /* the client's: `connected` is still to be told; it can be */
    int answer;
    bool receiving, once_more; /* deliver; deliver once, though it was stopped */
    bool blocked, room;        /* a send was cut short; there is room again */
    bool put_off;              /* the last send took nothing, by a whim: the next is not put off */
    bool closed_later;         /* closed, and its owner is still to be told */
    bool gone;                 /* nobody has it: not yet, or not any more */
    bool busy;                 /* its owner is being called */
};

struct sim_connection {
    weft_link link; /* in the connections of the client's host */
    struct sim_world *world;
    struct sim_link *way;
    enum sim_net net;
    uint64_t number;
    bool completes;         /* its sends complete later, as io_uring's do */
    bool silent;            /* nothing passes any more */
    bool crashed;           /* because one of its hosts has lost its power; that answers again when it has it back */
    unsigned tries;         /* of SYN */
    struct sim_event knock; /* the first segment arrives at the listener, or is sent again */
    struct backend_endpoint to;
    char *path;
    struct sim_host *to_host;
    size_t send_room, receive_room;
    struct sim_end ends[2]; /* the client's, the server's */
};

/* -- connection.c -- */

struct sim_connection *sim_connection_new(struct sim_host *from, struct sim_link *way, enum sim_net net);
/* Frees it, if nobody has anything to do with it any more. */
void sim_connection_settle(struct sim_connection *connection);
void sim_connections_free(struct sim_host *host);
/* datagram.c: a process was killed, and the system closes its sockets for datagrams. */
void sim_datagrams_kill(const struct sim_backend *backend);
/* stream.c: cuts the link for a while, if that fault happens now. */
void sim_link_strike(struct sim_world *world, struct sim_link *way);
/* Nobody hears of it any more from the other end. */
void sim_connection_silence(struct sim_connection *connection);
/* They hear of each other again. */
void sim_connection_resume(struct sim_connection *connection);
/* The link was cut, or mended. */
void sim_connections_of_link(struct sim_link *way);

/* The time at which what leaves @p from now gets to its peer. */
weft_time sim_travel(struct sim_connection *connection);
/* Takes bytes of @p from's owner into its buffer, as far as they have room: the count, or WEFT_ENOMEM. */
int64_t sim_end_take(struct sim_end *from, const char *data, size_t length);
/* Room for the bytes of @p from's owner. */
size_t sim_end_room(const struct sim_end *from);
/* Sends what can be sent towards @p to. */
void sim_end_pump(struct sim_end *to);
/* Bytes that have arrived, at most @p most; they stay until they are given back, and are gone then. */
weft_bytes sim_end_lend(struct sim_end *to, size_t most);
void sim_end_give_back(struct sim_end *to);
/* @p end learns at @p when that the connection is broken. */
void sim_end_break(struct sim_end *end, int status, weft_time when);
/* @p end knows from now on. */
void sim_end_broken(struct sim_end *end, int status);
/* There is something to tell to its owner. */
void sim_end_has_news(struct sim_end *end);
/* What went wrong, if nobody was told yet; from now on somebody is. */
int sim_end_take_failure(struct sim_end *end);
/* Whether both directions have ended: nothing that happens to one end concerns the other any more. */
bool sim_is_over(const struct sim_connection *connection);
/* Whether nothing gets from one end to the other at present. */
bool sim_is_cut(const struct sim_connection *connection);
/* @p end has bytes that nobody confirms: it will give up. */
void sim_end_fears(struct sim_end *end);

/* -- connection_host.c -- */

/* @p host has lost its power: nothing that leaves it from now on arrives, and nobody is told. */
void sim_connections_crash(struct sim_host *host);
/* It has it back, and knows none of its connections: whatever comes for one is answered with a reset. */
void sim_connections_restart(struct sim_host *host);
/* The process of @p backend was killed: the system closes all that it has. */
void sim_backend_kill(struct sim_backend *backend);

/* -- stream.c -- */

/* Gives @p end to @p stream of @p backend. */
void sim_stream_attach(struct sim_end *end, struct sim_backend *backend, struct backend_stream *stream);
void sim_stream_tell(struct sim_backend *backend, struct sim_news *news);
/* What a slow disk was asked for is there. */
void sim_stream_fetched(struct sim_world *world, struct sim_event *event);
/* Its process was killed: the system closes it. Its owner can still ask for things, and close it; nothing comes of that. */
void sim_end_kill(struct sim_end *end);

/* -- listen.c -- */

/* A connection waits at @p port, or is gone before it was accepted. */
struct sim_port *sim_port_find(const struct sim_host *host, const struct backend_endpoint *at);
void sim_port_admit(struct sim_port *port, struct sim_end *end);
void sim_port_forget(struct sim_end *end);
/* Its process was killed. Its owner can still close it. */
void sim_port_kill(struct sim_port *port);

#endif
