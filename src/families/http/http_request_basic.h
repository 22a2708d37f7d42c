/* SPDX-License-Identifier: MIT */
/* Credentials of basic authentication (RFC 7617). */
#ifndef FAMILIES_HTTP_REQUEST_BASIC_H
#define FAMILIES_HTTP_REQUEST_BASIC_H

#include "families/http/http_text.h"

/*
 * Appends "Basic " and @p user, a colon and @p password in base64.
 * Returns 0; -EINVAL if the user has a colon, or either a control character; WEFT_ENOMEM.
 */
int http_append_basic(struct http_text *text, weft_bytes user, weft_bytes password);

/* Appends @p bytes in base64 (RFC 4648 §4). */
void http_append_base64(struct http_text *text, weft_bytes bytes);

#endif
