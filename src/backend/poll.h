/* SPDX-License-Identifier: MIT */
/* The inside of the poll engine (readiness.h). */
#ifndef BACKEND_POLL_H
#define BACKEND_POLL_H

#include "backend/readiness.h"

/* A descriptor, and whom to tell of it. */
struct poll_place {
    void *pointer; /* NULL: the wake-ups */
    int fd;        /* -1: a gap */
    enum tag tag;
};

struct poll_backend {
    struct readiness ready;
    struct pollfd *entries; /* what poll is given; entries and places belong together */
    struct poll_place *places;
    size_t count, room;
    size_t polled;    /* so many of them the last wait was for */
    uint32_t *number; /* for each descriptor: the number of its place, from 1; 0 if it has none */
    size_t numbers;
};

static inline struct poll_backend *poll_of(struct backend *backend)
{
    return weft_container_of(backend, struct poll_backend, ready.base);
}

/* poll.c */
int poll_enter(struct readiness *ready, int fd, void *pointer, enum tag tag);
void poll_leave(struct readiness *ready, int fd);
/* The place of @p fd; NULL if it has none. */
struct poll_place *poll_place_of(struct poll_backend *self, int fd);

/* poll_watch.c */
int poll_watch_start(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                     void *owner, struct backend_watch **ret);
void poll_watch_change(struct backend *backend, struct backend_watch *watch, unsigned interest);
void poll_watch_stop(struct backend *backend, struct backend_watch *watch);

#endif
