/* SPDX-License-Identifier: MIT */
/* Accepting, with limits in total and for each address (listener_internal.h). */
#include <weft/log.h>

#include "base/probe.h"
#include "net/listener_internal.h"

/* How long a listener rests when the system has no descriptor or no memory for a connection. */
#define REST WEFT_MILLISECONDS(100)
/* So many of a backlog are taken in one turn. */
#define TAKEN_PER_TURN 64

static weft_listener *listener_of(struct backend_listener *io)
{
    return weft_container_of(io, weft_listener, io);
}

void listener_accept_if_allowed(weft_listener *listener)
{
    if (!listener->open || listener->resting || listener->waits || listener->stopping)
        return;
    if (listener->connections < listener->most)
        listener->io.listening->accept_start(listener_backend(listener), &listener->io);
    else
        listener->io.listening->accept_stop(listener_backend(listener), &listener->io);
}

/* -- places: of the limit that is shared with other listeners -- */

static bool take_place(weft_listener *listener)
{
    if (!listener->shared)
        return true;
    while (!limit_take(listener->shared)) {
        if (limit_wait(listener->shared, &listener->waiter)) {
            listener->waits = true;
            return false;
        }
    }
    return true;
}

/* (An adopted connection is its own limit: it holds no place.) */
static void give_place(weft_listener *listener)
{
    if (listener->shared && !listener->single)
        limit_give(listener->shared);
}

void listener_was_told(weft_post *post)
{
    weft_listener *listener = weft_container_of(post, weft_listener, waiter.post);

    limit_was_told(listener->shared, &listener->waiter);
    if (listener->ended) {
        listener_reap(listener);
        return;
    }
    if (limit_wait(listener->shared, &listener->waiter))
        return; /* another was faster */
    listener->waits = false;
    if (listener->stopping)
        loop_later(listener->loop, &listener->task);
    else
        listener_accept_if_allowed(listener);
}

static bool wanted(struct backend_listener *io)
{
    weft_listener *listener = listener_of(io);

    if (take_place(listener))
        return true;
    listener->io.listening->accept_stop(listener_backend(listener), io);
    return false;
}

static void missed(struct backend_listener *io)
{
    give_place(listener_of(io));
}

/* -- addresses -- */

static bool enter_address(weft_listener *listener, const weft_address *peer)
{
    if (!address_count_enter(&listener->addresses, peer))
        return false;
    if (!listener->shared || limit_enter_address(listener->shared, peer))
        return true;
    address_count_leave(&listener->addresses, peer);
    return false;
}

static void leave_address(weft_listener *listener, const weft_address *peer)
{
    address_count_leave(&listener->addresses, peer);
    if (listener->shared)
        limit_leave_address(listener->shared, peer);
}

/* -- connections -- */

static void count_in(weft_listener *listener, weft_stream *stream, const weft_address *peer)
{
    stream->peer = *peer;
    stream->listener = listener;
    listener->connections++;
    weft_counter_increment(&listener->accepted_count);
}

static struct backend_stream *accepted(struct backend_listener *io, const weft_address *peer)
{
    weft_listener *listener = listener_of(io);
    weft_stream *stream;
    int error;

    loop_enters(listener->loop, "accept");
    if (!enter_address(listener, peer)) {
        weft_counter_increment(&listener->refused_count);
        give_place(listener);
        return NULL;
    }
    stream = stream_new(listener->streams, listener->config, NULL, &error);
    if (!stream) {
        weft_counter_increment(&listener->refused_count);
        leave_address(listener, peer);
        give_place(listener);
        return NULL;
    }
    count_in(listener, stream, peer);
    return &stream->io;
}

void listener_forget(weft_listener *listener, const weft_stream *stream)
{
    if (!listener->single)
        leave_address(listener, &stream->peer);
    give_place(listener);
    listener->connections--;
    listener_accept_if_allowed(listener);
}

void listener_opened(weft_listener *listener, weft_stream *stream)
{
    weft_protocol *protocol;

    loop_calls(listener->loop, "factory", (uintptr_t)listener->factory->ops->build);
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

void listener_begins(weft_listener *listener, weft_stream *stream)
{
    int status = layers_make(stream, listener->layers);

    if (status < 0) {
        weft_counter_increment(&listener->refused_count);
        stream_doom(stream, status, true);
    } else if (stream->layers) {
        layers_begin(stream);
    } else {
        listener_opened(listener, stream);
    }
}

static void opened(struct backend_listener *io, struct backend_stream *handle, int status)
{
    weft_listener *listener = listener_of(io);
    weft_stream *stream = weft_container_of(handle, weft_stream, io);

    if (status < 0) {
        listener_forget(listener, stream);
        stream_discard(stream);
        return;
    }
    listener_accept_if_allowed(listener);
    listener_begins(listener, stream);
}

/* -- when there is no descriptor -- */

static void rest(weft_listener *listener, int status, unsigned shed)
{
    weft_log_field fields[] = {
        {.name = "error", .text = weft_bytes_from(weft_error_name(status))},
        {.name = "connections", .number = (int64_t)listener->connections},
        {.name = "shed", .number = shed},
    };

    PROBE("listener: exhausted");
    if (listener->exhausted_count.value == 0)
        weft_log_fields(WEFT_LOG_WARNING, "listener", fields, 3, "cannot accept: %s; trying again every %d ms",
                        weft_error_text(status), (int)(REST / WEFT_MILLISECONDS(1)));
    weft_counter_increment(&listener->exhausted_count);
    listener->resting = true;
    wheel_stop(&listener->loop->wheel, &listener->timer);
    loop_timer_start(listener->loop, &listener->timer, REST);
}

static void exhausted(struct backend_listener *io, int status, unsigned shed)
{
    rest(listener_of(io), status, shed);
}

void listener_rested(weft_listener *listener)
{
    listener->resting = false;
    if (!listener->stopping) {
        listener_accept_if_allowed(listener);
        return;
    }
    wheel_start(&listener->loop->wheel, &listener->timer, listener->grace_ends);
    loop_later(listener->loop, &listener->task);
}

const struct backend_listener_events listener_events = {
    .wanted = wanted,
    .missed = missed,
    .accepted = accepted,
    .opened = opened,
    .exhausted = exhausted,
};

/* -- the backlog of one that is stopping -- */

/* Takes one connection that waits: 1; 0 if there is none, or none may be had any more; or a negative error. */
static int take_one(weft_listener *listener)
{
    struct backend *backend = listener_backend(listener);
    weft_address peer;
    int status;
    weft_stream *stream = stream_new(listener->streams, listener->config, NULL, &status);

    if (!stream)
        return status;
    status = listener->io.listening->accept_one(backend, &listener->io, &stream->io, &peer);
    if (status <= 0) {
        stream_discard(stream);
        return status;
    }
    if (!enter_address(listener, &peer)) {
        weft_counter_increment(&listener->refused_count);
        (void)stream->io.transport->close(backend, &stream->io, true); /* nobody has used it: it is home at once */
        stream_discard(stream);
        give_place(listener);
        return 1;
    }
    count_in(listener, stream, &peer);
    listener_begins(listener, stream);
    stream_ask_to_drain(stream);
    return 1;
}

bool listener_take_backlog(weft_listener *listener)
{
    unsigned most = RARE("listener: take one of a backlog") ? 1 : TAKEN_PER_TURN;

    for (unsigned taken = 0; listener->backlog > 0; taken++) {
        int status;

        if (taken == most) {
            loop_later(listener->loop, &listener->task);
            return false;
        }
        if (listener->resting || listener->waits || listener->connections >= listener->most || !take_place(listener))
            return false;
        status = take_one(listener);
        if (status <= 0)
            give_place(listener);
        if (weft_scope_cancelled(listener->streams) || !listener->open)
            return true;
        if (status < 0)
            rest(listener, status, 0);
        if (status == 0)
            return true;
        listener->backlog--;
    }
    return true;
}
