/* SPDX-License-Identifier: MIT */
/*
 * A simulated world, below the seam (docs/decisions/0014).
 *
 * The world has a clock and a heap of events. An event is what nature does: a
 * segment arrives, a link is mended, a job has taken its time. It calls no
 * code of the program; it changes the state of an object of some host and puts
 * that into the news of its loop. The program hears of it from
 * backend_dispatch of that loop, and only there.
 *
 * What the world itself allocates never fails on purpose.
 */
#ifndef BACKEND_SIM_WORLD_H
#define BACKEND_SIM_WORLD_H

#include <stdarg.h>
#include <stdatomic.h>

#include <weft/list.h>

#include "backend/backend.h"
#include "backend/sim/disk.h"
#include "backend/sim/fault.h"
#include "base/heap.h"

/* The time at which a world begins: not 0, so that there is a time before. */
#define SIM_BEGINNING WEFT_SECONDS(1)

struct sim_world;
struct sim_backend;
struct sim_worker;

/* What somebody in a world waits for: one of these. */
struct sim_wait {
    const struct sim_backend *backend; /* that its loop has something to do; or NULL */
    const struct sim_worker *worker;   /* that it has ended; or NULL */
    weft_time until;
};

/* Something that will happen; embedded. */
struct sim_event {
    struct heap_node node;
    weft_time due;
    uint64_t order;
    void (*happen)(struct sim_world *world, struct sim_event *event);
};

/* Something that a loop has to be told; embedded. */
struct sim_news {
    weft_link link; /* alone, or in the news of a backend */
    void (*tell)(struct sim_backend *backend, struct sim_news *news);
};

/* A host: a name, addresses, and the loops that run there. */
struct sim_host {
    weft_link link; /* in world->hosts */
    struct sim_world *world;
    unsigned number;     /* from 1: 10.0.0.N, fd00::N */
    weft_time wall_skew; /* how far its wall clock is from the world's */
    weft_link ports;     /* where somebody listens */
    weft_link connections;
    weft_link datagrams; /* sockets for them */
    uint16_t next_port;
    weft_link links; /* to other hosts, of which this has the lower number */
    weft_link backends;
    struct sim_disk disk;
    bool down; /* what runs there is being ended: nothing new leaves it or gets there */
    bool off;  /* it has lost its power: nobody answers there */
    char name[];
};

/* The way between two hosts, or within one. */
struct sim_link {
    weft_link link; /* in the links of the host with the lower number */
    struct sim_host *ends[2];
    bool cut;
    struct sim_event mend;
    weft_time busy[2]; /* until when each direction is */
};

struct sim_world {
    uint64_t seed;
    weft_time now;
    struct heap events;
    uint64_t order;
    struct random_source schedule, network, secrets, user, disks;
    struct sim_faults faults;
    weft_link hosts; /* in the order in which they were made */
    unsigned host_count;
    weft_link workers;   /* that have not ended (worker.h), in the order in which they were started */
    const void *program; /* whose code runs, where programs have stacks (src/sim); or NULL */
    bool alone;          /* of a program alone: it ends with the last of its `loops` */
    unsigned loops;
    uint64_t thread; /* that made it, if the environment asked for it; or 0 */
    weft_link link;  /* among those */
    /* A runner steps the loops and moves the clock (src/sim): a wait goes there, also one that need not wait. Returns 0,
     * or an error for the wait to return. */
    int (*park)(struct sim_world *world, const struct sim_wait *wait);
    uint64_t hash;
    weft_sim_counts counts;
    weft_link packets;             /* datagrams that are on their way */
    uint64_t connections;          /* numbers them, and the sockets of datagrams */
    weft_time *job_time;           /* that the job that runs takes on; NULL: none runs */
    unsigned exempt;               /* the world's own allocations, which do not fail on purpose */
    struct sim_visitors *visitors; /* of a program that is alone in its world; NULL: nobody comes */
    void (*closed)(struct sim_world *world, struct sim_backend *backend);
    void (*reach)(struct sim_world *world, const char *probe);
    void (*trace)(const char *text, void *arg);
    void *trace_arg;
};

struct sim_job;

/* The backend of one loop. */
struct sim_backend {
    struct backend base;
    weft_link link; /* in host->backends */
    struct sim_host *host;
    struct sim_world *world;
    bool holds_world;    /* it is one of world->loops */
    bool stepped;        /* the world itself gives its loop each turn */
    const void *program; /* whose it is, as world->program */
    atomic_bool woken;
    bool for_nothing; /* its last wait ended by a whim: the next does not */
    weft_link news;
    weft_link jobs, jobs_done, jobs_now; /* that take their time; that can run; that this turn runs */
    uint64_t watched, raised;
};

/* -- world.c -- */

void sim_world_init(struct sim_world *world, uint64_t seed);
/* All backends are closed. */
void sim_world_fini(struct sim_world *world);
void sim_event_init(struct sim_event *event, void (*happen)(struct sim_world *world, struct sim_event *event));
/* Has @p event happen at @p due, or now; one that was planned is moved. */
void sim_event_plan(struct sim_world *world, struct sim_event *event, weft_time due);
void sim_event_cancel(struct sim_world *world, struct sim_event *event);
/* When the next event is due; WEFT_NEVER. */
weft_time sim_world_next(const struct sim_world *world);
/* Moves the clock to @p time, which is not before now, and lets happen what is due then. */
void sim_world_advance(struct sim_world *world, weft_time time);
/* The world whose code runs on this thread, or NULL; what may fail on purpose asks it. */
struct sim_world *sim_world_current(void);
void sim_world_enter(struct sim_world *world);
void *sim_allocate(struct sim_world *world, size_t size);

/* What PROBE is to the program's code, to the world's own, which has no turn when nature acts. */
static inline void sim_probe(struct sim_world *world, const char *name)
{
    if (world->reach)
        world->reach(world, name);
}

/* Notes a call or a callback, for the hash and the trace: what, on which host, of which object, and two figures. */
void sim_note(struct sim_world *world, const char *what, const struct sim_host *host, uint64_t object, int64_t a,
              int64_t b);
/* Notes bytes that a program has given away: for the hash what they are, for the trace how many, and a checksum. */
void sim_note_bytes(struct sim_world *world, const char *what, const struct sim_host *host, uint64_t object,
                    const char *data, size_t length);

/* -- host.c -- */

struct sim_host *sim_host_new(struct sim_world *world, const char *name);
void sim_host_free(struct sim_host *host);
struct sim_host *sim_host_named(const struct sim_world *world, weft_bytes name);
/* The host that @p address leads to from @p from; NULL: nobody has it. */
struct sim_host *sim_host_at(struct sim_host *from, const weft_address *address);
/* The address of @p host in the network, of @p family. */
void sim_host_own_address(const struct sim_host *host, uint8_t family, weft_address *ret);
/* The address by which @p host is known to @p peer, in the family of @p to. */
void sim_host_address(const struct sim_host *host, const struct sim_host *peer, const weft_address *to,
                      weft_address *ret);
/* Looks a name up: a host's, or localhost. Its addresses come as getaddrinfo sorts them (RFC 6724 §6): private IPv4 before
 * IPv6, but ::1 before 127.0.0.1. Returns how many, at most 2; WEFT_ENONAME. */
int sim_host_addresses(const struct sim_world *world, const char *name, weft_address *ret);
/* The next of the ports that are given to whoever asks for none. */
uint16_t sim_host_next_port(struct sim_host *host);
/* The way between two hosts; NULL if there is no memory. */
struct sim_link *sim_link_between(struct sim_host *a, struct sim_host *b);
void sim_link_cut(struct sim_link *link, bool cut);

/* -- sim.c -- */

int sim_backend_new(struct sim_host *host, struct sim_backend **ret);
/* The same for a loop. */
int sim_backend_open(struct sim_host *host, struct backend **ret);
/* From now on a backend that is opened without a name, on this thread, is one of @p host's. NULL: no more. */
void sim_open_on(struct sim_host *host);
/* That host; NULL. */
struct sim_host *sim_opening_host(void);
/* The wall clock of @p world, which no fault has touched. */
weft_time sim_world_wall(const struct sim_world *world);
/* The world of which a backend would be one; NULL. */
struct sim_world *sim_world_opening(void);
/* Whether there is anything that its loop has to do now. */
bool sim_is_ready(const struct sim_backend *backend);
/* When @p wait is over: the time, which may be past; WEFT_NEVER. */
weft_time sim_wait_due(const struct sim_wait *wait);
/* Lets others run, and the clock move, until @p wait is over. Returns 0; -EDEADLK if it never will be. */
int sim_wait_for(struct sim_world *world, const struct sim_wait *wait);
/* The same where there is no runner, or not for the caller. */
int sim_wait_alone(struct sim_world *world, const struct sim_wait *wait);
/* How much later than it asked for a loop wakes up. */
weft_time sim_world_lateness(struct sim_world *world);
/* Has @p news told to the loop of @p backend. */
void sim_news_add(struct sim_backend *backend, struct sim_news *news);

static inline struct sim_backend *sim_backend_of(struct backend *backend)
{
    return weft_container_of(backend, struct sim_backend, base);
}

/* -- network.c -- */

int sim_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
               const struct backend_socket_options *options);
int sim_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                const struct backend_socket_options *options);

/* -- datagram.c -- */

int sim_datagram_open(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *at,
                      const struct backend_endpoint *to, const struct backend_datagram_options *options);
/* The world ends: frees those that are on their way. */
void sim_packets_free(struct sim_world *world);

/* -- job.c -- */

int sim_job_submit(struct backend *backend, weft_work *work);
/* The same for one that takes @p time. */
int sim_job_start(struct sim_backend *backend, weft_work *work, weft_time time);
bool sim_job_cancel(struct backend *backend, weft_work *work);
/* Runs those whose time has come. */
void sim_jobs_run(struct sim_backend *backend);
void sim_jobs_free(struct sim_backend *backend);

/* -- name.c -- */

int sim_name_submit(struct backend *backend, struct name_query *query);
bool sim_name_cancel(struct backend *backend, struct name_query *query);

#endif
