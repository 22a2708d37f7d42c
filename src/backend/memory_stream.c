/* SPDX-License-Identifier: MIT */
/*
 * In-memory streams (memory_stream.h).
 *
 * An end holds the bytes that travel towards it. Everything that can be said
 * to an owner is said from memory_dispatch: an end with news is put into the
 * network's list of work.
 *
 * Invariants:
 *  1. end->peer->peer == end, or end->peer is NULL because the other is closed.
 *  2. An end whose stream and port are NULL is closed and is freed as soon as
 *     it is neither in the list of work nor busy.
 *  3. A sender that was cut short has `blocked` set until there is room.
 */
#include "backend/memory_stream.h"

#include <weft/list.h>
#include <weft/memory.h>

#include "backend/file.h"
#include "backend/readiness.h"

/* Bytes that one end is given in one turn. */
#define DELIVERY (64 * 1024)

struct memory_port {
    weft_link link;
    struct backend_listener *listener;
    struct memory_network *network;
    weft_address address;
    weft_link backlog; /* ends that wait until somebody accepts */
    size_t waiting;    /* there, or in the network's list of work */
    size_t most;
    bool accepting;
    size_t name_length;
    char name[];
};

struct memory_end {
    weft_link work; /* alone, or in network->work, or in its port's backlog */
    struct memory_network *network;
    struct backend_stream *stream;
    struct memory_end *peer;
    weft_bytequeue in;
    struct memory_port *port; /* the server's end: where it waits to be accepted */
    weft_address local, remote;
    int connect_status;
    bool connecting, receiving, blocked, room;
    bool ends;             /* its owner has ended its own direction */
    bool ended, read_over; /* the peer has; its reader was told of that or of a reset */
    bool reset;
    int failure; /* the reset, until somebody was told: whoever asks first */
    bool busy;   /* its owner is being called */
    size_t lent; /* of `in`: what its owner is being given */
};

struct memory_network {
    weft_chunk_pool *chunks;
    weft_link ports;
    weft_link work;
    weft_link doing; /* what memory_dispatch still has to look at */
};

struct memory_network *memory_network_new(void)
{
    struct memory_network *network = weft_allocate_zeroed(1, sizeof *network);

    if (!network)
        return NULL;
    network->chunks = weft_chunk_pool_new(MEMORY_CAPACITY);
    if (!network->chunks) {
        weft_release(network);
        return NULL;
    }
    weft_link_init(&network->ports);
    weft_link_init(&network->work);
    weft_link_init(&network->doing);
    return network;
}

static void end_free(struct memory_end *end)
{
    weft_link_remove(&end->work);
    weft_bytequeue_clear(&end->in, end->network->chunks);
    weft_release(end);
}

void memory_network_free(struct memory_network *network)
{
    if (!network)
        return;
    while (!weft_link_is_alone(&network->work))
        end_free(weft_container_of(network->work.next, struct memory_end, work));
    weft_chunk_pool_free(network->chunks);
    weft_release(network);
}

static void have_work(struct memory_end *end)
{
    if (weft_link_is_alone(&end->work))
        weft_link_insert_before(&end->network->work, &end->work);
}

bool memory_has_work(const struct memory_network *network)
{
    return !weft_link_is_alone(&network->work);
}

/* -- what an owner asks of an end -- */

static void memory_receive_start(struct backend *backend, struct backend_stream *stream)
{
    struct memory_end *end = stream->end;

    (void)backend;
    end->receiving = true;
    have_work(end);
}

static void memory_receive_stop(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    stream->end->receiving = false;
}

static void reset_end(struct memory_end *end)
{
    end->reset = true;
    end->failure = -ECONNRESET;
    have_work(end);
}

static int take_failure(struct memory_end *end)
{
    int failure = end->failure;

    end->failure = 0;
    return failure;
}

static size_t room_for(const struct memory_end *end, size_t wanted)
{
    size_t used = weft_bytequeue_length(&end->peer->in), room = used < MEMORY_CAPACITY ? MEMORY_CAPACITY - used : 0;
    return wanted < room ? wanted : room;
}

/* Whether @p end can send; if not, the error. */
static int can_send(struct memory_end *end)
{
    int failure = take_failure(end);

    if (failure < 0)
        return failure;
    return end->peer && !end->ends ? 0 : -EPIPE;
}

static int64_t cut_short(struct memory_end *end, int64_t sent)
{
    end->blocked = true;
    if (weft_bytequeue_length(&end->peer->in) < MEMORY_CAPACITY) {
        end->room = true; /* it was the stretch that ended, not the room */
        have_work(end);
    }
    return sent > 0 ? sent : BACKEND_LATER;
}

static int64_t memory_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                           bool more)
{
    struct memory_end *end = stream->end;
    int64_t sent = 0;
    int status = can_send(end);

    (void)backend;
    (void)more;
    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++) {
        size_t room = room_for(end, runs[i].length);

        if (room > 0 &&
            weft_bytequeue_append(&end->peer->in, end->network->chunks, weft_bytes_first(runs[i], room)) < 0)
            return WEFT_ENOMEM;
        sent += (int64_t)room;
        if (room > 0)
            have_work(end->peer);
        if (room < runs[i].length)
            return cut_short(end, sent);
    }
    return sent;
}

/* Reads what is in memory. What is not, the job pool reads first: -EAGAIN, and `sent` is owed. */
static int read_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                     uint64_t length, void *memory, size_t room)
{
    if (!(stream->flags & WARMED)) {
        int count = weft_file_read_cached(file, offset, memory, room);

        if (count != -EAGAIN || readiness_warm_start(readiness_of(backend), stream, file, offset, length))
            return count;
    }
    stream->flags &= ~(uint32_t)WARMED;
    return file_read(file, offset, memory, room);
}

static int64_t memory_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file,
                                uint64_t offset, uint64_t length, bool more)
{
    struct memory_end *end = stream->end;
    char buffer[4096];
    int status = can_send(end), count;
    size_t room;

    (void)more;
    if (status < 0)
        return status;
    room = room_for(end, length < sizeof buffer ? (size_t)length : sizeof buffer);
    if (room == 0)
        return cut_short(end, 0);
    count = read_file(backend, stream, file, offset, length, buffer, room);
    if (count == -EAGAIN)
        return BACKEND_LATER;
    if (count <= 0)
        return count < 0 ? count : WEFT_ECHANGED;
    if (weft_bytequeue_append(&end->peer->in, end->network->chunks, weft_bytes_of(buffer, (size_t)count)) < 0)
        return WEFT_ENOMEM;
    have_work(end->peer);
    return (uint64_t)count < length ? cut_short(end, count) : count;
}

static int memory_shutdown(struct backend *backend, struct backend_stream *stream)
{
    struct memory_end *end = stream->end;

    (void)backend;
    end->ends = true;
    if (end->peer) {
        end->peer->ended = true;
        have_work(end->peer);
    }
    return 0;
}

static void memory_broken(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    (void)stream; /* what broke it ends the receiving, too */
}

static bool memory_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    struct memory_end *end = stream->end, *peer = end->peer;

    if (stream->flags & WARMING)
        readiness_warm_abandon(readiness_of(backend), stream);
    if (peer) {
        bool over = end->ended && end->ends;

        peer->peer = NULL;
        peer->ended = true;
        if (!over && (abort || weft_bytequeue_length(&end->in) > end->lent))
            reset_end(peer);
        have_work(peer);
    }
    end->peer = NULL;
    end->stream = NULL;
    if (weft_link_is_alone(&end->work) && !end->busy)
        end_free(end);
    return true;
}

static int memory_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret)
{
    (void)backend;
    *ret = stream->end->local;
    return 0;
}

static const struct backend_transport memory_transport = {
    .receive_start = memory_receive_start,
    .receive_stop = memory_receive_stop,
    .send = memory_send,
    .broken = memory_broken,
    .send_file = memory_send_file,
    .shutdown = memory_shutdown,
    .close = memory_close,
    .local = memory_local,
};

/* -- listening and connecting -- */

static struct memory_port *find_port(const struct memory_network *network, weft_bytes name)
{
    for (weft_link *link = network->ports.next; link != &network->ports; link = link->next) {
        struct memory_port *port = weft_container_of(link, struct memory_port, link);
        if (weft_bytes_equal(weft_bytes_of(port->name, port->name_length), name))
            return port;
    }
    return NULL;
}

static void memory_accept_start(struct backend *backend, struct backend_listener *listener)
{
    (void)backend;
    listener->port->accepting = true;
    weft_link_splice(&listener->port->network->work, &listener->port->backlog);
}

static void memory_accept_stop(struct backend *backend, struct backend_listener *listener)
{
    (void)backend;
    listener->port->accepting = false;
}

static void refuse(struct memory_end *end)
{
    end->port->waiting--;
    end->port = NULL;
    if (end->peer) {
        end->peer->peer = NULL;
        reset_end(end->peer);
    }
    end_free(end);
}

/* Refusing puts others at the end of the list of work, so each is looked at once, whatever is added. */
static void refuse_all(weft_link *list, const struct memory_port *port)
{
    for (weft_link *link = list->next, *next; link != list; link = next) {
        struct memory_end *end = weft_container_of(link, struct memory_end, work);
        next = link->next;
        if (end->port == port)
            refuse(end);
    }
}

static void memory_listener_close(struct backend *backend, struct backend_listener *listener)
{
    struct memory_port *port = listener->port;

    (void)backend;
    refuse_all(&port->backlog, port);
    refuse_all(&port->network->doing, port);
    refuse_all(&port->network->work, port);
    weft_link_remove(&port->link);
    weft_release(port);
    listener->port = NULL;
}

/* The end that has waited longest. What is still on its way was sent before it could know that nobody listens. */
static struct memory_end *first_waiting(const struct memory_port *port)
{
    if (!weft_link_is_alone(&port->backlog))
        return weft_container_of(port->backlog.next, struct memory_end, work);
    for (weft_link *link = port->network->work.next; link != &port->network->work; link = link->next) {
        struct memory_end *end = weft_container_of(link, struct memory_end, work);
        if (end->port == port)
            return end;
    }
    return NULL;
}

/* @p end, which is in no list, is @p stream's from now on. */
static void hand_over(struct memory_end *end, struct backend_stream *stream)
{
    end->port->waiting--;
    end->port = NULL;
    stream->transport = &memory_transport;
    stream->flags = 0;
    stream->end = end;
    end->stream = stream;
    if (end->in.length > 0 || end->ended || end->reset)
        have_work(end);
}

static int memory_accept_one(struct backend *backend, struct backend_listener *listener, struct backend_stream *stream,
                             weft_address *ret_peer)
{
    struct memory_end *end = first_waiting(listener->port);

    (void)backend;
    if (!end)
        return 0;
    weft_link_remove(&end->work);
    *ret_peer = end->remote;
    hand_over(end, stream);
    return 1;
}

static int memory_listener_local(struct backend *backend, const struct backend_listener *listener, weft_address *ret)
{
    (void)backend;
    *ret = listener->port->address;
    return 0;
}

static const struct backend_listening memory_listening = {
    .accept_start = memory_accept_start,
    .accept_stop = memory_accept_stop,
    .accept_one = memory_accept_one,
    .close = memory_listener_close,
    .local = memory_listener_local,
};

int memory_listen(struct memory_network *network, struct backend_listener *listener, weft_bytes name, int backlog)
{
    struct memory_port *port;

    if (find_port(network, name))
        return -EADDRINUSE;
    port = weft_allocate_zeroed(1, sizeof *port + name.length);
    if (!port)
        return WEFT_ENOMEM;
    port->network = network;
    port->listener = listener;
    port->most = backlog > 0 ? (size_t)backlog : 1;
    weft_link_init(&port->backlog);
    port->address.family = WEFT_ADDRESS_MEMORY;
    port->name_length = name.length;
    memcpy(port->name, name.data, name.length);
    weft_link_insert_before(&network->ports, &port->link);
    listener->listening = &memory_listening;
    listener->port = port;
    return 0;
}

static struct memory_end *end_new(struct memory_network *network)
{
    struct memory_end *end = weft_allocate_zeroed(1, sizeof *end);

    if (!end)
        return NULL;
    end->network = network;
    end->local.family = end->remote.family = WEFT_ADDRESS_MEMORY;
    weft_link_init(&end->work);
    weft_bytequeue_init(&end->in);
    return end;
}

static int pair_ends(struct memory_end *client, struct memory_port *port)
{
    struct memory_end *server = end_new(client->network);

    if (!server)
        return WEFT_ENOMEM;
    server->peer = client;
    client->peer = server;
    server->port = port;
    port->waiting++;
    have_work(server);
    return 0;
}

int memory_connect(struct memory_network *network, struct backend_stream *stream, weft_bytes name)
{
    struct memory_port *port = find_port(network, name);
    struct memory_end *end = end_new(network);

    if (!end)
        return WEFT_ENOMEM;
    end->stream = stream;
    end->connecting = true;
    if (port && port->waiting >= port->most)
        port = NULL;
    end->connect_status = port ? 0 : -ECONNREFUSED;
    if (port && pair_ends(end, port) < 0) {
        weft_release(end);
        return WEFT_ENOMEM;
    }
    stream->transport = &memory_transport;
    stream->flags = 0;
    stream->end = end;
    have_work(end);
    return 0;
}

/* -- delivering -- */

static void accept_end(struct memory_end *end)
{
    struct memory_port *port = end->port;
    struct backend_listener *listener = port->listener;
    struct backend_stream *stream;

    if (!port->accepting || !listener->events->wanted(listener)) {
        weft_link_insert_before(&port->backlog, &end->work);
        return;
    }
    stream = listener->events->accepted(listener, &end->remote);
    if (!stream) {
        refuse(end);
        return;
    }
    hand_over(end, stream);
    listener->events->opened(listener, stream, 0);
}

/* Tells the peer, if it waits for that, that there is room again. */
static void make_room(struct memory_end *end)
{
    struct memory_end *peer = end->peer;

    if (peer && peer->blocked && weft_bytequeue_length(&end->in) < MEMORY_CAPACITY) {
        peer->room = true;
        have_work(peer);
    }
}

static void deliver_bytes(struct memory_end *end)
{
    weft_bytes run = weft_bytes_of(NULL, 0);

    (void)weft_bytequeue_peek(&end->in, &run, 1);
    if (run.length > DELIVERY)
        run.length = DELIVERY;
    end->lent = run.length;
    end->stream->events->received(end->stream, run, 0);
    end->lent = 0;
    if (!end->stream)
        return;
    weft_bytequeue_consume(&end->in, end->network->chunks, run.length);
    make_room(end);
    if (end->in.length > 0 || end->ended || end->reset)
        have_work(end);
}

static void tell_over(struct memory_end *end)
{
    end->read_over = end->read_over || end->receiving;
    end->receiving = false;
    end->stream->events->received(end->stream, weft_bytes_of(NULL, 0), take_failure(end));
}

/* A reset is told after what had come before; also to one who does not read. */
static void deliver(struct memory_end *end)
{
    if (end->receiving && end->in.length > 0)
        deliver_bytes(end);
    else if (end->receiving ? (end->reset || end->ended) && !end->read_over : end->failure < 0)
        tell_over(end);
}

static void end_news(struct memory_end *end)
{
    struct backend_stream *stream = end->stream;

    if (stream && end->connecting) {
        end->connecting = false;
        stream->events->connected(stream, end->failure < 0 ? take_failure(end) : end->connect_status);
    }
    if (end->stream && end->room) {
        end->room = end->blocked = false;
        stream->events->sent(stream, 0);
    }
    if (end->stream)
        deliver(end);
    if (end->stream && end->reset && end->blocked) {
        end->blocked = false;
        stream->events->sent(stream, 0);
    }
}

void memory_dispatch(struct memory_network *network)
{
    weft_link_splice(&network->doing, &network->work);
    while (!weft_link_is_alone(&network->doing)) {
        struct memory_end *end = weft_container_of(network->doing.next, struct memory_end, work);

        weft_link_remove(&end->work);
        if (end->port) {
            accept_end(end);
            continue;
        }
        end->busy = true;
        end_news(end);
        end->busy = false;
        if (!end->stream && weft_link_is_alone(&end->work))
            end_free(end);
    }
}
