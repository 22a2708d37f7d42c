/* SPDX-License-Identifier: MIT */
/* Reading, writing and closing in a task (weft/task_stream.h). */
#include "net/task_stream.h"

#include <limits.h>

#include <weft/memory.h>

#include "net/stream_internal.h"

/* The task that may use @p stream now, and its protocol. Returns 0, WEFT_ENOTASK or -EINVAL. */
static int begin(weft_stream *stream, const char *call, weft_place place, struct task_stream **ret_io,
                 weft_task **ret_task)
{
    *ret_task = task_that_waits(call, place);
    if (!*ret_task)
        return WEFT_ENOTASK;
    if (task_reason(*ret_task) < 0)
        return task_reason(*ret_task); /* a task that was cancelled may have a stream that is gone: it is not touched */
    *ret_io = task_stream_of(stream);
    return *ret_io ? 0 : -EINVAL;
}

/* The same for one that is to read: -EBUSY, too, if another task does. */
static int begin_read(weft_stream *stream, const char *call, weft_place place, struct task_stream **ret_io,
                      weft_task **ret_task)
{
    int status = begin(stream, call, place, ret_io, ret_task);

    return status == 0 && (*ret_io)->reader ? -EBUSY : status;
}

static size_t unread(const struct task_stream *io)
{
    return io->end - io->begin;
}

/* The reader gives back what it had. */
static void give_back(struct task_stream *io)
{
    io->begin += io->lent;
    io->lent = 0;
    if (io->begin == io->end) {
        task_stream_drop_data(io);
    } else if (io->whole) {
        task_stream_shrink(io);
    }
}

/* Waits for more than is there. Returns 0 after something has happened; WEFT_EENDED if nothing more will come; the
 * reason for which the stream was lost or the task must not wait; WEFT_ENOMEM if what came found no room. */
static int wait_for_more(struct task_stream *io, weft_task *task, weft_place place)
{
    int status;

    if (io->ended || io->reason == WEFT_ECLOSED || (io->draining && unread(io) == 0 && !io->paused))
        return WEFT_EENDED;
    if (io->reason < 0)
        return io->reason;
    if (io->paused) {
        io->paused = false;
        stream_go_on(io->stream);
    }
    io->starved = false;
    status = task_stream_wait(io, task, &io->reader, "input", place);
    return status == 0 && io->starved ? WEFT_ENOMEM : status;
}

static int lend(struct task_stream *io, size_t length, weft_bytes *ret)
{
    if (length > INT_MAX)
        length = INT_MAX;
    io->lent = length;
    *ret = weft_bytes_of(io->data + io->begin, length);
    return (int)length;
}

/* What a read for a part of known form returns when no more will come. */
static int incomplete(const struct task_stream *io, int status)
{
    if (status != WEFT_EENDED)
        return status;
    return unread(io) > 0 ? WEFT_ETRUNCATED : 0;
}

int weft_task_read(weft_stream *stream, weft_bytes *ret, weft_place place)
{
    struct task_stream *io;
    weft_task *task;
    int status = begin_read(stream, "weft_read", place, &io, &task);

    if (status < 0)
        return status;
    give_back(io);
    while (unread(io) == 0) {
        status = wait_for_more(io, task, place);
        if (status < 0)
            return status == WEFT_EENDED ? 0 : status;
    }
    return lend(io, unread(io), ret);
}

int weft_task_read_exactly(weft_stream *stream, size_t length, weft_bytes *ret, weft_place place)
{
    struct task_stream *io;
    weft_task *task;
    size_t limit;
    int status = begin_read(stream, "weft_read_exactly", place, &io, &task);

    if (status < 0 || length == 0 || length > INT_MAX)
        return status < 0 ? status : -EINVAL;
    give_back(io);
    limit = io->limit;
    io->limit = length > limit ? length : limit;
    while (status == 0 && unread(io) < length)
        status = wait_for_more(io, task, place);
    io->limit = limit;
    return status < 0 ? incomplete(io, status) : lend(io, length, ret);
}

/* The length up to and with the first @p delimiter; 0 if it is not there. @p from: where to begin, moved on. */
static size_t find(const struct task_stream *io, weft_bytes delimiter, size_t *from)
{
    const char *data, *found;

    if (unread(io) < delimiter.length)
        return 0;
    data = io->data + io->begin;
    found = memmem(data + *from, unread(io) - *from, delimiter.data, delimiter.length);
    if (found)
        return (size_t)(found - data) + delimiter.length;
    *from = unread(io) - (delimiter.length - 1);
    return 0;
}

int weft_task_read_until(weft_stream *stream, weft_bytes delimiter, size_t limit, weft_bytes *ret, weft_place place)
{
    struct task_stream *io;
    weft_task *task;
    size_t from = 0, found, before;
    int status = begin_read(stream, "weft_read_until", place, &io, &task);

    if (status < 0 || delimiter.length == 0 || limit > INT_MAX)
        return status < 0 ? status : -EINVAL;
    give_back(io);
    before = io->limit;
    io->limit = limit > before ? limit : before;
    while ((found = find(io, delimiter, &from)) == 0 && status == 0)
        status = unread(io) >= limit ? WEFT_EINPUTLIMIT : wait_for_more(io, task, place);
    io->limit = before;
    if (found > limit)
        return WEFT_EINPUTLIMIT;
    return found ? lend(io, found, ret) : incomplete(io, status);
}

int weft_task_write(weft_stream *stream, weft_bytes bytes, weft_place place)
{
    struct task_stream *io;
    weft_task *task;
    int status = begin(stream, "weft_write", place, &io, &task);

    if (status == 0)
        status = task_reason(task);
    if (status == 0 && io->writer)
        status = -EBUSY;
    if (status < 0 || io->reason < 0)
        return status < 0 ? status : io->reason;
    if (bytes.length <= STREAM_STAGE)
        stream_stage_for_task(stream);
    status = weft_stream_write(stream, bytes);
    if (status == WEFT_EENDED && (stream->flags & (STREAM_DOOMED | STREAM_BROKEN)))
        return stream->reason; /* `lost` is still to be told, and would say the same */
    if (status <= 0)
        return status;
    io->full = true;
    while (io->full) {
        status = task_stream_wait(io, task, &io->writer, "output", place);
        if (status < 0 || io->reason < 0)
            return status < 0 ? status : io->reason;
    }
    return stream->flags & STREAM_BROKEN ? stream->reason : 0;
}

int weft_task_close(weft_stream *stream, weft_place place)
{
    struct task_stream *io;
    weft_task *task;
    int status = begin(stream, "weft_close", place, &io, &task);

    if (status < 0)
        return status;
    if (io->reason == 0)
        weft_stream_close(stream);
    while (status == 0 && io->reason == 0)
        status = task_stream_wait(io, task, &io->life, "the end", place);
    if (status < 0)
        return status;
    return io->reason == WEFT_ECLOSED ? 0 : io->reason;
}

int weft_task_connect(weft_scope *scope, const char *url, const weft_stream_options *options, weft_stream **ret_stream,
                      weft_place place)
{
    weft_task *task = task_that_waits("weft_connect", place);
    int status = task ? task_reason(task) : WEFT_ENOTASK;
    weft_url_error where;
    struct task_stream *io;
    weft_stream *stream;

    if (status < 0)
        return status;
    io = task_stream_new();
    if (!io)
        return WEFT_ENOMEM;
    status = task_stream_join(io, scope);
    if (status == 0)
        status = weft_stream_connect(scope, url, &io->protocol, options, &stream, &where);
    if (status < 0) {
        task_stream_discard(io);
        return status;
    }
    task_stream_bind(io, stream);
    while (status == 0 && !io->connected && io->reason == 0)
        status = task_stream_wait(io, task, &io->life, "a connection", place);
    if (status == 0 && !io->connected)
        status = io->reason;
    if (status < 0) {
        if (io->reason == 0)
            weft_stream_abort(stream);
        task_stream_orphan(io);
        return status;
    }
    stream->flags |= STREAM_GRACEFUL;
    *ret_stream = stream;
    return 0;
}
