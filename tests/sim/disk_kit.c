/* SPDX-License-Identifier: MIT */
#include "sim/disk_kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/file_open.h>

char place[64];
weft_directory *directory;
weft_sim *sim;
weft_loop *host;

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

int disk_setup(void **state)
{
    strcpy(place, "/tmp/weft-disk-XXXXXX");
    if (!mkdtemp(place))
        return -1;
    write_real("a.txt", "the system's");
    write_real("b.txt", "other");
    return support_setup(state);
}

int disk_teardown(void **state)
{
    char command[100];
    int status = support_teardown(state);

    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command) != 0 ? -1 : status;
}

void begin(uint64_t seed, const weft_faults *faults)
{
    sim = weft_sim_new(seed);
    assert_non_null(sim);
    host = weft_sim_host(sim, "host.example");
    assert_non_null(host);
    assert_int_equal(weft_directory_open(place, &directory), 0);
    if (faults)
        assert_int_equal(weft_sim_faults(sim, faults), 0);
}

void end(void)
{
    weft_sim_free(sim);
    weft_directory_unref(directory);
}

/* -- one call of the host's, waited for -- */

struct disk_call now;

void told(weft_file_call *call, int status)
{
    (void)call;
    now.done++;
    now.status = status;
}

int result(int status)
{
    assert_int_equal(status, 0);
    assert_true(weft_sim_run(sim, WEFT_MINUTES(10)) >= 0);
    assert_int_equal(now.done, 1);
    now.done = 0;
    return now.status;
}

int create(const char *path, unsigned flags, weft_file **ret)
{
    int status = result(weft_file_create_start(&now.call, ROOT, directory, path, flags, told));

    *ret = now.call.file;
    return status;
}

int put(weft_file *file, uint64_t offset, const char *text)
{
    return result(weft_file_write_start(&now.call, ROOT, file, offset, weft_bytes_from(text), told));
}

int sync_file(weft_file *file)
{
    return result(weft_file_sync_start(&now.call, ROOT, file, told));
}

int rename_file(const char *from, const char *to)
{
    return result(weft_file_rename_start(&now.call, ROOT, directory, from, to, told));
}

int remove_file(const char *path)
{
    return result(weft_file_remove_start(&now.call, ROOT, directory, path, told));
}

int make_directory(const char *path)
{
    return result(weft_directory_make_start(&now.call, ROOT, directory, path, told));
}

int sync_directory(const char *path)
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

int open_path(const char *path, weft_file **ret)
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

const char *content(const char *path)
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

void assert_real(const char *name, const char *expected)
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

void put_whole(const char *path, const char *text, bool sync)
{
    weft_file *file;

    assert_int_equal(create(path, WEFT_FILE_TRUNCATE, &file), 0);
    assert_int_equal(put(file, 0, text), 0);
    if (sync)
        assert_int_equal(sync_file(file), 0);
    weft_file_unref(file);
}
