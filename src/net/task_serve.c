/* SPDX-License-Identifier: MIT */
/* Servers with a task for each connection (weft_serve). */
#include <weft/memory.h>
#include <weft/serve.h>

#include "net/task_stream.h"

struct task_factory {
    weft_factory factory;
    weft_stream_handler *handler;
    void *arg;
};

static int converse(weft_task *me, void *arg)
{
    struct task_stream *io = arg;
    const struct task_factory *factory = io->owner;
    int status = task_stream_move(io, weft_task_scope(me)); /* which closes it, gracefully, when this returns */

    if (status < 0) {
        weft_stream_abort(io->stream);
        task_stream_orphan(io);
        return status;
    }
    factory->handler(io->stream, factory->arg);
    return 0;
}

static void spawn(struct task_stream *io)
{
    if (weft_spawn(io->member.scope, converse, io) < 0) {
        weft_stream_abort(io->stream);
        task_stream_orphan(io);
    }
}

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    struct task_stream *io = task_stream_new();

    if (!io)
        return NULL;
    if (task_stream_join(io, weft_stream_scope(stream)) < 0) {
        task_stream_discard(io);
        return NULL;
    }
    io->owner = weft_container_of(factory, struct task_factory, factory);
    io->on_connected = spawn;
    task_stream_bind(io, stream);
    return &io->protocol;
}

static const weft_factory_ops task_factory_ops = {.build = build};

weft_factory *weft_task_factory_new(weft_stream_handler *handler, void *arg)
{
    struct task_factory *factory = weft_allocate_zeroed(1, sizeof *factory);

    if (!factory)
        return NULL;
    *factory = (struct task_factory){.factory.ops = &task_factory_ops, .handler = handler, .arg = arg};
    return &factory->factory;
}

void weft_task_factory_free(weft_factory *factory)
{
    if (factory)
        weft_release(weft_container_of(factory, struct task_factory, factory));
}

int weft_serve(const char *url, weft_stream_handler *handler, void *arg)
{
    struct task_factory factory = {.factory.ops = &task_factory_ops, .handler = handler, .arg = arg};

    return weft_serve_factory(url, &factory.factory);
}
