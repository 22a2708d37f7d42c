/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include <errno.h>
#include <string.h>

#include "support/support.h"

/* Three versions of one struct. */
struct older {
    size_t size;
    int first;
    int second;
};
struct current {
    size_t size;
    int first;
    int second;
    const char *third;
};
struct newer {
    size_t size;
    int first;
    int second;
    const char *third;
    int fourth;
    int fifth;
};

static const struct current defaults = {.size = sizeof defaults, .first = 10, .second = 20, .third = "thirty"};

static void the_same_version_is_taken_whole(void **state)
{
    struct current from = {.size = sizeof from, .first = 1, .third = "three"}, to = defaults;

    (void)state;
    assert_int_equal(options_copy(&to, sizeof to, &from), 0);
    assert_memory_equal(&to, &from, sizeof to);
}

static void null_leaves_the_defaults(void **state)
{
    struct current to = defaults;

    (void)state;
    to.size = 0;
    assert_int_equal(options_copy(&to, sizeof to, NULL), 0);
    assert_memory_equal(&to, &defaults, sizeof to);
}

static void what_an_older_struct_lacks_is_the_default(void **state)
{
    struct older *from = test_malloc(sizeof *from); /* nothing behind it may be read */
    struct current to = defaults;

    (void)state;
    *from = (struct older){.size = sizeof *from, .first = 1, .second = 2};
    assert_int_equal(options_copy(&to, sizeof to, from), 0);
    assert_int_equal(to.size, sizeof to);
    assert_int_equal(to.first, 1);
    assert_int_equal(to.second, 2);
    assert_string_equal(to.third, "thirty");
    test_free(from);
}

static void what_a_newer_struct_has_more_may_be_zero(void **state)
{
    struct newer from;
    struct current to = defaults;

    (void)state;
    memset(&from, 0, sizeof from);
    from.size = sizeof from;
    from.second = 2;
    from.third = "three";
    assert_int_equal(options_copy(&to, sizeof to, &from), 0);
    assert_int_equal(to.size, sizeof to);
    assert_int_equal(to.first, 0);
    assert_int_equal(to.second, 2);
    assert_string_equal(to.third, "three");
}

static void what_is_not_known_is_not_ignored(void **state)
{
    struct newer from;
    struct current to = defaults;

    (void)state;
    memset(&from, 0, sizeof from);
    from.size = sizeof from;
    from.fifth = 1;
    assert_int_equal(options_copy(&to, sizeof to, &from), -E2BIG);
    assert_memory_equal(&to, &defaults, sizeof to);
    from.fifth = 0;
    from.fourth = 1;
    assert_int_equal(options_copy(&to, sizeof to, &from), -E2BIG);
}

static void a_struct_without_a_size_is_refused(void **state)
{
    struct current from = {.first = 1}, to = defaults;

    (void)state;
    assert_int_equal(options_copy(&to, sizeof to, &from), -EINVAL);
    from.size = sizeof from.size - 1;
    assert_int_equal(options_copy(&to, sizeof to, &from), -EINVAL);
    assert_memory_equal(&to, &defaults, sizeof to);
}

static void a_size_that_cannot_be_is_not_believed(void **state)
{
    struct current from = {.size = SIZE_MAX}, to = defaults;

    (void)state;
    assert_int_equal(options_copy(&to, sizeof to, &from), -E2BIG);
    memset(&from.size, 0x5a, sizeof from.size);
    assert_int_equal(options_copy(&to, sizeof to, &from), -E2BIG);
    assert_memory_equal(&to, &defaults, sizeof to);
}

static void options_that_are_all_zero_were_left_out(void **state)
{
    struct older options;

    (void)state;
    memset(&options, 0, sizeof options);
    assert_true(options_left_out(&options, sizeof options));
    options.second = 1;
    assert_false(options_left_out(&options, sizeof options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_same_version_is_taken_whole),           support_test(null_leaves_the_defaults),
        support_test(what_an_older_struct_lacks_is_the_default), support_test(what_a_newer_struct_has_more_may_be_zero),
        support_test(what_is_not_known_is_not_ignored),          support_test(a_struct_without_a_size_is_refused),
        support_test(a_size_that_cannot_be_is_not_believed),     support_test(options_that_are_all_zero_were_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
