/* SPDX-License-Identifier: MIT */
/*
 * A ring belongs to the thread that enabled it; a loop may be run on one thread and freed on another. What the kernel does
 * for a ring it does within its thread's calls. So an operation that has not completed by now has done nothing, and
 * never will: it is forgotten with its ring, and asked for again in the new one.
 */
#include "backend/uring_internal.h"

#include <pthread.h>
#include <stdatomic.h>

#include "backend/descriptor.h"

static atomic_uint forks;

static void in_child(void)
{
    atomic_fetch_add(&forks, 1);
}

unsigned uring_forks(void)
{
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

int uring_mind_forks(void)
{
    static atomic_bool minded;
    int status;

    if (atomic_exchange(&minded, true))
        return 0;
    status = -pthread_atfork(NULL, NULL, in_child);
    if (status < 0)
        atomic_store(&minded, false); /* the next loop tries it again */
    return status;
}

/* Descriptors whose close was queued, but is not submitted. */
static void close_queued(const struct uring_ring *ring)
{
    for (uint32_t left = uring_ring_pending(ring); left > 0; left--) {
        const struct uring_sqe *entry = &ring->sqes[(ring->tail - left) & ring->sq_mask];

        if (entry->opcode == URING_OP_CLOSE)
            descriptor_close(entry->fd);
    }
}

static void forget_sockets(struct uring_backend *self)
{
    for (weft_link *link = self->sockets.next; link != &self->sockets; link = link->next) {
        struct uring_socket *socket = weft_container_of(link, struct uring_socket, link);

        if (socket->flags & URING_SENDING)
            socket->flags |= URING_NEWS;
        socket->flags &= ~(uint32_t)(URING_IN_FLIGHT | URING_STOPPING | URING_STARVES | URING_LIMITED | URING_RECHECKS);
        uring_socket_is_due(self, socket);
    }
}

static void forget_listeners(struct uring_backend *self)
{
    for (weft_link *link = self->listeners.next; link != &self->listeners; link = link->next) {
        struct uring_listener *listener = weft_container_of(link, struct uring_listener, link);

        listener->accepting = listener->stopping = listener->polling = false;
    }
    self->listeners_due = true;
}

int uring_move(struct uring_backend *self)
{
    struct uring_ring ring;
    struct uring_buffers buffers;
    const char *why;
    int status = uring_ring_open(&ring, self->ring.tier, &why);

    if (status < 0)
        return status;
    status = uring_buffers_open(&buffers, &ring);
    if (status < 0) {
        uring_ring_close(&ring);
        return status;
    }
    if (self->forks == uring_forks())
        close_queued(&self->ring);
    self->forks = uring_forks();
    uring_ring_close(&self->ring);
    uring_buffers_close(&self->buffers);
    self->ring = ring;
    self->buffers = buffers;
    self->in_flight = self->arena_used = 0;
    self->enabled = self->lost = self->wake_polled = self->others_polled = self->host_told = false;
    forget_sockets(self);
    forget_listeners(self);
    return 0;
}
