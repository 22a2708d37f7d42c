/* SPDX-License-Identifier: MIT */
/* What a user asks for is checked, and copied (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>
#include <weft/secret.h>

#include "base/options.h"
#include "families/http/http_request_basic.h"

#define REDIRECTS 10
#define EXPANSION 200

/* What a request is made of while it is checked. */
struct draft {
    const weft_http_call *call;
    weft_http_request *request;
    struct http_text url, lines, secret_lines;
    bool authorized; /* an Authorization is there already */
};

static bool is_one_of(weft_bytes name, const char *const *names)
{
    for (; *names; names++)
        if (weft_bytes_equal_nocase(name, weft_bytes_from(*names)))
            return true;
    return false;
}

/* -- fields -- */

/* For these the client is responsible: they say where the message ends and what the connection is for. */
static bool is_reserved(weft_bytes name)
{
    static const char *const names[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer",
                                        "TE",   "Expect",         "Upgrade",           "Keep-Alive", "Proxy-Connection",
                                        NULL};

    return is_one_of(name, names);
}

static bool is_secret(weft_bytes name)
{
    static const char *const names[] = {"Authorization", "Cookie", "Proxy-Authorization", NULL};

    return is_one_of(name, names);
}

static int append_line(struct http_text *text, weft_bytes name, weft_bytes value)
{
    if (!weft_http1_is_token(name) || !weft_http1_is_value(value))
        return -EINVAL;
    http_text_append(text, name);
    http_text_append_string(text, ": ");
    http_text_append(text, value);
    http_text_append_string(text, "\r\n");
    return text->error;
}

static void note_field(struct draft *draft, weft_bytes name)
{
    static const char *const codings[] = {"Accept-Encoding", "Range", NULL};

    if (weft_bytes_equal_nocase(name, weft_bytes_from("User-Agent")))
        draft->request->flags |= REQUEST_OWN_AGENT;
    if (is_one_of(name, codings)) /* a range of a coded body would be of the coded bytes */
        draft->request->flags |= REQUEST_OWN_CODINGS;
    if (weft_bytes_equal_nocase(name, weft_bytes_from("Authorization")))
        draft->authorized = true;
}

static int add_fields(struct draft *draft, const weft_http_field *fields, size_t count, bool secret)
{
    for (size_t i = 0; i < count; i++) {
        bool own = secret || is_secret(fields[i].name);
        int status;

        if (is_reserved(fields[i].name))
            return -EINVAL;
        note_field(draft, fields[i].name);
        status = append_line(own ? &draft->secret_lines : &draft->lines, fields[i].name, fields[i].value);
        if (status < 0)
            return status;
    }
    return 0;
}

/* -- credentials -- */

static int add_basic(struct draft *draft, weft_bytes user, weft_bytes password)
{
    int status;

    if (draft->authorized)
        return -EINVAL;
    http_text_append_string(&draft->secret_lines, "Authorization: ");
    status = http_append_basic(&draft->secret_lines, user, password);
    http_text_append_string(&draft->secret_lines, "\r\n");
    return status < 0 ? status : draft->secret_lines.error;
}

/* user:password of the URL, of which either may be missing. */
static int add_url_credentials(struct draft *draft, weft_bytes userinfo)
{
    struct http_text user = {0}, password = {0};
    size_t colon = weft_bytes_find(userinfo, ':');
    int status;

    if (!draft->call->url_credentials)
        return WEFT_EURL;
    status = http_url_append_credentials(&user, weft_bytes_first(userinfo, colon));
    if (status == 0 && colon != SIZE_MAX)
        status = http_url_append_credentials(&password, weft_bytes_skip(userinfo, colon + 1));
    if (status == 0)
        status = add_basic(draft, weft_bytes_of(user.data, user.length), weft_bytes_of(password.data, password.length));
    weft_secret_clear(password.data, password.length);
    http_text_release(&password);
    http_text_release(&user);
    return status;
}

static int add_credentials(struct draft *draft, weft_bytes userinfo)
{
    const weft_http_call *call = draft->call;

    if (call->user)
        return userinfo.data ? WEFT_EURL
                             : add_basic(draft, weft_bytes_from(call->user), weft_bytes_from(call->password));
    return userinfo.data ? add_url_credentials(draft, userinfo) : 0;
}

/* -- the rest -- */

static const char *method_of(const weft_http_call *call)
{
    if (call->method)
        return call->method;
    return call->streamed || call->body.length > 0 ? "POST" : "GET";
}

static int check_method(weft_bytes method)
{
    if (!weft_http1_is_token(method) || weft_bytes_equal(method, weft_bytes_from("CONNECT")))
        return -EINVAL;
    return 0;
}

static int check_call(const weft_http_call *call)
{
    if (!call->url)
        return WEFT_EURL;
    if (call->streamed && call->body.length > 0)
        return -EINVAL;
    if (call->upgrade && !weft_http1_is_token(weft_bytes_from(call->upgrade)))
        return -EINVAL;
    return check_method(weft_bytes_from(method_of(call)));
}

static uint32_t flags_of(const weft_http_call *call)
{
    return REQUEST_SECRETS | (call->streamed ? REQUEST_STREAMED : 0u) |
           (call->streamed && call->length == WEFT_HTTP_LENGTH_UNKNOWN ? REQUEST_CHUNKED : 0u) |
           (call->expect && (call->streamed || call->body.length > 0) ? REQUEST_EXPECT : 0u) |
           (call->raw ? REQUEST_RAW : 0u) | (call->keep_redirects ? REQUEST_KEEP_REDIRECTS : 0u);
}

static weft_bytes put(char **at, weft_bytes bytes)
{
    weft_bytes copy = weft_bytes_of(*at, bytes.length);

    if (bytes.length > 0)
        memcpy(*at, bytes.data, bytes.length);
    *at += bytes.length;
    return copy;
}

static weft_http_request *allocate(weft_http_client *client, const weft_http_call *call)
{
    weft_bytes method = weft_bytes_from(method_of(call)), through = weft_bytes_from(call->through),
               upgrade = weft_bytes_from(call->upgrade);
    size_t fixed = sizeof(weft_http_request) + method.length + through.length + upgrade.length;
    weft_http_request *request = call->body.length < SIZE_MAX / 2 ? weft_allocate(fixed + call->body.length) : NULL;
    char *at;

    if (!request)
        return NULL;
    memset(request, 0, sizeof *request);
    at = (char *)(request + 1);
    request->method = put(&at, method);
    request->through = put(&at, through);
    request->upgrade = put(&at, upgrade);
    request->body = put(&at, call->body);
    request->client = client;
    weft_link_init(&request->place);
    weft_link_init(&request->all);
    request->flags = flags_of(call);
    request->length = call->streamed ? call->length : call->body.length;
    request->redirects_most = call->redirects ? call->redirects : REDIRECTS;
    request->body_limit = call->body_limit ? call->body_limit : UINT64_MAX;
    request->expansion = call->expansion ? call->expansion : EXPANSION;
    request->response_length = WEFT_HTTP_LENGTH_UNKNOWN;
    if (weft_bytes_equal(method, weft_bytes_from("HEAD")))
        request->flags |= REQUEST_HEAD_METHOD;
    return request;
}

/* The memory of @p text, with a zero byte behind it, becomes the caller's. */
static char *take(struct http_text *text)
{
    char *data = weft_reallocate(text->data, text->length + 1);

    if (!data)
        return NULL;
    data[text->length] = '\0';
    text->data = NULL;
    return data;
}

int http_request_set_url(weft_http_request *request, struct http_text *text)
{
    size_t length = text->length;
    char *data = text->error < 0 ? NULL : take(text);

    if (!data)
        return WEFT_ENOMEM;
    weft_release(request->url_text);
    request->url_text = data;
    request->url_length = length;
    return http_url_parse(weft_bytes_of(data, length), &request->url);
}

static int take_lines(struct http_text *text, weft_bytes *ret)
{
    size_t length = text->length;
    char *data;

    if (length == 0)
        return 0;
    data = take(text);
    if (!data)
        return WEFT_ENOMEM;
    *ret = weft_bytes_of(data, length);
    return 0;
}

static int fill(struct draft *draft)
{
    const weft_http_call *call = draft->call;
    struct http_url url;
    int status = http_url_parse(weft_bytes_from(call->url), &url);

    if (status == 0)
        status = add_fields(draft, call->fields, call->field_count, false);
    if (status == 0)
        status = add_fields(draft, call->secrets, call->secret_count, true);
    if (status == 0)
        status = add_credentials(draft, url.userinfo);
    if (status < 0)
        return status;
    http_url_append(&draft->url, &url);
    status = http_request_set_url(draft->request, &draft->url);
    if (status == 0)
        status = take_lines(&draft->lines, &draft->request->lines);
    if (status == 0)
        status = take_lines(&draft->secret_lines, &draft->request->secret_lines);
    return status;
}

int http_request_new(weft_http_client *client, const weft_http_call *call, weft_http_request **ret)
{
    weft_http_call known = {0};
    struct draft draft = {.call = &known};
    int status = options_copy(&known, sizeof known, call);

    if (status == 0)
        status = check_call(&known);
    if (status < 0)
        return status;
    draft.request = allocate(client, &known);
    if (!draft.request)
        return WEFT_ENOMEM;
    status = fill(&draft);
    weft_secret_clear(draft.secret_lines.data, draft.secret_lines.data ? draft.secret_lines.length : 0);
    http_text_release(&draft.url);
    http_text_release(&draft.lines);
    http_text_release(&draft.secret_lines);
    if (status < 0)
        http_request_free(draft.request);
    else
        *ret = draft.request;
    return status;
}

void http_request_free(weft_http_request *request)
{
    if (request->host)
        http_pool_host_unref(request->host);
    http_response_reset(request);
    weft_secret_clear((void *)(uintptr_t)request->secret_lines.data, request->secret_lines.length);
    weft_release((void *)(uintptr_t)request->secret_lines.data);
    weft_release((void *)(uintptr_t)request->lines.data);
    weft_release(request->url_text);
    weft_release(request->story);
    weft_release(request);
}

int http_request_find_host(weft_http_request *request)
{
    struct http_pool_key key = {
        .secure = request->url.secure,
        .host = request->url.host,
        .port = request->url.port,
        .family = (uint32_t)request->client->options.family,
        .through = request->through,
    };
    struct http_pool_host *host = http_pool_host_ref(&request->client->pool, &key);

    if (!host)
        return WEFT_ENOMEM;
    if (request->host)
        http_pool_host_unref(request->host);
    request->host = host;
    return 0;
}
