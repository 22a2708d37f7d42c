/* SPDX-License-Identifier: MIT */
/* Names in a simulated world: looked up in place, as jobs are (world.h). */
#include "backend/names.h"

#include "backend/sim/world.h"

static void run(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);

    query->result = names_resolve(query->host, query->addresses, NAMES_MOST);
}

static void done(weft_work *work)
{
    struct name_query *query = weft_container_of(work, struct name_query, work);

    query->finished(query);
}

int sim_name_submit(struct backend *backend, struct name_query *query)
{
    query->work.run = run;
    query->work.done = done;
    return sim_job_submit(backend, &query->work);
}

bool sim_name_cancel(struct backend *backend, struct name_query *query)
{
    return sim_job_cancel(backend, &query->work);
}
