/* SPDX-License-Identifier: MIT */
#include "wire/http1/http1_chars.h"

#include "base/random.h"
#include "support/support.h"

static bool is_alpha(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Whether @p c is in @p set; a NUL is in none. */
static bool is_in(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static bool is_text(int c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static void classes_are_those_of_the_rfcs(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;

        /* RFC 9110 §5.6.2 */
        assert_int_equal(http1_is(byte, HTTP1_TOKEN), is_alpha(c) || is_digit(c) || is_in(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(http1_is(byte, HTTP1_TARGET), c > 0x20 && c < 0x7f && !is_in(c, "\"#<>"));
        /* RFC 3986 §3.2.2, without the comma; §3.1 */
        assert_int_equal(http1_is(byte, HTTP1_NAME), is_alpha(c) || is_digit(c) || is_in(c, "-._~!$&'()*+;=%"));
        assert_int_equal(http1_is(byte, HTTP1_SCHEME), is_alpha(c) || is_digit(c) || is_in(c, "+-."));
        assert_int_equal(http1_is(byte, HTTP1_DIGIT), is_digit(c));
        assert_int_equal(http1_is(byte, HTTP1_HEX), is_in(c, "0123456789abcdefABCDEF"));
        /* RFC 9110 §5.5, §5.6.4 */
        assert_int_equal(http1_is(byte, HTTP1_TEXT), is_text(c));
        assert_int_equal(http1_is(byte, HTTP1_QDTEXT), is_text(c) && !is_in(c, "\"\\"));
    }
}

static void hex_digits_have_their_values(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(http1_hex_value("0123456789abcdef"[i]), i);
        assert_int_equal(http1_hex_value("0123456789ABCDEF"[i]), i);
    }
}

static size_t find_slowly(const char *data, size_t from, size_t length)
{
    while (from < length && is_text((unsigned char)data[from]))
        from++;
    return from;
}

static void each_control_is_found_at_each_place(void **state)
{
    char data[40];

    (void)state;
    for (int c = 0; c < 256; c++)
        for (size_t place = 0; place < sizeof data; place++) {
            memset(data, 'a', sizeof data);
            data[place] = (char)c;
            assert_int_equal(http1_find_control(data, 0, sizeof data), is_text(c) ? sizeof data : place);
            assert_int_equal(http1_find_control(data, place + 1, sizeof data), sizeof data);
        }
}

/* At every place in the sixteen-byte step, and in the bytes that are left after it. */
static void the_first_of_many_controls_is_found(void **state)
{
    static const char bytes[] = "\x00\x01\t\n\r\x1f\x20\x21~\x7f\x80\x81\xff";
    struct random_source random;
    char data[64];

    (void)state;
    random_init(&random, 1);
    for (int round = 0; round < 20000; round++) {
        size_t length = (size_t)random_between(&random, 0, sizeof data);
        size_t from = (size_t)random_between(&random, 0, length);
        bool rare = random_between(&random, 0, 1);

        for (size_t i = 0; i < length; i++)
            data[i] = rare && random_between(&random, 0, 15) ? 'x' : bytes[random_between(&random, 0, 12)];
        assert_int_equal(http1_find_control(data, from, length), find_slowly(data, from, length));
    }
}

static void trim_takes_spaces_and_tabs_only(void **state)
{
    (void)state;
    assert_true(weft_bytes_equal(http1_trim(weft_bytes_from(" \t a b\t ")), weft_bytes_from("a b")));
    assert_true(weft_bytes_equal(http1_trim(weft_bytes_from("\x0b a")), weft_bytes_from("\x0b a")));
    assert_int_equal(http1_trim(weft_bytes_from(" \t ")).length, 0);
    assert_int_equal(http1_trim(weft_bytes_from("")).length, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(classes_are_those_of_the_rfcs),       support_test(hex_digits_have_their_values),
        support_test(each_control_is_found_at_each_place), support_test(the_first_of_many_controls_is_found),
        support_test(trim_takes_spaces_and_tabs_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
