/* SPDX-License-Identifier: MIT */
/* Whom a datagram socket is connected to, its groups, and what can be set (datagram_internal.h). */
#include <errno.h>

#include "net/datagram_internal.h"

static bool is_ip(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 || address->family == WEFT_ADDRESS_IPV6;
}

static bool has_ended(const weft_datagram_socket *socket)
{
    return socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING);
}

int weft_datagram_connect(weft_datagram_socket *socket, const weft_address *peer)
{
    struct backend_endpoint to = {0};

    if (has_ended(socket))
        return WEFT_EENDED;
    if (!peer)
        return socket->io.transport->connect(datagram_backend(socket), &socket->io, NULL);
    if (!is_ip(peer) || (socket->flags & DATAGRAM_IS_UNIX) || peer->family != socket->local.family)
        return -EINVAL;
    to.address = *peer;
    return socket->io.transport->connect(datagram_backend(socket), &socket->io, &to);
}

/* RFC 5771, RFC 4291 §2.7. */
static bool is_group(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 ? (address->ip[0] & 0xf0) == 0xe0
                                                : address->family == WEFT_ADDRESS_IPV6 && address->ip[0] == 0xff;
}

static int join(weft_datagram_socket *socket, const weft_datagram_group *group, bool on)
{
    struct backend_group to = {.address = group->address, .source = group->source, .interface = group->interface};

    if (has_ended(socket))
        return WEFT_EENDED;
    if ((socket->flags & DATAGRAM_IS_UNIX) || !is_group(&group->address) ||
        (group->address.family == WEFT_ADDRESS_IPV6 && socket->local.family == WEFT_ADDRESS_IPV4) ||
        (group->source.family != WEFT_ADDRESS_NONE && group->source.family != group->address.family))
        return -EINVAL;
    return socket->io.transport->join(datagram_backend(socket), &socket->io, &to, on);
}

int weft_datagram_join(weft_datagram_socket *socket, const weft_datagram_group *group)
{
    return join(socket, group, true);
}

int weft_datagram_leave(weft_datagram_socket *socket, const weft_datagram_group *group)
{
    return join(socket, group, false);
}

int weft_datagram_set(weft_datagram_socket *socket, weft_datagram_setting setting, unsigned value)
{
    static const struct {
        enum backend_datagram_setting what;
        unsigned least, most;
    } settings[] = {
        [WEFT_DATAGRAM_BROADCAST] = {BACKEND_BROADCAST, 0, 1},
        [WEFT_DATAGRAM_HOPS] = {BACKEND_HOPS, 1, 255},
        [WEFT_DATAGRAM_MULTICAST_HOPS] = {BACKEND_MULTICAST_HOPS, 0, 255},
        [WEFT_DATAGRAM_MULTICAST_LOOP] = {BACKEND_MULTICAST_LOOP, 0, 1},
        [WEFT_DATAGRAM_MULTICAST_INTERFACE] = {BACKEND_MULTICAST_INTERFACE, 0, INT32_MAX},
    };

    if (has_ended(socket))
        return WEFT_EENDED;
    if ((size_t)setting >= sizeof settings / sizeof *settings || value < settings[setting].least ||
        value > settings[setting].most || (socket->flags & DATAGRAM_IS_UNIX))
        return -EINVAL;
    return socket->io.transport->set(datagram_backend(socket), &socket->io, settings[setting].what, value);
}
