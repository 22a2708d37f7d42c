/* SPDX-License-Identifier: MIT */
/*
 * Signals (weft/signal.h): a list of watches; the backend is told when a
 * number gets its first watch and when it loses its last.
 */
#include <weft/signal.h>

#include <signal.h>

#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

static void signal_cancel(weft_scope_member *member, int reason)
{
    (void)reason;
    weft_signal_stop(weft_container_of(member, weft_signal, member));
}

static const struct scope_member_class signal_class = {.kind = "signal", .cancel = signal_cancel};

static bool is_in(const weft_link *watches, int number)
{
    for (const weft_link *link = watches->next; link != watches; link = link->next)
        if (weft_container_of(link, const weft_signal, link)->number == number)
            return true;
    return false;
}

static bool watched(const weft_loop *loop, int number)
{
    return is_in(&loop->signals, number) || is_in(&loop->signals_waiting, number);
}

int weft_signal_start(weft_signal *signal, weft_scope *scope, int number, void (*raised)(weft_signal *signal))
{
    weft_loop *loop;
    int status;

    signal->member.scope = NULL; /* so that stopping what was not started is harmless */
    if (number == SIGKILL || number == SIGSTOP)
        return -EINVAL;
    status = scope_join(scope, &signal->member, &signal_class);
    if (status < 0)
        return status;
    loop = weft_scope_loop(scope);
    if (!watched(loop, number) && (status = loop->backend->ops->signal_watch(loop->backend, number, true)) < 0) {
        scope_leave(&signal->member);
        return status;
    }
    signal->number = number;
    signal->background = false;
    signal->raised = raised;
    weft_link_insert_before(&loop->signals, &signal->link);
    loop->waiting++;
    return 0;
}

void weft_signal_stop(weft_signal *signal)
{
    weft_loop *loop;

    if (!signal->member.scope)
        return;
    loop = weft_scope_loop(signal->member.scope);
    loop->waiting -= !signal->background;
    weft_link_remove(&signal->link);
    if (!watched(loop, signal->number))
        (void)loop->backend->ops->signal_watch(loop->backend, signal->number, false);
    scope_leave(&signal->member);
}

void signal_set_background(weft_signal *signal)
{
    weft_scope_loop(signal->member.scope)->waiting--;
    signal->background = true;
}

/* A callback may stop any watch, so the list is walked by moving each watch aside and back. */
void loop_signalled(struct backend_host *host, int number)
{
    weft_loop *loop = weft_container_of(host, weft_loop, host);

    weft_link_splice(&loop->signals_waiting, &loop->signals);
    while (!weft_link_is_alone(&loop->signals_waiting)) {
        weft_signal *signal = weft_container_of(loop->signals_waiting.next, weft_signal, link);

        weft_link_remove(&signal->link);
        weft_link_insert_before(&loop->signals, &signal->link);
        if (signal->number != number)
            continue;
        loop_calls(loop, "signal", (uintptr_t)signal->raised);
        signal->raised(signal);
    }
}
