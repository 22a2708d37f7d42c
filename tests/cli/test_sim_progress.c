/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "sim_progress.h"

static void check(const struct sim_progress *progress, size_t columns, const char *expected)
{
    char line[200];

    assert_string_equal(sim_progress_format(progress, columns, line, sizeof line), expected);
    assert_true(strlen(line) < columns);
}

static const struct sim_progress half = {
    .done = 500,
    .total = 1000,
    .real = WEFT_SECONDS(2),
    .virtual = WEFT_HOURS(30),
    .faults = 123456,
    .reached = 7,
    .declared = 9,
};

static void a_line_says_how_far_it_is_and_what_it_found(void **state)
{
    (void)state;
    check(&half, 120, "[##########..........]  500/1000  250/s  probes 7/9  123 k faults  1 d 6 h simulated");
}

static void what_has_no_room_is_left_out(void **state)
{
    (void)state;
    check(&half, 60, "500/1000  250/s  probes 7/9  123 k faults");
    check(&half, 40, "500/1000  250/s  probes 7/9");
    check(&half, 5, "");
}

static void failures_are_shown_if_there_are_any(void **state)
{
    struct sim_progress failing = half;

    (void)state;
    failing.failed = 3;
    failing.declared = 0;
    check(&failing, 70, "500/1000  250/s  3 failed  123 k faults  1 d 6 h simulated");
}

static void before_anything_is_done_there_is_no_rate(void **state)
{
    const struct sim_progress none = {.total = 10};

    (void)state;
    check(&none, 100, "[....................]  0/10  0/s  0 faults  0.0 s simulated");
}

static void a_long_time_has_two_units(void **state)
{
    char text[32];

    (void)state;
    assert_string_equal(sim_progress_time(WEFT_MILLISECONDS(1250), text, sizeof text), "1.2 s");
    assert_string_equal(sim_progress_time(WEFT_SECONDS(61), text, sizeof text), "1 min 1 s");
    assert_string_equal(sim_progress_time(WEFT_MINUTES(125), text, sizeof text), "2 h 5 min");
    assert_string_equal(sim_progress_time(WEFT_HOURS(24 * 365 + 49), text, sizeof text), "1 y 2 d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_how_far_it_is_and_what_it_found),
        cmocka_unit_test(what_has_no_room_is_left_out),
        cmocka_unit_test(failures_are_shown_if_there_are_any),
        cmocka_unit_test(before_anything_is_done_there_is_no_rate),
        cmocka_unit_test(a_long_time_has_two_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
