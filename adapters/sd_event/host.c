/* SPDX-License-Identifier: MIT */
/*
 * A loop inside an sd_event: a source on its descriptor and one that is due when the loop is. Before sd-event sleeps,
 * `prepare` of the first sets the second. sd-event dispatches one source in each iteration, and of the same priority
 * that which has been pending longest, so whatever else is there has its turn. (A deferred event would keep it from
 * that: it has always been pending since it was made.)
 */
#include <weft/adapters/sd_event.h>

#include <time.h>

#include <weft/memory.h>

#include "adapter.h"

struct weft_sd_host {
    weft_loop *loop;
    sd_event *event;
    void (*stopped)(weft_loop *loop, void *arg);
    void *arg;
    sd_event_source *readable, *due;
    uint64_t end; /* what `due` is set to */
    bool stepping, freed;
};

/* Where the comparison in on_prepare cannot overflow. */
#define NEVER (UINT64_MAX - 2)

/* When a sleep that begins now is to end, as sd-event has it; 0: at once. (sd_event_now is when its last one ended.) */
static uint64_t end_of(weft_time sleep)
{
    struct timespec now;

    if (sleep == 0 || sleep == WEFT_NEVER)
        return sleep == 0 ? 0 : NEVER;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)((now.tv_nsec + sleep + 999) / WEFT_MICROSECONDS(1));
}

/* To set a time makes a source that was pending begin to wait anew, and costs a system call. The clock was read twice,
 * so the same end may look a little later. */
static int on_prepare(sd_event_source *source, void *arg)
{
    weft_sd_host *host = arg;
    uint64_t end = end_of(weft_loop_prepare(host->loop));
    int status = 0;

    (void)source;
    if (host->end <= end && end <= host->end + 2)
        return 0;
    host->end = end;
    if (end != NEVER)
        status = sd_event_source_set_time(host->due, end);
    if (status >= 0)
        status = sd_event_source_set_enabled(host->due, end != NEVER ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    return status;
}

static int step(weft_sd_host *host)
{
    enum adapter_after after;

    host->stepping = true;
    after = adapter_step(host->loop, "sd-event");
    host->stepping = false;
    if (host->freed)
        weft_release(host);
    else if (after != ADAPTER_GOES_ON && host->stopped)
        host->stopped(host->loop, host->arg);
    else if (after != ADAPTER_GOES_ON)
        sd_event_exit(host->event, after == ADAPTER_FAILED ? -EIO : 0);
    return 0;
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *arg)
{
    (void)source;
    (void)fd;
    (void)events;
    return step(arg);
}

static int on_due(sd_event_source *source, uint64_t microseconds, void *arg)
{
    (void)source;
    (void)microseconds;
    ((weft_sd_host *)arg)->end = NEVER;
    return step(arg);
}

static int add_sources(weft_sd_host *host, int fd)
{
    int status = sd_event_add_io(host->event, &host->readable, fd, EPOLLIN, on_readable, host);

    if (status >= 0)
        status = sd_event_add_time(host->event, &host->due, CLOCK_MONOTONIC, 0, 1, on_due, host);
    if (status >= 0)
        status = sd_event_source_set_enabled(host->due, SD_EVENT_OFF);
    if (status >= 0)
        status = sd_event_source_set_prepare(host->readable, on_prepare);
    return status;
}

int weft_sd_host_new(weft_loop *loop, sd_event *event, void (*stopped)(weft_loop *loop, void *arg), void *arg,
                     weft_sd_host **ret_host)
{
    int fd = weft_loop_fd(loop), status;
    weft_sd_host *host;

    if (fd < 0)
        return -EOPNOTSUPP;
    host = weft_allocate_zeroed(1, sizeof *host);
    if (!host)
        return WEFT_ENOMEM;
    *host = (weft_sd_host){.loop = loop, .event = sd_event_ref(event), .stopped = stopped, .arg = arg, .end = NEVER};
    status = add_sources(host, fd);
    if (status < 0) {
        weft_sd_host_free(host);
        return status;
    }
    *ret_host = host;
    return 0;
}

void weft_sd_host_free(weft_sd_host *host)
{
    if (!host)
        return;
    sd_event_source_disable_unref(host->readable);
    sd_event_source_disable_unref(host->due);
    sd_event_unref(host->event);
    host->freed = true;
    if (!host->stepping)
        weft_release(host);
}
