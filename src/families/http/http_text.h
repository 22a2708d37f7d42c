/* SPDX-License-Identifier: MIT */
/*
 * Text that grows, and bytes of unknown origin written into HTML and URLs.
 */
#ifndef FAMILIES_HTTP_TEXT_H
#define FAMILIES_HTTP_TEXT_H

#include <weft/bytes.h>

/* Bytes that grow. All zero is empty. After a failed allocation it stays as it was, and appending does nothing. */
struct http_text {
    char *data;
    size_t length;
    size_t capacity;
    int error; /* WEFT_ENOMEM from the first failure on: to be looked at once, at the end */
};

/* Makes it empty and gives its memory back. */
void http_text_release(struct http_text *text);

void http_text_append(struct http_text *text, weft_bytes bytes);
void http_text_append_string(struct http_text *text, const char *string);
void http_text_append_number(struct http_text *text, uint64_t number);

/*
 * Appends @bytes as text of HTML or of a quoted attribute. What is not UTF-8, and characters that HTML does not allow
 * (controls and noncharacters), show as U+FFFD.
 */
void http_text_append_html(struct http_text *text, weft_bytes bytes);

/* Appends @bytes as one segment of a URL's path: all but unreserved characters (RFC 3986 §2.3) percent-encoded. */
void http_text_append_segment(struct http_text *text, weft_bytes bytes);

/*
 * The length, 1 to 4, of the character at the front of @bytes, and the character; 0 if there is none in well-formed
 * UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
size_t http_utf8_next(weft_bytes bytes, uint32_t *ret);

/* Whether all of @bytes is well-formed UTF-8. */
bool http_utf8_is_valid(weft_bytes bytes);

#endif
