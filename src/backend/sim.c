/* SPDX-License-Identifier: MIT */
/*
 * The simulator's backend (sim.h). Time passes only in `wait`: it jumps to
 * the next thing that happens. When nothing ever will, waiting fails with
 * -EDEADLK instead of hanging the test.
 */
#include "backend/sim.h"

#include <errno.h>

#include <weft/memory.h>

#include "backend/backend.h"
#include "backend/memory_stream.h"
#include "base/random.h"

/* 2026-01-01 00:00:00 UTC: where the simulated wall clock starts. */
#define WALL_START WEFT_SECONDS(1767225600)
#define SIGNALS 64

struct sim_backend {
    struct backend base;
    struct memory_chaos chaos;
    struct sim_faults faults;
    struct random_source random;
    weft_time now;
    weft_work *jobs_first, *jobs_last;
    uint64_t watched, raised;
    uint16_t next_port;
};

static struct sim_backend *self_of(struct backend *backend)
{
    return weft_container_of(backend, struct sim_backend, base);
}

/* -- what the seed decides -- */

static size_t chaos_split(struct memory_chaos *chaos, size_t count)
{
    struct sim_backend *self = weft_container_of(chaos, struct sim_backend, chaos);

    if (!self->faults.splits)
        return count;
    switch (random_below(&self->random, 4)) {
    case 0:
        return 1;
    case 1:
        return count;
    default:
        return 1 + (size_t)random_below(&self->random, count);
    }
}

static weft_time chaos_arrival(struct memory_chaos *chaos)
{
    struct sim_backend *self = weft_container_of(chaos, struct sim_backend, chaos);
    uint64_t range = (uint64_t)(self->faults.latency_max - self->faults.latency_min);

    if (self->faults.latency_max <= 0)
        return self->now;
    return self->now + self->faults.latency_min + (weft_time)random_below(&self->random, range + 1);
}

static bool chaos_breaks(struct memory_chaos *chaos)
{
    struct sim_backend *self = weft_container_of(chaos, struct sim_backend, chaos);

    return self->faults.resets_per_million > 0 && random_chance(&self->random, self->faults.resets_per_million);
}

static weft_time chaos_now(struct memory_chaos *chaos)
{
    return weft_container_of(chaos, struct sim_backend, chaos)->now;
}

/* -- the seam -- */

static weft_time sim_now(struct backend *backend)
{
    return self_of(backend)->now;
}

static weft_time sim_wall(struct backend *backend)
{
    return WALL_START + self_of(backend)->now;
}

static int sim_wait(struct backend *backend, weft_time timeout)
{
    struct sim_backend *self = self_of(backend);
    weft_time next = memory_next(backend->memory);

    if (self->jobs_first || self->raised)
        return 0;
    if (timeout != WEFT_NEVER && self->now + timeout < next)
        next = self->now + timeout;
    if (next == WEFT_NEVER)
        return -EDEADLK;
    if (next > self->now)
        self->now = next;
    return 0;
}

/* Jobs that these start are for the next turn; those that these cancel leave the queue. */
static bool sim_has_work(const struct backend *backend)
{
    const struct sim_backend *self = weft_container_of(backend, const struct sim_backend, base);

    return self->jobs_first || (self->raised & self->watched) || memory_has_work(backend->memory);
}

static void run_jobs(struct sim_backend *self)
{
    weft_work *last = self->jobs_last, *job;

    do {
        job = self->jobs_first;
        if (!job)
            return;
        self->jobs_first = job->next;
        if (!job->next)
            self->jobs_last = NULL;
        job->run(job);
        job->done(job);
    } while (job != last);
}

static void sim_dispatch(struct backend *backend)
{
    struct sim_backend *self = self_of(backend);
    uint64_t raised = self->raised;

    self->raised = 0;
    for (int number = 1; raised && number < SIGNALS; number++)
        if (raised & self->watched & (UINT64_C(1) << number))
            backend->host->signalled(backend->host, number);
    memory_dispatch(backend->memory);
    run_jobs(self);
}

static int sim_descriptor(const struct backend *backend)
{
    (void)backend;
    return -1;
}

static void sim_wake(struct backend *backend)
{
    (void)backend; /* there is one thread, and it is awake */
}

static int sim_entropy(struct backend *backend, void *memory, size_t length)
{
    random_fill(&self_of(backend)->random, memory, length);
    return 0;
}

static int sim_signal_watch(struct backend *backend, int number, bool on)
{
    if (number < 1 || number >= SIGNALS)
        return -EINVAL;
    if (on)
        self_of(backend)->watched |= UINT64_C(1) << number;
    else
        self_of(backend)->watched &= ~(UINT64_C(1) << number);
    return 0;
}

/* The name under which an endpoint is known in the simulated network. */
static weft_bytes name_of(const struct backend_endpoint *endpoint, char *buffer)
{
    if (endpoint->address.family == WEFT_ADDRESS_UNIX || endpoint->address.family == WEFT_ADDRESS_MEMORY)
        return endpoint->path;
    weft_address_text(&endpoint->address, buffer);
    return weft_bytes_from(buffer);
}

static bool is_internet(const struct backend_endpoint *endpoint)
{
    return endpoint->address.family == WEFT_ADDRESS_IPV4 || endpoint->address.family == WEFT_ADDRESS_IPV6;
}

static int sim_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                      const struct backend_socket_options *options)
{
    struct backend_endpoint real = *at;
    char buffer[WEFT_ADDRESS_TEXT];
    int status;

    if (is_internet(&real) && real.address.port == 0)
        real.address.port = self_of(backend)->next_port++;
    status = memory_listen(backend->memory, listener, name_of(&real, buffer), options->backlog);
    if (status == 0)
        memory_listener_set_address(listener, &real.address);
    return status;
}

static int sim_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                       const struct backend_socket_options *options)
{
    static const uint8_t any[16];
    struct backend_endpoint at = *to;
    char buffer[WEFT_ADDRESS_TEXT];

    (void)options;
    /* Whoever listens at every address listens at this one. */
    if (is_internet(&at) && !memory_is_listened_at(backend->memory, name_of(&at, buffer))) {
        memcpy(at.address.ip, any, sizeof any);
        if (!memory_is_listened_at(backend->memory, name_of(&at, buffer)))
            at.address.family = WEFT_ADDRESS_IPV6;
    }
    return memory_connect(backend->memory, stream, name_of(&at, buffer));
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

static int sim_job_submit(struct backend *backend, weft_work *job)
{
    struct sim_backend *self = self_of(backend);

    job->next = NULL;
    if (self->jobs_last)
        self->jobs_last->next = job;
    else
        self->jobs_first = job;
    self->jobs_last = job;
    return 0;
}

static bool sim_job_cancel(struct backend *backend, weft_work *job)
{
    struct sim_backend *self = self_of(backend);
    weft_work *before = NULL, *at;

    for (at = self->jobs_first; at && at != job; at = at->next)
        before = at;
    if (!at)
        return false;
    if (before)
        before->next = at->next;
    else
        self->jobs_first = at->next;
    if (self->jobs_last == at)
        self->jobs_last = before;
    return true;
}

static void sim_close(struct backend *backend)
{
    memory_network_free(backend->memory);
    weft_release(self_of(backend));
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
    .job_submit = sim_job_submit,
    .job_cancel = sim_job_cancel,
};

int backend_sim_open(uint64_t seed, struct backend **ret)
{
    struct sim_backend *self = weft_allocate_zeroed(1, sizeof *self);

    if (!self)
        return WEFT_ENOMEM;
    self->base.ops = &sim_ops;
    self->chaos =
        (struct memory_chaos){.split = chaos_split, .arrival = chaos_arrival, .breaks = chaos_breaks, .now = chaos_now};
    self->now = WEFT_SECONDS(1);
    self->next_port = 49152;
    random_init(&self->random, seed);
    self->base.memory = memory_network_new(&self->chaos);
    if (!self->base.memory) {
        weft_release(self);
        return WEFT_ENOMEM;
    }
    *ret = &self->base;
    return 0;
}

void sim_set_faults(struct backend *backend, const struct sim_faults *faults)
{
    self_of(backend)->faults = *faults;
}

void sim_raise(struct backend *backend, int number)
{
    self_of(backend)->raised |= UINT64_C(1) << number;
}
