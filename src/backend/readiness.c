/* SPDX-License-Identifier: MIT */
/* The life of a backend whose engine says what is ready, and what is neither stream nor listener of it (readiness.h). */
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
#include "backend/readiness_datagram.h"

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

/* It leaves first: when a parent, a child or a fork that has not yet called exec has the descriptor too, closing ours alone
 * leaves it in epoll (epoll(7)), whose events would carry a pointer to freed memory. */
void readiness_leave_and_close(struct backend *backend, int fd)
{
    readiness_of(backend)->engine->leave(readiness_of(backend), fd);
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

bool readiness_has_work(const struct backend *backend)
{
    return readiness_has_ready(weft_container_of(backend, const struct readiness, base)) ||
           memory_has_work(backend->memory);
}

void readiness_run_ready(struct readiness *self)
{
    struct backend_stream *stream = self->ready_first;

    self->ready_first = self->ready_last = NULL;
    while (stream) {
        struct backend_stream *next = stream->ready_next;
        readiness_stream_again(self, stream);
        stream = next;
    }
    if (self->ready_first_datagram)
        readiness_run_ready_datagrams(self);
}

void readiness_take_signals(struct readiness *self)
{
    struct signalfd_siginfo info;

    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info)
        self->base.host->signalled(self->base.host, (int)info.ssi_signo);
}

/* -- waking, signals, jobs, names -- */

/* Of the eventfd, which does not wait, the compiler is to believe it. */
ssize_t write(int fd, const void *data, size_t length) WEFT_NONBLOCKING;

void readiness_wake(struct backend *backend) WEFT_NONBLOCKING
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
    status = self->engine->enter(self, fd, self, TAG_CONTROL);
    if (status < 0)
        descriptor_close(fd);
    else
        self->signals = fd;
    return status;
}

int readiness_signal_watch(struct backend *backend, int number, bool on)
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

int readiness_job_submit(struct backend *backend, weft_work *job)
{
    return job_pool_submit(&readiness_of(backend)->jobs, backend, job);
}

bool readiness_job_cancel(struct backend *backend, weft_work *job)
{
    return job_pool_cancel(readiness_of(backend)->jobs, job);
}

int readiness_name_submit(struct backend *backend, struct name_query *query)
{
    (void)backend;
    return name_threads_submit(query);
}

bool readiness_name_cancel(struct backend *backend, struct name_query *query)
{
    (void)backend;
    return name_threads_cancel(query);
}

/* -- its life -- */

/* A peer that has gone must be an error of one stream and not the end of the process. MSG_NOSIGNAL says so for sends,
 * but sendfile and pipes have no such flag. Who has chosen something else keeps it. */
static void ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

int readiness_init(struct readiness *self, const struct backend_ops *ops, const struct readiness_engine *engine)
{
    self->base.ops = ops;
    self->engine = engine;
    self->wake = self->signals = self->reserve = -1;
    ignore_sigpipe();
    sigemptyset(&self->watched);
    weft_link_init(&self->warming);
    self->buffer = weft_allocate(READINESS_BUFFER);
    self->base.memory = memory_network_new();
    return self->buffer && self->base.memory ? 0 : WEFT_ENOMEM;
}

int readiness_open(struct readiness *self)
{
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return self->wake < 0 ? -errno : self->engine->enter(self, self->wake, NULL, TAG_CONTROL);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        descriptor_close(fd);
}

void readiness_fini(struct readiness *self)
{
    job_pool_free(self->jobs);
    readiness_warm_forget(self);
    memory_network_free(self->base.memory);
    close_fd(self->signals);
    close_fd(self->wake);
    close_fd(self->reserve);
    weft_release(self->buffer);
    weft_release(self->spare_buffer);
    weft_release(self->datagrams);
}
