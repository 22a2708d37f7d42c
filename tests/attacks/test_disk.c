/* SPDX-License-Identifier: MIT */
/*
 * EL-20: a disk that fails in the middle of a file that is being sent. The client has been told a length by then, so
 * its connection breaks off: it never gets a body that looks whole and is not.
 */
#include "attacks/site.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define LENGTH ((size_t)4 << 20)

static atomic_llong bad = INT64_MAX; /* from here on nothing can be read */
static atomic_bool is_cold;          /* and nothing of it is in the page cache */

ssize_t __real_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count);
ssize_t __real_pread(int fd, void *memory, size_t length, off_t offset);
ssize_t __wrap_pread(int fd, void *memory, size_t length, off_t offset);
ssize_t __real_preadv2(int fd, const struct iovec *runs, int count, off_t offset, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *runs, int count, off_t offset, int flags);

/* How many of @length bytes at @offset are good. */
static size_t good(off_t offset, size_t length)
{
    long long end = atomic_load(&bad);

    if (offset >= end)
        return 0;
    return (long long)length < end - offset ? length : (size_t)(end - offset);
}

static ssize_t fail_with(int error)
{
    errno = error;
    return -1;
}

ssize_t __wrap_sendfile(int out, int in, off_t *offset, size_t count)
{
    size_t most = good(*offset, count);

    return most == 0 && count > 0 ? fail_with(EIO) : __real_sendfile(out, in, offset, most);
}

ssize_t __wrap_pread(int fd, void *memory, size_t length, off_t offset)
{
    size_t most = good(offset, length);

    return most == 0 && length > 0 ? fail_with(EIO) : __real_pread(fd, memory, most, offset);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *runs, int count, off_t offset, int flags)
{
    struct iovec run = *runs;

    assert_int_equal(count, 1);
    run.iov_len = good(offset, runs->iov_len);
    if (run.iov_len == 0 && runs->iov_len > 0)
        return fail_with(atomic_load(&is_cold) ? EAGAIN : EIO);
    return __real_preadv2(fd, &run, 1, offset, flags);
}

static void set_faults(long long from, bool cold)
{
    atomic_store(&bad, from);
    atomic_store(&is_cold, cold);
}

static bool has_field(const struct site_answer *answer, const char *field)
{
    return answer->data && strstr(answer->data, field);
}

static void check_bytes(const char *body, size_t length, size_t offset)
{
    for (size_t i = 0; i < length; i++)
        assert_int_equal(body[i], site_byte(offset + i));
}

/* The whole file, to show that the server is as good as before. */
static void check_recovered(struct site *site)
{
    struct site_answer answer = site_ask(site, "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    size_t length;
    const char *body = site_body(&answer, &length);

    assert_true(has_field(&answer, "HTTP/1.1 200 "));
    assert_int_equal(length, LENGTH);
    check_bytes(body, length, 0);
    free(answer.data);
}

static void break_off(struct site *site, const char *range, size_t announced, size_t offset)
{
    char request[200], field[64];
    struct site_answer answer;
    const char *body;
    size_t length;

    /* A second request waits behind it: it must not be answered into the first one's body. */
    snprintf(request, sizeof request,
             "GET /file HTTP/1.1\r\nHost: a\r\n%s\r\nGET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
             range);
    answer = site_ask(site, request);
    snprintf(field, sizeof field, "\r\nContent-Length: %zu\r\n", announced);
    assert_true(has_field(&answer, field));
    body = site_body(&answer, &length);
    assert_true(length <= (size_t)atomic_load(&bad) - offset);
    check_bytes(body, length, offset);
    assert_int_equal(answer.end, ECONNRESET);
    free(answer.data);
}

static void el_20_read_that_fails_in_the_middle_breaks_off(void **state)
{
    static const long long places[] = {65536 + 1, 1 << 20, (3 << 20) + 17, (4 << 20) - 1};

    (void)state;
    for (int cold = 0; cold < 2; cold++)
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            struct site site;

            support_set_context("cold %d, bad from %lld", cold, places[i]);
            site_open(&site);
            site_write(&site, "file", LENGTH);
            set_faults(places[i], cold);
            break_off(&site, "", LENGTH, 0);
            break_off(&site, "Range: bytes=100-\r\n", LENGTH - 100, 100);
            set_faults(INT64_MAX, false);
            check_recovered(&site);
            site_close(&site);
        }
    support_clear_context();
}

/* Nothing at all can be read: an error that says so, or none; never a 200 with all its bytes. */
static void el_20_file_that_cannot_be_read_is_no_success(void **state)
{
    static const size_t lengths[] = {1, 1000, 100000, LENGTH};

    (void)state;
    for (int cold = 0; cold < 2; cold++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            struct site site;
            struct site_answer answer;

            support_set_context("cold %d, length %zu", cold, lengths[i]);
            site_open(&site);
            site_write(&site, "file", lengths[i]);
            set_faults(0, cold);
            answer = site_ask(&site, "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            if (has_field(&answer, "HTTP/1.1 200 "))
                assert_int_equal(answer.end, ECONNRESET);
            else
                assert_true(answer.length == 0 || has_field(&answer, "HTTP/1.1 500 "));
            free(answer.data);
            set_faults(INT64_MAX, false);
            site_close(&site);
        }
    support_clear_context();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(el_20_read_that_fails_in_the_middle_breaks_off),
        support_test(el_20_file_that_cannot_be_read_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
