/* SPDX-License-Identifier: MIT */
/* weft/watch.h: what it keeps going, what is refused, and how it bears want and numbers. */
#include "loop/watch_test.h"

#include <weft/listener.h>

#include "loop/scope_internal.h"

#define MANY 300

/* -- what keeps the loop going -- */

static bool is_waited_for(const struct seen *seen)
{
    const weft_scope *scope = seen->watch.member.scope;

    assert_int_equal(scope->count - scope->idle, seen->loop->waiting);
    return seen->loop->waiting > 0;
}

static void only_a_watch_with_interest_keeps_the_loop_going(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {.act = stop_it};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], 0);
    assert_false(is_waited_for(&seen));
    run(loop);
    change(&seen, WEFT_READABLE);
    assert_true(is_waited_for(&seen));
    weft_watch_set_background(&seen.watch, true);
    weft_watch_set_background(&seen.watch, true);
    assert_false(is_waited_for(&seen));
    run(loop);
    change(&seen, WEFT_WRITABLE);
    assert_false(is_waited_for(&seen));
    change(&seen, 0);
    weft_watch_set_background(&seen.watch, false);
    assert_false(is_waited_for(&seen));
    change(&seen, WEFT_WRITABLE);
    assert_true(is_waited_for(&seen));
    run(loop);
    assert_int_equal(seen.told, 1);
    assert_int_equal(loop->waiting, 0);
    close_both(ends);
    weft_loop_free(loop);
}

static void one_in_the_background_is_told_all_the_same(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_WRITABLE);
    weft_watch_set_background(&seen.watch, true);
    assert_int_equal(told_next(&seen), WEFT_WRITABLE);
    stop(&seen);
    assert_int_equal(loop->waiting, 0);
    close_both(ends);
    weft_loop_free(loop);
}

static void stop_the_loop(weft_timer *timer)
{
    weft_loop_stop(weft_scope_loop(timer->member.scope));
}

static void one_that_is_always_ready_does_not_starve_timers(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    weft_timer timer;
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], WEFT_WRITABLE);
    assert_int_equal(weft_timer_init(&timer, weft_loop_scope(loop), stop_the_loop), 0);
    weft_timer_start(&timer, WEFT_MILLISECONDS(1));
    run(loop);
    assert_true(seen.told > 0);
    weft_timer_fini(&timer);
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

/* -- what is refused -- */

static void refuse(weft_loop *loop, int fd, unsigned interest, int reason)
{
    struct seen seen = {0};

    assert_int_equal(start_on(&seen, weft_loop_scope(loop), fd, interest), reason);
    assert_false(weft_watch_active(&seen.watch));
    assert_int_equal(loop->waiting, 0);
    stop(&seen);
}

static void what_cannot_be_watched_is_refused(void **state)
{
    weft_loop *loop = loop_on(engine);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int ends[2];

    (void)state;
    pair_of(ends);
    refuse(loop, file, WEFT_READABLE, -EPERM);
    refuse(loop, folder, WEFT_READABLE, -EPERM);
    refuse(loop, -1, WEFT_READABLE, -EBADF);
    refuse(loop, ends[0], WEFT_FAILED, -EINVAL);
    refuse(loop, ends[0], BOTH | 64, -EINVAL);
    close_both(ends);
    refuse(loop, ends[0], WEFT_READABLE, -EBADF);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
    close(file);
    close(folder);
}

static void a_second_watch_on_one_descriptor_is_refused(void **state)
{
    weft_loop *loop = loop_on(engine), *elsewhere = loop_on(engine);
    struct seen first = {0}, second = {0};
    int ends[2], copy;

    (void)state;
    pair_of(ends);
    start(&first, loop, ends[0], 0);
    assert_int_equal(start_on(&second, weft_loop_scope(loop), ends[0], WEFT_WRITABLE), -EEXIST);
    change(&first, WEFT_WRITABLE); /* which is as it was */
    assert_int_equal(told_next(&first), WEFT_WRITABLE);
    start(&second, elsewhere, ends[0], WEFT_WRITABLE);
    assert_int_equal(told_next(&second), WEFT_WRITABLE);
    stop(&second);
    copy = dup(ends[0]);
    start(&second, loop, copy, WEFT_WRITABLE);
    assert_int_equal(told_next(&second), WEFT_WRITABLE);
    stop(&first);
    stop(&second);
    start(&second, loop, ends[0], WEFT_WRITABLE);
    stop(&second);
    close(copy);
    close_both(ends);
    weft_loop_free(loop);
    weft_loop_free(elsewhere);
}

static weft_protocol *build_none(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return NULL;
}

static void a_descriptor_of_the_loops_own_is_refused(void **state)
{
    static const weft_factory_ops ops = {.build = build_none};
    weft_factory factory = {.ops = &ops};
    weft_loop *loop = loop_on(engine);
    weft_listener *listener;
    struct seen seen = {0};
    char url[32];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(listen(fd, 1), 0);
    snprintf(url, sizeof url, "fd://%d", fd);
    assert_int_equal(weft_listen(weft_loop_scope(loop), url, &factory, NULL, &listener, NULL), 0);
    assert_int_equal(start_on(&seen, weft_loop_scope(loop), fd, WEFT_READABLE), -EEXIST);
    weft_loop_free(loop);
}

static void a_simulated_world_has_no_descriptors(void **state)
{
    weft_loop *loop = loop_on_sim();
    int ends[2];

    (void)state;
    support_log_expect("cannot be watched: a simulated world has none");
    pair_of(ends);
    refuse(loop, ends[0], WEFT_READABLE, -ENOTSUP);
    close_both(ends);
    weft_loop_free(loop);
}

/* -- short of memory, and many -- */

static void start_and_be_told(void *arg)
{
    int *ends = arg;
    weft_loop_options options = {.size = sizeof options, .backend = engine, .watchdog = WEFT_NEVER};
    struct seen seen = {.act = stop_it};
    weft_loop *loop;
    int status = weft_loop_new(&options, &loop);

    if (status < 0) {
        assert_int_equal(status, WEFT_ENOMEM);
        return;
    }
    status = start_on(&seen, weft_loop_scope(loop), ends[0], WEFT_WRITABLE);
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), status == 0);
    if (support_injected() == 0)
        assert_int_equal(status, 0);
    if (status < 0)
        assert_int_equal(status, WEFT_ENOMEM);
    run(loop);
    assert_int_equal(seen.told, status == 0);
    weft_loop_free(loop);
}

static void a_failed_allocation_is_an_error(void **state)
{
    int ends[2];

    (void)state;
    pair_of(ends);
    assert_true(support_torture(start_and_be_told, ends) > 1);
    close_both(ends);
}

/* More than one batch of epoll's: each is told as often as it has something, and those that were stopped are not. */
static void many_are_told_each_its_own(void **state)
{
    static struct seen seen[MANY];
    static int ends[MANY][2];
    weft_loop *loop = loop_on(engine);

    (void)state;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < MANY; i++) {
        pipe_of(ends[i]);
        seen[i].act = read_one;
        start(&seen[i], loop, ends[i][0], WEFT_READABLE);
    }
    for (unsigned i = 0; i < MANY; i += 3)
        stop(&seen[i]);
    for (unsigned i = 1; i < MANY; i += 3)
        change(&seen[i], 0);
    for (unsigned i = 0; i < MANY; i++)
        put(ends[i][1], i % 2 ? "a" : "ab");
    turns(loop, 40);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(seen[i].told, i % 3 != 2 ? 0 : i % 2 ? 1 : 2);
    for (unsigned i = 0; i < MANY; i++) {
        stop(&seen[i]);
        close_both(ends[i]);
    }
    assert_int_equal(weft_scope_count(weft_loop_scope(loop)), 0);
    weft_loop_free(loop);
}

static void append(const char *line, void *text)
{
    strcat(text, line);
}

static void a_dump_names_the_descriptor_and_what_is_waited_for(void **state)
{
    weft_loop *loop = loop_on(engine);
    struct seen seen = {0};
    char text[512] = "", expected[64];
    int ends[2];

    (void)state;
    pair_of(ends);
    start(&seen, loop, ends[0], BOTH);
    weft_loop_dump(loop, append, text);
    snprintf(expected, sizeof expected, "watch of descriptor %d: waits for reading and writing", ends[0]);
    assert_non_null(strstr(text, expected));
    stop(&seen);
    close_both(ends);
    weft_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(only_a_watch_with_interest_keeps_the_loop_going),
        support_test(one_in_the_background_is_told_all_the_same),
        support_test(one_that_is_always_ready_does_not_starve_timers),
        support_test(what_cannot_be_watched_is_refused),
        support_test(a_second_watch_on_one_descriptor_is_refused),
        support_test(a_descriptor_of_the_loops_own_is_refused),
        support_test(a_simulated_world_has_no_descriptors),
        support_test(a_failed_allocation_is_an_error),
        support_test(many_are_told_each_its_own),
        support_test(a_dump_names_the_descriptor_and_what_is_waited_for),
    };

    return watch_main(tests);
}
