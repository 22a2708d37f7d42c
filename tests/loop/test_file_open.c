/* SPDX-License-Identifier: MIT */
/* Opening real files, at once or by the job pool, and reading them without a wait. */
#include "loop/file_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void file_is_opened_and_known(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_directory *directory = open_place();
    struct stat about;
    weft_file *file;

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        char text[16];

        faults.nothing_cached = pass == 1;
        assert_int_equal(open_path(loop, directory, "a.txt", &file), 0);
        assert_int_equal(stat(in_tree("a.txt"), &about), 0);
        assert_int_equal(weft_file_about(file)->kind, WEFT_FILE_REGULAR);
        assert_int_equal(weft_file_about(file)->length, 5);
        assert_int_equal(weft_file_about(file)->inode, about.st_ino);
        assert_true(weft_file_about(file)->modified == WEFT_SECONDS(about.st_mtim.tv_sec) + about.st_mtim.tv_nsec);
        assert_int_equal(weft_file_read_cached(file, 0, text, sizeof text), 5);
        assert_memory_equal(text, "hello", 5);
        assert_int_equal(weft_file_read_cached(file, 3, text, sizeof text), 2);
        assert_int_equal(weft_file_read_cached(file, 5, text, sizeof text), 0);
        assert_int_equal(weft_file_read_cached(file, UINT64_MAX, text, sizeof text), -EINVAL);
        assert_int_equal(file_read(file, 1, text, 2), 2);
        weft_file_unref(weft_file_ref(file));
        weft_file_unref(file);
    }
    weft_file_unref(NULL);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

static void cached_file_needs_no_job(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_directory *directory = open_place();
    struct opening opening = {.status = 1};

    (void)state;
    assert_int_equal(access(in_tree("a.txt"), R_OK), 0); /* now its name is cached */
    assert_int_equal(weft_file_open_start(&opening.open, weft_loop_scope(loop), directory, "a.txt", opened), 0);
    weft_file_unref(opening.open.file);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

static void what_cannot_be_opened_says_why(void **state)
{
    char *longest = calloc(1, 5000);

    (void)state;
    assert_non_null(longest);
    memset(longest, 'x', 300);
    assert_int_equal(status_of(longest), -ENAMETOOLONG);
    for (int i = 0; i < 4998; i++)
        longest[i] = i % 2 ? '/' : 'x';
    assert_int_equal(status_of(longest), -ENAMETOOLONG);
    free(longest);
    assert_int_equal(status_of("missing"), -ENOENT);
    assert_int_equal(status_of(""), -ENOENT);
    assert_int_equal(status_of("dangling"), -ENOENT);
    assert_int_equal(status_of("sub/missing"), -ENOENT);
    assert_int_equal(status_of("a.txt/b"), -ENOTDIR);
    assert_int_equal(status_of("a.txt/"), -ENOTDIR);
    assert_int_equal(status_of("loop"), -ELOOP);
}

static int socket_at(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(name.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static void fifo_and_socket_hold_nobody(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_directory *directory = open_place();
    weft_file *file;
    char byte;
    int fd;

    (void)state;
    assert_int_equal(mkfifo(in_tree("fifo"), 0644), 0);
    for (int pass = 0; pass < 2; pass++) {
        faults.nothing_cached = pass == 1;
        assert_int_equal(open_path(loop, directory, "fifo", &file), 0); /* nobody writes: without care, this waits */
        assert_int_equal(weft_file_about(file)->kind, WEFT_FILE_OTHER);
        assert_int_equal(weft_file_read_cached(file, 0, &byte, 1), -ESPIPE);
        weft_file_unref(file);
    }
    faults.nothing_cached = false;
    fd = socket_at(in_tree("socket"));
    assert_int_equal(status_of("socket"), -ENXIO);
    close(fd);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

static void directory_is_opened_as_a_file(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_directory *directory = open_place();
    weft_file *file;
    char byte;

    (void)state;
    assert_int_equal(open_path(loop, directory, ".", &file), 0);
    assert_int_equal(weft_file_about(file)->kind, WEFT_FILE_DIRECTORY);
    assert_int_equal(weft_file_read_cached(file, 0, &byte, 1), -EISDIR);
    weft_file_unref(file);
    weft_directory_unref(weft_directory_ref(directory));
    weft_directory_unref(directory);
    weft_directory_unref(NULL);
    weft_loop_free(loop);
}

static void directory_that_cannot_be_opened_says_why(void **state)
{
    weft_directory *directory = NULL;

    (void)state;
    assert_int_equal(weft_directory_open(in_tree("missing"), &directory), -ENOENT);
    assert_int_equal(weft_directory_open(in_tree("a.txt"), &directory), -ENOTDIR);
    assert_int_equal(weft_directory_open(in_tree("loop"), &directory), -ELOOP);
    support_fail_at(1, false);
    assert_int_equal(weft_directory_open(place, &directory), WEFT_ENOMEM);
    support_fail_at(0, false);
    assert_null(directory);
}

static void want_of_descriptors_says_so(void **state)
{
    struct rlimit normal, tight;
    weft_loop *loop = loop_on(support_engine());
    weft_directory *directory = open_place();
    weft_file *file;
    int free_fd;

    (void)state;
    assert_int_equal(open_path(loop, directory, "a.txt", &file), 0);
    weft_file_unref(file);
    free_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(free_fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &normal), 0);
    tight = normal;
    tight.rlim_cur = (rlim_t)free_fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    for (int pass = 0; pass < 2; pass++) {
        faults.nothing_cached = pass == 1;
        assert_int_equal(open_path(loop, directory, "a.txt", &file), -EMFILE);
    }
    setrlimit(RLIMIT_NOFILE, &normal);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

static void opening_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on(support_engine());
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_directory *directory = open_place();
    struct opening opening = {.status = 1};

    (void)state;
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    for (int pass = 0; pass < 2; pass++) { /* whether the file is cached or not */
        faults.nothing_cached = pass == 1;
        assert_int_equal(weft_file_open_start(&opening.open, NULL, directory, "a.txt", opened), WEFT_ENOMEM);
        assert_null(opening.open.file);
        assert_int_equal(weft_file_open_start(&opening.open, scope, directory, "a.txt", opened), WEFT_ETIMEDOUT);
        assert_null(opening.open.file);
    }
    run(loop);
    assert_int_equal(opening.done, 0);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

/* The caller's reference to the directory may go before the job has begun. */
static void cancelled_opening_leaves_no_file_behind(void **state)
{
    size_t before = open_descriptors();

    (void)state;
    faults.nothing_cached = true;
    for (int round = 0; round < 200; round++) {
        weft_loop *loop = loop_on(support_engine());
        weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
        weft_directory *directory = open_place();
        struct opening openings[4];

        for (int i = 0; i < 4; i++) {
            openings[i] = (struct opening){.status = 1};
            assert_int_equal(weft_file_open_start(&openings[i].open, scope, directory, "a.txt", opened), 1);
        }
        weft_directory_unref(directory);
        for (int i = 0; i < round % 4; i++)
            (void)weft_loop_step(loop);
        weft_scope_close(scope);
        run(loop);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(openings[i].done, 1);
            assert_true(openings[i].status == 0 || openings[i].status == WEFT_ECANCELED);
            assert_true((openings[i].open.file != NULL) == (openings[i].status == 0));
            weft_file_unref(openings[i].open.file);
        }
        weft_loop_free(loop);
    }
    assert_int_equal(open_descriptors(), before);
}

/* -- reading without a wait -- */

static void file_system_that_cannot_promise_not_to_wait_is_not_read(void **state)
{
    weft_directory *directory = NULL;
    weft_file *file = NULL;
    char text[16];

    (void)state;
    assert_int_equal(weft_directory_open("/proc/self", &directory), 0); /* knows no RWF_NOWAIT */
    assert_int_equal(file_open(directory, "status", true, &file), 0);
    assert_int_equal(weft_file_read_cached(file, 0, text, sizeof text), -EAGAIN);
    assert_int_equal(file_read(file, 0, text, sizeof text), sizeof text);
    weft_file_unref(file);
    weft_directory_unref(directory);
}

static void file_system_in_memory_is_read(void **state)
{
    char path[] = "/dev/shm/weft-file-XXXXXX", text[16];
    weft_directory *directory = NULL;
    weft_file *file = NULL;
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0)
        skip();
    assert_int_equal(write(fd, "memory", 6), 6);
    close(fd);
    assert_int_equal(weft_directory_open("/dev/shm", &directory), 0);
    assert_int_equal(file_open(directory, path + strlen("/dev/shm/"), true, &file), 0);
    unlink(path);
    assert_int_equal(weft_file_read_cached(file, 0, text, sizeof text), 6);
    weft_file_unref(file);
    weft_directory_unref(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(file_is_opened_and_known),
        file_test(cached_file_needs_no_job),
        file_test(what_cannot_be_opened_says_why),
        file_test(fifo_and_socket_hold_nobody),
        file_test(directory_is_opened_as_a_file),
        file_test(directory_that_cannot_be_opened_says_why),
        file_test(want_of_descriptors_says_so),
        file_test(opening_needs_a_scope_that_is_not_cancelled),
        file_test(cancelled_opening_leaves_no_file_behind),
        file_test(file_system_that_cannot_promise_not_to_wait_is_not_read),
        file_test(file_system_in_memory_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
