/* SPDX-License-Identifier: MIT */
#include <weft/adapters/glib.h>

#include <fcntl.h>

#include "adapters/native_glib.h"
#include "loop/loop_test.h"

static weft_glib_guest *inside;
static bool is_open;

static int guest_open(weft_scope *scope)
{
    int status;

    context = g_main_context_new();
    status = weft_glib_guest_new(scope, context, &inside);
    is_open = status == 0;
    if (!is_open)
        g_main_context_unref(context);
    return status;
}

static void guest_free(void)
{
    if (is_open)
        weft_glib_guest_free(inside);
    is_open = false;
}

static void native_close(void)
{
    guest_free();
    g_slist_free_full(natives, native_end);
    natives = NULL;
    g_main_context_unref(context);
}

#include "adapters/guest_test.h"

/* Closes what it was told of, and waits for another descriptor, which has the same number. */
static gboolean replace(gint fd, GIOCondition condition, gpointer arg)
{
    (void)condition;
    (void)arg;
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ends[0], fd);
    native_watch(ends[0], stop_outer);
    put_byte();
    return G_SOURCE_REMOVE;
}

static void a_number_that_is_used_again_is_watched_anew(void **state)
{
    GSource *first;
    weft_timer timer;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    begin(&timer, write_byte);
    first = g_unix_fd_source_new(ends[0], G_IO_IN);
    g_source_set_callback(first, (GSourceFunc)(void (*)(void))replace, NULL, NULL);
    g_source_attach(first, context);
    natives = g_slist_prepend(natives, first);
    run(outer);
    assert_true(native_calls >= 1);
    finish(&timer);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_is_always_ready(void **state)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    weft_timer timer;

    (void)state;
    assert_true(fd >= 0);
    begin(&timer, nothing);
    native_watch(fd, stop_outer);
    run(outer);
    assert_int_equal(native_calls, 1);
    finish(&timer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TESTS,
        support_test(a_number_that_is_used_again_is_watched_anew),
        support_test(a_file_is_always_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
