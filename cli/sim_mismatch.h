/* SPDX-License-Identifier: MIT */
/* Where two runs of a seed part. */
#ifndef WEFT_CLI_SIM_MISMATCH_H
#define WEFT_CLI_SIM_MISMATCH_H

#include <stdio.h>

#include "sim.h"

/* Runs @seed twice again and prints the first event that differs. */
void sim_mismatch_show(FILE *out, const struct sim_job *job, uint64_t seed);

#endif
