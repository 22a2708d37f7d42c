/* SPDX-License-Identifier: MIT */
/* What a run left over: memory that was not given back, files that are still open. */
#ifndef WEFT_CLI_SIM_LEFT_H
#define WEFT_CLI_SIM_LEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_left {
    int64_t allocations;
    int descriptor; /* the lowest that is free */
};

/* Counts allocations from now on, in the whole process. */
void sim_left_count(void);
/* Takes note of what there is. */
void sim_left_note(struct sim_left *left);
/* Whether there is more than was noted; @reason says what. */
bool sim_left_grew(const struct sim_left *left, char *reason, size_t size);

#endif
