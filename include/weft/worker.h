/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A thread that runs a loop: how a server uses several processors.
 *
 * In a simulated world (weft/sim.h) workers are threads that take turns: one of
 * them runs at a time, until its loop's turn is over, and the seed says which
 * is next. All loops that a thread makes with WEFT_BACKEND=sim:SEED in its
 * environment are in one world, also those that its workers make. So a program
 * waits for a worker with weft_worker_join or in its loop, for a post; what
 * waits in any other way, as for a lock that the worker gives back later, would
 * wait for ever; a worker that does so for 5 s of real time is told of in the log.
 */
#ifndef WEFT_WORKER_H
#define WEFT_WORKER_H

#include <weft/loop.h>

WEFT_BEGIN_DECLS

/** A thread that runs a loop; whoever started it joins it. */
typedef struct weft_worker weft_worker;

/**
 * Runs @p loop on a thread of its own. From now on only weft_loop_post may be called on it by others. Signals are not
 * delivered to the thread.
 * @param[out] ret_worker  *returned*, the caller joins it
 * @return 0; WEFT_ENOMEM; -EAGAIN if no thread can be made; -EBUSY if @p loop is that of weft_sim_host, to which its
 *         world gives its turns
 */
WEFT_API WEFT_NODISCARD int weft_worker_start(weft_loop *loop, weft_worker **ret_worker);

/**
 * Waits until the loop's run has returned, and frees the worker. The loop is the caller's again.
 * @return what weft_loop_run returned; in a simulated world that is -EDEADLK, if it waited for something that nothing
 *         could bring any more, or if its program ended
 */
WEFT_API int weft_worker_join(weft_worker *worker);

/**
 * Raises this process's limit on open descriptors as far as it may: a server with many connections calls it once, at
 * the start.
 * @return the limit
 */
WEFT_API unsigned long weft_worker_raise_descriptors(void);

/** How many processors this process may use; at least 1. In a simulated world 1 to 4, as the seed has it. */
WEFT_API unsigned weft_worker_processors(void);

WEFT_END_DECLS

#endif
