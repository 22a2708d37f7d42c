/* SPDX-License-Identifier: MIT */
#include "sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/error.h>

#include "sim_clock.h"
#include "sim_job.h"
#include "sim_left.h"
#include "sim_progress.h"
#include "sim_report.h"
#include "sim_scenarios.h"

enum { USUAL_SEEDS = 1000, LINE = 200 };

/* A set of seeds that is run. */
struct session {
    const struct sim_job *job;
    struct sim_pool pool;
    struct sim_failure failure; /* the first */
    uint64_t failed;
    weft_time began;
    bool shown;   /* on a terminal */
    FILE *hashes; /* where they go; NULL: nowhere */
};

/* -- while it runs -- */

static void show_progress(void *arg)
{
    const struct session *session = arg;
    const struct sim_shared *shared = session->pool.area.shared;
    struct sim_totals totals;
    char line[LINE];

    sim_area_total(&session->pool.area, &totals);
    sim_progress_draw(sim_progress_format(
        &(struct sim_progress){
            .done = totals.runs,
            .total = shared->count << session->pool.runs[1],
            .real = sim_clock_now() - session->began,
            .virtual = (weft_time)totals.time,
            .faults = totals.faults,
            .failed = session->failed,
            .reached = sim_report_reached(session->job, &totals),
            .declared = sim_report_declared(session->job),
        },
        sim_progress_columns(), line, sizeof line));
}

static void show_shrinking(const struct sim_shrink *shrink)
{
    char line[LINE];

    if (shrink->job.scenario)
        snprintf(line, sizeof line, "shrinking seed %llu: run %u, %u connections, %u messages, %llu faults",
                 (unsigned long long)shrink->failure.seed, shrink->tries, shrink->job.plan.connections,
                 shrink->job.plan.messages, (unsigned long long)shrink->failure.faults);
    else
        snprintf(line, sizeof line, "shrinking seed %llu: run %u", (unsigned long long)shrink->failure.seed,
                 shrink->tries);
    line[sim_progress_columns() < sizeof line ? sim_progress_columns() - 1 : sizeof line - 1] = '\0';
    sim_progress_draw(line);
}

static void note_failure(const struct sim_failure *failure, void *arg)
{
    struct session *session = arg;

    if (session->failed++ == 0)
        session->failure = *failure;
    if (!session->job->options->goes_on)
        return;
    if (session->shown)
        sim_progress_clear();
    sim_report_failure(stderr, session->job, failure, NULL);
}

/* -- at the end -- */

static void report_failure(const struct session *session)
{
    static struct sim_shrink shrink;
    bool shrinks = session->job->options->shrinks && session->failure.cause != SIM_MISMATCH;

    shrink = (struct sim_shrink){.job = *session->job, .failure = session->failure};
    shrink.tick = session->shown ? show_shrinking : NULL;
    if (shrinks)
        (void)sim_shrink_run(&shrink);
    if (session->shown)
        sim_progress_clear();
    sim_report_failure(stderr, session->job, &session->failure, shrinks ? &shrink : NULL);
    sim_keep_clear(&shrink.keep);
}

static int complain_of_hashes(const struct session *session, int error)
{
    char shown[LINE];

    fprintf(stderr, "weft sim: cannot write %s: %s\n",
            option_printable(session->job->options->hashes, shown, sizeof shown), weft_error_text(error));
    return EXIT_FAILED;
}

/* Before any seed is run: whoever wants them should not wait for nothing. */
static int open_hashes(struct session *session)
{
    const char *path = session->job->options->hashes;

    if (!path)
        return EXIT_DONE;
    session->hashes = fopen(path, "we");
    return session->hashes ? EXIT_DONE : complain_of_hashes(session, -errno);
}

static int write_hashes(const struct session *session)
{
    int status = session->hashes ? sim_report_hashes(session->hashes, &session->pool.area) : 0;

    return status < 0 ? complain_of_hashes(session, status) : EXIT_DONE;
}

static int conclude(const struct session *session)
{
    const struct sim_job *job = session->job;
    struct sim_verdict verdict;
    struct sim_totals totals;
    int status = write_hashes(session);

    sim_area_total(&session->pool.area, &totals);
    sim_area_judge(&session->pool.area, &verdict);
    if (job->options->verbose)
        sim_report_verbose(stdout, job, &session->pool.area, &totals);
    if (session->pool.interrupted)
        fprintf(stderr, "weft sim: interrupted\n");
    sim_report_line(stdout, job, &verdict, &totals);
    if (verdict.failed || verdict.mismatches || session->pool.interrupted)
        return EXIT_FAILED;
    if (job->options->probes_required && sim_report_reached(job, &totals) < sim_report_declared(job))
        return EXIT_FAILED;
    return status;
}

/* -- runs -- */

static unsigned workers_for(const struct sim_options *options, uint64_t seeds)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t workers = options->jobs ? options->jobs : processors > 0 ? (uint64_t)processors : 1;
    unsigned least = options->twice ? 2 : 1;

    if (workers > SIM_JOBS_MOST)
        workers = SIM_JOBS_MOST;
    if (workers > seeds * least)
        workers = seeds * least;
    return workers < least ? least : (unsigned)workers;
}

static int run_set(const struct sim_job *job, uint64_t first, uint64_t count)
{
    const struct sim_options *options = job->options;
    static struct session session;
    int status;

    session = (struct session){.job = job, .began = sim_clock_now(), .shown = sim_progress_is_shown()};
    session.pool = (struct sim_pool){.job = job,
                                     .workers = workers_for(options, count),
                                     .runs = {true, options->twice},
                                     .goes_on = options->goes_on,
                                     .trace = -1,
                                     .tick = session.shown ? show_progress : NULL,
                                     .failed = note_failure,
                                     .arg = &session};
    if (open_hashes(&session) != EXIT_DONE)
        return EXIT_FAILED;
    status = sim_area_new(&session.pool.area, first, count);
    if (status == 0)
        status = sim_pool_run(&session.pool);
    if (status < 0) {
        fprintf(stderr, "weft sim: cannot run seeds: %s\n", weft_error_text(status));
        return EXIT_FAILED;
    }
    if (session.shown) {
        show_progress(&session);
        fputc('\n', stderr);
    }
    if (session.failed && !options->goes_on && !session.pool.interrupted)
        report_failure(&session);
    status = conclude(&session);
    sim_area_close(&session.pool.area);
    return status;
}

/* -- one seed, in this process -- */

static int conclude_here(struct session *session, uint64_t seed, const struct sim_outcome *outcome)
{
    int status;

    session->pool.area.shared->next[0] = 1;
    (void)sim_area_add(&session->pool.area, 0, 0, false, outcome);
    session->pool.area.shared->records[0].failed = outcome->failed;
    if (outcome->failed) {
        session->failure = (struct sim_failure){.seed = seed, .cause = SIM_BROKEN};
        memcpy(session->failure.reason, outcome->reason, sizeof outcome->reason);
        sim_report_failure(stderr, session->job, &session->failure, NULL);
    }
    status = conclude(session);
    sim_area_close(&session->pool.area);
    return status;
}

static struct session *runs_here; /* as long as the scenario runs */

/* It ended the process, as if that were a program's. */
static void end_here(int status, void *arg)
{
    static struct sim_outcome outcome;
    struct session *session = runs_here;

    (void)arg;
    if (!session)
        return;
    runs_here = NULL;
    outcome.failed = true;
    snprintf(outcome.reason, sizeof outcome.reason, "it ended the process with status %d", status);
    (void)conclude_here(session, session->pool.area.shared->first, &outcome);
    fflush(stdout);
    _exit(EXIT_FAILED);
}

static int run_here(const struct sim_job *job, uint64_t seed)
{
    static _Atomic uint64_t beat, fault;
    const struct sim_watch watch = {.beat = &beat,
                                    .fault = &fault,
                                    .trace = job->options->trace ? STDOUT_FILENO : -1,
                                    .patience = job->options->patience};
    static struct sim_outcome outcome;
    static struct session session;
    int status;

    session = (struct session){.job = job};
    if (open_hashes(&session) != EXIT_DONE)
        return EXIT_FAILED;
    status = sim_area_new(&session.pool.area, seed, 1);
    if (status < 0 || on_exit(end_here, NULL) != 0) {
        fprintf(stderr, "weft sim: %s\n", weft_error_text(status < 0 ? status : WEFT_ENOMEM));
        return EXIT_FAILED;
    }
    runs_here = &session;
    sim_once(job, seed, &watch, &outcome);
    runs_here = NULL;
    return conclude_here(&session, seed, &outcome);
}

int sim_run(const void *values)
{
    const struct sim_options *options = values;
    uint64_t first = options->seed ? options->seed : 1;
    struct sim_keep keep = {0};
    struct sim_job job;
    int status;

    if (options->list) {
        sim_scenarios_print(stdout, options->verbose);
        return EXIT_DONE;
    }
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started this may ignore its children; these are waited for */
    sim_left_count();
    status = sim_job_make(&job, options, &keep, stderr);
    if (status == EXIT_DONE) {
        sim_worker_become(&job);
        if (options->seed && !options->seeds && !options->twice)
            status = run_here(&job, first);
        else
            status = run_set(&job, first, options->seeds ? options->seeds : options->seed ? 1 : USUAL_SEEDS);
    }
    sim_keep_clear(&keep);
    return status;
}
