/* SPDX-License-Identifier: MIT */
/*
 * The inside of the io_uring backend (docs/decisions/0015). Its files:
 *
 *   uring.c          waiting and delivering; the backend's life
 *   uring_move.c     another thread takes the loop over
 *   uring_stream.c   how bytes move through sockets
 *   uring_socket.c   what is asked of the kernel for one socket, and when its struct is freed
 *   uring_listen.c   accepting
 *   uring_buffers.c  the buffers that receives are filled into
 *   uring_ring.c     the ring itself; uring_abi.h: how the kernel speaks
 *
 * It extends the epoll backend: what is no socket stays with that, whose epoll instance the ring polls.
 *
 * A call on a stream only notes what is wanted and puts the socket into the list of those that are due; uring_settle,
 * before each wait, asks the kernel for the difference between what is wanted and what is in flight. Only sends are put
 * into the queue at once, since their runs of bytes are lent for the call alone.
 *
 * Invariants:
 *  1. A struct that an operation in flight points to is not freed; `in_flight` counts all operations.
 *  2. Cancellation and close of a descriptor are queued behind all else that names it.
 *  3. A socket is in one list at most: due, starved or news.
 *  4. A turn may run within a callback (of a task): nothing that the turn outside uses is freed in it, and no buffer
 *     that it delivers is provided again.
 */
#ifndef BACKEND_URING_INTERNAL_H
#define BACKEND_URING_INTERNAL_H

#include <pthread.h>
#include <sys/socket.h>

#include <weft/list.h>

#include "backend/epoll.h"
#include "backend/uring_ring.h"

/* Copies of the runs of sends that are not submitted yet. */
#define URING_ARENA (64 * 1024)
/* A receive is armed anew after so many bytes, if the kernel knows that limit. */
#define URING_RECEIVE_MOST (128 * 1024)

/* What an operation's 64 bits hold: a pointer, and in its low bits which operation it is. */
enum uring_tag {
    URING_TELLS_NOTHING, /* a cancellation or a close, which only tell of a failure */
    URING_RECEIVE,
    URING_SEND,
    URING_ROOM,  /* a poll for room, or for the end of a connection attempt */
    URING_WATCH, /* a poll for errors, while nothing is received */
    URING_ACCEPT,
    URING_WAKE,  /* the eventfd */
    URING_OTHERS /* the epoll instance */
};
#define URING_TAGS UINT64_C(7)

/* Of a socket: what is wanted, */
enum {
    URING_RECEIVES = 1 << 0,
    URING_WANTS_ROOM = 1 << 1,
    URING_STARVES = 1 << 2, /* the last receive found no buffer */
    URING_NEWS = 1 << 3,    /* its send came to nothing, with the ring that it was in: that is to be told */
    URING_GONE = 1 << 4,    /* its owner has closed it */
    /* A multishot receive that has taken all there was waits for the next event, and the end may have been one of those
     * that brought it. Only TCP tells that there is more to come. So others are watched, too, while they receive. */
    URING_MAY_MISS_END = 1 << 5,
    URING_RECHECKS = 1 << 6, /* the end has come: the receive is to be armed anew */
    URING_BUSY = 1 << 7,     /* its owner is being told something, in which a task may run further turns */
    /* and what is in flight. */
    URING_RECEIVING = 1 << 8,
    URING_SENDING = 1 << 9,
    URING_AWAITS_ROOM = 1 << 10,
    URING_WATCHING = 1 << 11,
    URING_IN_FLIGHT = URING_RECEIVING | URING_SENDING | URING_AWAITS_ROOM | URING_WATCHING,
    URING_STOPPING = 1 << 12, /* the receive's cancellation was queued */
    URING_CLOSING = 1 << 13,  /* the descriptor's close was queued */
    URING_DEAF = 1 << 14,     /* it cannot be watched */
    URING_LIMITED = 1 << 15,  /* the receive ends after URING_RECEIVE_MOST */
};

struct uring_socket {
    weft_link link; /* among all */
    weft_link due;
    struct backend_stream *stream; /* its owner's; NULL once that has been told all */
    int fd;
    uint32_t flags;
};

struct uring_listener {
    weft_link link;
    struct backend_listener *listener; /* NULL: its owner has closed it */
    int fd;
    bool is_unix;
    bool accepts; /* it is to */
    bool accepting, stopping;
    bool polls, polling; /* instead it waits until somebody comes: there was no descriptor before that, either */
    int *waiting;        /* connections that came and were not told yet: `count` descriptors, from `first` on */
    size_t first, count, room;
};

struct uring_backend {
    struct epoll_backend epoll;
    struct backend_ops ops; /* epoll's, but for what is different */
    struct uring_ring ring;
    struct uring_buffers buffers;
    pthread_t thread; /* if `enabled`: that the ring belongs to */
    bool enabled;
    bool lost;      /* it was found to belong to another thread */
    unsigned forks; /* that had made this process when the ring was made */
    bool wake_polled, others_polled, others_ready;
    bool receive_unlimited; /* the kernel does not know URING_RECEIVE_MOST */
    int host;               /* an eventfd for a host's loop, or -1 */
    bool host_told;         /* the ring knows it */
    size_t in_flight;
    size_t waiting; /* connections, of all listeners */
    weft_link sockets, listeners;
    weft_link due, starved, news; /* sockets */
    bool listeners_due;
    unsigned telling; /* turns that go over the listeners */
    char *arena;
    size_t arena_used;
};

static inline struct uring_backend *uring_of(struct backend *backend)
{
    return weft_container_of(backend, struct uring_backend, epoll.ready.base);
}

static inline uint64_t uring_name(const void *pointer, enum uring_tag tag)
{
    return (uint64_t)(uintptr_t)pointer | tag;
}

/* uring_ring.c */
int uring_ring_register(struct uring_ring *ring, unsigned what, void *argument, unsigned count);

/* uring.c */
/* Whether the ring is this thread's, so that it can be submitted. */
bool uring_is_here(const struct uring_backend *self);
/* Submits what is queued, and lets completions come. */
int uring_submit(struct uring_backend *self);
/* Whether there is room for @p count entries, for which what is queued is submitted if it must be. */
bool uring_reserve(struct uring_backend *self, uint32_t count);
/* An entry, for which there has to be room, of an operation that completes. */
struct uring_sqe *uring_entry(struct uring_backend *self, uint8_t opcode, int fd, uint64_t name);
/* One that says nothing unless it fails. */
struct uring_sqe *uring_silent_entry(struct uring_backend *self, uint8_t opcode, int fd);
void uring_poll(struct uring_backend *self, int fd, uint32_t events, bool again, uint64_t name);
/* Cancels the operation of that name. */
void uring_cancel(struct uring_backend *self, uint64_t name);

/* uring_move.c */
/* Another thread has taken the loop over, and all that had completed was told: a new ring takes the place of the former
 * thread's. */
int uring_move(struct uring_backend *self);
/* How many forks lie between the process that called this first and this one. A child has its parent's rings in its
 * memory, and may not touch them. */
unsigned uring_forks(void);
/* Begins to count them. Returns 0 or a negative error. */
int uring_mind_forks(void);

/* uring_socket.c */
int uring_take_socket(struct readiness *ready, struct backend_stream *stream, int fd, uint32_t flags);
/* Something is wanted, or has completed. */
void uring_socket_is_due(struct uring_backend *self, struct uring_socket *socket);
/* Asks the kernel for what sockets want. False if it takes no more now. */
bool uring_sockets_settle(struct uring_backend *self);
/* Frees those that are left, with their descriptors. */
void uring_sockets_free(struct uring_backend *self);

/* uring_stream.c */
extern const struct backend_transport uring_transport;
void uring_stream_completed(struct uring_backend *self, struct uring_socket *socket, enum uring_tag tag,
                            const struct uring_cqe *cqe);
void uring_stream_tell_news(struct uring_backend *self);

/* uring_listen.c */
int uring_take_listener(struct readiness *ready, struct backend_listener *listener, int fd);
bool uring_listeners_settle(struct uring_backend *self);
void uring_accept_completed(struct uring_backend *self, struct uring_listener *listener, const struct uring_cqe *cqe);
/* Tells of connections that wait, a bounded number of each listener's. */
void uring_listeners_tell(struct uring_backend *self);
/* Whether there are some that can be told. */
bool uring_listeners_have_news(const struct uring_backend *self);
void uring_listeners_free(struct uring_backend *self);

#endif
