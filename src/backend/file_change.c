/* SPDX-License-Identifier: MIT */
/* Writing files and changing directories (file.h): all of it blocks, and any thread may do it. */
#include "backend/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/descriptor.h"
#include "backend/file_beneath.h"
#include "backend/file_system.h"

/* Of what is made, less the umask. */
#define FILE_MODE 0666
#define PRIVATE_MODE 0600
#define DIRECTORY_MODE 0777
/* What one call of write(2) takes at most. */
#define WRITE_MOST ((size_t)1 << 30)

int file_create(weft_directory *directory, const char *path, unsigned flags, weft_file **ret)
{
    int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, fd, status;

    if (file_system_here)
        return file_system_here->create(directory, path, flags, ret);
    how |= flags & WEFT_FILE_EXCLUSIVE ? O_EXCL : 0;
    how |= flags & WEFT_FILE_TRUNCATE ? O_TRUNC : 0;
    how |= flags & WEFT_FILE_APPEND ? O_APPEND : 0;
    fd = file_beneath_open_with(directory->fd, path, how, flags & WEFT_FILE_PRIVATE ? PRIVATE_MODE : FILE_MODE);
    status = fd < 0 ? fd : file_adopt(fd, ret);
    if (status == 0)
        (*ret)->append = flags & WEFT_FILE_APPEND;
    return status;
}

int file_write(weft_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count)
{
    *ret_count = 0;
    if (offset > INT64_MAX || length > INT64_MAX - offset)
        return -EFBIG;
    return file->ops->write_at(file, offset, data, length, ret_count);
}

int file_write_plainly(weft_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count)
{
    while (*ret_count < length) {
        size_t left = length - *ret_count;
        ssize_t count = pwrite(file->fd, (const char *)data + *ret_count, left < WRITE_MOST ? left : WRITE_MOST,
                               (off_t)(offset + *ret_count));

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -errno : -EIO;
        *ret_count += (size_t)count;
    }
    return 0;
}

int file_truncate(weft_file *file, uint64_t length)
{
    return length > INT64_MAX ? -EFBIG : file->ops->truncate(file, length);
}

int file_truncate_plainly(weft_file *file, uint64_t length)
{
    int result;

    do
        result = ftruncate(file->fd, (off_t)length);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

int file_set_time(weft_file *file, weft_time modified)
{
    return file->ops->set_time(file, modified);
}

int file_set_time_plainly(weft_file *file, weft_time modified)
{
    weft_time part = modified % WEFT_SECONDS(1);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    times[1].tv_sec = (time_t)(modified / WEFT_SECONDS(1) - (part < 0));
    times[1].tv_nsec = (long)(part < 0 ? part + WEFT_SECONDS(1) : part);
    return futimens(file->fd, times) < 0 ? -errno : 0;
}

int file_flush(weft_file *file)
{
    int again = file->fd < 0 ? -1 : fcntl(file->fd, F_DUPFD_CLOEXEC, 0); /* each closing of a descriptor tells */

    return again >= 0 && close(again) < 0 && errno != EINTR ? -errno : 0;
}

/* The kernel tells a failure once for each opening, and takes what it could not write for written from then on: a second
 * attempt would succeed (EL-20). So the first answer stands, also for an attempt that is made meanwhile. */
int file_sync(weft_file *file)
{
    int status;

    pthread_mutex_lock(&file->syncing);
    if (file->lost == 0)
        file->lost = file->ops->sync(file);
    status = file->lost;
    pthread_mutex_unlock(&file->syncing);
    return status;
}

int file_sync_plainly(weft_file *file)
{
    return fsync(file->fd) < 0 ? -errno : 0;
}

/* -- names -- */

int file_rename(weft_directory *directory, const char *from, const char *to)
{
    const char *old_name, *new_name;
    int old_parent, new_parent, status;

    if (file_system_here)
        return file_system_here->rename(directory, from, to);
    old_parent = file_beneath_parent(directory->fd, from, &old_name);
    if (old_parent < 0)
        return old_parent;
    new_parent = file_beneath_parent(directory->fd, to, &new_name);
    status = new_parent;
    if (new_parent >= 0) {
        status = renameat(old_parent, old_name, new_parent, new_name) < 0 ? -errno : 0;
        descriptor_close(new_parent);
    }
    descriptor_close(old_parent);
    return status;
}

int file_remove(weft_directory *directory, const char *path)
{
    const char *name;
    int parent, status;

    if (file_system_here)
        return file_system_here->remove(directory, path);
    parent = file_beneath_parent(directory->fd, path, &name);
    if (parent < 0)
        return parent;
    status = unlinkat(parent, name, 0) < 0 ? -errno : 0;
    descriptor_close(parent);
    return status;
}

int directory_make(weft_directory *directory, const char *path)
{
    const char *name;
    int parent, status;

    if (file_system_here)
        return file_system_here->make(directory, path);
    parent = file_beneath_parent(directory->fd, path, &name);
    if (parent < 0)
        return parent;
    status = mkdirat(parent, name, DIRECTORY_MODE) < 0 ? -errno : 0;
    descriptor_close(parent);
    return status;
}

int directory_sync(weft_directory *directory, const char *path)
{
    int fd, status;

    if (file_system_here)
        return file_system_here->sync(directory, path);
    fd = file_beneath_open_with(directory->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    status = fsync(fd) < 0 ? -errno : 0;
    descriptor_close(fd);
    return status;
}
