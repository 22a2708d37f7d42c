/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Weft and GLib on one thread. Link weft-glib.
 */
#ifndef WEFT_ADAPTERS_GLIB_H
#define WEFT_ADAPTERS_GLIB_H

#include <gio/gio.h>

#include <weft/deferred.h>

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

/** What an asynchronous call of GIO answers: what its `_finish` function takes. */
WEFT_DEFERRED(weft_glib_result, GAsyncResult *);

/**
 * A deferred for a call of GIO's. Pass what it gives you on, with weft_glib_ready:
 *
 *     weft_glib_result opened = weft_glib_call(scope, &cancellable, &data);
 *     g_file_read_async(file, G_PRIORITY_DEFAULT, cancellable, weft_glib_ready, data);
 *
 * and when it has fired, call g_file_read_finish with its value, which is *returned*: g_object_unref it. Cancelling the
 * deferred cancels the call and drops what it will answer. The call must be made, on the thread of the loop, from which
 * its context is iterated.
 * @param[out] ret_cancellable  *borrowed*, *until* the call has answered
 * @param[out] ret_data  for weft_glib_ready
 * @return a deferred; if its `deferred` is NULL memory is short, and *@p ret_cancellable and *@p ret_data are
 *         untouched: then make no call
 */
WEFT_API weft_glib_result weft_glib_call(weft_scope *scope, GCancellable **ret_cancellable, gpointer *ret_data);
/** A GAsyncReadyCallback, for weft_glib_call. */
WEFT_API void weft_glib_ready(GObject *source, GAsyncResult *result, gpointer data);

/**
 * Has @p task return what @p done comes to: TRUE (g_task_propagate_boolean), or the error. When the task's GCancellable
 * is cancelled, by any thread, @p done is, too. Nobody else may wait for @p done: its next callback sees success.
 * @param scope  any of the loop that @p done is on
 * @param task  the function takes a reference; its context is iterated on the loop's thread
 * @return 0; WEFT_ENOMEM, and then nothing will be returned in @p task
 */
WEFT_API WEFT_NODISCARD int weft_glib_return(weft_done done, weft_scope *scope, GTask *task);

/** @p error as GLib has it: G_IO_ERROR_CANCELLED, or what g_io_error_from_errno says, with Weft's text.
 *  @return *returned*, the caller frees it with g_error_free */
WEFT_API GError *weft_glib_error_new(int error);
/** The other way round. @return WEFT_ECANCELED, WEFT_ETIMEDOUT, or -EIO for what has no counterpart; 0 for NULL */
WEFT_API int weft_glib_error_from(const GError *error);

WEFT_END_DECLS

#endif
