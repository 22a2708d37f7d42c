/* SPDX-License-Identifier: MIT */
/*
 * One io_uring: two rings that are shared with the kernel, and the buffers that it may fill. Nothing here knows what is
 * submitted.
 */
#ifndef BACKEND_URING_RING_H
#define BACKEND_URING_RING_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/bytes.h>
#include <weft/time.h>

#include "backend/uring_abi.h"

/* By the version of the kernel that brought it (docs/decisions/0015). */
enum uring_tier { URING_TIER_BEST, URING_TIER_6_1, URING_TIER_6_10, URING_TIER_6_15 };

struct uring_ring {
    int fd;
    enum uring_tier tier;
    uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail;
    uint32_t sq_mask, sq_entries, cq_mask;
    uint32_t tail; /* of what is to be submitted; the kernel is told in uring_ring_enter */
    struct uring_sqe *sqes;
    struct uring_cqe *cqes;
    void *rings;
    size_t rings_length, sqes_length;
};

/*
 * Makes a ring of @p wanted, or of the best tier that there is; disabled. Returns 0; -ENOSYS, -EPERM and the like if
 * there is none to be had; -EOPNOTSUPP if the kernel has no ring of this tier. *ret_why says which call failed, or what
 * is missing.
 */
int uring_ring_open(struct uring_ring *ring, enum uring_tier wanted, const char **ret_why);
/* What is in flight is cancelled, by and by. */
void uring_ring_close(struct uring_ring *ring);
/* From now on the ring belongs to this thread. */
int uring_ring_enable(struct uring_ring *ring);

/* The next entry, zeroed; NULL if the queue is full. */
struct uring_sqe *uring_ring_entry(struct uring_ring *ring);
/* How many were not submitted. */
uint32_t uring_ring_pending(const struct uring_ring *ring);
/* How many more fit. */
uint32_t uring_ring_room(const struct uring_ring *ring);
/* Submits all, and lets completions come; with @p waits at least one, or until @p timeout has passed. That less was
 * submitted, or nothing came, is no error: -EEXIST if the ring belongs to another thread, and other negative errors. */
int uring_ring_enter(struct uring_ring *ring, bool waits, weft_time timeout);

static inline bool uring_ring_has_completions(const struct uring_ring *ring)
{
    return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) != *ring->cq_head;
}

/* io_uring_register(2). */
int uring_ring_register(struct uring_ring *ring, unsigned what, void *argument, unsigned count);

/* -- buffers -- */

struct uring_buffers {
    struct uring_buf *entries;
    char *memory;
    size_t mapped;
    uint32_t count, size;
    uint32_t tail;    /* how many were ever provided */
    bool incremental; /* a buffer is used up by several completions */
    uint32_t *offset; /* incremental, of each buffer: how much of it is used up */
    uint32_t *place;  /* of each buffer: the value of `tail` when it was provided */
    uint16_t *order;  /* of the last URING_PLACES * count that were provided: which it was */
    uint16_t *next;   /* of each that is being delivered: the next of its row */
};

/* Gives @p ring the buffers that its tier uses. Returns 0 or a negative error. */
int uring_buffers_open(struct uring_buffers *buffers, struct uring_ring *ring);
void uring_buffers_close(struct uring_buffers *buffers);
/* Lets the kernel have those that came back. */
void uring_buffers_publish(struct uring_buffers *buffers);

#define URING_PLACES 4

/* What one completion has filled, piece by piece. Every completion of a receive has to be looked at, to its end. */
struct uring_filled {
    uint32_t left, flags;
    uint16_t id;               /* of the buffer where the next piece begins */
    uint16_t lent, lent_count; /* the buffers of the piece that was returned last */
};

struct uring_filled uring_filled_by(struct uring_buffers *buffers, const struct uring_cqe *cqe);
/* The next contiguous piece, which may be read until the call that follows; false if there is none. */
bool uring_filled_next(struct uring_buffers *buffers, struct uring_filled *filled, weft_bytes *ret);

#endif
