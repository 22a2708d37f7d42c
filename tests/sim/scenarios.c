/* SPDX-License-Identifier: MIT */
/*
 * Runs the built-in scenarios (cli/scenario.h), each seed twice if asked to:
 *
 *     scenarios SCENARIO FIRST COUNT [twice|trace|once]
 *
 * Fails if a seed does, if two runs of one differ, or if a declared probe was not reached by as many runs as must
 * (enough). The last line says how many.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/log.h>

#include "scenario.h"

#define PROBES_MOST 64
#define KINDS_MOST 32

struct tally {
    const weft_sim_scenario *scenario;
    uint64_t seeds, failed, mismatches;
    weft_sim_counts counts;
    uint64_t first_reached[PROBES_MOST], reached_in[PROBES_MOST];
    struct {
        const char *name;
        uint64_t fired;
    } kinds[KINDS_MOST];
    size_t kind_count, kind_at;
};

static const weft_sim_scenario *find(const char *name)
{
    static const weft_sim_scenario *const all[] = {&scenario_echo, &scenario_http, &scenario_chat};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

static void show_line(const char *text, void *arg)
{
    (void)arg;
    puts(text);
}

static void add_kind(const char *kind, unsigned per_million, uint64_t occasions, uint64_t fired, void *arg)
{
    struct tally *tally = arg;

    (void)per_million;
    (void)occasions;
    tally->kinds[tally->kind_at].name = kind;
    tally->kinds[tally->kind_at++].fired += fired;
    tally->kind_count = tally->kind_at;
}

static void count(struct tally *tally, const weft_sim *sim)
{
    weft_sim_counts counts;

    weft_sim_count(sim, &counts);
    tally->counts.turns += counts.turns;
    tally->counts.events += counts.events;
    tally->counts.connections += counts.connections;
    tally->counts.bytes += counts.bytes;
    tally->counts.faults += counts.faults;
    tally->seeds++;
    for (size_t i = 0; tally->scenario->probes && tally->scenario->probes[i] && i < PROBES_MOST; i++) {
        if (weft_sim_reached(sim, tally->scenario->probes[i]) == 0)
            continue;
        if (tally->reached_in[i]++ == 0)
            tally->first_reached[i] = tally->seeds;
    }
    tally->kind_at = 0;
    weft_sim_each_fault(sim, add_kind, tally);
}

/* The hash of a run. */
static uint64_t run(struct tally *tally, uint64_t seed, bool trace)
{
    weft_sim *sim = weft_sim_new(seed);
    uint64_t hash;
    int status;

    if (!sim)
        exit(2);
    weft_sim_swarm(sim, true);
    if (trace)
        weft_sim_trace(sim, show_line, NULL);
    status = tally->scenario->run(sim, &tally->scenario->plan);
    if (status < 0 || weft_sim_failure(sim)) {
        printf("seed %" PRIu64 ": %s\n", seed, status < 0 ? weft_error_name(status) : weft_sim_failure(sim));
        tally->failed++;
    }
    count(tally, sim);
    hash = weft_sim_hash(sim);
    weft_sim_free(sim);
    return hash;
}

/* So many runs must reach all probes. */
static uint64_t enough(const weft_sim_scenario *scenario)
{
    return scenario == &scenario_echo ? 300 : 1000;
}

static int report(const struct tally *tally)
{
    unsigned missing = 0, declared = 0;
    double n = (double)tally->seeds;

    for (size_t i = 0; tally->scenario->probes && tally->scenario->probes[i]; i++, declared++) {
        printf("probe %-55s in %6" PRIu64 " seeds, first by the %" PRIu64 ".\n", tally->scenario->probes[i],
               tally->reached_in[i], tally->first_reached[i]);
        missing += tally->reached_in[i] == 0;
    }
    for (size_t i = 0; i < tally->kind_count; i++)
        printf("fault %-20s %10.2f a seed\n", tally->kinds[i].name, (double)tally->kinds[i].fired / n);
    printf("a seed: %.0f events, %.0f turns, %.0f connections, %.0f bytes, %.0f faults\n",
           (double)tally->counts.events / n, (double)tally->counts.turns / n, (double)tally->counts.connections / n,
           (double)tally->counts.bytes / n, (double)tally->counts.faults / n);
    printf("%s: runs %" PRIu64 ", failed %" PRIu64 ", mismatches %" PRIu64 ", probes %u/%u\n", tally->scenario->name,
           tally->seeds, tally->failed, tally->mismatches, declared - missing, declared);
    return tally->failed || tally->mismatches || (missing && tally->seeds >= enough(tally->scenario));
}

int main(int argc, char **argv)
{
    struct tally tally = {.scenario = argc > 3 ? find(argv[1]) : NULL};
    const char *how = argc > 4 ? argv[4] : "once";
    uint64_t first, most;

    if (!tally.scenario) {
        fputs("usage: scenarios echo|http|chat FIRST COUNT [once|twice|trace]\n", stderr);
        return 2;
    }
    first = strtoull(argv[2], NULL, 10);
    most = strtoull(argv[3], NULL, 10);
    weft_log_set_threshold(WEFT_LOG_ERROR);
    if (!freopen("/dev/null", "w", stderr)) /* the servers say where they listen */
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint64_t seed = first; seed < first + most; seed++) {
        uint64_t hash = run(&tally, seed, strcmp(how, "trace") == 0);
        if (strcmp(how, "twice") == 0 && run(&tally, seed, false) != hash) {
            printf("seed %" PRIu64 ": another hash\n", seed);
            tally.mismatches++;
        }
    }
    return report(&tally);
}
