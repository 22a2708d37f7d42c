/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong in a simulated world: the kinds of weft_faults, each with a
 * stream of random numbers of its own, so that one kind more or less does not
 * shift what the others draw.
 */
#ifndef BACKEND_SIM_FAULT_H
#define BACKEND_SIM_FAULT_H

#include <weft/bytes.h>
#include <weft/sim.h>

#include "base/random.h"

/* Every kind of fault: its field of weft_faults, its name for people. */
#define SIM_FAULT_KINDS(X)                    \
    X(short_reads, "short-reads")             \
    X(short_writes, "short-writes")           \
    X(refused_writes, "refused-writes")       \
    X(resets, "resets")                       \
    X(vanishings, "vanishings")               \
    X(partitions, "partitions")               \
    X(retransmissions, "retransmissions")     \
    X(refusals, "refusals")                   \
    X(connect_timeouts, "connect-timeouts")   \
    X(slow_accepts, "slow-accepts")           \
    X(missed_accepts, "missed-accepts")       \
    X(descriptors, "descriptors")             \
    X(buffers, "buffers")                     \
    X(spurious_wakeups, "spurious-wakeups")   \
    X(late_timers, "late-timers")             \
    X(clock_jumps, "clock-jumps")             \
    X(slow_jobs, "slow-jobs")                 \
    X(name_failures, "name-failures")         \
    X(slow_names, "slow-names")               \
    X(file_errors, "file-errors")             \
    X(short_file_reads, "short-file-reads")   \
    X(slow_files, "slow-files")               \
    X(full_disks, "full-disks")               \
    X(failed_syncs, "failed-syncs")           \
    X(allocations, "allocations")             \
    X(rare_paths, "rare-paths")               \
    X(threads, "threads")                     \
    X(lost_datagrams, "lost-datagrams")       \
    X(doubled_datagrams, "doubled-datagrams") \
    X(late_datagrams, "late-datagrams")

enum sim_fault_kind {
#define X(field, name) FAULT_##field,
    SIM_FAULT_KINDS(X)
#undef X
        SIM_FAULTS
};

struct sim_faults {
    weft_faults rates;
    unsigned chance[SIM_FAULTS];
    struct random_source random[SIM_FAULTS];
    uint64_t occasions[SIM_FAULTS], fired[SIM_FAULTS];
    uint64_t number; /* of those that fired */
    bool (*keep)(uint64_t number, void *arg);
    void *keep_arg;
};

void sim_faults_init(struct sim_faults *faults, struct random_source *seed);
/* The same for the kinds from FAULT_threads on, whose streams come after all others of a world: so the seeds of before
 * these kinds still give what they gave. */
void sim_faults_init_later(struct sim_faults *faults, struct random_source *seed);
/* Checks and takes over @p rates. */
int sim_faults_set(struct sim_faults *faults, const weft_faults *rates);
/* Draws a swarm. */
void sim_faults_draw(struct sim_faults *faults, struct random_source *from, bool allocations);
/* No fault any more that somebody would notice but by the clock; no limit on bandwidth. */
void sim_faults_gentle(struct sim_faults *faults);
/* No fault any more; latency and bandwidth stay. */
void sim_faults_calm(struct sim_faults *faults);
/* Whether a fault of @p kind happens on this occasion. */
bool sim_fault(struct sim_faults *faults, enum sim_fault_kind kind);
/* The same for one that happens on every occasion, unless it is left out. */
bool sim_fault_always(struct sim_faults *faults, enum sim_fault_kind kind);
/* A number below @p bound from the stream of @p kind: how bad it gets. */
uint64_t sim_fault_below(struct sim_faults *faults, enum sim_fault_kind kind, uint64_t bound);
const char *sim_fault_name(enum sim_fault_kind kind);
/* The kind of that name; -ENOENT. */
int sim_fault_named(weft_bytes name);
/* Where @p rates has the chance of @p kind. */
unsigned *sim_fault_rate(weft_faults *rates, enum sim_fault_kind kind);

#endif
