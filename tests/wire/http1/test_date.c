/* SPDX-License-Identifier: MIT */
#include <weft/wire/http_date.h>

#include <errno.h>
#include <stdio.h>

#include "support/support.h"

#define NOW INT64_C(1700000000) /* Tue, 14 Nov 2023 22:13:20 GMT */

static const char *const days[7] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[12] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t parse(const char *text, int64_t now)
{
    int64_t seconds = INT64_MIN;
    int result = weft_http_date_parse(weft_bytes_from(text), now, &seconds);

    if (result < 0)
        assert_int_equal(seconds, INT64_MIN);
    return result < 0 ? result : seconds;
}

static void the_three_formats_are_read(void **state)
{
    (void)state;
    assert_int_equal(parse("Sun, 06 Nov 1994 08:49:37 GMT", NOW), 784111777);
    assert_int_equal(parse("Sunday, 06-Nov-94 08:49:37 GMT", NOW), 784111777);
    assert_int_equal(parse("Sun Nov  6 08:49:37 1994", NOW), 784111777);
    assert_int_equal(parse("Wed Nov 16 08:49:37 1994", NOW), 784111777 + 10 * 86400);
    assert_int_equal(parse("Thu, 01 Jan 1970 00:00:00 GMT", NOW), 0);
    assert_int_equal(parse("Wed, 31 Dec 1969 23:59:59 GMT", NOW), -1);
    assert_int_equal(parse("Sat, 31 Dec 2016 23:59:60 GMT", NOW), 1483228800);
    assert_int_equal(parse("Thu, 29 Feb 2024 00:00:00 GMT", NOW), 1709164800);
}

static void what_is_not_exactly_a_date_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "Sun",
        "Sun, ",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sux, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Sun, 29 Feb 1994 08:49:37 GMT",
        "Thu, 29 Feb 1900 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov +994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 6-Nov-94 08:49:37 GMT",
        "Sunday, 29-Feb-23 08:49:37 GMT",
        "Sunday 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06  08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov  6 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sunday Nov  6 08:49:37 1994",
        "Sun Nov   6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMTx",
        "784111777",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 0x:49:37 GMT",
        "-1",
        "Sunday, 06-Nov-",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (parse(bad[i], NOW) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
}

static void a_two_digit_year_is_at_most_fifty_years_ahead(void **state)
{
    (void)state;
    /* 50 years after NOW is 2073-11-14 22:13:20. */
    assert_int_equal(parse("Tuesday, 14-Nov-73 22:13:20 GMT", NOW), parse("Tue, 14 Nov 2073 22:13:20 GMT", NOW));
    assert_int_equal(parse("Tuesday, 14-Nov-73 22:13:21 GMT", NOW), parse("Wed, 14 Nov 1973 22:13:21 GMT", NOW));
    assert_int_equal(parse("Monday, 01-Jan-74 00:00:00 GMT", NOW), parse("Tue, 01 Jan 1974 00:00:00 GMT", NOW));
    assert_int_equal(parse("Saturday, 01-Jan-00 00:00:00 GMT", NOW), parse("Sat, 01 Jan 2000 00:00:00 GMT", NOW));
    /* Seen from 1995, 94 is 1994; from 2090, 05 is 2105. */
    assert_int_equal(parse("Sunday, 06-Nov-94 08:49:37 GMT", 800000000), 784111777);
    assert_int_equal(parse("Sunday, 06-Nov-05 00:00:00 GMT", INT64_C(3786912000)),
                     parse("Fri, 06 Nov 2105 00:00:00 GMT", 0));
    /* No clock at all, and clocks that are absurd. */
    assert_int_equal(parse("Sunday, 06-Nov-94 08:49:37 GMT", 0), parse("Sun, 06 Nov 1994 08:49:37 GMT", 0));
    assert_int_equal(parse("Sunday, 06-Nov-94 08:49:37 GMT", INT64_MIN), -EINVAL);
    assert_true(parse("Sunday, 06-Nov-94 08:49:37 GMT", INT64_MAX) > 0);
}

/* Day by day through the calendar, which is counted here in the simplest way. */
static void every_day_is_formatted_and_read_back(void **state)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = -719162;
    int weekday = 1; /* 0001-01-01 was a Monday */

    (void)state;
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        for (int month = 0; month < 12; month++)
            for (int date = 1; date <= lengths[month] + (leap && month == 1);
                 date++, day++, weekday = (weekday + 1) % 7) {
                int64_t second = (day % 86400 + 86400) % 86400;
                char expected[64], out[WEFT_HTTP_DATE_LENGTH];
                int64_t back;

                snprintf(expected, sizeof expected, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[weekday], date,
                         months[month], year, (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
                if (weft_http_date_format(day * 86400 + second, out) < 0 || memcmp(out, expected, sizeof out) != 0)
                    fail_msg("%.29s is not %s", out, expected);
                if (weft_http_date_parse(weft_bytes_of(out, sizeof out), NOW, &back) < 0 ||
                    back != day * 86400 + second)
                    fail_msg("%s is not read", expected);
            }
    }
    assert_int_equal(day, 2932897);
}

static void years_of_other_than_four_digits_are_not_written(void **state)
{
    char out[WEFT_HTTP_DATE_LENGTH] = "untouched";

    (void)state;
    assert_int_equal(weft_http_date_format(INT64_C(-719162) * 86400 - 1, out), -ERANGE);
    assert_int_equal(weft_http_date_format(INT64_C(2932897) * 86400, out), -ERANGE);
    assert_int_equal(weft_http_date_format(INT64_MAX, out), -ERANGE);
    assert_int_equal(weft_http_date_format(INT64_MIN, out), -ERANGE);
    assert_string_equal(out, "untouched");
    assert_int_equal(weft_http_date_format(INT64_C(2932897) * 86400 - 1, out), 0);
    assert_memory_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT", sizeof out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(the_three_formats_are_read),
        support_test(what_is_not_exactly_a_date_is_refused),
        support_test(a_two_digit_year_is_at_most_fifty_years_ahead),
        support_test(every_day_is_formatted_and_read_back),
        support_test(years_of_other_than_four_digits_are_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
