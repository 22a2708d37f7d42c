/* SPDX-License-Identifier: MIT */
/*
 * Sockets and pipes over an engine that says which descriptors are ready: what epoll and poll share. Attempt first, wait
 * after.
 *
 *   readiness.c         the backend's life; waking, signals, jobs, names
 *   readiness_stream.c  how bytes move through sockets and pipes
 *   readiness_warm.c    files that are not in the page cache, read there by the job pool before they are sent
 *   readiness_open.c    connecting, and adopting descriptors
 *   readiness_listen.c  accepting
 *   readiness_datagram.h  datagrams
 *   epoll.c, poll.c     the engines; epoll_watch.c, poll_watch.c: descriptors that are not ours
 *
 * A descriptor is entered into its engine once, for both directions, so that no call is needed to change what is waited
 * for. What the engine says is kept as flags of the handle, so that an engine that says it once (edges) will do:
 *
 *   READABLE     the engine said so and no short read has said otherwise yet
 *   HANGUP       the peer ended or failed: read on until that is seen
 *   BLOCKED      a send came up short: room will be reported
 *   READY        in the list of those that are looked at again without a wait
 *   DRAINS       a short read means that nothing is left. That holds for TCP until urgent data comes: reading stops
 *                at it with more behind (as it does at a passed descriptor, a line of a terminal, a packet of a pipe)
 *
 * One handle reads at most READINESS_ROUNDS buffers a turn; then it goes to the end of the ready list, behind all
 * others. A handle that is closed while it is in that list comes home from there (`closed`), any other at once. Events of
 * one batch may refer to a handle that a callback of the same batch closed: its memory lives until the turn ends, and its
 * CLOSED flag says to skip it; so an fd number that is used again cannot be mistaken.
 */
#ifndef BACKEND_READINESS_H
#define BACKEND_READINESS_H

#include <poll.h>
#include <signal.h>

#include <weft/list.h>

#include "backend/backend.h"
#include "backend/memory_stream.h"

#ifndef POLLRDHUP /* only Linux has it */
#define POLLRDHUP 0
#endif

/* What one handle reads at a time, and how often in a turn. */
#define READINESS_BUFFER (256 * 1024)
#define READINESS_ROUNDS 1

enum {
    READABLE = 1 << 0,
    HANGUP = 1 << 1,
    BLOCKED = 1 << 2,
    READY = 1 << 3,
    RECEIVING = 1 << 4,
    CONNECTING = 1 << 5,
    CONNECTED_AT_ONCE = 1 << 6,
    CLOSED = 1 << 7,
    ALWAYS_READY = 1 << 8, /* a regular file as standard input: epoll takes none */
    PIPE = 1 << 9,
    DRAINS = 1 << 10,
    IN_WAS_BLOCKING = 1 << 11, /* adopted descriptors are given back as they were: others may share them */
    OUT_WAS_BLOCKING = 1 << 12,
    WARMING = 1 << 13,        /* a stretch of a file is being read: `sent` is owed */
    WARMED = 1 << 14,         /* it was read: the next attempt sends whatever the page cache has */
    CORKED = 1 << 15,         /* full packets only, until the last stretch of a file */
    CONNECT_ERROR_SHIFT = 16, /* with CONNECTED_AT_ONCE: the errno value, above all flags */
};

/* Flags of a listener. */
enum { ACCEPTING = 1 << 0, LISTENER_CLOSED = 1 << 1 };

/* What a descriptor is entered for. */
enum tag { TAG_SOCKET, TAG_PIPE_IN, TAG_PIPE_OUT, TAG_LISTENER, TAG_CONTROL, TAG_WATCH, TAG_DATAGRAM };

struct readiness;

/* What says which descriptors are ready. Events are those of poll(2). */
struct readiness_engine {
    /* Has @p pointer told of @p fd. -EPERM: it is always ready (a regular file). */
    int (*enter)(struct readiness *self, int fd, void *pointer, enum tag tag);
    void (*leave)(struct readiness *self, int fd);
    /* @p listener begins to accept, or ceases to. */
    void (*accepts)(struct readiness *self, struct backend_listener *listener, bool on);
    /* @p socket begins to wait for room, or ceases to. */
    void (*blocked)(struct readiness *self, struct backend_datagram *socket, bool on);
    /* How a socket becomes a stream or a listener: readiness_take_socket and readiness_take_listener, but for an engine
     * that has its own way. */
    int (*take_socket)(struct readiness *self, struct backend_stream *stream, int fd, uint32_t flags);
    int (*take_listener)(struct readiness *self, struct backend_listener *listener, int fd);
};

struct readiness {
    struct backend base;
    const struct readiness_engine *engine;
    int wake, signals, reserve; /* -1: none */
    sigset_t watched;
    struct job_pool *jobs;
    weft_link warming; /* stretches of files that are being read */
    struct backend_stream *ready_first, *ready_last;
    struct backend_datagram *ready_first_datagram, *ready_last_datagram;
    struct datagram_room *datagrams; /* NULL: there was no socket yet */
    int event_count;                 /* of what the engine has to say from the last wait */
    char *buffer;
    char *spare_buffer; /* takes its place when a receiver keeps it */
};

static inline struct readiness *readiness_of(struct backend *backend)
{
    return weft_container_of(backend, struct readiness, base);
}

/* readiness.c */
/* @p self is zeroed. If it fails readiness_fini is still to be called. */
int readiness_init(struct readiness *self, const struct backend_ops *ops, const struct readiness_engine *engine);
/* Opens what is its own, and enters it. */
int readiness_open(struct readiness *self);
void readiness_fini(struct readiness *self);
void readiness_leave_and_close(struct backend *backend, int fd);
/* Puts @p stream into the list of those that are looked at again without a wait. */
void readiness_make_ready(struct readiness *self, struct backend_stream *stream);
/* What a dispatch does before and after the engine's events. */
void readiness_run_ready(struct readiness *self);
static inline bool readiness_has_ready(const struct readiness *self)
{
    return self->ready_first || self->ready_first_datagram;
}
static inline void readiness_dispatch_begin(struct readiness *self)
{
    if (readiness_has_ready(self))
        readiness_run_ready(self);
}
void readiness_take_signals(struct readiness *self);
/* How long to wait, in milliseconds, rounded up; -1: for ever. */
static inline int readiness_patience(const struct readiness *self, weft_time timeout)
{
    if (readiness_has_ready(self) || memory_has_work(self->base.memory))
        return 0;
    if (timeout < WEFT_HOURS(1))
        return (int)((timeout + WEFT_MILLISECONDS(1) - 1) / WEFT_MILLISECONDS(1));
    return timeout != WEFT_NEVER ? 3600 * 1000 : -1;
}
bool readiness_has_work(const struct backend *backend);
void readiness_wake(struct backend *backend) WEFT_NONBLOCKING;
int readiness_signal_watch(struct backend *backend, int number, bool on);
int readiness_job_submit(struct backend *backend, weft_work *job);
bool readiness_job_cancel(struct backend *backend, weft_work *job);
int readiness_name_submit(struct backend *backend, struct name_query *query);
bool readiness_name_cancel(struct backend *backend, struct name_query *query);

/* readiness_stream.c */
extern const struct backend_transport readiness_socket_transport, readiness_pipe_transport;
int64_t readiness_socket_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs,
                              size_t count, bool more);
int64_t readiness_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                            uint64_t length, bool more);
int readiness_socket_shutdown(struct backend *backend, struct backend_stream *stream);
void readiness_socket_broken(struct backend *backend, struct backend_stream *stream);
int readiness_socket_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret);
int64_t readiness_socket_unconfirmed(const struct backend_stream *stream);
void readiness_stream_event(struct readiness *self, struct backend_stream *stream, uint32_t events);
/* The turn of one that was in the ready list. */
void readiness_stream_again(struct readiness *self, struct backend_stream *stream);

/* readiness_warm.c */
/* Whether the stretch has to be read from disk first. If so, that was begun, and `sent` will follow. */
bool readiness_warm_start(struct readiness *self, struct backend_stream *stream, weft_file *file, uint64_t offset,
                          uint64_t length);
/* The stream closes: it is told nothing. */
void readiness_warm_abandon(struct readiness *self, const struct backend_stream *stream);
/* Frees what is left when no thread runs any more. */
void readiness_warm_forget(struct readiness *self);

/* readiness_open.c */
void readiness_make_blocking(int fd);
/* Adds @p flag to *ret_changed if @p fd was blocking. */
int readiness_make_nonblocking(int fd, uint32_t flag, uint32_t *ret_changed);
/* DRAINS, for sockets of which it is true. */
uint32_t readiness_drains(uint8_t family);
int readiness_take_socket(struct readiness *self, struct backend_stream *stream, int fd, uint32_t flags);
int readiness_connect(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                      const struct backend_socket_options *options);
int readiness_adopt_stream(struct backend *backend, struct backend_stream *stream, int in, int out,
                           const struct backend_socket_options *options, weft_address *peer);

/* readiness_listen.c */
int readiness_take_listener(struct readiness *self, struct backend_listener *listener, int fd);
/* Errors that concern one connection that is gone already, not the listener (accept(2)). */
bool readiness_accept_error_is_passing(int error);
/* The next connection that waits: the descriptor, -EAGAIN if there is none, or another negative error. */
int readiness_accept_socket(const struct backend_listener *listener, weft_address *ret_peer);
/* There is no descriptor left. Returns how many connections were dropped with the help of the reserved one. */
unsigned readiness_shed(struct readiness *self, const struct backend_listener *listener);
void readiness_reserve_again(struct readiness *self);
void readiness_accept_some(struct readiness *self, struct backend_listener *listener);
int readiness_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                     const struct backend_socket_options *options);
int readiness_adopt_listener(struct backend *backend, struct backend_listener *listener, int fd,
                             const struct backend_socket_options *options);

#endif
