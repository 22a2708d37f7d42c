/* SPDX-License-Identifier: MIT */
/*
 * The handler that serves files, where it depends on the moment: opens and listings that have to wait for the disk,
 * clients that leave meanwhile, errors of the system, files that change, memory that is short. What it answers
 * otherwise is tested in tests/peers with real clients.
 *
 * The linker puts the functions below in front of file_open, file_list, weft_file_read_cached and weft_file_about
 * (--wrap).
 */
#include "families/http/web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/file.h>
#include <weft/http_files.h>

#include "backend/file.h"
#include "loop/loop_internal.h"

/* -- a disk that misbehaves -- */

static struct {
    bool slow;        /* every open has to wait */
    bool cold;        /* nothing is in the page cache */
    int open_error;   /* opening fails with it */
    int list_error;   /* listing does */
    const char *stub; /* the file that every name leads to; NULL: its own */
    uint64_t length;  /* of every file, as far as anybody is told; 0: as it is */
    const char *only; /* open_error applies to names that end so; NULL: to all */
    unsigned opens, jobs;
} disk;

int __real_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __real_file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                     bool *ret_truncated);
int __real_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
const weft_file_info *__real_weft_file_about(const weft_file *file);
int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __wrap_file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                     bool *ret_truncated);
int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
const weft_file_info *__wrap_weft_file_about(const weft_file *file);

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), wanted = strlen(end);

    return length >= wanted && strcmp(path + length - wanted, end) == 0;
}

int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret)
{
    disk.opens++;
    if (disk.slow && !may_wait)
        return -EAGAIN;
    if (disk.open_error && (!disk.only || ends_with(path, disk.only)))
        return disk.open_error;
    return __real_file_open(directory, disk.stub ? disk.stub : path, may_wait, ret);
}

int __wrap_file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                     bool *ret_truncated)
{
    if (disk.list_error)
        return disk.list_error;
    return __real_file_list(directory, limit, ret_entries, ret_count, ret_truncated);
}

int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return disk.cold ? -EAGAIN : __real_weft_file_read_cached(file, offset, memory, length);
}

const weft_file_info *__wrap_weft_file_about(const weft_file *file)
{
    static weft_file_info about;

    if (disk.length == 0)
        return __real_weft_file_about(file);
    about = *__real_weft_file_about(file);
    about.length = disk.length;
    return &about;
}

/* Jobs wait here until the test lets them go. */
static struct {
    bool on;
    const struct backend_ops *real;
    struct backend_ops shim;
    weft_work *first;
    unsigned cancelled;
} hold;

static int hold_submit(struct backend *backend, weft_work *job)
{
    disk.jobs++;
    if (!hold.on)
        return hold.real->job_submit(backend, job);
    job->next = hold.first;
    hold.first = job;
    return 0;
}

static bool hold_cancel(struct backend *backend, weft_work *job)
{
    for (weft_work **at = &hold.first; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            hold.cancelled++;
            return true;
        }
    return hold.real->job_cancel(backend, job);
}

static void release_jobs(struct web *web)
{
    while (hold.first) {
        weft_work *job = hold.first;
        hold.first = job->next;
        assert_int_equal(hold.real->job_submit(web->loop->backend, job), 0);
    }
    web_settle(web);
}

/* -- a site -- */

static char root[] = "/tmp/weft-files-XXXXXX";

static struct {
    weft_directory *directory;
    weft_http_files *files;
    weft_http_files_options options;
    unsigned records, last_status;
} site;

static void record(void *arg, const weft_http_record *about)
{
    (void)arg;
    site.records++;
    site.last_status = about->status;
}

static void path_of(const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", root, name);
}

/* Half a second before the simulated clock begins: such a file is not kept open, so each request opens it. */
static const struct timespec young = {.tv_sec = 1767225600, .tv_nsec = 500000000};
static const struct timespec old = {.tv_sec = 1000000000};

static void set_time(const char *path, struct timespec time)
{
    struct timespec times[2] = {time, time};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void make_file(const char *name, size_t length, char fill)
{
    char path[256];
    FILE *file;

    path_of(name, path);
    file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(fputc(fill, file), (unsigned char)fill);
    assert_int_equal(fclose(file), 0);
    set_time(path, young);
}

static void make_folder(const char *name)
{
    char path[256];

    path_of(name, path);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void site_open(struct web *web)
{
    struct web_options options = {.seed = 1};

    memset(&disk, 0, sizeof disk);
    site.options.size = sizeof site.options;
    site.options.record = record;
    site.records = 0;
    assert_int_equal(weft_directory_open(root, &site.directory), 0);
    assert_int_equal(weft_http_files_new(site.directory, &site.options, &site.files), 0);
    weft_directory_unref(site.directory);
    options.handler = weft_http_files_handler(site.files);
    web_open(web, &options, NULL);
    hold.real = web->loop->backend->ops;
    hold.shim = *hold.real;
    hold.shim.job_submit = hold_submit;
    hold.shim.job_cancel = hold_cancel;
    hold.on = false;
    hold.first = NULL;
    hold.cancelled = 0;
    web->loop->backend->ops = &hold.shim;
}

static void site_close(struct web *web)
{
    web_close(web);
    weft_http_files_free(site.files);
    memset(&site, 0, sizeof site);
}

/* Asks and checks the status line's code. */
static void expect_status(struct web_client *client, const char *request, unsigned status)
{
    char start[32];

    snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
    web_forget(client);
    web_send(client, request);
    if (strncmp(web_text(client), start, strlen(start)) != 0)
        fail_msg("%.40s: not %u but %.60s", request, status, web_text(client));
}

static void expect_has(struct web_client *client, const char *text)
{
    if (!strstr(web_text(client), text))
        fail_msg("no %s in %s", text, web_text(client));
}

static void expect_has_not(struct web_client *client, const char *text)
{
    if (strstr(web_text(client), text))
        fail_msg("%s in %s", text, web_text(client));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_WITH(path, field) "GET " path " HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"

/* -- waiting for the disk -- */

static void what_has_to_wait_is_answered_all_the_same(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    disk.slow = disk.cold = true;
    client = web_connect(&web);
    expect_status(client, GET("/small"), 200);
    expect_has(client, "Content-Length: 5\r\n");
    expect_has(client, "\r\n\r\nsssss");
    expect_status(client, GET_WITH("/large", "Range: bytes=10-14"), 206);
    expect_has(client, "\r\n\r\nlllll");
    expect_status(client, GET_WITH("/large", "Range: bytes=0-1,90000-90001"), 206);
    expect_has(client, "multipart/byteranges");
    expect_status(client, "HEAD /small HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    expect_status(client, GET("/none"), 404);
    expect_status(client, GET("/folder"), 301);
    expect_status(client, GET("/folder/"), 200);
    expect_has(client, "inner");
    expect_status(client, GET("/indexed/"), 200);
    expect_has(client, "\r\n\r\niiiiiii");
    expect_status(client, GET_WITH("/coded.txt", "Accept-Encoding: br"), 200);
    expect_has(client, "Content-Encoding: br\r\n");
    expect_status(client, GET("/small") GET("/none") GET("/large"), 200);
    assert_int_equal(client->lost, 0);
    assert_true(disk.jobs > 10);
    site_close(&web);
}

static void a_pipeline_waits_for_the_disk_in_order(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    disk.slow = hold.on = true;
    client = web_connect(&web);
    web_send(client, GET("/small") GET("/none"));
    web_expect(client, "");
    assert_int_equal(disk.jobs, 1);
    release_jobs(&web);
    expect_has(client, "\r\n\r\nsssss");
    expect_has_not(client, "404");
    release_jobs(&web);
    expect_has(client, "HTTP/1.1 404 ");
    web_expect_open(client);
    assert_int_equal(site.records, 2);
    assert_int_equal(site.last_status, 404);
    site_close(&web);
}

static void a_client_may_leave_while_a_file_is_opened(void **state)
{
    static const char *const requests[] = {GET("/small"), GET("/large"), GET("/none"), GET("/folder/"),
                                           GET("/indexed/")};

    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct web web;
        struct web_client *client, *other;

        site_open(&web);
        disk.slow = hold.on = true;
        client = web_connect(&web);
        other = web_connect(&web);
        web_send(client, requests[i]);
        assert_int_equal(disk.jobs, 1);
        web_abort(client);
        release_jobs(&web);
        web_pass(&web, WEFT_SECONDS(1));
        release_jobs(&web);
        hold.on = disk.slow = false;
        expect_status(other, GET("/small"), 200);
        site_close(&web);
    }
}

static void a_client_may_leave_while_a_folder_is_listed(void **state)
{
    struct web web;
    struct web_client *client, *other;

    (void)state;
    site_open(&web);
    hold.on = true;
    client = web_connect(&web);
    other = web_connect(&web);
    web_send(client, GET("/folder/"));
    web_send(other, GET("/folder/"));
    assert_int_equal(disk.jobs, 2);
    web_abort(client);
    release_jobs(&web);
    expect_has(other, "inner");
    web_expect_open(other);
    site_close(&web);
}

/* The loop ends while jobs have not begun: they are taken back. */
static void the_loop_may_end_while_the_disk_is_slow(void **state)
{
    struct web web;
    struct web_client *first, *second;

    (void)state;
    site_open(&web);
    hold.on = true;
    first = web_connect(&web);
    second = web_connect(&web);
    web_send(first, GET("/folder/"));
    disk.slow = true;
    web_send(second, GET("/small"));
    assert_int_equal(disk.jobs, 2);
    site_close(&web);
    assert_int_equal(hold.cancelled, 2);
}

static void a_stop_waits_for_the_disk(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    disk.slow = hold.on = true;
    client = web_connect(&web);
    web_send(client, GET("/small"));
    weft_listener_stop(web.listener, WEFT_SECONDS(5));
    web_settle(&web);
    web_expect_open(client);
    release_jobs(&web);
    expect_has(client, "Connection: close\r\n");
    expect_has(client, "\r\n\r\nsssss");
    web_expect_lost(client, true);
    site_close(&web);
}

/* -- folders -- */

static void index_files_are_tried_in_order(void **state)
{
    static const char *const names[] = {"first.html", "folder", "second.html", "index.html"};
    struct web web;
    struct web_client *client;

    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        site.options.index = names;
        site.options.index_count = 4;
        site_open(&web);
        disk.slow = slow;
        client = web_connect(&web);
        expect_status(client, GET("/indexes/"), 200); /* first.html is a link that leads out, folder is a folder */
        expect_has(client, "\r\n\r\n2222");
        expect_status(client, GET("/indexed/"), 200);
        expect_has(client, "\r\n\r\niiiiiii");
        expect_status(client, GET("/folder/"), 200);
        expect_has(client, "inner");
        disk.open_error = -EACCES;
        disk.only = "second.html";
        expect_status(client, GET("/indexes/"), 403);
        site_close(&web);
    }
}

static void a_folder_may_have_no_listing(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site.options.no_listing = true;
    site_open(&web);
    client = web_connect(&web);
    expect_status(client, GET("/folder/"), 404);
    expect_has_not(client, "inner");
    expect_status(client, GET("/indexed/"), 200);
    disk.slow = true;
    expect_status(client, GET("/folder/"), 404);
    site_close(&web);
}

/* What it would be is announced, and the connection goes on. */
static void the_head_of_a_listing_is_an_answer(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    expect_status(client, "HEAD /folder/ HTTP/1.1\r\nHost: a\r\n\r\n", 200);
    expect_has_not(client, "inner");
    expect_status(client, GET("/folder/"), 200);
    expect_has(client, "inner");
    site_close(&web);
}

static void a_listing_has_a_limit(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site.options.listing_entries = 3;
    site_open(&web);
    client = web_connect(&web);
    expect_status(client, GET("/folder/"), 200);
    expect_has(client, "There is more in this folder");
    site_close(&web);
    site.options.listing_entries = 7;
    site_open(&web);
    client = web_connect(&web);
    expect_status(client, GET("/folder/"), 200);
    expect_has_not(client, "There is more in this folder");
    expect_has(client, "inner6");
    expect_has_not(client, ".hidden");
    site_close(&web);
}

/* -- precompressed siblings -- */

static void check_coding(struct web_client *client, const char *accept, const char *coding, const char *body)
{
    char request[200], field[60];

    snprintf(request, sizeof request, "GET /coded.txt HTTP/1.1\r\nHost: a\r\n%s%s%s\r\n",
             accept ? "Accept-Encoding: " : "", accept ? accept : "", accept ? "\r\n" : "");
    expect_status(client, request, 200);
    snprintf(field, sizeof field, "Content-Encoding: %s\r\n", coding ? coding : "");
    if (coding) {
        expect_has(client, field);
        expect_has(client, "Vary: Accept-Encoding\r\n");
    } else {
        expect_has_not(client, "Content-Encoding");
    }
    expect_has(client, "Content-Type: text/plain");
    expect_has(client, body);
}

static void the_best_coding_that_there_is_is_sent(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        site_open(&web);
        disk.slow = slow;
        client = web_connect(&web);
        check_coding(client, NULL, NULL, "\r\n\r\nplain");
        check_coding(client, "gzip", "gzip", "\r\n\r\nzz");
        check_coding(client, "br, gzip", "br", "\r\n\r\nrr");
        check_coding(client, "br;q=0.5, gzip", "gzip", "\r\n\r\nzz");
        check_coding(client, "br;q=0, gzip;q=0", NULL, "\r\n\r\nplain");
        check_coding(client, "zstd", NULL, "\r\n\r\nplain"); /* coded.txt.zst is a folder */
        check_coding(client, "zstd, gzip;q=0.1", "gzip", "\r\n\r\nzz");
        check_coding(client, "identity", NULL, "\r\n\r\nplain");
        disk.open_error = -ENOENT;
        disk.only = ".br";
        check_coding(client, "br, gzip", "gzip", "\r\n\r\nzz");
        site_close(&web);
    }
    site.options.no_precompressed = true;
    site_open(&web);
    client = web_connect(&web);
    check_coding(client, "br, gzip", NULL, "\r\n\r\nplain");
    assert_int_equal(disk.opens, 1);
    site_close(&web);
}

/* -- errors of the system -- */

/* The longest name that a path may have leaves no room for ".br". */
static void a_name_that_has_no_room_for_a_suffix_is_sent_as_it_is(void **state)
{
    struct web web;
    struct web_client *client;
    char request[5000], path[4096];

    (void)state;
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = i % 200 == 0 ? '/' : 'a';
    path[sizeof path - 1] = '\0';
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br\r\n\r\n", path);
    site_open(&web);
    disk.stub = "small";
    client = web_connect(&web);
    expect_status(client, request, 200);
    expect_has_not(client, "Content-Encoding");
    expect_has(client, "\r\n\r\nsssss");
    site_close(&web);
}

static void errors_have_their_status(void **state)
{
    static const struct {
        int error;
        unsigned status;
    } cases[] = {
        {-EMFILE, 503}, {-ENFILE, 503},  {WEFT_ENOMEM, 503}, {-EACCES, 403}, {-EPERM, 403},
        {-ENOENT, 404}, {-ENOTDIR, 404}, {-ELOOP, 404},      {-EXDEV, 404},  {-ENAMETOOLONG, 404},
        {-ENXIO, 404},  {-EIO, 500},     {-ESTALE, 500},
    };

    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct web web;
            struct web_client *client;

            site_open(&web);
            disk.slow = slow;
            client = web_connect(&web);
            disk.open_error = cases[i].error;
            expect_status(client, GET("/small"), cases[i].status);
            expect_status(client, GET("/small"), cases[i].status);
            disk.open_error = 0;
            expect_status(client, GET("/small"), 200);
            web_expect_open(client);
            assert_int_equal(site.records, 3);
            site_close(&web);
        }
    }
}

static void a_listing_that_fails_has_its_status(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    client = web_connect(&web);
    disk.list_error = WEFT_ENOMEM;
    expect_status(client, GET("/folder/"), 503);
    disk.list_error = -EIO;
    expect_status(client, GET("/folder/"), 500);
    disk.list_error = -EACCES;
    expect_status(client, GET("/folder/"), 403);
    disk.list_error = 0;
    expect_status(client, GET("/folder/"), 200);
    web_expect_open(client);
    site_close(&web);
}

static void ranges_that_no_length_can_count_end_the_connection(void **state)
{
    struct web web;
    struct web_client *client;

    (void)state;
    site_open(&web);
    disk.length = INT64_MAX;
    client = web_connect(&web);
    web_send(client, GET_WITH("/small", "Range: bytes=0-4611686018427387903,4611686018427387904-"));
    web_expect(client, "");
    web_expect_lost(client, false);
    site_close(&web);
}

/* -- files that change -- */

static void a_file_that_shrinks_while_it_is_sent_is_never_padded(void **state)
{
    struct web web;
    struct web_client *client;
    char path[256];

    (void)state;
    make_file("shrinks", 500000, 's');
    path_of("shrinks", path);
    site_open(&web);
    client = web_connect(&web);
    client->counts = true;
    weft_stream_pause(client->stream);
    web_send(client, GET("/shrinks"));
    assert_int_equal(truncate(path, 200000), 0);
    weft_stream_resume(client->stream);
    web_settle(&web);
    assert_int_equal(client->lost, 1);
    assert_int_equal(client->reason, -ECONNRESET);
    assert_true(client->bytes < 201000);
    site_close(&web);
}

static void a_small_file_that_changes_is_never_sent_short(void **state)
{
    struct web web;
    struct web_client *client;
    char path[256];

    (void)state;
    make_file("shrinks", 5000, 's');
    path_of("shrinks", path);
    site_open(&web);
    disk.slow = hold.on = disk.cold = true;
    client = web_connect(&web);
    web_send(client, GET("/shrinks"));
    release_jobs(&web);
    expect_has(client, "Content-Length: 5000\r\n");
    web_forget(client);
    make_file("shrinks", 3000, 's');
    web_send(client, GET("/shrinks"));
    release_jobs(&web);
    expect_has(client, "Content-Length: 3000\r\n");
    site_close(&web);
}

/* -- short memory -- */

static void slow_site_open(struct web *web)
{
    site_open(web);
    disk.slow = disk.cold = true;
}

static void torture(const char *request)
{
    struct web_torture plan = {.open = site_open, .close = site_close, .request = request, .undisturbed = GET("/old")};

    web_torture(&plan);
    plan.open = slow_site_open;
    web_torture(&plan);
}

static void every_kind_of_answer_survives_short_memory(void **state)
{
    (void)state;
    torture(GET("/small"));
    torture(GET("/old"));
    torture(GET("/large"));
    torture(GET_WITH("/large", "Range: bytes=10-14"));
    torture(GET_WITH("/large", "Range: bytes=0-1,50-60,90000-90001"));
    torture(GET_WITH("/coded.txt", "Accept-Encoding: zstd, br;q=0.1"));
    torture(GET("/none"));
    torture(GET("/folder"));
    torture(GET("/folder/"));
    torture(GET("/indexed/"));
    torture("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
    torture("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
}

static void making_a_handler_survives_short_memory(void **state)
{
    weft_http_files *files = NULL;
    weft_directory *directory;

    (void)state;
    assert_int_equal(weft_directory_open(root, &directory), 0);
    support_fail_at(1, true);
    assert_int_equal(weft_http_files_new(directory, NULL, &files), WEFT_ENOMEM);
    assert_null(files);
    support_fail_at(0, false);
    weft_directory_unref(directory);
    weft_http_files_free(NULL);
}

static void options_without_a_size_make_no_handler(void **state)
{
    weft_http_files_options options = {.size = 0};
    weft_http_files *files = NULL;
    weft_directory *directory;

    (void)state;
    assert_int_equal(weft_directory_open(root, &directory), 0);
    assert_int_equal(weft_http_files_new(directory, &options, &files), -EINVAL);
    assert_null(files);
    weft_directory_unref(directory);
}

/* -- the folder that is served -- */

static int make_root(void **state)
{
    char path[256], name[32];

    (void)state;
    assert_non_null(mkdtemp(root));
    make_file("small", 5, 's');
    make_file("large", 100000, 'l');
    make_file("old", 5, 'o');
    path_of("old", path);
    set_time(path, old);
    make_folder("folder");
    make_file("folder/.hidden", 1, 'h');
    for (int i = 1; i <= 6; i++) {
        snprintf(name, sizeof name, "folder/inner%d", i);
        make_file(name, (size_t)i, 'i');
    }
    make_folder("indexed");
    make_file("indexed/index.html", 7, 'i');
    make_folder("indexes");
    path_of("indexes/first.html", path);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    make_folder("indexes/folder");
    make_file("indexes/second.html", 4, '2');
    make_file("indexes/index.html", 4, '4');
    path_of("coded.txt", path);
    FILE *plain = fopen(path, "wb");
    assert_non_null(plain);
    assert_true(fputs("plain", plain) >= 0);
    assert_int_equal(fclose(plain), 0);
    set_time(path, young);
    make_file("coded.txt.gz", 2, 'z');
    make_file("coded.txt.br", 2, 'r');
    make_folder("coded.txt.zst");
    return 0;
}

static int remove_root(void **state)
{
    char command[300];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        support_test(what_has_to_wait_is_answered_all_the_same),
        support_test(a_pipeline_waits_for_the_disk_in_order),
        support_test(a_client_may_leave_while_a_file_is_opened),
        support_test(a_client_may_leave_while_a_folder_is_listed),
        support_test(the_loop_may_end_while_the_disk_is_slow),
        support_test(a_stop_waits_for_the_disk),
        support_test(index_files_are_tried_in_order),
        support_test(a_folder_may_have_no_listing),
        support_test(the_head_of_a_listing_is_an_answer),
        support_test(a_listing_has_a_limit),
        support_test(the_best_coding_that_there_is_is_sent),
        support_test(a_name_that_has_no_room_for_a_suffix_is_sent_as_it_is),
        support_test(errors_have_their_status),
        support_test(a_listing_that_fails_has_its_status),
        support_test(ranges_that_no_length_can_count_end_the_connection),
        support_test(a_file_that_shrinks_while_it_is_sent_is_never_padded),
        support_test(a_small_file_that_changes_is_never_sent_short),
        support_test(every_kind_of_answer_survives_short_memory),
        support_test(making_a_handler_survives_short_memory),
        support_test(options_without_a_size_make_no_handler),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
