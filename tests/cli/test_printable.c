/* SPDX-License-Identifier: MIT */
#include "capture.h"

#include "printable.h"

static void shows(const char *text, const char *expected)
{
    char shown[64];

    assert_string_equal(printable(weft_bytes_from(text), shown, sizeof shown), expected);
}

static void shows_url(const char *url, const char *expected)
{
    char shown[64];

    assert_string_equal(printable_url(url, shown, sizeof shown), expected);
}

static void text_of_any_script_stays_as_it_is(void **state)
{
    (void)state;
    shows("", "");
    shows("plain ~!", "plain ~!");
    shows("Sch\u00f6n \u65e5\u672c \U0001f9f5 \u00a0\U0010ffff", "Sch\u00f6n \u65e5\u672c \U0001f9f5 \u00a0\U0010ffff");
}

static void each_control_character_shows_as_a_question_mark(void **state)
{
    (void)state;
    shows("\a\t\n\x1b[31m\x7f", "????[31m?");
    shows("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "???\xc2\xa0");
    shows("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "??????????????");
    shows("\u200d\u2010\u2027\u202f\u2065\u206a", "\u200d\u2010\u2027\u202f\u2065\u206a");
}

static void each_byte_that_is_not_utf8_shows_as_a_question_mark(void **state)
{
    (void)state;
    shows("\x80\x9b\xbf\xc0\xff", "?????");
    shows("\xc1\x9b\xe0\x82\x9b", "?????"); /* overlong */
    shows("\xed\xa0\x80", "???");           /* a surrogate */
    shows("\xf4\x90\x80\x80", "????");      /* beyond Unicode */
    shows("a\xe2\x80", "a??");              /* cut */
    shows("\xe2\x80z", "??z");
}

static void what_is_too_long_is_cut_between_characters(void **state)
{
    char shown[8], small[3];

    (void)state;
    assert_string_equal(printable(weft_bytes_from("1234567"), shown, sizeof shown), "1234567");
    assert_string_equal(printable(weft_bytes_from("12345678"), shown, sizeof shown), "1234...");
    assert_string_equal(printable(weft_bytes_from("123\u20ac5678"), shown, sizeof shown), "123...");
    assert_string_equal(printable(weft_bytes_from("123"), small, sizeof small), "");
}

static void the_password_of_a_url_is_hidden(void **state)
{
    (void)state;
    shows_url("http://u:secret@h:80/p?q", "http://u:***@h:80/p?q");
    shows_url("http://u:se:cr@et@[::1]:80/", "http://u:***@[::1]:80/");
    shows_url("http://u:se/cr?et@h/", "http://u:***@h/");
    shows_url("http://:secret@h", "http://:***@h");
    shows_url("u:secret@h/", "u:***@h/");
    shows_url("http:/u:secret@h/", "http:/u:***@h/");
    shows_url("//u:secret@h/", "//u:***@h/");
    shows_url("http://u:@h/", "http://u:***@h/");
}

static void a_url_without_a_password_is_shown_as_it_is(void **state)
{
    (void)state;
    shows_url("http://u@h:80/p", "http://u@h:80/p");
    shows_url("http://h:80/a:b@c", "http://h:80/a:b@c");
    shows_url("http://h/?a:b@c#d:e@f", "http://h/?a:b@c#d:e@f");
    shows_url("http://[::1]/a:b@c", "http://[::1]/a:b@c");
    shows_url("http://h\x1b/", "http://h?/");
    shows_url("", "");
    shows_url(":", ":");
    shows_url("://", "://");
}

static void nothing_of_a_password_is_left_where_the_rest_has_no_room(void **state)
{
    char shown[16];

    (void)state;
    for (size_t size = 1; size <= sizeof shown; size++)
        assert_null(strstr(printable_url("http://u:secret@h/", shown, size), "s"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_script_stays_as_it_is),
        cmocka_unit_test(each_control_character_shows_as_a_question_mark),
        cmocka_unit_test(each_byte_that_is_not_utf8_shows_as_a_question_mark),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
        cmocka_unit_test(the_password_of_a_url_is_hidden),
        cmocka_unit_test(a_url_without_a_password_is_shown_as_it_is),
        cmocka_unit_test(nothing_of_a_password_is_left_where_the_rest_has_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
