/* SPDX-License-Identifier: MIT */
/* The page that shows what is in a folder: one document, without script, for any width, light and dark. */
#ifndef FAMILIES_HTTP_LISTING_H
#define FAMILIES_HTTP_LISTING_H

#include <weft/bytes.h>

#include "families/http/http_text.h"

/* The Content-Security-Policy to send with it: nothing is loaded, run, embedded or submitted. */
extern const char http_listing_policy[];

struct http_listing_entry {
    weft_bytes name; /* any bytes; not "." or ".." */
    bool is_directory;
    uint64_t size;    /* of a file */
    int64_t modified; /* in seconds since 1970 */
};

enum http_listing_key { HTTP_LISTING_BY_NAME, HTTP_LISTING_BY_SIZE, HTTP_LISTING_BY_TIME };

struct http_listing_order {
    enum http_listing_key key;
    bool descending;
};

/* The order that a query ("sort=size&order=desc") asks for; what it does not say, or says wrongly, is the usual. */
struct http_listing_order http_listing_order_of(weft_bytes query);

struct http_listing {
    weft_bytes path; /* of the folder below the root, decoded, no slash at either end; empty for the root */
    struct http_listing_entry *entries;
    size_t count;
    bool left_out; /* there are more entries */
    bool hidden;   /* names that begin with a dot can be requested */
    struct http_listing_order order;
};

/*
 * Brings the entries into the listing's order: folders first, then by its key, then by name. In names digits count as
 * numbers (2 before 10), and letters of either case are the same unless nothing else differs. Allocates nothing.
 */
void http_listing_sort(struct http_listing *listing);

/*
 * Appends the page, in UTF-8. The entries are in order. Names that cannot be requested (http_path_is_reachable) are
 * shown without a link.
 *
 * Returns 0, or WEFT_ENOMEM (then @page is incomplete).
 */
int http_listing_write(struct http_text *page, const struct http_listing *listing);

/*
 * The same in pieces: appends whole rows until @page has @enough bytes, or all of it is written. *@next says where to
 * go on: 0 at first, and as it was left from then on.
 *
 * Returns 1 if there is more, 0 if that was the end, or WEFT_ENOMEM.
 */
int http_listing_write_on(struct http_text *page, const struct http_listing *listing, size_t enough, size_t *next);

/* How long the page is: writes it, a piece at a time. Returns 0 or WEFT_ENOMEM. */
int http_listing_length(const struct http_listing *listing, uint64_t *ret_length);

#endif
