/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of GLib, which has a timer and signals of its own. */
#include <glib-unix.h>
#include <stdio.h>

#include <weft/adapters/glib.h>
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

static gboolean tick(gpointer seconds)
{
    printf("%d s\n", ++*(int *)seconds);
    fflush(stdout);
    return G_SOURCE_CONTINUE;
}

static gboolean quit(gpointer glib)
{
    g_main_loop_quit(glib);
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    weft_factory *factory = weft_task_factory_new(echo, NULL);
    weft_loop *loop;
    GMainLoop *glib = g_main_loop_new(NULL, FALSE);
    GSource *source;
    int seconds = 0;

    if (!factory || weft_loop_new(NULL, &loop) < 0 ||
        listen_on(loop, factory, argc > 1 ? argv[1] : "tcp://127.0.0.1:7007") < 0)
        return 1;
    source = weft_glib_source_new(loop);
    g_source_set_callback(source, quit, glib, NULL); /* weft_loop_stop quits */
    g_source_attach(source, NULL);
    g_timeout_add(1000, tick, &seconds);
    g_unix_signal_add(SIGINT, quit, glib);
    g_unix_signal_add(SIGTERM, quit, glib);
    g_main_loop_run(glib);

    g_source_destroy(source);
    g_source_unref(source);
    weft_loop_free(loop);
    weft_task_factory_free(factory);
    g_main_loop_unref(glib);
    return 0;
}
