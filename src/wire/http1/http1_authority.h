/* SPDX-License-Identifier: MIT */
/* Hosts and ports: `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2). */
#ifndef WEFT_WIRE_HTTP1_AUTHORITY_H
#define WEFT_WIRE_HTTP1_AUTHORITY_H

#include <weft/bytes.h>

typedef struct http1_authority {
    weft_bytes host; /* with the brackets of an IPv6 address */
    weft_bytes port; /* its digits; empty if there are none, with or without a colon */
    unsigned number; /* the port as a number, 0 if there is none */
} http1_authority;

/* Splits and checks @p bytes. Returns 0 or -EINVAL. */
int http1_authority_parse(weft_bytes bytes, http1_authority *ret) WEFT_NONBLOCKING;

/* Whether @p a and @p b name the same host and port, in a URL of @p scheme. Both must be valid. */
bool http1_authority_equal(weft_bytes a, weft_bytes b, weft_bytes scheme) WEFT_NONBLOCKING;

#endif
