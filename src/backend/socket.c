/* SPDX-License-Identifier: MIT */
/*
 * Sockets as every backend on a real system opens them: non-blocking,
 * close-on-exec, with all options set before the first byte.
 */
#include "backend/backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <weft/memory.h>

#include "base/address_mapped.h"
#include "backend/descriptor.h"
#include "backend/socket_name.h"

int socket_set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int name_unix(weft_bytes path, union socket_name *name, socklen_t *length)
{
    if (path.length == 0 || path.length >= sizeof name->un.sun_path)
        return -ENAMETOOLONG;
    name->un.sun_family = AF_UNIX;
    memcpy(name->un.sun_path, path.data, path.length);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.length);
    if (path.data[0] == '@')
        name->un.sun_path[0] = '\0';
    else
        *length += 1;
    return 0;
}

static int name_v6(const struct backend_endpoint *at, struct sockaddr_in6 *name)
{
    char zone[IF_NAMESIZE];

    name->sin6_family = AF_INET6;
    name->sin6_port = htons(at->address.port);
    name->sin6_scope_id = at->address.scope_id;
    memcpy(&name->sin6_addr, at->address.ip, 16);
    if (at->zone.length == 0)
        return 0;
    if (at->zone.length >= sizeof zone)
        return -ENODEV;
    memcpy(zone, at->zone.data, at->zone.length);
    zone[at->zone.length] = '\0';
    name->sin6_scope_id = if_nametoindex(zone);
    return name->sin6_scope_id == 0 ? -errno : 0;
}

int socket_name_of(const struct backend_endpoint *at, union socket_name *name, socklen_t *length)
{
    memset(name, 0, sizeof *name);
    switch (at->address.family) {
    case WEFT_ADDRESS_IPV4:
        name->v4.sin_family = AF_INET;
        name->v4.sin_port = htons(at->address.port);
        memcpy(&name->v4.sin_addr, at->address.ip, 4);
        *length = sizeof name->v4;
        return 0;
    case WEFT_ADDRESS_IPV6:
        *length = sizeof name->v6;
        return name_v6(at, &name->v6);
    case WEFT_ADDRESS_UNIX:
        return name_unix(at->path, name, length);
    default:
        return -EAFNOSUPPORT;
    }
}

void socket_address_from(const struct sockaddr_storage *from, weft_address *ret)
{
    const union socket_name *name = (const union socket_name *)from;

    memset(ret, 0, sizeof *ret);
    switch (from->ss_family) {
    case AF_INET:
        ret->family = WEFT_ADDRESS_IPV4;
        ret->port = ntohs(name->v4.sin_port);
        memcpy(ret->ip, &name->v4.sin_addr, 4);
        break;
    case AF_INET6:
        ret->family = WEFT_ADDRESS_IPV6;
        ret->port = ntohs(name->v6.sin6_port);
        ret->scope_id = name->v6.sin6_scope_id;
        memcpy(ret->ip, &name->v6.sin6_addr, 16);
        address_unmap(ret);
        break;
    case AF_UNIX:
        ret->family = WEFT_ADDRESS_UNIX;
        break;
    default:
        break;
    }
}

int socket_local(int fd, weft_address *ret)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
        return -errno;
    socket_address_from(&name, ret);
    return 0;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return -errno;
    return -error;
}

static int set_keepalive(int fd, weft_time keepalive)
{
    int seconds = (int)(keepalive / WEFT_SECONDS(1)), status;

    if (seconds < 1)
        seconds = 1;
    if ((status = socket_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1)) < 0)
        return status;
    if ((status = socket_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds)) < 0)
        return status;
    return socket_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds / 3 > 0 ? seconds / 3 : 1);
}

/* Accepted sockets inherit these from their listener, so that accepting needs no further call. */
int socket_options_apply(int fd, const struct backend_socket_options *options)
{
    int status = 0;

    if (!options->delay)
        status = socket_set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (status == 0 && options->keepalive > 0 && options->keepalive != WEFT_NEVER)
        status = set_keepalive(fd, options->keepalive);
    return status;
}

static int open_socket(const struct backend_endpoint *at, const struct backend_socket_options *options)
{
    int domain = at->address.family == WEFT_ADDRESS_IPV4   ? AF_INET
                 : at->address.family == WEFT_ADDRESS_IPV6 ? AF_INET6
                                                           : AF_UNIX;
    int fd = socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), status = 0;

    if (fd < 0)
        return -errno;
    if (domain != AF_UNIX)
        status = socket_options_apply(fd, options);
    if (domain == AF_INET6 && status == 0)
        status = socket_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6_only);
    if (status < 0) {
        descriptor_close(fd);
        return status;
    }
    return fd;
}

bool socket_has_path(const union socket_name *name)
{
    return name->any.sa_family == AF_UNIX && name->un.sun_path[0] != '\0';
}

/* A path that nobody listens at any more is what a killed server leaves behind: it is removed. */
void socket_remove_stale_path(const union socket_name *name, socklen_t length, int type)
{
    struct stat about;
    int probe;

    if (!socket_has_path(name) || lstat(name->un.sun_path, &about) < 0 || !S_ISSOCK(about.st_mode))
        return;
    probe = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (connect(probe, &name->any, length) < 0 && errno == ECONNREFUSED)
        unlink(name->un.sun_path);
    descriptor_close(probe);
}

int socket_path_remember(const union socket_name *name, struct socket_path **ret)
{
    struct socket_path *path;
    struct stat about;

    *ret = NULL;
    if (!socket_has_path(name) || lstat(name->un.sun_path, &about) < 0)
        return 0;
    path = weft_allocate(sizeof *path);
    if (!path)
        return WEFT_ENOMEM;
    path->device = about.st_dev;
    path->inode = about.st_ino;
    memcpy(path->name, name->un.sun_path, sizeof path->name);
    *ret = path;
    return 0;
}

/* As long as the socket is open its inode is not used again, whatever became of the path. */
void socket_path_remove(struct socket_path *path)
{
    struct stat about;

    if (!path)
        return;
    if (lstat(path->name, &about) == 0 && about.st_dev == path->device && about.st_ino == path->inode)
        unlink(path->name);
    weft_release(path);
}

static int bind_and_listen(int fd, const union socket_name *name, socklen_t length,
                           const struct backend_socket_options *options, struct socket_path **ret_path)
{
    int status = 0;

    if (name->any.sa_family == AF_UNIX)
        socket_remove_stale_path(name, length, SOCK_STREAM);
    else
        status = socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (status == 0 && options->reuse_port)
        status = socket_set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status < 0)
        return status;
    if (bind(fd, &name->any, length) < 0)
        return -errno;
    if (socket_has_path(name) && options->unix_mode && chmod(name->un.sun_path, options->unix_mode) < 0)
        status = -errno;
    if (status == 0 && listen(fd, options->backlog) < 0)
        status = -errno;
    if (status == 0)
        status = socket_path_remember(name, ret_path);
    if (status < 0 && socket_has_path(name))
        unlink(name->un.sun_path);
    return status;
}

/* Sockets that share a port do not notice each other. One that does not share it is refused if anybody is there. */
static int claim_port(const struct backend_endpoint *at, const struct backend_socket_options *options)
{
    struct backend_socket_options alone = *options;
    struct socket_path *none;
    int fd;

    alone.reuse_port = alone.claim_port = false;
    fd = socket_open_listener(at, &alone, &none); /* (a port has no path) */
    if (fd < 0)
        return fd;
    descriptor_close(fd);
    return 0;
}

int socket_open_listener(const struct backend_endpoint *at, const struct backend_socket_options *options,
                         struct socket_path **ret_path)
{
    union socket_name name;
    socklen_t length;
    int status = socket_name_of(at, &name, &length), fd;

    if (status == 0 && options->claim_port && at->address.port != 0)
        status = claim_port(at, options);
    if (status < 0)
        return status;
    fd = open_socket(at, options);
    if (fd < 0)
        return fd;
    status = bind_and_listen(fd, &name, length, options, ret_path);
    if (status < 0) {
        descriptor_close(fd);
        return status;
    }
    return fd;
}

/* Returns the descriptor; *ret_status is what connect answered. */
int socket_open_connection(const struct backend_endpoint *to, const struct backend_socket_options *options,
                           int *ret_status)
{
    union socket_name name;
    socklen_t length;
    int status = socket_name_of(to, &name, &length), fd;

    if (status < 0)
        return status;
    fd = open_socket(to, options);
    if (fd < 0)
        return fd;
    *ret_status = connect(fd, &name.any, length) < 0 ? -errno : 0;
    return fd;
}
