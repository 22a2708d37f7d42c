/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/support.h"

#define RANDOM_DIVISIONS 20

/* Pieces of one input: each is a block of its own, so that a sanitizer sees whoever reads beyond it. */
struct pieces {
    weft_bytes *list;
    size_t count;
};

static void *must_allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        abort();
    return memory;
}

static struct pieces pieces_new(size_t capacity)
{
    return (struct pieces){must_allocate((capacity + 1) * sizeof(weft_bytes)), 0};
}

static void pieces_add(struct pieces *pieces, weft_bytes bytes)
{
    char *block = must_allocate(bytes.length);
    memcpy(block, bytes.data, bytes.length);
    pieces->list[pieces->count++] = weft_bytes_of(block, bytes.length);
}

static void pieces_feed(struct pieces *pieces, support_feed *feed, void *arg)
{
    feed(arg, pieces->list, pieces->count);
    for (size_t i = 0; i < pieces->count; i++)
        free((void *)(uintptr_t)pieces->list[i].data);
    free(pieces->list);
}

static void feed_in_pieces_of(weft_bytes bytes, size_t size, support_feed *feed, void *arg)
{
    struct pieces pieces = pieces_new(size > 0 ? bytes.length / size : 0);

    support_set_context("%zu bytes in pieces of %zu", bytes.length, size);
    for (; bytes.length > 0; bytes = weft_bytes_skip(bytes, size))
        pieces_add(&pieces, weft_bytes_first(bytes, size));
    pieces_feed(&pieces, feed, arg);
}

/* The bound on a piece is drawn first, and by magnitude, so that there are divisions into few and into many. */
static void feed_at_random(weft_bytes bytes, uint64_t seed, support_feed *feed, void *arg)
{
    struct pieces pieces = pieces_new(bytes.length);
    struct random_source random;
    unsigned magnitudes = 1;

    support_set_context("%zu bytes divided at random: run it again with WEFT_TEST_SEED=%" PRIu64, bytes.length, seed);
    random_init(&random, seed);
    while (magnitudes < 40 && bytes.length >> magnitudes > 0)
        magnitudes++;
    uint64_t bound = UINT64_C(1) << random_between(&random, 0, magnitudes);
    while (bytes.length > 0) {
        size_t size = (size_t)random_between(&random, 1, bound < bytes.length ? bound : bytes.length);
        pieces_add(&pieces, weft_bytes_first(bytes, size));
        bytes = weft_bytes_skip(bytes, size);
    }
    pieces_feed(&pieces, feed, arg);
}

static uint64_t first_seed(void)
{
    const char *given = getenv("WEFT_TEST_SEED");
    return given ? strtoull(given, NULL, 0) : 1;
}

void support_three_ways(weft_bytes bytes, support_feed *feed, void *arg)
{
    uint64_t seed = first_seed();

    feed_in_pieces_of(bytes, bytes.length, feed, arg);
    feed_in_pieces_of(bytes, 1, feed, arg);
    for (uint64_t i = 0; i < RANDOM_DIVISIONS; i++)
        feed_at_random(bytes, seed + i, feed, arg);
    support_clear_context();
}
