/* SPDX-License-Identifier: MIT */
/*
 * The yardstick: a timing wheel with nothing around it (no loop, no scope, no clock, no order within a tick), which
 * shows what the machine can do at the speed at which it runs just now.
 */
#include "timers.h"

#define LEVELS 4
#define SLOTS 256

struct plain {
    struct plain *next, *prev;
    uint64_t due;
    void (*fired)(struct plain *timer);
};

static struct plain wheel[LEVELS][SLOTS];
static uint64_t now;
static size_t fired;

static void count_fired(struct plain *timer)
{
    (void)timer;
    fired++;
}

static void put(struct plain *timer)
{
    uint64_t ahead = timer->due - now;
    int level = ahead < 256 ? 0 : ahead < 65536 ? 1 : ahead < 1 << 24 ? 2 : 3;
    struct plain *slot = &wheel[level][timer->due >> (8 * level) & (SLOTS - 1)];

    timer->prev = slot->prev;
    timer->next = slot;
    slot->prev->next = timer;
    slot->prev = timer;
}

static void stop(struct plain *timer)
{
    if (!timer->next)
        return;
    timer->next->prev = timer->prev;
    timer->prev->next = timer->next;
    timer->next = NULL;
}

static void start(struct plain *timer, unsigned timeout)
{
    stop(timer);
    timer->due = now + timeout;
    put(timer);
}

static void cascade(int level)
{
    struct plain *slot = &wheel[level][now >> (8 * level) & (SLOTS - 1)], *timer = slot->next;

    slot->prev->next = NULL;
    if (timer == slot)
        timer = NULL;
    slot->next = slot->prev = slot;
    while (timer) {
        struct plain *next = timer->next;
        put(timer);
        timer = next;
    }
}

static void tick(void)
{
    struct plain *slot;

    now++;
    for (int level = 1; level < LEVELS && !(now & ((UINT64_C(1) << (8 * level)) - 1)); level++)
        cascade(level);
    slot = &wheel[0][now & (SLOTS - 1)];
    while (slot->next != slot) {
        struct plain *timer = slot->next;
        stop(timer);
        timer->fired(timer);
    }
}

static struct plain *make_timers(size_t count)
{
    struct plain *timers = many(count, sizeof *timers);

    for (int level = 0; level < LEVELS; level++)
        for (int slot = 0; slot < SLOTS; slot++)
            wheel[level][slot].next = wheel[level][slot].prev = &wheel[level][slot];
    for (size_t i = 0; i < count; i++)
        timers[i].fired = count_fired;
    return timers;
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    struct plain *timers = make_timers(count);

    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(START, round, i, count, start(&timers[i], long_timeout(i)));
        MEASURE(RESTART, round, i, count, start(&timers[i], long_timeout(i + 7)));
        MEASURE(STOP, round, i, count, stop(&timers[i]));
        MEASURE(START_STOP, round, i, count, {
            start(&timers[i], long_timeout(i));
            stop(&timers[i]);
        });
        for (size_t i = 0; i < count; i++)
            start(&timers[i], short_timeout(i));
        fired = 0;
        MEASURE_FIRING(round, fired, count, tick());
    }
    report("plain-wheel", sizeof *timers);
    free(timers);
    return 0;
}
