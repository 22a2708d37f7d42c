/* SPDX-License-Identifier: MIT */
/*
 * The inside of the epoll backend. Six files share it:
 *
 *   epoll.c         waiting and delivering; the backend's life
 *   readiness_stream.c  how bytes move through sockets and pipes
 *   readiness_warm.c    files that are not in the page cache, read there by the job pool before they are sent
 *   epoll_watch.c   descriptors that are not ours
 *   readiness_open.c    connecting, and adopting descriptors
 *   readiness_listen.c  accepting
 *
 * A descriptor is registered once, edge-triggered, for both directions, so
 * that no call is needed to change what is waited for. The edges are kept as
 * flags of the handle:
 *
 *   READABLE     an edge said so and no short read has said otherwise yet
 *   HANGUP       the peer ended or failed: read on until that is seen
 *   BLOCKED      a send came up short: the next edge for writing is reported
 *   READY        in the list of those that are looked at again without a wait
 *   DRAINS       a short read means that nothing is left. That holds for TCP until urgent data comes: reading stops
 *                at it with more behind (as it does at a passed descriptor, a line of a terminal, a packet of a pipe)
 */
#ifndef BACKEND_READINESS_H
#define BACKEND_READINESS_H

#include <signal.h>
#include <sys/epoll.h>

#include <weft/list.h>

#include "backend/backend.h"

#define EPOLL_BATCH 128
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

/* What an event's 64 bits hold: a pointer, and in its low bits what it points to. */
enum tag { TAG_STREAM, TAG_PIPE_OUT, TAG_LISTENER, TAG_CONTROL, TAG_WATCH };
#define TAG_BITS UINT64_C(7)

struct readiness {
    struct backend base;
    int epoll, wake, signals, reserve;
    sigset_t watched;
    struct job_pool *jobs;
    weft_link warming; /* stretches of files that are being read */
    struct backend_stream *ready_first, *ready_last;
    struct backend_watch *stopped;     /* to be freed when this batch is over */
    struct backend_watch *unreachable; /* or only with the backend */
    int event_count;
    struct epoll_event events[EPOLL_BATCH];
    char *buffer;
    char *spare_buffer; /* takes its place when a receiver keeps it */
};

static inline struct readiness *readiness_of(struct backend *backend)
{
    return weft_container_of(backend, struct readiness, base);
}

/* epoll.c */
int epoll_watch(struct readiness *self, int fd, void *pointer, enum tag tag, uint32_t events);
void readiness_unwatch_and_close(struct backend *backend, int fd);
/* Puts @p stream into the list of those that are looked at again without a wait. */
void readiness_make_ready(struct readiness *self, struct backend_stream *stream);

/* readiness_stream.c */
extern const struct backend_transport readiness_socket_transport, readiness_pipe_transport;
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

/* epoll_watch.c */
int epoll_watch_start(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                      void *owner, struct backend_watch **ret);
void epoll_watch_change(struct backend *backend, struct backend_watch *watch, unsigned interest);
void epoll_watch_stop(struct backend *backend, struct backend_watch *watch);
void epoll_watch_event(struct backend_watch *watch, uint32_t events);
void epoll_watch_free(struct backend_watch **list);

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
void readiness_accept_some(struct readiness *self, struct backend_listener *listener);
int readiness_listen(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                     const struct backend_socket_options *options);
int readiness_adopt_listener(struct backend *backend, struct backend_listener *listener, int fd,
                             const struct backend_socket_options *options);

#endif
