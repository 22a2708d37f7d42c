/* SPDX-License-Identifier: MIT */
/* The parameters of SVCB and HTTPS records from their text (RFC 9460 §2.1 and appendix A), in any order. */
#include "base/address_parse.h"
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"
#include "wire/dns/dns_svcb.h"
#include "wire/dns/dns_svcb_key.h"

#define PARAMS_MOST 64
#define LIST_MOST 2048 /* of a value that is a list, its escapes resolved */

/* -- lists -- */

/* Takes the member before the first comma, or what is left. Returns whether there was one. */
static bool next_member(weft_bytes *rest, weft_bytes *ret)
{
    size_t comma;

    if (!rest->data)
        return false;
    comma = weft_bytes_find(*rest, ',');
    *ret = weft_bytes_first(*rest, comma);
    *rest = comma == SIZE_MAX ? weft_bytes_of(NULL, 0) : weft_bytes_skip(*rest, comma + 1);
    return true;
}

static bool put_addresses(weft_bytes list, bool ipv4, struct dns_output *output)
{
    weft_bytes member;
    uint8_t ip[16];

    while (next_member(&list, &member)) {
        if (!(ipv4 ? address_parse_ipv4(member, ip) : address_parse_ipv6(member, ip)))
            return false;
        dns_put(output, weft_bytes_of(ip, ipv4 ? 4 : 16));
    }
    return true;
}

/* Keys are sent in rising order, in whatever order they were written. */
static bool put_keys(weft_bytes list, struct dns_output *output)
{
    uint16_t found[PARAMS_MOST];
    size_t count = 0;
    weft_bytes member;

    while (next_member(&list, &member)) {
        size_t at = count;
        uint16_t key;

        if (count == PARAMS_MOST || dns_svcb_key_parse(member, &key) < 0)
            return false;
        for (count++; at > 0 && found[at - 1] > key; at--)
            found[at] = found[at - 1];
        found[at] = key;
    }
    for (size_t i = 0; i < count; i++)
        dns_put_octets(output, found[i], 2);
    return true;
}

/* A backslash before a comma or a backslash belongs to the list's own escapes. */
static bool put_strings(weft_bytes list, struct dns_output *output)
{
    for (size_t i = 0; i <= list.length; i++) {
        char member[256];
        size_t length = 0;

        for (; i < list.length && list.data[i] != ','; i++) {
            i += list.data[i] == '\\' && i + 1 < list.length;
            if (length == 255)
                return false;
            member[length++] = list.data[i];
        }
        dns_put_octets(output, (uint32_t)length, 1);
        dns_put(output, weft_bytes_of(member, length));
    }
    return true;
}

static bool put_list(enum dns_svcb_kind kind, weft_bytes list, struct dns_output *output)
{
    switch (kind) {
    case DNS_SVCB_KEYS:
        return put_keys(list, output);
    case DNS_SVCB_STRINGS:
        return put_strings(list, output);
    case DNS_SVCB_IPV4:
        return put_addresses(list, true, output);
    default:
        return put_addresses(list, false, output);
    }
}

/* -- values -- */

static int scan_list(struct dns_scan *scan, const struct dns_token *token, enum dns_svcb_kind kind,
                     struct dns_output *output)
{
    char buffer[LIST_MOST];
    struct dns_output list = {.out = buffer, .room = sizeof buffer};

    if (dns_scan_octets(scan, token, &list) < 0)
        return -EINVAL;
    if (list.full || !put_list(kind, weft_bytes_of(buffer, list.length), output))
        return dns_wrong(scan, token->offset, "this list has a member that is not valid, or too many");
    return 0;
}

static int scan_port(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output)
{
    char buffer[16];
    struct dns_output digits = {.out = buffer, .room = sizeof buffer};
    uint64_t port;

    if (dns_scan_octets(scan, token, &digits) < 0)
        return -EINVAL;
    if (digits.full || weft_bytes_to_uint64(weft_bytes_of(buffer, digits.length), 65535, &port) < 0)
        return dns_wrong(scan, token->offset, "this is not a port");
    dns_put_octets(output, (uint32_t)port, 2);
    return 0;
}

/* Base64 has no escapes, but may stand in quotes. */
static int scan_base64(struct dns_scan *scan, struct dns_token token, struct dns_output *output)
{
    if (token.text.length >= 2 && token.text.data[0] == '"' && token.text.data[token.text.length - 1] == '"') {
        token.text = weft_bytes_of(token.text.data + 1, token.text.length - 2);
        token.offset++;
    }
    return dns_token_base64(scan, &token, output);
}

static int scan_value(struct dns_scan *scan, const struct dns_token *token, uint16_t number, struct dns_output *output)
{
    const struct dns_svcb_key *key = dns_svcb_key_of(number);

    switch (key ? key->kind : DNS_SVCB_TEXT) {
    case DNS_SVCB_KEYS:
    case DNS_SVCB_STRINGS:
    case DNS_SVCB_IPV4:
    case DNS_SVCB_IPV6:
        return scan_list(scan, token, key->kind, output);
    case DNS_SVCB_NOTHING:
        return token->text.length == 0 ? 0 : dns_wrong(scan, token->offset, "this key has no value");
    case DNS_SVCB_PORT:
        return scan_port(scan, token, output);
    case DNS_SVCB_BASE64:
        return scan_base64(scan, *token, output);
    case DNS_SVCB_TEXT:
        break;
    }
    return dns_scan_octets(scan, token, output);
}

/* -- parameters -- */

/* One parameter in the output; between two of them nothing else is. */
struct place {
    uint16_t key;
    size_t offset;
};

static void reverse(char *from, char *to)
{
    while (from + 1 < to) {
        char held = *from;
        *from++ = *--to;
        *to = held;
    }
}

/* Moves the last parameter, which begins at @p last, to where its key belongs. Returns whether it was not there yet. */
static bool sort_in(struct dns_output *output, struct place *places, size_t count, struct place last)
{
    size_t length = output->length - last.offset, at = count;

    while (at > 0 && places[at - 1].key > last.key)
        at--;
    if (at > 0 && places[at - 1].key == last.key)
        return false;
    if (at < count) {
        char *here = output->out + places[at].offset, *middle = output->out + last.offset,
             *end = output->out + output->length;
        size_t offset = places[at].offset;

        reverse(here, middle);
        reverse(middle, end);
        reverse(here, end);
        for (size_t i = count; i > at; i--)
            places[i] = (struct place){places[i - 1].key, places[i - 1].offset + length};
        last.offset = offset;
    }
    places[at] = last;
    return true;
}

/* Splits "key=value". */
static int scan_key(struct dns_scan *scan, const struct dns_token *token, uint16_t *ret_key,
                    struct dns_token *ret_value)
{
    size_t equals = weft_bytes_find(token->text, '=');

    if (token->quoted || dns_svcb_key_parse(weft_bytes_first(token->text, equals), ret_key) < 0)
        return dns_wrong(scan, token->offset, "this is not a key of a parameter");
    *ret_value = *token;
    ret_value->text = equals == SIZE_MAX ? weft_bytes_of(NULL, 0) : weft_bytes_skip(token->text, equals + 1);
    ret_value->offset = token->offset + token->text.length - ret_value->text.length;
    return 0;
}

static int scan_param(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output,
                      struct place *places, size_t count)
{
    struct place place = {.offset = output->length};
    struct dns_token value;
    size_t start;

    if (count == PARAMS_MOST)
        return dns_wrong(scan, token->offset, "there are too many parameters");
    if (scan_key(scan, token, &place.key, &value) < 0)
        return -EINVAL;
    dns_put_octets(output, place.key, 2);
    dns_put_octets(output, 0, 2);
    start = output->length;
    if (scan_value(scan, &value, place.key, output) < 0)
        return -EINVAL;
    if (output->full)
        return -ENOSPC;
    dns_put16((uint8_t *)output->out + start - 2, (unsigned)(output->length - start));
    return sort_in(output, places, count, place) ? 0 : dns_wrong(scan, token->offset, "this key is there already");
}

int dns_svcb_scan(struct dns_scan *scan, struct dns_output *output)
{
    struct place places[PARAMS_MOST];
    struct dns_token token;
    size_t start = output->length, count = 0, offset = scan->at;
    int status;

    while ((status = dns_scan_next(scan, &token)) > 0) {
        status = scan_param(scan, &token, output, places, count++);
        if (status < 0)
            return status;
    }
    if (status == 0 && !dns_svcb_check(weft_bytes_of(output->out + start, output->length - start)))
        return dns_wrong(scan, offset, "a parameter has no valid value, or a mandatory one is missing");
    return status;
}
