/* SPDX-License-Identifier: MIT */
/* Connecting, and adopting descriptors that somebody else opened (readiness.h). */
#include "backend/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/descriptor.h"
#include "backend/memory_stream.h"

void readiness_make_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

uint32_t readiness_drains(uint8_t family)
{
    return family == WEFT_ADDRESS_IPV4 || family == WEFT_ADDRESS_IPV6 ? DRAINS : 0;
}

int readiness_take_socket(struct readiness *self, struct backend_stream *stream, int fd, uint32_t flags)
{
    int status = self->engine->enter(self, fd, stream, TAG_SOCKET);

    if (status < 0)
        return status;
    stream->transport = &readiness_socket_transport;
    stream->fd = fd;
    stream->flags = flags;
    return 0;
}

int readiness_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                      const struct backend_socket_options *options)
{
    struct readiness *self = readiness_of(backend);
    int fd, status, answer;

    if (to->address.family == WEFT_ADDRESS_MEMORY)
        return memory_connect(backend->memory, stream, to->path);
    fd = socket_open_connection(to, options, &answer);
    if (fd < 0)
        return fd;
    status = self->engine->take_socket(self, stream, fd, CONNECTING | readiness_drains(to->address.family));
    if (status < 0) {
        descriptor_close(fd);
        return status;
    }
    if (answer != -EINPROGRESS) {
        stream->flags =
            CONNECTED_AT_ONCE | readiness_drains(to->address.family) | (uint32_t)-answer << CONNECT_ERROR_SHIFT;
        readiness_make_ready(self, stream);
    }
    return 0;
}

/* Sets *ret_changed to @p flag if @p fd was blocking. */
int readiness_make_nonblocking(int fd, uint32_t flag, uint32_t *ret_changed)
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

static int watch_pipe(struct readiness *self, struct backend_stream *stream)
{
    int status = self->engine->enter(self, stream->pair[0], stream, TAG_PIPE_IN);

    if (status == -EPERM) {
        stream->flags |= ALWAYS_READY | READABLE;
        status = 0;
    }
    if (status < 0)
        return status;
    status = self->engine->enter(self, stream->pair[1], stream, TAG_PIPE_OUT);
    if (status == -EPERM)
        return 0; /* a regular file: writing never waits */
    if (status < 0)
        self->engine->leave(self, stream->pair[0]);
    return status;
}

static int adopt_pipe(struct readiness *self, struct backend_stream *stream, int in, int out)
{
    stream->transport = &readiness_pipe_transport;
    stream->flags = PIPE;
    stream->pair[0] = in;
    stream->pair[1] = out;
    return watch_pipe(self, stream);
}

static int adopt_socket(struct readiness *self, struct backend_stream *stream, int fd,
                        const struct backend_socket_options *options, weft_address *peer)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    if (getpeername(fd, (struct sockaddr *)&name, &length) < 0)
        return -errno;
    socket_address_from(&name, peer);
    if (readiness_drains(peer->family))
        (void)socket_options_apply(fd, options);
    return self->engine->take_socket(self, stream, fd, readiness_drains(peer->family));
}

int readiness_adopt_stream(struct backend *backend, struct backend_stream *stream, int in, int out,
                           const struct backend_socket_options *options, weft_address *peer)
{
    struct readiness *self = readiness_of(backend);
    weft_address found = {.family = WEFT_ADDRESS_NONE};
    uint32_t changed = 0;
    int status = readiness_make_nonblocking(in, IN_WAS_BLOCKING, &changed);

    if (status == 0 && out != in) /* (if they share one description, it has changed already, and `in` will be last) */
        status = readiness_make_nonblocking(out, OUT_WAS_BLOCKING, &changed);
    if (status == 0)
        status = in != out ? adopt_pipe(self, stream, in, out) : adopt_socket(self, stream, in, options, &found);
    if (status < 0) {
        if (changed & IN_WAS_BLOCKING)
            readiness_make_blocking(in);
        if (changed & OUT_WAS_BLOCKING)
            readiness_make_blocking(out);
        return status;
    }
    (void)fcntl(in, F_SETFD, FD_CLOEXEC);
    (void)fcntl(out, F_SETFD, FD_CLOEXEC);
    stream->flags |= changed;
    *peer = found;
    return 0;
}
