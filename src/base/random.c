/* SPDX-License-Identifier: MIT */
#include "base/random.h"

static uint64_t rotate(uint64_t value, int count)
{
    return value << count | value >> (64 - count);
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void random_init(struct random_source *source, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        source->state[i] = splitmix64(&seed);
}

void random_fork(struct random_source *source, struct random_source *child)
{
    random_init(child, random_next(source));
}

uint64_t random_next(struct random_source *source)
{
    uint64_t *s = source->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The lowest 2^64 mod bound numbers are drawn again: the rest divides evenly. */
uint64_t random_below(struct random_source *source, uint64_t bound)
{
    uint64_t skipped = (0 - bound) % bound;
    uint64_t drawn;

    do {
        drawn = random_next(source);
    } while (drawn < skipped);
    return drawn % bound;
}

uint64_t random_between(struct random_source *source, uint64_t minimum, uint64_t maximum)
{
    uint64_t span = maximum - minimum;
    return span == UINT64_MAX ? random_next(source) : minimum + random_below(source, span + 1);
}

bool random_chance(struct random_source *source, uint32_t per_million)
{
    return random_below(source, 1000000) < per_million;
}

/* Byte by byte, so that it is the same on a big-endian machine. */
void random_fill(struct random_source *source, void *buffer, size_t size)
{
    uint8_t *bytes = buffer;
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++) {
        word = i % 8 == 0 ? random_next(source) : word >> 8;
        bytes[i] = (uint8_t)word;
    }
}
