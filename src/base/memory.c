/* SPDX-License-Identifier: MIT */
#include <weft/memory.h>

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/probe.h"

static void *default_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *default_reallocate(void *context, void *memory, size_t size)
{
    (void)context;
    return realloc(memory, size);
}

static void default_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const weft_allocator default_allocator = {default_allocate, default_reallocate, default_release, NULL};
static weft_allocator current = {default_allocate, default_reallocate, default_release, NULL};

/* malloc(0) may return NULL and realloc(p, 0) may free: neither may be seen above. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void weft_set_allocator(const weft_allocator *allocator)
{
    current = allocator ? *allocator : default_allocator;
}

void *weft_allocate(size_t size)
{
    return STARVES() ? NULL : current.allocate(current.context, at_least_one(size));
}

void *weft_allocate_zeroed(size_t count, size_t size)
{
    size_t total;
    if (!size_multiply(count, size, &total))
        return NULL;
    void *memory = weft_allocate(total);
    return memory ? memset(memory, 0, total) : NULL;
}

void *weft_reallocate(void *memory, size_t size)
{
    return STARVES() ? NULL : current.reallocate(current.context, memory, at_least_one(size));
}

void weft_release(void *memory)
{
    if (memory)
        current.release(current.context, memory);
}
