/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of libevent, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>

#include <weft/adapters/event.h>
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
    weft_factory *factory = weft_task_factory_new(echo, NULL);
    weft_loop *loop;
    struct event_base *base = event_base_new();
    int seconds = 0, status;
    struct event *timer = event_new(base, -1, EV_PERSIST, tick, &seconds);
    struct event *interrupt = evsignal_new(base, SIGINT, quit, base);
    struct event *terminate = evsignal_new(base, SIGTERM, quit, base);
    weft_event_host *host;

    if (!factory || weft_loop_new(NULL, &loop) < 0 ||
        listen_on(loop, factory, argc > 1 ? argv[1] : "tcp://127.0.0.1:7007") < 0)
        return 1;
    if (weft_event_host_new(loop, base, NULL, NULL, &host) < 0)
        return 1;
    event_add(timer, &(struct timeval){.tv_sec = 1});
    event_add(interrupt, NULL);
    event_add(terminate, NULL);
    status = weft_event_host_run(host);

    weft_event_host_free(host);
    weft_loop_free(loop);
    weft_task_factory_free(factory);
    event_free(timer);
    event_free(interrupt);
    event_free(terminate);
    event_base_free(base);
    return status < 0;
}
