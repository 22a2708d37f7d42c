/* SPDX-License-Identifier: MIT */
/* The course of a run of a built-in scenario (scenario.h). */
#include "scenario.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How long faults go on, at most. */
#define HOSTILE WEFT_SECONDS(60)
/* In which all that was begun must end when they are over. A connection may have room for 128 bytes and take 1.8 s to
 * and fro: a quarter of a megabyte then needs an hour. */
#define TO_END WEFT_HOURS(2)
/* In which servers must end that were asked to, and what nobody answers on. */
#define TO_STOP WEFT_HOURS(1)
#define DUMP_SIZE 3000

/* -- what went wrong -- */

struct dump {
    char text[DUMP_SIZE];
    size_t length;
};

static void dump_line(const char *text, void *arg)
{
    struct dump *dump = arg;
    int length = snprintf(dump->text + dump->length, sizeof dump->text - dump->length, "\n  %s", text);

    if (length > 0)
        dump->length += (size_t)length;
    if (dump->length > sizeof dump->text - 1)
        dump->length = sizeof dump->text - 1;
}

void scenario_fail(struct scenario *scenario, const char *what)
{
    struct dump dump = {.length = 0};

    weft_sim_dump(scenario->sim, dump_line, &dump);
    weft_sim_fail(scenario->sim, "%s; what there is:%s", what, dump.text);
}

/* -- hosts -- */

static weft_loop *add_host(struct scenario *scenario, const char *name)
{
    weft_loop *loop = weft_sim_host(scenario->sim, name);

    if (loop)
        scenario->clients[scenario->client_count++] = loop;
    return loop;
}

void *scenario_new(weft_sim *sim, size_t size)
{
    struct scenario begun = {.sim = sim, .gentle = weft_sim_draw(sim, 4) == 0}, *scenario;

    begun.crowd = weft_sim_draw(sim, 4) == 0;
    if (begun.gentle)
        weft_sim_gentle(sim);
    if (!add_host(&begun, "one.example") || !add_host(&begun, "two.example"))
        return NULL;
    scenario = weft_scope_allocate(weft_loop_scope(begun.clients[0]), size);
    if (scenario)
        *scenario = begun;
    return scenario;
}

int scenario_serve(struct scenario *scenario, const char *name, int (*entry)(int argc, char **argv), char **argv)
{
    int status = weft_sim_program(scenario->sim, name, entry, argv);

    if (status == 0)
        scenario->servers[scenario->server_count++] = name;
    return status;
}

/* -- clients -- */

const char *scenario_misplaced(enum life life)
{
    if (life == CLOSED)
        return "called between its close and `lost`";
    return life == APART ? "called after `lost`" : NULL;
}

weft_scope *scenario_scope(const struct scenario *scenario, unsigned number)
{
    return weft_loop_scope(scenario->clients[number % scenario->client_count]);
}

unsigned scenario_style(const struct scenario *scenario, unsigned styles)
{
    return (unsigned)(weft_sim_draw(scenario->sim, styles) & weft_sim_draw(scenario->sim, styles));
}

weft_time scenario_arrival(const struct scenario *scenario)
{
    return scenario->crowd ? WEFT_MILLISECONDS(500) : (weft_time)weft_sim_draw(scenario->sim, WEFT_SECONDS(1));
}

weft_stream_options scenario_stream_options(const struct scenario *scenario)
{
    weft_stream_options options = {.size = sizeof options, .connect = WEFT_SECONDS(20), .idle = WEFT_SECONDS(30)};

    if (scenario->gentle) {
        options.connect = options.idle = options.write_stall = WEFT_MINUTES(15);
    } else if (weft_sim_draw(scenario->sim, 8) == 0) {
        options.idle = options.write_stall = WEFT_NEVER;
        options.keepalive = WEFT_SECONDS(30);
    }
    return options;
}

bool scenario_leave(const struct scenario *scenario, weft_stream *stream)
{
    switch (weft_sim_draw(scenario->sim, 3)) {
    case 0:
        weft_stream_close(stream);
        return true;
    case 1:
        weft_stream_end(stream);
        return false;
    default:
        weft_stream_abort(stream);
        return true;
    }
}

/* -- the course of a run -- */

void scenario_client_done(struct scenario *scenario)
{
    if (--scenario->pending == 0)
        weft_sim_stop(scenario->sim);
}

static void check_ends(struct scenario *scenario)
{
    for (unsigned i = 0; i < scenario->server_count; i++)
        if (weft_sim_program_status(scenario->sim, scenario->servers[i]) != 0)
            scenario_fail(scenario, "a server has not ended in order");
    for (unsigned i = 0; i < scenario->client_count; i++)
        if (weft_scope_count(weft_loop_scope(scenario->clients[i])) > 0)
            scenario_fail(scenario, "something is left on the clients' host");
}

static int stop_servers(struct scenario *scenario)
{
    int status;

    for (unsigned i = 0; i < scenario->server_count; i++)
        (void)weft_sim_signal(scenario->sim, scenario->servers[i], SIGTERM);
    status = weft_sim_run(scenario->sim, TO_STOP);
    if (status == 1)
        scenario_fail(scenario, "it is asked to stop, and does not come to rest");
    if (status == 0)
        check_ends(scenario);
    return status;
}

int scenario_run(struct scenario *scenario)
{
    weft_sim *sim = scenario->sim;
    int status = 0;

    if (scenario->pending > 0)
        status = weft_sim_run(sim, WEFT_SECONDS(1) + (weft_time)weft_sim_draw(sim, HOSTILE));
    weft_sim_calm(sim);
    scenario->calm = true;
    if (status >= 0 && scenario->pending > 0)
        status = weft_sim_run(sim, TO_END);
    if (status >= 0 && scenario->pending > 0)
        scenario_fail(scenario, "the faults are over, and what was begun does not end");
    else if (status >= 0)
        status = stop_servers(scenario);
    return weft_sim_failure(sim) ? 0 : status < 0 ? status : 0;
}

/* -- bytes that can be checked -- */

#define PATTERN (size_t)65536

static char pattern[PATTERN + SCENARIO_RUN];

/* (Nothing here is random: a generator of whatever quality will do.) */
static void fill_pattern(void)
{
    uint32_t state = 1;

    for (size_t i = 0; i < PATTERN; i++) {
        state = state * 1664525 + 1013904223;
        pattern[i] = (char)(state >> 24);
    }
    for (size_t i = PATTERN; i < sizeof pattern; i++)
        pattern[i] = pattern[i - PATTERN];
}

static size_t place_of(uint64_t key, uint64_t position)
{
    return (size_t)(key * 7919 + position) % PATTERN;
}

weft_bytes scenario_bytes(uint64_t key, uint64_t position, size_t length)
{
    if (pattern[PATTERN] == 0)
        fill_pattern();
    return weft_bytes_of(pattern + place_of(key, position), length);
}

bool scenario_is_bytes(uint64_t key, uint64_t position, weft_bytes bytes)
{
    while (bytes.length > 0) {
        size_t run = bytes.length < SCENARIO_RUN ? bytes.length : SCENARIO_RUN;

        if (memcmp(bytes.data, scenario_bytes(key, position, run).data, run) != 0)
            return false;
        position += run;
        bytes = weft_bytes_skip(bytes, run);
    }
    return true;
}
