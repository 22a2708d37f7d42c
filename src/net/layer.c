/* SPDX-License-Identifier: MIT */
/* The chain of a stream's layers, and the two ends of it (layer.h). */
#include "net/layer.h"

#include <weft/memory.h>

#include "backend/file.h"
#include "net/stream_internal.h"

/* What of a file goes into one send. */
#define FILE_PIECE (32 * 1024)

struct layers {
    struct layer *bottom, *top;
    const struct backend_transport *transport;
    const struct backend_stream_events *events; /* the stream's own */
    struct layer *starting;                     /* begins when what was written has gone out; or NULL */
    int smuggled;
};

static weft_stream *stream_of(const struct backend_stream *io)
{
    return weft_container_of((struct backend_stream *)(uintptr_t)io, weft_stream, io);
}

/* -- the lower end: what the transport tells goes to the bottom -- */

static void received_from_transport(struct backend_stream *io, weft_bytes bytes, int status)
{
    weft_stream *stream = stream_of(io);
    struct layer *bottom = stream->layers->bottom;

    if (bytes.length > 0)
        stream->active = stream_now(stream); /* half a record is a sign of life, too */
    bottom->ops->received(bottom, bytes, status);
}

static void sent_by_transport(struct backend_stream *io, int64_t result)
{
    struct layer *bottom = stream_of(io)->layers->bottom;

    bottom->ops->sent(bottom, result);
}

static void closed_by_transport(struct backend_stream *io)
{
    stream_of(io)->layers->events->closed(io);
}

static const struct backend_stream_events lower_end = {
    .received = received_from_transport,
    .sent = sent_by_transport,
    .closed = closed_by_transport,
};

/* -- the upper end: what the stream asks for is asked of the top -- */

static struct layer *top_of(const struct backend_stream *io)
{
    return stream_of(io)->layers->top;
}

static void receive_start(struct backend *backend, struct backend_stream *io)
{
    (void)backend;
    top_of(io)->ops->receive_start(top_of(io));
}

static void receive_stop(struct backend *backend, struct backend_stream *io)
{
    (void)backend;
    top_of(io)->ops->receive_stop(top_of(io));
}

static int64_t send_runs(struct backend *backend, struct backend_stream *io, const weft_bytes *runs, size_t count,
                         bool more)
{
    (void)backend;
    return top_of(io)->ops->send(top_of(io), runs, count, more);
}

static void broken(struct backend *backend, struct backend_stream *io)
{
    weft_stream *stream = stream_of(io);
    const struct backend_transport *transport = stream->layers->transport;

    if (transport->broken)
        transport->broken(backend, io);
    else
        stream_doom(stream, stream->reason, true);
}

/* One piece, by way of @p piece. Returns as a send: less than @p room went, or BACKEND_LATER, and `sent` is owed. */
static int64_t send_piece(weft_stream *stream, weft_file *file, uint64_t offset, char *piece, size_t room, bool more)
{
    struct layer *top = stream->layers->top;
    int count = file_read(file, offset, piece, room);
    weft_bytes run = weft_bytes_of(piece, count > 0 ? (size_t)count : 0);

    if (count < 0)
        return count;
    if (run.length < room) /* (what there is would be sent, and then it would be found out; this is sooner) */
        return WEFT_ECHANGED;
    return top->ops->send(top, &run, 1, more);
}

/* A file passes through memory, read on the loop's thread: what is not in the page cache makes that wait (docs/STATUS.md). */
static int64_t send_file(struct backend *backend, struct backend_stream *io, weft_file *file, uint64_t offset,
                         uint64_t length, bool more)
{
    char *piece = weft_allocate(FILE_PIECE);
    uint64_t done = 0;
    int64_t sent = 0;

    (void)backend;
    if (!piece)
        return WEFT_ENOMEM;
    while (done < length) {
        size_t room = length - done < FILE_PIECE ? (size_t)(length - done) : FILE_PIECE;

        sent = send_piece(stream_of(io), file, offset + done, piece, room, more || done + room < length);
        if (sent < 0)
            break;
        done += (uint64_t)sent;
        if ((uint64_t)sent < room)
            break;
    }
    weft_release(piece);
    if (sent < 0 && sent != BACKEND_LATER)
        return sent;
    return done > 0 ? (int64_t)done : sent;
}

static int shutdown_top(struct backend *backend, struct backend_stream *io)
{
    (void)backend;
    return top_of(io)->ops->shutdown(top_of(io));
}

static bool close_all(struct backend *backend, struct backend_stream *io, bool abort)
{
    struct layers *layers = stream_of(io)->layers;

    for (struct layer *layer = layers->top; layer; layer = layer->below)
        if (layer->ops->close)
            layer->ops->close(layer, abort);
    return layers->transport->close(backend, io, abort);
}

static int local(struct backend *backend, const struct backend_stream *io, weft_address *ret)
{
    return stream_of(io)->layers->transport->local(backend, io, ret);
}

static int64_t unconfirmed(const struct backend_stream *io)
{
    const struct backend_transport *transport = stream_of(io)->layers->transport;

    return transport->unconfirmed ? transport->unconfirmed(io) : -1;
}

static const struct backend_transport upper_end = {
    .receive_start = receive_start,
    .receive_stop = receive_stop,
    .send = send_runs,
    .sends_at_once = true,
    .sends_large_at_once = true,
    .broken = broken,
    .send_file = send_file,
    .shutdown = shutdown_top,
    .close = close_all,
    .local = local,
    .unconfirmed = unconfirmed,
};

/* -- the chain -- */

int layers_add(weft_stream *stream, struct layer *layer)
{
    struct layers *layers = stream->layers;

    if (!layers) {
        layers = weft_allocate_zeroed(1, sizeof *layers);
        if (!layers) {
            layer->ops->free(layer);
            return WEFT_ENOMEM;
        }
        stream->layers = layers;
    }
    layer->stream = stream;
    layer->below = layers->top;
    layer->above = NULL;
    if (layers->top)
        layers->top->above = layer;
    else
        layers->bottom = layer;
    layers->top = layer;
    return 0;
}

int layers_make(weft_stream *stream, struct layer_maker *bottom)
{
    for (struct layer_maker *maker = bottom; maker; maker = maker->above) {
        struct layer *layer;
        int status = maker->make(maker, stream, &layer);

        if (status == 0)
            status = layers_add(stream, layer);
        if (status < 0)
            return status;
    }
    return 0;
}

void layer_makers_free(struct layer_maker *bottom)
{
    while (bottom) {
        struct layer_maker *maker = bottom;

        bottom = maker->above;
        maker->free(maker);
    }
}

void layers_free(weft_stream *stream)
{
    if (!stream->layers)
        return;
    if (stream->layers->starting)
        stream->layers->starting->ops->free(stream->layers->starting);
    while (stream->layers->top) {
        struct layer *layer = stream->layers->top;

        stream->layers->top = layer->below;
        layer->ops->free(layer);
    }
    weft_release(stream->layers);
    stream->layers = NULL;
}

void layers_begin(weft_stream *stream)
{
    struct layers *layers = stream->layers;

    layers->transport = stream->io.transport;
    layers->events = stream->io.events;
    stream->io.transport = &upper_end;
    stream->io.events = &lower_end;
    stream->flags |= STREAM_CONNECTING | STREAM_LAYERING;
    stream->opened = stream_now(stream);
    stream_arm(stream);
    layers->bottom->ops->begin(layers->bottom);
}

struct layer *layers_top(const weft_stream *stream)
{
    return stream->layers ? stream->layers->top : NULL;
}

/* -- a layer that begins in the middle -- */

static int may_start(const weft_stream *stream)
{
    if (stream->flags & (STREAM_DOOMED | STREAM_BROKEN | STREAM_CLOSING | STREAM_ENDING | STREAM_INPUT_ENDED))
        return WEFT_EENDED;
    if (!(stream->flags & STREAM_CONNECTED) || (stream->flags & (STREAM_LAYERING | STREAM_STARTING)))
        return -EALREADY;
    return 0;
}

int layers_start(weft_stream *stream, struct layer *layer, int smuggled)
{
    int status = may_start(stream);

    if (status == 0 && !stream->layers) {
        stream->layers = weft_allocate_zeroed(1, sizeof *stream->layers);
        status = stream->layers ? 0 : WEFT_ENOMEM;
    }
    if (status < 0) {
        layer->ops->free(layer);
        return status;
    }
    stream->layers->starting = layer;
    stream->layers->smuggled = smuggled;
    stream_hold(stream); /* what comes from now on is kept, and so found */
    stream->flags |= STREAM_STARTING | STREAM_DIRTY;
    stream_schedule(stream);
    return 0;
}

/* Adds the one that starts. It has no memory to ask for. */
static void put_on_top(weft_stream *stream)
{
    struct layer *layer = stream->layers->starting;
    bool first = !stream->layers->top;

    stream->layers->starting = NULL;
    (void)layers_add(stream, layer);
    if (!(stream->flags & STREAM_PAUSE_ASKED))
        stream->flags &= ~(uint32_t)STREAM_PAUSED;
    if (first) {
        layers_begin(stream);
        return;
    }
    stream->flags |= STREAM_CONNECTING | STREAM_LAYERING;
    stream->opened = stream_now(stream);
    stream_arm(stream);
    layer->ops->begin(layer);
}

void layers_switch(weft_stream *stream)
{
    if (stream->input) {
        stream_doom(stream, stream->layers->smuggled, false);
    } else if (stream->flags & STREAM_INPUT_ENDED) {
        stream_doom(stream, WEFT_ECLOSED, false);
    } else {
        put_on_top(stream);
    }
}

static void take_out(struct layer *layer)
{
    struct layers *layers = layer->stream->layers;

    *(layer->below ? &layer->below->above : &layers->bottom) = layer->above;
    *(layer->above ? &layer->above->below : &layers->top) = layer->below;
}

/* The last has gone: the stream stands on its transport again. */
static void step_aside(weft_stream *stream)
{
    stream->io.transport = stream->layers->transport;
    stream->io.events = stream->layers->events;
    weft_release(stream->layers);
    stream->layers = NULL;
}

/* -- what a layer asks of what is below it -- */

int64_t layer_send_below(struct layer *layer, const weft_bytes *runs, size_t count, bool more)
{
    weft_stream *stream = layer->stream;

    if (layer->below)
        return layer->below->ops->send(layer->below, runs, count, more);
    return stream->layers->transport->send(stream->loop->backend, &stream->io, runs, count, more);
}

void layer_receive_start_below(struct layer *layer)
{
    weft_stream *stream = layer->stream;

    if (layer->below)
        layer->below->ops->receive_start(layer->below);
    else
        stream->layers->transport->receive_start(stream->loop->backend, &stream->io);
}

void layer_receive_stop_below(struct layer *layer)
{
    weft_stream *stream = layer->stream;

    if (layer->below)
        layer->below->ops->receive_stop(layer->below);
    else
        stream->layers->transport->receive_stop(stream->loop->backend, &stream->io);
}

int layer_shutdown_below(struct layer *layer)
{
    weft_stream *stream = layer->stream;

    if (layer->below)
        return layer->below->ops->shutdown(layer->below);
    return stream->layers->transport->shutdown(stream->loop->backend, &stream->io);
}

/* -- what a layer tells what is above it -- */

void layer_received_above(struct layer *layer, weft_bytes bytes, int status)
{
    weft_stream *stream = layer->stream;

    if (layer->above)
        layer->above->ops->received(layer->above, bytes, status);
    else
        stream->layers->events->received(&stream->io, bytes, status);
}

void layer_sent_above(struct layer *layer, int64_t result)
{
    weft_stream *stream = layer->stream;

    if (layer->above)
        layer->above->ops->sent(layer->above, result);
    else
        stream->layers->events->sent(&stream->io, result);
}

/* What is above layer @p above may begin: it, or the stream. */
static void go_up(weft_stream *stream, struct layer *above)
{
    if (above)
        above->ops->begin(above);
    else
        stream_layered(stream);
}

void layer_ready(struct layer *layer)
{
    go_up(layer->stream, layer->above);
}

/* Who stands above @p below, of which NULL is the transport, now: the one that began there may have left at once. */
static void pass_on(weft_stream *stream, struct layer *below, weft_bytes rest)
{
    struct layer *above = below ? below->above : stream->layers ? stream->layers->bottom : NULL;

    if (above)
        above->ops->received(above, rest, 0);
    else if (below)
        layer_received_above(below, rest, 0);
    else
        stream->io.events->received(&stream->io, rest, 0);
}

void layer_done(struct layer *layer, weft_bytes rest)
{
    weft_stream *stream = layer->stream;
    struct layer *above = layer->above, *below = layer->below;

    layer_receive_stop_below(layer);
    take_out(layer);
    if (!stream->layers->bottom)
        step_aside(stream);
    go_up(stream, above);
    if (rest.length > 0 && !(stream->flags & STREAM_DOOMED))
        pass_on(stream, below, rest);
    layer->ops->free(layer);
}

void layer_fail(struct layer *layer, int reason, bool gently)
{
    stream_doom(layer->stream, reason, !gently);
}

bool layer_is_over(const struct layer *layer)
{
    return layer->stream->flags & STREAM_DOOMED;
}
