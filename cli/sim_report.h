/* SPDX-License-Identifier: MIT */
/* What `weft sim` tells in the end. */
#ifndef WEFT_CLI_SIM_REPORT_H
#define WEFT_CLI_SIM_REPORT_H

#include <stdio.h>

#include "sim_pool.h"
#include "sim_shrink.h"

/* How many of the scenario's probes there are, and how many of them were reached. */
unsigned sim_report_declared(const struct sim_job *job);
unsigned sim_report_reached(const struct sim_job *job, const struct sim_totals *totals);

/* "seeds N, failed F, mismatches M, probes H/D". */
void sim_report_line(FILE *out, const struct sim_job *job, const struct sim_verdict *verdict,
                     const struct sim_totals *totals);
/* What --verbose adds. */
void sim_report_verbose(FILE *out, const struct sim_job *job, const struct sim_area *area,
                        const struct sim_totals *totals);

/* What failed and how, and the command that runs it again. @shrink: NULL if it was not. */
void sim_report_failure(FILE *out, const struct sim_job *job, const struct sim_failure *failure,
                        const struct sim_shrink *shrink);

/* Writes each seed that was run with its hash to @file, and closes it. Returns 0 or a negative error. */
int sim_report_hashes(FILE *file, const struct sim_area *area);

#endif
