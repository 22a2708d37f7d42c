/* SPDX-License-Identifier: MIT */
/* Accepting, until descriptors run out and after (readiness.h). */
#include "backend/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/descriptor.h"
#include "backend/memory_stream.h"

#define ACCEPTS_PER_TURN 64

/* Another thread may have been faster to take it: then the next listener that starts tries anew. */
void readiness_reserve_again(struct readiness *self)
{
    self->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The table of descriptors is full: with the reserved one the connections that wait are taken and dropped, so that
 * their peers see an end and the listener does not stay readable for ever. */
unsigned readiness_shed(struct readiness *self, const struct backend_listener *listener)
{
    unsigned count = 0;

    if (self->reserve < 0)
        return 0;
    descriptor_close(self->reserve);
    for (; count < ACCEPTS_PER_TURN; count++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            break;
        descriptor_close(fd);
    }
    readiness_reserve_again(self);
    return count;
}

bool readiness_accept_error_is_passing(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == EPERM || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
           error == ENETUNREACH;
}

static void accepted(struct readiness *self, struct backend_listener *listener, int fd, const weft_address *peer)
{
    struct backend_stream *stream = listener->events->accepted(listener, peer);
    int status;

    if (!stream) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        descriptor_close(fd);
        return;
    }
    status = readiness_take_socket(self, stream, fd, readiness_drains(peer->family));
    if (status < 0)
        descriptor_close(fd);
    listener->events->opened(listener, stream, status);
}

static int accept_next(const struct backend_listener *listener, weft_address *ret_peer)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    int fd = accept4(listener->fd, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -errno;
    socket_address_from(&name, ret_peer);
    return fd;
}

static void give_up(struct readiness *self, struct backend_listener *listener, int status)
{
    unsigned count = status == -EMFILE || status == -ENFILE ? readiness_shed(self, listener) : 0;

    listener->listening->accept_stop(&self->base, listener);
    listener->events->exhausted(listener, status, count);
}

void readiness_accept_some(struct readiness *self, struct backend_listener *listener)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN && listener->flags == ACCEPTING; i++) {
        weft_address peer;
        int fd;

        if (!listener->events->wanted(listener))
            return;
        fd = accept_next(listener, &peer);
        if (fd >= 0) {
            accepted(self, listener, fd, &peer);
            continue;
        }
        listener->events->missed(listener);
        if (fd == -EAGAIN)
            return;
        if (!readiness_accept_error_is_passing(-fd)) {
            give_up(self, listener, fd);
            return;
        }
    }
}

int readiness_accept_socket(const struct backend_listener *listener, weft_address *ret_peer)
{
    int fd;

    do
        fd = accept_next(listener, ret_peer);
    while (fd < 0 && readiness_accept_error_is_passing(-fd));
    return fd;
}

static int readiness_accept_one(struct backend *backend, struct backend_listener *listener,
                                struct backend_stream *stream, weft_address *ret_peer)
{
    weft_address peer;
    int fd = readiness_accept_socket(listener, &peer), status;

    if (fd < 0)
        return fd == -EAGAIN ? 0 : fd;
    status = readiness_take_socket(readiness_of(backend), stream, fd, readiness_drains(peer.family));
    if (status < 0) {
        descriptor_close(fd);
        return status;
    }
    *ret_peer = peer;
    return 1;
}

static void readiness_accept_start(struct backend *backend, struct backend_listener *listener)
{
    if (listener->flags & ACCEPTING)
        return;
    if (readiness_of(backend)->reserve < 0)
        readiness_reserve_again(readiness_of(backend));
    listener->flags |= ACCEPTING;
    readiness_of(backend)->engine->accepts(readiness_of(backend), listener, true);
}

static void readiness_accept_stop(struct backend *backend, struct backend_listener *listener)
{
    if (!(listener->flags & ACCEPTING))
        return;
    listener->flags &= ~(uint32_t)ACCEPTING;
    readiness_of(backend)->engine->accepts(readiness_of(backend), listener, false);
}

/* The path goes first: while we still listen, nobody takes it for one that was left behind. */
static void readiness_listener_close(struct backend *backend, struct backend_listener *listener)
{
    socket_path_remove(listener->path);
    listener->path = NULL;
    readiness_leave_and_close(backend, listener->fd);
    listener->flags = LISTENER_CLOSED;
}

static int listener_local(struct backend *backend, const struct backend_listener *listener, weft_address *ret)
{
    (void)backend;
    return socket_local(listener->fd, ret);
}

static const struct backend_listening socket_listening = {
    .accept_start = readiness_accept_start,
    .accept_stop = readiness_accept_stop,
    .accept_one = readiness_accept_one,
    .close = readiness_listener_close,
    .local = listener_local,
};

int readiness_take_listener(struct readiness *self, struct backend_listener *listener, int fd)
{
    int status = self->engine->enter(self, fd, listener, TAG_LISTENER);

    if (status < 0)
        return status;
    listener->listening = &socket_listening;
    listener->fd = fd;
    listener->flags = 0;
    return 0;
}

int readiness_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                     const struct backend_socket_options *options)
{
    struct socket_path *path;
    int fd, status;

    if (at->address.family == WEFT_ADDRESS_MEMORY)
        return memory_listen(backend->memory, listener, at->path, options->backlog);
    fd = socket_open_listener(at, options, &path);
    if (fd < 0)
        return fd;
    status = readiness_of(backend)->engine->take_listener(readiness_of(backend), listener, fd);
    if (status < 0) {
        socket_path_remove(path);
        descriptor_close(fd);
        return status;
    }
    listener->path = path;
    return 0;
}

int readiness_adopt_listener(struct backend *backend, struct backend_listener *listener, int fd,
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
    status = readiness_make_nonblocking(fd, IN_WAS_BLOCKING, &changed);
    if (status < 0)
        return status;
    status = readiness_of(backend)->engine->take_listener(readiness_of(backend), listener, fd);
    if (status < 0) {
        if (changed)
            readiness_make_blocking(fd);
        return status;
    }
    if (socket_local(fd, &local) == 0 && readiness_drains(local.family))
        (void)socket_options_apply(fd, options);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return 0;
}
