/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel: four levels of 256 slots, a tick of one
 * millisecond, and a list of those further away than 2^32 ticks.
 *
 * start, restart and stop are O(1) and touch only the entry and its
 * neighbours. With many entries what they cost is cache misses, so the order
 * of the fields and the prefetches here were measured (bench/timers).
 */
#ifndef LOOP_WHEEL_H
#define LOOP_WHEEL_H

#include <weft/timer.h>

#define WHEEL_LEVELS 4
#define WHEEL_BITS 8 /* of a tick's number name a slot in each level */
#define WHEEL_SLOTS (1 << WHEEL_BITS)
#define WHEEL_TICK WEFT_MILLISECONDS(1)

struct wheel {
    uint64_t now;  /* the present: nothing is started for this tick or before */
    uint64_t tick; /* at most now: all that was due at or before this tick has been taken out */
    uint64_t used[WHEEL_LEVELS * WHEEL_SLOTS / 64]; /* a bit for each slot that may hold something */
    weft_link slots[WHEEL_LEVELS * WHEEL_SLOTS];    /* those of the lowest level first */
    weft_link far;
};

void wheel_init(struct wheel *wheel, weft_time now) WEFT_NONBLOCKING;

/* Kinds of entries, in the two lowest bits of `due`. */
#define WHEEL_KIND INT64_C(3)
#define WHEEL_TIMER INT64_C(1)      /* a weft_timer: timer_fired is set, not fired */
#define WHEEL_BACKGROUND INT64_C(2) /* that the loop does not wait for */

static inline void wheel_entry_init(weft_timer_entry *entry, void (*fired)(weft_timer_entry *entry))
{
    weft_link_init(&entry->link);
    entry->due = 0;
    entry->fired = fired;
}

static inline bool wheel_entry_active(const weft_timer_entry *entry)
{
    return !weft_link_is_alone(&entry->link);
}

/* The first tick that is not before @p due, whose kind is left out. */
static inline uint64_t wheel_tick_of(weft_time due)
{
    return due <= 0 ? 0 : ((uint64_t)(due & ~WHEEL_KIND) + (uint64_t)WHEEL_TICK - 1) / (uint64_t)WHEEL_TICK;
}

/* Which of the wheel's slots @p tick has in @p level. */
static inline unsigned wheel_slot_of(uint64_t tick, unsigned level)
{
    return level * WHEEL_SLOTS + ((unsigned)(tick >> (WHEEL_BITS * level)) & (WHEEL_SLOTS - 1));
}

/* Puts @p entry, whose link is written over, where @p tick belongs (private to the wheel). */
static inline void wheel_put(struct wheel *wheel, weft_timer_entry *entry, uint64_t tick)
{
    uint64_t differs = (tick ^ wheel->tick) | 1;
    unsigned level = (unsigned)(63 - __builtin_clzll(differs)) / WHEEL_BITS, slot;

    if (level >= WHEEL_LEVELS) {
        weft_link_insert_before(&wheel->far, &entry->link);
        return;
    }
    slot = wheel_slot_of(tick, level);
    weft_link_insert_before(&wheel->slots[slot], &entry->link);
    wheel->used[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* Takes @p entry out of its list; its link has to be written next (private to the wheel). Its neighbours are seldom in
 * a cache. The prefetches can be under way together, and with those of the next calls; stores that miss are made one
 * after the other. */
static inline void wheel_unlink(weft_timer_entry *entry)
{
    weft_link *next = entry->link.next, *prev = entry->link.prev;

    __builtin_prefetch(next);
    __builtin_prefetch(prev);
    prev->next = next;
    next->prev = prev;
}

static inline void wheel_stop(struct wheel *wheel, weft_timer_entry *entry)
{
    (void)wheel;
    wheel_unlink(entry);
    weft_link_init(&entry->link);
}

/* Starts or restarts @p entry for the time @p due. It comes out at the first tick that is not before @p due; if that
 * one is not after the present, at the next. A time so late that it cannot be rounded up is never. */
static inline void wheel_start(struct wheel *wheel, weft_timer_entry *entry, weft_time due)
{
    uint64_t tick;

    if (due > WEFT_NEVER - WHEEL_KIND) {
        wheel_stop(wheel, entry);
        return;
    }
    wheel_unlink(entry);
    due += WHEEL_KIND; /* rounded up, so that it is never early */
    tick = wheel_tick_of(due);
    if (tick <= wheel->now) {
        tick = wheel->now + 1;
        due = (weft_time)tick * WHEEL_TICK;
    }
    entry->due = (due & ~WHEEL_KIND) | (entry->due & WHEEL_KIND);
    wheel_put(wheel, entry, tick);
}

/* The earliest time at which wheel_advance may have something to do; WEFT_NEVER if the wheel is empty. */
weft_time wheel_next(struct wheel *wheel) WEFT_NONBLOCKING;

/* Moves the present on to @p now. */
void wheel_arrive(struct wheel *wheel, weft_time now) WEFT_NONBLOCKING;

/* Appends to @p due the entries of the first tick, up to the present, that has any, in the order of their starts.
 * Returns whether there was one. The caller fires them; until then they can be stopped or restarted (each is in the
 * list @p due). */
bool wheel_take(struct wheel *wheel, weft_link *due) WEFT_NONBLOCKING;

/* Moves the present on to @p now and appends all that is due to @p due, in the order of their ticks. */
void wheel_advance(struct wheel *wheel, weft_time now, weft_link *due) WEFT_NONBLOCKING;

#endif
