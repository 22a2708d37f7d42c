/* SPDX-License-Identifier: MIT */
/*
 * A stream's input: from the backend's borrowed bytes to the protocol, and
 * what the protocol leaves over, kept contiguous until more comes.
 */
#include "net/stream_internal.h"

#include <weft/memory.h>

#include "base/probe.h"

/* What a peer may still send after our side has ended, before we stop listening politely. */
#define LINGER_BYTES (256 * 1024)

void stream_drop_input(weft_stream *stream)
{
    weft_release(stream->input);
    stream->input = NULL;
}

static weft_bytes waiting(const weft_stream *stream)
{
    const struct stream_input *input = stream->input;

    return input ? weft_bytes_of(input->data + input->begin, input->end - input->begin) : weft_bytes_of(NULL, 0);
}

static int grow(weft_stream *stream, size_t needed)
{
    struct stream_input *input = stream->input;
    size_t used = input ? input->end - input->begin : 0, room = input ? input->room : 512;

    if (input && input->room - input->end >= needed)
        return 0;
    if (input && input->begin > 0) {
        memmove(input->data, input->data + input->begin, used);
        input->begin = 0;
        input->end = used;
        if (input->room - used >= needed)
            return 0;
    }
    while (room < used + needed)
        room *= 2;
    input = weft_reallocate(input, sizeof *input + room);
    if (!input)
        return WEFT_ENOMEM;
    if (!stream->input)
        input->begin = input->end = 0;
    input->room = room;
    stream->input = input;
    return 0;
}

/* Keeps @p bytes behind what waits. */
static int keep(weft_stream *stream, weft_bytes bytes)
{
    struct stream_input *input;
    int status = grow(stream, bytes.length);

    if (status < 0)
        return status;
    input = stream->input;
    memcpy(input->data + input->end, bytes.data, bytes.length);
    input->end += bytes.length;
    return 0;
}

int stream_put_back(weft_stream *stream, weft_bytes bytes)
{
    weft_bytes after = waiting(stream);
    size_t length = bytes.length + after.length;
    struct stream_input *input = weft_allocate(sizeof *input + length);

    if (!input)
        return WEFT_ENOMEM;
    memcpy(input->data, bytes.data, bytes.length);
    if (after.length > 0)
        memcpy(input->data + bytes.length, after.data, after.length);
    input->begin = 0;
    input->end = input->room = length;
    stream_drop_input(stream);
    stream->input = input;
    return 0;
}

/* The protocol has consumed the first @p consumed of @p bytes, which are either all that waits or borrowed. What it left
 * to a successor, that has not been offered yet: it has no limit. */
static void keep_rest(weft_stream *stream, weft_bytes bytes, size_t consumed, bool borrowed, bool left)
{
    weft_bytes rest = weft_bytes_skip(bytes, consumed);
    int status = 0;

    if (rest.length == 0) {
        if (stream->input)
            stream_drop_input(stream);
        return;
    }
    if (rest.length > stream->config->input_limit && !left && !(stream->flags & STREAM_PAUSED))
        status = WEFT_EINPUTLIMIT;
    else if (borrowed)
        status = keep(stream, rest);
    else
        stream->input->begin += consumed;
    if (status < 0)
        stream_doom(stream, status, true);
}

static void offer(weft_stream *stream, weft_bytes bytes, bool borrowed)
{
    weft_protocol *protocol = stream->protocol;
    size_t consumed = bytes.length;

    loop_calls(stream->loop, protocol->ops->name, (uintptr_t)protocol->ops->received);
    if (protocol->ops->received)
        consumed = protocol->ops->received(protocol, stream, bytes);
    if (stream->flags & (STREAM_DOOMED | STREAM_CLOSING)) {
        stream_drop_input(stream);
        return;
    }
    keep_rest(stream, bytes, consumed, borrowed, protocol != stream->protocol);
    if (protocol != stream->protocol && stream->input && !(stream->flags & (STREAM_PAUSED | STREAM_DOOMED))) {
        stream->flags |= STREAM_DELIVER;
        stream_schedule(stream);
    }
}

static void tell_end(weft_stream *stream)
{
    const weft_protocol_ops *ops = stream->protocol->ops;

    if (stream->flags & STREAM_BROKEN) {
        stream_doom(stream, stream->reason, true);
        return;
    }
    stream->flags |= STREAM_END_TOLD;
    if (stream->flags & STREAM_SHUT) {
        stream_doom(stream, WEFT_ECLOSED, false); /* both sides have ended */
        return;
    }
    if (!ops->ended) {
        weft_stream_close(stream);
        return;
    }
    loop_calls(stream->loop, ops->name, (uintptr_t)ops->ended);
    ops->ended(stream->protocol, stream);
    if (stream->flags & STREAM_END_TOLD)
        stream_drop_input(stream); /* it will not be completed; but a successor (set_protocol) may want it */
}

void stream_deliver(weft_stream *stream)
{
    stream->flags &= ~(uint32_t)STREAM_DELIVER;
    if (stream->flags & STREAM_PAUSED)
        return;
    if (stream->input)
        offer(stream, waiting(stream), false);
    if (stream->flags & (STREAM_END_TOLD | STREAM_PAUSED | STREAM_DOOMED | STREAM_CLOSING))
        return;
    if (stream->flags & STREAM_INPUT_ENDED)
        tell_end(stream);
    else
        stream->io.transport->receive_start(stream->loop->backend, &stream->io);
}

/* Our side has ended; the peer's last bytes are of no interest, only its end. */
static void linger(weft_stream *stream, weft_bytes bytes, int status)
{
    stream->lingered += (uint32_t)bytes.length;
    if (bytes.length > 0)
        PROBE("stream: bytes came after its close");
    if (bytes.length == 0 || status < 0 || stream->lingered > LINGER_BYTES)
        stream_doom(stream, WEFT_ECLOSED, false);
}

/* What `received` writes goes out as soon as it has returned, if it is little or lies in @p bytes. */
static void deliver_now(weft_stream *stream, weft_bytes bytes, bool borrowed)
{
    struct stream_borrow *borrow = &stream->loop->borrow;
    const struct backend_transport *transport = stream->io.transport;

    if (!transport->sends_at_once && !(borrowed && transport->sends_large_at_once)) {
        offer(stream, bytes, borrowed);
        return;
    }
    borrow->stream = stream;
    borrow->bytes = borrowed ? bytes : weft_bytes_of(NULL, 0);
    borrow->staged = 0;
    borrow->room = transport->sends_at_once ? stream_staging_room(stream) : 0;
    offer(stream, bytes, borrowed);
    borrow->stream = NULL;
    if (borrow->staged > 0 || borrow->owner.references > 1)
        stream_settle(stream);
}

/* It was on its way when we paused: at most one delivery. */
static __attribute__((noinline)) int keep_over_pause(weft_stream *stream, weft_bytes bytes)
{
    PROBE("stream: input kept over a pause");
    return keep(stream, bytes);
}

static void take(weft_stream *stream, weft_bytes bytes)
{
    int status = 0;

    if (stream->flags & STREAM_PAUSED) {
        status = keep_over_pause(stream, bytes);
    } else if (stream->input) {
        status = keep(stream, bytes);
        if (status == 0)
            deliver_now(stream, waiting(stream), false);
    } else {
        deliver_now(stream, bytes, true);
    }
    if (status < 0)
        stream_doom(stream, status, true);
}

/* (Apart, as what follows a pause is: most deliveries then need no more registers than they did.) */
static __attribute__((noinline)) void received_after_close(weft_stream *stream, weft_bytes bytes, int status)
{
    if (stream->flags & STREAM_LINGERING) {
        linger(stream, bytes, status);
    } else if (status < 0 && !weft_bytequeue_is_empty(&stream->output)) {
        PROBE("stream: broken while it was closing");
        stream_doom(stream, status, true); /* what was written cannot go out any more: this is why */
    }
}

void stream_received(struct backend_stream *io, weft_bytes bytes, int status)
{
    weft_stream *stream = weft_container_of(io, weft_stream, io);

    if (stream->flags & (STREAM_DOOMED | STREAM_LINGERING | STREAM_CLOSING)) {
        received_after_close(stream, bytes, status);
        return;
    }
    stream->active = stream_now(stream);
    if (bytes.length > 0) {
        take(stream, bytes);
    } else if (status < 0 && !stream_break(stream, status)) {
        stream_doom(stream, status, true);
    } else if (status < 0 && (stream->flags & STREAM_PAUSED)) {
        PROBE("stream: broken while it was held"); /* what had come is read when it goes on, and then the end */
    } else {
        stream->flags |= STREAM_INPUT_ENDED;
        if (!(stream->flags & (STREAM_PAUSED | STREAM_DELIVER))) /* what waits comes first */
            tell_end(stream);
    }
}
