/* SPDX-License-Identifier: MIT */
#include "cert_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <weft/certificate.h>
#include <weft/file_open.h>
#include <weft/file_write.h>
#include <weft/memory.h>
#include <weft/secret.h>

/* What is read at most: one byte more than there may be. */
#define MOST (WEFT_CERTIFICATE_TEXT + 1)

/* -- one step -- */

struct step {
    weft_file_call call;
    weft_file_open open;
    int status;
};

static void called(weft_file_call *call, int status)
{
    weft_container_of(call, struct step, call)->status = status;
}

static void opened(weft_file_open *open, int status)
{
    weft_container_of(open, struct step, open)->status = status;
}

/* @status is that of the start. The loop comes back when nothing is left to wait for. */
static int settle(struct step *step, weft_loop *loop, int status)
{
    if (status < 0)
        return status;
    status = weft_loop_run(loop);
    return status < 0 ? status : step->status;
}

/* -- places -- */

/* Opens the directory that @path is in, and finds its name there. */
static int open_parent(const char *path, weft_directory **ret_directory, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];
    int length = snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");

    if (length < 0 || (size_t)length >= sizeof parent)
        return -ENAMETOOLONG;
    *ret_name = slash ? slash + 1 : path;
    return weft_directory_open(parent, ret_directory);
}

static int open_file(weft_loop *loop, const char *path, weft_file **ret)
{
    struct step step = {.status = 0};
    weft_directory *directory;
    const char *name;
    int status = open_parent(path, &directory, &name);

    if (status < 0)
        return status;
    status = weft_file_open_start(&step.open, weft_loop_scope(loop), directory, name, opened);
    if (status != 0)
        status = settle(&step, loop, status);
    weft_directory_unref(directory);
    if (status == 0)
        *ret = step.open.file;
    return status;
}

int cert_file_is_there(weft_loop *loop, const char *path)
{
    weft_file *file;
    int status = open_file(loop, path, &file);

    if (status == -ENOENT)
        return 0;
    if (status == -EACCES || status == -ELOOP || status == -EXDEV)
        return 1; /* a file that cannot be read, or a link that leads away */
    if (status < 0)
        return status;
    status = weft_file_about(file)->kind == WEFT_FILE_DIRECTORY ? -EISDIR : 1;
    weft_file_unref(file);
    return status;
}

/* -- reading -- */

void cert_text_fini(struct cert_text *text)
{
    if (text->data)
        weft_secret_clear(text->data, MOST);
    weft_release(text->data);
    *text = (struct cert_text){0};
}

static int read_all(weft_loop *loop, weft_file *file, struct cert_text *text)
{
    struct step step = {.status = 0};
    int status = 0;

    while (status == 0 && text->length < MOST) {
        status = weft_file_read_start(&step.call, weft_loop_scope(loop), file, text->length, text->data + text->length,
                                      MOST - text->length, called);
        status = settle(&step, loop, status);
        if (step.call.count == 0)
            break;
        text->length += step.call.count;
    }
    if (status == 0 && text->length == MOST)
        status = -EFBIG;
    return status;
}

int cert_file_read(weft_loop *loop, const char *path, struct cert_text *ret)
{
    struct cert_text text = {.data = NULL};
    weft_file *file;
    int status = open_file(loop, path, &file);

    if (status < 0)
        return status;
    text.data = weft_allocate_zeroed(1, MOST);
    status = text.data ? read_all(loop, file, &text) : WEFT_ENOMEM;
    weft_file_unref(file);
    if (status < 0)
        cert_text_fini(&text);
    else
        *ret = text;
    return status;
}

int cert_file_read_any(const char *path, struct cert_text *ret)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct cert_text text = {.data = NULL};
    int status = 0;

    if (!file)
        return -errno;
    text.data = weft_allocate_zeroed(1, MOST);
    errno = 0;
    if (text.data)
        text.length = fread(text.data, 1, MOST, file);
    if (!text.data)
        status = WEFT_ENOMEM;
    else if (ferror(file))
        status = errno ? -errno : -EIO;
    else if (text.length == MOST)
        status = -EFBIG;
    if (file != stdin)
        fclose(file);
    if (status < 0)
        cert_text_fini(&text);
    else
        *ret = text;
    return status;
}

/* -- writing -- */

static int write_whole(weft_loop *loop, weft_file *file, weft_bytes bytes)
{
    struct step step = {.status = 0};
    weft_scope *scope = weft_loop_scope(loop);
    int status = settle(&step, loop, weft_file_write_start(&step.call, scope, file, 0, bytes, called));

    if (status == 0)
        status = settle(&step, loop, weft_file_sync_start(&step.call, scope, file, called));
    return status;
}

static int name_temporary(struct cert_write *write, weft_loop *loop)
{
    uint32_t number = 0;
    int status = weft_loop_entropy(loop, &number, sizeof number), length;

    if (status < 0)
        return status;
    length = snprintf(write->temporary, sizeof write->temporary, ".%s.%08x", write->name, number);
    return length < 0 || (size_t)length >= sizeof write->temporary ? -ENAMETOOLONG : 0;
}

int cert_write_begin(struct cert_write *write, weft_loop *loop, const char *path, weft_bytes bytes, bool is_private)
{
    struct step step = {.status = 0};
    unsigned flags = WEFT_FILE_EXCLUSIVE | (is_private ? (unsigned)WEFT_FILE_PRIVATE : 0);
    int status;

    *write = (struct cert_write){.directory = NULL};
    status = open_parent(path, &write->directory, &write->name);
    if (status == 0)
        status = name_temporary(write, loop);
    if (status == 0)
        status = settle(&step, loop,
                        weft_file_create_start(&step.call, weft_loop_scope(loop), write->directory, write->temporary,
                                               flags, called));
    if (status < 0) {
        write->temporary[0] = '\0';
        return status;
    }
    status = write_whole(loop, step.call.file, bytes);
    weft_file_unref(step.call.file);
    return status;
}

int cert_write_commit(struct cert_write *write, weft_loop *loop)
{
    struct step step = {.status = 0};
    weft_scope *scope = weft_loop_scope(loop);
    int status =
        settle(&step, loop,
               weft_file_rename_start(&step.call, scope, write->directory, write->temporary, write->name, called));

    if (status < 0)
        return status;
    write->temporary[0] = '\0';
    return settle(&step, loop, weft_directory_sync_start(&step.call, scope, write->directory, ".", called));
}

void cert_write_fini(struct cert_write *write, weft_loop *loop)
{
    struct step step = {.status = 0};

    if (write->temporary[0])
        (void)settle(
            &step, loop,
            weft_file_remove_start(&step.call, weft_loop_scope(loop), write->directory, write->temporary, called));
    weft_directory_unref(write->directory);
    *write = (struct cert_write){.directory = NULL};
}

/* -- directories -- */

static int make_one(weft_loop *loop, const char *path)
{
    struct step step = {.status = 0};
    weft_directory *parent;
    const char *name;
    int status = open_parent(path, &parent, &name);

    if (status < 0)
        return status;
    status = settle(&step, loop, weft_directory_make_start(&step.call, weft_loop_scope(loop), parent, name, called));
    weft_directory_unref(parent);
    return status == -EEXIST ? 0 : status;
}

static int is_directory(const char *path)
{
    weft_directory *directory;
    int status = weft_directory_open(path, &directory);

    if (status == 0)
        weft_directory_unref(directory);
    return status;
}

int cert_directory_make(weft_loop *loop, const char *path)
{
    size_t length = strlen(path);
    char part[PATH_MAX];
    int status = is_directory(path);

    if (status != -ENOENT)
        return status;
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length >= sizeof part)
        return -ENAMETOOLONG;
    status = 0;
    for (size_t end = 1; status == 0 && end <= length; end++) {
        if (end < length && path[end] != '/')
            continue;
        if (path[end - 1] == '/')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)end, path);
        status = is_directory(part);
        if (status == -ENOENT)
            status = make_one(loop, part);
    }
    return status;
}
