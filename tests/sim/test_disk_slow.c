/* SPDX-License-Identifier: MIT */
/* Slow disks: what they do takes time, and whoever is cancelled meanwhile is told once. */
#include "sim/disk_kit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <weft/file_deferred.h>
#include <weft/serve.h>
#include <weft/task.h>
#include <weft/task_stream.h>

static const weft_faults slow = {.size = sizeof slow, .slow_files = 1000000};

/* Whether the clock has moved since the last call. */
static bool time_passed(void)
{
    static weft_time before;
    weft_time now_is = weft_sim_now(sim);
    bool passed = now_is > before;

    before = now_is;
    return passed;
}

static void calls_take_time(bool expected)
{
    weft_file *file, *other;
    char text[4];

    (void)time_passed();
    assert_int_equal(create("f", 0, &file), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(put(file, 0, "text"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(result(weft_file_truncate_start(&now.call, ROOT, file, 5, told)), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(result(weft_file_set_time_start(&now.call, ROOT, file, 0, told)), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(sync_file(file), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, 4, told)), 0);
    assert_memory_equal(text, "text", 4);
    assert_true(time_passed() == expected);
    assert_int_equal(make_directory("d"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(rename_file("f", "d/f"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(remove_file("d/f"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(sync_directory("d"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(open_path("a.txt", &other), 0);
    assert_true(time_passed() == expected);
    weft_file_unref(file);
    weft_file_unref(other);
}

static void what_a_slow_disk_does_takes_time(void **state)
{
    (void)state;
    begin(1, NULL);
    calls_take_time(false);
    end();
    begin(1, &slow);
    calls_take_time(true);
    end();
}

/* It has begun: nobody takes it back, and what it had is given up. */
static void who_is_cancelled_while_a_slow_disk_works_is_told_once(void **state)
{
    weft_scope *scope;

    (void)state;
    begin(1, &slow);
    scope = weft_scope_open(ROOT, WEFT_NEVER);
    assert_int_equal(weft_file_create_start(&now.call, scope, directory, "f", 0, told), 0);
    assert_true(weft_sim_run(sim, 1) >= 0);
    assert_int_equal(now.done, 0);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    assert_int_equal(result(0), WEFT_ECANCELED);
    assert_null(now.call.file);
    weft_scope_close(scope);
    weft_sim_calm(sim);
    assert_string_equal(content("f"), ""); /* but it was made */
    end();
}

static void a_host_that_ends_does_not_wait_for_its_slow_disk(void **state)
{
    (void)state;
    begin(1, &slow);
    assert_int_equal(weft_file_create_start(&now.call, ROOT, directory, "f", 0, told), 0);
    assert_true(weft_sim_run(sim, 1) >= 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    assert_int_equal(now.done, 1);
    assert_true(now.status < 0);
    now.done = 0;
    host = weft_sim_host(sim, "host.example");
    assert_non_null(host);
    end();
}

/* -- sending from one -- */

static weft_time sent_after; /* from when it was asked for to the last byte */

static void send_file(weft_stream *peer, void *arg)
{
    weft_file *file;

    (void)arg;
    if (weft_await(weft_file_create(weft_task_scope(weft_task_current()), directory, "a.txt", 0), &file) < 0)
        return;
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_faults(sim, &slow), 0);
    (void)weft_stream_write_file(peer, file, 0, 12);
    weft_file_unref(file);
    sent_after = weft_sim_now(sim);
}

static int server_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_serve("tcp://0.0.0.0:7", send_file, NULL);
}

static void fetch(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    assert_int_equal(weft_connect(weft_task_scope(me), "tcp://server.example:7", NULL, &peer), 0);
    assert_int_equal(weft_read_exactly(peer, 12, &in), 12);
    assert_memory_equal(in.data, "the system's", 12);
    sent_after = weft_sim_now(sim) - sent_after;
}

static void files_that_are_sent_from_a_slow_disk_take_time(void **state)
{
    static char name[] = "server", *arguments[] = {name, NULL};

    (void)state;
    begin(1, NULL);
    assert_int_equal(weft_sim_program(sim, "server.example", server_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    assert_int_equal(weft_spawn(ROOT, fetch, NULL), 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_true(sent_after > 0 && sent_after < WEFT_SECONDS(2));
    assert_int_equal(weft_sim_signal(sim, "server.example", SIGTERM), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(what_a_slow_disk_does_takes_time),
        disk_test(who_is_cancelled_while_a_slow_disk_works_is_told_once),
        disk_test(a_host_that_ends_does_not_wait_for_its_slow_disk),
        disk_test(files_that_are_sent_from_a_slow_disk_take_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
