/* SPDX-License-Identifier: MIT */
/*
 * The seam: everything that Weft asks of a system, and the only place where
 * it asks. It speaks of completed operations on handles that are embedded in
 * their owners; nobody above it holds a descriptor.
 *
 * The contract that every backend keeps, so that nothing above changes when
 * another takes its place (docs/decisions/0005):
 *
 *  1. No function here calls back before it returns. Callbacks run inside
 *     backend_dispatch only.
 *  2. A handle's memory stays valid until backend_close returned true, or
 *     `closed` was called; and then until the end of the turn.
 *  3. Receiving is multishot: started once, it delivers until it is stopped,
 *     ends or fails. Bytes are borrowed for the call. What had already been
 *     received may still come after a stop, in one delivery.
 *  4. A send completes at once, or later: then it has answered BACKEND_LATER
 *     or a part of what it was given, and `sent` is owed. The bytes that were
 *     handed in stay untouched until it completes; the array of runs is the
 *     caller's again when the call returns.
 *  5. After backend_close nothing but `closed` is called.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <weft/datagram_value.h>
#include <weft/file.h>
#include <weft/time.h>
#include <weft/work.h>

struct backend;
struct backend_stream;
struct backend_listener;
struct backend_datagram;
struct backend_endpoint;
struct backend_watch;
struct backend_datagram_options;
struct name_query;
struct thread;

/* What somebody else's descriptor is watched for (the first two), and what is told of it. */
enum { BACKEND_READABLE = 1, BACKEND_WRITABLE = 2, BACKEND_FAILED = 4, BACKEND_HANGUP = 8 };

/* A send that has not completed: `sent` will be called. */
#define BACKEND_LATER (-5900)

/* From here on a send is large. */
#define BACKEND_LARGE (4 * 1024)

/* How many runs of bytes one send takes at most. */
#define BACKEND_RUNS 64

/* What a stream's owner is told. */
struct backend_stream_events {
    /* An outgoing connection was established (0) or failed. */
    void (*connected)(struct backend_stream *stream, int status);
    /* Bytes arrived; or, with no bytes, the peer ended (status 0) or the connection failed (status < 0). After an end
     * or a failure receiving is stopped. */
    void (*received)(struct backend_stream *stream, weft_bytes bytes, int status);
    /* A send that answered BACKEND_LATER completed: the count (0: nothing went, but it can be tried again) or an
     * error. */
    void (*sent)(struct backend_stream *stream, int64_t result);
    /* After a close that returned false: every operation has come home. */
    void (*closed)(struct backend_stream *stream);
};

/* How the bytes of one kind of stream move; one table for each kind (socket, pipe, in-memory). */
struct backend_transport {
    void (*receive_start)(struct backend *backend, struct backend_stream *stream);
    void (*receive_stop)(struct backend *backend, struct backend_stream *stream);
    int64_t (*send)(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                    bool more);
    /* Whether a send holds no bytes after it returned, so that they may be borrowed ones; and whether that is true of one
     * of BACKEND_LARGE bytes or more. */
    bool sends_at_once, sends_large_at_once;
    /* A send failed since the peer broke the connection: whoever receives gets what had come before, and then an end or
     * a failure. NULL where sends and receives have a descriptor each. */
    void (*broken)(struct backend *backend, struct backend_stream *stream);
    /* @p more: another stretch follows, so a last packet that is not full may wait for it. */
    int64_t (*send_file)(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                         uint64_t length, bool more);
    /* A receiver may keep the memory under the bytes that `received` delivers. First it asks whether there is other
     * memory for the next delivery; then, before `received` returns, it may take this, which is weft_release'd some
     * day. NULL where deliveries lie in memory that cannot be kept. */
    bool (*may_keep)(struct backend *backend);
    void (*keep)(struct backend *backend);
    int (*shutdown)(struct backend *backend, struct backend_stream *stream);
    bool (*close)(struct backend *backend, struct backend_stream *stream, bool abort);
    int (*local)(struct backend *backend, const struct backend_stream *stream, weft_address *ret);
    /* How many bytes that were sent the peer's system has not confirmed; -1 if that cannot be known. May be NULL. */
    int64_t (*unconfirmed)(const struct backend_stream *stream);
};

/* A stream handle: embedded in its owner. Everything but `events` belongs to the backend. */
struct backend_stream {
    const struct backend_stream_events *events;
    const struct backend_transport *transport;
    struct backend_stream *ready_next; /* to be looked at again without a wait */
    struct uring_socket *uring;        /* io_uring's own part */
    union {
        int fd;
        int pair[2]; /* a pipe transport: in, out */
        struct memory_end *end;
        struct sim_end *sim;
    };
    uint32_t flags;
};

/* What a listener's owner is told. */
struct backend_listener_events {
    /* Asked before each attempt to accept. False: the owner has stopped accepting, and whoever waits goes on waiting. After
     * true `accepted` follows, or `missed` if there was none after all. */
    bool (*wanted)(struct backend_listener *listener);
    void (*missed)(struct backend_listener *listener);
    /* A connection came. Returns the handle to use, with its events set, or NULL to refuse (it is reset). Receiving
     * is not started. */
    struct backend_stream *(*accepted)(struct backend_listener *listener, const weft_address *peer);
    /* The handle that `accepted` returned is ready for use, or could not be (status < 0) and is to be forgotten. */
    void (*opened)(struct backend_listener *listener, struct backend_stream *stream, int status);
    /* Accepting failed and was stopped: start it again after a pause. `shed` connections were dropped with the help
     * of the reserved descriptor. */
    void (*exhausted)(struct backend_listener *listener, int status, unsigned shed);
};

struct backend_listener {
    const struct backend_listener_events *events;
    const struct backend_listening *listening;
    union {
        int fd;
        struct memory_port *port;
        struct sim_port *port_of_sim;
    };
    struct uring_listener *uring;
    struct socket_path *path; /* of a UNIX socket that was bound here, to be removed; or NULL */
    uint32_t flags;
};

/* How one kind of listener works. */
struct backend_listening {
    void (*accept_start)(struct backend *backend, struct backend_listener *listener);
    void (*accept_stop)(struct backend *backend, struct backend_listener *listener);
    /* Takes one connection that waits, while accepting is stopped: 1, and @p stream, whose events are set, is ready for
     * use; 0 if none waits; an error as in `exhausted`. */
    int (*accept_one)(struct backend *backend, struct backend_listener *listener, struct backend_stream *stream,
                      weft_address *ret_peer);
    /* Whoever still waits is reset. */
    void (*close)(struct backend *backend, struct backend_listener *listener);
    int (*local)(struct backend *backend, const struct backend_listener *listener, weft_address *ret);
};

/* Options of sockets; all are set before the first byte. Of an adopted socket only `delay` and `keepalive` apply. */
struct backend_socket_options {
    bool delay;
    weft_time keepalive;
    int backlog;
    bool reuse_port;
    bool claim_port; /* nobody else may share it yet */
    bool v6_only;
    unsigned unix_mode;
};

/* An address that a socket can have, with a UNIX path or an in-memory name beside it. */
struct backend_endpoint {
    weft_address address;
    weft_bytes path; /* UNIX: a leading '@' means abstract; memory: the name */
    weft_bytes zone; /* IPv6, link-local: the name of the interface; empty if scope_id says it, or none is needed */
};

/* What a datagram socket's owner is told. */
struct backend_datagram_events {
    /* Datagrams came. They are borrowed for the call, and come in the order in which the system has them. */
    void (*received)(struct backend_datagram *socket, const weft_datagram *datagrams, size_t count);
    /* What the system says of the socket and not of one datagram: of a connected one mostly what a router or the peer's
     * host has answered. Receiving goes on. */
    void (*failed)(struct backend_datagram *socket, int status);
    /* After a send that answered BACKEND_LATER: it can be tried again. */
    void (*writable)(struct backend_datagram *socket);
    /* After a close that returned false. */
    void (*closed)(struct backend_datagram *socket);
};

/* A multicast group; a source of no family is anybody. */
struct backend_group {
    weft_address address, source;
    uint32_t interface;
};

/* What can be set while a socket is open. */
enum backend_datagram_setting {
    BACKEND_BROADCAST,
    BACKEND_HOPS,
    BACKEND_MULTICAST_HOPS,
    BACKEND_MULTICAST_LOOP,
    BACKEND_MULTICAST_INTERFACE
};

/* So many datagrams one send takes at most. */
#define BACKEND_DATAGRAMS 64

/* How one kind of datagram socket works. */
struct backend_datagram_transport {
    /* Multishot, as a stream's; batches are delivered whole, also if the owner stops or closes in between. */
    void (*receive_start)(struct backend *backend, struct backend_datagram *socket);
    void (*receive_stop)(struct backend *backend, struct backend_datagram *socket);
    /* Sends the first of @p datagrams, at most BACKEND_DATAGRAMS: how many went (at least 1); an error, which is that of
     * the first or of the socket, and none went; or BACKEND_LATER. A send never completes later: nothing of it is used
     * after the call. */
    int (*send)(struct backend *backend, struct backend_datagram *socket, const weft_datagram *datagrams, size_t count);
    /* To be connected to nobody any more, NULL. */
    int (*connect)(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *to);
    int (*join)(struct backend *backend, struct backend_datagram *socket, const struct backend_group *group, bool on);
    int (*set)(struct backend *backend, struct backend_datagram *socket, enum backend_datagram_setting what,
               unsigned value);
    bool (*close)(struct backend *backend, struct backend_datagram *socket);
    int (*local)(struct backend *backend, const struct backend_datagram *socket, weft_address *ret);
};

/* A datagram socket: embedded in its owner. Everything but `events` belongs to the backend. */
struct backend_datagram {
    const struct backend_datagram_events *events;
    const struct backend_datagram_transport *transport;
    struct backend_datagram *ready_next;
    union {
        int fd;
        struct sim_datagram *sim;
    };
    struct socket_path *path; /* as a listener's */
    uint32_t flags;
};

struct backend_datagram_options {
    bool reuse_port, reuse_address, v6_only, broadcast, dont_fragment;
    bool tells_ecn;
    unsigned hops, multicast_hops; /* 0: the system's */
    bool no_multicast_loop;
    uint32_t multicast_interface;
    size_t receive_buffer, send_buffer; /* 0: the system's */
    unsigned unix_mode;
};

/* What the loop is told by its backend. */
struct backend_host {
    void (*signalled)(struct backend_host *host, int number);
};

struct backend_ops {
    const char *name;
    void (*close)(struct backend *backend);
    weft_time (*now)(struct backend *backend);
    weft_time (*wall)(struct backend *backend);
    /* Waits until something completed, backend_wake was called, or @p timeout passed (0: looks only). */
    int (*wait)(struct backend *backend, weft_time timeout);
    /* Delivers what completed. */
    void (*dispatch)(struct backend *backend);
    /* Whether a wait would not wait. */
    bool (*has_work)(const struct backend *backend);
    int (*descriptor)(const struct backend *backend);
    /* From any thread. */
    void (*wake)(struct backend *backend) WEFT_NONBLOCKING;
    int (*entropy)(struct backend *backend, void *memory, size_t length);
    int (*signal_watch)(struct backend *backend, int number, bool on);
    int (*listen)(struct backend *backend, struct backend_listener *listener, const struct backend_endpoint *at,
                  const struct backend_socket_options *options);
    /* What the system answers to the attempt itself is told by `connected`; an error here is that it could not be made. */
    int (*connect)(struct backend *backend, struct backend_stream *stream, const struct backend_endpoint *to,
                   const struct backend_socket_options *options);
    int (*adopt_listener)(struct backend *backend, struct backend_listener *listener, int fd,
                          const struct backend_socket_options *options);
    /* Takes the descriptors on success; on failure they are as they were. */
    int (*adopt_stream)(struct backend *backend, struct backend_stream *stream, int in, int out,
                        const struct backend_socket_options *options, weft_address *peer);
    /* Opens a socket for datagrams, bound to @p at and connected to @p to; either may be NULL. */
    int (*datagram_open)(struct backend *backend, struct backend_datagram *socket, const struct backend_endpoint *at,
                         const struct backend_endpoint *to, const struct backend_datagram_options *options);
    /* Watches a descriptor that belongs to somebody else, level-triggered, as weft/watch.h says: `ready` is called from
     * dispatch with what is ready of @p interest (all of it, if there was a failure or a hang-up). The backend allocates
     * the watch and frees it some time after its stop; @p owner is used until then only. */
    int (*watch_start)(struct backend *backend, int fd, unsigned interest, void (*ready)(void *owner, unsigned what),
                       void *owner, struct backend_watch **ret);
    /* What was seen of it already and is no longer wanted is not told. */
    void (*watch_change)(struct backend *backend, struct backend_watch *watch, unsigned interest);
    /* From now on nothing is called, and the descriptor may be closed. */
    void (*watch_stop)(struct backend *backend, struct backend_watch *watch);
    /* Has a thread of the pool run @p job (the simulator does it in place); its `done` follows, from dispatch. */
    int (*job_submit)(struct backend *backend, weft_work *job);
    /* Takes back a job that has not begun: true, and `done` does not follow. */
    bool (*job_cancel)(struct backend *backend, weft_work *job);
    /* Looks a name up, as name_threads_submit and name_threads_cancel say (the simulator does it in place). */
    int (*name_submit)(struct backend *backend, struct name_query *query);
    bool (*name_cancel)(struct backend *backend, struct name_query *query);
    /* Has a thread call run(arg), which runs the loop of @p backend, with all signals blocked (the simulator's threads
     * take turns). Returns 0; an error, such as -EAGAIN, if no thread can be made. */
    int (*thread_start)(struct backend *backend, struct thread **ret, void (*run)(void *arg), void *arg);
    /* Waits for the end of a thread that @p backend started, and frees it. */
    void (*thread_join)(struct backend *backend, struct thread *thread);
};

struct backend {
    const struct backend_ops *ops;
    struct backend_host *host;
    struct memory_network *memory;
    size_t job_threads;
};

/* choose.c: opens the backend of that name ("sim:SEED" is one), or for NULL and "" the best there is. -EINVAL, with what
 * there is in the log, for any other. @p variable: of the environment, that names it; or NULL. */
int backend_open(const char *name, const char *variable, struct backend **ret);

int backend_epoll_open(struct backend **ret);
/* The best tier of io_uring that there is, else epoll, which one line in the log gives the reason for; or, of
 * docs/decisions/0015, the tier of that name and nothing else: -ENOENT if there is no such name, -EOPNOTSUPP if the
 * kernel lacks it, or another negative error. */
int backend_uring_open(struct backend **ret);
int backend_uring_open_tier(const char *tier, struct backend **ret);
int backend_poll_open(struct backend **ret);
int backend_sim_open(uint64_t seed, struct backend **ret);
/* For a loop that names no backend: 1, if it is made on a simulated host, or in the world that the environment asks for and
 * that all loops share which this thread makes so; 0 if not. */
int backend_sim_open_here(struct backend **ret);
/* How many processors a program has that is simulated here, on its host or since its environment says so; 0: it is not. */
unsigned backend_sim_processors(void);

/* socket.c: what every backend on real sockets shares */
struct sockaddr_storage;
struct socket_path;
/* *ret_path is the path that it was bound to, or NULL. */
int socket_open_listener(const struct backend_endpoint *at, const struct backend_socket_options *options,
                         struct socket_path **ret_path);
int socket_open_connection(const struct backend_endpoint *to, const struct backend_socket_options *options,
                           int *ret_status);
int socket_options_apply(int fd, const struct backend_socket_options *options);
void socket_address_from(const struct sockaddr_storage *from, weft_address *ret);
int socket_local(int fd, weft_address *ret);
/* Removes the path, unless somebody else's is there now, and frees @p path. NULL does nothing. */
void socket_path_remove(struct socket_path *path);
int socket_error(int fd);

/* socket_datagram.c: the same for datagrams */
/* The descriptor; *ret_path as socket_open_listener's. */
int socket_open_datagram(const struct backend_endpoint *at, const struct backend_endpoint *to,
                         const struct backend_datagram_options *options, struct socket_path **ret_path);
int socket_connect_datagram(int fd, const struct backend_endpoint *to);
int socket_join(int fd, const struct backend_group *group, bool on);
/* @p v6: it is an IPv6 socket, which may carry IPv4, too. */
int socket_set_datagram(int fd, bool v6, enum backend_datagram_setting what, unsigned value);

/* job_pool.c: jobs of all real backends */
struct job_pool;
int job_pool_submit(struct job_pool **pool, struct backend *backend, weft_work *job);
bool job_pool_cancel(struct job_pool *pool, weft_work *job);
/* Reports the jobs that are done. NULL does nothing. */
void job_pool_collect(struct job_pool *pool);
void job_pool_free(struct job_pool *pool);

/* watchdog.c: names a callback that holds a turn too long. It reads `*running` and `*turn` from a thread of its own. */
struct backend_running {
    const char *name;   /* the kind of callback, or the protocol's name; NULL while the loop waits */
    uintptr_t function; /* its address; 0 if it is no single function */
};
struct watchdog;
int watchdog_start(struct watchdog **ret, weft_time limit, const struct backend_running *running, const uint64_t *turn);
void watchdog_stop(struct watchdog *watchdog);

#endif
