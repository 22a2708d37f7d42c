/* SPDX-License-Identifier: MIT */
/*
 * What the data of each type is made of, as a string of one letter for each field. Everything that is done with data
 * (checking, decompressing, compressing, text both ways, canonical form) goes over these letters.
 */
#ifndef WIRE_DNS_SCHEMA_H
#define WIRE_DNS_SCHEMA_H

#include <weft/wire/dns_data.h>

enum dns_kind {
    DNS_OCTET = '1',
    DNS_SHORT = '2',
    DNS_LONG = '4',
    DNS_TTL = 't', /* four octets: seconds, as text perhaps with units */
    DNS_IPV4 = 'A',
    DNS_IPV6 = '6',
    DNS_NAME = 'N',       /* RFC 3597 §4: of RFC 1035, so it is sent and taken compressed */
    DNS_NAME_OLD = 'n',   /* taken compressed, sent in full */
    DNS_NAME_LOWER = 'l', /* never compressed; small in canonical form */
    DNS_NAME_PLAIN = 'u', /* never compressed; canonical as it is */
    DNS_STRING = 's',     /* a character-string */
    DNS_STRINGS = 'S',    /* one or more, to the end */
    DNS_TAG = 'g',        /* a character-string of letters and digits, as text without quotes (CAA) */
    DNS_QUOTED = 'v',     /* octets to the end, as text in quotes; may be empty */
    DNS_TARGET = 'U',     /* the same, not empty */
    DNS_HEX = 'x',        /* octets to the end, not empty */
    DNS_BASE64 = 'b',     /* the same */
    DNS_ALGORITHM = 'a',  /* an octet: a DNSSEC algorithm; taken by its mnemonic, too */
    DNS_TYPE = 'T',       /* two octets: a type */
    DNS_TYPES = 'B',      /* a bitmap of types, to the end (RFC 4034 §4.1.2) */
    DNS_DATE = 'D',       /* four octets: seconds, as text YYYYMMDDHHmmSS (RFC 4034 §3.2) */
    DNS_SALT = 'L',       /* a length and octets, as text hex or "-" (RFC 5155 §3.3) */
    DNS_HASH = 'H',       /* a length and octets, as text base32hex (RFC 5155 §3.3) */
    DNS_PARAMS = 'P',     /* parameters of a service, to the end (RFC 9460 §2.2) */
    DNS_LOCATION = 'C'    /* 16 octets (RFC 1876) */
};

/* The letters of @p type; NULL if it is not known. */
const char *dns_schema_of(uint16_t type);
/* The mnemonic of @p type; NULL if it has none. */
const char *dns_mnemonic_of(uint16_t type);

/* Walks over data without compression. */
struct dns_fields {
    const char *schema;
    weft_bytes rest;
};

/* The length of the field of @p kind that @p rest begins with; -1 if there is none. */
int dns_field_span(char kind, weft_bytes rest);
/*
 * Takes the next field. Returns its kind, which is positive; 0 at the end of the data; WEFT_EPROTOCOL if the data is not
 * as the letters say.
 */
int dns_fields_next(struct dns_fields *fields, weft_bytes *ret);

/* Numbers in network order. */
static inline uint16_t dns_get16(const char *at)
{
    const uint8_t *octets = (const uint8_t *)at;

    return (uint16_t)(octets[0] << 8 | octets[1]);
}

static inline uint32_t dns_get32(const char *at)
{
    return (uint32_t)dns_get16(at) << 16 | dns_get16(at + 2);
}

static inline void dns_put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void dns_put32(uint8_t *at, uint32_t value)
{
    dns_put16(at, value >> 16);
    dns_put16(at + 2, value & 0xffff);
}

#endif
