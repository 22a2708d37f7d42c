/* SPDX-License-Identifier: MIT */
/*
 * Programs alone in a world that the environment asks for, with WEFT_BACKEND=sim:SEED: all loops that a thread makes are
 * in one world, as long as there is one of them.
 */
#include "backend/sim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <weft/log.h>

#include "backend/sim/shared.h"
#include "base/realtime.h"

/* The worlds of all threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static weft_link worlds = {&worlds, &worlds};

/* (It is held for a few instructions.) */
static void lock_worlds(void)
{
    realtime_look_away();
    pthread_mutex_lock(&lock);
}

static void unlock_worlds(void)
{
    pthread_mutex_unlock(&lock);
    realtime_look_again();
}

/* A number that no other thread has had. */
static uint64_t this_thread(void)
{
    static _Atomic uint64_t last;
    static _Thread_local uint64_t number;

    if (number == 0)
        number = ++last;
    return number;
}

static struct sim_world *find(uint64_t seed)
{
    struct sim_world *found = NULL;

    lock_worlds();
    for (weft_link *link = worlds.next; link != &worlds; link = link->next) {
        struct sim_world *world = weft_container_of(link, struct sim_world, link);
        if (world->thread == this_thread() && world->seed == seed)
            found = world;
    }
    unlock_worlds();
    return found;
}

static void enter(struct sim_world *world)
{
    lock_worlds();
    world->thread = this_thread();
    weft_link_insert_before(&worlds, &world->link);
    unlock_worlds();
}

void sim_shared_leave(struct sim_world *world)
{
    lock_worlds();
    weft_link_remove(&world->link);
    unlock_worlds();
}

/* Whether the environment asks for a world, and of which seed. */
static bool is_asked_for(uint64_t *ret_seed)
{
    const char *name = getenv("WEFT_BACKEND");

    return name && strncmp(name, "sim:", 4) == 0 &&
           weft_bytes_to_uint64(weft_bytes_from(name + 4), UINT64_MAX, ret_seed) == 0;
}

int sim_shared_open(struct backend **ret)
{
    struct sim_world *world;
    uint64_t seed;
    int status;

    if (!is_asked_for(&seed))
        return 0;
    world = find(seed);
    if (world)
        status = sim_backend_open(weft_container_of(world->hosts.next, struct sim_host, link), ret);
    else
        status = backend_sim_open(seed, ret);
    if (!world && status == 0)
        enter(sim_backend_of(*ret)->world);
    return status < 0 ? status : 1;
}

int sim_shared_check(const struct sim_world *world)
{
    if (world->thread == 0 || world->loops < 2 || world->thread == this_thread())
        return 0;
    weft_log(
        WEFT_LOG_ERROR, "sim",
        "the loops of a simulated world take turns, which a thread of the program's own cannot: make its loop on that "
        "thread, or run it with weft_worker_start");
    return -EXDEV;
}

/* One to four, as the seed says. Nothing is drawn for it: a program may ask before it has a world. */
unsigned backend_sim_processors(void)
{
    const struct sim_world *world = sim_world_opening();
    uint64_t seed;

    if (world)
        seed = world->seed;
    else if (!is_asked_for(&seed))
        return 0;
    return 1 + (unsigned)((seed * UINT64_C(0x9e3779b97f4a7c15)) >> 62);
}
