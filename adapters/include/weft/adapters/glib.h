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

/** A GMainContext inside a loop. */
typedef struct weft_glib_guest weft_glib_guest;

/**
 * Has the loop of @p scope iterate @p context: what is ready or due there is dispatched in a turn of the loop. It never
 * ends by itself, so weft_loop_run goes on until weft_loop_stop or weft_glib_guest_free. When @p scope is cancelled or
 * closed, @p context stands still.
 *
 * A callback of this loop that destroys a source, closes its descriptor, and attaches another source with a descriptor
 * of the same number calls weft_glib_guest_touch; callbacks of @p context need not.
 *
 * @param context  the guest keeps a reference, and owns it (g_main_context_acquire): nobody else may iterate it. NULL:
 *                 the default one
 * @param[out] ret_guest  *returned*, the caller frees it with weft_glib_guest_free, before the loop is freed
 * @return 0; WEFT_ENOMEM; -EBUSY if another thread owns @p context; -EMFILE and the like; an error of weft_watch_start,
 *         -ENOTSUP under the simulator
 */
WEFT_API WEFT_NODISCARD int weft_glib_guest_new(weft_scope *scope, GMainContext *context, weft_glib_guest **ret_guest);
/** Has all descriptors of the context be looked at anew. */
WEFT_API void weft_glib_guest_touch(weft_glib_guest *guest);
/** Ends it: the context is iterated no more, and can be iterated by others. At any time, also from a callback of
 *  either. NULL does nothing. */
WEFT_API void weft_glib_guest_free(weft_glib_guest *guest);

WEFT_END_DECLS

#endif
