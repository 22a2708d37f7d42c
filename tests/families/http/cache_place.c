/* SPDX-License-Identifier: MIT */
#include "families/http/cache_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/file.h"

struct place_disk place_disk;

int __real_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
int __real_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);

int __wrap_file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret)
{
    if (place_disk.slow && !may_wait)
        return -EAGAIN;
    place_disk.opens++;
    if (place_disk.no_room > 0) {
        place_disk.no_room--;
        return -EMFILE;
    }
    return __real_file_open(directory, path, may_wait, ret);
}

int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return place_disk.cold ? -EAGAIN : __real_weft_file_read_cached(file, offset, memory, length);
}

/* -- files -- */

static char place[64]; /* with the folders `root` and `outside` */

const char *place_path(const char *name)
{
    static char paths[2][320];
    static unsigned next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

const struct timespec place_old = {.tv_sec = 1000000000};

void place_set_time(const char *name, struct timespec time)
{
    struct timespec times[2] = {time, time};

    assert_int_equal(utimensat(AT_FDCWD, place_path(name), times, 0), 0);
}

static void put_bytes(const char *name, const void *bytes, size_t length)
{
    int fd = open(place_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
    place_set_time(name, place_old);
}

void place_put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

void place_put_letters(const char *name, size_t length, char letter)
{
    char *bytes = malloc(length + 1);

    if (!bytes)
        abort();
    memset(bytes, letter, length);
    put_bytes(name, bytes, length);
    free(bytes);
}

struct timespec place_change_time(const char *name)
{
    struct stat about;

    assert_int_equal(stat(place_path(name), &about), 0);
    return about.st_ctim;
}

/* Writes @p text over what is there and puts the time back. Kernels note changes in steps of some milliseconds: it is
 * done until the time of change has moved. */
void place_overwrite(const char *name, const char *text)
{
    struct timespec before = place_change_time(name), after;

    do {
        int fd = open(place_path(name), O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
        close(fd);
        place_set_time(name, place_old);
        after = place_change_time(name);
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
}

int place_make(void **state)
{
    strcpy(place, "/tmp/weft-cache-XXXXXX");
    assert_non_null(mkdtemp(place));
    assert_int_equal(mkdir(place_path("root"), 0755), 0);
    assert_int_equal(mkdir(place_path("root/folder"), 0755), 0);
    assert_int_equal(mkdir(place_path("outside"), 0755), 0);
    place_put("root/folder/inner", "inner");
    place_put("outside/canary", "canary");
    memset(&place_disk, 0, sizeof place_disk);
    return support_setup(state);
}

int place_remove(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", place);
    assert_int_equal(system(command), 0);
    return support_teardown(state);
}

/* -- changes -- */

void place_change_content(void)
{
    place_overwrite("root/one", "FIRST");
}

void place_rename_over(void)
{
    place_put("root/new", "FIRST");
    assert_int_equal(rename(place_path("root/new"), place_path("root/one")), 0);
}

void place_delete(void)
{
    assert_int_equal(unlink(place_path("root/one")), 0);
}

void place_link_out(void)
{
    place_delete();
    assert_int_equal(symlink("../outside/canary", place_path("root/one")), 0);
}

/* The file itself is moved out and a link leads to it: its size, inode and content are as they were. */
void place_move_out_and_link(void)
{
    assert_int_equal(rename(place_path("root/one"), place_path("outside/one")), 0);
    assert_int_equal(symlink("../outside/one", place_path("root/one")), 0);
    place_overwrite("outside/one", "first");
}

void place_become_folder(void)
{
    place_delete();
    assert_int_equal(mkdir(place_path("root/one"), 0755), 0);
}

/* -- the cache alone -- */

void fixture_init(struct fixture *f)
{
    static const uint8_t secret[SIPHASH_KEY_SIZE] = {1, 2, 3};

    http_files_cache_init(&f->cache, secret);
    assert_int_equal(weft_directory_open(place_path("root"), &f->root), 0);
}

void fixture_fini(struct fixture *f)
{
    size_t count = map_count(&f->cache.entries);

    assert_int_equal(http_files_cache_clear(&f->cache), count);
    assert_int_equal(f->cache.bytes, 0);
    weft_directory_unref(f->root);
}

void fixture_keep_at(struct fixture *f, const char *name, weft_time now)
{
    weft_file *file;

    assert_int_equal(file_open(f->root, name, true, &file), 0);
    http_files_cache_keep(&f->cache, name, file, now, WALL);
    weft_file_unref(file);
}

bool fixture_find_at(struct fixture *f, const char *name, weft_time now)
{
    return http_files_cache_find(&f->cache, f->root, name, now, &f->found);
}

void fixture_keep(struct fixture *f, const char *name)
{
    fixture_keep_at(f, name, NOW);
}

bool fixture_find(struct fixture *f, const char *name)
{
    return fixture_find_at(f, name, NOW);
}

void fixture_expect(struct fixture *f, const char *name, const char *content)
{
    assert_true(fixture_find(f, name));
    assert_int_equal(f->found.content.length, strlen(content));
    assert_memory_equal(f->found.content.data, content, strlen(content));
    assert_int_equal(weft_file_about(f->found.file)->length, strlen(content));
}

/* -- a server -- */

weft_http_files *site_files;

void site_open(struct web *web)
{
    struct web_options options = {.seed = 1};
    weft_directory *directory;

    assert_int_equal(weft_directory_open(place_path("root"), &directory), 0);
    assert_int_equal(weft_http_files_new(directory, NULL, &site_files), 0);
    weft_directory_unref(directory);
    options.handler = weft_http_files_handler(site_files);
    web_open(web, &options, NULL);
}

void site_close(struct web *web)
{
    web_close(web);
    weft_http_files_free(site_files);
}

/* What the server answers to @p request, until the next call. */
const char *site_ask(struct web_client *client, const char *request)
{
    web_forget(client);
    web_send(client, request);
    return web_text(client);
}

void site_expect(struct web_client *client, const char *request, unsigned status, const char *end)
{
    const char *text = site_ask(client, request);
    char start[32];

    snprintf(start, sizeof start, "HTTP/1.1 %u ", status);
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("%.60s: not %u but %s", request, status, text);
    if (end && (strlen(text) < strlen(end) || strcmp(text + strlen(text) - strlen(end), end) != 0))
        fail_msg("%.60s: does not end in %s: %s", request, end, text);
}

/* Multipart boundaries are random. */
