/* SPDX-License-Identifier: MIT */
/* The worlds that the environment asks for (shared.c). */
#ifndef BACKEND_SIM_SHARED_H
#define BACKEND_SIM_SHARED_H

#include "backend/sim/world.h"

/* Opens a backend in the world that the environment asks for. Returns 1; 0 if it asks for none; or an error. */
int sim_shared_open(struct backend **ret);
/* @p world ends. */
void sim_shared_leave(struct sim_world *world);
/* Whether this thread may run a loop of @p world, if it is none of its workers. Returns 0; -EXDEV, which is logged: the world
 * has several loops, and was made by another thread. */
int sim_shared_check(const struct sim_world *world);

#endif
