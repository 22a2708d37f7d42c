/* SPDX-License-Identifier: MIT */
/*
 * Workers (weft/worker.h) in a simulated world: threads that take turns.
 *
 * Each is a thread of the system, so that whatever belongs to a thread is its own, in Weft, in the C library and in the
 * program; but only one of all that run in a world runs at a time. Whoever decides who is next (the runner: weft_sim_run,
 * or the wait of a program alone) lets one go on and stands still until that waits again.
 *
 *   begun --> parked <--> runs --> ended
 *
 * So nothing happens between two lines of a program, and the turns of its loops come in an order that the seed draws.
 */
#ifndef BACKEND_SIM_WORKER_H
#define BACKEND_SIM_WORKER_H

#include "backend/sim/world.h"

int sim_thread_start(struct backend *backend, struct thread **ret, void (*run)(void *arg), void *arg);
void sim_thread_join(struct backend *backend, struct thread *thread);

/* Whether this thread is a worker of @p world. */
bool sim_worker_is_here(const struct sim_world *world);
/* Whose code this is: the program's whose worker this thread is, or which runs. NULL: no program's with a stack. */
const void *sim_program_here(const struct sim_world *world);
bool sim_worker_has_ended(const struct sim_worker *worker);
/* Stops this thread, which is a worker, until the runner lets it go on. Returns what its wait returns. */
int sim_worker_park(const struct sim_wait *wait);

/* -- what the runner does -- */

/* Adds those that can go on to *ready, and draws one of all that were counted there: NULL if it is none of these. *due
 * becomes the time at which the first wants to go on, if that is earlier. */
struct sim_worker *sim_workers_choose(struct sim_world *world, unsigned *ready, weft_time *due);
/* When the first of them wants to go on; WEFT_NEVER. */
weft_time sim_workers_due(const struct sim_world *world);
/* Lets it go on until it waits or ends. One that takes long, in real time, is told of in the log. */
void sim_worker_step(struct sim_worker *worker);
const struct sim_host *sim_worker_host(const struct sim_worker *worker);
/* Ends those of @p program: their waits fail. */
void sim_workers_end(struct sim_world *world, const void *program);

#endif
