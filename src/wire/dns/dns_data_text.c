/* SPDX-License-Identifier: MIT */
/* Record data, records, types, classes and rcodes as text. */
#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "wire/dns/dns_schema.h"
#include "wire/dns/dns_svcb.h"

size_t weft_dns_type_text(uint16_t type, char *buffer)
{
    const char *mnemonic = dns_mnemonic_of(type);

    if (!mnemonic)
        return (size_t)snprintf(buffer, WEFT_DNS_TYPE_TEXT, "TYPE%u", type);
    memcpy(buffer, mnemonic, strlen(mnemonic) + 1);
    return strlen(mnemonic);
}

static const struct {
    uint16_t rrclass;
    const char *mnemonic;
} classes[] = {
    {WEFT_DNS_IN, "IN"},           {WEFT_DNS_CH, "CH"},         {WEFT_DNS_HS, "HS"},
    {WEFT_DNS_CLASS_NONE, "NONE"}, {WEFT_DNS_CLASS_ANY, "ANY"},
};

size_t weft_dns_class_text(uint16_t rrclass, char *buffer)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (classes[i].rrclass == rrclass)
            return (size_t)snprintf(buffer, WEFT_DNS_TYPE_TEXT, "%s", classes[i].mnemonic);
    return (size_t)snprintf(buffer, WEFT_DNS_TYPE_TEXT, "CLASS%u", rrclass);
}

int weft_dns_class_parse(weft_bytes text, uint16_t *ret)
{
    static const weft_bytes prefix = WEFT_BYTES("CLASS");
    uint64_t number;

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (weft_bytes_equal_nocase(text, weft_bytes_from(classes[i].mnemonic))) {
            *ret = classes[i].rrclass;
            return 0;
        }
    }
    if (!weft_bytes_equal_nocase(weft_bytes_first(text, prefix.length), prefix) ||
        weft_bytes_to_uint64(weft_bytes_skip(text, prefix.length), 65535, &number) < 0)
        return -EINVAL;
    *ret = (uint16_t)number;
    return 0;
}

const char *weft_dns_rcode_text(unsigned rcode)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};

    if (rcode < sizeof names / sizeof *names)
        return names[rcode];
    switch (rcode) {
    case WEFT_DNS_BADVERS:
        return "BADVERS";
    case WEFT_DNS_BADKEY:
        return "BADKEY";
    case WEFT_DNS_BADTIME:
        return "BADTIME";
    case WEFT_DNS_BADCOOKIE:
        return "BADCOOKIE";
    default:
        return "RCODE";
    }
}

/* -- fields -- */

static void put_address(struct dns_output *output, uint16_t type, weft_bytes value)
{
    char text[WEFT_ADDRESS_TEXT];
    weft_address address;

    if (weft_dns_address_read(type, value, &address) < 0)
        return;
    weft_address_host(&address, text);
    dns_put_text(output, text);
}

static void put_name(struct dns_output *output, weft_bytes value)
{
    char text[WEFT_DNS_NAME_TEXT];
    weft_dns_name name;

    if (weft_dns_name_take(&value, &name) == 0)
        dns_put(output, weft_bytes_of(text, weft_dns_name_text(&name, text)));
}

static void put_type(struct dns_output *output, uint16_t type)
{
    char text[WEFT_DNS_TYPE_TEXT];

    dns_put(output, weft_bytes_of(text, weft_dns_type_text(type, text)));
}

static void put_types(struct dns_output *output, weft_bytes value)
{
    while (value.length > 0) {
        unsigned window = (uint8_t)value.data[0], octets = (uint8_t)value.data[1];

        for (unsigned i = 0; i < octets * 8; i++) {
            if (!((uint8_t)value.data[2 + i / 8] & 0x80 >> i % 8))
                continue;
            dns_put_char(output, ' ');
            put_type(output, (uint16_t)(window << 8 | i));
        }
        value = weft_bytes_skip(value, 2 + octets);
    }
}

static void put_strings(struct dns_output *output, weft_bytes value)
{
    weft_bytes string;
    bool first = true;

    while (weft_dns_string_next(&value, &string) > 0) {
        if (!first)
            dns_put_char(output, ' ');
        dns_put_quoted(output, string);
        first = false;
    }
}

/* RFC 4034 §3.2. */
static void put_date(struct dns_output *output, uint32_t seconds)
{
    time_t point = (time_t)seconds;
    struct tm date;
    char text[64];

    if (!gmtime_r(&point, &date))
        return;
    snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
             date.tm_hour, date.tm_min, date.tm_sec);
    dns_put_text(output, text);
}

static void put_salt(struct dns_output *output, weft_bytes value)
{
    if (value.length == 1)
        dns_put_char(output, '-');
    else
        dns_put_hex(output, weft_bytes_skip(value, 1));
}

static void put_field(struct dns_output *output, int kind, weft_bytes value)
{
    switch ((enum dns_kind)kind) {
    case DNS_OCTET:
    case DNS_ALGORITHM:
        dns_put_number(output, (uint8_t)value.data[0]);
        break;
    case DNS_SHORT:
        dns_put_number(output, dns_get16(value.data));
        break;
    case DNS_LONG:
    case DNS_TTL:
        dns_put_number(output, dns_get32(value.data));
        break;
    case DNS_IPV4:
        put_address(output, WEFT_DNS_A, value);
        break;
    case DNS_IPV6:
        put_address(output, WEFT_DNS_AAAA, value);
        break;
    case DNS_NAME:
    case DNS_NAME_OLD:
    case DNS_NAME_LOWER:
    case DNS_NAME_PLAIN:
        put_name(output, value);
        break;
    case DNS_STRING:
    case DNS_STRINGS:
        put_strings(output, value);
        break;
    case DNS_TAG:
        dns_put(output, weft_bytes_skip(value, 1));
        break;
    case DNS_QUOTED:
    case DNS_TARGET:
        dns_put_quoted(output, value);
        break;
    case DNS_HEX:
        dns_put_hex(output, value);
        break;
    case DNS_BASE64:
        dns_put_base64(output, value);
        break;
    case DNS_TYPE:
        put_type(output, dns_get16(value.data));
        break;
    case DNS_TYPES:
        put_types(output, value);
        break;
    case DNS_DATE:
        put_date(output, dns_get32(value.data));
        break;
    case DNS_SALT:
        put_salt(output, value);
        break;
    case DNS_HASH:
        dns_put_base32(output, weft_bytes_skip(value, 1));
        break;
    case DNS_PARAMS:
        dns_svcb_put(output, value);
        break;
    case DNS_LOCATION:
        dns_put_location(output, value);
        break;
    }
}

/* -- data and records -- */

/* RFC 3597 §5. */
static void put_unknown(struct dns_output *output, weft_bytes data)
{
    dns_put_text(output, "\\# ");
    dns_put_number(output, data.length);
    if (data.length > 0)
        dns_put_char(output, ' ');
    dns_put_hex(output, data);
}

static void put_data(struct dns_output *output, uint16_t type, weft_bytes data)
{
    struct dns_fields fields = {.schema = dns_schema_of(type), .rest = data};
    bool first = true;
    weft_bytes value;
    int kind;

    if (!fields.schema || weft_dns_data_check(type, data) < 0) {
        put_unknown(output, data);
        return;
    }
    while ((kind = dns_fields_next(&fields, &value)) > 0) {
        if (!first && kind != DNS_TYPES && kind != DNS_PARAMS) /* these bring their own spaces */
            dns_put_char(output, ' ');
        put_field(output, kind, value);
        first = false;
    }
}

/* Returns the length of what was written, behind which there is room for a NUL. */
static int finish(struct dns_output *output)
{
    if (output->full || output->length > INT_MAX)
        return -ENOSPC;
    output->out[output->length] = '\0';
    return (int)output->length;
}

int weft_dns_data_text(uint16_t type, weft_bytes data, char *out, size_t room)
{
    struct dns_output output = {.out = out, .room = room > 0 ? room - 1 : 0, .full = room == 0};

    put_data(&output, type, data);
    return finish(&output);
}

int weft_dns_record_text(const weft_dns_name *name, uint16_t type, uint16_t rrclass, uint32_t ttl, weft_bytes data,
                         char *out, size_t room)
{
    struct dns_output output = {.out = out, .room = room > 0 ? room - 1 : 0, .full = room == 0};
    char text[WEFT_DNS_TYPE_TEXT];

    put_name(&output, weft_dns_name_bytes(name));
    dns_put_char(&output, '\t');
    dns_put_number(&output, ttl);
    dns_put_char(&output, '\t');
    dns_put(&output, weft_bytes_of(text, weft_dns_class_text(rrclass, text)));
    dns_put_char(&output, '\t');
    put_type(&output, type);
    dns_put_char(&output, '\t');
    put_data(&output, type, data);
    return finish(&output);
}
