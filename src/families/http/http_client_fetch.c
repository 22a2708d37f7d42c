/* SPDX-License-Identifier: MIT */
/* The short form: a whole response, as a deferred. */
#include "families/http/http_client.h"

#include <weft/memory.h>

#include "base/options.h"

#define BODY_LIMIT (16 * 1024 * 1024)
#define TOTAL_TIME WEFT_MINUTES(5)
/* What a response announces is believed up to here before it has come. */
#define BELIEVED (256 * 1024)

/* A response in its scope. */
struct fetched {
    weft_http_response response;
    weft_scope_member member;
    char *kept, *body;
    char url[];
};

struct fetch {
    weft_http_receiver receiver;
    weft_http_request *request;
    weft_deferred *deferred; /* NULL once it was cancelled */
    weft_scope *scope;
    char *body;
    size_t length, room;
};

/* -- a response -- */

static void fetched_free(struct fetched *fetched)
{
    for (size_t i = 0; i < fetched->response.trailer_count; i++)
        weft_release((void *)(uintptr_t)fetched->response.trailers[i].name.data);
    weft_release((void *)(uintptr_t)fetched->response.trailers);
    weft_release(fetched->kept);
    weft_release(fetched->body);
    weft_release(fetched);
}

/* It lives as long as its scope is open: a cancellation leaves it to whoever looks at it. */
static void scope_ended(weft_scope_member *member, int reason)
{
    struct fetched *fetched = weft_container_of(member, struct fetched, member);

    (void)reason;
    if (!member->scope->closing)
        return;
    scope_leave(member);
    fetched_free(fetched);
}

static const struct scope_member_class fetched_class = {.kind = "http response", .idle = true, .cancel = scope_ended};

/* What the request and the fetch hold becomes the response's. */
static struct fetched *make_response(struct fetch *fetch)
{
    weft_http_request *request = fetch->request;
    struct fetched *fetched = weft_allocate_zeroed(1, sizeof *fetched + request->url_length + 1);

    if (!fetched)
        return NULL;
    memcpy(fetched->url, request->url_text, request->url_length);
    fetched->response = (weft_http_response){
        .status = request->status,
        .minor = request->minor,
        .reason = request->reason_phrase,
        .body = weft_bytes_of(fetch->body ? fetch->body : "", fetch->length),
        .url = weft_bytes_of(fetched->url, request->url_length),
        .fields = request->fields,
        .field_count = request->field_count,
        .trailers = request->trailers,
        .trailer_count = request->trailer_count,
        .redirects = request->redirects,
    };
    fetched->kept = request->kept;
    fetched->body = fetch->body;
    request->kept = NULL;
    request->fields = request->trailers = NULL;
    request->field_count = request->trailer_count = 0;
    fetch->body = NULL;
    return fetched;
}

weft_bytes weft_http_response_field(const weft_http_response *response, const char *name)
{
    weft_bytes wanted = weft_bytes_from(name);

    for (size_t i = 0; i < response->field_count; i++)
        if (weft_bytes_equal_nocase(response->fields[i].name, wanted))
            return response->fields[i].value;
    return weft_bytes_of(NULL, 0);
}

/* -- the end -- */

static weft_failure *story(const struct fetch *fetch, int reason)
{
    const weft_http_request *request = fetch->request;
    const char *problem = weft_http_request_problem(request);
    weft_failure *cause = NULL;

    if (*problem)
        cause = weft_failure_new(reason, NULL, "%s", problem);
    return weft_failure_make(reason, __FILE__, __LINE__, cause, "%.*s %.*s", (int)request->method.length,
                             request->method.data, (int)request->url_length, request->url_text);
}

static int succeed(struct fetch *fetch)
{
    struct fetched *fetched = make_response(fetch);
    weft_http_reply reply = {.deferred = fetch->deferred};
    int status;

    if (!fetched)
        return WEFT_ENOMEM;
    status = scope_join(fetch->scope, &fetched->member, &fetched_class);
    if (status < 0) {
        fetched_free(fetched);
        return status;
    }
    fetch->deferred = NULL;
    (void)weft_fire(reply, &fetched->response);
    return 0;
}

static void gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct fetch *fetch = weft_container_of(receiver, struct fetch, receiver);

    (void)request;
    if (fetch->deferred && reason == 0)
        reason = succeed(fetch);
    if (fetch->deferred) {
        weft_deferred *deferred = fetch->deferred;
        fetch->deferred = NULL;
        (void)weft_deferred_fail_with(deferred, story(fetch, reason));
    }
    weft_release(fetch->body);
    weft_release(fetch);
}

static void cancelled(weft_deferred *deferred, int reason, void *arg)
{
    struct fetch *fetch = arg;

    (void)deferred;
    fetch->deferred = NULL;
    if (fetch->request)
        weft_http_request_cancel(fetch->request, reason);
}

/* -- the body -- */

static int grow(struct fetch *fetch, size_t more)
{
    uint64_t announced = weft_http_request_length(fetch->request);
    size_t needed = fetch->length + more + 1, room = fetch->room;
    char *grown;

    if (needed <= room)
        return 0;
    if (room == 0 && !fetch->request->decode && announced <= BELIEVED)
        room = (size_t)announced + 1;
    while (room < needed)
        room = room < 512 ? 1024 : room * 2;
    grown = weft_reallocate(fetch->body, room);
    if (!grown)
        return WEFT_ENOMEM;
    fetch->body = grown;
    fetch->room = room;
    return 0;
}

static void body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct fetch *fetch = weft_container_of(receiver, struct fetch, receiver);

    if (grow(fetch, bytes.length) < 0) {
        weft_http_request_cancel(request, WEFT_ENOMEM);
        return;
    }
    memcpy(fetch->body + fetch->length, bytes.data, bytes.length);
    fetch->length += bytes.length;
    fetch->body[fetch->length] = '\0';
}

static const weft_http_receiver_ops ops = {.name = "http fetch", .body = body, .gone = gone};

/* -- the beginning -- */

static int start(struct fetch *fetch, weft_scope *scope, const weft_http_call *call)
{
    weft_http_call known = {0};
    int status = options_copy(&known, sizeof known, call);

    if (status < 0)
        return status;
    if (known.streamed || known.upgrade)
        return -EINVAL;
    known.body_limit = known.body_limit ? known.body_limit : BODY_LIMIT;
    known.total_time = known.total_time ? known.total_time : TOTAL_TIME;
    fetch->receiver.ops = &ops;
    fetch->scope = scope;
    return weft_http_request_start(scope, &known, &fetch->receiver, &fetch->request);
}

/* The story of a fetch that did not begin. What stands before an @ in a URL may be a password. */
static weft_failure *story_before(const weft_http_call *call, int error)
{
    const char *url = call->size && call->url ? call->url : "", *host = strstr(url, "://"), *at = NULL;

    host = host ? host + 3 : url;
    for (const char *p = host; *p && !strchr("/?#", *p); p++)
        if (*p == '@')
            at = p + 1;
    if (!at)
        return weft_failure_new(error, NULL, "%s", strchr(url, '@') ? "a URL" : url);
    return weft_failure_new(error, NULL, "%.*s...@%s", (int)(host - url), url, at);
}

weft_deferred *weft_http_fetch_at(weft_scope *scope, const weft_http_call *call, weft_place place)
{
    struct fetch *fetch = scope ? weft_allocate_zeroed(1, sizeof *fetch) : NULL;
    weft_deferred *deferred;
    int status;

    if (!fetch)
        return NULL;
    deferred = weft_deferred_make(scope, &weft_http_reply_type_, 0, cancelled, fetch, place);
    if (!deferred || weft_deferred_fired(deferred)) { /* its scope was cancelled */
        weft_release(fetch);
        return deferred;
    }
    status = start(fetch, scope, call);
    if (status < 0) {
        weft_release(fetch);
        (void)weft_deferred_fail_with(deferred, story_before(call, status));
        return deferred;
    }
    fetch->deferred = deferred;
    return deferred;
}

weft_deferred *weft_http_get_at(weft_scope *scope, const char *url, weft_place place)
{
    weft_http_call call = {.size = sizeof call, .url = url};

    return weft_http_fetch_at(scope, &call, place);
}
