/* SPDX-License-Identifier: MIT */
#include <weft/timer.h>

#include <stdalign.h>
#include <string.h>

#include "loop/loop_test.h"
#include "loop/scope_internal.h"

static char order[16];

static void note_freed(void *memory)
{
    strcat(order, memory);
}

static void memory_is_zeroed_aligned_and_goes_with_its_scope(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    size_t live = support_live();

    (void)state;
    for (size_t size = 0; size < 100; size++) {
        unsigned char *memory = weft_scope_allocate(scope, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
    assert_int_equal(weft_scope_count(scope), 0); /* it is no member */
    assert_int_equal(support_live(), live + 100);
    weft_scope_close(scope);
    assert_int_equal(support_live(), live - 1);
    weft_loop_free(loop);
}

static void memory_can_be_given_back_before(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *root = weft_loop_scope(loop);
    void *first = weft_scope_allocate(root, 10), *second = weft_scope_allocate(root, 10);
    size_t live = support_live();

    (void)state;
    weft_scope_release(first);
    weft_scope_release(second);
    weft_scope_release(NULL);
    assert_int_equal(support_live(), live - 2);
    assert_non_null(weft_scope_allocate(root, 10)); /* that of the root goes with the loop */
    weft_loop_free(loop);
}

static void no_scope_and_too_much_is_null(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    assert_null(weft_scope_allocate(NULL, 1));
    assert_null(weft_scope_allocate(weft_loop_scope(loop), SIZE_MAX));
    support_fail_at(1, false);
    assert_null(weft_scope_allocate(weft_loop_scope(loop), 1));
    weft_loop_free(loop);
}

static void stays(weft_scope_member *member, int reason)
{
    (void)member;
    (void)reason;
}

static const struct scope_member_class stays_class = {.kind = "probe", .cancel = stays};

static void memory_outlives_the_members_and_goes_newest_first(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_scope_member member = {0};

    (void)state;
    order[0] = '\0';
    for (const char *letter = "abc"; *letter; letter++)
        *(char *)scope_allocate(scope, 2, note_freed) = *letter;
    weft_link_init(&member.link);
    assert_int_equal(scope_join(scope, &member, &stays_class), 0);
    weft_scope_close(scope);
    assert_string_equal(order, "");
    scope_leave(&member);
    assert_string_equal(order, "cba");
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(memory_is_zeroed_aligned_and_goes_with_its_scope),
        support_test(memory_can_be_given_back_before),
        support_test(no_scope_and_too_much_is_null),
        support_test(memory_outlives_the_members_and_goes_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
