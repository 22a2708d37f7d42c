/* SPDX-License-Identifier: MIT */
/* How a connection comes about in a simulated network, or does not (network.h). */
#include "backend/sim/network.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

/* Linux sends a SYN seven times, after 1, 2, 4 ... seconds, and waits 64 s for an answer to the last (tcp_syn_retries). */
#define SYN_TRIES 7
/* Timers of seconds are that coarse there: who knocked together does not do so again. */
#define SYN_COARSE WEFT_MILLISECONDS(64)

static void answer(struct sim_world *world, struct sim_event *event)
{
    struct sim_connection *connection = weft_container_of(event, struct sim_connection, knock);
    struct sim_end *client = &connection->ends[0];

    (void)world;
    client->answered = true;
    client->answer = 0;
    sim_end_has_news(client);
    sim_connection_settle(connection);
}

static void fail(struct sim_connection *connection, int status, weft_time when)
{
    sim_end_break(&connection->ends[0], status, when);
}

/* Nobody answers; it is tried again. */
static void try_again(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;

    if (connection->tries >= SYN_TRIES) {
        fail(connection, -ETIMEDOUT, world->now);
        return;
    }
    sim_event_plan(world, &connection->knock,
                   world->now + (WEFT_SECONDS(1) << connection->tries) +
                       (weft_time)random_below(&world->network, SYN_COARSE));
}

static int nobody_there(const struct sim_connection *connection)
{
    return connection->net == SIM_UNIX && connection->to.path.length > 0 && connection->to.path.data[0] != '@'
               ? -ENOENT
               : -ECONNREFUSED;
}

static void full(struct sim_connection *connection)
{
    sim_probe(connection->world, "sim: a full backlog");
    if (connection->net == SIM_TCP)
        try_again(connection);
    else
        fail(connection, connection->net == SIM_UNIX ? -EAGAIN : -ECONNREFUSED, connection->world->now);
}

static void admit(struct sim_connection *connection, struct sim_port *port)
{
    struct sim_end *server = &connection->ends[1];

    server->host = connection->to_host;
    server->local = connection->net == SIM_TCP ? connection->to.address : port->address;
    if (connection->net == SIM_TCP)
        sim_host_address(server->host, connection->ends[0].host, &connection->to.address, &server->local);
    server->keepalive = port->keepalive;
    sim_port_admit(port, server);
    connection->knock.happen = answer;
    sim_event_plan(connection->world, &connection->knock, sim_travel(connection));
}

/* The first segment arrives. */
static void knock(struct sim_world *world, struct sim_event *event)
{
    struct sim_connection *connection = weft_container_of(event, struct sim_connection, knock);
    struct sim_port *port;

    (void)world;
    connection->tries++;
    if (connection->ends[0].gone) {
        sim_connection_settle(connection);
        return;
    }
    if (sim_is_cut(connection) || connection->to_host->off) {
        try_again(connection);
        return;
    }
    port = sim_port_find(connection->to_host, &connection->to);
    if (!port)
        fail(connection, nobody_there(connection), sim_travel(connection));
    else if (port->waiting >= port->most)
        full(connection);
    else
        admit(connection, port);
}

/* -- what befalls it on its way -- */

static int refusal(struct sim_world *world)
{
    static const int answers[] = {-ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH};

    return answers[sim_fault_below(&world->faults, FAULT_refusals, 3)];
}

static void set_out(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;

    if (!connection->to_host)
        fail(connection, -EHOSTUNREACH, world->now);
    else if (sim_fault(&world->faults, FAULT_refusals))
        fail(connection, refusal(world), sim_travel(connection));
    else if (connection->net == SIM_TCP && sim_fault(&world->faults, FAULT_connect_timeouts))
        fail(connection, -ETIMEDOUT, world->now + WEFT_SECONDS(127));
    else
        sim_event_plan(world, &connection->knock, sim_travel(connection));
}

static const uint8_t nowhere[16];

/* Who connects to no address in particular means this host. */
static void mean_this_host(weft_address *to)
{
    if (memcmp(to->ip, nowhere, sizeof nowhere) != 0)
        return;
    if (to->family == WEFT_ADDRESS_IPV4)
        to->ip[0] = 127, to->ip[3] = 1;
    else
        to->ip[15] = 1;
}

static int keep_endpoint(struct sim_connection *connection, const struct backend_endpoint *to)
{
    connection->to = *to;
    if (connection->net == SIM_TCP)
        mean_this_host(&connection->to.address);
    if (to->path.length == 0)
        return 0;
    connection->path = sim_allocate(connection->world, to->path.length);
    if (!connection->path)
        return WEFT_ENOMEM;
    memcpy(connection->path, to->path.data, to->path.length);
    connection->to.path.data = connection->path;
    return 0;
}

static enum sim_net net_of(const struct backend_endpoint *to)
{
    if (to->address.family == WEFT_ADDRESS_UNIX)
        return SIM_UNIX;
    return to->address.family == WEFT_ADDRESS_MEMORY ? SIM_MEMORY : SIM_TCP;
}

static void name_client(struct sim_connection *connection, struct sim_host *host)
{
    struct sim_end *client = &connection->ends[0];
    weft_address towards = connection->to.address;

    client->host = host;
    client->local.family = connection->to.address.family;
    if (connection->net != SIM_TCP)
        return;
    client->local.port = sim_host_next_port(host);
    if (towards.family == WEFT_ADDRESS_IPV4 && towards.ip[0] == 127) /* one of many, but it speaks as the first */
        memcpy(towards.ip, (uint8_t[]){127, 0, 0, 1}, 4);
    sim_host_address(host, connection->to_host, &towards, &client->local);
}

int sim_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                const struct backend_socket_options *options)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_host *host = net_of(to) == SIM_TCP ? sim_host_at(self->host, &to->address) : self->host;
    struct sim_link *way = sim_link_between(self->host, host ? host : self->host);
    struct sim_connection *connection;

    if (net_of(to) == SIM_UNIX && to->path.length >= SIM_PATH)
        return -ENAMETOOLONG;
    if (self->host->down)
        return -ENETDOWN;
    if (sim_fault(&self->world->faults, FAULT_descriptors))
        return -EMFILE;
    if (sim_fault(&self->world->faults, FAULT_buffers))
        return -ENOBUFS;
    connection = way ? sim_connection_new(self->host, way, net_of(to)) : NULL;
    if (!connection)
        return WEFT_ENOMEM;
    connection->to_host = host;
    sim_event_init(&connection->knock, knock);
    if (keep_endpoint(connection, to) < 0) {
        sim_connection_settle(connection);
        return WEFT_ENOMEM;
    }
    name_client(connection, self->host);
    connection->ends[0].keepalive = options->keepalive;
    connection->ends[0].connecting = true;
    sim_stream_attach(&connection->ends[0], self, stream);
    sim_note(self->world, "connect", self->host, connection->number, connection->to.address.port, 0);
    set_out(connection);
    return 0;
}
