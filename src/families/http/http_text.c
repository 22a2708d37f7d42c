/* SPDX-License-Identifier: MIT */
#include "families/http/http_text.h"

#include <inttypes.h>
#include <stdio.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "base/checked.h"

enum { FIRST_CAPACITY = 4096 };

void http_text_release(struct http_text *text)
{
    weft_release(text->data);
    *text = (struct http_text){0};
}

static int make_room(struct http_text *text, size_t more)
{
    size_t needed, capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
    char *data;

    if (!size_add(text->length, more, &needed))
        return WEFT_ENOMEM;
    if (needed <= text->capacity)
        return 0;
    while (capacity < needed)
        if (!size_multiply(capacity, 2, &capacity))
            return WEFT_ENOMEM;
    data = weft_reallocate(text->data, capacity);
    if (!data)
        return WEFT_ENOMEM;
    text->data = data;
    text->capacity = capacity;
    return 0;
}

void http_text_append(struct http_text *text, weft_bytes bytes)
{
    if (text->error || bytes.length == 0)
        return;
    text->error = make_room(text, bytes.length);
    if (text->error)
        return;
    memcpy(text->data + text->length, bytes.data, bytes.length);
    text->length += bytes.length;
}

void http_text_append_string(struct http_text *text, const char *string)
{
    http_text_append(text, weft_bytes_from(string));
}

void http_text_append_number(struct http_text *text, uint64_t number)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, number);
    http_text_append_string(text, digits);
}

static const char *html_entity(uint32_t character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    }
    /* Controls and noncharacters are parse errors in HTML (its §13.2.3.5). */
    if (character < 0x20 || (character >= 0x7f && character <= 0x9f) || (character & 0xfffe) == 0xfffe ||
        (character >= 0xfdd0 && character <= 0xfdef))
        return "\xef\xbf\xbd";
    return NULL;
}

void http_text_append_html(struct http_text *text, weft_bytes bytes)
{
    size_t plain = 0;

    while (plain < bytes.length) {
        uint32_t character = 0;
        size_t length = http_utf8_next(weft_bytes_skip(bytes, plain), &character);
        const char *instead = length ? html_entity(character) : "\xef\xbf\xbd";

        if (!instead) {
            plain += length;
            continue;
        }
        http_text_append(text, weft_bytes_first(bytes, plain));
        http_text_append_string(text, instead);
        bytes = weft_bytes_skip(bytes, plain + (length ? length : 1));
        plain = 0;
    }
    http_text_append(text, bytes);
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void http_text_append_segment(struct http_text *text, weft_bytes bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        char encoded[3] = {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};

        if (is_unreserved(byte))
            http_text_append(text, weft_bytes_of(&bytes.data[i], 1));
        else
            http_text_append(text, weft_bytes_of(encoded, sizeof(encoded)));
    }
}

size_t http_utf8_next(weft_bytes bytes, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* that needs so many bytes */
    unsigned char first = bytes.length ? (unsigned char)bytes.data[0] : 0x80;
    size_t length;
    uint32_t character;

    if (first < 0x80) {
        *ret = first;
        return 1;
    }
    if (first < 0xc2 || first > 0xf4)
        return 0;
    length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (bytes.length < length)
        return 0;
    character = first & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];

        if ((byte & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (byte & 0x3f);
    }
    if (character < least[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    *ret = character;
    return length;
}

bool http_utf8_is_valid(weft_bytes bytes)
{
    while (bytes.length) {
        uint32_t character;
        size_t length = http_utf8_next(bytes, &character);

        if (length == 0)
            return false;
        bytes = weft_bytes_skip(bytes, length);
    }
    return true;
}
