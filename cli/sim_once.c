/* SPDX-License-Identifier: MIT */
#include "sim_once.h"

#include <stdio.h>
#include <string.h>

#include <weft/error.h>
#include <weft/log.h>

#include "sim_left.h"

struct run {
    weft_sim_check check; /* asked after every turn: there is progress */
    const struct sim_job *job;
    const struct sim_watch *watch;
    struct sim_outcome *outcome;
    size_t kinds;
};

static const char *note_progress(weft_sim_check *check)
{
    struct run *run = weft_container_of(check, struct run, check);

    atomic_fetch_add_explicit(run->watch->beat, 1, memory_order_relaxed);
    return NULL;
}

static bool is_kept(uint64_t number, void *arg)
{
    struct run *run = arg;

    atomic_store_explicit(run->watch->fault, number, memory_order_relaxed);
    return !run->job->keep || sim_keep_has(number, run->job->keep);
}

static void trace_event(const char *text, void *arg)
{
    const struct run *run = arg;

    dprintf(run->watch->trace, "%s\n", text);
}

/* In a hostile world much is logged that is as it should be. Who looks at a trace wants to see it there. */
static void log_to_trace(const weft_log_event *event, void *arg)
{
    const struct run *run = arg;

    if (run->watch->trace >= 0)
        dprintf(run->watch->trace, "%14s log: %s: %s\n", "", event->subject, event->text);
}

static void note_fault(const char *kind, unsigned per_million, uint64_t occasions, uint64_t fired, void *arg)
{
    struct run *run = arg;

    (void)kind;
    (void)per_million;
    (void)occasions;
    if (run->kinds < SIM_KINDS_MOST)
        run->outcome->fired[run->kinds++] = fired;
}

static void set_faults(weft_sim *sim, const struct sim_faults_text *faults)
{
    if (faults->choice != SIM_FAULTS_LISTED)
        weft_sim_swarm(sim, faults->choice == SIM_FAULTS_ALL);
    else
        (void)weft_sim_faults(sim, &faults->faults); /* they were checked as they were read */
}

static void fail(struct sim_outcome *outcome, const char *reason)
{
    if (outcome->failed)
        return;
    outcome->failed = true;
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
}

static void take_results(weft_sim *sim, struct run *run)
{
    const char *const *probes = run->job->scenario->probes;
    struct sim_outcome *outcome = run->outcome;

    outcome->hash = weft_sim_hash(sim);
    outcome->time = weft_sim_now(sim);
    weft_sim_count(sim, &outcome->counts);
    weft_sim_each_fault(sim, note_fault, run);
    for (size_t i = 0; probes && probes[i] && i < SIM_PROBES_MOST; i++)
        outcome->reached[i] = weft_sim_reached(sim, probes[i]);
    if (weft_sim_failure(sim))
        fail(outcome, weft_sim_failure(sim));
}

static void add_line(const char *text, void *arg)
{
    struct sim_outcome *outcome = arg;
    size_t used = strlen(outcome->reason);

    snprintf(outcome->reason + used, sizeof outcome->reason - used, "\n%s", text);
}

/* Whether anybody waits for ever, as nothing is left that could happen. */
static void check_rest(weft_sim *sim, struct sim_outcome *outcome)
{
    char reason[120];
    size_t stuck = outcome->failed ? 0 : weft_sim_stuck(sim, NULL, NULL);

    if (stuck == 0)
        return;
    snprintf(reason, sizeof reason, "it has come to rest, but %zu %s for what nothing can bring any more", stuck,
             stuck == 1 ? "task waits" : "tasks wait");
    fail(outcome, reason);
    (void)weft_sim_stuck(sim, add_line, outcome);
}

static void run_world(weft_sim *sim, struct run *run)
{
    int status;

    weft_sim_add_check(sim, &run->check);
    weft_sim_keep(sim, is_kept, run);
    set_faults(sim, &run->job->faults);
    if (run->watch->trace >= 0)
        weft_sim_trace(sim, trace_event, run);
    status = run->job->scenario->run(sim, &run->job->plan);
    take_results(sim, run);
    if (status < 0) {
        char reason[200];
        snprintf(reason, sizeof reason, "the run could not be made: %s", weft_error_text(status));
        fail(run->outcome, reason);
    } else if (status > 0) {
        fail(run->outcome, "it has not come to rest, though nothing goes wrong any more");
    } else {
        check_rest(sim, run->outcome);
    }
}

void sim_once(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, struct sim_outcome *ret)
{
    struct run run = {.check = {.broken = note_progress}, .job = job, .watch = watch, .outcome = ret};
    struct sim_left left;
    char reason[200];
    weft_sim *sim;

    memset(ret, 0, sizeof *ret);
    if (!job->scenario) {
        sim_program_once(job, seed, watch, ret);
        return;
    }
    sim_left_note(&left);
    weft_log_set_sink(log_to_trace, &run);
    sim = weft_sim_new(seed);
    if (!sim) {
        fail(ret, weft_error_text(WEFT_ENOMEM));
        return;
    }
    run_world(sim, &run);
    weft_sim_free(sim);
    weft_log_set_sink(NULL, NULL);
    if (sim_left_grew(&left, reason, sizeof reason))
        fail(ret, reason);
}
