/* SPDX-License-Identifier: MIT */
#include "backend/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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

static int try_to_take(const char *path, bool *ret_is_there, int *ret_fd)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666), status;
    struct stat locked, there;

    if (fd < 0)
        return -errno;
    status = lock_open_file(fd, &locked);
    *ret_is_there =
        status < 0 || (stat(path, &there) == 0 && there.st_dev == locked.st_dev && there.st_ino == locked.st_ino);
    if (status < 0 || !*ret_is_there)
        descriptor_close(fd);
    else
        *ret_fd = fd;
    return status;
}

int file_lock_take(const char *path, int *ret_fd)
{
    for (int i = 0; i < TRIES; i++) {
        bool is_there = true;
        int status = try_to_take(path, &is_there, ret_fd);
        if (is_there)
            return status;
    }
    return -EAGAIN;
}

void file_lock_give(int fd)
{
    descriptor_close(fd);
}
