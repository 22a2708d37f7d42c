/* SPDX-License-Identifier: MIT */
#include "sim_scenarios.h"

#include <string.h>

#include "scenario.h"
#include "suggest.h"

const weft_sim_scenario *const sim_scenarios[] = {&scenario_echo, &scenario_http, &scenario_chat, NULL};

const weft_sim_scenario *sim_scenario_find(const char *name)
{
    for (size_t i = 0; sim_scenarios[i]; i++)
        if (strcmp(sim_scenarios[i]->name, name) == 0)
            return sim_scenarios[i];
    return NULL;
}

const char *sim_scenario_nearest(const char *name)
{
    struct suggestion suggestion = suggestion_for(name, strlen(name));

    for (size_t i = 0; sim_scenarios[i]; i++)
        suggestion_offer(&suggestion, sim_scenarios[i]->name);
    return suggestion.best;
}

void sim_scenarios_print(FILE *out, bool verbose)
{
    size_t widest = 0;

    for (size_t i = 0; sim_scenarios[i]; i++)
        widest = strlen(sim_scenarios[i]->name) > widest ? strlen(sim_scenarios[i]->name) : widest;
    for (size_t i = 0; sim_scenarios[i]; i++) {
        const weft_sim_scenario *scenario = sim_scenarios[i];

        fprintf(out, "%-*s  %s\n", (int)widest, scenario->name, scenario->summary);
        for (size_t p = 0; verbose && scenario->probes && scenario->probes[p]; p++)
            fprintf(out, "%-*s    probe %s\n", (int)widest, "", scenario->probes[p]);
    }
}
