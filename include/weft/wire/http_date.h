/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The dates of HTTP (RFC 9110 §5.6.7), without libc's time functions or locale.
 *
 * A date is a count of seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
 */
#ifndef WEFT_WIRE_HTTP_DATE_H
#define WEFT_WIRE_HTTP_DATE_H

#include <weft/bytes.h>

WEFT_BEGIN_DECLS

/** The length of a formatted date: "Sun, 06 Nov 1994 08:49:37 GMT". */
#define WEFT_HTTP_DATE_LENGTH 29

/**
 * Reads a date in any of the three formats: IMF-fixdate, RFC 850, asctime.
 *
 * It must be of exactly one of these forms, with a day that the month has; the name of the weekday is not compared
 * with the date. A second of 60 is taken for the first of the next minute.
 *
 * @param now       the present time in seconds: the two-digit year of an RFC 850 date that would be more than
 *                  50 years after it is taken to be of the century before
 * @param[out] ret  seconds since 1970; set on success only
 * @return 0, or -EINVAL
 */
WEFT_API WEFT_NODISCARD int weft_http_date_parse(weft_bytes bytes, int64_t now, int64_t *ret) WEFT_NONBLOCKING;

/**
 * Writes @p seconds as an IMF-fixdate, the only format that may be sent.
 *
 * @param out  gets exactly WEFT_HTTP_DATE_LENGTH bytes, and no NUL
 * @return 0, or -ERANGE with nothing written if the year is not between 1 and 9999
 */
WEFT_API WEFT_NODISCARD int weft_http_date_format(int64_t seconds, char out[WEFT_HTTP_DATE_LENGTH]) WEFT_NONBLOCKING;

WEFT_END_DECLS

#endif
