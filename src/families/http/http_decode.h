/* SPDX-License-Identifier: MIT */
/* The content codings that a client undoes: gzip (RFC 1952) and deflate (RFC 1950, and RFC 1951, which many send). */
#ifndef FAMILIES_HTTP_DECODE_H
#define FAMILIES_HTTP_DECODE_H

#include <weft/bytes.h>

enum http_coding { HTTP_CODING_NONE, HTTP_CODING_GZIP, HTTP_CODING_DEFLATE, HTTP_CODING_UNKNOWN };

/* What a Content-Encoding says: one coding at most. More than one is UNKNOWN: nobody needs it but who wants to be
 * expensive. */
enum http_coding http_coding_of(weft_bytes value);

struct http_decode;

/* NULL if memory is short. @p expansion: times what came, after the first MiB. */
struct http_decode *http_decode_new(enum http_coding coding, size_t expansion);
/* NULL does nothing. */
void http_decode_free(struct http_decode *decode);

/*
 * Decodes the front of @p in, which is advanced.
 * @p ret is the next decoded bytes, *until* the next call.
 * Returns 1 if there are some; 0 if more input is needed, and @p in is empty; WEFT_ECODING, WEFT_EEXPANSION or
 * WEFT_ENOMEM.
 */
int http_decode_next(struct http_decode *decode, weft_bytes *in, weft_bytes *ret);
/* The body has ended. Returns 0, or WEFT_ETRUNCATED if the coding has not. */
int http_decode_end(const struct http_decode *decode);

#endif
