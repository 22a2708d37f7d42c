/* SPDX-License-Identifier: MIT */
/* The numbers of version 2, and what its reader and its writer share. */
#ifndef WEFT_WIRE_PROXY_BITS_H
#define WEFT_WIRE_PROXY_BITS_H

#include <weft/wire/proxy.h>

enum {
    PROXY_SIGNATURE = 12, /* bytes before the rest */
    PROXY_FIXED = 16,     /* signature, version and command, family, length */
    PROXY_PATH = 108,
    PROXY_UNIQUE_ID = 128,
};

enum { PROXY_UNSPEC = 0, PROXY_INET = 1, PROXY_INET6 = 2, PROXY_UNIX = 3 };
enum { PROXY_STREAM = 1, PROXY_DATAGRAM = 2 };

enum proxy_tlv {
    PROXY_ALPN = 0x01,
    PROXY_AUTHORITY = 0x02,
    PROXY_CRC32C = 0x03,
    PROXY_NOOP = 0x04,
    PROXY_ID = 0x05,
    PROXY_TLS = 0x20,
    PROXY_TLS_VERSION = 0x21,
    PROXY_TLS_CN = 0x22,
    PROXY_TLS_CIPHER = 0x23,
    PROXY_TLS_SIGNATURE = 0x24,
    PROXY_TLS_KEY = 0x25,
    PROXY_NETNS = 0x30,
};

/* Bits of the first byte of PROXY_TLS. */
enum { PROXY_CLIENT_TLS = 1, PROXY_CLIENT_CERT_CONNECTION = 2, PROXY_CLIENT_CERT_SESSION = 4 };

extern const char proxy_signature[PROXY_SIGNATURE];

/* The CRC32C of @p bytes, in which the four from @p hole on count as zero. */
uint32_t proxy_crc32c(weft_bytes bytes, size_t hole);

/* Version 1 (proxy_line.c). As weft_proxy_header_read and write; @p in begins with a 'P'. */
int proxy_read_line(weft_bytes in, weft_proxy_header *ret, const char **ret_problem);
int proxy_write_line(char *out, size_t room, const weft_proxy_header *header);

#endif
