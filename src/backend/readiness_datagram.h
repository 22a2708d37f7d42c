/* SPDX-License-Identifier: MIT */
/*
 * Datagrams over an engine that says which descriptors are ready: what epoll, poll and io_uring share.
 *
 *   readiness_datagram.c       a socket's life, and receiving
 *   readiness_datagram_send.c  sending
 *
 * READABLE, BLOCKED, READY, RECEIVING and CLOSED of readiness.h mean what they mean for a stream. An engine is asked for
 * room only while BLOCKED is set: each datagram that leaves a socket makes room.
 */
#ifndef BACKEND_READINESS_DATAGRAM_H
#define BACKEND_READINESS_DATAGRAM_H

#include "backend/readiness.h"
#include "backend/socket_name.h"

/* Received at once; and into so much memory each, all that a UDP datagram can have. */
#define DATAGRAM_BATCH 32
#define DATAGRAM_MOST (64 * 1024)
/* Addresses that all are the same in the lowest bits would fight for the same lines of a cache. */
#define DATAGRAM_STRIDE (DATAGRAM_MOST + 5 * 64)
/* Linux joins at most 64 of those that come (UDP_GRO_CNT_MAX), and hands on as many as were sent together on this host. */
#define DATAGRAM_SEGMENTS 128
/* Packet info, traffic class or type of service of both families, size of a segment: 144 bytes on 64 bits. */
#define DATAGRAM_CONTROL 160

/* Flags of a datagram socket, beside those of readiness.h. */
enum {
    DATAGRAM_V6 = 1 << 20,
    DATAGRAM_UNIX = 1 << 21,
    DATAGRAM_SEGMENTED = 1 << 22, /* neighbours of equal size may be sent as one */
    DATAGRAM_CONNECTED = 1 << 23,
};

/* A batch that is being sent. */
struct datagram_sending {
    struct mmsghdr headers[BACKEND_DATAGRAMS];
    union socket_name names[BACKEND_DATAGRAMS];
    _Alignas(struct cmsghdr) char control[BACKEND_DATAGRAMS][DATAGRAM_CONTROL];
    struct iovec runs[BACKEND_DATAGRAMS];
    size_t parts[BACKEND_DATAGRAMS]; /* datagrams in each message */
    size_t messages;
};

/* What the sockets of a loop share, made for the first of them. */
struct datagram_room {
    struct datagram_sending sending;
    struct mmsghdr headers[DATAGRAM_BATCH];
    struct iovec runs[DATAGRAM_BATCH];
    union socket_name names[DATAGRAM_BATCH];
    _Alignas(struct cmsghdr) char control[DATAGRAM_BATCH][DATAGRAM_CONTROL];
    weft_datagram told[DATAGRAM_BATCH * DATAGRAM_SEGMENTS];
    char memory[DATAGRAM_BATCH * DATAGRAM_STRIDE];
};

/* readiness_datagram.c */
int readiness_datagram_open(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *at,
                            const struct backend_endpoint *to, const struct backend_datagram_options *options);
void readiness_datagram_event(struct readiness *self, struct backend_datagram *socket, uint32_t events);
/* The turns of those that were in their ready list. */
void readiness_run_ready_datagrams(struct readiness *self);

/* readiness_datagram_send.c */
int readiness_datagram_send(struct backend *backend, struct backend_datagram *socket, const weft_datagram *datagrams,
                            size_t count);

#endif
