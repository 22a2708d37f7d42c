/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of libevent, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/adapters/event.h>
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

static void tick(evutil_socket_t none, short events, void *seconds)
{
    (void)none;
    (void)events;
    printf("%d s\n", ++*(int *)seconds);
    fflush(stdout);
}

static void quit(evutil_socket_t number, short events, void *base)
{
    (void)number;
    (void)events;
    event_base_loopbreak(base);
}

int main(int argc, char **argv)
{
    weft_loop *loop = serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007");
    struct event_base *base = event_base_new();
    int seconds = 0, status;
    struct event *timer = event_new(base, -1, EV_PERSIST, tick, &seconds);
    struct event *interrupt = evsignal_new(base, SIGINT, quit, base);
    struct event *terminate = evsignal_new(base, SIGTERM, quit, base);
    weft_event_host *host;

    if (weft_event_host_new(loop, base, NULL, NULL, &host) < 0)
        return 1;
    event_add(timer, &(struct timeval){.tv_sec = 1});
    event_add(interrupt, NULL);
    event_add(terminate, NULL);
    status = weft_event_host_run(host);

    weft_event_host_free(host);
    weft_loop_free(loop);
    event_free(timer);
    event_free(interrupt);
    event_free(terminate);
    event_base_free(base);
    return status < 0;
}
