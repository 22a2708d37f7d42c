/* SPDX-License-Identifier: MIT */
/* The server of the scenario "http" (scenario_http.h). */
#include <stdio.h>
#include <stdlib.h>

#include "scenario_http.h"

#define WEB_HESITATES 16 /* one body in so many is taken with pauses */

struct web {
    weft_http_handler handler;
    weft_http_files *files;
};

/* An answer that is not given at once. */
struct answer {
    weft_http_responder responder;
    weft_http_exchange *exchange;
    weft_timer timer;
    struct web_ask ask;
    uint64_t position; /* in the response's body; of an echo, in the request's */
    bool begun, paused, over;
};

static weft_sim *world;

void web_serve_in(weft_sim *sim)
{
    world = sim;
}

static void check(bool right, const char *what, const struct answer *answer)
{
    if (!right)
        weft_sim_fail(world, "the server, asked for %llu: %s", (unsigned long long)answer->ask.key, what);
}

/* -- requests that wait -- */

static void wait(struct answer *answer)
{
    weft_http_exchange_pause(answer->exchange);
    answer->paused = true;
}

static void go_on(struct answer *answer)
{
    answer->paused = false;
    weft_http_exchange_resume(answer->exchange);
}

/* -- piece by piece -- */

static void give_up(struct answer *answer, int status)
{
    check(status == WEFT_EENDED || status == WEFT_ENOMEM || status == WEFT_EOUTPUTLIMIT, weft_error_name(status),
          answer);
    answer->over = true;
    weft_http_exchange_abort(answer->exchange);
}

static void end(struct answer *answer)
{
    char length[24];
    weft_http_field trailer = {.name = WEFT_BYTES(WEB_TRAILER)};
    int status;

    answer->over = true;
    snprintf(length, sizeof length, "%llu", (unsigned long long)answer->position);
    trailer.value = weft_bytes_from(length);
    status = weft_http_respond_end(answer->exchange, &trailer, 1);
    if (status < 0)
        give_up(answer, status);
}

/* Until there is no more room, or all was written. */
static void write_pieces(struct answer *answer)
{
    int status = 0;

    while (status == 0 && answer->position < answer->ask.length) {
        size_t piece = 1 + (size_t)(answer->ask.key * 31 + answer->position * 7) % 3000;

        if (piece > answer->ask.length - answer->position)
            piece = (size_t)(answer->ask.length - answer->position);
        status = weft_http_respond_write(answer->exchange, scenario_bytes(answer->ask.key, answer->position, piece));
        if (status >= 0)
            answer->position += piece;
    }
    if (status < 0)
        give_up(answer, status);
    else if (answer->position == answer->ask.length)
        end(answer);
}

static void begin_pieces(struct answer *answer)
{
    uint64_t length = answer->ask.kind == WEB_SIZED ? answer->ask.length : WEFT_HTTP_LENGTH_UNKNOWN;
    int status = weft_http_respond_start(answer->exchange, 200, NULL, 0, length);

    answer->begun = true;
    if (status < 0)
        give_up(answer, status);
    else
        write_pieces(answer);
}

static void late(weft_timer *timer)
{
    struct answer *answer = weft_container_of(timer, struct answer, timer);
    int status;

    if (answer->ask.kind == WEB_ECHO) {
        go_on(answer);
        return;
    }
    status = weft_http_respond(answer->exchange, 200, NULL, 0, scenario_bytes(answer->ask.key, 0, answer->ask.length));
    if (status < 0)
        give_up(answer, status);
}

static void start_timer(struct answer *answer)
{
    weft_timer_start(&answer->timer, WEFT_MILLISECONDS(1 + answer->ask.key % 200));
}

/* -- the responder -- */

static struct answer *answer_of(weft_http_responder *responder)
{
    return weft_container_of(responder, struct answer, responder);
}

static void body(weft_http_responder *responder, weft_http_exchange *exchange, weft_bytes bytes)
{
    struct answer *answer = answer_of(responder);
    int status = 0;

    check(answer->ask.kind == WEB_ECHO && !answer->paused, "a body came out of turn", answer);
    check(scenario_is_bytes(answer->ask.key, answer->position, bytes), "a byte of the request is wrong", answer);
    if (!answer->begun)
        status = weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN);
    answer->begun = true;
    if (status >= 0)
        status = weft_http_respond_write(exchange, bytes);
    answer->position += bytes.length;
    if (status < 0) {
        give_up(answer, status);
    } else if (status == 1) {
        wait(answer);
    } else if (answer->ask.key % WEB_HESITATES == 0) { /* also behind the last byte, whose end is still to be told */
        wait(answer);
        start_timer(answer);
    }
}

static void body_ended(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct answer *answer = answer_of(responder);
    int status = 0;

    if (answer->ask.kind != WEB_ECHO)
        return;
    check(answer->position == answer->ask.length, "a request is not complete", answer);
    if (!answer->begun)
        status = weft_http_respond_start(exchange, 200, NULL, 0, WEFT_HTTP_LENGTH_UNKNOWN);
    answer->begun = true;
    if (status < 0)
        give_up(answer, status);
    else
        end(answer);
}

static void drained(weft_http_responder *responder, weft_http_exchange *exchange)
{
    struct answer *answer = answer_of(responder);

    (void)exchange;
    if (answer->paused) {
        weft_timer_stop(&answer->timer);
        go_on(answer);
    } else if (answer->ask.kind != WEB_ECHO && !answer->over) {
        write_pieces(answer);
    }
}

static void gone(weft_http_responder *responder, weft_http_exchange *exchange, int reason)
{
    struct answer *answer = answer_of(responder);

    (void)exchange;
    check(answer->exchange != NULL, "gone twice", answer);
    check(reason <= 0, "gone for no reason", answer);
    check(reason < 0 || answer->begun || answer->ask.kind == WEB_LATE, "complete before it was begun", answer);
    weft_timer_fini(&answer->timer);
    weft_release(answer);
}

static const weft_http_responder_ops plain_ops = {.drained = drained, .gone = gone};
static const weft_http_responder_ops echo_ops = {.body = body,
                                                 .body_ended = body_ended,
                                                 .drained = drained,
                                                 .gone = gone};

/* -- requests -- */

static struct answer *answer_new(weft_http_exchange *exchange, const struct web_ask *ask)
{
    struct answer *answer = weft_allocate_zeroed(1, sizeof *answer);

    if (!answer)
        return NULL;
    answer->responder.ops = ask->kind == WEB_ECHO ? &echo_ops : &plain_ops;
    answer->exchange = exchange;
    answer->ask = *ask;
    if (weft_timer_init(&answer->timer, weft_http_exchange_scope(exchange), late) == 0) {
        if (weft_http_exchange_attach(exchange, &answer->responder) == 0)
            return answer;
        weft_timer_fini(&answer->timer);
    }
    weft_release(answer);
    return NULL;
}

static void answer_later(weft_http_exchange *exchange, const struct web_ask *ask)
{
    struct answer *answer = answer_new(exchange, ask);

    if (!answer)
        (void)weft_http_respond(exchange, 503, NULL, 0, weft_bytes_from(NULL));
    else if (ask->kind == WEB_LATE)
        start_timer(answer);
    else if (ask->kind != WEB_ECHO)
        begin_pieces(answer);
}

static void request(weft_http_handler *handler, weft_http_exchange *exchange)
{
    struct web *web = weft_container_of(handler, struct web, handler);
    weft_bytes path = weft_http_exchange_path(exchange);
    struct web_ask ask;

    if (weft_bytes_equal(path, weft_bytes_from("/file"))) {
        weft_http_handler *files = weft_http_files_handler(web->files);
        files->ops->request(files, exchange);
    } else if (!web_parse(path, &ask)) {
        (void)weft_http_respond(exchange, 404, NULL, 0, weft_bytes_from(NULL));
    } else if (ask.kind == WEB_MEMORY) {
        (void)weft_http_respond(exchange, 200, NULL, 0, scenario_bytes(ask.key, 0, ask.length));
    } else {
        answer_later(exchange, &ask);
    }
}

static const weft_http_handler_ops web_ops = {.name = "web", .request = request};

int web_main(int argc, char **argv)
{
    struct web web = {.handler.ops = &web_ops};
    weft_directory *directory;
    int status;

    if (argc != 3 || weft_directory_open(argv[1], &directory) < 0)
        return 2;
    status = weft_http_files_new(directory, NULL, &web.files);
    weft_directory_unref(directory);
    if (status < 0)
        return EXIT_FAILURE;
    status = weft_http_serve(argv[2], &web.handler);
    weft_http_files_free(web.files);
    return status;
}
