/* SPDX-License-Identifier: MIT */
/*
 * Accepting (uring_internal.h). The kernel accepts as long as it is not told to stop, and asks nobody: what comes waits
 * in the listener until it can be told, or is reset.
 */
#include "backend/uring_internal.h"

#include <errno.h>
#include <poll.h>

#include <weft/memory.h>

#include "backend/descriptor.h"

#define TOLD_PER_TURN 64
/* With so many waiting the kernel is told to stop: the others wait in the backlog, whose size the user set. */
#define WAITING_MOST 256

/* -- those that wait -- */

static void refuse(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    descriptor_close(fd);
}

static bool make_room(struct uring_listener *listener)
{
    size_t room = listener->room ? 2 * listener->room : 16;
    int *waiting;

    if (listener->first > 0) {
        memmove(listener->waiting, listener->waiting + listener->first, listener->count * sizeof *waiting);
        listener->first = 0;
    }
    if (listener->count < listener->room)
        return true;
    waiting = weft_reallocate(listener->waiting, room * sizeof *waiting);
    if (!waiting)
        return false;
    listener->waiting = waiting;
    listener->room = room;
    return true;
}

static bool is_full(const struct uring_listener *listener)
{
    return listener->count >= WAITING_MOST;
}

static void append(struct uring_backend *self, struct uring_listener *listener, int fd)
{
    if (listener->first + listener->count == listener->room && !make_room(listener)) {
        refuse(fd);
        return;
    }
    listener->waiting[listener->first + listener->count++] = fd;
    self->waiting++;
    if (is_full(listener))
        self->listeners_due = true;
}

static int take_first(struct uring_backend *self, struct uring_listener *listener)
{
    int fd = listener->waiting[listener->first++];

    self->waiting--;
    if (--listener->count == 0) {
        weft_release(listener->waiting);
        listener->waiting = NULL;
        listener->first = listener->room = 0;
        self->listeners_due = true;
    }
    return fd;
}

static void refuse_all(struct uring_backend *self, struct uring_listener *listener)
{
    while (listener->count > 0)
        refuse(take_first(self, listener));
}

/* -- telling -- */

/* Returns 0, or an error if the connection is gone already. */
static int address_of_peer(const struct uring_listener *listener, int fd, weft_address *ret)
{
    struct sockaddr_storage name = {.ss_family = AF_UNIX};
    socklen_t length = sizeof name;

    if (!listener->is_unix && getpeername(fd, (struct sockaddr *)&name, &length) < 0)
        return -errno;
    socket_address_from(&name, ret);
    return 0;
}

static void tell(struct uring_backend *self, struct uring_listener *listener)
{
    struct backend_listener *handle = listener->listener;
    struct backend_stream *stream;
    weft_address peer;
    int fd = take_first(self, listener), status = address_of_peer(listener, fd, &peer);

    if (status < 0) {
        handle->events->missed(handle);
        descriptor_close(fd);
        return;
    }
    stream = handle->events->accepted(handle, &peer);
    if (!stream) {
        refuse(fd);
        return;
    }
    status = uring_take_socket(&self->epoll.ready, stream, fd, readiness_drains(peer.family));
    if (status < 0)
        descriptor_close(fd);
    handle->events->opened(handle, stream, status);
}

static bool can_tell(const struct uring_listener *listener)
{
    return listener->count > 0 && listener->listener && listener->accepts;
}

bool uring_listeners_have_news(const struct uring_backend *self)
{
    if (self->waiting == 0)
        return false;
    for (const weft_link *link = self->listeners.next; link != &self->listeners; link = link->next)
        if (can_tell(weft_container_of(link, const struct uring_listener, link)))
            return true;
    return false;
}

/* Whoever is told may close any listener, but none is freed before uring_listeners_settle. */
void uring_listeners_tell(struct uring_backend *self)
{
    if (self->waiting == 0)
        return;
    self->telling++;
    for (weft_link *link = self->listeners.next; link != &self->listeners; link = link->next) {
        struct uring_listener *listener = weft_container_of(link, struct uring_listener, link);

        for (unsigned i = 0; i < TOLD_PER_TURN && can_tell(listener); i++) {
            if (!listener->listener->events->wanted(listener->listener))
                break;
            tell(self, listener);
        }
    }
    self->telling--;
}

/* -- what completes -- */

static bool somebody_waits(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) > 0;
}

static void give_up(struct uring_backend *self, struct uring_listener *listener, int status)
{
    struct backend_listener *handle = listener->listener;
    unsigned shed = status == -EMFILE || status == -ENFILE ? readiness_shed(&self->epoll.ready, handle) : 0;

    listener->accepts = false;
    handle->events->exhausted(handle, status, shed);
}

void uring_accept_completed(struct uring_backend *self, struct uring_listener *listener, const struct uring_cqe *cqe)
{
    bool polled = listener->polling;

    if (!(cqe->flags & URING_CQE_MORE)) {
        listener->accepting = listener->stopping = listener->polling = false;
        self->listeners_due = true;
    }
    if (polled)
        return;
    if (cqe->res >= 0) {
        if (listener->listener)
            append(self, listener, cqe->res);
        else
            refuse(cqe->res);
        return;
    }
    if (cqe->res == -ECANCELED || !listener->listener || !listener->accepts ||
        readiness_accept_error_is_passing(-cqe->res))
        return;
    /* The kernel takes a descriptor before it looks for a connection. */
    listener->polls = (cqe->res == -EMFILE || cqe->res == -ENFILE) && !somebody_waits(listener->fd);
    if (!listener->polls)
        give_up(self, listener, cqe->res);
}

/* -- what is asked of the kernel -- */

static void start(struct uring_backend *self, struct uring_listener *listener)
{
    struct uring_sqe *entry;

    listener->accepting = true;
    listener->polling = listener->polls;
    listener->polls = false;
    if (listener->polling) {
        uring_poll(self, listener->fd, POLLIN, false, uring_name(listener, URING_ACCEPT));
        return;
    }
    entry = uring_entry(self, URING_OP_ACCEPT, listener->fd, uring_name(listener, URING_ACCEPT));
    entry->ioprio = URING_ACCEPT_MULTISHOT;
    entry->op_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
}

static void listener_free(struct uring_listener *listener)
{
    weft_link_remove(&listener->link);
    weft_release(listener->waiting);
    weft_release(listener);
}

bool uring_listeners_settle(struct uring_backend *self)
{
    weft_link *next;

    if (!self->listeners_due)
        return true;
    self->listeners_due = false;
    for (weft_link *link = self->listeners.next; link != &self->listeners; link = next) {
        struct uring_listener *listener = weft_container_of(link, struct uring_listener, link);

        next = link->next;
        if (!listener->listener && !listener->accepting) {
            if (self->telling == 0)
                listener_free(listener);
            else
                self->listeners_due = true;
            continue;
        }
        if (!uring_reserve(self, 1)) {
            self->listeners_due = true;
            return false;
        }
        if (listener->accepts && !listener->accepting && listener->count == 0) {
            start(self, listener);
        } else if ((!listener->accepts || is_full(listener)) && listener->accepting && !listener->stopping) {
            uring_cancel(self, uring_name(listener, URING_ACCEPT));
            listener->stopping = true;
        }
    }
    return true;
}

void uring_listeners_free(struct uring_backend *self)
{
    while (!weft_link_is_alone(&self->listeners)) {
        struct uring_listener *listener = weft_container_of(self->listeners.next, struct uring_listener, link);

        refuse_all(self, listener);
        listener_free(listener);
    }
}

/* -- what its owner asks -- */

static void uring_accept_start(struct backend *backend, struct backend_listener *handle)
{
    handle->uring->accepts = true;
    uring_of(backend)->listeners_due = true;
    if (uring_of(backend)->epoll.ready.reserve < 0)
        readiness_reserve_again(&uring_of(backend)->epoll.ready);
}

static void uring_accept_stop(struct backend *backend, struct backend_listener *handle)
{
    handle->uring->accepts = false;
    uring_of(backend)->listeners_due = true;
}

static int uring_accept_one(struct backend *backend, struct backend_listener *handle, struct backend_stream *stream,
                            weft_address *ret_peer)
{
    struct uring_backend *self = uring_of(backend);
    weft_address peer;
    int fd = -EAGAIN, status;

    while (fd < 0 && handle->uring->count > 0) {
        fd = take_first(self, handle->uring);
        if (address_of_peer(handle->uring, fd, &peer) < 0) {
            descriptor_close(fd);
            fd = -EAGAIN;
        }
    }
    if (fd < 0)
        fd = readiness_accept_socket(handle, &peer);
    if (fd < 0)
        return fd == -EAGAIN ? 0 : fd;
    status = uring_take_socket(&self->epoll.ready, stream, fd, readiness_drains(peer.family));
    if (status < 0) {
        descriptor_close(fd);
        return status;
    }
    *ret_peer = peer;
    return 1;
}

/* The path goes first: while we still listen, nobody takes it for one that was left behind. The port is free when this
 * returns, for which the operation in flight has to let go of it. */
static void uring_listener_close(struct backend *backend, struct backend_listener *handle)
{
    struct uring_backend *self = uring_of(backend);
    struct uring_listener *listener = handle->uring;

    socket_path_remove(handle->path);
    handle->path = NULL;
    refuse_all(self, listener);
    listener->listener = NULL;
    listener->accepts = false;
    self->listeners_due = true;
    if (listener->accepting && uring_reserve(self, 1)) {
        if (!listener->stopping)
            uring_cancel(self, uring_name(listener, URING_ACCEPT));
        listener->stopping = true;
        (void)uring_submit(self);
    }
    readiness_leave_and_close(backend, listener->fd);
}

static int uring_listener_local(struct backend *backend, const struct backend_listener *handle, weft_address *ret)
{
    (void)backend;
    return socket_local(handle->fd, ret);
}

static const struct backend_listening uring_listening = {
    .accept_start = uring_accept_start,
    .accept_stop = uring_accept_stop,
    .accept_one = uring_accept_one,
    .close = uring_listener_close,
    .local = uring_listener_local,
};

int uring_take_listener(struct readiness *ready, struct backend_listener *handle, int fd)
{
    struct uring_backend *self = uring_of(&ready->base);
    struct uring_listener *listener = weft_allocate_zeroed(1, sizeof *listener);
    weft_address local;

    if (!listener)
        return WEFT_ENOMEM;
    listener->listener = handle;
    listener->fd = fd;
    listener->is_unix = socket_local(fd, &local) == 0 && local.family == WEFT_ADDRESS_UNIX;
    weft_link_insert_before(&self->listeners, &listener->link);
    handle->listening = &uring_listening;
    handle->fd = fd;
    handle->flags = 0;
    handle->uring = listener;
    return 0;
}
