/* SPDX-License-Identifier: MIT */
/* What the tests of weft/watch.h have in common. Each runs on every backend that has descriptors. */
#ifndef LOOP_WATCH_TEST_H
#define LOOP_WATCH_TEST_H

#include <weft/watch.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/readiness.h"
#include "loop/loop_internal.h"
#include "loop/loop_test.h"

#define BOTH (WEFT_READABLE | WEFT_WRITABLE)

static const char *const engines[] = {"epoll", "io_uring", "poll"};
static const char *engine;

static unsigned calling; /* a call into Weft is under way: no callback may run in it */

#define CALL(expression)                    \
    __extension__({                         \
        calling++;                          \
        __auto_type result_ = (expression); \
        calling--;                          \
        result_;                            \
    })
#define DO(expression) \
    do {               \
        calling++;     \
        (expression);  \
        calling--;     \
    } while (0)

/* What a test has a watch do when it is told something. */
struct seen {
    weft_watch watch;
    weft_loop *loop;
    unsigned told, what; /* how often; the last time, what */
    void (*act)(struct seen *seen);
    struct seen *other;
    int other_end;
};

static inline void tell(weft_watch *watch, unsigned what)
{
    struct seen *seen = weft_container_of(watch, struct seen, watch);

    assert_int_equal(calling, 0);
    assert_true(weft_watch_active(watch));
    assert_int_equal(what & ~(weft_watch_interest(watch) | WEFT_FAILED | WEFT_HANGUP), 0);
    assert_int_not_equal(what, 0);
    seen->told++;
    seen->what = what;
    if (seen->act)
        seen->act(seen);
}

static inline int start_on(struct seen *seen, weft_scope *scope, int fd, unsigned interest)
{
    seen->loop = weft_scope_loop(scope);
    return CALL(weft_watch_start(&seen->watch, scope, fd, interest, tell));
}

static inline void start(struct seen *seen, weft_loop *loop, int fd, unsigned interest)
{
    assert_int_equal(start_on(seen, weft_loop_scope(loop), fd, interest), 0);
    assert_int_equal(weft_watch_descriptor(&seen->watch), fd);
}

static inline void stop(struct seen *seen)
{
    DO(weft_watch_stop(&seen->watch));
}

static inline void change(struct seen *seen, unsigned interest)
{
    DO(weft_watch_change(&seen->watch, interest));
}

static inline void turns(weft_loop *loop, unsigned count)
{
    while (count-- > 0)
        assert_true(weft_loop_step(loop) >= 0);
}

/* What the watch is told in the next turn; 0: nothing. */
static unsigned told_next(struct seen *seen)
{
    unsigned before = seen->told;

    turns(seen->loop, 1);
    assert_true(seen->told - before <= 1);
    return seen->told == before ? 0 : seen->what;
}

static inline void pair_of(int *ends)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
}

static inline void pipe_of(int *ends)
{
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
}

static inline void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static inline void close_both(int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

static inline void read_one(struct seen *seen)
{
    char byte;

    assert_int_equal(read(weft_watch_descriptor(&seen->watch), &byte, 1), 1);
}

static inline void stop_it(struct seen *seen)
{
    stop(seen);
}

/* Whether the loop would not wait: a host that sleeps on its descriptor, or poll itself. */
static inline bool would_wake(weft_loop *loop)
{
    struct pollfd wait = {.fd = weft_loop_fd(loop), .events = POLLIN};

    if (wait.fd >= 0)
        return poll(&wait, 1, 0) != 0;
    assert_string_equal(weft_loop_backend(loop), "poll");
    assert_int_equal(loop->backend->ops->wait(loop->backend, 0), 0);
    return readiness_of(loop->backend)->event_count > 0;
}

/* Runs @p tests on each backend. Returns what main returns. */
#define watch_main(tests)                                                      \
    __extension__({                                                            \
        int failed_ = 0;                                                       \
        for (size_t i_ = 0; i_ < sizeof engines / sizeof *engines; i_++) {     \
            engine = engines[i_];                                              \
            failed_ += cmocka_run_group_tests_name(engine, tests, NULL, NULL); \
        }                                                                      \
        failed_;                                                               \
    })

#endif
