/* SPDX-License-Identifier: MIT */
#include "switch.h"

#include "async/context.h"
#include "async/stack_pool.h"

static struct stack_pool *pool;
static struct context loop;
static struct one {
    struct context context;
    struct stack stack;
} contexts[MANY], spawned;

static void stop_again_and_again(void *arg)
{
    struct one *one = arg;

    for (;;)
        context_switch(&one->context, &loop);
}

static void end(void *arg)
{
    struct one *one = arg;

    context_leave(&one->context, &loop);
}

static inline void make(struct one *one, context_entry *entry)
{
    if (stack_pool_take(pool, STACK, &one->stack) < 0)
        exit(1);
    context_make(&one->context, one->stack.low, one->stack.size, entry, one);
}

static void setup(size_t count)
{
    if (stack_pool_new(&pool) < 0)
        exit(1);
    for (size_t i = 0; i < count; i++)
        make(&contexts[i], stop_again_and_again);
}

static inline void visit(size_t i)
{
    context_switch(&loop, &contexts[i].context);
}

static inline void spawn(void)
{
    make(&spawned, end);
    context_switch(&loop, &spawned.context);
    context_release(&spawned.context);
    stack_pool_give(pool, &spawned.stack);
}

int main(int argc, char **argv)
{
    return run_contestant(argc, argv);
}
