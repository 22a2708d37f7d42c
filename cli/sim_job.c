/* SPDX-License-Identifier: MIT */
#include "sim_job.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <weft/error.h>

#include "printable.h"
#include "sim_object.h"
#include "sim_scenarios.h"
#include "suggest.h"

enum { SHOWN = 200, USUAL_CONNECTIONS = 20, USUAL_MESSAGES = 1000 };

/* -- what is run -- */

static int wrong(FILE *errors, int status, const char *format, ...) WEFT_PRINTF(3, 4);
static int wrong(FILE *errors, int status, const char *format, ...)
{
    va_list arguments;

    fputs("weft sim: ", errors);
    va_start(arguments, format);
    vfprintf(errors, format, arguments);
    va_end(arguments);
    fputc('\n', errors);
    return status;
}

static int take_scenario(struct sim_job *job, const char *name, FILE *errors)
{
    const char *nearest = sim_scenario_nearest(name);
    char shown[SHOWN];

    job->scenario = sim_scenario_find(name);
    if (job->scenario)
        return EXIT_DONE;
    option_printable(name, shown, sizeof shown);
    if (nearest)
        return wrong(errors, EXIT_USAGE, "there is no scenario '%s' (did you mean '%s'?)", shown, nearest);
    return wrong(errors, EXIT_USAGE, "there is no scenario '%s': 'weft sim --list' names them; write ./%s for a file",
                 shown, shown);
}

static int take_object(struct sim_job *job, const char *path, FILE *errors)
{
    const char *reason = NULL;
    char shown[SHOWN * 2];

    job->scenario = sim_object_load(path, &reason);
    if (job->scenario)
        return EXIT_DONE;
    return wrong(errors, EXIT_USAGE, "%s", option_printable(reason, shown, sizeof shown));
}

static int take_program(struct sim_job *job, const struct option_strings *operands, FILE *errors)
{
    char shown[SHOWN];

    for (size_t i = 0; i < operands->count; i++)
        job->argv[i] = operands->items[i];
    if (access(job->argv[0], X_OK) < 0)
        return wrong(errors, EXIT_USAGE, "cannot run %s: %s", option_printable(job->argv[0], shown, sizeof shown),
                     weft_error_text(-errno));
    return EXIT_DONE;
}

static int take_subject(struct sim_job *job, const struct option_strings *operands, FILE *errors)
{
    const char *name = operands->items[0];
    int status;

    if (operands->count == 0)
        return wrong(errors, EXIT_USAGE, "SCENARIO is missing; 'weft sim --list' names those that are built in");
    if (strchr(name, '/') && !sim_object_is(name))
        return take_program(job, operands, errors);
    status = strchr(name, '/') ? take_object(job, name, errors) : take_scenario(job, name, errors);
    if (status == EXIT_DONE && operands->count > 1)
        return wrong(errors, EXIT_USAGE, "a scenario takes no arguments, but got '%s'",
                     option_printable(operands->items[1], (char[SHOWN]){0}, SHOWN));
    return status;
}

/* -- its world -- */

static const char *nearest_kind(const char *name, size_t length)
{
    struct suggestion suggestion = suggestion_for(name, length);

    for (int kind = 0; kind < SIM_FAULTS; kind++)
        suggestion_offer(&suggestion, sim_fault_name((enum sim_fault_kind)kind));
    suggestion_offer(&suggestion, "latency");
    suggestion_offer(&suggestion, "bandwidth");
    return suggestion.best;
}

/* Shows the text, and under it where it is wrong. */
static void point_at(FILE *errors, const char *text, size_t place, size_t length)
{
    char shown[SHOWN];

    fprintf(errors, "  %s\n  %*s", printable(weft_bytes_from(text), shown, sizeof shown), (int)place, "");
    do
        fputc('^', errors);
    while (length-- > 1);
    fputc('\n', errors);
}

static int take_faults(struct sim_job *job, const char *text, FILE *errors)
{
    struct sim_faults_error error;
    const char *nearest;

    if (sim_faults_parse(text, &job->faults, &error) == 0)
        return EXIT_DONE;
    nearest = error.is_name ? nearest_kind(text + error.place, error.length) : NULL;
    if (nearest)
        wrong(errors, EXIT_USAGE, "--faults: %s (did you mean '%s'?)", error.reason, nearest);
    else
        wrong(errors, EXIT_USAGE, "--faults: %s", error.reason);
    point_at(errors, text, error.place, error.length);
    return EXIT_USAGE;
}

static int take_keep(struct sim_job *job, const char *text, struct sim_keep *keep, FILE *errors)
{
    size_t place = 0;
    int status;

    if (!text)
        return EXIT_DONE;
    job->keep = keep;
    status = sim_keep_parse(keep, text, &place);
    if (status == 0)
        return EXIT_DONE;
    if (status == -ENOMEM)
        return wrong(errors, EXIT_FAILED, "%s", weft_error_text(status));
    wrong(errors, EXIT_USAGE, "--keep takes numbers up to %llu, such as 12,40-44, or none",
          (unsigned long long)SIM_KEEP_GREATEST);
    point_at(errors, text, place, 1);
    return EXIT_USAGE;
}

static void take_plan(struct sim_job *job, const struct sim_options *options)
{
    const weft_sim_plan none = {0}, *usual = job->scenario ? &job->scenario->plan : &none;

    job->plan = (weft_sim_plan){
        .size = sizeof job->plan,
        .connections = usual->connections ? usual->connections : USUAL_CONNECTIONS,
        .messages = usual->messages ? usual->messages : USUAL_MESSAGES,
    };
    if (options->connections)
        job->plan.connections = (unsigned)options->connections;
    if (options->messages)
        job->plan.messages = (unsigned)options->messages;
}

int sim_job_make(struct sim_job *job, const struct sim_options *options, struct sim_keep *keep, FILE *errors)
{
    int status;

    *job = (struct sim_job){.options = options};
    if (options->trace && (!options->seed || options->seeds || options->twice))
        return wrong(errors, EXIT_USAGE, "--trace is of one run: give --seed, without --seeds and --twice");
    status = take_subject(job, &options->operands, errors);
    if (status == EXIT_DONE)
        status = take_faults(job, options->faults, errors);
    if (status == EXIT_DONE)
        status = take_keep(job, options->keep, keep, errors);
    take_plan(job, options);
    return status;
}
