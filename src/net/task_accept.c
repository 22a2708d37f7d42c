/* SPDX-License-Identifier: MIT */
/* Connections that wait for a task to accept them (weft_accept). */
#include <weft/memory.h>

#include "net/task_stream.h"

/* More than these are refused. */
#define WAITING_MOST 64

struct weft_acceptor {
    weft_factory factory;
    weft_scope_member member;
    weft_listener *listener;
    weft_link waiting; /* task streams, oldest first */
    unsigned count;
    weft_task *accepting;
    bool stopped; /* the listener has */
    bool orphan;  /* its scope is gone */
};

static void free_if_over(weft_acceptor *acceptor)
{
    if (acceptor->stopped && acceptor->orphan && !acceptor->accepting)
        weft_release(acceptor);
}

static void leave_queue(struct task_stream *io)
{
    weft_acceptor *acceptor = io->owner;

    weft_link_remove(&io->link);
    io->on_lost = NULL;
    acceptor->count--;
}

static bool is_worth_having(const struct task_stream *io)
{
    return io->reason == 0 || io->end > io->begin;
}

/* A connection that was lost before anybody accepted it, and left nothing to be read, is forgotten. */
static void lost(struct task_stream *io)
{
    if (is_worth_having(io))
        return;
    leave_queue(io);
    task_stream_orphan(io);
}

static struct task_stream *next_waiting(weft_acceptor *acceptor)
{
    while (!weft_link_is_alone(&acceptor->waiting)) {
        struct task_stream *io = weft_container_of(acceptor->waiting.next, struct task_stream, link);
        leave_queue(io);
        if (is_worth_having(io))
            return io;
        task_stream_orphan(io);
    }
    return NULL;
}

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    weft_acceptor *acceptor = weft_container_of(factory, weft_acceptor, factory);
    struct task_stream *io = acceptor->count < WAITING_MOST && !acceptor->orphan ? task_stream_new() : NULL;

    if (!io)
        return NULL;
    if (task_stream_join(io, acceptor->member.scope) < 0) {
        task_stream_discard(io);
        return NULL;
    }
    task_stream_bind(io, stream);
    io->owner = acceptor;
    io->on_lost = lost;
    weft_link_insert_before(&acceptor->waiting, &io->link);
    acceptor->count++;
    if (acceptor->accepting)
        task_wake(acceptor->accepting);
    return &io->protocol;
}

static void stopped(weft_factory *factory, size_t drained, size_t aborted)
{
    weft_acceptor *acceptor = weft_container_of(factory, weft_acceptor, factory);

    (void)drained;
    (void)aborted;
    acceptor->stopped = true;
    acceptor->listener = NULL;
    if (acceptor->accepting)
        task_wake(acceptor->accepting);
    free_if_over(acceptor);
}

static const weft_factory_ops acceptor_ops = {.build = build, .stopped = stopped};

static void scope_ended(weft_scope_member *member, int reason)
{
    weft_acceptor *acceptor = weft_container_of(member, weft_acceptor, member);

    (void)reason;
    if (!member->scope->closing)
        return;
    scope_leave(member);
    acceptor->orphan = true;
    if (acceptor->accepting)
        task_wake(acceptor->accepting);
    free_if_over(acceptor);
}

static const struct scope_member_class acceptor_class = {.kind = "acceptor", .idle = true, .cancel = scope_ended};

int weft_acceptor_open(weft_scope *scope, const char *url, const weft_listen_options *options,
                       weft_acceptor **ret_acceptor, weft_url_error *ret_error)
{
    weft_acceptor *acceptor = weft_allocate_zeroed(1, sizeof *acceptor);
    int status = acceptor ? scope_join(scope, &acceptor->member, &acceptor_class) : WEFT_ENOMEM;

    if (status == 0) {
        acceptor->factory.ops = &acceptor_ops;
        weft_link_init(&acceptor->waiting);
        status = weft_listen(scope, url, &acceptor->factory, options, &acceptor->listener, ret_error);
        if (status < 0)
            scope_leave(&acceptor->member);
    }
    if (status < 0) {
        weft_release(acceptor);
        return status;
    }
    *ret_acceptor = acceptor;
    return 0;
}

weft_listener *weft_acceptor_listener(const weft_acceptor *acceptor)
{
    return acceptor->listener;
}

/* Waits for a connection for @p scope, or for the end. */
static int wait_for_one(weft_acceptor *acceptor, const weft_scope *scope, weft_task *task, weft_place place,
                        struct task_stream **ret_io)
{
    int status = 0;

    while (!(*ret_io = scope->cancelled ? NULL : next_waiting(acceptor)) && status == 0) {
        if (scope->cancelled)
            return scope->cancelled;
        if (acceptor->stopped || acceptor->orphan)
            return WEFT_EENDED;
        if (acceptor->accepting)
            return -EBUSY;
        if ((status = task_reason(task)) < 0)
            break;
        acceptor->accepting = task;
        task_park(task, "a connection", "a stream", place);
        acceptor->accepting = NULL;
        status = task_reason(task);
    }
    return *ret_io ? 0 : status;
}

static int accept_one(weft_acceptor *acceptor, weft_scope *scope, weft_task *task, weft_place place,
                      weft_stream **ret_stream)
{
    struct task_stream *io;
    int status = wait_for_one(acceptor, scope, task, place, &io);

    if (status < 0) {
        if (status != -EBUSY)
            free_if_over(acceptor);
        return status;
    }
    status = task_stream_move(io, scope);
    if (status == 0)
        status = stream_move(io->stream, scope);
    if (status < 0) {
        task_stream_orphan(io);
        return status;
    }
    *ret_stream = io->stream;
    return 0;
}

int weft_task_accept(weft_acceptor *acceptor, weft_scope *scope, weft_stream **ret_stream, weft_place place)
{
    weft_task *task = task_that_waits("weft_accept", place);
    int status = !task ? WEFT_ENOTASK : scope ? task_reason(task) : WEFT_ENOMEM;

    if (status < 0)
        return status;
    scope_pin(scope); /* somebody may close it meanwhile */
    status = accept_one(acceptor, scope, task, place, ret_stream);
    scope_unpin(scope);
    return status;
}
