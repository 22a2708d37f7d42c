/* SPDX-License-Identifier: MIT */
/* Which content codings a client takes (RFC 9110 §12.5.3), for files that lie there precompressed. */
#ifndef FAMILIES_HTTP_ACCEPT_ENCODING_H
#define FAMILIES_HTTP_ACCEPT_ENCODING_H

#include <weft/bytes.h>

/* The codings, the ones that this server likes better first. */
enum http_coding { HTTP_CODING_BR, HTTP_CODING_ZSTD, HTTP_CODING_GZIP, HTTP_CODING_IDENTITY, HTTP_CODING_COUNT };

/* What the client said of each coding. */
struct http_accept_encoding {
    bool came;                                /* a field was there */
    bool listed[HTTP_CODING_COUNT];           /* it names the coding */
    bool any_listed;                          /* it has a "*" */
    uint16_t quality[HTTP_CODING_COUNT], any; /* in thousandths; 0 refuses */
};

/*
 * Adds one Accept-Encoding field to @accept, which is all zero at first. Members that cannot be read are ignored; of
 * a coding that is named twice the last counts.
 */
void http_accept_encoding_add(struct http_accept_encoding *accept, weft_bytes value);

/*
 * The coding to send, of those whose bit (1 << coding) is set in @available. Identity is always there, and is also
 * sent to a client that refuses everything: a file is better than a refusal (§12.5.3 leaves the choice).
 */
enum http_coding http_accept_encoding_choose(const struct http_accept_encoding *accept, unsigned available);

/* The coding's name in Content-Encoding; NULL for identity, which has none. */
const char *http_coding_name(enum http_coding coding);

/* What a file's name has added when it is compressed so, with its dot: ".gz"; "" for identity. */
const char *http_coding_suffix(enum http_coding coding);

#endif
