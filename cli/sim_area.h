/* SPDX-License-Identifier: MIT */
/*
 * The memory that the processes of `weft sim` share: which seeds are still to
 * be run, which one each worker is in, and what came of those that were.
 *
 * A worker writes its own place only, and the seeds that it took. So whatever
 * it dies of, what it was in and what it had found is known.
 */
#ifndef WEFT_CLI_SIM_AREA_H
#define WEFT_CLI_SIM_AREA_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sim_once.h"

/* What a worker says of the seed that it is in. */
enum sim_word { SIM_NOTHING, SIM_FAILED, SIM_DIFFERS };

/* A worker's place. Sums are over all the runs that its workers made, one after the other. */
struct sim_place {
    _Atomic uint64_t beat, fault, seed;
    _Atomic bool running;    /* is in the seed */
    _Atomic int word, ended; /* of SIM_FAILED: sim_outcome's */
    _Atomic uint64_t runs, events, faults, bytes, connections, time;
    _Atomic uint64_t fired[SIM_KINDS_MOST], reached[SIM_PROBES_MOST];
    char reason[SIM_REASON]; /* of SIM_FAILED */
};

/* A seed: the hashes of its first and second run, 0 as long as there is none. */
struct sim_record {
    _Atomic uint64_t hash[2];
    _Atomic bool ran[2];
    bool failed; /* the parent's */
};

struct sim_shared {
    uint64_t first, count;    /* seeds */
    _Atomic uint64_t next[2]; /* to be run next, counted from the first: a first time, and a second */
    struct sim_place places[SIM_JOBS_MOST];
    struct sim_record records[];
};

struct sim_area {
    int fd;
    size_t size;
    struct sim_shared *shared;
};

/* Makes one for @p count seeds. Returns 0 or a negative error. */
int sim_area_new(struct sim_area *area, uint64_t first, uint64_t count);
/* The one behind @fd, which this process inherited. */
int sim_area_open(struct sim_area *area, int fd);
void sim_area_close(struct sim_area *area);

/* Adds what came of the first, or second, run of the seed @number (counted from the first) to @place. Returns whether the
 * two runs of it, if both were made, had the same hash: whoever comes second sees the first. */
bool sim_area_add(const struct sim_area *area, unsigned place, uint64_t number, bool second,
                  const struct sim_outcome *outcome);

/* How many seeds somebody has begun with: those behind them are not to be looked at, for there may be very many. */
uint64_t sim_area_begun(const struct sim_area *area);

/* What has been done so far. */
struct sim_totals {
    uint64_t runs, events, faults, bytes, connections, time;
    uint64_t fired[SIM_KINDS_MOST], reached[SIM_PROBES_MOST];
};
void sim_area_total(const struct sim_area *area, struct sim_totals *ret);

/* The seeds that were run, those that failed, and those whose runs differ. */
struct sim_verdict {
    uint64_t seeds, failed, mismatches;
};
void sim_area_judge(const struct sim_area *area, struct sim_verdict *ret);

#endif
