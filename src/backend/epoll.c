/* SPDX-License-Identifier: MIT */
/*
 * The engine of Linux: epoll. What is ours is registered once, edge-triggered, and what is waited for never changes but
 * for listeners, which cost a call when they begin or cease to accept.
 */
#include "backend/epoll.h"

#include <errno.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"
#include "backend/memory_stream.h"
#include "backend/readiness_datagram.h"
#include "backend/system.h"
#include "backend/thread.h"
#include "backend/watch.h"

_Static_assert(EPOLLIN == POLLIN && EPOLLPRI == POLLPRI && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR &&
                   EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
               "events go as they are to those who know the ones of poll");

static struct epoll_event event_of(const void *pointer, enum tag tag, uint32_t events)
{
    return (struct epoll_event){.events = events, .data.u64 = (uint64_t)(uintptr_t)pointer | tag};
}

int epoll_add(struct epoll_backend *self, int fd, const void *pointer, enum tag tag, uint32_t events)
{
    struct epoll_event event = event_of(pointer, tag, events);

    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void epoll_change(struct epoll_backend *self, int fd, const void *pointer, enum tag tag, uint32_t events)
{
    struct epoll_event event = event_of(pointer, tag, events);

    (void)epoll_ctl(self->epoll, EPOLL_CTL_MOD, fd, &event);
}

void epoll_remove(struct epoll_backend *self, int fd)
{
    (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* -- entering -- */

static const uint32_t entered_for[] = {
    [TAG_SOCKET] = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
    [TAG_PIPE_IN] = EPOLLIN | EPOLLRDHUP | EPOLLET,
    [TAG_PIPE_OUT] = EPOLLOUT | EPOLLET,
    [TAG_LISTENER] = 0,
    [TAG_CONTROL] = EPOLLIN,
    [TAG_DATAGRAM] = EPOLLIN | EPOLLET,
};

/* The eventfd of wake-ups, which has no pointer, is edge-triggered: each write is an edge, and nobody needs to read it. */
static int epoll_enter(struct readiness *ready, int fd, void *pointer, enum tag tag)
{
    return epoll_add(epoll_of(&ready->base), fd, pointer, tag, entered_for[tag] | (pointer ? 0U : (uint32_t)EPOLLET));
}

static void epoll_leave(struct readiness *ready, int fd)
{
    epoll_remove(epoll_of(&ready->base), fd);
}

static void epoll_accepts(struct readiness *ready, struct backend_listener *listener, bool on)
{
    epoll_change(epoll_of(&ready->base), listener->fd, listener, TAG_LISTENER, on ? (uint32_t)EPOLLIN : 0U);
}

static void epoll_blocked(struct readiness *ready, struct backend_datagram *socket, bool on)
{
    epoll_change(epoll_of(&ready->base), socket->fd, socket, TAG_DATAGRAM,
                 entered_for[TAG_DATAGRAM] | (on ? (uint32_t)EPOLLOUT : 0U));
}

const struct readiness_engine epoll_engine = {
    .enter = epoll_enter,
    .leave = epoll_leave,
    .accepts = epoll_accepts,
    .blocked = epoll_blocked,
    .take_socket = readiness_take_socket,
    .take_listener = readiness_take_listener,
};

/* -- waiting and delivering -- */

static int epoll_wait_for(struct backend *backend, weft_time timeout)
{
    struct epoll_backend *self = epoll_of(backend);
    int count = epoll_wait(self->epoll, self->events, EPOLL_BATCH, readiness_patience(&self->ready, timeout));

    self->ready.event_count = count < 0 ? 0 : count;
    return count < 0 && errno != EINTR ? -errno : 0;
}

static void epoll_dispatch(struct backend *backend)
{
    struct epoll_backend *self = epoll_of(backend);
    struct readiness *ready = &self->ready;

    readiness_dispatch_begin(ready);
    for (int i = 0; i < ready->event_count; i++) {
        void *pointer = (void *)(uintptr_t)(self->events[i].data.u64 & ~TAG_BITS);
        uint32_t events = self->events[i].events;

        switch ((enum tag)(self->events[i].data.u64 & TAG_BITS)) {
        case TAG_SOCKET:
        case TAG_PIPE_IN:
            readiness_stream_event(ready, pointer, events);
            break;
        case TAG_PIPE_OUT:
            readiness_stream_event(ready, pointer, events & ~(uint32_t)(EPOLLRDHUP | EPOLLIN | EPOLLPRI));
            break;
        case TAG_LISTENER:
            readiness_accept_some(ready, pointer);
            break;
        case TAG_CONTROL:
            if (pointer)
                readiness_take_signals(ready);
            break;
        case TAG_WATCH:
            watch_tell(pointer, watch_what(events));
            break;
        case TAG_DATAGRAM:
            readiness_datagram_event(ready, pointer, events);
            break;
        }
    }
    ready->event_count = 0;
    if (self->stopped)
        epoll_watch_free(&self->stopped);
    memory_dispatch(backend->memory);
    job_pool_collect(ready->jobs);
}

/* -- its life -- */

static int epoll_descriptor(const struct backend *backend)
{
    return weft_container_of(backend, const struct epoll_backend, ready.base)->epoll;
}

void epoll_fini(struct epoll_backend *self)
{
    readiness_fini(&self->ready);
    epoll_watch_free(&self->stopped);
    epoll_watch_free(&self->unreachable);
    if (self->epoll >= 0)
        descriptor_close(self->epoll);
}

static void epoll_close(struct backend *backend)
{
    epoll_fini(epoll_of(backend));
    weft_release(epoll_of(backend));
}

const struct backend_ops epoll_ops = {
    .name = "epoll",
    .close = epoll_close,
    .now = system_now,
    .wall = system_wall,
    .wait = epoll_wait_for,
    .dispatch = epoll_dispatch,
    .has_work = readiness_has_work,
    .descriptor = epoll_descriptor,
    .wake = readiness_wake,
    .entropy = system_entropy,
    .signal_watch = readiness_signal_watch,
    .listen = readiness_listen,
    .connect = readiness_connect,
    .adopt_listener = readiness_adopt_listener,
    .adopt_stream = readiness_adopt_stream,
    .datagram_open = readiness_datagram_open,
    .watch_start = epoll_watch_start,
    .watch_change = epoll_watch_change,
    .watch_stop = epoll_watch_stop,
    .job_submit = readiness_job_submit,
    .job_cancel = readiness_job_cancel,
    .name_submit = readiness_name_submit,
    .name_cancel = readiness_name_cancel,
    .thread_start = thread_start,
    .thread_join = thread_join,
};

int epoll_init(struct epoll_backend *self, const struct backend_ops *ops, const struct readiness_engine *engine)
{
    int status = readiness_init(&self->ready, ops, engine);

    self->epoll = -1;
    if (status < 0)
        return status;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    return self->epoll < 0 ? -errno : readiness_open(&self->ready);
}

int backend_epoll_open(struct backend **ret)
{
    struct epoll_backend *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    status = epoll_init(self, &epoll_ops, &epoll_engine);
    if (status < 0) {
        epoll_close(&self->ready.base);
        return status;
    }
    *ret = &self->ready.base;
    return 0;
}
