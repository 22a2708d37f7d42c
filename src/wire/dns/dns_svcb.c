/* SPDX-License-Identifier: MIT */
/* The parameters of SVCB and HTTPS records: checked, and as text. */
#include "wire/dns/dns_svcb.h"

#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"
#include "wire/dns/dns_svcb_key.h"

/* RFC 9460 §14.3.2, RFC 9461, RFC 9540. */
static const struct dns_svcb_key keys[] = {
    {0, DNS_SVCB_KEYS, "mandatory"}, {1, DNS_SVCB_STRINGS, "alpn"},  {2, DNS_SVCB_NOTHING, "no-default-alpn"},
    {3, DNS_SVCB_PORT, "port"},      {4, DNS_SVCB_IPV4, "ipv4hint"}, {5, DNS_SVCB_BASE64, "ech"},
    {6, DNS_SVCB_IPV6, "ipv6hint"},  {7, DNS_SVCB_TEXT, "dohpath"},  {8, DNS_SVCB_NOTHING, "ohttp"},
};

const struct dns_svcb_key *dns_svcb_key_of(uint16_t number)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].number == number)
            return &keys[i];
    return NULL;
}

int dns_svcb_key_parse(weft_bytes text, uint16_t *ret)
{
    static const weft_bytes prefix = WEFT_BYTES("key");
    uint64_t number;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (weft_bytes_equal(text, weft_bytes_from(keys[i].name))) {
            *ret = keys[i].number;
            return 0;
        }
    }
    if (!weft_bytes_starts_with(text, prefix) || text.length > prefix.length + 5 ||
        weft_bytes_to_uint64(weft_bytes_skip(text, prefix.length), 65535, &number) < 0)
        return -EINVAL;
    *ret = (uint16_t)number;
    return 0;
}

int weft_dns_svcparam_next(weft_bytes *rest, weft_dns_svcparam *param)
{
    weft_dns_option option;
    int status = weft_dns_option_next(rest, &option); /* the same frame: key, length, value */

    if (status > 0) {
        param->key = option.code;
        param->value = option.data;
    }
    return status;
}

/* -- checks -- */

static bool check_strings(weft_bytes value)
{
    weft_bytes string;
    int status, count = 0;

    while ((status = weft_dns_string_next(&value, &string)) > 0) {
        if (string.length == 0)
            return false;
        count++;
    }
    return status == 0 && count > 0;
}

/* RFC 9460 §8: at least one, rising, and not the list itself. */
static bool check_keys(weft_bytes value)
{
    unsigned last = 0;

    if (value.length == 0 || value.length % 2 != 0)
        return false;
    for (; value.length > 0; value = weft_bytes_skip(value, 2)) {
        if (dns_get16(value.data) <= last)
            return false;
        last = dns_get16(value.data);
    }
    return true;
}

static bool check_value(const weft_dns_svcparam *param)
{
    const struct dns_svcb_key *key = dns_svcb_key_of(param->key);
    size_t length = param->value.length;

    if (!key)
        return true;
    switch (key->kind) {
    case DNS_SVCB_KEYS:
        return check_keys(param->value);
    case DNS_SVCB_STRINGS:
        return check_strings(param->value);
    case DNS_SVCB_NOTHING:
        return length == 0;
    case DNS_SVCB_PORT:
        return length == 2;
    case DNS_SVCB_IPV4:
        return length > 0 && length % 4 == 0;
    case DNS_SVCB_IPV6:
        return length > 0 && length % 16 == 0;
    case DNS_SVCB_BASE64:
    case DNS_SVCB_TEXT:
        return length > 0;
    }
    return false;
}

/* Whether each key of the list is there; both rise. */
static bool has_mandatory(weft_bytes params, weft_bytes list)
{
    weft_dns_svcparam param;

    while (list.length > 0 && weft_dns_svcparam_next(&params, &param) > 0)
        if (param.key == dns_get16(list.data))
            list = weft_bytes_skip(list, 2);
    return list.length == 0;
}

bool dns_svcb_check(weft_bytes params)
{
    weft_bytes rest = params, mandatory = {NULL, 0};
    weft_dns_svcparam param;
    int status, last = -1;

    while ((status = weft_dns_svcparam_next(&rest, &param)) > 0) {
        if (param.key <= last || !check_value(&param))
            return false;
        if (param.key == 0)
            mandatory = param.value;
        last = param.key;
    }
    return status == 0 && has_mandatory(params, mandatory);
}

/* -- as text -- */

static void put_key(struct dns_output *output, uint16_t number)
{
    const struct dns_svcb_key *key = dns_svcb_key_of(number);

    dns_put_text(output, key ? key->name : "key");
    if (!key)
        dns_put_number(output, number);
}

/* RFC 9460 §A.1: a comma in a member of a list is escaped, and then the list is, as a string. */
static void put_member(struct dns_output *output, weft_bytes member)
{
    char escaped[4];

    for (size_t i = 0; i < member.length && !output->full; i++) {
        if (member.data[i] == ',')
            dns_put_text(output, "\\\\,");
        else if (member.data[i] == '\\')
            dns_put_text(output, "\\\\\\\\");
        else
            dns_put(output, weft_bytes_of(escaped, dns_escape((uint8_t)member.data[i], "\"", escaped)));
    }
}

static void put_strings(struct dns_output *output, weft_bytes value)
{
    const char *comma = "";
    weft_bytes string;

    dns_put_char(output, '"');
    while (weft_dns_string_next(&value, &string) > 0) {
        dns_put_text(output, comma);
        put_member(output, string);
        comma = ",";
    }
    dns_put_char(output, '"');
}

static void put_keys(struct dns_output *output, weft_bytes value)
{
    const char *comma = "";

    for (; value.length > 0; value = weft_bytes_skip(value, 2)) {
        dns_put_text(output, comma);
        put_key(output, dns_get16(value.data));
        comma = ",";
    }
}

static void put_addresses(struct dns_output *output, weft_bytes value, uint16_t type, size_t size)
{
    const char *comma = "";
    char text[WEFT_ADDRESS_TEXT];
    weft_address address;

    for (; value.length > 0; value = weft_bytes_skip(value, size)) {
        if (weft_dns_address_read(type, weft_bytes_first(value, size), &address) < 0)
            return;
        weft_address_host(&address, text);
        dns_put_text(output, comma);
        dns_put_text(output, text);
        comma = ",";
    }
}

static void put_value(struct dns_output *output, const weft_dns_svcparam *param)
{
    const struct dns_svcb_key *key = dns_svcb_key_of(param->key);

    switch (key ? key->kind : DNS_SVCB_TEXT) {
    case DNS_SVCB_KEYS:
        put_keys(output, param->value);
        break;
    case DNS_SVCB_STRINGS:
        put_strings(output, param->value);
        break;
    case DNS_SVCB_NOTHING:
        break;
    case DNS_SVCB_PORT:
        dns_put_number(output, dns_get16(param->value.data));
        break;
    case DNS_SVCB_IPV4:
        put_addresses(output, param->value, WEFT_DNS_A, 4);
        break;
    case DNS_SVCB_IPV6:
        put_addresses(output, param->value, WEFT_DNS_AAAA, 16);
        break;
    case DNS_SVCB_BASE64:
        dns_put_base64(output, param->value);
        break;
    case DNS_SVCB_TEXT:
        dns_put_quoted(output, param->value);
        break;
    }
}

void dns_svcb_put(struct dns_output *output, weft_bytes params)
{
    weft_dns_svcparam param;

    while (weft_dns_svcparam_next(&params, &param) > 0) {
        dns_put_char(output, ' ');
        put_key(output, param.key);
        if (param.value.length == 0)
            continue;
        dns_put_char(output, '=');
        put_value(output, &param);
    }
}
