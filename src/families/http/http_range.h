/* SPDX-License-Identifier: MIT */
/*
 * Parts of a representation (RFC 9110 §14): the Range field read, Content-Range
 * and multipart/byteranges written.
 *
 * A client that asks for the same bytes many times over makes a server send
 * more than it has (CVE-2011-3192): more than HTTP_RANGES_MAX ranges, or ranges
 * that overlap, are treated as no Range field at all (§14.2 allows to ignore it).
 */
#ifndef FAMILIES_HTTP_RANGE_H
#define FAMILIES_HTTP_RANGE_H

#include <weft/bytes.h>

enum { HTTP_RANGES_MAX = 16 };

/* Part of a representation; never empty. */
struct http_range {
    uint64_t first;
    uint64_t length;
};

struct http_ranges {
    size_t count;
    struct http_range items[HTTP_RANGES_MAX]; /* in the order in which they were asked for */
};

enum http_range_result {
    HTTP_RANGE_NONE = 200,         /* answer with the whole: no usable range was asked for */
    HTTP_RANGE_PARTIAL = 206,      /* answer with these ranges */
    HTTP_RANGE_UNSATISFIABLE = 416 /* none of the ranges has a byte of the representation */
};

/*
 * Reads the value of a Range field, for a representation of @size bytes.
 *
 * Call it for GET only (§14.2), and not if the field came more than once.
 * @ret  set on HTTP_RANGE_PARTIAL only
 */
enum http_range_result http_range_parse(weft_bytes value, uint64_t size, struct http_ranges *ret);

/* Room for a Content-Range's value. */
enum { HTTP_CONTENT_RANGE_ROOM = 72 };

/* Writes "bytes FIRST-LAST/SIZE", or "bytes * /SIZE" (without the space) if @range is NULL. Returns the length. */
size_t http_range_content(const struct http_range *range, uint64_t size, char out[HTTP_CONTENT_RANGE_ROOM]);

/* A body of type multipart/byteranges (§14.6): each part's head and bytes, one after the other, then the tail. */
struct http_multipart {
    const struct http_ranges *ranges;
    uint64_t size;           /* of the whole representation */
    weft_bytes content_type; /* of the whole representation; at most HTTP_MULTIPART_TYPE_MAX bytes, valid as a field */
    char boundary[33];       /* by http_multipart_boundary */
};

enum { HTTP_MULTIPART_TYPE_MAX = 256, HTTP_MULTIPART_ROOM = 512 };

/* Makes the boundary from 128 random bits, so that nobody can put it into a file beforehand. */
void http_multipart_boundary(struct http_multipart *multipart, uint64_t high, uint64_t low);

/* Writes the value of Content-Type. Returns the length. */
size_t http_multipart_type(const struct http_multipart *multipart, char out[HTTP_MULTIPART_ROOM]);

/* Writes what comes before the bytes of part @index. Returns the length. */
size_t http_multipart_head(const struct http_multipart *multipart, size_t index, char out[HTTP_MULTIPART_ROOM]);

/* Writes what comes after the last part. Returns the length. */
size_t http_multipart_tail(const struct http_multipart *multipart, char out[HTTP_MULTIPART_ROOM]);

/* The length of the whole body, exactly. 0, or -ERANGE if it is more than INT64_MAX. */
int http_multipart_length(const struct http_multipart *multipart, uint64_t *ret);

#endif
