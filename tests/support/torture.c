/* SPDX-License-Identifier: MIT */
#include "support/support.h"

/* A scenario with more allocations than this never ends, or is too large to be run so often. */
#define POINTS_MAX 100000

static const char *mode_name(bool forever)
{
    return forever ? "from then on for ever" : "once";
}

/* @return whether an allocation was made to fail */
static bool run_at(size_t k, bool forever, void (*scenario)(void *arg), void *arg)
{
    size_t before = support_live();

    support_set_context("torture: allocation %zu failed %s", k, mode_name(forever));
    support_fail_at(k, forever);
    scenario(arg);
    bool failed = support_injected() > 0;
    support_fail_at(0, false);
    if (support_live() != before)
        fail_msg("allocation %zu failed %s: %zu allocations before, %zu after", k, mode_name(forever), before,
                 support_live());
    support_clear_context();
    return failed;
}

static size_t run_all(bool forever, void (*scenario)(void *arg), void *arg)
{
    size_t k = 1;

    while (run_at(k, forever, scenario, arg)) {
        if (++k > POINTS_MAX)
            fail_msg("torture did not end after %d points", POINTS_MAX);
    }
    return k - 1;
}

size_t support_torture(void (*scenario)(void *arg), void *arg)
{
    size_t once = run_all(false, scenario, arg);
    size_t forever = run_all(true, scenario, arg);

    if (once == 0)
        fail_msg("the scenario allocates nothing: torture proves nothing");
    print_message("torture: %zu points, failing once; %zu, failing for ever\n", once, forever);
    return forever;
}
