/* SPDX-License-Identifier: MIT */
/* A test: its world, its log and its verdict (weft/test.h). */
#include "testkit/testkit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <weft/log.h>
#include <weft/memory.h>

#define TEXT_MOST 2048
/* What was closed has time to go: a linger takes 2 s. */
#define GOES_IN WEFT_SECONDS(10)

/* -- failures -- */

WEFT_PRINTF(4, 0) static void tell(weft_test *test, const char *file, int line, const char *format, va_list arguments)
{
    char text[TEXT_MOST];

    (void)vsnprintf(text, sizeof text, format, arguments);
    test->failures++;
    if (file)
        fprintf(stderr, "%s:%d: %s\n", file, line, text);
    else
        fprintf(stderr, "%s\n", text);
}

void weft_test_fail_at(weft_test *test, const char *file, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    tell(test, file, line, format, arguments);
    va_end(arguments);
}

void peer_fail(weft_test_peer *peer, const char *file, int line, const char *format, ...)
{
    va_list arguments;

    peer->failed = true;
    va_start(arguments, format);
    tell(peer->test, file, line, format, arguments);
    va_end(arguments);
}

unsigned weft_test_failures(const weft_test *test)
{
    return test->failures;
}

/* -- the log -- */

static bool was_expected(weft_test *test, const char *text)
{
    for (size_t i = 0; i < test->expected_count; i++)
        if (strstr(text, test->expected[i])) {
            weft_release(test->expected[i]);
            test->expected[i] = test->expected[--test->expected_count];
            return true;
        }
    return false;
}

static void watch(const weft_log_event *event, void *arg)
{
    weft_test *test = arg;

    if (event->level >= WEFT_LOG_WARNING && !was_expected(test, event->text))
        weft_test_fail_at(test, NULL, 0, "unexpected in the log: %s: %s", event->subject, event->text);
}

void weft_test_expect_log(weft_test *test, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = test->expected_count < EXPECTED_LOGS ? weft_allocate(size) : NULL;

    if (!copy) {
        weft_test_fail_at(test, NULL, 0, "no room to expect \"%s\" in the log", text);
        return;
    }
    test->expected[test->expected_count++] = memcpy(copy, text, size);
}

static void end_log(weft_test *test)
{
    weft_log_set_sink(NULL, NULL);
    for (size_t i = 0; i < test->expected_count; i++) {
        weft_test_fail_at(test, NULL, 0, "not in the log: %s", test->expected[i]);
        weft_release(test->expected[i]);
    }
}

/* -- the test -- */

static void release(weft_test *test)
{
    weft_sim_free(test->sim);
    while (!weft_link_is_alone(&test->gone)) {
        weft_test_peer *peer = weft_container_of(test->gone.next, weft_test_peer, link);
        weft_link_remove(&peer->link);
        weft_release(peer->bytes);
        weft_release(peer);
    }
    weft_release(test);
}

static void time_is_over(weft_timer *timer)
{
    weft_sim_stop(weft_container_of(timer, weft_test, clock)->sim);
}

weft_test *weft_test_begin(uint64_t seed)
{
    weft_test *test = weft_allocate_zeroed(1, sizeof *test);

    if (!test)
        return NULL;
    weft_link_init(&test->peers);
    weft_link_init(&test->gone);
    test->sim = weft_sim_new(seed);
    if (!test->sim) {
        weft_release(test);
        return NULL;
    }
    test->loop = weft_sim_host(test->sim, "localhost");
    test->other = test->loop ? weft_sim_host(test->sim, "localhost") : NULL;
    if (!test->other || weft_timer_init(&test->clock, weft_loop_scope(test->other), time_is_over) < 0) {
        release(test);
        return NULL;
    }
    weft_log_set_sink(watch, test);
    return test;
}

weft_loop *weft_test_loop(const weft_test *test)
{
    return test->loop;
}

weft_scope *weft_test_scope(const weft_test *test)
{
    return weft_loop_scope(test->loop);
}

weft_sim *weft_test_world(const weft_test *test)
{
    return test->sim;
}

static void check_run(weft_test *test, int status)
{
    if (status >= 0)
        return;
    if (weft_sim_failure(test->sim))
        weft_test_fail_at(test, NULL, 0, "%s", weft_sim_failure(test->sim));
    else
        weft_test_fail_at(test, NULL, 0, "the loop cannot go on: %s", weft_error_text(status));
}

/* Runs to @p end at most, or until a peer hears of something. Returns as weft_sim_run does. */
static int run_to(weft_test *test, weft_time end)
{
    weft_time rest = end - weft_sim_now(test->sim);
    int status;

    test->stirred = false;
    if (rest > 0)
        weft_timer_start(&test->clock, rest);
    status = weft_sim_run(test->sim, rest);
    weft_timer_stop(&test->clock);
    return status;
}

void weft_test_pass(weft_test *test, weft_time time)
{
    weft_time end = weft_sim_now(test->sim) + time;
    int status;

    do
        status = run_to(test, end);
    while (status == 1 && test->stirred);
    check_run(test, status);
}

bool test_run_until(weft_test_peer *peer, weft_time time, bool (*done)(const weft_test_peer *peer))
{
    weft_sim *sim = peer->test->sim;
    weft_time end = weft_sim_now(sim) + time;
    int status = 1;

    while (!done(peer) && status > 0 && weft_sim_now(sim) < end)
        status = run_to(peer->test, end);
    check_run(peer->test, status);
    return done(peer);
}

static void tell_line(const char *text, void *arg)
{
    (void)arg;
    fprintf(stderr, "  %s\n", text);
}

static void check_loop(weft_test *test)
{
    weft_test_pass(test, GOES_IN);
    if (weft_scope_count(weft_loop_scope(test->loop)) == 0)
        return;
    weft_test_fail_at(test, NULL, 0, "this is left on the loop:");
    weft_loop_dump(test->loop, tell_line, NULL);
}

int weft_test_end(weft_test *test)
{
    unsigned failures;

    if (!test)
        return 1;
    weft_test_pass(test, 0);
    while (!weft_link_is_alone(&test->peers))
        peer_free(weft_container_of(test->peers.next, weft_test_peer, link));
    check_loop(test);
    end_log(test);
    failures = test->failures;
    release(test);
    return failures > 255 ? 255 : (int)failures;
}
