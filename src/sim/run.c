/* SPDX-License-Identifier: MIT */
/* Who runs next in a simulated world, and when the clock moves (weft/sim.h). */
#include "sim/sim_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "backend/sim/worker.h"
#include "base/probe.h"
#include "loop/loop_internal.h"

/* Turns at one moment, after which somebody is taken to turn in a circle. */
#define TURNS_AT_ONCE 1000000

static struct sim_node *node_of(weft_link *link)
{
    return weft_container_of(link, struct sim_node, link);
}

/* When @p node has something to do: the time, which may be now; WEFT_NEVER. (One whose turn is under way waits inside of
 * it, for a worker.) */
static weft_time due_of(const struct sim_node *node, weft_time now)
{
    weft_time wait;

    if (node->program)
        return sim_program_due(node->program);
    if (!node->loop || node->loop->turning)
        return WEFT_NEVER;
    wait = weft_loop_prepare(node->loop);
    return wait == WEFT_NEVER ? WEFT_NEVER : now + wait;
}

/* Whose turn it is: one of the two, or nobody's. */
struct turn {
    struct sim_node *node;
    struct sim_worker *worker;
};

/* One of those that are ready, each as likely as the others; if there is none, *ret_due is when there will be. */
static struct turn choose(weft_sim *sim, weft_time *ret_due)
{
    struct sim_world *world = &sim->world;
    struct turn chosen = {NULL, NULL};
    unsigned ready = 0;

    *ret_due = WEFT_NEVER;
    for (weft_link *link = sim->nodes.next; link != &sim->nodes; link = link->next) {
        weft_time due = due_of(node_of(link), world->now);

        if (due < *ret_due)
            *ret_due = due;
        if (due <= world->now && (++ready == 1 || random_below(&world->schedule, ready) == 0))
            chosen.node = node_of(link);
    }
    chosen.worker = sim_workers_choose(world, &ready, ret_due);
    return chosen;
}

static int step_node(struct sim_node *node)
{
    int status;

    if (node->program)
        return sim_program_step(node->program);
    if (!node->loop)
        return 0;
    sim_open_on(node->host);
    status = weft_loop_step(node->loop);
    (void)weft_loop_stopped(node->loop); /* the world goes on, and a stop must not count as work for ever */
    sim_world_enter(NULL);
    sim_open_on(NULL);
    return status < 0 ? status : 0;
}

static int step(const struct turn *turn)
{
    if (!turn->worker)
        return step_node(turn->node);
    sim_worker_step(turn->worker);
    return 0;
}

static void ask_checks(weft_sim *sim)
{
    for (weft_sim_check *check = sim->checks; check && !sim->failed; check = check->next) {
        const char *broken = check->broken(check);
        if (broken)
            weft_sim_fail(sim, "%s", broken);
    }
}

/* Nobody is ready: moves the clock to what comes next. Returns 1 if it may not get there; 0 if nothing comes. */
static int move_on(weft_sim *sim, weft_time due, weft_time until, bool *ret_more)
{
    struct sim_world *world = &sim->world;
    weft_time event = sim_world_next(world), next = due < event ? due : event;

    *ret_more = false;
    if (next == WEFT_NEVER)
        return 0;
    if (next > until) {
        sim_world_advance(world, until);
        return 1;
    }
    if (due < event)
        next += sim_world_lateness(world);
    sim_world_advance(world, next < until ? next : until);
    *ret_more = true;
    return 0;
}

/* One of those that wait wakes up for nothing. */
static struct sim_node *wake_somebody(weft_sim *sim)
{
    struct sim_faults *faults = &sim->world.faults;
    struct sim_node *woken = NULL;
    unsigned count = 0;

    if (!sim_fault(faults, FAULT_spurious_wakeups))
        return NULL;
    for (weft_link *link = sim->nodes.next; link != &sim->nodes; link = link->next) {
        struct sim_node *node = node_of(link);
        bool waits = node->program ? node->program->state == PROGRAM_PARKED : node->loop && !node->loop->turning;

        if (waits && (++count == 1 || sim_fault_below(faults, FAULT_spurious_wakeups, count) == 0))
            woken = node;
    }
    return woken;
}

static int run_one(weft_sim *sim, const struct turn *turn, weft_time *at, unsigned *turns)
{
    const struct sim_host *host = turn->worker ? sim_worker_host(turn->worker) : turn->node->host;
    int status = step(turn);

    ask_checks(sim);
    if (*at != sim->world.now) {
        *at = sim->world.now;
        *turns = 0;
    } else if (++*turns > TURNS_AT_ONCE) {
        weft_sim_fail(sim, "%s goes round in circles: the clock stands still", host->name);
    }
    return status;
}

/* A run of the world, as far as it has come. */
struct course {
    weft_time until, at; /* how far it may go; the time of the last turn */
    unsigned turns;      /* since the clock has moved */
    bool for_nothing;    /* somebody was woken for nothing */
    bool more;           /* something is left that can happen, until then */
};

/* Somebody has a turn, or the clock moves. */
static int go_on(weft_sim *sim, struct course *course)
{
    struct sim_world *world = &sim->world;
    struct turn turn;
    weft_time due;

    sim_world_advance(world, world->now);
    turn = choose(sim, &due);
    course->for_nothing = !turn.node && !turn.worker && !course->for_nothing; /* not twice: time is to pass */
    if (course->for_nothing)
        turn.node = wake_somebody(sim);
    if (turn.node || turn.worker)
        return run_one(sim, &turn, &course->at, &course->turns);
    return move_on(sim, due, course->until, &course->more);
}

int weft_sim_run(weft_sim *sim, weft_time time)
{
    weft_time now = sim->world.now;
    struct course course = {.until = time >= WEFT_NEVER - now ? WEFT_NEVER : now + time, .at = now, .more = true};
    int status = 0;

    sim->stopping = false;
    while (status == 0 && course.more && !sim->failed && !sim->stopping)
        status = go_on(sim, &course);
    if (sim->failed)
        return -EPROTO;
    return sim->stopping && status == 0 ? 1 : status;
}

int sim_run_others(weft_sim *sim, const struct sim_wait *wait)
{
    struct sim_world *world = &sim->world;
    struct sim_host *host = sim_opening_host();
    struct course course = {.until = WEFT_NEVER, .at = world->now, .more = true};
    int status = 0;

    while (status == 0 && course.more && !sim->failed && sim_wait_due(wait) > world->now)
        status = go_on(sim, &course);
    sim_open_on(host);
    if (sim->failed)
        return -EPROTO;
    return status == 0 && !course.more ? -EDEADLK : status;
}

weft_time sim_next_due(weft_sim *sim)
{
    weft_time event = sim_world_next(&sim->world), due = sim_workers_due(&sim->world);

    due = event < due ? event : due;
    for (weft_link *link = sim->nodes.next; link != &sim->nodes; link = link->next) {
        weft_time node = due_of(node_of(link), sim->world.now);
        due = node < due ? node : due;
    }
    return due;
}

void weft_sim_stop(weft_sim *sim)
{
    sim->stopping = true;
}

void weft_sim_add_check(weft_sim *sim, weft_sim_check *check)
{
    for (const weft_sim_check *known = sim->checks; known; known = known->next)
        if (known == check)
            return;
    check->next = sim->checks;
    sim->checks = check;
}

void weft_sim_fail(weft_sim *sim, const char *format, ...)
{
    va_list arguments;

    if (sim->failed)
        return;
    sim->failed = true;
    va_start(arguments, format);
    (void)vsnprintf(sim->failure, sizeof sim->failure, format, arguments);
    va_end(arguments);
    sim_note(&sim->world, "fail", NULL, 0, 0, 0);
}

const char *weft_sim_failure(const weft_sim *sim)
{
    return sim->failed ? sim->failure : NULL;
}
