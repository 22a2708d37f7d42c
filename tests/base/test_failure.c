/* SPDX-License-Identifier: MIT */
#include <weft/failure.h>

#include <pthread.h>
#include <string.h>

#include "support/support.h"

static void failure_tells_what_and_where(void **state)
{
    (void)state;
    weft_failure *failure = weft_failure_new(-ECONNREFUSED, NULL, "cannot connect to %s:%d", "127.0.0.1", 80);
    int line = __LINE__ - 1;
    assert_int_equal(weft_failure_error(failure), -ECONNREFUSED);
    assert_string_equal(weft_failure_text(failure), "cannot connect to 127.0.0.1:80");
    assert_string_equal(weft_failure_file(failure), __FILE__);
    assert_int_equal(weft_failure_line(failure), line);
    assert_null(weft_failure_cause(failure));
    weft_failure_unref(failure);
}

/* A module's constants are gone after it was unloaded; its failures may still be told. */
static void failure_outlives_its_file_name(void **state)
{
    char file[] = "module.c";

    (void)state;
    weft_failure *failure = weft_failure_make(-EIO, file, 3, NULL, "%s", "x");
    memset(file, 'y', sizeof file - 1);
    assert_string_equal(weft_failure_file(failure), "module.c");
    weft_failure_unref(failure);
}

static weft_failure *story(void)
{
    weft_failure *root = weft_failure_new(-ECONNREFUSED, NULL, "cannot connect to [::1]:80");
    weft_failure *middle = weft_failure_new(WEFT_EPROTOCOL, root, "%s", "");
    return weft_failure_new(WEFT_ECONNECTTIME, middle, "cannot fetch %s", "http://one.example/");
}

static const char told[] = "cannot fetch http://one.example/: cannot connect to [::1]:80: Connection refused";

static void whole_story_is_told_on_one_line(void **state)
{
    char buffer[200];

    (void)state;
    weft_failure *failure = story();
    assert_int_equal(weft_failure_describe(failure, buffer, sizeof buffer), sizeof told - 1);
    assert_string_equal(buffer, told);
    assert_int_equal(weft_failure_error(weft_failure_cause(failure)), WEFT_EPROTOCOL);
    weft_failure_unref(failure);
}

static void story_is_cut_to_every_size(void **state)
{
    char buffer[sizeof told + 2];

    (void)state;
    weft_failure *failure = story();
    assert_int_equal(weft_failure_describe(failure, NULL, 0), sizeof told - 1);
    for (size_t size = 1; size <= sizeof told; size++) {
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(weft_failure_describe(failure, buffer, size), sizeof told - 1);
        assert_memory_equal(buffer, told, size - 1);
        assert_int_equal(buffer[size - 1], '\0');
        assert_int_equal(buffer[size], '#');
    }
    weft_failure_unref(failure);
}

static void last_reference_frees_the_whole_chain(void **state)
{
    (void)state;
    weft_failure *failure = story();
    assert_int_equal(support_live(), 3);
    assert_ptr_equal(weft_failure_ref(failure), failure);
    weft_failure_unref(failure);
    assert_int_equal(support_live(), 3);
    weft_failure_unref(failure);
    assert_int_equal(support_live(), 0);
}

static void shared_cause_outlives_what_it_caused(void **state)
{
    (void)state;
    weft_failure *cause = weft_failure_new(-EIO, NULL, "shared");
    weft_failure *first = weft_failure_new(-EIO, weft_failure_ref(cause), "first");
    weft_failure *second = weft_failure_new(-EIO, cause, "second");
    weft_failure_unref(first);
    assert_string_equal(weft_failure_text(weft_failure_cause(second)), "shared");
    weft_failure_unref(second);
}

static void null_is_no_failure(void **state)
{
    (void)state;
    assert_null(weft_failure_ref(NULL));
    weft_failure_unref(NULL);
}

static void very_long_chain_is_freed_without_recursion(void **state)
{
    weft_failure *failure = NULL;

    (void)state;
    for (int i = 0; i < 300000; i++)
        failure = weft_failure_new(-EIO, failure, "%d", i);
    weft_failure_unref(failure);
    assert_int_equal(support_live(), 0);
}

static void without_memory_a_constant_stands_in(void **state)
{
    char buffer[100];

    (void)state;
    weft_failure *cause = weft_failure_new(-EIO, NULL, "cause");
    support_fail_at(1, true);
    weft_failure *failure = weft_failure_new(-EIO, cause, "lost");
    assert_int_equal(support_live(), 0);
    assert_int_equal(weft_failure_error(failure), WEFT_ENOMEM);
    assert_null(weft_failure_cause(failure));
    assert_true(weft_failure_describe(failure, buffer, sizeof buffer) < sizeof buffer);
    assert_string_equal(buffer, "no memory to tell what failed: Cannot allocate memory");
    assert_ptr_equal(weft_failure_ref(failure), failure);
    for (int i = 0; i < 5; i++)
        weft_failure_unref(failure);
    assert_int_equal(weft_failure_error(failure), WEFT_ENOMEM);
}

static void *ref_and_unref(void *failure)
{
    for (int i = 0; i < 20000; i++)
        weft_failure_unref(weft_failure_ref(failure));
    weft_failure_unref(failure);
    return NULL;
}

static void references_may_be_held_by_many_threads(void **state)
{
    pthread_t threads[4];

    (void)state;
    weft_failure *failure = weft_failure_new(-EIO, NULL, "posted");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ref_and_unref, weft_failure_ref(failure)), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(support_live(), 1);
    weft_failure_unref(failure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(failure_tells_what_and_where),
        support_test(failure_outlives_its_file_name),
        support_test(whole_story_is_told_on_one_line),
        support_test(story_is_cut_to_every_size),
        support_test(last_reference_frees_the_whole_chain),
        support_test(shared_cause_outlives_what_it_caused),
        support_test(null_is_no_failure),
        support_test(very_long_chain_is_freed_without_recursion),
        support_test(without_memory_a_constant_stands_in),
        support_test(references_may_be_held_by_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
