/* SPDX-License-Identifier: MIT */
/* Boost.Context's fcontext, called from C: what its C++ classes stand on. The stack of a spawn is always the same one. */
#include "switch.h"

typedef struct {
    void *context, *data;
} transfer;

void *make_fcontext(void *top, size_t size, void (*entry)(transfer from));
transfer jump_fcontext(void *to, void *data);

static void *contexts[MANY];
static char *stack;

static void stop_again_and_again(transfer from)
{
    for (;;)
        from = jump_fcontext(from.context, NULL);
}

static void end(transfer from)
{
    jump_fcontext(from.context, NULL);
}

static void setup(size_t count)
{
    for (size_t i = 0; i < count; i++)
        contexts[i] = make_fcontext((char *)get_memory(STACK) + STACK, STACK, stop_again_and_again);
    stack = get_memory(STACK);
}

static inline void visit(size_t i)
{
    contexts[i] = jump_fcontext(contexts[i], NULL).context;
}

static inline void spawn(void)
{
    jump_fcontext(make_fcontext(stack + STACK, STACK, end), NULL);
}

int main(int argc, char **argv)
{
    return run_contestant(argc, argv);
}
