/* SPDX-License-Identifier: MIT */
/* EL-18, EL-19 and EL-20 on files: opened, read, listed, locked and sent, in the cache and not, on this kernel and on
 * older ones. */
#include "torture/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/file_lock.h>
#include <weft/file_open.h>
#include <weft/file_write.h>
#include <weft/weft.h>

#include "backend/file.h"
#include "torture/inject.h"

static char folder[] = "/dev/shm/weft-torture-XXXXXX"; /* which is in memory */
static char lock_path[64];

#define TEXT "what is in the file"

/* -- a file: opened (again, and from a path of two names), read, compared -- */

struct use {
    weft_loop *loop;
    weft_file_open open;
    weft_file_list list;
    int status;
    bool cannot_tell; /* by a path of two names what is there now */
};

static void opened(weft_file_open *open, int status)
{
    weft_container_of(open, struct use, open)->status = status;
}

static int open_file(struct use *use, weft_directory *directory, const char *path)
{
    int status = weft_file_open_start(&use->open, weft_loop_scope(use->loop), directory, path, opened);

    if (status != 1)
        return status;
    use->status = 1;
    assert_int_equal(weft_loop_run(use->loop), 0);
    assert_true(use->status <= 0);
    return use->status;
}

static int read_file(struct use *use, weft_directory *directory, const char *path)
{
    char text[100] = "";
    int status = open_file(use, directory, path), count;

    if (status < 0)
        return status;
    count = weft_file_read_cached(use->open.file, 0, text, sizeof text);
    if (count >= 0)
        assert_string_equal(text, TEXT);
    if (!weft_file_is_current(use->open.file, directory, path))
        assert_true(torture_is_disturbed() || use->cannot_tell); /* who cannot tell says no */
    weft_file_unref(use->open.file);
    return count < 0 ? count : 0;
}

static void listed(weft_file_list *list, int status)
{
    weft_container_of(list, struct use, list)->status = status;
}

static int list_folder(struct use *use, weft_directory *directory)
{
    int status = open_file(use, directory, ".");

    if (status < 0)
        return status;
    use->status = 1;
    status = weft_file_list_start(&use->list, weft_loop_scope(use->loop), use->open.file, 10, listed);
    if (status == 0) {
        assert_int_equal(weft_loop_run(use->loop), 0);
        status = use->status;
    }
    if (status == 0) {
        assert_true(use->list.count == 3 || torture_is_disturbed()); /* what cannot be looked at is left out */
        weft_file_list_fini(&use->list);
    }
    weft_file_unref(use->open.file);
    return status;
}

static int lock_and_release(weft_loop *loop)
{
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    weft_file_lock *lock = weft_file_lock_new(scope, lock_path);
    int status = lock ? weft_file_lock_try(lock) : WEFT_ENOMEM;

    if (status == 0) {
        assert_true(weft_file_lock_held(lock));
        status = weft_file_lock_release(lock);
    }
    weft_scope_close(scope);
    return status;
}

static int worse(int status, int other)
{
    return status < 0 ? status : other;
}

/* What some kernel or file system does not know. */
struct kernel {
    const char *name, *lacks;
    int error;
    size_t times;
};

static int use_files(const struct kernel *kernel)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    struct use use = {.cannot_tell = kernel && kernel->error == ENOSYS};
    weft_directory *directory;
    int status = weft_directory_open(folder, &directory);

    if (status < 0)
        return status;
    status = weft_loop_new(&options, &use.loop);
    if (status == 0) {
        status = worse(read_file(&use, directory, "f"), read_file(&use, directory, "d/f"));
        status = worse(status, list_folder(&use, directory));
        status = worse(status, lock_and_release(use.loop));
        weft_loop_free(use.loop);
    }
    weft_directory_unref(directory);
    return status;
}

static int play(void *arg)
{
    const struct kernel *kernel = arg;
    int status;

    torture_lack(kernel->lacks, kernel->error, kernel->times);
    status = use_files(kernel);
    torture_lack(NULL, 0, 0);
    return status;
}

static void play_again(void *arg)
{
    (void)arg;
    assert_int_equal(use_files(NULL), 0);
}

static void judge(void *arg, const struct torture_end *end)
{
    (void)arg;
    if (!end->disturbed)
        assert_int_equal(end->status, 0);
}

static void files_are_used_or_an_error_says_why_not(void **state)
{
    static struct kernel kernels[] = {
        {"files", NULL, 0, 0},
        {"files that are not in the cache", "openat2", EAGAIN, 1},
        {"files before Linux 5.12", "openat2", EINVAL, 1},
        {"files without openat2", "openat2", ENOSYS, SIZE_MAX},
        {"files in memory", "preadv2", EOPNOTSUPP, SIZE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        struct torture_scenario scenario = {kernels[i].name, play, judge, &kernels[i], NULL, play_again};

        torture_allocations(&scenario);
        torture_calls(&scenario);
    }
}

/* -- files that are written -- */

struct writing {
    weft_loop *loop;
    weft_directory *directory;
    weft_file_call call;
    int status;
};

static void was_done(weft_file_call *call, int status)
{
    weft_container_of(call, struct writing, call)->status = status;
}

/* What became of a call that began with @p status. */
static int wait_for(struct writing *writing, int status)
{
    if (status < 0)
        return status;
    writing->status = 1;
    assert_int_equal(weft_loop_run(writing->loop), 0);
    assert_true(writing->status <= 0);
    return writing->status;
}

#define CALL(writing, function, ...) \
    wait_for(writing, function(&(writing)->call, weft_loop_scope((writing)->loop), __VA_ARGS__, was_done))

static int fill(struct writing *writing)
{
    weft_file *file;
    int status = CALL(writing, weft_file_create_start, writing->directory, "new", WEFT_FILE_EXCLUSIVE);

    if (status < 0)
        return status;
    file = writing->call.file;
    status = CALL(writing, weft_file_write_start, file, 0, weft_bytes_from(TEXT));
    if (status == 0)
        status = CALL(writing, weft_file_truncate_start, file, 5);
    if (status == 0)
        status = CALL(writing, weft_file_set_time_start, file, WEFT_SECONDS(12345));
    if (status == 0)
        status = CALL(writing, weft_file_sync_start, file);
    if (status == 0)
        status = file_flush(file);
    weft_file_unref(file);
    return status;
}

static int write_and_move(struct writing *writing)
{
    int status = fill(writing);

    if (status == 0)
        status = CALL(writing, weft_file_rename_start, writing->directory, "new", "d/kept");
    if (status == 0)
        status = CALL(writing, weft_directory_sync_start, writing->directory, "d");
    if (status == 0)
        status = CALL(writing, weft_file_remove_start, writing->directory, "d/kept");
    if (status == 0)
        status = CALL(writing, weft_directory_make_start, writing->directory, "made");
    return status;
}

static void remove_left(void *arg)
{
    char path[100];

    (void)arg;
    snprintf(path, sizeof path, "%s/new", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/d/kept", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/made", folder);
    rmdir(path);
}

static int play_writing(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    struct writing writing = {0};
    int status = weft_directory_open(folder, &writing.directory);

    (void)arg;
    if (status < 0)
        return status;
    status = weft_loop_new(&options, &writing.loop);
    if (status == 0) {
        status = write_and_move(&writing);
        weft_loop_free(writing.loop);
    }
    weft_directory_unref(writing.directory);
    return status;
}

static void write_again(void *arg)
{
    remove_left(arg);
    assert_int_equal(play_writing(arg), 0);
    remove_left(arg);
}

static void files_are_written_or_an_error_says_why_not(void **state)
{
    struct torture_scenario scenario = {"files that are written", play_writing, judge, NULL, remove_left, write_again};

    (void)state;
    torture_allocations(&scenario);
    torture_calls(&scenario);
}

/* -- the folder -- */

static int write_file(const char *name)
{
    char path[100];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    out = fopen(path, "w");
    return out && fputs(TEXT, out) >= 0 && fclose(out) == 0 ? 0 : -1;
}

static int prepare(void **state)
{
    char path[64];

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/d", folder);
    snprintf(lock_path, sizeof lock_path, "%s/lock", folder);
    return mkdir(path, 0700) == 0 && write_file("f") == 0 && write_file("d/f") == 0 && write_file("lock") == 0 ? 0 : -1;
}

static int tidy_up(void **state)
{
    static const char *const names[] = {"d/f", "f", "lock"};
    char path[100];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/d", folder);
    return rmdir(path) == 0 ? rmdir(folder) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(files_are_used_or_an_error_says_why_not),
        torture_test(files_are_written_or_an_error_says_why_not),
    };
    return torture_over(cmocka_run_group_tests(tests, prepare, tidy_up));
}
