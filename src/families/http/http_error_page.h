/* SPDX-License-Identifier: MIT */
/*
 * The pages that a server writes by itself: errors and redirects. They are
 * constant for a status: nothing of the request is in them, so nothing can be
 * reflected to its reader.
 */
#ifndef FAMILIES_HTTP_ERROR_PAGE_H
#define FAMILIES_HTTP_ERROR_PAGE_H

#include <weft/bytes.h>

/* The Content-Security-Policy to send with it. */
extern const char http_error_page_policy[];

/* Room for any of the pages. */
enum { HTTP_ERROR_PAGE_ROOM = 1536 };

/* The reason phrase of @status (RFC 9110 §15); of an unknown one that of its class, x00 (§15). A constant. */
weft_bytes http_status_reason(unsigned status);

/* Writes the page for @status, which is text/html in UTF-8. Allocates nothing. Returns the length. */
size_t http_error_page(unsigned status, char out[HTTP_ERROR_PAGE_ROOM]);

#endif
