/* SPDX-License-Identifier: MIT */
/* How bytes move through the sockets of the io_uring backend (uring_internal.h). */
#include "backend/uring_internal.h"

#include <errno.h>
#include <limits.h>
#include <sys/uio.h>

/* -- receiving -- */

static void uring_receive_start(struct backend *backend, struct backend_stream *stream)
{
    stream->uring->flags |= URING_RECEIVES;
    uring_socket_is_due(uring_of(backend), stream->uring);
}

static void uring_receive_stop(struct backend *backend, struct backend_stream *stream)
{
    stream->uring->flags &= ~(uint32_t)(URING_RECEIVES | URING_STARVES);
    uring_socket_is_due(uring_of(backend), stream->uring);
}

static void tell_over(struct uring_socket *socket, int status)
{
    socket->flags &= ~(uint32_t)URING_RECEIVES;
    socket->stream->events->received(socket->stream, weft_bytes_of(NULL, 0), status);
}

/* A receive has ended, perhaps only to be armed again. */
static void receive_ended(struct uring_backend *self, struct uring_socket *socket, int status)
{
    bool limited = socket->flags & URING_LIMITED;

    socket->flags &= ~(uint32_t)(URING_RECEIVING | URING_STOPPING | URING_LIMITED | URING_RECHECKS);
    uring_socket_is_due(self, socket);
    if (status > 0 || (socket->flags & URING_GONE))
        return;
    if (status == -ENOBUFS)
        socket->flags |= URING_STARVES;
    else if (status == -EINVAL && limited)
        self->receive_unlimited = true;
    else if (status == 0 && !(socket->flags & URING_RECEIVES))
        return; /* whoever receives again will be told again */
    else if (status != -ECANCELED && status != -EINTR && status != -EAGAIN)
        tell_over(socket, status);
}

/* (After a stop as well: it was received before.) */
static void receive_completed(struct uring_backend *self, struct uring_socket *socket, const struct uring_cqe *cqe)
{
    struct uring_filled filled = uring_filled_by(&self->buffers, cqe);
    weft_bytes bytes;

    while (uring_filled_next(&self->buffers, &filled, &bytes))
        if (!(socket->flags & URING_GONE))
            socket->stream->events->received(socket->stream, bytes, 0);
    if (!(cqe->flags & URING_CQE_MORE))
        receive_ended(self, socket, cqe->res);
}

/* -- sending -- */

/* What could not be queued, or not be sent at once: the next room is reported. */
static void await_room(struct backend *backend, struct backend_stream *stream)
{
    if (!(stream->flags & BLOCKED))
        return;
    stream->flags &= ~(uint32_t)BLOCKED;
    stream->uring->flags |= URING_WANTS_ROOM;
    uring_socket_is_due(uring_of(backend), stream->uring);
}

static int64_t send_at_once(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs,
                            size_t count, bool more)
{
    int64_t sent = readiness_socket_send(backend, stream, runs, count, more);

    await_room(backend, stream);
    return sent;
}

/* The runs are the caller's again when it returns, but the kernel looks at them when they are submitted. */
static struct msghdr *copy_runs(struct uring_backend *self, const weft_bytes *runs, size_t count)
{
    size_t length = sizeof(struct msghdr) + count * sizeof *runs;
    struct msghdr *message;

    if (URING_ARENA - self->arena_used < length)
        (void)uring_submit(self);
    if (URING_ARENA - self->arena_used < length)
        return NULL;
    message = (struct msghdr *)(void *)(self->arena + self->arena_used);
    self->arena_used += length;
    *message = (struct msghdr){.msg_iov = (struct iovec *)(void *)(message + 1), .msg_iovlen = count};
    memcpy(message->msg_iov, runs, count * sizeof *runs);
    return message;
}

static bool is_large(const weft_bytes *runs, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += runs[i].length;
    return length >= BACKEND_LARGE;
}

/* What is large is sent at once: to keep it until the submit it would have to be copied, which costs more than a call. */
static int64_t uring_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                          bool more)
{
    struct uring_backend *self = uring_of(backend);
    struct uring_socket *socket = stream->uring;
    struct msghdr *message = NULL;
    struct uring_sqe *entry;

    if (is_large(runs, count))
        return send_at_once(backend, stream, runs, count, more);
    if (count > 1)
        message = copy_runs(self, runs, count);
    if ((count > 1 && !message) || !uring_reserve(self, 1))
        return send_at_once(backend, stream, runs, count, more);
    entry = uring_entry(self, message ? URING_OP_SENDMSG : URING_OP_SEND, socket->fd, uring_name(socket, URING_SEND));
    entry->addr = (uint64_t)(uintptr_t)(message ? (const void *)message : runs->data);
    entry->len = message ? 1 : (uint32_t)(runs->length < INT_MAX ? runs->length : INT_MAX);
    entry->op_flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    socket->flags |= URING_SENDING;
    return BACKEND_LATER;
}

static int64_t uring_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                               uint64_t length, bool more)
{
    int64_t sent = readiness_send_file(backend, stream, file, offset, length, more);

    await_room(backend, stream);
    return sent;
}

static void send_completed(struct uring_backend *self, struct uring_socket *socket, int result)
{
    struct backend_stream *stream = socket->stream;

    socket->flags &= ~(uint32_t)URING_SENDING;
    if (socket->flags & URING_GONE) {
        socket->stream = NULL;
        uring_socket_is_due(self, socket);
        stream->events->closed(stream);
    } else if (result == -EAGAIN) {
        socket->flags |= URING_WANTS_ROOM;
        uring_socket_is_due(self, socket);
    } else {
        stream->events->sent(stream, result == -ECANCELED || result == -EINTR ? 0 : result);
    }
}

static void room_completed(struct uring_backend *self, struct uring_socket *socket, int result)
{
    struct backend_stream *stream = socket->stream;

    socket->flags &= ~(uint32_t)URING_AWAITS_ROOM;
    uring_socket_is_due(self, socket);
    if ((socket->flags & URING_GONE) || result == -ECANCELED)
        return;
    if (stream->flags & CONNECTING) {
        stream->flags &= ~(uint32_t)CONNECTING;
        stream->events->connected(stream, result < 0 ? result : socket_error(socket->fd));
    } else if (socket->flags & URING_WANTS_ROOM) {
        socket->flags &= ~(uint32_t)URING_WANTS_ROOM;
        stream->events->sent(stream, 0);
    }
}

/* The connection was reset, or timed out, while nobody reads: whoever waits for something else has to hear of it. */
static void watch_completed(struct uring_backend *self, struct uring_socket *socket, const struct uring_cqe *cqe)
{
    int status;

    if (!(cqe->flags & URING_CQE_MORE)) {
        socket->flags &= ~(uint32_t)URING_WATCHING;
        if (cqe->res < 0 && cqe->res != -ECANCELED)
            socket->flags |= URING_DEAF;
        uring_socket_is_due(self, socket);
    }
    if ((socket->flags & URING_GONE) || cqe->res < 0)
        return;
    if (socket->flags & URING_RECEIVES) {
        socket->flags |= URING_RECHECKS;
        uring_socket_is_due(self, socket);
        return;
    }
    status = socket_error(socket->fd);
    if (status < 0)
        tell_over(socket, status);
}

static void tell(struct uring_backend *self, struct uring_socket *socket, enum uring_tag tag,
                 const struct uring_cqe *cqe)
{
    if (tag == URING_RECEIVE)
        receive_completed(self, socket, cqe);
    else if (tag == URING_SEND)
        send_completed(self, socket, cqe->res);
    else if (tag == URING_ROOM)
        room_completed(self, socket, cqe->res);
    else
        watch_completed(self, socket, cqe);
}

void uring_stream_completed(struct uring_backend *self, struct uring_socket *socket, enum uring_tag tag,
                            const struct uring_cqe *cqe)
{
    uint32_t within = socket->flags & URING_BUSY;

    socket->flags |= URING_BUSY;
    tell(self, socket, tag, cqe);
    if (within)
        return;
    socket->flags &= ~(uint32_t)URING_BUSY;
    if (socket->flags & URING_GONE)
        uring_socket_is_due(self, socket);
}

void uring_stream_tell_news(struct uring_backend *self)
{
    static const struct uring_cqe nothing = {0};

    while (!weft_link_is_alone(&self->news)) {
        struct uring_socket *socket = weft_container_of(self->news.next, struct uring_socket, due);

        socket->flags &= ~(uint32_t)URING_NEWS;
        uring_socket_is_due(self, socket);
        uring_stream_completed(self, socket, URING_SEND, &nothing);
    }
}

/* -- the life of a stream -- */

static bool uring_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    struct uring_backend *self = uring_of(backend);
    struct uring_socket *socket = stream->uring;
    bool home;

    if (abort) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(socket->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    if (stream->flags & IN_WAS_BLOCKING)
        readiness_make_blocking(socket->fd);
    if (stream->flags & WARMING)
        readiness_warm_abandon(&self->epoll.ready, stream);
    socket->flags &= ~(uint32_t)(URING_RECEIVES | URING_WANTS_ROOM | URING_STARVES);
    socket->flags |= URING_GONE;
    home = !(socket->flags & (URING_SENDING | URING_NEWS));
    if (home)
        socket->stream = NULL;
    uring_socket_is_due(self, socket);
    stream->flags = (stream->flags & READY) | CLOSED;
    return home && !(stream->flags & READY);
}

const struct backend_transport uring_transport = {
    .receive_start = uring_receive_start,
    .receive_stop = uring_receive_stop,
    .send = uring_send,
    .sends_large_at_once = true,
    .broken = readiness_socket_broken,
    .send_file = uring_send_file,
    .shutdown = readiness_socket_shutdown,
    .close = uring_close,
    .local = readiness_socket_local,
    .unconfirmed = readiness_socket_unconfirmed,
};
