/* SPDX-License-Identifier: MIT */
/* The watchdog looks at the real clock, so these tests take as long as it needs to speak; none depends on how long. */
#include <weft/file_open.h>
#include <weft/timer.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/job.h>
#include <weft/log.h>

#include "base/realtime.h"
#include "loop/loop_test.h"

#define LIMIT WEFT_MILLISECONDS(8)

static weft_loop *guarded_loop(const char *backend, weft_time limit)
{
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = limit};
    weft_loop *loop = NULL;

    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return loop;
}

static weft_time monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return WEFT_SECONDS(now.tv_sec) + now.tv_nsec;
}

static void give_way(void)
{
    realtime_look_away();
    sched_yield();
    realtime_look_again();
}

static void hold_for(weft_time time)
{
    for (weft_time until = monotonic() + time; monotonic() < until;)
        give_way();
}

static void hold_until_named(weft_timer *timer)
{
    size_t before = support_log_count("a callback holds the turn");

    (void)timer;
    while (support_log_count("a callback holds the turn") == before)
        give_way();
    hold_for(3 * LIMIT); /* it is not named again */
}

static void hold_until_named_in_a_post(weft_post *post)
{
    (void)post;
    hold_until_named(NULL);
}

static void callback_that_holds_the_turn_is_named_once(void **state)
{
    weft_loop *loop = guarded_loop(support_engine(), LIMIT);
    weft_post post = {.run = hold_until_named_in_a_post};
    weft_timer timer;

    (void)state;
    support_log_expect("watchdog: a callback holds the turn of the loop callback=timer held_ms=");
    support_log_expect("watchdog: a callback holds the turn of the loop callback=post held_ms=");
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), hold_until_named), 0);
    weft_timer_start(&timer, 1);
    run(loop);
    assert_int_equal(support_log_count("a callback holds"), 1);
    weft_loop_post(loop, &post);
    run(loop);
    assert_int_equal(support_log_count("a callback holds"), 2);
    assert_int_equal(support_log_count("callback=post"), 1);
    weft_loop_free(loop);
}

/* -- naming the function -- */

#define NAMES 256

/* The report's field "function" or "addr2line", whichever it has: "function=NAME". */
static char named[NAMES];
static atomic_bool is_named;

static void remember_name(const weft_log_event *event, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < event->field_count; i++) {
        const weft_log_field *field = &event->fields[i];

        if (strcmp(field->name, "function") == 0 || strcmp(field->name, "addr2line") == 0)
            snprintf(named, sizeof named, "%s=%.*s", field->name, (int)field->text.length, field->text.data);
    }
    atomic_store(&is_named, true);
}

static void hold_until_remembered(void)
{
    while (!atomic_load(&is_named))
        give_way();
}

static weft_loop *loop_whose_reports_are_remembered(void)
{
    named[0] = '\0';
    atomic_store(&is_named, false);
    weft_log_set_sink(remember_name, NULL);
    return guarded_loop(support_engine(), LIMIT);
}

/* Exported, as the functions of a program are that is linked with -rdynamic, and those of a library. */
__attribute__((visibility("default"))) void exported_callback(weft_post *post);

void exported_callback(weft_post *post)
{
    (void)post;
    hold_until_remembered();
}

static void exported_function_is_named(void **state)
{
    weft_loop *loop = loop_whose_reports_are_remembered();
    weft_post post = {.run = exported_callback};

    (void)state;
    weft_loop_post(loop, &post);
    run(loop);
    assert_string_equal(named, "function=exported_callback");
    weft_loop_free(loop);
}

static void hold_when_done(weft_job *job, int status)
{
    (void)job;
    assert_int_equal(status, 0);
    hold_until_remembered();
}

static void work_nothing(weft_job *job)
{
    (void)job;
}

static void opened(weft_file_open *open, int status)
{
    (void)open;
    assert_int_equal(status, 0);
}

__attribute__((visibility("default"))) void exported_listing(weft_file_list *list, int status);

void exported_listing(weft_file_list *list, int status)
{
    assert_int_equal(status, 0);
    weft_file_list_fini(list);
    hold_until_remembered();
}

/* The library has a callback of its own around it. */
static void callback_of_a_user_is_named_and_not_the_librarys(void **state)
{
    weft_loop *loop = loop_whose_reports_are_remembered();
    weft_directory *directory = NULL;
    weft_file_list list;
    weft_file *file = NULL;
    weft_file_open open;

    (void)state;
    assert_int_equal(weft_directory_open("/proc/self", &directory), 0);
    if (weft_file_open_start(&open, weft_loop_scope(loop), directory, "fd", opened) == 1)
        run(loop);
    file = open.file;
    assert_non_null(file);
    assert_int_equal(weft_file_list_start(&list, weft_loop_scope(loop), file, 100, exported_listing), 0);
    run(loop);
    assert_string_equal(named, "function=exported_listing");
    weft_file_unref(file);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

/* What addr2line says to the arguments of the report. */
static void ask_addr2line(char *answer, size_t size)
{
    char command[NAMES + 16];
    size_t length;
    FILE *out;

    assert_int_equal(strncmp(named, "addr2line=", 10), 0);
    snprintf(command, sizeof command, "addr2line %s", named + 10);
    out = popen(command, "r");
    assert_non_null(out);
    length = fread(answer, 1, size - 1, out);
    answer[length] = '\0';
    if (WEXITSTATUS(pclose(out)) == 127)
        skip();
}

static void static_function_can_be_found_with_addr2line(void **state)
{
    weft_loop *loop = loop_whose_reports_are_remembered();
    char answer[4096];
    weft_job job;

    (void)state;
    assert_int_equal(weft_job_start(&job, weft_loop_scope(loop), work_nothing, hold_when_done), 0);
    run(loop);
    weft_loop_free(loop);
    ask_addr2line(answer, sizeof answer);
    assert_non_null(strstr(answer, "hold_when_done"));
    assert_non_null(strstr(answer, "test_watchdog.c:"));
}

/* -- what holds nothing -- */

static void nothing(weft_timer *timer)
{
    (void)timer;
}

static void loop_that_waits_or_is_not_running_holds_nothing(void **state)
{
    weft_loop *loop = guarded_loop(support_engine(), LIMIT);
    weft_timer timer;

    (void)state;
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), nothing), 0);
    weft_timer_start(&timer, 4 * LIMIT); /* waits in the backend */
    run(loop);
    assert_int_equal(weft_loop_step(loop), 0);
    hold_for(3 * LIMIT); /* between two runs, time is the caller's own */
    assert_int_equal(support_log_count("a callback holds"), 0);
    weft_loop_free(loop);
}

static void hold_beyond_any_limit(weft_timer *timer)
{
    (void)timer;
    hold_for(3 * LIMIT);
}

static void watchdog_can_be_left_out_and_a_simulated_loop_has_none(void **state)
{
    weft_loop *loops[] = {guarded_loop(support_engine(), WEFT_NEVER), guarded_loop("sim:1", LIMIT)};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weft_timer timer;

        assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loops[i]), hold_beyond_any_limit), 0);
        weft_timer_start(&timer, 1);
        run(loops[i]);
        weft_loop_free(loops[i]);
    }
    assert_int_equal(support_log_count("a callback holds"), 0);
}

static void extreme_limits_are_taken(void **state)
{
    static const weft_time limits[] = {1, -1, WEFT_NEVER - 1};

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        weft_loop_free(guarded_loop(support_engine(), limits[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(callback_that_holds_the_turn_is_named_once),
        support_test(exported_function_is_named),
        support_test(callback_of_a_user_is_named_and_not_the_librarys),
        support_test(static_function_can_be_found_with_addr2line),
        support_test(loop_that_waits_or_is_not_running_holds_nothing),
        support_test(watchdog_can_be_left_out_and_a_simulated_loop_has_none),
        support_test(extreme_limits_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
