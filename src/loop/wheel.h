/* SPDX-License-Identifier: MIT */
/*
 * A hierarchical timing wheel: four levels of 256 slots, a tick of one
 * millisecond, and a list of those further away than 2^32 ticks.
 *
 * start, restart and stop are O(1) and touch only the entry and its
 * neighbours.
 */
#ifndef LOOP_WHEEL_H
#define LOOP_WHEEL_H

#include <weft/timer.h>

#define WHEEL_LEVELS 4
#define WHEEL_SLOTS 256
#define WHEEL_TICK WEFT_MILLISECONDS(1)

struct wheel {
    uint64_t tick; /* all that was due at or before this tick has been taken out */
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* a bit for each slot that may hold something */
    weft_link slots[WHEEL_LEVELS][WHEEL_SLOTS];
    weft_link far;
};

void wheel_init(struct wheel *wheel, weft_time now);

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

/* Starts or restarts @p entry for the time @p due. It comes out at the first tick that is not before @p due; if that
 * one has been taken out already, at the next. */
void wheel_start(struct wheel *wheel, weft_timer_entry *entry, weft_time due);

static inline void wheel_stop(struct wheel *wheel, weft_timer_entry *entry)
{
    (void)wheel;
    weft_link_remove(&entry->link);
}

/* The earliest time at which wheel_advance may have something to do; WEFT_NEVER if the wheel is empty. */
weft_time wheel_next(struct wheel *wheel);

/* Moves to @p now and appends the entries that are due to @p due, in the order of their ticks, those of one tick in the
 * order of their starts. The caller fires them; until then they can be stopped or restarted (each is in the list @p
 * due). */
void wheel_advance(struct wheel *wheel, weft_time now, weft_link *due);

#endif
