/* SPDX-License-Identifier: MIT */
/* The inside of the epoll engine (readiness.h): edge-triggered for what is ours, level-triggered for what is not. */
#ifndef BACKEND_EPOLL_H
#define BACKEND_EPOLL_H

#include <sys/epoll.h>

#include "backend/readiness.h"

#define EPOLL_BATCH 128

struct epoll_backend {
    struct readiness ready;
    int epoll;
    struct backend_watch *stopped;     /* to be freed when this batch is over */
    struct backend_watch *unreachable; /* or only with the backend */
    struct epoll_event events[EPOLL_BATCH];
};

static inline struct epoll_backend *epoll_of(struct backend *backend)
{
    return weft_container_of(backend, struct epoll_backend, ready.base);
}

/* epoll.c */
extern const struct backend_ops epoll_ops;
extern const struct readiness_engine epoll_engine;
/* @p self is zeroed. If it fails epoll_fini is still to be called. */
int epoll_init(struct epoll_backend *self, const struct backend_ops *ops, const struct readiness_engine *engine);
void epoll_fini(struct epoll_backend *self);
/* What an event's 64 bits hold: a pointer, and in its low bits what it points to. */
#define TAG_BITS UINT64_C(7)
int epoll_add(struct epoll_backend *self, int fd, const void *pointer, enum tag tag, uint32_t events);
void epoll_change(struct epoll_backend *self, int fd, const void *pointer, enum tag tag, uint32_t events);
void epoll_remove(struct epoll_backend *self, int fd);

/* epoll_watch.c */
int epoll_watch_start(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                      void *owner, struct backend_watch **ret);
void epoll_watch_change(struct backend *backend, struct backend_watch *watch, unsigned interest);
void epoll_watch_stop(struct backend *backend, struct backend_watch *watch);
void epoll_watch_free(struct backend_watch **list);

#endif
