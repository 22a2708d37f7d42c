/* SPDX-License-Identifier: MIT */
#include "wire/http1/http1_authority.h"

#include <weft/wire/http1.h>

#include "wire/http1/http1_chars.h"

/* dec-octet "." dec-octet "." dec-octet "." dec-octet (RFC 3986 §3.2.2): no leading zeros. */
static bool is_ipv4(weft_bytes text)
{
    for (int part = 0; part < 4; part++) {
        size_t digits = http1_span(text, 0, HTTP1_DIGIT);
        uint64_t number;

        if (weft_bytes_to_uint64(weft_bytes_first(text, digits), 255, &number) < 0)
            return false;
        if (digits > 1 && text.data[0] == '0')
            return false;
        text = weft_bytes_skip(text, digits);
        if (part < 3 && (text.length == 0 || text.data[0] != '.'))
            return false;
        text = weft_bytes_skip(text, part < 3);
    }
    return text.length == 0;
}

/*
 * Groups of one to four hexadecimal digits with colons between them, of which the last may be an IPv4 address, which
 * counts for two. Returns how many there are, 0 for none at all, or -1.
 */
static int count_groups(weft_bytes text, bool ipv4_allowed)
{
    int groups = 0;

    while (text.length > 0) {
        size_t digits = http1_span(text, 0, HTTP1_HEX);

        if (digits < text.length && text.data[digits] == '.')
            return ipv4_allowed && is_ipv4(text) ? groups + 2 : -1;
        if (digits < 1 || digits > 4)
            return -1;
        groups++;
        text = weft_bytes_skip(text, digits);
        if (text.length == 0)
            break;
        if (text.data[0] != ':' || text.length == 1)
            return -1;
        text = weft_bytes_skip(text, 1);
    }
    return groups;
}

/* IPv6address (RFC 3986 §3.2.2): eight groups, or fewer with one "::" for one or more that are zero. */
static bool is_ipv6(weft_bytes text)
{
    for (size_t i = 0; i + 1 < text.length; i++) {
        int before, after;

        if (text.data[i] != ':' || text.data[i + 1] != ':')
            continue;
        before = count_groups(weft_bytes_first(text, i), false);
        after = count_groups(weft_bytes_skip(text, i + 2), true);
        return before >= 0 && after >= 0 && before + after <= 7;
    }
    return count_groups(text, true) == 8;
}

/* Whether every "%" in @p text is followed by two hexadecimal digits (RFC 3986 §2.1). */
static bool is_encoded(weft_bytes text)
{
    const char *percent;

    while (text.length > 0 && (percent = memchr(text.data, '%', text.length)) != NULL) {
        weft_bytes digits = weft_bytes_skip(text, (size_t)(percent - text.data) + 1);

        if (!http1_all(weft_bytes_first(digits, 2), HTTP1_HEX) || digits.length < 2)
            return false;
        text = weft_bytes_skip(digits, 2);
    }
    return true;
}

/* The length of the host at the front of @p bytes, or 0 if there is no valid one: IP-literal or reg-name. */
static size_t host_length(weft_bytes bytes)
{
    size_t length;

    if (bytes.length > 0 && bytes.data[0] == '[') {
        const char *end = memchr(bytes.data, ']', bytes.length);

        length = end ? (size_t)(end - bytes.data) + 1 : 0;
        return length > 2 && is_ipv6(weft_bytes_of(bytes.data + 1, length - 2)) ? length : 0;
    }
    length = http1_span(bytes, 0, HTTP1_NAME);
    return is_encoded(weft_bytes_first(bytes, length)) ? length : 0;
}

int http1_authority_parse(weft_bytes bytes, http1_authority *ret)
{
    http1_authority authority = {.host = weft_bytes_first(bytes, host_length(bytes))};
    weft_bytes rest = weft_bytes_skip(bytes, authority.host.length);
    uint64_t number = 0;

    if (authority.host.length == 0)
        return -EINVAL;
    if (rest.length > 0) {
        if (rest.data[0] != ':')
            return -EINVAL;
        authority.port = weft_bytes_skip(rest, 1);
        if (authority.port.length > 0 && weft_bytes_to_uint64(authority.port, 65535, &number) < 0)
            return -EINVAL;
    }
    authority.number = (unsigned)number;
    *ret = authority;
    return 0;
}

static const weft_bytes http = WEFT_BYTES("http"), https = WEFT_BYTES("https");

/* The port of @p authority, or the one that @p scheme implies; 0 if that is not known. */
static unsigned effective_port(const http1_authority *authority, weft_bytes scheme)
{
    if (authority->port.length > 0)
        return authority->number;
    if (weft_bytes_equal_nocase(scheme, http))
        return 80;
    return weft_bytes_equal_nocase(scheme, https) ? 443 : 0;
}

bool http1_authority_equal(weft_bytes a, weft_bytes b, weft_bytes scheme)
{
    http1_authority first, second;

    if (http1_authority_parse(a, &first) < 0 || http1_authority_parse(b, &second) < 0)
        return false;
    return weft_bytes_equal_nocase(first.host, second.host) &&
           effective_port(&first, scheme) == effective_port(&second, scheme);
}

/*
 * Whether @p bytes is a host as nearly all are: a name of letters, digits, "-", "." and "+", or an IPv4 address, and
 * perhaps a port of at most four digits. None of these needs to be looked at further.
 */
static bool is_plain_host(weft_bytes bytes)
{
    size_t host = http1_span(bytes, 0, HTTP1_SCHEME);

    if (host == 0 || host == bytes.length)
        return host > 0;
    return bytes.data[host] == ':' && bytes.length - host <= 5 &&
           http1_span(bytes, host + 1, HTTP1_DIGIT) == bytes.length;
}

bool weft_http1_is_host(weft_bytes bytes)
{
    http1_authority ignored;

    return is_plain_host(bytes) || http1_authority_parse(bytes, &ignored) == 0;
}
