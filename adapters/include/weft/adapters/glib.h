/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Weft and GLib on one thread. Link weft-glib.
 */
#ifndef WEFT_ADAPTERS_GLIB_H
#define WEFT_ADAPTERS_GLIB_H

#include <glib.h>

#include <weft/loop.h>

WEFT_BEGIN_DECLS

/**
 * A source whose context runs @p loop: what is ready or due there gets a turn whenever this source is dispatched, and
 * the context sleeps no longer than the loop may. Attach it with g_source_attach to a context that is iterated on the
 * loop's thread; its priority is G_PRIORITY_DEFAULT.
 *
 * Its callback (g_source_set_callback) is called after weft_loop_stop, or when the loop's backend has failed, which is
 * logged; it returns G_SOURCE_CONTINUE or G_SOURCE_REMOVE. Without one a stop does nothing.
 *
 * Neither the source nor the context ends when nothing is left on the loop. A callback of the loop may iterate the
 * context, but as long as it does the loop stands still.
 *
 * @param loop  *until* g_source_destroy, which comes before weft_loop_free
 * @return *returned*: the caller calls g_source_unref, after g_source_attach if it likes; NULL if the loop's backend
 *         cannot be hosted, as the simulator's
 */
WEFT_API GSource *weft_glib_source_new(weft_loop *loop);

WEFT_END_DECLS

#endif
