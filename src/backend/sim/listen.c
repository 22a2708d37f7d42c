/* SPDX-License-Identifier: MIT */
/* Listening in a simulated network, and who gets there (network.h). */
#include "backend/sim/network.h"
#include "backend/sim/visitor.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

#include "base/probe.h"

#define ACCEPTS_PER_TURN 64

/* -- who listens where -- */

static enum sim_net net_of(const struct backend_endpoint *at)
{
    if (at->address.family == WEFT_ADDRESS_UNIX)
        return SIM_UNIX;
    return at->address.family == WEFT_ADDRESS_MEMORY ? SIM_MEMORY : SIM_TCP;
}

static bool is_any(const weft_address *address)
{
    static const uint8_t any[16];

    return memcmp(address->ip, any, address->family == WEFT_ADDRESS_IPV4 ? 4 : 16) == 0;
}

static size_t ip_size(const weft_address *address)
{
    return address->family == WEFT_ADDRESS_IPV4 ? 4 : 16;
}

/* Whether a connection to @p to gets to a listener at @p port's address. */
static bool covers(const struct sim_port *port, const weft_address *to)
{
    if (port->address.port != to->port)
        return false;
    if (port->address.family == to->family)
        return is_any(&port->address) || memcmp(port->address.ip, to->ip, ip_size(to)) == 0;
    return port->address.family == WEFT_ADDRESS_IPV6 && is_any(&port->address) && !port->v6_only;
}

static bool listens_at(const struct sim_port *port, const struct backend_endpoint *at)
{
    if (port->net != net_of(at))
        return false;
    if (port->net != SIM_TCP)
        return weft_bytes_equal(weft_bytes_of(port->name, port->name_length), at->path);
    return covers(port, &at->address);
}

/* One of those that listen there, if there are several (SO_REUSEPORT). */
struct sim_port *sim_port_find(const struct sim_host *host, const struct backend_endpoint *at)
{
    struct sim_port *found = NULL;
    unsigned count = 0;

    for (weft_link *link = host->ports.next; link != &host->ports; link = link->next) {
        struct sim_port *port = weft_container_of(link, struct sim_port, link);
        if (listens_at(port, at) && (++count == 1 || random_below(&host->world->network, count) == 0))
            found = port;
    }
    return found;
}

/* Whether @p at, which is to be bound with @p v6_only, and the address of @p port have any in common. */
static bool overlap(const struct sim_port *port, const weft_address *at, bool v6_only)
{
    if (port->address.port != at->port)
        return false;
    if (port->address.family == at->family)
        return is_any(&port->address) || is_any(at) || memcmp(port->address.ip, at->ip, ip_size(at)) == 0;
    if (at->family == WEFT_ADDRESS_IPV6)
        return is_any(at) && !v6_only;
    return is_any(&port->address) && !port->v6_only;
}

/* bind(2): an address, or all of them, that somebody else has. */
static bool is_taken(const struct sim_host *host, const struct backend_endpoint *at,
                     const struct backend_socket_options *options)
{
    for (weft_link *link = host->ports.next; link != &host->ports; link = link->next) {
        struct sim_port *port = weft_container_of(link, struct sim_port, link);
        bool shared = port->net == SIM_TCP && port->shares && options->reuse_port && !options->claim_port;

        if (port->net != net_of(at) || shared)
            continue;
        if (port->net == SIM_TCP ? overlap(port, &at->address, options->v6_only) : listens_at(port, at))
            return true;
    }
    return false;
}

/* -- telling the listener -- */

/* Closes one that nobody has taken: an end for its peer, or a reset, if that is asked for or bytes are unread. */
static void refuse(struct sim_end *end, bool reset)
{
    if (end->port)
        sim_port_forget(end);
    end->gone = true;
    if (reset || end->arrived > 0) {
        end->status = -ECONNABORTED;
        sim_end_break(end->peer, -ECONNRESET, sim_travel(end->connection));
    } else {
        end->ends = true;
        sim_end_pump(end->peer);
    }
    sim_connection_settle(end->connection);
}

/* accept(2) fails for want of descriptors: the listener sheds those that wait, with its reserved one. */
static void run_out(struct sim_port *port)
{
    struct backend_listener *listener = port->listener;
    unsigned shed = 0;

    sim_probe(port->host->world, "sim: no descriptor to accept with");
    for (; !weft_link_is_alone(&port->backlog) && shed < ACCEPTS_PER_TURN; shed++)
        refuse(weft_container_of(port->backlog.next, struct sim_end, waiting), false);
    port->accepting = false;
    sim_note(port->host->world, "exhausted", port->host, port->address.port, (int64_t)shed, 0);
    listener->events->exhausted(listener, -EMFILE, shed);
}

/* Gives @p end, which has left the backlog, to @p stream. */
static void hand_over(struct sim_end *end, struct sim_backend *backend, struct backend_stream *stream)
{
    sim_note(end->host->world, "accepted", end->host, end->connection->number, 0, 0);
    sim_stream_attach(end, backend, stream);
}

/* (Whoever is asked for a stream may close the listener.) */
static void offer(struct sim_port *port, struct sim_end *end)
{
    struct backend_listener *listener = port->listener;
    struct sim_backend *backend = port->backend;
    struct backend_stream *stream;

    sim_port_forget(end);
    stream = listener->events->accepted(listener, &end->peer->local);
    if (!stream) {
        refuse(end, end->connection->net != SIM_UNIX);
        return;
    }
    hand_over(end, backend, stream);
    listener->events->opened(listener, stream, 0);
}

static void accept_first(struct sim_port *port)
{
    struct sim_end *end = weft_container_of(port->backlog.next, struct sim_end, waiting);
    struct backend_listener *listener = port->listener;
    struct sim_faults *faults = &port->host->world->faults;

    if (sim_fault(faults, FAULT_missed_accepts)) {
        refuse(end, true);
        listener->events->missed(listener);
    } else if (sim_fault(faults, FAULT_descriptors)) {
        listener->events->missed(listener);
        if (listener->port_of_sim == port)
            run_out(port);
    } else {
        offer(port, end);
    }
}

static void port_tell(struct sim_backend *backend, struct sim_news *news)
{
    struct sim_port *port = weft_container_of(news, struct sim_port, news);
    struct backend_listener *listener = port->listener;
    int most = RARE("sim: accept one in a turn") ? 1 : ACCEPTS_PER_TURN;

    (void)backend;
    for (int i = 0; i < most; i++) {
        /* (a callback may have closed the listener) */
        if (listener->port_of_sim != port || !port->accepting || weft_link_is_alone(&port->backlog))
            return;
        if (!listener->events->wanted(listener))
            return;
        if (listener->port_of_sim == port)
            accept_first(port);
    }
    if (listener->port_of_sim == port)
        sim_news_add(port->backend, &port->news);
}

static void late_news(struct sim_world *world, struct sim_event *event)
{
    struct sim_port *port = weft_container_of(event, struct sim_port, slow);

    (void)world;
    sim_news_add(port->backend, &port->news);
}

void sim_port_admit(struct sim_port *port, struct sim_end *end)
{
    struct sim_world *world = port->host->world;

    end->port = port;
    end->gone = false;
    port->waiting++;
    weft_link_insert_before(&port->backlog, &end->waiting);
    sim_note(world, "waits", port->host, end->connection->number, (int64_t)port->waiting, 0);
    if (sim_fault(&world->faults, FAULT_slow_accepts))
        sim_event_plan(world, &port->slow,
                       world->now + (weft_time)sim_fault_below(&world->faults, FAULT_slow_accepts, WEFT_SECONDS(20)));
    else
        sim_news_add(port->backend, &port->news);
}

void sim_port_forget(struct sim_end *end)
{
    end->port->waiting--;
    weft_link_remove(&end->waiting);
    end->port = NULL;
}

/* -- what the owner of a listener asks -- */

static void sim_accept_start(struct backend *backend, struct backend_listener *listener)
{
    (void)backend;
    listener->port_of_sim->accepting = true;
    if (!weft_link_is_alone(&listener->port_of_sim->backlog))
        sim_news_add(listener->port_of_sim->backend, &listener->port_of_sim->news);
}

static void sim_accept_stop(struct backend *backend, struct backend_listener *listener)
{
    (void)backend;
    listener->port_of_sim->accepting = false;
}

static int sim_accept_one(struct backend *backend, struct backend_listener *listener, struct backend_stream *stream,
                          weft_address *ret_peer)
{
    struct sim_port *port = listener->port_of_sim;
    struct sim_end *end;

    (void)backend;
    if (weft_link_is_alone(&port->backlog))
        return 0;
    end = weft_container_of(port->backlog.next, struct sim_end, waiting);
    *ret_peer = end->peer->local;
    sim_port_forget(end);
    hand_over(end, port->backend, stream);
    return 1;
}

void sim_port_kill(struct sim_port *port)
{
    sim_note(port->host->world, "unlisten", port->host, port->address.port, (int64_t)port->waiting, 0);
    port->accepting = false;
    while (!weft_link_is_alone(&port->backlog))
        refuse(weft_container_of(port->backlog.next, struct sim_end, waiting), true);
    sim_event_cancel(port->host->world, &port->slow);
    weft_link_remove(&port->news.link);
    weft_link_remove(&port->link);
}

static void sim_listener_close(struct backend *backend, struct backend_listener *listener)
{
    struct sim_port *port = listener->port_of_sim;

    (void)backend;
    sim_port_kill(port);
    weft_release(port);
    listener->port_of_sim = NULL;
}

static int sim_listener_local(struct backend *backend, const struct backend_listener *listener, weft_address *ret)
{
    (void)backend;
    *ret = listener->port_of_sim->address;
    return 0;
}

static const struct backend_listening sim_listening = {
    .accept_start = sim_accept_start,
    .accept_stop = sim_accept_stop,
    .accept_one = sim_accept_one,
    .close = sim_listener_close,
    .local = sim_listener_local,
};

static int check_address(struct sim_host *host, const struct backend_endpoint *at)
{
    if (net_of(at) == SIM_UNIX && at->path.length >= SIM_PATH)
        return -ENAMETOOLONG;
    if (net_of(at) != SIM_TCP || is_any(&at->address) || sim_host_at(host, &at->address) == host)
        return 0;
    return -EADDRNOTAVAIL;
}

/* Whoever asks for no port gets one that is free, if there is any. */
static bool take_port(struct sim_host *host, struct backend_endpoint *at, const struct backend_socket_options *options)
{
    if (net_of(at) != SIM_TCP || at->address.port != 0)
        return !is_taken(host, at, options);
    for (unsigned tries = 0; tries <= UINT16_MAX; tries++) {
        at->address.port = sim_host_next_port(host);
        if (!is_taken(host, at, options))
            return true;
    }
    return false;
}

int sim_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
               const struct backend_socket_options *options)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct backend_endpoint real = *at;
    struct sim_port *port;
    int status = self->host->down ? -ENETDOWN : check_address(self->host, at);

    if (status < 0)
        return status;
    if (!take_port(self->host, &real, options))
        return -EADDRINUSE;
    port = sim_allocate(self->world, sizeof *port + at->path.length);
    if (!port)
        return WEFT_ENOMEM;
    port->news.tell = port_tell;
    weft_link_init(&port->news.link);
    weft_link_init(&port->backlog);
    sim_event_init(&port->slow, late_news);
    port->host = self->host;
    port->backend = self;
    port->listener = listener;
    port->net = net_of(&real);
    port->address = real.address;
    port->v6_only = options->v6_only;
    port->shares = options->reuse_port;
    port->keepalive = options->keepalive;
    port->most = options->backlog > 0 ? (size_t)options->backlog : 1;
    if (port->net != SIM_MEMORY)
        port->most++; /* as in Linux, where the backlog is full when more than that wait */
    port->name_length = at->path.length;
    if (at->path.length > 0)
        memcpy(port->name, at->path.data, at->path.length);
    weft_link_insert_before(&self->host->ports, &port->link);
    listener->listening = &sim_listening;
    listener->port_of_sim = port;
    sim_note(self->world, "listen", self->host, port->address.port, 0, 0);
    sim_visitors_hear_of(self->host, &real);
    return 0;
}
