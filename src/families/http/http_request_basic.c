/* SPDX-License-Identifier: MIT */
#include "families/http/http_request_basic.h"

#include <weft/error.h>
#include <weft/secret.h>

void http_append_base64(struct http_text *text, weft_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    while (bytes.length > 0) {
        size_t count = bytes.length < 3 ? bytes.length : 3;
        uint32_t group = 0;
        char out[4] = {'=', '=', '=', '='};

        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < count ? (unsigned char)bytes.data[i] : 0);
        for (size_t i = 0; i <= count; i++)
            out[i] = digits[group >> (18 - 6 * i) & 63];
        http_text_append(text, weft_bytes_of(out, 4));
        bytes = weft_bytes_skip(bytes, count);
    }
}

/* RFC 7617 §2: neither may hold a control character, and the user no colon. */
static bool is_part(weft_bytes bytes, bool user)
{
    for (size_t i = 0; i < bytes.length; i++)
        if ((unsigned char)bytes.data[i] < 0x20 || bytes.data[i] == 0x7f || (user && bytes.data[i] == ':'))
            return false;
    return true;
}

int http_append_basic(struct http_text *text, weft_bytes user, weft_bytes password)
{
    struct http_text pair = {0};
    int status;

    if (!is_part(user, true) || !is_part(password, false))
        return -EINVAL;
    http_text_append(&pair, user);
    http_text_append_string(&pair, ":");
    http_text_append(&pair, password);
    http_text_append_string(text, "Basic ");
    http_append_base64(text, weft_bytes_of(pair.data, pair.length));
    status = pair.error < 0 ? pair.error : text->error;
    weft_secret_clear(pair.data, pair.length);
    http_text_release(&pair);
    return status;
}
