/* SPDX-License-Identifier: MIT */
#include "base/probe.h"

bool weft_probing;
static struct probe_hooks hooks;

void probe_set_hooks(const struct probe_hooks *given)
{
    hooks = *given;
    weft_probing = true;
}

void weft_probe_reach(const char *name)
{
    if (hooks.reach)
        hooks.reach(name);
}

bool probe_rare(const char *site)
{
    return hooks.rare && hooks.rare(site);
}
