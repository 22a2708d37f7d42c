/* SPDX-License-Identifier: MIT */
/*
 * Listeners: from an accepted connection to a protocol that speaks on it,
 * with limits in total and for each address, and a graceful stop.
 *
 * A listener's streams live in a scope of its own inside the user's, so that
 * stopping can leave them, and closing the user's scope ends both.
 *
 *   listening --> stopping (streams are asked to finish) --> stopped
 *       ^ |
 *       | v
 *     resting (no descriptor to be had, or as many connections as allowed)
 */
#include <weft/listener.h>

#include <stdio.h>
#include <weft/log.h>
#include <weft/memory.h>

#include "base/map.h"
#include "net/stream_internal.h"
#include "net/url.h"

#define BACKLOG_DEFAULT 4096
#define CONNECTIONS_DEFAULT 10000
/* How long a listener rests when the system has no descriptor or no memory for a connection. */
#define REST WEFT_MILLISECONDS(100)
#define UNIX_PATH_MOST 108

struct weft_listener {
    struct backend_listener io;
    weft_loop *loop;
    weft_factory *factory;
    weft_scope_member member;
    weft_scope *streams;
    struct stream_config *config;
    struct loop_task task;
    weft_timer_entry timer; /* rests until, or grace ends */
    weft_time grace_ends;
    weft_stream *adopted; /* a connection that existed before, not yet opened */
    size_t connections, most, most_per_address;
    size_t drained, aborted;
    struct map per_address; /* a host's bytes to its count (size_t); only with a limit */
    weft_counter accepted_count, refused_count, exhausted_count;
    bool open;   /* the socket is */
    bool single; /* one adopted connection, no socket that listens */
    bool stopping, asked, resting, ended;
    weft_address local;
    int adopted_fd; /* fd://: the number that it had; else -1 */
    char path[UNIX_PATH_MOST];
};

static struct backend *backend_of(const weft_listener *listener)
{
    return listener->loop->backend;
}

/* -- limits for each address -- */

static weft_bytes host_key(const weft_address *peer)
{
    return weft_bytes_of(peer->ip, peer->family == WEFT_ADDRESS_IPV6 ? 8 : 4);
}

static bool is_counted(const weft_listener *listener, const weft_address *peer)
{
    return listener->most_per_address != WEFT_UNLIMITED &&
           (peer->family == WEFT_ADDRESS_IPV4 || peer->family == WEFT_ADDRESS_IPV6);
}

static size_t *count_new(weft_listener *listener, const weft_address *peer)
{
    size_t *count = weft_allocate_zeroed(1, sizeof *count);

    if (count && map_put(&listener->per_address, host_key(peer), count) < 0) {
        weft_release(count);
        return NULL;
    }
    return count;
}

/* Whether one more from @p peer is allowed; if so, it is counted. */
static bool count_in(weft_listener *listener, const weft_address *peer)
{
    size_t *count;

    if (!is_counted(listener, peer))
        return true;
    count = map_find(&listener->per_address, host_key(peer));
    if (!count)
        count = count_new(listener, peer);
    if (!count || *count >= listener->most_per_address)
        return false;
    ++*count;
    return true;
}

static void count_out(weft_listener *listener, const weft_address *peer)
{
    size_t *count;

    if (!is_counted(listener, peer))
        return;
    count = map_find(&listener->per_address, host_key(peer));
    if (!count)
        return; /* a connection that was adopted */
    if (--*count == 0)
        weft_release(map_remove(&listener->per_address, host_key(peer)));
}

/* -- accepting -- */

static void accept_if_allowed(weft_listener *listener)
{
    if (!listener->open || listener->resting)
        return;
    if (listener->connections < listener->most)
        listener->io.listening->accept_start(backend_of(listener), &listener->io);
    else
        listener->io.listening->accept_stop(backend_of(listener), &listener->io);
}

static struct backend_stream *accepted(struct backend_listener *io, const weft_address *peer)
{
    weft_listener *listener = weft_container_of(io, weft_listener, io);
    weft_stream *stream;
    int error;

    loop_enters(listener->loop, "accept");
    if (!count_in(listener, peer)) {
        weft_counter_increment(&listener->refused_count);
        return NULL;
    }
    stream = stream_new(listener->streams, listener->config, NULL, &error);
    if (!stream) {
        count_out(listener, peer);
        weft_counter_increment(&listener->refused_count);
        return NULL;
    }
    stream->peer = *peer;
    stream->flags |= STREAM_ACCEPTED;
    listener->connections++;
    weft_counter_increment(&listener->accepted_count);
    return &stream->io;
}

static void forget(weft_listener *listener, const weft_stream *stream)
{
    count_out(listener, &stream->peer);
    listener->connections--;
    accept_if_allowed(listener);
}

static void opened(struct backend_listener *io, struct backend_stream *handle, int status)
{
    weft_listener *listener = weft_container_of(io, weft_listener, io);
    weft_stream *stream = weft_container_of(handle, weft_stream, io);
    weft_protocol *protocol;

    if (status < 0) {
        forget(listener, stream);
        stream_discard(stream);
        return;
    }
    accept_if_allowed(listener);
    loop_enters(listener->loop, "factory");
    protocol = listener->factory->ops->build(listener->factory, stream);
    if (!protocol) {
        weft_counter_increment(&listener->refused_count);
        stream_doom(stream, WEFT_EREFUSED, false);
        return;
    }
    stream->protocol = protocol;
    if (!(stream->flags & STREAM_DOOMED))
        stream_opened(stream);
}

static void exhausted(struct backend_listener *io, int status, unsigned shed)
{
    weft_listener *listener = weft_container_of(io, weft_listener, io);
    weft_log_field fields[] = {
        {.name = "error", .text = weft_bytes_from(weft_error_name(status))},
        {.name = "connections", .number = (int64_t)listener->connections},
        {.name = "shed", .number = shed},
    };

    if (listener->exhausted_count.value == 0)
        weft_log_fields(WEFT_LOG_WARNING, "listener", fields, 3, "cannot accept: %s; trying again every %d ms",
                        weft_error_text(status), (int)(REST / WEFT_MILLISECONDS(1)));
    weft_counter_increment(&listener->exhausted_count);
    listener->resting = true;
    loop_timer_start(listener->loop, &listener->timer, REST);
}

static const struct backend_listener_events listener_events = {
    .accepted = accepted,
    .opened = opened,
    .exhausted = exhausted,
};

/* -- stopping -- */

static void close_socket(weft_listener *listener)
{
    if (!listener->open)
        return;
    listener->open = false;
    listener->io.listening->close(backend_of(listener), &listener->io);
}

static void listener_free(struct loop_task *task)
{
    weft_listener *listener = weft_container_of(task, weft_listener, task);

    map_fini(&listener->per_address);
    stream_config_unref(listener->config);
    weft_release(listener);
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
    listener->task.run = listener_free;
    loop_reap(listener->loop, &listener->task);
    loop_enters(listener->loop, "factory");
    if (factory->ops->stopped)
        factory->ops->stopped(factory, drained, aborted);
}

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
        opened(&listener->io, &adopted->io, 0);
    if (listener->stopping && !listener->asked) {
        listener->asked = true;
        scope_visit(listener->streams, "stream", ask, NULL);
    }
    if (listener->stopping && listener->connections == 0)
        finish(listener);
}

static void listener_timer_fired(weft_timer_entry *entry)
{
    weft_listener *listener = weft_container_of(entry, weft_listener, timer);

    if (listener->stopping) {
        weft_scope_cancel(listener->streams, WEFT_EDRAIN);
        return;
    }
    listener->resting = false;
    accept_if_allowed(listener);
}

void weft_listener_stop(weft_listener *listener, weft_time grace)
{
    weft_time ends = grace >= WEFT_NEVER - listener->loop->now ? WEFT_NEVER : listener->loop->now + grace;

    if (listener->ended || (listener->stopping && ends >= listener->grace_ends))
        return;
    listener->stopping = true;
    listener->grace_ends = ends;
    close_socket(listener);
    wheel_stop(&listener->loop->wheel, &listener->timer);
    wheel_start(&listener->loop->wheel, &listener->timer, ends);
    loop_later(listener->loop, &listener->task);
}

void listener_stream_gone(weft_listener *listener, const weft_stream *stream)
{
    int forced = weft_scope_cancelled(listener->streams); /* the grace time or the scope has ended */

    forget(listener, stream);
    if (forced && stream->reason == forced)
        listener->aborted++;
    else if (listener->stopping)
        listener->drained++;
    if (listener->single && !listener->stopping)
        weft_listener_stop(listener, 0);
    if (listener->stopping && listener->connections == 0)
        loop_later(listener->loop, &listener->task);
}

static void listener_cancel(weft_scope_member *member, int reason)
{
    (void)reason;
    weft_listener_stop(weft_container_of(member, weft_listener, member), 0);
}

static const struct scope_member_class listener_class = {.kind = "listener", .cancel = listener_cancel};

/* -- starting -- */

static void listener_abandon(weft_listener *listener)
{
    close_socket(listener);
    remove_counters(listener);
    weft_scope_close(listener->streams);
    scope_leave(&listener->member);
    map_fini(&listener->per_address);
    stream_config_unref(listener->config);
    weft_release(listener);
}

static void add_counters(weft_listener *listener)
{
    weft_counters *counters = &listener->loop->counters;

    weft_counters_add(counters, &listener->accepted_count, "listener.accepted");
    weft_counters_add(counters, &listener->refused_count, "listener.refused");
    weft_counters_add(counters, &listener->exhausted_count, "listener.exhausted");
}

static int listener_new(weft_scope *scope, weft_factory *factory, const weft_listen_options *options,
                        weft_listener **ret)
{
    weft_listener *listener = weft_allocate_zeroed(1, sizeof *listener);
    uint8_t secret[SIPHASH_KEY_SIZE];
    int status = listener ? scope_join(scope, &listener->member, &listener_class) : WEFT_ENOMEM;

    if (status < 0) {
        weft_release(listener);
        return status;
    }
    listener->loop = weft_scope_loop(scope);
    listener->factory = factory;
    add_counters(listener);
    listener->io.events = &listener_events;
    listener->task.run = listener_task;
    listener->adopted_fd = -1;
    listener->most = options->max_connections ? options->max_connections : CONNECTIONS_DEFAULT;
    listener->most_per_address = options->max_per_address ? options->max_per_address : WEFT_UNLIMITED;
    wheel_entry_init(&listener->timer, listener_timer_fired);
    status = weft_loop_entropy(listener->loop, secret, sizeof secret);
    map_init(&listener->per_address, secret);
    listener->streams = weft_scope_open(scope, WEFT_NEVER);
    if (status == 0)
        status = listener->streams ? stream_config_new(&options->stream, NULL, &listener->config) : WEFT_ENOMEM;
    if (status < 0) {
        listener_abandon(listener);
        return status;
    }
    scope_hold(listener->streams);
    listener->streams->owner = listener;
    weft_scope_set_name(listener->streams, "connections");
    *ret = listener;
    return 0;
}

static int open_socket(weft_listener *listener, const struct url *url, const weft_listen_options *options)
{
    struct backend *backend = backend_of(listener);
    struct backend_socket_options socket = listener->config->socket;
    struct backend_endpoint at = url->endpoint;
    int status;

    socket.backlog = options->backlog > 0 ? options->backlog : BACKLOG_DEFAULT;
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
    struct backend *backend = backend_of(listener);
    weft_address peer = {.family = WEFT_ADDRESS_NONE}; /* one connection is its own limit: it is not counted */
    struct backend_stream *handle = accepted(&listener->io, &peer);
    weft_stream *stream;
    int status;

    if (!handle)
        return WEFT_ENOMEM;
    listener->single = true;
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

static int open_endpoint(weft_listener *listener, const struct url *url, const weft_listen_options *options)
{
    struct backend *backend = backend_of(listener);
    int status;

    switch (url->kind) {
    case URL_STDIO:
        return adopt_connection(listener, 0, 1);
    case URL_DESCRIPTOR:
        listener->adopted_fd = url->fd;
        status = backend->ops->adopt_listener(backend, &listener->io, url->fd, &listener->config->socket);
        if (status == -EINVAL)
            return adopt_connection(listener, url->fd, url->fd);
        break;
    default:
        status = open_socket(listener, url, options);
    }
    if (status == 0) {
        listener->open = true;
        (void)listener->io.listening->local(backend, &listener->io, &listener->local);
        accept_if_allowed(listener);
    }
    return status;
}

int weft_listen(weft_scope *scope, const char *url_text, weft_factory *factory, const weft_listen_options *options,
                weft_listener **ret_listener, weft_url_error *ret_error)
{
    static const weft_listen_options defaults = {.size = sizeof(weft_listen_options)};
    weft_listener *listener = NULL;
    struct url url;
    int status = url_parse(url_text, &url, ret_error);

    if (status < 0)
        return status;
    if (!options)
        options = &defaults;
    status = listener_new(scope, factory, options, &listener);
    if (status < 0)
        return status;
    status = open_endpoint(listener, &url, options);
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

void weft_listener_url(const weft_listener *listener, const char *scheme, char *buffer)
{
    const weft_address *at = &listener->local;
    char text[WEFT_ADDRESS_TEXT];

    weft_address_text(at, text);
    if (at->family == WEFT_ADDRESS_IPV4 || at->family == WEFT_ADDRESS_IPV6)
        snprintf(buffer, WEFT_LISTENER_URL, "%s://%s%s", scheme ? scheme : "tcp", text, scheme ? "/" : "");
    else if (listener->adopted_fd >= 0)
        snprintf(buffer, WEFT_LISTENER_URL, "fd://%d", listener->adopted_fd);
    else if (at->family == WEFT_ADDRESS_NONE)
        snprintf(buffer, WEFT_LISTENER_URL, "stdio:");
    else
        snprintf(buffer, WEFT_LISTENER_URL, "%s://%s", at->family == WEFT_ADDRESS_UNIX ? "unix" : "mem",
                 listener->path);
}
