/* SPDX-License-Identifier: MIT */
#include "wire/dns/dns_schema.h"

#include "wire/dns/dns_name.h"
#include "wire/dns/dns_svcb.h"

struct type_entry {
    const char *mnemonic, *schema;
};

/* Types without letters are carried as octets. */
static const struct type_entry low_types[] = {
    [WEFT_DNS_A] = {"A", "A"},
    [WEFT_DNS_NS] = {"NS", "N"},
    [WEFT_DNS_MD] = {"MD", "N"},
    [WEFT_DNS_MF] = {"MF", "N"},
    [WEFT_DNS_CNAME] = {"CNAME", "N"},
    [WEFT_DNS_SOA] = {"SOA", "NN4tttt"},
    [WEFT_DNS_MB] = {"MB", "N"},
    [WEFT_DNS_MG] = {"MG", "N"},
    [WEFT_DNS_MR] = {"MR", "N"},
    [WEFT_DNS_NULL] = {"NULL", NULL},
    [WEFT_DNS_PTR] = {"PTR", "N"},
    [WEFT_DNS_HINFO] = {"HINFO", "ss"},
    [WEFT_DNS_MINFO] = {"MINFO", "NN"},
    [WEFT_DNS_MX] = {"MX", "2N"},
    [WEFT_DNS_TXT] = {"TXT", "S"},
    [WEFT_DNS_RP] = {"RP", "nn"},
    [WEFT_DNS_AFSDB] = {"AFSDB", "2n"},
    [WEFT_DNS_AAAA] = {"AAAA", "6"},
    [WEFT_DNS_LOC] = {"LOC", "C"},
    [WEFT_DNS_SRV] = {"SRV", "222n"},
    [WEFT_DNS_NAPTR] = {"NAPTR", "22sssn"},
    [WEFT_DNS_KX] = {"KX", "2n"},
    [WEFT_DNS_DNAME] = {"DNAME", "n"},
    [WEFT_DNS_OPT] = {"OPT", NULL},
    [WEFT_DNS_DS] = {"DS", "2a1x"},
    [WEFT_DNS_SSHFP] = {"SSHFP", "11x"},
    [WEFT_DNS_RRSIG] = {"RRSIG", "Ta14DD2lb"},
    [WEFT_DNS_NSEC] = {"NSEC", "uB"},
    [WEFT_DNS_DNSKEY] = {"DNSKEY", "21ab"},
    [WEFT_DNS_DHCID] = {"DHCID", "b"},
    [WEFT_DNS_NSEC3] = {"NSEC3", "112LHB"},
    [WEFT_DNS_NSEC3PARAM] = {"NSEC3PARAM", "112L"},
    [WEFT_DNS_TLSA] = {"TLSA", "111x"},
    [WEFT_DNS_SMIMEA] = {"SMIMEA", "111x"},
    [WEFT_DNS_CDS] = {"CDS", "2a1x"},
    [WEFT_DNS_CDNSKEY] = {"CDNSKEY", "21ab"},
    [WEFT_DNS_OPENPGPKEY] = {"OPENPGPKEY", "b"},
    [WEFT_DNS_CSYNC] = {"CSYNC", "42B"},
    [WEFT_DNS_ZONEMD] = {"ZONEMD", "411x"},
    [WEFT_DNS_SVCB] = {"SVCB", "2uP"},
    [WEFT_DNS_HTTPS] = {"HTTPS", "2uP"},
    [WEFT_DNS_SPF] = {"SPF", "S"},
};

static const struct {
    uint16_t type;
    struct type_entry entry;
} high_types[] = {
    {WEFT_DNS_TKEY, {"TKEY", NULL}}, {WEFT_DNS_TSIG, {"TSIG", NULL}}, {WEFT_DNS_IXFR, {"IXFR", NULL}},
    {WEFT_DNS_AXFR, {"AXFR", NULL}}, {WEFT_DNS_ANY, {"ANY", NULL}},   {WEFT_DNS_URI, {"URI", "22U"}},
    {WEFT_DNS_CAA, {"CAA", "1gv"}},
};

#define LOW_TYPES (sizeof low_types / sizeof *low_types)
#define HIGH_TYPES (sizeof high_types / sizeof *high_types)

static const struct type_entry *entry_of(uint16_t type)
{
    static const struct type_entry unknown = {NULL, NULL};

    if (type < LOW_TYPES)
        return &low_types[type];
    for (size_t i = 0; i < HIGH_TYPES; i++)
        if (high_types[i].type == type)
            return &high_types[i].entry;
    return &unknown;
}

const char *dns_schema_of(uint16_t type)
{
    return entry_of(type)->schema;
}

const char *dns_mnemonic_of(uint16_t type)
{
    return entry_of(type)->mnemonic;
}

int weft_dns_type_parse(weft_bytes text, uint16_t *ret)
{
    static const weft_bytes prefix = WEFT_BYTES("TYPE");
    uint64_t number;

    for (size_t i = 0; i < LOW_TYPES; i++) {
        if (low_types[i].mnemonic && weft_bytes_equal_nocase(text, weft_bytes_from(low_types[i].mnemonic))) {
            *ret = (uint16_t)i;
            return 0;
        }
    }
    for (size_t i = 0; i < HIGH_TYPES; i++) {
        if (weft_bytes_equal_nocase(text, weft_bytes_from(high_types[i].entry.mnemonic))) {
            *ret = high_types[i].type;
            return 0;
        }
    }
    if (!weft_bytes_equal_nocase(weft_bytes_first(text, prefix.length), prefix) ||
        weft_bytes_to_uint64(weft_bytes_skip(text, prefix.length), 65535, &number) < 0)
        return -EINVAL;
    *ret = (uint16_t)number;
    return 0;
}

/* -- fields -- */

static int counted(weft_bytes rest)
{
    return rest.length > 0 && (uint8_t)rest.data[0] < rest.length ? 1 + (uint8_t)rest.data[0] : -1;
}

static int fixed(weft_bytes rest, size_t length)
{
    return rest.length >= length ? (int)length : -1;
}

static int strings(weft_bytes rest)
{
    weft_bytes string;
    size_t length = rest.length;
    int status;

    if (length == 0)
        return -1;
    while ((status = weft_dns_string_next(&rest, &string)) > 0)
        ;
    return status < 0 ? -1 : (int)length;
}

/* RFC 8659 §4.1: one or more letters and digits. */
static int tag(weft_bytes rest)
{
    int length = counted(rest);

    for (int i = 1; i < length; i++) {
        uint8_t octet = dns_lower((uint8_t)rest.data[i]);
        if (!((octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9')))
            return -1;
    }
    return length > 1 ? length : -1;
}

/* RFC 4034 §4.1.2: windows in rising order, none empty, without zeros at the end. */
static int types(weft_bytes rest)
{
    size_t length = rest.length;
    int window = -1;

    while (rest.length > 0) {
        size_t octets;

        if (rest.length < 2 || (uint8_t)rest.data[0] <= window)
            return -1;
        window = (uint8_t)rest.data[0];
        octets = (uint8_t)rest.data[1];
        if (octets == 0 || octets > 32 || rest.length < 2 + octets || rest.data[1 + octets] == 0)
            return -1;
        rest = weft_bytes_skip(rest, 2 + octets);
    }
    return (int)length;
}

/* RFC 1876 §2: whether @p value, thousandths of a second of arc around 2^31, is no more than that many degrees. */
static bool is_angle(uint32_t value, uint32_t degrees)
{
    uint32_t most = degrees * 3600000u;

    return value >= 0x80000000u - most && value <= 0x80000000u + most;
}

/* RFC 1876 §2: version 0; sizes are a digit and a power of ten. */
static int location(weft_bytes rest)
{
    if (rest.length < 16 || rest.data[0] != 0)
        return -1;
    for (int i = 1; i < 4; i++)
        if ((uint8_t)rest.data[i] >> 4 > 9 || (rest.data[i] & 15) > 9)
            return -1;
    return is_angle(dns_get32(rest.data + 4), 90) && is_angle(dns_get32(rest.data + 8), 180) ? 16 : -1;
}

static int name(weft_bytes rest)
{
    size_t length = dns_name_span(rest);

    return length > 0 ? (int)length : -1;
}

int dns_field_span(char kind, weft_bytes rest)
{
    switch ((enum dns_kind)kind) {
    case DNS_OCTET:
    case DNS_ALGORITHM:
        return fixed(rest, 1);
    case DNS_SHORT:
    case DNS_TYPE:
        return fixed(rest, 2);
    case DNS_LONG:
    case DNS_TTL:
    case DNS_DATE:
    case DNS_IPV4:
        return fixed(rest, 4);
    case DNS_IPV6:
        return fixed(rest, 16);
    case DNS_NAME:
    case DNS_NAME_OLD:
    case DNS_NAME_LOWER:
    case DNS_NAME_PLAIN:
        return name(rest);
    case DNS_STRING:
    case DNS_SALT:
        return counted(rest);
    case DNS_HASH:
        return counted(rest) > 1 ? counted(rest) : -1;
    case DNS_STRINGS:
        return strings(rest);
    case DNS_TAG:
        return tag(rest);
    case DNS_QUOTED:
        return (int)rest.length;
    case DNS_TARGET:
    case DNS_HEX:
    case DNS_BASE64:
        return rest.length > 0 ? (int)rest.length : -1;
    case DNS_TYPES:
        return types(rest);
    case DNS_PARAMS:
        return dns_svcb_check(rest) ? (int)rest.length : -1;
    case DNS_LOCATION:
        return location(rest);
    }
    return -1;
}

int dns_fields_next(struct dns_fields *fields, weft_bytes *ret)
{
    char kind = *fields->schema;
    int length;

    if (kind == '\0')
        return fields->rest.length == 0 ? 0 : WEFT_EPROTOCOL;
    length = dns_field_span(kind, fields->rest);
    if (length < 0)
        return WEFT_EPROTOCOL;
    *ret = weft_bytes_first(fields->rest, (size_t)length);
    fields->rest = weft_bytes_skip(fields->rest, (size_t)length);
    fields->schema++;
    return kind;
}

int weft_dns_data_check(uint16_t type, weft_bytes data)
{
    struct dns_fields fields = {.schema = dns_schema_of(type), .rest = data};
    weft_bytes value;
    int kind;

    if (data.length > WEFT_DNS_MESSAGE_MAX)
        return WEFT_EPROTOCOL;
    if (!fields.schema)
        return 0;
    while ((kind = dns_fields_next(&fields, &value)) > 0)
        ;
    return kind;
}

int weft_dns_data_canonical(uint16_t type, void *data, size_t length)
{
    struct dns_fields fields = {.schema = dns_schema_of(type), .rest = weft_bytes_of(data, length)};
    uint8_t *octets = data;
    weft_bytes value;
    int kind, status = weft_dns_data_check(type, fields.rest);

    if (status < 0 || !fields.schema)
        return status;
    while ((kind = dns_fields_next(&fields, &value)) > 0) {
        size_t start = (size_t)(value.data - (const char *)data);

        if (kind != DNS_NAME && kind != DNS_NAME_OLD && kind != DNS_NAME_LOWER)
            continue;
        for (size_t i = start; i < start + value.length; i++)
            octets[i] = dns_lower(octets[i]);
    }
    return 0;
}
