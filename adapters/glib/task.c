/* SPDX-License-Identifier: MIT */
/* A GTask for a deferred, and a deferred for an asynchronous call of GIO's; each cancels the other. */
#include <weft/adapters/glib.h>

#include <errno.h>

#include <weft/error.h>
#include <weft/loop.h>
#include <weft/memory.h>

GError *weft_glib_error_new(int error)
{
    gint code = error == WEFT_ECANCELED      ? G_IO_ERROR_CANCELLED
                : error == WEFT_ETIMEDOUT    ? G_IO_ERROR_TIMED_OUT
                : error < 0 && error > -4096 ? (gint)g_io_error_from_errno(-error)
                                             : G_IO_ERROR_FAILED;

    return g_error_new_literal(G_IO_ERROR, code, weft_error_text(error));
}

int weft_glib_error_from(const GError *error)
{
    if (!error)
        return 0;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return WEFT_ECANCELED;
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ? WEFT_ETIMEDOUT : -EIO;
}

/* -- theirs becomes ours -- */

/* In the room of its deferred, which the call holds a reference of. */
struct call {
    weft_deferred *deferred;
    GCancellable *cancellable;
};

static void cancel_call(weft_deferred *deferred, int reason, void *arg)
{
    struct call *call = weft_deferred_room(deferred);

    (void)reason;
    (void)arg;
    g_cancellable_cancel(call->cancellable);
}

weft_glib_result weft_glib_call(weft_scope *scope, GCancellable **ret_cancellable, gpointer *ret_data)
{
    weft_glib_result result = weft_deferred_new_with(weft_glib_result, scope, sizeof(struct call), cancel_call, NULL);
    struct call *call;

    if (!result.deferred)
        return result;
    call = weft_deferred_room(result.deferred);
    *call = (struct call){weft_deferred_ref(result.deferred), g_cancellable_new()};
    if (weft_deferred_fired(result.deferred)) /* its scope was cancelled */
        g_cancellable_cancel(call->cancellable);
    *ret_cancellable = call->cancellable;
    *ret_data = call;
    return result;
}

void weft_glib_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    struct call *call = data;
    weft_deferred *deferred = call->deferred;

    (void)source;
    g_object_unref(call->cancellable);
    if (!weft_deferred_fired(deferred)) {
        g_object_ref(result);
        (void)weft_deferred_fire(deferred, &result);
    }
    weft_deferred_unref(deferred);
}

/* -- ours becomes theirs -- */

/* A GCancellable may be cancelled by any thread, so what it wants is posted. It goes when the deferred has fired and no
 * post is under way. */
struct promise {
    weft_post post;
    weft_loop *loop;
    weft_deferred *deferred;
    GTask *task;
    gulong handler;
    gint users;
};

static void unref(struct promise *promise)
{
    if (!g_atomic_int_dec_and_test(&promise->users))
        return;
    weft_deferred_unref(promise->deferred);
    g_object_unref(promise->task);
    weft_release(promise);
}

static void cancel_deferred(weft_post *post)
{
    struct promise *promise = weft_container_of(post, struct promise, post);

    weft_cancel(promise->deferred);
    unref(promise);
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
    struct promise *promise = data;

    (void)cancellable;
    g_atomic_int_inc(&promise->users);
    promise->post.run = cancel_deferred;
    weft_loop_post(promise->loop, &promise->post);
}

static int answer(int error, int *value, void *arg)
{
    struct promise *promise = arg;

    (void)value;
    g_cancellable_disconnect(g_task_get_cancellable(promise->task), promise->handler);
    if (error < 0)
        g_task_return_error(promise->task, weft_glib_error_new(error));
    else
        g_task_return_boolean(promise->task, TRUE);
    unref(promise);
    return 0;
}

int weft_glib_return(weft_done done, weft_scope *scope, GTask *task)
{
    GCancellable *cancellable = g_task_get_cancellable(task);
    struct promise *promise = weft_allocate_zeroed(1, sizeof *promise);
    int status;

    if (!promise)
        return WEFT_ENOMEM;
    *promise =
        (struct promise){.loop = weft_scope_loop(scope), .deferred = weft_deferred_ref(done.deferred), .users = 2};
    promise->task = g_object_ref(task);
    status = weft_finally(done, answer, promise);
    if (status < 0)
        unref(promise);
    else if (cancellable && !weft_deferred_fired(done.deferred))
        promise->handler = g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), promise, NULL);
    unref(promise);
    return status;
}
