/* SPDX-License-Identifier: MIT */
/* What befalls connections when a host of theirs loses its power, has it back, or kills a process (network.h). */
#include "backend/sim/network.h"

#include <errno.h>

/* -- power -- */

/* Calls @p what for each connection of @p host. */
static void each_of_host(struct sim_host *host,
                         void (*what)(struct sim_connection *connection, const struct sim_host *host))
{
    const weft_link *hosts = &host->world->hosts;

    for (weft_link *at = hosts->next; at != hosts; at = at->next) {
        struct sim_host *from = weft_container_of(at, struct sim_host, link);
        for (weft_link *link = from->connections.next, *next; link != &from->connections; link = next) {
            struct sim_connection *connection = weft_container_of(link, struct sim_connection, link);
            next = link->next;
            if (connection->ends[0].host == host || connection->ends[1].host == host)
                what(connection, host);
        }
    }
}

static void crash(struct sim_connection *connection, const struct sim_host *host)
{
    (void)host;
    if (connection->silent)
        return;
    connection->crashed = true;
    sim_connection_silence(connection);
}

void sim_connections_crash(struct sim_host *host)
{
    each_of_host(host, crash);
}

/* RFC 9293, section 3.5.2: half-open connections. What was on its way from the host is lost. */
static void restart(struct sim_connection *connection, const struct sim_host *host)
{
    struct sim_end *dead = &connection->ends[connection->ends[1].host == host], *peer = dead->peer;

    if (!connection->crashed || peer->host == host)
        return;
    connection->crashed = connection->silent = false;
    dead->gone = true;
    dead->status = -ECONNABORTED;
    peer->segment_count = 0;
    peer->flying = peer->unsent = 0;
    sim_connection_resume(connection);
    sim_connection_settle(connection);
}

void sim_connections_restart(struct sim_host *host)
{
    each_of_host(host, restart);
}

/* -- a process that is killed -- */

static void kill_ports(const struct sim_backend *backend)
{
    for (weft_link *link = backend->host->ports.next, *next; link != &backend->host->ports; link = next) {
        struct sim_port *port = weft_container_of(link, struct sim_port, link);
        next = link->next;
        if (port->backend == backend)
            sim_port_kill(port);
    }
}

static void kill_ends(const struct sim_backend *backend, const struct sim_host *from)
{
    for (weft_link *link = from->connections.next; link != &from->connections; link = link->next) {
        struct sim_connection *connection = weft_container_of(link, struct sim_connection, link);
        for (int i = 0; i < 2; i++)
            if (connection->ends[i].backend == backend)
                sim_end_kill(&connection->ends[i]);
    }
}

void sim_backend_kill(struct sim_backend *backend)
{
    const weft_link *hosts = &backend->world->hosts;

    kill_ports(backend);
    sim_datagrams_kill(backend);
    for (weft_link *link = hosts->next; link != hosts; link = link->next)
        kill_ends(backend, weft_container_of(link, struct sim_host, link));
}
