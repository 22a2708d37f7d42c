/* SPDX-License-Identifier: MIT */
#include "sim_area.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(struct sim_area *area)
{
    void *memory = mmap(NULL, area->size, PROT_READ | PROT_WRITE, MAP_SHARED, area->fd, 0);

    if (memory == MAP_FAILED)
        return -errno;
    area->shared = memory;
    return 0;
}

int sim_area_new(struct sim_area *area, uint64_t first, uint64_t count)
{
    int status;

    area->size = sizeof(struct sim_shared) + (size_t)count * sizeof(struct sim_record);
    area->fd = memfd_create("seeds", MFD_CLOEXEC);
    if (area->fd < 0)
        return -errno;
    status = ftruncate(area->fd, (off_t)area->size) < 0 ? -errno : map(area);
    if (status < 0) {
        close(area->fd);
        return status;
    }
    area->shared->first = first;
    area->shared->count = count;
    return 0;
}

int sim_area_open(struct sim_area *area, int fd)
{
    struct stat about;

    if (fstat(fd, &about) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    *area = (struct sim_area){.fd = fd, .size = (size_t)about.st_size};
    return map(area);
}

void sim_area_close(struct sim_area *area)
{
    munmap(area->shared, area->size);
    close(area->fd);
}

static void add(_Atomic uint64_t *sum, uint64_t more)
{
    atomic_fetch_add_explicit(sum, more, memory_order_relaxed);
}

static void add_outcome(struct sim_place *place, const struct sim_outcome *outcome)
{
    add(&place->runs, 1);
    add(&place->events, outcome->counts.events);
    add(&place->faults, outcome->counts.faults);
    add(&place->bytes, outcome->counts.bytes);
    add(&place->connections, outcome->counts.connections);
    add(&place->time, (uint64_t)outcome->time);
    for (size_t i = 0; i < SIM_KINDS_MOST; i++)
        if (outcome->fired[i])
            add(&place->fired[i], outcome->fired[i]);
    for (size_t i = 0; i < SIM_PROBES_MOST; i++)
        if (outcome->reached[i])
            add(&place->reached[i], outcome->reached[i]);
}

bool sim_area_add(const struct sim_area *area, unsigned place, uint64_t number, bool second,
                  const struct sim_outcome *outcome)
{
    struct sim_record *record = &area->shared->records[number];
    uint64_t other;

    add_outcome(&area->shared->places[place], outcome);
    atomic_store(&record->hash[second], outcome->hash);
    atomic_store(&record->ran[second], true);
    other = atomic_load(&record->hash[!second]);
    return !other || !outcome->hash || other == outcome->hash;
}

void sim_area_total(const struct sim_area *area, struct sim_totals *ret)
{
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < SIM_JOBS_MOST; i++) {
        const struct sim_place *place = &area->shared->places[i];

        ret->runs += place->runs;
        ret->events += place->events;
        ret->faults += place->faults;
        ret->bytes += place->bytes;
        ret->connections += place->connections;
        ret->time += place->time;
        for (size_t kind = 0; place->runs && kind < SIM_KINDS_MOST; kind++)
            ret->fired[kind] += place->fired[kind];
        for (size_t probe = 0; place->runs && probe < SIM_PROBES_MOST; probe++)
            ret->reached[probe] += place->reached[probe];
    }
}

uint64_t sim_area_begun(const struct sim_area *area)
{
    const struct sim_shared *shared = area->shared;
    uint64_t first = shared->next[0], second = shared->next[1], begun = first > second ? first : second;

    return begun < shared->count ? begun : shared->count;
}

void sim_area_judge(const struct sim_area *area, struct sim_verdict *ret)
{
    const struct sim_shared *shared = area->shared;

    *ret = (struct sim_verdict){0};
    for (uint64_t i = 0; i < sim_area_begun(area); i++) {
        const struct sim_record *record = &shared->records[i];

        ret->seeds += record->ran[0] || record->ran[1] || record->failed;
        ret->failed += record->failed;
        ret->mismatches += record->hash[0] && record->hash[1] && record->hash[0] != record->hash[1];
    }
}
