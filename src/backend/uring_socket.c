/* SPDX-License-Identifier: MIT */
/* What is asked of the kernel for one socket, and when its struct is freed (uring_internal.h). */
#include "backend/uring_internal.h"

#include <poll.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"

int uring_take_socket(struct readiness *ready, struct backend_stream *stream, int fd, uint32_t flags)
{
    struct uring_backend *self = uring_of(&ready->base);
    struct uring_socket *socket = weft_allocate_zeroed(1, sizeof *socket);

    if (!socket)
        return WEFT_ENOMEM;
    socket->stream = stream;
    socket->fd = fd;
    socket->flags = flags & DRAINS ? 0 : URING_MAY_MISS_END;
    weft_link_init(&socket->due);
    weft_link_insert_before(&self->sockets, &socket->link);
    stream->transport = &uring_transport;
    stream->fd = fd;
    stream->flags = flags;
    stream->uring = socket;
    uring_socket_is_due(self, socket);
    return 0;
}

void uring_socket_is_due(struct uring_backend *self, struct uring_socket *socket)
{
    weft_link_remove(&socket->due);
    weft_link_insert_before(&self->due, &socket->due);
}

static void socket_free(struct uring_socket *socket)
{
    weft_link_remove(&socket->due);
    weft_link_remove(&socket->link);
    weft_release(socket);
}

void uring_sockets_free(struct uring_backend *self)
{
    while (!weft_link_is_alone(&self->sockets)) {
        struct uring_socket *socket = weft_container_of(self->sockets.next, struct uring_socket, link);

        if (!(socket->flags & URING_CLOSING))
            descriptor_close(socket->fd);
        socket_free(socket);
    }
}

/* -- what it wants, and what it has -- */

static void receive(struct uring_backend *self, struct uring_socket *socket)
{
    struct uring_sqe *entry = uring_entry(self, URING_OP_RECV, socket->fd, uring_name(socket, URING_RECEIVE));

    entry->ioprio = URING_RECV_MULTISHOT;
    entry->flags = URING_SQE_BUFFER_SELECT;
    if (self->ring.tier == URING_TIER_6_10)
        entry->ioprio |= URING_RECVSEND_BUNDLE;
    socket->flags |= URING_RECEIVING;
    if (self->ring.tier < URING_TIER_6_15 || self->receive_unlimited)
        return;
    entry->optlen = URING_RECEIVE_MOST;
    socket->flags |= URING_LIMITED;
}

static bool is_to_be_watched(const struct uring_socket *socket)
{
    if (socket->flags & (URING_WATCHING | URING_DEAF))
        return false;
    return (socket->flags & URING_MAY_MISS_END) || !(socket->flags & (URING_RECEIVES | URING_RECEIVING));
}

static void settle_receiving(struct uring_backend *self, struct uring_socket *socket)
{
    bool receives = socket->flags & URING_RECEIVES;

    if (is_to_be_watched(socket)) {
        uring_poll(self, socket->fd, 0, true, uring_name(socket, URING_WATCH));
        socket->flags |= URING_WATCHING;
    }
    if (receives && (socket->flags & URING_STARVES)) {
        weft_link_insert_before(&self->starved, &socket->due);
    } else if (receives && !(socket->flags & URING_RECEIVING)) {
        receive(self, socket);
    } else if ((!receives || (socket->flags & URING_RECHECKS)) &&
               (socket->flags & (URING_RECEIVING | URING_STOPPING)) == URING_RECEIVING) {
        uring_cancel(self, uring_name(socket, URING_RECEIVE));
        socket->flags |= URING_STOPPING;
    }
}

static void settle_room(struct uring_backend *self, struct uring_socket *socket)
{
    if (socket->flags & URING_AWAITS_ROOM)
        return;
    uring_poll(self, socket->fd, POLLOUT, false, uring_name(socket, URING_ROOM));
    socket->flags |= URING_AWAITS_ROOM;
}

/* Behind all that names the descriptor. */
static void close_descriptor(struct uring_backend *self, struct uring_socket *socket)
{
    if (socket->flags & URING_IN_FLIGHT) {
        struct uring_sqe *entry = uring_silent_entry(self, URING_OP_ASYNC_CANCEL, socket->fd);
        entry->op_flags = URING_CANCEL_FD | URING_CANCEL_ALL;
    }
    socket->flags |= URING_CLOSING;
    if (socket->fd > STDERR_FILENO) {
        (void)uring_silent_entry(self, URING_OP_CLOSE, socket->fd);
        return;
    }
    (void)uring_submit(self);
    readiness_leave_and_close(&self->epoll.ready.base, socket->fd); /* something has to take its number */
}

/* False if the kernel takes no more now. */
static bool settle(struct uring_backend *self, struct uring_socket *socket)
{
    if (!uring_reserve(self, 3))
        return false;
    weft_link_remove(&socket->due);
    if (socket->flags & URING_NEWS) {
        weft_link_insert_before(&self->news, &socket->due);
        return true;
    }
    if (socket->flags & URING_GONE) {
        if (!(socket->flags & URING_CLOSING))
            close_descriptor(self, socket);
        if (!(socket->flags & (URING_IN_FLIGHT | URING_BUSY)))
            socket_free(socket);
        return true;
    }
    if ((socket->flags & URING_WANTS_ROOM) || (socket->stream->flags & CONNECTING))
        settle_room(self, socket);
    if (!(socket->stream->flags & CONNECTING))
        settle_receiving(self, socket);
    return true;
}

/* All buffers have come back by now. Whoever found none may try again, but not more of them than there are buffers: all
 * at once they would take the buffers from each other, again and again. */
static void feed(struct uring_backend *self)
{
    for (uint32_t i = 0; i < self->buffers.count && !weft_link_is_alone(&self->starved); i++) {
        struct uring_socket *socket = weft_container_of(self->starved.next, struct uring_socket, due);

        socket->flags &= ~(uint32_t)URING_STARVES;
        uring_socket_is_due(self, socket);
    }
}

bool uring_sockets_settle(struct uring_backend *self)
{
    feed(self);
    while (!weft_link_is_alone(&self->due))
        if (!settle(self, weft_container_of(self->due.next, struct uring_socket, due)))
            return false;
    return true;
}
