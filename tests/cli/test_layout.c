/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "layout.h"

static void check(const char *text, size_t column, size_t indent, size_t width, const char *expected)
{
    struct capture capture;

    capture_begin(&capture);
    layout_print(capture.out, text, column, indent, width);
    assert_string_equal(capture_end(&capture), expected);
    free(capture.text);
}

static void lines_break_before_the_width(void **state)
{
    (void)state;
    check("one two three", 0, 0, 7, "one two\nthree\n");
    check("one two three", 0, 0, 6, "one\ntwo\nthree\n");
    check("one two three", 0, 0, 80, "one two three\n");
}

static void lines_begin_at_the_indent(void **state)
{
    (void)state;
    check("one two", 0, 4, 8, "    one\n    two\n");
    check("one two", 2, 4, 8, "  one\n    two\n");
    check("one", 6, 4, 40, "\n    one\n");
}

static void a_word_longer_than_the_line_stays_whole(void **state)
{
    (void)state;
    check("incomprehensible", 0, 2, 5, "  incomprehensible\n");
}

static void an_empty_line_separates_paragraphs(void **state)
{
    (void)state;
    check("one\n\ntwo", 0, 2, 20, "  one\n\n  two\n");
}

static void brackets_stay_together(void **state)
{
    (void)state;
    check("a word [default: 5]", 0, 0, 18, "a word\n[default: 5]\n");
    check("a [never closed", 0, 0, 8, "a\n[never closed\n");
}

static void width_comes_from_the_environment_within_reason(void **state)
{
    (void)state;
    assert_int_equal(layout_width(NULL), 80);
    assert_int_equal(layout_width(""), 80);
    assert_int_equal(layout_width("wide"), 80);
    assert_int_equal(layout_width("72"), 72);
    assert_int_equal(layout_width("5"), 40);
    assert_int_equal(layout_width("400"), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_before_the_width),
        cmocka_unit_test(lines_begin_at_the_indent),
        cmocka_unit_test(a_word_longer_than_the_line_stays_whole),
        cmocka_unit_test(an_empty_line_separates_paragraphs),
        cmocka_unit_test(brackets_stay_together),
        cmocka_unit_test(width_comes_from_the_environment_within_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
