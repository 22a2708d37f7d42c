/* SPDX-License-Identifier: MIT */
/*
 * Opening and listing on real files, beneath a directory that each test gets fresh. `openat2` is wrapped, so that a
 * test can have it fail, and have the call that must not wait say that it would have to.
 */
#include <weft/file_open.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "backend/file.h"
#include "loop/loop_test.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

/* -- what the system is made to say -- */

static struct {
    bool nothing_cached; /* an opening that must not wait would have to */
    int error;           /* what the next `times` openings fail with */
    unsigned times;
    int read_error; /* what readdir ends with */
} faults;

long __real_syscall(long number, long a, long b, long c, long d);
long __wrap_syscall(long number, long a, long b, long c, long d);
struct dirent *__real_readdir(DIR *directory);
struct dirent *__wrap_readdir(DIR *directory);

long __wrap_syscall(long number, long a, long b, long c, long d)
{
    const struct open_how *how = (const struct open_how *)c;

    if (number == SYS_openat2 && (how->resolve & RESOLVE_CACHED) && faults.nothing_cached) {
        errno = EAGAIN;
        return -1;
    }
    if (number == SYS_openat2 && faults.times > 0) {
        faults.times--;
        errno = faults.error;
        return -1;
    }
    return __real_syscall(number, a, b, c, d);
}

struct dirent *__wrap_readdir(DIR *directory)
{
    struct dirent *found = __real_readdir(directory);

    if (faults.read_error && found && found->d_name[0] == 'c') {
        errno = faults.read_error;
        return NULL;
    }
    return found;
}

/* -- the tree -- */

static char base[64];
static char place[64]; /* the directory beneath which is opened: base/tree */

static const char *in_tree(const char *name)
{
    static char path[2][4200];
    static unsigned next;
    char *at = path[next++ % 2];

    snprintf(at, sizeof path[0], "%s/%s", place, name);
    return at;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    char secret[80];

    memset(&faults, 0, sizeof faults);
    strcpy(base, "/tmp/weft-file-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(place, sizeof place, "%s/tree", base);
    snprintf(secret, sizeof secret, "%s/secret", base);
    if (mkdir(place, 0755) < 0 || mkdir(in_tree("sub"), 0755) < 0)
        return -1;
    write_file(secret, "secret");
    write_file(in_tree("a.txt"), "hello");
    write_file(in_tree("sub/b.txt"), "inside");
    if (symlink("sub/b.txt", in_tree("inside")) < 0 || symlink("../secret", in_tree("outside")) < 0 ||
        symlink("/etc/passwd", in_tree("absolute")) < 0 || symlink("loop", in_tree("loop")) < 0 ||
        symlink("..", in_tree("sub/up")) < 0 || symlink("../..", in_tree("sub/upup")) < 0 ||
        symlink("nowhere", in_tree("dangling")) < 0)
        return -1;
    return support_setup(state);
}

static int teardown(void **state)
{
    char command[100];
    int status = support_teardown(state);

    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command) != 0 ? -1 : status;
}

#define file_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static weft_directory *open_place(void)
{
    weft_directory *directory = NULL;

    assert_int_equal(weft_directory_open(place, &directory), 0);
    return directory;
}

static size_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (__real_readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* -- opening -- */

struct opening {
    weft_file_open open;
    unsigned done;
    int status;
};

static void opened(weft_file_open *open, int status)
{
    struct opening *opening = weft_container_of(open, struct opening, open);

    opening->done++;
    opening->status = status;
}

/* Opens @p path, waiting for the job if there is one. @return the status; a file that was opened is in @p ret */
static int open_path(weft_loop *loop, weft_directory *directory, const char *path, weft_file **ret)
{
    struct opening opening = {.status = 1};
    int status = weft_file_open_start(&opening.open, weft_loop_scope(loop), directory, path, opened);

    assert_int_equal(opening.done, 0);
    run(loop);
    assert_int_equal(opening.done, status == 1);
    status = status == 1 ? opening.status : status;
    assert_true((status == 0) == (opening.open.file != NULL));
    *ret = opening.open.file;
    return status;
}

/* The status of opening @p path: the same at once and from the pool of threads. */
static int status_of(const char *path)
{
    weft_loop *loop = loop_on("epoll");
    weft_directory *directory = open_place();
    size_t before = open_descriptors();
    weft_file *file;
    int at_once, from_pool;

    at_once = open_path(loop, directory, path, &file);
    weft_file_unref(file);
    faults.nothing_cached = true;
    from_pool = open_path(loop, directory, path, &file);
    faults.nothing_cached = false;
    weft_file_unref(file);
    assert_int_equal(open_descriptors(), before);
    weft_directory_unref(directory);
    weft_loop_free(loop);
    assert_int_equal(at_once, from_pool);
    return at_once;
}

static void file_is_opened_and_known(void **state)
{
    weft_loop *loop = loop_on("epoll");
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
    weft_loop *loop = loop_on("epoll");
    weft_directory *directory = open_place();
    struct opening opening = {.status = 1};

    (void)state;
    assert_int_equal(access(in_tree("a.txt"), R_OK), 0); /* now its name is cached */
    assert_int_equal(weft_file_open_start(&opening.open, weft_loop_scope(loop), directory, "a.txt", opened), 0);
    weft_file_unref(opening.open.file);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

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
    weft_loop *loop = loop_on("epoll");
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
    weft_loop *loop = loop_on("epoll");
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
    weft_loop *loop = loop_on("epoll");
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

static void opening_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on("epoll");
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
        weft_loop *loop = loop_on("epoll");
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

/* -- listing -- */

struct listing {
    weft_file_list list;
    unsigned done;
    int status;
};

static void listed(weft_file_list *list, int status)
{
    struct listing *listing = weft_container_of(list, struct listing, list);

    listing->done++;
    listing->status = status;
}

static int list_path(struct listing *listing, const char *path, size_t limit)
{
    weft_loop *loop = loop_on("epoll");
    weft_directory *directory = open_place();
    weft_file *file = NULL;

    *listing = (struct listing){.status = 1};
    assert_int_equal(open_path(loop, directory, path, &file), 0);
    assert_int_equal(weft_file_list_start(&listing->list, weft_loop_scope(loop), file, limit, listed), 0);
    weft_file_unref(file); /* the listing holds it */
    assert_int_equal(listing->done, 0);
    run(loop);
    assert_int_equal(listing->done, 1);
    weft_directory_unref(directory);
    weft_loop_free(loop);
    return listing->status;
}

static const weft_file_entry *entry_of(const struct listing *listing, const char *name)
{
    for (size_t i = 0; i < listing->list.count; i++)
        if (weft_bytes_equal(listing->list.entries[i].name, weft_bytes_from(name)))
            return &listing->list.entries[i];
    fail_msg("%s is not listed", name);
    return NULL;
}

static void listing_names_each_entry_and_what_it_is(void **state)
{
    struct listing listing;

    (void)state;
    assert_int_equal(mkfifo(in_tree("fifo"), 0644), 0);
    write_file(in_tree(".hidden"), "");
    write_file(in_tree("..two"), "");
    assert_int_equal(list_path(&listing, ".", 100), 0);
    assert_int_equal(listing.list.count, 10);
    assert_false(listing.list.truncated);
    assert_int_equal(entry_of(&listing, "a.txt")->info.kind, WEFT_FILE_REGULAR);
    assert_int_equal(entry_of(&listing, "a.txt")->info.length, 5);
    assert_int_equal(entry_of(&listing, "sub")->info.kind, WEFT_FILE_DIRECTORY);
    assert_int_equal(entry_of(&listing, "outside")->info.kind, WEFT_FILE_LINK);
    assert_int_equal(entry_of(&listing, "inside")->info.kind, WEFT_FILE_LINK);
    assert_int_equal(entry_of(&listing, "loop")->info.kind, WEFT_FILE_LINK);
    assert_int_equal(entry_of(&listing, "fifo")->info.kind, WEFT_FILE_OTHER);
    assert_non_null(entry_of(&listing, ".hidden"));
    assert_non_null(entry_of(&listing, "..two"));
    weft_file_list_fini(&listing.list);
    weft_file_list_fini(&listing.list);
}

static void listing_stops_at_its_limit(void **state)
{
    struct listing listing;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[20];
        snprintf(name, sizeof name, "sub/up/n%d", i);
        write_file(in_tree(name), "");
    }
    for (size_t limit = 0; limit <= 110; limit++) {
        assert_int_equal(list_path(&listing, ".", limit), 0);
        assert_int_equal(listing.list.count, limit < 107 ? limit : 107);
        assert_int_equal(listing.list.truncated, limit < 107);
        weft_file_list_fini(&listing.list);
    }
    assert_int_equal(list_path(&listing, ".", WEFT_UNLIMITED), 0);
    assert_int_equal(listing.list.count, 107);
    weft_file_list_fini(&listing.list);
}

static void empty_directory_and_one_that_vanished_have_no_entries(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_directory *directory = open_place();
    struct listing listing;
    weft_file *file = NULL;

    (void)state;
    assert_int_equal(mkdir(in_tree("empty"), 0755), 0);
    assert_int_equal(list_path(&listing, "empty", 10), 0);
    assert_int_equal(listing.list.count, 0);
    assert_false(listing.list.truncated);
    weft_file_list_fini(&listing.list);

    listing = (struct listing){.status = 1};
    assert_int_equal(open_path(loop, directory, "empty", &file), 0);
    assert_int_equal(rmdir(in_tree("empty")), 0);
    assert_int_equal(weft_file_list_start(&listing.list, weft_loop_scope(loop), file, 10, listed), 0);
    weft_file_unref(file);
    run(loop);
    assert_true(listing.status == 0 || listing.status == -ENOENT);
    assert_int_equal(listing.list.count, 0);
    weft_file_list_fini(&listing.list);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

static void file_is_no_directory_to_list(void **state)
{
    struct listing listing;

    (void)state;
    assert_int_equal(list_path(&listing, "a.txt", 10), -ENOTDIR);
    assert_null(listing.list.entries);
    weft_file_list_fini(&listing.list);
}

/* A name that readdir gives and that is gone when it is looked at. */
int __real_fstatat(int directory, const char *path, struct stat *ret, int flags);
int __wrap_fstatat(int directory, const char *path, struct stat *ret, int flags);

static bool vanish;

int __wrap_fstatat(int directory, const char *path, struct stat *ret, int flags)
{
    if (vanish && path[0] == 'a')
        assert_int_equal(unlink(in_tree(path)), 0);
    return __real_fstatat(directory, path, ret, flags);
}

static void entry_that_vanishes_is_left_out(void **state)
{
    struct listing listing;

    (void)state;
    unlink(in_tree("absolute"));
    vanish = true;
    assert_int_equal(list_path(&listing, ".", 10), 0);
    vanish = false;
    assert_int_equal(listing.list.count, 5);
    assert_non_null(entry_of(&listing, "sub"));
    weft_file_list_fini(&listing.list);
}

static void failed_read_of_the_directory_is_no_short_listing(void **state)
{
    struct listing listing;

    (void)state;
    write_file(in_tree("c"), "");
    faults.read_error = EIO;
    assert_int_equal(list_path(&listing, ".", 100), -EIO);
    assert_int_equal(listing.list.count, 0);
    assert_null(listing.list.entries);
    weft_file_list_fini(&listing.list);
}

static void listing_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on("epoll");
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_directory *directory = open_place();
    struct listing listing = {.status = 1};
    weft_file *file = NULL;

    (void)state;
    assert_int_equal(open_path(loop, directory, ".", &file), 0);
    weft_scope_cancel(scope, WEFT_ETIMEDOUT);
    assert_int_equal(weft_file_list_start(&listing.list, NULL, file, 10, listed), WEFT_ENOMEM);
    assert_int_equal(weft_file_list_start(&listing.list, scope, file, 10, listed), WEFT_ETIMEDOUT);
    weft_file_list_fini(&listing.list);
    run(loop);
    assert_int_equal(listing.done, 0);
    weft_file_unref(file);
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

/* An error leaves nothing to free, even to a caller who does not call fini. */
static void cancelled_listing_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        weft_loop *loop = loop_on("epoll");
        weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
        weft_directory *directory = open_place();
        struct listing listing = {.status = 1};
        weft_file *file = NULL;

        assert_int_equal(open_path(loop, directory, ".", &file), 0);
        assert_int_equal(weft_file_list_start(&listing.list, scope, file, 100, listed), 0);
        for (int i = 0; i < round % 100; i++)
            sched_yield();
        weft_scope_close(scope);
        run(loop);
        assert_int_equal(listing.status, WEFT_ECANCELED);
        assert_null(listing.list.entries);
        weft_file_unref(file);
        weft_directory_unref(directory);
        weft_loop_free(loop);
    }
}

/* -- memory -- */

struct place {
    weft_loop *loop;
    weft_directory *directory;
};

static void open_and_list(void *arg)
{
    weft_loop *loop = ((struct place *)arg)->loop;
    weft_directory *directory = ((struct place *)arg)->directory;
    struct listing listing = {.status = 1};
    weft_file *file = NULL;
    int status = open_path(loop, directory, ".", &file);

    if (status == 0)
        status = weft_file_list_start(&listing.list, weft_loop_scope(loop), file, 100, listed);
    run(loop);
    if (listing.done)
        status = listing.status;
    assert_int_equal(status, support_injected() ? WEFT_ENOMEM : 0);
    assert_int_equal(listing.list.count, status == 0 ? 7 : 0);
    weft_file_list_fini(&listing.list);
    weft_file_unref(file);
}

static void failed_allocation_is_reported_and_leaves_nothing(void **state)
{
    struct place here = {.loop = loop_on_sim(), .directory = open_place()}; /* its jobs run in place, in one order */

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        faults.nothing_cached = pass == 1;
        support_torture(open_and_list, &here);
    }
    weft_directory_unref(here.directory);
    weft_loop_free(here.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        file_test(file_is_opened_and_known),
        file_test(cached_file_needs_no_job),
        file_test(nothing_leads_out_of_the_directory),
        file_test(links_that_stay_inside_are_followed),
        file_test(what_cannot_be_opened_says_why),
        file_test(fifo_and_socket_hold_nobody),
        file_test(directory_is_opened_as_a_file),
        file_test(directory_that_cannot_be_opened_says_why),
        file_test(want_of_descriptors_says_so),
        file_test(disturbed_opening_is_tried_again),
        file_test(without_openat2_the_path_is_walked),
        file_test(opening_needs_a_scope_that_is_not_cancelled),
        file_test(cancelled_opening_leaves_no_file_behind),
        file_test(file_system_that_cannot_promise_not_to_wait_is_not_read),
        file_test(file_system_in_memory_is_read),
        file_test(listing_names_each_entry_and_what_it_is),
        file_test(listing_stops_at_its_limit),
        file_test(empty_directory_and_one_that_vanished_have_no_entries),
        file_test(file_is_no_directory_to_list),
        file_test(entry_that_vanishes_is_left_out),
        file_test(failed_read_of_the_directory_is_no_short_listing),
        file_test(listing_needs_a_scope_that_is_not_cancelled),
        file_test(cancelled_listing_leaves_nothing_behind),
        file_test(failed_allocation_is_reported_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
