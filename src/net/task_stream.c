/* SPDX-License-Identifier: MIT */
/* The protocol of streams that tasks use (task_stream.h): what the loop tells it. */
#include "net/task_stream.h"

#include <weft/memory.h>

#include "base/probe.h"

#define KEPT_MOST ((size_t)64 * 1024)
/* Below this a copy costs less than to switch buffers. */
#define DIRECT_FROM 4096
/* Tasks of a loop that have a whole buffer of its backend (256 KiB). */
#define WHOLE_AT_ONCE 16

static void wake(weft_task *task)
{
    if (task)
        task_wake(task);
}

/* -- input -- */

/* Room for @p length bytes more, at the end. Nothing is lent. */
static bool make_room(struct task_stream *io, size_t length)
{
    size_t used = io->end - io->begin, room = io->room;
    char *data;

    if (io->room - io->end >= length)
        return true;
    if (io->begin > 0) {
        memmove(io->data, io->data + io->begin, used);
        io->begin = 0;
        io->end = used;
    }
    if (io->room - io->end >= length)
        return true;
    room = room * 2 > used + length ? room * 2 : used + length;
    data = weft_reallocate(io->data, room);
    if (!data)
        return false;
    io->data = data;
    io->room = room;
    return true;
}

static void forget_data(struct task_stream *io)
{
    io->data = NULL;
    io->room = io->begin = io->end = 0;
    if (io->whole)
        io->stream->loop->borrow.kept--;
    io->whole = false;
}

void task_stream_drop_data(struct task_stream *io)
{
    if (!io->direct)
        weft_release(io->data);
    forget_data(io);
}

bool task_stream_shrink(struct task_stream *io)
{
    size_t length = io->end - io->begin;
    char *data = length <= KEPT_MOST ? weft_allocate(length) : NULL;

    if (!data)
        return false;
    memcpy(data, io->data + io->begin, length);
    task_stream_drop_data(io);
    io->data = data;
    io->room = io->end = length;
    return true;
}

/* The task waits, and has some of the loop's own buffer still to read, or was lent it: that must not move. */
static void keep_direct(struct task_stream *io)
{
    if (io->lent == 0 && task_stream_shrink(io))
        return;
    io->stream->io.transport->keep(io->stream->loop->backend);
    io->stream->loop->borrow.kept++;
    io->whole = true;
}

static void pause_input(struct task_stream *io)
{
    io->paused = true;
    stream_hold(io->stream);
}

/*
 * A large delivery is not copied: the reader runs at once and reads it where
 * it lies. If it still has some of it when it waits for something else, the
 * memory is taken from the loop, which has other memory for the next. That is
 * much for a few bytes, so only so many tasks of a loop may have it at once.
 */
static bool lend_directly(struct task_stream *io, weft_bytes in)
{
    const struct stream_borrow *borrow = &io->stream->loop->borrow;
    struct backend *backend = io->stream->loop->backend;
    const struct backend_transport *transport = io->stream->io.transport;

    if (in.length < DIRECT_FROM || borrow->kept >= WHOLE_AT_ONCE || io->data || !io->reader ||
        borrow->stream != io->stream || borrow->bytes.data != in.data || !transport->may_keep ||
        !transport->may_keep(backend))
        return false;
    io->data = (char *)(uintptr_t)in.data;
    io->room = io->end = in.length;
    io->direct = true;
    if (!task_run_now(io->reader)) {
        forget_data(io);
        io->direct = false;
        return false;
    }
    if (io->data)
        keep_direct(io);
    io->direct = false;
    return true;
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);
    size_t used = io->end - io->begin, take = in.length;
    size_t room = io->limit > used ? io->limit - used : 0;

    (void)stream;
    if (lend_directly(io, in))
        return in.length - io->left;
    wake(io->reader);
    if (io->lent > 0) { /* what is lent must not move */
        PROBE("task stream: input came while some was lent");
        pause_input(io);
        return 0;
    }
    if (take > room) {
        pause_input(io);
        take = room;
    }
    if (!make_room(io, take)) {
        PROBE("task stream: no memory for input");
        io->starved = true;
        pause_input(io);
        return 0;
    }
    memcpy(io->data + io->end, in.data, take);
    io->end += take;
    return take;
}

static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);

    (void)stream;
    io->ended = true;
    wake(io->reader);
}

/* The listener stops: whoever waits for something new is told that nothing more will come. */
static void draining(weft_protocol *protocol, weft_stream *stream)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);

    (void)stream;
    io->draining = true;
    wake(io->reader);
}

/* -- output -- */

static void drained(weft_protocol *protocol, weft_stream *stream)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);

    (void)stream;
    io->full = false;
    wake(io->writer);
}

/* -- life -- */

static void destroy(struct task_stream *io)
{
    task_stream_drop_data(io);
    weft_stream_unref(io->stream);
    weft_release(io);
}

static void reap(struct loop_task *task)
{
    destroy(weft_container_of(task, struct task_stream, reap));
}

/* At the end of the turn: a task that has just gone on still looks at it. */
static void free_if_over(struct task_stream *io)
{
    if (!io->orphan || io->reason == 0 || io->waits > 0 || io->reap.run)
        return;
    io->reap.run = reap;
    loop_reap(io->stream->loop, &io->reap);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);

    (void)stream;
    io->connected = true;
    wake(io->life);
    if (io->on_connected)
        io->on_connected(io);
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct task_stream *io = weft_container_of(protocol, struct task_stream, protocol);

    (void)stream;
    io->reason = reason;
    wake(io->life);
    wake(io->reader);
    wake(io->writer);
    if (io->on_lost)
        io->on_lost(io);
    free_if_over(io);
}

static WEFT_PROTOCOL(task_stream_ops, "task", "a parked stack cannot be frozen", .connected = connected,
                     .received = received, .drained = drained, .ended = ended, .draining = draining, .lost = lost);

struct task_stream *task_stream_new(void)
{
    struct task_stream *io = weft_allocate_zeroed(1, sizeof *io);

    if (io) {
        io->protocol.ops = &task_stream_ops;
        io->limit = RARE("task stream: keep little") ? 64 : KEPT_MOST;
        weft_link_init(&io->member.link);
        weft_link_init(&io->link);
    }
    return io;
}

void task_stream_discard(struct task_stream *io)
{
    scope_leave(&io->member);
    weft_release(io->data);
    weft_release(io);
}

void task_stream_bind(struct task_stream *io, weft_stream *stream)
{
    io->stream = weft_stream_ref(stream);
}

void task_stream_orphan(struct task_stream *io)
{
    if (io->orphan)
        return;
    scope_leave(&io->member);
    weft_link_remove(&io->link);
    io->orphan = true;
    io->on_lost = NULL;
    if (io->reason == 0)
        weft_stream_close(io->stream);
    free_if_over(io);
}

/* Who still waits on it is woken; what it had goes where the stream's own input is, or, inside `received`, stays there. */
int task_stream_hand_over(weft_protocol *former)
{
    struct task_stream *io =
        former->ops == &task_stream_ops ? weft_container_of(former, struct task_stream, protocol) : NULL;
    bool ends;
    int status = 0;

    if (!io)
        return 0;
    ends = (io->stream->flags & (STREAM_DOOMED | STREAM_CLOSING)) != 0;
    io->begin += io->lent;
    io->lent = 0;
    if (io->direct)
        io->left = io->end - io->begin;
    else if (!ends && io->end > io->begin)
        status = stream_put_back(io->stream, weft_bytes_of(io->data + io->begin, io->end - io->begin));
    task_stream_drop_data(io);
    if (io->paused)
        stream_go_on(io->stream);
    io->reason = -EINVAL; /* it is nobody's way to the stream any more */
    io->orphan = true;
    scope_leave(&io->member);
    io->stream->flags &= ~(uint32_t)STREAM_GRACEFUL;
    wake(io->life);
    wake(io->reader);
    wake(io->writer);
    free_if_over(io);
    return status;
}

/* Its scope has ended: a scope that merely closes lets go out what was written. */
static void scope_ended(weft_scope_member *member, int reason)
{
    struct task_stream *io = weft_container_of(member, struct task_stream, member);

    if (member->scope->closing)
        task_stream_orphan(io);
    else if (reason < 0 && io->reason == 0)
        weft_stream_abort(io->stream);
}

static const struct scope_member_class task_stream_class = {.kind = "task stream", .idle = true, .cancel = scope_ended};

int task_stream_join(struct task_stream *io, weft_scope *scope)
{
    return scope_join(scope, &io->member, &task_stream_class);
}

int task_stream_move(struct task_stream *io, weft_scope *scope)
{
    int status = scope ? weft_scope_cancelled(scope) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    scope_leave(&io->member);
    return task_stream_join(io, scope);
}

struct task_stream *task_stream_of(weft_stream *stream)
{
    weft_protocol *protocol = weft_stream_protocol(stream);

    return protocol->ops == &task_stream_ops ? weft_container_of(protocol, struct task_stream, protocol) : NULL;
}

int task_stream_wait(struct task_stream *io, weft_task *task, weft_task **slot, const char *what, weft_place place)
{
    int status = task_reason(task);

    if (status < 0)
        return status;
    if (*slot)
        return -EBUSY;
    *slot = task;
    io->waits++;
    task_park(task, what, "a stream", place);
    io->waits--;
    *slot = NULL;
    free_if_over(io);
    return task_reason(task);
}
