/* SPDX-License-Identifier: MIT */
/* The disks of a simulated world: what is written stays there, and fails as the seed says. */
#include "sim/disk_kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/file_open.h>

/* -- a kind disk -- */

static void the_world_reads_real_files_and_writes_none(void **state)
{
    weft_file *file;

    (void)state;
    begin(1, NULL);
    assert_string_equal(content("a.txt"), "the system's");
    assert_int_equal(create("a.txt", 0, &file), 0);
    assert_int_equal(put(file, 4, "world!!"), 0);
    weft_file_unref(file);
    assert_string_equal(content("a.txt"), "the world!!s");
    put_whole("new", "made here", true);
    assert_string_equal(content("new"), "made here");
    assert_int_equal(create("new", WEFT_FILE_APPEND, &file), 0);
    assert_int_equal(put(file, 0, ", and more"), 0);
    weft_file_unref(file);
    assert_string_equal(content("new"), "made here, and more");
    assert_int_equal(create("new", WEFT_FILE_EXCLUSIVE, &file), -EEXIST);
    assert_int_equal(create("b.txt", WEFT_FILE_EXCLUSIVE, &file), -EEXIST);
    assert_int_equal(remove_file("b.txt"), 0);
    assert_int_equal(remove_file("b.txt"), -ENOENT);
    assert_null(content("b.txt"));
    assert_int_equal(make_directory("d"), 0);
    assert_int_equal(make_directory("d"), -EEXIST);
    assert_int_equal(make_directory("no/d"), -ENOENT);
    assert_int_equal(create("a.txt/x", 0, &file), -ENOTDIR);
    assert_int_equal(rename_file("new", "d/moved"), 0);
    assert_null(content("new"));
    assert_string_equal(content("d/moved"), "made here, and more");
    assert_int_equal(rename_file("nothing", "x"), -ENOENT);
    assert_int_equal(sync_directory("d"), 0);
    assert_int_equal(sync_directory("a.txt"), -ENOTDIR);
    assert_int_equal(create("../x", 0, &file), -EXDEV);
    assert_int_equal(create("d/../../x", 0, &file), -EXDEV);
    assert_int_equal(open_path("..", &file), -EXDEV);
    end();
    assert_real("a.txt", "the system's");
    assert_real("b.txt", "other");
    assert_real("new", NULL);
    assert_real("d", NULL);
}

static int truncate_file(weft_file *file, uint64_t length)
{
    return result(weft_file_truncate_start(&now.call, ROOT, file, length, told));
}

/* As tests/loop/test_file_write.c asks the kernel. */
static void files_are_cut_made_longer_and_dated(void **state)
{
    char text[16];
    weft_file *file;

    (void)state;
    begin(1, NULL);
    assert_int_equal(create("a.txt", 0, &file), 0);
    assert_int_equal(truncate_file(file, 2), 0);
    assert_string_equal(content("a.txt"), "th");
    assert_int_equal(truncate_file(file, 4), 0);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, sizeof text, told)), 0);
    assert_int_equal(now.call.count, 4);
    assert_memory_equal(text, "th\0\0", 4);
    assert_int_equal(truncate_file(file, UINT64_MAX), -EFBIG);
    assert_int_equal(result(weft_file_set_time_start(&now.call, ROOT, file, -1, told)), 0);
    assert_false(weft_file_is_current(file, directory, "a.txt"));
    weft_file_unref(file);
    assert_int_equal(open_path("a.txt", &file), 0);
    assert_true(weft_file_about(file)->modified == -1);
    weft_file_unref(file);
    assert_int_equal(open_path("b.txt", &file), 0);
    assert_int_equal(truncate_file(file, 0), -EINVAL);
    weft_file_unref(file);
    end();
    assert_real("a.txt", "the system's");
}

static struct {
    weft_file_list list;
    unsigned done;
    int status;
} listing;

static void listed(weft_file_list *list, int status)
{
    (void)list;
    listing.done++;
    listing.status = status;
}

static void listings_tell_what_the_world_has(void **state)
{
    static const char *const expected[] = {"a.txt", "c.txt", "d"};
    weft_file *file;

    (void)state;
    begin(1, NULL);
    put_whole("c.txt", "made", false);
    put_whole("a.txt", "anew", false);
    assert_int_equal(make_directory("d"), 0);
    put_whole("d/beneath", "", false);
    assert_int_equal(remove_file("b.txt"), 0);
    assert_int_equal(open_path(".", &file), 0);
    listing.done = 0;
    assert_int_equal(weft_file_list_start(&listing.list, ROOT, file, 100, listed), 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(1)) >= 0);
    assert_int_equal(listing.status, 0);
    assert_int_equal(listing.list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(weft_bytes_equal(listing.list.entries[i].name, weft_bytes_from(expected[i])));
    assert_int_equal(listing.list.entries[0].info.length, 4);
    assert_false(listing.list.truncated);
    weft_file_list_fini(&listing.list);
    assert_int_equal(weft_file_list_start(&listing.list, ROOT, file, 2, listed), 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(1)) >= 0);
    assert_int_equal(listing.list.count, 2);
    assert_true(listing.list.truncated);
    weft_file_list_fini(&listing.list);
    weft_file_unref(file);
    end();
}

static const char *wanted;
static int answer;

static void open_wanted(weft_post *post)
{
    weft_directory *there;

    (void)post;
    answer = weft_directory_open(wanted, &there);
    if (answer == 0)
        weft_directory_unref(there);
}

/* As a program on the host does. */
static int open_directory(const char *path)
{
    weft_post post = {.run = open_wanted};

    wanted = path;
    weft_loop_post(host, &post);
    assert_int_equal(weft_sim_run(sim, WEFT_SECONDS(1)), 0);
    return answer;
}

static void a_directory_has_all_its_paths(void **state)
{
    static const char *const forms[] = {"/made", "/made/", "/./made", "//made/.", "/linked/made"};
    char path[200];

    (void)state;
    begin(1, NULL);
    snprintf(path, sizeof path, "%s/linked", place);
    assert_int_equal(symlink(place, path), 0);
    assert_int_equal(make_directory("made"), 0);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(path, sizeof path, "%s%s", place, forms[i]);
        support_set_context("%s", path);
        assert_int_equal(open_directory(path), 0);
        support_clear_context();
    }
    snprintf(path, sizeof path, "%s/made/not", place);
    assert_int_equal(open_directory(path), -ENOENT);
    end();
}

/* 255 bytes (NAME_MAX), as the kernel has it. */
static void a_name_that_is_too_long_is_refused(void **state)
{
    char name[5 + 257] = "made/";
    weft_file *file;

    (void)state;
    begin(1, NULL);
    assert_int_equal(make_directory("made"), 0);
    memset(name + 5, 'n', 256);
    assert_int_equal(create(name, 0, &file), -ENAMETOOLONG);
    assert_int_equal(make_directory(name), -ENAMETOOLONG);
    name[5 + 255] = 0;
    assert_int_equal(create(name, 0, &file), 0);
    weft_file_unref(file);
    end();
}

static void each_host_has_a_disk(void **state)
{
    weft_loop *first;

    (void)state;
    begin(1, NULL);
    put_whole("a.txt", "the first's", true);
    first = host;
    host = weft_sim_host(sim, "other.example");
    assert_string_equal(content("a.txt"), "the system's");
    host = first;
    assert_string_equal(content("a.txt"), "the first's");
    end();
}

/* -- faults, one by one -- */

static void every_call_can_fail(void **state)
{
    weft_file *file, *other;

    (void)state;
    begin(1, NULL);
    assert_int_equal(create("f", 0, &file), 0);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .file_errors = 1000000}), 0);
    assert_int_equal(open_path("a.txt", &other), -EIO);
    assert_int_equal(create("f", 0, &other), -EIO);
    assert_int_equal(put(file, 0, "x"), -EIO);
    assert_int_equal(truncate_file(file, 0), -EIO);
    assert_int_equal(result(weft_file_set_time_start(&now.call, ROOT, file, 0, told)), -EIO);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, &(char){0}, 1, told)), -EIO);
    assert_int_equal(rename_file("f", "g"), -EIO);
    assert_int_equal(remove_file("f"), -EIO);
    assert_int_equal(make_directory("d"), -EIO);
    assert_int_equal(sync_directory("."), -EIO);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .descriptors = 1000000}), 0);
    assert_int_equal(open_path("a.txt", &other), -EMFILE);
    assert_int_equal(create("f", 0, &other), -EMFILE);
    assert_int_equal(put(file, 0, "x"), 0);
    weft_file_unref(file);
    end();
}

static void reads_come_short_and_slow(void **state)
{
    char text[32];
    weft_file *file;
    size_t least = 32;

    (void)state;
    begin(1, NULL);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .slow_files = 1000000}), 0);
    assert_int_equal(open_path("a.txt", &file), 0); /* by a job */
    assert_int_equal(weft_file_read_cached(file, 0, text, sizeof text), -EAGAIN);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, 12, told)), 0);
    assert_int_equal(now.call.count, 12);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .short_file_reads = 1000000}), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, 12, told)), 0);
        assert_true(now.call.count > 0 && now.call.count < 12);
        assert_memory_equal(text, "the system's", now.call.count);
        least = now.call.count < least ? now.call.count : least;
    }
    assert_int_equal(least, 1);
    weft_file_unref(file);
    end();
}

static void a_full_disk_takes_a_part_and_gets_room_again(void **state)
{
    weft_file *file;
    unsigned partly = 0, failed = 0;

    (void)state;
    begin(3, NULL);
    assert_int_equal(create("f", 0, &file), 0);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .full_disks = 1000000}), 0);
    for (int i = 0; i < 50; i++)
        if (put(file, 0, "thirty-two bytes, one after other") == -ENOSPC) {
            failed++;
            partly += now.call.count > 0;
            assert_true(now.call.count < 33);
        }
    assert_true(failed > 0 && partly > 0);
    weft_sim_calm(sim);
    assert_int_equal(put(file, 0, "room"), 0);
    weft_file_unref(file);
    end();
}

/* EL-20 */
static void what_a_sync_lost_is_never_kept(void **state)
{
    unsigned lost = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        weft_file *file;

        begin(seed, NULL);
        put_whole("f", "old", true);
        assert_int_equal(sync_directory("."), 0);
        assert_int_equal(create("f", 0, &file), 0);
        assert_int_equal(put(file, 0, "new"), 0);
        assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .failed_syncs = 1000000}), 0);
        assert_int_equal(sync_file(file), -EIO);
        weft_sim_calm(sim);
        assert_int_equal(sync_file(file), -EIO);
        weft_file_unref(file);
        assert_int_equal(create("f", 0, &file), 0);
        assert_int_equal(sync_file(file), 0); /* the lie of fsync: there is nothing dirty any more */
        weft_file_unref(file);
        assert_string_equal(content("f"), "new");
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        lost += strcmp(content("f"), "old") == 0;
        end();
    }
    assert_true(lost > 0 && lost < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(the_world_reads_real_files_and_writes_none),
        disk_test(files_are_cut_made_longer_and_dated),
        disk_test(listings_tell_what_the_world_has),
        disk_test(a_directory_has_all_its_paths),
        disk_test(a_name_that_is_too_long_is_refused),
        disk_test(each_host_has_a_disk),
        disk_test(every_call_can_fail),
        disk_test(reads_come_short_and_slow),
        disk_test(a_full_disk_takes_a_part_and_gets_room_again),
        disk_test(what_a_sync_lost_is_never_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
