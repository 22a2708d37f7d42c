/* SPDX-License-Identifier: MIT */
/* Jobs in a simulated world: they run in place, after the time that they take (world.h). */
#include "backend/sim/world.h"

#include <weft/error.h>
#include <weft/memory.h>

struct sim_job {
    weft_link link; /* in the jobs of its backend: under way, or done */
    struct sim_event event;
    struct sim_backend *backend;
    weft_work *work;
};

static void job_ends(struct sim_world *world, struct sim_event *event)
{
    struct sim_job *job = weft_container_of(event, struct sim_job, event);

    (void)world;
    weft_link_remove(&job->link);
    weft_link_insert_before(&job->backend->jobs_done, &job->link);
}

static weft_time time_needed(struct sim_world *world)
{
    if (!sim_fault(&world->faults, FAULT_slow_jobs))
        return 0;
    return (weft_time)sim_fault_below(&world->faults, FAULT_slow_jobs,
                                      (uint64_t)WEFT_MILLISECONDS(1)
                                          << sim_fault_below(&world->faults, FAULT_slow_jobs, 14));
}

int sim_job_start(struct sim_backend *self, weft_work *work, weft_time time)
{
    struct sim_job *job = sim_allocate(self->world, sizeof *job);

    if (!job)
        return WEFT_ENOMEM;
    job->backend = self;
    job->work = work;
    sim_event_init(&job->event, job_ends);
    weft_link_insert_before(&self->jobs, &job->link);
    sim_event_plan(self->world, &job->event, self->world->now + time);
    sim_note(self->world, "job", self->host, 0, time, 0);
    return 0;
}

int sim_job_submit(struct backend *backend, weft_work *work)
{
    struct sim_backend *self = sim_backend_of(backend);

    return sim_job_start(self, work, time_needed(self->world));
}

static void job_free(struct sim_job *job)
{
    sim_event_cancel(job->backend->world, &job->event);
    weft_link_remove(&job->link);
    weft_release(job);
}

static bool cancel_in(weft_link *list, const weft_work *work)
{
    for (weft_link *link = list->next; link != list; link = link->next) {
        struct sim_job *job = weft_container_of(link, struct sim_job, link);
        if (job->work == work) {
            job_free(job);
            return true;
        }
    }
    return false;
}

bool sim_job_cancel(struct backend *backend, weft_work *work)
{
    struct sim_backend *self = sim_backend_of(backend);

    return cancel_in(&self->jobs, work) || cancel_in(&self->jobs_done, work) || cancel_in(&self->jobs_now, work);
}

/* Those that they start are for the next turn; those that they cancel are not run. */
void sim_jobs_run(struct sim_backend *backend)
{
    weft_link *now = &backend->jobs_now;

    weft_link_splice(now, &backend->jobs_done);
    while (!weft_link_is_alone(now)) {
        struct sim_job *job = weft_container_of(now->next, struct sim_job, link);
        weft_work *work = job->work;

        weft_link_remove(&job->link);
        weft_release(job);
        sim_note(backend->world, "job done", backend->host, 0, 0, 0);
        work->run(work);
        work->done(work);
    }
}

static void free_list(weft_link *list)
{
    while (!weft_link_is_alone(list))
        job_free(weft_container_of(list->next, struct sim_job, link));
}

void sim_jobs_free(struct sim_backend *backend)
{
    free_list(&backend->jobs);
    free_list(&backend->jobs_done);
    free_list(&backend->jobs_now);
}
