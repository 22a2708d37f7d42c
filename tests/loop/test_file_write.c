/* SPDX-License-Identifier: MIT */
/* Files that are written: what reaches the disk, what is told when it does not (EL-20), and that nothing leads out. */
#include "loop/file_tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/file_deferred.h>
#include <weft/task.h>

/* What the disk is made to do. */
static struct {
    size_t room;     /* bytes until it is full */
    size_t at_once;  /* bytes that one write takes at most */
    unsigned broken; /* so many syncs fail */
    unsigned syncs, writes;
} disk;

ssize_t __real_pwrite(int fd, const void *data, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *data, size_t length, off_t offset)
{
    ssize_t count;

    disk.writes++;
    if (disk.writes == 2) {
        errno = EINTR;
        return -1;
    }
    if (disk.room == 0) {
        errno = ENOSPC;
        return -1;
    }
    length = length < disk.at_once ? length : disk.at_once;
    count = __real_pwrite(fd, data, length < disk.room ? length : disk.room, offset);
    if (count > 0)
        disk.room -= (size_t)count;
    return count;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    disk.syncs++;
    if (disk.broken == 0)
        return __real_fsync(fd);
    disk.broken--;
    errno = EIO;
    return -1;
}

static int setup(void **state)
{
    memset(&disk, 0, sizeof disk);
    disk.room = disk.at_once = SIZE_MAX;
    return file_tree_setup(state);
}

#define write_test(function) cmocka_unit_test_setup_teardown(function, setup, file_tree_teardown)

static weft_loop *loop;
static weft_directory *directory;

static void begin(void)
{
    loop = loop_on(support_engine());
    directory = open_place();
}

static void end(void)
{
    weft_directory_unref(directory);
    weft_loop_free(loop);
}

/* -- one call, waited for -- */

static struct {
    weft_file_call call;
    unsigned done;
    int status;
} now;

static void told(weft_file_call *call, int status)
{
    assert_ptr_equal(call, &now.call);
    now.done++;
    now.status = status;
}

static int result(int status)
{
    assert_int_equal(now.done, 0);
    if (status < 0)
        return status;
    run(loop);
    assert_int_equal(now.done, 1);
    now.done = 0;
    return now.status;
}

#define ROOT weft_loop_scope(loop)

static int create(const char *path, unsigned flags, weft_file **ret)
{
    int status = result(weft_file_create_start(&now.call, ROOT, directory, path, flags, told));

    assert_true((status == 0) == (now.call.file != NULL) || status == -EINVAL);
    *ret = now.call.file;
    return status;
}

static int create_only(const char *path, unsigned flags)
{
    weft_file *file = NULL;
    int status = create(path, flags, &file);

    if (status == 0)
        weft_file_unref(file);
    return status;
}

static int put(weft_file *file, uint64_t offset, const char *text)
{
    return result(weft_file_write_start(&now.call, ROOT, file, offset, weft_bytes_from(text), told));
}

static int sync_file(weft_file *file)
{
    return result(weft_file_sync_start(&now.call, ROOT, file, told));
}

static int rename_file(const char *from, const char *to)
{
    return result(weft_file_rename_start(&now.call, ROOT, directory, from, to, told));
}

static int remove_file(const char *path)
{
    return result(weft_file_remove_start(&now.call, ROOT, directory, path, told));
}

static int make_directory(const char *path)
{
    return result(weft_directory_make_start(&now.call, ROOT, directory, path, told));
}

static int sync_directory(const char *path)
{
    return result(weft_directory_sync_start(&now.call, ROOT, directory, path, told));
}

static void assert_content(const char *name, const char *expected)
{
    char text[64];
    FILE *file = fopen(in_tree(name), "r");
    size_t length;

    assert_non_null(file);
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    assert_string_equal(text, expected);
}

/* -- */

static void flags_say_what_becomes_of_what_is_there(void **state)
{
    char text[16];
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create_only("a.txt", WEFT_FILE_EXCLUSIVE), -EEXIST);
    assert_int_equal(create_only("dangling", WEFT_FILE_EXCLUSIVE), -EEXIST);
    assert_int_equal(create_only("a.txt", 1U << 7), -EINVAL);
    assert_int_equal(create_only("sub", 0), -EISDIR);
    assert_int_equal(create("a.txt", 0, &file), 0);
    assert_int_equal(put(file, 1, "E"), 0);
    assert_int_equal(now.call.count, 1);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, sizeof text, told)), 0);
    assert_int_equal(now.call.count, 5);
    assert_memory_equal(text, "hEllo", 5);
    weft_file_unref(file);
    assert_content("a.txt", "hEllo");
    assert_int_equal(create("a.txt", WEFT_FILE_APPEND, &file), 0);
    assert_int_equal(put(file, 0, "!"), 0);
    weft_file_unref(file);
    assert_content("a.txt", "hEllo!");
    assert_int_equal(create("a.txt", WEFT_FILE_TRUNCATE, &file), 0);
    assert_int_equal(put(file, 2, "x"), 0);
    assert_int_equal(put(file, UINT64_MAX - 1, "x"), -EFBIG);
    weft_file_unref(file);
    assert_int_equal(create("sub/new", WEFT_FILE_EXCLUSIVE, &file), 0);
    weft_file_unref(file);
    assert_content("sub/new", "");
    end();
}

static int truncate_file(weft_file *file, uint64_t length)
{
    return result(weft_file_truncate_start(&now.call, ROOT, file, length, told));
}

static int set_time(weft_file *file, weft_time modified)
{
    return result(weft_file_set_time_start(&now.call, ROOT, file, modified, told));
}

static void a_file_is_cut_or_made_longer(void **state)
{
    char text[16];
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create("a.txt", 0, &file), 0);
    assert_int_equal(truncate_file(file, 2), 0);
    assert_content("a.txt", "he");
    assert_int_equal(truncate_file(file, 4), 0);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, sizeof text, told)), 0);
    assert_int_equal(now.call.count, 4);
    assert_memory_equal(text, "he\0\0", 4);
    assert_int_equal(truncate_file(file, UINT64_MAX), -EFBIG);
    assert_int_equal(truncate_file(file, 0), 0);
    weft_file_unref(file);
    assert_content("a.txt", "");
    end();
}

static void a_file_gets_the_time_that_it_is_given(void **state)
{
    static const weft_time times[] = {WEFT_SECONDS(1000000000) + 5, 0, -WEFT_SECONDS(3), -1};
    struct stat about;
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create("a.txt", 0, &file), 0);
    assert_true(weft_file_is_current(file, directory, "a.txt"));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(set_time(file, times[i]), 0);
        assert_int_equal(stat(in_tree("a.txt"), &about), 0);
        assert_true(WEFT_SECONDS(about.st_mtim.tv_sec) + about.st_mtim.tv_nsec == times[i]);
    }
    assert_false(weft_file_is_current(file, directory, "a.txt"));
    weft_file_unref(file);
    end();
}

static void a_file_that_is_read_is_not_cut(void **state)
{
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(file_open(directory, "a.txt", true, &file), 0);
    assert_int_equal(truncate_file(file, 0), -EINVAL);
    weft_file_unref(file);
    assert_content("a.txt", "hello");
    end();
}

static void a_file_is_replaced_safely(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    char text[] = "replaced";
    weft_file *file;
    weft_done written;

    (void)arg;
    assert_int_equal(weft_await(weft_file_create(scope, directory, "new", WEFT_FILE_EXCLUSIVE), &file), 0);
    written = weft_file_write(scope, file, 0, weft_bytes_from(text));
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(weft_wait(written), 0);
    assert_int_equal(weft_wait(weft_file_truncate(scope, file, 7)), 0);
    assert_int_equal(weft_wait(weft_file_set_time(scope, file, WEFT_SECONDS(12345))), 0);
    assert_int_equal(weft_wait(weft_file_sync(scope, file)), 0);
    weft_file_unref(file);
    assert_int_equal(weft_wait(weft_file_rename(scope, directory, "new", "a.txt")), 0);
    assert_int_equal(weft_wait(weft_directory_sync(scope, directory, ".")), 0);
    assert_int_equal(weft_wait(weft_directory_make(scope, directory, "sub/deep")), 0);
    assert_int_equal(weft_wait(weft_directory_make(scope, directory, "sub/deep")), -EEXIST);
    assert_int_equal(weft_wait(weft_file_remove(scope, directory, "sub/b.txt")), 0);
    assert_int_equal(weft_wait(weft_file_remove(scope, directory, "sub/b.txt")), -ENOENT);
}

static unsigned permissions(const char *name)
{
    struct stat about;

    assert_int_equal(stat(in_tree(name), &about), 0);
    return about.st_mode & 07777;
}

static void what_is_private_is_made_for_its_owner_alone(void **state)
{
    mode_t before = umask(0);
    unsigned there;

    (void)state;
    begin();
    assert_int_equal(create_only("open", WEFT_FILE_EXCLUSIVE), 0);
    assert_int_equal(permissions("open"), 0666);
    assert_int_equal(create_only("mine", WEFT_FILE_EXCLUSIVE | WEFT_FILE_PRIVATE), 0);
    assert_int_equal(permissions("mine"), 0600);
    assert_int_equal(create_only("sub/mine", WEFT_FILE_PRIVATE), 0);
    assert_int_equal(permissions("sub/mine"), 0600);
    there = permissions("a.txt");
    assert_int_equal(create_only("a.txt", WEFT_FILE_PRIVATE), 0);
    assert_int_equal(permissions("a.txt"), there);
    end();
    umask(before);
}

static void tasks_wait_for_the_disk(void **state)
{
    struct stat about;

    (void)state;
    begin();
    assert_non_null(weft_spawn_done(ROOT, a_file_is_replaced_safely, NULL).deferred);
    run(loop);
    assert_content("a.txt", "replace");
    assert_int_equal(stat(in_tree("a.txt"), &about), 0);
    assert_int_equal(about.st_mtim.tv_sec, 12345);
    assert_int_equal(access(in_tree("new"), F_OK), -1);
    assert_int_equal(disk.syncs, 2);
    end();
}

static void short_writes_go_on(void **state)
{
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create("f", 0, &file), 0);
    disk.at_once = 3;
    assert_int_equal(put(file, 0, "more than three"), 0);
    assert_int_equal(now.call.count, 15);
    weft_file_unref(file);
    assert_content("f", "more than three");
    assert_int_equal(disk.writes, 6); /* one of which was interrupted */
    end();
}

/* EL-20 */
static void a_full_disk_says_how_much_is_written(void **state)
{
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create("f", 0, &file), 0);
    disk.room = 4;
    assert_int_equal(put(file, 0, "overflow"), -ENOSPC);
    assert_int_equal(now.call.count, 4);
    weft_file_unref(file);
    assert_content("f", "over");
    end();
}

/* EL-20: the second fsync would succeed, and lie. */
static void what_could_not_be_synced_is_lost(void **state)
{
    weft_file *file;

    (void)state;
    begin();
    assert_int_equal(create("f", 0, &file), 0);
    assert_int_equal(put(file, 0, "precious"), 0);
    disk.broken = 1;
    assert_int_equal(sync_file(file), -EIO);
    assert_int_equal(sync_file(file), -EIO);
    assert_int_equal(put(file, 0, "anew"), 0);
    assert_int_equal(sync_file(file), -EIO);
    assert_int_equal(disk.syncs, 1);
    weft_file_unref(file);
    assert_int_equal(create("g", 0, &file), 0);
    assert_int_equal(sync_file(file), 0);
    weft_file_unref(file);
    disk.broken = 1;
    assert_int_equal(sync_directory("."), -EIO);
    end();
}

static void nothing_leads_out(void **state)
{
    static const char *const out[] = {"../secret", "outside",  "absolute", "/etc/x",       "sub/up/../../x",
                                      "..",        "sub/upup", "sub/..",   "sub/upup/new", ""};
    struct stat before, after;

    (void)state;
    begin();
    assert_int_equal(stat(in_tree("../secret"), &before), 0);
    for (int walking = 0; walking < 2; walking++)
        for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
            faults.error = ENOSYS;
            faults.times = walking ? 1000 : 0;
            assert_true(create_only(out[i], WEFT_FILE_TRUNCATE) < 0);
            assert_true(make_directory(out[i]) < 0);
            if (strcmp(out[i], "outside") != 0 && strcmp(out[i], "absolute") != 0 && strcmp(out[i], "sub/upup") != 0) {
                assert_true(remove_file(out[i]) < 0); /* those three are links in here, and may go */
                assert_true(rename_file("a.txt", out[i]) < 0);
                assert_true(rename_file(out[i], "x") < 0);
            }
            assert_int_equal(sync_directory("sub/upup"), walking ? -ENOTDIR : -EXDEV);
        }
    faults.times = 0;
    assert_int_equal(stat(in_tree("../secret"), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_content("a.txt", "hello");
    end();
}

static void names_change_beneath_the_directory(void **state)
{
    (void)state;
    begin();
    for (int walking = 0; walking < 2; walking++) {
        faults.error = ENOSYS;
        faults.times = walking ? 1000 : 0;
        assert_int_equal(rename_file("a.txt", "sub/moved"), 0);
        assert_int_equal(rename_file("a.txt", "x"), -ENOENT);
        assert_int_equal(rename_file("sub/moved", "a.txt"), 0);
        assert_int_equal(make_directory(walking ? "d" : "e"), 0);
        assert_int_equal(remove_file("sub"), -EISDIR);
        assert_int_equal(create_only("sub/c", WEFT_FILE_EXCLUSIVE), 0);
        assert_int_equal(remove_file("sub/c"), 0);
        assert_int_equal(sync_directory("sub"), 0);
        assert_int_equal(sync_directory("a.txt"), -ENOTDIR);
    }
    end();
}

static void a_file_that_nobody_waits_for_any_more_is_closed(void **state)
{
    size_t before;

    (void)state;
    begin();
    before = open_descriptors();
    for (int i = 0; i < 20; i++) {
        weft_scope *scope = weft_scope_open(ROOT, WEFT_NEVER);
        weft_file_made file = weft_file_create(scope, directory, "f", 0);

        assert_non_null(file.deferred);
        if (i % 2)
            weft_cancel(file.deferred);
        else
            weft_scope_cancel(scope, WEFT_ECANCELED);
        run(loop);
        weft_scope_close(scope);
        run(loop);
    }
    assert_int_equal(open_descriptors(), before);
    end();
}

static void write_and_fail(void *arg)
{
    weft_loop_options options = {.size = sizeof options, .backend = support_engine(), .watchdog = WEFT_NEVER};
    weft_file *file = NULL;
    weft_file_made made;
    int status;

    (void)arg;
    if (weft_directory_open(place, &directory) < 0)
        return;
    if (weft_loop_new(&options, &loop) == 0) {
        made = weft_file_create(ROOT, directory, "f", 0);
        if (made.deferred)
            weft_deferred_ref(made.deferred);
        status = weft_loop_run(loop);
        assert_int_equal(status, 0);
        status = weft_peek(made, &file);
        assert_true(status == 0 || status == WEFT_ENOMEM || status == -EAGAIN);
        assert_true(status == 0 || support_injected() > 0);
        weft_deferred_unref(made.deferred);
        if (status == 0)
            weft_file_unref(file);
        weft_loop_free(loop);
    }
    weft_directory_unref(directory);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    assert_true(support_torture(write_and_fail, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        write_test(flags_say_what_becomes_of_what_is_there),
        write_test(a_file_is_cut_or_made_longer),
        write_test(a_file_gets_the_time_that_it_is_given),
        write_test(a_file_that_is_read_is_not_cut),
        write_test(what_is_private_is_made_for_its_owner_alone),
        write_test(tasks_wait_for_the_disk),
        write_test(short_writes_go_on),
        write_test(a_full_disk_says_how_much_is_written),
        write_test(what_could_not_be_synced_is_lost),
        write_test(nothing_leads_out),
        write_test(names_change_beneath_the_directory),
        write_test(a_file_that_nobody_waits_for_any_more_is_closed),
        write_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
