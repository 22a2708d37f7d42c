/* SPDX-License-Identifier: MIT */
/* The fields of a text in the form of zone files (RFC 1035 §5.1), and the values that they spell. */
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_text.h"

int dns_wrong(struct dns_scan *scan, size_t offset, const char *problem)
{
    scan->wrong = offset;
    scan->problem = problem;
    return -EINVAL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Goes on to what is no space, comment or parenthesis. Returns 0 or -EINVAL. */
static int skip_space(struct dns_scan *scan)
{
    for (; scan->at < scan->text.length; scan->at++) {
        char c = scan->text.data[scan->at];

        if (c == ';') {
            while (scan->at + 1 < scan->text.length && scan->text.data[scan->at + 1] != '\n')
                scan->at++;
        } else if (c == '(') {
            scan->open++;
        } else if (c == ')') {
            if (scan->open-- == 0)
                return dns_wrong(scan, scan->at, "this parenthesis was not opened");
        } else if (!is_space(c)) {
            return 0;
        }
    }
    return scan->open == 0 ? 0 : dns_wrong(scan, scan->at, "a parenthesis is not closed");
}

/* The offset behind the string whose quote is at @p at, the closing quote included; 0 if there is none. */
static size_t skip_quoted(weft_bytes text, size_t at)
{
    for (at++; at < text.length; at++) {
        if (text.data[at] == '"')
            return at + 1;
        if (text.data[at] == '\\')
            at++;
    }
    return 0;
}

/* Goes to the end of a field. Quotes may be within it: key="value". Returns 0 or -EINVAL. */
static int skip_field(struct dns_scan *scan)
{
    weft_bytes text = scan->text;

    while (scan->at < text.length) {
        char c = text.data[scan->at];

        if (is_space(c) || c == ';' || c == '(' || c == ')')
            break;
        if (c == '"') {
            size_t end = skip_quoted(text, scan->at);
            if (end == 0)
                return dns_wrong(scan, scan->at, "this quote is not closed");
            scan->at = end;
            continue;
        }
        scan->at += c == '\\' && scan->at + 1 < text.length ? 2 : 1;
    }
    return 0;
}

int dns_scan_next(struct dns_scan *scan, struct dns_token *ret)
{
    size_t start, end;

    if (skip_space(scan) < 0)
        return -EINVAL;
    start = scan->at;
    if (start == scan->text.length)
        return 0;
    if (scan->text.data[start] == '"') {
        end = skip_quoted(scan->text, start);
        if (end == 0)
            return dns_wrong(scan, start, "this quote is not closed");
        scan->at = end;
        *ret = (struct dns_token){weft_bytes_of(scan->text.data + start + 1, end - start - 2), start + 1, true};
        return 1;
    }
    if (skip_field(scan) < 0)
        return -EINVAL;
    *ret = (struct dns_token){weft_bytes_of(scan->text.data + start, scan->at - start), start, false};
    return 1;
}

int dns_scan_field(struct dns_scan *scan, struct dns_token *ret)
{
    int status = dns_scan_next(scan, ret);

    if (status == 0)
        return dns_wrong(scan, scan->text.length, "a field is missing here");
    return status < 0 ? status : 0;
}

int dns_scan_number(struct dns_scan *scan, uint64_t maximum, uint64_t *ret)
{
    struct dns_token token;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    if (weft_bytes_to_uint64(token.text, maximum, ret) < 0)
        return dns_wrong(scan, token.offset, "this is not a number that fits here");
    return 0;
}

static uint64_t unit_of(char c)
{
    switch (dns_lower((uint8_t)c)) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 604800;
    default:
        return 0;
    }
}

int dns_scan_ttl(struct dns_scan *scan, uint32_t *ret)
{
    struct dns_token token;
    uint64_t total = 0, part;

    if (dns_scan_field(scan, &token) < 0)
        return -EINVAL;
    for (weft_bytes rest = token.text;;) {
        size_t digits = 0, unit;

        while (digits < rest.length && rest.data[digits] >= '0' && rest.data[digits] <= '9')
            digits++;
        unit = digits < rest.length ? unit_of(rest.data[digits]) : 1;
        if (unit == 0 || weft_bytes_to_uint64(weft_bytes_first(rest, digits), UINT32_MAX, &part) < 0)
            return dns_wrong(scan, token.offset, "this is not a time in seconds");
        total += part * unit;
        if (total > UINT32_MAX)
            return dns_wrong(scan, token.offset, "this time is too long");
        rest = weft_bytes_skip(rest, digits + 1);
        if (rest.length == 0)
            break;
    }
    *ret = (uint32_t)total;
    return 0;
}

int dns_scan_octets(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    weft_bytes rest = token->text;

    while (rest.length > 0) {
        uint8_t octet;
        size_t used = dns_unescape(rest, &octet);

        if (used == 0)
            return dns_wrong(scan, token->offset + (token->text.length - rest.length), "this escape is broken");
        if (used > 1 || octet != '"')
            dns_put_char(output, (char)octet);
        rest = weft_bytes_skip(rest, used);
    }
    return 0;
}

/* -- digits -- */

/* Octets that are put together of digits of 4, 5 or 6 bits. */
struct digits {
    unsigned bits, held, count;
    size_t octets;
    unsigned padding;
};

static int hex_digit(char c)
{
    uint8_t lower = dns_lower((uint8_t)c);

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int base32_digit(char c)
{
    uint8_t lower = dns_lower((uint8_t)c);

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'v' ? lower - 'a' + 10 : -1;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int digit_of(unsigned bits, char c)
{
    return bits == 4 ? hex_digit(c) : bits == 5 ? base32_digit(c) : base64_digit(c);
}

static int add_digits(struct dns_scan *scan, const struct dns_token *token, struct digits *digits,
                      struct dns_output *output)
{
    for (size_t i = 0; i < token->text.length; i++) {
        char c = token->text.data[i];
        int digit = digit_of(digits->bits, c);

        if (c == '=' && digits->bits == 6) {
            digits->padding++;
            continue;
        }
        if (digit < 0 || digits->padding > 0)
            return dns_wrong(scan, token->offset + i, "this is no digit");
        digits->held = (digits->held << digits->bits | (unsigned)digit) & 0xffff;
        digits->count += digits->bits;
        if (digits->count < 8)
            continue;
        digits->count -= 8;
        digits->octets++;
        dns_put_char(output, (char)(uint8_t)(digits->held >> digits->count));
    }
    return 0;
}

/* What is left over is less than a digit, and 0; base64 is padded to groups of four digits (RFC 4648 §4). */
static int end_digits(struct dns_scan *scan, size_t offset, const struct digits *digits)
{
    if (digits->octets == 0)
        return dns_wrong(scan, offset, "there are no digits here");
    if (digits->count >= digits->bits || (digits->held & ((1u << digits->count) - 1)) != 0 ||
        digits->padding != (digits->bits == 6 ? (3 - digits->octets % 3) % 3 : 0))
        return dns_wrong(scan, offset, "the digits are not whole octets");
    return 0;
}

static int scan_digits(struct dns_scan *scan, unsigned bits, struct dns_output *output)
{
    struct digits digits = {.bits = bits};
    struct dns_token token;
    int status;

    while ((status = dns_scan_next(scan, &token)) > 0)
        if (add_digits(scan, &token, &digits, output) < 0)
            return -EINVAL;
    return status < 0 ? status : end_digits(scan, scan->at, &digits);
}

static int token_digits(struct dns_scan *scan, const struct dns_token *token, unsigned bits, struct dns_output *output)
{
    struct digits digits = {.bits = bits};

    if (add_digits(scan, token, &digits, output) < 0)
        return -EINVAL;
    return end_digits(scan, token->offset, &digits);
}

int dns_scan_hex(struct dns_scan *scan, struct dns_output *output)
{
    return scan_digits(scan, 4, output);
}

int dns_scan_base64(struct dns_scan *scan, struct dns_output *output)
{
    return scan_digits(scan, 6, output);
}

int dns_token_hex(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    return token_digits(scan, token, 4, output);
}

int dns_token_base64(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    return token_digits(scan, token, 6, output);
}

int dns_token_base32(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    return token_digits(scan, token, 5, output);
}
