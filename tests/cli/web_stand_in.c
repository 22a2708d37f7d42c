/* SPDX-License-Identifier: MIT */
/* Stands in for what is behind `weft web` and its like: these tests are about what comes before it. */
#include "cert.h"
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

int cert_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}

int sim_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}
