/* SPDX-License-Identifier: MIT */
/* A request: what a user calls, and its end (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>

#include "base/options.h"
#include "base/probe.h"

/* -- waiting for a connection -- */

void http_request_queue(weft_http_request *request, bool first)
{
    weft_http_client *client = request->client;

    http_request_enter_phase(request, PHASE_WAIT);
    weft_link_insert_before(first ? client->waiting.next : &client->waiting, &request->place);
    request->flags |= REQUEST_WAITING;
    client->waiting_count++;
    http_client_changed(client);
}

void http_request_unqueue(weft_http_request *request)
{
    if (!(request->flags & REQUEST_WAITING))
        return;
    request->flags &= ~(uint32_t)REQUEST_WAITING;
    weft_link_remove(&request->place);
    request->client->waiting_count--;
}

/* RFC 9110 §9.2.2: doing it twice is as doing it once. */
static bool is_idempotent(weft_bytes method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (weft_bytes_equal(method, weft_bytes_from(methods[i])))
            return true;
    return false;
}

bool http_request_repeat(weft_http_request *request)
{
    if ((request->flags & (REQUEST_OVER | REQUEST_REPEATED | REQUEST_ASKED | REQUEST_ANSWERED)) ||
        !is_idempotent(request->method))
        return false;
    PROBE("http client: a kept connection was dead, and the request is tried again");
    request->flags |= REQUEST_REPEATED;
    weft_counter_increment(&request->client->repeated);
    http_request_queue(request, true);
    return true;
}

/* -- its end -- */

void http_request_enter(weft_http_request *request)
{
    const char *name = request->receiver->ops->name;

    loop_enters(request->client->loop, name ? name : "http receiver");
}

static void reap(struct loop_task *task)
{
    weft_http_request *request = weft_container_of(task, weft_http_request, task);
    weft_http_client *client = request->client;

    http_request_free(request);
    http_client_let_go(client);
}

static void tell_gone(struct loop_task *task)
{
    weft_http_request *request = weft_container_of(task, weft_http_request, task);

    http_request_enter(request);
    request->receiver->ops->gone(request->receiver, request, request->reason);
    request->client->loop->waiting--;
    scope_leave(&request->member);
    request->task.run = reap;
    loop_reap(request->client->loop, &request->task);
}

void http_request_finish(weft_http_request *request, int reason)
{
    struct http_link *link = request->link;

    if (http_request_is_over(request))
        return;
    request->flags |= REQUEST_OVER;
    request->reason = reason;
    http_request_timer_stop(request);
    http_request_unqueue(request);
    weft_link_remove(&request->all);
    if (link) {
        request->link = NULL;
        link->request = NULL;
        http_link_abort(link);
    }
    request->task.run = tell_gone;
    loop_later(request->client->loop, &request->task);
}

void weft_http_request_cancel(weft_http_request *request, int reason)
{
    http_request_finish(request, reason < 0 ? reason : WEFT_ECANCELED);
}

/* -- its beginning -- */

static void cancelled(weft_scope_member *member, int reason)
{
    http_request_finish(weft_container_of(member, weft_http_request, member), reason);
}

static const struct scope_member_class request_class = {.kind = "http request", .cancel = cancelled};

static int find_client(weft_scope *scope, const weft_http_call *call, weft_http_client **ret)
{
    int status = 0;

    if (call->client)
        *ret = call->client;
    else
        status = http_client_default(weft_scope_loop(scope), ret);
    if (status < 0)
        return status;
    return (*ret)->closing ? WEFT_ECANCELED : 0;
}

static int enter(weft_http_request *request, weft_scope *scope)
{
    weft_http_client *client = request->client;
    int status = client->waiting_count >= client->options.waiting ? WEFT_EQUEUE : 0;

    if (status == 0)
        status = http_request_find_host(request);
    if (status == 0)
        status = scope_join(scope, &request->member, &request_class);
    return status;
}

int weft_http_request_start(weft_scope *scope, const weft_http_call *call, weft_http_receiver *receiver,
                            weft_http_request **ret_request)
{
    weft_http_request *request;
    weft_http_client *client;
    weft_http_call known = {0};
    int status = scope ? options_copy(&known, sizeof known, call) : WEFT_ENOMEM;

    if (status == 0 && known.upgrade && !receiver->ops->upgraded)
        status = -EINVAL;
    if (status == 0)
        status = find_client(scope, &known, &client);
    if (status == 0)
        status = http_request_new(client, &known, &request);
    if (status < 0)
        return status;
    status = enter(request, scope);
    if (status < 0) {
        http_request_free(request);
        return status;
    }
    request->receiver = receiver;
    client->alive++;
    client->loop->waiting++;
    weft_link_insert_before(&client->requests, &request->all);
    http_request_timer_init(request, known.total_time);
    http_request_queue(request, false);
    if (ret_request)
        *ret_request = request;
    return 0;
}

/* -- what a user asks for and may know -- */

void weft_http_request_pause(weft_http_request *request)
{
    request->flags |= REQUEST_PAUSED;
    if (!(request->flags & REQUEST_HEADED) || !request->link)
        return;
    weft_stream_pause(request->link->stream);
    http_request_enter_phase(request, PHASE_PAUSED);
}

void weft_http_request_resume(weft_http_request *request)
{
    if ((request->flags & (REQUEST_OVER | REQUEST_PAUSED)) != REQUEST_PAUSED)
        return;
    request->flags &= ~(uint32_t)REQUEST_PAUSED;
    if (!(request->flags & REQUEST_HEADED) || !request->link)
        return;
    http_request_enter_phase(request, PHASE_BODY);
    http_link_resume(request->link);
}

unsigned weft_http_request_status(const weft_http_request *request)
{
    return request->flags & (REQUEST_HEADED | REQUEST_UPGRADED) ? request->status : 0;
}

unsigned weft_http_request_minor(const weft_http_request *request)
{
    return request->minor;
}

weft_bytes weft_http_request_reason(const weft_http_request *request)
{
    return request->kept ? request->reason_phrase : weft_bytes_of(NULL, 0);
}

size_t weft_http_request_field_count(const weft_http_request *request)
{
    return request->fields ? request->field_count : 0;
}

const weft_http_field *weft_http_request_field_at(const weft_http_request *request, size_t index)
{
    return &request->fields[index];
}

weft_bytes weft_http_request_field(const weft_http_request *request, const char *name)
{
    weft_bytes wanted = weft_bytes_from(name);

    for (size_t i = 0; i < weft_http_request_field_count(request); i++)
        if (weft_bytes_equal_nocase(request->fields[i].name, wanted))
            return request->fields[i].value;
    return weft_bytes_of(NULL, 0);
}

size_t weft_http_request_trailer_count(const weft_http_request *request)
{
    return request->trailer_count;
}

const weft_http_field *weft_http_request_trailer_at(const weft_http_request *request, size_t index)
{
    return &request->trailers[index];
}

uint64_t weft_http_request_length(const weft_http_request *request)
{
    return request->response_length;
}

weft_bytes weft_http_request_url(const weft_http_request *request)
{
    return weft_bytes_of(request->url_text, request->url_length);
}

unsigned weft_http_request_redirects(const weft_http_request *request)
{
    return request->redirects;
}

const weft_address *weft_http_request_peer(const weft_http_request *request)
{
    return &request->peer;
}

const char *weft_http_request_problem(const weft_http_request *request)
{
    return request->problem ? request->problem : "";
}
