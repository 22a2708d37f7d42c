/* SPDX-License-Identifier: MIT */
/* Lets a simulated world ask the resolver that a test puts in the place of the system's. */
#include "backend/names.h"
#include "backend/sim/world.h"

int __wrap_sim_host_addresses(const struct sim_world *world, const char *name, weft_address *ret);
int __wrap_sim_host_addresses(const struct sim_world *world, const char *name, weft_address *ret)
{
    (void)world;
    return names_resolve(name, ret, NAMES_MOST);
}
