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

void wheel_init(struct wheel *wheel, weft_time now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->tick = (uint64_t)now / (uint64_t)WHEEL_TICK;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            weft_link_init(&wheel->slots[level][slot]);
    weft_link_init(&wheel->far);
}

/* The first slot of @p level after @p from that holds something; WHEEL_SLOTS if there is none. Forgets the slots on
 * the way whose entries were all stopped. */
static unsigned next_slot(struct wheel *wheel, unsigned level, unsigned from)
{
    uint64_t mask = ~UINT64_C(1) << (from % 64);

    for (unsigned word = from / 64; word < WHEEL_SLOTS / 64; word++) {
        uint64_t bits = wheel->used[level][word] & mask;

        for (; bits; bits &= bits - 1) {
            unsigned slot = word * 64 + (unsigned)__builtin_ctzll(bits);

            if (!weft_link_is_alone(&wheel->slots[level][slot]))
                return slot;
            wheel->used[level][word] &= ~(bits & -bits);
        }
        mask = ~UINT64_C(0);
    }
    return WHEEL_SLOTS;
}

/* The next tick at which something has to be done; UINT64_MAX if there is none. */
static uint64_t next_tick(struct wheel *wheel)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        uint64_t at = wheel->tick >> (WHEEL_BITS * level);
        unsigned from = (unsigned)at & (WHEEL_SLOTS - 1), slot = next_slot(wheel, level, from);

        if (slot < WHEEL_SLOTS)
            return (at - from + slot) << (WHEEL_BITS * level);
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

    wheel->used[level][slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    return &wheel->slots[level][slot];
}

/* Puts every entry of @p from where it belongs now. */
static void put_again(struct wheel *wheel, weft_link *from)
{
    weft_link all, *link, *next;

    weft_link_init(&all);
    weft_link_splice(&all, from);
    for (link = all.next; link != &all; link = next) {
        weft_timer_entry *entry = weft_container_of(link, weft_timer_entry, link);
        uint64_t tick = wheel_tick_of(entry->due);

        next = link->next;
        __builtin_prefetch(next->next);
        wheel_put(wheel, entry,
                  tick > wheel->tick ? tick : wheel->tick); /* it may have been late when it was started */
    }
}

/* The wheel has come to a new tick: brings down what the levels above hold from here on. */
static void cascade(struct wheel *wheel)
{
    unsigned level = 1;

    for (; level < WHEEL_LEVELS && wheel_slot_of(wheel->tick, level - 1) == 0; level++)
        put_again(wheel, take_slot(wheel, level));
    if (level == WHEEL_LEVELS && wheel_slot_of(wheel->tick, level - 1) == 0)
        put_again(wheel, &wheel->far);
}

void wheel_advance(struct wheel *wheel, weft_time now, weft_link *due)
{
    uint64_t target = (uint64_t)now / (uint64_t)WHEEL_TICK;

    while (wheel->tick < target) {
        uint64_t tick = next_tick(wheel);

        if (tick > target) {
            wheel->tick = target;
            return;
        }
        wheel->tick = tick;
        cascade(wheel);
        weft_link_splice(due, take_slot(wheel, 0));
    }
}
