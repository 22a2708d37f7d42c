/* SPDX-License-Identifier: MIT */
/* A listener's life, from its URL to `stopped` (listener_internal.h). */
#include <weft/listener.h>

#include <stdio.h>
#include <weft/memory.h>

#include "base/options.h"
#include "base/probe.h"
#include "backend/inherited.h"
#include "net/endpoint.h"
#include "net/listener_internal.h"
#include "net/tls.h"

#define BACKLOG_DEFAULT 4096
#define CONNECTIONS_DEFAULT 10000

/* -- stopping -- */

static void close_socket(weft_listener *listener)
{
    if (!listener->open)
        return;
    listener->open = false;
    listener->io.listening->close(listener_backend(listener), &listener->io);
}

static void listener_release(weft_listener *listener)
{
    layer_makers_free(listener->layers);
    address_count_fini(&listener->addresses);
    weft_connection_limit_unref(listener->shared);
    stream_config_unref(listener->config);
    weft_release(listener);
}

static void listener_free(struct loop_task *task)
{
    listener_release(weft_container_of(task, weft_listener, task));
}

void listener_reap(weft_listener *listener)
{
    listener->task.run = listener_free;
    loop_reap(listener->loop, &listener->task);
}

static void remove_counters(weft_listener *listener)
{
    weft_counter_remove(&listener->accepted_count);
    weft_counter_remove(&listener->refused_count);
    weft_counter_remove(&listener->exhausted_count);
}

static void finish(weft_listener *listener)
{
    weft_factory *factory = listener->factory;
    size_t drained = listener->drained, aborted = listener->aborted;

    if (listener->ended)
        return;
    listener->ended = true;
    wheel_stop(&listener->loop->wheel, &listener->timer);
    remove_counters(listener);
    weft_scope_close(listener->streams);
    listener->loop->waiting--;
    scope_leave(&listener->member);
    if (!listener->shared || !limit_leave(listener->shared, &listener->waiter))
        listener_reap(listener);
    loop_calls(listener->loop, "factory", (uintptr_t)factory->ops->stopped);
    if (factory->ops->stopped)
        factory->ops->stopped(factory, drained, aborted);
}

/* -- guests -- */

void listener_lets_go(weft_listener *listener, weft_stream *stream)
{
    if (weft_link_is_alone(&stream->guest)) /* one that moves again keeps its place: ask_guests may be there */
        weft_link_insert_before(&listener->guests, &stream->guest);
}

static weft_stream *guest_of(weft_link *link)
{
    return weft_container_of(link, weft_stream, guest);
}

/* They leave the list at the end of a turn only; or all, if whoever is asked closes the listener's scope. */
static void ask_guests(weft_listener *listener)
{
    weft_link *next;

    for (weft_link *link = listener->guests.next; link != &listener->guests; link = next) {
        next = link->next;
        stream_ask_to_drain(guest_of(link));
        if (weft_link_is_alone(&listener->guests))
            return;
    }
}

static void abort_guests(weft_listener *listener)
{
    for (weft_link *link = listener->guests.next; link != &listener->guests; link = link->next)
        stream_doom(guest_of(link), WEFT_EDRAIN, true);
}

static void forget_guests(weft_listener *listener)
{
    while (!weft_link_is_alone(&listener->guests)) {
        weft_stream *stream = guest_of(listener->guests.next);

        weft_link_remove(&stream->guest);
        stream->listener = NULL;
        listener_forget(listener, stream);
    }
}

/* -- stopping, part by part -- */

static void ask(weft_scope_member *member, void *arg)
{
    (void)arg;
    stream_ask_to_drain(weft_container_of(member, weft_stream, member));
}

static void listener_task(struct loop_task *task)
{
    weft_listener *listener = weft_container_of(task, weft_listener, task);
    weft_stream *adopted = listener->adopted;

    listener->adopted = NULL;
    if (adopted && !(adopted->flags & STREAM_DOOMED))
        listener_begins(listener, adopted);
    if (!listener->stopping)
        return;
    if (!listener->asked) { /* first of all: who finishes makes room for those that wait */
        listener->asked = true;
        scope_visit(listener->streams, "stream", ask, NULL);
        ask_guests(listener);
    }
    if (listener->open && listener_take_backlog(listener))
        close_socket(listener);
    if (!listener->open && listener->connections == 0)
        finish(listener);
}

static void listener_timer_fired(weft_timer_entry *entry)
{
    weft_listener *listener = weft_container_of(entry, weft_listener, timer);

    if (listener->resting) {
        listener_rested(listener);
        return;
    }
    close_socket(listener);
    weft_scope_cancel(listener->streams, WEFT_EDRAIN);
    abort_guests(listener);
    loop_later(listener->loop, &listener->task);
}

void weft_listener_stop(weft_listener *listener, weft_time grace)
{
    weft_time ends = grace >= WEFT_NEVER - listener->loop->now ? WEFT_NEVER : listener->loop->now + grace;

    if (listener->ended || (listener->stopping && ends >= listener->grace_ends))
        return;
    listener->stopping = true;
    listener->grace_ends = ends;
    if (grace <= 0) /* who is taken now would be aborted at once */
        close_socket(listener);
    else if (listener->open)
        listener->io.listening->accept_stop(listener_backend(listener), &listener->io);
    listener->resting = false;
    wheel_stop(&listener->loop->wheel, &listener->timer);
    wheel_start(&listener->loop->wheel, &listener->timer, ends);
    loop_later(listener->loop, &listener->task);
}

void listener_stream_gone(weft_listener *listener, const weft_stream *stream)
{
    int forced = weft_scope_cancelled(listener->streams); /* the grace time or the scope has ended */

    listener_forget(listener, stream);
    if (forced && stream->reason == forced)
        listener->aborted++;
    else if (listener->stopping)
        listener->drained++;
    if (listener->single && !listener->stopping)
        weft_listener_stop(listener, 0);
    if (listener->stopping && (listener->connections == 0 || listener->open))
        loop_later(listener->loop, &listener->task);
}

static void listener_cancel(weft_scope_member *member, int reason)
{
    weft_listener *listener = weft_container_of(member, weft_listener, member);

    (void)reason;
    weft_listener_stop(listener, 0);
    forget_guests(listener);
    if (!listener->ended)
        loop_later(listener->loop, &listener->task);
}

static const struct scope_member_class listener_class = {.kind = "listener", .cancel = listener_cancel};

/* -- starting -- */

static void listener_abandon(weft_listener *listener)
{
    close_socket(listener);
    remove_counters(listener);
    weft_scope_close(listener->streams);
    scope_leave(&listener->member);
    listener_release(listener);
}

static void add_counters(weft_listener *listener)
{
    weft_counters *counters = &listener->loop->counters;

    weft_counters_add(counters, &listener->accepted_count, "listener.accepted");
    weft_counters_add(counters, &listener->refused_count, "listener.refused");
    weft_counters_add(counters, &listener->exhausted_count, "listener.exhausted");
}

/* The streams' options may be left out without a size. (What a newer program's have more lies behind the whole.) */
static int make_config(weft_listener *listener, weft_stream_options *options)
{
    bool left_out = options_left_out(options, sizeof *options);

    if (options->size > sizeof *options)
        options->size = sizeof *options;
    return stream_config_new(left_out ? NULL : options, NULL, &listener->config);
}

static int set_limits(weft_listener *listener, const weft_listen_options *options)
{
    uint8_t secret[SIPHASH_KEY_SIZE];
    int status = weft_loop_entropy(listener->loop, secret, sizeof secret);

    if (status < 0)
        return status;
    listener->most = options->max_connections ? options->max_connections : CONNECTIONS_DEFAULT;
    listener->backlog = options->backlog > 0 ? (size_t)options->backlog : BACKLOG_DEFAULT;
    address_count_init(&listener->addresses, options->max_per_address, secret);
    if (!options->limit)
        return 0;
    listener->shared = weft_connection_limit_ref(options->limit);
    listener->waiter.loop = listener->loop;
    listener->waiter.post.run = listener_was_told;
    limit_join(options->limit, &listener->waiter, secret);
    return 0;
}

static int open_scope(weft_listener *listener, weft_scope *scope)
{
    listener->streams = weft_scope_open(scope, WEFT_NEVER);
    if (!listener->streams)
        return WEFT_ENOMEM;
    scope_hold(listener->streams);
    weft_scope_set_independent(listener->streams, true); /* a task that fails leaves other connections alone */
    listener->streams->owner = listener;
    weft_scope_set_name(listener->streams, "connections");
    return 0;
}

/* On top of what layers there are. */
static int add_tls(weft_listener *listener, weft_tls_server *server)
{
    struct layer_maker **top = &listener->layers;

    while (*top)
        top = &(*top)->above;
    return tls_server_maker(server, top);
}

static int listener_new(weft_scope *scope, weft_factory *factory, weft_listen_options *options, weft_listener **ret)
{
    weft_listener *listener = weft_allocate_zeroed(1, sizeof *listener);
    int status = listener ? scope_join(scope, &listener->member, &listener_class) : WEFT_ENOMEM;

    if (status < 0) {
        weft_release(listener);
        return status;
    }
    listener->loop = weft_scope_loop(scope);
    listener->factory = factory;
    weft_link_init(&listener->guests);
    add_counters(listener);
    listener->io.events = &listener_events;
    listener->task.run = listener_task;
    listener->adopted_fd = -1;
    wheel_entry_init(&listener->timer, listener_timer_fired);
    status = set_limits(listener, options);
    if (status == 0)
        status = open_scope(listener, scope);
    if (status == 0)
        status = make_config(listener, &options->stream);
    if (status == 0 && options->tls)
        status = add_tls(listener, options->tls);
    if (status < 0) {
        listener_abandon(listener);
        return status;
    }
    *ret = listener;
    return 0;
}

/* A full one drops who knocks, and TCP tries again; with other sockets it would be told. */
static int backlog_for(const weft_listener *listener, const weft_address *at)
{
    bool tcp = at->family == WEFT_ADDRESS_IPV4 || at->family == WEFT_ADDRESS_IPV6;

    return tcp && RARE_MODE("listener: a short backlog") ? 1 : (int)listener->backlog;
}

static int open_socket(weft_listener *listener, const struct url *url, const weft_listen_options *options)
{
    struct backend *backend = listener_backend(listener);
    struct backend_socket_options socket = listener->config->socket;
    struct backend_endpoint at = url->endpoint;
    int status;

    socket.backlog = backlog_for(listener, &at.address);
    socket.reuse_port = options->reuse_port;
    socket.claim_port = options->claim_port;
    socket.unix_mode = options->unix_mode;
    socket.v6_only = !url->any;
    status = backend->ops->listen(backend, &listener->io, &at, &socket);
    if ((status == -EAFNOSUPPORT || status == -EADDRNOTAVAIL) && url->any) { /* a system without IPv6 */
        at.address.family = WEFT_ADDRESS_IPV4;
        status = backend->ops->listen(backend, &listener->io, &at, &socket);
    }
    if (status == 0 && at.path.length > 0 && at.path.length < sizeof listener->path)
        memcpy(listener->path, at.path.data, at.path.length);
    return status;
}

/* One connection that exists already: it is treated as if it had been accepted. */
static int adopt_connection(weft_listener *listener, int in, int out)
{
    struct backend *backend = listener_backend(listener);
    weft_address peer = {.family = WEFT_ADDRESS_NONE}; /* one connection is its own limit: it is not counted */
    struct backend_stream *handle;
    weft_stream *stream;
    int status;

    listener->single = true;
    handle = listener_events.accepted(&listener->io, &peer);
    if (!handle)
        return WEFT_ENOMEM;
    stream = weft_container_of(handle, weft_stream, io);
    status = backend->ops->adopt_stream(backend, handle, in, out, &listener->config->socket, &peer);
    if (status < 0) {
        listener->connections--;
        stream_discard(stream);
        return status;
    }
    stream->peer = peer;
    listener->adopted = stream;
    loop_later(listener->loop, &listener->task);
    return 0;
}

/* A socket that listens, or one connection. */
static int adopt(weft_listener *listener, int fd)
{
    struct backend *backend = listener_backend(listener);
    int status = backend->ops->adopt_listener(backend, &listener->io, fd, &listener->config->socket);

    listener->adopted_fd = fd;
    return status == -EINVAL ? adopt_connection(listener, fd, fd) : status;
}

static int adopt_inherited(weft_listener *listener, weft_bytes name)
{
    int fd = inherited_take(name), status = fd < 0 ? fd : adopt(listener, fd);

    if (fd >= 0 && status < 0)
        inherited_give_back(fd);
    return status;
}

static int open_endpoint(weft_listener *listener, const struct url *url, const weft_listen_options *options)
{
    struct backend *backend = listener_backend(listener);
    int status;

    switch (url->kind) {
    case URL_STDIO:
        return adopt_connection(listener, 0, 1);
    case URL_DESCRIPTOR:
        status = adopt(listener, url->fd);
        break;
    case URL_SYSTEMD:
        status = adopt_inherited(listener, url->service);
        break;
    default:
        status = open_socket(listener, url, options);
    }
    if (status < 0 || listener->single)
        return status;
    listener->open = true;
    status = listener->io.listening->local(backend, &listener->io, &listener->local);
    if (status < 0 && url->kind == URL_SOCKET)
        return status; /* whoever let the system choose the port could not be told it */
    listener_accept_if_allowed(listener);
    return 0;
}

int weft_listen(weft_scope *scope, const char *url_text, weft_factory *factory, const weft_listen_options *user_options,
                weft_listener **ret_listener, weft_url_error *ret_error)
{
    char translated[ENDPOINT_TRANSLATED];
    weft_listen_options options = {0};
    weft_listener *listener = NULL;
    struct url url;
    int status = endpoint_parse(scope, url_text, url_parse, translated, &url, ret_error);

    if (status == 0)
        status = options_copy(&options, sizeof options, user_options);
    if (status < 0)
        return status;
    endpoint_listen_options(&url, &options);
    status = listener_new(scope, factory, &options, &listener);
    if (status < 0)
        return status;
    status = endpoint_listener_layers(&url, &listener->layers);
    if (status == 0)
        status = open_endpoint(listener, &url, &options);
    if (status < 0) {
        listener_abandon(listener);
        return status;
    }
    listener->loop->waiting++;
    if (ret_listener)
        *ret_listener = listener;
    return 0;
}

size_t weft_listener_connections(const weft_listener *listener)
{
    return listener->connections;
}

/* What is spoken over TLS has an s behind its name: https, ircs, smtps. */
static void write_address(const weft_address *at, const char *scheme, bool tls, char *buffer)
{
    char text[URL_ADDRESS_TEXT];

    url_write_address(at, text);
    snprintf(buffer, WEFT_LISTENER_URL, "%s%s://%s%s", scheme ? scheme : "tcp", scheme && tls ? "s" : "", text,
             scheme ? "/" : "");
}

void weft_listener_url(const weft_listener *listener, const char *scheme, char *buffer)
{
    const weft_address *at = &listener->local;
    size_t length;

    if (at->family == WEFT_ADDRESS_IPV4 || at->family == WEFT_ADDRESS_IPV6) {
        write_address(at, scheme, tls_server_maker_in(listener->layers) != NULL, buffer);
    } else if (listener->adopted_fd >= 0) {
        snprintf(buffer, WEFT_LISTENER_URL, "fd://%d", listener->adopted_fd);
    } else if (at->family == WEFT_ADDRESS_NONE) {
        snprintf(buffer, WEFT_LISTENER_URL, "stdio:");
    } else {
        length = (size_t)snprintf(buffer, WEFT_LISTENER_URL, "%s://", at->family == WEFT_ADDRESS_UNIX ? "unix" : "mem");
        url_escape(weft_bytes_from(listener->path), buffer + length, WEFT_LISTENER_URL - length);
    }
}
