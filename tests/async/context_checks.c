/* SPDX-License-Identifier: MIT */
#include "async/context_checks.h"

#include <execinfo.h>
#include <fenv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "async/context.h"

#define STACK (256 * 1024)
#define NESTED 10

#define EXPECT(condition)                        \
    do {                                         \
        if (!(condition))                        \
            return "does not hold: " #condition; \
    } while (0)

/* Two contexts: the thread's and one more. */
struct pair {
    struct context thread, other;
    char *stack;
    unsigned steps;
    const char *failure; /* of a check within the other */
};

static void begin(struct pair *pair, context_entry *entry)
{
    *pair = (struct pair){.stack = aligned_alloc(4096, STACK)};
    if (!pair->stack)
        abort();
    context_make(&pair->other, pair->stack, STACK, entry, pair);
}

static void go(struct pair *pair)
{
    context_switch(&pair->thread, &pair->other);
}

static void back(struct pair *pair)
{
    context_switch(&pair->other, &pair->thread);
}

static void end(struct pair *pair)
{
    context_release(&pair->other);
    free(pair->stack);
}

/* -- */

static void end_at_once(void *arg)
{
    struct pair *pair = arg;

    pair->steps++;
    context_leave(&pair->other, &pair->thread);
}

const char *check_entry_gets_its_argument_and_ends(void)
{
    struct pair pair;

    begin(&pair, end_at_once);
    EXPECT(pair.steps == 0);
    go(&pair);
    EXPECT(pair.steps == 1);
    end(&pair);
    return NULL;
}

static void three_steps(void *arg)
{
    struct pair *pair = arg;
    volatile unsigned here = 100; /* on this stack, throughout */

    for (int i = 0; i < 3; i++) {
        pair->steps = here++;
        back(pair);
    }
    context_leave(&pair->other, &pair->thread);
}

const char *check_switches_go_back_and_forth(void)
{
    struct pair pair;

    begin(&pair, three_steps);
    for (unsigned i = 0; i < 3; i++) {
        go(&pair);
        EXPECT(pair.steps == 100 + i);
    }
    go(&pair);
    end(&pair);
    return NULL;
}

/* -- registers -- */

#if defined(__x86_64__)
#define REGISTERS 6
#elif defined(__aarch64__)
#define REGISTERS 19
#endif

#if defined(REGISTERS)

void registers_call(const uint64_t *in, uint64_t *out, void (*function)(void **save_sp, void *sp), void **a, void *b);

/* Switches with every callee-saved register set, and says whether they came back. */
static bool switch_keeps(struct context *from, struct context *to, uint64_t seed)
{
    uint64_t in[REGISTERS], out[REGISTERS] = {0};

    for (size_t i = 0; i < REGISTERS; i++)
        in[i] = seed * (i + 1);
    context_leaves(from, to, false);
    registers_call(in, out, context_swap, &from->sp, to->sp);
    context_arrives(from);
    return memcmp(in, out, sizeof in) == 0;
}

static void switch_with_other_registers(void *arg)
{
    struct pair *pair = arg;

    for (uint64_t seed = 1; seed <= 4; seed++)
        pair->steps += switch_keeps(&pair->other, &pair->thread, seed * 0x0123456789abcdef);
    context_leave(&pair->other, &pair->thread);
}

const char *check_callee_saved_registers_are_kept(void)
{
    struct pair pair;

    begin(&pair, switch_with_other_registers);
    for (uint64_t seed = 1; seed <= 5; seed++)
        EXPECT(switch_keeps(&pair.thread, &pair.other, seed * 0xfedcba9876543211));
    EXPECT(pair.steps == 4);
    end(&pair);
    return NULL;
}

#else

const char *check_callee_saved_registers_are_kept(void)
{
    return NULL;
}

#endif

static void round_upward(void *arg)
{
    struct pair *pair = arg;

    pair->steps += fegetround() == FE_TONEAREST;
    fesetround(FE_UPWARD);
    back(pair);
    pair->steps += fegetround() == FE_UPWARD;
    back(pair);
    pair->steps += fegetround() == FE_UPWARD;
    context_leave(&pair->other, &pair->thread);
}

const char *check_floating_point_words_are_kept_if_asked_for(void)
{
    struct pair pair;
    int rounding;

    begin(&pair, round_upward);
    context_keep_fp(&pair.other);
    go(&pair);
    EXPECT(fegetround() == FE_TONEAREST);
    fesetround(FE_DOWNWARD);
    go(&pair);
    EXPECT(fegetround() == FE_DOWNWARD);
    go(&pair);
    rounding = fegetround();
    fesetround(FE_TONEAREST);
    EXPECT(rounding == FE_DOWNWARD);
    EXPECT(pair.steps == 3);
    end(&pair);
    return NULL;
}

struct trio {
    struct context thread, first, second;
    unsigned right;
};

static void first_of_two(void *arg)
{
    struct trio *trio = arg;

    fesetround(FE_UPWARD);
    context_switch(&trio->first, &trio->second);
    trio->right += fegetround() == FE_UPWARD;
    context_leave(&trio->first, &trio->second);
}

static void second_of_two(void *arg)
{
    struct trio *trio = arg;

    trio->right += fegetround() == FE_TONEAREST;
    fesetround(FE_TOWARDZERO);
    context_switch(&trio->second, &trio->first);
    trio->right += fegetround() == FE_TOWARDZERO;
    context_leave(&trio->second, &trio->thread);
}

const char *check_floating_point_words_change_hands_between_two(void)
{
    struct trio trio = {.right = 0};
    char *stacks = malloc(2 * STACK);

    if (!stacks)
        abort();
    context_make(&trio.first, stacks, STACK, first_of_two, &trio);
    context_make(&trio.second, stacks + STACK, STACK, second_of_two, &trio);
    context_keep_fp(&trio.first);
    context_keep_fp(&trio.second);
    context_switch(&trio.thread, &trio.first);
    EXPECT(fegetround() == FE_TONEAREST);
    EXPECT(trio.right == 3);
    context_release(&trio.first);
    context_release(&trio.second);
    free(stacks);
    return NULL;
}

/* -- nesting -- */

struct nest {
    struct context contexts[NESTED + 1]; /* the first is the thread's */
    char *stacks[NESTED + 1];
    size_t depth, turned;
};

static void nest_deeper(void *arg)
{
    struct nest *nest = arg;
    size_t here = ++nest->depth;

    if (here < NESTED) {
        nest->stacks[here + 1] = malloc(STACK);
        if (!nest->stacks[here + 1])
            abort();
        context_make(&nest->contexts[here + 1], nest->stacks[here + 1], STACK, nest_deeper, nest);
        context_switch(&nest->contexts[here], &nest->contexts[here + 1]);
        context_release(&nest->contexts[here + 1]);
        free(nest->stacks[here + 1]);
    }
    nest->turned += here;
    context_leave(&nest->contexts[here], &nest->contexts[here - 1]);
}

const char *check_ten_contexts_nest(void)
{
    struct nest nest = {.stacks = {NULL, malloc(STACK)}};

    if (!nest.stacks[1])
        abort();
    context_make(&nest.contexts[1], nest.stacks[1], STACK, nest_deeper, &nest);
    context_switch(&nest.contexts[0], &nest.contexts[1]);
    EXPECT(nest.depth == NESTED);
    EXPECT(nest.turned == NESTED * (NESTED + 1) / 2);
    context_release(&nest.contexts[1]);
    free(nest.stacks[1]);
    return NULL;
}

/* -- stacks -- */

static void look_at_alignment(void *arg)
{
    struct pair *pair = arg;
    _Alignas(16) volatile char here[16] = {0};

    pair->steps = ((uintptr_t)here & 15) == 0 && here[0] == 0 &&
                  (size_t)((char *)__builtin_frame_address(0) - pair->stack) < STACK;
    context_leave(&pair->other, &pair->thread);
}

const char *check_stack_is_aligned(void)
{
    struct pair pair;

    for (size_t odd = 0; odd < 32; odd += 3) {
        begin(&pair, look_at_alignment);
        context_release(&pair.other);
        context_make(&pair.other, pair.stack, STACK - odd, look_at_alignment, &pair);
        go(&pair);
        EXPECT(pair.steps == 1);
        end(&pair);
    }
    return NULL;
}

static void __attribute__((noinline)) end_within(struct pair *pair, unsigned depth)
{
    volatile char room[256];

    memset((void *)room, (int)depth, sizeof room);
    if (depth > 0)
        end_within(pair, depth - 1);
    if (room[0] == 0)
        context_leave(&pair->other, &pair->thread);
}

static void end_deep_within(void *arg)
{
    end_within(arg, 100);
}

/* Returns a value computed from all of a large array, so that it is written and read. */
static unsigned __attribute__((noinline)) use_stack(unsigned seed)
{
    volatile unsigned room[8192];
    unsigned sum = 0;

    for (unsigned i = 0; i < 8192; i++)
        room[i] = seed;
    for (unsigned i = 0; i < 8192; i++)
        sum += room[i];
    return sum;
}

static void use_the_stack(void *arg)
{
    struct pair *pair = arg;

    pair->steps = use_stack(3);
    context_leave(&pair->other, &pair->thread);
}

const char *check_stack_is_used_again_after_an_end_deep_within(void)
{
    struct pair pair;

    begin(&pair, end_deep_within);
    for (int i = 0; i < 20; i++) {
        go(&pair);
        context_release(&pair.other);
        context_make(&pair.other, pair.stack, STACK, i % 2 ? end_deep_within : use_the_stack, &pair);
    }
    EXPECT(pair.steps == 3 * 8192);
    end(&pair);
    return NULL;
}

const char *check_context_that_never_ran_or_stopped_is_released(void)
{
    struct pair pair;

    begin(&pair, end_at_once);
    end(&pair);
    begin(&pair, three_steps);
    go(&pair);
    EXPECT(pair.steps == 100);
    end(&pair);
    return NULL;
}

static void look_back(void *arg)
{
    struct pair *pair = arg;
    void *frames[64];

    pair->steps = (unsigned)backtrace(frames, 64);
    context_leave(&pair->other, &pair->thread);
}

const char *check_unwinding_stops_at_the_entry(void)
{
    struct pair pair;

    begin(&pair, look_back);
    go(&pair);
    EXPECT(pair.steps >= 1 && pair.steps <= 8);
    end(&pair);
    return NULL;
}

/* -- threads -- */

static void *go_in_a_thread(void *arg)
{
    struct pair *pair = arg;

    pair->thread = (struct context){0};
    go(pair);
    return NULL;
}

const char *check_context_goes_on_in_another_thread(void)
{
    struct pair pair;
    pthread_t thread;

    begin(&pair, three_steps);
    go(&pair);
    for (int i = 0; i < 3; i++) {
        if (pthread_create(&thread, NULL, go_in_a_thread, &pair) != 0)
            abort();
        pthread_join(thread, NULL);
    }
    EXPECT(pair.steps == 102);
    end(&pair);
    return NULL;
}

/* -- many -- */

static void count_forever(void *arg)
{
    struct pair *pair = arg;

    for (;;) {
        pair->steps++;
        back(pair);
    }
}

const char *check_million_switches(void)
{
    struct pair pair;

    begin(&pair, count_forever);
    for (int i = 0; i < 500000; i++)
        go(&pair);
    EXPECT(pair.steps == 500000);
    end(&pair);
    return NULL;
}
