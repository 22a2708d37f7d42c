/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Bodies of HTML forms: what a browser sends when one is submitted.
 */
#ifndef WEFT_HTTP_FORM_H
#define WEFT_HTTP_FORM_H

#include <weft/http_client.h>

WEFT_BEGIN_DECLS

/** A field of a form; *borrowed* during the call. */
typedef struct weft_http_form_field {
    weft_bytes name;
    weft_bytes value;     /**< may hold any byte */
    weft_bytes file_name; /**< multipart only: says that it is a file; empty: it is none */
    const char *type; /**< multipart only: its media type; NULL: none for text, application/octet-stream for a file */
} weft_http_form_field;

/** A body, and the Content-Type to send it with. */
typedef struct weft_http_form {
    weft_bytes body;         /**< *until* weft_http_form_fini */
    weft_bytes content_type; /**< the same */
    char type[96];           /**< private */
} weft_http_form;

/**
 * Makes a body of `application/x-www-form-urlencoded` (WHATWG URL §5).
 * @param[out] ret_form  *returned*: the caller calls weft_http_form_fini
 * @return 0; -EINVAL if a field is a file; WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_http_form_encode(const weft_http_form_field *fields, size_t count,
                                                  weft_http_form *ret_form);
/**
 * Makes a body of `multipart/form-data` (RFC 7578), with a boundary that nobody can guess.
 * @return as weft_http_form_encode; -EINVAL for a type that cannot be sent; an error of the system if it gives no
 *         random bytes
 */
WEFT_API WEFT_NODISCARD int weft_http_form_multipart(weft_loop *loop, const weft_http_form_field *fields, size_t count,
                                                     weft_http_form *ret_form);
/** Frees a body. */
WEFT_API void weft_http_form_fini(weft_http_form *form);

WEFT_END_DECLS

#endif
