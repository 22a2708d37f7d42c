/* SPDX-License-Identifier: MIT */
#include "backend/sim/environment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/log.h>
#include <weft/memory.h>

#include "backend/sim/fault_text.h"
#include "backend/sim/keep.h"
#include "backend/sim/visitor.h"

#define VISITORS_MOST 1000000

/* What @name says is not understood, and the program that is to run does not know of it. */
static int refuse(const char *name, const char *reason)
{
    weft_log(WEFT_LOG_ERROR, "sim", "%s: %s", name, reason);
    return -EINVAL;
}

/* The descriptor that @name says; -1: it is not set; or -EINVAL. */
static int descriptor_in(const char *name)
{
    const char *text = getenv(name);
    uint64_t number;

    if (!text)
        return -1;
    if (weft_bytes_to_uint64(weft_bytes_from(text), INT32_MAX, &number) < 0)
        return refuse(name, "a descriptor is a number");
    return (int)number;
}

static int obey_faults(struct sim_world *world, const char *text)
{
    struct sim_faults_text asked;
    struct sim_faults_error error;

    if (sim_faults_parse(text, &asked, &error) < 0)
        return refuse("WEFT_SIM_FAULTS", error.reason);
    if (asked.choice == SIM_FAULTS_LISTED)
        return sim_faults_set(&world->faults, &asked.faults);
    sim_faults_draw(&world->faults, &world->schedule, asked.choice == SIM_FAULTS_ALL);
    return 0;
}

static int obey_keep(struct sim_world *world, const char *text)
{
    struct sim_keep *keep = sim_allocate(world, sizeof *keep);
    size_t place;
    int status;

    if (!keep)
        return -ENOMEM;
    world->faults.keep = sim_keep_has;
    world->faults.keep_arg = keep;
    world->exempt++;
    status = sim_keep_parse(keep, text, &place);
    world->exempt--;
    return status == -ENOMEM ? status : status < 0 ? refuse("WEFT_SIM_KEEP", "numbers, such as 12,40-44, or none") : 0;
}

/* "20,1000" */
static int obey_visitors(struct sim_host *host, const char *text)
{
    const char *comma = strchr(text, ',');
    uint64_t count, messages;
    int status;

    if (!comma || weft_bytes_to_uint64(weft_bytes_of(text, (size_t)(comma - text)), VISITORS_MOST, &count) < 0 ||
        weft_bytes_to_uint64(weft_bytes_from(comma + 1), INT32_MAX, &messages) < 0 || count == 0)
        return refuse("WEFT_SIM_VISITORS", "how many come, and how many messages they say in all, such as 20,1000");
    host->world->exempt++;
    status = sim_visitors_invite(host, (unsigned)count, (unsigned)messages, getenv("WEFT_SIM_SAY"));
    host->world->exempt--;
    return status;
}

static void trace(const char *text, void *arg)
{
    dprintf((int)(intptr_t)arg, "%s\n", text);
}

int sim_environment_obey(struct sim_host *host)
{
    const char *faults = getenv("WEFT_SIM_FAULTS"), *keep = getenv("WEFT_SIM_KEEP");
    const char *visitors = getenv("WEFT_SIM_VISITORS");
    struct sim_world *world = host->world;
    int tracing = descriptor_in("WEFT_SIM_TRACE"), report = descriptor_in("WEFT_SIM_REPORT"), status = 0;

    if (tracing < -1 || report < -1)
        return -EINVAL;
    if (report >= 0)
        dprintf(report, "world\n");
    if (faults)
        status = obey_faults(world, faults);
    if (status == 0 && keep)
        status = obey_keep(world, keep);
    if (status == 0 && visitors)
        status = obey_visitors(host, visitors);
    if (tracing >= 0) {
        world->trace = trace;
        world->trace_arg = (void *)(intptr_t)tracing;
    }
    return status;
}

void sim_environment_leave(struct sim_world *world)
{
    int report = descriptor_in("WEFT_SIM_REPORT");

    if (report >= 0)
        dprintf(report, "hash %016" PRIx64 " events %" PRIu64 " faults %" PRIu64 " time %" PRId64 "\n", world->hash,
                world->counts.events, world->faults.number, world->now - SIM_BEGINNING);
    if (world->faults.keep == sim_keep_has) {
        sim_keep_clear(world->faults.keep_arg);
        weft_release(world->faults.keep_arg);
    }
}
