/* SPDX-License-Identifier: MIT */
/*
 * The small simulator: a virtual clock and in-memory streams that split,
 * stall and reset, all from a seed. Files are the real ones, read in place;
 * jobs run in place too.
 */
#ifndef BACKEND_SIM_H
#define BACKEND_SIM_H

#include "backend/backend.h"

struct sim_faults {
    bool splits;                 /* deliver and take any part of what is there */
    weft_time latency_min;       /* how long bytes travel */
    weft_time latency_max;       /* 0: no time at all */
    unsigned resets_per_million; /* chance of a send to break its connection */
};

/* Sets what the simulated network of @p backend does to its streams. The default is no fault at all. */
void sim_set_faults(struct backend *backend, const struct sim_faults *faults);
/* Raises @p number, if @p backend watches it, in the next turn. */
void sim_raise(struct backend *backend, int number);

#endif
