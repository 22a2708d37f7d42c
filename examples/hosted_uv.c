/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of libuv, which has a timer and signals of its own. */
#include <signal.h>
#include <stdio.h>

#include <weft/adapters/uv.h>
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
    weft_factory *factory = weft_task_factory_new(echo, NULL);
    weft_loop *loop;
    uv_loop_t *uv = uv_default_loop();
    uv_signal_t interrupt, terminate;
    uv_timer_t timer;
    weft_uv_host *host;
    int seconds = 0;

    if (!factory || weft_loop_new(NULL, &loop) < 0 ||
        listen_on(loop, factory, argc > 1 ? argv[1] : "tcp://127.0.0.1:7007") < 0)
        return 1;
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
    weft_task_factory_free(factory);
    uv_walk(uv, close_handle, NULL);
    uv_run(uv, UV_RUN_DEFAULT);
    return uv_loop_close(uv) < 0;
}
