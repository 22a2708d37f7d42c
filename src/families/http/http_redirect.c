/* SPDX-License-Identifier: MIT */
/* Where a redirect leads, and what it may take along (RFC 9110 §15.4). */
#include "families/http/http_client.h"

#include <weft/memory.h>

static bool is_redirect_status(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool http_redirect_is_one(const weft_http_request *request)
{
    return is_redirect_status(request->status) && !(request->flags & REQUEST_KEEP_REDIRECTS) &&
           weft_http_request_field(request, "Location").data;
}

/* §15.4.4: 303 asks for a GET of something else. §15.4.2, §15.4.3: 301 and 302 do, to everybody, after a POST. */
bool http_redirect_changes_method(unsigned status, weft_bytes method)
{
    if (status == 303)
        return !weft_bytes_equal(method, weft_bytes_from("GET")) && !weft_bytes_equal(method, weft_bytes_from("HEAD"));
    return (status == 301 || status == 302) && weft_bytes_equal(method, weft_bytes_from("POST"));
}

/* Two of them leave open which is meant. */
static int location(const weft_http_request *request, weft_bytes *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < request->field_count; i++)
        if (weft_bytes_equal_nocase(request->fields[i].name, weft_bytes_from("Location"))) {
            *ret = request->fields[i].value;
            count++;
        }
    return count == 1 ? 0 : WEFT_EPROTOCOL;
}

/* Without a body, and the fields that were about it (§15.4: "Content-*"). */
static void become_get(weft_http_request *request)
{
    char *data = (char *)(uintptr_t)request->lines.data, *to = data;
    weft_bytes rest = request->lines;

    request->method = weft_bytes_from("GET");
    request->body = weft_bytes_of(NULL, 0);
    request->length = 0;
    if (request->flags & REQUEST_STREAMED)
        request->flags |= REQUEST_NO_BODY;
    request->flags &= ~(uint32_t)(REQUEST_STREAMED | REQUEST_CHUNKED | REQUEST_EXPECT | REQUEST_ASKED);
    while (rest.length > 0) {
        weft_bytes line = weft_bytes_first(rest, weft_bytes_find(rest, '\n') + 1);

        if (!weft_bytes_equal_nocase(weft_bytes_first(line, 8), weft_bytes_from("Content-"))) {
            memmove(to, line.data, line.length);
            to += line.length;
        }
        rest = weft_bytes_skip(rest, line.length);
    }
    request->lines.length = (size_t)(to - data);
}

/* Writes the URL that is meant in its normal form. */
static int resolve(weft_http_request *request, struct http_text *ret, bool *ret_same)
{
    struct http_text text = {0};
    struct http_url url;
    weft_bytes reference;
    int status = location(request, &reference);

    if (status < 0) {
        request->problem = "Location comes twice";
        return status;
    }
    http_url_append_resolved(&text, &request->url, reference);
    status = text.error < 0 ? text.error : http_url_parse(weft_bytes_of(text.data, text.length), &url);
    if (status == 0) {
        *ret_same = http_url_same_origin(&request->url, &url);
        if (request->url.secure && !url.secure)
            status = WEFT_EREDIRECT;
        http_url_append(ret, &url);
    }
    http_text_release(&text);
    if (status == WEFT_EURL || status == WEFT_ESCHEME) {
        request->problem =
            status == WEFT_EURL ? "the Location is no URL" : "the Location's scheme is not http or https";
        status = WEFT_EREDIRECT;
    }
    return status;
}

int http_redirect_follow(weft_http_request *request)
{
    struct http_text url = {0};
    unsigned status_code = request->status;
    bool same = false;
    int status;

    if (request->redirects >= request->redirects_most)
        return WEFT_EREDIRECTS;
    status = resolve(request, &url, &same);
    if (status == 0) {
        if (http_redirect_changes_method(status_code, request->method))
            become_get(request);
        if (request->flags & REQUEST_ASKED)
            status = WEFT_EREPEAT;
    }
    if (status == 0)
        status = http_request_set_url(request, &url);
    http_text_release(&url);
    if (status < 0)
        return status;
    if (!same) /* once left, they are not sent again, even if another redirect leads back */
        request->flags &= ~(uint32_t)REQUEST_SECRETS;
    request->flags &= ~(uint32_t)(REQUEST_REDIRECT | REQUEST_REPEATED);
    request->redirects++;
    http_response_reset(request);
    return http_request_find_host(request);
}
