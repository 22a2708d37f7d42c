/* SPDX-License-Identifier: MIT */
/* A host that loses its power, and one whose programs are killed (weft/sim.h). */
#include "sim/sim_internal.h"

#include <errno.h>

#include "backend/sim/network.h"

/* What runs there is taken apart, with a disk that takes nothing any more: it must not tidy up. */
static void stop(weft_sim *sim, struct sim_host *host)
{
    bool ending = sim->ending;

    sim->ending = host->down = host->disk.off = true;
    for (weft_link *link = sim->nodes.next, *next = link->next; link != &sim->nodes; link = next, next = link->next) {
        struct sim_node *node = weft_container_of(link, struct sim_node, link);
        if (node->host == host)
            sim_node_free(node);
    }
    sim->ending = ending;
    host->down = false;
}

int weft_sim_crash(weft_sim *sim, const char *name)
{
    struct sim_host *host = sim_host_named(&sim->world, weft_bytes_from(name));

    if (!host)
        return -ENOENT;
    sim_note(&sim->world, "crash", host, 0, 0, 0);
    sim_connections_crash(host);
    stop(sim, host);
    sim_disk_crash(&host->disk);
    host->disk.off = false;
    host->off = true;
    return 0;
}

int weft_sim_kill(weft_sim *sim, const char *name)
{
    struct sim_host *host = sim_host_named(&sim->world, weft_bytes_from(name));

    if (!host)
        return -ENOENT;
    sim_note(&sim->world, "kill", host, 0, 0, 0);
    for (weft_link *link = host->backends.next; link != &host->backends; link = link->next)
        sim_backend_kill(weft_container_of(link, struct sim_backend, link));
    stop(sim, host);
    host->disk.off = false;
    return 0;
}
