/* SPDX-License-Identifier: MIT */
#include <weft/adapters/glib.h>

#include <glib-unix.h>

#include "adapters/law_kinds.h"

static GMainContext *context;
static GSource *source;
static void (*tell)(weft_loop *loop, void *arg);
static weft_loop *hosted;

static gboolean stopped(gpointer arg)
{
    tell(hosted, arg);
    return G_SOURCE_CONTINUE;
}

static void host_open(weft_loop *loop, void (*on_stopped)(weft_loop *loop, void *arg), void *arg)
{
    hosted = loop;
    tell = on_stopped;
    context = g_main_context_new();
    source = weft_glib_source_new(loop);
    assert_non_null(source);
    g_source_set_callback(source, stopped, arg, NULL);
    g_source_attach(source, context);
}

static void host_turn(bool may_sleep)
{
    g_main_context_iteration(context, may_sleep);
}

static void attach(GSource *native, GSourceFunc callback, void (*told)(void))
{
    union {
        void (*function)(void);
        gpointer pointer;
    } user = {.function = told};

    g_source_set_callback(native, callback, user.pointer, NULL);
    g_source_attach(native, context);
    g_source_unref(native);
}

static gboolean fired(gpointer arg)
{
    union {
        gpointer pointer;
        void (*function)(void);
    } user = {.pointer = arg};

    user.function();
    return G_SOURCE_REMOVE;
}

static gboolean readable(gint fd, GIOCondition condition, gpointer arg)
{
    (void)fd;
    (void)condition;
    (void)fired(arg);
    return G_SOURCE_CONTINUE;
}

static void native_timer(unsigned milliseconds, void (*told)(void))
{
    attach(g_timeout_source_new(milliseconds), fired, told);
}

static void native_watch(int fd, void (*told)(void))
{
    attach(g_unix_fd_source_new(fd, G_IO_IN), (GSourceFunc)(void (*)(void))readable, told);
}

static void host_detach(void)
{
    g_source_destroy(source);
}

static void host_close(void)
{
    host_detach();
    g_source_unref(source);
    g_main_context_unref(context);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("GLib", &host);
