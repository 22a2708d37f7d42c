/* SPDX-License-Identifier: MIT */
/* The character classes of HTTP (RFC 9110 §5.6.2, RFC 3986 §2) as one table, and the scanners over them. */
#ifndef WEFT_WIRE_HTTP1_CHARS_H
#define WEFT_WIRE_HTTP1_CHARS_H

#include <weft/bytes.h>

enum http1_class {
    HTTP1_TOKEN = 1,   /* tchar */
    HTTP1_TARGET = 2,  /* visible ASCII without " # < > */
    HTTP1_NAME = 4,    /* reg-name without the comma: unreserved, sub-delims, "%" */
    HTTP1_DIGIT = 8,   /* 0-9 */
    HTTP1_HEX = 16,    /* 0-9 a-f A-F */
    HTTP1_SCHEME = 32, /* of a URL's scheme: letters, digits, + - . */
    HTTP1_TEXT = 64,   /* of a value or a reason: HTAB, SP, visible ASCII, obs-text */
    HTTP1_QDTEXT = 128 /* of a quoted string, unescaped: HTTP1_TEXT without " and \ */
};

extern const uint8_t http1_classes[256];

/* Whether @p byte is of one of the classes in @p set. */
static inline bool http1_is(char byte, unsigned set)
{
    return (http1_classes[(unsigned char)byte] & set) != 0;
}

/* The offset, from @p from on, of the first byte of @p bytes that is in no class of @p set; or the length. */
static inline size_t http1_span(weft_bytes bytes, size_t from, unsigned set)
{
    while (from < bytes.length && http1_is(bytes.data[from], set))
        from++;
    return from;
}

/*
 * The same for a line, or the front of one, that http1_peek_line found: the CR after it is of no class, so that nothing
 * needs to be counted.
 */
static inline size_t http1_span_line(const char *line, size_t from, unsigned set)
{
    while (http1_is(line[from], set))
        from++;
    return from;
}

/* Whether all of @p bytes, of which there must be one at least, is in the classes in @p set. */
static inline bool http1_all(weft_bytes bytes, unsigned set)
{
    return bytes.length > 0 && http1_span(bytes, 0, set) == bytes.length;
}

/* The value 0 to 15 of a byte of class HTTP1_HEX. */
static inline unsigned http1_hex_value(char digit)
{
    return http1_is(digit, HTTP1_DIGIT) ? (unsigned)(digit - '0') : (unsigned)((digit | 0x20) - 'a') + 10;
}

static inline bool http1_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* @p bytes without the spaces and tabs at both ends. */
static inline weft_bytes http1_trim(weft_bytes bytes)
{
    while (bytes.length > 0 && http1_is_blank(bytes.data[0]))
        bytes = weft_bytes_of(bytes.data + 1, bytes.length - 1);
    while (bytes.length > 0 && http1_is_blank(bytes.data[bytes.length - 1]))
        bytes.length--;
    return bytes;
}

/*
 * The offset, from @p from on, of the first control character (below 0x20, or 0x7f) other than HTAB; or @p length.
 * Sixteen bytes at a time: every byte of a head goes through here once.
 */
size_t http1_find_control(const char *data, size_t from, size_t length) WEFT_NONBLOCKING;

#endif
