/* SPDX-License-Identifier: MIT */
/*
 * What every contestant of the switch benchmark does: switches to one context and back; goes round many contexts, each
 * of which takes its turn and stops; and makes a context that ends at once. A contestant defines these operations:
 *
 *   void setup(size_t count)   makes `count` contexts that stop again and again
 *   void visit(size_t i)       switches to the i-th, which switches back
 *   void spawn(void)           takes a stack, makes a context that ends, switches to it, gives the stack back
 *
 * Stacks have 64 KiB. A stack is used again: what the system's memory costs is not what is measured.
 */
#ifndef BENCH_SWITCH_H
#define BENCH_SWITCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STACK 65536
#define MANY 1000

static void setup(size_t count);
static inline void visit(size_t i);
static inline void spawn(void);

static inline double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void *get_memory(size_t size)
{
    void *memory = aligned_alloc(4096, size);

    if (!memory) {
        perror("aligned_alloc");
        exit(1);
    }
    return memory;
}

/* Our own arithmetic sets the flag "inexact" in MXCSR, which Boost keeps for each context: it changed with every switch
 * then, which costs the processor 65 ns more. So it is set before the contexts are made. */
static inline void set_inexact(void)
{
    volatile double three = 3, third = 1 / three;

    (void)third;
}

/* Prints the nanoseconds for each switch, for each switch in the round, and for each spawn with its end. */
static inline int run_contestant(int argc, char **argv)
{
    size_t rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    double began, one, many;

    if (rounds < MANY) {
        fprintf(stderr, "usage: %s ROUNDS      (at least %d)\n", argv[0], MANY);
        return 2;
    }
    set_inexact();
    setup(MANY);
    for (size_t i = 0; i < 10 * MANY; i++)
        visit(i % MANY);
    began = now_ns();
    for (size_t i = 0; i < rounds; i++)
        visit(0);
    one = (now_ns() - began) / (double)rounds / 2;
    began = now_ns();
    for (size_t round = 0; round < rounds / MANY; round++)
        for (size_t i = 0; i < MANY; i++)
            visit(i);
    many = (now_ns() - began) / (double)(rounds / MANY * MANY) / 2;
    for (size_t i = 0; i < MANY; i++)
        spawn();
    began = now_ns();
    for (size_t i = 0; i < rounds / 4; i++)
        spawn();
    printf("switch=%.3f\nof 1000=%.3f\nspawn+end=%.3f\n", one, many, (now_ns() - began) / (double)(rounds / 4));
    return 0;
}

#endif
