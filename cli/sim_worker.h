/* SPDX-License-Identifier: MIT */
/* A process that runs seeds until there are none, or one fails. */
#ifndef WEFT_CLI_SIM_WORKER_H
#define WEFT_CLI_SIM_WORKER_H

#include <sys/types.h>

#include "sim_area.h"

struct sim_worker {
    unsigned place; /* in the area */
    bool second;    /* makes second runs, with its memory laid out the other way */
    int trace;      /* where events are written to; -1: nowhere */
    int output;     /* a file of the parent's: what it prints in its current seed */
};

/* Starts one. Returns its process, or a negative error. */
pid_t sim_worker_start(const struct sim_job *job, const struct sim_area *area, const struct sim_worker *worker);

/* If this process was started to be one that is laid out the other way, it is that, and ends. */
void sim_worker_become(const struct sim_job *job);

#endif
