/* SPDX-License-Identifier: MIT */
/* A simulated world, its hosts and its faults (weft/sim.h). */
#include "sim/sim_internal.h"

#include <errno.h>
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/sim/network.h"
#include "loop/loop_internal.h"

static weft_sim *sim_of(struct sim_world *world)
{
    return weft_container_of(world, weft_sim, world);
}

/* A loop was freed. */
static void closed(struct sim_world *world, struct sim_backend *backend)
{
    weft_sim *sim = sim_of(world);

    for (weft_link *link = sim->nodes.next; link != &sim->nodes; link = link->next) {
        struct sim_node *node = weft_container_of(link, struct sim_node, link);
        if (node->loop && node->loop->backend == &backend->base)
            node->loop = NULL;
    }
}

weft_sim *weft_sim_new(uint64_t seed)
{
    weft_sim *sim = weft_allocate_zeroed(1, sizeof *sim);

    if (!sim)
        return NULL;
    sim_world_init(&sim->world, seed);
    sim->world.closed = closed;
    sim->world.reach = sim_reach;
    sim->world.park = sim_park;
    weft_link_init(&sim->nodes);
    return sim;
}

void sim_node_free(struct sim_node *node)
{
    if (node->program)
        sim_program_free(node->program);
    weft_loop_free(node->loop);
    weft_link_remove(&node->link);
    weft_release(node);
}

void weft_sim_free(weft_sim *sim)
{
    if (!sim)
        return;
    sim->ending = true;
    weft_sim_calm(sim);
    while (!weft_link_is_alone(&sim->nodes))
        sim_node_free(weft_container_of(sim->nodes.prev, struct sim_node, link));
    stack_pool_free(sim->stacks);
    sim_world_fini(&sim->world);
    weft_release(sim->probes);
    weft_release(sim);
}

/* -- hosts -- */

static struct sim_node *node_new(weft_sim *sim, const char *name)
{
    struct sim_node *node = sim_allocate(&sim->world, sizeof *node);

    if (!node)
        return NULL;
    node->host = sim_host_named(&sim->world, weft_bytes_from(name));
    if (!node->host)
        node->host = sim_host_new(&sim->world, name);
    if (!node->host) {
        weft_release(node);
        return NULL;
    }
    if (node->host->off) {
        node->host->off = false;
        sim_connections_restart(node->host);
    }
    weft_link_insert_before(&sim->nodes, &node->link);
    return node;
}

weft_loop *weft_sim_host(weft_sim *sim, const char *name)
{
    struct sim_node *node = node_new(sim, name);
    int status;

    if (!node)
        return NULL;
    sim_open_on(node->host);
    status = weft_loop_new(NULL, &node->loop);
    sim_open_on(NULL);
    if (status < 0) {
        sim_node_free(node);
        return NULL;
    }
    sim_backend_of(node->loop->backend)->stepped = true;
    return node->loop;
}

int weft_sim_program(weft_sim *sim, const char *name, int (*entry)(int argc, char **argv), char **argv)
{
    struct sim_node *node;
    int status = sim->stacks ? 0 : stack_pool_new(&sim->stacks);

    if (status < 0)
        return status;
    node = node_new(sim, name);
    if (!node)
        return WEFT_ENOMEM;
    node->program = sim_allocate(&sim->world, sizeof *node->program);
    if (!node->program) {
        sim_node_free(node);
        return WEFT_ENOMEM;
    }
    *node->program = (struct sim_program){.sim = sim, .host = node->host, .entry = entry, .argv = argv};
    return 0;
}

int weft_sim_program_status(const weft_sim *sim, const char *name)
{
    for (weft_link *link = sim->nodes.prev; link != &sim->nodes; link = link->prev) {
        struct sim_node *node = weft_container_of(link, struct sim_node, link);
        if (node->program && strcmp(node->host->name, name) == 0)
            return node->program->state == PROGRAM_ENDED ? node->program->result : -EINPROGRESS;
    }
    return -ENOENT;
}

int weft_sim_signal(weft_sim *sim, const char *name, int number)
{
    struct sim_host *host = sim_host_named(&sim->world, weft_bytes_from(name));

    if (!host || number < 1 || number > 63)
        return host ? -EINVAL : -ENOENT;
    for (weft_link *link = host->backends.next; link != &host->backends; link = link->next)
        weft_container_of(link, struct sim_backend, link)->raised |= UINT64_C(1) << number;
    return 0;
}

int weft_sim_cut(weft_sim *sim, const char *one, const char *other, bool cut)
{
    struct sim_host *a = sim_host_named(&sim->world, weft_bytes_from(one));
    struct sim_host *b = sim_host_named(&sim->world, weft_bytes_from(other));
    struct sim_link *link = a && b ? sim_link_between(a, b) : NULL;

    if (!link)
        return a && b ? WEFT_ENOMEM : -ENOENT;
    sim_link_cut(link, cut);
    return 0;
}

/* -- faults -- */

int weft_sim_faults(weft_sim *sim, const weft_faults *faults)
{
    return sim_faults_set(&sim->world.faults, faults);
}

void weft_sim_swarm(weft_sim *sim, bool allocations)
{
    sim_faults_draw(&sim->world.faults, &sim->world.schedule, allocations);
}

void weft_sim_gentle(weft_sim *sim)
{
    sim_faults_gentle(&sim->world.faults);
}

static void mend_links(struct sim_world *world)
{
    for (weft_link *at = world->hosts.next; at != &world->hosts; at = at->next) {
        struct sim_host *host = weft_container_of(at, struct sim_host, link);
        for (weft_link *link = host->links.next; link != &host->links; link = link->next) {
            struct sim_link *way = weft_container_of(link, struct sim_link, link);
            sim_event_cancel(world, &way->mend);
            sim_link_cut(way, false);
        }
    }
}

void weft_sim_calm(weft_sim *sim)
{
    sim_faults_calm(&sim->world.faults);
    mend_links(&sim->world);
}

void weft_sim_keep(weft_sim *sim, bool (*keep)(uint64_t number, void *arg), void *arg)
{
    sim->world.faults.keep = keep;
    sim->world.faults.keep_arg = arg;
}
