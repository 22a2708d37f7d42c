/* SPDX-License-Identifier: MIT */
#include <weft/memory.h>

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static void size_zero_gives_a_unique_pointer(void **state)
{
    (void)state;
    void *a = weft_allocate(0);
    void *b = weft_allocate(0);
    void *c = weft_allocate_zeroed(0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_ptr_not_equal(a, b);
    weft_release(a);
    weft_release(b);
    weft_release(c);
}

static void zeroed_memory_is_zero(void **state)
{
    static const char zeros[4096];

    (void)state;
    char *dirty = weft_allocate(4096);
    assert_non_null(dirty);
    memset(dirty, 0xff, 4096);
    weft_release(dirty);
    char *memory = weft_allocate_zeroed(64, 64);
    assert_non_null(memory);
    assert_memory_equal(memory, zeros, 4096);
    weft_release(memory);
}

static void reallocation_keeps_the_contents(void **state)
{
    (void)state;
    char *memory = weft_reallocate(NULL, 5);
    assert_non_null(memory);
    memcpy(memory, "weft", 5);
    memory = weft_reallocate(memory, 100000);
    assert_non_null(memory);
    assert_string_equal(memory, "weft");
    weft_release(memory);
}

static void reallocation_to_zero_does_not_release(void **state)
{
    (void)state;
    void *memory = weft_allocate(10);
    memory = weft_reallocate(memory, 0);
    assert_non_null(memory);
    assert_int_equal(support_live(), 1);
    weft_release(memory);
}

static void failed_allocation_is_null(void **state)
{
    (void)state;
    support_fail_at(1, true);
    assert_null(weft_allocate(1));
    assert_null(weft_allocate_zeroed(1, 1));
    assert_null(weft_reallocate(NULL, 1));
}

static void releasing_null_does_nothing(void **state)
{
    (void)state;
    weft_release(NULL);
    assert_int_equal(support_live(), 0);
}

struct calls {
    int allocated, reallocated, released;
};

static void *own_allocate(void *context, size_t size)
{
    ((struct calls *)context)->allocated++;
    return malloc(size);
}

static void *own_reallocate(void *context, void *memory, size_t size)
{
    ((struct calls *)context)->reallocated++;
    return realloc(memory, size);
}

static void own_release(void *context, void *memory)
{
    ((struct calls *)context)->released++;
    free(memory);
}

static void replaced_allocator_gets_every_call_and_its_context(void **state)
{
    struct calls calls = {0, 0, 0};
    weft_allocator allocator = {own_allocate, own_reallocate, own_release, &calls};

    (void)state;
    weft_set_allocator(&allocator);
    memset(&allocator, 0, sizeof allocator); /* it was copied */
    void *a = weft_allocate(1);
    void *b = weft_allocate_zeroed(1, 1);
    b = weft_reallocate(b, 2);
    weft_release(a);
    weft_release(b);
    weft_release(NULL);
    weft_set_allocator(NULL);
    void *c = weft_allocate(1);
    c = weft_reallocate(c, 2);
    weft_release(c);
    assert_int_equal(calls.allocated, 2);
    assert_int_equal(calls.reallocated, 1);
    assert_int_equal(calls.released, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(size_zero_gives_a_unique_pointer),
        support_test(zeroed_memory_is_zero),
        support_test(reallocation_keeps_the_contents),
        support_test(reallocation_to_zero_does_not_release),
        support_test(failed_allocation_is_null),
        support_test(releasing_null_does_nothing),
        cmocka_unit_test(replaced_allocator_gets_every_call_and_its_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
