/* SPDX-License-Identifier: MIT */
/* swapcontext of libc. The stack of a spawn is always the same one. */
#include "switch.h"

#include <ucontext.h>

static ucontext_t loop, contexts[MANY], spawned;
static size_t visited;
static char *stack;

static void stop_again_and_again(void)
{
    for (;;)
        swapcontext(&contexts[visited], &loop);
}

static void end(void)
{
    setcontext(&loop);
}

static void make(ucontext_t *context, char *memory, void (*entry)(void))
{
    getcontext(context);
    context->uc_stack.ss_sp = memory;
    context->uc_stack.ss_size = STACK;
    context->uc_link = NULL;
    makecontext(context, entry, 0);
}

static void setup(size_t count)
{
    for (size_t i = 0; i < count; i++)
        make(&contexts[i], get_memory(STACK), stop_again_and_again);
    stack = get_memory(STACK);
}

static inline void visit(size_t i)
{
    visited = i;
    swapcontext(&loop, &contexts[i]);
}

static inline void spawn(void)
{
    make(&spawned, stack, end);
    swapcontext(&loop, &spawned);
}

int main(int argc, char **argv)
{
    return run_contestant(argc, argv);
}
