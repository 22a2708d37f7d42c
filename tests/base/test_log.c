/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1
#include <weft/log.h>

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "support/support.h"

static char written[20000];

/* What the built-in sink wrote to standard error since the last call of capture_start. */
static FILE *captured;
static int saved_stderr;

static void capture_start(void)
{
    captured = tmpfile();
    assert_non_null(captured);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(fileno(captured), STDERR_FILENO) >= 0);
}

static const char *capture_end(void)
{
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    close(saved_stderr);
    rewind(captured);
    size_t length = fread(written, 1, sizeof written - 1, captured);
    written[length] = '\0';
    fclose(captured);
    return written;
}

static void line_has_level_subject_text_and_values(void **state)
{
    const weft_log_field fields[] = {
        {"peer", WEFT_BYTES("127.0.0.1:80"), 0},
        {"count", {NULL, 0}, INT64_MIN},
        {"empty", WEFT_BYTES(""), 5},
    };

    (void)state;
    capture_start();
    weft_log_fields(WEFT_LOG_WARNING, "listener", fields, 3, "refused %d", 3);
    weft_log(WEFT_LOG_ERROR, "http", "broken");
    weft_log(WEFT_LOG_INFO, "http", "fine");
    assert_string_equal(
        capture_end(),
        "weft: warning: listener: refused 3 peer=\"127.0.0.1:80\" count=-9223372036854775808 empty=\"\"\n"
        "weft: error: http: broken\n"
        "weft: info: http: fine\n");
}

static void peer_cannot_forge_a_line(void **state)
{
    const weft_log_field field = {"agent", WEFT_BYTES("x\"\nweft: error: http: forged\x1b[2J"), 0};

    (void)state;
    capture_start();
    weft_log_fields(WEFT_LOG_INFO, "http", &field, 1, "said \"%s\"", "a\r\nb");
    assert_string_equal(capture_end(), "weft: info: http: said \"a\\x0d\\x0ab\" "
                                       "agent=\"x\\\"\\x0aweft: error: http: forged\\x1b[2J\"\n");
}

static void long_line_is_cut_and_says_so(void **state)
{
    static char text[10000];
    const weft_log_field field = {"body", weft_bytes_of(text, sizeof text), 0};
    const weft_log_field fields[] = {field, {"after", {NULL, 0}, 1}};

    (void)state;
    memset(text, 'a', sizeof text);
    capture_start();
    weft_log_fields(WEFT_LOG_INFO, "http", fields, 2, "long");
    const char *line = capture_end();
    size_t length = strlen(line);
    assert_true(length > 1000 && length < 5000);
    assert_string_equal(line + length - 5, "a...\n");
    assert_ptr_equal(strchr(line, '\n'), line + length - 1);
}

static void below_the_threshold_nothing_is_written(void **state)
{
    (void)state;
    capture_start();
    assert_false(weft_log_enabled(WEFT_LOG_DEBUG));
    assert_true(weft_log_enabled(WEFT_LOG_INFO));
    weft_log(WEFT_LOG_DEBUG, "http", "hidden");
    weft_log_set_threshold(WEFT_LOG_ERROR);
    weft_log(WEFT_LOG_WARNING, "http", "hidden");
    weft_log_fields(WEFT_LOG_WARNING, "http", NULL, 0, "hidden");
    weft_log_set_threshold(WEFT_LOG_DEBUG);
    weft_log(WEFT_LOG_DEBUG, "http", "shown");
    weft_log_set_threshold(WEFT_LOG_INFO);
    assert_string_equal(capture_end(), "weft: debug: http: shown\n");
}

static void count_event(const weft_log_event *event, void *arg)
{
    assert_int_equal(event->level, WEFT_LOG_ERROR);
    assert_string_equal(event->subject, "net");
    assert_string_equal(event->text, "one 1");
    assert_int_equal(event->field_count, 0);
    ++*(int *)arg;
}

static void sink_gets_the_event_and_its_argument(void **state)
{
    int count = 0;

    (void)state;
    weft_log_set_sink(count_event, &count);
    weft_log(WEFT_LOG_ERROR, "net", "one %d", 1);
    weft_log_set_sink(NULL, NULL);
    assert_int_equal(count, 1);
}

static void check_escape(const char *bytes, size_t length, const char *expected)
{
    char buffer[100];

    assert_int_equal(weft_log_escape(weft_bytes_of(bytes, length), buffer, sizeof buffer), strlen(expected));
    assert_string_equal(buffer, expected);
}

#define ESCAPED(literal, expected) check_escape(literal, sizeof(literal) - 1, expected)

static void controls_quotes_and_backslashes_are_escaped(void **state)
{
    (void)state;
    ESCAPED("", "");
    ESCAPED("plain ~", "plain ~");
    ESCAPED("\0\x01\x1f\x7f", "\\x00\\x01\\x1f\\x7f");
    ESCAPED("\"\\", "\\\"\\\\");
    ESCAPED("\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f"); /* C1 as UTF-8 */
    ESCAPED("\xc2\xa0", "\xc2\xa0");
}

static void only_well_formed_utf_8_is_kept(void **state)
{
    (void)state;
    ESCAPED("\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\xb5", "\xc3\xa4\xe2\x82\xac\xf0\x9f\xa7\xb5");
    ESCAPED("\x9b\x41", "\\x9bA");                       /* a C1 control for terminals that are not UTF-8 */
    ESCAPED("\xc0\x8a", "\\xc0\\x8a");                   /* overlong */
    ESCAPED("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");          /* overlong */
    ESCAPED("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"); /* overlong */
    ESCAPED("\xe0\xa0\x80", "\xe0\xa0\x80");
    ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
    ESCAPED("\xed\x9f\xbf", "\xed\x9f\xbf");
    ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    ESCAPED("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
    ESCAPED("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
    ESCAPED("\xe2\x82", "\\xe2\\x82"); /* cut short */
    ESCAPED("\xe2\x82\x41", "\\xe2\\x82"
                            "A");
    ESCAPED("\xff", "\\xff");
}

static void no_escape_is_cut(void **state)
{
    static const weft_bytes text = WEFT_BYTES("ab\n\"\xe2\x82\xac"
                                              "c");
    static const size_t cuts[] = {0, 1, 2, 2, 2, 2, 6, 6, 8, 8, 8, 11, 12, 12};
    static const char whole[] = "ab\\x0a\\\"\xe2\x82\xac"
                                "c";
    char buffer[20];

    (void)state;
    assert_int_equal(weft_log_escape(text, NULL, 0), sizeof whole - 1);
    for (size_t size = 1; size <= sizeof cuts / sizeof cuts[0]; size++) {
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(weft_log_escape(text, buffer, size), sizeof whole - 1);
        assert_int_equal(strlen(buffer), cuts[size - 1]);
        assert_memory_equal(buffer, whole, cuts[size - 1]);
        assert_int_equal(buffer[size], '#');
    }
}

static void logging_allocates_nothing(void **state)
{
    const weft_log_field field = {"peer", WEFT_BYTES("x\n"), 0};

    (void)state;
    support_allocator_install();
    support_fail_at(1, true);
    capture_start();
    weft_log_fields(WEFT_LOG_ERROR, "http", &field, 1, "no memory");
    assert_string_equal(capture_end(), "weft: error: http: no memory peer=\"x\\x0a\"\n");
    assert_int_equal(support_allocations(), 0);
    support_allocator_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_has_level_subject_text_and_values),
        cmocka_unit_test(peer_cannot_forge_a_line),
        cmocka_unit_test(long_line_is_cut_and_says_so),
        cmocka_unit_test(below_the_threshold_nothing_is_written),
        cmocka_unit_test(sink_gets_the_event_and_its_argument),
        cmocka_unit_test(controls_quotes_and_backslashes_are_escaped),
        cmocka_unit_test(only_well_formed_utf_8_is_kept),
        cmocka_unit_test(no_escape_is_cut),
        cmocka_unit_test(logging_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
