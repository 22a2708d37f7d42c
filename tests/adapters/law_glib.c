/* SPDX-License-Identifier: MIT */
#include <weft/adapters/glib.h>

#include "adapters/law_kinds.h"
#include "adapters/native_glib.h"

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

static void host_detach(void)
{
    g_source_destroy(source);
}

static void host_close(void)
{
    host_detach();
    g_source_unref(source);
    g_slist_free_full(natives, native_end);
    natives = NULL;
    g_main_context_unref(context);
}

static const struct law_host host = {host_open, host_turn, host_detach, host_close, native_timer, native_watch};

LAW_KINDS_IN("GLib", &host);
