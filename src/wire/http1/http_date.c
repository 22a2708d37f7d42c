/* SPDX-License-Identifier: MIT */
#include <weft/wire/http_date.h>

#include <errno.h>

#include "wire/http1/http1_chars.h"

#define DAY 86400
/* 0001-01-01 00:00:00 and 9999-12-31 23:59:59 */
#define FIRST_SECOND (INT64_C(-719162) * DAY)
#define LAST_SECOND (INT64_C(2932897) * DAY - 1)

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* A date and time of day; month from 0. */
struct moment {
    int year, month, day, hour, minute, second;
};

/* What is left of a date, and whether all that was read was as it must be. */
struct reader {
    weft_bytes rest;
    bool good;
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static const uint8_t month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static int days_in_month(int year, int month)
{
    return month_days[month] + (month == 1 && is_leap(year));
}

/* Days from 1970-01-01 to 1 January of @p year, which is 1 or later, in the Gregorian calendar. */
static int64_t days_to_year(int year)
{
    int64_t before = year - 1;

    return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

/* The day, counted from 1970-01-01, in which the second @p seconds is. */
static int64_t floor_days(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
}

static int64_t to_seconds(const struct moment *moment)
{
    int64_t days = days_to_year(moment->year) + moment->day - 1;

    for (int month = 0; month < moment->month; month++)
        days += days_in_month(moment->year, month);
    return days * DAY + moment->hour * 3600 + moment->minute * 60 + moment->second;
}

static void read_text(struct reader *reader, const char *text)
{
    weft_bytes expected = weft_bytes_from(text);

    reader->good = reader->good && weft_bytes_starts_with(reader->rest, expected);
    reader->rest = weft_bytes_skip(reader->rest, expected.length);
}

/* Exactly @p count digits, no greater than @p maximum. */
static int read_number(struct reader *reader, size_t count, unsigned maximum)
{
    uint64_t number = 0;

    if (reader->rest.length < count ||
        weft_bytes_to_uint64(weft_bytes_first(reader->rest, count), maximum, &number) < 0)
        reader->good = false;
    reader->rest = weft_bytes_skip(reader->rest, count);
    return (int)number;
}

static int read_month(struct reader *reader)
{
    for (int month = 0; month < 12; month++)
        if (weft_bytes_starts_with(reader->rest, weft_bytes_of(month_names[month], 3))) {
            reader->rest = weft_bytes_skip(reader->rest, 3);
            return month;
        }
    reader->good = false;
    return 0;
}

/* hour ":" minute ":" second, where 60 is a leap second. */
static void read_time(struct reader *reader, struct moment *moment)
{
    moment->hour = read_number(reader, 2, 23);
    read_text(reader, ":");
    moment->minute = read_number(reader, 2, 59);
    read_text(reader, ":");
    moment->second = read_number(reader, 2, 60);
}

/* "06 Nov 1994 08:49:37 GMT", after "Sun, " */
static void read_imf(struct reader *reader, struct moment *moment)
{
    moment->day = read_number(reader, 2, 31);
    read_text(reader, " ");
    moment->month = read_month(reader);
    read_text(reader, " ");
    moment->year = read_number(reader, 4, 9999);
    read_text(reader, " ");
    read_time(reader, moment);
    read_text(reader, " GMT");
}

/* The date of day @p days after 1970-01-01, which is in the years 1 to 9999. */
static struct moment from_days(int64_t days)
{
    struct moment moment = {.year = (int)((days + 719162) * 400 / 146097) + 1};

    /* The average year gives the right one or one beside it. */
    while (days_to_year(moment.year) > days)
        moment.year--;
    while (days_to_year(moment.year + 1) <= days)
        moment.year++;
    moment.day = (int)(days - days_to_year(moment.year)) + 1;
    while (moment.day > days_in_month(moment.year, moment.month))
        moment.day -= days_in_month(moment.year, moment.month++);
    return moment;
}

/* Makes four digits of the two of the year: as late as can be, but at most 50 years after @p now (RFC 9110 §5.6.7). */
static void guess_century(struct moment *moment, int64_t now)
{
    struct moment earlier;

    moment->year += from_days(floor_days(now)).year / 100 * 100 + 100;
    for (;;) {
        earlier = *moment;
        earlier.year -= 50;
        if (to_seconds(&earlier) <= now)
            return;
        moment->year -= 100;
    }
}

/* "06-Nov-94 08:49:37 GMT", after "Sunday, " */
static void read_rfc850(struct reader *reader, struct moment *moment, int64_t now)
{
    moment->day = read_number(reader, 2, 31);
    read_text(reader, "-");
    moment->month = read_month(reader);
    read_text(reader, "-");
    moment->year = read_number(reader, 2, 99);
    read_text(reader, " ");
    read_time(reader, moment);
    read_text(reader, " GMT");
    guess_century(moment, now);
}

/* "Nov  6 08:49:37 1994", after "Sun " */
static void read_asctime(struct reader *reader, struct moment *moment)
{
    moment->month = read_month(reader);
    read_text(reader, " ");
    if (weft_bytes_first(reader->rest, 1).length > 0 && reader->rest.data[0] == ' ') {
        read_text(reader, " ");
        moment->day = read_number(reader, 1, 9);
    } else {
        moment->day = read_number(reader, 2, 31);
    }
    read_text(reader, " ");
    read_time(reader, moment);
    read_text(reader, " ");
    moment->year = read_number(reader, 4, 9999);
}

static const weft_bytes comma_space = WEFT_BYTES(", "), space = WEFT_BYTES(" ");

/* Reads the name of a weekday and what separates it from the date, and the date in the form that follows from them. */
static void read_date(struct reader *reader, struct moment *moment, int64_t now)
{
    weft_bytes word = weft_bytes_first(reader->rest, http1_span(reader->rest, 0, HTTP1_SCHEME));
    weft_bytes rest = weft_bytes_skip(reader->rest, word.length);
    int day = 0;

    while (day < 7 && !weft_bytes_equal(word, weft_bytes_of(day_names[day], 3)) &&
           !weft_bytes_equal(word, weft_bytes_from(day_names[day])))
        day++;
    reader->rest = rest;
    reader->good = day < 7;
    if (weft_bytes_starts_with(rest, comma_space)) {
        read_text(reader, ", ");
        if (word.length == 3)
            read_imf(reader, moment);
        else
            read_rfc850(reader, moment, now);
    } else if (weft_bytes_starts_with(rest, space) && word.length == 3) {
        read_text(reader, " ");
        read_asctime(reader, moment);
    } else {
        reader->good = false;
    }
}

int weft_http_date_parse(weft_bytes bytes, int64_t now, int64_t *ret)
{
    struct reader reader = {.rest = bytes};
    struct moment moment = {0};

    if (now < FIRST_SECOND || now > LAST_SECOND)
        now = now < FIRST_SECOND ? FIRST_SECOND : LAST_SECOND;
    read_date(&reader, &moment, now);
    if (!reader.good || reader.rest.length > 0)
        return -EINVAL;
    if (moment.year < 1 || moment.day < 1 || moment.day > days_in_month(moment.year, moment.month))
        return -EINVAL;
    *ret = to_seconds(&moment);
    return 0;
}

/* @p number in @p count decimal digits at @p out; returns the place after them. */
static char *put_number(char *out, int number, int count)
{
    for (int i = count; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    return out + count;
}

static char *put_text(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    return out + length;
}

int weft_http_date_format(int64_t seconds, char out[WEFT_HTTP_DATE_LENGTH])
{
    struct moment moment;
    int64_t days;
    int rest;

    if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
        return -ERANGE;
    days = floor_days(seconds);
    rest = (int)(seconds - days * DAY);
    moment = from_days(days);
    /* 1970-01-01 was a Thursday; the days before it are made positive with whole weeks. */
    out = put_text(out, day_names[(days + 4 + 7 * INT64_C(110000)) % 7], 3);
    out = put_text(out, ", ", 2);
    out = put_number(out, moment.day, 2);
    out = put_text(out, " ", 1);
    out = put_text(out, month_names[moment.month], 3);
    out = put_text(out, " ", 1);
    out = put_number(out, moment.year, 4);
    out = put_text(out, " ", 1);
    out = put_number(out, rest / 3600, 2);
    out = put_text(out, ":", 1);
    out = put_number(out, rest / 60 % 60, 2);
    out = put_text(out, ":", 1);
    out = put_number(out, rest % 60, 2);
    put_text(out, " GMT", 4);
    return 0;
}
