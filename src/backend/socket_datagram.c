/* SPDX-License-Identifier: MIT */
/* Sockets for datagrams, as every backend on a real system opens them (socket.c does so for streams). */
#include "backend/backend.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "backend/descriptor.h"
#include "backend/socket_name.h"

/* An IPv6 socket may carry IPv4, too, whose options are its own. Where it does not, IPv4's are of no use. */
static int set_both(int fd, bool v6, int v6_option, int v4_option, int value)
{
    int status;

    if (!v6)
        return socket_set_int(fd, IPPROTO_IP, v4_option, value);
    status = socket_set_int(fd, IPPROTO_IPV6, v6_option, value);
    if (status == 0)
        (void)socket_set_int(fd, IPPROTO_IP, v4_option, value);
    return status;
}

static int set_multicast_interface(int fd, bool v6, int interface)
{
    struct ip_mreqn by = {.imr_ifindex = interface};

    if (!v6)
        return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by) < 0 ? -errno : 0;
    (void)setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof by);
    return socket_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, interface);
}

int socket_set_datagram(int fd, bool v6, enum backend_datagram_setting what, unsigned value)
{
    int number = value <= INT_MAX ? (int)value : -1;

    switch (what) {
    case BACKEND_BROADCAST:
        return socket_set_int(fd, SOL_SOCKET, SO_BROADCAST, number != 0);
    case BACKEND_HOPS:
        return set_both(fd, v6, IPV6_UNICAST_HOPS, IP_TTL, number);
    case BACKEND_MULTICAST_HOPS:
        return set_both(fd, v6, IPV6_MULTICAST_HOPS, IP_MULTICAST_TTL, number);
    case BACKEND_MULTICAST_LOOP:
        return set_both(fd, v6, IPV6_MULTICAST_LOOP, IP_MULTICAST_LOOP, number != 0);
    case BACKEND_MULTICAST_INTERFACE:
        return set_multicast_interface(fd, v6, number);
    }
    return -EINVAL;
}

/* -- groups -- */

static socklen_t name_address(const weft_address *address, struct sockaddr_storage *ret)
{
    union socket_name *name = (union socket_name *)ret;
    struct backend_endpoint at = {.address = *address};
    socklen_t length = 0;

    at.address.port = 0;
    (void)socket_name_of(&at, name, &length);
    return length;
}

static int join_all(int fd, int level, const struct backend_group *group, bool on)
{
    struct group_req request = {.gr_interface = group->interface};

    (void)name_address(&group->address, &request.gr_group);
    return setsockopt(fd, level, on ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request, sizeof request) < 0 ? -errno : 0;
}

int socket_join(int fd, const struct backend_group *group, bool on)
{
    int level = group->address.family == WEFT_ADDRESS_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
    struct group_source_req request = {.gsr_interface = group->interface};

    if (group->source.family == WEFT_ADDRESS_NONE)
        return join_all(fd, level, group, on);
    (void)name_address(&group->address, &request.gsr_group);
    (void)name_address(&group->source, &request.gsr_source);
    return setsockopt(fd, level, on ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP, &request, sizeof request) < 0
               ? -errno
               : 0;
}

/* -- opening -- */

static bool is_any(const weft_address *address)
{
    static const uint8_t any[16];

    return memcmp(address->ip, any, address->family == WEFT_ADDRESS_IPV4 ? 4 : 16) == 0;
}

/* Packet info says something new only where several addresses are ours, or groups. */
static bool needs_packet_info(const weft_address *at)
{
    return is_any(at) || (at->family == WEFT_ADDRESS_IPV4 ? (at->ip[0] & 0xf0) == 0xe0 : at->ip[0] == 0xff);
}

/* Linux gives a socket on all addresses also what others on this system have joined. Not to be asked not to is no harm. */
static void join_alone(int fd, bool v6)
{
    (void)socket_set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    if (v6)
        (void)socket_set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
}

static int set_told(int fd, const struct backend_endpoint *at, bool v6, const struct backend_datagram_options *options)
{
    int status = 0;

    if (at && needs_packet_info(&at->address)) {
        join_alone(fd, v6);
        status = set_both(fd, v6, IPV6_RECVPKTINFO, IP_PKTINFO, 1); /* only IPv4's own tells of broadcasts */
    }
    if (status == 0 && options->tells_ecn)
        status = set_both(fd, v6, IPV6_RECVTCLASS, IP_RECVTOS, 1);
    return status;
}

static int set_buffers(int fd, const struct backend_datagram_options *options)
{
    int status = 0;

    if (options->receive_buffer)
        status = socket_set_int(fd, SOL_SOCKET, SO_RCVBUF, (int)options->receive_buffer);
    if (status == 0 && options->send_buffer)
        status = socket_set_int(fd, SOL_SOCKET, SO_SNDBUF, (int)options->send_buffer);
    return status;
}

static int set_ways(int fd, bool v6, const struct backend_datagram_options *options)
{
    int status = 0;

    if (options->broadcast)
        status = socket_set_datagram(fd, v6, BACKEND_BROADCAST, 1);
    if (status == 0 && options->hops)
        status = socket_set_datagram(fd, v6, BACKEND_HOPS, options->hops);
    if (status == 0 && options->multicast_hops)
        status = socket_set_datagram(fd, v6, BACKEND_MULTICAST_HOPS, options->multicast_hops);
    if (status == 0 && options->no_multicast_loop)
        status = socket_set_datagram(fd, v6, BACKEND_MULTICAST_LOOP, 0);
    if (status == 0 && options->multicast_interface)
        status = socket_set_datagram(fd, v6, BACKEND_MULTICAST_INTERFACE, options->multicast_interface);
    /* The interface's own limit counts, not what a router (or a forger) says of the way. */
    if (status == 0 && options->dont_fragment)
        status = set_both(fd, v6, IPV6_MTU_DISCOVER, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
    return status;
}

static int set_options(int fd, const struct backend_endpoint *at, uint8_t family,
                       const struct backend_datagram_options *options)
{
    bool v6 = family == WEFT_ADDRESS_IPV6;
    int status = set_buffers(fd, options);

    if (family == WEFT_ADDRESS_UNIX || status < 0)
        return status;
    if (v6)
        status = socket_set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6_only);
    if (status == 0 && options->reuse_port)
        status = socket_set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status == 0 && options->reuse_address)
        status = socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (status == 0)
        status = set_told(fd, at, v6, options);
    return status == 0 ? set_ways(fd, v6, options) : status;
}

static int bind_at(int fd, const struct backend_endpoint *at, unsigned mode, struct socket_path **ret_path)
{
    union socket_name name;
    socklen_t length;
    int status = socket_name_of(at, &name, &length);

    if (status < 0)
        return status;
    if (socket_has_path(&name))
        socket_remove_stale_path(&name, length, SOCK_DGRAM);
    if (bind(fd, &name.any, length) < 0)
        return -errno;
    if (socket_has_path(&name) && mode && chmod(name.un.sun_path, mode) < 0)
        status = -errno;
    if (status == 0)
        status = socket_path_remember(&name, ret_path);
    if (status < 0 && socket_has_path(&name))
        unlink(name.un.sun_path);
    return status;
}

int socket_connect_datagram(int fd, const struct backend_endpoint *to)
{
    union socket_name name;
    socklen_t length = sizeof name.any;
    int status = 0;

    if (to)
        status = socket_name_of(to, &name, &length);
    else
        memset(&name, 0, sizeof name); /* AF_UNSPEC */
    if (status < 0)
        return status;
    return connect(fd, &name.any, length) < 0 ? -errno : 0;
}

static int open_for(uint8_t family)
{
    int domain = family == WEFT_ADDRESS_IPV4 ? AF_INET : family == WEFT_ADDRESS_IPV6 ? AF_INET6 : AF_UNIX;
    int fd = socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

int socket_open_datagram(const struct backend_endpoint *at, const struct backend_endpoint *to,
                         const struct backend_datagram_options *options, struct socket_path **ret_path)
{
    uint8_t family = (at ? at : to)->address.family;
    struct socket_path *path = NULL;
    int fd, status;

    if (family != WEFT_ADDRESS_IPV4 && family != WEFT_ADDRESS_IPV6 && family != WEFT_ADDRESS_UNIX)
        return -EAFNOSUPPORT;
    fd = open_for(family);
    if (fd < 0)
        return fd;
    status = set_options(fd, at, family, options);
    if (status == 0 && at)
        status = bind_at(fd, at, options->unix_mode, &path);
    if (status == 0 && to)
        status = socket_connect_datagram(fd, to);
    if (status < 0) {
        socket_path_remove(path);
        descriptor_close(fd);
        return status;
    }
    *ret_path = path;
    return fd;
}
