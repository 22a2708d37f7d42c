/* SPDX-License-Identifier: MIT */
/* Deferreds and GIO's asynchronous calls become each other, cancellation included. */
#include <weft/adapters/glib.h>

#include <pthread.h>

#include "adapters/host_test.h"

static GMainContext *context;
static weft_loop *loop;
static GSource *source;
static GTask *returned;
static int result_error;
static unsigned results;

static int begin(void **state)
{
    (void)support_setup(state);
    context = g_main_context_new();
    g_main_context_push_thread_default(context);
    loop = loop_on("epoll");
    source = weft_glib_source_new(loop);
    g_source_attach(source, context);
    returned = NULL;
    results = 0;
    return 0;
}

static int end(void **state)
{
    g_source_destroy(source);
    g_source_unref(source);
    weft_loop_free(loop);
    g_main_context_pop_thread_default(context);
    g_main_context_unref(context);
    return support_teardown(state);
}

/* -- a deferred in a GTask -- */

static void take(GObject *object, GAsyncResult *result, gpointer arg)
{
    (void)object;
    (void)arg;
    returned = G_TASK(g_object_ref(result));
}

static weft_done done_in(GCancellable *cancellable)
{
    weft_done done = weft_deferred_new(weft_done, weft_loop_scope(loop));
    GTask *task = g_task_new(NULL, cancellable, take, NULL);

    assert_int_equal(weft_glib_return(done, weft_loop_scope(loop), task), 0);
    g_object_unref(task);
    return done;
}

static void assert_returned(gint code)
{
    GError *error = NULL;

    while (!returned)
        g_main_context_iteration(context, TRUE);
    assert_int_equal(g_task_propagate_boolean(returned, &error), code < 0);
    if (code >= 0) {
        assert_true(g_error_matches(error, G_IO_ERROR, code));
        g_error_free(error);
    }
    g_object_unref(returned);
}

static void a_value_is_returned(void **state)
{
    weft_done done = done_in(NULL);

    (void)state;
    assert_int_equal(weft_fire(done, 0), 0);
    assert_returned(-1);
}

static void an_error_is_returned(void **state)
{
    weft_done done = done_in(NULL);

    (void)state;
    assert_int_equal(weft_deferred_fail(done.deferred, -ECONNREFUSED), 0);
    assert_returned(G_IO_ERROR_CONNECTION_REFUSED);
}

static void what_has_fired_is_returned(void **state)
{
    weft_done done = weft_fail(weft_done, weft_loop_scope(loop), WEFT_ETIMEDOUT);
    GTask *task = g_task_new(NULL, NULL, take, NULL);

    (void)state;
    assert_int_equal(weft_glib_return(done, weft_loop_scope(loop), task), 0);
    g_object_unref(task);
    assert_returned(G_IO_ERROR_TIMED_OUT);
}

static void the_end_of_the_scope_is_returned(void **state)
{
    (void)state;
    (void)done_in(NULL);
    weft_scope_cancel(weft_loop_scope(loop), WEFT_ECANCELED);
    assert_returned(G_IO_ERROR_CANCELLED);
}

static void *cancel_from_afar(void *cancellable)
{
    g_cancellable_cancel(cancellable);
    return NULL;
}

static void a_cancellable_cancels_the_deferred(void **state)
{
    GCancellable *cancellable = g_cancellable_new();
    pthread_t thread;

    (void)state;
    (void)done_in(cancellable);
    assert_int_equal(pthread_create(&thread, NULL, cancel_from_afar, cancellable), 0);
    assert_returned(G_IO_ERROR_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    g_object_unref(cancellable);
}

static void one_that_was_cancelled_cancels_too(void **state)
{
    GCancellable *cancellable = g_cancellable_new();

    (void)state;
    g_cancellable_cancel(cancellable);
    (void)done_in(cancellable);
    assert_returned(G_IO_ERROR_CANCELLED);
    g_object_unref(cancellable);
}

static void want_of_memory_returns_nothing(void **state)
{
    weft_done done = weft_deferred_new(weft_done, weft_loop_scope(loop));
    GTask *task = g_task_new(NULL, NULL, take, NULL);

    (void)state;
    support_fail_at(1, false);
    assert_int_equal(weft_glib_return(done, weft_loop_scope(loop), task), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_int_equal(weft_fire(done, 0), 0);
    g_object_unref(task);
    assert_null(returned);
}

/* -- a call of GIO's in a deferred -- */

static int finish(int error, GAsyncResult **result, void *file)
{
    GError *why = NULL;
    GFileInfo *info;

    results++;
    result_error = error;
    if (error < 0)
        return 0;
    info = g_file_query_info_finish(file, *result, &why);
    result_error = weft_glib_error_from(why);
    g_clear_error(&why);
    if (info)
        g_object_unref(info);
    g_object_unref(*result);
    return 0;
}

static weft_glib_result ask(GFile *file, GCancellable **ret_cancellable)
{
    gpointer data = NULL;
    weft_glib_result result = weft_glib_call(weft_loop_scope(loop), ret_cancellable, &data);

    assert_non_null(result.deferred);
    g_file_query_info_async(file, "standard::size", G_FILE_QUERY_INFO_NONE, 0, *ret_cancellable, weft_glib_ready, data);
    assert_int_equal(weft_finally(result, finish, file), 0);
    return result;
}

static void assert_answer(const char *path, int error)
{
    GFile *file = g_file_new_for_path(path);
    GCancellable *cancellable;

    (void)ask(file, &cancellable);
    while (!results)
        g_main_context_iteration(context, TRUE);
    assert_int_equal(result_error, error);
    g_object_unref(file);
}

static void an_answer_fires(void **state)
{
    (void)state;
    assert_answer("/proc/self/exe", 0);
}

static void its_error_is_in_the_answer(void **state)
{
    (void)state;
    assert_answer("/nonexistent", -EIO);
}

/* The last to let go of it may be a thread of GIO's. */
static void note_end(gpointer arg, GObject *object)
{
    (void)object;
    g_atomic_int_set((gint *)arg, 1);
    g_main_context_wakeup(context);
}

/* The call's answer comes, and finds nobody. */
static void cancelling_the_deferred_cancels_the_call(void **state)
{
    GFile *file = g_file_new_for_path("/proc/self/exe");
    GCancellable *cancellable = NULL;
    weft_glib_result result = ask(file, &cancellable);
    gint answered = 0;

    (void)state;
    g_object_weak_ref(G_OBJECT(cancellable), note_end, &answered);
    weft_cancel(result.deferred);
    assert_int_equal(results, 1);
    assert_int_equal(result_error, WEFT_ECANCELED);
    assert_true(g_cancellable_is_cancelled(cancellable));
    while (!g_atomic_int_get(&answered))
        g_main_context_iteration(context, TRUE);
    assert_int_equal(results, 1);
    g_object_unref(file);
}

#define glib_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        glib_test(a_value_is_returned),
        glib_test(an_error_is_returned),
        glib_test(what_has_fired_is_returned),
        glib_test(the_end_of_the_scope_is_returned),
        glib_test(a_cancellable_cancels_the_deferred),
        glib_test(one_that_was_cancelled_cancels_too),
        glib_test(want_of_memory_returns_nothing),
        glib_test(an_answer_fires),
        glib_test(its_error_is_in_the_answer),
        glib_test(cancelling_the_deferred_cancels_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
