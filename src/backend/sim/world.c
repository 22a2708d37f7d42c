/* SPDX-License-Identifier: MIT */
/* The clock of a simulated world, what happens in it and what is remembered of it (world.h). */
#include "backend/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weft/memory.h>

#include "base/probe.h"

#define FNV_PRIME UINT64_C(0x100000001b3)
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)

static _Thread_local struct sim_world *current;

/* -- what Weft's own code asks of the world that it runs in -- */

static void reach(const char *name)
{
    if (current && current->reach)
        current->reach(current, name);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
    return hash;
}

/* A quarter of the sites exist in a world (FoundationDB's figure). */
static bool exists(const struct sim_world *world, const char *site)
{
    return world->faults.chance[FAULT_rare_paths] > 0 &&
           (hash_text(world->seed * FNV_PRIME ^ FNV_OFFSET, site) >> 20 & 3) == 0;
}

/* Those that do are taken as often as the faults say ... */
static bool rare(const char *site)
{
    return current && exists(current, site) && sim_fault(&current->faults, FAULT_rare_paths);
}

/* ... or always. (A loop that is being made does not run yet.) */
static bool mode(const char *site)
{
    struct sim_world *world = current ? current : sim_world_opening();

    return world && exists(world, site) && sim_fault_always(&world->faults, FAULT_rare_paths);
}

static bool starve(void)
{
    return current && current->exempt == 0 && sim_fault(&current->faults, FAULT_allocations);
}

struct sim_world *sim_world_current(void)
{
    return current;
}

void sim_world_enter(struct sim_world *world)
{
    current = world;
}

void *sim_allocate(struct sim_world *world, size_t size)
{
    void *memory;

    world->exempt++;
    memory = weft_allocate_zeroed(1, size);
    world->exempt--;
    return memory;
}

/* -- events -- */

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    const struct sim_event *one = weft_container_of(a, struct sim_event, node);
    const struct sim_event *other = weft_container_of(b, struct sim_event, node);

    return one->due != other->due ? one->due < other->due : one->order < other->order;
}

void sim_event_init(struct sim_event *event, void (*happen)(struct sim_world *world, struct sim_event *event))
{
    heap_node_init(&event->node);
    event->happen = happen;
}

void sim_event_plan(struct sim_world *world, struct sim_event *event, weft_time due)
{
    heap_remove(&world->events, &event->node);
    event->due = due > world->now ? due : world->now;
    event->order = world->order++;
    heap_add(&world->events, &event->node);
}

void sim_event_cancel(struct sim_world *world, struct sim_event *event)
{
    heap_remove(&world->events, &event->node);
}

static struct sim_event *first_event(const struct sim_world *world)
{
    struct heap_node *node = heap_first(&world->events);

    return node ? weft_container_of(node, struct sim_event, node) : NULL;
}

weft_time sim_world_next(const struct sim_world *world)
{
    const struct sim_event *event = first_event(world);

    return event ? event->due : WEFT_NEVER;
}

void sim_world_advance(struct sim_world *world, weft_time time)
{
    struct sim_event *event;

    while ((event = first_event(world)) && event->due <= time) {
        if (event->due > world->now)
            world->now = event->due;
        heap_remove(&world->events, &event->node);
        event->happen(world, event);
    }
    if (time > world->now)
        world->now = time;
}

/* -- what is remembered -- */

static void trace_note(struct sim_world *world, const char *what, const struct sim_host *host, uint64_t object,
                       int64_t a, int64_t b)
{
    char line[256];

    snprintf(line, sizeof line, "%12.6f %-16s %-14s #%-4" PRIu64 " %" PRId64 " %" PRId64,
             (double)(world->now - SIM_BEGINNING) / 1e9, host ? host->name : "-", what, object, a, b);
    world->trace(line, world->trace_arg);
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

void sim_note(struct sim_world *world, const char *what, const struct sim_host *host, uint64_t object, int64_t a,
              int64_t b)
{
    uint64_t hash = hash_text(world->hash, what);

    hash = mix(hash, (uint64_t)world->now);
    hash = mix(hash, (uint64_t)(host ? host->number : 0) << 48 ^ object);
    world->hash = mix(mix(hash, (uint64_t)a), (uint64_t)b);
    world->counts.events++;
    if (__builtin_expect(world->trace != NULL, 0))
        trace_note(world, what, host, object, a, b);
}

void sim_note_bytes(struct sim_world *world, const char *what, const struct sim_host *host, uint64_t object,
                    const char *data, size_t length)
{
    uint64_t hash = length, word;
    size_t at = 0;

    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, data + at, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, data + at, length - at);
    sim_note(world, what, host, object, (int64_t)length, (int64_t)(mix(hash, word) >> 33));
}

/* -- the world -- */

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    static const weft_probe_hooks hooks = {.reach = reach, .rare = rare, .mode = mode, .starve = starve};
    struct random_source source;

    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->now = SIM_BEGINNING;
    world->hash = FNV_OFFSET;
    heap_init(&world->events, is_before);
    weft_link_init(&world->hosts);
    weft_link_init(&world->workers);
    weft_link_init(&world->packets);
    weft_link_init(&world->link);
    random_init(&source, seed);
    random_fork(&source, &world->schedule);
    random_fork(&source, &world->network);
    random_fork(&source, &world->secrets);
    random_fork(&source, &world->user);
    sim_faults_init(&world->faults, &source);
    random_fork(&source, &world->disks);
    sim_faults_init_later(&world->faults, &source);
    __atomic_store_n(&weft_probing, &hooks, __ATOMIC_RELAXED);
}

void sim_world_fini(struct sim_world *world)
{
    sim_packets_free(world);
    while (!weft_link_is_alone(&world->hosts))
        sim_host_free(weft_container_of(world->hosts.next, struct sim_host, link));
    if (current == world)
        current = NULL;
}
