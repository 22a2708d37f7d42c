/* SPDX-License-Identifier: MIT */
/*
 * The callbacks that wait in a deferred: the first four in a ring inside it,
 * what comes above in an array that is allocated then.
 */
#include "async/deferred_internal.h"

#include <weft/memory.h>

#define MORE_FIRST 8

/* Makes room for @p count more callbacks in the array. */
static int grow(struct weft_deferred *deferred, unsigned count)
{
    struct deferred_more *more = deferred->more;
    unsigned used = deferred->more_first + deferred->more_count;
    unsigned capacity = more ? more->capacity : 0;

    if (capacity - used >= count)
        return 0;
    if (deferred->more_first >= count) { /* those in front have run */
        memmove(more->entries, more->entries + deferred->more_first, deferred->more_count * sizeof *more->entries);
        deferred->more_first = 0;
        return 0;
    }
    capacity = capacity ? capacity * 2 : MORE_FIRST;
    more = weft_reallocate(more, sizeof *more + capacity * sizeof *more->entries);
    if (!more)
        return WEFT_ENOMEM;
    more->capacity = capacity;
    deferred->more = more;
    return 0;
}

static inline bool fits_inside(const struct weft_deferred *deferred)
{
    return deferred->more_count == 0 && deferred->count < DEFERRED_CALLBACKS;
}

static inline void put_inside(struct weft_deferred *deferred, enum deferred_kind kind, weft_code code, void *arg)
{
    unsigned at = (unsigned)(deferred->first + deferred->count++) % DEFERRED_CALLBACKS;

    deferred->callbacks[at] = (struct deferred_callback){code, arg};
    deferred->kinds[at] = (uint8_t)kind;
}

/* There is room. */
static void put(struct weft_deferred *deferred, enum deferred_kind kind, weft_code code, void *arg)
{
    if (fits_inside(deferred))
        put_inside(deferred, kind, code, arg);
    else
        deferred->more->entries[deferred->more_first + deferred->more_count++] =
            (struct deferred_more_entry){{code, arg}, kind};
}

/* Whether @p count more fit, if need be with an allocation. */
static int reserve(struct weft_deferred *deferred, unsigned count)
{
    unsigned room = deferred->more_count ? 0 : DEFERRED_CALLBACKS - (unsigned)deferred->count;

    return room >= count ? 0 : grow(deferred, count - room);
}

static __attribute__((noinline)) int run(struct weft_deferred *deferred)
{
    deferred_run(deferred);
    return 0;
}

/* Where there is no room inside. */
static __attribute__((noinline)) int put_in_more(struct weft_deferred *deferred, enum deferred_kind kind,
                                                 weft_code code, void *arg)
{
    int status = deferred ? grow(deferred, 1) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    put(deferred, kind, code, arg);
    deferred->flags |= DEFERRED_HAD;
    return run(deferred);
}

/* Most deferreds have few callbacks, and get them before they fire. */
static inline int add(struct weft_deferred *deferred, enum deferred_kind kind, weft_code code, void *arg)
{
    if (!deferred || !fits_inside(deferred))
        return put_in_more(deferred, kind, code, arg);
    put_inside(deferred, kind, code, arg);
    deferred->flags |= DEFERRED_HAD;
    return deferred->flags & DEFERRED_FIRED ? run(deferred) : 0;
}

int deferred_put(struct weft_deferred *deferred, enum deferred_kind kind, weft_code code, void *arg)
{
    return add(deferred, kind, code, arg);
}

static __attribute__((noinline)) int add_pair(struct weft_deferred *deferred, weft_code success, weft_code failure,
                                              void *arg)
{
    int status = deferred ? reserve(deferred, 2) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    put(deferred, DEFERRED_PAIR, success, arg);
    return deferred_put(deferred, DEFERRED_CATCH, failure, arg);
}

int weft_deferred_add(weft_deferred *deferred, weft_code success, weft_code failure, void *arg)
{
    if (success && failure)
        return add_pair(deferred, success, failure, arg);
    return add(deferred, success ? DEFERRED_THEN : DEFERRED_CATCH, success ? success : failure, arg);
}

int weft_deferred_add_both(weft_deferred *deferred, weft_code code, void *arg)
{
    return deferred_put(deferred, DEFERRED_BOTH, code, arg);
}

int weft_deferred_chain(weft_deferred *deferred, weft_deferred *other)
{
    int status = other && deferred ? reserve(deferred, 1) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    return deferred_put(deferred, DEFERRED_CHAIN, NULL, weft_deferred_ref(other));
}

enum deferred_kind deferred_next_of_more(struct weft_deferred *deferred, struct deferred_callback *ret)
{
    const struct deferred_more_entry *entry = &deferred->more->entries[deferred->more_first++];
    enum deferred_kind kind = entry->kind;

    *ret = entry->callback;
    if (--deferred->more_count == 0)
        deferred->more_first = 0;
    return kind;
}
