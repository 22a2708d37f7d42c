/* SPDX-License-Identifier: MIT */
/*
 * URLs of HTTP (RFC 9110 §4.2, RFC 3986): the one parser of them, for what a user gives and what a redirect says.
 *
 * It is strict where two readers could disagree about the host: no empty host, no percent-encoding or characters that
 * no host name has, no backslash, no number that only some take for an IPv4 address (127.1, 0x7f.1, 0177.0.0.1).
 */
#ifndef FAMILIES_HTTP_URL_H
#define FAMILIES_HTTP_URL_H

#include <weft/bytes.h>

#include "families/http/http_text.h"

/* A URL in parts; slices of its text. */
struct http_url {
    bool secure; /* https */
    uint16_t port;
    weft_bytes userinfo;  /* raw; data NULL if there is none */
    weft_bytes authority; /* host and port as they stand there */
    weft_bytes host;      /* with the brackets of an IPv6 address */
    weft_bytes target;    /* path and query; may be empty or begin with "?" */
};

/* Returns 0, WEFT_EURL, or WEFT_ESCHEME for what is not http or https. */
int http_url_parse(weft_bytes text, struct http_url *ret);

/*
 * Appends the URL in its normal form: scheme and host in lower case, no userinfo, no fragment, no default port, a path.
 * What this writes http_url_parse takes.
 */
void http_url_append(struct http_text *text, const struct http_url *url);

/*
 * Appends what @p reference means to a reader of @p base (RFC 3986 §5.2), without the fragment. Bytes that no URL has
 * (a space, non-ASCII) are percent-encoded, as everybody does with the Location of a redirect; control characters are
 * not, and make the result one that http_url_parse refuses.
 */
void http_url_append_resolved(struct http_text *text, const struct http_url *base, weft_bytes reference);

/* Whether both have one origin: scheme, host and port (RFC 6454 §5). */
bool http_url_same_origin(const struct http_url *a, const struct http_url *b);

/* Appends the userinfo "user:password" decoded, which is what basic authentication sends. Returns 0; WEFT_EURL for a
 * percent-encoding that is none, or of a control character. */
int http_url_append_credentials(struct http_text *text, weft_bytes userinfo);

#endif
