/* SPDX-License-Identifier: MIT */
#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CUT "..."
#define HIDDEN "***"

/* -- characters -- */

/* The length of the UTF-8 sequence that @text begins with, and its character; 0 if it is none (RFC 3629 §4). */
static size_t decode(weft_bytes text, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text.data[0];
    size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    uint32_t character = length == 1 ? first : first & (0x7fU >> length);

    if (length == 0 || length > text.length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text.data[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | ((unsigned char)text.data[i] & 0x3f);
    }
    if (character < least[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret = character;
    return length;
}

/* Unicode's Cc, its line separators, and what has the property Bidi_Control. */
static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) || character == 0x061c || character == 0x200e ||
           character == 0x200f || (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

const char *printable(weft_bytes text, char *buffer, size_t size)
{
    size_t used = 0, fits = 0; /* fits: what leaves room for the sign that it was cut */

    while (text.length > 0) {
        uint32_t character = 0;
        size_t length = decode(text, &character);
        bool shown = length > 0 && !is_control(character);
        size_t wanted = shown ? length : 1;

        if (used + wanted >= size) {
            used = fits;
            if (used + sizeof CUT <= size) {
                memcpy(buffer + used, CUT, sizeof CUT - 1);
                used += sizeof CUT - 1;
            }
            break;
        }
        memcpy(buffer + used, shown ? text.data : "?", wanted);
        used += wanted;
        if (used + sizeof CUT <= size)
            fits = used;
        text = weft_bytes_skip(text, length > 0 ? length : 1);
    }
    buffer[used] = '\0';
    return buffer;
}

/* -- passwords -- */

static bool is_port(weft_bytes text)
{
    uint64_t port;

    return text.length == 0 || weft_bytes_to_uint64(text, UINT16_MAX, &port) == 0;
}

/*
 * Where the user and the password stand, as a person meant it: before the last "@" of the authority; or, where a "/",
 * "?" or "#" was left in the password, before the last "@" of all.
 */
static weft_bytes find_credentials(weft_bytes url)
{
    size_t begin = weft_bytes_find(url, ':'), end, at = SIZE_MAX, colon;
    weft_bytes rest = url, host;

    if (begin != SIZE_MAX && begin + 1 < url.length && url.data[begin + 1] == '/')
        rest = weft_bytes_skip(url, begin + 1);
    while (rest.length > 0 && rest.data[0] == '/')
        rest = weft_bytes_skip(rest, 1);
    for (end = 0; end < rest.length && !strchr("/?#", rest.data[end]); end++)
        if (rest.data[end] == '@')
            at = end;
    host = weft_bytes_first(rest, end);
    colon = host.length > 0 && host.data[0] == '[' ? SIZE_MAX : weft_bytes_find(host, ':');
    if (at == SIZE_MAX && colon != SIZE_MAX && !is_port(weft_bytes_skip(host, colon + 1)))
        for (size_t i = end; i < rest.length; i++)
            if (rest.data[i] == '@')
                at = i;
    return at == SIZE_MAX ? weft_bytes_of(NULL, 0) : weft_bytes_first(rest, at);
}

const char *printable_url(const char *url, char *buffer, size_t size)
{
    weft_bytes text = weft_bytes_from(url), credentials = find_credentials(text);
    size_t colon = credentials.length > 0 ? weft_bytes_find(credentials, ':') : SIZE_MAX, used;
    const char *rest;

    if (colon == SIZE_MAX)
        return printable(text, buffer, size);
    rest = credentials.data + credentials.length;
    printable(weft_bytes_first(text, (size_t)(credentials.data - url) + colon + 1), buffer, size);
    used = strlen(buffer);
    if (size - used <= sizeof HIDDEN)
        return buffer;
    memcpy(buffer + used, HIDDEN, sizeof HIDDEN);
    used += sizeof HIDDEN - 1;
    printable(weft_bytes_from(rest), buffer + used, size - used);
    return buffer;
}
