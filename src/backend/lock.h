/* SPDX-License-Identifier: MIT */
/* A lock, for the few things that several loops share. It is held for moments only: nothing waits while it is held. */
#ifndef BACKEND_LOCK_H
#define BACKEND_LOCK_H

struct lock;

/* NULL if there is no memory. */
struct lock *lock_new(void);
/* NULL does nothing. */
void lock_free(struct lock *lock);
void lock_enter(struct lock *lock);
void lock_leave(struct lock *lock);

#endif
