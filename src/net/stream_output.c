/* SPDX-License-Identifier: MIT */
/*
 * A stream's output: what is written in a turn is queued, and sent at its end
 * with one gathering call (and one more for a stretch of a file behind it).
 */
#include "net/stream_internal.h"

#include <errno.h>

#include "backend/file.h"
#include "base/probe.h"
#include "net/layer.h"

/* How much of a file one turn sends, so that the other streams have their turn. */
#define FILE_STRETCH (1024 * 1024)
/* Stretches of files that wait at once: each holds its file open. */
#define FILES_MOST 64
/* A shorter piece is copied faster than it is kept track of. */
#define WORTH_BORROWING BACKEND_LARGE

/* Bytes that are staged for @p stream. */
static size_t staged(const weft_stream *stream)
{
    const struct stream_borrow *borrow = &stream->loop->borrow;

    return borrow->stream == stream ? borrow->staged : 0;
}

/* Whether @p stream can be written to, and @p length more bytes fit. */
static int may_write(const weft_stream *stream, size_t length)
{
    size_t limit = stream->config->output_limit, queued = weft_stream_queued(stream);

    if (stream->flags & (STREAM_DOOMED | STREAM_BROKEN | STREAM_CLOSING | STREAM_ENDING))
        return WEFT_EENDED;
    if (stream->flags & STREAM_STARTING)
        return -EBUSY;
    if (length > limit || queued > limit - length)
        return WEFT_EOUTPUTLIMIT;
    return 0;
}

/* Something was queued: it is sent at the end of the turn. */
static int queued(weft_stream *stream)
{
    stream->flags |= STREAM_DIRTY;
    if (!(stream->flags & (STREAM_SENDING | STREAM_CONNECTING)))
        stream_schedule(stream);
    if (weft_bytequeue_length(&stream->output) > stream->config->high_water)
        stream->flags |= STREAM_OVER_HIGH;
    if (stream->flags & STREAM_OVER_HIGH)
        stream->flags &= ~(uint32_t)STREAM_DRAINED; /* it is above the mark again before that could be said */
    return (stream->flags & STREAM_OVER_HIGH) != 0;
}

/* What a send did: with less than all, the backend owes a `sent`. What its peer has not confirmed is measured later: now
 * it is not even sent, or on its way to a system that confirms what it had room for anyhow. */
static void note_short(weft_stream *stream)
{
    stream->flags |= STREAM_SENDING | STREAM_DIRTY;
    stream->progress = stream_now(stream);
    stream->unconfirmed = STREAM_UNMEASURED;
    stream_arm(stream);
}

/* A large piece of the very bytes that are being delivered on this stream (an echo) is queued by reference: it is sent
 * as soon as `received` has returned, and what does not go out then is copied (settle_borrowed). */
static bool is_borrowed(const weft_stream *stream, weft_bytes bytes)
{
    const struct stream_borrow *borrow = &stream->loop->borrow;

    return bytes.length >= WORTH_BORROWING && borrow->stream == stream && bytes.length <= borrow->bytes.length &&
           bytes.data >= borrow->bytes.data && bytes.data + bytes.length <= borrow->bytes.data + borrow->bytes.length;
}

/* Most of what is written answers what is being delivered, and is short: until `received` returns it is only gathered.
 * What the room is, is such that no mark and no limit is passed. */
static bool stage(weft_stream *stream, weft_bytes bytes)
{
    struct stream_borrow *borrow = &stream->loop->borrow;

    if (borrow->stream != stream || bytes.length > borrow->room || bytes.length == 0 ||
        (stream->flags & (STREAM_DOOMED | STREAM_BROKEN | STREAM_CLOSING | STREAM_ENDING | STREAM_STARTING)))
        return false;
    memcpy(borrow->stage + borrow->staged, bytes.data, bytes.length);
    borrow->staged += bytes.length;
    borrow->room -= bytes.length;
    return true;
}

size_t stream_staging_room(const weft_stream *stream)
{
    size_t room = stream->loop->bounds.stage;

    if (!weft_bytequeue_is_empty(&stream->output) || (stream->flags & (STREAM_SENDING | STREAM_OVER_HIGH)) ||
        stream_has_attempted(stream))
        return 0;
    if (room > stream->config->high_water)
        room = stream->config->high_water;
    return room > stream->config->output_limit ? stream->config->output_limit : room;
}

/* What was staged goes to the queue, for something comes behind it that is not. If memory is short it stays. */
static int unstage(weft_stream *stream)
{
    struct stream_borrow *borrow = &stream->loop->borrow;
    int status;

    if (staged(stream) == 0) {
        stream_stage_no_more(stream);
        return 0;
    }
    status = weft_bytequeue_append(&stream->output, stream->loop->chunks, weft_bytes_of(borrow->stage, borrow->staged));
    if (status < 0)
        return status;
    borrow->staged = borrow->room = 0;
    (void)queued(stream);
    return 0;
}

/* Before something is queued. */
static int begin_write(weft_stream *stream, size_t length)
{
    int status = may_write(stream, length);

    return status < 0 ? status : unstage(stream);
}

/* Queues @p bytes, which are being delivered. If they are the last of these and above the mark, there is nothing to
 * gather them with: they are sent now, so that a writer need not wait, and keep them, for what the peer takes at once. */
static int write_borrowed(weft_stream *stream, weft_bytes bytes)
{
    const struct stream_borrow *borrow = &stream->loop->borrow;
    bool last = bytes.data + bytes.length == borrow->bytes.data + borrow->bytes.length;
    int status = weft_bytequeue_append_owned(&stream->output, stream->loop->chunks, bytes, &stream->loop->borrow.owner);

    if (status < 0)
        return status;
    weft_owner_ref(&stream->loop->borrow.owner); /* the queue's; it is never the last */
    if (!last || weft_bytequeue_length(&stream->output) <= stream->config->high_water ||
        (stream->flags & (STREAM_SENDING | STREAM_OVER_HIGH)))
        return queued(stream);
    stream->attempted = (uint32_t)stream->loop->turn;
    stream_flush(stream);
    return weft_bytequeue_is_empty(&stream->output) || (stream->flags & STREAM_BROKEN) ? 0 : queued(stream);
}

int weft_stream_write(weft_stream *stream, weft_bytes bytes)
{
    int status;

    if (stage(stream, bytes))
        return 0;
    status = begin_write(stream, bytes.length);
    if (status == 0 && is_borrowed(stream, bytes))
        return write_borrowed(stream, bytes);
    if (status == 0 && bytes.length > 0)
        status = weft_bytequeue_append(&stream->output, stream->loop->chunks, bytes);
    return status < 0 ? status : queued(stream);
}

int weft_stream_write_owned(weft_stream *stream, weft_bytes bytes, weft_owner *owner)
{
    int status = begin_write(stream, bytes.length);

    if (status == 0)
        status = weft_bytequeue_append_owned(&stream->output, stream->loop->chunks, bytes, owner);
    return status < 0 ? status : queued(stream);
}

int weft_stream_write_file(weft_stream *stream, weft_file *file, uint64_t offset, uint64_t length)
{
    weft_owner *owner = file_owner(file);
    int status = begin_write(stream, 0);

    if (status < 0)
        return status;
    if (length == 0)
        return queued(stream);
    if (weft_bytequeue_opaque_count(&stream->output) >= FILES_MOST)
        return WEFT_EOUTPUTLIMIT;
    status = weft_bytequeue_append_opaque(&stream->output, stream->loop->chunks, owner, offset, length);
    if (status < 0)
        return status;
    weft_owner_ref(owner);
    stream->flags |= STREAM_OVER_HIGH;
    return queued(stream);
}

size_t weft_stream_queued(const weft_stream *stream)
{
    return weft_bytequeue_length(&stream->output) + staged(stream);
}

/* -- sending -- */

static int64_t send_runs(weft_stream *stream, uint64_t *ret_wanted)
{
    weft_bytes runs[BACKEND_RUNS];
    size_t count = weft_bytequeue_peek(&stream->output, runs, stream->loop->bounds.runs);
    uint64_t wanted = 0;
    bool more;

    for (size_t i = 0; i < count; i++)
        wanted += runs[i].length;
    /* A stretch of a file comes next, and its first bytes may share our last packet. (OVER_HIGH is set with it.) */
    more = (stream->flags & STREAM_OVER_HIGH) && wanted == weft_bytequeue_length(&stream->output) &&
           weft_bytequeue_opaque_count(&stream->output) > 0;
    *ret_wanted = wanted;
    return stream->io.transport->send(stream->loop->backend, &stream->io, runs, count, more);
}

static int64_t send_stretch(weft_stream *stream, weft_owner *owner, uint64_t offset, uint64_t length,
                            uint64_t *ret_wanted)
{
    *ret_wanted = length < FILE_STRETCH ? length : FILE_STRETCH;
    return stream->io.transport->send_file(stream->loop->backend, &stream->io, file_of_owner(owner), offset,
                                           *ret_wanted, length > FILE_STRETCH);
}

/* A peer that breaks the connection may have said why before: an answer to a request that it did not want to read to the
 * end, say. */
static void send_failed(weft_stream *stream, int error)
{
    const struct backend_transport *transport = stream->io.transport;

    if (!transport->broken || (error != -ECONNRESET && error != -EPIPE) || !stream_break(stream, error))
        stream_doom(stream, error, true);
    else
        transport->broken(stream->loop->backend, &stream->io);
}

/* One attempt. Returns whether there may be another in this turn. */
static bool send_once(weft_stream *stream)
{
    weft_owner *owner;
    uint64_t offset, length, wanted;
    int64_t sent;

    if (weft_bytequeue_peek_opaque(&stream->output, &owner, &offset, &length))
        sent = send_stretch(stream, owner, offset, length, &wanted);
    else
        sent = send_runs(stream, &wanted);
    if (sent < 0 && sent != BACKEND_LATER) {
        send_failed(stream, (int)sent);
        return false;
    }
    if (sent > 0) {
        weft_bytequeue_consume(&stream->output, stream->loop->chunks, (uint64_t)sent);
        stream->active = stream_now(stream);
    }
    if (sent != BACKEND_LATER && (uint64_t)sent == wanted)
        return true;
    note_short(stream);
    return false;
}

/* Our side is done: end it, and wait for the peer's end if that has not come. */
static void finish_close(weft_stream *stream)
{
    struct backend *backend = stream->loop->backend;
    int status = 0;

    stream_drop_input(stream);
    /* (Without layers, closing tells a peer that has ended already all that there is to tell.) */
    if (!(stream->flags & STREAM_SHUT) && (stream->layers || !(stream->flags & STREAM_INPUT_ENDED)))
        status = stream->io.transport->shutdown(backend, &stream->io);
    if (status == BACKEND_LATER) {
        note_short(stream); /* a layer's last words: this is called again when they have gone out */
        return;
    }
    if (status < 0 || (stream->flags & STREAM_INPUT_ENDED)) {
        stream_doom(stream, WEFT_ECLOSED, false);
        return;
    }
    stream->flags |= STREAM_SHUT | STREAM_LINGERING;
    stream->progress = stream_now(stream);
    stream->io.transport->receive_start(backend, &stream->io);
    stream_arm(stream);
}

static void finish_end(weft_stream *stream)
{
    int status = stream->io.transport->shutdown(stream->loop->backend, &stream->io);

    if (status == BACKEND_LATER) {
        note_short(stream);
        return;
    }
    if (status == -ENOTCONN)
        return; /* it is broken, and why is still to be told: that will be the reason */
    stream->flags |= STREAM_SHUT;
    if (status < 0)
        stream_doom(stream, status, true);
    else if (stream->flags & STREAM_END_TOLD)
        stream_doom(stream, WEFT_ECLOSED, false); /* both sides have ended */
}

/* The queue is empty. */
static void all_sent(weft_stream *stream)
{
    if (stream->flags & STREAM_CLOSING)
        finish_close(stream);
    else if (stream->flags & STREAM_STARTING)
        layers_switch(stream);
    else if ((stream->flags & (STREAM_ENDING | STREAM_SHUT)) == STREAM_ENDING)
        finish_end(stream);
}

static void check_drained(weft_stream *stream)
{
    if ((stream->flags & (STREAM_OVER_HIGH | STREAM_CLOSING)) != STREAM_OVER_HIGH ||
        weft_bytequeue_opaque_count(&stream->output) > 0 ||
        weft_bytequeue_length(&stream->output) > stream->config->low_water)
        return;
    stream->flags &= ~(uint32_t)STREAM_OVER_HIGH;
    stream->flags |= STREAM_DRAINED; /* the task is queued again for it */
}

void stream_flush(weft_stream *stream)
{
    bool more = true;

    if (stream->flags & (STREAM_CONNECTING | STREAM_LINGERING))
        return;
    stream->flags &= ~(uint32_t)STREAM_DIRTY;
    if (stream->flags & STREAM_BROKEN)
        return;
    for (unsigned sends = 0; more && sends < stream->loop->bounds.sends && !weft_bytequeue_is_empty(&stream->output);
         sends++)
        more = send_once(stream);
    if (stream->flags & (STREAM_DOOMED | STREAM_BROKEN))
        return;
    check_drained(stream);
    if (weft_bytequeue_is_empty(&stream->output))
        all_sent(stream);
    else
        stream->flags |= STREAM_DIRTY;
}

/* The one attempt for what was staged; nothing else is queued. */
static void send_staged(weft_stream *stream, weft_bytes bytes)
{
    int64_t sent = stream->io.transport->send(stream->loop->backend, &stream->io, &bytes, 1, false);
    int status;

    stream->attempted = (uint32_t)stream->loop->turn;
    if (sent > 0)
        stream->active = stream_now(stream);
    if (sent == (int64_t)bytes.length) {
        if (stream->flags & STREAM_DIRTY)
            stream_flush(stream); /* it was closed or ended behind what was written */
        return;
    }
    PROBE("stream: what was staged did not go out at once");
    if (sent > 0)
        bytes = weft_bytes_skip(bytes, (size_t)sent);
    status = weft_bytequeue_append(&stream->output, stream->loop->chunks, bytes);
    if (sent < 0 && sent != BACKEND_LATER)
        send_failed(stream, (int)sent);
    else if (status < 0)
        stream_doom(stream, status, true);
    else
        note_short(stream);
}

static __attribute__((noinline)) void settle_borrowed(weft_stream *stream)
{
    weft_owner *owner = &stream->loop->borrow.owner;

    if (!(stream->flags & STREAM_SENDING) && !stream_has_attempted(stream) && !RARE("stream: copy what was lent")) {
        stream->attempted = (uint32_t)stream->loop->turn;
        stream_flush(stream);
        stream_schedule(stream);
    }
    if (owner->references == 1 || (stream->flags & STREAM_DOOMED))
        return;
    PROBE("stream: what was lent had to be copied");
    if (weft_bytequeue_disown(&stream->output, stream->loop->chunks, owner) < 0)
        stream_doom(stream, WEFT_ENOMEM, true);
}

void stream_settle(weft_stream *stream)
{
    struct stream_borrow *borrow = &stream->loop->borrow;

    if (stream->flags & STREAM_DOOMED)
        return;
    if (borrow->staged > 0)
        send_staged(stream, weft_bytes_of(borrow->stage, borrow->staged));
    else if (borrow->owner.references > 1)
        settle_borrowed(stream);
}

static void task_waits(weft_loop *loop)
{
    struct stream_borrow *borrow = &loop->borrow;
    weft_stream *stream = (weft_stream *)(uintptr_t)borrow->stream;

    borrow->task_waits = NULL;
    borrow->stream = NULL;
    if (borrow->staged > 0)
        stream_settle(stream);
}

void stream_stage_for_task(weft_stream *stream)
{
    struct stream_borrow *borrow = &stream->loop->borrow;
    size_t room;

    if (borrow->stream || !stream->io.transport->sends_at_once ||
        (stream->flags & (STREAM_CONNECTING | STREAM_OPEN_DUE)))
        return;
    room = stream_staging_room(stream);
    if (room == 0)
        return;
    borrow->stream = stream;
    borrow->bytes = weft_bytes_of(NULL, 0);
    borrow->staged = 0;
    borrow->room = room;
    borrow->task_waits = task_waits;
}

void stream_sent(struct backend_stream *io, int64_t result)
{
    weft_stream *stream = weft_container_of(io, weft_stream, io);

    stream->flags &= ~(uint32_t)STREAM_SENDING;
    if (stream->flags & STREAM_DOOMED)
        return;
    if (result < 0) {
        send_failed(stream, (int)result);
        return;
    }
    if (result > 0) {
        weft_bytequeue_consume(&stream->output, stream->loop->chunks, (uint64_t)result);
        stream->active = stream_now(stream);
    }
    stream->flags |= STREAM_DIRTY;
    stream_schedule(stream);
}
