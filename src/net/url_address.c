/* SPDX-License-Identifier: MIT */
/*
 * Hosts, ports and networks in endpoint URLs (url.h). Strict: what somebody
 * else could read as another address is refused.
 */
#include "net/url_parse.h"

#include "base/address_parse.h"
#include "backend/names.h"

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

/* -- hosts and ports -- */

/* Interfaces' names are short, and no byte of them needs an escape. */
#define ZONE_MOST 15

static bool may_be_in_zone(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

/* Addresses that mean something on one link only: fe80::/10, and multicast of an interface or a link (RFC 4007 §6). */
static bool has_zones(const uint8_t *ip)
{
    return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || (ip[0] == 0xff && ((ip[1] & 15) == 1 || (ip[1] & 15) == 2));
}

/* RFC 6874 §2: "%25" and the zone's name or number. */
static int parse_zone(struct url_parse *parse, weft_bytes zone, struct url_host *ret)
{
    weft_bytes name = weft_bytes_skip(zone, 3);
    uint64_t number;

    if (!weft_bytes_starts_with(zone, weft_bytes_from("%25")))
        return url_fail(parse, zone.data, "a zone begins with %25: [fe80::1%25eth0]");
    if (name.length == 0)
        return url_fail(parse, name.data, "the zone is missing: the name or the number of an interface");
    if (!has_zones(ret->address.ip))
        return url_fail(parse, zone.data, "only a link-local address has a zone");
    for (size_t i = 0; i < name.length; i++)
        if (i == ZONE_MOST || !may_be_in_zone(name.data[i]))
            return url_fail(parse, name.data + i, "no interface has such a name");
    if (weft_bytes_to_uint64(name, UINT32_MAX, &number) == 0)
        ret->address.scope_id = (uint32_t)number;
    else
        ret->zone = name;
    return 0;
}

static int parse_in_brackets(struct url_parse *parse, weft_bytes host, struct url_host *ret)
{
    weft_bytes inner = weft_bytes_first(weft_bytes_skip(host, 1), host.length >= 2 ? host.length - 2 : 0);
    size_t percent = weft_bytes_find(inner, '%');

    ret->text = weft_bytes_first(inner, percent);
    if (host.data[host.length - 1] != ']' || !address_parse_ipv6(ret->text, ret->address.ip))
        return url_fail(parse, host.data, "this is no IPv6 address in brackets");
    ret->address.family = WEFT_ADDRESS_IPV6;
    return percent == SIZE_MAX ? 0 : parse_zone(parse, weft_bytes_skip(inner, percent), ret);
}

static int parse_host(struct url_parse *parse, weft_bytes host, unsigned may, struct url_host *ret)
{
    ret->text = host;
    if (host.length == 0 && (may & URL_HOST_EMPTY))
        return 0;
    if (host.length == 0)
        return url_fail(parse, host.data, "the host is missing");
    if (host.data[0] == '[')
        return parse_in_brackets(parse, host, ret);
    ret->address.family = WEFT_ADDRESS_IPV4;
    if (!(may & URL_HOST_ELSEWHERE) && weft_bytes_equal_nocase(host, weft_bytes_from("localhost")))
        return address_parse_ipv4(weft_bytes_from("127.0.0.1"), ret->address.ip) ? 0 : WEFT_EURL;
    if (address_parse_ipv4(host, ret->address.ip))
        return 0;
    if (!(may & URL_HOST_NAME))
        return url_fail(parse, host.data,
                        "the host must be an IPv4 address, an IPv6 address in brackets, localhost, or nothing");
    if (!url_is_name(host))
        return url_fail(parse, host.data,
                        "the host must be a name, an IPv4 address, an IPv6 address in brackets, or nothing");
    ret->address.family = WEFT_ADDRESS_NONE;
    ret->name = host;
    return 0;
}

static int parse_port(struct url_parse *parse, weft_bytes port, struct url_host *ret)
{
    static const char text[] = "the port must be a number from 0 to 65535";
    uint64_t value;

    for (size_t i = 0; i < port.length; i++)
        if (!is_digit(port.data[i]))
            return url_fail(parse, port.data + i, text);
    if (weft_bytes_to_uint64(port, 65535, &value) < 0)
        return url_fail(parse, port.data, text);
    ret->address.port = (uint16_t)value;
    return 0;
}

int url_parse_authority(struct url_parse *parse, weft_bytes text, unsigned may, int port, struct url_host *ret)
{
    struct url_host found = {.address.port = port < 0 ? 0 : (uint16_t)port};
    size_t colon = SIZE_MAX;
    int status = 0;

    for (size_t i = text.length; i > 0 && colon == SIZE_MAX && text.data[i - 1] != ']'; i--)
        if (text.data[i - 1] == ':')
            colon = i - 1;
    if (colon == SIZE_MAX && port < 0)
        return url_fail(parse, text.data + text.length, "a colon and a port number are missing here");
    if (colon != SIZE_MAX)
        status = parse_port(parse, weft_bytes_skip(text, colon + 1), &found);
    if (status == 0)
        status = parse_host(parse, weft_bytes_first(text, colon), may, &found);
    if (status == 0)
        *ret = found;
    return status;
}

void url_write_address(const weft_address *address, char buffer[URL_ADDRESS_TEXT])
{
    char *zone;

    weft_address_text(address, buffer);
    zone = strchr(buffer, '%');
    if (!zone)
        return;
    memmove(zone + 3, zone + 1, strlen(zone)); /* with its NUL */
    memcpy(zone, "%25", 3);
}

/* -- networks -- */

/* Returns why it is none, or NULL; then *ret_at is the byte that is wrong. */
static const char *parse_network(weft_bytes text, struct url_network *ret, const char **ret_at)
{
    size_t slash = weft_bytes_find(text, '/');
    weft_bytes address = weft_bytes_first(text, slash), bits = weft_bytes_skip(text, slash);
    uint64_t most = 32, value;

    *ret_at = text.data;
    memset(ret, 0, sizeof *ret);
    if (weft_bytes_equal(text, weft_bytes_from("unix"))) {
        ret->family = WEFT_ADDRESS_UNIX;
        return NULL;
    }
    ret->family = WEFT_ADDRESS_IPV4;
    if (!address_parse_ipv4(address, ret->ip)) {
        ret->family = WEFT_ADDRESS_IPV6;
        most = 128;
        if (!address_parse_ipv6(address, ret->ip))
            return "this is no network: an address, with or without /bits, or \"unix\"";
    }
    value = most;
    *ret_at = bits.data;
    if (bits.length > 0 && weft_bytes_to_uint64(weft_bytes_skip(bits, 1), most, &value) < 0)
        return "this is no length of a network";
    ret->bits = (uint8_t)value;
    *ret_at = address.data;
    for (uint64_t bit = value; bit < most; bit++)
        if (ret->ip[bit / 8] >> (7 - bit % 8) & 1)
            return "behind the network's bits there is more of an address";
    return NULL;
}

int url_parse_networks(weft_bytes text, struct url_network ret[URL_NETWORKS_MOST], weft_url_error *ret_error)
{
    struct url_network ignored;
    const char *begin = text.data, *at;
    int count = 0;

    for (;;) {
        size_t comma = weft_bytes_find(text, ',');
        const char *wrong = parse_network(weft_bytes_first(text, comma), ret ? &ret[count] : &ignored, &at);

        if (!wrong && count == URL_NETWORKS_MOST - 1 && comma != SIZE_MAX)
            wrong = "these are too many networks";
        if (wrong) {
            if (ret_error)
                *ret_error = (weft_url_error){.offset = (size_t)(at - begin), .text = wrong};
            return WEFT_EURL;
        }
        count++;
        if (comma == SIZE_MAX)
            return count;
        text = weft_bytes_skip(text, comma + 1);
    }
}
