/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of libuv, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/adapters/uv.h>
#include <weft/weft.h>

static size_t received(weft_protocol *self, weft_stream *peer, weft_bytes in)
{
    int status = weft_stream_write(peer, in);

    (void)self;
    if (status < 0)
        weft_stream_abort(peer);
    else if (status == 1) /* more is queued than the peer takes: read no more until it has */
        weft_stream_pause(peer);
    return in.length;
}

static void drained(weft_protocol *self, weft_stream *peer)
{
    (void)self;
    weft_stream_resume(peer);
}

static WEFT_PROTOCOL(echo_ops, "echo", "it keeps nothing", .received = received, .drained = drained);
static weft_protocol echo = {&echo_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *peer)
{
    (void)factory;
    (void)peer;
    return &echo;
}

static const weft_factory_ops factory_ops = {.build = build};
static weft_factory factory = {&factory_ops};

/* Listens on a loop that nobody runs yet. */
static weft_loop *serve(const char *url)
{
    char address[WEFT_LISTENER_URL];
    weft_listener *listener;
    weft_loop *loop;
    int status = weft_loop_new(NULL, &loop);

    if (status == 0)
        status = weft_listen(weft_loop_scope(loop), url, &factory, NULL, &listener, NULL);
    if (status < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", url, weft_error_text(status));
        exit(1);
    }
    weft_listener_url(listener, NULL, address);
    fprintf(stderr, "listening on %s\n", address);
    return loop;
}

static void tick(uv_timer_t *timer)
{
    int *seconds = timer->data;

    printf("%d s\n", ++*seconds);
    fflush(stdout);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void quit(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

int main(int argc, char **argv)
{
    weft_loop *loop = serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007");
    uv_loop_t *uv = uv_default_loop();
    uv_signal_t interrupt, terminate;
    uv_timer_t timer;
    weft_uv_host *host;
    int seconds = 0;

    if (weft_uv_host_new(loop, uv, NULL, NULL, &host) < 0)
        return 1;
    uv_timer_init(uv, &timer);
    timer.data = &seconds;
    uv_timer_start(&timer, tick, 1000, 1000);
    uv_signal_init(uv, &interrupt);
    uv_signal_start(&interrupt, quit, SIGINT);
    uv_signal_init(uv, &terminate);
    uv_signal_start(&terminate, quit, SIGTERM);
    uv_run(uv, UV_RUN_DEFAULT);

    weft_uv_host_free(host);
    weft_loop_free(loop);
    uv_walk(uv, close_handle, NULL);
    uv_run(uv, UV_RUN_DEFAULT);
    return uv_loop_close(uv) < 0;
}
