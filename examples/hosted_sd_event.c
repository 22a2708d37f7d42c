/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of sd-event, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <weft/adapters/sd_event.h>
#include <weft/weft.h>

static void echo(weft_stream *peer, void *unused)
{
    weft_bytes in;

    (void)unused;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

/* Listens on @p loop, which nobody runs yet. */
static int listen_on(weft_loop *loop, weft_factory *factory, const char *url)
{
    char address[WEFT_LISTENER_URL];
    weft_listener *listener;
    int status = weft_listen(weft_loop_scope(loop), url, factory, NULL, &listener, NULL);

    if (status < 0) {
        fprintf(stderr, "cannot listen on %s: %s\n", url, weft_error_text(status));
        return status;
    }
    weft_listener_url(listener, NULL, address);
    fprintf(stderr, "listening on %s\n", address);
    return 0;
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
    weft_factory *factory = weft_task_factory_new(echo, NULL);
    weft_loop *loop;
    sd_event *event = NULL;
    weft_sd_host *host = NULL;
    sigset_t signals;
    int seconds = 0, status;

    if (!factory || weft_loop_new(NULL, &loop) < 0 ||
        listen_on(loop, factory, argc > 1 ? argv[1] : "tcp://127.0.0.1:7007") < 0)
        return 1;
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
    weft_task_factory_free(factory);
    sd_event_unref(event);
    return status < 0;
}
