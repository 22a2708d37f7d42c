/* SPDX-License-Identifier: MIT */
/* Threads, for workers, and what a process may use. */
#ifndef BACKEND_THREAD_H
#define BACKEND_THREAD_H

#include <pthread.h>

/* As pthread_create, but with all signals blocked, which are the loops' business. Returns 0 or a negative error. */
int thread_make(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg);

struct backend;

struct thread {
    pthread_t thread;
    void (*run)(void *arg);
    void *arg;
};

/* Begins one in the caller's memory, which stays until it was joined with pthread_join. Its `run` is called with all signals
 * blocked. Returns 0 or a negative error. */
int thread_begin(struct thread *thread);

/* What every real backend does (backend.h). */
int thread_start(struct backend *backend, struct thread **ret, void (*run)(void *arg), void *arg);
void thread_join(struct backend *backend, struct thread *thread);

unsigned thread_processors(void);
unsigned long thread_raise_descriptors(void);

#endif
