/* SPDX-License-Identifier: MIT */
/* Descriptors that belong to somebody else, on poll (weft/watch.h): it is level-triggered as it is. */
#include "backend/poll.h"

#include <weft/memory.h>

#include "backend/watch.h"

int poll_watch_start(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                     void *owner, struct backend_watch **ret)
{
    struct backend_watch *watch;
    int status = watch_new(fd, interest, ready, owner, &watch);

    if (status < 0)
        return status;
    status = poll_enter(&poll_of(backend)->ready, fd, watch, TAG_WATCH);
    if (status < 0) {
        weft_release(watch);
        return status;
    }
    *ret = watch;
    return 0;
}

/* The next wait asks for what is wanted then. */
void poll_watch_change(struct backend *backend, struct backend_watch *watch, unsigned interest)
{
    (void)backend;
    watch->interest = interest;
}

/* The number may have become somebody else's, if the descriptor was closed too early. */
void poll_watch_stop(struct backend *backend, struct backend_watch *watch)
{
    struct poll_backend *self = poll_of(backend);
    const struct poll_place *place = poll_place_of(self, watch->fd);

    (void)watch_is_same_file(watch); /* which says so */
    if (place && place->pointer == watch)
        poll_leave(&self->ready, watch->fd);
    weft_release(watch);
}
