/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "families/http/http_conditional.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The representation of these tests: changed at BEFORE + 1 hour, asked for at NOW. */
#define BEFORE "Sun, 06 Nov 1994 07:49:37 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 09:49:37 GMT"

enum { MODIFIED = 784111777, NOW = MODIFIED + 100000 };
enum { MET = HTTP_CONDITIONS_MET, SAME_STILL = HTTP_CONDITIONS_NOT_MODIFIED, FAILED = HTTP_CONDITIONS_FAILED };

static const struct http_validators strong = {"\"abc\"", MODIFIED}, weak = {"W/\"abc\"", MODIFIED};

struct row {
    int strong;            /* what GET gets, if the representation's tag is strong */
    int weak;              /* ... weak */
    int other;             /* what PUT gets, with a strong tag */
    const char *fields[9]; /* names and values in turn */
};

static void add_fields(struct http_conditions *conditions, const char *const *fields)
{
    for (size_t i = 0; fields[i]; i += 2)
        assert_true(http_conditions_add(conditions, weft_bytes_from(fields[i]), weft_bytes_from(fields[i + 1])));
}

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_conditions conditions = {0};

        print_message("%s: %s\n", rows[i].fields[0], rows[i].fields[1]);
        add_fields(&conditions, rows[i].fields);
        assert_int_equal(http_conditions_evaluate(&conditions, &strong, true, NOW), rows[i].strong);
        assert_int_equal(http_conditions_evaluate(&conditions, &weak, true, NOW), rows[i].weak);
        assert_int_equal(http_conditions_evaluate(&conditions, &strong, false, NOW), rows[i].other);
    }
}

static void without_conditions_all_are_met(void **state)
{
    const struct http_conditions none = {0};

    (void)state;
    assert_int_equal(http_conditions_evaluate(&none, &strong, true, NOW), MET);
    assert_true(http_conditions_allow_range(&none, &strong, NOW));
}

static void if_match_compares_strongly(void **state)
{
    static const struct row rows[] = {
        {MET, FAILED, MET, {"If-Match", "\"abc\""}},
        {MET, FAILED, MET, {"if-match", "\"x\", \"abc\""}},
        {MET, FAILED, MET, {"If-Match", "\"x\",,\t\"abc\" ,"}},
        {MET, FAILED, MET, {"If-Match", "\"x\"", "If-Match", "\"abc\""}},
        {MET, MET, MET, {"If-Match", "*"}},
        {FAILED, FAILED, FAILED, {"If-Match", "\"x\""}},
        {FAILED, FAILED, FAILED, {"If-Match", "W/\"abc\""}},
        {FAILED, FAILED, FAILED, {"If-Match", "\"ABC\""}},
        {FAILED, FAILED, FAILED, {"If-Match", ""}},
        {FAILED, FAILED, FAILED, {"If-Match", "abc"}},
        {FAILED, FAILED, FAILED, {"If-Match", "\"abc"}},
        {FAILED, FAILED, FAILED, {"If-Match", "\"abc\" \"x\""}},
        {FAILED, FAILED, FAILED, {"If-Match", "\"abc\", *"}},
        {FAILED, FAILED, FAILED, {"If-Match", "*, \"abc\""}},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void if_none_match_compares_weakly(void **state)
{
    static const struct row rows[] = {
        {SAME_STILL, SAME_STILL, FAILED, {"If-None-Match", "\"abc\""}},
        {SAME_STILL, SAME_STILL, FAILED, {"If-None-Match", "W/\"abc\""}},
        {SAME_STILL, SAME_STILL, FAILED, {"IF-NONE-MATCH", "\"a,b\", W/\"abc\""}},
        {SAME_STILL, SAME_STILL, FAILED, {"If-None-Match", "*"}},
        {SAME_STILL, SAME_STILL, FAILED, {"If-None-Match", "\"x\"", "If-None-Match", "\"abc\""}},
        {MET, MET, MET, {"If-None-Match", "\"x\""}},
        {MET, MET, MET, {"If-None-Match", "\"\""}},
        {MET, MET, MET, {"If-None-Match", "w/\"abc\""}},
        {MET, MET, MET, {"If-None-Match", "W/ \"abc\""}},
        {MET, MET, MET, {"If-None-Match", "abc"}},
        {MET, MET, MET, {"If-None-Match", "\"abc\" x"}},
        {MET, MET, MET, {"If-None-Match", ""}},
        {MET, MET, MET, {"If-None-Match", "\"a bc\""}},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void dates_count_in_seconds(void **state)
{
    static const struct row rows[] = {
        {SAME_STILL, SAME_STILL, MET, {"If-Modified-Since", SAME}},
        {SAME_STILL, SAME_STILL, MET, {"If-Modified-Since", AFTER}},
        {SAME_STILL, SAME_STILL, MET, {"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}},
        {SAME_STILL, SAME_STILL, MET, {"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}},
        {MET, MET, MET, {"If-Modified-Since", BEFORE}},
        {MET, MET, MET, {"If-Modified-Since", "yesterday"}},
        {MET, MET, MET, {"If-Modified-Since", ""}},
        {MET, MET, MET, {"If-Modified-Since", SAME, "If-Modified-Since", SAME}},
        {MET, MET, MET, {"If-Unmodified-Since", SAME}},
        {MET, MET, MET, {"If-Unmodified-Since", AFTER}},
        {FAILED, FAILED, FAILED, {"If-Unmodified-Since", BEFORE}},
        {MET, MET, MET, {"If-Unmodified-Since", "yesterday"}},
    };

    (void)state;
    check(rows, COUNT(rows));
}

/* RFC 9110 §13.2.2 */
static void conditions_are_evaluated_in_the_order_of_the_standard(void **state)
{
    static const struct row rows[] = {
        /* If-Match replaces If-Unmodified-Since */
        {MET, FAILED, MET, {"If-Unmodified-Since", BEFORE, "If-Match", "\"abc\""}},
        {FAILED, FAILED, FAILED, {"If-Unmodified-Since", AFTER, "If-Match", "\"x\""}},
        /* If-None-Match replaces If-Modified-Since */
        {MET, MET, MET, {"If-None-Match", "\"x\"", "If-Modified-Since", AFTER}},
        {SAME_STILL, SAME_STILL, FAILED, {"If-None-Match", "\"abc\"", "If-Modified-Since", BEFORE}},
        {MET, MET, MET, {"If-None-Match", "garbage", "If-Modified-Since", AFTER}},
        /* the first two come before the others */
        {FAILED, FAILED, FAILED, {"If-None-Match", "\"abc\"", "If-Match", "\"x\""}},
        {SAME_STILL, FAILED, FAILED, {"If-None-Match", "\"abc\"", "If-Match", "\"abc\""}},
        {FAILED, FAILED, FAILED, {"If-Modified-Since", AFTER, "If-Unmodified-Since", BEFORE}},
        {SAME_STILL, SAME_STILL, MET, {"If-Modified-Since", SAME, "If-Unmodified-Since", SAME}},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void only_so_many_field_lines_are_kept(void **state)
{
    struct http_conditions conditions = {0};
    weft_bytes name = weft_bytes_from("If-None-Match");

    (void)state;
    for (int i = 0; i < HTTP_CONDITION_LINES; i++)
        assert_true(http_conditions_add(&conditions, name, weft_bytes_from("\"x\"")));
    assert_true(http_conditions_add(&conditions, name, weft_bytes_from("\"abc\"")));
    assert_int_equal(http_conditions_evaluate(&conditions, &strong, true, NOW), MET);
}

static void other_fields_are_no_conditions(void **state)
{
    struct http_conditions conditions = {0};

    (void)state;
    assert_false(http_conditions_add(&conditions, weft_bytes_from("If-Matc"), weft_bytes_from("*")));
    assert_false(http_conditions_add(&conditions, weft_bytes_from("Range"), weft_bytes_from("bytes=0-")));
    assert_false(http_conditions_add(&conditions, weft_bytes_from(""), weft_bytes_from("")));
}

static void if_range_needs_exactly_this_version(void **state)
{
    static const struct {
        bool strong, weak;
        const char *fields[5];
    } rows[] = {
        {true, false, {"If-Range", "\"abc\""}},
        {false, false, {"If-Range", "W/\"abc\""}},
        {false, false, {"If-Range", "\"x\""}},
        {false, false, {"If-Range", "\"abc\", \"x\""}},
        {false, false, {"If-Range", "*"}},
        {false, false, {"If-Range", ""}},
        {false, false, {"If-Range", "abc"}},
        {true, true, {"If-Range", SAME}},
        {false, false, {"If-Range", AFTER}},
        {false, false, {"If-Range", BEFORE}},
        {false, false, {"If-Range", "\"abc\"", "If-Range", "\"abc\""}},
        {true, true, {"If-Match", "\"x\""}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_conditions conditions = {0};

        print_message("%s\n", rows[i].fields[1]);
        add_fields(&conditions, rows[i].fields);
        assert_int_equal(http_conditions_allow_range(&conditions, &strong, NOW), rows[i].strong);
        assert_int_equal(http_conditions_allow_range(&conditions, &weak, NOW), rows[i].weak);
    }
}

static void a_date_whose_second_is_not_over_is_too_weak_for_a_range(void **state)
{
    static const char *const fields[] = {"If-Range", SAME, NULL};
    struct http_conditions conditions = {0};

    (void)state;
    add_fields(&conditions, fields);
    assert_false(http_conditions_allow_range(&conditions, &strong, MODIFIED));
    assert_true(http_conditions_allow_range(&conditions, &strong, MODIFIED + 1));
}

static void the_tag_changes_with_time_size_and_coding(void **state)
{
    const int64_t second = 1000000000, then = 784111777 * second + 5, now = then + 100 * second;
    struct http_validators validators = http_validators_of(then, 255, "", now);

    (void)state;
    assert_string_equal(validators.etag, "\"ae1b981bc490a05-ff\"");
    assert_true(validators.modified == 784111777);
    assert_string_equal(http_validators_of(then, 255, "gz", now).etag, "\"ae1b981bc490a05-ff-gz\"");
    assert_string_not_equal(http_validators_of(then + 1, 255, "", now).etag, validators.etag);
    assert_string_not_equal(http_validators_of(then, 256, "", now).etag, validators.etag);
}

static void the_tag_of_what_may_still_change_is_weak(void **state)
{
    const int64_t second = 1000000000, now = 1000 * second;

    (void)state;
    assert_string_equal(http_validators_of(now - 2 * second, 1, "", now).etag, "\"e85d6f7c00-1\"");
    assert_memory_equal(http_validators_of(now - 2 * second + 1, 1, "", now).etag, "W/\"", 3);
    assert_memory_equal(http_validators_of(now, 1, "", now).etag, "W/\"", 3);
    assert_memory_equal(http_validators_of(now + 1, 1, "", now).etag, "W/\"", 3);
    assert_memory_equal(http_validators_of(INT64_MAX, 1, "", now).etag, "W/\"", 3);
}

static void last_modified_is_rounded_down_and_never_in_the_future(void **state)
{
    const int64_t second = 1000000000;

    (void)state;
    assert_true(http_validators_of(5 * second + 999999999, 1, "", 100 * second).modified == 5);
    assert_true(http_validators_of(500 * second, 1, "", 100 * second).modified == 100);
    assert_true(http_validators_of(-1, 1, "", 100 * second).modified == -1);
    assert_true(http_validators_of(-second, 1, "", 100 * second).modified == -1);
    assert_true(http_validators_of(INT64_MIN, UINT64_MAX, "zst", 100 * second).modified < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(without_conditions_all_are_met),
        support_test(if_match_compares_strongly),
        support_test(if_none_match_compares_weakly),
        support_test(dates_count_in_seconds),
        support_test(conditions_are_evaluated_in_the_order_of_the_standard),
        support_test(only_so_many_field_lines_are_kept),
        support_test(other_fields_are_no_conditions),
        support_test(if_range_needs_exactly_this_version),
        support_test(a_date_whose_second_is_not_over_is_too_weak_for_a_range),
        support_test(the_tag_changes_with_time_size_and_coding),
        support_test(the_tag_of_what_may_still_change_is_weak),
        support_test(last_modified_is_rounded_down_and_never_in_the_future),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
