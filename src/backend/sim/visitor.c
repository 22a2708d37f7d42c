/* SPDX-License-Identifier: MIT */
#include "backend/sim/visitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft/memory.h>

/* They come within this time, and pause at most so long between two messages. */
#define ARRIVES WEFT_SECONDS(20)
#define PAUSES WEFT_MILLISECONDS(500)
/* Whoever is still there then breaks off. */
#define STAYS WEFT_MINUTES(20)
#define LISTENERS 8
#define SAID 64
#define PATH_MOST 128

enum temper { POLITE, HASTY, SILENT, DEAF, HALF_CLOSER, TEMPERS };

struct visitor {
    struct backend_stream io;
    struct sim_event event; /* it comes; it says the next thing */
    struct sim_visitors *group;
    enum temper temper;
    unsigned number, left; /* messages that it will still say */
    bool there, sending;
    char said[SAID];
    weft_bytes rest; /* of what is being said */
    weft_bytes run;  /* which the backend has */
};

struct sim_visitors {
    struct sim_host *host; /* whom they visit */
    struct sim_backend *backend;
    struct sim_event end;
    struct backend_endpoint listeners[LISTENERS];
    char paths[LISTENERS][PATH_MOST];
    unsigned listener_count;
    const char *text;
    unsigned count, here; /* in all; who has not gone yet */
    struct random_source random;
    struct visitor visitors[];
};

static struct visitor *visitor_of(struct backend_stream *io)
{
    return weft_container_of(io, struct visitor, io);
}

static struct sim_world *world_of(const struct visitor *visitor)
{
    return visitor->group->host->world;
}

/* -- going -- */

static void tell_end(struct sim_visitors *group)
{
    for (weft_link *link = group->host->backends.next; link != &group->host->backends; link = link->next)
        weft_container_of(link, struct sim_backend, link)->raised |= UINT64_C(1) << SIGTERM;
}

static void gone(struct visitor *visitor)
{
    struct sim_visitors *group = visitor->group;

    visitor->there = false;
    sim_event_cancel(world_of(visitor), &visitor->event);
    if (--group->here == 0)
        sim_event_plan(world_of(visitor), &group->end, world_of(visitor)->now + WEFT_SECONDS(1));
}

static void leave(struct visitor *visitor, bool abort)
{
    struct backend *backend = &visitor->group->backend->base;

    if (visitor->there && visitor->io.transport->close(backend, &visitor->io, abort))
        gone(visitor);
    visitor->there = false;
}

static void closed(struct backend_stream *io)
{
    gone(visitor_of(io));
}

/* Everybody goes; the second time the program is told to. */
static void end(struct sim_world *world, struct sim_event *event)
{
    struct sim_visitors *group = weft_container_of(event, struct sim_visitors, end);

    if (group->here == 0) {
        tell_end(group);
        return;
    }
    for (unsigned i = 0; i < group->count; i++)
        leave(&group->visitors[i], true);
    sim_event_plan(world, event, world->now + WEFT_SECONDS(1));
}

/* -- talking -- */

static void plan_next(struct visitor *visitor)
{
    struct sim_world *world = world_of(visitor);

    sim_event_plan(world, &visitor->event,
                   world->now + (weft_time)random_below(&visitor->group->random, (uint64_t)PAUSES));
}

static void send_rest(struct visitor *visitor);

static void went(struct visitor *visitor, int64_t count)
{
    visitor->sending = false;
    visitor->rest = weft_bytes_skip(visitor->rest, (size_t)count);
    if (visitor->rest.length > 0)
        send_rest(visitor);
    else
        plan_next(visitor);
}

static void send_rest(struct visitor *visitor)
{
    int64_t count;

    visitor->run = visitor->rest;
    visitor->sending = true;
    count = visitor->io.transport->send(&visitor->group->backend->base, &visitor->io, &visitor->run, 1, false);
    if (count == BACKEND_LATER)
        return;
    if (count < 0) {
        leave(visitor, true);
        return;
    }
    visitor->rest = weft_bytes_skip(visitor->rest, (size_t)count);
    visitor->sending = visitor->rest.length > 0; /* a short send: `sent` comes when there is room */
    if (!visitor->sending)
        plan_next(visitor);
}

static void sent(struct backend_stream *io, int64_t result)
{
    struct visitor *visitor = visitor_of(io);

    if (!visitor->there)
        return;
    if (result < 0)
        leave(visitor, true);
    else
        went(visitor, result);
}

static void say(struct visitor *visitor)
{
    const char *text = visitor->group->text;

    visitor->left--;
    if (text) {
        visitor->rest = weft_bytes_from(text);
    } else {
        int length = snprintf(visitor->said, sizeof visitor->said, "visitor %u has %u more to say\r\n", visitor->number,
                              visitor->left);
        visitor->rest = weft_bytes_of(visitor->said, (size_t)length);
    }
    send_rest(visitor);
}

static void finish(struct visitor *visitor)
{
    struct backend *backend = &visitor->group->backend->base;

    switch (visitor->temper) {
    case POLITE:
        leave(visitor, false);
        break;
    case HALF_CLOSER:
        if (visitor->io.transport->shutdown(backend, &visitor->io) < 0)
            leave(visitor, true);
        break; /* and waits for the other end */
    default:
        leave(visitor, true);
    }
}

/* -- coming -- */

static void connected(struct backend_stream *io, int status)
{
    struct visitor *visitor = visitor_of(io);

    if (status < 0) {
        leave(visitor, true);
        return;
    }
    if (visitor->temper != DEAF)
        io->transport->receive_start(&visitor->group->backend->base, io);
    plan_next(visitor);
}

static void received(struct backend_stream *io, weft_bytes bytes, int status)
{
    if (bytes.length == 0)
        leave(visitor_of(io), status < 0);
}

static const struct backend_stream_events events = {.connected = connected,
                                                    .received = received,
                                                    .sent = sent,
                                                    .closed = closed};

static void come(struct visitor *visitor)
{
    static const struct backend_socket_options options = {.keepalive = 0};
    struct sim_visitors *group = visitor->group;
    const struct backend_endpoint *to = &group->listeners[random_below(&group->random, group->listener_count)];
    struct backend_endpoint at = *to;

    visitor->io.events = &events;
    if (at.address.family == WEFT_ADDRESS_IPV4 || at.address.family == WEFT_ADDRESS_IPV6)
        sim_host_address(group->host, group->host, &to->address, &at.address);
    if (sim_connect(&group->backend->base, &visitor->io, &at, &options) < 0)
        gone(visitor);
    else
        visitor->there = true;
}

static void next(struct sim_world *world, struct sim_event *event)
{
    struct visitor *visitor = weft_container_of(event, struct visitor, event);

    (void)world;
    if (!visitor->there)
        come(visitor);
    else if (visitor->temper == SILENT)
        sim_event_plan(world, event, world->now + STAYS); /* until the other end has enough of it */
    else if (visitor->left > 0)
        say(visitor);
    else
        finish(visitor);
}

/* -- the group -- */

void sim_visitors_hear_of(struct sim_host *host, const struct backend_endpoint *at)
{
    struct sim_visitors *group = host->world->visitors;
    unsigned place;

    if (!group || group->host != host || group->listener_count == LISTENERS || at->path.length > PATH_MOST)
        return;
    place = group->listener_count++;
    group->listeners[place] = *at;
    group->listeners[place].path.data = group->paths[place];
    if (at->path.length > 0)
        memcpy(group->paths[place], at->path.data, at->path.length);
    if (place > 0)
        return;
    for (unsigned i = 0; i < group->count; i++)
        sim_event_plan(host->world, &group->visitors[i].event,
                       host->world->now + (weft_time)random_below(&group->random, (uint64_t)ARRIVES));
    sim_event_plan(host->world, &group->end, host->world->now + STAYS);
}

bool sim_visitors_turn(struct sim_world *world)
{
    struct sim_visitors *group = world->visitors;

    if (!group || !sim_is_ready(group->backend))
        return false;
    group->backend->base.ops->dispatch(&group->backend->base);
    return true;
}

static void prepare(struct sim_visitors *group, unsigned messages)
{
    for (unsigned i = 0; i < group->count; i++) {
        struct visitor *visitor = &group->visitors[i];
        visitor->group = group;
        visitor->number = i + 1;
        visitor->temper = (enum temper)random_below(&group->random, TEMPERS);
        visitor->left = messages / group->count + (i < messages % group->count);
        sim_event_init(&visitor->event, next);
    }
}

int sim_visitors_invite(struct sim_host *host, unsigned count, unsigned messages, const char *text)
{
    struct sim_world *world = host->world;
    struct sim_visitors *group = sim_allocate(world, sizeof *group + (size_t)count * sizeof *group->visitors);

    if (!group)
        return WEFT_ENOMEM;
    if (sim_backend_new(host, &group->backend) < 0) {
        weft_release(group);
        return WEFT_ENOMEM;
    }
    group->host = host;
    group->count = group->here = count;
    group->text = text;
    random_fork(&world->user, &group->random);
    sim_event_init(&group->end, end);
    prepare(group, messages);
    world->visitors = group;
    return 0;
}

void sim_visitors_free(struct sim_visitors *visitors)
{
    if (!visitors)
        return;
    for (unsigned i = 0; i < visitors->count; i++) {
        visitors->here++; /* (nobody is to be told any more) */
        leave(&visitors->visitors[i], true);
        sim_event_cancel(visitors->host->world, &visitors->visitors[i].event);
    }
    sim_event_cancel(visitors->host->world, &visitors->end);
    visitors->backend->base.ops->close(&visitors->backend->base);
    weft_release(visitors);
}
