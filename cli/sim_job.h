/* SPDX-License-Identifier: MIT */
/* From the options of `weft sim` to what is run. */
#ifndef WEFT_CLI_SIM_JOB_H
#define WEFT_CLI_SIM_JOB_H

#include "sim.h"

/* Fills @job by @options. @keep is its memory, which the caller clears. Returns EXIT_DONE, or another status after a word
 * on @errors. */
int sim_job_make(struct sim_job *job, const struct sim_options *options, struct sim_keep *keep, FILE *errors);

#endif
