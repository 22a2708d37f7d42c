/* SPDX-License-Identifier: MIT */
/* What users of GLib do on it: a timer that fires once, and a descriptor that is told as long as it can be read. */
#ifndef ADAPTERS_NATIVE_GLIB_H
#define ADAPTERS_NATIVE_GLIB_H

#include <glib-unix.h>

#include "support/support.h"

static GMainContext *context;
static GSList *natives;

static void native_attach(GSource *native, GSourceFunc callback, void (*told)(void))
{
    union {
        void (*function)(void);
        gpointer pointer;
    } user = {.function = told};

    g_source_set_callback(native, callback, user.pointer, NULL);
    g_source_attach(native, context);
    natives = g_slist_prepend(natives, native);
}

static gboolean native_fired(gpointer arg)
{
    union {
        gpointer pointer;
        void (*function)(void);
    } user = {.pointer = arg};

    user.function();
    return G_SOURCE_REMOVE;
}

static gboolean native_readable(gint fd, GIOCondition condition, gpointer arg)
{
    (void)fd;
    (void)condition;
    (void)native_fired(arg);
    return G_SOURCE_CONTINUE;
}

static void native_timer(unsigned milliseconds, void (*told)(void))
{
    native_attach(g_timeout_source_new(milliseconds), native_fired, told);
}

static void native_watch(int fd, void (*told)(void))
{
    native_attach(g_unix_fd_source_new(fd, G_IO_IN), (GSourceFunc)(void (*)(void))native_readable, told);
}

static void native_end(gpointer native)
{
    g_source_destroy(native);
    g_source_unref(native);
}

#endif
