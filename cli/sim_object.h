/* SPDX-License-Identifier: MIT */
/* A scenario in a shared object of its user. */
#ifndef WEFT_CLI_SIM_OBJECT_H
#define WEFT_CLI_SIM_OBJECT_H

#include <stdbool.h>

#include <weft/sim_scenario.h>

/* Whether @path is that of a shared object. */
bool sim_object_is(const char *path);

/* Loads it, for as long as the process lives. Returns the scenario; NULL, and *ret_reason says why not, *until* the next
 * call. */
const weft_sim_scenario *sim_object_load(const char *path, const char **ret_reason);

#endif
