/* SPDX-License-Identifier: MIT */
/* The faults of a simulated world (fault.h). */
#include "backend/sim/fault.h"

#include <errno.h>
#include <string.h>

#include "base/options.h"

#define MILLION 1000000

static const struct {
    const char *name;
    size_t offset;
} kinds[SIM_FAULTS] = {
#define X(field, text) {.name = (text), .offset = offsetof(weft_faults, field)},
    SIM_FAULT_KINDS(X)
#undef X
};

unsigned *sim_fault_rate(weft_faults *rates, enum sim_fault_kind kind)
{
    return (unsigned *)(void *)((char *)rates + kinds[kind].offset);
}

const char *sim_fault_name(enum sim_fault_kind kind)
{
    return kinds[kind].name;
}

int sim_fault_named(weft_bytes name)
{
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        if (weft_bytes_equal(weft_bytes_from(kinds[kind].name), name))
            return kind;
    return -ENOENT;
}

void sim_faults_init(struct sim_faults *faults, struct random_source *seed)
{
    memset(faults, 0, sizeof *faults);
    for (int kind = 0; kind < FAULT_threads; kind++)
        random_fork(seed, &faults->random[kind]);
}

void sim_faults_init_later(struct sim_faults *faults, struct random_source *seed)
{
    for (int kind = FAULT_threads; kind < SIM_FAULTS; kind++)
        random_fork(seed, &faults->random[kind]);
}

static void take_over(struct sim_faults *faults, const weft_faults *rates)
{
    faults->rates = *rates;
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        faults->chance[kind] = *sim_fault_rate(&faults->rates, (enum sim_fault_kind)kind);
}

int sim_faults_set(struct sim_faults *faults, const weft_faults *rates)
{
    weft_faults known = {0};
    int status = options_copy(&known, sizeof known, rates);

    if (status < 0)
        return status;
    if (known.latency[0] < 0 || known.latency[0] > known.latency[1] || known.latency[1] > WEFT_HOURS(24))
        return -EINVAL;
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        if (*sim_fault_rate(&known, (enum sim_fault_kind)kind) > MILLION)
            return -EINVAL;
    take_over(faults, &known);
    return 0;
}

/* Half of the kinds exist in a world, each with a chance of its own order of magnitude: some worlds are nearly kind,
 * others break all the time, and most are bad in one way only. */
static unsigned draw_chance(struct random_source *from, unsigned greatest)
{
    uint64_t chance = greatest;

    if (random_below(from, 2) == 0)
        return 0;
    for (uint64_t halvings = random_below(from, 10); halvings > 0; halvings--)
        chance /= 2;
    return (unsigned)chance;
}

/* What ends a connection, or allocates in vain, must be rare enough for something else to happen before. */
static unsigned greatest_chance(enum sim_fault_kind kind)
{
    switch (kind) {
    case FAULT_resets:
    case FAULT_vanishings:
    case FAULT_partitions:
        return 20000;
    case FAULT_allocations:
        return 5000;
    case FAULT_refusals:
    case FAULT_connect_timeouts:
    case FAULT_descriptors:
    case FAULT_buffers:
    case FAULT_missed_accepts:
    case FAULT_file_errors:
    case FAULT_full_disks:
    case FAULT_failed_syncs:
    case FAULT_name_failures:
    case FAULT_lost_datagrams:
        return 100000;
    default:
        return 500000;
    }
}

static void draw_link(weft_faults *rates, struct random_source *from)
{
    static const weft_time far[] = {0, WEFT_MICROSECONDS(50), WEFT_MILLISECONDS(2), WEFT_MILLISECONDS(40),
                                    WEFT_MILLISECONDS(300)};
    weft_time least = far[random_below(from, sizeof far / sizeof *far)];

    rates->latency[0] = least;
    rates->latency[1] = least + (weft_time)random_below(from, (uint64_t)least * 2 + 1);
    rates->bandwidth = random_below(from, 2) ? 0 : UINT64_C(10000) << random_below(from, 14);
}

void sim_faults_draw(struct sim_faults *faults, struct random_source *from, bool allocations)
{
    weft_faults rates = {.size = sizeof rates};

    draw_link(&rates, from);
    for (int kind = 0; kind < FAULT_threads; kind++)
        *sim_fault_rate(&rates, (enum sim_fault_kind)kind) =
            draw_chance(from, greatest_chance((enum sim_fault_kind)kind));
    if (!allocations)
        rates.allocations = 0;
    take_over(faults, &rates);
}

static bool is_gentle(enum sim_fault_kind kind)
{
    switch (kind) {
    case FAULT_short_reads:
    case FAULT_short_writes:
    case FAULT_refused_writes:
    case FAULT_spurious_wakeups:
    case FAULT_late_timers:
    case FAULT_clock_jumps:
    case FAULT_slow_jobs:
    case FAULT_short_file_reads:
    case FAULT_slow_files:
    case FAULT_rare_paths:
        return true;
    default:
        return false;
    }
}

void sim_faults_gentle(struct sim_faults *faults)
{
    weft_faults rates = faults->rates;

    rates.bandwidth = 0;
    for (int kind = 0; kind < SIM_FAULTS; kind++)
        if (!is_gentle((enum sim_fault_kind)kind))
            *sim_fault_rate(&rates, (enum sim_fault_kind)kind) = 0;
    take_over(faults, &rates);
}

void sim_faults_calm(struct sim_faults *faults)
{
    weft_faults rates = {.size = sizeof rates, .bandwidth = faults->rates.bandwidth};

    memcpy(rates.latency, faults->rates.latency, sizeof rates.latency);
    take_over(faults, &rates);
}

bool sim_fault(struct sim_faults *faults, enum sim_fault_kind kind)
{
    if (faults->chance[kind] == 0)
        return false;
    if (random_chance(&faults->random[kind], faults->chance[kind]))
        return sim_fault_always(faults, kind);
    faults->occasions[kind]++;
    return false;
}

bool sim_fault_always(struct sim_faults *faults, enum sim_fault_kind kind)
{
    faults->occasions[kind]++;
    faults->number++;
    if (faults->keep && !faults->keep(faults->number, faults->keep_arg))
        return false;
    faults->fired[kind]++;
    return true;
}

uint64_t sim_fault_below(struct sim_faults *faults, enum sim_fault_kind kind, uint64_t bound)
{
    return random_below(&faults->random[kind], bound);
}
