/* SPDX-License-Identifier: MIT */
/* Datagrams that wait for a task (weft/task_datagram.h). */
#include <weft/task_datagram.h>

#include <errno.h>

#include <weft/memory.h>

#include "async/task_internal.h"
#include "base/probe.h"
#include "net/datagram_internal.h"

#define KEPT_BYTES ((size_t)64 * 1024)
#define KEPT_COUNT 256

struct weft_inbox {
    weft_datagram_protocol protocol;
    weft_scope_member member;
    weft_loop *loop;
    weft_datagram_socket *socket;            /* NULL: lost */
    struct datagram_queue reading, arriving; /* what is lent must not move */
    weft_task *reader, *writer;              /* who waits */
    unsigned waits;                          /* how many of the two wait, or have still to go on */
    int reason;                              /* why it was lost; 0 before */
    int failure;                             /* that the reader is still to be told; 0: none */
    bool lent;                               /* the first that is read is the reader's */
    bool paused, full, orphan;
    struct loop_task reap;
};

static weft_inbox *inbox_of(weft_datagram_protocol *protocol)
{
    return weft_container_of(protocol, weft_inbox, protocol);
}

static void wake(weft_task *task)
{
    if (task)
        task_wake(task);
}

/* -- life -- */

static void destroy(weft_inbox *inbox)
{
    datagram_queue_clear(&inbox->reading);
    datagram_queue_clear(&inbox->arriving);
    weft_release(inbox);
}

static void reap(struct loop_task *task)
{
    destroy(weft_container_of(task, weft_inbox, reap));
}

/* At the end of the turn: a task that has just gone on still looks at it. */
static void free_if_over(weft_inbox *inbox)
{
    if (!inbox->orphan || inbox->socket || inbox->waits > 0 || inbox->reap.run)
        return;
    inbox->reap.run = reap;
    loop_reap(inbox->loop, &inbox->reap);
}

static void scope_ended(weft_scope_member *member, int reason)
{
    weft_inbox *inbox = weft_container_of(member, weft_inbox, member);

    (void)reason; /* the socket is in the same scope */
    if (!member->scope->closing)
        return;
    scope_leave(member);
    inbox->orphan = true;
    wake(inbox->reader);
    wake(inbox->writer);
    free_if_over(inbox);
}

static const struct scope_member_class inbox_class = {.kind = "inbox", .idle = true, .cancel = scope_ended};

/* -- what the socket tells -- */

static bool is_full(const weft_inbox *inbox)
{
    return inbox->reading.bytes + inbox->arriving.bytes >= KEPT_BYTES ||
           inbox->reading.count + inbox->arriving.count >= KEPT_COUNT;
}

static void received(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                     size_t count)
{
    weft_inbox *inbox = inbox_of(protocol);

    for (size_t i = 0; i < count; i++) {
        if (datagram_queue_add(&inbox->arriving, &datagrams[i]) < 0) {
            PROBE("inbox: no memory for a datagram");
            inbox->failure = WEFT_ENOMEM;
        }
    }
    if (is_full(inbox) || RARE("inbox: full")) {
        inbox->paused = true;
        weft_datagram_pause(socket);
    }
    wake(inbox->reader);
}

static void drained(weft_datagram_protocol *protocol, weft_datagram_socket *socket)
{
    weft_inbox *inbox = inbox_of(protocol);

    (void)socket;
    inbox->full = false;
    wake(inbox->writer);
}

static void failed(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int status, const weft_address *peer)
{
    weft_inbox *inbox = inbox_of(protocol);

    (void)socket;
    (void)peer;
    inbox->failure = status;
    wake(inbox->reader);
}

static void lost(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason)
{
    weft_inbox *inbox = inbox_of(protocol);

    (void)socket;
    inbox->socket = NULL;
    inbox->reason = reason;
    wake(inbox->reader);
    wake(inbox->writer);
    free_if_over(inbox);
}

static WEFT_DATAGRAM_PROTOCOL(inbox_ops, "inbox", "a parked stack cannot be frozen", .received = received,
                              .drained = drained, .failed = failed, .lost = lost);

/* -- opening -- */

typedef int opener(weft_scope *scope, const char *url, weft_datagram_protocol *protocol,
                   const weft_datagram_options *options, weft_datagram_socket **ret_socket, weft_url_error *ret_error);

static int open_inbox(opener *open_socket, weft_scope *scope, const char *url, const weft_datagram_options *options,
                      weft_inbox **ret_inbox, weft_url_error *ret_error)
{
    weft_inbox *inbox = weft_allocate_zeroed(1, sizeof *inbox);
    int status = inbox ? scope_join(scope, &inbox->member, &inbox_class) : WEFT_ENOMEM;

    if (status < 0) {
        weft_release(inbox);
        return status;
    }
    inbox->protocol.ops = &inbox_ops;
    inbox->loop = weft_scope_loop(scope);
    status = open_socket(scope, url, &inbox->protocol, options, &inbox->socket, ret_error);
    if (status < 0) {
        scope_leave(&inbox->member);
        weft_release(inbox);
        return status;
    }
    *ret_inbox = inbox;
    return 0;
}

int weft_inbox_open(weft_scope *scope, const char *url, const weft_datagram_options *options, weft_inbox **ret_inbox,
                    weft_url_error *ret_error)
{
    return open_inbox(weft_datagram_open, scope, url, options, ret_inbox, ret_error);
}

int weft_inbox_open_to(weft_scope *scope, const char *url, const weft_datagram_options *options, weft_inbox **ret_inbox,
                       weft_url_error *ret_error)
{
    return open_inbox(weft_datagram_open_to, scope, url, options, ret_inbox, ret_error);
}

weft_datagram_socket *weft_inbox_socket(const weft_inbox *inbox)
{
    return inbox->socket;
}

/* -- waiting -- */

/* Waits in @p slot. Returns 0 after a wake-up, which may have come for any reason, or why the task must not wait. */
static int wait_for(weft_inbox *inbox, weft_task *task, weft_task **slot, const char *what, weft_place place)
{
    int status = task_reason(task);

    if (status < 0)
        return status;
    *slot = task;
    inbox->waits++;
    task_park(task, what, "an inbox", place);
    inbox->waits--;
    *slot = NULL;
    free_if_over(inbox);
    status = task_reason(task);
    return status == 0 && inbox->orphan ? WEFT_EENDED : status;
}

/* The reader gives back what it had. */
static void give_back(weft_inbox *inbox)
{
    if (inbox->lent)
        datagram_queue_drop(&inbox->reading, 1);
    inbox->lent = false;
    if (inbox->paused && inbox->socket && !is_full(inbox)) {
        inbox->paused = false;
        weft_datagram_resume(inbox->socket);
    }
}

/* Whether there is one for the reader. Nothing is lent. */
static bool lend(weft_inbox *inbox, weft_datagram *ret)
{
    struct datagram_queue empty = inbox->reading;

    if (empty.count == 0) {
        inbox->reading = inbox->arriving;
        inbox->arriving = empty;
    }
    inbox->lent = datagram_queue_peek(&inbox->reading, ret, 1) > 0;
    return inbox->lent;
}

static int take_failure(weft_inbox *inbox)
{
    int failure = inbox->failure;

    inbox->failure = 0;
    return failure;
}

int weft_task_receive(weft_inbox *inbox, weft_datagram *ret, weft_place place)
{
    weft_task *task = task_that_waits("weft_receive", place);
    int status = !task ? WEFT_ENOTASK : task_reason(task);

    if (status == 0 && inbox->reader)
        status = -EBUSY;
    if (status < 0)
        return status;
    give_back(inbox);
    while (!lend(inbox, ret)) {
        if (inbox->failure < 0)
            return take_failure(inbox);
        if (inbox->reason < 0)
            return inbox->reason;
        status = wait_for(inbox, task, &inbox->reader, "a datagram", place);
        if (status < 0)
            return status;
    }
    return 1;
}

int weft_task_send(weft_inbox *inbox, const weft_datagram *datagrams, size_t count, weft_place place)
{
    weft_task *task = task_that_waits("weft_send", place);
    int status = !task ? WEFT_ENOTASK : task_reason(task);

    if (status == 0 && inbox->writer)
        status = -EBUSY;
    if (status == 0)
        status = inbox->socket ? weft_datagram_send(inbox->socket, datagrams, count) : inbox->reason;
    if (status <= 0)
        return status;
    inbox->full = true;
    while (inbox->full && inbox->reason == 0) {
        status = wait_for(inbox, task, &inbox->writer, "room for datagrams", place);
        if (status < 0)
            return status;
    }
    return inbox->reason;
}
