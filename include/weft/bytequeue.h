/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A bounded queue of bytes: chunked, counted, with a soft and a hard limit.
 *
 * Bytes are appended at the end and consumed at the front. Small appends are
 * copied into chunks; a large piece that somebody else keeps alive can be
 * appended without a copy, with an owner that is released when the last byte
 * of it is consumed. An empty queue holds no memory.
 */
#ifndef WEFT_BYTEQUEUE_H
#define WEFT_BYTEQUEUE_H

#include <weft/bytes.h>
#include <weft/error.h>

WEFT_BEGIN_DECLS

/** One run of bytes in a queue; private to it. */
struct weft_segment;

/** Keeps borrowed bytes alive; embedded in whatever they belong to. Not shared between threads. */
typedef struct weft_owner {
    uint32_t references;                       /**< starts at 1 */
    void (*destroy)(struct weft_owner *owner); /**< called when the last reference goes */
} weft_owner;

/**
 * Recycles chunks between the queues of one loop, so that steady traffic allocates nothing.
 *
 * Wherever a pool is asked for, NULL means that nothing is recycled.
 */
typedef struct weft_chunk_pool weft_chunk_pool;

/** The queue. Its memory is the caller's; its fields are private. */
typedef struct weft_bytequeue {
    struct weft_segment *first;
    struct weft_segment *last;
    size_t length; /* bytes in memory: opaque stretches are not counted */
} weft_bytequeue;

/**
 * Makes a pool that keeps at most @p keep bytes of unused chunks.
 * @return *returned*, the caller frees it after the queues that use it; NULL if memory is short
 */
WEFT_API WEFT_NODISCARD weft_chunk_pool *weft_chunk_pool_new(size_t keep);
/** Frees the pool and its unused chunks. NULL does nothing. */
WEFT_API void weft_chunk_pool_free(weft_chunk_pool *pool);
/** Gives all unused chunks back to the allocator: for a loop that has become idle. */
WEFT_API void weft_chunk_pool_trim(weft_chunk_pool *pool);

/** Makes an empty queue, which holds nothing. */
static inline void weft_bytequeue_init(weft_bytequeue *queue)
{
    queue->first = queue->last = NULL;
    queue->length = 0;
}

/** Drops all that is in the queue and releases its owners. The queue is as after init and may be used again. */
WEFT_API void weft_bytequeue_clear(weft_bytequeue *queue, weft_chunk_pool *pool);

/** Whether nothing is queued. */
static inline bool weft_bytequeue_is_empty(const weft_bytequeue *queue)
{
    return queue->first == NULL;
}

/** How many bytes are queued in memory (owned ones included, opaque ones not): what a limit applies to. */
static inline size_t weft_bytequeue_length(const weft_bytequeue *queue)
{
    return queue->length;
}

/**
 * Appends a copy of @p bytes (which are *borrowed*): all of them or none. What was peeked at stays valid.
 * @return 0; WEFT_ENOMEM, or -EOVERFLOW if the length would exceed SIZE_MAX, with the queue unchanged
 */
WEFT_API WEFT_NODISCARD int weft_bytequeue_append(weft_bytequeue *queue, weft_chunk_pool *pool, weft_bytes bytes);

/**
 * Appends @p bytes without a copy.
 * @param owner  keeps them alive: one reference is *taken* on success and released when they are consumed;
 *               (at once, if there are none); NULL for bytes that live for ever
 * @return 0; WEFT_ENOMEM, or -EOVERFLOW if the length would exceed SIZE_MAX, with the queue and the owner unchanged
 */
WEFT_API WEFT_NODISCARD int weft_bytequeue_append_owned(weft_bytequeue *queue, weft_chunk_pool *pool, weft_bytes bytes,
                                                        weft_owner *owner);

/**
 * Copies all that is queued on behalf of @p owner, whose references are released: its bytes may go.
 * @return 0; WEFT_ENOMEM, and then those of its bytes that could not be copied are no longer in the queue
 */
WEFT_API WEFT_NODISCARD int weft_bytequeue_disown(weft_bytequeue *queue, weft_chunk_pool *pool, weft_owner *owner);

/**
 * Appends @p length bytes that are not in memory (a stretch of a file): they cannot be peeked at, and are
 * consumed in order with the rest.
 * @param owner   says where they are; one reference is *taken* on success and released when they are consumed
 *                (at once, if @p length is 0)
 * @param offset  kept for the consumer, advanced as bytes are consumed
 * @return 0; WEFT_ENOMEM, or -EOVERFLOW if offset + length exceeds UINT64_MAX, with the queue and the owner unchanged
 */
WEFT_API WEFT_NODISCARD int weft_bytequeue_append_opaque(weft_bytequeue *queue, weft_chunk_pool *pool,
                                                         weft_owner *owner, uint64_t offset, uint64_t length);

/**
 * The runs of bytes at the front, for a gathering write. It stops before an opaque stretch.
 * @param runs  gets at most @p capacity runs, valid *until* those bytes are consumed or cleared
 * @return how many runs were set
 */
WEFT_API size_t weft_bytequeue_peek(const weft_bytequeue *queue, weft_bytes *runs, size_t capacity) WEFT_NONBLOCKING;

/** How many opaque stretches are queued. O(the number of chunks and stretches). */
WEFT_API size_t weft_bytequeue_opaque_count(const weft_bytequeue *queue) WEFT_NONBLOCKING;

/**
 * The opaque stretch at the front, if there is one.
 * @param[out] ret_owner,ret_offset,ret_length  set on success only; the owner is *borrowed*
 */
WEFT_API bool weft_bytequeue_peek_opaque(const weft_bytequeue *queue, weft_owner **ret_owner, uint64_t *ret_offset,
                                         uint64_t *ret_length) WEFT_NONBLOCKING;

/**
 * Drops the first @p count bytes (those of opaque stretches count too), at most all, and releases the owners of what
 * is gone.
 */
WEFT_API void weft_bytequeue_consume(weft_bytequeue *queue, weft_chunk_pool *pool, uint64_t count);

/** One reference more. */
static inline void weft_owner_ref(weft_owner *owner)
{
    owner->references++;
}
/** One reference less; the last calls destroy. NULL does nothing. */
static inline void weft_owner_unref(weft_owner *owner)
{
    if (owner && --owner->references == 0)
        owner->destroy(owner);
}

WEFT_END_DECLS

#endif
