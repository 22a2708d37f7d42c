/* SPDX-License-Identifier: MIT */
/* What all hosts have in common. */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include <errno.h>
#include <limits.h>

#include <weft/error.h>
#include <weft/log.h>
#include <weft/loop.h>

/* @p sleep as poll(2) has it: rounded up, so that nobody wakes before the time; -1 for ever. */
static inline int adapter_milliseconds(weft_time sleep)
{
    weft_time milliseconds = sleep / WEFT_MILLISECONDS(1) + (sleep % WEFT_MILLISECONDS(1) != 0);

    if (sleep == WEFT_NEVER)
        return -1;
    return milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
}

enum adapter_after { ADAPTER_GOES_ON, ADAPTER_STOPPED, ADAPTER_FAILED };

/* One turn, and what the host has to know after it. */
static inline enum adapter_after adapter_step(weft_loop *loop, const char *host)
{
    int status = weft_loop_step(loop);

    if (status < 0 && status != -EBUSY) {
        weft_log(WEFT_LOG_ERROR, host, "the hosted loop failed: %s", weft_error_text(status));
        return ADAPTER_FAILED;
    }
    return weft_loop_stopped(loop) ? ADAPTER_STOPPED : ADAPTER_GOES_ON;
}

#endif
