/* SPDX-License-Identifier: MIT */
/*
 * What all backends on real descriptors share of watches on descriptors that are not ours (backend.h: watch_start).
 *
 * The backend allocates what it needs for each and frees it when no event can refer to it any more, so that the owner's
 * memory is free from the moment of the stop.
 */
#ifndef BACKEND_WATCH_H
#define BACKEND_WATCH_H

#include <sys/types.h>

#include "backend/backend.h"

struct backend_watch {
    void (*ready)(void *owner, unsigned what);
    void *owner;
    int fd;
    unsigned interest;          /* BACKEND_READABLE, BACKEND_WRITABLE; 0 once it is stopped */
    struct backend_watch *next; /* of those that are stopped and not yet freed */
    dev_t device;               /* of the file that is watched: the number may be another's by the time of the stop */
    ino_t inode;
};

/* A watch on @p fd, if that is open. The caller frees it with weft_release. */
int watch_new(int fd, unsigned interest, void (*ready)(void *owner, unsigned what), void *owner,
              struct backend_watch **ret);
/* Whether its number is that of the same file as when it was started. If not, it was closed before the stop, which is
 * the owner's mistake and is logged. */
bool watch_is_same_file(const struct backend_watch *watch);
/* What events of poll(2) mean. */
unsigned watch_what(uint32_t events);
/* Tells the owner what is ready, as far as it wants to know. The watch may be stopped when this returns. */
void watch_tell(struct backend_watch *watch, unsigned what);

#endif
