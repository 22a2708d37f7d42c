/* SPDX-License-Identifier: MIT */
/* The two rings (uring_ring.h). */
#include "backend/uring_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/error.h>

#include "backend/descriptor.h"

/* What one submit takes; more in a turn cost another. */
#define SUBMISSIONS 512
#define COMPLETIONS 4096

/* What Linux 6.1 has. */
#define FEATURES                                                                                    \
    (URING_FEAT_SINGLE_MMAP | URING_FEAT_NODROP | URING_FEAT_SUBMIT_STABLE | URING_FEAT_FAST_POLL | \
     URING_FEAT_EXT_ARG | URING_FEAT_CQE_SKIP)

static int set_up(struct uring_params *params, uint32_t flags)
{
    long fd;

    *params = (struct uring_params){.cq_entries = COMPLETIONS};
    params->flags = URING_SETUP_CQSIZE | URING_SETUP_R_DISABLED | URING_SETUP_SUBMIT_ALL | URING_SETUP_SINGLE_ISSUER |
                    URING_SETUP_DEFER_TASKRUN | flags;
    fd = syscall(SYS_io_uring_setup, SUBMISSIONS, params);
    return fd < 0 ? -errno : (int)fd;
}

int uring_ring_register(struct uring_ring *ring, unsigned what, void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, ring->fd, what, argument, count) < 0 ? -errno : 0;
}

static enum uring_tier tier_of(struct uring_ring *ring, const struct uring_params *params)
{
    struct uring_probe probe = {0};

    if ((params->features & FEATURES) != FEATURES ||
        uring_ring_register(ring, URING_REGISTER_PROBE, &probe, URING_PROBE_OPS) < 0 ||
        probe.last_op < URING_OP_SEND_ZC)
        return URING_TIER_BEST;
    if (!(params->features & URING_FEAT_RECVSEND_BUNDLE) || !(params->flags & URING_SETUP_NO_SQARRAY))
        return URING_TIER_6_1;
    return probe.last_op < URING_OP_EPOLL_WAIT ? URING_TIER_6_10 : URING_TIER_6_15;
}

static void *map(const struct uring_ring *ring, size_t length, uint64_t offset)
{
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, (off_t)offset);

    return memory == MAP_FAILED ? NULL : memory;
}

static uint32_t *at(const struct uring_ring *ring, uint32_t offset)
{
    return (uint32_t *)(void *)((char *)ring->rings + offset);
}

static int map_rings(struct uring_ring *ring, const struct uring_params *params)
{
    size_t sq_length = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
    size_t cq_length = params->cq_off.cqes + params->cq_entries * sizeof(struct uring_cqe);

    ring->rings_length = sq_length > cq_length ? sq_length : cq_length;
    ring->rings = map(ring, ring->rings_length, URING_OFFSET_RINGS);
    ring->sqes_length = params->sq_entries * sizeof(struct uring_sqe);
    ring->sqes = ring->rings ? map(ring, ring->sqes_length, URING_OFFSET_SQES) : NULL;
    if (!ring->sqes)
        return WEFT_ENOMEM;
    ring->sq_head = at(ring, params->sq_off.head);
    ring->sq_tail = at(ring, params->sq_off.tail);
    ring->sq_entries = params->sq_entries;
    ring->sq_mask = params->sq_entries - 1;
    ring->cq_head = at(ring, params->cq_off.head);
    ring->cq_tail = at(ring, params->cq_off.tail);
    ring->cq_mask = params->cq_entries - 1;
    ring->cqes = (struct uring_cqe *)(void *)((char *)ring->rings + params->cq_off.cqes);
    if (!(params->flags & URING_SETUP_NO_SQARRAY))
        for (uint32_t i = 0; i < params->sq_entries; i++)
            at(ring, params->sq_off.array)[i] = i;
    return 0;
}

int uring_ring_open(struct uring_ring *ring, enum uring_tier wanted, const char **ret_why)
{
    struct uring_params params;
    enum uring_tier tier;
    int status;

    *ring = (struct uring_ring){.fd = -1};
    *ret_why = "io_uring_setup";
    ring->fd = wanted == URING_TIER_6_1 ? -EINVAL : set_up(&params, URING_SETUP_NO_SQARRAY);
    if (ring->fd == -EINVAL)
        ring->fd = set_up(&params, 0);
    if (ring->fd < 0) {
        status = ring->fd;
        ring->fd = -1;
        if (status != -EINVAL)
            return status;
        *ret_why = "the kernel is older than Linux 6.1";
        return -EOPNOTSUPP;
    }
    tier = tier_of(ring, &params);
    if (tier == URING_TIER_BEST || tier < wanted) {
        *ret_why = tier == URING_TIER_BEST ? "the kernel is older than Linux 6.1" : "the kernel lacks this tier";
        uring_ring_close(ring);
        return -EOPNOTSUPP;
    }
    ring->tier = wanted != URING_TIER_BEST ? wanted : tier;
    *ret_why = "mmap";
    status = map_rings(ring, &params);
    if (status < 0)
        uring_ring_close(ring);
    return status;
}

void uring_ring_close(struct uring_ring *ring)
{
    if (ring->rings)
        munmap(ring->rings, ring->rings_length);
    if (ring->sqes)
        munmap(ring->sqes, ring->sqes_length);
    if (ring->fd >= 0)
        descriptor_close(ring->fd);
    *ring = (struct uring_ring){.fd = -1};
}

/* It only sets a flag: the one error that there is, that somebody has done it already, is not made to happen in tests. */
int uring_ring_enable(struct uring_ring *ring)
{
    return (syscall)(SYS_io_uring_register, ring->fd, URING_REGISTER_ENABLE_RINGS, NULL, 0) < 0 ? -errno : 0;
}

uint32_t uring_ring_pending(const struct uring_ring *ring)
{
    return ring->tail - __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
}

uint32_t uring_ring_room(const struct uring_ring *ring)
{
    return ring->sq_entries - uring_ring_pending(ring);
}

struct uring_sqe *uring_ring_entry(struct uring_ring *ring)
{
    struct uring_sqe *entry;

    if (uring_ring_room(ring) == 0)
        return NULL;
    entry = &ring->sqes[ring->tail++ & ring->sq_mask];
    memset(entry, 0, sizeof *entry);
    return entry;
}

/* What is not an error of the ring: the time is over, a signal came, or the kernel wants its completions taken or has no
 * memory for requests; then what was not submitted stays where it is. */
static bool is_passing(int error)
{
    return error == ETIME || error == EINTR || error == EAGAIN || error == EBUSY;
}

int uring_ring_enter(struct uring_ring *ring, bool waits, weft_time timeout)
{
    struct uring_timespec time = {timeout / WEFT_SECONDS(1), timeout % WEFT_SECONDS(1)};
    struct uring_getevents_arg argument = {0};
    bool timed = waits && timeout != WEFT_NEVER;
    unsigned flags = URING_ENTER_GETEVENTS | (timed ? URING_ENTER_EXT_ARG : 0);

    if (timed)
        argument.timeout = (uint64_t)(uintptr_t)&time;
    __atomic_store_n(ring->sq_tail, ring->tail, __ATOMIC_RELEASE);
    if (syscall(SYS_io_uring_enter, ring->fd, uring_ring_pending(ring), waits, flags, timed ? &argument : NULL,
                timed ? sizeof argument : 0) >= 0)
        return 0;
    return is_passing(errno) ? 0 : -errno;
}
