/* SPDX-License-Identifier: MIT */
/*
 * Invariants:
 *  1. first and last are both NULL or both not; last->next is NULL.
 *  2. No segment in a queue is empty.
 *  3. queue->length is the sum of the lengths of the segments that are not opaque.
 *  4. Bytes never move while they are queued: what was peeked at stays valid over an append.
 */
#include <weft/bytequeue.h>

#include "base/checked.h"
#include "base/chunk.h"

/* Copies @p bytes, for which there is room, behind those of @p segment. */
static void segment_fill(struct weft_segment *segment, weft_bytes bytes)
{
    char *end = segment->space + (segment->front.data - segment->space) + segment->length;
    memcpy(end, bytes.data, bytes.length);
    segment->length += bytes.length;
    segment->room -= (uint32_t)bytes.length;
}

static void queue_link(weft_bytequeue *queue, struct weft_segment *first, struct weft_segment *last)
{
    last->next = NULL;
    if (queue->last)
        queue->last->next = first;
    else
        queue->first = first;
    queue->last = last;
}

/* A chunk with as much of @p bytes as it holds. */
static struct weft_segment *segment_copy(weft_chunk_pool *pool, enum chunk_class size_class, weft_bytes bytes)
{
    struct weft_segment *segment = chunk_take(pool, size_class);
    if (!segment)
        return NULL;
    segment->next = NULL;
    segment->owner = NULL;
    segment->front.data = segment->space;
    segment->length = 0;
    segment->room = chunk_capacity(size_class);
    segment->kind = SEGMENT_COPIED;
    segment_fill(segment, weft_bytes_first(bytes, segment->room));
    return segment;
}

static void segments_give(weft_chunk_pool *pool, struct weft_segment *segment)
{
    while (segment) {
        struct weft_segment *next = segment->next;
        chunk_give(pool, segment);
        segment = next;
    }
}

/*
 * Copies @p bytes into a chain of new chunks, the first of which has room for at least @p expected bytes (or is of
 * the largest class). NULL, with nothing kept, if memory is short.
 */
static struct weft_segment *chain_new(weft_chunk_pool *pool, weft_bytes bytes, size_t expected,
                                      struct weft_segment **ret_last)
{
    struct weft_segment *first = segment_copy(pool, chunk_class_for(expected), bytes);
    if (!first)
        return NULL;
    struct weft_segment *last = first;
    for (bytes = weft_bytes_skip(bytes, last->length); bytes.length > 0; bytes = weft_bytes_skip(bytes, last->length)) {
        last->next = segment_copy(pool, chunk_class_for(bytes.length), bytes);
        if (!last->next) {
            segments_give(pool, first);
            return NULL;
        }
        last = last->next;
    }
    *ret_last = last;
    return first;
}

/*
 * The slow half of an append: the tail is filled, the rest goes into new chunks. What the tail still holds counts as
 * expected, so that chunks grow with what is waiting and a queue that is drained in time stays small.
 */
static int append_chunks(weft_bytequeue *queue, weft_chunk_pool *pool, weft_bytes bytes)
{
    struct weft_segment *tail = queue->last;
    size_t filled = tail ? tail->room : 0;
    weft_bytes rest = weft_bytes_skip(bytes, filled);
    size_t expected = rest.length;
    struct weft_segment *last;

    if (tail && tail->kind == SEGMENT_COPIED)
        expected += (size_t)tail->length; /* no overflow: the new length of the queue, which is more, was checked */
    struct weft_segment *first = chain_new(pool, rest, expected, &last);
    if (!first)
        return WEFT_ENOMEM;
    if (filled)
        segment_fill(tail, weft_bytes_first(bytes, filled));
    queue_link(queue, first, last);
    return 0;
}

int weft_bytequeue_append(weft_bytequeue *queue, weft_chunk_pool *pool, weft_bytes bytes)
{
    size_t length;
    int error;

    if (bytes.length == 0)
        return 0;
    if (!size_add(queue->length, bytes.length, &length))
        return -EOVERFLOW;
    if (queue->last && bytes.length <= queue->last->room)
        segment_fill(queue->last, bytes);
    else if ((error = append_chunks(queue, pool, bytes)) < 0)
        return error;
    queue->length = length;
    return 0;
}

/* Links a segment that holds no bytes itself. @return NULL if memory is short */
static struct weft_segment *append_reference(weft_bytequeue *queue, weft_chunk_pool *pool, enum segment_kind kind,
                                             weft_owner *owner, uint64_t length)
{
    struct weft_segment *segment = chunk_take(pool, CHUNK_HEADER);
    if (!segment)
        return NULL;
    segment->owner = owner;
    segment->length = length;
    segment->room = 0;
    segment->kind = (uint8_t)kind;
    queue_link(queue, segment, segment);
    return segment;
}

int weft_bytequeue_append_owned(weft_bytequeue *queue, weft_chunk_pool *pool, weft_bytes bytes, weft_owner *owner)
{
    size_t length;

    if (bytes.length == 0) {
        weft_owner_unref(owner);
        return 0;
    }
    if (!size_add(queue->length, bytes.length, &length))
        return -EOVERFLOW;
    struct weft_segment *segment = append_reference(queue, pool, SEGMENT_OWNED, owner, bytes.length);
    if (!segment)
        return WEFT_ENOMEM;
    segment->front.data = bytes.data;
    queue->length = length;
    return 0;
}

int weft_bytequeue_append_opaque(weft_bytequeue *queue, weft_chunk_pool *pool, weft_owner *owner, uint64_t offset,
                                 uint64_t length)
{
    uint64_t end;

    if (!uint64_add(offset, length, &end))
        return -EOVERFLOW;
    if (length == 0) {
        weft_owner_unref(owner);
        return 0;
    }
    struct weft_segment *segment = append_reference(queue, pool, SEGMENT_OPAQUE, owner, length);
    if (!segment)
        return WEFT_ENOMEM;
    segment->front.offset = offset;
    return 0;
}

size_t weft_bytequeue_peek(const weft_bytequeue *queue, weft_bytes *runs, size_t capacity)
{
    const struct weft_segment *segment = queue->first;
    size_t count = 0;

    while (count < capacity && segment && segment->kind != SEGMENT_OPAQUE) {
        runs[count++] = weft_bytes_of(segment->front.data, (size_t)segment->length);
        segment = segment->next;
    }
    return count;
}

bool weft_bytequeue_peek_opaque(const weft_bytequeue *queue, weft_owner **ret_owner, uint64_t *ret_offset,
                                uint64_t *ret_length)
{
    const struct weft_segment *segment = queue->first;

    if (!segment || segment->kind != SEGMENT_OPAQUE)
        return false;
    *ret_owner = segment->owner;
    *ret_offset = segment->front.offset;
    *ret_length = segment->length;
    return true;
}

static void drop_first(weft_bytequeue *queue, weft_chunk_pool *pool)
{
    struct weft_segment *segment = queue->first;
    weft_owner *owner = segment->owner;

    queue->first = segment->next;
    if (!queue->first)
        queue->last = NULL;
    if (segment->kind != SEGMENT_OPAQUE)
        queue->length -= (size_t)segment->length;
    chunk_give(pool, segment);
    weft_owner_unref(owner); /* last: destroy may look at the queue */
}

static void advance_first(weft_bytequeue *queue, uint64_t count)
{
    struct weft_segment *segment = queue->first;

    segment->length -= count;
    if (segment->kind == SEGMENT_OPAQUE) {
        segment->front.offset += count;
    } else {
        segment->front.data += count;
        queue->length -= (size_t)count;
    }
}

void weft_bytequeue_consume(weft_bytequeue *queue, weft_chunk_pool *pool, uint64_t count)
{
    while (count > 0 && queue->first) {
        uint64_t length = queue->first->length;
        if (count < length) {
            advance_first(queue, count);
            return;
        }
        count -= length;
        drop_first(queue, pool);
    }
}

void weft_bytequeue_clear(weft_bytequeue *queue, weft_chunk_pool *pool)
{
    while (queue->first)
        drop_first(queue, pool);
}

size_t weft_bytequeue_opaque_count(const weft_bytequeue *queue)
{
    size_t count = 0;

    for (const struct weft_segment *segment = queue->first; segment; segment = segment->next)
        count += segment->kind == SEGMENT_OPAQUE;
    return count;
}

/* The queue is built anew from its segments, in order. */
int weft_bytequeue_disown(weft_bytequeue *queue, weft_chunk_pool *pool, weft_owner *owner)
{
    struct weft_segment *segment = queue->first, *next;
    int status = 0;

    weft_bytequeue_init(queue);
    for (; segment; segment = next) {
        next = segment->next;
        if (segment->owner != owner || segment->kind != SEGMENT_OWNED) {
            queue_link(queue, segment, segment);
            queue->length += segment->kind == SEGMENT_OPAQUE ? 0 : segment->length;
            continue;
        }
        if (status == 0)
            status = weft_bytequeue_append(queue, pool, weft_bytes_of(segment->front.data, segment->length));
        weft_owner_unref(owner);
        chunk_give(pool, segment);
    }
    return status;
}
