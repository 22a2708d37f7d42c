/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel (wheel.h).
 *
 * A tick is a number whose bytes name slots. An entry stands in the level of
 * the highest byte in which its tick differs from the wheel's, in the slot
 * which that byte names; if they differ above the levels, in the far list.
 * When the wheel comes to a tick whose lower bytes are all zero, the slots of
 * the levels above that begin there are emptied into the levels below.
 *
 * Invariants:
 *  1. No entry in a slot has a tick at or before wheel->tick. So in every
 *     level only the slots after the wheel's own are used, and what stands in
 *     a level comes before all that stands in the levels above it.
 *  2. All entries of one tick stand in one slot, in the order in which they
 *     were started: where they stand depends on the two ticks alone, and
 *     emptying a slot keeps the order.
 *  3. A slot whose bit in `used` is clear is empty.
 */
#include "loop/wheel.h"

#include <limits.h>

#define NO_SLOT UINT_MAX
#define WARMED 4096 /* entries, of a cache line each: so much fits into any second-level cache */

void wheel_init(struct wheel *wheel, weft_time now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = wheel->now = (uint64_t)now / (uint64_t)WHEEL_TICK;
    for (unsigned slot = 0; slot < WHEEL_LEVELS * WHEEL_SLOTS; slot++)
        weft_link_init(&wheel->slots[slot]);
    weft_link_init(&wheel->far);
}

/* The first slot after @p from, of the same level, that holds something; NO_SLOT if there is none. Forgets the slots
 * on the way whose entries were all stopped. */
static unsigned next_slot(struct wheel *wheel, unsigned from)
{
    unsigned word = from / 64, end = (from / WHEEL_SLOTS + 1) * WHEEL_SLOTS / 64;
    uint64_t mask = ~UINT64_C(1) << (from % 64);

    for (; word < end; word++) {
        uint64_t bits = wheel->used[word] & mask;

        for (; bits; bits &= bits - 1) {
            unsigned slot = word * 64 + (unsigned)__builtin_ctzll(bits);

            if (!weft_link_is_alone(&wheel->slots[slot]))
                return slot;
            wheel->used[word] &= ~(bits & -bits);
        }
        mask = ~UINT64_C(0);
    }
    return NO_SLOT;
}

/* The next tick at which something has to be done; UINT64_MAX if there is none. */
static uint64_t next_tick(struct wheel *wheel)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned from = wheel_slot_of(wheel->tick, level), slot = next_slot(wheel, from);

        if (slot != NO_SLOT)
            return ((wheel->tick >> (WHEEL_BITS * level)) + (slot - from)) << (WHEEL_BITS * level);
    }
    if (weft_link_is_alone(&wheel->far))
        return UINT64_MAX;
    return ((wheel->tick >> (WHEEL_BITS * WHEEL_LEVELS)) + 1) << (WHEEL_BITS * WHEEL_LEVELS);
}

weft_time wheel_next(struct wheel *wheel)
{
    uint64_t tick = next_tick(wheel);

    return tick > (uint64_t)WEFT_NEVER / (uint64_t)WHEEL_TICK ? WEFT_NEVER : (weft_time)tick * WHEEL_TICK;
}

/* The slot of @p level at which the wheel stands, no longer marked as used. */
static weft_link *take_slot(struct wheel *wheel, unsigned level)
{
    unsigned slot = wheel_slot_of(wheel->tick, level);

    wheel->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    return &wheel->slots[slot];
}

/* Puts every entry of @p from where it belongs now. */
static void put_again(struct wheel *wheel, weft_link *from)
{
    weft_link all, *link, *next;

    weft_link_init(&all);
    weft_link_splice(&all, from);
    for (link = all.next; link != &all; link = next) {
        weft_timer_entry *entry = weft_container_of(link, weft_timer_entry, link);

        next = link->next;
        __builtin_prefetch(next->next);
        wheel_put(wheel, entry, wheel_tick_of(entry->due));
    }
}

/* Whether a slot of @p level begins at the wheel's tick. */
static bool begins(const struct wheel *wheel, unsigned level)
{
    return (wheel->tick & ((UINT64_C(1) << (WHEEL_BITS * level)) - 1)) == 0;
}

/* The wheel has come to a new tick: brings down what the levels above hold from here on. */
static void cascade(struct wheel *wheel)
{
    unsigned level = 1;

    for (; level < WHEEL_LEVELS && begins(wheel, level); level++)
        put_again(wheel, take_slot(wheel, level));
    if (begins(wheel, WHEEL_LEVELS))
        put_again(wheel, &wheel->far);
}

/* Brings @p list into the cache. Each step along a list waits for memory; from both ends at once half as often. */
static void warm(const weft_link *list)
{
    const weft_link *first = list->next, *last = list->prev;

    for (unsigned i = 0; i < WARMED / 2 && first != last && first->next != last; i++) {
        first = first->next;
        last = last->prev;
        __builtin_prefetch(first);
        __builtin_prefetch(last);
    }
}

/* Moves on to the next tick, up to the present, at which something has to be done. Returns whether there is one. */
static bool move_on(struct wheel *wheel)
{
    uint64_t tick = next_tick(wheel);
    bool found = tick <= wheel->now;

    wheel->tick = found ? tick : wheel->now;
    return found;
}

bool wheel_take(struct wheel *wheel, weft_link *due)
{
    while (wheel->tick < wheel->now && move_on(wheel)) {
        weft_link *slot;

        cascade(wheel);
        slot = take_slot(wheel, 0);
        if (weft_link_is_alone(slot))
            continue;
        if (weft_link_is_alone(due))
            warm(slot); /* for it will be fired at once */
        weft_link_splice(due, slot);
        return true;
    }
    return false;
}

void wheel_arrive(struct wheel *wheel, weft_time now)
{
    uint64_t tick = (uint64_t)now / (uint64_t)WHEEL_TICK;

    if (tick > wheel->now)
        wheel->now = tick;
}

void wheel_advance(struct wheel *wheel, weft_time now, weft_link *due)
{
    wheel_arrive(wheel, now);
    while (wheel_take(wheel, due))
        ;
}
