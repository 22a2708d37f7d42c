/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/log_check.h"

static char context[256];

void support_set_context(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
}

void support_clear_context(void)
{
    context[0] = '\0';
}

const char *support_engine(void)
{
    const char *engine = getenv("WEFT_TEST_ENGINE");

    return engine ? engine : "epoll";
}

static void report_context(void)
{
    if (context[0] != '\0')
        print_error("the test ended here: %s\n", context);
    support_clear_context();
}

int support_setup(void **state)
{
    (void)state;
    support_clear_context();
    support_allocator_install();
    support_log_install();
    return 0;
}

int support_teardown(void **state)
{
    (void)state;
    report_context();
    support_fail_at(0, false);
    support_check_clean();
    support_log_remove();
    support_allocator_remove();
    return 0;
}

void support_check_clean(void)
{
    size_t surprises = log_check_surprises();
    size_t live = support_live();

    if (surprises > 0)
        fail_msg("the log was not as expected in %zu places", surprises);
    if (live > 0)
        fail_msg("%zu allocations with %zu bytes were not released", live, support_live_bytes());
}
