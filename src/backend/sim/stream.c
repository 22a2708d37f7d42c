/* SPDX-License-Identifier: MIT */
/* What the owner of a simulated stream asks, and what it is told (network.h). */
#include "backend/sim/network.h"

#include <errno.h>
#include <string.h>

#include <weft/error.h>

#include "backend/file.h"

/* Bytes that one end is given in one turn, and deliveries. */
#define DELIVERY ((size_t)64 * 1024)
#define DELIVERIES 4

static struct sim_faults *faults_of(const struct sim_end *end)
{
    return &end->connection->world->faults;
}

static void note(const struct sim_end *end, const char *what, int64_t a, int64_t b)
{
    sim_note(end->connection->world, what, end->host, end->connection->number, a, b);
}

/* -- receiving -- */

static bool has_something_to_say(const struct sim_end *end)
{
    return end->arrived > 0 || end->end_came || end->status < 0;
}

static void sim_receive_start(struct backend *backend, struct backend_stream *stream)
{
    struct sim_end *end = stream->sim;

    (void)backend;
    note(end, "receive", 1, 0);
    end->receiving = true;
    if (has_something_to_say(end))
        sim_end_has_news(end);
}

static void sim_receive_stop(struct backend *backend, struct backend_stream *stream)
{
    struct sim_end *end = stream->sim;

    (void)backend;
    note(end, "receive", 0, 0);
    end->receiving = false;
    /* Rule 3 of the seam: what a completion has taken already still comes. */
    if (end->connection->completes && end->arrived > end->lent_length && sim_fault(faults_of(end), FAULT_rare_paths)) {
        sim_probe(end->connection->world, "sim: a delivery after a stop");
        end->once_more = true;
        sim_end_has_news(end);
    }
}

/* -- sending -- */

static size_t shorter(struct sim_end *end, enum sim_fault_kind kind, size_t length)
{
    if (length < 2 || !sim_fault(faults_of(end), kind))
        return length;
    return sim_fault_below(faults_of(end), kind, 2) ? 1 : 1 + (size_t)sim_fault_below(faults_of(end), kind, length);
}

/* Both ends will learn of it, each after a while of its own; what is on its way until then arrives. */
static void break_connection(struct sim_end *end)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *one = &end->connection->ends[i];
        sim_end_break(one, -ECONNRESET, sim_travel(end->connection));
    }
}

void sim_link_strike(struct sim_world *world, struct sim_link *way)
{
    weft_time least;

    if (way->cut || !sim_fault(&world->faults, FAULT_partitions))
        return;
    least = WEFT_MILLISECONDS(10) << sim_fault_below(&world->faults, FAULT_partitions, 12);
    sim_link_cut(way, true);
    sim_event_plan(world, &way->mend,
                   world->now + least + (weft_time)sim_fault_below(&world->faults, FAULT_partitions, (uint64_t)least));
}

/* What befalls the network while something is sent. */
static void strike(struct sim_end *end)
{
    struct sim_faults *faults = faults_of(end);

    if (sim_fault(faults, FAULT_resets))
        break_connection(end);
    if (end->connection->net != SIM_TCP)
        return;
    if (sim_fault(faults, FAULT_vanishings))
        sim_connection_silence(end->connection);
    sim_link_strike(end->connection->world, end->connection->way);
}

/* Whether @p end can send; if not, the error: what went wrong, if nobody was told. (UNIX sockets do not ask that.) */
static int can_send(struct sim_end *end)
{
    int failure = end->connection->net == SIM_UNIX ? 0 : sim_end_take_failure(end);

    if (failure < 0)
        return failure;
    if (end->connection->net == SIM_MEMORY && heap_contains(&end->break_.node) && !end->break_told) {
        end->break_told = true; /* there is nothing between the ends: it is known at once */
        return end->break_status;
    }
    if (end->status < 0 || end->ends || (end->connection->net != SIM_TCP && end->peer->gone))
        return -EPIPE;
    return 0;
}

static int64_t take_runs(struct sim_end *end, const weft_bytes *runs, size_t count, bool *ret_all)
{
    int64_t total = 0;

    *ret_all = false;
    for (size_t i = 0; i < count; i++) {
        size_t wanted = shorter(end, FAULT_short_writes, runs[i].length);
        int64_t taken = sim_end_take(end, runs[i].data, wanted);

        if (taken < 0)
            return taken;
        total += taken;
        if ((size_t)taken < runs[i].length)
            return total;
    }
    *ret_all = true;
    return total;
}

/* A send that was cut short: whether for want of room or by a whim, its owner will be told when to go on. */
static int64_t cut_short(struct sim_end *end, int64_t sent)
{
    end->blocked = true;
    if (sim_end_room(end) > 0) {
        end->room = true;
        sim_end_has_news(end);
    }
    return sent > 0 ? sent : BACKEND_LATER;
}

/* Whether a send takes nothing though it could, by a whim; never twice in succession. */
static bool is_put_off(struct sim_end *end, enum sim_fault_kind kind)
{
    end->put_off = !end->put_off && sim_fault(faults_of(end), kind);
    return end->put_off;
}

static int64_t send_now(struct sim_end *end, const weft_bytes *runs, size_t count)
{
    int64_t sent = 0;
    bool all = false;
    int status = can_send(end);

    if (status < 0)
        return status;
    if (!is_put_off(end, FAULT_refused_writes))
        sent = take_runs(end, runs, count, &all);
    strike(end);
    return sent < 0 || all ? sent : cut_short(end, sent);
}

static int64_t sim_send(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs, size_t count,
                        bool more)
{
    int64_t result = send_now(stream->sim, runs, count);

    (void)backend;
    (void)more;
    note(stream->sim, "send", (int64_t)count, result);
    return result;
}

/* As io_uring does it: the bytes are looked at later. */
static int64_t sim_send_later(struct backend *backend, struct backend_stream *stream, const weft_bytes *runs,
                              size_t count, bool more)
{
    struct sim_end *end = stream->sim;

    (void)backend;
    (void)more;
    memcpy(end->later, runs, count * sizeof *runs);
    end->later_count = count;
    end->room = true;
    note(end, "send later", (int64_t)count, 0);
    sim_end_has_news(end);
    return BACKEND_LATER;
}

void sim_stream_fetched(struct sim_world *world, struct sim_event *event)
{
    struct sim_end *end = weft_container_of(event, struct sim_end, disk);

    (void)world;
    end->fetched = true;
    end->room = end->blocked;
    sim_end_has_news(end);
}

/* Whether the disk keeps it waiting. */
static bool waits_for_disk(struct sim_end *end)
{
    struct sim_world *world = end->connection->world;
    weft_time time = end->fetched ? 0 : sim_disk_time(end->host);

    end->fetched = false;
    if (time > 0)
        sim_event_plan(world, &end->disk, world->now + time);
    return time > 0;
}

static int64_t sim_send_file(struct backend *backend, struct backend_stream *stream, weft_file *file, uint64_t offset,
                             uint64_t length, bool more)
{
    struct sim_end *end = stream->sim;
    char buffer[4096];
    size_t room = sim_end_room(end);
    int64_t count;
    int status = can_send(end);

    (void)backend;
    (void)more;
    if (status < 0)
        return status;
    status = sim_disk_fails(end->host);
    if (status < 0)
        return status;
    if (room > sizeof buffer)
        room = sizeof buffer;
    if (room > length)
        room = (size_t)length;
    room = shorter(end, FAULT_short_file_reads, room);
    if (room == 0)
        return cut_short(end, 0);
    if (waits_for_disk(end)) {
        end->blocked = true;
        return BACKEND_LATER;
    }
    count = sim_file_read_plainly(file, offset, buffer, room);
    if (count <= 0)
        return count < 0 ? count : WEFT_ECHANGED;
    count = sim_end_take(end, buffer, (size_t)count);
    note(end, "send file", (int64_t)offset, count);
    strike(end);
    return count < 0 || (uint64_t)count == length ? count : cut_short(end, count);
}

static int64_t sim_unconfirmed(const struct backend_stream *stream)
{
    const struct sim_end *to = stream->sim->peer;

    /* Of UNIX sockets SIOCOUTQ counts what was not read. */
    return (int64_t)(to->unsent + to->flying + (to->connection->net == SIM_UNIX ? to->arrived : 0));
}

/* -- ending -- */

static int sim_shutdown(struct backend *backend, struct backend_stream *stream)
{
    struct sim_end *end = stream->sim;

    (void)backend;
    note(end, "shutdown", end->status, 0);
    if (end->connection->net == SIM_TCP && (end->status < 0 || sim_is_over(end->connection)))
        return -ENOTCONN;
    end->ends = true;
    sim_end_pump(end->peer);
    return 0;
}

/* Tells the peer that this end has thrown something away. It comes after what left before. */
static void send_reset(struct sim_end *end)
{
    struct sim_end *peer = end->peer;
    weft_time when = sim_travel(end->connection);

    peer->unsent = 0;
    if (peer->segment_count > 0 && peer->segments[peer->segment_count - 1].due > when)
        when = peer->segments[peer->segment_count - 1].due;
    if (!sim_is_cut(end->connection))
        sim_end_break(peer, -ECONNRESET, when);
    end->status = -ECONNABORTED;
}

static bool must_reset(const struct sim_end *end, bool abort)
{
    if (sim_is_over(end->connection))
        return false;
    return end->arrived > end->lent_length || (abort && end->connection->net != SIM_UNIX);
}

/* Whether the close needs some time, because an operation has to come home, or as if one had to. */
static bool closes_later(const struct sim_end *end)
{
    return end->connection->completes &&
           (end->later_count > 0 || end->busy || sim_fault(faults_of(end), FAULT_rare_paths));
}

/* What close(2) does. */
static void let_go(struct sim_end *end, bool abort)
{
    end->receiving = end->once_more = end->blocked = end->connecting = false;
    end->later_count = 0;
    sim_event_cancel(end->connection->world, &end->death);
    sim_event_cancel(end->connection->world, &end->break_);
    sim_event_cancel(end->connection->world, &end->disk);
    if (end->status == 0 && must_reset(end, abort))
        send_reset(end);
    end->gone = true;
    if (end->status == 0) {
        end->ends = true;
        sim_end_pump(end->peer);
    }
}

void sim_end_kill(struct sim_end *end)
{
    if (end->gone)
        return;
    note(end, "killed", 0, (int64_t)end->arrived);
    let_go(end, false);
}

/* (One that is gone already was killed.) */
static bool sim_close(struct backend *backend, struct backend_stream *stream, bool abort)
{
    struct sim_end *end = stream->sim;

    (void)backend;
    note(end, "close", abort, (int64_t)end->arrived);
    if (!end->gone) {
        end->closed_later = closes_later(end);
        let_go(end, abort);
    }
    if (end->closed_later) {
        sim_end_has_news(end);
        return false;
    }
    weft_link_remove(&end->news.link);
    end->stream = NULL;
    end->backend = NULL;
    sim_connection_settle(end->connection);
    return true;
}

static void sim_broken(struct backend *backend, struct backend_stream *stream)
{
    (void)backend;
    (void)stream; /* whatever broke it ends the receiving, too */
}

static int sim_local(struct backend *backend, const struct backend_stream *stream, weft_address *ret)
{
    (void)backend;
    *ret = stream->sim->local;
    return 0;
}

static const struct backend_transport at_once = {
    .receive_start = sim_receive_start,
    .receive_stop = sim_receive_stop,
    .send = sim_send,
    .sends_at_once = true,
    .broken = sim_broken,
    .send_file = sim_send_file,
    .shutdown = sim_shutdown,
    .close = sim_close,
    .local = sim_local,
    .unconfirmed = sim_unconfirmed,
};

static const struct backend_transport completing = {
    .receive_start = sim_receive_start,
    .receive_stop = sim_receive_stop,
    .send = sim_send_later,
    .broken = sim_broken,
    .send_file = sim_send_file,
    .shutdown = sim_shutdown,
    .close = sim_close,
    .local = sim_local,
    .unconfirmed = sim_unconfirmed,
};

void sim_stream_attach(struct sim_end *end, struct sim_backend *backend, struct backend_stream *stream)
{
    stream->transport = end->connection->completes ? &completing : &at_once;
    stream->sim = end;
    end->stream = stream;
    end->backend = backend;
    end->gone = false;
    if (has_something_to_say(end))
        sim_end_has_news(end);
}

/* -- telling -- */

static void tell_connected(struct sim_end *end)
{
    end->connecting = false;
    if (end->answer == 0 && end->connection->net != SIM_UNIX) /* it was there, and is gone */
        end->answer = sim_end_take_failure(end);
    note(end, "connected", end->answer, 0);
    end->stream->events->connected(end->stream, end->answer);
}

static void tell_closed(struct sim_end *end)
{
    struct backend_stream *stream = end->stream;

    end->closed_later = false;
    end->stream = NULL;
    end->backend = NULL;
    note(end, "closed", 0, 0);
    stream->events->closed(stream);
}

static void complete_send(struct sim_end *end)
{
    bool all;
    int64_t result = can_send(end);

    if (result == 0)
        result = take_runs(end, end->later, end->later_count, &all);
    if (result == 0 && sim_end_room(end) == 0) {
        end->blocked = true;
        end->room = false;
        return;
    }
    end->later_count = 0;
    end->blocked = end->room = false;
    strike(end);
    note(end, "sent", result, 0);
    end->stream->events->sent(end->stream, result);
}

static void tell_room(struct sim_end *end)
{
    if (end->later_count > 0) {
        complete_send(end);
        return;
    }
    end->blocked = end->room = false;
    note(end, "sent", 0, 0);
    end->stream->events->sent(end->stream, 0);
}

/* Returns whether that was as much as there was room for: less ends the turn's deliveries, as with the kernel's. */
static bool deliver_one(struct sim_end *end, size_t most)
{
    size_t length = shorter(end, FAULT_short_reads, most);
    weft_bytes bytes = sim_end_lend(end, length);

    end->once_more = false;
    note(end, "received", (int64_t)bytes.length, 0);
    end->stream->events->received(end->stream, bytes, 0);
    sim_end_give_back(end);
    return length == most;
}

static void deliver(struct sim_end *end)
{
    bool more = true;

    for (int i = 0; more && i < DELIVERIES && end->arrived > 0 && !end->gone && (end->receiving || end->once_more); i++)
        more = deliver_one(end, end->arrived < DELIVERY ? end->arrived : DELIVERY);
    if (end->receiving && has_something_to_say(end))
        sim_end_has_news(end);
}

static void tell_over(struct sim_end *end, int status)
{
    end->read_over = end->read_over || end->receiving;
    end->receiving = false;
    note(end, "received", 0, status);
    end->stream->events->received(end->stream, weft_bytes_of(NULL, 0), status);
}

/* To a reader the end or the failure, after what had arrived before; a failure also if nobody reads. */
static void tell_end(struct sim_end *end)
{
    bool ended_first = end->end_came && end->connection->net == SIM_TCP;

    if (end->receiving && end->arrived == 0 && !end->read_over && (end->end_came || end->status < 0))
        tell_over(end, ended_first ? 0 : sim_end_take_failure(end));
    if (!end->gone && !end->receiving && end->failure < 0)
        tell_over(end, sim_end_take_failure(end));
}

static void tell_news(struct sim_end *end)
{
    if (end->closed_later) {
        tell_closed(end);
        return;
    }
    if (end->connecting) {
        if (end->answered)
            tell_connected(end);
        if (end->gone || end->connecting || end->answer < 0)
            return;
    }
    if (end->room && !end->gone)
        tell_room(end);
    if ((end->receiving || end->once_more) && end->arrived > 0 && !end->gone)
        deliver(end);
    if (!end->gone)
        tell_end(end);
    if (!end->gone && end->blocked && end->status < 0) {
        end->room = true;
        tell_room(end);
    }
}

void sim_stream_tell(struct sim_backend *backend, struct sim_news *news)
{
    struct sim_end *end = weft_container_of(news, struct sim_end, news);

    (void)backend;
    end->busy = true;
    tell_news(end);
    end->busy = false;
    sim_connection_settle(end->connection);
}
