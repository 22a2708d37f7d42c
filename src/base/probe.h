/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Rare states, and rare paths, of Weft's own code: what a simulated world
 * wants to hear of, and what it may choose (weft/sim.h). Outside of one each
 * costs a load and a branch.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#include <stdbool.h>

#include <weft/api.h>

/** Whether there is a simulated world; on whose thread it is, is for the hooks to know. */
WEFT_API extern bool weft_probing;
WEFT_API void weft_probe_reach(const char *name);

/** What a world does with them; set once, by the first world. */
struct probe_hooks {
    void (*reach)(const char *name);
    bool (*rare)(const char *site);
};
void probe_set_hooks(const struct probe_hooks *hooks);
bool probe_rare(const char *site);

/** A rare state that is worth reaching. @p name is a constant text. */
#define PROBE(name)                            \
    do {                                       \
        if (__builtin_expect(weft_probing, 0)) \
            weft_probe_reach(name);            \
    } while (0)

/** Whether the rare path @p site, a constant text, is to be taken though nothing asks for it. */
#define RARE(site) (__builtin_expect(weft_probing, 0) && probe_rare(site))

#endif
