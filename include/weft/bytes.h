/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A run of bytes that somebody else owns.
 *
 * A `weft_bytes` is a value: two words, passed by copy, never freed. It is
 * always *borrowed*; the function that hands it out says until when it is
 * valid. It may hold any byte, zero included, and is not NUL-terminated.
 */
#ifndef WEFT_BYTES_H
#define WEFT_BYTES_H

#include <stdbool.h>
#include <string.h>

#include <weft/api.h>

WEFT_BEGIN_DECLS

/** Bytes that somebody else owns. */
typedef struct weft_bytes {
    const char *data; /**< may be NULL if and only if length is 0 */
    size_t length;
} weft_bytes;

/** The bytes of a string literal, without its terminating NUL; usable in constant initialisers. */
#define WEFT_BYTES(literal)             \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/** @p length bytes from @p data. */
static inline weft_bytes weft_bytes_of(const void *data, size_t length)
{
    weft_bytes bytes = {(const char *)data, length};
    return bytes;
}

/** The bytes of the NUL-terminated @p string, which may be NULL (then empty). */
static inline weft_bytes weft_bytes_from(const char *string)
{
    return weft_bytes_of(string, string ? strlen(string) : 0);
}

/** What is left of @p bytes after the first @p count of them (all are skipped if there are fewer). */
static inline weft_bytes weft_bytes_skip(weft_bytes bytes, size_t count)
{
    if (count >= bytes.length)
        return weft_bytes_of(bytes.data ? bytes.data + bytes.length : bytes.data, 0);
    return weft_bytes_of(bytes.data + count, bytes.length - count);
}

/** The first @p count of @p bytes (all of them if there are fewer). */
static inline weft_bytes weft_bytes_first(weft_bytes bytes, size_t count)
{
    return weft_bytes_of(bytes.data, count < bytes.length ? count : bytes.length);
}

/** Whether @p a and @p b hold the same bytes. Not constant-time: not for secrets. */
static inline bool weft_bytes_equal(weft_bytes a, weft_bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/** Whether @p a and @p b are equal when the letters A-Z are taken as a-z (ASCII only, whatever the locale). */
WEFT_API bool weft_bytes_equal_nocase(weft_bytes a, weft_bytes b) WEFT_NONBLOCKING;

/** Whether @p bytes begins with @p prefix. */
static inline bool weft_bytes_starts_with(weft_bytes bytes, weft_bytes prefix)
{
    return bytes.length >= prefix.length && weft_bytes_equal(weft_bytes_first(bytes, prefix.length), prefix);
}

/** The offset of the first @p byte in @p bytes, or SIZE_MAX if there is none. */
WEFT_API size_t weft_bytes_find(weft_bytes bytes, char byte) WEFT_NONBLOCKING;

/**
 * The number that @p bytes spells in decimal (`1*DIGIT`, no sign, no space).
 *
 * @param[out] ret  set on success only
 * @return 0; -EINVAL if a byte is no digit or there is none; -ERANGE if it is greater than @p maximum
 */
WEFT_API WEFT_NODISCARD int weft_bytes_to_uint64(weft_bytes bytes, uint64_t maximum, uint64_t *ret) WEFT_NONBLOCKING;

WEFT_END_DECLS

#endif
