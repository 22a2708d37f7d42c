/* SPDX-License-Identifier: MIT */
/* How bytes get from one end of a simulated connection to the other (network.h). */
#include "backend/sim/network.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

/* How long Linux sends again before it gives up (tcp_retries2), about. */
#define GIVES_UP WEFT_SECONDS(924)
/* Its first retransmission comes after so long; each next after twice that. */
#define RETRANSMISSION WEFT_MILLISECONDS(200)
#define RING_LEAST 1024

/* -- news -- */

void sim_end_has_news(struct sim_end *end)
{
    if (end->backend && (end->stream || end->closed_later))
        sim_news_add(end->backend, &end->news);
}

static bool is_local(const struct sim_connection *connection)
{
    return connection->net != SIM_TCP;
}

bool sim_is_cut(const struct sim_connection *connection)
{
    return connection->silent || (connection->way->cut && !is_local(connection));
}

/* -- time -- */

weft_time sim_travel(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;
    const weft_time *latency = world->faults.rates.latency;

    if (latency[1] == 0)
        return world->now;
    return world->now + latency[0] + (weft_time)random_below(&world->network, (uint64_t)(latency[1] - latency[0]) + 1);
}

/* A lost segment is sent again, and again. */
static weft_time lost_time(struct sim_world *world)
{
    weft_time wait = RETRANSMISSION, total = 0;

    do {
        total += wait;
        wait *= 2;
    } while (total < WEFT_SECONDS(30) && sim_fault_below(&world->faults, FAULT_retransmissions, 3) == 0);
    return total;
}

static weft_time arrival_time(struct sim_end *to, size_t length)
{
    struct sim_connection *connection = to->connection;
    struct sim_world *world = connection->world;
    struct sim_link *way = connection->way;
    weft_time due = sim_travel(connection), *busy = &way->busy[to->host == way->ends[0]];
    uint64_t bandwidth = world->faults.rates.bandwidth;

    if (bandwidth > 0 && !is_local(connection)) {
        weft_time begins = *busy > world->now ? *busy : world->now;
        *busy = begins + (weft_time)(length * UINT64_C(1000000000) / bandwidth);
        due += *busy - world->now;
    }
    if (!is_local(connection) && sim_fault(&world->faults, FAULT_retransmissions))
        due += lost_time(world);
    if (to->segment_count > 0 && due < to->segments[to->segment_count - 1].due)
        due = to->segments[to->segment_count - 1].due;
    return due;
}

/* -- the ring -- */

static bool ring_grow(struct sim_end *to, size_t wanted)
{
    size_t size = to->ring_size ? to->ring_size : RING_LEAST, used = to->arrived + to->flying + to->unsent;
    char *ring;

    while (size < wanted)
        size *= 2;
    ring = sim_allocate(to->connection->world, size);
    if (!ring)
        return false;
    for (size_t i = 0, run; i < used; i += run) {
        size_t at = (to->ring_at + i) & (to->ring_size - 1);
        run = to->ring_size - at < used - i ? to->ring_size - at : used - i;
        memcpy(ring + i, to->ring + at, run);
    }
    if (to->ring != to->lent)
        weft_release(to->ring);
    to->ring = ring;
    to->ring_size = size;
    to->ring_at = 0;
    return true;
}

static void ring_put(struct sim_end *to, const char *data, size_t length)
{
    size_t at = (to->ring_at + to->arrived + to->flying + to->unsent) & (to->ring_size - 1);
    size_t run = to->ring_size - at < length ? to->ring_size - at : length;

    memcpy(to->ring + at, data, run);
    memcpy(to->ring, data + run, length - run);
}

weft_bytes sim_end_lend(struct sim_end *to, size_t most)
{
    size_t run = to->ring_size - to->ring_at;

    if (run > to->arrived)
        run = to->arrived;
    to->lent = to->ring;
    to->lent_length = run < most ? run : most;
    return weft_bytes_of(to->ring + to->ring_at, to->lent_length);
}

void sim_end_give_back(struct sim_end *to)
{
    if (to->lent != to->ring)
        weft_release(to->lent);
    to->lent = NULL;
    to->arrived -= to->lent_length;
    to->ring_at = (to->ring_at + to->lent_length) & (to->ring_size - 1);
    to->lent_length = 0;
    sim_end_pump(to);
}

/* -- sending -- */

size_t sim_end_room(const struct sim_end *from)
{
    const struct sim_end *to = from->peer;
    size_t used = to->unsent + to->flying;

    return used < from->connection->send_room ? from->connection->send_room - used : 0;
}

int64_t sim_end_take(struct sim_end *from, const char *data, size_t length)
{
    struct sim_end *to = from->peer;
    size_t room = sim_end_room(from), used = to->arrived + to->flying + to->unsent;

    if (length > room)
        length = room;
    if (length == 0)
        return 0;
    if (used + length > to->ring_size && !ring_grow(to, used + length))
        return WEFT_ENOMEM;
    ring_put(to, data, length);
    sim_note_bytes(from->connection->world, "bytes", from->host, from->connection->number, data, length);
    to->unsent += length;
    sim_end_pump(to);
    return (int64_t)length;
}

void sim_end_fears(struct sim_end *end)
{
    if (!heap_contains(&end->death.node) && end->status == 0)
        sim_event_plan(end->connection->world, &end->death, end->connection->world->now + GIVES_UP);
}

static void give_up(struct sim_world *world, struct sim_event *event)
{
    sim_probe(world, "sim: a silent peer was given up");
    sim_end_broken(weft_container_of(event, struct sim_end, death), -ETIMEDOUT);
}

/* How much may leave now in one segment. */
static size_t next_length(const struct sim_end *to)
{
    struct sim_connection *connection = to->connection;
    size_t ahead = to->arrived + to->flying;
    size_t room = ahead < connection->receive_room ? connection->receive_room - ahead : 0;

    return to->unsent < room ? to->unsent : room;
}

static void plan_arrival(struct sim_end *to)
{
    if (to->segment_count > 0 && !heap_contains(&to->arrival.node))
        sim_event_plan(to->connection->world, &to->arrival, to->segments[0].due);
}

/* The peer has nothing that listens to bytes any more: it answers with a reset (RFC 9293, section 3.10.7.1). */
static void answer_with_reset(struct sim_end *to)
{
    sim_end_break(to->peer, -ECONNRESET, sim_travel(to->connection));
}

static void land(struct sim_end *to, const struct sim_segment *segment)
{
    struct sim_connection *connection = to->connection;

    to->flying -= segment->length;
    to->arrived += segment->length;
    connection->world->counts.bytes += segment->length;
    sim_note(connection->world, "arrive", to->host, connection->number, segment->length, segment->last);
    if (segment->last)
        to->end_came = true;
    if (to->gone && segment->length > 0) {
        to->arrived = 0;
        answer_with_reset(to);
    }
    sim_end_has_news(to);
    if (to->peer->blocked && !sim_is_cut(connection) && sim_end_room(to->peer) > 0) {
        to->peer->room = true;
        sim_end_has_news(to->peer);
    }
}

static void land_what_is_due(struct sim_end *to)
{
    while (to->segment_count > 0 && to->segments[0].due <= to->connection->world->now) {
        struct sim_segment segment = to->segments[0];
        to->segment_count--;
        memmove(to->segments, to->segments + 1, to->segment_count * sizeof *to->segments);
        land(to, &segment);
    }
}

static void arrive(struct sim_world *world, struct sim_event *event)
{
    struct sim_end *to = weft_container_of(event, struct sim_end, arrival);
    struct sim_connection *connection = to->connection;

    (void)world;
    if (connection->silent)
        return;
    land_what_is_due(to);
    sim_end_pump(to);
    plan_arrival(to);
    sim_connection_settle(connection);
}

static bool end_may_leave(const struct sim_end *to)
{
    return to->peer->ends && !to->end_sent && to->unsent == 0;
}

/* Whether the other end was aborted, and @p end has not heard of it: its reset is on its way, or was lost with the link
 * (a reset is not sent again). */
static bool is_forgotten(const struct sim_end *end)
{
    return end->peer->gone && end->peer->status < 0 && end->status == 0 && !end->gone;
}

void sim_end_pump(struct sim_end *to)
{
    bool waits = to->unsent + to->flying > 0 || end_may_leave(to);

    if (to->status < 0 && !is_forgotten(to->peer))
        return;
    if (to->peer->status < 0)
        return;
    if (sim_is_cut(to->connection)) {
        if (waits)
            sim_end_fears(to->peer);
        return;
    }
    if (is_forgotten(to->peer)) {
        if (waits)
            answer_with_reset(to);
        return;
    }
    while (to->segment_count < SIM_SEGMENTS) {
        size_t length = next_length(to);
        struct sim_segment *segment = &to->segments[to->segment_count];

        if (length == 0 && !end_may_leave(to))
            break;
        to->unsent -= length;
        to->flying += length;
        *segment = (struct sim_segment){
            .due = arrival_time(to, length), .length = (uint32_t)length, .last = end_may_leave(to)};
        to->end_sent = to->end_sent || segment->last;
        to->segment_count++;
    }
    plan_arrival(to);
}

/* -- breaking -- */

void sim_end_broken(struct sim_end *end, int status)
{
    if (end->status < 0)
        return;
    end->status = status;
    end->unsent = 0; /* what has arrived can still be read */
    sim_event_cancel(end->connection->world, &end->arrival);
    sim_event_cancel(end->connection->world, &end->death);
    sim_event_cancel(end->connection->world, &end->break_);
    end->flying = 0;
    end->segment_count = 0;
    end->peer->unsent = 0;
    sim_note(end->connection->world, "broken", end->host, end->connection->number, status, 0);
    if (end->port)
        sim_probe(end->connection->world, "sim: broken before it was accepted");
    if (end->connecting && !end->answered) {
        end->answered = true;
        end->answer = status;
    } else {
        end->failure = end->break_told ? 0 : status;
    }
    sim_end_has_news(end);
    sim_connection_settle(end->connection);
}

static void learn(struct sim_world *world, struct sim_event *event)
{
    struct sim_end *end = weft_container_of(event, struct sim_end, break_);

    (void)world;
    if (end->connection->silent || sim_is_over(end->connection))
        return;
    land_what_is_due(end); /* it was sent before the reset */
    /* Linux, tcp_reset: to one that was told the end before, writing is what failed. */
    if (end->connection->net == SIM_TCP && end->end_came && end->break_status == -ECONNRESET)
        end->break_status = -EPIPE;
    sim_end_broken(end, end->break_status);
}

int sim_end_take_failure(struct sim_end *end)
{
    int failure = end->failure;

    end->failure = 0;
    return failure;
}

bool sim_is_over(const struct sim_connection *connection)
{
    return connection->net != SIM_UNIX && connection->ends[0].end_came && connection->ends[1].end_came;
}

void sim_end_break(struct sim_end *end, int status, weft_time when)
{
    if (end->gone || end->status < 0 || end->connection->silent)
        return;
    if (heap_contains(&end->break_.node) && end->break_.due <= when)
        return;
    end->break_status = status;
    sim_event_plan(end->connection->world, &end->break_, when);
}

/* After so many whole seconds nine probes (tcp(7)), a third of that apart, as socket.c asks for them. */
static weft_time keepalive_time(const struct sim_end *end)
{
    weft_time idle = end->keepalive / WEFT_SECONDS(1), gap;

    if (idle < 1)
        idle = 1;
    gap = idle / 3 > 0 ? idle / 3 : 1;
    return WEFT_SECONDS(idle + 9 * gap);
}

static bool is_probing(const struct sim_end *end)
{
    return end->keepalive > 0 && end->keepalive != WEFT_NEVER && !end->gone && !end->connecting;
}

static void plan_keepalive(struct sim_end *end)
{
    if (is_probing(end) && !heap_contains(&end->death.node) && end->status == 0)
        sim_event_plan(end->connection->world, &end->death, end->connection->world->now + keepalive_time(end));
}

/* Nothing comes any more, for now or for ever. */
static void fear_silence(struct sim_connection *connection)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        bool unconfirmed = end->peer->flying + end->peer->unsent > 0 || (end->ends && !end->peer->end_came);
        if (unconfirmed && !end->gone)
            sim_end_fears(end);
        plan_keepalive(end);
    }
}

void sim_connection_silence(struct sim_connection *connection)
{
    connection->silent = true;
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        sim_event_cancel(connection->world, &end->arrival);
        sim_event_cancel(connection->world, &end->break_);
    }
    fear_silence(connection);
}

void sim_connection_resume(struct sim_connection *connection)
{
    if (connection->silent)
        return;
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        sim_event_cancel(connection->world, &end->death);
        sim_end_pump(end);
        plan_arrival(end);
        if (is_forgotten(end) && is_probing(end))
            sim_end_break(end, -ECONNRESET, connection->world->now + end->keepalive);
        if (end->blocked && sim_end_room(end) > 0) {
            end->room = true;
            sim_end_has_news(end);
        }
    }
}

static void tell_of(struct sim_host *host, const struct sim_link *way)
{
    for (weft_link *link = host->connections.next, *next; link != &host->connections; link = next) {
        struct sim_connection *connection = weft_container_of(link, struct sim_connection, link);
        next = link->next;
        if (connection->way != way)
            continue;
        if (way->cut && connection->net == SIM_TCP)
            fear_silence(connection);
        else if (!way->cut)
            sim_connection_resume(connection);
    }
}

void sim_connections_of_link(struct sim_link *way)
{
    tell_of(way->ends[0], way);
    if (way->ends[1] != way->ends[0])
        tell_of(way->ends[1], way);
}

/* -- the life of a connection -- */

/* A connection whose sends complete later has room for what they are to send. */
static bool draw_way_of_sending(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;

    connection->completes = world->faults.chance[FAULT_rare_paths] > 0 && random_below(&world->network, 2) == 0;
    for (int i = 0; connection->completes && i < 2; i++) {
        connection->ends[i].later = sim_allocate(world, BACKEND_RUNS * sizeof(weft_bytes));
        if (!connection->ends[i].later)
            return false;
    }
    return true;
}

static void draw_rooms(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;

    connection->send_room = connection->receive_room = 32 * 1024;
    if (world->faults.chance[FAULT_rare_paths]) {
        connection->send_room = (size_t)1 << random_between(&world->network, 7, 18);
        connection->receive_room = (size_t)1 << random_between(&world->network, 7, 18);
    }
}

struct sim_connection *sim_connection_new(struct sim_host *from, struct sim_link *way, enum sim_net net)
{
    struct sim_connection *connection = sim_allocate(from->world, sizeof *connection);

    if (!connection)
        return NULL;
    connection->world = from->world;
    connection->way = way;
    connection->net = net;
    connection->number = ++from->world->connections;
    from->world->counts.connections++;
    draw_rooms(connection);
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        end->connection = connection;
        end->peer = &connection->ends[1 - i];
        end->gone = true;
        end->news.tell = sim_stream_tell;
        weft_link_init(&end->news.link);
        weft_link_init(&end->waiting);
        sim_event_init(&end->arrival, arrive);
        sim_event_init(&end->break_, learn);
        sim_event_init(&end->death, give_up);
        sim_event_init(&end->disk, sim_stream_fetched);
    }
    weft_link_insert_before(&from->connections, &connection->link);
    if (!draw_way_of_sending(connection)) {
        sim_connection_settle(connection);
        return NULL;
    }
    return connection;
}

static void free_connection(struct sim_connection *connection)
{
    struct sim_world *world = connection->world;

    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        sim_event_cancel(world, &end->arrival);
        sim_event_cancel(world, &end->break_);
        sim_event_cancel(world, &end->death);
        sim_event_cancel(world, &end->disk);
        weft_link_remove(&end->news.link);
        weft_link_remove(&end->waiting);
        weft_release(end->ring);
        weft_release(end->later);
    }
    sim_event_cancel(world, &connection->knock);
    weft_link_remove(&connection->link);
    weft_release(connection->path);
    weft_release(connection);
}

static bool is_over(const struct sim_end *end)
{
    return end->gone && !end->stream && !end->port && !end->busy && !end->closed_later &&
           weft_link_is_alone(&end->news.link) && !heap_contains(&end->break_.node);
}

/* Whether what a gone owner has written is still under way to somebody. */
static bool is_lingering(const struct sim_end *end)
{
    return end->peer->unsent + end->peer->flying > 0 && end->status == 0 && end->peer->status == 0 && !end->peer->gone;
}

void sim_connection_settle(struct sim_connection *connection)
{
    const struct sim_end *a = &connection->ends[0], *b = &connection->ends[1];

    if (is_over(a) && is_over(b) && !is_lingering(a) && !is_lingering(b) && !heap_contains(&connection->knock.node))
        free_connection(connection);
}

void sim_connections_free(struct sim_host *host)
{
    while (!weft_link_is_alone(&host->connections))
        free_connection(weft_container_of(host->connections.next, struct sim_connection, link));
}
