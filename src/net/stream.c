/* SPDX-License-Identifier: MIT */
/* The life of a stream and what its user calls (stream_internal.h). */
#include "net/stream_internal.h"

#include <stdio.h>

#include <weft/memory.h>

#include "base/probe.h"
#include "net/layer.h"
#include "net/listener_internal.h"
#include "net/proxy_layer.h"

static void stream_task(struct loop_task *task);
static void stream_connected(struct backend_stream *io, int status);
static void stream_closed(struct backend_stream *io);
static void stream_cancel(weft_scope_member *member, int reason);
static void describe(const weft_scope_member *member, char *buffer, size_t size);

static const struct scope_member_class stream_class = {.kind = "stream", .cancel = stream_cancel, .describe = describe};

static const struct backend_stream_events stream_events = {
    .connected = stream_connected,
    .received = stream_received,
    .sent = stream_sent,
    .closed = stream_closed,
};

/* Speaks on a stream that has no protocol (yet, or because its factory refused it): it says nothing. */
static const weft_protocol_ops nobody_ops = {.name = "nobody", .not_handed_over = "it has no state"};
static weft_protocol nobody = {&nobody_ops};

/* -- birth and death -- */

weft_stream *stream_new(weft_scope *scope, struct stream_config *config, weft_protocol *protocol, int *ret_error)
{
    weft_stream *stream = weft_allocate_zeroed(1, sizeof *stream);
    int status = stream ? scope_join(scope, &stream->member, &stream_class) : WEFT_ENOMEM;

    if (status < 0) {
        weft_release(stream);
        *ret_error = status;
        return NULL;
    }
    stream->loop = weft_scope_loop(scope);
    stream->io.events = &stream_events;
    stream->protocol = protocol ? protocol : &nobody;
    stream->task.run = stream_task;
    weft_bytequeue_init(&stream->output);
    weft_link_init(&stream->guest);
    wheel_entry_init(&stream->timer, stream_timer_fired);
    stream->config = config;
    config->references++;
    stream->references = 1;
    stream->active = stream->opened = stream_now(stream);
    stream->loop->waiting++;
    return stream;
}

static void stream_free(weft_stream *stream)
{
    connect_search_end(stream);
    layers_free(stream);
    weft_release(stream->claim);
    stream_config_unref(stream->config);
    weft_release(stream);
}

void stream_discard(weft_stream *stream)
{
    stream->loop->waiting--;
    scope_leave(&stream->member);
    wheel_stop(&stream->loop->wheel, &stream->timer);
    stream_free(stream);
}

static void reap(struct loop_task *task)
{
    stream_free(weft_container_of(task, weft_stream, task));
}

weft_stream *weft_stream_ref(weft_stream *stream)
{
    stream->references++;
    return stream;
}

void weft_stream_unref(weft_stream *stream)
{
    if (!stream || --stream->references > 0)
        return;
    stream->task.run = reap;
    loop_reap(stream->loop, &stream->task);
}

void stream_schedule(weft_stream *stream)
{
    if (!(stream->flags & STREAM_IN_TASK))
        loop_later(stream->loop, &stream->task);
}

void stream_doom(weft_stream *stream, int reason, bool abort)
{
    if (stream->flags & STREAM_DOOMED)
        return;
    stream->flags |= STREAM_DOOMED;
    if (!(stream->flags & STREAM_BROKEN)) /* what was known first is what is told */
        stream->reason = reason;
    wheel_stop(&stream->loop->wheel, &stream->timer);
    if (stream->io.transport->close(stream->loop->backend, &stream->io, abort))
        stream->flags |= STREAM_HOME;
    connect_search_end(stream);
    stream_schedule(stream);
}

bool stream_break(weft_stream *stream, int reason)
{
    if (stream->flags & (STREAM_PAUSE_ASKED | STREAM_END_TOLD | STREAM_CLOSING | STREAM_LINGERING))
        return false; /* nothing would be delivered, or not before somebody resumes */
    if ((stream->flags & (STREAM_STARTING | STREAM_LAYERING)) == STREAM_STARTING)
        return false; /* nor before what was written has gone out, and now it never will */
    if (stream->flags & STREAM_BROKEN)
        return true;
    PROBE("stream: broken while something was to be read");
    stream->flags |= STREAM_BROKEN;
    stream->reason = reason;
    if (stream->flags & STREAM_OVER_HIGH) { /* somebody waits to write: the next write says that it is over */
        stream->flags &= ~(uint32_t)STREAM_OVER_HIGH;
        stream->flags |= STREAM_DRAINED;
        stream_schedule(stream);
    }
    return true;
}

int stream_move(weft_stream *stream, weft_scope *scope)
{
    int status = weft_scope_cancelled(scope);

    if (status < 0 || (stream->flags & STREAM_DOOMED))
        return status;
    stream->flags |= STREAM_GRACEFUL;
    if (stream->member.scope == scope)
        return 0;
    if (stream->listener)
        listener_lets_go(stream->listener, stream);
    scope_leave(&stream->member);
    return scope_join(scope, &stream->member, &stream_class);
}

static void stream_cancel(weft_scope_member *member, int reason)
{
    weft_stream *stream = weft_container_of(member, weft_stream, member);
    weft_scope *root = stream->loop->root;

    if ((stream->flags & (STREAM_GRACEFUL | STREAM_DOOMED)) == STREAM_GRACEFUL && member->scope->closing &&
        !weft_scope_cancelled(root)) {
        weft_stream_close(stream);
        (void)stream_move(stream, root);
        return;
    }
    stream_doom(stream, reason, true);
}

static void describe(const weft_scope_member *member, char *buffer, size_t size)
{
    const weft_stream *stream = weft_container_of(member, const weft_stream, member);
    char peer[WEFT_ADDRESS_TEXT];

    weft_address_text(weft_stream_peer(stream), peer);
    snprintf(buffer, size, " of \"%s\" with %s, %zu bytes queued", stream->protocol->ops->name, peer,
             weft_stream_queued(stream));
}

/* The engine's own reference goes when nothing can call the stream any more. */
static void let_go(weft_stream *stream)
{
    stream->loop->waiting--;
    scope_leave(&stream->member);
    weft_link_remove(&stream->guest);
    if (stream->listener)
        listener_stream_gone(stream->listener, stream);
    weft_stream_unref(stream);
}

static void tell_lost(weft_stream *stream)
{
    weft_protocol *protocol = stream->protocol;

    stream->flags |= STREAM_LOST;
    if (!weft_bytequeue_is_empty(&stream->output))
        PROBE("stream: lost while a write was queued");
    if (stream->input)
        PROBE("stream: lost while input waited");
    stream_drop_input(stream);
    weft_bytequeue_clear(&stream->output, stream->loop->chunks);
    loop_calls(stream->loop, protocol->ops->name, (uintptr_t)protocol->ops->lost);
    if (protocol->ops->lost)
        protocol->ops->lost(protocol, stream, stream->reason);
    if (stream->flags & STREAM_HOME)
        let_go(stream);
}

static void stream_closed(struct backend_stream *io)
{
    weft_stream *stream = weft_container_of(io, weft_stream, io);

    if (connect_search_home(stream))
        return;
    stream->flags |= STREAM_HOME;
    if (stream->flags & STREAM_LOST) {
        PROBE("stream: lost before its handle came home");
        let_go(stream);
    }
}

/* -- the task: what is put off to the end of the turn -- */

static void call_drained(weft_stream *stream)
{
    const weft_protocol_ops *ops = stream->protocol->ops;

    stream->flags &= ~(uint32_t)STREAM_DRAINED;
    loop_calls(stream->loop, ops->name, (uintptr_t)ops->drained);
    if (ops->drained)
        ops->drained(stream->protocol, stream);
}

static void transport_ready(weft_stream *stream)
{
    stream->flags &= ~(uint32_t)STREAM_OPEN_DUE;
    if (stream->layers)
        layers_begin(stream);
    else
        stream_opened(stream);
}

static void stream_task(struct loop_task *task)
{
    weft_stream *stream = weft_container_of(task, weft_stream, task);

    stream->flags |= STREAM_IN_TASK;
    if ((stream->flags & (STREAM_RETRY_DUE | STREAM_DOOMED)) == STREAM_RETRY_DUE)
        connect_search_next(stream);
    if ((stream->flags & (STREAM_OPEN_DUE | STREAM_DOOMED)) == STREAM_OPEN_DUE)
        transport_ready(stream);
    if ((stream->flags & (STREAM_DRAINED | STREAM_DOOMED)) == STREAM_DRAINED)
        call_drained(stream);
    if ((stream->flags & (STREAM_DELIVER | STREAM_DOOMED)) == STREAM_DELIVER)
        stream_deliver(stream);
    if ((stream->flags & (STREAM_DIRTY | STREAM_SENDING | STREAM_DOOMED)) == STREAM_DIRTY &&
        !stream_has_attempted(stream))
        stream_flush(stream);
    stream->flags &= ~(uint32_t)STREAM_IN_TASK;
    if (stream->flags & STREAM_DOOMED) {
        if (!(stream->flags & STREAM_LOST))
            tell_lost(stream);
    } else if ((stream->flags & (STREAM_DRAINED | STREAM_DELIVER)) ||
               (stream->flags & (STREAM_DIRTY | STREAM_SENDING | STREAM_CONNECTING)) == STREAM_DIRTY) {
        loop_later(stream->loop, &stream->task);
    }
}

/* -- opening -- */

void stream_opened(weft_stream *stream)
{
    const weft_protocol_ops *ops = stream->protocol->ops;

    stream->flags &= ~(uint32_t)(STREAM_CONNECTING | STREAM_LAYERING);
    stream->active = stream->opened = stream_now(stream);
    if (stream->flags & STREAM_CLOSING)
        return; /* closed before it was open: what was written goes out, and nothing but `lost` is called */
    stream->flags |= STREAM_CONNECTED;
    if (!(stream->flags & STREAM_PAUSED))
        stream->io.transport->receive_start(stream->loop->backend, &stream->io);
    stream_arm(stream);
    loop_calls(stream->loop, ops->name, (uintptr_t)ops->connected);
    if (ops->connected)
        ops->connected(stream->protocol, stream);
}

/* It was asked to finish while nobody spoke on it yet. */
static void tell_that_it_drains(weft_stream *stream)
{
    if (!(stream->flags & STREAM_DRAIN_ASKED))
        return;
    stream->flags &= ~(uint32_t)STREAM_DRAIN_ASKED;
    stream_ask_to_drain(stream);
}

void stream_layered(weft_stream *stream)
{
    if (stream->flags & STREAM_DOOMED)
        return;
    if (stream->listener && !(stream->flags & STREAM_CONNECTED)) {
        listener_opened(stream->listener, stream);
        tell_that_it_drains(stream);
        return;
    }
    stream->flags &= ~(uint32_t)STREAM_STARTING;
    stream_opened(stream);
    if (stream->flags & STREAM_DIRTY)
        stream_schedule(stream); /* it was written to while it was connecting */
}

static void stream_connected(struct backend_stream *io, int status)
{
    weft_stream *stream = weft_container_of(io, weft_stream, io);

    if (stream->flags & STREAM_DOOMED)
        return;
    if (status < 0) {
        if (!connect_search_goes_on(stream, status))
            stream_doom(stream, status, true);
        return;
    }
    connect_search_end(stream);
    transport_ready(stream);
    if (stream->flags & STREAM_DIRTY)
        stream_schedule(stream); /* it was written to while it was connecting */
}

void stream_ask_to_drain(weft_stream *stream)
{
    const weft_protocol_ops *ops = stream->protocol->ops;

    if (stream->flags & (STREAM_DRAIN_ASKED | STREAM_DOOMED | STREAM_CLOSING))
        return;
    stream->flags |= STREAM_DRAIN_ASKED;
    if ((stream->flags & (STREAM_LAYERING | STREAM_STARTING)) == STREAM_LAYERING)
        return; /* whoever will speak on it is told when it has begun */
    loop_calls(stream->loop, ops->name, (uintptr_t)ops->draining);
    if (ops->draining)
        ops->draining(stream->protocol, stream);
}

/* -- what the user asks for -- */

void weft_stream_close(weft_stream *stream)
{
    if (stream->flags & (STREAM_DOOMED | STREAM_CLOSING))
        return;
    if (stream->flags & (STREAM_CONNECTING | STREAM_BROKEN)) {
        stream_doom(stream, WEFT_ECLOSED, true);
        return;
    }
    stream->flags |= STREAM_CLOSING | STREAM_DIRTY;
    stream->flags &= ~(uint32_t)(STREAM_DELIVER | STREAM_DRAINED | STREAM_HAS_DEADLINE);
    stream->io.transport->receive_stop(stream->loop->backend, &stream->io);
    stream_schedule(stream);
}

void weft_stream_abort(weft_stream *stream)
{
    stream_doom(stream, WEFT_EABORTED, true);
}

void weft_stream_end(weft_stream *stream)
{
    if (stream->flags & (STREAM_DOOMED | STREAM_BROKEN | STREAM_CLOSING | STREAM_ENDING))
        return;
    stream->flags |= STREAM_ENDING | STREAM_DIRTY;
    stream_schedule(stream);
}

void stream_hold(weft_stream *stream)
{
    if (stream->flags & (STREAM_DOOMED | STREAM_CLOSING | STREAM_PAUSED))
        return;
    stream->flags |= STREAM_PAUSED;
    if (!(stream->flags & (STREAM_INPUT_ENDED | STREAM_CONNECTING)))
        stream->io.transport->receive_stop(stream->loop->backend, &stream->io);
}

void weft_stream_pause(weft_stream *stream)
{
    if (stream->flags & STREAM_BROKEN)
        stream_doom(stream, stream->reason, true); /* reading was all that it was still open for */
    stream->flags |= STREAM_PAUSE_ASKED;
    stream_hold(stream);
}

void weft_stream_resume(weft_stream *stream)
{
    stream->flags &= ~(uint32_t)STREAM_PAUSE_ASKED;
    stream_go_on(stream);
}

void stream_go_on(weft_stream *stream)
{
    if ((stream->flags & (STREAM_DOOMED | STREAM_CLOSING | STREAM_PAUSE_ASKED)) || !(stream->flags & STREAM_PAUSED))
        return;
    if ((stream->flags & (STREAM_STARTING | STREAM_LAYERING)) == STREAM_STARTING)
        return; /* until the layer has begun, nothing is delivered */
    stream->flags &= ~(uint32_t)STREAM_PAUSED;
    if (stream->input || (stream->flags & (STREAM_INPUT_ENDED | STREAM_END_TOLD)) == STREAM_INPUT_ENDED) {
        stream->flags |= STREAM_DELIVER; /* and then reading goes on: what waits must not grow by each pause */
        stream_schedule(stream);
        return;
    }
    if (!(stream->flags & (STREAM_INPUT_ENDED | STREAM_CONNECTING)))
        stream->io.transport->receive_start(stream->loop->backend, &stream->io);
}

void weft_stream_set_protocol(weft_stream *stream, weft_protocol *protocol)
{
    weft_protocol *former = stream->protocol;
    int status;

    if (stream->flags & STREAM_LOST)
        return;
    stream->protocol = protocol;
    status = former == protocol ? 0 : task_stream_hand_over(former);
    if (status < 0)
        stream_doom(stream, status, true);
    if (stream->flags & (STREAM_DOOMED | STREAM_CLOSING))
        return;
    stream->flags &= ~(uint32_t)STREAM_END_TOLD; /* the new one has not been told */
    if ((stream->flags & STREAM_PAUSED) || (!stream->input && !(stream->flags & STREAM_INPUT_ENDED)))
        return;
    stream->flags |= STREAM_DELIVER;
    stream_schedule(stream);
}

int weft_stream_set_options(weft_stream *stream, const weft_stream_options *options)
{
    struct stream_config *config;
    int status = stream_config_new(options, stream->config, &config);

    if (status < 0)
        return status;
    stream_config_unref(stream->config);
    stream->config = config;
    stream_stage_no_more(stream); /* its room is from the former limits */
    if (!(stream->flags & STREAM_DOOMED))
        stream_arm(stream);
    return 0;
}

/* -- what can be asked of it -- */

weft_protocol *weft_stream_protocol(const weft_stream *stream)
{
    return stream->protocol;
}

const weft_address *weft_stream_peer(const weft_stream *stream)
{
    return stream->claim && stream->claim->peer.family != WEFT_ADDRESS_NONE ? &stream->claim->peer : &stream->peer;
}

const weft_address *weft_stream_direct_peer(const weft_stream *stream)
{
    return &stream->peer;
}

const weft_proxy_header *weft_stream_proxy_header(const weft_stream *stream)
{
    return stream->claim ? &stream->claim->header : NULL;
}

int weft_stream_local(const weft_stream *stream, weft_address *ret_address)
{
    if (stream->flags & STREAM_DOOMED)
        return WEFT_EENDED;
    return stream->io.transport->local(stream->loop->backend, &stream->io, ret_address);
}

weft_loop *weft_stream_loop(const weft_stream *stream)
{
    return stream->loop;
}

weft_scope *weft_stream_scope(const weft_stream *stream)
{
    return stream->member.scope;
}
