/* SPDX-License-Identifier: MIT */
/*
 * What contexts of all processors share, and the fall-back on swapcontext.
 */
#include "async/context.h"

#include <stdlib.h>
#include <string.h>

#include "base/poison.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#if defined(VALGRIND_STACK_REGISTER)

/* What another context left on the stack is nothing that this one may read. */
static unsigned register_stack(char *low, size_t size)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(low, size);
    return (unsigned)VALGRIND_STACK_REGISTER(low, low + size - 1);
}

static void forget_stack(unsigned id)
{
    VALGRIND_STACK_DEREGISTER(id);
}

#else

static unsigned register_stack(char *low, size_t size)
{
    (void)low;
    (void)size;
    return 0;
}

static void forget_stack(unsigned id)
{
    (void)id;
}

#endif

void context_make(struct context *context, void *low, size_t size, context_entry *entry, void *arg)
{
    uintptr_t top = ((uintptr_t)low + size) & ~(uintptr_t)15;

    *context = (struct context){.stack_id = register_stack(low, size)};
    memory_unpoison(low, size); /* what ended here before did not return from its functions */
#if defined(CONTEXT_ASAN)
    context->low = low;
    context->size = size;
#elif defined(CONTEXT_TSAN)
    context->fiber = __tsan_create_fiber(0);
#endif
    context->sp = context_frame((void *)top, context, entry, arg);
}

/* The first function of every context. */
_Noreturn void context_run(struct context *context, context_entry *entry, void *arg)
{
    context_arrives(context);
    entry(arg);
    abort(); /* it returned instead of leaving, and there is nowhere to return to */
}

_Noreturn void context_leave(struct context *from, struct context *to)
{
    if (from->keeps_fp || to->keeps_fp)
        context_exchange_fp(from, to);
    context_leaves(from, to, true);
    context_swap(&from->sp, to->sp);
    abort(); /* somebody switched to a context that ended */
}

void context_release(struct context *context)
{
    forget_stack(context->stack_id);
#if defined(CONTEXT_TSAN)
    __tsan_destroy_fiber(context->fiber);
#endif
}

void context_keep_fp(struct context *context)
{
    context->keeps_fp = true;
    context_fp_save(&context->fp);
    context->outer = context->fp;
}

/* What was there before a context with words of its own is there again when it stops. */
void context_exchange_fp(struct context *from, struct context *to)
{
    if (from->keeps_fp) {
        context_fp_save(&from->fp);
        context_fp_load(&from->outer);
    }
    if (to->keeps_fp) {
        context_fp_save(&to->outer);
        context_fp_load(&to->fp);
    }
}

#if defined(WEFT_CONTEXT_UCONTEXT)

#include <ucontext.h>

/* The state of a context that does not run lies on its stack, and `sp` is its address. */
void context_swap(void **save_sp, void *sp)
{
    ucontext_t state;

    *save_sp = &state;
    if (swapcontext(&state, sp) < 0)
        abort();
}

/* makecontext hands on ints only. */
static void begin(unsigned high, unsigned low)
{
    void **start = (void **)((uintptr_t)high << 16 << 16 | low);

    context_run(start[0], (context_entry *)start[1], start[2]);
}

void *context_frame(void *top, struct context *context, context_entry *entry, void *arg)
{
    void **start = (void **)top - 4;
    ucontext_t *state = (ucontext_t *)(void *)(((uintptr_t)start - sizeof *state) & ~(uintptr_t)63);

    memcpy(start, (void *[]){context, (void *)entry, arg}, 3 * sizeof *start);
    if (getcontext(state) < 0)
        abort();
    /* The stack's low end is only for sanitizers here. What is left below the state is enough for any alignment. */
    state->uc_stack.ss_size = 1024;
    state->uc_stack.ss_sp = (char *)state - state->uc_stack.ss_size;
    state->uc_link = NULL;
    makecontext(state, (void (*)(void))begin, 2, (unsigned)((uintptr_t)start >> 16 >> 16), (unsigned)(uintptr_t)start);
    return state;
}

/* swapcontext itself keeps these words for every context. */
void context_fp_save(struct context_fp *fp)
{
    (void)fp;
}

void context_fp_load(const struct context_fp *fp)
{
    (void)fp;
}

#endif
