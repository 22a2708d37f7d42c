/* SPDX-License-Identifier: MIT */
#include "backend/lock.h"

#include <pthread.h>

#include <weft/memory.h>

struct lock {
    pthread_mutex_t mutex;
};

struct lock *lock_new(void)
{
    struct lock *lock = weft_allocate(sizeof *lock);

    if (lock)
        pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

void lock_free(struct lock *lock)
{
    if (!lock)
        return;
    pthread_mutex_destroy(&lock->mutex);
    weft_release(lock);
}

void lock_enter(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void lock_leave(struct lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
