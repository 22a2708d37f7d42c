/* SPDX-License-Identifier: MIT */
/*
 * What the built-in scenarios have in common: servers that are stopped at the
 * end, clients that are counted until all are done, and the course of a run:
 *
 *     faults ... calm ... (all clients must come to an end) ... stop ... nothing may be left
 */
#ifndef CLI_SCENARIO_H
#define CLI_SCENARIO_H

#include <weft/sim_scenario.h>
#include <weft/weft.h>

/* Hosts of one scenario that run servers, or clients, at most. */
#define SCENARIO_HOSTS 4

struct scenario {
    weft_sim *sim;
    unsigned pending;                    /* clients that are not done */
    weft_loop *clients[SCENARIO_HOSTS];  /* hosts that the scenario itself runs on */
    const char *servers[SCENARIO_HOSTS]; /* names of hosts that run a program until SIGTERM */
    unsigned client_count, server_count;
    bool gentle; /* nothing breaks a connection but its ends: none may be lost for another reason */
    bool crowd;  /* all clients come at the same moment */
    bool calm;   /* the faults are over; who has much to say should come to an end */
};

/* Begins one in @p sim, with two hosts for clients; every fourth is gentle. It is the first member of what is returned:
 * @p size zeroed bytes, which live as long as the hosts. NULL if there is no memory. */
void *scenario_new(weft_sim *sim, size_t size);
/* Adds a host that runs the program @p entry. @p name and @p argv are for ever. Returns 0 or an error. */
int scenario_serve(struct scenario *scenario, const char *name, int (*entry)(int argc, char **argv), char **argv);

/* -- clients -- */

/* What a client has still to be told on its present connection. */
enum life { APART, CONNECTING, OPEN, CLOSED };

/* What is wrong if it is called then; NULL. */
const char *scenario_misplaced(enum life life);
/* Where client @p number belongs: on one of the two hosts. */
weft_scope *scenario_scope(const struct scenario *scenario, unsigned number);
/* How a client behaves: some of the bits below @p styles, each with a chance of one in four. */
unsigned scenario_style(const struct scenario *scenario, unsigned styles);
/* When a client comes. */
weft_time scenario_arrival(const struct scenario *scenario);
/* What a client gives a connection: in a gentle run more than any slow peer needs, so that its end is a failure. In the
 * others one in eight leaves it to TCP to find out that nobody is there. */
weft_stream_options scenario_stream_options(const struct scenario *scenario);
/* Closes, ends or aborts @p stream. Returns whether it is CLOSED now: an end is still told the other's. */
bool scenario_leave(const struct scenario *scenario, weft_stream *stream);
/* A client is done; when all are, the run goes on with what comes next. */
void scenario_client_done(struct scenario *scenario);
/* The course of a run, when all clients have begun. Returns 0, or an error: the run could not be made. */
int scenario_run(struct scenario *scenario);
/* Something is wrong; what waits on which host is told with it. */
void scenario_fail(struct scenario *scenario, const char *what);

/* Bytes that depend on their place, so that each can be checked: @p length of them (at most SCENARIO_RUN) from
 * @p position of the stream of bytes that @p key names. They live for ever. */
#define SCENARIO_RUN ((size_t)128 * 1024)
weft_bytes scenario_bytes(uint64_t key, uint64_t position, size_t length);
/* Whether @p bytes are those. */
bool scenario_is_bytes(uint64_t key, uint64_t position, weft_bytes bytes);

/* The main functions of examples/. */
int scenario_main_echo(int argc, char **argv);
int scenario_main_echo_protocol(int argc, char **argv);
int scenario_main_chat(int argc, char **argv);

extern const weft_sim_scenario scenario_echo, scenario_http, scenario_chat;

#endif
