/* SPDX-License-Identifier: MIT */
/* `weft sim`: a scenario or a program in simulated worlds, one seed after another. */
#ifndef WEFT_CLI_SIM_H
#define WEFT_CLI_SIM_H

#include <weft/sim_scenario.h>

#include "backend/sim/fault_text.h"
#include "backend/sim/keep.h"
#include "command.h"
#include "options.h"

struct sim_options {
    struct option_strings operands; /* a scenario, or a program and its arguments */
    size_t seeds;                   /* 0: nobody said */
    size_t seed;                    /* the first; 0: nobody said */
    const char *faults, *keep;      /* keep: NULL: all */
    size_t connections, messages;   /* 0: the scenario's own */
    size_t jobs;                    /* 0: one for each processor */
    weft_time patience;
    const char *hashes; /* a file, or NULL */
    const char *say;
    bool visitors, shrinks, goes_on, twice, probes_required, trace, list, verbose;
};

/* The most that one command takes of each. */
enum { SIM_PROBES_MOST = 64, SIM_KINDS_MOST = 64, SIM_JOBS_MOST = 256, SIM_REASON = 4096 };

/* What is run. All pointers are the caller's, for as long as it is used. */
struct sim_job {
    const struct sim_options *options;
    const weft_sim_scenario *scenario;    /* NULL: a program */
    const char *argv[OPTION_REPEATS + 1]; /* the program's */
    struct sim_faults_text faults;
    weft_sim_plan plan;
    struct sim_keep *keep; /* NULL: all faults */
};

extern const struct command sim_command;

/* @values is a struct sim_options. Returns the exit status. */
int sim_run(const void *values);

#endif
