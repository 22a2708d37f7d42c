/* SPDX-License-Identifier: MIT */
/*
 * Contexts: flows of execution, each on a stack of its own, that switch to one
 * another. There is no scheduler here; a switch is one call that returns when
 * somebody switches back.
 *
 * What a switch keeps is what a call keeps: the callee-saved registers. It
 * does not touch the floating-point control words (rounding, exception masks,
 * flush to zero: MXCSR and the x87 control word; FPCR), so that a context that
 * changes them changes them for all, unless it has context_keep_fp. Nor does it
 * touch the signal mask, errno, or anything else of the thread.
 *
 * A context may go on in another thread than the one in which it stopped, if
 * whoever moves it synchronises; but what the compiler knows of thread-local
 * variables (errno is one) is then wrong within the function that switched.
 *
 * The assembly is in context_ARCHITECTURE.S. With WEFT_CONTEXT_UCONTEXT, and
 * where there is none, swapcontext does the work, some eighty times slower.
 *
 * Sanitizers and valgrind are told about stacks and switches, if they are there.
 */
#ifndef ASYNC_CONTEXT_H
#define ASYNC_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONTEXT_ASAN 1
#elif __has_feature(thread_sanitizer)
#define CONTEXT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CONTEXT_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CONTEXT_TSAN 1
#endif

#if defined(CONTEXT_ASAN)
#include <sanitizer/common_interface_defs.h>
#elif defined(CONTEXT_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

/* The floating-point control words of the processor. */
struct context_fp {
    uint32_t control; /* MXCSR; FPCR */
    uint16_t x87;
};

/* One context. All zero is the context of the thread itself: it can be switched from, and then back to. */
struct context {
    void *sp; /* where it goes on, while it does not run */
    bool keeps_fp;
    unsigned stack_id;       /* valgrind's */
    struct context_fp fp;    /* its own, while it does not run */
    struct context_fp outer; /* while it runs: what there was before */
#if defined(CONTEXT_ASAN)
    void *fake_stack;
    const void *low;
    size_t size;
    struct context *before; /* which switched to it */
#elif defined(CONTEXT_TSAN)
    void *fiber;
#endif
};

/* What a context runs. It never returns: it ends with context_leave. */
typedef void context_entry(void *arg);

/* Makes a context that begins with entry(arg) on the stack of @p size bytes at @p low, both until context_release. It
 * cannot fail. At least 4 KiB; with sanitizers much more. */
void context_make(struct context *context, void *low, size_t size, context_entry *entry, void *arg);

/* From now on the context has floating-point control words of its own, at first those of now. They are put in place
 * while it runs, and whoever switched to it gets back what was there. Call it before the context begins, or in it. */
void context_keep_fp(struct context *context);

/* Stops @p from, which is the context that runs, and lets @p to run. Returns when somebody switches to @p from. */
static inline void context_switch(struct context *from, struct context *to);

/* The same for the last time: @p from ends. Its stack must stay until @p to runs. */
_Noreturn void context_leave(struct context *from, struct context *to);

/* Forgets a context that was made and does not run, whether it ended or will never go on. Its stack can be used for
 * something else then. */
void context_release(struct context *context);

/* -- private -- */

void context_swap(void **save_sp, void *sp);
void *context_frame(void *top, struct context *context, context_entry *entry, void *arg);
_Noreturn void context_run(struct context *context, context_entry *entry, void *arg);
void context_fp_save(struct context_fp *fp);
void context_fp_load(const struct context_fp *fp);
void context_exchange_fp(struct context *from, struct context *to);

/* These stand in the function that switches: with TSan a call must begin and end in the same context. */
#define CONTEXT_INLINE static inline __attribute__((always_inline))

#if defined(CONTEXT_ASAN)

CONTEXT_INLINE void context_leaves(struct context *from, struct context *to, bool ends)
{
    to->before = from;
    __sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack, to->low, to->size);
}

/* It learns the bounds of the stack it comes from: nobody said where that of a thread is. */
CONTEXT_INLINE void context_arrives(struct context *context)
{
    __sanitizer_finish_switch_fiber(context->fake_stack, &context->before->low, &context->before->size);
}

#elif defined(CONTEXT_TSAN)

CONTEXT_INLINE void context_leaves(struct context *from, struct context *to, bool ends)
{
    (void)ends;
    from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
}

CONTEXT_INLINE void context_arrives(struct context *context)
{
    (void)context;
}

#else

CONTEXT_INLINE void context_leaves(struct context *from, struct context *to, bool ends)
{
    (void)from;
    (void)to;
    (void)ends;
}

CONTEXT_INLINE void context_arrives(struct context *context)
{
    (void)context;
}

#endif

static inline void context_switch(struct context *from, struct context *to)
{
    if (__builtin_expect(from->keeps_fp | to->keeps_fp, 0))
        context_exchange_fp(from, to);
    context_leaves(from, to, false);
    context_swap(&from->sp, to->sp);
    context_arrives(from);
}

#undef CONTEXT_INLINE

#endif
