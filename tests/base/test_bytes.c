/* SPDX-License-Identifier: MIT */
#include <weft/bytes.h>

#include <errno.h>

#include "support/support.h"

static const weft_bytes nothing;

static void literal_has_no_terminator(void **state)
{
    static const weft_bytes bytes = WEFT_BYTES("a\0b");

    (void)state;
    assert_int_equal(bytes.length, 3);
    assert_int_equal(weft_bytes_from(NULL).length, 0);
    assert_int_equal(weft_bytes_from("abc").length, 3);
}

static void skip_and_first_stop_at_the_end(void **state)
{
    weft_bytes bytes = weft_bytes_from("abcdef");

    (void)state;
    assert_true(weft_bytes_equal(weft_bytes_skip(bytes, 2), weft_bytes_from("cdef")));
    assert_int_equal(weft_bytes_skip(bytes, 6).length, 0);
    assert_int_equal(weft_bytes_skip(bytes, SIZE_MAX).length, 0);
    assert_ptr_equal(weft_bytes_skip(bytes, 7).data, bytes.data + 6);
    assert_true(weft_bytes_equal(weft_bytes_first(bytes, 2), weft_bytes_from("ab")));
    assert_int_equal(weft_bytes_first(bytes, SIZE_MAX).length, 6);
    assert_int_equal(weft_bytes_skip(nothing, 1).length, 0);
    assert_null(weft_bytes_skip(nothing, 1).data);
    assert_int_equal(weft_bytes_first(nothing, 1).length, 0);
}

static void equality_compares_all_bytes(void **state)
{
    (void)state;
    assert_true(weft_bytes_equal(weft_bytes_of("a\0b", 3), weft_bytes_of("a\0b", 3)));
    assert_false(weft_bytes_equal(weft_bytes_of("a\0b", 3), weft_bytes_of("a\0c", 3)));
    assert_false(weft_bytes_equal(weft_bytes_from("ab"), weft_bytes_from("abc")));
    assert_true(weft_bytes_equal(nothing, weft_bytes_from("")));
}

static void prefix_may_be_empty_or_all(void **state)
{
    weft_bytes bytes = weft_bytes_from("GET /");

    (void)state;
    assert_true(weft_bytes_starts_with(bytes, weft_bytes_from("GET ")));
    assert_true(weft_bytes_starts_with(bytes, nothing));
    assert_true(weft_bytes_starts_with(bytes, bytes));
    assert_false(weft_bytes_starts_with(bytes, weft_bytes_from("GET /x")));
    assert_false(weft_bytes_starts_with(bytes, weft_bytes_from("PUT")));
}

static void nocase_folds_letters_and_nothing_else(void **state)
{
    (void)state;
    assert_true(weft_bytes_equal_nocase(weft_bytes_from("Content-LENGTH"), weft_bytes_from("cONTENT-length")));
    assert_false(weft_bytes_equal_nocase(weft_bytes_from("abc"), weft_bytes_from("abd")));
    assert_false(weft_bytes_equal_nocase(weft_bytes_from("abc"), weft_bytes_from("ab")));
    assert_true(weft_bytes_equal_nocase(nothing, weft_bytes_from("")));
    for (int byte = 0; byte < 256; byte++) {
        char a = (char)byte;
        char b = (char)(byte ^ 0x20);
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        assert_int_equal(weft_bytes_equal_nocase(weft_bytes_of(&a, 1), weft_bytes_of(&b, 1)), letter);
    }
}

static void find_gives_the_first(void **state)
{
    (void)state;
    assert_int_equal(weft_bytes_find(weft_bytes_from("a:b:c"), ':'), 1);
    assert_true(weft_bytes_find(weft_bytes_from("abc"), ':') == SIZE_MAX);
    assert_true(weft_bytes_find(nothing, '\0') == SIZE_MAX);
    assert_int_equal(weft_bytes_find(weft_bytes_of("\xfe\xff", 2), '\xff'), 1);
}

static int to_uint64(const char *text, uint64_t maximum, uint64_t *ret)
{
    return weft_bytes_to_uint64(weft_bytes_from(text), maximum, ret);
}

static void number_is_read(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(to_uint64("0", 0, &value), 0);
    assert_true(value == 0);
    assert_int_equal(to_uint64("00042", 42, &value), 0);
    assert_true(value == 42);
    assert_int_equal(to_uint64("18446744073709551615", UINT64_MAX, &value), 0);
    assert_true(value == UINT64_MAX);
}

/* EL-22 */
static void el_22_number_too_great_is_refused(void **state)
{
    uint64_t value = 7;

    (void)state;
    assert_int_equal(to_uint64("43", 42, &value), -ERANGE);
    assert_int_equal(to_uint64("1", 0, &value), -ERANGE);
    assert_int_equal(to_uint64("18446744073709551616", UINT64_MAX, &value), -ERANGE);
    assert_int_equal(to_uint64("99999999999999999999999999999999", UINT64_MAX, &value), -ERANGE);
    assert_int_equal(to_uint64("65536", UINT16_MAX, &value), -ERANGE);
    assert_int_equal(to_uint64("184467440737095516160", 42, &value), -ERANGE); /* 10 * 2^64 wraps to 0 */
    assert_true(value == 7);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const wrong[] = {"",  "+1", "-1", " 1", "1 ", "0x1", "1a", "1.0", "99999999999999999999999x",
                                        "/", ":"};
    uint64_t value = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(to_uint64(wrong[i], UINT64_MAX, &value), -EINVAL);
    assert_int_equal(weft_bytes_to_uint64(weft_bytes_of("1\0", 2), UINT64_MAX, &value), -EINVAL);
    assert_true(value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(literal_has_no_terminator),
        support_test(skip_and_first_stop_at_the_end),
        support_test(equality_compares_all_bytes),
        support_test(prefix_may_be_empty_or_all),
        support_test(nocase_folds_letters_and_nothing_else),
        support_test(find_gives_the_first),
        support_test(number_is_read),
        support_test(el_22_number_too_great_is_refused),
        support_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
