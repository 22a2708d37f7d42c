/* SPDX-License-Identifier: MIT */
/*
 * The buffers that receives are filled into (uring_ring.h).
 *
 * The kernel takes them in the order in which they were provided. What a completion had taken is provided again when it
 * was delivered, but the kernel is told only when all completions of a turn were. So while one waits to be looked at, no
 * other buffer can be provided more than a few times, and the places of the last ones tell which buffers followed the
 * first of a row.
 */
#include "backend/uring_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/uring_internal.h"

/* A completion of the first tier is one of them; of the second a row; of the third a bit of one. */
static const struct {
    uint32_t count, size;
} sizes[] = {
    [URING_TIER_6_1] = {256, 16 * 1024},
    [URING_TIER_6_10] = {512, 4 * 1024},
    [URING_TIER_6_15] = {8, 256 * 1024},
};

static void provide(struct uring_buffers *buffers, uint16_t id)
{
    struct uring_buf *entry = &buffers->entries[buffers->tail & (buffers->count - 1)];

    /* (Not the whole entry: in the first, the count of all lies where nothing else is.) */
    entry->addr = (uint64_t)(uintptr_t)(buffers->memory + (size_t)id * buffers->size);
    entry->len = buffers->size;
    entry->bid = id;
    buffers->place[id] = buffers->tail;
    buffers->order[buffers->tail & (URING_PLACES * buffers->count - 1)] = id;
    buffers->offset[id] = 0;
    buffers->next[id] = id;
    buffers->tail++;
}

void uring_buffers_publish(struct uring_buffers *buffers)
{
    __atomic_store_n(&buffers->entries[0].tail, (uint16_t)buffers->tail, __ATOMIC_RELEASE);
}

static int map_all(struct uring_buffers *buffers)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), head = buffers->count * sizeof *buffers->entries;
    void *memory;

    head = (head + page - 1) & ~(page - 1);
    buffers->mapped = head + (size_t)buffers->count * buffers->size;
    memory = mmap(NULL, buffers->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return WEFT_ENOMEM;
    buffers->entries = memory;
    buffers->memory = (char *)memory + head;
    return 0;
}

static int register_all(struct uring_buffers *buffers, struct uring_ring *ring)
{
    struct uring_buf_reg about = {
        .ring_addr = (uint64_t)(uintptr_t)buffers->entries,
        .ring_entries = buffers->count,
        .flags = buffers->incremental ? URING_PBUF_RING_INC : 0,
    };

    return uring_ring_register(ring, URING_REGISTER_PBUF_RING, &about, 1);
}

int uring_buffers_open(struct uring_buffers *buffers, struct uring_ring *ring)
{
    int status = WEFT_ENOMEM;

    *buffers = (struct uring_buffers){
        .count = sizes[ring->tier].count, .size = sizes[ring->tier].size, .incremental = ring->tier == URING_TIER_6_15};
    buffers->offset = weft_allocate(buffers->count * sizeof *buffers->offset);
    buffers->place = weft_allocate(buffers->count * sizeof *buffers->place);
    buffers->order = weft_allocate(URING_PLACES * buffers->count * sizeof *buffers->order);
    buffers->next = weft_allocate(buffers->count * sizeof *buffers->next);
    if (buffers->offset && buffers->place && buffers->order && buffers->next)
        status = map_all(buffers);
    if (status == 0)
        status = register_all(buffers, ring);
    if (status < 0) {
        uring_buffers_close(buffers);
        return status;
    }
    for (uint32_t i = 0; i < buffers->count; i++)
        provide(buffers, (uint16_t)i);
    uring_buffers_publish(buffers);
    return 0;
}

void uring_buffers_close(struct uring_buffers *buffers)
{
    if (buffers->entries)
        munmap(buffers->entries, buffers->mapped);
    weft_release(buffers->offset);
    weft_release(buffers->place);
    weft_release(buffers->order);
    weft_release(buffers->next);
    *buffers = (struct uring_buffers){0};
}

static uint16_t id_at(const struct uring_buffers *buffers, uint32_t place)
{
    return buffers->order[place & (URING_PLACES * buffers->count - 1)];
}

/* Which buffers follow @p id in its row: as long as they are not provided again nothing changes them, but the places
 * are soon forgotten. */
static void chain(struct uring_buffers *buffers, uint16_t id, uint32_t length)
{
    uint32_t place = buffers->place[id];

    for (uint32_t i = buffers->size; i < length; i += buffers->size) {
        uint16_t next = id_at(buffers, ++place);

        buffers->next[id] = next;
        id = next;
    }
}

struct uring_filled uring_filled_by(struct uring_buffers *buffers, const struct uring_cqe *cqe)
{
    uint16_t id = (uint16_t)(cqe->flags >> URING_CQE_BUFFER_SHIFT) & (uint16_t)(buffers->count - 1);
    struct uring_filled filled = {.flags = cqe->flags, .id = id};

    if (!(cqe->flags & URING_CQE_BUFFER))
        return filled;
    if (cqe->res > 0) {
        filled.left = (uint32_t)cqe->res;
        if (!buffers->incremental)
            chain(buffers, id, filled.left);
    } else if (!(cqe->flags & URING_CQE_BUF_MORE)) {
        provide(buffers, id); /* it was taken for nothing */
    }
    return filled;
}

/* Of a buffer that is used up bit by bit. */
static weft_bytes take_bit(struct uring_buffers *buffers, struct uring_filled *filled)
{
    char *from = buffers->memory + (size_t)filled->id * buffers->size + buffers->offset[filled->id];
    weft_bytes bytes = weft_bytes_of(from, filled->left);

    buffers->offset[filled->id] += filled->left;
    filled->left = 0;
    filled->lent_count = !(filled->flags & URING_CQE_BUF_MORE);
    return bytes;
}

/* Of whole buffers, as many as lie one behind the other in memory, too. */
static weft_bytes take_row(struct uring_buffers *buffers, struct uring_filled *filled)
{
    char *from = buffers->memory + (size_t)filled->id * buffers->size;
    uint32_t length = 0;
    uint16_t before;

    do {
        uint32_t some = filled->left < buffers->size ? filled->left : buffers->size;

        length += some;
        filled->left -= some;
        filled->lent_count++;
        before = filled->id;
        filled->id = buffers->next[before];
    } while (filled->left > 0 && filled->id == before + 1);
    return weft_bytes_of(from, length);
}

bool uring_filled_next(struct uring_buffers *buffers, struct uring_filled *filled, weft_bytes *ret)
{
    for (; filled->lent_count > 0; filled->lent_count--)
        provide(buffers, filled->lent++);
    if (filled->left == 0)
        return false;
    filled->lent = filled->id;
    *ret = buffers->incremental ? take_bit(buffers, filled) : take_row(buffers, filled);
    return true;
}
