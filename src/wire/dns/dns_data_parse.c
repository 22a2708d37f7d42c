/* SPDX-License-Identifier: MIT */
/* Record data from its text. */
#include <time.h>

#include "base/address_parse.h"
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"
#include "wire/dns/dns_svcb.h"

/* -- fields -- */

static int scan_number(struct dns_scan *scan, size_t octets, struct dns_output *output)
{
    uint64_t number;

    if (dns_scan_number(scan, (UINT64_C(1) << octets * 8) - 1, &number) < 0)
        return -EINVAL;
    dns_put_octets(output, (uint32_t)number, octets);
    return 0;
}

static int scan_seconds(struct dns_scan *scan, struct dns_output *output)
{
    uint32_t seconds;

    if (dns_scan_ttl(scan, &seconds) < 0)
        return -EINVAL;
    dns_put_octets(output, seconds, 4);
    return 0;
}

static int scan_address(struct dns_scan *scan, bool ipv4, struct dns_output *output)
{
    struct dns_token token;
    uint8_t ip[16];

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    if (!(ipv4 ? address_parse_ipv4(token.text, ip) : address_parse_ipv6(token.text, ip)))
        return dns_wrong(scan, token.offset, "this is not an address of the type");
    dns_put(output, weft_bytes_of(ip, ipv4 ? 4 : 16));
    return 0;
}

static int scan_name(struct dns_scan *scan, const weft_dns_name *origin, struct dns_output *output)
{
    struct dns_token token;
    weft_dns_name name;
    int status;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    status = weft_dns_name_parse(token.text, origin, &name);
    if (status < 0)
        return dns_wrong(scan, token.offset,
                         status == -ENAMETOOLONG ? "this name is too long" : "this is not a domain name");
    dns_put(output, weft_dns_name_bytes(&name));
    return 0;
}

static int put_string(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    char buffer[255];
    struct dns_output string = {.out = buffer, .room = sizeof buffer};

    if (dns_scan_octets(scan, token, &string) < 0)
        return -EINVAL;
    if (string.full)
        return dns_wrong(scan, token->offset, "a character-string has at most 255 octets");
    dns_put_octets(output, (uint32_t)string.length, 1);
    dns_put(output, weft_bytes_of(buffer, string.length));
    return 0;
}

static int scan_string(struct dns_scan *scan, struct dns_output *output)
{
    struct dns_token token;

    return dns_scan_field(scan, &token) < 0 ? -EINVAL : put_string(scan, &token, output);
}

static int scan_strings(struct dns_scan *scan, struct dns_output *output)
{
    struct dns_token token;
    int status = scan_string(scan, output);

    if (status < 0)
        return status;
    while ((status = dns_scan_next(scan, &token)) > 0)
        if (put_string(scan, &token, output) < 0)
            return -EINVAL;
    return status;
}

static int scan_quoted(struct dns_scan *scan, struct dns_output *output)
{
    struct dns_token token;

    return dns_scan_field(scan, &token) < 0 ? -EINVAL : dns_scan_octets(scan, &token, output);
}

/* RFC 4034 §A.1. */
static int scan_algorithm(struct dns_scan *scan, struct dns_output *output)
{
    static const struct {
        uint8_t number;
        const char *mnemonic;
    } algorithms[] = {
        {1, "RSAMD5"},           {2, "DH"},         {3, "DSA"},
        {5, "RSASHA1"},          {8, "RSASHA256"},  {6, "DSA-NSEC3-SHA1"},
        {10, "RSASHA512"},       {12, "ECC-GOST"},  {7, "RSASHA1-NSEC3-SHA1"},
        {13, "ECDSAP256SHA256"}, {15, "ED25519"},   {14, "ECDSAP384SHA384"},
        {16, "ED448"},           {252, "INDIRECT"}, {253, "PRIVATEDNS"},
        {254, "PRIVATEOID"},
    };
    struct dns_token token;
    uint64_t number = 256;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
        if (weft_bytes_equal_nocase(token.text, weft_bytes_from(algorithms[i].mnemonic)))
            number = algorithms[i].number;
    if (number == 256 && weft_bytes_to_uint64(token.text, 255, &number) < 0)
        return dns_wrong(scan, token.offset, "this is no algorithm of DNSSEC");
    dns_put_octets(output, (uint32_t)number, 1);
    return 0;
}

static int scan_type(struct dns_scan *scan, struct dns_output *output)
{
    struct dns_token token;
    uint16_t type;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    if (weft_dns_type_parse(token.text, &type) < 0)
        return dns_wrong(scan, token.offset, "this is no type");
    dns_put_octets(output, type, 2);
    return 0;
}

static void put_window(struct dns_output *output, unsigned window, const uint8_t *bitmap)
{
    unsigned octets = 32;

    while (octets > 0 && bitmap[octets - 1] == 0)
        octets--;
    if (octets == 0)
        return;
    dns_put_octets(output, window << 8 | octets, 2);
    dns_put(output, weft_bytes_of(bitmap, octets));
}

static int scan_types(struct dns_scan *scan, struct dns_output *output)
{
    uint8_t bitmap[8192] = {0};
    struct dns_token token;
    uint16_t type;
    int status;

    while ((status = dns_scan_next(scan, &token)) > 0) {
        if (weft_dns_type_parse(token.text, &type) < 0)
            return dns_wrong(scan, token.offset, "this is no type");
        bitmap[type / 8] |= (uint8_t)(0x80 >> type % 8);
    }
    for (unsigned window = 0; window < 256; window++)
        put_window(output, window, bitmap + 32 * window);
    return status;
}

static bool parse_date(weft_bytes text, uint32_t *ret)
{
    static const uint8_t widths[] = {4, 2, 2, 2, 2, 2};
    uint64_t parts[6];
    struct tm date = {0}, again;
    time_t point;

    for (size_t i = 0; i < 6; i++) {
        if (weft_bytes_to_uint64(weft_bytes_first(text, widths[i]), 9999, &parts[i]) < 0)
            return false;
        text = weft_bytes_skip(text, widths[i]);
    }
    date = (struct tm){.tm_year = (int)parts[0] - 1900,
                       .tm_mon = (int)parts[1] - 1,
                       .tm_mday = (int)parts[2],
                       .tm_hour = (int)parts[3],
                       .tm_min = (int)parts[4],
                       .tm_sec = (int)parts[5]};
    again = date;
    point = timegm(&again);
    if (point < 0 || point > UINT32_MAX || again.tm_mday != date.tm_mday || again.tm_mon != date.tm_mon ||
        again.tm_hour != date.tm_hour || again.tm_min != date.tm_min || again.tm_sec != date.tm_sec)
        return false;
    *ret = (uint32_t)point;
    return true;
}

static int scan_date(struct dns_scan *scan, struct dns_output *output)
{
    struct dns_token token;
    uint32_t seconds = 0;
    uint64_t number;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    if (token.text.length == 14 && parse_date(token.text, &seconds))
        number = seconds;
    else if (token.text.length > 10 || weft_bytes_to_uint64(token.text, UINT32_MAX, &number) < 0)
        return dns_wrong(scan, token.offset, "this is no time: YYYYMMDDHHmmSS, or seconds since 1970");
    dns_put_octets(output, (uint32_t)number, 4);
    return 0;
}

/* A salt or a hash: a length, and octets in hex or base32hex; for no salt a dash. */
static int scan_counted(struct dns_scan *scan, enum dns_kind kind, struct dns_output *output)
{
    char buffer[255];
    struct dns_output octets = {.out = buffer, .room = sizeof buffer};
    struct dns_token token;
    int status = 0;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    if (kind == DNS_HASH)
        status = dns_token_base32(scan, &token, &octets);
    else if (!weft_bytes_equal(token.text, weft_bytes_of("-", 1)))
        status = dns_token_hex(scan, &token, &octets);
    if (status < 0)
        return status;
    if (octets.full)
        return dns_wrong(scan, token.offset, "these are more than 255 octets");
    dns_put_octets(output, (uint32_t)octets.length, 1);
    dns_put(output, weft_bytes_of(buffer, octets.length));
    return 0;
}

static int scan_kind(struct dns_scan *scan, enum dns_kind kind, const weft_dns_name *origin, struct dns_output *output)
{
    switch (kind) {
    case DNS_OCTET:
        return scan_number(scan, 1, output);
    case DNS_SHORT:
        return scan_number(scan, 2, output);
    case DNS_LONG:
        return scan_number(scan, 4, output);
    case DNS_TTL:
        return scan_seconds(scan, output);
    case DNS_IPV4:
        return scan_address(scan, true, output);
    case DNS_IPV6:
        return scan_address(scan, false, output);
    case DNS_NAME:
    case DNS_NAME_OLD:
    case DNS_NAME_LOWER:
    case DNS_NAME_PLAIN:
        return scan_name(scan, origin, output);
    case DNS_STRING:
    case DNS_TAG:
        return scan_string(scan, output);
    case DNS_STRINGS:
        return scan_strings(scan, output);
    case DNS_QUOTED:
    case DNS_TARGET:
        return scan_quoted(scan, output);
    case DNS_HEX:
        return dns_scan_hex(scan, output);
    case DNS_BASE64:
        return dns_scan_base64(scan, output);
    case DNS_ALGORITHM:
        return scan_algorithm(scan, output);
    case DNS_TYPE:
        return scan_type(scan, output);
    case DNS_TYPES:
        return scan_types(scan, output);
    case DNS_DATE:
        return scan_date(scan, output);
    case DNS_SALT:
    case DNS_HASH:
        return scan_counted(scan, kind, output);
    case DNS_PARAMS:
        return dns_svcb_scan(scan, output);
    case DNS_LOCATION:
        return dns_scan_location(scan, output);
    }
    return -EINVAL;
}

/* -- the whole -- */

/* RFC 3597 §5, behind its "\#". */
static int scan_unknown(struct dns_scan *scan, struct dns_output *output)
{
    size_t offset;
    uint64_t length;
    int status = dns_scan_number(scan, WEFT_DNS_MESSAGE_MAX, &length);

    if (status < 0)
        return status;
    offset = scan->at;
    if (length > 0 && dns_scan_hex(scan, output) < 0)
        return -EINVAL;
    if (!output->full && output->length != length)
        return dns_wrong(scan, offset, "these are not as many octets as was said");
    return 0;
}

static int scan_data(struct dns_scan *scan, const char *schema, const weft_dns_name *origin, struct dns_output *output)
{
    static const weft_dns_name root = WEFT_DNS_ROOT;
    struct dns_scan ahead = *scan;
    struct dns_token token;
    int status = dns_scan_next(&ahead, &token);

    if (status > 0 && !token.quoted && weft_bytes_equal(token.text, weft_bytes_of("\\#", 2))) {
        *scan = ahead;
        return scan_unknown(scan, output);
    }
    if (!schema)
        return dns_wrong(scan, 0, "data of an unknown type is written \\# LENGTH HEX");
    for (status = 0; *schema && status == 0; schema++)
        status = scan_kind(scan, (enum dns_kind) * schema, origin ? origin : &root, output);
    return status;
}

static int scan_end(struct dns_scan *scan)
{
    struct dns_token token;
    int status = dns_scan_next(scan, &token);

    return status > 0 ? dns_wrong(scan, token.offset, "nothing may follow here") : status;
}

int weft_dns_data_parse(uint16_t type, weft_bytes text, const weft_dns_name *origin, void *out, size_t room,
                        weft_dns_text_error *ret_error)
{
    struct dns_scan scan = {.text = text, .problem = "the data does not fit"};
    struct dns_output output = {.out = out, .room = room > WEFT_DNS_MESSAGE_MAX ? WEFT_DNS_MESSAGE_MAX : room};
    int status = scan_data(&scan, dns_schema_of(type), origin, &output);

    if (status == 0)
        status = scan_end(&scan);
    if (status == 0 && output.full)
        status = -ENOSPC;
    if (status == 0 && weft_dns_data_check(type, weft_bytes_of(out, output.length)) < 0)
        status = dns_wrong(&scan, 0, "this is not what records of this type hold");
    if (status == 0)
        return (int)output.length;
    if (ret_error)
        *ret_error = (weft_dns_text_error){.offset = scan.wrong, .text = scan.problem};
    return status;
}
