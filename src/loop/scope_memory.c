/* SPDX-License-Identifier: MIT */
/*
 * Memory that lives as long as a scope (weft_scope_allocate). It is no member:
 * nobody waits for it, and it goes when the last member has left, so that what
 * is in the scope may use it to its end.
 */
#include "loop/scope_internal.h"

#include <stdalign.h>

#include <weft/memory.h>

#include "base/checked.h"

struct scope_memory {
    weft_link link;
    void (*freed)(void *memory);
    alignas(max_align_t) char bytes[];
};

void *scope_allocate(weft_scope *scope, size_t size, void (*freed)(void *memory))
{
    struct scope_memory *memory = NULL;
    size_t whole;

    if (scope && size_add(sizeof *memory, size, &whole))
        memory = weft_allocate_zeroed(1, whole);
    if (!memory)
        return NULL;
    memory->freed = freed;
    weft_link_insert_before(&scope->memory, &memory->link);
    return memory->bytes;
}

static void release(struct scope_memory *memory)
{
    weft_link_remove(&memory->link);
    if (memory->freed)
        memory->freed(memory->bytes);
    weft_release(memory);
}

void scope_memory_free(weft_scope *scope)
{
    while (!weft_link_is_alone(&scope->memory))
        release(weft_container_of(scope->memory.prev, struct scope_memory, link));
}

void *weft_scope_allocate(weft_scope *scope, size_t size)
{
    return scope_allocate(scope, size, NULL);
}

void weft_scope_release(void *memory)
{
    if (memory)
        release(weft_container_of(memory, struct scope_memory, bytes));
}
