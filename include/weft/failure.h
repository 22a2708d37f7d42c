/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The story of an error: what failed, where, with whom, and why beneath.
 */
#ifndef WEFT_FAILURE_H
#define WEFT_FAILURE_H

#include <weft/error.h>

WEFT_BEGIN_DECLS

/** A counted, immutable record of one error and, through its cause, of those beneath it. */
typedef struct weft_failure weft_failure;

/**
 * Makes a failure. Use the macro `weft_failure_new`, which adds the place.
 *
 * @param error  a negative error number
 * @param file,line  where; @p file is copied
 * @param cause  the failure beneath, or NULL; *taken*
 * @param format printf format of what happened, for a person
 * @return *returned*, one reference, the caller must unref it. Never NULL: when memory
 *         is short it is a constant that says so, and @p cause is released.
 */
WEFT_API weft_failure *weft_failure_make(int error, const char *file, int line, weft_failure *cause, const char *format,
                                         ...) WEFT_PRINTF(5, 6);
#define weft_failure_new(error, cause, ...) weft_failure_make((error), __FILE__, __LINE__, (cause), __VA_ARGS__)

/** One more reference. @return @p failure; NULL for NULL */
WEFT_API weft_failure *weft_failure_ref(weft_failure *failure);
/** One reference less; the last frees it and its cause. NULL does nothing. */
WEFT_API void weft_failure_unref(weft_failure *failure);

/** Its error. @return the negative number that it was made with */
WEFT_API int weft_failure_error(const weft_failure *failure);
/** What happened; valid *until* the failure is freed. */
WEFT_API const char *weft_failure_text(const weft_failure *failure);
/** The source file in which it was made; valid *until* the failure is freed. */
WEFT_API const char *weft_failure_file(const weft_failure *failure);
/** The line of that file. @return counted from 1 */
WEFT_API int weft_failure_line(const weft_failure *failure);
/** The failure beneath, *borrowed* from this one; NULL if there is none. */
WEFT_API const weft_failure *weft_failure_cause(const weft_failure *failure);

/**
 * Writes the whole story on one line: "text: cause's text: error text", the last being that of the deepest cause.
 * Bytes that a peer sent are not escaped here: a log's sink does that.
 * @param buffer  gets at most @p size bytes, always NUL-terminated when size > 0
 * @return the length that the whole text has, as snprintf
 */
WEFT_API size_t weft_failure_describe(const weft_failure *failure, char *buffer, size_t size);

WEFT_END_DECLS

#endif
