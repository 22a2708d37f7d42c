/* SPDX-License-Identifier: MIT */
/* A loop inside a GMainContext: a source that watches its descriptor and sleeps no longer than it may. */
#include <weft/adapters/glib.h>

#include <errno.h>

#include <weft/error.h>
#include <weft/log.h>

#include "adapter.h"

struct loop_source {
    GSource base;
    weft_loop *loop;
    gpointer descriptor; /* GLib's tag for the loop's */
};

static struct loop_source *of(GSource *base)
{
    return (struct loop_source *)base;
}

static gboolean prepare(GSource *base, gint *timeout)
{
    *timeout = adapter_milliseconds(weft_loop_prepare(of(base)->loop));
    return *timeout == 0;
}

static gboolean check(GSource *base)
{
    return g_source_query_unix_fd(base, of(base)->descriptor) != 0 || weft_loop_prepare(of(base)->loop) == 0;
}

static gboolean dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
    weft_loop *loop = of(base)->loop;

    if (adapter_step(loop, "glib") == ADAPTER_GOES_ON || !callback)
        return G_SOURCE_CONTINUE;
    return callback(data);
}

static GSourceFuncs loop_source = {.prepare = prepare, .check = check, .dispatch = dispatch};

GSource *weft_glib_source_new(weft_loop *loop)
{
    int fd = weft_loop_fd(loop);
    GSource *base;

    if (fd < 0)
        return NULL;
    base = g_source_new(&loop_source, sizeof(struct loop_source));
    g_source_set_name(base, "weft");
    of(base)->loop = loop;
    of(base)->descriptor = g_source_add_unix_fd(base, fd, G_IO_IN);
    return base;
}
