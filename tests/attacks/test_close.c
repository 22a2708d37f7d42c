/* SPDX-License-Identifier: MIT */
/*
 * EL-07: close(2) that fails. On Linux the descriptor is gone all the same, so that a second attempt would close what
 * another thread has got under the same number.
 */
#include "attacks/site.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int close_error; /* what every close says */
static atomic_uint closes, vain;

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
    atomic_fetch_add(&closes, 1);
    if (__real_close(fd) < 0) { /* nobody has it any more: it was closed before */
        atomic_fetch_add(&vain, 1);
        return -1;
    }
    errno = atomic_load(&close_error);
    return errno ? -1 : 0;
}

static void check_ask(struct site *site, const char *path, const char *status)
{
    char request[200];
    struct site_answer answer;

    snprintf(request, sizeof request, "GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    answer = site_ask(site, request);
    assert_int_equal(answer.end, 0);
    assert_int_equal(strncmp(answer.data, status, strlen(status)), 0);
    free(answer.data);
}

/* A server's life while every close says @error. Returns how many there were. */
static unsigned serve_with(int error)
{
    size_t before = site_descriptors();
    struct site site;

    atomic_store(&close_error, error);
    atomic_store(&closes, 0);
    atomic_store(&vain, 0);
    site_open(&site);
    site_write(&site, "file", 1000);
    for (int i = 0; i < 5; i++) {
        check_ask(&site, "file", "HTTP/1.1 200 ");
        check_ask(&site, "", "HTTP/1.1 200 ");
        check_ask(&site, "missing", "HTTP/1.1 404 ");
    }
    site_close(&site);
    atomic_store(&close_error, 0);
    assert_int_equal(atomic_load(&vain), 0);
    assert_int_equal(site_descriptors(), before);
    return atomic_load(&closes);
}

static void el_07_close_is_never_tried_again(void **state)
{
    unsigned normal = serve_with(0);

    (void)state;
    support_log_expect("warning: close: a descriptor was closed with an error: Input/output error");
    assert_true(normal > 15);
    assert_int_equal(serve_with(EINTR), normal);
    assert_int_equal(support_log_count("warning: close:"), 0);
    assert_int_equal(serve_with(EIO), normal);
    assert_true(support_log_count("warning: close:") > 0);
    assert_true(support_log_count("warning: close:") < normal);
}

static void el_07_failed_close_of_a_file_is_told_once(void **state)
{
    struct site site;
    weft_directory *directory = NULL;

    (void)state;
    site_open(&site);
    support_log_expect("warning: close: a descriptor was closed with an error: Input/output error");
    assert_int_equal(weft_directory_open(site.place, &directory), 0);
    atomic_store(&close_error, EIO);
    weft_directory_unref(weft_directory_ref(directory));
    assert_int_equal(support_log_count("warning: close:"), 0);
    weft_directory_unref(directory);
    atomic_store(&close_error, 0);
    assert_int_equal(support_log_count("warning: close:"), 1);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(el_07_close_is_never_tried_again),
        support_test(el_07_failed_close_of_a_file_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
