/* SPDX-License-Identifier: MIT */
/*
 * The parser of endpoint URLs (url.h). It is strict: what it does not know it
 * refuses, and points at the byte.
 */
#include "net/url.h"

#include <limits.h>

#include "backend/names.h"

/* What fits into a sockaddr_un, with its NUL. */
#define NAME_MOST 107

struct parse {
    const char *text;
    weft_bytes rest; /* what is not parsed yet; points into text */
    weft_url_error *error;
    bool names; /* are taken */
};

static int fail(struct parse *parse, size_t offset, int error, const char *text)
{
    if (parse->error)
        *parse->error = (weft_url_error){.offset = offset, .text = text};
    return error;
}

static size_t offset_of(const struct parse *parse, const char *at)
{
    return (size_t)(at - parse->text);
}

static int fail_at(struct parse *parse, const char *at, const char *text)
{
    return fail(parse, offset_of(parse, at), WEFT_EURL, text);
}

/* -- numeric addresses -- */

/* Four decimal numbers without leading zeros: what inet_pton takes, and nothing that older functions took. */
bool url_parse_ipv4(weft_bytes text, uint8_t ip[16])
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
bool url_parse_ipv6(weft_bytes text, uint8_t ip[16])
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

        if (used <= 12 && weft_bytes_find(text, ':') == SIZE_MAX && url_parse_ipv4(text, v4)) {
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

/* -- names -- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The part behind the last dot; one dot at the end does not count. */
static weft_bytes last_label(weft_bytes host)
{
    size_t begin;

    if (host.length > 0 && host.data[host.length - 1] == '.')
        host.length--;
    for (begin = host.length; begin > 0 && host.data[begin - 1] != '.'; begin--)
        ;
    return weft_bytes_skip(host, begin);
}

/* Whether somebody could take it for a number: a resolver may know more forms of addresses than anybody who checks them. */
static bool looks_numeric(weft_bytes label)
{
    if (label.length > 1 && label.data[0] == '0' && (label.data[1] == 'x' || label.data[1] == 'X'))
        return true;
    for (size_t i = 0; i < label.length; i++)
        if (!is_digit(label.data[i]))
            return false;
    return true;
}

bool url_is_name(weft_bytes host)
{
    if (host.length == 0 || host.length > NAMES_LENGTH)
        return false;
    for (size_t i = 0; i < host.length; i++) {
        char c = host.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.')
            return false;
        if (c == '.' && (i == 0 || host.data[i - 1] == '.'))
            return false;
    }
    return !looks_numeric(last_label(host));
}

/* -- the schemes -- */

static int parse_host(struct parse *parse, weft_bytes host, struct url *ret)
{
    weft_address *address = &ret->endpoint.address;

    if (host.length == 0) {
        ret->any = true;
        address->family = WEFT_ADDRESS_IPV6;
        return 0;
    }
    if (host.data[0] == '[') {
        if (host.data[host.length - 1] != ']' ||
            !url_parse_ipv6(weft_bytes_of(host.data + 1, host.length - 2), address->ip))
            return fail_at(parse, host.data, "this is not an IPv6 address in brackets");
        address->family = WEFT_ADDRESS_IPV6;
        return 0;
    }
    address->family = WEFT_ADDRESS_IPV4;
    if (weft_bytes_equal_nocase(host, weft_bytes_from("localhost")))
        return url_parse_ipv4(weft_bytes_from("127.0.0.1"), address->ip) ? 0 : WEFT_EURL;
    if (url_parse_ipv4(host, address->ip))
        return 0;
    if (!parse->names)
        return fail_at(parse, host.data,
                       "the host must be an IPv4 address, an IPv6 address in brackets, localhost, or nothing");
    if (!url_is_name(host))
        return fail_at(parse, host.data,
                       "the host must be a name, an IPv4 address, an IPv6 address in brackets, or nothing");
    ret->name = host;
    return 0;
}

static int parse_tcp(struct parse *parse, struct url *ret)
{
    weft_bytes rest = parse->rest, host, port;
    size_t slash = weft_bytes_find(rest, '/'), colon = SIZE_MAX;
    uint64_t value;

    if (slash != SIZE_MAX) {
        if (slash + 1 != rest.length)
            return fail_at(parse, rest.data + slash + 1, "nothing may follow the port");
        rest.length = slash;
    }
    for (size_t i = rest.length; i > 0 && colon == SIZE_MAX && rest.data[i - 1] != ']'; i--)
        if (rest.data[i - 1] == ':')
            colon = i - 1;
    if (colon == SIZE_MAX)
        return fail_at(parse, rest.data + rest.length, "a colon and a port number are missing here");
    host = weft_bytes_first(rest, colon);
    port = weft_bytes_skip(rest, colon + 1);
    for (size_t i = 0; i < port.length; i++)
        if (port.data[i] < '0' || port.data[i] > '9')
            return fail_at(parse, port.data + i, "the port must be a number from 0 to 65535");
    if (weft_bytes_to_uint64(port, 65535, &value) < 0)
        return fail_at(parse, port.data, "the port must be a number from 0 to 65535");
    ret->endpoint.address.port = (uint16_t)value;
    return parse_host(parse, host, ret);
}

static int parse_unix(struct parse *parse, struct url *ret)
{
    if (parse->rest.length == 0)
        return fail_at(parse, parse->rest.data, "the path of the socket is missing (or @name, for an abstract one)");
    if (parse->rest.length == 1 && parse->rest.data[0] == '@')
        return fail_at(parse, parse->rest.data + 1, "the name of the abstract socket is missing");
    if (parse->rest.length > NAME_MOST)
        return fail_at(parse, parse->rest.data + NAME_MOST, "the path of a UNIX socket has at most 107 bytes");
    ret->endpoint.address.family = WEFT_ADDRESS_UNIX;
    ret->endpoint.path = parse->rest;
    return 0;
}

static int parse_memory(struct parse *parse, struct url *ret)
{
    if (parse->rest.length == 0)
        return fail_at(parse, parse->rest.data, "the name is missing");
    if (parse->rest.length > NAME_MOST)
        return fail_at(parse, parse->rest.data + NAME_MOST, "the name has at most 107 bytes");
    ret->endpoint.address.family = WEFT_ADDRESS_MEMORY;
    ret->endpoint.path = parse->rest;
    return 0;
}

static int parse_descriptor(struct parse *parse, struct url *ret)
{
    uint64_t value;

    if (weft_bytes_to_uint64(parse->rest, INT_MAX, &value) < 0)
        return fail_at(parse, parse->rest.data, "the number of an open descriptor is missing");
    ret->kind = URL_DESCRIPTOR;
    ret->fd = (int)value;
    return 0;
}

static int parse_stdio(struct parse *parse, struct url *ret)
{
    if (parse->rest.length > 0)
        return fail_at(parse, parse->rest.data, "nothing may follow \"stdio:\"");
    ret->kind = URL_STDIO;
    return 0;
}

static const struct {
    const char *prefix;
    int (*parse)(struct parse *parse, struct url *ret);
} schemes[] = {
    {"tcp://", parse_tcp},       {"unix://", parse_unix}, {"mem://", parse_memory},
    {"fd://", parse_descriptor}, {"stdio:", parse_stdio},
};

static int parse_url(const char *text, bool names, struct url *ret, weft_url_error *ret_error)
{
    struct parse parse = {.text = text, .rest = weft_bytes_from(text), .error = ret_error, .names = names};
    struct url found = {.kind = URL_SOCKET};
    int status;

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        weft_bytes prefix = weft_bytes_from(schemes[i].prefix);

        if (!weft_bytes_equal_nocase(weft_bytes_first(parse.rest, prefix.length), prefix))
            continue;
        parse.rest = weft_bytes_skip(parse.rest, prefix.length);
        status = schemes[i].parse(&parse, &found);
        if (status == 0)
            *ret = found;
        return status;
    }
    return fail(&parse, 0, WEFT_ESCHEME, "it must begin with tcp://, unix://, fd://, stdio: or mem://");
}

int url_parse(const char *text, struct url *ret, weft_url_error *ret_error)
{
    return parse_url(text, false, ret, ret_error);
}

int url_parse_peer(const char *text, struct url *ret, weft_url_error *ret_error)
{
    return parse_url(text, true, ret, ret_error);
}
