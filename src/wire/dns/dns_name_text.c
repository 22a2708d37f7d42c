/* SPDX-License-Identifier: MIT */
/* Names as text: RFC 1035 §5.1, and what is asked for to learn the name of an address. */
#include <stdio.h>

#include "wire/dns/dns_name.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t dns_unescape(weft_bytes text, uint8_t *ret)
{
    unsigned value;

    if (text.length == 0)
        return 0;
    if (text.data[0] != '\\') {
        *ret = (uint8_t)text.data[0];
        return 1;
    }
    if (text.length < 2)
        return 0;
    if (!is_digit(text.data[1])) {
        *ret = (uint8_t)text.data[1];
        return 2;
    }
    if (text.length < 4 || !is_digit(text.data[2]) || !is_digit(text.data[3]))
        return 0;
    value = (unsigned)(text.data[1] - '0') * 100 + (unsigned)(text.data[2] - '0') * 10 + (unsigned)(text.data[3] - '0');
    if (value > 255)
        return 0;
    *ret = (uint8_t)value;
    return 4;
}

size_t dns_escape(uint8_t octet, const char *special, char *out)
{
    if (octet < 0x20 || octet > 0x7e || (octet == ' ' && strchr(special, ' '))) {
        out[0] = '\\';
        out[1] = (char)('0' + octet / 100);
        out[2] = (char)('0' + octet / 10 % 10);
        out[3] = (char)('0' + octet % 10);
        return 4;
    }
    if (strchr(special, octet)) {
        out[0] = '\\';
        out[1] = (char)octet;
        return 2;
    }
    out[0] = (char)octet;
    return 1;
}

/*
 * Takes one label and the dot behind it off @p text, to the end of @p name. Returns whether there was a dot, or a
 * negative error.
 */
static int parse_label(weft_bytes *text, weft_dns_name *name)
{
    size_t start = name->length, length = 0;

    while (text->length > 0 && text->data[0] != '.') {
        uint8_t octet;
        size_t used = dns_unescape(*text, &octet);

        if (used == 0)
            return -EINVAL;
        /* The label's length and the root's zero need room, too. */
        if (length == WEFT_DNS_LABEL_MAX || start + 1 + length + 1 >= WEFT_DNS_NAME_MAX)
            return -ENAMETOOLONG;
        name->octets[start + 1 + length++] = octet;
        *text = weft_bytes_skip(*text, used);
    }
    if (length == 0)
        return -EINVAL;
    name->octets[start] = (uint8_t)length;
    name->length = (uint8_t)(start + 1 + length);
    if (text->length == 0)
        return 0;
    *text = weft_bytes_skip(*text, 1);
    return 1;
}

int weft_dns_name_parse(weft_bytes text, const weft_dns_name *origin, weft_dns_name *ret)
{
    static const weft_dns_name root = WEFT_DNS_ROOT;
    weft_dns_name name = {.length = 0};
    int dot = 0;

    if (text.length == 0)
        return -EINVAL;
    if (text.length == 1 && (text.data[0] == '.' || (text.data[0] == '@' && origin))) {
        *ret = text.data[0] == '.' ? root : *origin;
        return 0;
    }
    while (text.length > 0) {
        dot = parse_label(&text, &name);
        if (dot < 0)
            return dot;
    }
    name.octets[name.length++] = 0;
    return weft_dns_name_join(&name, dot || !origin ? &root : origin, ret);
}

size_t weft_dns_name_text(const weft_dns_name *name, char *buffer)
{
    char *out = buffer;
    size_t at = 0;

    if (name->octets[0] == 0)
        *out++ = '.';
    while (name->octets[at] != 0) {
        size_t end = at + 1 + name->octets[at];

        for (at++; at < end; at++)
            out += dns_escape(name->octets[at], ". \\\"();@$", out);
        *out++ = '.';
    }
    *out = '\0';
    return (size_t)(out - buffer);
}

int weft_dns_name_of_address(const weft_address *address, weft_dns_name *ret)
{
    static const char digits[] = "0123456789abcdef";
    char text[80];
    size_t length = 0;

    if (address->family == WEFT_ADDRESS_IPV4) {
        length = (size_t)snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa.", address->ip[3], address->ip[2],
                                  address->ip[1], address->ip[0]);
        return weft_dns_name_parse(weft_bytes_of(text, length), NULL, ret);
    }
    if (address->family != WEFT_ADDRESS_IPV6)
        return -EINVAL;
    for (size_t i = 16; i-- > 0;) {
        text[length++] = digits[address->ip[i] & 15];
        text[length++] = '.';
        text[length++] = digits[address->ip[i] >> 4];
        text[length++] = '.';
    }
    memcpy(text + length, "ip6.arpa.", 9);
    return weft_dns_name_parse(weft_bytes_of(text, length + 9), NULL, ret);
}
