/* SPDX-License-Identifier: MIT */
/* The workers of `weft sim`, and what they die of. */
#ifndef WEFT_CLI_SIM_POOL_H
#define WEFT_CLI_SIM_POOL_H

#include "sim_worker.h"

enum sim_cause { SIM_BROKEN, SIM_CRASHED, SIM_HANGS, SIM_MISMATCH };

/* A seed that failed. */
struct sim_failure {
    uint64_t seed;
    enum sim_cause cause;
    uint64_t faults;         /* that had fired */
    int ended;               /* how the process did, as wait tells; 0: it was not that */
    char reason[SIM_REASON]; /* the first line says what, the others more */
    char output[SIM_REASON]; /* the end of what it printed */
};

struct sim_pool {
    const struct sim_job *job;
    struct sim_area area;
    unsigned workers;        /* at most SIM_JOBS_MOST */
    bool runs[2];            /* makes first runs; second runs; or both */
    bool goes_on;            /* behind a failure */
    int trace;               /* -1, or where the only seed's events go */
    void (*tick)(void *arg); /* called often */
    void (*failed)(const struct sim_failure *failure, void *arg);
    void *arg;
    bool interrupted; /* set by sim_pool_run */
};

/* Runs all seeds of the area, or until one fails. Returns 0; a negative error: it could not be done. */
int sim_pool_run(struct sim_pool *pool);

/* Runs @seed alone, as the first or the second of its runs. Returns 1 if it failed, and how; 0; or a negative error. */
int sim_pool_try(const struct sim_job *job, uint64_t seed, bool second, int trace, struct sim_failure *ret);

#endif
