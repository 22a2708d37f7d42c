/* SPDX-License-Identifier: MIT */
#include "backend/sim/worker.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

#include <weft/error.h>
#include <weft/log.h>
#include <weft/memory.h>

#include "backend/thread.h"
#include "base/realtime.h"

/* How long, in real time, a worker may take for its turn before somebody is told. */
#define PATIENCE_S 5

struct sim_worker {
    weft_link link; /* in world->workers, until it has ended */
    struct thread thread;
    void (*run)(void *arg);
    void *arg;
    struct sim_host *host;
    const void *program;
    struct sim_wait wait; /* for what, while it is parked */
    int answer;           /* what that returns */
    bool ended;
    sem_t go, stopped;
};

/* This thread's. */
static _Thread_local struct sim_worker *here;

static void take(sem_t *semaphore)
{
    realtime_look_away();
    while (sem_wait(semaphore) < 0)
        ; /* a signal came */
    realtime_look_again();
}

static void stop(struct sim_worker *worker)
{
    sem_post(&worker->stopped);
}

static void run(void *arg)
{
    struct sim_worker *worker = arg;

    take(&worker->go);
    here = worker;
    sim_open_on(worker->host);
    worker->run(worker->arg);
    sim_note(worker->host->world, "worker ends", worker->host, 0, 0, 0);
    worker->ended = true;
    weft_link_remove(&worker->link);
    stop(worker);
}

bool sim_worker_is_here(const struct sim_world *world)
{
    return here && here->host->world == world;
}

const void *sim_program_here(const struct sim_world *world)
{
    return sim_worker_is_here(world) ? here->program : world->program;
}

bool sim_worker_has_ended(const struct sim_worker *worker)
{
    return worker->ended;
}

const struct sim_host *sim_worker_host(const struct sim_worker *worker)
{
    return worker->host;
}

int sim_worker_park(const struct sim_wait *wait)
{
    struct sim_worker *worker = here;

    worker->wait = *wait;
    stop(worker);
    take(&worker->go);
    return worker->answer;
}

/* -- the runner -- */

/* Whether @semaphore was taken while there was patience. */
static bool take_soon(sem_t *semaphore)
{
    struct timespec end;
    int status;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    do
        status = sem_timedwait(semaphore, &end);
    while (status < 0 && errno == EINTR);
    return status == 0;
}

/* One that blocks outside of Weft, where nobody can let others run, stops the whole world. */
void sim_worker_step(struct sim_worker *worker)
{
    sem_post(&worker->go);
    if (take_soon(&worker->stopped))
        return;
    weft_log(
        WEFT_LOG_ERROR, "sim",
        "a worker on %s has not waited in its loop for %d s of real time: it computes, or it waits outside of Weft "
        "for somebody who has no turn until it goes on (weft/worker.h)",
        worker->host->name, PATIENCE_S);
    take(&worker->stopped);
}

static void end(struct sim_worker *worker)
{
    worker->answer = -EDEADLK;
    while (!worker->ended)
        sim_worker_step(worker);
}

static struct sim_worker *worker_of(const struct sim_world *world, const void *program)
{
    for (weft_link *link = world->workers.next; link != &world->workers; link = link->next) {
        struct sim_worker *worker = weft_container_of(link, struct sim_worker, link);
        if (worker->program == program)
            return worker;
    }
    return NULL;
}

/* (One may end others, since it joins them.) */
void sim_workers_end(struct sim_world *world, const void *program)
{
    struct sim_worker *worker;

    while ((worker = worker_of(world, program)))
        end(worker);
}

struct sim_worker *sim_workers_choose(struct sim_world *world, unsigned *ready, weft_time *due)
{
    struct sim_worker *chosen = NULL;

    for (weft_link *link = world->workers.next; link != &world->workers; link = link->next) {
        struct sim_worker *worker = weft_container_of(link, struct sim_worker, link);
        weft_time when = sim_wait_due(&worker->wait);

        if (when < *due)
            *due = when;
        if (when <= world->now && (++*ready == 1 || random_below(&world->schedule, *ready) == 0))
            chosen = worker;
    }
    return chosen;
}

weft_time sim_workers_due(const struct sim_world *world)
{
    weft_time due = WEFT_NEVER;

    for (const weft_link *link = world->workers.next; link != &world->workers; link = link->next) {
        weft_time when = sim_wait_due(&weft_container_of(link, const struct sim_worker, link)->wait);
        due = when < due ? when : due;
    }
    return due;
}

/* -- starting and joining -- */

static void discard(struct sim_worker *worker)
{
    weft_link_remove(&worker->link);
    sem_destroy(&worker->go);
    sem_destroy(&worker->stopped);
    weft_release(worker);
}

int sim_thread_start(struct backend *backend, struct thread **ret, void (*run_)(void *arg), void *arg)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_worker *worker;
    int status;

    if (self->stepped)
        return -EBUSY;
    if (sim_fault(&self->world->faults, FAULT_threads)) {
        sim_note(self->world, "no worker", self->host, 0, 0, 0);
        return -EAGAIN;
    }
    worker = sim_allocate(self->world, sizeof *worker);
    if (!worker)
        return WEFT_ENOMEM;
    worker->thread = (struct thread){.run = run, .arg = worker};
    worker->run = run_;
    worker->arg = arg;
    worker->host = self->host;
    worker->program = sim_program_here(self->world);
    sem_init(&worker->go, 0, 0);
    sem_init(&worker->stopped, 0, 0);
    weft_link_insert_before(&self->world->workers, &worker->link);
    status = thread_begin(&worker->thread);
    if (status < 0) {
        discard(worker);
        return status;
    }
    sim_note(self->world, "worker", self->host, 0, 0, 0);
    *ret = &worker->thread;
    return 0;
}

/* If nothing that can happen would end it, its wait fails. */
void sim_thread_join(struct backend *backend, struct thread *thread)
{
    struct sim_worker *worker = weft_container_of(thread, struct sim_worker, thread);
    struct sim_world *world = sim_backend_of(backend)->world, *before = sim_world_current();
    struct sim_wait wait = {.worker = worker, .until = WEFT_NEVER};

    if (sim_wait_for(world, &wait) < 0)
        end(worker);
    sim_world_enter(before);
    realtime_look_away();
    pthread_join(thread->thread, NULL);
    realtime_look_again();
    discard(worker);
}
