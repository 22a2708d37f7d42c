/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include <errno.h>

#include "get_range.h"

static void a_range_to_the_end_is_read(void **state)
{
    static const struct {
        const char *value;
        uint64_t first, last;
    } rows[] = {{"bytes 3-5/6", 3, 5},
                {"BYTES 0-0/1", 0, 0},
                {"bytes 3-5/*", 3, 5},
                {"bytes 0-9223372036854775806/9223372036854775807", 0, INT64_MAX - 1}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct get_range range;

        assert_int_equal(get_range_parse(weft_bytes_from(rows[i].value), &range), 0);
        assert_true(range.first == rows[i].first && range.last == rows[i].last);
    }
}

static void what_is_no_range_to_the_end_is_refused(void **state)
{
    static const char *const rows[] = {"",
                                       "bytes",
                                       "bytes ",
                                       "bytes 3-5",
                                       "bytes=3-5/6",
                                       "lines 3-5/6",
                                       "bytes 5-3/6",
                                       "bytes 3-4/6",
                                       "bytes 3-6/6",
                                       "bytes 3-5/x",
                                       "bytes 3-5/",
                                       "bytes -5/6",
                                       "bytes 3-/6",
                                       "bytes */6",
                                       "bytes +3-5/6",
                                       "bytes 3 -5/6",
                                       "bytes 3-5/6 ",
                                       "bytes 3-5/6/7",
                                       "bytes /3-5",
                                       "bytes 3-5/**",
                                       "bytes 3--5/6",
                                       "bytes 0-18446744073709551615/*",
                                       "bytes 0-18446744073709551615/0",
                                       "bytes 0-18446744073709551616/*"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct get_range range = {7, 8};

        assert_int_equal(get_range_parse(weft_bytes_from(rows[i]), &range), -EINVAL);
        assert_true(range.first == 7 && range.last == 8);
    }
}

static void the_length_of_a_range_that_cannot_be_is_read(void **state)
{
    static const char *const wrong[] = {"", "bytes */", "bytes */x", "bytes 0-1/2", "bytes /2", "*/2", "bytes  */2"};
    uint64_t length = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(get_range_parse_length(weft_bytes_from(wrong[i]), &length), -EINVAL);
    assert_true(length == 7);
    assert_int_equal(get_range_parse_length(weft_bytes_from("Bytes */12"), &length), 0);
    assert_true(length == 12);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_to_the_end_is_read),
        cmocka_unit_test(what_is_no_range_to_the_end_is_refused),
        cmocka_unit_test(the_length_of_a_range_that_cannot_be_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
