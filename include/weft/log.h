/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Structured log: a level, a subject, a sentence, and named values.
 *
 * Nothing is logged on a hot path. What is below the threshold costs one
 * comparison. Values reach the sink raw; the built-in sink escapes control
 * characters, quotes and backslashes, so that a peer cannot forge a line.
 */
#ifndef WEFT_LOG_H
#define WEFT_LOG_H

#include <weft/bytes.h>

WEFT_BEGIN_DECLS

/** How much an event matters, in rising order. */
typedef enum weft_log_level {
    WEFT_LOG_DEBUG,   /**< for whoever looks for a mistake */
    WEFT_LOG_INFO,    /**< what an operator wants to know: it listens, it stops */
    WEFT_LOG_WARNING, /**< something is wrong, and the program copes */
    WEFT_LOG_ERROR    /**< something that was asked for is not done */
} weft_log_level;

/** One named value of an event: text, or a number if text.data is NULL. */
typedef struct weft_log_field {
    const char *name;
    weft_bytes text;
    int64_t number;
} weft_log_field;

/** One event; *borrowed* by the sink during the call. */
typedef struct weft_log_event {
    weft_log_level level;
    const char *subject; /**< the part of Weft or the program that speaks: "listener", "http" */
    const char *text;    /**< the sentence, already formatted */
    const weft_log_field *fields;
    size_t field_count;
} weft_log_event;

/** Receives every event at or above the threshold. Called from any thread; must not call back into Weft. */
typedef void weft_log_sink(const weft_log_event *event, void *arg);

/** Replaces the sink (NULL: the built-in one, one line per event on standard error). Call it before threads start. */
WEFT_API void weft_log_set_sink(weft_log_sink *sink, void *arg);
/** Events below @p level are dropped. The default is WEFT_LOG_INFO. */
WEFT_API void weft_log_set_threshold(weft_log_level level);
/** Whether an event of @p level would be kept. */
WEFT_API bool weft_log_enabled(weft_log_level level);

/** Logs a sentence without values. At most 1023 bytes of it are kept. */
WEFT_API void weft_log(weft_log_level level, const char *subject, const char *format, ...) WEFT_PRINTF(3, 4);
/** Logs a sentence with @p count named values, which are *borrowed*. */
WEFT_API void weft_log_fields(weft_log_level level, const char *subject, const weft_log_field *fields, size_t count,
                              const char *format, ...) WEFT_PRINTF(5, 6);

/**
 * Escapes @p text for one log line: C0, DEL, C1 (as UTF-8) and what is not well-formed UTF-8 become \\xNN; quote and
 * backslash become \\" and \\\\.
 * @return the length of the whole escaped text; at most @p size - 1 bytes of it are stored, NUL-terminated,
 *         and neither an escape nor a character is cut in the middle
 */
WEFT_API size_t weft_log_escape(weft_bytes text, char *buffer, size_t size);

WEFT_END_DECLS

#endif
