/* SPDX-License-Identifier: MIT */
#include <weft/error.h>
#include <weft/log.h>
#include <weft/memory.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/log_check.h"
#include "support/loopback.h"
#include "support/support.h"

static void allocations_are_counted(void **state)
{
    (void)state;
    char *a = weft_allocate(100);
    char *b = weft_allocate_zeroed(10, 10);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(support_live(), 2);
    assert_int_equal(support_allocations(), 2);
    assert_true(support_live_bytes() >= 200);
    a = weft_reallocate(a, 1000);
    assert_non_null(a);
    assert_int_equal(support_live(), 2);
    assert_int_equal(support_allocations(), 3);
    weft_release(a);
    weft_release(b);
    assert_int_equal(support_live(), 0);
    assert_int_equal(support_live_bytes(), 0);
}

static bool allocation_succeeds(void)
{
    void *memory = weft_allocate(1);
    weft_release(memory);
    return memory != NULL;
}

static void only_the_kth_allocation_fails(void **state)
{
    (void)state;
    support_fail_at(2, false);
    assert_true(allocation_succeeds());
    assert_false(allocation_succeeds());
    assert_true(allocation_succeeds());
    assert_int_equal(support_injected(), 1);
}

static void all_from_the_kth_allocation_fail(void **state)
{
    (void)state;
    support_fail_at(2, true);
    assert_true(allocation_succeeds());
    assert_false(allocation_succeeds());
    assert_false(allocation_succeeds());
    assert_int_equal(support_injected(), 2);
    support_fail_at(0, false);
    assert_true(allocation_succeeds());
}

static void failed_reallocation_keeps_the_memory(void **state)
{
    (void)state;
    char *memory = weft_allocate(4);
    assert_non_null(memory);
    memcpy(memory, "weft", 4);
    support_fail_at(1, false);
    assert_null(weft_reallocate(memory, 1 << 20));
    assert_memory_equal(memory, "weft", 4);
    weft_release(memory);
}

struct division {
    size_t calls;
    size_t whole;
    size_t bytewise;
    size_t different_counts;
    size_t last_count;
};

static void check_pieces(void *arg, const weft_bytes *pieces, size_t count)
{
    struct division *division = arg;
    char joined[64];
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        assert_true(pieces[i].length > 0);
        memcpy(joined + length, pieces[i].data, pieces[i].length);
        length += pieces[i].length;
    }
    assert_int_equal(length, 26);
    assert_memory_equal(joined, "abcdefghijklmnopqrstuvwxyz", 26);
    division->calls++;
    division->whole += count == 1;
    division->bytewise += count == 26;
    division->different_counts += count != division->last_count;
    division->last_count = count;
}

static void three_ways_divide_the_same_bytes(void **state)
{
    struct division division = {0};

    (void)state;
    support_three_ways(weft_bytes_from("abcdefghijklmnopqrstuvwxyz"), check_pieces, &division);
    assert_int_equal(division.calls, 22);
    assert_true(division.whole >= 1);
    assert_true(division.bytewise >= 1);
    assert_true(division.different_counts >= 10);
}

static void check_nothing(void *arg, const weft_bytes *pieces, size_t count)
{
    (void)arg;
    assert_non_null(pieces);
    assert_int_equal(count, 0);
}

static void three_ways_of_nothing_are_no_pieces(void **state)
{
    (void)state;
    support_three_ways(weft_bytes_of(NULL, 0), check_nothing, NULL);
}

static void log_is_recorded_with_its_values(void **state)
{
    const weft_log_field fields[] = {{"peer", WEFT_BYTES("a b"), 0}, {"count", {NULL, 0}, -7}};

    (void)state;
    weft_log_fields(WEFT_LOG_INFO, "test", fields, 2, "it %s", "went");
    weft_log(WEFT_LOG_DEBUG, "test", "again");
    assert_int_equal(support_log_count("info: test: it went peer=a b count=-7"), 1);
    assert_int_equal(support_log_count("test"), 2);
    assert_int_equal(support_log_count("else"), 0);
}

static void only_unexpected_warnings_are_surprises(void **state)
{
    (void)state;
    weft_log(WEFT_LOG_INFO, "test", "all is well");
    assert_int_equal(log_check_surprises(), 0);
    weft_log(WEFT_LOG_WARNING, "test", "not so well");
    assert_int_equal(log_check_surprises(), 1);
    weft_log(WEFT_LOG_ERROR, "test", "bad");
    weft_log(WEFT_LOG_WARNING, "test", "not so well");
    support_log_expect("so well");
    assert_int_equal(log_check_surprises(), 1);
    support_log_expect("never");
    weft_log(WEFT_LOG_INFO, "test", "never, but only for information");
    assert_int_equal(log_check_surprises(), 1);
    support_log_expect("so well");
    weft_log(WEFT_LOG_WARNING, "test", "not so well");
    weft_log(WEFT_LOG_WARNING, "test", "still not so well");
    assert_int_equal(log_check_surprises(), 0);
}

struct three {
    size_t runs;
    size_t successes;
};

static void allocate_three(void *arg)
{
    struct three *three = arg;
    void *memory[3];
    size_t got = 0;

    for (int i = 0; i < 3; i++) {
        memory[i] = weft_allocate(8);
        got += memory[i] != NULL;
    }
    for (int i = 0; i < 3; i++)
        weft_release(memory[i]);
    assert_int_equal(got, 3 - support_injected());
    three->runs++;
    three->successes += got == 3;
}

static void torture_fails_each_allocation_both_ways(void **state)
{
    struct three three = {0, 0};

    (void)state;
    assert_int_equal(support_torture(allocate_three, &three), 3);
    assert_int_equal(three.runs, 8);
    assert_int_equal(three.successes, 2);
}

static bool has_come(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) == 1;
}

/* A connection, a byte, and an end, each from one socket of this process to another. */
static void what_was_sent_has_come_when_loopback_has_settled(void **state)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof own;
    struct support_loopback loopback;

    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&own, &length), 0);
    support_loopback_open(&loopback);
    for (int i = 0; i < 200; i++) {
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), server;
        char byte;

        (void)connect(client, (const struct sockaddr *)&own, sizeof own);
        support_loopback_settle(&loopback);
        assert_true(has_come(listener));
        server = accept(listener, NULL, NULL);
        assert_int_equal(send(client, "x", 1, 0), 1);
        support_loopback_settle(&loopback);
        assert_true(has_come(server));
        assert_int_equal(recv(server, &byte, 1, MSG_DONTWAIT), 1);
        assert_false(has_come(server));
        close(client);
        support_loopback_settle(&loopback);
        assert_int_equal(recv(server, &byte, 1, MSG_DONTWAIT), 0);
        close(server);
    }
    support_loopback_close(&loopback);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(allocations_are_counted),
        support_test(only_the_kth_allocation_fails),
        support_test(all_from_the_kth_allocation_fail),
        support_test(failed_reallocation_keeps_the_memory),
        support_test(three_ways_divide_the_same_bytes),
        support_test(three_ways_of_nothing_are_no_pieces),
        support_test(log_is_recorded_with_its_values),
        support_test(only_unexpected_warnings_are_surprises),
        support_test(torture_fails_each_allocation_both_ways),
        support_test(what_was_sent_has_come_when_loopback_has_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
