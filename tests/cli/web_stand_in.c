/* SPDX-License-Identifier: MIT */
/* Stands in for the server behind `weft web`: these tests are about what comes before it. */
#include "web.h"

int web_run(const void *values)
{
    (void)values;
    return EXIT_DONE;
}
