/* SPDX-License-Identifier: MIT */
/* Messages to bytes. Whatever could end a line, a field or a token early is refused here, at the lowest place. */
#include <limits.h>

#include <weft/wire/http1.h>

#include "wire/http1/http1_chars.h"

static const weft_bytes crlf = WEFT_BYTES("\r\n"), space = WEFT_BYTES(" ");
static const weft_bytes request_version = WEFT_BYTES(" HTTP/1.1\r\n"), status_version = WEFT_BYTES("HTTP/1.1 ");
static const weft_bytes content_length = WEFT_BYTES("Content-Length: "), last_chunk = WEFT_BYTES("0\r\n");

/* Writes @p count pieces one after the other, or nothing. */
static int write_pieces(char *out, size_t room, const weft_bytes *pieces, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > INT_MAX - length)
            return -ENOSPC;
        length += pieces[i].length;
    }
    if (length > room)
        return -ENOSPC;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].length > 0)
            memcpy(out, pieces[i].data, pieces[i].length);
        out += pieces[i].length;
    }
    return (int)length;
}

#define WRITE(out, room, ...) \
    write_pieces(out, room, (const weft_bytes[]){__VA_ARGS__}, sizeof((weft_bytes[]){__VA_ARGS__}) / sizeof(weft_bytes))

/* The digits of @p number in @p base, at the end of @p digits. */
static weft_bytes format_number(uint64_t number, unsigned base, char digits[20])
{
    size_t at = 20;

    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    return weft_bytes_of(digits + at, 20 - at);
}

int weft_http1_write_request_line(char *out, size_t room, weft_bytes method, weft_bytes target)
{
    if (!weft_http1_is_token(method) || !weft_http1_is_target(target))
        return -EINVAL;
    return WRITE(out, room, method, space, target, request_version);
}

int weft_http1_write_status_line(char *out, size_t room, unsigned code, weft_bytes reason)
{
    char digits[20];

    if (code < 100 || code > 999 || !weft_http1_is_reason(reason))
        return -EINVAL;
    return WRITE(out, room, status_version, format_number(code, 10, digits), space, reason, crlf);
}

/* As WRITE would, but this is what nearly all of a head is written with. */
int weft_http1_write_field(char *out, size_t room, weft_bytes name, weft_bytes value)
{
    if (!weft_http1_is_token(name) || !weft_http1_is_value(value))
        return -EINVAL;
    if (name.length > INT_MAX - 4 || value.length > INT_MAX - 4 - name.length || name.length + value.length + 4 > room)
        return -ENOSPC;
    memcpy(out, name.data, name.length);
    out += name.length;
    memcpy(out, ": ", 2);
    if (value.length > 0)
        memcpy(out + 2, value.data, value.length);
    memcpy(out + 2 + value.length, "\r\n", 2);
    return (int)(name.length + value.length + 4);
}

int weft_http1_write_length(char *out, size_t room, uint64_t length)
{
    char line[20 + 2];
    size_t at = 20, size;

    if (length > INT64_MAX)
        return -EINVAL;
    memcpy(line + at, "\r\n", 2);
    do {
        line[--at] = (char)('0' + length % 10);
        length /= 10;
    } while (length > 0);
    size = sizeof line - at;
    if (room < content_length.length + size)
        return -ENOSPC;
    memcpy(out, content_length.data, content_length.length);
    memcpy(out + content_length.length, line + at, size);
    return (int)(content_length.length + size);
}

int weft_http1_write_crlf(char *out, size_t room)
{
    return WRITE(out, room, crlf);
}

int weft_http1_write_chunk(char *out, size_t room, uint64_t size)
{
    char digits[20];

    if (size == 0 || size > INT64_MAX)
        return -EINVAL;
    return WRITE(out, room, format_number(size, 16, digits), crlf);
}

int weft_http1_write_last_chunk(char *out, size_t room)
{
    return WRITE(out, room, last_chunk);
}

int weft_http1_write_trailer(char *out, size_t room, weft_bytes name, weft_bytes value)
{
    return weft_http1_is_trailer_name(name) ? weft_http1_write_field(out, room, name, value) : -EINVAL;
}
