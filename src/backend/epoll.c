/* SPDX-License-Identifier: MIT */
/*
 * The seam on epoll: attempt first, wait after.
 *
 * One handle reads at most ROUNDS buffers a turn; then it goes to the end of
 * the ready list, behind all others. A handle that is closed while it is in
 * that list comes home from there (`closed`), any other at once. Events of one
 * batch may refer to a handle that a callback of the same batch closed: its
 * memory lives until the turn ends, and its CLOSED flag says to skip it; so an
 * fd number that is used again cannot be mistaken. A descriptor is taken out of epoll before it is closed: when a
 * parent, a child or a fork that has not yet called exec has it too, closing ours alone leaves it there (epoll(7)),
 * and its events would carry a pointer to freed memory.
 */
#include "backend/readiness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"
#include "backend/memory_stream.h"
#include "backend/names.h"
#include "backend/system.h"

int epoll_watch(struct readiness *self, int fd, void *pointer, enum tag tag, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)(uintptr_t)pointer | tag};

    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Descriptors 0 to 2 are never free: the next connection would get the number, and with it what some part of the
 * program prints. */
static bool keep_number_taken(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool done = null >= 0 && dup2(null, fd) == fd;

    if (null >= 0)
        descriptor_close(null);
    return done;
}

void readiness_unwatch_and_close(struct backend *backend, int fd)
{
    (void)epoll_ctl(readiness_of(backend)->epoll, EPOLL_CTL_DEL, fd, NULL);
    if (fd <= STDERR_FILENO && keep_number_taken(fd))
        return;
    descriptor_close(fd); /* never retried: on Linux the descriptor is gone whatever it returns */
}

void readiness_make_ready(struct readiness *self, struct backend_stream *stream)
{
    if (stream->flags & READY)
        return;
    stream->flags |= READY;
    stream->ready_next = NULL;
    if (self->ready_last)
        self->ready_last->ready_next = stream;
    else
        self->ready_first = stream;
    self->ready_last = stream;
}

/* -- waiting and delivering -- */

static bool readiness_has_work(const struct backend *backend)
{
    return weft_container_of(backend, const struct readiness, base)->ready_first || memory_has_work(backend->memory);
}

static int epoll_wait_for(struct backend *backend, weft_time timeout)
{
    struct readiness *self = readiness_of(backend);
    int milliseconds = -1, count;

    if (readiness_has_work(backend))
        timeout = 0;
    if (timeout < WEFT_HOURS(1))
        milliseconds = (int)((timeout + WEFT_MILLISECONDS(1) - 1) / WEFT_MILLISECONDS(1));
    else if (timeout != WEFT_NEVER)
        milliseconds = 3600 * 1000;
    count = epoll_wait(self->epoll, self->events, EPOLL_BATCH, milliseconds);
    self->event_count = count < 0 ? 0 : count;
    return count < 0 && errno != EINTR ? -errno : 0;
}

static void run_ready(struct readiness *self)
{
    struct backend_stream *stream = self->ready_first;

    self->ready_first = self->ready_last = NULL;
    while (stream) {
        struct backend_stream *next = stream->ready_next;
        readiness_stream_again(self, stream);
        stream = next;
    }
}

static void take_signals(struct readiness *self)
{
    struct signalfd_siginfo info;

    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info)
        self->base.host->signalled(self->base.host, (int)info.ssi_signo);
}

static void epoll_dispatch(struct backend *backend)
{
    struct readiness *self = readiness_of(backend);

    run_ready(self);
    for (int i = 0; i < self->event_count; i++) {
        void *pointer = (void *)(uintptr_t)(self->events[i].data.u64 & ~TAG_BITS);

        switch ((enum tag)(self->events[i].data.u64 & TAG_BITS)) {
        case TAG_STREAM:
            readiness_stream_event(self, pointer, self->events[i].events);
            break;
        case TAG_PIPE_OUT:
            readiness_stream_event(self, pointer,
                                   self->events[i].events & ~(uint32_t)(EPOLLRDHUP | EPOLLIN | EPOLLPRI));
            break;
        case TAG_LISTENER:
            readiness_accept_some(self, pointer);
            break;
        case TAG_CONTROL:
            if (pointer)
                take_signals(self);
            break;
        case TAG_WATCH:
            epoll_watch_event(pointer, self->events[i].events);
            break;
        }
    }
    self->event_count = 0;
    epoll_watch_free(&self->stopped);
    memory_dispatch(backend->memory);
    job_pool_collect(self->jobs);
}

/* The eventfd is edge-triggered: each write is an edge, and nobody needs to read it. */
static void readiness_wake(struct backend *backend)
{
    uint64_t one = 1;
    ssize_t written = write(readiness_of(backend)->wake, &one, sizeof one);

    (void)written; /* it can only fail when the counter is full, and then a wake-up is pending anyway */
}

static void set_watched(struct readiness *self, int number, bool on)
{
    sigset_t one;

    sigemptyset(&one);
    sigaddset(&one, number);
    if (on)
        sigaddset(&self->watched, number);
    else
        sigdelset(&self->watched, number);
    pthread_sigmask(on ? SIG_BLOCK : SIG_UNBLOCK, &one, NULL);
}

static int read_watched(struct readiness *self)
{
    int fd = signalfd(-1, &self->watched, SFD_NONBLOCK | SFD_CLOEXEC), status;

    if (fd < 0)
        return -errno;
    status = epoll_watch(self, fd, self, TAG_CONTROL, EPOLLIN);
    if (status < 0)
        descriptor_close(fd);
    else
        self->signals = fd;
    return status;
}

static int readiness_signal_watch(struct backend *backend, int number, bool on)
{
    struct readiness *self = readiness_of(backend);
    int status = 0;

    if (sigismember(&self->watched, number) < 0)
        return -EINVAL;
    set_watched(self, number, on);
    if (self->signals < 0)
        status = read_watched(self);
    else if (signalfd(self->signals, &self->watched, 0) < 0)
        status = -errno;
    if (status < 0 && on)
        set_watched(self, number, false); /* or it would be blocked, and nobody would ever read it */
    return status;
}

static int epoll_descriptor(const struct backend *backend)
{
    return weft_container_of(backend, const struct readiness, base)->epoll;
}

static int readiness_job_submit(struct backend *backend, weft_work *job)
{
    return job_pool_submit(&readiness_of(backend)->jobs, backend, job);
}

static bool readiness_job_cancel(struct backend *backend, weft_work *job)
{
    return job_pool_cancel(readiness_of(backend)->jobs, job);
}

static int readiness_name_submit(struct backend *backend, struct name_query *query)
{
    (void)backend;
    return name_threads_submit(query);
}

static bool readiness_name_cancel(struct backend *backend, struct name_query *query)
{
    (void)backend;
    return name_threads_cancel(query);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        descriptor_close(fd);
}

static void epoll_close(struct backend *backend)
{
    struct readiness *self = readiness_of(backend);

    job_pool_free(self->jobs);
    readiness_warm_forget(self);
    epoll_watch_free(&self->stopped);
    epoll_watch_free(&self->unreachable);
    memory_network_free(backend->memory);
    close_fd(self->signals);
    close_fd(self->wake);
    close_fd(self->reserve);
    close_fd(self->epoll);
    weft_release(self->buffer);
    weft_release(self->spare_buffer);
    weft_release(self);
}

static const struct backend_ops epoll_ops = {
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
    .watch_start = epoll_watch_start,
    .watch_change = epoll_watch_change,
    .watch_stop = epoll_watch_stop,
    .job_submit = readiness_job_submit,
    .job_cancel = readiness_job_cancel,
    .name_submit = readiness_name_submit,
    .name_cancel = readiness_name_cancel,
};

/* A peer that has gone must be an error of one stream and not the end of the process. MSG_NOSIGNAL says so for sends,
 * but sendfile and pipes have no such flag. Who has chosen something else keeps it. */
static void ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

static int open_descriptors(struct readiness *self)
{
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (self->epoll < 0 || self->wake < 0)
        return -errno;
    return epoll_watch(self, self->wake, NULL, TAG_CONTROL, EPOLLIN | EPOLLET);
}

int backend_epoll_open(struct backend **ret)
{
    struct readiness *self = weft_allocate_zeroed(1, sizeof *self);
    int status;

    if (!self)
        return WEFT_ENOMEM;
    self->base.ops = &epoll_ops;
    self->epoll = self->wake = self->signals = self->reserve = -1;
    ignore_sigpipe();
    sigemptyset(&self->watched);
    weft_link_init(&self->warming);
    self->buffer = weft_allocate(READINESS_BUFFER);
    self->base.memory = memory_network_new();
    status = self->buffer && self->base.memory ? open_descriptors(self) : WEFT_ENOMEM;
    if (status < 0) {
        epoll_close(&self->base);
        return status;
    }
    *ret = &self->base;
    return 0;
}
