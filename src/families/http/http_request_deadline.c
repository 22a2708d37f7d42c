/* SPDX-License-Identifier: MIT */
/*
 * A request's one timer. It is set to the nearest of what the request waits for, or before: a deadline that moves away
 * is found out when the timer fires, so that a byte costs no timer.
 */
#include "families/http/http_client.h"

static weft_time after(weft_time since, weft_time time)
{
    return time >= WEFT_NEVER - since ? WEFT_NEVER : since + time;
}

static weft_time now_of(const weft_http_request *request)
{
    return weft_loop_now(request->client->loop);
}

static weft_time time_of(const weft_http_request *request, enum http_phase phase)
{
    const weft_http_client_options *options = &request->client->options;

    switch (phase) {
    case PHASE_WAIT:
        return options->wait_time;
    case PHASE_NAME:
        return options->name_time;
    case PHASE_CONTINUE:
        return options->continue_time;
    case PHASE_HEAD:
        return options->head_time;
    case PHASE_BODY:
        return options->body_time;
    case PHASE_CONNECT: /* the stream watches these two */
    case PHASE_SEND:
    case PHASE_PAUSED:
        break;
    }
    return WEFT_NEVER;
}

static int error_of(enum http_phase phase)
{
    switch (phase) {
    case PHASE_WAIT:
        return WEFT_EWAITTIME;
    case PHASE_NAME:
        return WEFT_ENAMETIME;
    case PHASE_HEAD:
        return WEFT_EHEADTIME;
    default:
        return WEFT_EBODYTIME;
    }
}

static void arm(weft_http_request *request)
{
    weft_time due = request->phase_due < request->total_due ? request->phase_due : request->total_due;

    if (due == WEFT_NEVER || (wheel_entry_active(&request->timer) && (request->timer.due & ~WHEEL_KIND) <= due))
        return;
    loop_timer_start(request->client->loop, &request->timer, due - now_of(request));
}

void http_request_enter_phase(weft_http_request *request, enum http_phase phase)
{
    request->phase = phase;
    request->phase_due = after(now_of(request), time_of(request, phase));
    arm(request);
}

void http_request_touch(weft_http_request *request)
{
    if (request->phase == PHASE_BODY)
        request->phase_due = after(now_of(request), request->client->options.body_time);
}

static void fired(weft_timer_entry *entry)
{
    weft_http_request *request = weft_container_of(entry, weft_http_request, timer);
    weft_time now = now_of(request);

    loop_enters(request->client->loop, "http client");
    if (request->total_due <= now)
        http_request_finish(request, WEFT_ETOTALTIME);
    else if (request->phase_due > now)
        arm(request);
    else if (request->phase == PHASE_CONTINUE)
        http_request_go_on(request);
    else
        http_request_finish(request, error_of(request->phase));
    if (!http_request_is_over(request))
        arm(request);
}

void http_request_timer_init(weft_http_request *request, weft_time total_time)
{
    wheel_entry_init(&request->timer, fired);
    request->total_due = total_time ? after(now_of(request), total_time) : WEFT_NEVER;
}

void http_request_timer_stop(weft_http_request *request)
{
    wheel_stop(&request->client->loop->wheel, &request->timer);
}
