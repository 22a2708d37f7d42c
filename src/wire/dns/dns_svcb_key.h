/* SPDX-License-Identifier: MIT */
/* The keys of SVCB's parameters, and what their values are. */
#ifndef WIRE_DNS_SVCB_KEY_H
#define WIRE_DNS_SVCB_KEY_H

#include <weft/bytes.h>

enum dns_svcb_kind {
    DNS_SVCB_KEYS,    /* a list of keys */
    DNS_SVCB_STRINGS, /* a list of strings, each after its length */
    DNS_SVCB_NOTHING, /* no value */
    DNS_SVCB_PORT,
    DNS_SVCB_IPV4, /* a list of addresses */
    DNS_SVCB_IPV6,
    DNS_SVCB_BASE64,
    DNS_SVCB_TEXT
};

struct dns_svcb_key {
    uint16_t number;
    enum dns_svcb_kind kind;
    const char *name;
};

/* NULL if nothing is known of it. */
const struct dns_svcb_key *dns_svcb_key_of(uint16_t number);
/* Reads a name, or "key" and a number. Returns 0 or -EINVAL. */
int dns_svcb_key_parse(weft_bytes text, uint16_t *ret);

#endif
