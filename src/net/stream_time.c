/* SPDX-License-Identifier: MIT */
/*
 * A stream's deadlines: connecting, idle, write stall, lifetime, lingering and
 * the protocol's own, on one timer. Activity costs one store; the timer finds
 * out when it fires.
 */
#include "net/stream_internal.h"

#include "base/probe.h"

/* How long the peer may take to end after we have. */
#define LINGER_TICKS ((stream_ticks)(WEFT_SECONDS(2) >> TICK_SHIFT))

/* A send that has not completed for so long waits for its peer. */
#define MEASURE_TICKS ((stream_ticks)(WEFT_SECONDS(1) >> TICK_SHIFT))
#define MEASURE 1

/* The ticks that are left of @p limit since @p since: 0 if none, TICKS_NEVER if there is no limit. */
static stream_ticks left(stream_ticks now, stream_ticks since, stream_ticks limit)
{
    stream_ticks passed = now - since;

    if (limit == TICKS_NEVER)
        return TICKS_NEVER;
    return passed >= limit ? 0 : limit - passed;
}

static stream_ticks left_of_deadline(const weft_stream *stream, stream_ticks now)
{
    int32_t remaining = (int32_t)(stream->deadline - now);

    return remaining > 0 ? (stream_ticks)remaining : 0;
}

/* The deadline that is nearest: how far it is, and what it means. */
static stream_ticks nearest(const weft_stream *stream, int *ret_reason)
{
    const struct stream_config *config = stream->config;
    stream_ticks now = stream_now(stream), best = TICKS_NEVER;
    struct {
        bool applies;
        stream_ticks left;
        int reason;
    } all[] = {
        {(stream->flags & (STREAM_CONNECTING | STREAM_LAYERING)) == STREAM_CONNECTING,
         left(now, stream->opened, config->connect), WEFT_ECONNECTTIME},
        {stream->flags & STREAM_LAYERING, left(now, stream->opened, config->handshake), WEFT_EHANDSHAKETIME},
        {stream->flags & STREAM_LINGERING, left(now, stream->progress, LINGER_TICKS), WEFT_ECLOSED},
        {(stream->flags & (STREAM_SENDING | STREAM_BROKEN)) == STREAM_SENDING,
         left(now, stream->progress, config->write_stall), WEFT_EWRITESTALL},
        {(stream->flags & STREAM_SENDING) && stream->unconfirmed == STREAM_UNMEASURED,
         left(now, stream->progress, config->write_stall / 2 < MEASURE_TICKS ? config->write_stall / 2 : MEASURE_TICKS),
         MEASURE},
        {stream->flags & STREAM_HAS_DEADLINE, left_of_deadline(stream, now), 0},
        {stream->flags & STREAM_CONNECTED, left(now, stream->active, config->idle), WEFT_EIDLE},
        {stream->flags & STREAM_CONNECTED, left(now, stream->opened, config->lifetime), WEFT_ELIFETIME},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].applies || all[i].left >= best)
            continue;
        best = all[i].left;
        *ret_reason = all[i].reason;
    }
    return best;
}

void stream_arm(weft_stream *stream)
{
    int reason = 0;
    stream_ticks in = nearest(stream, &reason);
    weft_time due = in == TICKS_NEVER ? WEFT_NEVER : stream->loop->now + ((weft_time)in << TICK_SHIFT);

    if (due != WEFT_NEVER && (!wheel_entry_active(&stream->timer) || due < stream->timer.due))
        wheel_start(&stream->loop->wheel, &stream->timer, due);
}

static void call_deadline(weft_stream *stream)
{
    const weft_protocol_ops *ops = stream->protocol->ops;

    stream->flags &= ~(uint32_t)STREAM_HAS_DEADLINE;
    loop_calls(stream->loop, ops->name, (uintptr_t)ops->deadline);
    if (ops->deadline)
        ops->deadline(stream->protocol, stream);
}

int64_t weft_stream_unconfirmed(const weft_stream *stream)
{
    const struct backend_transport *transport = stream->io.transport;

    return transport->unconfirmed && !(stream->flags & STREAM_DOOMED) ? transport->unconfirmed(&stream->io) : -1;
}

uint32_t stream_unconfirmed(const weft_stream *stream)
{
    int64_t count = weft_stream_unconfirmed(stream);

    return count < 0 || count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* The system says that there is room only when there is much. A peer that is slow, but takes something, is no stall. */
static bool is_taking(weft_stream *stream)
{
    uint32_t before = stream->unconfirmed;

    stream->unconfirmed = stream_unconfirmed(stream);
    if (stream->unconfirmed >= before)
        return false;
    stream->progress = stream->active = stream_now(stream);
    return true;
}

void stream_timer_fired(weft_timer_entry *entry)
{
    weft_stream *stream = weft_container_of(entry, weft_stream, timer);
    int reason = 0;

    if (nearest(stream, &reason) > 0) {
        stream_arm(stream);
        return;
    }
    if (reason == MEASURE) {
        stream->unconfirmed = stream_unconfirmed(stream);
        stream_arm(stream);
        return;
    }
    if (reason == WEFT_EWRITESTALL && is_taking(stream)) {
        PROBE("stream: a peer that is slow takes something");
        stream_arm(stream);
        return;
    }
    if (reason != 0) {
        if (reason == WEFT_EWRITESTALL)
            PROBE("stream: a peer takes nothing any more");
        if (reason == WEFT_EIDLE)
            PROBE("stream: idle for too long");
        /* An end in the middle of what was written would look clean to the peer: that is a reset. */
        stream_doom(stream, reason, !weft_bytequeue_is_empty(&stream->output) || reason == WEFT_ECONNECTTIME);
        return;
    }
    call_deadline(stream);
    if (!(stream->flags & STREAM_DOOMED))
        stream_arm(stream);
}

void weft_stream_set_deadline(weft_stream *stream, weft_time delay)
{
    if (stream->flags & (STREAM_DOOMED | STREAM_CLOSING))
        return;
    if (delay == WEFT_NEVER) {
        stream->flags &= ~(uint32_t)STREAM_HAS_DEADLINE;
        return;
    }
    stream->flags |= STREAM_HAS_DEADLINE;
    stream->deadline = stream_now(stream) + stream_ticks_from(delay);
    stream_arm(stream);
}
