/* SPDX-License-Identifier: MIT */
/* What the files of the codec share about names. */
#ifndef WIRE_DNS_NAME_H
#define WIRE_DNS_NAME_H

#include <weft/wire/dns_name.h>

/* An ASCII letter as a small one; anything else as it is (RFC 4343 §3). */
static inline uint8_t dns_lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + ('a' - 'A')) : octet;
}

/* Compares @p length octets without case. */
bool dns_octets_equal(const uint8_t *a, const uint8_t *b, size_t length);

/* Where each label of @p name begins, the root's left out. Returns how many there are. */
unsigned dns_name_starts(const weft_dns_name *name, uint8_t starts[WEFT_DNS_LABELS_MAX]);

/* The length of the name without compression that @p input begins with; 0 if there is none. */
size_t dns_name_span(weft_bytes input);

/*
 * Reads one octet of text at @p text, an escape or a plain character (RFC 1035 §5.1). Returns how many characters that
 * were; 0 if the escape is broken.
 */
size_t dns_unescape(weft_bytes text, uint8_t *ret);

/*
 * Writes an octet as text, escaped if it is not printable or one of @p special (a space among these as \032, since a
 * token ends at one). Returns the length, at most 4.
 */
size_t dns_escape(uint8_t octet, const char *special, char *out);

#endif
