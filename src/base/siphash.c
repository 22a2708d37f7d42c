/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, int count)
{
    return value << count | value >> (64 - count);
}

/* Little-endian on every machine; compilers make one load of it. */
static uint64_t load(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline void rounds(struct state *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void absorb(struct state *s, uint64_t word, int count)
{
    s->v3 ^= word;
    rounds(s, count);
    s->v0 ^= word;
}

static inline uint64_t siphash(const uint8_t *key, weft_bytes bytes, int word_rounds, int final_rounds)
{
    uint64_t k0 = load(key, 8);
    uint64_t k1 = load(key + 8, 8);
    struct state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                      k1 ^ 0x7465646279746573};
    const uint8_t *data = (const uint8_t *)bytes.data;
    size_t left = bytes.length;

    for (; left >= 8; left -= 8, data += 8)
        absorb(&s, load(data, 8), word_rounds);
    absorb(&s, load(data, left) | (uint64_t)bytes.length << 56, word_rounds);
    s.v2 ^= 0xff;
    rounds(&s, final_rounds);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash_1_3(const uint8_t key[SIPHASH_KEY_SIZE], weft_bytes bytes)
{
    return siphash(key, bytes, 1, 3);
}

uint64_t siphash_2_4(const uint8_t key[SIPHASH_KEY_SIZE], weft_bytes bytes)
{
    return siphash(key, bytes, 2, 4);
}
