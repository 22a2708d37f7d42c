/* SPDX-License-Identifier: MIT */
/* Deferreds that wait for others: weft_become and weft_chain. */
#include <pthread.h>
#include <stdlib.h>

#include "async/deferred_test.h"

static void becoming_one_that_is_ready_goes_on_at_once(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = weft_succeed(number, scope, 7)));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 b7 ");
}

static void becoming_one_that_is_not_ready_waits_for_it(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(inner, ACT('i', GIVE, 8));
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 ");
    assert_true(weft_deferred_fired(d.deferred));
    assert_false(weft_deferred_ready(d.deferred));
    weft_fire(inner, 7);
    assert_trace("i7 b8 ");
    assert_true(weft_deferred_ready(d.deferred));
}

static void becoming_one_that_failed_fails(void **state)
{
    number early = make(), late = make(), inner = make();

    (void)state;
    add_then(early, ACT('a', BECOME, .inner = weft_fail(number, scope, -EIO)));
    add_catch(early, ACT('b', GIVE, 0));
    weft_fire(early, 1);
    add_then(late, ACT('c', BECOME, .inner = inner));
    add_catch(late, ACT('d', GIVE, 0));
    weft_fire(late, 2);
    weft_deferred_fail(inner.deferred, -EPIPE);
    assert_trace("a1 b!EIO c2 d!EPIPE ");
}

static void error_may_become_another_deferred(void **state)
{
    number d = weft_fail(number, scope, -EIO), inner = make();

    (void)state;
    add_catch(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_fire(inner, 3);
    assert_trace("a!EIO b3 ");
}

static void inner_that_itself_waits_is_waited_for(void **state)
{
    number outer = make(), middle = make(), inner = make();

    (void)state;
    add_then(middle, ACT('m', BECOME, .inner = inner));
    weft_fire(middle, 1);
    add_then(outer, ACT('o', BECOME, .inner = middle));
    add_then(outer, ACT('p'));
    weft_fire(outer, 2);
    assert_trace("m1 o2 ");
    weft_fire(inner, 9);
    assert_trace("p9 ");
}

static void result_of_the_inner_one_is_taken(void **state)
{
    number d = make(), inner = make();

    (void)state;
    weft_deferred_ref(inner.deferred);
    add_then(d, ACT('a', BECOME, .inner = inner));
    weft_fire(d, 1);
    weft_fire(inner, 5);
    add_finally(inner, ACT('i')); /* its own callbacks get nothing any more */
    add_finally(d, ACT('d'));
    weft_deferred_unref(inner.deferred);
    assert_trace("a1 i0 d5 ");
}

static void error_of_the_inner_one_is_taken(void **state)
{
    number d = make(), inner = make();

    (void)state;
    weft_deferred_ref(inner.deferred);
    add_then(d, ACT('a', BECOME, .inner = inner));
    weft_fire(d, 1);
    weft_deferred_fail(inner.deferred, -EIO);
    add_finally(inner, ACT('i'));
    add_finally(d, ACT('d', GIVE, 0));
    weft_deferred_unref(inner.deferred);
    assert_trace("a1 i0 d!EIO ");
}

/* Unlike in Twisted, where it would not be waited for what is added to the inner one after the outer began to wait. */
static void callbacks_added_to_the_inner_one_while_it_is_waited_for_come_first(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    add_then(inner, ACT('i', GIVE, 6));
    weft_fire(inner, 5);
    assert_trace("a1 i5 b6 ");
}

static void paused_inner_one_is_waited_for(void **state)
{
    number d = make(), inner = weft_succeed(number, scope, 4);

    (void)state;
    weft_pause(inner.deferred);
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 ");
    weft_unpause(inner.deferred);
    assert_trace("b4 ");
}

static void paused_outer_one_keeps_what_the_inner_one_brought(void **state)
{
    number d = make(), inner = make();

    (void)state;
    add_then(d, ACT('a', BECOME, .inner = inner));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    weft_pause(d.deferred);
    weft_fire(inner, 5);
    turn(); /* the inner one is gone then */
    assert_trace("a1 ");
    weft_unpause(d.deferred);
    assert_trace("b5 ");
}

static int become_and_fail(int error, int *value, void *arg)
{
    number *inner = arg;

    (void)error;
    assert_int_equal(weft_become(value, *inner), 0);
    return -EPIPE;
}

static void error_after_becoming_counts(void **state)
{
    number d = make(), inner = make();

    (void)state;
    assert_int_equal(weft_then(d, become_and_fail, &inner), 0);
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    assert_trace("b!EPIPE ");
    add_then(inner, ACT('i'));
    weft_fire(inner, 5); /* which is free again, and whole */
    assert_trace("i5 ");
}

static int become_two(int error, int *value, void *arg)
{
    number *inner = arg;

    (void)error;
    assert_int_equal(weft_become(value, inner[0]), 0);
    assert_int_equal(weft_become(value, inner[1]), -EBUSY);
    return 0;
}

static void a_callback_becomes_one_other_only(void **state)
{
    number d = make(), inner[2] = {make(), make()};

    (void)state;
    assert_int_equal(weft_then(d, become_two, inner), 0);
    add_finally(d, ACT('b'));
    weft_fire(d, 1);
    weft_fire(inner[1], 2);
    assert_trace("");
    weft_fire(inner[0], 3);
    assert_trace("b3 ");
}

static int become_and_note(int error, int *value, void *arg)
{
    number *inner = arg;
    int status = weft_become(value, *inner);

    (void)error;
    note("%s ", weft_error_name(status));
    return status;
}

static void an_inner_one_belongs_to_one_only(void **state)
{
    number first = make(), second = make(), inner = make();

    (void)state;
    assert_int_equal(weft_then(first, become_and_note, &inner), 0);
    assert_int_equal(weft_then(second, become_and_note, &inner), 0);
    add_finally(second, ACT('s', GIVE, 0));
    weft_fire(first, 1);
    weft_fire(second, 1);
    assert_trace("OK EBUSY s!EBUSY ");
    weft_fire(inner, 1);
}

static void becoming_itself_or_nothing_is_refused(void **state)
{
    number d = make(), none = {NULL};

    (void)state;
    assert_int_equal(weft_then(d, become_and_note, &d), 0);
    assert_int_equal(weft_catch(d, become_and_note, &none), 0);
    add_finally(d, ACT('z', GIVE, 0));
    weft_fire(d, 1);
    assert_trace("EINVAL ENOMEM z!ENOMEM ");
}

/* In a circle each would wait for ever, and for cancelling there would be no end. */
static void becoming_one_that_waits_for_oneself_is_refused(void **state)
{
    number a = make(), b = make(), c = make();

    (void)state;
    assert_int_equal(weft_then(a, become_and_note, &b), 0);
    assert_int_equal(weft_then(b, become_and_note, &c), 0);
    assert_int_equal(weft_then(c, become_and_note, &a), 0);
    weft_fire(a, 1);
    weft_fire(b, 1);
    weft_fire(c, 1);
    assert_trace("OK OK EDEADLK ");
    add_finally(a, ACT('a', GIVE, 0));
    assert_trace("a!EDEADLK ");
}

/* -- chain -- */

static void chain_fires_the_other_and_leaves_nothing(void **state)
{
    number d = make(), other = make();

    (void)state;
    add_then(d, ACT('a', GIVE, 2));
    assert_int_equal(weft_chain(d, other), 0);
    add_finally(d, ACT('b'));
    add_finally(other, ACT('o'));
    weft_fire(d, 1);
    assert_trace("a1 o2 b0 ");
}

static void chain_hands_errors_over(void **state)
{
    number d = make(), other = make();

    (void)state;
    assert_int_equal(weft_chain(d, other), 0);
    add_finally(other, ACT('o', GIVE, 0));
    add_finally(d, ACT('b'));
    weft_deferred_fail(d.deferred, -EIO);
    assert_trace("o!EIO b0 ");
}

static void chain_to_one_that_has_fired_is_an_error(void **state)
{
    number d = make(), other = make();

    (void)state;
    support_log_expect("was fired twice");
    assert_int_equal(weft_chain(d, other), 0);
    weft_fire(other, 8);
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    assert_trace("b!EALREADY ");
}

static void cancelling_the_other_leaves_the_chained_one(void **state)
{
    number d = make(), other = make();

    (void)state;
    assert_int_equal(weft_chain(d, other), 0);
    add_finally(other, ACT('o', GIVE, 0));
    add_finally(d, ACT('b'));
    weft_cancel(other.deferred);
    assert_false(weft_deferred_fired(d.deferred));
    weft_fire(d, 1); /* the other one, which has no canceller, ignores it */
    assert_trace("o!ECANCELED b0 ");
}

static void chained_one_may_be_gone_with_its_scope(void **state)
{
    number d = make();
    weft_scope *short_one = weft_scope_open(scope, WEFT_NEVER);
    number other = weft_deferred_new(number, short_one);

    (void)state;
    assert_int_equal(weft_chain(d, other), 0);
    weft_scope_close(short_one);
    run();
    add_finally(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("b0 ");
}

static void paused_one_that_is_chained_waits(void **state)
{
    number d = make(), other = make();

    (void)state;
    weft_pause(other.deferred);
    assert_int_equal(weft_chain(d, other), 0);
    add_finally(other, ACT('o'));
    weft_fire(d, 1);
    assert_trace("");
    weft_unpause(other.deferred);
    assert_trace("o1 ");
}

static void chain_to_itself_is_refused(void **state)
{
    number d = make();

    (void)state;
    support_log_expect("was fired twice");
    assert_int_equal(weft_chain(d, d), 0);
    add_finally(d, ACT('b', GIVE, 0));
    weft_fire(d, 1);
    assert_trace("b!EALREADY ");
}

/* -- a million of them, on a small stack -- */

#define LINKS 1000000

static number *links;

static int become_one_before(int error, int *value, void *arg)
{
    if (error < 0)
        return error;
    return weft_become(value, *(number *)arg);
}

/* Each becomes the one that was made before it. */
static void link_backwards(void)
{
    links[0] = weft_deferred_new(number, scope);
    for (size_t i = 1; i < LINKS; i++) {
        links[i] = weft_succeed(number, scope, 0);
        assert_int_equal(weft_then(links[i], become_one_before, &links[i - 1]), 0);
    }
}

/* Each becomes the one that is made after it, as in a loop that calls itself. */
static void link_forwards(void)
{
    for (size_t i = 0; i < LINKS; i++) {
        links[i] = weft_deferred_new(number, scope);
        if (i < LINKS - 1)
            assert_int_equal(weft_then(links[i], become_one_before, &links[i + 1]), 0);
    }
    for (size_t i = 0; i < LINKS - 1; i++)
        weft_fire(links[i], 0);
}

static void chain_forwards(void)
{
    for (size_t i = 0; i < LINKS; i++)
        links[i] = weft_deferred_new(number, scope);
    for (size_t i = 1; i < LINKS; i++)
        assert_int_equal(weft_chain(links[i - 1], links[i]), 0);
}

struct journey {
    void (*build)(void);
    size_t begin, end; /* which is fired, which gets it */
    int error;         /* it fails with that; 0: fires with 7 */
    bool cancels;      /* the end is cancelled instead */
};

static void *travel(void *arg)
{
    const struct journey *journey = arg;

    journey->build();
    add_finally(links[journey->end], ACT('z', GIVE, 0));
    if (journey->cancels)
        weft_cancel(links[journey->end].deferred);
    else if (journey->error)
        weft_deferred_fail(links[journey->begin].deferred, journey->error);
    else
        weft_fire(links[journey->begin], 7);
    turn();
    return NULL;
}

/* On a thread, since that is how one has a stack of 256 KiB. */
static void travel_on_a_small_stack(struct journey journey, const char *expected)
{
    pthread_attr_t attributes;
    pthread_t thread;

    links = calloc(LINKS, sizeof *links);
    assert_non_null(links);
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)256 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, travel, &journey), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    free(links);
    assert_trace(expected);
}

static void million_links_take_no_stack(void **state) /* EL-13 */
{
    (void)state;
    travel_on_a_small_stack((struct journey){link_backwards, 0, LINKS - 1, 0, false}, "z7 ");
    travel_on_a_small_stack((struct journey){link_forwards, LINKS - 1, 0, 0, false}, "z7 ");
    travel_on_a_small_stack((struct journey){chain_forwards, 0, LINKS - 1, 0, false}, "z7 ");
}

static void error_goes_through_a_million_links(void **state)
{
    (void)state;
    travel_on_a_small_stack((struct journey){link_backwards, 0, LINKS - 1, -EIO, false}, "z!EIO ");
    travel_on_a_small_stack((struct journey){link_forwards, LINKS - 1, 0, -EIO, false}, "z!EIO ");
}

static void cancelling_reaches_the_innermost_of_a_million(void **state)
{
    (void)state;
    travel_on_a_small_stack((struct journey){link_backwards, 0, LINKS - 1, 0, true}, "z!ECANCELED ");
}

static void closing_the_scope_of_a_million_links_ends(void **state)
{
    (void)state;
    links = calloc(LINKS, sizeof *links);
    assert_non_null(links);
    link_backwards();
    weft_scope_close(scope);
    run();
    free(links);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(becoming_one_that_is_ready_goes_on_at_once),
        deferred_test(becoming_one_that_is_not_ready_waits_for_it),
        deferred_test(becoming_one_that_failed_fails),
        deferred_test(error_may_become_another_deferred),
        deferred_test(inner_that_itself_waits_is_waited_for),
        deferred_test(result_of_the_inner_one_is_taken),
        deferred_test(error_of_the_inner_one_is_taken),
        deferred_test(callbacks_added_to_the_inner_one_while_it_is_waited_for_come_first),
        deferred_test(paused_inner_one_is_waited_for),
        deferred_test(paused_outer_one_keeps_what_the_inner_one_brought),
        deferred_test(error_after_becoming_counts),
        deferred_test(a_callback_becomes_one_other_only),
        deferred_test(an_inner_one_belongs_to_one_only),
        deferred_test(becoming_itself_or_nothing_is_refused),
        deferred_test(becoming_one_that_waits_for_oneself_is_refused),
        deferred_test(chain_fires_the_other_and_leaves_nothing),
        deferred_test(chain_hands_errors_over),
        deferred_test(chain_to_one_that_has_fired_is_an_error),
        deferred_test(cancelling_the_other_leaves_the_chained_one),
        deferred_test(chained_one_may_be_gone_with_its_scope),
        deferred_test(paused_one_that_is_chained_waits),
        deferred_test(chain_to_itself_is_refused),
        deferred_test(million_links_take_no_stack),
        deferred_test(error_goes_through_a_million_links),
        deferred_test(cancelling_reaches_the_innermost_of_a_million),
        deferred_test(closing_the_scope_of_a_million_links_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
