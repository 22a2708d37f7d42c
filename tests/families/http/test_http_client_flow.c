/* SPDX-License-Identifier: MIT */
/* The long form: bodies piece by piece, both ways, with backpressure. */
#include "families/http/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ROOT weft_loop_scope(world.loop)

static struct origin_world world;
static struct origin *origin;

/* What a receiver was told. */
struct told {
    weft_http_receiver receiver;
    weft_http_request *request;
    unsigned heads, drained, gone;
    int reason;
    uint64_t bytes;
    char text[256];
    bool calling; /* no callback may come */
    bool pauses;  /* after each piece */
    bool is_slow; /* it does not say that its body has ended: the answer comes first */
    uint64_t to_send, sent;
    size_t most_queued;
    bool cancels;
    weft_stream *upgraded;
    weft_address peer;
};

static struct told *told_of(weft_http_receiver *receiver, weft_http_request *request)
{
    struct told *told = weft_container_of(receiver, struct told, receiver);

    assert_false(told->calling);
    assert_int_equal(told->gone, 0);
    assert_ptr_equal(told->request, request);
    return told;
}

static void on_head(weft_http_receiver *receiver, weft_http_request *request)
{
    struct told *told = told_of(receiver, request);

    told->heads++;
    told->peer = *weft_http_request_peer(request);
    assert_true(weft_http_request_status(request) >= 200);
    assert_int_equal(told->bytes, 0);
}

static void on_body(weft_http_receiver *receiver, weft_http_request *request, weft_bytes bytes)
{
    struct told *told = told_of(receiver, request);

    assert_int_equal(told->heads, 1);
    assert_true(bytes.length > 0);
    if (told->bytes + bytes.length < sizeof told->text)
        memcpy(told->text + told->bytes, bytes.data, bytes.length);
    told->bytes += bytes.length;
    if (told->cancels)
        weft_http_request_cancel(request, -EIO);
    if (told->pauses)
        weft_http_request_pause(request);
}

/* Writes until it is told to wait. */
static void on_drained(weft_http_receiver *receiver, weft_http_request *request)
{
    struct told *told = told_of(receiver, request);
    static char piece[16 * 1024];
    int status = 0;

    told->drained++;
    memset(piece, 'p', sizeof piece);
    told->calling = true;
    while (told->sent < told->to_send && status == 0) {
        size_t length = told->to_send - told->sent < sizeof piece ? (size_t)(told->to_send - told->sent) : sizeof piece;

        status = weft_http_request_write(request, weft_bytes_of(piece, length));
        if (status >= 0)
            told->sent += length;
    }
    if (told->sent == told->to_send && !told->is_slow)
        (void)weft_http_request_end(request, NULL, 0);
    told->calling = false;
}

static void on_gone(weft_http_receiver *receiver, weft_http_request *request, int reason)
{
    struct told *told = told_of(receiver, request);

    told->gone++;
    told->reason = reason;
    weft_loop_stop(world.loop);
}

static size_t upgraded_received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    assert_true(weft_stream_write(stream, in) >= 0);
    return in.length;
}

static WEFT_PROTOCOL(echo_ops, "echo", "a test", .received = upgraded_received);
static weft_protocol echo = {&echo_ops};

static void on_upgraded(weft_http_receiver *receiver, weft_http_request *request, weft_stream *stream)
{
    struct told *told = told_of(receiver, request);

    told->upgraded = stream;
    assert_int_equal(weft_http_request_status(request), 101);
    assert_true(weft_bytes_equal(weft_http_request_field(request, "Upgrade"), weft_bytes_from("echo")));
    weft_stream_set_protocol(stream, &echo);
}

static const weft_http_receiver_ops ops =
    {.name = "test", .head = on_head, .body = on_body, .drained = on_drained, .upgraded = on_upgraded, .gone = on_gone};

static void start_in(struct told *told, weft_scope *scope, weft_http_call call)
{
    call.size = sizeof call;
    call.client = world.client;
    if (!call.url)
        call.url = origin->url;
    told->receiver.ops = &ops;
    told->calling = true;
    assert_int_equal(weft_http_request_start(scope, &call, &told->receiver, &told->request), 0);
    told->calling = false;
}

static void start(struct told *told, weft_http_call call)
{
    start_in(told, ROOT, call);
}

static void finish(struct told *told)
{
    for (int i = 0; i < 200 && !told->gone; i++)
        origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(told->gone, 1);
}

static void open_with(const weft_faults *faults)
{
    origin_open(&world, NULL, faults, 5);
    origin = &world.origins[0];
}

static char *large_answer(size_t size, size_t *ret_length)
{
    char *text = malloc(size + 100);
    int head;

    assert_non_null(text);
    head = snprintf(text, 100, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    memset(text + head, 'x', size);
    *ret_length = size + (size_t)head;
    return text;
}

static void a_response_comes_piece_by_piece(void **state)
{
    struct told told = {0};
    size_t length;
    char *text = large_answer(3000000, &length);

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = text, .length = length});
    start(&told, (weft_http_call){0});
    assert_int_equal(weft_http_request_status(told.request), 0);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.heads, 1);
    assert_int_equal(told.bytes, 3000000);
    free(text);
    origin_close(&world);
}

/* Law 4: who takes nothing is sent nothing, and nothing piles up here. */
static void a_paused_response_waits(void **state)
{
    struct told told = {.pauses = true};
    size_t length, before, pieces = 0;
    char *text = large_answer(8000000, &length);

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = text, .length = length});
    start(&told, (weft_http_call){0});
    origin_pass(&world, WEFT_SECONDS(1));
    while (!told.gone) {
        uint64_t bytes = told.bytes;

        before = support_live_bytes();
        origin_pass(&world, WEFT_MINUTES(5)); /* longer than body_time: it is not the server that is slow */
        assert_int_equal(told.bytes, bytes);
        assert_true(support_live_bytes() <= before + 1024 * 1024);
        weft_http_request_resume(told.request);
        origin_pass(&world, WEFT_MILLISECONDS(100));
        pieces++;
    }
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.bytes, 8000000);
    assert_true(pieces > 10);
    free(text);
    origin_close(&world);
}

static void a_pause_before_the_head_holds_the_body(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){0});
    weft_http_request_pause(told.request);
    origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(told.heads, 1);
    assert_int_equal(told.bytes, 0);
    weft_http_request_resume(told.request);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_string_equal(told.text, "ok");
    origin_close(&world);
}

/* The same when the connection is there already. */
static void a_pause_while_the_server_thinks_holds_the_body(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = OK, .delay = WEFT_SECONDS(10)});
    start(&told, (weft_http_call){0});
    origin_pass(&world, WEFT_SECONDS(1));
    weft_http_request_pause(told.request);
    origin_pass(&world, WEFT_SECONDS(20));
    assert_int_equal(told.heads, 1);
    assert_int_equal(told.bytes, 0);
    weft_http_request_resume(told.request);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_string_equal(told.text, "ok");
    origin_close(&world);
}

static void the_peer_is_known_on_a_kept_connection_too(void **state)
{
    (void)state;
    open_with(NULL);
    for (int i = 0; i < 2; i++) {
        struct told told = {0};
        char text[WEFT_ADDRESS_TEXT];

        origin_will_say(origin, OK);
        start(&told, (weft_http_call){0});
        finish(&told);
        weft_address_text(&told.peer, text);
        assert_string_equal(text, origin->host);
    }
    assert_int_equal(origin->connections, 1);
    origin_close(&world);
}

static void a_second_pause_is_ended_by_the_first_resume(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){0});
    weft_http_request_pause(told.request);
    origin_pass(&world, WEFT_SECONDS(1));
    weft_http_request_pause(told.request);
    origin_pass(&world, WEFT_MINUTES(5));
    assert_int_equal(told.bytes, 0);
    weft_http_request_resume(told.request);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_string_equal(told.text, "ok");
    origin_close(&world);
}

static void pause_and_resume_after_the_end_do_nothing(void **state)
{
    struct told told = {0}, next = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){0});
    weft_http_request_cancel(told.request, -EIO);
    weft_http_request_pause(told.request);
    weft_http_request_resume(told.request);
    weft_http_request_pause(told.request);
    finish(&told);
    assert_int_equal(told.reason, -EIO);
    start(&next, (weft_http_call){0});
    finish(&next);
    assert_int_equal(next.reason, 0);
    origin_close(&world);
}

/* The last byte was delivered, the user paused, and no more input comes that the end could be pulled with. */
static void the_end_comes_after_a_pause_at_the_last_byte(void **state)
{
    static const char *const answers[] = {OK,
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"};

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 2; i++) {
        struct told told = {.pauses = true};

        origin_will_say(origin, answers[i]);
        start(&told, (weft_http_call){0});
        origin_pass(&world, WEFT_SECONDS(1));
        assert_int_equal(told.gone, 0);
        weft_http_request_resume(told.request);
        finish(&told);
        assert_int_equal(told.reason, 0);
        assert_string_equal(told.text, "ok");
    }
    assert_int_equal(origin->connections, 1);
    origin_close(&world);
}

/* What a coded body expands to waits too: one read of it can be hundreds of pieces. */
static void a_coded_body_is_held_back_when_paused(void **state)
{
    static char text[200000], plain[4000000];
    struct told told = {.pauses = true};
    uLongf length = sizeof text - 200;
    size_t before = 0, pieces = 0;
    int head;
    z_stream zlib = {0};

    (void)state;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)('a' + i / 100 % 7 + i % 3);
    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_in = (Bytef *)plain;
    zlib.avail_in = sizeof plain;
    zlib.next_out = (Bytef *)text + 200;
    zlib.avail_out = (uInt)length;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    length = zlib.total_out;
    deflateEnd(&zlib);
    open_with(NULL);
    head = snprintf(text, 200, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n", length);
    memmove(text + head, text + 200, length);
    origin_will(origin, (struct origin_answer){.text = text, .length = (size_t)head + length});
    start(&told, (weft_http_call){0});
    origin_pass(&world, WEFT_SECONDS(1));
    before = support_live_bytes();
    while (!told.gone) {
        uint64_t bytes = told.bytes;

        origin_pass(&world, WEFT_SECONDS(1));
        if (told.gone)
            break;
        assert_int_equal(told.bytes, bytes);
        assert_true(support_live_bytes() <= before + 100000);
        weft_http_request_resume(told.request);
        origin_pass(&world, WEFT_MILLISECONDS(5));
        pieces++;
    }
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.bytes, sizeof plain);
    assert_true(pieces >= 4000000 / 16384);
    origin_close(&world);
}

/* -- sending -- */

static void a_body_is_streamed(void **state)
{
    (void)state;
    for (unsigned chunked = 0; chunked < 2; chunked++) {
        struct told told = {.to_send = 1000000};

        open_with(NULL);
        origin_will_say(origin, OK);
        start(&told, (weft_http_call){.streamed = true, .length = chunked ? WEFT_HTTP_LENGTH_UNKNOWN : 1000000});
        assert_int_equal(weft_http_request_write(told.request, weft_bytes_from("x")), -EAGAIN);
        finish(&told);
        assert_int_equal(told.reason, 0);
        assert_string_equal(told.text, "ok");
        assert_true(told.drained > 1);
        assert_true(origin_got(origin, 0, chunked ? "Transfer-Encoding: chunked" : "Content-Length: 1000000"));
        assert_true(origin_got(origin, 0, "POST / "));
        assert_true(strlen(origin->requests[0]) > 1000000);
        origin_will_say(origin, OK); /* and the connection goes on */
        told = (struct told){0};
        start(&told, (weft_http_call){0});
        finish(&told);
        assert_int_equal(origin->connections, 1);
        origin_close(&world);
    }
}

/* Its length says where it ends: an answer that is there before its user says so breaks nothing off. */
static void a_connection_whose_server_has_all_is_used_again(void **state)
{
    static const char *const answers[] = {OK, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"};

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 2; i++) {
        struct told told = {.to_send = 100000, .is_slow = true};

        origin_will_say(origin, answers[i]);
        start(&told, (weft_http_call){.streamed = true, .length = 100000});
        finish(&told);
        assert_int_equal(told.reason, 0);
        assert_int_equal(origin->connections, 1);
    }
    origin_close(&world);
}

static void an_empty_streamed_body_is_one(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){.streamed = true, .length = WEFT_HTTP_LENGTH_UNKNOWN});
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_non_null(strstr(origin->requests[0], "\r\n\r\n0\r\n\r\n"));
    origin_close(&world);
}

/* Law 4, the other way. */
static void a_server_that_does_not_read_slows_the_writer(void **state)
{
    struct told told = {.to_send = 50 * 1000 * 1000};

    (void)state;
    open_with(NULL);
    origin->stalls = true;
    start(&told, (weft_http_call){.streamed = true, .length = 50 * 1000 * 1000});
    origin_pass(&world, WEFT_SECONDS(5));
    assert_true(told.sent < 2 * 1000 * 1000);
    assert_true(support_live_bytes() < 4 * 1000 * 1000);
    finish(&told);
    assert_int_equal(told.reason, WEFT_EWRITESTALL);
    origin_close(&world);
}

static void what_does_not_fit_the_announced_length_is_refused(void **state)
{
    struct told told = {.to_send = 3};
    weft_http_request *request;

    (void)state;
    open_with(NULL);
    start(&told, (weft_http_call){.streamed = true, .length = 10});
    request = told.request;
    origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(told.sent, 3); /* and its end was refused */
    assert_int_equal(weft_http_request_write(request, weft_bytes_from("12345678")), -EMSGSIZE);
    assert_int_equal(weft_http_request_end(request, NULL, 0), -EMSGSIZE);
    assert_int_equal(weft_http_request_write(request, weft_bytes_from("1234567")), 0);
    assert_int_equal(weft_http_request_end(request, NULL, 0), 0);
    assert_int_equal(weft_http_request_end(request, NULL, 0), WEFT_EENDED);
    assert_int_equal(weft_http_request_write(request, weft_bytes_from("1")), WEFT_EENDED);
    weft_http_request_cancel(request, 0);
    finish(&told);
    assert_int_equal(told.reason, WEFT_ECANCELED);
    origin_close(&world);
}

static void trailers_are_sent_and_bad_ones_refused(void **state)
{
    static const weft_http_field good = {WEFT_BYTES("Sum"), WEFT_BYTES("1")},
                                 bad[] = {{WEFT_BYTES("Host"), WEFT_BYTES("x")},
                                          {WEFT_BYTES("A"), WEFT_BYTES("x\r\ny")}};
    struct told told = {.to_send = UINT64_MAX};
    weft_http_request *request;

    (void)state;
    open_with(NULL);
    origin->stalls = true;
    start(&told, (weft_http_call){.streamed = true, .length = WEFT_HTTP_LENGTH_UNKNOWN});
    request = told.request;
    origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(weft_http_request_end(request, &bad[0], 1), -EINVAL);
    assert_int_equal(weft_http_request_end(request, &bad[1], 1), -EINVAL);
    assert_int_equal(weft_http_request_end(request, &good, 1), 0);
    weft_http_request_cancel(request, 0);
    finish(&told);
    origin_close(&world);
}

static void a_body_that_was_begun_is_not_sent_again(void **state)
{
    (void)state;
    open_with(NULL);
    for (unsigned status = 307; status <= 308; status++) {
        struct told told = {.to_send = 10};
        char text[100];

        snprintf(text, sizeof text, "HTTP/1.1 %u Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", status);
        origin_will_say(origin, text);
        start(&told, (weft_http_call){.streamed = true, .length = 10});
        finish(&told);
        assert_int_equal(told.reason, WEFT_EREPEAT);
        assert_int_equal(told.heads, 0);
    }
    origin_close(&world);
}

/* RFC 9110 §15.4.4: the GET that follows has no body, of which its user may not know yet. */
static void a_body_that_a_redirect_took_away_is_ended(void **state)
{
    struct told told = {.to_send = 10};

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){
                            .text = "HTTP/1.1 303 See Other\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
                            .at_once = true,
                        });
    origin_will(origin, (struct origin_answer){.text = OK, .delay = WEFT_SECONDS(2)});
    start(&told, (weft_http_call){.streamed = true, .length = 10});
    origin_pass(&world, WEFT_SECONDS(1));
    assert_int_equal(weft_http_request_redirects(told.request), 1);
    assert_int_equal(weft_http_request_write(told.request, weft_bytes_from("later")), WEFT_EENDED);
    assert_int_equal(weft_http_request_end(told.request, NULL, 0), WEFT_EENDED);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.bytes, 2);
    origin_close(&world);
}

/* What announces more than is wanted is refused before a byte of it is read, unless it is still to be decoded. */
static void a_body_that_announces_too_much_is_refused_at_its_head(void **state)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
    };

    (void)state;
    open_with(NULL);
    for (unsigned i = 0; i < 4; i++) {
        struct told told = {.request = NULL};

        origin_will_say(origin, texts[i]);
        start(&told, (weft_http_call){.body_limit = 2});
        origin_pass(&world, WEFT_SECONDS(1));
        assert_int_equal(told.gone, i == 1);
        assert_int_equal(told.heads, i != 1);
        if (i == 1) {
            assert_int_equal(told.reason, WEFT_EBODYLIMIT);
            continue;
        }
        weft_http_request_cancel(told.request, 0);
        finish(&told);
    }
    origin_close(&world);
}

/* The answer to HEAD announces what it would be, and is none. */
static void what_a_head_announces_is_not_limited(void **state)
{
    struct told told = {.request = NULL};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
    start(&told, (weft_http_call){.method = "HEAD", .body_limit = 2});
    finish(&told);
    assert_int_equal(told.reason, 0);
    origin_close(&world);
}

/* -- 100 (Continue) -- */

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static void a_body_waits_for_100(void **state)
{
    struct told told = {.to_send = 5};

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = CONTINUE, .at_once = true});
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){.streamed = true, .length = 5, .expect = true});
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_true(origin_got(origin, 0, "Expect: 100-continue\r\n"));
    assert_true(origin_got(origin, 0, "\r\n\r\nppppp"));
    assert_int_equal(origin->connections, 1);
    origin_close(&world);
}

static void a_body_waits_for_100_no_longer_than_a_second(void **state)
{
    struct told told = {.to_send = 5};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, OK);
    start(&told, (weft_http_call){.streamed = true, .length = 5, .expect = true});
    origin_pass(&world, WEFT_MILLISECONDS(900));
    assert_int_equal(told.sent, 0);
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.sent, 5);
    origin_close(&world);
}

/* RFC 9110 §10.1.1: what was refused is not sent, and the connection, which waits for it, is not used again. */
static void a_body_that_was_refused_is_not_sent(void **state)
{
    struct told told = {.to_send = 5}, next = {0};

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
                                               .at_once = true});
    start(&told, (weft_http_call){.streamed = true, .length = 5, .expect = true});
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.sent, 0);
    assert_string_equal(told.text, "no");
    origin_will_say(origin, OK);
    start(&next, (weft_http_call){0});
    finish(&next);
    assert_int_equal(origin->connections, 2);
    origin_close(&world);
}

/* RFC 9112 §9.5: and at once, not when all of the answer has come. A 300 is no success either. */
static void an_early_refusal_stops_the_sending(void **state)
{
    static const char *const refusals[] = {"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nn",
                                           "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 2\r\n\r\nn"};

    (void)state;
    open_with(NULL);
    for (size_t i = 0; i < 2; i++) {
        struct told told = {.to_send = 100 * 1000 * 1000};

        origin_will(origin, (struct origin_answer){.text = refusals[i], .at_once = true});
        start(&told, (weft_http_call){.streamed = true, .length = 100 * 1000 * 1000});
        finish(&told);
        assert_int_equal(told.reason, WEFT_EBODYTIME);
        assert_true(told.sent < 10 * 1000 * 1000);
    }
    origin_close(&world);
}

/* The answer is there, and the reset behind it: whoever sends meets the reset first. */
static void an_answer_before_a_reset_is_heard(void **state)
{
    weft_faults faults = {.latency = {WEFT_MILLISECONDS(10), WEFT_MILLISECONDS(10)}, .short_reads = 1000000};
    struct told told = {.to_send = 100 * 1000 * 1000}, next = {0};

    (void)state;
    open_with(&faults);
    origin_will(origin, (struct origin_answer){.text = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno",
                                               .at_once = true,
                                               .then = THEN_RESET_WHEN_SENT});
    start(&told, (weft_http_call){.streamed = true, .length = 100 * 1000 * 1000});
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_string_equal(told.text, "no");
    origin_will_say(origin, OK);
    start(&next, (weft_http_call){0});
    finish(&next);
    assert_int_equal(next.reason, 0);
    assert_int_equal(origin->connections, 2);
    origin_close(&world);
}

/* -- switching protocols -- */

static void a_protocol_is_switched_if_that_was_asked_for(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, "HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst");
    start(&told, (weft_http_call){.upgrade = "echo"});
    finish(&told);
    assert_int_equal(told.reason, 0);
    assert_int_equal(told.heads, 0);
    assert_non_null(told.upgraded);
    origin_pass(&world, WEFT_SECONDS(1));
    assert_true(origin->extra > 0 || origin->open == 1); /* what followed was echoed, which the script did not expect */
    weft_stream_close(told.upgraded);
    origin_pass(&world, WEFT_SECONDS(5));
    origin_close(&world);
}

static void a_switch_that_nobody_asked_for_is_refused(void **state)
{
    struct told told = {0};

    (void)state;
    open_with(NULL);
    origin_will_say(origin, "HTTP/1.1 101 Switching\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    start(&told, (weft_http_call){0});
    finish(&told);
    assert_int_equal(told.reason, WEFT_EPROTOCOL);
    assert_null(told.upgraded);
    origin_close(&world);
}

/* -- ends -- */

static void a_callback_may_cancel_its_own_request(void **state)
{
    struct told told = {.cancels = true};
    size_t length;
    char *text = large_answer(1000000, &length);

    (void)state;
    open_with(NULL);
    origin_will(origin, (struct origin_answer){.text = text, .length = length});
    start(&told, (weft_http_call){0});
    finish(&told);
    assert_int_equal(told.reason, -EIO);
    origin_pass(&world, WEFT_SECONDS(3));
    assert_int_equal(origin->open, 0);
    free(text);
    origin_close(&world);
}

static void a_scope_that_ends_takes_its_requests_along(void **state)
{
    struct told told = {.to_send = 100 * 1000 * 1000};
    weft_scope *scope;

    (void)state;
    open_with(NULL);
    scope = weft_scope_open(ROOT, WEFT_NEVER);
    origin->stalls = true;
    start_in(&told, scope, (weft_http_call){.streamed = true, .length = 100 * 1000 * 1000});
    origin_pass(&world, WEFT_SECONDS(1));
    weft_scope_close(scope);
    assert_int_equal(told.gone, 0);
    assert_int_equal(weft_http_request_write(told.request, weft_bytes_from("x")), WEFT_EENDED);
    finish(&told);
    assert_int_equal(told.reason, WEFT_ECANCELED);
    origin_close(&world);
}

/* However the network divides and delays it. */
static void the_same_happens_however_bytes_are_split(void **state)
{
    static const weft_faults faults = {
        .short_reads = 500000, .short_writes = 500000, .latency = {0, WEFT_MILLISECONDS(3)}};

    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct told told = {.to_send = 3000, .pauses = seed % 2};

        support_set_context("seed %d", (int)seed);
        origin_open(&world, NULL, &faults, seed);
        origin = &world.origins[0];
        origin_will(origin, (struct origin_answer){.text = CONTINUE, .at_once = true});
        origin_will_say(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n");
        start(&told, (weft_http_call){.streamed = true, .length = WEFT_HTTP_LENGTH_UNKNOWN, .expect = true});
        for (int i = 0; i < 200 && !told.gone; i++) {
            origin_pass(&world, WEFT_MILLISECONDS(50));
            if (!told.gone)
                weft_http_request_resume(told.request);
        }
        assert_int_equal(told.gone, 1);
        assert_int_equal(told.reason, 0);
        assert_string_equal(told.text, "hello world");
        assert_int_equal(told.sent, 3000);
        origin_close(&world);
        support_clear_context();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(a_response_comes_piece_by_piece),
        support_test(a_paused_response_waits),
        support_test(a_pause_before_the_head_holds_the_body),
        support_test(a_pause_while_the_server_thinks_holds_the_body),
        support_test(the_peer_is_known_on_a_kept_connection_too),
        support_test(a_second_pause_is_ended_by_the_first_resume),
        support_test(pause_and_resume_after_the_end_do_nothing),
        support_test(the_end_comes_after_a_pause_at_the_last_byte),
        support_test(a_coded_body_is_held_back_when_paused),
        support_test(a_body_is_streamed),
        support_test(a_connection_whose_server_has_all_is_used_again),
        support_test(an_empty_streamed_body_is_one),
        support_test(a_server_that_does_not_read_slows_the_writer),
        support_test(what_does_not_fit_the_announced_length_is_refused),
        support_test(trailers_are_sent_and_bad_ones_refused),
        support_test(a_body_that_was_begun_is_not_sent_again),
        support_test(a_body_that_a_redirect_took_away_is_ended),
        support_test(a_body_that_announces_too_much_is_refused_at_its_head),
        support_test(what_a_head_announces_is_not_limited),
        support_test(a_body_waits_for_100),
        support_test(a_body_waits_for_100_no_longer_than_a_second),
        support_test(a_body_that_was_refused_is_not_sent),
        support_test(an_early_refusal_stops_the_sending),
        support_test(an_answer_before_a_reset_is_heard),
        support_test(a_protocol_is_switched_if_that_was_asked_for),
        support_test(a_switch_that_nobody_asked_for_is_refused),
        support_test(a_callback_may_cancel_its_own_request),
        support_test(a_scope_that_ends_takes_its_requests_along),
        support_test(the_same_happens_however_bytes_are_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
