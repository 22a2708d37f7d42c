/* SPDX-License-Identifier: MIT */
#include "base/address_parse.h"

bool address_parse_ipv4(weft_bytes text, uint8_t ip[16])
{
    for (int i = 0; i < 4; i++) {
        size_t dot = i < 3 ? weft_bytes_find(text, '.') : text.length;
        uint64_t value;

        if (dot == SIZE_MAX || dot > 3 || (dot > 1 && text.data[0] == '0') ||
            weft_bytes_to_uint64(weft_bytes_first(text, dot), 255, &value) < 0)
            return false;
        ip[i] = (uint8_t)value;
        text = weft_bytes_skip(text, dot + 1);
    }
    return text.length == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of up to four hexadecimal digits; returns its length, 0 if there is none. */
static size_t parse_group(weft_bytes text, unsigned *ret)
{
    size_t length = 0;
    unsigned value = 0;

    while (length < text.length && length < 4 && hex_digit(text.data[length]) >= 0)
        value = value << 4 | (unsigned)hex_digit(text.data[length++]);
    *ret = value;
    return length;
}

/* RFC 4291 §2.2: eight groups, one run of which may be "::", and the last two may be an IPv4 address. */
bool address_parse_ipv6(weft_bytes text, uint8_t ip[16])
{
    uint8_t found[16] = {0}, v4[16];
    size_t used = 0, gap = SIZE_MAX;

    if (weft_bytes_starts_with(text, weft_bytes_from("::"))) {
        gap = 0;
        text = weft_bytes_skip(text, 2);
    }
    while (text.length > 0 && used < 16) {
        unsigned group;
        size_t length;

        if (used <= 12 && weft_bytes_find(text, ':') == SIZE_MAX && address_parse_ipv4(text, v4)) {
            memcpy(found + used, v4, 4);
            used += 4;
            text.length = 0;
            break;
        }
        length = parse_group(text, &group);
        if (length == 0)
            return false;
        found[used++] = (uint8_t)(group >> 8);
        found[used++] = (uint8_t)group;
        text = weft_bytes_skip(text, length);
        if (text.length == 0)
            break;
        if (text.data[0] != ':' || text.length == 1)
            return false;
        text = weft_bytes_skip(text, 1);
        if (text.data[0] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = used;
            text = weft_bytes_skip(text, 1);
        }
    }
    if (text.length > 0 || (gap == SIZE_MAX) != (used == 16))
        return false;
    memset(ip, 0, 16);
    if (gap == SIZE_MAX)
        gap = used;
    memcpy(ip, found, gap);
    memcpy(ip + 16 - (used - gap), found + gap, used - gap);
    return true;
}
