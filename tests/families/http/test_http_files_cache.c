/* SPDX-License-Identifier: MIT */
/*
 * Files that are kept open between requests: what is kept, what makes it stale, the limits; and that a server answers
 * from it as it would have from the disk.
 *
 * Times of files are the kernel's, and those of the clock that decides whether a file is young are given by the test
 * or by the simulator, so every file gets a time that suits. The linker puts the functions below in front of file_open
 * and weft_file_read_cached (--wrap).
 */
#include "families/http/web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/http_files.h>

#include "backend/file.h"
#include "families/http/http_files.h"

/* 2026-01-01, where the simulator's clock begins, too. */
#define WALL_SECOND INT64_C(1767225600)
#define WALL WEFT_SECONDS(WALL_SECOND)
#define NOW WEFT_SECONDS(100)

static struct {
    unsigned opens;
    bool cold, slow;  /* nothing is in the page cache; every open has to wait */
    unsigned no_room; /* so many opens that may succeed fail with -EMFILE */
} disk;

int __real_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __real_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);

int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret)
{
    if (disk.slow && !may_wait)
        return -EAGAIN;
    disk.opens++;
    if (disk.no_room > 0) {
        disk.no_room--;
        return -EMFILE;
    }
    return __real_file_open(directory, path, may_wait, ret);
}

int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return disk.cold ? -EAGAIN : __real_weft_file_read_cached(file, offset, memory, length);
}

/* -- files -- */

static char place[64]; /* with the folders `root` and `outside` */

static const char *path_of(const char *name)
{
    static char paths[2][320];
    static unsigned next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

static const struct timespec old = {.tv_sec = 1000000000};

static void set_time(const char *name, struct timespec time)
{
    struct timespec times[2] = {time, time};

    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void put_bytes(const char *name, const void *bytes, size_t length)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
    set_time(name, old);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void put_letters(const char *name, size_t length, char letter)
{
    char *bytes = malloc(length + 1);

    if (!bytes)
        abort();
    memset(bytes, letter, length);
    put_bytes(name, bytes, length);
    free(bytes);
}

static struct timespec change_time(const char *name)
{
    struct stat about;

    assert_int_equal(stat(path_of(name), &about), 0);
    return about.st_ctim;
}

/* Writes @p text over what is there and puts the time back. Kernels note changes in steps of some milliseconds: it is
 * done until the time of change has moved. */
static void overwrite_until_it_shows(const char *name, const char *text)
{
    struct timespec before = change_time(name), after;

    do {
        int fd = open(path_of(name), O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
        close(fd);
        set_time(name, old);
        after = change_time(name);
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
}

static int make_place(void **state)
{
    strcpy(place, "/tmp/weft-cache-XXXXXX");
    assert_non_null(mkdtemp(place));
    assert_int_equal(mkdir(path_of("root"), 0755), 0);
    assert_int_equal(mkdir(path_of("root/folder"), 0755), 0);
    assert_int_equal(mkdir(path_of("outside"), 0755), 0);
    put("root/folder/inner", "inner");
    put("outside/canary", "canary");
    memset(&disk, 0, sizeof disk);
    return support_setup(state);
}

static int remove_place(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", place);
    assert_int_equal(system(command), 0);
    return support_teardown(state);
}

#define place_test(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

/* -- the cache alone -- */

struct fixture {
    struct http_files_cache cache;
    struct http_files_cached found;
    weft_directory *root;
};

static void fixture_init(struct fixture *f)
{
    static const uint8_t secret[SIPHASH_KEY_SIZE] = {1, 2, 3};

    http_files_cache_init(&f->cache, secret);
    assert_int_equal(weft_directory_open(path_of("root"), &f->root), 0);
}

static void fixture_fini(struct fixture *f)
{
    size_t count = map_count(&f->cache.entries);

    assert_int_equal(http_files_cache_clear(&f->cache), count);
    assert_int_equal(f->cache.bytes, 0);
    weft_directory_unref(f->root);
}

static void keep_at(struct fixture *f, const char *name, weft_time now)
{
    weft_file *file;

    assert_int_equal(file_open(f->root, name, true, &file), 0);
    http_files_cache_keep(&f->cache, name, file, now, WALL);
    weft_file_unref(file);
}

static bool find_at(struct fixture *f, const char *name, weft_time now)
{
    return http_files_cache_find(&f->cache, f->root, name, now, &f->found);
}

static void keep(struct fixture *f, const char *name)
{
    keep_at(f, name, NOW);
}

static bool find(struct fixture *f, const char *name)
{
    return find_at(f, name, NOW);
}

static void expect_kept(struct fixture *f, const char *name, const char *content)
{
    assert_true(find(f, name));
    assert_int_equal(f->found.content.length, strlen(content));
    assert_memory_equal(f->found.content.data, content, strlen(content));
    assert_int_equal(weft_file_about(f->found.file)->length, strlen(content));
}

static void what_was_kept_is_found_under_its_own_name(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    put("root/two", "second");
    fixture_init(&f);
    assert_false(find(&f, "one"));
    keep(&f, "one");
    keep(&f, "two");
    expect_kept(&f, "one", "first");
    expect_kept(&f, "two", "second");
    assert_false(find(&f, "three"));
    assert_false(find(&f, "on"));
    assert_int_equal(map_count(&f.cache.entries), 2);
    assert_int_equal(f.cache.bytes, 11);
    fixture_fini(&f);
    assert_false(find(&f, "one"));
    http_files_cache_clear(&f.cache);
}

static void kept_twice_is_kept_once(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    fixture_init(&f);
    keep(&f, "one");
    keep(&f, "one");
    assert_int_equal(map_count(&f.cache.entries), 1);
    assert_int_equal(f.cache.bytes, 5);
    expect_kept(&f, "one", "first");
    fixture_fini(&f);
}

static void content_is_kept_of_small_files_only(void **state)
{
    struct fixture f;

    (void)state;
    put_letters("root/most", HTTP_FILES_CACHE_SMALL, 'm');
    put_letters("root/more", HTTP_FILES_CACHE_SMALL + 1, 'm');
    put("root/empty", "");
    fixture_init(&f);
    keep(&f, "most");
    keep(&f, "more");
    keep(&f, "empty");
    keep(&f, "folder");
    assert_true(find(&f, "most"));
    assert_int_equal(f.found.content.length, HTTP_FILES_CACHE_SMALL);
    assert_true(find(&f, "more"));
    assert_int_equal(f.found.content.length, 0);
    assert_true(find(&f, "empty"));
    assert_int_equal(f.found.content.length, 0);
    assert_true(find(&f, "folder"));
    assert_int_equal(f.found.content.length, 0);
    assert_int_equal(f.cache.bytes, HTTP_FILES_CACHE_SMALL);
    fixture_fini(&f);
}

static void content_that_is_not_in_memory_is_not_read(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    fixture_init(&f);
    disk.cold = true;
    keep(&f, "one");
    assert_true(find(&f, "one"));
    assert_int_equal(f.found.content.length, 0);
    assert_int_equal(f.cache.bytes, 0);
    fixture_fini(&f);
}

static void what_is_no_file_and_no_folder_is_not_kept(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(mkfifo(path_of("root/fifo"), 0644), 0);
    set_time("root/fifo", old);
    fixture_init(&f);
    keep(&f, "fifo");
    assert_false(find(&f, "fifo"));
    fixture_fini(&f);
}

static void young_files_are_not_kept(void **state)
{
    static const struct {
        struct timespec time;
        bool kept;
    } cases[] = {
        {{.tv_sec = WALL_SECOND - 3}, true},
        {{.tv_sec = WALL_SECOND - 2}, true},
        {{.tv_sec = WALL_SECOND - 2, .tv_nsec = 1}, false},
        {{.tv_sec = WALL_SECOND}, false},
        {{.tv_sec = WALL_SECOND + 1000000}, false},
        {{.tv_sec = -100}, true}, /* 1969 */
    };
    struct fixture f;

    (void)state;
    put("root/one", "first");
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_time("root/one", cases[i].time);
        keep(&f, "one");
        assert_int_equal(find(&f, "one"), cases[i].kept);
        http_files_cache_clear(&f.cache);
    }
    fixture_fini(&f);
}

/* -- what makes it stale -- */

static void change_content(void)
{
    overwrite_until_it_shows("root/one", "FIRST");
}

static void grow(void)
{
    put("root/one", "first and more");
}

static void shrink(void)
{
    assert_int_equal(truncate(path_of("root/one"), 2), 0);
}

static void rename_over(void)
{
    put("root/new", "FIRST");
    assert_int_equal(rename(path_of("root/new"), path_of("root/one")), 0);
}

static void delete_it(void)
{
    assert_int_equal(unlink(path_of("root/one")), 0);
}

static void delete_and_write_anew(void)
{
    delete_it();
    put("root/one", "first");
}

static void forbid(void)
{
    struct timespec before = change_time("root/one"), after;

    do {
        assert_int_equal(chmod(path_of("root/one"), 0), 0);
        after = change_time("root/one");
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
}

static void link_out(void)
{
    delete_it();
    assert_int_equal(symlink("../outside/canary", path_of("root/one")), 0);
}

/* The file itself is moved out and a link leads to it: its size, inode and content are as they were. */
static void move_out_and_link(void)
{
    assert_int_equal(rename(path_of("root/one"), path_of("outside/one")), 0);
    assert_int_equal(symlink("../outside/one", path_of("root/one")), 0);
    overwrite_until_it_shows("outside/one", "first");
}

static void become_folder(void)
{
    delete_it();
    assert_int_equal(mkdir(path_of("root/one"), 0755), 0);
}

static void become_fifo(void)
{
    delete_it();
    assert_int_equal(mkfifo(path_of("root/one"), 0644), 0);
}

static void link_in_circle(void)
{
    delete_it();
    assert_int_equal(symlink("one", path_of("root/one")), 0);
}

static void (*const changes[])(void) = {
    change_content,    grow,          shrink,      rename_over,    delete_it, delete_and_write_anew, forbid, link_out,
    move_out_and_link, become_folder, become_fifo, link_in_circle,
};

static void whatever_changes_makes_it_stale(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        support_set_context("change %zu", i);
        (void)unlink(path_of("root/one"));
        (void)rmdir(path_of("root/one"));
        put("root/one", "first");
        keep(&f, "one");
        expect_kept(&f, "one", "first");
        changes[i]();
        assert_false(find(&f, "one"));
        assert_int_equal(map_count(&f.cache.entries), 0);
        assert_int_equal(f.cache.bytes, 0);
    }
    support_clear_context();
    fixture_fini(&f);
}

static void a_folder_is_stale_when_something_is_put_into_it(void **state)
{
    struct fixture f;
    struct timespec before, after;

    (void)state;
    fixture_init(&f);
    keep(&f, "folder");
    assert_true(find(&f, "folder"));
    before = change_time("root/folder");
    do {
        put("root/folder/more", "more");
        after = change_time("root/folder");
        if (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec)
            assert_int_equal(unlink(path_of("root/folder/more")), 0);
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
    assert_false(find(&f, "folder"));
    fixture_fini(&f);
}

/* A link inside the root is followed: what counts is the file at its end. */
static void a_link_that_leads_elsewhere_is_stale(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    put("root/two", "second");
    assert_int_equal(symlink("one", path_of("root/link")), 0);
    fixture_init(&f);
    keep(&f, "link"); /* whether it would be found now depends on what following the link has to wait for */
    assert_int_equal(unlink(path_of("root/link")), 0);
    assert_int_equal(symlink("two", path_of("root/link")), 0);
    assert_false(find(&f, "link"));
    fixture_fini(&f);
}

/* -- limits -- */

static const char *number(size_t i, bool with_root)
{
    static char names[2][32];
    char *name = names[with_root];

    snprintf(name, sizeof names[0], "%s%zu", with_root ? "root/" : "", i);
    return name;
}

static void the_one_used_longest_ago_makes_room(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < HTTP_FILES_CACHE_FILES; i++) {
        put(number(i, true), "x");
        keep(&f, number(i, false));
    }
    assert_int_equal(map_count(&f.cache.entries), HTTP_FILES_CACHE_FILES);
    assert_true(find(&f, "0")); /* it is young again, and 1 the oldest */
    put("root/more", "more");
    keep(&f, "more");
    assert_int_equal(map_count(&f.cache.entries), HTTP_FILES_CACHE_FILES);
    assert_false(find(&f, "1"));
    expect_kept(&f, "0", "x");
    expect_kept(&f, "2", "x");
    expect_kept(&f, "more", "more");
    fixture_fini(&f);
}

static void content_has_a_limit(void **state)
{
    size_t count = HTTP_FILES_CACHE_BYTES / HTTP_FILES_CACHE_SMALL, kept = 0;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < count + 10; i++) {
        put_letters(number(i, true), HTTP_FILES_CACHE_SMALL, 'x');
        keep(&f, number(i, false));
        assert_true(f.cache.bytes <= HTTP_FILES_CACHE_BYTES);
    }
    assert_int_equal(f.cache.bytes, HTTP_FILES_CACHE_BYTES);
    for (size_t i = 0; i < count + 10; i++) {
        bool found = find(&f, number(i, false));
        assert_int_equal(found, i >= 10);
        kept += found;
    }
    assert_int_equal(kept, count);
    fixture_fini(&f);
}

static void what_nobody_asks_for_is_let_go(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    put("root/two", "second");
    fixture_init(&f);
    assert_false(http_files_cache_expire(&f.cache, NOW));
    keep_at(&f, "one", NOW);
    keep_at(&f, "two", NOW + 1);
    assert_true(http_files_cache_expire(&f.cache, NOW + HTTP_FILES_CACHE_TIME - 1));
    assert_int_equal(map_count(&f.cache.entries), 2);
    assert_true(find_at(&f, "one", NOW + HTTP_FILES_CACHE_TIME - 1));
    assert_true(http_files_cache_expire(&f.cache, NOW + HTTP_FILES_CACHE_TIME + 1)); /* takes two */
    assert_int_equal(map_count(&f.cache.entries), 1);
    assert_int_equal(f.cache.bytes, 5);
    assert_false(http_files_cache_expire(&f.cache, NOW + 2 * HTTP_FILES_CACHE_TIME));
    assert_int_equal(map_count(&f.cache.entries), 0);
    fixture_fini(&f);
}

static void keep_under_pressure(void *arg)
{
    struct fixture *f = arg;
    struct http_files_cached found;
    weft_file *file;
    int status = file_open(f->root, "one", true, &file);

    if (status == 0) {
        http_files_cache_keep(&f->cache, "one", file, NOW, WALL);
        weft_file_unref(file);
    } else {
        assert_int_equal(status, WEFT_ENOMEM);
    }
    if (http_files_cache_find(&f->cache, f->root, "one", NOW, &found)) {
        assert_true(found.content.length == 5 || (found.content.length == 0 && support_injected() > 0));
        assert_int_equal(f->cache.bytes, found.content.length);
    } else {
        assert_true(support_injected() > 0);
        assert_int_equal(f->cache.bytes, 0);
    }
    http_files_cache_clear(&f->cache);
}

static void short_memory_keeps_less(void **state)
{
    struct fixture f;

    (void)state;
    put("root/one", "first");
    fixture_init(&f);
    assert_true(support_torture(keep_under_pressure, &f) >= 4);
    fixture_fini(&f);
}

/* -- a server -- */

static weft_http_files *files;

static void site_open(struct web *web)
{
    struct web_options options = {.seed = 1};
    weft_directory *directory;

    assert_int_equal(weft_directory_open(path_of("root"), &directory), 0);
    assert_int_equal(weft_http_files_new(directory, NULL, &files), 0);
    weft_directory_unref(directory);
    options.handler = weft_http_files_handler(files);
    web_open(web, &options, NULL);
}

static void site_close(struct web *web)
{
    web_close(web);
    weft_http_files_free(files);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_WITH(path, field) "GET " path " HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* What the server answers to @p request, until the next call. */
static const char *ask(struct web_client *client, const char *request)
{
    web_forget(client);
    web_send(client, request);
    return web_text(client);
}

static void expect(struct web_client *client, const char *request, unsigned status, const char *end)
{
    const char *text = ask(client, request);
    char start[32];

    snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("%.60s: not %u but %s", request, status, text);
    if (end && (strlen(text) < strlen(end) || strcmp(text + strlen(text) - strlen(end), end) != 0))
        fail_msg("%.60s: does not end in %s: %s", request, end, text);
}

/* Multipart boundaries are random. */
static void strip_boundaries(char *text)
{
    char *mark = strstr(text, "boundary="), *at = text;
    size_t length = mark ? strcspn(mark + 9, "\r\n") : 0;
    char *boundary = mark ? strndup(mark + 9, length) : NULL;

    while (boundary && (at = strstr(at, boundary)) != NULL)
        memset(at, '=', length);
    free(boundary);
}

/* The answer to @p request, freed by the caller. */
static char *answer_of(struct web_client *client, const char *request)
{
    char *text = strdup(ask(client, request));

    assert_non_null(text);
    strip_boundaries(text);
    return text;
}

/* Every request is answered four times: opened for it, and kept with its content; then the same without. */
static void what_is_kept_answers_as_the_disk_does(void **state)
{
    static const char *const requests[] = {
        GET("/small"),
        HEAD("/small"),
        GET_WITH("/small", "Range: bytes=1-3"),
        GET_WITH("/small", "Range: bytes=-2"),
        GET_WITH("/small", "Range: bytes=0-0,4-4"),
        GET_WITH("/small", "Range: bytes=5-"),
        GET_WITH("/small", "If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT"),
        GET_WITH("/small", "If-Modified-Since: Sun, 09 Sep 2001 01:46:39 GMT"),
        GET_WITH("/small", "If-None-Match: *"),
        GET_WITH("/small", "If-Match: \"other\""),
        GET_WITH("/small", "If-Range: Sun, 09 Sep 2001 01:46:40 GMT\r\nRange: bytes=1-3"),
        GET_WITH("/small", "Accept-Encoding: br, gzip"),
        GET("/empty"),
        HEAD("/empty"),
        GET_WITH("/empty", "Range: bytes=0-"),
        GET("/large"),
        HEAD("/large"),
        GET_WITH("/large", "Range: bytes=99990-"),
        GET("/folder/inner"),
        GET("/folder"),
        GET("/folder/"),
        GET("/indexed/"),
        GET("/"),
    };

    (void)state;
    put("root/small", "small");
    put("root/small.gz", "zipped");
    put("root/empty", "");
    put_letters("root/large", 100000, 'l');
    assert_int_equal(mkdir(path_of("root/indexed"), 0755), 0);
    put("root/indexed/index.html", "index");
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        static struct web web;
        struct web_client *client;
        char *first;

        support_set_context("request %zu", i);
        site_open(&web);
        client = web_connect(&web);
        first = answer_of(client, requests[i]);
        for (int round = 1; round < 4; round++) {
            char *text;

            if (round == 2) {
                (void)http_files_cache_clear(&files->cache);
                disk.cold = true;
            }
            text = answer_of(client, requests[i]);
            assert_string_equal(text, first);
            free(text);
            web_expect_open(client);
        }
        disk.cold = false;
        site_close(&web);
        free(first);
    }
    support_clear_context();
}

static void a_kept_file_is_not_opened_again(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/small", "small");
    put("root/empty", "");
    put_letters("root/large", 100000, 'l');
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/small"), 200, "\r\n\r\nsmall");
    expect(client, GET("/empty"), 200, "\r\n\r\n");
    expect(client, GET("/large"), 200, "llll");
    assert_int_equal(disk.opens, 3);
    expect(client, GET("/small"), 200, "\r\n\r\nsmall");
    expect(client, HEAD("/small"), 200, "\r\n\r\n");
    expect(client, GET_WITH("/small", "Range: bytes=1-2"), 206, "\r\n\r\nma");
    expect(client, GET_WITH("/small", "If-None-Match: *"), 304, "\r\n\r\n");
    expect(client, GET("/empty"), 200, "\r\n\r\n");
    expect(client, GET("/large"), 200, "llll");
    assert_int_equal(disk.opens, 3);
    site_close(&web);
}

static void a_change_is_seen_by_the_next_request(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    change_content();
    expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    put("root/one", "longer than it was");
    expect(client, GET("/one"), 200, "\r\n\r\nlonger than it was");
    rename_over();
    expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    delete_it();
    expect(client, GET("/one"), 404, NULL);
    put("root/one", "first");
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    become_folder();
    expect(client, GET("/one"), 301, NULL);
    assert_int_equal(rmdir(path_of("root/one")), 0);
    expect(client, GET("/one"), 404, NULL);
    site_close(&web);
}

static void a_link_out_of_the_root_is_never_followed(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    for (int i = 0; i < 2; i++) {
        expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        link_out();
        expect(client, GET("/one"), 404, NULL);
        assert_null(strstr(web_text(client), "canary"));
        assert_int_equal(unlink(path_of("root/one")), 0);
        put("root/one", "first");
    }
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    move_out_and_link();
    expect(client, GET("/one"), 404, NULL);
    assert_null(strstr(web_text(client), "first"));
    site_close(&web);
}

/* Moving a folder changes nothing in what is beneath it. */
static void a_folder_that_is_moved_out_of_the_root_takes_its_files_along(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/folder/inner"), 200, "\r\n\r\ninner");
    assert_int_equal(rename(path_of("root/folder"), path_of("outside/folder")), 0);
    assert_int_equal(symlink("../outside/folder", path_of("root/folder")), 0);
    expect(client, GET("/folder/inner"), 404, NULL);
    site_close(&web);
}

static void a_compressed_sibling_that_appears_is_sent(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nfirst");
    put("root/one.gz", "zipped");
    expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nzipped");
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    assert_int_equal(unlink(path_of("root/one.gz")), 0);
    expect(client, GET_WITH("/one", "Accept-Encoding: gzip"), 200, "\r\n\r\nfirst");
    site_close(&web);
}

static void an_index_that_appears_is_sent(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/folder/"), 200, NULL);
    assert_non_null(strstr(web_text(client), "inner"));
    put("root/folder/index.html", "index");
    expect(client, GET("/folder/"), 200, "\r\n\r\nindex");
    assert_int_equal(unlink(path_of("root/folder/index.html")), 0);
    put("root/folder/further", "further");
    expect(client, GET("/folder/"), 200, NULL);
    assert_non_null(strstr(web_text(client), "further"));
    site_close(&web);
}

/* -- time -- */

static void what_is_asked_for_again_in_time_stays(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    for (int i = 0; i < 5; i++) {
        expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        assert_int_equal(disk.opens, 1);
        web_pass(&web, HTTP_FILES_CACHE_TIME - WEFT_MILLISECONDS(10));
    }
    web_pass(&web, 2 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&files->cache.entries), 0);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    assert_int_equal(disk.opens, 2);
    web_pass(&web, 2 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&files->cache.entries), 0);
    site_close(&web);
}

static void what_is_kept_does_not_keep_the_loop(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_abort(client);
    weft_listener_stop(web.listener, 0);
    assert_int_equal(weft_loop_run(web.loop), 0);
    assert_int_equal(map_count(&files->cache.entries), 1);
    site_close(&web);
}

/* -- no room -- */

static void want_of_descriptors_lets_everything_go(void **state)
{
    (void)state;
    put("root/one", "first");
    put("root/two", "second");
    for (int slow = 0; slow < 2; slow++) {
        static struct web web;
        struct web_client *client;

        disk.slow = slow;
        site_open(&web);
        client = web_connect(&web);
        disk.no_room = 1;
        expect(client, GET("/one"), 503, NULL); /* nothing is kept: nothing can be let go */
        expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        expect(client, GET("/folder/inner"), 200, "\r\n\r\ninner");
        disk.no_room = 1;
        expect(client, GET("/two"), 200, "\r\n\r\nsecond");
        assert_int_equal(map_count(&files->cache.entries), 1);
        disk.no_room = 2;
        expect(client, GET("/one"), 503, NULL);
        expect(client, GET("/one"), 200, "\r\n\r\nfirst");
        web_expect_open(client);
        site_close(&web);
    }
}

static void the_server_answers_from_it_when_memory_is_short(void **state)
{
    static const struct web_torture plain = {
        .open = site_open, .close = site_close, .request = GET("/one") GET("/one"), .undisturbed = GET("/one")};
    struct web_torture folder = plain;

    (void)state;
    put("root/one", "first");
    web_torture(&plain);
    folder.request = GET("/folder/") GET("/folder/");
    web_torture(&folder);
}

/* -- its life -- */

static void the_handler_may_go_before_its_loop(void **state)
{
    static struct web web;
    struct web_client *client;

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_abort(client);
    weft_listener_stop(web.listener, 0);
    web_settle(&web);
    assert_int_equal(web.stopped, 1);
    weft_http_server_free(web.server);
    web.server = NULL;
    weft_http_files_free(files);
    files = NULL;
    web_pass(&web, 3 * HTTP_FILES_CACHE_TIME); /* its timer is gone with it */
    web_close(&web);
}

static void the_handler_may_serve_on_one_loop_after_the_other(void **state)
{
    static struct web web;
    struct web_client *client;
    struct web_options options = {.seed = 2};

    (void)state;
    put("root/one", "first");
    site_open(&web);
    client = web_connect(&web);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    web_close(&web);
    options.handler = weft_http_files_handler(files);
    web_open(&web, &options, NULL);
    client = web_connect(&web);
    expect(client, GET("/one"), 200, "\r\n\r\nfirst");
    change_content();
    expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    expect(client, GET("/one"), 200, "\r\n\r\nFIRST");
    assert_int_equal(map_count(&files->cache.entries), 1);
    web_pass(&web, 3 * HTTP_FILES_CACHE_TIME);
    assert_int_equal(map_count(&files->cache.entries), 0);
    site_close(&web);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        place_test(what_was_kept_is_found_under_its_own_name),
        place_test(kept_twice_is_kept_once),
        place_test(content_is_kept_of_small_files_only),
        place_test(content_that_is_not_in_memory_is_not_read),
        place_test(what_is_no_file_and_no_folder_is_not_kept),
        place_test(young_files_are_not_kept),
        place_test(whatever_changes_makes_it_stale),
        place_test(a_folder_is_stale_when_something_is_put_into_it),
        place_test(a_link_that_leads_elsewhere_is_stale),
        place_test(the_one_used_longest_ago_makes_room),
        place_test(content_has_a_limit),
        place_test(what_nobody_asks_for_is_let_go),
        place_test(short_memory_keeps_less),
        place_test(what_is_kept_answers_as_the_disk_does),
        place_test(a_kept_file_is_not_opened_again),
        place_test(a_change_is_seen_by_the_next_request),
        place_test(a_link_out_of_the_root_is_never_followed),
        place_test(a_folder_that_is_moved_out_of_the_root_takes_its_files_along),
        place_test(a_compressed_sibling_that_appears_is_sent),
        place_test(an_index_that_appears_is_sent),
        place_test(what_is_asked_for_again_in_time_stays),
        place_test(what_is_kept_does_not_keep_the_loop),
        place_test(want_of_descriptors_lets_everything_go),
        place_test(the_server_answers_from_it_when_memory_is_short),
        place_test(the_handler_may_go_before_its_loop),
        place_test(the_handler_may_serve_on_one_loop_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
