/* SPDX-License-Identifier: MIT */
/* Files that are read or begun at start-up, by any path (file.h): these block. */
#include "backend/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <weft/memory.h>
#include <weft/secret.h>

#include "backend/file_system.h"

/* The directory of @p path, and its last segment. */
static int open_directory(const char *path, weft_directory **ret_directory, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];
    size_t length = slash ? (size_t)(slash - path) : 0;

    if (length >= sizeof directory)
        return -ENAMETOOLONG;
    memcpy(directory, path, length);
    directory[length] = '\0';
    *ret_name = slash ? slash + 1 : path;
    return weft_directory_open(!slash ? "." : length == 0 ? "/" : directory, ret_directory);
}

/* On a simulated disk, where everything is beneath a directory. */
static int open_beneath(const char *path, bool append, weft_file **ret)
{
    weft_directory *directory;
    const char *name;
    int status = open_directory(path, &directory, &name);

    if (status < 0)
        return status;
    status = append ? file_create(directory, name, WEFT_FILE_APPEND, ret) : file_open(directory, name, true, ret);
    weft_directory_unref(directory);
    return status;
}

/* (An operator's path may lead anywhere, through links, too.) */
static int open_anywhere(const char *path, bool append, weft_file **ret)
{
    int how = append ? O_WRONLY | O_CREAT | O_APPEND : O_RDONLY;
    int fd, status;

    if (file_system_here)
        return open_beneath(path, append, ret);
    fd = open(path, how | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0)
        return -errno;
    status = file_adopt(fd, ret);
    if (status == 0)
        (*ret)->append = append;
    return status;
}

static int read_all(weft_file *file, size_t length, char *data)
{
    size_t done = 0;

    while (done < length) {
        int count = file_read(file, done, data + done, length - done);

        if (count <= 0)
            return count < 0 ? count : WEFT_ECHANGED;
        done += (size_t)count;
    }
    return 0;
}

int file_read_whole(const char *path, size_t limit, char **ret_data, size_t *ret_length)
{
    weft_file *file;
    const weft_file_info *about;
    char *data = NULL;
    int status = open_anywhere(path, false, &file);

    if (status < 0)
        return status;
    about = weft_file_about(file);
    if (about->kind != WEFT_FILE_REGULAR)
        status = about->kind == WEFT_FILE_DIRECTORY ? -EISDIR : -EINVAL;
    else if (about->length > limit)
        status = -EFBIG;
    if (status == 0) {
        data = weft_allocate((size_t)about->length + 1);
        status = data ? read_all(file, (size_t)about->length, data) : WEFT_ENOMEM;
    }
    if (status == 0) {
        data[about->length] = '\0';
        *ret_length = (size_t)about->length;
        *ret_data = data;
    } else if (data) {
        weft_secret_clear(data, (size_t)about->length);
        weft_release(data);
    }
    weft_file_unref(file);
    return status;
}

int file_append_start(const char *path, weft_file **ret)
{
    return open_anywhere(path, true, ret);
}
