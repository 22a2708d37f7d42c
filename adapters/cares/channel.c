/* SPDX-License-Identifier: MIT */
/*
 * An ares_channel on a loop: a watch for each of its sockets, of which it tells with their number alone, and a timer.
 * c-ares does not say when its next deadline changes, so it is asked before the loop sleeps. While it calls back it may
 * not be destroyed: that is done after.
 */
#include <weft/adapters/cares.h>

#include <errno.h>
#include <sys/time.h>

#include <weft/list.h>
#include <weft/memory.h>
#include <weft/prepare.h>
#include <weft/timer.h>
#include <weft/watch.h>

struct weft_cares {
    ares_channel channel; /* NULL: it is being freed */
    weft_scope *scope;
    weft_timer timer;
    weft_prepare prepare;
    weft_link sockets;
    unsigned inside; /* calls into c-ares that may call back */
    bool ends;       /* to be freed when none is left */
};

struct socket_watch {
    weft_watch watch;
    weft_link link;
    weft_cares *cares;
    ares_socket_t fd;
};

static void destroy(weft_cares *cares)
{
    ares_channel channel = cares->channel;

    cares->channel = NULL;
    if (channel)
        ares_destroy(channel);
    weft_prepare_stop(&cares->prepare);
    weft_timer_fini(&cares->timer);
    weft_release(cares);
}

static void leave(weft_cares *cares)
{
    if (--cares->inside == 0 && cares->ends)
        destroy(cares);
}

static void process(weft_cares *cares, ares_socket_t readable, ares_socket_t writable)
{
    cares->inside++;
    ares_process_fd(cares->channel, readable, writable);
    leave(cares);
}

/* -- what c-ares waits for -- */

static void ready(weft_watch *watch, unsigned what)
{
    struct socket_watch *self = weft_container_of(watch, struct socket_watch, watch);

    process(self->cares, what & WEFT_READABLE ? self->fd : ARES_SOCKET_BAD,
            what & WEFT_WRITABLE ? self->fd : ARES_SOCKET_BAD);
}

static void due(weft_timer *timer)
{
    process(weft_container_of(timer, weft_cares, timer), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* c-ares rounds its milliseconds down, and would be asked for nothing during the last one. */
static void before_sleep(weft_prepare *prepare)
{
    weft_cares *cares = weft_container_of(prepare, weft_cares, prepare);
    struct timeval room, *next = ares_timeout(cares->channel, NULL, &room);

    if (next)
        weft_timer_start(&cares->timer, WEFT_SECONDS(next->tv_sec) + next->tv_usec * 1000 + WEFT_MILLISECONDS(1));
    else
        weft_timer_stop(&cares->timer);
}

/* A socket for which there is no watch would never be heard of: so it is refused when it is made. */
static int on_socket(ares_socket_t fd, int type, void *arg)
{
    weft_cares *cares = arg;
    struct socket_watch *self = weft_allocate_zeroed(1, sizeof *self);

    (void)type;
    if (!self || weft_watch_start(&self->watch, cares->scope, fd, 0, ready) < 0) {
        weft_release(self);
        return -1;
    }
    self->cares = cares;
    self->fd = fd;
    weft_link_insert_before(&cares->sockets, &self->link);
    return 0;
}

/* Neither readable nor writable: it is closed next. */
static void on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    weft_cares *cares = arg;
    weft_link *link = cares->sockets.next;
    struct socket_watch *self;

    while (link != &cares->sockets && weft_container_of(link, struct socket_watch, link)->fd != fd)
        link = link->next;
    if (link == &cares->sockets)
        return;
    self = weft_container_of(link, struct socket_watch, link);
    if (readable || writable) {
        weft_watch_change(&self->watch, (readable ? WEFT_READABLE : 0U) | (writable ? WEFT_WRITABLE : 0U));
        return;
    }
    weft_watch_stop(&self->watch);
    weft_link_remove(&self->link);
    weft_release(self);
}

/* -- the channel -- */

static int open_channel(weft_cares *cares, const struct ares_options *options, int mask)
{
    struct ares_options all = options ? *options : (struct ares_options){0};
    int status;

    all.sock_state_cb = on_state;
    all.sock_state_cb_data = cares;
    status = ares_init_options(&cares->channel, &all, (options ? mask : 0) | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS)
        return status == ARES_ENOMEM ? WEFT_ENOMEM : -EINVAL;
    ares_set_socket_callback(cares->channel, on_socket, cares);
    return 0;
}

int weft_cares_new(weft_scope *scope, const struct ares_options *options, int mask, weft_cares **ret_cares)
{
    weft_cares *cares = scope ? weft_allocate_zeroed(1, sizeof *cares) : NULL;
    int status;

    if (!cares)
        return WEFT_ENOMEM;
    cares->scope = scope;
    weft_link_init(&cares->sockets);
    status = weft_timer_init(&cares->timer, scope, due);
    weft_timer_set_background(&cares->timer, true); /* the sockets keep the loop going */
    if (status == 0)
        status = open_channel(cares, options, mask);
    if (status == 0)
        status = weft_prepare_start(&cares->prepare, scope, before_sleep);
    if (status < 0)
        destroy(cares);
    else
        *ret_cares = cares;
    return status;
}

void weft_cares_free(weft_cares *cares)
{
    if (!cares || !cares->channel)
        return;
    cares->ends = true;
    if (cares->inside == 0)
        destroy(cares);
}

ares_channel weft_cares_channel(weft_cares *cares)
{
    return cares->channel;
}

/* -- names -- */

int weft_cares_error(int status)
{
    static const int errors[] = {
        [ARES_ENODATA] = WEFT_ENONAME,       [ARES_ENOTFOUND] = WEFT_ENONAME,      [ARES_ENONAME] = WEFT_ENONAME,
        [ARES_EFORMERR] = WEFT_ENAMETRY,     [ARES_ESERVFAIL] = WEFT_ENAMETRY,     [ARES_ENOTIMP] = WEFT_ENAMETRY,
        [ARES_EREFUSED] = WEFT_ENAMETRY,     [ARES_EBADRESP] = WEFT_ENAMETRY,      [ARES_EOF] = WEFT_ENAMETRY,
        [ARES_ECONNREFUSED] = WEFT_ENAMETRY, [ARES_ETIMEOUT] = WEFT_ENAMETIME,     [ARES_ENOMEM] = WEFT_ENOMEM,
        [ARES_ECANCELLED] = WEFT_ECANCELED,  [ARES_EDESTRUCTION] = WEFT_ECANCELED,
    };

    if (status == ARES_SUCCESS)
        return 0;
    return status > 0 && (size_t)status < sizeof errors / sizeof *errors && errors[status] ? errors[status] : -EINVAL;
}

/* The query holds a reference of the deferred. */
static void found(void *arg, int status, int timeouts, struct ares_addrinfo *addresses)
{
    weft_deferred *deferred = arg;

    (void)timeouts;
    if (weft_deferred_fired(deferred))
        ares_freeaddrinfo(addresses);
    else if (status == ARES_SUCCESS)
        (void)weft_deferred_fire(deferred, &addresses);
    else
        (void)weft_deferred_fail_with(
            deferred, weft_failure_new(weft_cares_error(status), NULL, "c-ares: %s", ares_strerror(status)));
    weft_deferred_unref(deferred);
}

weft_cares_result weft_cares_addresses(weft_cares *cares, const char *name, const char *service,
                                       const struct ares_addrinfo_hints *hints)
{
    weft_cares_result result = weft_deferred_new(weft_cares_result, cares->scope);

    if (!result.deferred || weft_deferred_fired(result.deferred))
        return result;
    if (cares->ends) {
        (void)weft_deferred_fail(result.deferred, WEFT_ECANCELED);
        return result;
    }
    cares->inside++;
    ares_getaddrinfo(cares->channel, name, service, hints, found, weft_deferred_ref(result.deferred));
    leave(cares);
    return result;
}
