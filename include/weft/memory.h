/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Every allocation that Weft makes goes through these four functions.
 *
 * An embedding program replaces the allocator once, before its first call
 * into Weft; a test replaces it to make allocations fail. An allocation that
 * fails is an error of the call that needed it, never an abort.
 */
#ifndef WEFT_MEMORY_H
#define WEFT_MEMORY_H

#include <weft/api.h>

WEFT_BEGIN_DECLS

/** An allocator: the three functions have the contracts of realloc and free, and get @p context. */
typedef struct weft_allocator {
    void *(*allocate)(void *context, size_t size);
    void *(*reallocate)(void *context, void *memory, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
} weft_allocator;

/**
 * Replaces the process's allocator.
 *
 * Not thread-safe: call it before any other thread uses Weft and while nothing
 * is allocated.
 * @param allocator  copied; NULL brings malloc, realloc and free back
 */
WEFT_API void weft_set_allocator(const weft_allocator *allocator);

/** @p size bytes, uninitialised; NULL if there are none. Size 0 gives a unique pointer. */
WEFT_API WEFT_NODISCARD void *weft_allocate(size_t size);
/** @p count times @p size zeroed bytes; NULL if there are none or if the product overflows. */
WEFT_API WEFT_NODISCARD void *weft_allocate_zeroed(size_t count, size_t size);
/** @p memory with room for @p size bytes; NULL (and @p memory untouched) if there is none. */
WEFT_API WEFT_NODISCARD void *weft_reallocate(void *memory, size_t size);
/** Gives @p memory back. NULL does nothing. */
WEFT_API void weft_release(void *memory);

WEFT_END_DECLS

#endif
