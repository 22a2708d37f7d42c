/* SPDX-License-Identifier: MIT */
/* The directory that tests of files work in (file_tree.h). */
#include "loop/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

struct file_tree_faults faults;
char place[64];
static char base[64]; /* place is base/tree */

long __real_syscall(long number, long a, long b, long c, long d);
long __wrap_syscall(long number, long a, long b, long c, long d);

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

const char *in_tree(const char *name)
{
    static char path[2][4200];
    static unsigned next;
    char *at = path[next++ % 2];

    snprintf(at, sizeof path[0], "%s/%s", place, name);
    return at;
}

void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

int file_tree_setup(void **state)
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

int file_tree_teardown(void **state)
{
    char command[100];
    int status = support_teardown(state);

    snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command) != 0 ? -1 : status;
}

weft_directory *open_place(void)
{
    weft_directory *directory = NULL;

    assert_int_equal(weft_directory_open(place, &directory), 0);
    return directory;
}

size_t open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

void opened(weft_file_open *open, int status)
{
    struct opening *opening = weft_container_of(open, struct opening, open);

    opening->done++;
    opening->status = status;
}

int open_path(weft_loop *loop, weft_directory *directory, const char *path, weft_file **ret)
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

int status_of(const char *path)
{
    weft_loop *loop = loop_on(support_engine());
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
