/* SPDX-License-Identifier: MIT */
/* LOC: where something is on the earth (RFC 1876). */
#include <stdio.h>

#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"
#include "wire/dns/dns_text.h"

#define EQUATOR 0x80000000u
#define SEA_LEVEL 10000000 /* centimetres above the zero of the wire */

/* -- as text -- */

static void put_angle(struct dns_output *output, uint32_t value, char positive, char negative)
{
    uint32_t angle = value >= EQUATOR ? value - EQUATOR : EQUATOR - value;
    char text[40];

    snprintf(text, sizeof text, "%u %u %u.%03u %c", (unsigned)(angle / 3600000), (unsigned)(angle / 60000 % 60),
             (unsigned)(angle / 1000 % 60), (unsigned)(angle % 1000), value >= EQUATOR ? positive : negative);
    dns_put_text(output, text);
}

static void put_metres(struct dns_output *output, int64_t centimetres)
{
    uint64_t length = (uint64_t)(centimetres < 0 ? -centimetres : centimetres);
    char text[32];

    snprintf(text, sizeof text, " %s%llu.%02llum", centimetres < 0 ? "-" : "", (unsigned long long)(length / 100),
             (unsigned long long)(length % 100));
    dns_put_text(output, text);
}

static int64_t size_of(uint8_t octet)
{
    int64_t size = octet >> 4;

    for (int i = octet & 15; i > 0; i--)
        size *= 10;
    return size;
}

void dns_put_location(struct dns_output *output, weft_bytes data)
{
    put_angle(output, dns_get32(data.data + 4), 'N', 'S');
    dns_put_char(output, ' ');
    put_angle(output, dns_get32(data.data + 8), 'E', 'W');
    put_metres(output, (int64_t)dns_get32(data.data + 12) - SEA_LEVEL);
    for (int i = 1; i < 4; i++)
        put_metres(output, size_of((uint8_t)data.data[i]));
}

/* -- from text -- */

/* A decimal number with at most @p places digits behind the point, times ten to that power. */
static bool parse_decimal(weft_bytes text, unsigned places, uint64_t maximum, uint64_t *ret)
{
    size_t point = weft_bytes_find(text, '.');
    weft_bytes whole = weft_bytes_first(text, point),
               part = weft_bytes_skip(text, point == SIZE_MAX ? point : point + 1);
    uint64_t value, fraction = 0, scale = 1;

    for (unsigned i = 0; i < places; i++)
        scale *= 10;
    if (weft_bytes_to_uint64(whole, maximum / scale, &value) < 0 || part.length > places)
        return false;
    if (part.length > 0 && weft_bytes_to_uint64(part, scale, &fraction) < 0)
        return false;
    for (size_t i = part.length; i < places; i++)
        fraction *= 10;
    value = value * scale + fraction;
    if (value > maximum)
        return false;
    *ret = value;
    return true;
}

/* Degrees, perhaps minutes, perhaps seconds, and one of two letters. */
static int scan_angle(struct dns_scan *scan, unsigned degrees, char positive, char negative, uint32_t *ret)
{
    static const uint64_t units[] = {3600000, 60000, 1};
    uint64_t angle = 0;

    for (unsigned i = 0; i < 4; i++) {
        struct dns_token token;
        uint64_t part;
        char letter;

        if (dns_scan_field(scan, &token) < 0)
            return -EINVAL;
        letter = token.text.length == 1 ? (char)(token.text.data[0] & ~0x20) : '\0';
        if (i > 0 && (letter == positive || letter == negative) && angle <= degrees * 3600000u) {
            *ret = letter == positive ? EQUATOR + (uint32_t)angle : EQUATOR - (uint32_t)angle;
            return 0;
        }
        if (i == 3 || !parse_decimal(token.text, i == 2 ? 3 : 0, i == 0 ? degrees : i == 1 ? 59 : 59999, &part))
            return dns_wrong(scan, token.offset, "this is no part of an angle");
        angle += part * units[i];
    }
    return dns_wrong(scan, scan->at, "this is no angle");
}

/* Metres, with or without their letter. */
static bool parse_metres(weft_bytes text, uint64_t maximum, uint64_t *ret)
{
    if (text.length > 0 && (text.data[text.length - 1] == 'm' || text.data[text.length - 1] == 'M'))
        text.length--;
    return parse_decimal(text, 2, maximum, ret);
}

static int scan_altitude(struct dns_scan *scan, uint32_t *ret)
{
    struct dns_token token;
    bool below;
    uint64_t height;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    below = token.text.length > 0 && token.text.data[0] == '-';
    if (!parse_metres(weft_bytes_skip(token.text, below), below ? SEA_LEVEL : UINT32_MAX - SEA_LEVEL, &height))
        return dns_wrong(scan, token.offset, "this is no height in metres");
    *ret = (uint32_t)(below ? SEA_LEVEL - height : SEA_LEVEL + height);
    return 0;
}

/* A size as a digit and a power of ten; what does not fit is cut off, as the code of RFC 1876 does. */
static int scan_size(struct dns_scan *scan, uint8_t *ret)
{
    struct dns_token token;
    uint64_t size;
    unsigned power = 0;
    int status = dns_scan_next(scan, &token);

    if (status <= 0)
        return status; /* the default stays */
    if (!parse_metres(token.text, UINT64_C(9000000000), &size))
        return dns_wrong(scan, token.offset, "this is no size in metres");
    for (; size > 9; size /= 10)
        power++;
    *ret = (uint8_t)(size << 4 | power);
    return 0;
}

int dns_scan_location(struct dns_scan *scan, struct dns_output *output)
{
    uint8_t octets[4] = {0, 0x12, 0x16, 0x13}; /* version; 1 m, 10,000 m, 10 m */
    uint32_t latitude = 0, longitude = 0, altitude = 0;

    if (scan_angle(scan, 90, 'N', 'S', &latitude) < 0 || scan_angle(scan, 180, 'E', 'W', &longitude) < 0 ||
        scan_altitude(scan, &altitude) < 0)
        return -EINVAL;
    for (int i = 1; i < 4; i++)
        if (scan_size(scan, &octets[i]) < 0)
            return -EINVAL;
    dns_put(output, weft_bytes_of(octets, sizeof octets));
    dns_put_octets(output, latitude, 4);
    dns_put_octets(output, longitude, 4);
    dns_put_octets(output, altitude, 4);
    return 0;
}
