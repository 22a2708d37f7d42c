/* SPDX-License-Identifier: MIT */
#include "sim_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <weft/memory.h>

#include "printable.h"
#include "sim_mismatch.h"
#include "sim_replay.h"

enum { LINE = 400, OUTPUT_LINES = 30 };

/* -- what all runs came to -- */

unsigned sim_report_declared(const struct sim_job *job)
{
    unsigned count = 0;

    while (job->scenario && job->scenario->probes && job->scenario->probes[count])
        count++;
    return count;
}

unsigned sim_report_reached(const struct sim_job *job, const struct sim_totals *totals)
{
    unsigned declared = sim_report_declared(job), count = 0;

    for (unsigned i = 0; i < declared; i++)
        count += totals->reached[i] > 0;
    return count;
}

void sim_report_line(FILE *out, const struct sim_job *job, const struct sim_verdict *verdict,
                     const struct sim_totals *totals)
{
    fprintf(out, "seeds %" PRIu64 ", failed %" PRIu64 ", mismatches %" PRIu64 ", probes %u/%u\n", verdict->seeds,
            verdict->failed, verdict->mismatches, sim_report_reached(job, totals), sim_report_declared(job));
}

struct fault_lines {
    FILE *out;
    const struct sim_totals *totals;
    size_t kind;
};

static void print_fault(const char *kind, unsigned per_million, uint64_t occasions, uint64_t fired, void *arg)
{
    struct fault_lines *lines = arg;

    (void)per_million;
    (void)occasions;
    (void)fired;
    if (lines->kind < SIM_KINDS_MOST)
        fprintf(lines->out, "  %-18s %12" PRIu64 "\n", kind, lines->totals->fired[lines->kind]);
    lines->kind++;
}

/* The names of the kinds are those of any world. */
static void print_faults(FILE *out, const struct sim_totals *totals)
{
    weft_sim *sim = weft_sim_new(1);

    fprintf(out, "faults that fired:\n");
    if (sim)
        weft_sim_each_fault(sim, print_fault, &(struct fault_lines){.out = out, .totals = totals});
    weft_sim_free(sim);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return one < other ? -1 : one > other;
}

/* How many different runs there were. */
static uint64_t count_distinct(const struct sim_area *area)
{
    const struct sim_shared *shared = area->shared;
    uint64_t begun = sim_area_begun(area), *hashes = weft_allocate((size_t)begun * sizeof *hashes), distinct = 0;
    size_t count = 0;

    for (uint64_t i = 0; hashes && i < begun; i++)
        if (shared->records[i].hash[0])
            hashes[count++] = shared->records[i].hash[0];
    if (hashes)
        qsort(hashes, count, sizeof *hashes, compare_hashes);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || hashes[i] != hashes[i - 1];
    weft_release(hashes);
    return distinct;
}

void sim_report_verbose(FILE *out, const struct sim_job *job, const struct sim_area *area,
                        const struct sim_totals *totals)
{
    uint64_t runs = totals->runs ? totals->runs : 1;

    if (job->scenario)
        print_faults(out, totals);
    for (unsigned i = 0; i < sim_report_declared(job); i++)
        fprintf(out, "%sprobe %-40s %12" PRIu64 "\n", i == 0 ? "probes:\n  " : "  ", job->scenario->probes[i],
                totals->reached[i]);
    fprintf(out, "runs %" PRIu64 ", distinct hashes %" PRIu64 ", faults %" PRIu64 "\n", totals->runs,
            count_distinct(area), totals->faults);
    fprintf(out, "mean of a run: %" PRIu64 " events, %" PRIu64 " connections, %" PRIu64 " bytes, %.1f s simulated\n",
            totals->events / runs, totals->connections / runs, totals->bytes / runs,
            (double)totals->time / (double)runs / 1e9);
}

int sim_report_hashes(FILE *file, const struct sim_area *area)
{
    const struct sim_shared *shared = area->shared;
    int status = 0;

    for (uint64_t i = 0; i < sim_area_begun(area); i++)
        if (shared->records[i].ran[0])
            fprintf(file, "%" PRIu64 " %016" PRIx64 "\n", shared->first + i, shared->records[i].hash[0]);
    if (ferror(file))
        status = -EIO;
    if (fclose(file) != 0 && status == 0)
        status = -errno;
    return status;
}

/* -- what one came to -- */

/* The last lines of @text, indented. */
static void print_lines(FILE *out, const char *text)
{
    const char *from = text + strlen(text);
    char shown[LINE];

    for (int lines = 0; from > text; from--)
        if (from[-1] == '\n' && from[0] && ++lines == OUTPUT_LINES)
            break;
    while (*from) {
        size_t length = strcspn(from, "\n");

        fprintf(out, "    %s\n", printable(weft_bytes_of(from, length), shown, sizeof shown));
        from += length + (from[length] == '\n');
    }
}

static void print_shrunk(FILE *out, const struct sim_job *job, const struct sim_failure *failure,
                         const struct sim_shrink *shrink)
{
    if (!shrink->repeats && *shrink->otherwise.reason) {
        char shown[LINE];
        fprintf(out, "  Alone, in a new process, it fails otherwise: %s\n",
                printable(weft_bytes_first(weft_bytes_from(shrink->otherwise.reason),
                                           strcspn(shrink->otherwise.reason, "\n")),
                          shown, sizeof shown));
        return;
    }
    if (!shrink->repeats) {
        fprintf(out, "  Alone, in a new process, it does not fail: something is kept from the runs before it.\n");
        return;
    }
    fprintf(out, "  shrunk in %u runs:", shrink->tries);
    if (job->scenario || job->options->visitors)
        fprintf(out, " %u connections to %u, %u messages to %u,", job->plan.connections, shrink->job.plan.connections,
                job->plan.messages, shrink->job.plan.messages);
    fprintf(out, " %" PRIu64 " faults to %" PRIu64 "\n", failure->faults, shrink->faults);
}

void sim_report_failure(FILE *out, const struct sim_job *job, const struct sim_failure *failure,
                        const struct sim_shrink *shrink)
{
    const struct sim_failure *last = shrink ? &shrink->failure : failure;
    size_t first = strcspn(last->reason, "\n");
    char shown[LINE];

    fprintf(out, "weft sim: seed %" PRIu64 "%s: %s\n", failure->seed, failure->cause == SIM_MISMATCH ? "" : " failed",
            printable(weft_bytes_of(last->reason, first), shown, sizeof shown));
    if (last->reason[first])
        print_lines(out, last->reason + first + 1);
    if (*last->output) {
        fprintf(out, "  it printed:\n");
        print_lines(out, last->output);
    }
    if (failure->cause == SIM_MISMATCH)
        sim_mismatch_show(out, job, failure->seed);
    if (shrink && shrink->tries > 0)
        print_shrunk(out, job, failure, shrink);
    fprintf(out, "  run it again with:\n    ");
    sim_replay_print(out, shrink ? &shrink->job : job, failure->seed, failure->cause == SIM_MISMATCH);
}
