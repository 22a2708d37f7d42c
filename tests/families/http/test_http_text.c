/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include <weft/error.h>

#include "families/http/http_text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define INSTEAD "\xef\xbf\xbd"

static void check_html(weft_bytes bytes, const char *expected)
{
    struct http_text text = {0};

    http_text_append_string(&text, "<");
    http_text_append_html(&text, bytes);
    assert_int_equal(text.error, 0);
    assert_int_equal(text.length, strlen(expected) + 1);
    assert_memory_equal(text.data + 1, expected, text.length - 1);
    http_text_release(&text);
}

static void h1_26_markup_is_escaped(void **state)
{
    static const weft_bytes markup = WEFT_BYTES("<b class=\"x\" id='y'>&amp;</b>");

    (void)state;
    check_html(markup, "&lt;b class=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;");
}

static void every_byte_is_harmless_in_html(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        struct http_text text = {0};

        http_text_append_html(&text, weft_bytes_of(&c, 1));
        if (byte < 0x20 || byte >= 0x7f)
            assert_memory_equal(text.data, INSTEAD, 3);
        else
            assert_true(text.length == 1 ? text.data[0] == c && !strchr("<>&\"'", c) : text.data[0] == '&');
        http_text_release(&text);
    }
}

static void text_that_is_not_utf8_shows_replacements(void **state)
{
    static const struct {
        weft_bytes bytes;
        const char *expected;
    } rows[] = {
        {WEFT_BYTES("\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80"), "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80"},
        {WEFT_BYTES("a\xe4z"), "a" INSTEAD "z"},
        {WEFT_BYTES("a\xc3"), "a" INSTEAD},
        {WEFT_BYTES("\xc3<"), INSTEAD "&lt;"},
        {WEFT_BYTES("\xe6\x97<"), INSTEAD INSTEAD "&lt;"},
        {WEFT_BYTES("\xc0\xbc"), INSTEAD INSTEAD},
        {WEFT_BYTES("\xed\xa0\x80"), INSTEAD INSTEAD INSTEAD},
        {WEFT_BYTES("\xf4\x90\x80\x80"), INSTEAD INSTEAD INSTEAD INSTEAD},
        {WEFT_BYTES("\xc2\x85"), INSTEAD},
        {WEFT_BYTES("\xef\xbf\xbf"), INSTEAD},
        {WEFT_BYTES("\xef\xb7\x90"), INSTEAD},
        {WEFT_BYTES("\xf0\x9f\xbf\xbe"), INSTEAD},
        {WEFT_BYTES("a\nb\0c"), "a" INSTEAD "b" INSTEAD "c"},
        {WEFT_BYTES(""), ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_html(rows[i].bytes, rows[i].expected);
}

/* Every sequence of up to three bytes from the edges of the ranges, against the table of RFC 3629 §4. */
static bool reference_valid(const unsigned char *b, size_t n)
{
    size_t i = 0;

    while (i < n) {
        size_t more;
        unsigned char low = 0x80, high = 0xbf;

        if (b[i] < 0x80)
            more = 0;
        else if (b[i] >= 0xc2 && b[i] <= 0xdf)
            more = 1;
        else if (b[i] >= 0xe0 && b[i] <= 0xef)
            more = 2;
        else
            return false;
        low = b[i] == 0xe0 ? 0xa0 : low;
        high = b[i] == 0xed ? 0x9f : high;
        for (size_t k = 1; k <= more; k++, low = 0x80, high = 0xbf)
            if (i + k >= n || b[i + k] < low || b[i + k] > high)
                return false;
        i += more + 1;
    }
    return true;
}

static void utf8_is_what_the_standard_says(void **state)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                          0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf5, 0xf8, 0xff};

    (void)state;
    for (size_t a = 0; a < COUNT(edges); a++)
        for (size_t b = 0; b < COUNT(edges); b++)
            for (size_t c = 0; c < COUNT(edges); c++) {
                const unsigned char bytes[] = {edges[a], edges[b], edges[c]};

                for (size_t n = 1; n <= 3; n++)
                    assert_int_equal(http_utf8_is_valid(weft_bytes_of(bytes, n)), reference_valid(bytes, n));
            }
    assert_true(http_utf8_is_valid(weft_bytes_from("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
    assert_false(http_utf8_is_valid(weft_bytes_from("\xf0\x8f\xbf\xbf")));
    assert_false(http_utf8_is_valid(weft_bytes_from("\xf0\x90\x80")));
}

static void segments_keep_only_unreserved_characters(void **state)
{
    struct http_text text = {0};

    (void)state;
    http_text_append_segment(&text, weft_bytes_from("aZ0-._~/?#%:\"'<& \xc3\xa4\n"));
    assert_int_equal(text.length, strlen("aZ0-._~%2F%3F%23%25%3A%22%27%3C%26%20%C3%A4%0A"));
    assert_memory_equal(text.data, "aZ0-._~%2F%3F%23%25%3A%22%27%3C%26%20%C3%A4%0A", text.length);
    http_text_release(&text);
}

static void text_grows_without_losing_anything(void **state)
{
    struct http_text text = {0};

    (void)state;
    for (unsigned i = 0; i < 20000; i++)
        http_text_append_number(&text, i % 10);
    assert_int_equal(text.length, 20000);
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(text.data[i], '0' + (int)(i % 10));
    http_text_release(&text);
    assert_null(text.data);
    http_text_append_number(&text, UINT64_MAX);
    assert_memory_equal(text.data, "18446744073709551615", text.length);
    http_text_release(&text);
}

static void after_a_failed_allocation_nothing_is_appended(void **state)
{
    struct http_text text = {0};
    static char block[3000];

    (void)state;
    http_text_append(&text, weft_bytes_of(block, sizeof(block)));
    support_fail_at(1, false);
    http_text_append(&text, weft_bytes_of(block, sizeof(block)));
    assert_int_equal(text.error, WEFT_ENOMEM);
    assert_int_equal(text.length, sizeof(block));
    support_fail_at(0, false);
    http_text_append_string(&text, "x");
    assert_int_equal(text.length, sizeof(block));
    http_text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(h1_26_markup_is_escaped),
        support_test(every_byte_is_harmless_in_html),
        support_test(text_that_is_not_utf8_shows_replacements),
        support_test(utf8_is_what_the_standard_says),
        support_test(segments_keep_only_unreserved_characters),
        support_test(text_grows_without_losing_anything),
        support_test(after_a_failed_allocation_nothing_is_appended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
