/* SPDX-License-Identifier: MIT */
/* Jobs in a simulated world: they run in place, after the time that they take (world.h). */
#include "backend/sim/world.h"

#include <weft/error.h>
#include <weft/memory.h>

#include "base/realtime.h"

struct sim_job {
    weft_link link; /* in the jobs of its backend: under way, or done */
    struct sim_event event;
    struct sim_backend *backend;
    weft_work *work;
    bool ran; /* but what it waited for takes until the event */
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

static struct sim_job *find_in(weft_link *list, const weft_work *work)
{
    for (weft_link *link = list->next; link != list; link = link->next) {
        struct sim_job *job = weft_container_of(link, struct sim_job, link);
        if (job->work == work)
            return job;
    }
    return NULL;
}

static struct sim_job *find(struct sim_backend *backend, const weft_work *work)
{
    struct sim_job *job = find_in(&backend->jobs, work);

    if (!job)
        job = find_in(&backend->jobs_done, work);
    return job ? job : find_in(&backend->jobs_now, work);
}

/* One that ran already is told of in the next turn: a program that is ended has no time left to wait in. */

bool sim_job_cancel(struct backend *backend, weft_work *work)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_job *job = find(self, work);

    if (!job)
        return false;
    if (!job->ran) {
        job_free(job);
        return true;
    }
    if (heap_contains(&job->event.node)) {
        sim_event_cancel(self->world, &job->event);
        job_ends(self->world, &job->event);
    }
    return false;
}

/* Has it do its work. Returns how long it goes on to take. */
static weft_time run(struct sim_job *job)
{
    struct sim_world *world = job->backend->world;
    weft_time time = 0;

    world->job_time = &time;
    realtime_look_away();
    job->work->run(job->work);
    realtime_look_again();
    world->job_time = NULL;
    job->ran = true;
    return time;
}

static void tell(struct sim_job *job)
{
    struct sim_backend *backend = job->backend;
    weft_work *work = job->work;

    weft_link_remove(&job->link);
    weft_release(job);
    sim_note(backend->world, "job done", backend->host, 0, 0, 0);
    work->done(work);
}

/* Those that they start are for the next turn; those that they cancel are not run. */
void sim_jobs_run(struct sim_backend *backend)
{
    weft_link *now = &backend->jobs_now;

    weft_link_splice(now, &backend->jobs_done);
    while (!weft_link_is_alone(now)) {
        struct sim_job *job = weft_container_of(now->next, struct sim_job, link);
        weft_time time = job->ran ? 0 : run(job);

        if (time == 0) {
            tell(job);
            continue;
        }
        weft_link_remove(&job->link);
        weft_link_insert_before(&backend->jobs, &job->link);
        sim_event_plan(backend->world, &job->event, backend->world->now + time);
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
