/* SPDX-License-Identifier: MIT */
/* A peer that says something and breaks the connection: what it said is read, though a write finds out first. */
#include "support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/listener.h>
#include <weft/stream.h>
#include <weft/task_stream.h>
#include <weft/timer.h>

#include "backend/sim.h"
#include "base/realtime.h"
#include "loop/loop_internal.h"

#define URL "tcp://127.0.0.1:7"
#define SAID "I do not want to read all of that, and this is why: it is far more than you said that it would be"

static weft_stream *speaker;
static weft_bytes speech;
static bool said, patient; /* patient: it breaks off when the other side can write no more */
static char heard[200];
static size_t length;
static int reason;
static unsigned refused;
static enum { READ_ON, PAUSE, CLOSE, ABORT, END } when_refused;

/* -- who says it -- */

static void break_off(weft_post *post)
{
    if (weft_stream_queued(speaker) > 0)
        weft_loop_post(weft_stream_loop(speaker), post);
    else
        weft_stream_abort(speaker);
}

static weft_post breaks = {.run = break_off};
static weft_timer breaks_later;

static void break_off_unread(weft_timer *timer)
{
    (void)timer;
    weft_stream_abort(speaker);
}

static size_t speak(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    speaker = stream;
    if (said)
        return in.length;
    said = true;
    assert_true(weft_stream_write(stream, speech) >= 0);
    if (patient) {
        weft_stream_pause(stream);
        assert_int_equal(weft_timer_init(&breaks_later, weft_loop_scope(weft_stream_loop(stream)), break_off_unread),
                         0);
        weft_timer_start(&breaks_later, WEFT_SECONDS(1));
    } else {
        weft_loop_post(weft_stream_loop(stream), &breaks); /* when it has gone out, and not arrived */
    }
    return in.length;
}

static WEFT_PROTOCOL(speaker_ops, "speaker", "it is a test", .received = speak);
static weft_protocol speaking = {&speaker_ops};

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return &speaking;
}

/* -- who writes meanwhile -- */

static void ask(weft_protocol *protocol, weft_stream *stream)
{
    (void)protocol;
    assert_int_equal(weft_stream_write(stream, weft_bytes_from("?")), 0);
}

static size_t hear(weft_protocol *protocol, weft_stream *stream, weft_bytes in)
{
    (void)protocol;
    memcpy(heard + length, in.data, in.length);
    length += in.length;
    if (weft_stream_write(stream, weft_bytes_from("more")) < 0 && refused++ == 0) {
        if (when_refused == PAUSE)
            weft_stream_pause(stream);
        if (when_refused == CLOSE)
            weft_stream_close(stream);
        if (when_refused == ABORT)
            weft_stream_abort(stream);
        if (when_refused == END)
            weft_stream_end(stream);
    }
    return in.length;
}

static void lose(weft_protocol *protocol, weft_stream *stream, int status)
{
    (void)protocol;
    reason = status;
    weft_loop_stop(weft_stream_loop(stream));
}

static WEFT_PROTOCOL(writer_ops, "writer", "it is a test", .connected = ask, .received = hear, .lost = lose);
static weft_protocol writing = {&writer_ops};

static void start_protocol(weft_loop *loop)
{
    assert_int_equal(weft_stream_connect(weft_loop_scope(loop), URL, &writing, NULL, NULL, NULL), 0);
}

/* Reads when it cannot write any more. */
static int write_and_read(weft_task *me, void *arg)
{
    static char much[1 << 20];
    weft_bytes more = weft_bytes_of(much, *(const size_t *)arg), in;
    weft_stream *stream;
    int status;

    assert_int_equal(weft_connect(weft_task_scope(me), URL, NULL, &stream), 0);
    while ((status = weft_write(stream, more)) == 0)
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    assert_int_equal(status, -ECONNRESET);
    while ((reason = weft_read(stream, &in)) > 0) {
        if (length + in.length <= sizeof heard)
            memcpy(heard + length, in.data, in.length);
        length += in.length;
    }
    weft_loop_stop(weft_stream_loop(stream));
    return 0;
}

static void start_task(weft_loop *loop)
{
    static size_t little = 1;

    assert_int_equal(weft_spawn(weft_loop_scope(loop), write_and_read, &little), 0);
}

static void start_task_that_waits(weft_loop *loop)
{
    static size_t much = 1 << 20;

    assert_int_equal(weft_spawn(weft_loop_scope(loop), write_and_read, &much), 0);
}

/* Everything arrives at one moment, in pieces, and the reset with it. */
static void run(uint64_t seed, void (*start)(weft_loop *loop))
{
    static const weft_factory_ops ops = {.build = build};
    weft_faults faults = {
        .latency = {WEFT_MILLISECONDS(10), WEFT_MILLISECONDS(10)}, .short_reads = 1000000, .rare_paths = 300000};
    char backend[32];
    weft_loop_options options = {.size = sizeof options, .backend = backend, .watchdog = WEFT_NEVER};
    weft_factory factory = {&ops};
    weft_listener *listener;
    weft_loop *loop;

    snprintf(backend, sizeof backend, "sim:%llu", (unsigned long long)seed);
    said = false;
    length = refused = 0;
    reason = 0;
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    sim_set_faults(loop->backend, &faults);
    assert_int_equal(weft_listen(weft_loop_scope(loop), URL, &factory, NULL, &listener, NULL), 0);
    start(loop);
    assert_int_equal(weft_loop_run(loop), 0);
    weft_loop_free(loop);
}

static void all_is_heard_by(void (*start)(weft_loop *loop))
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        support_set_context("seed %llu", (unsigned long long)seed);
        speech = weft_bytes_from(SAID);
        run(seed, start);
        assert_int_equal(length, sizeof SAID - 1);
        assert_memory_equal(heard, SAID, length);
        assert_int_equal(reason, -ECONNRESET);
        support_clear_context();
    }
}

static void what_came_before_a_reset_is_read(void **state)
{
    (void)state;
    when_refused = READ_ON;
    all_is_heard_by(start_protocol);
}

/* Also when the task has not made room for it yet. */
static void a_task_reads_what_came_before_a_reset(void **state)
{
    (void)state;
    all_is_heard_by(start_task);
    all_is_heard_by(start_task_that_waits);
}

static void whoever_does_not_read_on_hears_of_the_loss(void **state)
{
    (void)state;
    for (when_refused = PAUSE; when_refused <= ABORT; when_refused++) {
        unsigned met = 0;

        speech = weft_bytes_from(SAID);
        for (uint64_t seed = 1; seed <= 20; seed++) {
            run(seed, start_protocol);
            met += refused > 0;
            assert_int_equal(reason, -ECONNRESET);
        }
        assert_true(met > 0);
    }
}

static void half_closing_then_reads_on(void **state)
{
    (void)state;
    when_refused = END;
    speech = weft_bytes_from(SAID);
    run(3, start_protocol);
    assert_int_equal(length, sizeof SAID - 1);
    assert_int_equal(reason, -ECONNRESET);
}

#define MUCH (100 * 1000) /* more than a task's stream keeps */

/* What it said fills all that is kept for a reader, so nothing is read until there is one. */
static void a_task_that_waits_to_write_hears_of_a_reset_before_it_reads(void **state)
{
    static char much[MUCH];

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        support_set_context("seed %llu", (unsigned long long)seed);
        speech = weft_bytes_of(much, MUCH);
        patient = true;
        run(seed, start_task_that_waits);
        patient = false;
        assert_int_equal(reason, -ECONNRESET);
        assert_in_range(length, 1, MUCH);
        support_clear_context();
    }
}

/* -- the kernel's -- */

/* Sends MUCH to @p fd as fast as it is taken, and then a reset. */
static void speak_and_reset(int fd)
{
    static char words[MUCH];
    struct linger reset = {.l_onoff = 1};
    size_t done = 0;

    while (done < MUCH) {
        ssize_t sent = send(fd, words + done, MUCH - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        assert_true(sent > 0 || errno == EAGAIN);
        done += sent > 0 ? (size_t)sent : 0;
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    }
    for (int waiting = 1; waiting > 0;) {
        assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
        assert_int_equal(ioctl(fd, SIOCOUTQ, &waiting), 0);
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static int reads_late(weft_task *me, void *arg)
{
    int listener = *(const int *)arg, fd, status;
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    weft_stream *stream;
    weft_bytes in;
    char url[40];

    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(weft_connect(weft_task_scope(me), url, NULL, &stream), 0);
    realtime_look_away();
    fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    speak_and_reset(fd);
    realtime_look_again();
    assert_int_equal(weft_sleep(WEFT_MILLISECONDS(1)), 0);
    assert_int_equal(weft_write(stream, weft_bytes_from("?")), -ECONNRESET);
    for (length = 0; (status = weft_read(stream, &in)) > 0;)
        length += in.length;
    assert_int_equal(status, -ECONNRESET);
    assert_int_equal(length, MUCH);
    return 0;
}

static void a_task_that_reads_late_gets_all(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    weft_loop *loop;

    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    assert_int_equal(weft_spawn(weft_loop_scope(loop), reads_late, &listener), 0);
    assert_int_equal(weft_loop_run(loop), 0);
    weft_loop_free(loop);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(what_came_before_a_reset_is_read),
        support_test(a_task_reads_what_came_before_a_reset),
        support_test(a_task_that_waits_to_write_hears_of_a_reset_before_it_reads),
        support_test(whoever_does_not_read_on_hears_of_the_loss),
        support_test(half_closing_then_reads_on),
        support_test(a_task_that_reads_late_gets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
