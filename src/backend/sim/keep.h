/* SPDX-License-Identifier: MIT */
/*
 * A set of numbers of faults, and its text: "3,17-40", or "none". A run that
 * keeps only some of its faults is how one that failed is shrunk
 * (weft_sim_keep).
 */
#ifndef BACKEND_SIM_KEEP_H
#define BACKEND_SIM_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The greatest number that a set may hold. */
#define SIM_KEEP_GREATEST (UINT64_C(1) << 24)

/* All zero is an empty set. */
struct sim_keep {
    unsigned char *bits;
    size_t size; /* in bytes */
};

/* Adds the numbers from @p first to @p last. Returns 0; -ERANGE for a number above the greatest; -ENOMEM. */
int sim_keep_add(struct sim_keep *keep, uint64_t first, uint64_t last);
/* Whether @p number is in the struct sim_keep at @p keep. */
bool sim_keep_has(uint64_t number, void *keep);
/* Empties it. */
void sim_keep_clear(struct sim_keep *keep);

/* Adds what @p text says. Returns 0; -EINVAL or -ERANGE, and *ret_place is where in the text it is wrong; -ENOMEM. */
int sim_keep_parse(struct sim_keep *keep, const char *text, size_t *ret_place);
/* Writes its text to @p buffer. Returns the length of the whole, of which at most @p size - 1 bytes are written. */
size_t sim_keep_format(const struct sim_keep *keep, char *buffer, size_t size);

#endif
