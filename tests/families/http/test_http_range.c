/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "families/http/http_range.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { ALL = HTTP_RANGE_NONE, PART = HTTP_RANGE_PARTIAL, NEVER = HTTP_RANGE_UNSATISFIABLE };

struct range_row {
    const char *value;
    uint64_t size;
    int result;
    const char *ranges; /* of PART: "first+length ..." */
};

static void check(const struct range_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct http_ranges ranges = {.count = 77};
        char text[400] = "";

        print_message("%s of %llu\n", rows[i].value, (unsigned long long)rows[i].size);
        assert_int_equal(http_range_parse(weft_bytes_from(rows[i].value), rows[i].size, &ranges), rows[i].result);
        if (rows[i].result != PART) {
            assert_int_equal(ranges.count, 77);
            continue;
        }
        for (size_t r = 0; r < ranges.count; r++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%llu+%llu", r ? " " : "",
                     (unsigned long long)ranges.items[r].first, (unsigned long long)ranges.items[r].length);
        assert_string_equal(text, rows[i].ranges);
    }
}

static void single_ranges_are_clamped_to_the_size(void **state)
{
    static const struct range_row rows[] = {
        {"bytes=0-0", 100, PART, "0+1"},
        {"bytes=0-99", 100, PART, "0+100"},
        {"bytes=0-100", 100, PART, "0+100"},
        {"bytes=99-", 100, PART, "99+1"},
        {"bytes=0-", 100, PART, "0+100"},
        {"bytes=10-19", 100, PART, "10+10"},
        {"bytes=-1", 100, PART, "99+1"},
        {"bytes=-100", 100, PART, "0+100"},
        {"bytes=-1000", 100, PART, "0+100"},
        {"bytes=00010-0019", 100, PART, "10+10"},
        {"BYTES=0-1", 100, PART, "0+2"},
        {"Bytes=0-1", 100, PART, "0+2"},
        {"bytes= 0-1 ", 100, PART, "0+2"},
        {"bytes=,0-1,", 100, PART, "0+2"},
        {"bytes=0-0", 1, PART, "0+1"},
        {"bytes=0-18446744073709551615", 100, PART, "0+100"},
        {"bytes=5-18446744073709551616", 100, PART, "5+95"},
        {"bytes=5-99999999999999999999999999999999999999", 100, PART, "5+95"},
        {"bytes=-99999999999999999999999999999999999999", 100, PART, "0+100"},
        {"bytes=0-", UINT64_MAX, PART, "0+18446744073709551615"},
        {"bytes=18446744073709551614-", UINT64_MAX, PART, "18446744073709551614+1"},
        {"bytes=-1", UINT64_MAX, PART, "18446744073709551614+1"},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void several_ranges_keep_their_order(void **state)
{
    static const struct range_row rows[] = {
        {"bytes=0-1,4-5", 100, PART, "0+2 4+2"},
        {"bytes=4-5, 0-1", 100, PART, "4+2 0+2"},
        {"bytes=0-1 ,\t98-,-1000,", 50, ALL, NULL},
        {"bytes=0-1,2-3", 100, PART, "0+2 2+2"},
        {"bytes=0-1,-1", 100, PART, "0+2 99+1"},
        {"bytes=0-1,200-300", 100, PART, "0+2"},
        {"bytes=200-300,0-1,-0", 100, PART, "0+2"},
        {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30", 100, PART,
         "0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 28+1 30+1"},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void what_has_no_byte_is_unsatisfiable(void **state)
{
    static const struct range_row rows[] = {
        {"bytes=100-", 100, NEVER, NULL},
        {"bytes=100-200", 100, NEVER, NULL},
        {"bytes=-0", 100, NEVER, NULL},
        {"bytes=0-", 0, NEVER, NULL},
        {"bytes=0-0", 0, NEVER, NULL},
        {"bytes=-0", 0, NEVER, NULL},
        {"bytes=100-,200-", 100, NEVER, NULL},
        {"bytes=18446744073709551616-", 100, NEVER, NULL},
        {"bytes=99999999999999999999999999-99999999999999999999999999", UINT64_MAX, NEVER, NULL},
        {"bytes=18446744073709551615-", UINT64_MAX, NEVER, NULL},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void what_is_not_understood_is_ignored(void **state)
{
    static const struct range_row rows[] = {
        {"", 100, ALL, NULL},
        {"bytes", 100, ALL, NULL},
        {"bytes=", 100, ALL, NULL},
        {"bytes=,", 100, ALL, NULL},
        {"bytes = 0-1", 100, ALL, NULL},
        {"lines=0-1", 100, ALL, NULL},
        {"none", 100, ALL, NULL},
        {"=0-1", 100, ALL, NULL},
        {"bytes=0", 100, ALL, NULL},
        {"bytes=-", 100, ALL, NULL},
        {"bytes=--1", 100, ALL, NULL},
        {"bytes=1-0", 100, ALL, NULL},
        {"bytes=0-1,5-4", 100, ALL, NULL},
        {"bytes=0 - 1", 100, ALL, NULL},
        {"bytes=0- 1", 100, ALL, NULL},
        {"bytes=+0-1", 100, ALL, NULL},
        {"bytes=0x0-0x1", 100, ALL, NULL},
        {"bytes=0-1;4-5", 100, ALL, NULL},
        {"bytes=0-1-2", 100, ALL, NULL},
        {"bytes=a-b", 100, ALL, NULL},
        {"bytes=0-1,x", 100, ALL, NULL},
        {"bytes=-5", 0, ALL, NULL},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void h1_21_overlapping_and_many_ranges_are_ignored(void **state)
{
    static const struct range_row rows[] = {
        {"bytes=0-,0-,0-", 100, ALL, NULL},
        {"bytes=0-10,10-20", 100, ALL, NULL},
        {"bytes=10-20,0-10", 100, ALL, NULL},
        {"bytes=0-99,50-50", 100, ALL, NULL},
        {"bytes=50-50,0-99", 100, ALL, NULL},
        {"bytes=90-,-5", 100, ALL, NULL},
        {"bytes=0-,-1", UINT64_MAX, ALL, NULL},
        {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32", 100, ALL,
         NULL},
        {"bytes=200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-,200-", 100, ALL, NULL},
    };

    (void)state;
    check(rows, COUNT(rows));
}

static void h1_21_a_thousand_ranges_are_ignored(void **state)
{
    static char value[12000] = "bytes=0-";
    struct http_ranges ranges;

    (void)state;
    for (int i = 0; i < 1000; i++)
        snprintf(value + strlen(value), 12, ",5-%d", i + 5);
    assert_int_equal(http_range_parse(weft_bytes_from(value), 1 << 30, &ranges), ALL);
}

static void content_range_names_the_last_byte_and_the_size(void **state)
{
    const struct http_range range = {10, 20}, huge = {UINT64_MAX - 2, 1};
    char out[HTTP_CONTENT_RANGE_ROOM];

    (void)state;
    assert_int_equal(http_range_content(&range, 100, out), strlen("bytes 10-29/100"));
    assert_string_equal(out, "bytes 10-29/100");
    http_range_content(NULL, 100, out);
    assert_string_equal(out, "bytes */100");
    http_range_content(&huge, UINT64_MAX, out);
    assert_string_equal(out, "bytes 18446744073709551613-18446744073709551613/18446744073709551615");
}

static void multipart_body_has_exactly_the_announced_length(void **state)
{
    static const char expected[] =
        "--0123456789abcdef00000000000000ff\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        "\r\n--0123456789abcdef00000000000000ff\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
        "\r\n--0123456789abcdef00000000000000ff--\r\n";
    static const char file[] = "0123456789";
    const struct http_ranges ranges = {2, {{0, 2}, {8, 2}}};
    struct http_multipart multipart = {.ranges = &ranges, .size = 10, .content_type = WEFT_BYTES("text/plain")};
    char body[1000], part[HTTP_MULTIPART_ROOM];
    uint64_t length;
    size_t used = 0;

    (void)state;
    http_multipart_boundary(&multipart, 0x0123456789abcdef, 0xff);
    assert_int_equal(http_multipart_length(&multipart, &length), 0);
    for (size_t i = 0; i < ranges.count; i++) {
        size_t head = http_multipart_head(&multipart, i, part);

        memcpy(body + used, part, head);
        memcpy(body + used + head, &file[ranges.items[i].first], 2);
        used += head + 2;
    }
    memcpy(body + used, part, http_multipart_tail(&multipart, part));
    used += http_multipart_tail(&multipart, part);
    assert_int_equal(used, sizeof(expected) - 1);
    assert_memory_equal(body, expected, used);
    assert_int_equal(length, used);
    http_multipart_type(&multipart, part);
    assert_string_equal(part, "multipart/byteranges; boundary=0123456789abcdef00000000000000ff");
}

static void multipart_length_does_not_overflow(void **state)
{
    const struct http_ranges ranges = {2, {{0, 1ULL << 63}, {1ULL << 63, (1ULL << 63) - 1}}};
    const struct http_ranges half = {1, {{0, INT64_MAX}}};
    struct http_multipart multipart = {.ranges = &ranges, .size = UINT64_MAX, .content_type = WEFT_BYTES("a/b")};
    uint64_t length = 5;

    (void)state;
    http_multipart_boundary(&multipart, 1, 2);
    assert_int_equal(http_multipart_length(&multipart, &length), -ERANGE);
    multipart.ranges = &half;
    assert_int_equal(http_multipart_length(&multipart, &length), -ERANGE);
    assert_int_equal(length, 5);
}

static void the_longest_part_head_fits(void **state)
{
    const struct http_ranges ranges = {2, {{0, 1}, {UINT64_MAX - 2, 1}}};
    char type[HTTP_MULTIPART_TYPE_MAX] = "", out[HTTP_MULTIPART_ROOM];
    struct http_multipart multipart = {
        .ranges = &ranges, .size = UINT64_MAX, .content_type = weft_bytes_of(type, sizeof(type))};

    (void)state;
    memset(type, 'x', sizeof(type));
    http_multipart_boundary(&multipart, UINT64_MAX, UINT64_MAX);
    assert_true(http_multipart_head(&multipart, 1, out) < HTTP_MULTIPART_ROOM);
    assert_string_equal(out + strlen(out) - 4, "\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(single_ranges_are_clamped_to_the_size),
        support_test(several_ranges_keep_their_order),
        support_test(what_has_no_byte_is_unsatisfiable),
        support_test(what_is_not_understood_is_ignored),
        support_test(h1_21_overlapping_and_many_ranges_are_ignored),
        support_test(h1_21_a_thousand_ranges_are_ignored),
        support_test(content_range_names_the_last_byte_and_the_size),
        support_test(multipart_body_has_exactly_the_announced_length),
        support_test(multipart_length_does_not_overflow),
        support_test(the_longest_part_head_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
