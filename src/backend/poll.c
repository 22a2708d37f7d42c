/* SPDX-License-Identifier: MIT */
/*
 * The engine of every POSIX system, and the plainest: poll(2). What is waited for is read off the handles before each
 * wait, and handed over whole. So nothing has to be kept in step with anything; and a turn costs time for every
 * descriptor that there is, idle or not, here and in the kernel. For a few hundred that is little.
 *
 * poll is level-triggered: what is not asked for must not be reported again and again. Failures and hang-ups are, whether
 * asked for or not; so a handle that was told of one and asks for nothing is left out of the wait.
 *
 * Callbacks enter and leave descriptors while events are delivered: those that enter come after the ones that were
 * waited for, and those that leave leave a gap, which the next wait closes. An event is found by its place, never by a
 * pointer of its own, so nobody who has left is told anything.
 */
#include "backend/poll.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/memory_stream.h"
#include "backend/readiness_datagram.h"
#include "backend/system.h"
#include "backend/thread.h"
#include "backend/watch.h"

#define ROOM_FIRST 16

/* What a place asks poll for: nothing, not even failures. */
#define LEFT_OUT (-1)

/* -- entering -- */

struct poll_place *poll_place_of(struct poll_backend *self, int fd)
{
    uint32_t number = (size_t)fd < self->numbers ? self->number[fd] : 0;

    return number ? &self->places[number - 1] : NULL;
}

static int make_room(struct poll_backend *self)
{
    size_t room = self->room ? self->room * 2 : ROOM_FIRST;
    struct pollfd *entries;
    struct poll_place *places;

    if (self->count < self->room)
        return 0;
    entries = weft_reallocate(self->entries, room * sizeof *entries);
    if (!entries)
        return WEFT_ENOMEM;
    self->entries = entries;
    places = weft_reallocate(self->places, room * sizeof *places);
    if (!places)
        return WEFT_ENOMEM;
    self->places = places;
    self->room = room;
    return 0;
}

static int make_number(struct poll_backend *self, int fd)
{
    size_t numbers = self->numbers ? self->numbers : ROOM_FIRST;
    uint32_t *number;

    if ((size_t)fd < self->numbers)
        return 0;
    while (numbers <= (size_t)fd)
        numbers *= 2;
    number = weft_reallocate(self->number, numbers * sizeof *number);
    if (!number)
        return WEFT_ENOMEM;
    memset(number + self->numbers, 0, (numbers - self->numbers) * sizeof *number);
    self->number = number;
    self->numbers = numbers;
    return 0;
}

static bool never_waits(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 && (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode));
}

/* A watch whose descriptor was closed before its stop has no right to the number any more. */
static bool is_taken(struct poll_backend *self, int fd)
{
    const struct poll_place *place = poll_place_of(self, fd);

    if (place && place->tag == TAG_WATCH && !watch_is_same_file(place->pointer)) {
        poll_leave(&self->ready, fd);
        return false;
    }
    return place;
}

int poll_enter(struct readiness *ready, int fd, void *pointer, enum tag tag)
{
    struct poll_backend *self = poll_of(&ready->base);
    int status;

    if (tag != TAG_SOCKET && tag != TAG_DATAGRAM && tag != TAG_WATCH && never_waits(fd))
        return -EPERM;
    if (is_taken(self, fd))
        return -EEXIST;
    status = make_room(self);
    if (status == 0)
        status = make_number(self, fd);
    if (status < 0)
        return status;
    self->places[self->count] = (struct poll_place){.pointer = pointer, .fd = fd, .tag = tag};
    self->number[fd] = (uint32_t)++self->count;
    return 0;
}

void poll_leave(struct readiness *ready, int fd)
{
    struct poll_backend *self = poll_of(&ready->base);
    struct poll_place *place = poll_place_of(self, fd);

    if (!place)
        return;
    place->fd = -1;
    self->number[fd] = 0;
}

/* The next wait asks for it, or does not. */
static void poll_accepts(struct readiness *ready, struct backend_listener *listener, bool on)
{
    (void)ready;
    (void)listener;
    (void)on;
}

static void poll_blocked(struct readiness *ready, struct backend_datagram *socket, bool on)
{
    (void)ready;
    (void)socket;
    (void)on;
}

static const struct readiness_engine poll_engine = {
    .enter = poll_enter,
    .leave = poll_leave,
    .accepts = poll_accepts,
    .blocked = poll_blocked,
    .take_socket = readiness_take_socket,
    .take_listener = readiness_take_listener,
};

/* -- waiting -- */

static int wanted_of_stream(uint32_t flags, bool reads, bool writes)
{
    int events = 0;

    if (flags & CONNECTING)
        return POLLOUT;
    if (reads && (flags & (RECEIVING | READABLE)) == RECEIVING)
        events |= POLLIN;
    if (writes && (flags & BLOCKED))
        events |= POLLOUT;
    return events == 0 && (flags & HANGUP) ? LEFT_OUT : events;
}

static int wanted_of_watch(unsigned interest)
{
    return interest == 0 ? LEFT_OUT
                         : (interest & BACKEND_READABLE ? POLLIN : 0) | (interest & BACKEND_WRITABLE ? POLLOUT : 0);
}

static int wanted_of_datagrams(uint32_t flags)
{
    return ((flags & (RECEIVING | READABLE)) == RECEIVING ? POLLIN : 0) | (flags & BLOCKED ? POLLOUT : 0);
}

static int wanted_at(const struct poll_place *place)
{
    switch (place->tag) {
    case TAG_SOCKET:
        return wanted_of_stream(((const struct backend_stream *)place->pointer)->flags, true, true);
    case TAG_PIPE_IN:
        return wanted_of_stream(((const struct backend_stream *)place->pointer)->flags, true, false);
    case TAG_PIPE_OUT:
        return wanted_of_stream(((const struct backend_stream *)place->pointer)->flags, false, true);
    case TAG_LISTENER:
        return ((const struct backend_listener *)place->pointer)->flags & ACCEPTING ? POLLIN : LEFT_OUT;
    case TAG_WATCH:
        return wanted_of_watch(((const struct backend_watch *)place->pointer)->interest);
    case TAG_DATAGRAM:
        return wanted_of_datagrams(((const struct backend_datagram *)place->pointer)->flags);
    case TAG_CONTROL:
        break;
    }
    return POLLIN;
}

/* Closes the gaps and notes what is waited for. */
static void arrange(struct poll_backend *self)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->count; i++) {
        struct poll_place place = self->places[i];
        int wanted;

        if (place.fd < 0)
            continue;
        wanted = wanted_at(&place);
        self->entries[kept] = (struct pollfd){.fd = wanted == LEFT_OUT ? -1 : place.fd,
                                              .events = (short)(wanted == LEFT_OUT ? 0 : wanted)};
        self->places[kept++] = place;
        self->number[place.fd] = (uint32_t)kept;
    }
    self->count = self->polled = kept;
}

static int poll_wait(struct backend *backend, weft_time timeout)
{
    struct poll_backend *self = poll_of(backend);
    int count;

    arrange(self);
    count = poll(self->entries, (nfds_t)self->count, readiness_patience(&self->ready, timeout));
    self->ready.event_count = count < 0 ? 0 : count;
    return count < 0 && errno != EINTR ? -errno : 0;
}

/* -- delivering -- */

static void take_wakes(const struct readiness *ready)
{
    uint64_t count;
    ssize_t length = read(ready->wake, &count, sizeof count);

    (void)length; /* whatever it is, the turn that was asked for is this one */
}

static void deliver(struct poll_backend *self, const struct poll_place *place, uint32_t events)
{
    struct readiness *ready = &self->ready;

    switch (place->tag) {
    case TAG_SOCKET:
    case TAG_PIPE_IN:
        readiness_stream_event(ready, place->pointer, events);
        break;
    case TAG_PIPE_OUT:
        readiness_stream_event(ready, place->pointer, events & ~(uint32_t)POLLIN);
        break;
    case TAG_LISTENER:
        readiness_accept_some(ready, place->pointer);
        break;
    case TAG_CONTROL:
        if (place->pointer)
            readiness_take_signals(ready);
        else
            take_wakes(ready);
        break;
    case TAG_WATCH:
        watch_tell(place->pointer, watch_what(events));
        break;
    case TAG_DATAGRAM:
        readiness_datagram_event(ready, place->pointer, events);
        break;
    }
}

/* (The arrays may grow meanwhile.) */
static void poll_dispatch(struct backend *backend)
{
    struct poll_backend *self = poll_of(backend);
    struct readiness *ready = &self->ready;

    readiness_dispatch_begin(ready);
    for (size_t i = 0; i < self->polled && ready->event_count > 0; i++) {
        uint32_t events = (uint32_t)(unsigned short)self->entries[i].revents;
        struct poll_place place = self->places[i];

        if (events == 0)
            continue;
        ready->event_count--;
        if (place.fd >= 0 && (events & POLLNVAL))
            poll_leave(ready, place.fd); /* somebody has closed it: it would be reported for ever */
        else if (place.fd >= 0)
            deliver(self, &place, events);
    }
    ready->event_count = 0;
    self->polled = 0;
    memory_dispatch(backend->memory);
    job_pool_collect(ready->jobs);
}

/* -- its life -- */

/* A host has nothing to wait for but the time: it has to look by itself. */
static int poll_descriptor(const struct backend *backend)
{
    (void)backend;
    return -1;
}

static void poll_close(struct backend *backend)
{
    struct poll_backend *self = poll_of(backend);

    readiness_fini(&self->ready);
    weft_release(self->entries);
    weft_release(self->places);
    weft_release(self->number);
    weft_release(self);
}

static const struct backend_ops poll_ops = {
    .name = "poll",
    .close = poll_close,
    .now = system_now,
    .wall = system_wall,
    .wait = poll_wait,
    .dispatch = poll_dispatch,
    .has_work = readiness_has_work,
    .descriptor = poll_descriptor,
    .wake = readiness_wake,
    .entropy = system_entropy,
    .signal_watch = readiness_signal_watch,
    .listen = readiness_listen,
    .connect = readiness_connect,
    .adopt_listener = readiness_adopt_listener,
    .adopt_stream = readiness_adopt_stream,
    .datagram_open = readiness_datagram_open,
    .watch_start = poll_watch_start,
    .watch_change = poll_watch_change,
    .watch_stop = poll_watch_stop,
    .job_submit = readiness_job_submit,
    .job_cancel = readiness_job_cancel,
    .name_submit = readiness_name_submit,
    .name_cancel = readiness_name_cancel,
    .thread_start = thread_start,
    .thread_join = thread_join,
};

int backend_poll_open(struct backend **ret)
{
    struct poll_backend *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    status = readiness_init(&self->ready, &poll_ops, &poll_engine);
    if (status == 0)
        status = readiness_open(&self->ready);
    if (status < 0) {
        poll_close(&self->ready.base);
        return status;
    }
    *ret = &self->ready.base;
    return 0;
}
