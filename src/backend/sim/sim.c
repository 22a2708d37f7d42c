/* SPDX-License-Identifier: MIT */
/*
 * The simulator's backend (world.h). Time passes only in `wait`: it jumps to
 * the next thing that happens. When nothing ever will, waiting fails with
 * -EDEADLK instead of hanging the test.
 */
#include "backend/sim.h"

#include <errno.h>

#include <weft/memory.h>

#include "backend/sim/environment.h"
#include "backend/sim/shared.h"
#include "backend/sim/visitor.h"
#include "backend/sim/worker.h"
#include "backend/thread.h"

/* 2026-01-01 00:00:00 UTC: where the simulated wall clock starts. */
#define WALL_START WEFT_SECONDS(1767225600)
#define SIGNALS 64

static weft_time sim_now(struct backend *backend)
{
    return sim_backend_of(backend)->world->now;
}

static weft_time sim_wall(struct backend *backend)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_world *world = self->world;

    if (sim_fault(&world->faults, FAULT_clock_jumps))
        self->host->wall_skew +=
            (weft_time)sim_fault_below(&world->faults, FAULT_clock_jumps, WEFT_HOURS(2)) - WEFT_HOURS(1);
    return WALL_START + world->now + self->host->wall_skew;
}

weft_time sim_world_wall(const struct sim_world *world)
{
    return WALL_START + world->now;
}

/* -- whose code runs -- */

static _Thread_local struct sim_host *open_on;
/* That of a loop which is a world by itself. */
static _Thread_local struct sim_host *alone;

/* Nobody's turn runs; but the program on a host may. */
static void leave(void)
{
    sim_world_enter(NULL);
    sim_disk_enter(open_on ? open_on : alone);
}

/* -- waiting -- */

void sim_news_add(struct sim_backend *backend, struct sim_news *news)
{
    if (weft_link_is_alone(&news->link))
        weft_link_insert_before(&backend->news, &news->link);
}

bool sim_is_ready(const struct sim_backend *self)
{
    return !weft_link_is_alone(&self->news) || !weft_link_is_alone(&self->jobs_done) ||
           (self->raised & self->watched) || atomic_load_explicit(&self->woken, memory_order_relaxed);
}

static bool sim_has_work(const struct backend *backend)
{
    const struct sim_backend *self = weft_container_of(backend, const struct sim_backend, base);

    return sim_is_ready(self) || sim_world_next(self->world) <= self->world->now;
}

weft_time sim_world_lateness(struct sim_world *world)
{
    if (!sim_fault(&world->faults, FAULT_late_timers))
        return 0;
    return (weft_time)sim_fault_below(&world->faults, FAULT_late_timers, WEFT_MILLISECONDS(200));
}

weft_time sim_wait_due(const struct sim_wait *wait)
{
    if (wait->worker)
        return sim_worker_has_ended(wait->worker) ? 0 : wait->until;
    return wait->backend && sim_is_ready(wait->backend) ? 0 : wait->until;
}

/* Moves the clock to what comes next, where a loop may want to go on at @p due. Returns whether there is anything. */
static bool move_on(struct sim_world *world, weft_time due)
{
    weft_time next = sim_world_next(world);

    if (due == WEFT_NEVER && next == WEFT_NEVER)
        return false;
    sim_world_advance(world, next > due ? due + sim_world_lateness(world) : next);
    return true;
}

/* (Where there is a runner, it gives the workers their turns; but not while somebody waits who runs in its place.) */
int sim_wait_alone(struct sim_world *world, const struct sim_wait *wait)
{
    bool steps = !world->park || wait->worker;
    struct sim_worker *worker;
    unsigned ready;
    weft_time due;

    do {
        while (sim_visitors_turn(world))
            ;
        due = sim_wait_due(wait);
        ready = due <= world->now;
        worker = steps ? sim_workers_choose(world, &ready, &due) : NULL;
        if (worker)
            sim_worker_step(worker);
        else if (ready)
            return 0;
    } while (worker || move_on(world, due));
    return -EDEADLK;
}

int sim_wait_for(struct sim_world *world, const struct sim_wait *wait)
{
    if (sim_worker_is_here(world))
        return sim_worker_park(wait);
    return world->park ? world->park(world, wait) : sim_wait_alone(world, wait);
}

static int wait_long(struct sim_backend *self, weft_time timeout)
{
    struct sim_world *world = self->world;
    weft_time until = timeout >= WEFT_NEVER - world->now ? WEFT_NEVER : world->now + timeout;
    bool runs_itself = !world->park || sim_worker_is_here(world);

    if (runs_itself && timeout != 0) {
        self->for_nothing = !self->for_nothing && sim_fault(&world->faults, FAULT_spurious_wakeups);
        if (self->for_nothing)
            return 0;
    }
    return sim_wait_for(world, &(struct sim_wait){.backend = self, .until = until});
}

/* Where there are programs or workers each turn may be another's. Whoever has something to do goes on, even if the world ends. */
static int wait_in_turn(struct sim_backend *self, weft_time timeout)
{
    bool ready = sim_is_ready(self) || timeout == 0;
    int status;

    if (ready && !self->world->park && weft_link_is_alone(&self->world->workers))
        return 0;
    status = wait_long(self, ready ? 0 : timeout);
    return ready && !sim_worker_is_here(self->world) ? 0 : status;
}

static int sim_wait(struct backend *backend, weft_time timeout)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_world *world = self->world;
    int status = sim_worker_is_here(world) ? 0 : sim_shared_check(world);

    if (status < 0)
        return status;
    leave();
    sim_world_advance(world, world->now);
    status = wait_in_turn(self, timeout);
    atomic_store_explicit(&self->woken, false, memory_order_relaxed);
    sim_note(world, "turn", self->host, 0, 0, 0);
    world->counts.turns++;
    sim_world_enter(world);
    sim_disk_enter(self->host);
    return status;
}

/* -- telling -- */

/* In a hostile world the order in which a loop hears of things is not that in which they happened. */
static struct sim_news *next_news(struct sim_world *world, weft_link *news)
{
    bool last = world->faults.chance[FAULT_rare_paths] > 0 && random_below(&world->schedule, 2);

    return weft_container_of(last ? news->prev : news->next, struct sim_news, link);
}

static void tell_news(struct sim_backend *self)
{
    weft_link now;

    weft_link_init(&now);
    weft_link_splice(&now, &self->news);
    while (!weft_link_is_alone(&now)) {
        struct sim_news *news = next_news(self->world, &now);
        weft_link_remove(&news->link);
        news->tell(self, news);
    }
}

static void sim_dispatch(struct backend *backend)
{
    struct sim_backend *self = sim_backend_of(backend);
    uint64_t raised = self->raised & self->watched;

    self->raised &= ~raised;
    for (int number = 1; raised && number < SIGNALS; number++)
        if (raised & (UINT64_C(1) << number))
            backend->host->signalled(backend->host, number);
    tell_news(self);
    sim_jobs_run(self);
}

static int sim_descriptor(const struct backend *backend)
{
    (void)backend;
    return -1;
}

static void sim_wake(struct backend *backend) WEFT_NONBLOCKING
{
    atomic_store_explicit(&sim_backend_of(backend)->woken, true, memory_order_relaxed);
}

static int sim_entropy(struct backend *backend, void *memory, size_t length)
{
    random_fill(&sim_backend_of(backend)->world->secrets, memory, length);
    return 0;
}

static int sim_signal_watch(struct backend *backend, int number, bool on)
{
    struct sim_backend *self = sim_backend_of(backend);

    if (number < 1 || number >= SIGNALS)
        return -EINVAL;
    if (on)
        self->watched |= UINT64_C(1) << number;
    else
        self->watched &= ~(UINT64_C(1) << number);
    return 0;
}

static int sim_adopt_listener(struct backend *backend, struct backend_listener *listener, int fd,
                              const struct backend_socket_options *options)
{
    (void)backend;
    (void)options;
    (void)listener;
    (void)fd;
    return -EOPNOTSUPP;
}

static int sim_adopt_stream(struct backend *backend, struct backend_stream *stream, int in, int out,
                            const struct backend_socket_options *options, weft_address *peer)
{
    (void)backend;
    (void)options;
    (void)stream;
    (void)in;
    (void)out;
    (void)peer;
    return -EOPNOTSUPP;
}

/* What a kernel says of a descriptor comes from no seed. */
static int sim_watch_start(struct backend *backend, int fd, unsigned interest,
                           void (*ready)(void *owner, unsigned what), void *owner, struct backend_watch **ret)
{
    (void)backend;
    (void)fd;
    (void)interest;
    (void)ready;
    (void)owner;
    (void)ret;
    return -ENOTSUP;
}

/* -- the life of a backend -- */

static void free_world(struct sim_world *world)
{
    sim_shared_leave(world);
    sim_visitors_free(world->visitors);
    sim_environment_leave(world);
    sim_world_fini(world);
    weft_release(world);
}

static void sim_close(struct backend *backend)
{
    struct sim_backend *self = sim_backend_of(backend);
    struct sim_world *world = self->world;
    bool last = self->holds_world && --world->loops == 0;

    if (alone == self->host)
        alone = NULL;
    weft_link_remove(&self->link);
    while (!weft_link_is_alone(&self->news))
        weft_link_remove(self->news.next);
    sim_jobs_free(self);
    if (world->closed)
        world->closed(world, self);
    leave();
    weft_release(self);
    if (last)
        free_world(world);
}

static const struct backend_ops sim_ops = {
    .name = "sim",
    .close = sim_close,
    .now = sim_now,
    .wall = sim_wall,
    .wait = sim_wait,
    .dispatch = sim_dispatch,
    .has_work = sim_has_work,
    .descriptor = sim_descriptor,
    .wake = sim_wake,
    .entropy = sim_entropy,
    .signal_watch = sim_signal_watch,
    .listen = sim_listen,
    .connect = sim_connect,
    .adopt_listener = sim_adopt_listener,
    .adopt_stream = sim_adopt_stream,
    .datagram_open = sim_datagram_open,
    .watch_start = sim_watch_start,
    .job_submit = sim_job_submit,
    .job_cancel = sim_job_cancel,
    .name_submit = sim_name_submit,
    .name_cancel = sim_name_cancel,
    .thread_start = sim_thread_start,
    .thread_join = sim_thread_join,
};

int sim_backend_new(struct sim_host *host, struct sim_backend **ret)
{
    struct sim_backend *self = sim_allocate(host->world, sizeof *self);

    if (!self)
        return WEFT_ENOMEM;
    self->base.ops = &sim_ops;
    self->host = host;
    self->world = host->world;
    weft_link_insert_before(&host->backends, &self->link);
    weft_link_init(&self->news);
    weft_link_init(&self->jobs);
    weft_link_init(&self->jobs_done);
    weft_link_init(&self->jobs_now);
    *ret = self;
    return 0;
}

void sim_open_on(struct sim_host *host)
{
    open_on = host;
    sim_disk_enter(host ? host : alone);
}

struct sim_host *sim_opening_host(void)
{
    return open_on;
}

struct sim_world *sim_world_opening(void)
{
    return open_on ? open_on->world : NULL;
}

int sim_backend_open(struct sim_host *host, struct backend **ret)
{
    struct sim_backend *self;
    int status = sim_backend_new(host, &self);

    if (status < 0)
        return status;
    self->program = sim_program_here(host->world);
    self->holds_world = host->world->alone;
    host->world->loops++;
    *ret = &self->base;
    return 0;
}

int backend_sim_open_here(struct backend **ret)
{
    int status;

    if (!open_on)
        return sim_shared_open(ret);
    status = sim_backend_open(open_on, ret);
    return status < 0 ? status : 1;
}

int backend_sim_open(uint64_t seed, struct backend **ret)
{
    struct sim_world *world = weft_allocate(sizeof *world);
    struct sim_host *host;
    int status;

    if (!world)
        return WEFT_ENOMEM;
    sim_world_init(world, seed);
    world->alone = true;
    host = sim_host_new(world, "localhost");
    status = host ? sim_environment_obey(host) : WEFT_ENOMEM;
    if (status == 0)
        status = sim_backend_open(host, ret);
    if (status < 0) {
        free_world(world);
        return status;
    }
    alone = host;
    sim_disk_enter(open_on ? open_on : alone);
    return 0;
}

void sim_set_faults(struct backend *backend, const weft_faults *faults)
{
    weft_faults sized = *faults;

    sized.size = sizeof sized;
    (void)sim_faults_set(&sim_backend_of(backend)->world->faults, &sized);
}

void sim_raise(struct backend *backend, int number)
{
    sim_backend_of(backend)->raised |= UINT64_C(1) << number;
}
