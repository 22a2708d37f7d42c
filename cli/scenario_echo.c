/* SPDX-License-Identifier: MIT */
/*
 * The scenario "echo": examples/echo.c (a task for each connection) and
 * examples/echo_protocol.c (callbacks), and clients that check every byte.
 *
 * A client has messages to send, and goes on, with a new connection if the one
 * that it has is lost, until all of them have come back.
 */
#include "scenario.h"

#define WINDOW 16
/* No connection is tried again sooner, or later. */
#define AGAIN_LEAST WEFT_MILLISECONDS(10)
#define AGAIN_MOST WEFT_SECONDS(2)

enum style {
    LEAVES_REST = 1 << 0, /* does not always take all that it is given */
    PAUSES = 1 << 1,
    GIVES_UP = 1 << 2, /* breaks off in the middle, now and then */
    LENDS = 1 << 3,    /* writes without a copy */
    HURRIES = 1 << 4,  /* small limits: is often told to wait */
    STYLES = 1 << 5,
};

/* One client in so many has much to say, and listens badly, so that its server has to wait for it. */
#define BULKY 32
#define BULK 16384

struct client {
    weft_protocol protocol;
    weft_timer timer; /* APART: to connect again; OPEN: to resume */
    struct scenario *scenario;
    const char *url;
    weft_stream *stream;
    unsigned number, dials;
    unsigned style, window;
    size_t largest;                        /* message */
    size_t high_water;                     /* of its stream */
    unsigned left;                         /* messages that have not come back */
    unsigned in_flight;                    /* of these, those that were sent on this connection */
    uint64_t ends[WINDOW], sent, received; /* where those in flight end; bytes of this connection */
    uint64_t rest;                         /* of what was received, what was not taken */
    enum life life;
    bool bulky, paused, full, ended, over;
};

/* What all clients of a run share. */
struct echo {
    struct scenario scenario;
    struct client clients[];
};

static uint64_t draw(const struct client *client, uint64_t bound)
{
    return weft_sim_draw(client->scenario->sim, bound);
}

static uint64_t key_of(const struct client *client)
{
    return client->number * 97 + client->dials;
}

static void fail(struct client *client, const char *what)
{
    weft_sim_fail(client->scenario->sim, "client %u, connection %u, byte %llu: %s", client->number, client->dials,
                  (unsigned long long)client->received, what);
}

/* What must hold whenever a client is called. */
static void check(struct client *client, bool right, const char *what)
{
    if (!right)
        fail(client, what);
    if (scenario_misplaced(client->life))
        fail(client, scenario_misplaced(client->life));
}

/* -- sending -- */

static void send_message(struct client *client)
{
    bool large = (client->bulky && !client->scenario->calm) || draw(client, 8) == 0;
    size_t length = 1 + (size_t)draw(client, large ? client->largest : 64);
    weft_bytes bytes = scenario_bytes(key_of(client), client->sent, length);
    int status = client->style & LENDS ? weft_stream_write_owned(client->stream, bytes, NULL)
                                       : weft_stream_write(client->stream, bytes);

    if (status < 0) {
        if (status != WEFT_ENOMEM && status != WEFT_EENDED) /* (it is broken, and that is about to be told) */
            fail(client, weft_error_name(status));
        weft_stream_abort(client->stream);
        client->life = CLOSED;
        return;
    }
    client->sent += length;
    client->ends[client->in_flight++] = client->sent;
    if (status == 0 && !client->full && weft_stream_queued(client->stream) > client->high_water)
        fail(client, "more is queued than the high water, and nobody was told");
    client->full = status == 1;
}

static void finish(struct client *client)
{
    if (scenario_leave(client->scenario, client->stream))
        client->life = CLOSED;
    client->over = true;
}

static void give_up(struct client *client)
{
    if (draw(client, 2))
        weft_stream_abort(client->stream);
    else
        weft_stream_close(client->stream);
    client->life = CLOSED;
}

static void go_on(struct client *client)
{
    while (client->life == OPEN && !client->full && !client->over && client->in_flight < client->left &&
           client->in_flight < client->window)
        send_message(client);
    if (client->life == OPEN && !client->over && client->left == 0)
        finish(client);
    if (client->life == OPEN && client->style & GIVES_UP && draw(client, 64) == 0)
        give_up(client);
}

/* -- what it is told -- */

static struct client *client_of(weft_protocol *protocol)
{
    return weft_container_of(protocol, struct client, protocol);
}

static void connected(weft_protocol *protocol, weft_stream *stream)
{
    struct client *client = client_of(protocol);

    check(client, client->life == CONNECTING && client->stream == stream, "connected twice");
    client->life = OPEN;
    if (client->style & GIVES_UP && draw(client, 8) == 0) /* the server may not have seen it yet */
        give_up(client);
    else
        go_on(client);
}

/* Messages that have come back completely. */
static void settle(struct client *client)
{
    unsigned done = 0;

    while (done < client->in_flight && client->ends[done] <= client->received)
        done++;
    for (unsigned i = done; done > 0 && i < client->in_flight; i++)
        client->ends[i - done] = client->ends[i];
    client->in_flight -= done;
    client->left -= done;
}

static void maybe_pause(struct client *client)
{
    if (!(client->style & PAUSES) || client->life != OPEN || draw(client, 8) > 0)
        return;
    weft_stream_pause(client->stream);
    client->paused = true;
    weft_timer_start(&client->timer, (weft_time)draw(client, WEFT_SECONDS(2)));
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    struct client *client = client_of(protocol);
    size_t taken = in.length;

    (void)stream;
    check(client, client->life == OPEN && !client->ended && in.length > 0, "received out of turn");
    check(client, !client->paused, "something was delivered while it was paused");
    check(client, in.length >= client->rest, "what was left did not come back");
    check(client, client->received + in.length <= client->sent, "more came back than was sent");
    check(client, scenario_is_bytes(key_of(client), client->received, in), "a byte is wrong");
    /* (What is left comes back with more bytes, so more must be on its way.) */
    if (client->style & LEAVES_REST && client->received + in.length < client->sent)
        taken = (size_t)draw(client, in.length + 1);
    client->received += taken;
    client->rest = in.length - taken;
    settle(client);
    go_on(client);
    maybe_pause(client);
    return taken;
}

static void drained(weft_protocol *protocol, weft_stream *stream)
{
    struct client *client = client_of(protocol);

    (void)stream;
    check(client, client->life == OPEN && client->full, "drained, and was not full");
    client->full = false;
    go_on(client);
}

/* The servers end when their client does, and not before, unless they are ended by force. */
static void ended(weft_protocol *protocol, weft_stream *stream)
{
    struct client *client = client_of(protocol);

    check(client, client->life == OPEN && !client->ended && !client->paused, "ended out of turn");
    check(client, client->over || !client->scenario->gentle, "the server ends it, though nothing breaks");
    client->ended = true;
    weft_stream_close(stream);
    client->life = CLOSED;
}

static void again(struct client *client)
{
    client->life = APART;
    weft_timer_start(&client->timer, AGAIN_LEAST + (weft_time)draw(client, AGAIN_MOST - AGAIN_LEAST));
}

static void lost(weft_protocol *protocol, weft_stream *stream, int reason)
{
    struct client *client = client_of(protocol);

    if (client->life == APART || client->stream != stream)
        fail(client, "lost twice");
    /* (Who closes and reads no more may be reset: an echo that nobody takes is a stall.) */
    if (reason >= 0 || (client->scenario->gentle && client->life != CLOSED && reason != WEFT_ECLOSED))
        fail(client, weft_error_name(reason));
    weft_timer_stop(&client->timer);
    client->stream = NULL;
    if (client->left > 0) {
        again(client);
        return;
    }
    client->life = APART;
    weft_timer_fini(&client->timer);
    scenario_client_done(client->scenario);
}

static WEFT_PROTOCOL(client_ops, "echo client", "it is part of a simulation", .connected = connected,
                     .received = received, .drained = drained, .ended = ended, .lost = lost);

/* -- connections -- */

static weft_stream_options draw_options(struct client *client)
{
    weft_stream_options options = scenario_stream_options(client->scenario);

    client->high_water = client->style & HURRIES ? (size_t)256 << draw(client, 6) : 64 * (size_t)1024;
    options.high_water = client->high_water;
    options.low_water = client->high_water / 4;
    return options;
}

static void dial(struct client *client)
{
    weft_stream_options options = draw_options(client);
    weft_scope *scope = scenario_scope(client->scenario, client->number);
    int status;

    client->dials++;
    client->in_flight = 0;
    client->sent = client->received = client->rest = 0;
    client->paused = client->full = client->ended = client->over = false;
    client->life = CONNECTING;
    status = weft_stream_connect(scope, client->url, &client->protocol, &options, &client->stream, NULL);
    if (status < 0)
        again(client);
}

static void timer_fired(weft_timer *timer)
{
    struct client *client = weft_container_of(timer, struct client, timer);

    if (client->life == APART) {
        dial(client);
        return;
    }
    client->paused = false;
    if (client->life != OPEN)
        return;
    if ((client->style & GIVES_UP || client->bulky) && draw(client, 8) == 0) { /* the server may wait for it to read */
        give_up(client);
        return;
    }
    weft_stream_resume(client->stream);
    maybe_pause(client); /* it may change its mind before anything was delivered */
}

/* -- the run -- */

static int begin(struct echo *echo, unsigned number, unsigned messages)
{
    static const char *const urls[] = {"tcp://10.0.0.3:7007", "tcp://10.0.0.4:7008", "tcp://[fd00::3]:7007",
                                       "tcp://[fd00::4]:7008"};
    struct client *client = &echo->clients[number];
    int status;

    client->protocol.ops = &client_ops;
    client->scenario = &echo->scenario;
    client->number = number;
    client->left = messages;
    client->url = urls[draw(client, 4)];
    client->style = scenario_style(client->scenario, STYLES);
    client->window = 1 + (unsigned)draw(client, WINDOW);
    client->largest = (size_t)64 << draw(client, 8);
    client->bulky = draw(client, BULKY) == 0;
    if (client->bulky) {
        client->style = PAUSES;
        client->window = WINDOW;
        client->largest = BULK;
    }
    status = weft_timer_init(&client->timer, scenario_scope(client->scenario, number), timer_fired);
    if (status < 0)
        return status;
    echo->scenario.pending++;
    client->life = APART;
    weft_timer_start(&client->timer, scenario_arrival(client->scenario));
    return 0;
}

static int serve(struct scenario *scenario)
{
    static char program[] = "echo", anywhere_task[] = "tcp://:7007", anywhere_calls[] = "tcp://:7008";
    static char *task[] = {program, anywhere_task, NULL}, *calls[] = {program, anywhere_calls, NULL};
    int status = scenario_serve(scenario, "task.example", scenario_main_echo, task);

    return status < 0 ? status : scenario_serve(scenario, "calls.example", scenario_main_echo_protocol, calls);
}

static int run(weft_sim *sim, const weft_sim_plan *plan)
{
    struct echo *echo = scenario_new(sim, sizeof *echo + plan->connections * sizeof *echo->clients);
    int status;

    if (!echo)
        return WEFT_ENOMEM;
    status = serve(&echo->scenario);
    for (unsigned i = 0; status == 0 && i < plan->connections; i++)
        status = begin(echo, i, (plan->messages + plan->connections - 1) / plan->connections);
    return status < 0 ? status : scenario_run(&echo->scenario);
}

static const char *const probes[] = {
    "listener: exhausted",
    "sim: a delivery after a stop",
    "sim: a silent peer was given up",
    "sim: broken before it was accepted",
    "sim: no descriptor to accept with",
    "stream: a peer takes nothing any more",
    "stream: broken while it was held",
    "stream: broken while something was to be read",
    "stream: bytes came after its close",
    "stream: idle for too long",
    "stream: input kept over a pause",
    "stream: lost before its handle came home",
    "stream: lost while a write was queued",
    "stream: lost while input waited",
    "stream: what was lent had to be copied",
    "stream: what was staged did not go out at once",
    "task stream: input came while some was lent",
    "task stream: no memory for input",
    NULL,
};

const weft_sim_scenario scenario_echo = {
    .size = sizeof(weft_sim_scenario),
    .name = "echo",
    .summary = "the examples echo and echo_protocol, and clients that check every byte",
    .probes = probes,
    .plan = {.size = sizeof(weft_sim_plan), .connections = 20, .messages = 1000},
    .run = run,
};
