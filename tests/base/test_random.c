/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include "support/support.h"

/* The first outputs of the authors' xoshiro256starstar.c from the state 1, 2, 3, 4. */
static void generator_gives_the_published_numbers(void **state)
{
    static const uint64_t expected[] = {
        11520,
        0,
        1509978240,
        1215971899390074240,
        1216172134540287360,
        607988272756665600,
        16172922978634559625U,
        8476171486693032832,
        10595114339597558777U,
        2904607092377533576,
    };
    struct random_source source = {{1, 2, 3, 4}};

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(random_next(&source) == expected[i]);
}

/* The first outputs of the authors' splitmix64.c from 1234567. */
static void seed_is_spread_by_splitmix64(void **state)
{
    struct random_source source;

    (void)state;
    random_init(&source, 1234567);
    assert_true(source.state[0] == 6457827717110365317);
    assert_true(source.state[1] == 3203168211198807973);
    assert_true(source.state[2] == 9817491932198370423U);
    assert_true(source.state[3] == 4593380528125082431);
}

static void same_seed_gives_the_same_numbers(void **state)
{
    struct random_source a, b, c;
    int different = 0;

    (void)state;
    random_init(&a, 0);
    random_init(&b, 0);
    random_init(&c, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = random_next(&a);
        assert_true(drawn == random_next(&b));
        different += drawn != random_next(&c);
    }
    assert_int_equal(different, 100);
}

static void numbers_below_a_bound_are_all_drawn_evenly(void **state)
{
    struct random_source source;
    int counts[7] = {0};

    (void)state;
    random_init(&source, 42);
    for (int i = 0; i < 70000; i++)
        counts[random_below(&source, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_true(random_below(&source, 1) == 0);
}

/* With a bound of 3/4 of 2^64, a plain remainder would give the lower third twice as often as the rest. */
static void great_bound_is_not_biased(void **state)
{
    const uint64_t bound = UINT64_C(3) << 62;
    struct random_source source;
    int low = 0;

    (void)state;
    random_init(&source, 42);
    for (int i = 0; i < 30000; i++) {
        uint64_t drawn = random_below(&source, bound);
        assert_true(drawn < bound);
        low += drawn < bound / 3;
    }
    assert_in_range(low, 9500, 10500);
}

static void ranges_include_both_ends(void **state)
{
    struct random_source source;
    bool seen[3] = {false, false, false};

    (void)state;
    random_init(&source, 7);
    for (int i = 0; i < 1000; i++) {
        uint64_t drawn = random_between(&source, 10, 12);
        assert_in_range(drawn, 10, 12);
        seen[drawn - 10] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    assert_true(random_between(&source, 5, 5) == 5);
    assert_true(random_between(&source, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    random_between(&source, 0, UINT64_MAX);
}

static void chance_is_in_a_million(void **state)
{
    struct random_source source;
    int happened = 0;

    (void)state;
    random_init(&source, 7);
    for (int i = 0; i < 10000; i++) {
        assert_false(random_chance(&source, 0));
        assert_true(random_chance(&source, 1000000));
        happened += random_chance(&source, 250000);
    }
    assert_in_range(happened, 2300, 2700);
}

static void fill_is_the_same_in_every_length(void **state)
{
    struct random_source source;
    uint8_t whole[32], part[32];

    (void)state;
    random_init(&source, 9);
    uint64_t first = random_next(&source);
    random_init(&source, 9);
    random_fill(&source, whole, sizeof whole);
    for (int i = 0; i < 8; i++)
        assert_int_equal(whole[i], (uint8_t)(first >> 8 * i));
    for (size_t length = 0; length < sizeof part; length++) {
        memset(part, 0xaa, sizeof part);
        random_init(&source, 9);
        random_fill(&source, part, length);
        assert_memory_equal(part, whole, length);
        assert_int_equal(part[length], 0xaa);
    }
}

static void fork_does_not_repeat_its_parent(void **state)
{
    struct random_source parent, child, again, child_again;

    (void)state;
    random_init(&parent, 3);
    random_init(&again, 3);
    random_fork(&parent, &child);
    random_fork(&again, &child_again);
    for (int i = 0; i < 100; i++) {
        uint64_t drawn = random_next(&child);
        assert_true(drawn == random_next(&child_again));
        assert_true(drawn != random_next(&parent));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(generator_gives_the_published_numbers),
        support_test(seed_is_spread_by_splitmix64),
        support_test(same_seed_gives_the_same_numbers),
        support_test(numbers_below_a_bound_are_all_drawn_evenly),
        support_test(great_bound_is_not_biased),
        support_test(ranges_include_both_ends),
        support_test(chance_is_in_a_million),
        support_test(fill_is_the_same_in_every_length),
        support_test(fork_does_not_repeat_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
