/* SPDX-License-Identifier: MIT */
/* The life of a datagram socket, and receiving (readiness_datagram.h). */
#include "backend/readiness_datagram.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"

/* -- what came with a datagram -- */

static bool is_group(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 ? (address->ip[0] & 0xf0) == 0xe0 : address->ip[0] == 0xff;
}

static void take_info4(const struct cmsghdr *header, weft_datagram *ret)
{
    struct in_pktinfo info;

    memcpy(&info, CMSG_DATA(header), sizeof info);
    ret->local.family = WEFT_ADDRESS_IPV4;
    memcpy(ret->local.ip, &info.ipi_addr, 4);
    ret->interface = (uint32_t)info.ipi_ifindex;
    ret->to_group |= info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr; /* the second is ours in any case */
}

/* (A socket of both families is told this of IPv4, too, and IPv4's own beside it.) */
static void take_info6(const struct cmsghdr *header, weft_datagram *ret)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET6};
    struct in6_pktinfo info;

    memcpy(&info, CMSG_DATA(header), sizeof info);
    ((struct sockaddr_in6 *)&storage)->sin6_addr = info.ipi6_addr;
    socket_address_from(&storage, &ret->local);
    ret->interface = info.ipi6_ifindex;
    ret->to_group |= is_group(&ret->local);
}

/* Returns the size of a segment; 0: it is one datagram. */
static size_t take_control(struct msghdr *message, weft_datagram *ret)
{
    size_t segment = 0;
    int number;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            take_info4(header, ret);
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            take_info6(header, ret);
        } else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_TOS) {
            ret->ecn = *CMSG_DATA(header) & 3;
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_TCLASS) {
            memcpy(&number, CMSG_DATA(header), sizeof number);
            ret->ecn = (uint8_t)(number & 3);
        } else if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO) {
            memcpy(&number, CMSG_DATA(header), sizeof number);
            segment = number > 0 ? (size_t)number : 0;
        }
    }
    return segment;
}

static void take_peer(union socket_name *name, socklen_t length, weft_datagram *ret)
{
    size_t before = offsetof(struct sockaddr_un, sun_path);

    socket_address_from(&name->storage, &ret->peer);
    if (ret->peer.family != WEFT_ADDRESS_UNIX || length <= before)
        return;
    ret->path = weft_bytes_of(name->un.sun_path, length - before);
    if (name->un.sun_path[0] == '\0')
        name->un.sun_path[0] = '@';
    else
        ret->path.length = strnlen(name->un.sun_path, ret->path.length);
}

/* Takes apart what was joined. Returns how many datagrams there are now in @p told. */
static size_t divide(weft_datagram *told, const weft_datagram *whole, size_t segment)
{
    weft_bytes rest = whole->bytes;
    size_t count = 0;

    do {
        weft_datagram *one = &told[count++];

        *one = *whole;
        one->truncated = whole->truncated && rest.length <= segment;
        one->bytes = weft_bytes_first(rest, segment);
        rest = weft_bytes_skip(rest, one->bytes.length);
    } while (rest.length > 0 && count < DATAGRAM_SEGMENTS);
    return count;
}

static size_t translate(struct datagram_room *room, size_t messages)
{
    size_t count = 0;

    for (size_t i = 0; i < messages; i++) {
        struct msghdr *message = &room->headers[i].msg_hdr;
        weft_datagram *one = &room->told[count];
        size_t segment;

        *one = (weft_datagram){.bytes = weft_bytes_of(room->runs[i].iov_base, room->headers[i].msg_len),
                               .truncated = (message->msg_flags & MSG_TRUNC) != 0};
        take_peer(&room->names[i], message->msg_namelen, one);
        segment = message->msg_controllen > 0 ? take_control(message, one) : 0;
        if (segment > 0 && segment < one->bytes.length) {
            weft_datagram whole = *one;
            count += divide(one, &whole, segment);
        } else {
            count++;
        }
    }
    return count;
}

/* -- receiving -- */

static void make_ready(struct readiness *self, struct backend_datagram *socket)
{
    if (socket->flags & READY)
        return;
    socket->flags |= READY;
    socket->ready_next = NULL;
    if (self->ready_last_datagram)
        self->ready_last_datagram->ready_next = socket;
    else
        self->ready_first_datagram = socket;
    self->ready_last_datagram = socket;
}

/* (What a call leaves in these is what the next must not find.) */
static void prepare(struct datagram_room *room)
{
    for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
        struct msghdr *message = &room->headers[i].msg_hdr;

        message->msg_namelen = sizeof room->names[i];
        message->msg_controllen = sizeof room->control[i];
        message->msg_flags = 0;
        room->names[i].any.sa_family = AF_UNSPEC; /* a UNIX socket without a name leaves it so */
    }
}

/* How many messages came, or -errno. */
static int receive_batch(struct datagram_room *room, int fd)
{
    int count;

    prepare(room);
    do
        count = recvmmsg(fd, room->headers, DATAGRAM_BATCH, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

static bool goes_on(const struct backend_datagram *socket)
{
    return (socket->flags & (CLOSED | RECEIVING | READABLE)) == (RECEIVING | READABLE);
}

static void receive(struct readiness *self, struct backend_datagram *socket)
{
    struct datagram_room *room = self->datagrams;
    int count = receive_batch(room, socket->fd);

    if (count < DATAGRAM_BATCH && (count >= 0 || count == -EAGAIN))
        socket->flags &= ~(uint32_t)READABLE; /* drained: the next is news, even to an engine of edges */
    if (count > 0)
        socket->events->received(socket, room->told, translate(room, (size_t)count));
    else if (count < 0 && count != -EAGAIN)
        socket->events->failed(socket, count);
    if (goes_on(socket))
        make_ready(self, socket);
}

static void receive_start(struct backend *backend, struct backend_datagram *socket)
{
    socket->flags |= RECEIVING;
    if (socket->flags & READABLE)
        make_ready(readiness_of(backend), socket);
}

static void receive_stop(struct backend *backend, struct backend_datagram *socket)
{
    (void)backend;
    socket->flags &= ~(uint32_t)RECEIVING;
}

/* -- what the engine says -- */

/* Nobody reads, but what went wrong would be reported again and again. */
static void tell_failure(struct backend_datagram *socket)
{
    int status = socket_error(socket->fd);

    if (status < 0)
        socket->events->failed(socket, status);
}

void readiness_datagram_event(struct readiness *self, struct backend_datagram *socket, uint32_t events)
{
    if (socket->flags & CLOSED)
        return;
    if (events & (POLLIN | POLLERR | POLLHUP))
        socket->flags |= READABLE;
    if ((socket->flags & (READABLE | RECEIVING | READY)) == (READABLE | RECEIVING))
        receive(self, socket);
    else if ((events & POLLERR) && !(socket->flags & RECEIVING))
        tell_failure(socket);
    if ((events & (POLLOUT | POLLERR | POLLHUP)) && (socket->flags & (BLOCKED | CLOSED)) == BLOCKED) {
        socket->flags &= ~(uint32_t)BLOCKED;
        self->engine->blocked(self, socket, false);
        socket->events->writable(socket);
    }
}

void readiness_run_ready_datagrams(struct readiness *self)
{
    struct backend_datagram *socket = self->ready_first_datagram;

    self->ready_first_datagram = self->ready_last_datagram = NULL;
    while (socket) {
        struct backend_datagram *next = socket->ready_next;

        socket->flags &= ~(uint32_t)READY;
        if (socket->flags & CLOSED)
            socket->events->closed(socket);
        else if (goes_on(socket))
            receive(self, socket);
        socket = next;
    }
}

/* -- its life -- */

static int connect_to(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *to)
{
    int status = socket_connect_datagram(socket->fd, to);

    (void)backend;
    if (status < 0)
        return status;
    socket->flags = to ? socket->flags | DATAGRAM_CONNECTED : socket->flags & ~(uint32_t)DATAGRAM_CONNECTED;
    return 0;
}

static int join(struct backend *backend, struct backend_datagram *socket, const struct backend_group *group, bool on)
{
    (void)backend;
    return socket_join(socket->fd, group, on);
}

static int set(struct backend *backend, struct backend_datagram *socket, enum backend_datagram_setting what,
               unsigned value)
{
    (void)backend;
    return socket_set_datagram(socket->fd, socket->flags & DATAGRAM_V6, what, value);
}

static bool close_socket(struct backend *backend, struct backend_datagram *socket)
{
    socket_path_remove(socket->path);
    socket->path = NULL;
    readiness_leave_and_close(backend, socket->fd);
    socket->flags = (socket->flags & READY) | CLOSED;
    return !(socket->flags & READY);
}

static int local(struct backend *backend, const struct backend_datagram *socket, weft_address *ret)
{
    (void)backend;
    return socket_local(socket->fd, ret);
}

static const struct backend_datagram_transport datagram_transport = {
    .receive_start = receive_start,
    .receive_stop = receive_stop,
    .send = readiness_datagram_send,
    .connect = connect_to,
    .join = join,
    .set = set,
    .close = close_socket,
    .local = local,
};

static struct datagram_room *make_room(void)
{
    struct datagram_room *room = weft_allocate(sizeof *room); /* of which only what is used becomes resident */

    if (!room)
        return NULL;
    for (size_t i = 0; i < DATAGRAM_BATCH; i++) {
        room->runs[i] = (struct iovec){.iov_base = room->memory + i * DATAGRAM_STRIDE, .iov_len = DATAGRAM_MOST};
        room->headers[i].msg_hdr = (struct msghdr){
            .msg_iov = &room->runs[i], .msg_iovlen = 1, .msg_name = &room->names[i], .msg_control = room->control[i]};
    }
    return room;
}

/* Kernels that join what comes also divide what goes (Linux 5.0; 4.18 does the second alone, and is not asked). */
static uint32_t flags_for(int fd, uint8_t family)
{
    uint32_t flags = family == WEFT_ADDRESS_IPV6 ? DATAGRAM_V6 : family == WEFT_ADDRESS_UNIX ? DATAGRAM_UNIX : 0;

    if (family != WEFT_ADDRESS_UNIX && socket_set_int(fd, IPPROTO_UDP, UDP_GRO, 1) == 0)
        flags |= DATAGRAM_SEGMENTED;
    return flags;
}

int readiness_datagram_open(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *at,
                            const struct backend_endpoint *to, const struct backend_datagram_options *options)
{
    struct readiness *self = readiness_of(backend);
    struct socket_path *path;
    int fd, status;

    if (!self->datagrams)
        self->datagrams = make_room();
    if (!self->datagrams)
        return WEFT_ENOMEM;
    fd = socket_open_datagram(at, to, options, &path);
    if (fd < 0)
        return fd;
    status = self->engine->enter(self, fd, socket, TAG_DATAGRAM);
    if (status < 0) {
        socket_path_remove(path);
        descriptor_close(fd);
        return status;
    }
    socket->transport = &datagram_transport;
    socket->fd = fd;
    socket->path = path;
    socket->flags = flags_for(fd, (at ? at : to)->address.family) | (to ? (uint32_t)DATAGRAM_CONNECTED : 0);
    return 0;
}
