/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <weft/memory.h>

#include "support/support.h"

static atomic_size_t attempts;
static atomic_size_t live;
static atomic_size_t live_bytes;
static atomic_size_t injected;
static atomic_size_t fail_from; /* the number of the attempt that fails; 0 for none */
static atomic_bool fail_forever;

/* Counts one attempt. @return whether it is to fail */
static bool must_fail(void)
{
    size_t attempt = atomic_fetch_add(&attempts, 1) + 1;
    size_t from = atomic_load(&fail_from);

    if (from == 0 || attempt < from || (attempt > from && !atomic_load(&fail_forever)))
        return false;
    atomic_fetch_add(&injected, 1);
    return true;
}

static void *counted_allocate(void *context, size_t size)
{
    (void)context;
    void *memory = must_fail() ? NULL : malloc(size);
    if (memory) {
        atomic_fetch_add(&live, 1);
        atomic_fetch_add(&live_bytes, malloc_usable_size(memory));
    }
    return memory;
}

static void *counted_reallocate(void *context, void *memory, size_t size)
{
    if (!memory)
        return counted_allocate(context, size);
    size_t before = malloc_usable_size(memory);
    void *moved = must_fail() ? NULL : realloc(memory, size);
    if (moved) {
        atomic_fetch_add(&live_bytes, malloc_usable_size(moved));
        atomic_fetch_sub(&live_bytes, before);
    }
    return moved;
}

static void counted_release(void *context, void *memory)
{
    (void)context;
    atomic_fetch_sub(&live, 1);
    atomic_fetch_sub(&live_bytes, malloc_usable_size(memory));
    free(memory);
}

void support_allocator_install(void)
{
    static const weft_allocator counted = {counted_allocate, counted_reallocate, counted_release, NULL};

    atomic_store(&attempts, 0);
    atomic_store(&live, 0);
    atomic_store(&live_bytes, 0);
    support_fail_at(0, false);
    weft_set_allocator(&counted);
}

void support_allocator_remove(void)
{
    weft_set_allocator(NULL);
}

void support_fail_at(size_t k, bool forever)
{
    atomic_store(&injected, 0);
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_from, k == 0 ? 0 : atomic_load(&attempts) + k);
}

size_t support_injected(void)
{
    return atomic_load(&injected);
}

size_t support_allocations(void)
{
    return atomic_load(&attempts);
}

size_t support_live(void)
{
    return atomic_load(&live);
}

size_t support_live_bytes(void)
{
    return atomic_load(&live_bytes);
}
