/* SPDX-License-Identifier: MIT */
#include "async/context_checks.h"

#include "support/support.h"

#define TEST(name)                   \
    static void name(void **state)   \
    {                                \
        const char *failure;         \
        (void)state;                 \
        failure = check_##name();    \
        if (failure)                 \
            fail_msg("%s", failure); \
    }
CONTEXT_CHECKS(TEST)
#undef TEST

int main(void)
{
#define TEST(name) support_test(name),
    const struct CMUnitTest tests[] = {CONTEXT_CHECKS(TEST)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
