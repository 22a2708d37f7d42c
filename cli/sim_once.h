/* SPDX-License-Identifier: MIT */
/* One run of one seed, by this process. */
#ifndef WEFT_CLI_SIM_ONCE_H
#define WEFT_CLI_SIM_ONCE_H

#include <stdatomic.h>

#include "sim.h"

/* What a run tells while it goes on. */
struct sim_watch {
    _Atomic uint64_t *beat;  /* grows as long as there is progress */
    _Atomic uint64_t *fault; /* the number of the last one that fired */
    int trace;               /* where each event is written to; -1: nowhere */
    bool elsewhere;          /* a program is to be run with its memory the other way */
    weft_time patience;      /* how long a program may run; 0: somebody else sees to that */
};

/* What came of it. */
struct sim_outcome {
    uint64_t hash; /* 0: it is not known */
    weft_sim_counts counts;
    weft_time time;
    uint64_t fired[SIM_KINDS_MOST], reached[SIM_PROBES_MOST];
    bool failed;
    int ended;               /* of a program that failed: as wait tells, 0: otherwise */
    char reason[SIM_REASON]; /* of a failure; the first line says what, the others more */
};

/* Runs @seed. */
void sim_once(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, struct sim_outcome *ret);

/* The same of a program, which is a process of its own. */
void sim_program_once(const struct sim_job *job, uint64_t seed, const struct sim_watch *watch, struct sim_outcome *ret);

#endif
