/* SPDX-License-Identifier: MIT */
/* What tests ask of the simulated world of one loop; worlds of several hosts are weft/sim.h's. */
#ifndef BACKEND_SIM_H
#define BACKEND_SIM_H

#include <weft/sim.h>

#include "backend/backend.h"

/* Sets the faults of the world of @p backend; its size need not be set. The default is no fault at all. */
void sim_set_faults(struct backend *backend, const weft_faults *faults);
/* Raises @p number, if @p backend watches it, in the next turn. */
void sim_raise(struct backend *backend, int number);

#endif
