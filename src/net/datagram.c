/* SPDX-License-Identifier: MIT */
/* A datagram socket's life, and what it receives (datagram_internal.h). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <weft/memory.h>

#include "base/options.h"
#include "base/probe.h"
#include "net/datagram_internal.h"
#include "net/url.h"

#define HIGH_WATER (64 * 1024)
#define LOW_WATER (16 * 1024)
#define OUTPUT_LIMIT (1024 * 1024)
#define OUTPUT_COUNT 4096
#define OUTPUT_TIME WEFT_SECONDS(5)
/* So many times in a row the system itself may fail, before a socket is lost. */
#define FAILURES_MOST 16

/* -- the end -- */

void datagram_schedule(weft_datagram_socket *socket)
{
    if (!(socket->flags & DATAGRAM_IN_TASK))
        loop_later(socket->loop, &socket->task);
}

void datagram_doom(weft_datagram_socket *socket, int reason)
{
    if (socket->flags & DATAGRAM_DOOMED)
        return;
    socket->flags |= DATAGRAM_DOOMED;
    socket->reason = reason;
    wheel_stop(&socket->loop->wheel, &socket->timer);
    if (socket->io.transport->close(datagram_backend(socket), &socket->io))
        socket->flags |= DATAGRAM_HOME;
    datagram_schedule(socket);
}

static void reap(struct loop_task *task)
{
    weft_release(weft_container_of(task, weft_datagram_socket, task));
}

static void leave(weft_datagram_socket *socket)
{
    socket->loop->waiting--;
    scope_leave(&socket->member);
    weft_counter_remove(&socket->received_count);
    weft_counter_remove(&socket->sent_count);
    weft_counter_remove(&socket->dropped_count);
}

static void let_go(weft_datagram_socket *socket)
{
    leave(socket);
    socket->task.run = reap;
    loop_reap(socket->loop, &socket->task);
}

static void tell_lost(weft_datagram_socket *socket)
{
    weft_datagram_protocol *protocol = socket->protocol;

    socket->flags |= DATAGRAM_LOST;
    if (socket->queue.count > 0)
        PROBE("datagram: lost while some were queued");
    socket->counts.dropped += socket->queue.count;
    datagram_queue_clear(&socket->queue);
    loop_calls(socket->loop, protocol->ops->name, (uintptr_t)protocol->ops->lost);
    if (protocol->ops->lost)
        protocol->ops->lost(protocol, socket, socket->reason);
    if (socket->flags & DATAGRAM_HOME)
        let_go(socket);
}

static void on_closed(struct backend_datagram *io)
{
    weft_datagram_socket *socket = weft_container_of(io, weft_datagram_socket, io);

    socket->flags |= DATAGRAM_HOME;
    if (socket->flags & DATAGRAM_LOST)
        let_go(socket);
}

static void datagram_cancel(weft_scope_member *member, int reason)
{
    datagram_doom(weft_container_of(member, weft_datagram_socket, member), reason);
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const weft_datagram_socket *socket = weft_container_of(member, const weft_datagram_socket, member);
    char url[WEFT_LISTENER_URL];

    weft_datagram_url(socket, url);
    snprintf(buffer, size, " of \"%s\" at %s, %zu datagrams queued", socket->protocol->ops->name, url,
             socket->queue.count);
}

static const struct scope_member_class datagram_class = {.kind = "datagram socket",
                                                         .cancel = datagram_cancel,
                                                         .describe = describe};

static void datagram_task(struct loop_task *task)
{
    weft_datagram_socket *socket = weft_container_of(task, weft_datagram_socket, task);
    int owed = socket->owed;

    socket->flags |= DATAGRAM_IN_TASK;
    socket->owed = 0;
    if (owed < 0 && !(socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING)))
        datagram_tell_failed(socket, owed, NULL);
    if (!(socket->flags & DATAGRAM_DOOMED))
        datagram_flush(socket);
    socket->flags &= ~(uint32_t)DATAGRAM_IN_TASK;
    if (socket->flags & DATAGRAM_DOOMED) {
        if (!(socket->flags & DATAGRAM_LOST))
            tell_lost(socket);
    } else if ((socket->queue.count > 0 && !(socket->flags & DATAGRAM_BLOCKED)) || socket->owed < 0) {
        loop_later(socket->loop, &socket->task);
    }
}

/* -- receiving -- */

static void on_received(struct backend_datagram *io, const weft_datagram *datagrams, size_t count)
{
    weft_datagram_socket *socket = weft_container_of(io, weft_datagram_socket, io);
    const weft_datagram_protocol_ops *ops = socket->protocol->ops;

    for (size_t i = 0; i < count; i++) {
        socket->counts.received_bytes += datagrams[i].bytes.length;
        socket->counts.truncated += datagrams[i].truncated;
    }
    socket->counts.received += count;
    weft_counter_add(&socket->received_count, count);
    socket->failures = 0;
    loop_calls(socket->loop, ops->name, (uintptr_t)ops->received);
    if (ops->received)
        ops->received(socket->protocol, socket, datagrams, count);
}

void datagram_tell_failed(weft_datagram_socket *socket, int status, const weft_address *peer)
{
    const weft_datagram_protocol_ops *ops = socket->protocol->ops;

    socket->counts.errors++;
    loop_calls(socket->loop, ops->name, (uintptr_t)ops->failed);
    if (ops->failed && !(socket->flags & DATAGRAM_CLOSING))
        ops->failed(socket->protocol, socket, status, peer);
}

/* What nobody outside is to blame for will hardly be better next time. */
static bool is_our_own(int status)
{
    return status == -ENOMEM || status == -ENOBUFS || status == -EBADF || status == -EINVAL || status == -EFAULT ||
           status == -ENOTSOCK || status == -EIO;
}

static void on_failed(struct backend_datagram *io, int status)
{
    weft_datagram_socket *socket = weft_container_of(io, weft_datagram_socket, io);

    if (is_our_own(status) && ++socket->failures > FAILURES_MOST)
        datagram_doom(socket, status);
    else
        datagram_tell_failed(socket, status, NULL);
}

static const struct backend_datagram_events datagram_events = {.received = on_received,
                                                               .failed = on_failed,
                                                               .writable = datagram_writable,
                                                               .closed = on_closed};

/* -- what the user asks for -- */

void weft_datagram_close(weft_datagram_socket *socket)
{
    if (socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING))
        return;
    socket->flags |= DATAGRAM_CLOSING;
    socket->io.transport->receive_stop(datagram_backend(socket), &socket->io);
    datagram_schedule(socket);
}

void weft_datagram_abort(weft_datagram_socket *socket)
{
    datagram_doom(socket, WEFT_EABORTED);
}

void weft_datagram_pause(weft_datagram_socket *socket)
{
    if (socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING | DATAGRAM_PAUSED))
        return;
    socket->flags |= DATAGRAM_PAUSED;
    socket->io.transport->receive_stop(datagram_backend(socket), &socket->io);
}

void weft_datagram_resume(weft_datagram_socket *socket)
{
    if ((socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING)) || !(socket->flags & DATAGRAM_PAUSED))
        return;
    socket->flags &= ~(uint32_t)DATAGRAM_PAUSED;
    socket->io.transport->receive_start(datagram_backend(socket), &socket->io);
}

/* -- opening -- */

struct opening {
    struct url at, to;
    bool has_at, has_to;
    struct backend_datagram_options socket;
};

/* What the operator wrote of our own end goes before what the program set. */
static void take_url_options(const struct url *at, weft_datagram_options *options)
{
    if (url_has(at, URL_REUSEPORT))
        options->reuse_port = at->options[URL_REUSEPORT].number;
    if (url_has(at, URL_MODE))
        options->unix_mode = (unsigned)at->options[URL_MODE].number;
}

static bool is_in_range(const weft_datagram_options *options)
{
    return options->hops <= 255 && options->multicast_hops <= 255 && options->receive_buffer <= INT_MAX / 2 &&
           options->send_buffer <= INT_MAX / 2 && options->multicast_interface <= INT_MAX && options->output_time >= 0;
}

static void set_socket_options(const weft_datagram_options *options, struct backend_datagram_options *ret)
{
    *ret = (struct backend_datagram_options){
        .reuse_port = options->reuse_port,
        .reuse_address = options->reuse_address,
        .broadcast = options->broadcast,
        .dont_fragment = options->dont_fragment,
        .tells_ecn = options->congestion,
        .hops = options->hops,
        .multicast_hops = options->multicast_hops,
        .no_multicast_loop = options->no_multicast_loop,
        .multicast_interface = options->multicast_interface,
        .receive_buffer = options->receive_buffer,
        .send_buffer = options->send_buffer,
        .unix_mode = options->unix_mode,
    };
}

static size_t size_or(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static void set_limits(weft_datagram_socket *socket, const weft_datagram_options *options)
{
    socket->high_water = size_or(options->high_water, HIGH_WATER);
    socket->low_water = size_or(options->low_water, LOW_WATER);
    if (socket->low_water > socket->high_water)
        socket->low_water = socket->high_water;
    socket->output_limit = size_or(options->output_limit, OUTPUT_LIMIT);
    socket->output_count = size_or(options->output_count, OUTPUT_COUNT);
    socket->output_time = options->output_time ? options->output_time : OUTPUT_TIME;
}

static int open_at(weft_datagram_socket *socket, struct opening *opening)
{
    struct backend *backend = datagram_backend(socket);
    struct backend_endpoint at = opening->at.endpoint, to = opening->to.endpoint;
    const struct backend_endpoint *where = opening->has_at ? &at : NULL, *whom = opening->has_to ? &to : NULL;
    int status;

    if (opening->has_to && opening->to.any)
        to.address.ip[15] = 1; /* "every address" means this host's own */
    opening->socket.v6_only = !opening->at.any;
    status = backend->ops->datagram_open(backend, &socket->io, where, whom, &opening->socket);
    if ((status == -EAFNOSUPPORT || status == -EADDRNOTAVAIL) && opening->has_at && opening->at.any && !whom) {
        at.address.family = WEFT_ADDRESS_IPV4; /* a system without IPv6 */
        status = backend->ops->datagram_open(backend, &socket->io, where, whom, &opening->socket);
    }
    if (status < 0)
        return status;
    if (opening->has_at && at.path.length < sizeof socket->path && at.path.length > 0)
        memcpy(socket->path, at.path.data, at.path.length);
    if ((where ? where : whom)->address.family == WEFT_ADDRESS_UNIX)
        socket->flags |= DATAGRAM_IS_UNIX;
    status = socket->io.transport->local(backend, &socket->io, &socket->local);
    if (status < 0)
        (void)socket->io.transport->close(backend, &socket->io); /* (it is in no list yet, so it is home) */
    else
        socket->local.family = (where ? where : whom)->address.family;
    return status;
}

static void add_counters(weft_datagram_socket *socket)
{
    weft_counters *counters = &socket->loop->counters;

    weft_counters_add(counters, &socket->received_count, "datagram.received");
    weft_counters_add(counters, &socket->sent_count, "datagram.sent");
    weft_counters_add(counters, &socket->dropped_count, "datagram.dropped");
}

static int open_socket(weft_scope *scope, weft_datagram_protocol *protocol, const weft_datagram_options *options,
                       struct opening *opening, weft_datagram_socket **ret_socket)
{
    weft_datagram_socket *socket = weft_allocate_zeroed(1, sizeof *socket);
    int status = socket ? scope_join(scope, &socket->member, &datagram_class) : WEFT_ENOMEM;

    if (status < 0) {
        weft_release(socket);
        return status;
    }
    socket->loop = weft_scope_loop(scope);
    socket->loop->waiting++;
    socket->io.events = &datagram_events;
    socket->protocol = protocol;
    socket->task.run = datagram_task;
    wheel_entry_init(&socket->timer, datagram_timer_fired);
    set_limits(socket, options);
    set_socket_options(options, &opening->socket);
    add_counters(socket);
    status = open_at(socket, opening);
    if (status < 0) {
        leave(socket);
        weft_release(socket);
        return status;
    }
    socket->io.transport->receive_start(datagram_backend(socket), &socket->io);
    if (ret_socket)
        *ret_socket = socket;
    return 0;
}

static int take_options(const weft_datagram_options *from, weft_datagram_options *ret)
{
    int status = options_copy(ret, sizeof *ret, from);

    return status == 0 && !is_in_range(ret) ? -EINVAL : status;
}

int weft_datagram_open(weft_scope *scope, const char *url, weft_datagram_protocol *protocol,
                       const weft_datagram_options *user_options, weft_datagram_socket **ret_socket,
                       weft_url_error *ret_error)
{
    weft_datagram_options options = {0};
    struct opening opening = {.has_at = true};
    int status = url_parse_datagrams(url, &opening.at, ret_error);

    if (status == 0)
        status = take_options(user_options, &options);
    if (status < 0)
        return status;
    take_url_options(&opening.at, &options);
    return open_socket(scope, protocol, &options, &opening, ret_socket);
}

int weft_datagram_open_to(weft_scope *scope, const char *url, weft_datagram_protocol *protocol,
                          const weft_datagram_options *user_options, weft_datagram_socket **ret_socket,
                          weft_url_error *ret_error)
{
    weft_datagram_options options = {0};
    struct opening opening = {.has_to = true};
    int status = url_parse_datagrams(url, &opening.to, ret_error);

    if (status == 0)
        status = take_options(user_options, &options);
    opening.has_at = status == 0 && options.bind;
    if (opening.has_at)
        status = url_parse_datagrams(options.bind, &opening.at, ret_error);
    if (status < 0)
        return status;
    take_url_options(&opening.at, &options);
    return open_socket(scope, protocol, &options, &opening, ret_socket);
}

int weft_datagram_address(const char *url, weft_address *ret_address, weft_url_error *ret_error)
{
    struct url parsed;
    int status = url_parse_datagrams(url, &parsed, ret_error);

    if (status < 0)
        return status;
    if (parsed.any)
        parsed.endpoint.address.ip[15] = 1;
    *ret_address = parsed.endpoint.address;
    return 0;
}

/* -- what can be asked of it -- */

void weft_datagram_count(const weft_datagram_socket *socket, weft_datagram_counts *ret_counts)
{
    *ret_counts = socket->counts;
}

int weft_datagram_local(const weft_datagram_socket *socket, weft_address *ret_address)
{
    if (socket->flags & DATAGRAM_DOOMED)
        return WEFT_EENDED;
    return socket->io.transport->local(datagram_backend(socket), &socket->io, ret_address);
}

void weft_datagram_url(const weft_datagram_socket *socket, char *buffer)
{
    static const char unixgram[] = "unixgram://";
    size_t length = sizeof unixgram - 1;
    char text[URL_ADDRESS_TEXT];

    if (socket->flags & DATAGRAM_IS_UNIX) {
        memcpy(buffer, unixgram, sizeof unixgram);
        url_escape(weft_bytes_from(socket->path), buffer + length, WEFT_LISTENER_URL - length);
        return;
    }
    url_write_address(&socket->local, text);
    snprintf(buffer, WEFT_LISTENER_URL, "udp://%s", text);
}

weft_loop *weft_datagram_loop(const weft_datagram_socket *socket)
{
    return socket->loop;
}
