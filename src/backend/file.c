/* SPDX-License-Identifier: MIT */
/*
 * Files (weft/file.h): everything is opened beneath a directory and looked at
 * through its descriptor, never again by name, so that nothing can be swapped
 * between the check and the use.
 */
#include <weft/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"
#include "backend/file_beneath.h"
#include "backend/file_system.h"
#include "base/probe.h"

/* A turn's worth of one file: more waits until the other streams have had their turn. */
#define SEND_MOST (1024 * 1024)

_Thread_local const struct file_system *file_system_here;

static weft_time time_of(const struct timespec *time)
{
    return WEFT_SECONDS(time->tv_sec) + time->tv_nsec;
}

void file_info_from(const struct stat *about, weft_file_info *ret)
{
    ret->kind = S_ISREG(about->st_mode)   ? WEFT_FILE_REGULAR
                : S_ISDIR(about->st_mode) ? WEFT_FILE_DIRECTORY
                : S_ISLNK(about->st_mode) ? WEFT_FILE_LINK
                                          : WEFT_FILE_OTHER;
    ret->length = (uint64_t)about->st_size;
    ret->modified = time_of(&about->st_mtim);
    ret->inode = about->st_ino;
}

/* -- directories -- */

int weft_directory_open(const char *path, weft_directory **ret_directory)
{
    weft_directory *directory;
    int status;

    if (file_system_here)
        return file_system_here->directory_open(path, ret_directory);
    directory = weft_allocate_zeroed(1, sizeof *directory);
    if (!directory)
        return WEFT_ENOMEM;
    directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0) {
        status = -errno;
        weft_release(directory);
        return status;
    }
    atomic_init(&directory->references, 1);
    *ret_directory = directory;
    return 0;
}

weft_directory *weft_directory_ref(weft_directory *directory)
{
    atomic_fetch_add(&directory->references, 1);
    return directory;
}

void weft_directory_unref(weft_directory *directory)
{
    if (!directory || atomic_fetch_sub(&directory->references, 1) != 1)
        return;
    if (directory->fd >= 0)
        descriptor_close(directory->fd);
    weft_release(directory->path);
    weft_release(directory);
}

/* -- opening -- */

static void file_destroy(weft_owner *owner)
{
    weft_file *file = weft_container_of(owner, weft_file, owner);

    if (file->fd >= 0)
        descriptor_close(file->fd);
    weft_release(file);
}

int file_adopt(int fd, weft_file **ret)
{
    weft_file *file = weft_allocate_zeroed(1, sizeof *file);
    struct stat about;
    int status = 0;

    if (!file)
        status = WEFT_ENOMEM;
    else if (fstat(fd, &about) < 0)
        status = -errno;
    if (status < 0) {
        weft_release(file);
        descriptor_close(fd);
        return status;
    }
    file->owner = (weft_owner){.references = 1, .destroy = file_destroy};
    file->fd = fd;
    file->ops = &file_of_system;
    pthread_mutex_init(&file->syncing, NULL);
    file->device = about.st_dev;
    file->changed = about.st_ctim;
    file_info_from(&about, &file->info);
    *ret = file;
    return 0;
}

int file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret)
{
    int fd;

    if (file_system_here)
        return file_system_here->open_file(directory, path, may_wait, ret);
    fd = file_beneath_open(directory->fd, path, may_wait);
    return fd < 0 ? fd : file_adopt(fd, ret);
}

weft_file *weft_file_ref(weft_file *file)
{
    weft_owner_ref(&file->owner);
    return file;
}

void weft_file_unref(weft_file *file)
{
    if (file)
        weft_owner_unref(&file->owner);
}

bool weft_file_is_current(const weft_file *file, const weft_directory *directory, const char *path)
{
    return file->ops->is_current(file, directory, path);
}

bool file_is_current(const weft_file *file, const weft_directory *directory, const char *path)
{
    struct stat about;

    return file_beneath_stat(directory->fd, path, &about) == 0 && about.st_dev == file->device &&
           about.st_ino == file->info.inode && (uint64_t)about.st_size == file->info.length &&
           about.st_ctim.tv_sec == file->changed.tv_sec && about.st_ctim.tv_nsec == file->changed.tv_nsec;
}

const weft_file_info *weft_file_about(const weft_file *file)
{
    return &file->info;
}

int file_descriptor(const weft_file *file)
{
    return file->fd;
}

weft_owner *file_owner(weft_file *file)
{
    return &file->owner;
}

weft_file *file_of_owner(weft_owner *owner)
{
    return weft_container_of(owner, weft_file, owner);
}

/* -- reading and sending -- */

int file_read(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return file->ops->read_at(file, offset, memory, length);
}

int file_read_plainly(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    ssize_t count;

    if (offset > INT64_MAX)
        return -EINVAL;
    if (length > INT_MAX)
        length = INT_MAX;
    do
        count = pread(file->fd, memory, length, (off_t)offset);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : (int)count;
}

/* Whether the file system is nothing but memory: there RWF_NOWAIT may be unknown, and reading never waits. */
static bool is_in_memory(int fd)
{
    struct statfs about;

    return fstatfs(fd, &about) == 0 && (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC);
}

int weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return file->ops->read_cached(file, offset, memory, length);
}

static int read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    struct iovec run = {.iov_base = memory, .iov_len = length};
    ssize_t count;

    if (RARE("file: reading has to wait"))
        return -EAGAIN;
    if (offset > INT64_MAX)
        return -EINVAL; /* preadv2 would take -1 for the descriptor's own position */
    count = preadv2(file->fd, &run, 1, (off_t)offset, RWF_NOWAIT);
    if (count < 0 && errno == EOPNOTSUPP && file->info.kind == WEFT_FILE_DIRECTORY)
        return -EISDIR;
    if (count < 0 && errno == EOPNOTSUPP)
        return is_in_memory(file->fd) ? file_read_plainly(file, offset, memory, length) : -EAGAIN;
    return count < 0 ? -errno : (int)count;
}

const struct file_ops file_of_system = {
    .read_at = file_read_plainly,
    .read_cached = read_cached,
    .is_current = file_is_current,
    .list = file_list_plainly,
    .write_at = file_write_plainly,
    .truncate = file_truncate_plainly,
    .set_time = file_set_time_plainly,
    .sync = file_sync_plainly,
};

/* Asking after every page would cost more than sending. */
#define PROBE_STEP (256 * 1024)

bool file_is_cached(const weft_file *file, uint64_t offset, uint64_t length)
{
    uint64_t end = offset + length;
    char byte;

    for (uint64_t at = offset; at<end; at = end - at> PROBE_STEP ? at + PROBE_STEP : end)
        if (weft_file_read_cached((weft_file *)(uintptr_t)file, at, &byte, 1) == -EAGAIN)
            return false;
    return weft_file_read_cached((weft_file *)(uintptr_t)file, end - 1, &byte, 1) != -EAGAIN;
}

int file_send(int out, weft_file *file, uint64_t offset, uint64_t length, int64_t *ret_sent)
{
    off_t at = (off_t)offset;
    size_t most = length < SEND_MOST ? (size_t)length : SEND_MOST;

    while (most > 0) {
        ssize_t count = sendfile(out, file->fd, &at, most);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0)
            return WEFT_ECHANGED; /* the file has become shorter than what was announced */
        *ret_sent += count;
        most -= (size_t)count;
    }
    return 0;
}
