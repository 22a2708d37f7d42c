/* SPDX-License-Identifier: MIT */
/* hiredis on a loop: its hooks change what one watch wants; a deferred that nobody fires hears of the scope's end. */
#include <weft/adapters/hiredis.h>

#include <errno.h>

#include <weft/deferred.h>
#include <weft/memory.h>
#include <weft/watch.h>

struct attached {
    weft_watch watch;
    redisAsyncContext *redis; /* NULL: it has been freed */
    weft_deferred *life;
    unsigned users; /* hiredis, and the callback that runs */
};

static void unref(struct attached *self)
{
    if (--self->users == 0)
        weft_release(self);
}

static void want(struct attached *self, unsigned added, unsigned taken)
{
    weft_watch_change(&self->watch, (weft_watch_interest(&self->watch) | added) & ~taken);
}

static void add_read(void *self)
{
    want(self, WEFT_READABLE, 0);
}

static void del_read(void *self)
{
    want(self, 0, WEFT_READABLE);
}

static void add_write(void *self)
{
    want(self, WEFT_WRITABLE, 0);
}

static void del_write(void *self)
{
    want(self, 0, WEFT_WRITABLE);
}

/* The context is being freed, and its descriptor is closed next. */
static void cleanup(void *arg)
{
    struct attached *self = arg;

    self->redis = NULL;
    weft_watch_stop(&self->watch);
    weft_forget(self->life);
    if (!weft_deferred_fired(self->life))
        (void)weft_deferred_fail(self->life, WEFT_ECANCELED);
    weft_deferred_unref(self->life);
    unref(self);
}

static void ready(weft_watch *watch, unsigned what)
{
    struct attached *self = weft_container_of(watch, struct attached, watch);

    self->users++;
    if (what & WEFT_WRITABLE)
        redisAsyncHandleWrite(self->redis);
    if (self->redis && (what & WEFT_READABLE))
        redisAsyncHandleRead(self->redis);
    unref(self);
}

static void cancelled(weft_deferred *life, int reason, void *arg)
{
    struct attached *self = arg;

    (void)life;
    (void)reason;
    if (self->redis)
        redisAsyncFree(self->redis);
}

static int start(struct attached *self, weft_scope *scope, int fd)
{
    weft_done life;
    int status = weft_watch_start(&self->watch, scope, fd, 0, ready);

    if (status < 0)
        return status;
    life = weft_deferred_new_with(weft_done, scope, 0, cancelled, self);
    if (!life.deferred) {
        weft_watch_stop(&self->watch);
        return WEFT_ENOMEM;
    }
    self->life = weft_deferred_ref(life.deferred);
    return 0;
}

int weft_hiredis_attach(weft_scope *scope, redisAsyncContext *redis)
{
    struct attached *self;
    int status;

    if (!redis || redis->err)
        return -EINVAL;
    if (redis->ev.data)
        return -EALREADY;
    self = weft_allocate_zeroed(1, sizeof *self);
    status = self ? start(self, scope, redis->c.fd) : WEFT_ENOMEM;
    if (status < 0) {
        weft_release(self);
        return status;
    }
    self->redis = redis;
    self->users = 1;
    redis->ev.data = self;
    redis->ev.addRead = add_read;
    redis->ev.delRead = del_read;
    redis->ev.addWrite = add_write;
    redis->ev.delWrite = del_write;
    redis->ev.cleanup = cleanup;
    return 0;
}
