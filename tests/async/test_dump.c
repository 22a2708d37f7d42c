/* SPDX-License-Identifier: MIT */
/* weft_loop_dump: who waits for what, since when, and where it was made. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include <weft/task_stream.h>

WEFT_DEFERRED(number, int);

static weft_loop *loop;
static char text[8192];

static void collect(const char *line, void *arg)
{
    size_t used = strlen(text);

    (void)arg;
    snprintf(text + used, sizeof text - used, "%s\n", line);
}

static void assert_says(const char *words)
{
    if (!strstr(text, words))
        print_error("\"%s\" is not in:\n%s", words, text);
    assert_non_null(strstr(text, words));
}

static void waits(weft_task *me, void *arg)
{
    number *never = arg;
    weft_scope *inner = weft_scope_open(weft_task_scope(me), WEFT_NEVER);
    int value;

    weft_scope_set_name(inner, "inner");
    never->deferred = weft_deferred_new(number, inner).deferred;
    assert_int_equal(weft_await(*never, &value), WEFT_ECANCELED);
}

static void dumps(weft_task *me, void *arg)
{
    (void)me;
    (void)arg;
    weft_sleep(WEFT_MILLISECONDS(1500));
    weft_loop_dump(loop, collect, NULL);
}

static void tree_says_who_waits_for_what(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1"};
    weft_scope *outer;
    number never;

    (void)state;
    text[0] = '\0';
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    outer = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_scope_set_name(outer, "outer");
    assert_int_equal(weft_spawn(outer, waits, &never), 0);
    assert_int_equal(weft_spawn(outer, dumps, NULL), 0);
    assert_int_equal(weft_loop_run(loop), 0);
    assert_says("loop\n  scope \"outer\"\n    task \"waits\": waits for a deferred (number) at ");
    assert_says("test_dump.c:");
    assert_says(" for 1.500 s\n");
    assert_says("    task \"dumps\": runs, spawned at ");
    assert_says("    scope \"waits\"\n      scope \"inner\"\n        deferred of type number: has not fired, made at ");
    assert_says(", somebody waits for it\n");
    weft_loop_free(loop);
}

static void ignore(const char *line, void *arg)
{
    (void)line;
    ++*(size_t *)arg;
}

static void deep_tree_takes_no_stack(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1"};
    weft_scope *scope;
    size_t lines = 0;

    (void)state;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    scope = weft_loop_scope(loop);
    for (size_t i = 0; i < 1000; i++)
        scope = weft_scope_open(scope, WEFT_NEVER);
    weft_loop_dump(loop, ignore, &lines);
    assert_int_equal(lines, 1001);
    weft_loop_dump(loop, NULL, NULL);
    assert_int_equal(support_log_count("scope \"scope\""), 1000);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(tree_says_who_waits_for_what),
        support_test(deep_tree_takes_no_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
