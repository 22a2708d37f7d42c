/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Probes: rare states that a set of simulated runs must come by, or it has not
 * tried enough (weft/sim.h). Outside of a simulated world one costs a load and
 * a branch.
 */
#ifndef WEFT_PROBE_H
#define WEFT_PROBE_H

#include <stdbool.h>

#include <weft/api.h>

WEFT_BEGIN_DECLS

/** private: what a simulated world wants to hear of, and to decide, in code that runs in it */
typedef struct weft_probe_hooks {
    void (*reach)(const char *name); /**< private */
    bool (*rare)(const char *site);  /**< private */
    bool (*mode)(const char *site);  /**< private */
    bool (*starve)(void);            /**< private */
} weft_probe_hooks;

/** private: NULL as long as the process has no simulated world */
WEFT_API extern const weft_probe_hooks *weft_probing;

/** private: what weft_probing points to (another thread may be making the first world). @return *borrowed*; NULL */
static inline const weft_probe_hooks *weft_probe_now(void)
{
#if defined(__GNUC__) || defined(__clang__)
    return __atomic_load_n(&weft_probing, __ATOMIC_RELAXED);
#else
    return weft_probing;
#endif
}

/** Marks a rare state; @p name is a constant text. A simulated world counts how often it was reached. */
#define WEFT_PROBE(name)                   \
    do {                                   \
        if (weft_probe_now())              \
            weft_probe_now()->reach(name); \
    } while (0)

WEFT_END_DECLS

#endif
