/* SPDX-License-Identifier: MIT */
/* Numeric addresses from text, without brackets, port or zone. */
#ifndef BASE_ADDRESS_PARSE_H
#define BASE_ADDRESS_PARSE_H

#include <weft/bytes.h>

/* Four decimal numbers without leading zeros, into the first four bytes: what inet_pton takes, and nothing that older
 * functions took. */
bool address_parse_ipv4(weft_bytes text, uint8_t ip[16]);
/* RFC 4291 §2.2. */
bool address_parse_ipv6(weft_bytes text, uint8_t ip[16]);

#endif
