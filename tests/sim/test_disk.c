/* SPDX-License-Identifier: MIT */
/* The disks of a simulated world: what is written stays there, fails as the seed says, and is lost with the power. */
#include "support/support.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/file_deferred.h>
#include <weft/file_lock.h>
#include <weft/file_open.h>
#include <weft/log.h>
#include <weft/loop.h>
#include <weft/sim.h>
#include <weft/serve.h>
#include <weft/task.h>
#include <weft/task_stream.h>

static char place[64];
static weft_directory *directory;
static weft_sim *sim;
static weft_loop *host;

static void write_real(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", place, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    strcpy(place, "/tmp/weft-disk-XXXXXX");
    if (!mkdtemp(place))
        return -1;
    write_real("a.txt", "the system's");
    write_real("b.txt", "other");
    return support_setup(state);
}

static int teardown(void **state)
{
    char command[100];
    int status = support_teardown(state);

    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command) != 0 ? -1 : status;
}

#define disk_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void begin(uint64_t seed, const weft_faults *faults)
{
    sim = weft_sim_new(seed);
    assert_non_null(sim);
    host = weft_sim_host(sim, "host.example");
    assert_non_null(host);
    assert_int_equal(weft_directory_open(place, &directory), 0);
    if (faults)
        assert_int_equal(weft_sim_faults(sim, faults), 0);
}

static void end(void)
{
    weft_sim_free(sim);
    weft_directory_unref(directory);
}

/* -- one call of the host's, waited for -- */

static struct {
    weft_file_call call;
    unsigned done;
    int status;
} now;

static void told(weft_file_call *call, int status)
{
    (void)call;
    now.done++;
    now.status = status;
}

static int result(int status)
{
    assert_int_equal(status, 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_int_equal(now.done, 1);
    now.done = 0;
    return now.status;
}

#define ROOT weft_loop_scope(host)

static int create(const char *path, unsigned flags, weft_file **ret)
{
    int status = result(weft_file_create_start(&now.call, ROOT, directory, path, flags, told));

    *ret = now.call.file;
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

/* -- opening for reading, as a server does -- */

static struct {
    weft_file_open open;
    unsigned done;
    int status;
} opening;

static void opened(weft_file_open *open, int status)
{
    (void)open;
    opening.done++;
    opening.status = status;
}

/* Opens on the host's loop: a post, so that it runs there. */
static void open_post(weft_post *post)
{
    const char *path = *(const char **)(void *)(post + 1);
    int status = weft_file_open_start(&opening.open, ROOT, directory, path, opened);

    if (status < 1)
        opened(&opening.open, status);
}

static int open_path(const char *path, weft_file **ret)
{
    struct {
        weft_post post;
        const char *path;
    } ask = {.post = {.run = open_post}, .path = path};

    opening.done = 0;
    weft_loop_post(host, &ask.post);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_int_equal(opening.done, 1);
    *ret = opening.open.file;
    return opening.status;
}

/* What is in @p path, or NULL. */
static const char *content(const char *path)
{
    static char text[256];
    weft_file *file;
    int status = open_path(path, &file);

    if (status < 0) {
        assert_int_equal(status, -ENOENT);
        return NULL;
    }
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, sizeof text - 1, told)), 0);
    text[now.call.count] = '\0';
    weft_file_unref(file);
    return text;
}

static void assert_real(const char *name, const char *expected)
{
    char path[128], text[64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", place, name);
    file = fopen(path, "r");
    assert_true((file != NULL) == (expected != NULL));
    if (!file)
        return;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    if (strcmp(name, "a.txt") == 0)
        assert_memory_equal(text, expected, strlen(expected));
}

static void put_whole(const char *path, const char *text, bool sync)
{
    weft_file *file;

    assert_int_equal(create(path, WEFT_FILE_TRUNCATE, &file), 0);
    assert_int_equal(put(file, 0, text), 0);
    if (sync)
        assert_int_equal(sync_file(file), 0);
    weft_file_unref(file);
}

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

/* -- locks between processes -- */

static weft_file_lock *lock_of(weft_loop *loop, const char *name)
{
    char path[128];
    weft_file_lock *lock;

    snprintf(path, sizeof path, "%s/%s", place, name);
    lock = weft_file_lock_new(weft_loop_scope(loop), path);
    assert_non_null(lock);
    return lock;
}

struct attempt {
    weft_post post;
    weft_file_lock *lock;
    int status;
};

static void try_it(weft_post *post)
{
    struct attempt *ask = weft_container_of(post, struct attempt, post);

    ask->status = weft_file_lock_try(ask->lock);
}

/* Tries it on the loop that it belongs to. */
static int attempt(weft_loop *loop, weft_file_lock *lock)
{
    struct attempt ask = {.post = {.run = try_it}, .lock = lock, .status = 1};

    weft_loop_post(loop, &ask.post);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    return ask.status;
}

static void a_lock_is_held_by_one_on_each_host(void **state)
{
    weft_file_lock *one, *two, *elsewhere, *existing;
    weft_loop *other;

    (void)state;
    begin(1, NULL);
    other = weft_sim_host(sim, "other.example");
    one = lock_of(host, "lock");
    two = lock_of(host, "lock");
    elsewhere = lock_of(other, "lock");
    existing = lock_of(host, "a.txt");
    assert_int_equal(attempt(host, one), 0);
    assert_int_equal(attempt(host, two), -EAGAIN);
    assert_int_equal(attempt(other, elsewhere), 0);
    assert_int_equal(attempt(host, existing), 0);
    assert_int_equal(weft_file_lock_release(one), 0);
    assert_int_equal(attempt(host, two), 0);
    assert_int_equal(attempt(host, one), -EAGAIN);
    assert_int_equal(attempt(host, lock_of(host, "no/lock")), -ENOENT);
    assert_int_equal(attempt(host, lock_of(host, "lock/lock")), -ENOTDIR);
    assert_string_equal(content("lock"), "");
    end();
    assert_real("lock", NULL);
}

static void a_lock_ends_with_the_power_of_its_host(void **state)
{
    (void)state;
    begin(1, NULL);
    assert_int_equal(attempt(host, lock_of(host, "lock")), 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    host = weft_sim_host(sim, "host.example");
    assert_int_equal(attempt(host, lock_of(host, "lock")), 0);
    assert_int_equal(weft_sim_faults(sim, &(weft_faults){.size = sizeof(weft_faults), .file_errors = 1000000}), 0);
    assert_int_equal(attempt(host, lock_of(host, "other")), -EIO);
    end();
    assert_real("lock", NULL);
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

/* -- slow disks -- */

static const weft_faults slow = {.size = sizeof slow, .slow_files = 1000000};

/* Whether the clock has moved since the last call. */
static bool time_passed(void)
{
    static weft_time before;
    weft_time now_is = weft_sim_now(sim);
    bool passed = now_is > before;

    before = now_is;
    return passed;
}

static void calls_take_time(bool expected)
{
    weft_file *file, *other;
    char text[4];

    (void)time_passed();
    assert_int_equal(create("f", 0, &file), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(put(file, 0, "text"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(sync_file(file), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, 4, told)), 0);
    assert_memory_equal(text, "text", 4);
    assert_true(time_passed() == expected);
    assert_int_equal(make_directory("d"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(rename_file("f", "d/f"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(remove_file("d/f"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(sync_directory("d"), 0);
    assert_true(time_passed() == expected);
    assert_int_equal(open_path("a.txt", &other), 0);
    assert_true(time_passed() == expected);
    weft_file_unref(file);
    weft_file_unref(other);
}

static void what_a_slow_disk_does_takes_time(void **state)
{
    (void)state;
    begin(1, NULL);
    calls_take_time(false);
    end();
    begin(1, &slow);
    calls_take_time(true);
    end();
}

/* It has begun: nobody takes it back, and what it had is given up. */
static void who_is_cancelled_while_a_slow_disk_works_is_told_once(void **state)
{
    weft_scope *scope;

    (void)state;
    begin(1, &slow);
    scope = weft_scope_open(ROOT, WEFT_NEVER);
    assert_int_equal(weft_file_create_start(&now.call, scope, directory, "f", 0, told), 0);
    assert_true(weft_sim_run(sim, 1) >= 0);
    assert_int_equal(now.done, 0);
    weft_scope_cancel(scope, WEFT_ECANCELED);
    assert_int_equal(result(0), WEFT_ECANCELED);
    assert_null(now.call.file);
    weft_scope_close(scope);
    weft_sim_calm(sim);
    assert_string_equal(content("f"), ""); /* but it was made */
    end();
}

static void a_host_that_ends_does_not_wait_for_its_slow_disk(void **state)
{
    (void)state;
    begin(1, &slow);
    assert_int_equal(weft_file_create_start(&now.call, ROOT, directory, "f", 0, told), 0);
    assert_true(weft_sim_run(sim, 1) >= 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    assert_int_equal(now.done, 1);
    assert_true(now.status < 0);
    now.done = 0;
    host = weft_sim_host(sim, "host.example");
    assert_non_null(host);
    end();
}

/* -- sending from one -- */

static weft_time sent_after; /* from when it was asked for to the last byte */

static void send_file(weft_stream *peer, void *arg)
{
    weft_file *file;

    (void)arg;
    if (weft_await(weft_file_create(weft_task_scope(weft_task_current()), directory, "a.txt", 0), &file) < 0)
        return;
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_faults(sim, &slow), 0);
    (void)weft_stream_write_file(peer, file, 0, 12);
    weft_file_unref(file);
    sent_after = weft_sim_now(sim);
}

static int server_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_serve("tcp://0.0.0.0:7", send_file, NULL);
}

static void fetch(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    assert_int_equal(weft_connect(weft_task_scope(me), "tcp://server.example:7", NULL, &peer), 0);
    assert_int_equal(weft_read_exactly(peer, 12, &in), 12);
    assert_memory_equal(in.data, "the system's", 12);
    sent_after = weft_sim_now(sim) - sent_after;
}

static void files_that_are_sent_from_a_slow_disk_take_time(void **state)
{
    static char name[] = "server", *arguments[] = {name, NULL};

    (void)state;
    begin(1, NULL);
    assert_int_equal(weft_sim_program(sim, "server.example", server_main, arguments), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    assert_int_equal(weft_spawn(ROOT, fetch, NULL), 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_true(sent_after > 0 && sent_after < WEFT_SECONDS(2));
    assert_int_equal(weft_sim_signal(sim, "server.example", SIGTERM), 0);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(1)), 0);
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

/* -- a loss of power -- */

static void what_was_synced_survives_the_loss_of_power(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        begin(seed, NULL);
        put_whole("f", "kept", true);
        assert_int_equal(make_directory("d"), 0);
        assert_int_equal(sync_directory("."), 0);
        put_whole("d/g", "kept, too", true);
        assert_int_equal(sync_directory("d"), 0);
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        assert_string_equal(content("f"), "kept");
        assert_string_equal(content("d/g"), "kept, too");
        assert_string_equal(content("a.txt"), "the system's");
        end();
    }
}

static void what_was_not_synced_may_be_lost_or_torn(void **state)
{
    static char old[3000], new[3000];
    unsigned gone = 0, there = 0, torn = 0;

    (void)state;
    memset(old, 'o', sizeof old - 1);
    memset(new, 'n', sizeof new - 1);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const char *text;
        weft_file *file;
        char all[3000] = "";

        begin(seed, NULL);
        put_whole("f", old, true);
        assert_int_equal(sync_directory("."), 0);
        assert_int_equal(create("f", 0, &file), 0);
        assert_int_equal(put(file, 0, new), 0);
        weft_file_unref(file);
        put_whole("g", "never synced", true); /* its directory was not */
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        text = content("g");
        gone += !text;
        there += text && strcmp(text, "never synced") == 0;
        assert_int_equal(open_path("f", &file), 0);
        assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, all, sizeof all, told)), 0);
        assert_int_equal(now.call.count, sizeof all - 1);
        torn += memchr(all, 'o', now.call.count) && memchr(all, 'n', now.call.count);
        weft_file_unref(file);
        end();
    }
    assert_int_equal(gone + there, 60);
    assert_true(gone > 10 && there > 10 && torn > 20);
}

/* The recipe of weft/file_write.h: at any moment the old content is there, or the new one. */
static unsigned replaced;

static int replace(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_file *file;
    int status;

    (void)arg;
    for (unsigned i = 0; i < 100; i++) {
        char text[16];

        snprintf(text, sizeof text, "number %u", i);
        status = weft_await(weft_file_create(scope, directory, "f.new", WEFT_FILE_TRUNCATE), &file);
        if (status < 0)
            continue;
        status = weft_wait(weft_file_write(scope, file, 0, weft_bytes_from(text)));
        if (status == 0)
            status = weft_wait(weft_file_sync(scope, file));
        weft_file_unref(file);
        if (status == 0)
            status = weft_wait(weft_file_rename(scope, directory, "f.new", "f"));
        if (status == 0)
            status = weft_wait(weft_directory_sync(scope, directory, "."));
        if (status == 0)
            replaced = i + 1;
    }
    return 0;
}

static uint64_t replace_and_crash(uint64_t seed)
{
    unsigned found = 0;
    const char *text;
    uint64_t hash;

    begin(seed, NULL);
    replaced = 0;
    weft_sim_swarm(sim, false);
    assert_non_null(weft_spawn_done(ROOT, replace, NULL).deferred);
    assert_true(weft_sim_run(sim, (weft_time)weft_sim_draw(sim, WEFT_SECONDS(2))) >= 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    weft_sim_calm(sim);
    host = weft_sim_host(sim, "host.example");
    text = content("f");
    if (text)
        assert_int_equal(sscanf(text, "number %u", &found), 1);
    assert_true(replaced == 0 || (text && found + 1 >= replaced));
    hash = weft_sim_hash(sim);
    end();
    return hash;
}

static void a_safe_replacement_survives_everything(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t hash;

        support_set_context("seed %" PRIu64, seed);
        hash = replace_and_crash(seed);
        assert_true(replace_and_crash(seed) == hash);
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(the_world_reads_real_files_and_writes_none),
        disk_test(listings_tell_what_the_world_has),
        disk_test(a_directory_has_all_its_paths),
        disk_test(a_name_that_is_too_long_is_refused),
        disk_test(each_host_has_a_disk),
        disk_test(a_lock_is_held_by_one_on_each_host),
        disk_test(a_lock_ends_with_the_power_of_its_host),
        disk_test(every_call_can_fail),
        disk_test(reads_come_short_and_slow),
        disk_test(what_a_slow_disk_does_takes_time),
        disk_test(who_is_cancelled_while_a_slow_disk_works_is_told_once),
        disk_test(a_host_that_ends_does_not_wait_for_its_slow_disk),
        disk_test(files_that_are_sent_from_a_slow_disk_take_time),
        disk_test(a_full_disk_takes_a_part_and_gets_room_again),
        disk_test(what_a_sync_lost_is_never_kept),
        disk_test(what_was_synced_survives_the_loss_of_power),
        disk_test(what_was_not_synced_may_be_lost_or_torn),
        disk_test(a_safe_replacement_survives_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
