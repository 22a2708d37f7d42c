/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The chunks that byte queues are made of, and the pool that recycles them.
 *
 * A segment's header and its data lie in one chunk, so that a queue costs one
 * allocation for each chunk and none while the pool has one of that size.
 */
#ifndef BASE_CHUNK_H
#define BASE_CHUNK_H

#include <weft/bytequeue.h>

enum segment_kind {
    SEGMENT_COPIED, /* the bytes lie in the chunk */
    SEGMENT_OWNED,  /* the bytes are somebody else's, kept alive by an owner */
    SEGMENT_OPAQUE  /* the bytes are not in memory */
};

/* The sizes of chunks. Owned and opaque segments need only the header, and take the smallest. */
enum chunk_class { CHUNK_HEADER, CHUNK_SMALL, CHUNK_MEDIUM, CHUNK_LARGE, CHUNK_HUGE, CHUNK_CLASSES };

struct weft_segment {
    struct weft_segment *next;
    weft_owner *owner; /* NULL for copied bytes */
    union {
        const char *data; /* copied and owned: the first byte that is not consumed */
        uint64_t offset;  /* opaque */
    } front;
    uint64_t length; /* never 0 in a queue */
    uint32_t room;   /* free bytes behind the last; 0 if not copied */
    uint8_t kind;    /* enum segment_kind */
    uint8_t size_class;
    char space[];
};

/* How many bytes a chunk of @p size_class can hold. */
uint32_t chunk_capacity(enum chunk_class size_class);
/* The smallest class that holds @p length bytes, or the largest if none does. Never CHUNK_HEADER. */
enum chunk_class chunk_class_for(size_t length);
/* A chunk whose fields are unset but for size_class; NULL if memory is short. @p pool may be NULL. */
struct weft_segment *chunk_take(weft_chunk_pool *pool, enum chunk_class size_class);
/* Gives a chunk back to @p pool, or to the allocator if that is full or NULL. */
void chunk_give(weft_chunk_pool *pool, struct weft_segment *chunk);

#endif
