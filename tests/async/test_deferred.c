/* SPDX-License-Identifier: MIT */
/* How results go down a chain of callbacks. What becomes another, is cancelled or freed is in the other files. */
#include "async/deferred_test.h"

static void value_reaches_the_callback(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a'));
    assert_trace("");
    assert_false(weft_deferred_fired(d.deferred));
    assert_int_equal(weft_fire(d, 5), 0);
    assert_trace("a5 ");
    assert_true(weft_deferred_fired(d.deferred));
    assert_true(weft_deferred_ready(d.deferred));
}

static void each_callback_gets_what_the_one_before_left(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', GIVE, 6));
    add_then(d, ACT('b'));
    add_then(d, ACT('c', GIVE, 7));
    weft_fire(d, 5);
    add_finally(d, ACT('d'));
    assert_trace("a5 b6 c6 d7 ");
}

static void value_can_be_changed_in_place(void **state)
{
    number d = weft_succeed(number, scope, 41);
    int out = 0;

    (void)state;
    add_then(d, ACT('a', GIVE, 42));
    assert_int_equal(weft_peek(d, &out), 0);
    assert_int_equal(out, 42);
    assert_trace("a41 ");
}

static void error_passes_by_what_is_for_success(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a'));
    add_catch(d, ACT('b'));
    add_then(d, ACT('c'));
    add_finally(d, ACT('d', GIVE, 0));
    assert_int_equal(weft_deferred_fail(d.deferred, -EPIPE), 0);
    assert_trace("b!EPIPE d!EPIPE ");
}

static void value_passes_by_what_is_for_errors(void **state)
{
    number d = make();

    (void)state;
    add_catch(d, ACT('a'));
    add_then(d, ACT('b'));
    add_catch(d, ACT('c'));
    add_finally(d, ACT('d'));
    weft_fire(d, 1);
    assert_trace("b1 d1 ");
}

static void error_of_a_callback_goes_on_as_an_error(void **state)
{
    number d = weft_succeed(number, scope, 1);

    (void)state;
    add_then(d, ACT('a', FAIL, -ENOENT));
    add_then(d, ACT('b'));
    add_catch(d, ACT('c', FAIL, -EPIPE));
    add_catch(d, ACT('d', GIVE, 3));
    add_then(d, ACT('e'));
    assert_trace("a1 c!ENOENT d!EPIPE e3 ");
}

static void recovered_error_leaves_no_value_of_before(void **state)
{
    number d = weft_succeed(number, scope, 9);

    (void)state;
    add_then(d, ACT('a', FAIL, -ENOENT));
    add_catch(d, ACT('b', FAIL, 0)); /* returns 0 and sets no value */
    add_then(d, ACT('c'));
    assert_trace("a9 b!ENOENT c0 ");
}

static void positive_answer_of_a_callback_is_success(void **state)
{
    number d = weft_succeed(number, scope, 2);

    (void)state;
    add_then(d, ACT('a', FAIL, 77));
    add_then(d, ACT('b'));
    assert_trace("a2 b2 ");
}

static int otherwise(int error, int *value, void *arg)
{
    note("else:");
    return play(error, value, arg);
}

static void exactly_one_of_a_pair_runs(void **state)
{
    number good = make(), bad = make();

    (void)state;
    assert_int_equal(weft_then_or(good, play, otherwise, ACT('a', FAIL, -EIO)), 0);
    add_catch(good, ACT('b', GIVE, 0));
    weft_fire(good, 1);
    assert_trace("a1 b!EIO ");
    assert_int_equal(weft_then_or(bad, play, otherwise, ACT('a', GIVE, 4)), 0);
    add_then(bad, ACT('b'));
    weft_deferred_fail(bad.deferred, -ENOENT);
    assert_trace("else:a!ENOENT b4 ");
}

static void pairs_go_across_the_end_of_the_ring(void **state)
{
    struct act *x = ACT('x');

    (void)state;
    for (int before = 0; before < 12; before++) {
        number good = make(), bad = make();
        for (int i = 0; i < before; i++) {
            add_then(good, x);
            add_then(bad, x);
        }
        assert_int_equal(weft_then_or(good, play, otherwise, ACT('p')), 0);
        assert_int_equal(weft_then_or(bad, play, otherwise, ACT('p', GIVE, 1)), 0);
        add_finally(good, ACT('z'));
        add_finally(bad, ACT('z'));
        weft_deferred_fail(bad.deferred, -EIO);
        assert_trace("else:p!EIO z1 ");
        weft_fire(good, 7);
        for (int i = 0; i < before; i++)
            assert_memory_equal(trace + 3 * i, "x7 ", 3);
        assert_string_equal(trace + 3 * before, "p7 z7 ");
        trace[0] = '\0';
    }
}

static int count_up(int error, int *value, void *arg)
{
    int *expected = arg;

    assert_int_equal(error, 0);
    assert_int_equal(*value, *expected);
    ++*value;
    ++*expected;
    return 0;
}

static void any_number_of_callbacks_keeps_its_order(void **state)
{
    (void)state;
    for (int many = 1; many < 200; many++) {
        int expected = 0, out = 0;
        number d = make();
        for (int i = 0; i < many; i++)
            assert_int_equal(weft_then(d, count_up, &expected), 0);
        weft_fire(d, 0);
        assert_int_equal(expected, many);
        for (int i = 0; i < many; i++)
            assert_int_equal(weft_then(d, count_up, &expected), 0);
        assert_int_equal(weft_peek(d, &out), 0);
        assert_int_equal(out, 2 * many);
    }
}

/* Adds two while one runs, for ever: the array is used again rather than grown. */
struct feeder {
    number d;
    int left;
};

static int feed_more(int error, int *value, void *arg)
{
    struct feeder *feeder = arg;

    (void)error;
    (void)value;
    if (feeder->left-- > 0)
        return weft_then(feeder->d, feed_more, feeder);
    return 0;
}

static void queue_that_is_fed_while_it_runs_does_not_grow(void **state)
{
    struct feeder feeder = {make(), 100000};
    size_t before;

    (void)state;
    for (int i = 0; i < 9; i++)
        assert_int_equal(weft_then(feeder.d, feed_more, &feeder), 0);
    before = support_live_bytes();
    weft_fire(feeder.d, 0);
    assert_true(feeder.left <= 0);
    assert_true(support_live_bytes() <= before + 1024);
}

/* -- values -- */

struct pair_of_words {
    uint64_t first, second;
};
WEFT_DEFERRED(words, struct pair_of_words);
WEFT_DEFERRED(text, const char *);

static int check_words(int error, struct pair_of_words *value, void *arg)
{
    *(bool *)arg = error == 0 && value->first == 1 && value->second == UINT64_MAX;
    return 0;
}

static int check_text(int error, const char **value, void *arg)
{
    *(bool *)arg = error == 0 && strcmp(*value, "hello") == 0;
    return 0;
}

static void value_of_sixteen_bytes_and_pointers_come_through(void **state)
{
    bool right = false;
    words d = weft_deferred_new(words, scope);
    text t;

    (void)state;
    assert_int_equal(weft_then(d, check_words, &right), 0);
    weft_fire(d, ((struct pair_of_words){1, UINT64_MAX}));
    assert_true(right);
    right = false;
    t = weft_succeed(text, scope, "hello");
    assert_int_equal(weft_then(t, check_text, &right), 0);
    assert_true(right);
}

static void value_is_zero_in_every_byte_when_there_is_an_error(void **state)
{
    words d = weft_succeed(words, scope, ((struct pair_of_words){3, 4}));
    struct pair_of_words out = {5, 6};

    (void)state;
    assert_int_equal(weft_peek(d, &out), 0);
    assert_true(out.first == 3 && out.second == 4);
    d = weft_fail(words, scope, -EIO);
    out = (struct pair_of_words){5, 6};
    assert_int_equal(weft_peek(d, &out), -EIO);
    assert_true(out.first == 5 && out.second == 6); /* untouched */
}

/* -- constructors -- */

static void success_and_failure_can_be_made_at_once(void **state)
{
    number good = weft_succeed(number, scope, 8), bad = weft_fail(number, scope, -EPERM);
    number odd = weft_fail(number, scope, 12); /* no error: becomes one */

    (void)state;
    add_finally(good, ACT('a'));
    add_finally(bad, ACT('b', GIVE, 0));
    add_finally(odd, ACT('c', GIVE, 0));
    assert_trace("a8 b!EPERM c!ECANCELED ");
}

static void maybe_runs_at_once_and_takes_any_answer(void **state)
{
    number inner = make(), gave, failed, became;

    (void)state;
    gave = weft_maybe(number, scope, play, ACT('a', GIVE, 3));
    failed = weft_maybe(number, scope, play, ACT('b', FAIL, -EIO));
    became = weft_maybe(number, scope, play, ACT('c', BECOME, .inner = inner));
    assert_trace("a0 b0 c0 ");
    add_finally(gave, ACT('d'));
    add_finally(failed, ACT('e', GIVE, 0));
    add_finally(became, ACT('f'));
    assert_trace("d3 e!EIO ");
    weft_fire(inner, 9);
    assert_trace("f9 ");
}

static void maybe_stays_until_somebody_has_its_result(void **state)
{
    number d = weft_maybe(number, scope, play, ACT('a', GIVE, 3));
    int out = 0;

    (void)state;
    turn();
    turn();
    assert_int_equal(weft_peek(d, &out), 0);
    assert_int_equal(out, 3);
    assert_trace("a0 ");
}

static void room_is_zeroed_aligned_and_its_own(void **state)
{
    (void)state;
    for (size_t room = 1; room < 200; room += 7) {
        number d = weft_deferred_new_with(number, scope, room, NULL, NULL);
        unsigned char *memory = weft_deferred_room(d.deferred);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < room; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, room);
        add_finally(d, ACT('a'));
        weft_fire(d, 1);
        assert_trace("a1 ");
    }
}

/* -- firing twice -- */

static void firing_twice_is_refused_and_logged_with_the_place(void **state) /* EL-13 */
{
    char place[64];
    number d = weft_deferred_new(number, scope);

    (void)state;
    snprintf(place, sizeof place, "test_deferred.c:%d was fired twice", __LINE__ - 3);
    support_log_expect("was fired twice");
    add_finally(d, ACT('a'));
    assert_int_equal(weft_fire(d, 1), 0);
    assert_int_equal(weft_fire(d, 2), -EALREADY);
    assert_int_equal(weft_deferred_fail(d.deferred, -EIO), -EALREADY);
    assert_int_equal(weft_deferred_fail_with(d.deferred, weft_failure_new(-EIO, NULL, "late")), -EALREADY);
    assert_trace("a1 ");
    assert_int_equal(support_log_count(place), 3);
}

static void failing_twice_is_refused_and_logged(void **state)
{
    number d = make();

    (void)state;
    support_log_expect("was fired twice");
    add_finally(d, ACT('a', GIVE, 0));
    assert_int_equal(weft_deferred_fail(d.deferred, -EIO), 0);
    assert_int_equal(weft_deferred_fail(d.deferred, -EPIPE), -EALREADY);
    assert_int_equal(weft_fire(d, 2), -EALREADY);
    assert_trace("a!EIO ");
}

/* -- pausing -- */

static void paused_one_holds_its_callbacks_back(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a'));
    weft_pause(d.deferred);
    weft_fire(d, 1);
    add_then(d, ACT('b'));
    assert_trace("");
    assert_true(weft_deferred_fired(d.deferred));
    assert_false(weft_deferred_ready(d.deferred));
    weft_unpause(d.deferred);
    assert_trace("a1 b1 ");
}

static void pauses_are_counted(void **state)
{
    number d = weft_fail(number, scope, -EIO);

    (void)state;
    weft_pause(d.deferred);
    weft_pause(d.deferred);
    add_finally(d, ACT('a', GIVE, 1));
    weft_unpause(d.deferred);
    assert_trace("");
    weft_unpause(d.deferred);
    assert_trace("a!EIO ");
    weft_unpause(d.deferred); /* one too many does nothing */
    add_finally(d, ACT('b'));
    assert_trace("b1 ");
}

static void unpausing_what_has_not_fired_runs_nothing(void **state)
{
    number d = make();

    (void)state;
    weft_pause(d.deferred);
    add_finally(d, ACT('a'));
    weft_unpause(d.deferred);
    assert_trace("");
    weft_fire(d, 1);
    assert_trace("a1 ");
}

static void pause_deferred(void *arg)
{
    weft_pause(arg);
}

static void callback_may_pause_its_own_deferred(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', .also = pause_deferred, .arg = d.deferred));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 ");
    weft_unpause(d.deferred);
    assert_trace("b1 ");
}

/* -- reentrancy -- */

static void add_b_and_c(void *arg)
{
    number d = {.deferred = arg};
    static struct act b = {.letter = 'B'}, c = {.letter = 'C'};

    add_then(d, &b);
    add_finally(d, &c);
    note("added ");
}

static void callbacks_added_in_a_callback_are_appended(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', GIVE, 2, .also = add_b_and_c, .arg = d.deferred));
    add_then(d, ACT('z'));
    weft_fire(d, 1);
    assert_trace("a1 added z2 B2 C2 ");
}

static void callbacks_added_in_a_late_callback_are_appended_too(void **state)
{
    number d = weft_fail(number, scope, -EIO);

    (void)state;
    add_catch(d, ACT('a', GIVE, 2, .also = add_b_and_c, .arg = d.deferred));
    assert_trace("a!EIO added B2 C2 ");
}

static void fire_with_ten(void *arg)
{
    number d = {.deferred = arg};

    note("( ");
    assert_int_equal(weft_fire(d, 10), 0);
    note(") ");
}

static void firing_another_in_a_callback_runs_it_there_and_then(void **state)
{
    number d = make(), other = make();

    (void)state;
    add_then(other, ACT('o'));
    add_then(d, ACT('a', .also = fire_with_ten, .arg = other.deferred));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 ( o10 ) b1 ");
}

static void fire_again(void *arg)
{
    assert_int_equal(weft_deferred_fail(arg, -EIO), -EALREADY);
}

static void firing_itself_in_a_callback_is_refused(void **state)
{
    number d = make();

    (void)state;
    support_log_expect("was fired twice");
    add_then(d, ACT('a', .also = fire_again, .arg = d.deferred));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 b1 ");
}

static void cancel_deferred(void *arg)
{
    weft_cancel(arg);
}

static void cancelling_itself_in_a_callback_does_nothing(void **state) /* EL-13 */
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', .also = cancel_deferred, .arg = d.deferred));
    add_finally(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 b1 ");
}

static void cancelling_another_in_a_callback_runs_it_there_and_then(void **state)
{
    number d = make(), other = make();

    (void)state;
    add_finally(other, ACT('o', GIVE, 0));
    add_then(d, ACT('a', .also = cancel_deferred, .arg = other.deferred));
    add_then(d, ACT('b'));
    weft_fire(d, 1);
    assert_trace("a1 o!ECANCELED b1 ");
}

/* -- looking -- */

static void peek_waits_for_nothing(void **state)
{
    number d = make(), none = {NULL};
    int out = 17;

    (void)state;
    assert_int_equal(weft_peek(d, &out), -EAGAIN);
    weft_pause(d.deferred);
    weft_fire(d, 3);
    assert_int_equal(weft_peek(d, &out), -EAGAIN);
    assert_int_equal(weft_peek(none, &out), WEFT_ENOMEM);
    assert_int_equal(out, 17);
    weft_unpause(d.deferred);
    assert_int_equal(weft_peek(d, &out), 0);
    assert_int_equal(out, 3);
    assert_int_equal(weft_peek(d, &out), 0); /* it stays */
}

static void peek_at_itself(void *arg)
{
    number d = {.deferred = arg};
    int out;

    assert_int_equal(weft_peek(d, &out), -EAGAIN);
}

static void one_that_runs_is_not_ready(void **state)
{
    number d = make();

    (void)state;
    add_then(d, ACT('a', .also = peek_at_itself, .arg = d.deferred));
    weft_fire(d, 3);
    assert_trace("a3 ");
}

/* -- no deferred at all -- */

static void null_deferred_means_that_memory_was_short(void **state)
{
    number none = weft_deferred_new(number, NULL);

    (void)state;
    assert_null(none.deferred);
    assert_null(weft_succeed(number, NULL, 1).deferred);
    assert_null(weft_fail(number, NULL, -EIO).deferred);
    assert_null(weft_fail_with(number, NULL, weft_failure_new(-EIO, NULL, "it")).deferred);
    assert_null(weft_maybe(number, NULL, play, ACT('a')).deferred);
    assert_int_equal(weft_then(none, play, NULL), WEFT_ENOMEM);
    assert_int_equal(weft_catch(none, play, NULL), WEFT_ENOMEM);
    assert_int_equal(weft_finally(none, play, NULL), WEFT_ENOMEM);
    assert_int_equal(weft_then_or(none, play, play, NULL), WEFT_ENOMEM);
    assert_int_equal(weft_timeout(none.deferred, MS), WEFT_ENOMEM);
    assert_trace("");
}

static void null_deferred_is_harmless_everywhere(void **state)
{
    number none = {NULL}, some = make();

    (void)state;
    assert_int_equal(weft_fire(none, 1), WEFT_ENOMEM);
    assert_int_equal(weft_deferred_fail(NULL, -EIO), WEFT_ENOMEM);
    assert_int_equal(weft_deferred_fail_with(NULL, weft_failure_new(-EIO, NULL, "it")), WEFT_ENOMEM);
    assert_int_equal(weft_chain(some, none), WEFT_ENOMEM);
    assert_int_equal(weft_chain(none, some), WEFT_ENOMEM);
    assert_false(weft_deferred_fired(NULL));
    assert_false(weft_deferred_ready(NULL));
    assert_null(weft_deferred_failure(NULL));
    assert_null(weft_deferred_room(NULL));
    assert_null(weft_deferred_ref(NULL));
    weft_deferred_unref(NULL);
    weft_forget(NULL);
    weft_cancel(NULL);
    weft_pause(NULL);
    weft_unpause(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        deferred_test(value_reaches_the_callback),
        deferred_test(each_callback_gets_what_the_one_before_left),
        deferred_test(value_can_be_changed_in_place),
        deferred_test(error_passes_by_what_is_for_success),
        deferred_test(value_passes_by_what_is_for_errors),
        deferred_test(error_of_a_callback_goes_on_as_an_error),
        deferred_test(recovered_error_leaves_no_value_of_before),
        deferred_test(positive_answer_of_a_callback_is_success),
        deferred_test(exactly_one_of_a_pair_runs),
        deferred_test(pairs_go_across_the_end_of_the_ring),
        deferred_test(any_number_of_callbacks_keeps_its_order),
        deferred_test(queue_that_is_fed_while_it_runs_does_not_grow),
        deferred_test(value_of_sixteen_bytes_and_pointers_come_through),
        deferred_test(value_is_zero_in_every_byte_when_there_is_an_error),
        deferred_test(success_and_failure_can_be_made_at_once),
        deferred_test(maybe_runs_at_once_and_takes_any_answer),
        deferred_test(maybe_stays_until_somebody_has_its_result),
        deferred_test(room_is_zeroed_aligned_and_its_own),
        deferred_test(firing_twice_is_refused_and_logged_with_the_place),
        deferred_test(failing_twice_is_refused_and_logged),
        deferred_test(paused_one_holds_its_callbacks_back),
        deferred_test(pauses_are_counted),
        deferred_test(unpausing_what_has_not_fired_runs_nothing),
        deferred_test(callback_may_pause_its_own_deferred),
        deferred_test(callbacks_added_in_a_callback_are_appended),
        deferred_test(callbacks_added_in_a_late_callback_are_appended_too),
        deferred_test(firing_another_in_a_callback_runs_it_there_and_then),
        deferred_test(firing_itself_in_a_callback_is_refused),
        deferred_test(cancelling_itself_in_a_callback_does_nothing),
        deferred_test(cancelling_another_in_a_callback_runs_it_there_and_then),
        deferred_test(peek_waits_for_nothing),
        deferred_test(one_that_runs_is_not_ready),
        deferred_test(null_deferred_means_that_memory_was_short),
        deferred_test(null_deferred_is_harmless_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
