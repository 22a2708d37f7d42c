/* SPDX-License-Identifier: MIT */
/* Text of zone files, both ways: what the files about data share. */
#ifndef WIRE_DNS_TEXT_H
#define WIRE_DNS_TEXT_H

#include <weft/wire/dns_data.h>

/* Text or octets that are written into a caller's room. When it is full nothing more is, and `full` says so. */
struct dns_output {
    char *out;
    size_t room, length;
    bool full;
};

void dns_put(struct dns_output *output, weft_bytes bytes);
void dns_put_char(struct dns_output *output, char c);
void dns_put_text(struct dns_output *output, const char *text);
void dns_put_number(struct dns_output *output, uint64_t number);
/* As an octet, as two, as four: for data. */
void dns_put_octets(struct dns_output *output, uint32_t value, size_t octets);
/* In quotes, with escapes. */
void dns_put_quoted(struct dns_output *output, weft_bytes bytes);
/* Escapes without quotes. */
void dns_put_escaped(struct dns_output *output, weft_bytes bytes);
void dns_put_hex(struct dns_output *output, weft_bytes bytes);
void dns_put_base64(struct dns_output *output, weft_bytes bytes);
/* RFC 4648 §7 without padding, small letters. */
void dns_put_base32(struct dns_output *output, weft_bytes bytes);

/* Reads the fields of a text. */
struct dns_scan {
    weft_bytes text;
    size_t at;
    unsigned open; /* parentheses */
    size_t wrong;  /* where the error is, whose text is: */
    const char *problem;
};

/* One field of a text, still with its escapes. */
struct dns_token {
    weft_bytes text; /* without the quotes around it */
    size_t offset;
    bool quoted;
};

/* Says what is wrong where. Returns -EINVAL. */
int dns_wrong(struct dns_scan *scan, size_t offset, const char *problem);
/* Takes the next field. Returns 1; 0 at the end; -EINVAL. */
int dns_scan_next(struct dns_scan *scan, struct dns_token *ret);
/* The same where there must be one. Returns 0 or -EINVAL. */
int dns_scan_field(struct dns_scan *scan, struct dns_token *ret);
/* A number in decimal, at most @p maximum. */
int dns_scan_number(struct dns_scan *scan, uint64_t maximum, uint64_t *ret);
/* Seconds: a number, or numbers with the units s, m, h, d, w ("1h30m"). */
int dns_scan_ttl(struct dns_scan *scan, uint32_t *ret);
/* Writes the octets of a token, whose escapes are resolved and whose inner quotes are left out. */
int dns_scan_octets(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output);
/* All that follows, or one token, in hex or base64, or base32hex; at least one octet. */
int dns_scan_hex(struct dns_scan *scan, struct dns_output *output);
int dns_scan_base64(struct dns_scan *scan, struct dns_output *output);
int dns_token_hex(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output);
int dns_token_base64(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output);
int dns_token_base32(struct dns_scan *scan, const struct dns_token *token, struct dns_output *output);

/* RFC 1876 §3: a location both ways. */
void dns_put_location(struct dns_output *output, weft_bytes data);
int dns_scan_location(struct dns_scan *scan, struct dns_output *output);

#endif
