/* SPDX-License-Identifier: MIT */
/* Sending datagrams: neighbours of equal size as one, all in one call (readiness_datagram.h). */
#include "backend/readiness_datagram.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

/* What one segmented send has at most: UDP_MAX_SEGMENTS of older kernels, and nearly what fits into an IP packet. */
#define SEGMENTS_MOST 64
#define SEGMENTED_MOST 64000
/* A longer one does not fit into a packet of Ethernet with IPv6's header, and a segment must. */
#define SEGMENT_MOST 1452

/* -- one message -- */

static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

static int name_mapped(const weft_address *peer, union socket_name *name, socklen_t *length)
{
    memset(&name->v6, 0, sizeof name->v6);
    name->v6.sin6_family = AF_INET6;
    name->v6.sin6_port = htons(peer->port);
    memcpy(name->v6.sin6_addr.s6_addr, mapped, sizeof mapped);
    memcpy(name->v6.sin6_addr.s6_addr + 12, peer->ip, 4);
    *length = sizeof name->v6;
    return 0;
}

static int name_v4(const weft_address *peer, union socket_name *name, socklen_t *length)
{
    memset(&name->v4, 0, sizeof name->v4);
    name->v4.sin_family = AF_INET;
    name->v4.sin_port = htons(peer->port);
    memcpy(&name->v4.sin_addr, peer->ip, 4);
    *length = sizeof name->v4;
    return 0;
}

static int name_peer(const struct backend_datagram *socket, const weft_datagram *one, union socket_name *name,
                     socklen_t *length)
{
    uint8_t family = one->peer.family;
    struct backend_endpoint to = {.address = one->peer, .path = one->path};

    if (family == WEFT_ADDRESS_IPV4 && !(socket->flags & DATAGRAM_UNIX))
        return (socket->flags & DATAGRAM_V6 ? name_mapped : name_v4)(&one->peer, name, length);
    if ((family == WEFT_ADDRESS_IPV6) != ((socket->flags & DATAGRAM_V6) != 0) ||
        (family == WEFT_ADDRESS_UNIX) != ((socket->flags & DATAGRAM_UNIX) != 0))
        return -EAFNOSUPPORT;
    return socket_name_of(&to, name, length);
}

/* Appends a control message to @p control, which has room; its length so far is @p used. */
static size_t add_control(char *control, size_t used, int level, int type, const void *data, size_t length)
{
    struct cmsghdr *header = (struct cmsghdr *)(void *)(control + used);

    memset(header, 0, CMSG_SPACE(length));
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(header), data, length);
    return used + CMSG_SPACE(length);
}

static size_t add_source(char *control, size_t used, bool v6, const weft_datagram *one)
{
    struct in_pktinfo info4 = {.ipi_ifindex = (int)one->interface};
    struct in6_pktinfo info6 = {.ipi6_ifindex = one->interface};

    if (!v6) {
        memcpy(&info4.ipi_spec_dst, one->local.ip, 4);
        return add_control(control, used, IPPROTO_IP, IP_PKTINFO, &info4, sizeof info4);
    }
    if (one->local.family == WEFT_ADDRESS_IPV6) {
        memcpy(&info6.ipi6_addr, one->local.ip, 16);
    } else if (one->local.family == WEFT_ADDRESS_IPV4) {
        memcpy(info6.ipi6_addr.s6_addr, mapped, sizeof mapped);
        memcpy(info6.ipi6_addr.s6_addr + 12, one->local.ip, 4);
    } else if (one->peer.family == WEFT_ADDRESS_IPV4) {
        memcpy(info6.ipi6_addr.s6_addr, mapped, sizeof mapped);
    }
    return add_control(control, used, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof info6);
}

/* Everything but the size of segments. */
static size_t add_controls(const struct backend_datagram *socket, const weft_datagram *one, char *control)
{
    bool v6 = socket->flags & DATAGRAM_V6;
    int class_ = one->ecn & 3;
    size_t used = 0;

    if (socket->flags & DATAGRAM_UNIX)
        return 0;
    if (one->local.family != WEFT_ADDRESS_NONE || one->interface)
        used = add_source(control, used, v6, one);
    if (class_ && v6 && one->peer.family != WEFT_ADDRESS_IPV4)
        used = add_control(control, used, IPPROTO_IPV6, IPV6_TCLASS, &class_, sizeof class_);
    else if (class_)
        used = add_control(control, used, IPPROTO_IP, IP_TOS, &class_, sizeof class_);
    return used;
}

static bool same_address(const weft_address *a, const weft_address *b)
{
    return a->family == b->family && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* How many of @p datagrams from the first on can be sent as one. */
static size_t alike(const struct backend_datagram *socket, const weft_datagram *datagrams, size_t count)
{
    const weft_datagram *first = &datagrams[0];
    size_t size = first->bytes.length, total = size, alike = 1;

    if (!(socket->flags & DATAGRAM_SEGMENTED) || size == 0 || size > SEGMENT_MOST)
        return 1;
    for (; alike < count && alike < SEGMENTS_MOST && datagrams[alike - 1].bytes.length == size; alike++) {
        const weft_datagram *next = &datagrams[alike];

        total += next->bytes.length;
        if (next->bytes.length == 0 || next->bytes.length > size || total > SEGMENTED_MOST || next->ecn != first->ecn ||
            next->interface != first->interface || !same_address(&next->peer, &first->peer) ||
            !same_address(&next->local, &first->local))
            break;
    }
    return alike;
}

/* -- the batch -- */

static int add_message(struct datagram_sending *sending, const struct backend_datagram *socket,
                       const weft_datagram *datagrams, size_t count, struct iovec *runs)
{
    struct mmsghdr *header = &sending->headers[sending->messages];
    char *control = sending->control[sending->messages];
    uint16_t size = (uint16_t)datagrams->bytes.length;
    size_t used = add_controls(socket, datagrams, control);
    int status = 0;

    header->msg_hdr = (struct msghdr){.msg_iov = runs, .msg_iovlen = count};
    if (datagrams->peer.family != WEFT_ADDRESS_NONE) {
        header->msg_hdr.msg_name = &sending->names[sending->messages];
        status = name_peer(socket, datagrams, header->msg_hdr.msg_name, &header->msg_hdr.msg_namelen);
    }
    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++)
        runs[i] = (struct iovec){.iov_base = (void *)(uintptr_t)datagrams[i].bytes.data,
                                 .iov_len = datagrams[i].bytes.length};
    if (count > 1)
        used = add_control(control, used, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
    if (used > 0) {
        header->msg_hdr.msg_control = control;
        header->msg_hdr.msg_controllen = used;
    }
    sending->parts[sending->messages++] = count;
    return 0;
}

/* Those before one that cannot be sent are sent first. */
static int gather(struct datagram_sending *sending, const struct backend_datagram *socket,
                  const weft_datagram *datagrams, size_t count)
{
    sending->messages = 0;
    for (size_t done = 0, parts; done < count; done += parts) {
        int status;

        parts = alike(socket, datagrams + done, count - done);
        status = add_message(sending, socket, datagrams + done, parts, sending->runs + done);
        if (status < 0)
            return done > 0 ? 0 : status;
    }
    return 0;
}

static int send_messages(struct datagram_sending *sending, int fd)
{
    int count;

    do
        count = sendmmsg(fd, sending->headers, (unsigned)sending->messages, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

/* What a segmented send may fail with that each part alone would not. */
static bool is_refused(int status)
{
    return status == -EINVAL || status == -EIO || status == -EMSGSIZE || status == -EOPNOTSUPP;
}

static int blocked(struct backend *backend, struct backend_datagram *socket)
{
    if (!(socket->flags & BLOCKED)) {
        socket->flags |= BLOCKED;
        readiness_of(backend)->engine->blocked(readiness_of(backend), socket, true);
    }
    return BACKEND_LATER;
}

/* How many datagrams went, or -errno. */
static int attempt(struct datagram_sending *sending, const struct backend_datagram *socket,
                   const weft_datagram *datagrams, size_t count)
{
    int sent = 0, status = gather(sending, socket, datagrams, count);

    if (status < 0)
        return status;
    status = send_messages(sending, socket->fd);
    for (int i = 0; i < status; i++)
        sent += (int)sending->parts[i];
    return status < 0 ? status : sent;
}

int readiness_datagram_send(struct backend *backend, struct backend_datagram *socket, const weft_datagram *datagrams,
                            size_t count)
{
    struct datagram_sending *sending = &readiness_of(backend)->datagrams->sending;
    int sent;

    if (count > BACKEND_DATAGRAMS)
        count = BACKEND_DATAGRAMS;
    sent = attempt(sending, socket, datagrams, count);
    if (sending->messages > 0 && sending->parts[0] > 1 && is_refused(sent)) {
        socket->flags &= ~(uint32_t)DATAGRAM_SEGMENTED;
        sent = attempt(sending, socket, datagrams, count);
    }
    return sent == -EAGAIN ? blocked(backend, socket) : sent;
}
