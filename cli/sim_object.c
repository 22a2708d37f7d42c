/* SPDX-License-Identifier: MIT */
#include "sim_object.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "sim.h"

#define SYMBOL "weft_scenario"

static char reason[400];

static const weft_sim_scenario *refused(const char **ret_reason)
{
    *ret_reason = reason;
    return NULL;
}

bool sim_object_is(const char *path)
{
    const char *name = strrchr(path, '/'), *dot = name;

    while (dot && (dot = strstr(dot + 1, ".so")))
        if (dot[3] == '\0' || dot[3] == '.')
            return true;
    return false;
}

/* libweft.so.N has another interface for each N; this program brings that of its own. */
static int find_other_library(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *version = strstr(info->dlpi_name, "/libweft.so."), **found = arg;
    size_t length = strspn(WEFT_VERSION, "0123456789");

    (void)size;
    if (!version)
        return 0;
    version += strlen("/libweft.so.");
    if (strncmp(version, WEFT_VERSION, length) == 0 && (version[length] == '\0' || version[length] == '.'))
        return 0;
    *found = version;
    return 1;
}

static const char *check_probes(const weft_sim_scenario *scenario)
{
    size_t count = 0;

    while (scenario->probes && scenario->probes[count])
        if (++count > SIM_PROBES_MOST)
            return "declares more than 64 probes";
    return NULL;
}

/* What is wrong with it, or NULL. Its size comes first: what is behind it is not there to be looked at. */
static const char *check(const weft_sim_scenario *scenario)
{
    if (scenario->size < sizeof *scenario)
        return "has the wrong size: is its member size set to sizeof(weft_sim_scenario)?";
    if (scenario->size > sizeof *scenario)
        return "is larger than this version knows: it was compiled for a later one";
    if (!scenario->name || !scenario->summary)
        return "has no name or no summary";
    if (!scenario->run)
        return "has no function to run";
    return check_probes(scenario);
}

const weft_sim_scenario *sim_object_load(const char *path, const char **ret_reason)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const weft_sim_scenario *scenario;
    const char *other = NULL, *wrong;

    if (!object) {
        snprintf(reason, sizeof reason, "%s", dlerror());
        return refused(ret_reason);
    }
    if (dl_iterate_phdr(find_other_library, &other)) {
        snprintf(reason, sizeof reason, "%s is linked with libweft.so.%s, and this is weft %s", path, other,
                 WEFT_VERSION);
        return refused(ret_reason);
    }
    scenario = dlsym(object, SYMBOL);
    if (!scenario) {
        snprintf(reason, sizeof reason, "%s exports no scenario: const weft_sim_scenario " SYMBOL, path);
        return refused(ret_reason);
    }
    wrong = check(scenario);
    if (!wrong)
        return scenario;
    snprintf(reason, sizeof reason, "the " SYMBOL " of %s %s", path, wrong);
    return refused(ret_reason);
}
