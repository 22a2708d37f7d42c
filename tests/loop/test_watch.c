/* SPDX-License-Identifier: MIT */
/* weft/watch.h: what is told, and what is not. */
#include "loop/watch_test.h"

#include <arpa/inet.h>

/* -- what is told -- */

static void what_is_left_is_told_again(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {.act = read_one};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_READABLE);
    assert_int_equal(told_next(&seen), 0);
    put(ends[1], "abc");
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(told_next(&seen), WEFT_READABLE);
    assert_int_equal(told_next(&seen), 0);
    put(ends[1], "d");
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    assert_int_equal(seen.told, 4);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

static void fill(int fd)
{
    char block[4096] = {0};

    while (write(fd, block, sizeof block) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static void empty(int fd)
{
    char block[4096];

    while (read(fd, block, sizeof block) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
}

static void room_is_told_while_there_is_some(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_WRITABLE);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    fill(ends[0]);
    assert_int_equal(told_next(&seen), 0);
    empty(ends[1]);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

static void only_what_is_wanted_is_told(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    put(ends[1], "x");
    start(&seen, loop, ends[0], 0);
    assert_int_equal(told_next(&seen), 0);
    change(&seen, WEFT_WRITABLE);
    assert_int_equal(weft_watch_interest(&seen.watch), WEFT_WRITABLE);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    change(&seen, WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    change(&seen, BOTH);
    assert_int_equal(told_next(&seen), BOTH);
    change(&seen, BOTH);
    assert_int_equal(told_next(&seen), BOTH);
    change(&seen, 0);
    assert_int_equal(told_next(&seen), 0);
    assert_true(weft_watch_active(&seen.watch));
    change(&seen, WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

static void want_to_write(struct seen *seen)
{
    change(seen, seen->what == WEFT_READABLE ? WEFT_WRITABLE : 0);
}

static void interest_is_changed_from_its_own_callback(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {.act = want_to_write};
    int ends[2];

    (void)state;
    pair_of(ends);
    put(ends[1], "x");
    start(&seen, loop, ends[0], WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    assert_int_equal(told_next(&seen), 0);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

/* -- ends and failures -- */

static void an_end_is_readable_and_hangs_up_when_both_ways_have(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_READABLE);
    shutdown(ends[1], SHUT_WR);
    assert_int_equal(told_next(&seen), WEFT_READABLE);
    change(&seen, BOTH);
    assert_int_equal(told_next(&seen), BOTH);
    change(&seen, WEFT_WRITABLE); /* the other direction goes on, undisturbed */
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    shutdown(ends[0], SHUT_WR);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE | WEFT_HANGUP);
    change(&seen, WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE | WEFT_HANGUP);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

static void ends_of_pipes_are_told(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen reader = {0}, writer = {0};
    int ends[2], others[2];

    (void)state;
    pipe_of(ends);
    pipe_of(others);
    put(ends[1], "x");
    start(&reader, loop, ends[0], WEFT_READABLE);
    close(ends[1]);
    assert_int_equal(told_next(&reader), WEFT_READABLE | WEFT_HANGUP);
    read_one(&reader); /* what came before the end */
    assert_int_equal(told_next(&reader), WEFT_READABLE | WEFT_HANGUP);
    stop(&reader);
    start(&writer, loop, others[1], WEFT_WRITABLE);
    fill(others[1]);
    assert_int_equal(told_next(&writer), 0);
    close(others[0]);
    assert_int_equal(told_next(&writer), WEFT_WRITABLE | WEFT_FAILED);
    stop(&writer);
    close(ends[0]);
    close(others[1]);
    weft_loop_free(loop);
}

/* Two ends of a TCP connection over the loopback. */
static void connection_of(int *ends)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(listening, (struct sockaddr *)&name, length), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&name, length), 0);
    ends[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(ends[1] >= 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    close(listening);
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
}

static void a_reset_is_told_to_whoever_only_writes(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    connection_of(ends);
    start(&seen, loop, ends[0], WEFT_WRITABLE);
    fill(ends[0]);
    assert_int_equal(told_next(&seen), 0);
    reset(ends[1]);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE | WEFT_FAILED | WEFT_HANGUP);
    stop(&seen);
    close(ends[0]);
    weft_loop_free(loop);
}

static void failures_are_not_told_without_interest(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    connection_of(ends);
    start(&seen, loop, ends[0], WEFT_READABLE);
    change(&seen, 0);
    reset(ends[1]);
    turns(loop, 3);
    assert_int_equal(seen.told, 0);
    assert_false(would_wake(loop)); /* nor does the loop spin */
    change(&seen, WEFT_READABLE);
    assert_int_equal(told_next(&seen), WEFT_READABLE | WEFT_FAILED | WEFT_HANGUP);
    stop(&seen);
    close(ends[0]);
    weft_loop_free(loop);
}

static void a_connection_that_comes_is_readable(void **state)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    weft_loop *loop = loop_on(engine);
    struct seen listener = {0}, caller = {0};
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int calling_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(bind(listening, (struct sockaddr *)&name, length), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    start(&listener, loop, listening, WEFT_READABLE);
    assert_int_equal(told_next(&listener), 0);
    assert_int_equal(connect(calling_, (struct sockaddr *)&name, length), -1);
    assert_int_equal(errno, EINPROGRESS);
    start(&caller, loop, calling_, WEFT_WRITABLE);
    assert_int_equal(told_next(&caller), WEFT_WRITABLE);
    assert_int_equal(listener.what, WEFT_READABLE);
    stop(&listener);
    stop(&caller);
    close(listening);
    close(calling_);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(what_is_left_is_told_again),
        support_test(room_is_told_while_there_is_some),
        support_test(only_what_is_wanted_is_told),
        support_test(interest_is_changed_from_its_own_callback),
        support_test(an_end_is_readable_and_hangs_up_when_both_ways_have),
        support_test(ends_of_pipes_are_told),
        support_test(a_reset_is_told_to_whoever_only_writes),
        support_test(failures_are_not_told_without_interest),
        support_test(a_connection_that_comes_is_readable),
    };

    return watch_main(tests);
}
