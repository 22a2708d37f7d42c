/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A small seeded generator for simulation and tests: xoshiro256** (Blackman
 * and Vigna, 2018), seeded through splitmix64.
 *
 * The same seed gives the same numbers on every platform. They are not secret:
 * never use them for keys, cookies or ports.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>

#include <weft/api.h>

struct random_source {
    uint64_t state[4]; /* not all 0 */
};

/** Seeds @p source. Any seed is good, 0 too. */
void random_init(struct random_source *source, uint64_t seed);
/** Seeds @p child from @p source, for a part whose draws must not shift those of the others. */
void random_fork(struct random_source *source, struct random_source *child);
/** 64 random bits. */
uint64_t random_next(struct random_source *source);
/** A number below @p bound, which is not 0; each is equally likely. */
uint64_t random_below(struct random_source *source, uint64_t bound);
/** A number from @p minimum to @p maximum, both included; minimum <= maximum. */
uint64_t random_between(struct random_source *source, uint64_t minimum, uint64_t maximum);
/** Whether what happens @p per_million times in a million happens now. */
bool random_chance(struct random_source *source, uint32_t per_million);
/** Fills @p size bytes at @p buffer. */
void random_fill(struct random_source *source, void *buffer, size_t size);

#endif
