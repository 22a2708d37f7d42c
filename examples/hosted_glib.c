/* SPDX-License-Identifier: MIT */
/* An echo server inside a program of GLib, which has a timer and signals of its own. */
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/adapters/glib.h>
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
    weft_loop *loop = serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007");
    GMainLoop *glib = g_main_loop_new(NULL, FALSE);
    GSource *source = weft_glib_source_new(loop);
    int seconds = 0;

    g_source_set_callback(source, quit, glib, NULL); /* weft_loop_stop quits */
    g_source_attach(source, NULL);
    g_timeout_add(1000, tick, &seconds);
    g_unix_signal_add(SIGINT, quit, glib);
    g_unix_signal_add(SIGTERM, quit, glib);
    g_main_loop_run(glib);

    g_source_destroy(source);
    g_source_unref(source);
    weft_loop_free(loop);
    g_main_loop_unref(glib);
    return 0;
}
