/* SPDX-License-Identifier: MIT */
/*
 * Work for a loop from another thread. The loop stays on the CPU where it was started, the thread is put on the other
 * one. "post" gives the loop as much work as there is, at most WINDOW pieces that are not done; "post, alone" waits for
 * each piece before the next: it is there when the loop has said so in `done`, so it is mostly two wake-ups of the
 * system. "post, pending" is what sending itself costs when the loop has been told already: the loop's own thread sends
 * WINDOW pieces, and only then has the loop take them, which is not counted.
 *
 * A contestant defines send_work(i), which has the loop run work_done() once, i % WINDOW being free; and take_work(),
 * which has the loop do what was sent, without waiting.
 */
#ifndef BENCH_POST_H
#define BENCH_POST_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "waiting.h"

#define WINDOW 1024
#define THREAD_CPU 1

static void send_work(size_t i);
static void take_work(void);
static void stop_loop(void);

static atomic_size_t done;
static atomic_bool may_begin;

static inline void work_done(void)
{
    atomic_fetch_add_explicit(&done, 1, memory_order_release);
}

static inline size_t still_open(size_t sent)
{
    return sent - atomic_load_explicit(&done, memory_order_acquire);
}

static void send_all(size_t count, size_t window)
{
    for (size_t i = 0; i < count; i++) {
        while (still_open(i) >= window)
            ;
        send_work(i);
    }
    while (still_open(count) > 0)
        ;
    atomic_store(&done, 0);
}

/* The other thread is there, so that locks are locks, and waits. */
static inline void measure_pending(size_t count)
{
    double spent = 0;
    size_t sent = 0;

    while (sent < count) {
        double began;

        send_work(sent++); /* this one tells the loop */
        began = seconds_now();
        for (size_t i = 1; i < WINDOW; i++)
            send_work(sent++);
        spent += seconds_now() - began;
        while (still_open(sent) > 0)
            take_work();
    }
    printf("post, pending=%.3f\n", spent / (double)(sent / WINDOW * (WINDOW - 1)) * 1e9);
    atomic_store(&done, 0);
    atomic_store(&may_begin, true);
}

static void *run_thread(void *arg)
{
    size_t count = *(size_t *)arg;
    cpu_set_t cpu;
    double began;

    CPU_ZERO(&cpu);
    CPU_SET(THREAD_CPU, &cpu);
    (void)sched_setaffinity(0, sizeof cpu, &cpu);
    while (!atomic_load(&may_begin))
        ;
    send_all(count / 10, WINDOW);
    began = seconds_now();
    send_all(count, WINDOW);
    tell("post", began, count);
    began = seconds_now();
    send_all(count / 100, 1);
    tell("post, alone", began, count / 100);
    stop_loop();
    return NULL;
}

static inline pthread_t start_thread(size_t *count)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_thread, count) != 0) {
        fprintf(stderr, "no thread\n");
        exit(1);
    }
    return thread;
}

#endif
