/* SPDX-License-Identifier: MIT */
/* Names in a simulated world: the system's own resolver is never asked (world.h). */
#include "backend/names.h"

#include <weft/error.h>

#include "backend/sim/world.h"

/* The most that one answer is late: a resolver has asked three servers twice by then (resolv.conf(5)). */
#define LATE_MOST WEFT_SECONDS(30)

static void run(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);
    struct sim_world *world = sim_world_current();

    if (sim_fault(&world->faults, FAULT_name_failures))
        query->result = sim_fault_below(&world->faults, FAULT_name_failures, 2) ? WEFT_ENAMETRY : WEFT_ENONAME;
    else
        query->result = sim_host_addresses(world, query->host, query->addresses);
    sim_note(world, "name", NULL, 0, query->result, 0);
}

static void done(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);

    query->finished(query);
}

int sim_name_submit(struct backend *backend, struct name_query *query)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_faults *faults = &self->world->faults;
    weft_time late = 0;

    query->work.run = run;
    query->work.done = done;
    if (sim_fault(faults, FAULT_slow_names))
        late = (weft_time)sim_fault_below(faults, FAULT_slow_names, LATE_MOST);
    return sim_job_start(self, &query->work, late);
}

bool sim_name_cancel(struct backend *backend, struct name_query *query)
{
    return sim_job_cancel(backend, &query->work);
}
