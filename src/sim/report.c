/* SPDX-License-Identifier: MIT */
/* What can be asked of a simulated world (weft/sim.h). */
#include "sim/sim_internal.h"

#include <string.h>

#include <weft/memory.h>

#include "loop/loop_internal.h"

static bool make_room(weft_sim *sim)
{
    size_t room = sim->probe_room ? sim->probe_room * 2 : 64;
    struct sim_probe *probes = sim_allocate(&sim->world, room * sizeof *probes);

    if (!probes)
        return false;
    if (sim->probe_count > 0)
        memcpy(probes, sim->probes, sim->probe_count * sizeof *probes);
    weft_release(sim->probes);
    sim->probes = probes;
    sim->probe_room = room;
    return true;
}

void sim_reach(struct sim_world *world, const char *probe)
{
    weft_sim *sim = weft_container_of(world, weft_sim, world);

    for (size_t i = 0; i < sim->probe_count; i++)
        if (sim->probes[i].name == probe || strcmp(sim->probes[i].name, probe) == 0) {
            sim->probes[i].count++;
            return;
        }
    if (sim->probe_count == sim->probe_room && !make_room(sim))
        weft_sim_fail(sim, "no memory to count the probe \"%s\"", probe);
    else
        sim->probes[sim->probe_count++] = (struct sim_probe){.name = probe, .count = 1};
}

uint64_t weft_sim_reached(const weft_sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->probe_count; i++)
        if (strcmp(sim->probes[i].name, name) == 0)
            return sim->probes[i].count;
    return 0;
}

weft_time weft_sim_now(const weft_sim *sim)
{
    return sim->world.now - SIM_BEGINNING;
}

uint64_t weft_sim_seed(const weft_sim *sim)
{
    return sim->world.seed;
}

uint64_t weft_sim_draw(weft_sim *sim, uint64_t bound)
{
    return bound > 0 ? random_below(&sim->world.user, bound) : 0;
}

uint64_t weft_sim_hash(const weft_sim *sim)
{
    return sim->world.hash;
}

void weft_sim_each_fault(const weft_sim *sim, weft_sim_fault_line *line, void *arg)
{
    const struct sim_faults *faults = &sim->world.faults;

    for (int kind = 0; kind < SIM_FAULTS; kind++)
        line(sim_fault_name((enum sim_fault_kind)kind), faults->chance[kind], faults->occasions[kind],
             faults->fired[kind], arg);
}

void weft_sim_count(const weft_sim *sim, weft_sim_counts *ret)
{
    *ret = sim->world.counts;
    ret->faults = 0;
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        ret->faults += sim->world.faults.fired[kind];
}

void weft_sim_trace(weft_sim *sim, void (*line)(const char *text, void *arg), void *arg)
{
    sim->world.trace = line;
    sim->world.trace_arg = arg;
}

void weft_sim_dump(const weft_sim *sim, weft_dump_line *line, void *arg)
{
    for (weft_link *at = sim->world.hosts.next; at != &sim->world.hosts; at = at->next) {
        const struct sim_host *host = weft_container_of(at, const struct sim_host, link);
        for (weft_link *link = host->backends.next; link != &host->backends; link = link->next) {
            const struct sim_backend *backend = weft_container_of(link, const struct sim_backend, link);
            line(host->name, arg);
            weft_loop_dump(weft_container_of(backend->base.host, const weft_loop, host), line, arg);
        }
    }
}
