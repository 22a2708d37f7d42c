/* SPDX-License-Identifier: MIT */
/* Threads, for workers, and what a process may use. */
#ifndef BACKEND_THREAD_H
#define BACKEND_THREAD_H

#include <pthread.h>

/* As pthread_create, but with all signals blocked, which are the loops' business. Returns 0 or a negative error. */
int thread_make(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *arg), void *arg);

struct thread;

/* Runs @p run with all signals blocked. Returns 0 or a negative error. */
int thread_start(struct thread **ret, void (*run)(void *arg), void *arg);
/* Waits for its end and frees it. */
void thread_join(struct thread *thread);
unsigned thread_processors(void);
unsigned long thread_raise_descriptors(void);

#endif
