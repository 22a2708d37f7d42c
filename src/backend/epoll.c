/* SPDX-License-Identifier: MIT */
/*
 * The seam on epoll: attempt first, wait after.
 *
 * A descriptor is registered once, edge-triggered, for both directions, so
 * that no call is needed to change what is waited for. The edges are kept as
 * flags of the handle:
 *
 *   READABLE     an edge said so and no short read has said otherwise yet
 *   HANGUP       the peer ended or failed: read on until that is seen
 *   BLOCKED      a send came up short: the next edge for writing is reported
 *   READY        in the list of those that are looked at again without a wait
 *   DRAINS       a short read means that nothing is left. That holds for TCP until urgent data comes: reading stops
 *                at it with more behind (as it does at a passed descriptor, a line of a terminal, a packet of a pipe)
 *
 * One handle reads at most ROUNDS buffers a turn; then it goes to the end of
 * the ready list, behind all others. A handle that is closed while it is in
 * that list comes home from there (`closed`), any other at once. Events of one
 * batch may refer to a handle that a callback of the same batch closed: its
 * memory lives until the turn ends, and its CLOSED flag says to skip it; so an
 * fd number that is used again cannot be mistaken. A descriptor is taken out of epoll before it is closed: when a
 * parent, a child or a fork that has not yet called exec has it too, closing ours alone leaves it there (epoll(7)),
 * and its events would carry a pointer to freed memory.
 */
#include "backend/backend.h"
#include "backend/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <signal.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/file.h"
#include "backend/memory_stream.h"

#define BATCH 128
#define ROUNDS 2
#define BUFFER (128 * 1024)
#define ACCEPTS_PER_TURN 64

enum {
    READABLE = 1 << 0,
    HANGUP = 1 << 1,
    BLOCKED = 1 << 2,
    READY = 1 << 3,
    RECEIVING = 1 << 4,
    CONNECTING = 1 << 5,
    CONNECTED_AT_ONCE = 1 << 6,
    CLOSED = 1 << 7,
    ALWAYS_READY = 1 << 8, /* a regular file as standard input: epoll takes none */
    PIPE = 1 << 9,
    DRAINS = 1 << 10,
    IN_WAS_BLOCKING = 1 << 11, /* adopted descriptors are given back as they were: others may share them */
    OUT_WAS_BLOCKING = 1 << 12,
    CONNECT_ERROR_SHIFT = 16, /* with CONNECTED_AT_ONCE: the errno value, above all flags */
};

/* What an event's 64 bits hold: a pointer, and in its low bits what it points to. */
enum tag { TAG_STREAM, TAG_PIPE_OUT, TAG_LISTENER, TAG_CONTROL };

struct epoll_backend {
    struct backend base;
    int epoll, wake, signals, reserve;
    sigset_t watched;
    struct job_pool *jobs;
    struct backend_stream *ready_first, *ready_last;
    int event_count;
    struct epoll_event events[BATCH];
    char *buffer;
};

_Static_assert(sizeof(weft_bytes) == sizeof(struct iovec) && offsetof(weft_bytes, data) == offsetof(struct iovec, iov_base) &&
                   offsetof(weft_bytes, length) == offsetof(struct iovec, iov_len),
               "a weft_bytes is an iovec, so that runs need no translation");

static struct epoll_backend *self_of(struct backend *backend)
{
    return weft_container_of(backend, struct epoll_backend, base);
}

static int watch(struct epoll_backend *self, int fd, void *pointer, enum tag tag, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(uintptr_t)pointer | tag};

    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void unwatch_and_close(struct backend *backend, int fd)
{
    (void)epoll_ctl(self_of(backend)->epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd); /* never retried: on Linux the descriptor is gone whatever it returns */
}

static void make_ready(struct epoll_backend *self, struct backend_stream *stream)
{
    if (stream->flags & READY)
        return;
    stream->flags |= READY;
    stream->ready_next = NULL;
    if (self->ready_last)
        self->ready_last->ready_next = stream;
    else
        self->ready_first = stream;
    self->ready_last = stream;
}

/* -- receiving -- */

static ssize_t receive_once(const struct epoll_backend *self, const struct backend_stream *stream)
{
    ssize_t count;

    do
        count = stream->flags & PIPE ? read(stream->pair[0], self->buffer, BUFFER)
                                     : recv(stream->fd, self->buffer, BUFFER, 0);
    while (count < 0 && errno == EINTR);
    return count;
}

static void receive_over(struct backend_stream *stream, int status)
{
    stream->flags &= ~(uint32_t)(RECEIVING | READABLE);
    stream->events->received(stream, weft_bytes_of(NULL, 0), status);
}

static void receive(struct epoll_backend *self, struct backend_stream *stream)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        ssize_t count = receive_once(self, stream);

        if (count < 0 && errno == EAGAIN) {
            stream->flags &= ~(uint32_t)READABLE;
            return;
        }
        if (count <= 0) {
            receive_over(stream, count < 0 ? -errno : 0);
            return;
        }
        if (count < BUFFER && (stream->flags & (HANGUP | DRAINS)) == DRAINS)
            stream->flags &= ~(uint32_t)READABLE; /* drained: the next byte is a new edge (epoll(7)) */
        stream->events->received(stream, weft_bytes_of(self->buffer, (size_t)count), 0);
        if ((stream->flags & (CLOSED | RECEIVING | READABLE)) != (RECEIVING | READABLE))
            return;
    }
    make_ready(self, stream);
}

static void epoll_receive_start(struct backend *backend, struct backend_stream *stream)
{
    stream->flags |= RECEIVING;
    if (stream->flags & READABLE)
        make_ready(self_of(backend), stream);
}

static void epoll_receive_stop(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    stream->flags &= ~(uint32_t)RECEIVING;
}

/* -- sending -- */

static int64_t send_result(struct backend_stream *stream, int64_t count, uint64_t wanted)
{
    if (count >= 0 && (uint64_t)count == wanted)
        return count;
    if (count < 0 && errno != EAGAIN)
        return -errno;
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

static int64_t socket_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                           bool more)
{
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)runs, .msg_iovlen = count};
    ssize_t sent;

    (void)backend;
    do
        sent = count == 1 ? send(stream->fd, runs->data, runs->length, flags) : sendmsg(stream->fd, &message, flags);
    while (sent < 0 && errno == EINTR);
    return send_result(stream, sent, total_of(runs, count));
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
    return send_result(stream, sent, total_of(runs, count));
}

static int64_t epoll_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                               uint64_t length)
{
    int64_t sent = 0;
    int status = file_send(stream->flags & PIPE ? stream->pair[1] : stream->fd, file, offset, length, &sent);

    (void)backend;
    if (status == -EAGAIN) {
        stream->flags |= BLOCKED;
        return sent > 0 ? sent : BACKEND_LATER;
    }
    return status < 0 ? status : sent;
}

/* -- the life of a stream -- */

static int socket_shutdown(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    return shutdown(stream->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool close_over(struct backend_stream *stream)
{
    stream->flags = (stream->flags & READY) | CLOSED;
    return !(stream->flags & READY);
}

static void make_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

static bool socket_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    if (abort) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    if (stream->flags & IN_WAS_BLOCKING)
        make_blocking(stream->fd);
    unwatch_and_close(backend, stream->fd);
    return close_over(stream);
}

/* Both descriptors may be one socket (as inetd passes it): closing one of them would not tell the peer. */
static int pipe_shutdown(struct backend *backend, struct backend_stream *stream)
{
    if (stream->pair[1] < 0)
        return 0;
    (void)shutdown(stream->pair[1], SHUT_WR);
    if (stream->flags & OUT_WAS_BLOCKING && !(stream->flags & IN_WAS_BLOCKING))
        make_blocking(stream->pair[1]);
    unwatch_and_close(backend, stream->pair[1]);
    stream->pair[1] = -1;
    return 0;
}

static bool pipe_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    (void)abort;
    (void)pipe_shutdown(backend, stream);
    if (stream->flags & IN_WAS_BLOCKING)
        make_blocking(stream->pair[0]);
    unwatch_and_close(backend, stream->pair[0]);
    return close_over(stream);
}

static int stream_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret)
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

static const struct backend_transport socket_transport = {
    .receive_start = epoll_receive_start,
    .receive_stop = epoll_receive_stop,
    .send = socket_send,
    .send_file = epoll_send_file,
    .shutdown = socket_shutdown,
    .close = socket_close,
    .local = stream_local,
};

static const struct backend_transport pipe_transport = {
    .receive_start = epoll_receive_start,
    .receive_stop = epoll_receive_stop,
    .send = pipe_send,
    .send_file = epoll_send_file,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
    .local = pipe_local,
};

static uint32_t drains(uint8_t family)
{
    return family == WEFT_ADDRESS_IPV4 || family == WEFT_ADDRESS_IPV6 ? DRAINS : 0;
}

static int take_socket(struct epoll_backend *self, struct backend_stream *stream, int fd, uint32_t flags)
{
    int status = watch(self, fd, stream, TAG_STREAM, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET);

    if (status < 0)
        return status;
    stream->transport = &socket_transport;
    stream->fd = fd;
    stream->flags = flags;
    return 0;
}

static int epoll_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                         const struct backend_socket_options *options)
{
    struct epoll_backend *self = self_of(backend);
    int fd, status, answer;

    if (to->address.family == WEFT_ADDRESS_MEMORY)
        return memory_connect(backend->memory, stream, to->path);
    fd = socket_open_connection(to, options, &answer);
    if (fd < 0)
        return fd;
    status = take_socket(self, stream, fd, CONNECTING | drains(to->address.family));
    if (status < 0) {
        close(fd);
        return status;
    }
    if (answer != -EINPROGRESS) {
        stream->flags = CONNECTED_AT_ONCE | drains(to->address.family) | (uint32_t)-answer << CONNECT_ERROR_SHIFT;
        make_ready(self, stream);
    }
    return 0;
}

/* Sets *ret_changed to @p flag if @p fd was blocking. */
static int set_nonblocking(int fd, uint32_t flag, uint32_t *ret_changed)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -errno;
    if (flags & O_NONBLOCK)
        return 0;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    *ret_changed |= flag;
    return 0;
}

static int watch_pipe(struct epoll_backend *self, struct backend_stream *stream)
{
    int status = watch(self, stream->pair[0], stream, TAG_STREAM, EPOLLIN | EPOLLRDHUP | EPOLLET);

    if (status == -EPERM) {
        stream->flags |= ALWAYS_READY | READABLE;
        status = 0;
    }
    if (status < 0)
        return status;
    status = watch(self, stream->pair[1], stream, TAG_PIPE_OUT, EPOLLOUT | EPOLLET);
    if (status == -EPERM)
        return 0; /* a regular file: writing never waits */
    if (status < 0)
        (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, stream->pair[0], NULL);
    return status;
}

static int adopt_pipe(struct epoll_backend *self, struct backend_stream *stream, int in, int out)
{
    stream->transport = &pipe_transport;
    stream->flags = PIPE;
    stream->pair[0] = in;
    stream->pair[1] = out;
    return watch_pipe(self, stream);
}

static int adopt_socket(struct epoll_backend *self, struct backend_stream *stream, int fd,
                        const struct backend_socket_options *options, weft_address *peer)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    if (getpeername(fd, (struct sockaddr *)&name, &length) < 0)
        return -errno;
    socket_address_from(&name, peer);
    if (drains(peer->family))
        (void)socket_options_apply(fd, options);
    return take_socket(self, stream, fd, drains(peer->family));
}

static int epoll_adopt_stream(struct backend *backend, struct backend_stream *stream, int in, int out,
                              const struct backend_socket_options *options, weft_address *peer)
{
    struct epoll_backend *self = self_of(backend);
    weft_address found = {.family = WEFT_ADDRESS_NONE};
    uint32_t changed = 0;
    int status = set_nonblocking(in, IN_WAS_BLOCKING, &changed);

    if (status == 0 && out != in)
        status = set_nonblocking(out, OUT_WAS_BLOCKING, &changed);
    if (status == 0)
        status = in != out ? adopt_pipe(self, stream, in, out) : adopt_socket(self, stream, in, options, &found);
    if (status < 0) {
        if (changed & IN_WAS_BLOCKING)
            make_blocking(in);
        if (changed & OUT_WAS_BLOCKING)
            make_blocking(out);
        return status;
    }
    (void)fcntl(in, F_SETFD, FD_CLOEXEC);
    (void)fcntl(out, F_SETFD, FD_CLOEXEC);
    stream->flags |= changed;
    *peer = found;
    return 0;
}

/* -- listening -- */

enum { ACCEPTING = 1 << 0, LISTENER_CLOSED = 1 << 1 };

/* Another thread may have been faster to take it: then the next listener that starts tries anew. */
static void reserve_again(struct epoll_backend *self)
{
    self->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The table of descriptors is full: with the reserved one the connections that wait are taken and dropped, so that
 * their peers see an end and the listener does not stay readable for ever. */
static unsigned shed(struct epoll_backend *self, const struct backend_listener *listener)
{
    unsigned count = 0;

    if (self->reserve < 0)
        return 0;
    close(self->reserve);
    for (; count < ACCEPTS_PER_TURN; count++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            break;
        close(fd);
    }
    reserve_again(self);
    return count;
}

/* Errors that concern one connection that is gone already, not the listener (accept(2)). */
static bool is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH || error == ENETUNREACH;
}

static void accepted(struct epoll_backend *self, struct backend_listener *listener, int fd,
                     const struct sockaddr_storage *name)
{
    weft_address peer;
    struct backend_stream *stream;
    int status;

    socket_address_from(name, &peer);
    stream = listener->events->accepted(listener, &peer);
    if (!stream) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        return;
    }
    status = take_socket(self, stream, fd, drains(peer.family));
    if (status < 0)
        close(fd);
    listener->events->opened(listener, stream, status);
}

static void accept_some(struct epoll_backend *self, struct backend_listener *listener)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN && listener->flags == ACCEPTING; i++) {
        struct sockaddr_storage name;
        socklen_t length = sizeof name;
        int fd = accept4(listener->fd, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            accepted(self, listener, fd, &name);
        } else if (errno == EAGAIN) {
            return;
        } else if (!is_passing(errno)) {
            int status = -errno;
            unsigned count = status == -EMFILE || status == -ENFILE ? shed(self, listener) : 0;
            listener->listening->accept_stop(&self->base, listener);
            listener->events->exhausted(listener, status, count);
            return;
        }
    }
}

static void change_interest(struct backend *backend, struct backend_listener *listener, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(uintptr_t)listener | TAG_LISTENER};

    (void)epoll_ctl(self_of(backend)->epoll, EPOLL_CTL_MOD, listener->fd, &event);
}

static void epoll_accept_start(struct backend *backend, struct backend_listener *listener)
{
    if (listener->flags & ACCEPTING)
        return;
    if (self_of(backend)->reserve < 0)
        reserve_again(self_of(backend));
    listener->flags |= ACCEPTING;
    change_interest(backend, listener, EPOLLIN);
}

static void epoll_accept_stop(struct backend *backend, struct backend_listener *listener)
{
    if (!(listener->flags & ACCEPTING))
        return;
    listener->flags &= ~(uint32_t)ACCEPTING;
    change_interest(backend, listener, 0);
}

static void epoll_listener_close(struct backend *backend, struct backend_listener *listener)
{
    unwatch_and_close(backend, listener->fd);
    listener->flags = LISTENER_CLOSED;
}

static int listener_local(struct backend *backend, const struct backend_listener *listener, weft_address *ret)
{
    (void)backend;
    return socket_local(listener->fd, ret);
}

static const struct backend_listening socket_listening = {
    .accept_start = epoll_accept_start,
    .accept_stop = epoll_accept_stop,
    .close = epoll_listener_close,
    .local = listener_local,
};

static int take_listener(struct epoll_backend *self, struct backend_listener *listener, int fd)
{
    int status = watch(self, fd, listener, TAG_LISTENER, 0);

    if (status < 0)
        return status;
    listener->listening = &socket_listening;
    listener->fd = fd;
    listener->flags = 0;
    return 0;
}

static int epoll_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                        const struct backend_socket_options *options)
{
    int fd, status;

    if (at->address.family == WEFT_ADDRESS_MEMORY)
        return memory_listen(backend->memory, listener, at->path, options->backlog);
    fd = socket_open_listener(at, options);
    if (fd < 0)
        return fd;
    status = take_listener(self_of(backend), listener, fd);
    if (status < 0)
        close(fd);
    return status;
}

static int epoll_adopt_listener(struct backend *backend, struct backend_listener *listener, int fd,
                                const struct backend_socket_options *options)
{
    uint32_t changed = 0;
    int status, listening = 0;
    socklen_t length = sizeof listening;
    weft_address local;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0)
        return -errno;
    if (!listening)
        return -EINVAL;
    status = set_nonblocking(fd, IN_WAS_BLOCKING, &changed);
    if (status < 0)
        return status;
    if (socket_local(fd, &local) == 0 && drains(local.family))
        (void)socket_options_apply(fd, options);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return take_listener(self_of(backend), listener, fd);
}

/* -- waiting and delivering -- */

static int epoll_wait_for(struct backend *backend, weft_time timeout)
{
    struct epoll_backend *self = self_of(backend);
    int milliseconds = -1, count;

    if (self->ready_first || memory_has_work(backend->memory))
        timeout = 0;
    if (timeout < WEFT_HOURS(1))
        milliseconds = (int)((timeout + WEFT_MILLISECONDS(1) - 1) / WEFT_MILLISECONDS(1));
    else if (timeout != WEFT_NEVER)
        milliseconds = 3600 * 1000;
    count = epoll_wait(self->epoll, self->events, BATCH, milliseconds);
    self->event_count = count < 0 ? 0 : count;
    return count < 0 && errno != EINTR ? -errno : 0;
}

static void connect_over(struct backend_stream *stream)
{
    int status = stream->flags & CONNECTED_AT_ONCE ? -(int)(stream->flags >> CONNECT_ERROR_SHIFT)
                                                   : socket_error(stream->fd);

    stream->flags &= (UINT32_C(1) << CONNECT_ERROR_SHIFT) - 1;
    stream->flags &= ~(uint32_t)(CONNECTING | CONNECTED_AT_ONCE);
    stream->events->connected(stream, status);
}

static void stream_event(struct epoll_backend *self, struct backend_stream *stream, uint32_t events)
{
    if (stream->flags & CLOSED)
        return;
    if (stream->flags & CONNECTING) {
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            connect_over(stream);
        if (stream->flags & CLOSED)
            return;
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        stream->flags |= HANGUP | READABLE;
    if (events & EPOLLPRI)
        stream->flags &= ~(uint32_t)DRAINS;
    if (events & (EPOLLIN | EPOLLPRI))
        stream->flags |= READABLE;
    if ((stream->flags & (READABLE | RECEIVING)) == (READABLE | RECEIVING))
        receive(self, stream);
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) && (stream->flags & (BLOCKED | CLOSED)) == BLOCKED) {
        stream->flags &= ~(uint32_t)BLOCKED;
        stream->events->sent(stream, 0);
    }
}

static void ready_again(struct epoll_backend *self, struct backend_stream *stream)
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

static void run_ready(struct epoll_backend *self)
{
    struct backend_stream *stream = self->ready_first;

    self->ready_first = self->ready_last = NULL;
    while (stream) {
        struct backend_stream *next = stream->ready_next;
        ready_again(self, stream);
        stream = next;
    }
}

static void take_signals(struct epoll_backend *self)
{
    struct signalfd_siginfo info;

    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info)
        self->base.host->signalled(self->base.host, (int)info.ssi_signo);
}

static void epoll_dispatch(struct backend *backend)
{
    struct epoll_backend *self = self_of(backend);

    run_ready(self);
    for (int i = 0; i < self->event_count; i++) {
        void *pointer = (void *)(uintptr_t)(self->events[i].data.u64 & ~UINT64_C(3));

        switch ((enum tag)(self->events[i].data.u64 & 3)) {
        case TAG_STREAM:
            stream_event(self, pointer, self->events[i].events);
            break;
        case TAG_PIPE_OUT:
            stream_event(self, pointer, self->events[i].events & ~(uint32_t)(EPOLLRDHUP | EPOLLIN | EPOLLPRI));
            break;
        case TAG_LISTENER:
            accept_some(self, pointer);
            break;
        case TAG_CONTROL:
            if (pointer)
                take_signals(self);
            break;
        }
    }
    self->event_count = 0;
    memory_dispatch(backend->memory);
    job_pool_collect(self->jobs);
}

/* The eventfd is edge-triggered: each write is an edge, and nobody needs to read it. */
static void epoll_wake(struct backend *backend)
{
    uint64_t one = 1;
    ssize_t written = write(self_of(backend)->wake, &one, sizeof one);

    (void)written; /* it can only fail when the counter is full, and then a wake-up is pending anyway */
}

static int epoll_signal_watch(struct backend *backend, int number, bool on)
{
    struct epoll_backend *self = self_of(backend);
    sigset_t one;

    sigemptyset(&one);
    if (sigaddset(&one, number) < 0)
        return -EINVAL;
    if (on)
        sigaddset(&self->watched, number);
    else
        sigdelset(&self->watched, number);
    pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &one, NULL);
    if (self->signals >= 0)
        return signalfd(self->signals, &self->watched, 0) < 0 ? -errno : 0;
    self->signals = signalfd(-1, &self->watched, SFD_NONBLOCK | SFD_CLOEXEC);
    if (self->signals < 0)
        return -errno;
    return watch(self, self->signals, self, TAG_CONTROL, EPOLLIN);
}

static int epoll_descriptor(const struct backend *backend)
{
    return weft_container_of(backend, const struct epoll_backend, base)->epoll;
}

static int epoll_job_submit(struct backend *backend, weft_work *job)
{
    return job_pool_submit(&self_of(backend)->jobs, backend, job);
}

static bool epoll_job_cancel(struct backend *backend, weft_work *job)
{
    return job_pool_cancel(self_of(backend)->jobs, job);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void epoll_close(struct backend *backend)
{
    struct epoll_backend *self = self_of(backend);

    job_pool_free(self->jobs);
    memory_network_free(backend->memory);
    close_fd(self->signals);
    close_fd(self->wake);
    close_fd(self->reserve);
    close_fd(self->epoll);
    weft_release(self->buffer);
    weft_release(self);
}

static const struct backend_ops epoll_ops = {
    .name = "epoll",
    .close = epoll_close,
    .now = system_now,
    .wall = system_wall,
    .wait = epoll_wait_for,
    .dispatch = epoll_dispatch,
    .descriptor = epoll_descriptor,
    .wake = epoll_wake,
    .entropy = system_entropy,
    .signal_watch = epoll_signal_watch,
    .listen = epoll_listen,
    .connect = epoll_connect,
    .adopt_listener = epoll_adopt_listener,
    .adopt_stream = epoll_adopt_stream,
    .job_submit = epoll_job_submit,
    .job_cancel = epoll_job_cancel,
};

/* A peer that has gone must be an error of one stream and not the end of the process. MSG_NOSIGNAL says so for sends,
 * but sendfile and pipes have no such flag. Who has chosen something else keeps it. */
static void ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

static int open_descriptors(struct epoll_backend *self)
{
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (self->epoll < 0 || self->wake < 0)
        return -errno;
    return watch(self, self->wake, NULL, TAG_CONTROL, EPOLLIN | EPOLLET);
}

int backend_epoll_open(struct backend **ret)
{
    struct epoll_backend *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    self->base.ops = &epoll_ops;
    self->epoll = self->wake = self->signals = self->reserve = -1;
    ignore_sigpipe();
    sigemptyset(&self->watched);
    self->buffer = weft_allocate(BUFFER);
    self->base.memory = memory_network_new(NULL);
    status = self->buffer && self->base.memory ? open_descriptors(self) : WEFT_ENOMEM;
    if (status < 0) {
        epoll_close(&self->base);
        return status;
    }
    *ret = &self->base;
    return 0;
}
