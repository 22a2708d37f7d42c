/* SPDX-License-Identifier: MIT */
#include "sim_left.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/memory.h>

static atomic_int_fast64_t live;

static void *allocate(void *context, size_t size)
{
    void *memory = malloc(size);

    (void)context;
    if (memory)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return memory;
}

static void *reallocate(void *context, void *memory, size_t size)
{
    void *moved = realloc(memory, size);

    (void)context;
    if (moved && !memory)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return moved;
}

static void release(void *context, void *memory)
{
    (void)context;
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(memory);
}

void sim_left_count(void)
{
    static const weft_allocator counting = {allocate, reallocate, release, NULL};

    weft_set_allocator(&counting);
}

/* What is opened always gets the lowest that is free; so one that stays open moves it. */
static int lowest_descriptor(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0)
        close(fd);
    return fd;
}

void sim_left_note(struct sim_left *left)
{
    left->allocations = atomic_load(&live);
    left->descriptor = lowest_descriptor();
}

bool sim_left_grew(const struct sim_left *left, char *reason, size_t size)
{
    int64_t more = atomic_load(&live) - left->allocations;

    if (more > 0)
        snprintf(reason, size, "memory is left over: %" PRId64 " allocation%s", more, more == 1 ? "" : "s");
    else if (lowest_descriptor() != left->descriptor)
        snprintf(reason, size, "a file or socket is left open (descriptor %d)", left->descriptor);
    else
        return false;
    return true;
}
