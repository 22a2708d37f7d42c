/* SPDX-License-Identifier: MIT */
/* EL-25: the one comparison and the one clearing of secrets. */
#include <weft/secret.h>

#include <string.h>

#include "support/support.h"

#define MOST 70

static void fill(unsigned char *memory)
{
    for (size_t i = 0; i < MOST; i++)
        memory[i] = (unsigned char)(i * 37 + 11);
}

static void el_25_equal_secrets_are_equal(void **state)
{
    unsigned char a[MOST], b[MOST];

    (void)state;
    fill(a);
    fill(b);
    for (size_t length = 0; length <= MOST; length++)
        assert_true(weft_secret_equal(a, b, length));
    assert_true(weft_secret_equal(NULL, NULL, 0));
    assert_true(weft_secret_equal(a, a, MOST));
}

/* Every bit of every byte counts, and none behind the end. */
static void el_25_one_bit_makes_a_difference(void **state)
{
    unsigned char a[MOST], b[MOST];

    (void)state;
    fill(a);
    for (size_t bit = 0; bit < 8 * MOST; bit++) {
        fill(b);
        b[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(weft_secret_equal(a, b, MOST));
        assert_false(weft_secret_equal(b, a, bit / 8 + 1));
        assert_true(weft_secret_equal(a, b, bit / 8));
    }
}

/* Two differences do not cancel each other out. */
static void el_25_differences_add_up(void **state)
{
    unsigned char a[MOST] = {0}, b[MOST] = {0};

    (void)state;
    memset(b, 0xff, sizeof b);
    assert_false(weft_secret_equal(a, b, MOST));
    memset(b, 0, sizeof b);
    b[0] = b[MOST - 1] = 0x80;
    assert_false(weft_secret_equal(a, b, MOST));
}

static void el_25_what_is_cleared_is_zero_and_nothing_else(void **state)
{
    unsigned char memory[MOST], expected[MOST];

    (void)state;
    for (size_t length = 0; length <= MOST - 2; length++) {
        fill(memory);
        fill(expected);
        memset(expected + 1, 0, length);
        weft_secret_clear(memory + 1, length);
        assert_memory_equal(memory, expected, MOST);
    }
    weft_secret_clear(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(el_25_equal_secrets_are_equal),
        support_test(el_25_one_bit_makes_a_difference),
        support_test(el_25_differences_add_up),
        support_test(el_25_what_is_cleared_is_zero_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
