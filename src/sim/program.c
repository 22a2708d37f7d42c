/* SPDX-License-Identifier: MIT */
/*
 * Programs in a simulated world: each has a stack, and where its loop would
 * wait, the others run (weft_sim_program).
 */
#include "sim/sim_internal.h"

#include <weft/error.h>
#include <weft/memory.h>

#include "async/task_internal.h"
#include "backend/sim/network.h"
#include "backend/sim/worker.h"

#define STACK_SIZE (512 * (size_t)1024)
/* How often a program that is to end may wait before it is left where it is. */
#define WAITS_AT_END 10000

static int count_arguments(char **argv)
{
    int count = 0;

    while (argv[count])
        count++;
    return count;
}

/* exit(3): the system closes what it has left open, and ends the threads that it has not joined. */
static void leave(const struct sim_program *program)
{
    for (weft_link *link = program->host->backends.next; link != &program->host->backends; link = link->next) {
        struct sim_backend *backend = weft_container_of(link, struct sim_backend, link);
        if (backend->program == program)
            sim_backend_kill(backend);
    }
    sim_workers_end(&program->sim->world, program);
}

static void begin(void *arg)
{
    struct sim_program *program = arg;

    program->result = program->entry(count_arguments(program->argv), program->argv) & 0xff;
    leave(program);
    program->state = PROGRAM_ENDED;
    sim_note(&program->sim->world, "exit", program->host, 0, program->result, 0);
    context_leave(&program->context, &program->sim->main);
}

/* Runs it until it waits or ends. What the thread knows of tasks is its own. */
static void switch_to(struct sim_program *program)
{
    struct async_current before = async_current;
    unsigned depth = loop_depth;
    weft_sim *sim = program->sim;

    program->state = PROGRAM_RUNS;
    sim->running = program;
    sim->world.program = program;
    loop_depth = 0;
    async_current = (struct async_current){.prepared = before.prepared};
    sim_open_on(program->host);
    context_switch(&sim->main, &program->context);
    sim_open_on(NULL);
    async_current = before;
    loop_depth = depth;
    sim->running = NULL;
    sim->world.program = NULL;
    sim_world_enter(NULL);
    if (program->state != PROGRAM_ENDED)
        return;
    context_release(&program->context);
    stack_pool_give(sim->stacks, &program->stack);
}

int sim_program_step(struct sim_program *program)
{
    int status;

    if (program->state == PROGRAM_NEW) {
        status = stack_pool_take(program->sim->stacks, STACK_SIZE, &program->stack);
        if (status < 0)
            return status;
        stack_set_name(&program->stack, program->host->name);
        context_make(&program->context, program->stack.low, program->stack.size, begin, program);
    }
    program->answer = 0;
    switch_to(program);
    return 0;
}

weft_time sim_program_due(const struct sim_program *program)
{
    switch (program->state) {
    case PROGRAM_NEW:
        return 0;
    case PROGRAM_PARKED:
        return sim_wait_due(&program->wait);
    default:
        return WEFT_NEVER;
    }
}

/* A loop waits, if only for its next turn: on the stack of a program the others go on; elsewhere it is being freed, or
 * whoever steps it sees to that. Who waits for a worker in the turn of a host's loop has the others go on, too. */
int sim_park(struct sim_world *world, const struct sim_wait *wait)
{
    weft_sim *sim = weft_container_of(world, weft_sim, world);
    struct sim_program *program = sim->running;
    struct async_current mine = async_current;
    unsigned depth = loop_depth;

    if (sim_wait_due(wait) <= world->now && (!program || sim->ending))
        return 0;
    if (!program)
        return wait->worker && !sim->ending ? sim_run_others(sim, wait) : sim_wait_alone(world, wait);
    if (sim->ending)
        return WEFT_ECANCELED;
    program->state = PROGRAM_PARKED;
    program->wait = *wait;
    context_switch(&program->context, &sim->main);
    async_current = mine;
    loop_depth = depth;
    return program->answer;
}

void sim_program_free(struct sim_program *program)
{
    for (int i = 0; program->state == PROGRAM_PARKED && i < WAITS_AT_END; i++) {
        program->answer = WEFT_ECANCELED;
        switch_to(program);
    }
    sim_workers_end(&program->sim->world, program);
    weft_release(program);
}
