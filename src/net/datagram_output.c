/* SPDX-License-Identifier: MIT */
/*
 * Sending datagrams (datagram_internal.h): what is sent in a turn is gathered and goes out at its end, in batches. What
 * the system does not take waits, within the limits.
 */
#include <errno.h>

#include "base/probe.h"
#include "net/datagram_internal.h"

/* So many are worth an attempt of their own, without a copy. */
#define WORTH_AN_ATTEMPT 8
/* Batches of one socket in a turn. */
#define BATCHES_MOST 8
/* How often one datagram meets the errors of others. */
#define TRIES_MOST 3
/* How long a UNIX socket waits before it tries again: at first, and at most. */
#define PATIENCE_LEAST WEFT_MILLISECONDS(1)
#define PATIENCE_MOST WEFT_MILLISECONDS(64)

/* -- what may be sent -- */

static int check(const weft_datagram_socket *socket, const weft_datagram *datagrams, size_t count)
{
    size_t bytes = socket->queue.bytes;

    if (socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING))
        return WEFT_EENDED;
    for (size_t i = 0; i < count; i++) {
        if (datagrams[i].path.length >= DATAGRAM_PATH ||
            (datagrams[i].bytes.length > DATAGRAM_UDP_MOST && !(socket->flags & DATAGRAM_IS_UNIX)))
            return -EINVAL;
        if (datagrams[i].bytes.length > socket->output_limit - bytes)
            return WEFT_EOUTPUTLIMIT;
        bytes += datagrams[i].bytes.length;
    }
    return count > socket->output_count - socket->queue.count ? WEFT_EOUTPUTLIMIT : 0;
}

static void refused(weft_datagram_socket *socket, size_t count)
{
    socket->counts.refused += count;
    weft_counter_add(&socket->dropped_count, count);
}

static void dropped(weft_datagram_socket *socket, size_t count)
{
    socket->counts.dropped += count;
    weft_counter_add(&socket->dropped_count, count);
}

static void has_sent(weft_datagram_socket *socket, const weft_datagram *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++)
        socket->counts.sent_bytes += datagrams[i].bytes.length;
    socket->counts.sent += count;
    weft_counter_add(&socket->sent_count, count);
}

/* -- waiting for room -- */

static void arm(weft_datagram_socket *socket)
{
    weft_time left = socket->output_time;

    if (socket->output_time != WEFT_NEVER)
        left -= socket->loop->now - socket->blocked;
    if (socket->patience > 0 && socket->patience < left)
        left = socket->patience;
    loop_timer_start(socket->loop, &socket->timer, left);
}

static void has_no_room(weft_datagram_socket *socket)
{
    if (socket->patience == 0)
        socket->blocked = socket->loop->now;
    if (socket->flags & DATAGRAM_IS_UNIX) { /* the system tells only who is connected */
        socket->patience = socket->patience ? socket->patience * 2 : PATIENCE_LEAST;
        if (socket->patience > PATIENCE_MOST)
            socket->patience = PATIENCE_MOST;
    }
    socket->flags |= DATAGRAM_BLOCKED;
    arm(socket);
}

static void has_room(weft_datagram_socket *socket)
{
    socket->flags &= ~(uint32_t)DATAGRAM_BLOCKED;
    datagram_schedule(socket);
}

void datagram_writable(struct backend_datagram *io)
{
    weft_datagram_socket *socket = weft_container_of(io, weft_datagram_socket, io);

    if (socket->flags & DATAGRAM_BLOCKED)
        has_room(socket);
}

/* In the task: has waited for too long. */
static void give_up(weft_datagram_socket *socket)
{
    dropped(socket, socket->queue.count);
    datagram_queue_clear(&socket->queue);
    socket->flags &= ~(uint32_t)DATAGRAM_BLOCKED;
    socket->patience = 0;
    if (!(socket->flags & DATAGRAM_CLOSING))
        datagram_tell_failed(socket, WEFT_EWRITESTALL, NULL);
}

static bool is_too_late(const weft_datagram_socket *socket)
{
    return socket->output_time != WEFT_NEVER && socket->loop->now - socket->blocked >= socket->output_time;
}

void datagram_timer_fired(weft_timer_entry *entry)
{
    weft_datagram_socket *socket = weft_container_of(entry, weft_datagram_socket, timer);

    if (is_too_late(socket))
        datagram_schedule(socket);
    else if (socket->patience > 0)
        has_room(socket);
    else
        arm(socket);
}

/* -- sending -- */

/* An error of ICMP's is not that of the datagram, the first of those that wait: it is tried again. */
static void failed(weft_datagram_socket *socket, int status, const weft_datagram *first)
{
    weft_address peer = first->peer;

    if (status == -ECONNREFUSED && !(socket->flags & DATAGRAM_IS_UNIX) && socket->tries++ < TRIES_MOST) {
        PROBE("datagram: an answer of ICMP was met by a send");
        datagram_tell_failed(socket, status, NULL);
        return;
    }
    socket->tries = 0;
    datagram_queue_drop(&socket->queue, 1);
    dropped(socket, 1);
    datagram_tell_failed(socket, status, &peer);
}

/* Returns whether there may be more to be sent now. */
static bool send_batch(weft_datagram_socket *socket)
{
    weft_datagram batch[BACKEND_DATAGRAMS];
    size_t most = RARE("datagram: send one at a time") ? 1 : BACKEND_DATAGRAMS;
    size_t count = datagram_queue_peek(&socket->queue, batch, most);
    int sent;

    if (count == 0)
        return false;
    sent = socket->io.transport->send(datagram_backend(socket), &socket->io, batch, count);
    if (sent == BACKEND_LATER) {
        has_no_room(socket);
        return false;
    }
    socket->patience = 0;
    if (sent < 0) {
        failed(socket, sent, batch);
        return true;
    }
    socket->tries = 0;
    has_sent(socket, batch, (size_t)sent);
    datagram_queue_drop(&socket->queue, (size_t)sent);
    return true;
}

static void tell_drained(weft_datagram_socket *socket)
{
    const weft_datagram_protocol_ops *ops = socket->protocol->ops;

    if (!(socket->flags & DATAGRAM_OVER_HIGH) || socket->queue.bytes > socket->low_water ||
        (socket->flags & (DATAGRAM_DOOMED | DATAGRAM_CLOSING)))
        return;
    socket->flags &= ~(uint32_t)DATAGRAM_OVER_HIGH;
    loop_calls(socket->loop, ops->name, (uintptr_t)ops->drained);
    if (ops->drained)
        ops->drained(socket->protocol, socket);
}

void datagram_flush(weft_datagram_socket *socket)
{
    unsigned batches = 0;

    if ((socket->flags & DATAGRAM_BLOCKED) && is_too_late(socket))
        give_up(socket);
    while (!(socket->flags & (DATAGRAM_BLOCKED | DATAGRAM_DOOMED)) && batches++ < BATCHES_MOST && send_batch(socket))
        ;
    tell_drained(socket);
    if (socket->flags & DATAGRAM_DOOMED)
        return;
    if (socket->queue.count == 0) {
        wheel_stop(&socket->loop->wheel, &socket->timer);
        if (socket->flags & DATAGRAM_CLOSING)
            datagram_doom(socket, WEFT_ECLOSED);
    }
}

/* Tries @p datagrams at once, as many as the system takes. Returns how many went; what went wrong is found again, or told,
 * by the task: nothing here calls back. */
static size_t attempt(weft_datagram_socket *socket, const weft_datagram *datagrams, size_t count)
{
    size_t done = 0;

    if (count < WORTH_AN_ATTEMPT || socket->queue.count > 0 || (socket->flags & DATAGRAM_BLOCKED) ||
        RARE("datagram: send nothing at once"))
        return 0;
    while (done < count) {
        int sent = socket->io.transport->send(datagram_backend(socket), &socket->io, datagrams + done, count - done);

        if (sent == BACKEND_LATER)
            has_no_room(socket);
        if (sent == -ECONNREFUSED)
            socket->owed = sent;
        if (sent < 0)
            break;
        has_sent(socket, datagrams + done, (size_t)sent);
        done += (size_t)sent;
    }
    return done;
}

int weft_datagram_send(weft_datagram_socket *socket, const weft_datagram *datagrams, size_t count)
{
    int status = check(socket, datagrams, count);
    size_t done;

    if (status < 0) {
        if (status == WEFT_EOUTPUTLIMIT)
            refused(socket, count);
        return status;
    }
    for (done = attempt(socket, datagrams, count); status == 0 && done < count; done += status == 0)
        status = datagram_queue_add(&socket->queue, &datagrams[done]);
    if (status < 0)
        refused(socket, count - done);
    if (socket->queue.count > 0 || socket->owed < 0)
        datagram_schedule(socket);
    if (socket->queue.bytes > socket->high_water)
        socket->flags |= DATAGRAM_OVER_HIGH;
    return status < 0 ? status : (socket->flags & DATAGRAM_OVER_HIGH) != 0;
}

int weft_datagram_reply(weft_datagram_socket *socket, const weft_datagram *asked, weft_bytes bytes)
{
    weft_datagram answer = {.bytes = bytes, .peer = asked->peer, .path = asked->path};

    if (!asked->to_group)
        answer.local = asked->local;
    if (asked->peer.scope_id) /* an address that means something on one link only */
        answer.interface = asked->interface;
    return weft_datagram_send(socket, &answer, 1);
}

size_t weft_datagram_queued(const weft_datagram_socket *socket)
{
    return socket->queue.bytes;
}
