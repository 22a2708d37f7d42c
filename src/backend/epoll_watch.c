/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that belong to somebody else (weft/watch.h): level-triggered, while what is ours is edge-triggered.
 *
 * epoll reports an error or a hang-up even to whom asks for nothing, and would do so in each turn. So a watch without
 * interest is edge-triggered: it stays where it is, and costs one wake-up that nobody hears of.
 */
#include "backend/epoll.h"

#include <weft/memory.h>

#include "backend/watch.h"

static uint32_t events_of(unsigned interest)
{
    return (interest & BACKEND_READABLE ? EPOLLIN : 0U) | (interest & BACKEND_WRITABLE ? EPOLLOUT : 0U) |
           (interest ? 0U : (uint32_t)EPOLLET);
}

int epoll_watch_start(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                      void *owner, struct backend_watch **ret)
{
    struct backend_watch *watch;
    int status = watch_new(fd, interest, ready, owner, &watch);

    if (status < 0)
        return status;
    status = epoll_add(epoll_of(backend), fd, watch, TAG_WATCH, events_of(interest));
    if (status < 0) {
        weft_release(watch);
        return status;
    }
    *ret = watch;
    return 0;
}

void epoll_watch_change(struct backend *backend, struct backend_watch *watch, unsigned interest)
{
    watch->interest = interest;
    if (watch_is_same_file(watch))
        epoll_change(epoll_of(backend), watch->fd, watch, TAG_WATCH, events_of(interest));
}

/* Events of this batch may refer to it. If its descriptor was closed before, but somebody else has a copy, all later ones
 * do, since nothing can take it out of epoll any more. */
void epoll_watch_stop(struct backend *backend, struct backend_watch *watch)
{
    struct epoll_backend *self = epoll_of(backend);

    struct backend_watch **list = &self->unreachable;

    watch->interest = 0;
    if (watch_is_same_file(watch)) {
        epoll_remove(self, watch->fd);
        list = &self->stopped;
    }
    watch->next = *list;
    *list = watch;
}

void epoll_watch_free(struct backend_watch **list)
{
    while (*list) {
        struct backend_watch *watch = *list;

        *list = watch->next;
        weft_release(watch);
    }
}
