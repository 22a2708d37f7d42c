/* SPDX-License-Identifier: MIT */
/*
 * Stacks for contexts, and their reuse. A pool belongs to one loop: one thread
 * at a time.
 *
 * A stack's size is a power of two, from 16 KiB on, and is what it takes of the
 * address space: its guard page (4 KiB, mostly) and a few bytes at its high end
 * are part of it. Memory is used page by page as the stack is written to, so a
 * parked context that is not deep has one page.
 *
 * Of the stacks that are free, STACK_KEPT of each size keep their memory, and
 * the one given back last is taken first; those of the others is given back to
 * the system, and address space that is not used at all is, too, but for one
 * slab.
 */
#ifndef ASYNC_STACK_POOL_H
#define ASYNC_STACK_POOL_H

#include <stddef.h>

#include "async/context.h"
#include "backend/stack.h"

/* What size 0 means. With sanitizers frames are larger, and their reports are made on the stack. */
#if defined(CONTEXT_ASAN) || defined(CONTEXT_TSAN)
#define STACK_DEFAULT (256 * (size_t)1024)
#else
#define STACK_DEFAULT (64 * (size_t)1024)
#endif
#define STACK_SMALLEST (16 * (size_t)1024) /* or four pages, if they are larger */
#define STACK_LARGEST (1024 * (size_t)1024 * 1024)
#define STACK_KEPT 64

struct stack_pool;
struct stack_slab;

/* A stack that was taken: @c size bytes from @c low can be used. */
struct stack {
    char *low;
    size_t size;
    struct stack_slab *slab;
};

struct stack_pool_usage {
    size_t taken;  /* stacks */
    size_t kept;   /* free ones that keep their memory */
    size_t slabs;  /* mappings, when the kernel does not merge them */
    size_t mapped; /* bytes of address space */
};

/* Also installs the report of overflows (backend/stack.h). */
int stack_pool_new(struct stack_pool **ret);
/* Every stack was given back. NULL does nothing. */
void stack_pool_free(struct stack_pool *pool);

/* Takes a stack of at least @p size bytes (0: STACK_DEFAULT), guard and all, without a name. What it holds is undefined.
 * Makes the thread fit for the report of an overflow, too; another thread that runs what is on the stack calls
 * stack_fault_prepare. -EINVAL above STACK_LARGEST; WEFT_ENOMEM, which may be a limit of the system and is logged then. */
int stack_pool_take(struct stack_pool *pool, size_t size, struct stack *ret);
/* Gives it back. Nothing may run on it, and what is in it is gone. */
void stack_pool_give(struct stack_pool *pool, const struct stack *stack);

struct stack_pool_usage stack_pool_usage(const struct stack_pool *pool);

/* The size as it was asked for, rounded up: the guard and the rest included. */
size_t stack_whole_size(const struct stack *stack);

/* What an overflow of it is reported as; *until* the stack is given back or gets another. */
static inline void stack_set_name(const struct stack *stack, const char *name)
{
    ((struct stack_top *)(void *)(stack->low + stack->size))->name = name;
}

#endif
