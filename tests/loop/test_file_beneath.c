/* SPDX-License-Identifier: MIT */
/* Opening beneath a directory, out of which no path may lead: by the kernel, or by walking where it cannot. */
#include "loop/file_tree.h"

#include <errno.h>

static void nothing_leads_out_of_the_directory(void **state)
{
    static const char *const out[] = {"..",      "../secret", "../tree/a.txt",   "sub/../../secret", "/etc/passwd", "/",
                                      "outside", "absolute",  "sub/upup/secret", "./../secret",      "sub/upup"};

    (void)state;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        support_set_context("path '%s'", out[i]);
        assert_int_equal(status_of(out[i]), -EXDEV);
    }
    support_clear_context();
}

static void links_that_stay_inside_are_followed(void **state)
{
    (void)state;
    assert_int_equal(status_of("inside"), 0);
    assert_int_equal(status_of("sub/up/a.txt"), 0);
    assert_int_equal(status_of("sub/up"), 0);
}

/* openat2(2): with RESOLVE_BENEATH, EAGAIN says that a rename elsewhere has disturbed the walk; EINTR, a signal. */
static void disturbed_opening_is_tried_again(void **state)
{
    static const int errors[] = {EAGAIN, EINTR};
    weft_directory *directory = open_place();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        weft_file *file = NULL;

        faults.error = errors[i];
        faults.times = 5;
        assert_int_equal(file_open(directory, "a.txt", true, &file), 0);
        weft_file_unref(file);
        faults.times = 1000000; /* but not for ever */
        assert_int_equal(file_open(directory, "a.txt", true, &file), -errors[i]);
        faults.times = 0;
    }
    weft_directory_unref(directory);
}

/* A system without openat2(2): the path is walked, in the pool, and no link is followed. */
static void without_openat2_the_path_is_walked(void **state)
{
    static const struct {
        const char *path;
        int expected;
    } cases[] = {
        {"a.txt", 0},
        {"sub/b.txt", 0},
        {".", 0},
        {"sub", 0},
        {"inside", -ELOOP},
        {"outside", -ELOOP},
        {"absolute", -ELOOP},
        {"sub/up", -ELOOP},
        {"sub/upup/secret", -ENOTDIR},
        {"..", -EXDEV},
        {"../secret", -EXDEV},
        {"sub/../../secret", -EXDEV},
        {"/etc/passwd", -EXDEV},
        {"nothing", -ENOENT},
        {"a.txt/x", -ENOTDIR},
        {"", -ENOENT},
    };
    weft_directory *directory = open_place();
    size_t before = open_descriptors();

    (void)state;
    faults.error = ENOSYS;
    faults.times = 1000000;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_file *file = NULL;

        assert_int_equal(file_open(directory, cases[i].path, false, &file), -EAGAIN);
        assert_int_equal(file_open(directory, cases[i].path, true, &file), cases[i].expected);
        weft_file_unref(file);
        assert_int_equal(open_descriptors(), before);
    }
    weft_directory_unref(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(nothing_leads_out_of_the_directory),
        file_test(links_that_stay_inside_are_followed),
        file_test(disturbed_opening_is_tried_again),
        file_test(without_openat2_the_path_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
