/* SPDX-License-Identifier: MIT */
/* A seed that failed is tried again with less, as long as it fails in the same way. */
#ifndef WEFT_CLI_SIM_SHRINK_H
#define WEFT_CLI_SIM_SHRINK_H

#include "sim_pool.h"

struct sim_shrink {
    struct sim_job job;   /* in: the one that failed; out: the smallest that does. Its `keep` is &keep or as it was */
    struct sim_keep keep; /* the caller clears it */
    struct sim_failure failure;   /* in: how; out: how the smallest one did */
    unsigned tries;               /* out */
    uint64_t faults;              /* out: that are left */
    bool repeats;                 /* out: it failed again like that, alone in a new process */
    struct sim_failure otherwise; /* out: how it failed if it failed, but not like that; or no reason */
    weft_time began;              /* private */
    void (*tick)(const struct sim_shrink *shrink); /* before each try; or NULL */
};

/* Returns 0, or a negative error: what was found until then stands. */
int sim_shrink_run(struct sim_shrink *shrink);

#endif
