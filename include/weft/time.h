/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Time is a count of nanoseconds.
 *
 * A `weft_time` is either a duration or a point on a loop's monotonic clock
 * (`weft_loop_now`), whose zero means nothing. Wall-clock time is only for
 * text that people read; it is a count of nanoseconds since 1970 (UTC) and
 * is always called "wall".
 */
#ifndef WEFT_TIME_H
#define WEFT_TIME_H

#include <weft/api.h>

/** A count of nanoseconds: a duration, or a point on a loop's monotonic clock. */
typedef int64_t weft_time;

#define WEFT_NANOSECONDS(n) ((weft_time)(n))
#define WEFT_MICROSECONDS(n) ((weft_time)(n)*1000)
#define WEFT_MILLISECONDS(n) ((weft_time)(n)*1000000)
#define WEFT_SECONDS(n) ((weft_time)(n)*1000000000)
#define WEFT_MINUTES(n) ((weft_time)(n)*60000000000)
#define WEFT_HOURS(n) ((weft_time)(n)*3600000000000)

/** A point in time that never comes; as a limit or deadline, the word for "none". */
#define WEFT_NEVER INT64_MAX

/** As a limit on a count or a size, the word for "none". Zero always means "the default". */
#define WEFT_UNLIMITED SIZE_MAX

#endif
