/* SPDX-License-Identifier: MIT */
/* Completion of command lines. */
#ifndef WEFT_CLI_COMPLETE_H
#define WEFT_CLI_COMPLETE_H

#include <stdio.h>

/* A script for bash, which it reads with `source`; it needs nothing but bash >= 4. */
void complete_print_bash(FILE *out);

#endif
