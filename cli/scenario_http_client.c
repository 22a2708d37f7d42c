/* SPDX-License-Identifier: MIT */
/* Clients of the scenario "http" that are the family's own, with a pool: as tasks and as receivers. */
#include <stdio.h>

#include "scenario_http.h"

enum style {
    PAUSES = 1 << 0,
    GIVES_UP = 1 << 1,
    STREAMS = 1 << 2,
    EXPECTS = 1 << 3,
    PATIENT = 1 << 4,
    TRICKLES = 1 << 5, /* gives a streamed body piece by piece */
    STYLES = 1 << 6
};

struct web_user {
    weft_http_receiver receiver;
    weft_timer timer; /* the next request, or to resume */
    weft_timer piece; /* the next piece of a streamed body */
    struct web_pool *pool;
    weft_http_request *request; /* that is under way */
    unsigned number, requests, style;
    unsigned left; /* exchanges */
    struct web_ask ask;
    uint64_t got, given; /* of the response's body; of the request's, if it is streamed */
    bool streamed, paused, has_head;
};

struct web_pool {
    struct scenario *scenario;
    weft_scope *scope;
    weft_http_client *client;
    unsigned left; /* users that are not done */
    struct web_user users[];
};

static uint64_t draw(const struct web_user *user, uint64_t bound)
{
    return weft_sim_draw(user->pool->scenario->sim, bound);
}

static void fail(struct web_user *user, const char *what)
{
    weft_sim_fail(user->pool->scenario->sim, "user %u, request %u, byte %llu: %s", user->number, user->requests,
                  (unsigned long long)user->got, what);
}

static void check(struct web_user *user, bool right, const char *what)
{
    if (!right)
        fail(user, what);
}

static void done(struct web_user *user)
{
    weft_timer_fini(&user->timer);
    weft_timer_fini(&user->piece);
    if (--user->pool->left == 0)
        weft_http_client_close(user->pool->client);
    scenario_client_done(user->pool->scenario);
}

/* What a hostile network may do to a request. */
static bool is_expected(const struct web_user *user, int reason)
{
    if (user->pool->scenario->gentle && (reason == WEFT_EHEADTIME || reason == WEFT_EBODYTIME))
        return false;
    switch (weft_error_class_of(reason)) {
    case WEFT_CLASS_IO:
    case WEFT_CLASS_CLOSED:
    case WEFT_CLASS_TIMEOUT:
    case WEFT_CLASS_CANCELLED:
    case WEFT_CLASS_MEMORY:
        return true;
    default:
        return reason == -EMFILE || reason == -ENOBUFS;
    }
}

/* -- what is asked -- */

static void draw_call(struct web_user *user, weft_http_call *call, char *url, size_t size)
{
    static const char *const hosts[] = {"http://web.example", "http://10.0.0.3", "http://[fd00::3]:80"};
    char target[WEB_TARGET];

    user->requests++;
    user->got = user->given = 0;
    user->has_head = user->paused = false;
    user->ask = web_draw(user->pool->scenario, 1000000 + (uint64_t)user->number * 10000 + user->requests);
    user->streamed = user->ask.kind == WEB_ECHO && user->style & STREAMS;
    if (user->streamed && !user->pool->scenario->calm && draw(user, 2)) /* more than is queued at once */
        user->ask.length = (size_t)draw(user, WEB_LENGTH);
    web_target(&user->ask, target, sizeof target);
    snprintf(url, size, "%s%s", hosts[draw(user, 8) > 1 ? 0 : draw(user, 3)], target);
    *call = (weft_http_call){
        .size = sizeof *call, .client = user->pool->client, .url = url, .total_time = WEFT_SECONDS(60)};
    if (user->ask.kind != WEB_ECHO)
        return;
    call->method = "POST";
    call->expect = user->style & EXPECTS;
    if (!user->streamed) {
        call->body = scenario_bytes(user->ask.key, 0, user->ask.length);
        return;
    }
    call->streamed = true;
    call->length = draw(user, 2) ? user->ask.length : WEFT_HTTP_LENGTH_UNKNOWN;
}

/* Between two requests. A patient one lets the server's idle time pass, now and then. */
static weft_time rest_time(const struct web_user *user)
{
    if (user->style & PATIENT && draw(user, 16) == 0)
        return WEFT_SECONDS(70);
    return (weft_time)draw(user, WEFT_MILLISECONDS(100));
}

/* A response is complete, with @p status. */
static void settle(struct web_user *user, unsigned status)
{
    if (status == 200) {
        check(user, user->got == user->ask.length, "the body is complete, and has not its length");
        user->left--;
    } else {
        check(user, web_is_trouble(status), "a status that was not asked for");
    }
}

/* -- as a task -- */

static void fetch_one(weft_task *me, struct web_user *user)
{
    weft_time most = user->style & GIVES_UP && draw(user, 8) == 0 ? WEFT_SECONDS(1) : WEFT_SECONDS(60);
    weft_scope *scope = weft_scope_open(weft_task_scope(me), most);
    weft_http_response *response;
    weft_http_call call;
    char url[WEB_TARGET + 32];
    int status;

    draw_call(user, &call, url, sizeof url);
    if (user->streamed) { /* it gives its body at once */
        call.streamed = false;
        call.length = 0;
        call.body = scenario_bytes(user->ask.key, 0, user->ask.length);
    }
    status = weft_await(weft_http_fetch(scope, &call), &response);
    if (status == 0) {
        user->got = response->body.length;
        if (response->status == 200)
            check(user, scenario_is_bytes(user->ask.key, 0, response->body), "a byte of the response is wrong");
        settle(user, response->status);
    } else if (!is_expected(user, status)) {
        fail(user, weft_error_name(status));
    }
    weft_scope_close(scope);
}

static int fetch_all(weft_task *me, void *arg)
{
    struct web_user *user = arg;

    while (user->left > 0) {
        int status = weft_sleep(rest_time(user));
        if (status < 0)
            return status;
        fetch_one(me, user);
    }
    done(user);
    return 0;
}

/* -- as a receiver -- */

static struct web_user *user_of(weft_http_receiver *receiver)
{
    return weft_container_of(receiver, struct web_user, receiver);
}

static void head(weft_http_receiver *receiver, weft_http_request *request)
{
    struct web_user *user = user_of(receiver);

    check(user, user->request == request && !user->has_head, "a head came twice");
    user->has_head = true;
}

static void body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct web_user *user = user_of(receiver);

    check(user, user->request == request && user->has_head, "a body came out of turn");
    check(user, !user->paused, "a body came while it was paused");
    if (weft_http_request_status(request) == 200)
        check(user, scenario_is_bytes(user->ask.key, user->got, bytes), "a byte of the response is wrong");
    user->got += bytes.length;
    if (user->style & GIVES_UP && draw(user, 32) == 0) {
        weft_http_request_cancel(request, WEFT_ECANCELED);
    } else if (user->style & PAUSES && draw(user, 8) == 0) {
        weft_http_request_pause(request);
        user->paused = true;
        weft_timer_start(&user->timer, (weft_time)draw(user, WEFT_SECONDS(2)));
    }
}

static int give_piece(struct web_user *user)
{
    size_t piece = 1 + (size_t)draw(user, 5000);
    int status;

    piece = piece < user->ask.length - user->given ? piece : (size_t)(user->ask.length - user->given);
    status = weft_http_request_write(user->request, scenario_bytes(user->ask.key, user->given, piece));
    if (status >= 0)
        user->given += piece;
    return status;
}

/* The next pieces of a streamed body. */
static void give(struct web_user *user)
{
    int status = 0;

    if (!user->streamed || user->given > user->ask.length)
        return;
    do {
        if (user->given < user->ask.length)
            status = give_piece(user);
    } while (status == 0 && user->given < user->ask.length && !(user->style & TRICKLES));
    if (status >= 0 && user->given == user->ask.length) {
        user->given++; /* and that was all */
        status = weft_http_request_end(user->request, NULL, 0);
    } else if (status == 0) {
        weft_timer_start(&user->piece, (weft_time)draw(user, WEFT_MILLISECONDS(500)));
    }
    if (status < 0 && status != WEFT_EENDED && status != WEFT_ENOMEM)
        fail(user, weft_error_name(status));
}

static void piece_fired(weft_timer *timer)
{
    struct web_user *user = weft_container_of(timer, struct web_user, piece);

    if (user->request)
        give(user);
}

static void drained(weft_http_receiver *receiver, weft_http_request *request)
{
    struct web_user *user = user_of(receiver);

    check(user, user->request == request, "drained out of turn");
    give(user);
}

static void gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct web_user *user = user_of(receiver);

    check(user, user->request == request && reason <= 0, "gone twice, or for no reason");
    user->request = NULL;
    user->paused = false;
    weft_timer_stop(&user->piece);
    if (reason == 0)
        settle(user, weft_http_request_status(request));
    else if (!is_expected(user, reason))
        weft_sim_fail(user->pool->scenario->sim, "user %u, request %u, byte %llu: %s, %s", user->number, user->requests,
                      (unsigned long long)user->got, weft_error_name(reason), weft_http_request_problem(request));
    if (user->left > 0)
        weft_timer_start(&user->timer, rest_time(user));
    else
        done(user);
}

static const weft_http_receiver_ops user_ops = {.name = "user",
                                                .head = head,
                                                .body = body,
                                                .drained = drained,
                                                .gone = gone};

static void timer_fired(weft_timer *timer)
{
    struct web_user *user = weft_container_of(timer, struct web_user, timer);
    weft_http_call call;
    char url[WEB_TARGET + 32];
    int status;

    if (user->request) {
        user->paused = false;
        weft_http_request_resume(user->request);
        return;
    }
    draw_call(user, &call, url, sizeof url);
    status = weft_http_request_start(user->pool->scope, &call, &user->receiver, &user->request);
    if (status == 0)
        return;
    user->request = NULL;
    if (status != WEFT_ENOMEM)
        fail(user, weft_error_name(status));
    weft_timer_start(timer, rest_time(user));
}

/* -- beginning -- */

static int begin_user(struct web_pool *pool, struct web_user *user, unsigned number, unsigned exchanges)
{
    int status = weft_timer_init(&user->timer, pool->scope, timer_fired);

    if (status == 0)
        status = weft_timer_init(&user->piece, pool->scope, piece_fired);
    if (status < 0)
        return status;
    user->receiver.ops = &user_ops;
    user->pool = pool;
    user->number = number;
    user->left = exchanges;
    user->style = scenario_style(pool->scenario, STYLES);
    pool->left++;
    pool->scenario->pending++;
    if (draw(user, 2))
        return weft_spawn(pool->scope, fetch_all, user);
    weft_timer_start(&user->timer, rest_time(user));
    return 0;
}

static weft_http_client_options draw_options(weft_sim *sim)
{
    return (weft_http_client_options){
        .size = sizeof(weft_http_client_options),
        .per_host = 1 + (size_t)weft_sim_draw(sim, 8),
        .uses = weft_sim_draw(sim, 2) ? 0 : 1 + (size_t)weft_sim_draw(sim, 10),
        .idle_time = weft_sim_draw(sim, 2) ? WEFT_MINUTES(5)
                                           : WEFT_MILLISECONDS(1) + (weft_time)weft_sim_draw(sim, WEFT_SECONDS(5)),
        .name_time = WEFT_SECONDS(10),
        .connect_time = WEFT_SECONDS(10),
        .head_time = WEFT_SECONDS(20),
        .body_time = WEFT_SECONDS(20),
    };
}

int web_pool_begin(struct scenario *scenario, unsigned host, unsigned first, unsigned users, unsigned exchanges)
{
    weft_scope *scope = scenario_scope(scenario, host);
    weft_http_client_options options = draw_options(scenario->sim);
    struct web_pool *pool;
    int status;

    if (users == 0)
        return 0;
    pool = weft_scope_allocate(scope, sizeof *pool + users * sizeof *pool->users);
    if (!pool)
        return WEFT_ENOMEM;
    pool->scenario = scenario;
    pool->scope = scope;
    status = weft_http_client_new(scope, &options, &pool->client);
    for (unsigned i = 0; status == 0 && i < users; i++)
        status = begin_user(pool, &pool->users[i], first + i, exchanges);
    return status;
}
