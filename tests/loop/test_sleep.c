/* SPDX-License-Identifier: MIT */
/* Who is asked before the loop sleeps (weft/prepare.h). */
#include <weft/prepare.h>

#include <weft/error.h>

#include "loop/loop_test.h"

struct asked {
    weft_prepare prepare;
    unsigned times;
    struct asked *stops;
};

static void count(weft_prepare *prepare)
{
    struct asked *asked = weft_container_of(prepare, struct asked, prepare);

    asked->times++;
    if (asked->stops)
        weft_prepare_stop(&asked->stops->prepare);
}

static void start(struct asked *asked, weft_scope *scope)
{
    *asked = (struct asked){0};
    assert_int_equal(weft_prepare_start(&asked->prepare, scope, count), 0);
}

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void it_is_asked_before_each_sleep(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct asked asked;
    weft_timer timer;

    (void)state;
    start(&asked, weft_loop_scope(loop));
    run(loop);
    assert_int_equal(asked.times, 0); /* it keeps no loop going */
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&timer, WEFT_MILLISECONDS(5));
    run(loop);
    assert_true(asked.times >= 1);
    weft_timer_fini(&timer);
    weft_prepare_stop(&asked.prepare);
    weft_prepare_stop(&asked.prepare);
    asked.times = 0;
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    assert_int_equal(asked.times, 0);
    weft_loop_free(loop);
}

struct poster {
    weft_prepare prepare;
    weft_post post;
};

static void ran(weft_post *post)
{
    post->run = NULL;
}

static void post(weft_prepare *prepare)
{
    struct poster *poster = weft_container_of(prepare, struct poster, prepare);

    poster->post.run = ran;
    weft_loop_post(weft_scope_loop(prepare->member.scope), &poster->post);
    weft_prepare_stop(prepare);
}

static void with_a_post_the_loop_does_not_sleep(void **state)
{
    weft_loop *loop = loop_on("epoll");
    struct poster poster = {0};

    (void)state;
    assert_int_equal(weft_prepare_start(&poster.prepare, weft_loop_scope(loop), post), 0);
    assert_true(weft_loop_prepare(loop) == 0);
    assert_int_equal(weft_loop_step(loop), 0);
    assert_null(poster.post.run);
    assert_true(weft_loop_prepare(loop) == WEFT_NEVER);
    weft_loop_free(loop);
}

static void any_may_be_stopped_while_they_are_asked(void **state)
{
    weft_loop *loop = loop_on_sim();
    struct asked asked[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        start(&asked[i], weft_loop_scope(loop));
    asked[0].stops = &asked[1];
    asked[2].stops = &asked[2];
    (void)weft_loop_prepare(loop);
    (void)weft_loop_prepare(loop);
    assert_int_equal(asked[0].times, 2);
    assert_int_equal(asked[1].times, 0);
    assert_int_equal(asked[2].times, 1);
    weft_loop_free(loop);
}

static void the_end_of_its_scope_stops_it(void **state)
{
    weft_loop *loop = loop_on_sim();
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    struct asked asked, late = {0};

    (void)state;
    start(&asked, scope);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    (void)weft_loop_prepare(loop);
    assert_int_equal(asked.times, 0);
    assert_int_equal(weft_prepare_start(&late.prepare, scope, count), WEFT_ECANCELED);
    weft_scope_close(scope);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(it_is_asked_before_each_sleep),
        support_test(with_a_post_the_loop_does_not_sleep),
        support_test(any_may_be_stopped_while_they_are_asked),
        support_test(the_end_of_its_scope_stops_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
