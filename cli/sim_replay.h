/* SPDX-License-Identifier: MIT */
/* The command that runs a seed again. */
#ifndef WEFT_CLI_SIM_REPLAY_H
#define WEFT_CLI_SIM_REPLAY_H

#include <stdio.h>

#include "sim.h"

/* Prints it, quoted for a shell, with the end of the line; @twice: both of its runs. */
void sim_replay_print(FILE *out, const struct sim_job *job, uint64_t seed, bool twice);

#endif
