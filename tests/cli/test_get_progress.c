/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "get_progress.h"

static const char *line_of(uint64_t done, uint64_t total, double seconds, bool end, size_t columns)
{
    static char line[200];
    struct get_progress progress = {.done = done, .total = total};

    return get_progress_format(&progress, (weft_time)(seconds * 1e9), end, columns, line, sizeof line);
}

static void the_line_says_how_far_how_fast_and_how_long(void **state)
{
    (void)state;
    assert_string_equal(line_of(500, 1000, 1, false, 80),
                        " 50%  [###############               ]  500 B  500 B/s  2 s left");
    assert_string_equal(line_of(1000, 1000, 1, true, 80), "100%  [##############################]  1000 B  1000 B/s");
    assert_string_equal(line_of(10240, UINT64_MAX, 0.5, false, 80), "10 KiB  20 KiB/s");
    assert_string_equal(line_of(0, 1000, 0, false, 80), "  0%  [                              ]  0 B  0 B/s");
    assert_string_equal(line_of(0, 0, 0, true, 80), "100%  [##############################]  0 B  0 B/s");
}

static void long_times_are_told_in_hours(void **state)
{
    (void)state;
    assert_non_null(strstr(line_of(1, 101, 1, false, 80), "1 m 41 s left"));
    assert_non_null(strstr(line_of(1, 7501, 1, false, 80), "2 h 05 m left"));
    assert_non_null(strstr(line_of(1, INT64_MAX, 1e6, false, 80), "99 h 59 m left"));
}

static void only_what_was_fetched_counts_for_the_speed(void **state)
{
    struct get_progress progress = {.done = 1100, .before = 1000, .total = 1200};
    char line[100];

    (void)state;
    assert_string_equal(get_progress_format(&progress, WEFT_SECONDS(1), false, 40, line, sizeof line),
                        " 91%  1100 B  100 B/s  2 s left");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const uint64_t totals[] = {0, 1, 1000, UINT64_C(1) << 40, INT64_MAX, UINT64_MAX};

    (void)state;
    for (size_t columns = 1; columns < 250; columns++)
        for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
            assert_true(strlen(line_of(totals[i] / 3, totals[i], 1e-9, false, columns)) < columns);
            assert_true(strlen(line_of(totals[i] / 3, totals[i], 1e9, false, columns)) < columns);
        }
}

static void more_than_the_whole_is_all_of_it(void **state)
{
    (void)state;
    assert_string_equal(line_of(2000, 1000, 1, false, 20), "100%  2000 B");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_says_how_far_how_fast_and_how_long),
        cmocka_unit_test(long_times_are_told_in_hours),
        cmocka_unit_test(only_what_was_fetched_counts_for_the_speed),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(more_than_the_whole_is_all_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
