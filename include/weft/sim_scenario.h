/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A scenario: what `weft sim` runs, one seed after another, in a simulated
 * world (weft/sim.h).
 *
 * A shared object that exports one under the name `weft_scenario` is run with
 * `weft sim ./it.so`.
 */
#ifndef WEFT_SIM_SCENARIO_H
#define WEFT_SIM_SCENARIO_H

#include <weft/sim.h>

WEFT_BEGIN_DECLS

/** How large a run is to be; a run that failed is tried again with less. */
typedef struct weft_sim_plan {
    size_t size;          /**< sizeof(weft_sim_plan) */
    unsigned connections; /**< or whatever the scenario has several of; never 0 */
    unsigned messages;    /**< in all, or about; never 0 */
} weft_sim_plan;

/** A scenario. All texts are constants. */
typedef struct weft_sim_scenario {
    size_t size;         /**< sizeof(weft_sim_scenario) */
    const char *name;    /**< a word in small letters */
    const char *summary; /**< one line */
    const char *const
        *probes;        /**< the probes (weft/probe.h) that a set of seeds must reach; ends with NULL; may be NULL */
    weft_sim_plan plan; /**< how large a run is, if nobody says otherwise; its size may be 0 */
    /**
     * Fills a fresh world whose faults are set, runs it, ends the faults, runs it until all that was begun has ended,
     * and frees nothing of the world's. What is wrong it says with weft_sim_fail; that no task waits for ever
     * (weft_sim_stuck), and that nothing is left over (memory, open files) when the world has been freed, is checked by
     * the caller. What is to go on waiting is ended before: by its scope, or by a signal to its program.
     * @return 0; 1, as from the last weft_sim_run: it has not come to rest; a negative error: the run could not be
     *         made. Both count as failures
     */
    int (*run)(weft_sim *sim, const weft_sim_plan *plan);
} weft_sim_scenario;

WEFT_END_DECLS

#endif
