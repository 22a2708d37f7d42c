/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "families/http/http_listing.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void check_query(const char *query, enum http_listing_key key, bool descending)
{
    struct http_listing_order order = http_listing_order_of(weft_bytes_from(query));

    print_message("%s\n", query);
    assert_int_equal(order.key, key);
    assert_int_equal(order.descending, descending);
}

static void the_query_says_the_order(void **state)
{
    (void)state;
    check_query("", HTTP_LISTING_BY_NAME, false);
    check_query("sort=size", HTTP_LISTING_BY_SIZE, false);
    check_query("sort=size&order=desc", HTTP_LISTING_BY_SIZE, true);
    check_query("order=desc&sort=time", HTTP_LISTING_BY_TIME, true);
    check_query("sort=name&order=asc", HTTP_LISTING_BY_NAME, false);
    check_query("x=1&&sort=time&", HTTP_LISTING_BY_TIME, false);
    check_query("order=desc&order=asc", HTTP_LISTING_BY_NAME, false);
    check_query("sort=SIZE", HTTP_LISTING_BY_NAME, false);
    check_query("sort=", HTTP_LISTING_BY_NAME, false);
    check_query("sort", HTTP_LISTING_BY_NAME, false);
    check_query("order=down", HTTP_LISTING_BY_NAME, false);
    check_query("?sort=size", HTTP_LISTING_BY_NAME, false);
}

/* Names, folders with a slash; sizes and times are digits after "#" and "@". */
static void check_order(const char *query, const char *const *names, const char *const *sorted, size_t count)
{
    struct http_listing_entry entries[16];
    struct http_listing listing = {
        .entries = entries, .count = count, .order = http_listing_order_of(weft_bytes_from(query))};

    for (size_t i = 0; i < count; i++) {
        const char *size = strchr(names[i], '#'), *time = strchr(names[i], '@');

        entries[i] = (struct http_listing_entry){.name = weft_bytes_from(names[i]),
                                                 .is_directory = strchr(names[i], '/') != NULL,
                                                 .size = size ? strtoull(size + 1, NULL, 10) : 0,
                                                 .modified = time ? atoi(time + 1) : 0};
    }
    http_listing_sort(&listing);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(entries[i].name.data, sorted[i]);
}

#define CHECK_ORDER(query, sorted, ...)                                   \
    do {                                                                  \
        static const char *const names[] = {__VA_ARGS__};                 \
        _Static_assert(COUNT(names) == COUNT(sorted), "all are in both"); \
        check_order(query, names, sorted, COUNT(names));                  \
    } while (0)

static void names_are_in_the_order_in_which_people_count(void **state)
{
    static const char *const sorted[] = {"a", "A1", "a02", "a2", "a10", "a10b", "B", "b", "Zz", "zZ", "\xc3\xa4"};

    (void)state;
    CHECK_ORDER("", sorted, "b", "zZ", "a10b", "a", "\xc3\xa4", "a02", "Zz", "a2", "B", "A1", "a10");
}

static void numbers_longer_than_any_integer_are_compared(void **state)
{
    static const char *const sorted[] = {"9", "99999999999999999999999998", "99999999999999999999999999",
                                         "100000000000000000000000000"};

    (void)state;
    CHECK_ORDER("", sorted, "99999999999999999999999999", "100000000000000000000000000", "9",
                "99999999999999999999999998");
}

static void folders_come_first_in_every_order(void **state)
{
    static const char *const up[] = {"a/", "z/", "b", "c"}, *const down[] = {"z/", "a/", "c", "b"};

    (void)state;
    CHECK_ORDER("", up, "c", "z/", "b", "a/");
    CHECK_ORDER("order=desc", down, "c", "z/", "b", "a/");
}

static void files_are_ordered_by_size_and_folders_then_by_name(void **state)
{
    static const char *const up[] = {"a/", "z/", "y#5", "c#10", "d#10"}, *const down[] = {"a/", "z/", "c#10", "d#10",
                                                                                          "y#5"};

    (void)state;
    CHECK_ORDER("sort=size", up, "d#10", "z/", "c#10", "y#5", "a/");
    CHECK_ORDER("sort=size&order=desc", down, "d#10", "z/", "c#10", "y#5", "a/");
}

static void entries_are_ordered_by_time(void **state)
{
    static const char *const up[] = {"z/@1", "a/@9", "d@-5", "b@3", "c@3"}, *const down[] = {"a/@9", "z/@1", "b@3",
                                                                                             "c@3", "d@-5"};

    (void)state;
    CHECK_ORDER("sort=time", up, "c@3", "a/@9", "d@-5", "b@3", "z/@1");
    CHECK_ORDER("sort=time&order=desc", down, "c@3", "a/@9", "d@-5", "b@3", "z/@1");
}

static void a_large_folder_is_sorted_whole(void **state)
{
    enum { MANY = 5000 };
    static char names[MANY][16];
    static struct http_listing_entry entries[MANY];
    struct http_listing listing = {.entries = entries, .count = MANY};

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        unsigned number = i * 7919 % MANY;
        int length = 0;

        for (unsigned rest = number; length == 0 || rest; rest /= 10)
            names[i][length++] = (char)('0' + rest % 10);
        for (int j = 0; j < length / 2; j++) {
            char kept = names[i][j];

            names[i][j] = names[i][length - 1 - j];
            names[i][length - 1 - j] = kept;
        }
        entries[i].name = weft_bytes_of(names[i], (size_t)length);
    }
    http_listing_sort(&listing);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(atoi(entries[i].name.data), i);
    listing.count = 0;
    http_listing_sort(&listing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_query_says_the_order),
        support_test(names_are_in_the_order_in_which_people_count),
        support_test(numbers_longer_than_any_integer_are_compared),
        support_test(folders_come_first_in_every_order),
        support_test(files_are_ordered_by_size_and_folders_then_by_name),
        support_test(entries_are_ordered_by_time),
        support_test(a_large_folder_is_sorted_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
