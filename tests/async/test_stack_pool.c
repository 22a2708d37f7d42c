/* SPDX-License-Identifier: MIT */
/* The linker puts the functions below in front of mmap, madvise and mprotect (--wrap), so that they can fail. */
#include "async/stack_pool.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "support/support.h"

#define MANY 3000
#define GUARD_INSTALL 102

static struct {
    bool no_mmap, no_guard_advice, no_mprotect;
    unsigned mprotects;
} system_;

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __real_mprotect(void *at, size_t size, int protection);
int __wrap_mprotect(void *at, size_t size, int protection);

static int fail_with(int error)
{
    errno = error;
    return -1;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (system_.no_mmap) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, size, protection, flags, fd, offset);
}

int __wrap_madvise(void *at, size_t size, int advice)
{
    return system_.no_guard_advice && advice == GUARD_INSTALL ? fail_with(EINVAL) : __real_madvise(at, size, advice);
}

int __wrap_mprotect(void *at, size_t size, int protection)
{
    system_.mprotects++;
    return system_.no_mprotect ? fail_with(ENOMEM) : __real_mprotect(at, size, protection);
}

static struct stack_pool *new_pool(void)
{
    struct stack_pool *pool = NULL;

    assert_int_equal(stack_pool_new(&pool), 0);
    return pool;
}

static struct stack take(struct stack_pool *pool, size_t size)
{
    struct stack stack = {0};

    assert_int_equal(stack_pool_take(pool, size, &stack), 0);
    return stack;
}

/* How many pages of the stack are in memory. */
static size_t resident(const struct stack *stack)
{
    size_t pages = stack_whole_size(stack) / stack_page() - 1, count = 0;
    unsigned char *map = malloc(pages);

    assert_non_null(map);
    assert_int_equal(mincore(stack->low, pages * stack_page(), map), 0);
    for (size_t i = 0; i < pages; i++)
        count += map[i] & 1;
    free(map);
    return count;
}

/* The same where the stack was given back and perhaps is not there any more. Its slab may not be looked at. */
static size_t resident_after(const char *low, size_t size)
{
    unsigned char map[1024];
    size_t pages = size / stack_page() + 1, count = 0;

    assert_in_range(pages, 1, sizeof map);
    if (mincore((char *)low, pages * stack_page(), map) < 0)
        return 0;
    for (size_t i = 0; i < pages; i++)
        count += map[i] & 1;
    return count;
}

/* -- */

static void size_is_rounded_up_to_a_power_of_two(void **state)
{
    static const size_t sizes[][2] = {
        {0, STACK_DEFAULT},
        {1, STACK_SMALLEST},
        {STACK_SMALLEST, STACK_SMALLEST},
        {STACK_SMALLEST + 1, 2 * STACK_SMALLEST},
        {100000, 128 * 1024},
        {1024 * 1024, 1024 * 1024},
        {STACK_LARGEST, STACK_LARGEST},
    };
    struct stack_pool *pool = new_pool();

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stack stack = take(pool, sizes[i][0]);
        assert_int_equal(stack_whole_size(&stack), sizes[i][1]);
        assert_int_equal(stack.size, sizes[i][1] - stack_page() - sizeof(struct stack_top));
        stack_pool_give(pool, &stack);
    }
    stack_pool_free(pool);
}

static void size_above_the_largest_is_refused(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stack = {.size = 7};

    (void)state;
    assert_int_equal(stack_pool_take(pool, STACK_LARGEST + 1, &stack), -EINVAL);
    assert_int_equal(stack_pool_take(pool, SIZE_MAX, &stack), -EINVAL);
    assert_int_equal(stack.size, 7);
    stack_pool_free(pool);
}

static void every_byte_of_a_stack_can_be_used_and_is_its_own(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stacks[40];

    (void)state;
    for (int i = 0; i < 40; i++) {
        stacks[i] = take(pool, 1);
        memset(stacks[i].low, i, stacks[i].size);
    }
    for (int i = 0; i < 40; i++) {
        for (size_t at = 0; at < stacks[i].size; at++)
            if (stacks[i].low[at] != (char)i)
                fail_msg("stack %d has another's byte at %zu", i, at);
        stack_pool_give(pool, &stacks[i]);
    }
    stack_pool_free(pool);
}

static void stack_given_back_last_is_taken_first(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack first = take(pool, 0), second = take(pool, 0), again;

    (void)state;
    stack_pool_give(pool, &first);
    stack_pool_give(pool, &second);
    again = take(pool, 0);
    assert_ptr_equal(again.low, second.low);
    stack_pool_give(pool, &again);
    again = take(pool, 4 * STACK_DEFAULT);
    assert_ptr_not_equal(again.low, second.low);
    stack_pool_give(pool, &again);
    stack_pool_free(pool);
}

static void parked_stack_has_one_page_and_a_fresh_one_none(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stack = take(pool, 0);

    (void)state;
    stack_set_name(&stack, "parked");
    memset(stack.low + stack.size - 500, 1, 500);
    assert_int_equal(resident(&stack), 1);
    stack_pool_give(pool, &stack);
    stack_pool_free(pool);
}

static void kept_stack_keeps_its_memory(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stack = take(pool, 0), again;

    (void)state;
    memset(stack.low, 1, stack.size);
    assert_int_equal(resident(&stack), STACK_DEFAULT / stack_page() - 1);
    stack_pool_give(pool, &stack);
    again = take(pool, 0);
    assert_int_equal(resident(&again), STACK_DEFAULT / stack_page() - 1);
    stack_pool_give(pool, &again);
    stack_pool_free(pool);
}

/* What is left after a peak: given back in the order in which @p order says. */
static void check_peak(size_t (*order)(size_t i))
{
    struct stack_pool *pool = new_pool();
    struct stack *stacks = malloc(MANY * sizeof *stacks);
    size_t pages = 0;

    assert_non_null(stacks);
    for (size_t i = 0; i < MANY; i++) {
        stacks[i] = take(pool, STACK_SMALLEST);
        memset(stacks[i].low, 1, stacks[i].size);
    }
    assert_int_equal(stack_pool_usage(pool).taken, MANY);
    for (size_t i = 0; i < MANY; i++)
        stack_pool_give(pool, &stacks[order(i)]);
    for (size_t i = 0; i < MANY; i++)
        pages += resident_after(stacks[i].low, stacks[i].size);
    assert_int_equal(pages, STACK_KEPT * (STACK_SMALLEST / stack_page() - 1));
    assert_int_equal(stack_pool_usage(pool).taken, 0);
    assert_int_equal(stack_pool_usage(pool).kept, STACK_KEPT);
    /* As many can be taken again, with their memory or without. */
    for (size_t i = 0; i < MANY; i++) {
        stacks[i] = take(pool, STACK_SMALLEST);
        memset(stacks[i].low, 1, stacks[i].size);
    }
    for (size_t i = 0; i < MANY; i++)
        stack_pool_give(pool, &stacks[i]);
    /* In order, what is kept lies in the last slab, or the last two; and one is in reserve. */
    assert_in_range(stack_pool_usage(pool).slabs, 1, 3);
    stack_pool_free(pool);
    free(stacks);
}

static size_t same(size_t i)
{
    return i;
}

static size_t reversed(size_t i)
{
    return MANY - 1 - i;
}

static size_t scattered(size_t i)
{
    return i * 1009 % MANY; /* a prime that does not divide it */
}

static void memory_of_a_peak_is_given_back(void **state)
{
    (void)state;
    check_peak(same);
    check_peak(reversed);
    check_peak(scattered);
}

static void slabs_grow_and_an_unused_one_is_unmapped(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stacks[200];

    (void)state;
    stacks[0] = take(pool, STACK_SMALLEST);
    assert_int_equal(stack_pool_usage(pool).mapped, 16 * STACK_SMALLEST);
    for (size_t i = 1; i < 200; i++)
        stacks[i] = take(pool, STACK_SMALLEST);
    assert_int_equal(stack_pool_usage(pool).slabs, 4);
    assert_int_equal(stack_pool_usage(pool).mapped, (16 + 32 + 64 + 128) * STACK_SMALLEST);
    /* 16 + 32 + 64 of them in the first three slabs, and the kept 64 in the third */
    for (size_t i = 200; i-- > 112;)
        stack_pool_give(pool, &stacks[i]);
    for (size_t i = 0; i < 112; i++)
        stack_pool_give(pool, &stacks[i]);
    assert_int_equal(stack_pool_usage(pool).kept, STACK_KEPT);
    assert_int_equal(stack_pool_usage(pool).slabs, 2); /* the kept ones' and the reserve */
    stack_pool_free(pool);
}

static void stack_that_reads_as_zeros_was_given_back(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stacks[STACK_KEPT + 1], cold;

    (void)state;
    for (int i = 0; i <= STACK_KEPT; i++) {
        stacks[i] = take(pool, 1);
        memset(stacks[i].low, 1, stacks[i].size);
    }
    for (int i = 0; i <= STACK_KEPT; i++)
        stack_pool_give(pool, &stacks[i]);
    for (int i = 0; i < STACK_KEPT; i++)
        stacks[i] = take(pool, 1);
    cold = take(pool, 1); /* the one given back first */
    for (size_t at = 0; at < cold.size; at++)
        assert_int_equal(cold.low[at], 0);
    for (int i = 0; i < STACK_KEPT; i++)
        stack_pool_give(pool, &stacks[i]);
    stack_pool_give(pool, &cold);
    stack_pool_free(pool);
}

/* -- failures -- */

static void take_and_give(void *arg)
{
    struct stack_pool *pool;
    struct stack stacks[40];
    size_t taken = 0;

    (void)arg;
    if (stack_pool_new(&pool) < 0) {
        assert_true(support_injected() > 0);
        return;
    }
    for (; taken < 40; taken++)
        if (stack_pool_take(pool, taken % 2 ? 1 : 100000, &stacks[taken]) < 0)
            break;
    assert_true((taken == 40) == (support_injected() == 0));
    while (taken > 0)
        stack_pool_give(pool, &stacks[--taken]);
    stack_pool_free(pool);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    support_torture(take_and_give, NULL);
}

static void mapping_that_fails_is_an_error_that_names_the_limits(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stack;

    (void)state;
    support_log_expect("vm.max_map_count");
    system_.no_mmap = true;
    assert_int_equal(stack_pool_take(pool, 0, &stack), WEFT_ENOMEM);
    assert_int_equal(stack_pool_take(pool, 0, &stack), WEFT_ENOMEM);
    system_.no_mmap = false;
    assert_int_equal(support_log_count("cannot map memory for stacks"), 1);
    assert_int_equal(stack_pool_usage(pool).slabs, 0);
    stack = take(pool, 0);
    stack_pool_give(pool, &stack);
    stack_pool_free(pool);
}

static void older_kernel_gets_guards_that_are_mappings(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stack;

    (void)state;
    stack_guard_by_mapping(false);
    system_.no_guard_advice = true;
    system_.mprotects = 0;
    stack = take(pool, 0);
    system_.no_guard_advice = false;
    assert_int_equal(system_.mprotects, 1);
    stack_pool_give(pool, &stack);
    stack = take(pool, 0);
    assert_int_equal(system_.mprotects, 1); /* the guard stays */
    stack_pool_give(pool, &stack);
    stack_pool_free(pool);
    stack_guard_by_mapping(false);
}

static void guard_that_fails_is_an_error_that_names_the_limit(void **state)
{
    struct stack_pool *pool = new_pool();
    struct stack stacks[17];

    (void)state;
    stack_guard_by_mapping(true);
    support_log_expect("cannot make a guard page for a stack; the limits are vm.max_map_count");
    system_.no_mprotect = true;
    assert_int_equal(stack_pool_take(pool, 0, &stacks[0]), WEFT_ENOMEM);
    system_.no_mprotect = false;
    for (int i = 0; i < 16; i++)
        stacks[i] = take(pool, 0);
    system_.no_mprotect = true; /* in a new slab, and again: it is logged once more, since it went well between */
    assert_int_equal(stack_pool_take(pool, 0, &stacks[16]), WEFT_ENOMEM);
    assert_int_equal(stack_pool_take(pool, 0, &stacks[16]), WEFT_ENOMEM);
    assert_int_equal(support_log_count("cannot make a guard page"), 2);
    assert_int_equal(stack_pool_usage(pool).taken, 16);
    stack_pool_give(pool, &stacks[0]);
    stacks[0] = take(pool, 0); /* what was there is still there */
    system_.no_mprotect = false;
    for (int i = 0; i < 16; i++)
        stack_pool_give(pool, &stacks[i]);
    stack_pool_free(pool);
    stack_guard_by_mapping(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(size_is_rounded_up_to_a_power_of_two),
        support_test(size_above_the_largest_is_refused),
        support_test(every_byte_of_a_stack_can_be_used_and_is_its_own),
        support_test(stack_given_back_last_is_taken_first),
        support_test(parked_stack_has_one_page_and_a_fresh_one_none),
        support_test(kept_stack_keeps_its_memory),
        support_test(memory_of_a_peak_is_given_back),
        support_test(slabs_grow_and_an_unused_one_is_unmapped),
        support_test(stack_that_reads_as_zeros_was_given_back),
        support_test(every_failed_allocation_is_survived),
        support_test(mapping_that_fails_is_an_error_that_names_the_limits),
        support_test(older_kernel_gets_guards_that_are_mappings),
        support_test(guard_that_fails_is_an_error_that_names_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
