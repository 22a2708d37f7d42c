/* SPDX-License-Identifier: MIT */
#include "backend/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "backend/file_system.h"

/* A file may be removed or replaced while one waits for it. */
#define TRIES 10

/* Locks the open file. A lock of POSIX's own would be lost as soon as anything in the process closed that file. */
static int lock_open_file(const weft_file *file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (file->info.kind != WEFT_FILE_REGULAR)
        return -EINVAL;
    if (fcntl(file->fd, F_OFD_SETLK, &whole) < 0)
        return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

/* Whether @p path is still that of @p locked: 1; 0 if it was removed or replaced; or a negative error. */
static int is_there(const char *path, const weft_file *locked)
{
    struct stat there;

    if (stat(path, &there) < 0)
        return errno == ENOENT ? 0 : -errno;
    return there.st_dev == locked->device && there.st_ino == locked->info.inode;
}

/* Returns 1 if it is held now, 0 if the file was removed or replaced meanwhile, or a negative error. */
static int try_to_take(const char *path, weft_file **ret)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666), status;
    weft_file *file;

    if (fd < 0)
        return -errno;
    status = file_adopt(fd, &file);
    if (status < 0)
        return status;
    status = lock_open_file(file);
    if (status == 0)
        status = is_there(path, file);
    if (status > 0)
        *ret = file;
    else
        weft_file_unref(file);
    return status;
}

int file_lock_take(const char *path, weft_file **ret)
{
    if (file_system_here)
        return file_system_here->lock(path, ret);
    for (int i = 0; i < TRIES; i++) {
        int status = try_to_take(path, ret);
        if (status != 0)
            return status < 0 ? status : 0;
    }
    return -EAGAIN;
}
