/* SPDX-License-Identifier: MIT */
/* The scenarios that are built in. */
#ifndef WEFT_CLI_SIM_SCENARIOS_H
#define WEFT_CLI_SIM_SCENARIOS_H

#include <stdio.h>

#include <weft/sim_scenario.h>

/* All of them, in the order in which they are shown; ends with NULL. */
extern const weft_sim_scenario *const sim_scenarios[];

/* The scenario of that name, or NULL. */
const weft_sim_scenario *sim_scenario_find(const char *name);
/* The name most like @name, or NULL if none is near. */
const char *sim_scenario_nearest(const char *name);
/* Prints them all, with their probes if @verbose. */
void sim_scenarios_print(FILE *out, bool verbose);

#endif
