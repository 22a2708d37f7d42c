/* SPDX-License-Identifier: MIT */
/*
 * A world and what runs in it: loops that a test drives, and programs on
 * stacks of their own. The world itself is in backend/sim/.
 */
#ifndef SIM_SIM_INTERNAL_H
#define SIM_SIM_INTERNAL_H

#include <weft/loop.h>
#include <weft/sim.h>

#include "async/context.h"
#include "async/stack_pool.h"
#include "backend/sim/world.h"

struct sim_program;

/* Something that is run: a loop, or a program. */
struct sim_node {
    weft_link link; /* in sim->nodes */
    struct sim_host *host;
    weft_loop *loop; /* NULL: it was freed, or it is a program's */
    struct sim_program *program;
};

enum sim_state { PROGRAM_NEW, PROGRAM_RUNS, PROGRAM_PARKED, PROGRAM_ENDED };

struct sim_program {
    weft_sim *sim;
    struct sim_host *host;
    int (*entry)(int argc, char **argv);
    char **argv;
    enum sim_state state;
    int result;
    struct context context;
    struct stack stack;
    struct sim_wait wait; /* what it waits for while it is parked, and what that returns */
    int answer;
};

struct sim_probe {
    const char *name;
    uint64_t count;
};

struct weft_sim {
    struct sim_world world;
    weft_link nodes;
    struct stack_pool *stacks;
    struct context main; /* whoever called weft_sim_run */
    struct sim_program *running;
    bool stopping, ending;
    weft_sim_check *checks;
    bool failed;
    char failure[4096];
    struct sim_probe *probes;
    size_t probe_count, probe_room;
};

/* -- sim.c -- */

/* Ends what runs there. */
void sim_node_free(struct sim_node *node);

/* -- program.c -- */

/* Lets it go on until it waits or ends. */
int sim_program_step(struct sim_program *program);
/* When it wants to go on: now, or later. */
weft_time sim_program_due(const struct sim_program *program);
/* Ends it: its waits fail. */
void sim_program_free(struct sim_program *program);
int sim_park(struct sim_world *world, const struct sim_wait *wait);

/* -- run.c -- */

/* Runs all but those whose turn has led here, until @p wait is over. Returns 0; -EDEADLK if it never will be; -EPROTO or
 * another error if the world has failed. */
int sim_run_others(weft_sim *sim, const struct sim_wait *wait);
/* When the first of the world has something to do: now, or later; WEFT_NEVER: it has come to rest. */
weft_time sim_next_due(weft_sim *sim);

/* -- report.c -- */

void sim_reach(struct sim_world *world, const char *probe);

#endif
