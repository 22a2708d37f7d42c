/* SPDX-License-Identifier: MIT */
/* Listing directories with the job pool. */
#include "loop/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- what the system is made to say -- */

static bool vanish;    /* a name that readdir gives is gone when it is looked at */
static int read_error; /* what readdir ends with */

int __real_fstatat(int directory, const char *path, struct stat *ret, int flags);
int __wrap_fstatat(int directory, const char *path, struct stat *ret, int flags);
struct dirent *__real_readdir(DIR *directory);
struct dirent *__wrap_readdir(DIR *directory);

int __wrap_fstatat(int directory, const char *path, struct stat *ret, int flags)
{
    if (vanish && path[0] == 'a')
        assert_int_equal(unlink(in_tree(path)), 0);
    return __real_fstatat(directory, path, ret, flags);
}

struct dirent *__wrap_readdir(DIR *directory)
{
    struct dirent *found = __real_readdir(directory);

    if (read_error && found && found->d_name[0] == 'c') {
        errno = read_error;
        return NULL;
    }
    return found;
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
    weft_loop *loop = loop_on(support_engine());
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
    weft_loop *loop = loop_on(support_engine());
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
    assert_false(listing.list.truncated);
    weft_file_list_fini(&listing.list);
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
    read_error = EIO;
    assert_int_equal(list_path(&listing, ".", 100), -EIO);
    read_error = 0;
    assert_int_equal(listing.list.count, 0);
    assert_null(listing.list.entries);
    assert_false(listing.list.truncated);
    weft_file_list_fini(&listing.list);
}

static void listing_needs_a_scope_that_is_not_cancelled(void **state)
{
    weft_loop *loop = loop_on(support_engine());
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
        weft_loop *loop = loop_on(support_engine());
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
