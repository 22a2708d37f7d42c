/* SPDX-License-Identifier: MIT */
/* What `--help` prints. */
#ifndef WEFT_CLI_HELP_H
#define WEFT_CLI_HELP_H

#include <stddef.h>
#include <stdio.h>

#include "command.h"

/* The help of one command, in lines of at most @width columns. */
void help_print(FILE *out, const struct command *command, size_t width);

/* What `weft` is and which commands it has. */
void help_print_overview(FILE *out, size_t width);

/* The first two words of how @command is used, and its options and operands: "weft web [OPTION]... [DIR]". */
void help_print_usage(FILE *out, const struct command *command);

#endif
