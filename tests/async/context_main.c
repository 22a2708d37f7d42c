/* SPDX-License-Identifier: MIT */
/* The checks of contexts as a program that needs nothing but libc: for emulators. */
#include "async/context_checks.h"

#include <stdio.h>

static int failures;

static void run(const char *name, const char *failure)
{
    printf("%s: %s\n", name, failure ? failure : "ok");
    failures += failure != NULL;
}

int main(void)
{
#define RUN(name) run(#name, check_##name());
    CONTEXT_CHECKS(RUN)
    return failures > 0;
}
