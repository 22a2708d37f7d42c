/* SPDX-License-Identifier: MIT */
/* The test kit (weft/test.h): what it lets pass, and what it does not. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/log.h>
#include <weft/stream.h>
#include <weft/test.h>
#include <weft/timer.h>

/* -- code under test: answers each line in capitals; "quit" ends, "log" logs an error, "crash" resets -- */

static void answer(weft_stream *stream, weft_bytes line)
{
    char text[64];

    for (size_t i = 0; i < line.length && i < sizeof text; i++)
        text[i] = line.data[i] >= 'a' && line.data[i] <= 'z' ? (char)(line.data[i] - 'a' + 'A') : line.data[i];
    assert_true(weft_stream_write(stream, weft_bytes_of(text, line.length)) >= 0);
    if (weft_bytes_equal(line, weft_bytes_from("quit\n")))
        weft_stream_close(stream);
    if (weft_bytes_equal(line, weft_bytes_from("log\n")))
        weft_log(WEFT_LOG_ERROR, "shout", "somebody asked for an error");
    if (weft_bytes_equal(line, weft_bytes_from("crash\n")))
        weft_stream_abort(stream);
}

static size_t received(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    size_t end, taken = 0;

    (void)protocol;
    while ((end = weft_bytes_find(weft_bytes_skip(in, taken), '\n')) < in.length - taken) {
        answer(stream, weft_bytes_first(weft_bytes_skip(in, taken), end + 1));
        taken += end + 1;
    }
    return taken;
}

static WEFT_PROTOCOL(shout_ops, "shout", "it is a test", .received = received);
static weft_protocol shout = {&shout_ops};

/* -- what is told goes to a file, so that it can be looked at -- */

static char told[4096];
static int saved;
static FILE *caught;

static void catch_begin(void)
{
    fflush(stderr);
    caught = tmpfile();
    assert_non_null(caught);
    saved = dup(STDERR_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
}

static void catch_end(void)
{
    size_t count;

    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(caught);
    count = fread(told, 1, sizeof told - 1, caught);
    told[count] = 0;
    fclose(caught);
}

/* Plays @p script against the code under test: how many failures that gave; what was told is in `told`. */
static int play(const char *script)
{
    weft_test *test;
    int failures;

    catch_begin();
    test = weft_test_begin(1);
    weft_test_play(weft_test_pair(test, &shout), "dialogue", script);
    failures = weft_test_end(test);
    catch_end();
    return failures;
}

static void expect_told(const char *script, const char *text)
{
    assert_int_equal(play(script), 1);
    if (!strstr(told, text))
        fail_msg("told was: %s", told);
}

/* -- tests -- */

static void what_is_as_expected_passes(void **state)
{
    (void)state;
    for (int chunks = WEFT_CHUNKS_WHOLE; chunks <= WEFT_CHUNKS_RANDOM; chunks++) {
        weft_test *test = weft_test_begin(7);
        weft_test_peer *peer = weft_test_pair(test, &shout);

        weft_test_chunks(test, (weft_chunks)chunks);
        weft_test_send(peer, "hello\nworld\n");
        weft_test_expect(peer, "HELLO\n");
        assert_true(weft_bytes_equal(weft_test_received(peer), weft_bytes_from("WORLD\n")));
        weft_test_expect(peer, "WORLD\n");
        weft_test_expect_nothing(peer, WEFT_SECONDS(3));
        weft_test_send(peer, "quit\n");
        weft_test_expect(peer, "QUIT\n");
        weft_test_expect_end(peer);
        assert_int_equal(weft_test_end(test), 0);
    }
}

static void a_dialogue_can_be_a_text(void **state)
{
    (void)state;
    assert_int_equal(
        play("# shouting\n\n  send \"a\\n\"\n expect \"A\\x0a\"\nwait 2s\nchunks bytes\nsend \"b\\nquit\\n\"\n"
             "expect \"B\\nQUIT\\n\"\nexpect end\nclose"),
        0);
    assert_int_equal(play("send \"crash\\n\"\nexpect reset\n"), 0);
    assert_int_equal(play("pause\nsend \"a\\n\"\nexpect nothing 1m\nresume\nexpect \"A\\n\"\nhalf-close\nexpect end"),
                     0);
    assert_int_equal(play("reset"), 0);
}

static void what_is_not_as_expected_is_told_with_its_place(void **state)
{
    (void)state;
    expect_told("send \"a\\n\"\nexpect \"b\\n\"\n", "dialogue:2: expected \"b\\n\" (the first 0 bytes came), got \"A");
    expect_told("expect \"x\"", "dialogue:1: expected \"x\" (the first 0 bytes came), got nothing");
    expect_told("send \"a\\n\"\nexpect end", "dialogue:2: expected the end, got \"A");
    expect_told("send \"quit\\n\"\nexpect \"QUIT\\n\"\nexpect reset", "dialogue:3: expected a reset, ");
    expect_told("send \"a\\n\"\nexpect nothing 1s", "dialogue:2: expected nothing, got \"A");
    expect_told("send \"quit\\n\"\nexpect \"QUIT\\nmore\"", "(the first 5 bytes came), got \"QUIT");
    expect_told("close\nwait 1s\nsend \"a\"", "dialogue:3: cannot send: ");
}

static void a_line_that_makes_no_sense_is_a_failure(void **state)
{
    static const char *const lines[] = {"shout",         "send",         "send \"a",       "send \"\\q\"",
                                        "send \"\\x1\"", "send \"a\" b", "expect",         "expect end 3",
                                        "wait",          "wait 3",       "wait 3 s",       "wait s",
                                        "chunks some",   "close now",    "expect nothing", "expect nothing x"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        support_set_context("%s", lines[i]);
        assert_int_equal(play(lines[i]), 1);
        assert_non_null(strstr(told, "dialogue:1: "));
        support_clear_context();
    }
}

static void an_error_in_the_log_is_a_failure_unless_it_is_expected(void **state)
{
    weft_test *test;

    (void)state;
    expect_told("send \"log\\n\"", "unexpected in the log: shout: somebody asked for an error");
    test = weft_test_begin(1);
    weft_test_expect_log(test, "asked for");
    weft_test_send(weft_test_pair(test, &shout), "log\n");
    assert_int_equal(weft_test_end(test), 0);
    catch_begin();
    test = weft_test_begin(1);
    weft_test_expect_log(test, "asked for");
    assert_int_equal(weft_test_end(test), 1);
    catch_end();
    assert_non_null(strstr(told, "not in the log: asked for"));
}

/* -- peers that connect, and that wait to be connected to -- */

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &shout;
}

static void peers_connect_and_accept(void **state)
{
    static const weft_factory_ops ops = {.build = build};
    weft_factory factory = {&ops};
    weft_test *test = weft_test_begin(1);
    weft_test_peer *client, *server;
    weft_listener *listener;

    (void)state;
    assert_int_equal(weft_listen(weft_test_scope(test), "tcp://127.0.0.1:7", &factory, NULL, &listener, NULL), 0);
    client = weft_test_connect(test, "tcp://127.0.0.1:7");
    weft_test_send(client, "one\n");
    weft_test_expect(client, "ONE\n");
    server = weft_test_accept(test, "mem://there");
    assert_int_equal(weft_stream_connect(weft_test_scope(test), "mem://there", &shout, NULL, NULL, NULL), 0);
    weft_test_pass(test, 0);
    weft_test_send(server, "two\n");
    weft_test_expect(server, "TWO\n");
    assert_int_equal(weft_test_failures(test), 0);
    weft_listener_stop(listener, 0);
    assert_int_equal(weft_test_end(test), 0);
}

static void a_peer_that_cannot_be_made_harms_nothing(void **state)
{
    weft_test *test;
    weft_test_peer *peer;

    (void)state;
    catch_begin();
    test = weft_test_begin(1);
    peer = weft_test_connect(test, "nonsense");
    weft_test_send(peer, "a");
    weft_test_expect(peer, "b");
    weft_test_reset(peer);
    weft_test_send(NULL, "a");
    weft_test_expect_end(NULL);
    weft_test_play(NULL, "x", "send \"a\"");
    assert_int_equal(weft_test_end(test), 1);
    catch_end();
    assert_non_null(strstr(told, "cannot connect to nonsense: "));
}

static void time_passes_as_it_is_told(void **state)
{
    weft_test *test = weft_test_begin(1);
    weft_time began = weft_loop_now(weft_test_loop(test));

    (void)state;
    weft_test_pass(test, WEFT_HOURS(3));
    assert_int_equal(weft_sim_now(weft_test_world(test)), WEFT_HOURS(3));
    weft_test_expect_nothing(weft_test_accept(test, "mem://nobody"), WEFT_HOURS(2));
    assert_int_equal(weft_sim_now(weft_test_world(test)), WEFT_HOURS(5));
    weft_test_pass(test, 0);
    assert_int_equal(weft_sim_now(weft_test_world(test)), WEFT_HOURS(5));
    assert_true(weft_loop_now(weft_test_loop(test)) >= began);
    assert_int_equal(weft_test_end(test), 0);
}

static void never(weft_timer *timer)
{
    (void)timer;
}

static void what_is_left_on_the_loop_is_told(void **state)
{
    weft_test *test;
    weft_timer timer;

    (void)state;
    catch_begin();
    test = weft_test_begin(1);
    assert_int_equal(weft_timer_init(&timer, weft_test_scope(test), never), 0);
    weft_timer_start(&timer, WEFT_HOURS(1));
    assert_int_equal(weft_test_end(test), 1);
    catch_end();
    assert_non_null(strstr(told, "this is left on the loop:"));
    assert_non_null(strstr(told, "timer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(what_is_as_expected_passes),
        support_test(a_dialogue_can_be_a_text),
        support_test(what_is_not_as_expected_is_told_with_its_place),
        support_test(a_line_that_makes_no_sense_is_a_failure),
        support_test(an_error_in_the_log_is_a_failure_unless_it_is_expected),
        support_test(peers_connect_and_accept),
        support_test(a_peer_that_cannot_be_made_harms_nothing),
        support_test(time_passes_as_it_is_told),
        support_test(what_is_left_on_the_loop_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
