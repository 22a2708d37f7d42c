/* SPDX-License-Identifier: MIT */
#include "families/http/http_url.h"

#include <weft/error.h>
#include <weft/wire/http1.h>

#include "base/address_parse.h"
#include "net/url.h"
#include "wire/http1/http1_authority.h"

#define HOST_MOST 255

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The length of the scheme at the front of @p text, without its colon; 0 if there is none. */
static size_t scheme_length(weft_bytes text)
{
    size_t length = 0;

    if (text.length == 0 || !is_alpha(text.data[0]))
        return 0;
    while (length < text.length &&
           (is_alpha(text.data[length]) || is_digit(text.data[length]) || memchr("+-.", text.data[length], 3)))
        length++;
    return length < text.length && text.data[length] == ':' ? length : 0;
}

static weft_bytes without_fragment(weft_bytes text)
{
    size_t hash = weft_bytes_find(text, '#');

    return hash == SIZE_MAX ? text : weft_bytes_first(text, hash);
}

/* -- the host -- */

/* What http1_authority_parse has taken: between brackets that is an IPv6 address. */
static bool is_host(weft_bytes host)
{
    uint8_t ip[16];

    if (host.length == 0 || host.length > HOST_MOST)
        return false;
    return host.data[0] == '[' || url_is_name(host) || address_parse_ipv4(host, ip);
}

/* -- the whole -- */

static int parse_authority(weft_bytes authority, struct http_url *url)
{
    http1_authority parsed;
    size_t at = authority.length;

    while (at > 0 && authority.data[at - 1] != '@')
        at--;
    if (at > 0) {
        url->userinfo = weft_bytes_first(authority, at - 1);
        if (!weft_http1_is_target(weft_bytes_first(authority, at)) || weft_bytes_find(url->userinfo, '@') != SIZE_MAX ||
            weft_bytes_find(url->userinfo, '\\') != SIZE_MAX)
            return WEFT_EURL;
        authority = weft_bytes_skip(authority, at);
    }
    if (http1_authority_parse(authority, &parsed) < 0 || !is_host(parsed.host))
        return WEFT_EURL;
    if (parsed.port.length > 0 && (parsed.number == 0 || parsed.number > UINT16_MAX))
        return WEFT_EURL;
    url->authority = authority;
    url->host = parsed.host;
    url->port = parsed.port.length > 0 ? (uint16_t)parsed.number : url->secure ? 443 : 80;
    return 0;
}

int http_url_parse(weft_bytes text, struct http_url *ret)
{
    weft_bytes rest = without_fragment(text);
    size_t scheme = scheme_length(rest), end = 0;
    struct http_url url = {0};
    int status;

    if (scheme == 0)
        return WEFT_EURL;
    url.secure = weft_bytes_equal_nocase(weft_bytes_first(rest, scheme), weft_bytes_from("https"));
    if (!url.secure && !weft_bytes_equal_nocase(weft_bytes_first(rest, scheme), weft_bytes_from("http")))
        return WEFT_ESCHEME;
    rest = weft_bytes_skip(rest, scheme + 1);
    if (!weft_bytes_starts_with(rest, weft_bytes_from("//")))
        return WEFT_EURL;
    rest = weft_bytes_skip(rest, 2);
    while (end < rest.length && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    status = parse_authority(weft_bytes_first(rest, end), &url);
    if (status < 0)
        return status;
    url.target = weft_bytes_skip(rest, end);
    if (url.target.length > 0 && !weft_http1_is_target(url.target))
        return WEFT_EURL;
    *ret = url;
    return 0;
}

/* -- writing -- */

static void append_lower(struct http_text *text, weft_bytes bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.data[i];
        char lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        http_text_append(text, weft_bytes_of(&lower, 1));
    }
}

static void append_origin(struct http_text *text, const struct http_url *url)
{
    http_text_append_string(text, url->secure ? "https://" : "http://");
    append_lower(text, url->host);
    if (url->port != (url->secure ? 443 : 80)) {
        http_text_append_string(text, ":");
        http_text_append_number(text, url->port);
    }
}

void http_url_append(struct http_text *text, const struct http_url *url)
{
    append_origin(text, url);
    if (url->target.length == 0 || url->target.data[0] != '/')
        http_text_append_string(text, "/");
    http_text_append(text, url->target);
}

static void append_encoded(struct http_text *text, weft_bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (c == ' ' || c == '"' || c == '<' || c == '>' || c >= 0x7f)
            http_text_append(text, weft_bytes_of(encoded, 3));
        else
            http_text_append(text, weft_bytes_of(bytes.data + i, 1));
    }
}

/* Takes the last segment off what was written from @p begin on, down to the slash before it. */
static void drop_segment(struct http_text *text, size_t begin)
{
    while (text->length > begin && text->data[text->length - 1] != '/')
        text->length--;
    if (text->length > begin)
        text->length--;
}

/* RFC 3986 §5.2.4, for a path that begins with a slash. */
static void append_path(struct http_text *text, size_t begin, weft_bytes path)
{
    while (path.length > 0) {
        weft_bytes segment;
        size_t end = weft_bytes_find(weft_bytes_skip(path, 1), '/');

        segment = end == SIZE_MAX ? path : weft_bytes_first(path, end + 1);
        path = weft_bytes_skip(path, segment.length);
        if (weft_bytes_equal(segment, weft_bytes_from("/."))) {
            if (path.length == 0)
                http_text_append_string(text, "/");
        } else if (weft_bytes_equal(segment, weft_bytes_from("/.."))) {
            drop_segment(text, begin);
            if (path.length == 0)
                http_text_append_string(text, "/");
        } else {
            append_encoded(text, segment);
        }
    }
}

static size_t path_length(weft_bytes target)
{
    size_t query = weft_bytes_find(target, '?');

    return query == SIZE_MAX ? target.length : query;
}

/* RFC 3986 §5.2.3: the base's path down to its last slash, then @p path. */
static void append_merged(struct http_text *text, const struct http_url *base, weft_bytes path)
{
    weft_bytes folder = weft_bytes_first(base->target, path_length(base->target));
    struct http_text merged = {0};

    while (folder.length > 0 && folder.data[folder.length - 1] != '/')
        folder.length--;
    http_text_append(&merged, folder.length > 0 ? folder : weft_bytes_from("/"));
    http_text_append(&merged, path);
    append_path(text, text->length, weft_bytes_of(merged.data, merged.length));
    if (merged.error)
        text->error = merged.error;
    http_text_release(&merged);
}

static void append_relative(struct http_text *text, const struct http_url *base, weft_bytes reference)
{
    weft_bytes path = weft_bytes_first(reference, path_length(reference));

    append_origin(text, base);
    if (path.length == 0) {
        bool query = reference.length > 0;
        weft_bytes target = query ? weft_bytes_first(base->target, path_length(base->target)) : base->target;

        http_text_append(text, target.length > 0 && target.data[0] == '/' ? target : weft_bytes_from("/"));
    } else if (path.data[0] == '/') {
        append_path(text, text->length, path);
    } else {
        append_merged(text, base, path);
    }
    append_encoded(text, weft_bytes_skip(reference, path.length));
}

void http_url_append_resolved(struct http_text *text, const struct http_url *base, weft_bytes reference)
{
    reference = without_fragment(reference);
    if (scheme_length(reference) > 0) {
        append_encoded(text, reference);
    } else if (weft_bytes_starts_with(reference, weft_bytes_from("//"))) {
        http_text_append_string(text, base->secure ? "https:" : "http:");
        append_encoded(text, reference);
    } else {
        append_relative(text, base, reference);
    }
}

bool http_url_same_origin(const struct http_url *a, const struct http_url *b)
{
    return a->secure == b->secure && a->port == b->port && weft_bytes_equal_nocase(a->host, b->host);
}

int http_url_append_credentials(struct http_text *text, weft_bytes userinfo)
{
    for (size_t i = 0; i < userinfo.length; i++) {
        char c = userinfo.data[i];

        if (c == '%') {
            int high = i + 2 < userinfo.length ? hex_value(userinfo.data[i + 1]) : -1;
            int low = i + 2 < userinfo.length ? hex_value(userinfo.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return WEFT_EURL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f)
            return WEFT_EURL;
        http_text_append(text, weft_bytes_of(&c, 1));
    }
    return text->error;
}
