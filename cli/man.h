/* SPDX-License-Identifier: MIT */
/* Manual pages, in mdoc(7), from the descriptions of the commands. */
#ifndef WEFT_CLI_MAN_H
#define WEFT_CLI_MAN_H

#include <stdio.h>

#include "command.h"

/* weft-NAME(1). */
void man_print(FILE *out, const struct command *command);

/* weft(1), which names the commands. */
void man_print_overview(FILE *out);

#endif
