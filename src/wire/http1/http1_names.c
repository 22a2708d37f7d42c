/* SPDX-License-Identifier: MIT */
/* What may be sent as which part of a message, and which names may not come in trailers. */
#include <weft/wire/http1.h>

#include "wire/http1/http1_chars.h"

bool weft_http1_is_token(weft_bytes bytes)
{
    return http1_all(bytes, HTTP1_TOKEN);
}

bool weft_http1_is_value(weft_bytes bytes)
{
    if (bytes.length == 0)
        return true;
    return !http1_is_blank(bytes.data[0]) && !http1_is_blank(bytes.data[bytes.length - 1]) &&
           weft_http1_is_reason(bytes);
}

bool weft_http1_is_reason(weft_bytes bytes)
{
    return http1_find_control(bytes.data, 0, bytes.length) == bytes.length;
}

bool weft_http1_is_target(weft_bytes bytes)
{
    return http1_all(bytes, HTTP1_TARGET);
}

bool weft_http1_list_next(weft_bytes *rest, weft_bytes *member)
{
    while (rest->length > 0) {
        size_t comma = weft_bytes_find(*rest, ',');
        weft_bytes found = http1_trim(weft_bytes_first(*rest, comma));

        *rest = weft_bytes_skip(*rest, comma == SIZE_MAX ? comma : comma + 1);
        if (found.length > 0) {
            *member = found;
            return true;
        }
    }
    return false;
}

/* Whether @p name begins with @p prefix, in any case. */
static bool has_prefix(weft_bytes name, weft_bytes prefix)
{
    return weft_bytes_equal_nocase(weft_bytes_first(name, prefix.length), prefix);
}

static bool is_one_of(weft_bytes name, const weft_bytes *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (weft_bytes_equal_nocase(name, names[i]))
            return true;
    return false;
}

/* RFC 9110 §6.5.1: framing, routing, request modifiers, authentication, response control, content handling. */
static const weft_bytes refused[] = {
    WEFT_BYTES("Transfer-Encoding"),
    WEFT_BYTES("Host"),
    WEFT_BYTES("Connection"),
    WEFT_BYTES("Keep-Alive"),
    WEFT_BYTES("Upgrade"),
    WEFT_BYTES("Trailer"),
    WEFT_BYTES("TE"),
    WEFT_BYTES("Expect"),
    WEFT_BYTES("Max-Forwards"),
    WEFT_BYTES("Via"),
    WEFT_BYTES("Forwarded"),
    WEFT_BYTES("Cache-Control"),
    WEFT_BYTES("Pragma"),
    WEFT_BYTES("Range"),
    WEFT_BYTES("Accept-Ranges"),
    WEFT_BYTES("Authorization"),
    WEFT_BYTES("WWW-Authenticate"),
    WEFT_BYTES("Authentication-Info"),
    WEFT_BYTES("Cookie"),
    WEFT_BYTES("Set-Cookie"),
    WEFT_BYTES("Age"),
    WEFT_BYTES("Date"),
    WEFT_BYTES("Expires"),
    WEFT_BYTES("Location"),
    WEFT_BYTES("Retry-After"),
    WEFT_BYTES("Vary"),
    WEFT_BYTES("Warning"),
    WEFT_BYTES("Origin"),
    WEFT_BYTES("Strict-Transport-Security"),
};
static const weft_bytes families[] = {
    WEFT_BYTES("Content-"), WEFT_BYTES("If-"),          WEFT_BYTES("Proxy-"),
    WEFT_BYTES("Sec-"),     WEFT_BYTES("X-Forwarded-"), WEFT_BYTES("Access-Control-"),
};
/* Made to be computed while the content is sent (RFC 9530 §2; RFC 1864). */
static const weft_bytes digests[] = {WEFT_BYTES("Content-Digest"), WEFT_BYTES("Content-MD5")};

bool weft_http1_is_trailer_name(weft_bytes name)
{
    if (!weft_http1_is_token(name) || is_one_of(name, refused, sizeof refused / sizeof refused[0]))
        return false;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (has_prefix(name, families[i]))
            return is_one_of(name, digests, sizeof digests / sizeof digests[0]);
    return true;
}
