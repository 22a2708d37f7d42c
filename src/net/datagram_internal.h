/* SPDX-License-Identifier: MIT */
/*
 * The inside of a datagram socket. Four files share it:
 *
 *   datagram.c         its life, and receiving
 *   datagram_output.c  sending, within the limits
 *   datagram_queue.c   datagrams that wait, one behind the other in one piece of memory
 *   datagram_group.c   whom it is connected to, groups, settings
 *
 *   open --> closing (what was queued still goes out) --> doomed (the handle is closed) --> lost
 *     \_____________________________________________________/^
 *
 * Invariants:
 *  1. `lost` is called once, from the socket's task, after everything else.
 *  2. While BLOCKED is set nothing is sent: the backend owes a `writable`, or the timer runs.
 *  3. The memory lives until `lost` has returned, the backend has let go, and the turn is over.
 */
#ifndef NET_DATAGRAM_INTERNAL_H
#define NET_DATAGRAM_INTERNAL_H

#include <weft/datagram.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

#define DATAGRAM_PATH 108
/* What fits into an IPv4 packet beside its header and UDP's. */
#define DATAGRAM_UDP_MOST 65507

enum {
    DATAGRAM_PAUSED = 1 << 0,
    DATAGRAM_BLOCKED = 1 << 1,
    DATAGRAM_OVER_HIGH = 1 << 2, /* a send answered 1 */
    DATAGRAM_CLOSING = 1 << 3,
    DATAGRAM_DOOMED = 1 << 4,
    DATAGRAM_LOST = 1 << 5,
    DATAGRAM_HOME = 1 << 6, /* the backend has let go of the handle */
    DATAGRAM_IN_TASK = 1 << 7,
    DATAGRAM_IS_UNIX = 1 << 8,
};

/* Datagrams that wait. All zero is an empty one. */
struct datagram_queue {
    char *data;
    size_t begin, end, room;
    size_t count, bytes; /* datagrams; their bytes, without what goes with them */
};

struct weft_datagram_socket {
    struct backend_datagram io;
    weft_datagram_protocol *protocol;
    weft_loop *loop;
    struct loop_task task;
    weft_scope_member member;
    weft_timer_entry timer; /* while BLOCKED */
    struct datagram_queue queue;
    size_t high_water, low_water, output_limit, output_count;
    weft_time output_time;
    weft_time blocked;  /* since when nothing has gone */
    weft_time patience; /* until it is tried again though nobody says that there is room; 0: it will be said */
    uint32_t flags;
    int reason;
    int owed;          /* an error of the socket that `failed` has still to be told; or 0 */
    unsigned failures; /* of the system's own, in a row */
    unsigned tries;    /* of the first that waits */
    weft_datagram_counts counts;
    weft_counter received_count, sent_count, dropped_count;
    weft_address local; /* as it was bound */
    char path[DATAGRAM_PATH];
};

static inline struct backend *datagram_backend(const weft_datagram_socket *socket)
{
    return socket->loop->backend;
}

/* -- datagram.c -- */

/* The end is decided. Idempotent. */
void datagram_doom(weft_datagram_socket *socket, int reason);
void datagram_schedule(weft_datagram_socket *socket);
/* Tells `failed`. May end the socket. */
void datagram_tell_failed(weft_datagram_socket *socket, int status, const weft_address *peer);

/* -- datagram_output.c -- */

void datagram_writable(struct backend_datagram *io);
/* Sends what is queued, in the task. */
void datagram_flush(weft_datagram_socket *socket);
void datagram_timer_fired(weft_timer_entry *entry);

/* -- datagram_queue.c -- */

/* Appends a copy. Returns 0 or WEFT_ENOMEM. */
int datagram_queue_add(struct datagram_queue *queue, const weft_datagram *datagram);
/* The first that wait, at most @p most, *until* something is added: how many. */
size_t datagram_queue_peek(const struct datagram_queue *queue, weft_datagram *ret, size_t most);
/* Drops the first @p count. */
void datagram_queue_drop(struct datagram_queue *queue, size_t count);
void datagram_queue_clear(struct datagram_queue *queue);

#endif
