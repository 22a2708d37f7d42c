/* SPDX-License-Identifier: MIT */
/* Names in a simulated world are those of its hosts (world.h). Beside a loop that is a world of its own there is no
 * other, so there the system is asked. */
#include "backend/names.h"

#include <weft/error.h>

#include "backend/sim/world.h"

static int resolve(const struct sim_world *world, const char *name, weft_address *ret)
{
    static const weft_address v4 = {.family = WEFT_ADDRESS_IPV4}, v6 = {.family = WEFT_ADDRESS_IPV6};
    const struct sim_host *host = sim_host_named(world, weft_bytes_from(name));

    if (!host)
        return world->park ? WEFT_ENONAME : names_resolve(name, ret, NAMES_MOST);
    ret[0] = ret[1] = (weft_address){0};
    sim_host_address(host, NULL, &v4, &ret[0]);
    sim_host_address(host, NULL, &v6, &ret[1]);
    return 2;
}

/* (What a loop runs in its turn runs in its world.) */
static void run(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);
    struct sim_world *world = sim_world_current();

    if (sim_fault(&world->faults, FAULT_name_failures))
        query->result = sim_fault_below(&world->faults, FAULT_name_failures, 2) ? WEFT_ENAMETRY : WEFT_ENONAME;
    else
        query->result = resolve(world, query->host, query->addresses);
    sim_note(world, "name", NULL, 0, query->result, 0);
}

static void done(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);

    query->finished(query);
}

/* A resolver may try several servers, for 5 s each (resolv.conf(5)). */
static weft_time time_needed(struct sim_world *world)
{
    if (!sim_fault(&world->faults, FAULT_slow_names))
        return 0;
    return (weft_time)sim_fault_below(&world->faults, FAULT_slow_names,
                                      (uint64_t)WEFT_MILLISECONDS(1)
                                          << sim_fault_below(&world->faults, FAULT_slow_names, 16));
}

int sim_name_submit(struct backend *backend, struct name_query *query)
{
    struct sim_backend *self = sim_backend_of(backend);

    query->work.run = run;
    query->work.done = done;
    return sim_job_start(self, &query->work, time_needed(self->world));
}

bool sim_name_cancel(struct backend *backend, struct name_query *query)
{
    return sim_job_cancel(backend, &query->work);
}
