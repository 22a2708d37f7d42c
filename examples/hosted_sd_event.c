/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of sd-event, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <weft/adapters/sd_event.h>
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

static int tick(sd_event_source *timer, uint64_t now, void *seconds)
{
    (void)now;
    printf("%d s\n", ++*(int *)seconds);
    fflush(stdout);
    sd_event_source_set_time_relative(timer, 1000000);
    return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

int main(int argc, char **argv)
{
    weft_loop *loop = serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007");
    sd_event *event = NULL;
    weft_sd_host *host = NULL;
    sigset_t signals;
    int seconds = 0, status;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* sd-event reads them */
    if (sd_event_default(&event) < 0 || weft_sd_host_new(loop, event, NULL, NULL, &host) < 0)
        return 1;
    sd_event_add_signal(event, NULL, SIGINT, NULL, NULL); /* without a callback it exits */
    sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
    sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 1000000, 1000, tick, &seconds);
    status = sd_event_loop(event);

    weft_sd_host_free(host);
    weft_loop_free(loop);
    sd_event_unref(event);
    return status < 0;
}
