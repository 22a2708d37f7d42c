/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Named counters: what an operator asks a running program.
 *
 * A counter is a plain number in its owner's memory, written by one thread
 * and read by any. A registry finds it by name.
 */
#ifndef WEFT_COUNTER_H
#define WEFT_COUNTER_H

#include <weft/list.h>

WEFT_BEGIN_DECLS

/** A registry of counters; one per loop, not shared between threads except to read. */
typedef struct weft_counters {
    weft_link head; /**< private */
} weft_counters;

/** One number with a name. Embedded in what it counts. */
typedef struct weft_counter {
    weft_link link;   /**< private */
    const char *name; /**< "listener.refused", *until* the counter is removed */
    uint64_t value;   /**< private: see weft_counter_value */
} weft_counter;

/** Makes an empty registry. */
WEFT_API void weft_counters_init(weft_counters *counters) WEFT_NONBLOCKING;
/** Adds @p counter, at 0, under @p name. Two counters may bear one name: their values are summed. */
WEFT_API void weft_counters_add(weft_counters *counters, weft_counter *counter, const char *name) WEFT_NONBLOCKING;
/** Takes @p counter out of its registry. */
WEFT_API void weft_counter_remove(weft_counter *counter) WEFT_NONBLOCKING;
/**
 * @p amount more. Only the thread that owns @p counter may call it: it is a load, an add and a store, each whole, but
 * not one step together.
 */
static inline void weft_counter_add(weft_counter *counter, uint64_t amount)
{
    __atomic_store_n(&counter->value, counter->value + amount, __ATOMIC_RELAXED);
}
/** One more, as weft_counter_add. */
static inline void weft_counter_increment(weft_counter *counter)
{
    weft_counter_add(counter, 1);
}
/** The value of @p counter; any thread may ask. */
static inline uint64_t weft_counter_value(const weft_counter *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_RELAXED);
}
/** The sum of all counters called @p name; 0 if there is none. O(n). */
WEFT_API uint64_t weft_counters_read(const weft_counters *counters, const char *name) WEFT_NONBLOCKING;
/** Calls @p visit for each counter, in the order in which they were added. */
WEFT_API void weft_counters_visit(const weft_counters *counters, void (*visit)(const weft_counter *, void *),
                                  void *arg);

WEFT_END_DECLS

#endif
