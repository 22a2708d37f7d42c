/* SPDX-License-Identifier: MIT */
/*
 * The values that options take, from text and back. Every reader wants the
 * whole of its text and leaves *ret alone when it returns -EINVAL (not such a
 * value) or -ERANGE (too large to hold).
 */
#ifndef WEFT_CLI_VALUES_H
#define WEFT_CLI_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* Digits. */
int value_integer(const char *text, uint64_t *ret);

/* Digits and k, m, g or t (times 1024, 1024², …; either case) or nothing for bytes. */
int value_size(const char *text, uint64_t *ret);

/* Digits and a unit: ms, s, m or h. In nanoseconds, at most INT64_MAX - 1. */
int value_duration(const char *text, uint64_t *ret);

/*
 * A place to listen on, as a URL: a URL as it is, "8080" as tcp://127.0.0.1:8080, and "HOST:8080", "[::1]:8080"
 * or ":8080" (every address) with tcp:// in front. The result is @text itself, or it is in @buffer.
 */
int value_endpoint(const char *text, char *buffer, size_t size, const char **ret);

/* The shortest text that the readers above turn into @value again; in @buffer, which it returns. */
const char *value_format_size(uint64_t value, char *buffer, size_t size);
const char *value_format_duration(uint64_t value, char *buffer, size_t size);

#endif
