/* SPDX-License-Identifier: MIT */
/* Stands in for what is behind `weft web`, `weft get` and `weft sim`: these tests are about what comes before it. */
#include "get.h"
#include "sim.h"
#include "web.h"

int web_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}

int get_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}

int sim_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}
