/* SPDX-License-Identifier: MIT */
/* How bytes move through the sockets and pipes (readiness.h). */
#include "backend/readiness.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/socket_calls.h"
#include "backend/file.h"

_Static_assert(sizeof(weft_bytes) == sizeof(struct iovec) &&
                   offsetof(weft_bytes, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(weft_bytes, length) == offsetof(struct iovec, iov_len),
               "a weft_bytes is an iovec, so that runs need no translation");

/* -- receiving -- */

static ssize_t read_pipe(int fd, void *data, size_t room)
{
    ssize_t count = read(fd, data, room);

    return count < 0 ? -errno : count;
}

/* The count, or -errno. */
static ssize_t receive_once(const struct readiness *self, const struct backend_stream *stream)
{
    ssize_t count;

    do
        count = stream->flags & PIPE ? read_pipe(stream->pair[0], self->buffer, READINESS_BUFFER)
                                     : call_receive(stream->fd, self->buffer, READINESS_BUFFER);
    while (count == -EINTR);
    return count;
}

static void receive_over(struct backend_stream *stream, int status)
{
    stream->flags &= ~(uint32_t)(RECEIVING | READABLE);
    stream->events->received(stream, weft_bytes_of(NULL, 0), status);
}

static void receive(struct readiness *self, struct backend_stream *stream)
{
    for (unsigned round = 0; round < READINESS_ROUNDS; round++) {
        ssize_t count = receive_once(self, stream);

        if (count == -EAGAIN) {
            stream->flags &= ~(uint32_t)READABLE;
            return;
        }
        if (count <= 0) {
            receive_over(stream, (int)count);
            return;
        }
        if (count < READINESS_BUFFER && (stream->flags & (HANGUP | DRAINS)) == DRAINS)
            stream->flags &=
                ~(uint32_t)READABLE; /* drained: the next byte is news, even to an engine of edges (epoll(7)) */
        stream->events->received(stream, weft_bytes_of(self->buffer, (size_t)count), 0);
        if ((stream->flags & (CLOSED | RECEIVING | READABLE)) != (RECEIVING | READABLE))
            return;
    }
    readiness_make_ready(self, stream);
}

static bool readiness_may_keep(struct backend *backend)
{
    struct readiness *self = weft_container_of(backend, struct readiness, base);

    if (!self->spare_buffer)
        self->spare_buffer = weft_allocate(READINESS_BUFFER);
    return self->spare_buffer;
}

static void readiness_keep(struct backend *backend)
{
    struct readiness *self = weft_container_of(backend, struct readiness, base);

    self->buffer = self->spare_buffer;
    self->spare_buffer = NULL;
}

static void readiness_receive_start(struct backend *backend, struct backend_stream *stream)
{
    stream->flags |= RECEIVING;
    if (stream->flags & READABLE)
        readiness_make_ready(readiness_of(backend), stream);
}

static void readiness_receive_stop(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    stream->flags &= ~(uint32_t)RECEIVING;
}

/* -- sending -- */

/* @p count: or -errno. */
static int64_t send_result(struct backend_stream *stream, int64_t count, uint64_t wanted)
{
    if ((uint64_t)count == wanted || (count < 0 && count != -EAGAIN))
        return count;
    stream->flags |= BLOCKED; /* the kernel has noted that somebody waits for room: an edge will come */
    return count < 0 ? BACKEND_LATER : count;
}

static uint64_t total_of(const weft_bytes *runs, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += runs[i].length;
    return total;
}

static int64_t send_gathered(struct backend_stream *stream, const weft_bytes *runs, size_t count, int flags)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)runs, .msg_iovlen = count};
    ssize_t sent;

    do
        sent = sendmsg(stream->fd, &message, flags);
    while (sent < 0 && errno == EINTR);
    return send_result(stream, sent < 0 ? -errno : sent, total_of(runs, count));
}

int64_t readiness_socket_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs,
                              size_t count, bool more)
{
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    ssize_t sent;

    (void)backend;
    if (count > 1)
        return send_gathered(stream, runs, count, flags);
    do
        sent = call_send(stream->fd, runs->data, runs->length, flags);
    while (sent == -EINTR);
    return send_result(stream, sent, runs->length);
}

static int64_t pipe_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                         bool more)
{
    ssize_t sent;

    (void)backend;
    (void)more;
    do
        sent = writev(stream->pair[1], (const struct iovec *)runs, (int)count);
    while (sent < 0 && errno == EINTR);
    return send_result(stream, sent < 0 ? -errno : sent, total_of(runs, count));
}

/* Every stretch of a file would end in a packet that is not full. */
static void set_cork(struct backend_stream *stream, bool on)
{
    int value = on;

    if (!(stream->flags & DRAINS) || on == ((stream->flags & CORKED) != 0))
        return;
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
    stream->flags ^= CORKED;
}

int64_t readiness_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                            uint64_t length, bool more)
{
    struct readiness *self = readiness_of(backend);
    int64_t sent = 0;
    int status;

    if (!(stream->flags & WARMED) && readiness_warm_start(self, stream, file, offset, length))
        return BACKEND_LATER;
    stream->flags &= ~(uint32_t)WARMED;
    if (more)
        set_cork(stream, true);
    status = file_send(stream->flags & PIPE ? stream->pair[1] : stream->fd, file, offset, length, &sent);
    if (status == -EAGAIN) {
        stream->flags |= BLOCKED;
        return sent > 0 ? sent : BACKEND_LATER;
    }
    if (status == 0 && !more)
        set_cork(stream, false);
    return status < 0 ? status : sent;
}

/* -- the life of a stream -- */

int readiness_socket_shutdown(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    return shutdown(stream->fd, SHUT_WR) < 0 ? -errno : 0;
}

/* (The kernel has done so by itself, if there was a peer who broke it.) */
void readiness_socket_broken(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    (void)shutdown(stream->fd, SHUT_RDWR);
}

static bool close_over(struct backend *backend, struct backend_stream *stream)
{
    if (stream->flags & WARMING)
        readiness_warm_abandon(readiness_of(backend), stream);
    stream->flags = (stream->flags & READY) | CLOSED;
    return !(stream->flags & READY);
}

static bool socket_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    if (abort) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    if (stream->flags & IN_WAS_BLOCKING)
        readiness_make_blocking(stream->fd);
    readiness_leave_and_close(backend, stream->fd);
    return close_over(backend, stream);
}

/* Both descriptors may be one socket (as inetd passes it): closing one of them would not tell the peer. */
static int pipe_shutdown(struct backend *backend, struct backend_stream *stream)
{
    if (stream->pair[1] < 0)
        return 0;
    (void)shutdown(stream->pair[1], SHUT_WR);
    if (stream->flags & OUT_WAS_BLOCKING)
        readiness_make_blocking(stream->pair[1]);
    readiness_leave_and_close(backend, stream->pair[1]);
    stream->pair[1] = -1;
    return 0;
}

static bool pipe_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    (void)abort;
    (void)pipe_shutdown(backend, stream);
    if (stream->flags & IN_WAS_BLOCKING)
        readiness_make_blocking(stream->pair[0]);
    readiness_leave_and_close(backend, stream->pair[0]);
    return close_over(backend, stream);
}

int64_t readiness_socket_unconfirmed(const struct backend_stream *stream)
{
    int count;

    return ioctl(stream->fd, SIOCOUTQ, &count) < 0 ? -1 : count;
}

int readiness_socket_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret)
{
    (void)backend;
    return socket_local(stream->fd, ret);
}

static int pipe_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret)
{
    (void)backend;
    (void)stream;
    memset(ret, 0, sizeof *ret);
    return 0;
}

const struct backend_transport readiness_socket_transport = {
    .receive_start = readiness_receive_start,
    .receive_stop = readiness_receive_stop,
    .may_keep = readiness_may_keep,
    .keep = readiness_keep,
    .send = readiness_socket_send,
    .sends_at_once = true,
    .broken = readiness_socket_broken,
    .send_file = readiness_send_file,
    .shutdown = readiness_socket_shutdown,
    .close = socket_close,
    .local = readiness_socket_local,
    .unconfirmed = readiness_socket_unconfirmed,
};

const struct backend_transport readiness_pipe_transport = {
    .receive_start = readiness_receive_start,
    .receive_stop = readiness_receive_stop,
    .may_keep = readiness_may_keep,
    .keep = readiness_keep,
    .send = pipe_send,
    .sends_at_once = true,
    .send_file = readiness_send_file,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
    .local = pipe_local,
};

/* -- what the engine says -- */

static void connect_over(struct backend_stream *stream)
{
    int status =
        stream->flags & CONNECTED_AT_ONCE ? -(int)(stream->flags >> CONNECT_ERROR_SHIFT) : socket_error(stream->fd);

    stream->flags &= (UINT32_C(1) << CONNECT_ERROR_SHIFT) - 1;
    stream->flags &= ~(uint32_t)(CONNECTING | CONNECTED_AT_ONCE);
    stream->events->connected(stream, status);
}

/* The connection was reset, or timed out, while nobody reads: whoever waits for something else has to hear of it. */
static void tell_failure(struct backend_stream *stream)
{
    int status = stream->flags & PIPE ? 0 : socket_error(stream->fd);

    if (status < 0)
        stream->events->received(stream, weft_bytes_of(NULL, 0), status);
}

void readiness_stream_event(struct readiness *self, struct backend_stream *stream, uint32_t events)
{
    /* Nearly always bytes have come, and nothing else is waited for. (POLLOUT is reported beside whatever happens.) */
    if ((events | POLLOUT) == (POLLIN | POLLOUT) &&
        (stream->flags & (RECEIVING | READY | CLOSED | CONNECTING | BLOCKED)) == RECEIVING) {
        stream->flags |= READABLE;
        receive(self, stream);
        return;
    }
    if (stream->flags & CLOSED)
        return;
    if (stream->flags & CONNECTING) {
        if (events & (POLLOUT | POLLERR | POLLHUP))
            connect_over(stream);
        if (stream->flags & CLOSED)
            return;
    }
    if (events & (POLLRDHUP | POLLHUP | POLLERR))
        stream->flags |= HANGUP | READABLE;
    if (events & POLLPRI)
        stream->flags &= ~(uint32_t)DRAINS;
    if (events & (POLLIN | POLLPRI))
        stream->flags |= READABLE;
    /* Who is in the ready list has had its share of this turn, or will have it in the next. */
    if ((stream->flags & (READABLE | RECEIVING | READY)) == (READABLE | RECEIVING))
        receive(self, stream);
    if ((events & POLLERR) && !(stream->flags & (RECEIVING | CLOSED)))
        tell_failure(stream);
    if ((events & (POLLOUT | POLLERR | POLLHUP)) && (stream->flags & (BLOCKED | CLOSED)) == BLOCKED) {
        stream->flags &= ~(uint32_t)BLOCKED;
        stream->events->sent(stream, 0);
    }
}

void readiness_stream_again(struct readiness *self, struct backend_stream *stream)
{
    stream->flags &= ~(uint32_t)READY;
    if (stream->flags & CLOSED) {
        stream->events->closed(stream);
        return;
    }
    if (stream->flags & CONNECTED_AT_ONCE)
        connect_over(stream);
    if ((stream->flags & (CLOSED | READABLE | RECEIVING)) == (READABLE | RECEIVING))
        receive(self, stream);
}
