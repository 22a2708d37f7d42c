/* SPDX-License-Identifier: MIT */
/*
 * What every contestant of the timer benchmark does, whatever its library: a number of timers is started, restarted
 * and stopped, with timeouts of 1 to 60 seconds in an order that no cache can guess, and then fires within half a
 * second. A contestant defines what one of these operations is and includes this file's functions.
 */
#ifndef BENCH_TIMERS_H
#define BENCH_TIMERS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 3

enum measured { START, RESTART, STOP, START_STOP, FIRE, MEASURED };

static double results[MEASURED][ROUNDS];

static inline uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Scatters the numbers of the timers (the finaliser of splitmix64). */
static inline uint64_t scatter(size_t number)
{
    uint64_t x = (uint64_t)number * 0x9e3779b97f4a7c15;

    x ^= x >> 29;
    x *= 0xbf58476d1ce4e5b9;
    return x >> 32;
}

/* 1 to 60 seconds, in milliseconds. */
static inline unsigned long_timeout(size_t number)
{
    return 1000 + (unsigned)(scatter(number) % 59000);
}

/* Up to half a second, in milliseconds. */
static inline unsigned short_timeout(size_t number)
{
    return 1 + (unsigned)(scatter(number) % 500);
}

/* Until all short timeouts have passed. */
static inline void wait_for_timeouts(void)
{
    struct timespec time = {.tv_nsec = 700000000};

    nanosleep(&time, NULL);
}

/* Notes the nanoseconds that @p statement takes for each @p i below @p count. */
#define MEASURE(what, round, i, count, statement)                             \
    do {                                                                      \
        uint64_t began_ = now_ns();                                           \
        for (size_t i = 0; i < (count); i++) {                                \
            statement;                                                        \
        }                                                                     \
        results[what][round] = (double)(now_ns() - began_) / (double)(count); \
    } while (0)

/* The same for @p statement, repeated until @p fired timers have fired. */
#define MEASURE_FIRING(round, fired, count, statement)                        \
    do {                                                                      \
        uint64_t began_ = now_ns();                                           \
        while ((fired) < (count))                                             \
            statement;                                                        \
        results[FIRE][round] = (double)(now_ns() - began_) / (double)(count); \
    } while (0)

static inline int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* One line: the name, the size of a timer, and the medians in the order of enum measured. */
static inline void report(const char *name, size_t timer_size)
{
    printf("%s %zu", name, timer_size);
    for (int what = 0; what < MEASURED; what++) {
        qsort(results[what], ROUNDS, sizeof results[what][0], compare_numbers);
        printf(" %.1f", results[what][ROUNDS / 2]);
    }
    putchar('\n');
}

static inline size_t count_from(int argc, char **argv)
{
    size_t count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (count == 0) {
        fprintf(stderr, "usage: %s COUNT\n", argv[0]);
        exit(2);
    }
    return count;
}

static inline void *many(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory) {
        perror("calloc");
        exit(1);
    }
    return memory;
}

#endif
