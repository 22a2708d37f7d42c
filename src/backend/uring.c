/* SPDX-License-Identifier: MIT */
/*
 * The seam on io_uring (docs/decisions/0015): what a turn has asked for goes to the kernel with the call that waits for
 * the next completions.
 */
#include "backend/uring_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/log.h>
#include <weft/memory.h>

#include "backend/descriptor.h"

/* -- entries -- */

bool uring_is_here(const struct uring_backend *self)
{
    return self->enabled && !self->lost && self->forks == uring_forks() && pthread_equal(self->thread, pthread_self());
}

static int enter(struct uring_backend *self, bool waits, weft_time timeout)
{
    int status = uring_ring_enter(&self->ring, waits, timeout);

    if (uring_ring_pending(&self->ring) == 0)
        self->arena_used = 0;
    self->lost = self->lost || status == -EEXIST;
    return status == -EEXIST ? 0 : status;
}

int uring_submit(struct uring_backend *self)
{
    return uring_is_here(self) ? enter(self, false, 0) : -EEXIST;
}

bool uring_reserve(struct uring_backend *self, uint32_t count)
{
    if (self->forks != uring_forks())
        return false;
    if (uring_ring_room(&self->ring) >= count)
        return true;
    return uring_submit(self) == 0 && uring_ring_room(&self->ring) >= count;
}

struct uring_sqe *uring_entry(struct uring_backend *self, uint8_t opcode, int fd, uint64_t name)
{
    struct uring_sqe *entry = uring_ring_entry(&self->ring);

    entry->opcode = opcode;
    entry->fd = fd;
    entry->user_data = name;
    self->in_flight++;
    return entry;
}

struct uring_sqe *uring_silent_entry(struct uring_backend *self, uint8_t opcode, int fd)
{
    struct uring_sqe *entry = uring_entry(self, opcode, fd, uring_name(NULL, URING_TELLS_NOTHING));

    entry->flags = URING_SQE_CQE_SKIP_SUCCESS;
    self->in_flight--;
    return entry;
}

void uring_poll(struct uring_backend *self, int fd, uint32_t events, bool again, uint64_t name)
{
    struct uring_sqe *entry = uring_entry(self, URING_OP_POLL_ADD, fd, name);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    events = events << 16 | events >> 16; /* (so has it always been) */
#endif
    entry->op_flags = events;
    entry->len = again ? URING_POLL_ADD_MULTI : 0;
}

void uring_cancel(struct uring_backend *self, uint64_t name)
{
    struct uring_sqe *entry = uring_silent_entry(self, URING_OP_ASYNC_CANCEL, -1);

    entry->addr = name;
}

/* -- waiting -- */

/* Makes the ring this thread's. Returns 1 if what the former thread's has completed is to be told first. */
static int come_here(struct uring_backend *self)
{
    bool inherited = self->forks != uring_forks();
    int status = 0;

    if (uring_is_here(self))
        return 0;
    if (self->enabled && !inherited && uring_ring_has_completions(&self->ring))
        return 1;
    if (self->enabled || inherited)
        status = uring_move(self);
    if (status == 0)
        status = uring_ring_enable(&self->ring);
    if (status < 0)
        return status;
    self->enabled = true;
    self->thread = pthread_self();
    return 0;
}

/* A host sleeps in a poll of its own, and nothing that was asked since the last turn is submitted by that. */
static bool owes_host(const struct uring_backend *self)
{
    return self->host >= 0 && (!self->host_told || self->listeners_due || !weft_link_is_alone(&self->due) ||
                               !weft_link_is_alone(&self->starved) || uring_ring_pending(&self->ring) > 0);
}

static bool uring_has_work(const struct backend *backend)
{
    const struct uring_backend *self = weft_container_of(backend, const struct uring_backend, epoll.ready.base);

    return uring_ring_has_completions(&self->ring) || self->others_ready || !weft_link_is_alone(&self->news) ||
           epoll_ops.has_work(backend) || uring_listeners_have_news(self) || owes_host(self);
}

static void tell_host(struct uring_backend *self)
{
    uint64_t count;
    ssize_t got;

    if (self->host < 0)
        return;
    if (!self->host_told)
        self->host_told = uring_ring_register(&self->ring, URING_REGISTER_EVENTFD, &self->host, 1) == 0;
    got = read(self->host, &count, sizeof count);
    (void)got; /* it is not readable if nothing came */
}

static bool poll_own(struct uring_backend *self)
{
    if (self->wake_polled && self->others_polled)
        return true;
    if (!uring_reserve(self, 2))
        return false;
    if (!self->wake_polled)
        uring_poll(self, self->epoll.ready.wake, POLLIN, true, uring_name(NULL, URING_WAKE));
    if (!self->others_polled)
        uring_poll(self, self->epoll.epoll, POLLIN, false, uring_name(NULL, URING_OTHERS));
    self->wake_polled = self->others_polled = true;
    return true;
}

static int uring_wait(struct backend *backend, weft_time timeout)
{
    struct uring_backend *self = uring_of(backend);
    int status = come_here(self);
    bool settled;

    if (status != 0)
        return status < 0 ? status : 0;
    tell_host(self);
    settled = poll_own(self) && uring_sockets_settle(self) && uring_listeners_settle(self);
    return enter(self, timeout > 0 && settled && !uring_has_work(backend), timeout);
}

/* -- delivering -- */

static void complete(struct uring_backend *self, const struct uring_cqe *cqe)
{
    void *pointer = (void *)(uintptr_t)(cqe->user_data & ~URING_TAGS);
    enum uring_tag tag = (enum uring_tag)(cqe->user_data & URING_TAGS);
    bool ends = !(cqe->flags & URING_CQE_MORE);

    if (tag == URING_TELLS_NOTHING)
        return;
    self->in_flight -= ends;
    switch (tag) {
    case URING_ACCEPT:
        uring_accept_completed(self, pointer, cqe);
        break;
    case URING_WAKE:
        self->wake_polled = !ends;
        break;
    case URING_OTHERS:
        self->others_polled = false;
        self->others_ready = true;
        break;
    default:
        uring_stream_completed(self, pointer, tag, cqe);
        break;
    }
}

/* What has completed by now; a callback may have more submitted, of which the next turn tells. */
static void complete_all(struct uring_backend *self)
{
    struct uring_ring *ring = &self->ring;
    uint32_t head, tail = __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE);

    if (*ring->cq_head == tail)
        return;
    while ((head = *ring->cq_head) != tail && tail - head <= ring->cq_mask + 1) { /* (a turn within may have gone on) */
        struct uring_cqe cqe = ring->cqes[head & ring->cq_mask];

        __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
        complete(self, &cqe);
    }
    uring_buffers_publish(&self->buffers);
}

static void uring_dispatch(struct backend *backend)
{
    struct uring_backend *self = uring_of(backend);

    uring_stream_tell_news(self);
    complete_all(self);
    uring_listeners_tell(self);
    if (self->others_ready) {
        self->others_ready = false;
        (void)epoll_ops.wait(backend, 0);
    }
    epoll_ops.dispatch(backend);
}

/* As epoll does for what it has, a descriptor of the loop's own is refused. */
static int uring_watch_start(struct backend *backend, int fd, unsigned interest,
                             void (*ready)(void *owner, unsigned what), void *owner, struct backend_watch **ret)
{
    const struct uring_backend *self = uring_of(backend);

    for (const weft_link *link = self->sockets.next; link != &self->sockets; link = link->next)
        if (weft_container_of(link, const struct uring_socket, link)->fd == fd &&
            !(weft_container_of(link, const struct uring_socket, link)->flags & URING_CLOSING))
            return -EEXIST;
    for (const weft_link *link = self->listeners.next; link != &self->listeners; link = link->next)
        if (weft_container_of(link, const struct uring_listener, link)->fd == fd &&
            weft_container_of(link, const struct uring_listener, link)->listener)
            return -EEXIST;
    return epoll_ops.watch_start(backend, fd, interest, ready, owner, ret);
}

/* -- the life of a backend -- */

/* For a host; the ring of a thread that takes its completions itself is never readable. */
static int uring_descriptor(const struct backend *backend)
{
    struct uring_backend *self = uring_of((struct backend *)(uintptr_t)backend);

    if (self->host < 0)
        self->host = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return self->host;
}

/* Until all has come home, so that no port stays in use behind our back. */
static void cancel_all(struct uring_backend *self)
{
    (void)uring_sockets_settle(self);
    if (uring_reserve(self, 1)) {
        struct uring_sqe *entry = uring_silent_entry(self, URING_OP_ASYNC_CANCEL, -1);
        entry->op_flags = URING_CANCEL_ANY | URING_CANCEL_ALL;
    }
    for (int i = 0; i < 10 && (self->in_flight > 0 || i == 0); i++) {
        if (enter(self, self->in_flight > 0, WEFT_MILLISECONDS(10)) < 0)
            return;
        complete_all(self);
    }
}

/* No callback is made: owners are gone, or never were. */
static void forget_owners(struct uring_backend *self)
{
    for (weft_link *link = self->sockets.next; link != &self->sockets; link = link->next) {
        struct uring_socket *socket = weft_container_of(link, struct uring_socket, link);

        socket->stream = NULL;
        socket->flags |= URING_GONE;
        socket->flags &= ~(uint32_t)URING_NEWS;
        uring_socket_is_due(self, socket);
    }
    for (weft_link *link = self->listeners.next; link != &self->listeners; link = link->next)
        weft_container_of(link, struct uring_listener, link)->listener = NULL;
}

static void uring_backend_close(struct backend *backend)
{
    struct uring_backend *self = uring_of(backend);

    forget_owners(self);
    if (uring_is_here(self))
        cancel_all(self);
    uring_sockets_free(self);
    uring_listeners_free(self);
    uring_buffers_close(&self->buffers);
    uring_ring_close(&self->ring);
    if (self->host >= 0)
        descriptor_close(self->host);
    weft_release(self->arena);
    epoll_fini(&self->epoll);
    weft_release(self);
}

static void set_operations(struct uring_backend *self)
{
    self->ops = epoll_ops;
    self->ops.name = "io_uring";
    self->ops.close = uring_backend_close;
    self->ops.wait = uring_wait;
    self->ops.dispatch = uring_dispatch;
    self->ops.has_work = uring_has_work;
    self->ops.descriptor = uring_descriptor;
    self->ops.watch_start = uring_watch_start;
}

/* The ring polls the eventfd of wake-ups itself. */
static int uring_enter(struct readiness *ready, int fd, void *pointer, enum tag tag)
{
    return tag == TAG_CONTROL && !pointer ? 0 : epoll_engine.enter(ready, fd, pointer, tag);
}

static void uring_leave(struct readiness *ready, int fd)
{
    epoll_engine.leave(ready, fd);
}

static void uring_blocked(struct readiness *ready, struct backend_datagram *socket, bool on)
{
    epoll_engine.blocked(ready, socket, on);
}

static const struct readiness_engine uring_engine = {
    .enter = uring_enter,
    .leave = uring_leave,
    .blocked = uring_blocked,
    .take_socket = uring_take_socket,
    .take_listener = uring_take_listener,
};

static struct uring_backend *backend_new(void)
{
    struct uring_backend *self = weft_allocate_zeroed(1, sizeof *self);

    if (!self)
        return NULL;
    self->ring.fd = self->host = -1;
    weft_link_init(&self->sockets);
    weft_link_init(&self->listeners);
    weft_link_init(&self->due);
    weft_link_init(&self->starved);
    weft_link_init(&self->news);
    return self;
}

static int open_parts(struct uring_backend *self, enum uring_tier tier, const char **ret_why)
{
    int status = uring_mind_forks();

    self->forks = uring_forks();
    if (status == 0)
        status = uring_ring_open(&self->ring, tier, ret_why);
    if (status < 0)
        return status;
    *ret_why = "its buffers";
    status = uring_buffers_open(&self->buffers, &self->ring);
    if (status < 0)
        return status;
    self->arena = weft_allocate(URING_ARENA);
    return self->arena ? 0 : WEFT_ENOMEM;
}

static int open_backend(enum uring_tier tier, struct backend **ret, const char **ret_why)
{
    struct uring_backend *self = backend_new();
    int status;

    *ret_why = "its memory";
    if (!self)
        return WEFT_ENOMEM;
    set_operations(self);
    status = epoll_init(&self->epoll, &self->ops, &uring_engine);
    if (status == 0)
        status = open_parts(self, tier, ret_why);
    if (status < 0) {
        uring_backend_close(&self->epoll.ready.base);
        return status;
    }
    *ret = &self->epoll.ready.base;
    return 0;
}

static const char *const tier_names[] =
    {[URING_TIER_6_1] = "6.1", [URING_TIER_6_10] = "6.10", [URING_TIER_6_15] = "6.15"};

/* One line for each process. */
static void log_choice(const char *why, int status)
{
    static atomic_bool said;

    if (atomic_exchange(&said, true))
        return;
    weft_log(WEFT_LOG_INFO, "loop", "the engine is epoll, for io_uring is not to be had here: %s: %s", why,
             weft_error_text(status));
}

int backend_uring_open(struct backend **ret)
{
    const char *why;
    int status = open_backend(URING_TIER_BEST, ret, &why);

    if (status == 0) {
        const struct uring_backend *self = uring_of(*ret);
        weft_log(WEFT_LOG_DEBUG, "loop", "the engine is io_uring, as of Linux %s", tier_names[self->ring.tier]);
        return 0;
    }
    log_choice(why, status);
    return backend_epoll_open(ret);
}

int backend_uring_open_tier(const char *tier, struct backend **ret)
{
    for (int i = URING_TIER_6_1; i <= URING_TIER_6_15; i++) {
        const char *why;
        int status;

        if (strcmp(tier, tier_names[i]) != 0)
            continue;
        status = open_backend((enum uring_tier)i, ret, &why);
        if (status < 0)
            weft_log(WEFT_LOG_ERROR, "loop", "there is no io_uring:%s here: %s: %s", tier, why,
                     weft_error_text(status));
        return status;
    }
    return -ENOENT;
}
