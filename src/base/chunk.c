/* SPDX-License-Identifier: MIT */
#include "base/chunk.h"

#include <weft/memory.h>

#include "base/poison.h"

/* Buffers have round sizes: a chunk with one in it has room for the header as well. */
#define HEADER ((uint32_t)64)
static const uint32_t chunk_sizes[CHUNK_CLASSES] = {HEADER, 512, 4096 + HEADER, 16384 + HEADER, 65536 + HEADER};
_Static_assert(sizeof(struct weft_segment) <= HEADER, "a header-only chunk holds a header");

struct weft_chunk_pool {
    struct weft_segment *unused[CHUNK_CLASSES]; /* the last given is taken first: its memory is warm */
    size_t kept[CHUNK_CLASSES];                 /* bytes in each of these lists */
    size_t total;                               /* bytes in all of them */
    size_t keep;                                /* the bound on total */
};

uint32_t chunk_capacity(enum chunk_class size_class)
{
    return chunk_sizes[size_class] - (uint32_t)offsetof(struct weft_segment, space);
}

enum chunk_class chunk_class_for(size_t length)
{
    enum chunk_class size_class = CHUNK_SMALL;
    while (size_class < CHUNK_HUGE && length > chunk_capacity(size_class))
        size_class++;
    return size_class;
}

weft_chunk_pool *weft_chunk_pool_new(size_t keep)
{
    weft_chunk_pool *pool = weft_allocate_zeroed(1, sizeof *pool);
    if (pool)
        pool->keep = keep;
    return pool;
}

static struct weft_segment *pool_pop(weft_chunk_pool *pool, enum chunk_class size_class)
{
    struct weft_segment *chunk = pool->unused[size_class];
    memory_unpoison(chunk, chunk_sizes[size_class]);
    pool->unused[size_class] = chunk->next;
    pool->kept[size_class] -= chunk_sizes[size_class];
    pool->total -= chunk_sizes[size_class];
    return chunk;
}

static void pool_push(weft_chunk_pool *pool, struct weft_segment *chunk)
{
    enum chunk_class size_class = chunk->size_class;
    chunk->next = pool->unused[size_class];
    pool->unused[size_class] = chunk;
    pool->kept[size_class] += chunk_sizes[size_class];
    pool->total += chunk_sizes[size_class];
    memory_poison(chunk, chunk_sizes[size_class]);
}

static enum chunk_class most_kept(const weft_chunk_pool *pool)
{
    enum chunk_class most = CHUNK_HEADER;
    for (enum chunk_class i = CHUNK_HEADER; i < CHUNK_CLASSES; i++) {
        if (pool->kept[i] > pool->kept[most])
            most = i;
    }
    return most;
}

/*
 * Makes room for one more chunk of @p size_class at the cost of the class that has the most. Without this, a pool
 * filled by one burst of large chunks would make every small write afterwards allocate.
 * @return false if it is larger than all that the pool may keep
 */
static bool pool_make_room(weft_chunk_pool *pool, enum chunk_class size_class)
{
    if (chunk_sizes[size_class] > pool->keep)
        return false;
    while (pool->total > pool->keep - chunk_sizes[size_class])
        weft_release(pool_pop(pool, most_kept(pool)));
    return true;
}

struct weft_segment *chunk_take(weft_chunk_pool *pool, enum chunk_class size_class)
{
    if (pool && pool->unused[size_class])
        return pool_pop(pool, size_class);
    struct weft_segment *chunk = weft_allocate(chunk_sizes[size_class]);
    if (chunk)
        chunk->size_class = (uint8_t)size_class;
    return chunk;
}

void chunk_give(weft_chunk_pool *pool, struct weft_segment *chunk)
{
    if (pool && pool_make_room(pool, chunk->size_class))
        pool_push(pool, chunk);
    else
        weft_release(chunk);
}

void weft_chunk_pool_trim(weft_chunk_pool *pool)
{
    for (enum chunk_class i = CHUNK_HEADER; i < CHUNK_CLASSES; i++) {
        while (pool->unused[i])
            weft_release(pool_pop(pool, i));
    }
}

void weft_chunk_pool_free(weft_chunk_pool *pool)
{
    if (!pool)
        return;
    weft_chunk_pool_trim(pool);
    weft_release(pool);
}
