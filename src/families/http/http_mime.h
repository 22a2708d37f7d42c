/* SPDX-License-Identifier: MIT */
/* The media type of a file, by its name. */
#ifndef FAMILIES_HTTP_MIME_H
#define FAMILIES_HTTP_MIME_H

#include <weft/bytes.h>

/*
 * The value of Content-Type for a file called @name (the last segment of a path), with "charset=utf-8" where the type
 * is text. What nobody knows is application/octet-stream. A constant.
 */
weft_bytes http_mime_type(weft_bytes name);

#endif
