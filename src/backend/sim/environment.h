/* SPDX-License-Identifier: MIT */
/*
 * What the environment asks of the world of a program that runs with
 * WEFT_BACKEND=sim:SEED. `weft sim PROGRAM` sets it:
 *
 *     WEFT_SIM_FAULTS=TEXT  the faults (fault_text.h); without it there are none
 *     WEFT_SIM_KEEP=LIST    only these of them happen (keep.h)
 *     WEFT_SIM_VISITORS=N,M strangers that come where it listens, and messages that they say in all (visitor.h)
 *     WEFT_SIM_SAY=TEXT     what they say; without it lines of their own
 *     WEFT_SIM_REPORT=FD    a line when the world begins: "world"; and one when it closes:
 *                           "hash H events N faults N time NANOSECONDS"
 *     WEFT_SIM_TRACE=FD     a line for each event
 */
#ifndef BACKEND_SIM_ENVIRONMENT_H
#define BACKEND_SIM_ENVIRONMENT_H

#include "backend/sim/world.h"

/* Does what it says; the world is new but for the program's host. Returns 0; -EINVAL for what is not understood; -ENOMEM. */
int sim_environment_obey(struct sim_host *host);
/* The world closes. */
void sim_environment_leave(struct sim_world *world);

#endif
