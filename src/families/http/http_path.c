/* SPDX-License-Identifier: MIT */
#include "families/http/http_path.h"

#include <errno.h>
#include <limits.h>

#include "families/http/http_text.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

/* Bytes that stand for themselves in a path. Browsers send some that RFC 3986 §3.3 wants encoded (`|`, `^`, `{`). */
static bool may_be_raw(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7f && !strchr("\"#<>\\", byte);
}

/*
 * Decodes @raw into @buffer, of which one byte is left for a NUL. *separators says that a slash or backslash was
 * encoded, which is then no separator and cannot be part of a name either.
 */
static enum http_path_result decode(weft_bytes raw, char *buffer, size_t size, size_t *length, bool *separators)
{
    size_t used = 0;

    for (size_t i = 0; i < raw.length; i++) {
        unsigned char byte = (unsigned char)raw.data[i];

        if (byte == '%') {
            int high = i + 2 < raw.length ? hex_digit(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.length ? hex_digit(raw.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return HTTP_PATH_BAD;
            byte = (unsigned char)(high << 4 | low);
            if (is_control(byte))
                return HTTP_PATH_BAD;
            *separators |= byte == '/' || byte == '\\';
            i += 2;
        } else if (!may_be_raw(byte)) {
            return HTTP_PATH_BAD;
        }
        if (used + 1 >= size)
            return HTTP_PATH_TOO_LONG;
        buffer[used++] = (char)byte;
    }
    buffer[used] = '\0';
    *length = used;
    return http_utf8_is_valid(weft_bytes_of(buffer, used)) ? HTTP_PATH_OK : HTTP_PATH_BAD;
}

static bool segment_is_name(weft_bytes segment, bool hidden)
{
    static const weft_bytes here = WEFT_BYTES("."), above = WEFT_BYTES("..");

    if (segment.length == 0 || weft_bytes_equal(segment, here) || weft_bytes_equal(segment, above))
        return false;
    return hidden || segment.data[0] != '.';
}

static bool segments_are_names(weft_bytes path, bool hidden)
{
    for (;;) {
        const char *slash = memchr(path.data, '/', path.length);
        size_t length = slash ? (size_t)(slash - path.data) : path.length;

        if (!segment_is_name(weft_bytes_first(path, length), hidden))
            return false;
        if (!slash)
            return true;
        path = weft_bytes_skip(path, length + 1);
    }
}

/* The path of a target, and in *query what follows the first "?". */
static weft_bytes split_query(weft_bytes target, weft_bytes *query)
{
    const char *mark = target.length ? memchr(target.data, '?', target.length) : NULL;
    size_t length = mark ? (size_t)(mark - target.data) : target.length;

    *query = weft_bytes_skip(target, length + 1);
    return weft_bytes_first(target, length);
}

static bool query_is_valid(weft_bytes query)
{
    for (size_t i = 0; i < query.length; i++)
        if ((unsigned char)query.data[i] <= 0x20 || (unsigned char)query.data[i] >= 0x7f || query.data[i] == '#')
            return false;
    return true;
}

enum http_path_result http_path_resolve(weft_bytes target, bool hidden, char *buffer, size_t size,
                                        struct http_path *ret)
{
    struct http_path result = {.directory = false};
    weft_bytes raw = split_query(target, &result.query);
    bool separators = false;
    size_t length = 0;
    enum http_path_result refused;

    if ((raw.length && raw.data[0] != '/') || !query_is_valid(result.query))
        return HTTP_PATH_BAD;
    raw = weft_bytes_skip(raw, 1);
    refused = decode(raw, buffer, size, &length, &separators);
    if (refused)
        return refused;
    if (separators)
        return HTTP_PATH_NOT_FOUND;
    result.directory = length == 0 || buffer[length - 1] == '/';
    if (length && result.directory)
        buffer[--length] = '\0';
    result.path = weft_bytes_of(buffer, length);
    /* A path of "/" alone is the root; "//" has an empty segment. */
    if (raw.length && !segments_are_names(result.path, hidden))
        return HTTP_PATH_NOT_FOUND;
    *ret = result;
    return HTTP_PATH_OK;
}

bool http_path_is_reachable(weft_bytes name, bool hidden)
{
    if (!segment_is_name(name, hidden) || !http_utf8_is_valid(name))
        return false;
    for (size_t i = 0; i < name.length; i++)
        if (is_control((unsigned char)name.data[i]) || name.data[i] == '/' || name.data[i] == '\\')
            return false;
    return true;
}

int http_path_with_slash(weft_bytes target, char *out, size_t room)
{
    weft_bytes query;
    weft_bytes path = split_query(target, &query);

    /* An empty query keeps its "?": it is part of the address. */
    if (target.length >= INT_MAX || target.length + 1 > room)
        return -ENOSPC;
    memcpy(out, path.data, path.length);
    out[path.length] = '/';
    memcpy(out + path.length + 1, target.data + path.length, target.length - path.length);
    return (int)target.length + 1;
}
