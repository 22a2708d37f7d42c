/* SPDX-License-Identifier: MIT */
#include <weft/adapters/glib.h>

#include "adapters/host_test.h"

static GMainContext *context;
static unsigned told;

static GSource *host(weft_loop *loop)
{
    GSource *source = weft_glib_source_new(loop);

    context = g_main_context_new();
    g_source_attach(source, context);
    return source;
}

static void end(GSource *source, weft_loop *loop)
{
    g_source_destroy(source);
    g_source_unref(source);
    g_main_context_unref(context);
    weft_loop_free(loop);
}

static void the_simulator_cannot_be_hosted(void **state)
{
    weft_loop *loop = loop_on_sim();

    (void)state;
    assert_null(weft_glib_source_new(loop));
    weft_loop_free(loop);
}

static gboolean count_and_remove(gpointer arg)
{
    (void)arg;
    told++;
    return G_SOURCE_REMOVE;
}

static void a_stop_may_remove_the_source(void **state)
{
    weft_loop *loop = loop_on("epoll");
    GSource *source = host(loop);
    weft_timer timer;

    (void)state;
    told = 0;
    start_timer(&timer, loop, stop_loop);
    g_source_set_callback(source, count_and_remove, NULL, NULL);
    while (!g_source_is_destroyed(source))
        g_main_context_iteration(context, TRUE);
    assert_int_equal(told, 1);
    weft_timer_fini(&timer);
    end(source, loop);
}

static void without_a_callback_a_stop_does_nothing(void **state)
{
    weft_loop *loop = loop_on("epoll");
    GSource *source = host(loop);
    weft_timer timer;

    (void)state;
    start_timer(&timer, loop, count_fired);
    weft_loop_stop(loop);
    while (!fired)
        g_main_context_iteration(context, TRUE);
    assert_false(weft_loop_stopped(loop));
    weft_timer_fini(&timer);
    end(source, loop);
}

/* A dialogue that is run to its end inside of a callback, as some toolkits do. */
static void iterate_inside(weft_timer *timer)
{
    (void)timer;
    fired++;
    for (int turns = 0; turns < 10; turns++)
        g_main_context_iteration(context, FALSE);
}

static void inside_of_its_callback_the_loop_stands_still(void **state)
{
    weft_loop *loop = loop_on("epoll");
    GSource *source = host(loop);
    weft_timer timer, other;

    (void)state;
    start_timer(&other, loop, iterate_inside);
    start_timer(&timer, loop, iterate_inside);
    while (fired < 2)
        g_main_context_iteration(context, TRUE);
    weft_timer_fini(&timer);
    weft_timer_fini(&other);
    end(source, loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_simulator_cannot_be_hosted),
        support_test(a_stop_may_remove_the_source),
        support_test(without_a_callback_a_stop_does_nothing),
        support_test(inside_of_its_callback_the_loop_stands_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
