/* SPDX-License-Identifier: MIT */
#include "backend/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "backend/descriptor.h"

/* A file may be removed or replaced while one waits for it. */
#define TRIES 10

/* Locks the open file. A lock of POSIX's own would be lost as soon as anything in the process closed that file. */
static int lock_open_file(int fd, struct stat *ret_about)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fstat(fd, ret_about) < 0)
        return -errno;
    if (!S_ISREG(ret_about->st_mode))
        return -EINVAL;
    if (fcntl(fd, F_OFD_SETLK, &whole) < 0)
        return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

/* Whether @p path is still that of @p locked: 1; 0 if it was removed or replaced; or a negative error. */
static int is_there(const char *path, const struct stat *locked)
{
    struct stat there;

    if (stat(path, &there) < 0)
        return errno == ENOENT ? 0 : -errno;
    return there.st_dev == locked->st_dev && there.st_ino == locked->st_ino;
}

/* Returns 1 if it is held now, 0 if the file was removed or replaced meanwhile, or a negative error. */
static int try_to_take(const char *path, int *ret_fd)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666), status;
    struct stat locked;

    if (fd < 0)
        return -errno;
    status = lock_open_file(fd, &locked);
    if (status == 0)
        status = is_there(path, &locked);
    if (status > 0)
        *ret_fd = fd;
    else
        descriptor_close(fd);
    return status;
}

int file_lock_take(const char *path, int *ret_fd)
{
    for (int i = 0; i < TRIES; i++) {
        int status = try_to_take(path, ret_fd);
        if (status != 0)
            return status < 0 ? status : 0;
    }
    return -EAGAIN;
}

void file_lock_give(int fd)
{
    descriptor_close(fd);
}
