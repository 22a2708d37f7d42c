/* SPDX-License-Identifier: MIT */
/*
 * A loop inside a uv_loop_t. Before libuv sleeps (prepare) a timer says for how long it may, or an idle handle that it
 * may not; after it has slept (check) there is a turn if there is something to do. Only the poll handle keeps uv_run
 * going, and only as long as something is left on the loop.
 */
#include <weft/adapters/uv.h>

#include <weft/memory.h>

#include "adapter.h"

struct weft_uv_host {
    weft_loop *loop;
    void (*stopped)(weft_loop *loop, void *arg);
    void *arg;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t timer;
    uv_idle_t idle;
    bool ready; /* the descriptor was readable */
    bool closing;
    unsigned open; /* handles that libuv has not closed */
};

void weft_uv_host_touch(weft_uv_host *host)
{
    if (weft_loop_alive(host->loop))
        uv_ref((uv_handle_t *)&host->poll);
    else
        uv_unref((uv_handle_t *)&host->poll);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer; /* `check` comes in any case */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    ((weft_uv_host *)poll->data)->ready = true;
}

static void on_prepare(uv_prepare_t *prepare)
{
    weft_uv_host *host = prepare->data;
    int milliseconds = adapter_milliseconds(weft_loop_prepare(host->loop));

    if (milliseconds == 0)
        uv_idle_start(&host->idle, on_idle);
    else
        uv_idle_stop(&host->idle);
    if (milliseconds > 0)
        uv_timer_start(&host->timer, on_timer, (uint64_t)milliseconds, 0);
    else
        uv_timer_stop(&host->timer);
    weft_uv_host_touch(host);
}

static void tell(weft_uv_host *host, uv_loop_t *uv)
{
    if (host->stopped)
        host->stopped(host->loop, host->arg);
    else
        uv_stop(uv);
}

static void on_check(uv_check_t *check)
{
    weft_uv_host *host = check->data;

    if (host->ready || weft_loop_prepare(host->loop) == 0) {
        host->ready = false;
        if (adapter_step(host->loop, "libuv") != ADAPTER_GOES_ON && !host->closing)
            tell(host, check->loop);
    }
    if (!host->closing)
        weft_uv_host_touch(host);
}

static void start(weft_uv_host *host, uv_loop_t *uv)
{
    uv_prepare_init(uv, &host->prepare);
    uv_check_init(uv, &host->check);
    uv_timer_init(uv, &host->timer);
    uv_idle_init(uv, &host->idle);
    host->poll.data = host->prepare.data = host->check.data = host->timer.data = host->idle.data = host;
    host->open = 5;
    uv_unref((uv_handle_t *)&host->prepare);
    uv_unref((uv_handle_t *)&host->check);
    uv_unref((uv_handle_t *)&host->timer);
    uv_unref((uv_handle_t *)&host->idle);
    uv_poll_start(&host->poll, UV_READABLE, on_poll);
    uv_prepare_start(&host->prepare, on_prepare);
    uv_check_start(&host->check, on_check);
}

int weft_uv_host_new(weft_loop *loop, uv_loop_t *uv, void (*stopped)(weft_loop *loop, void *arg), void *arg,
                     weft_uv_host **ret_host)
{
    int fd = weft_loop_fd(loop), status;
    weft_uv_host *host;

    if (fd < 0)
        return -EOPNOTSUPP;
    host = weft_allocate_zeroed(1, sizeof *host);
    if (!host)
        return WEFT_ENOMEM;
    status = uv_poll_init(uv, &host->poll, fd);
    if (status < 0) {
        weft_release(host);
        return status;
    }
    host->loop = loop;
    host->stopped = stopped;
    host->arg = arg;
    start(host, uv);
    *ret_host = host;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    weft_uv_host *host = handle->data;

    if (--host->open == 0)
        weft_release(host);
}

void weft_uv_host_free(weft_uv_host *host)
{
    if (!host)
        return;
    host->closing = true;
    uv_close((uv_handle_t *)&host->poll, on_closed);
    uv_close((uv_handle_t *)&host->prepare, on_closed);
    uv_close((uv_handle_t *)&host->check, on_closed);
    uv_close((uv_handle_t *)&host->timer, on_closed);
    uv_close((uv_handle_t *)&host->idle, on_closed);
}
