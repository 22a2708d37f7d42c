/* SPDX-License-Identifier: MIT */
/*
 * Opening beneath a directory (file_beneath.h): by openat2(2), which resolves
 * the whole path under the kernel's eyes; or, where that is missing (before
 * Linux 5.6, under some emulators and sandboxes), by walking the path, one
 * openat(2) for each segment, none of which may be a symbolic link. So the
 * walk refuses links that stay inside, too: it is the safe part of the same.
 */
#include "backend/file_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/descriptor.h"

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

/* O_NONBLOCK, so that a FIFO or a device in the tree does not hold us; it changes nothing for regular files. */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
/* How often an opening is tried that a rename somewhere above it has disturbed (openat2(2), EAGAIN). */
#define TRIES 32
#define SEGMENT_MOST 255

static int by_kernel(int directory, const char *path, int flags, unsigned mode, bool may_wait)
{
    struct open_how how = {
        .flags = (unsigned)flags,
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (may_wait ? 0 : RESOLVE_CACHED),
    };
    long fd;
    int tries = 0;

    do
        fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && may_wait)) && ++tries < TRIES);
    return fd < 0 ? -errno : (int)fd;
}

/* The next segment of @p *path, which is advanced over it and the slash behind. Returns 0 or a negative error. */
static int next_segment(const char **path, char segment[SEGMENT_MOST + 1])
{
    size_t length = strcspn(*path, "/");

    if (length > SEGMENT_MOST)
        return -ENAMETOOLONG;
    memcpy(segment, *path, length);
    segment[length] = '\0';
    *path += length + ((*path)[length] == '/');
    if (length == 0 || strcmp(segment, "..") == 0)
        return -EXDEV; /* an absolute path, or one that leads upward */
    return 0;
}

static int by_walking(int directory, const char *path, int last_flags, unsigned mode)
{
    char segment[SEGMENT_MOST + 1];
    int at = directory, status = -ENOENT;

    while (*path) {
        int flags, next;

        status = next_segment(&path, segment);
        flags = *path ? O_PATH | O_DIRECTORY | O_CLOEXEC : last_flags;
        next = status < 0 ? -1 : openat(at, segment, flags | O_NOFOLLOW, mode);
        if (status == 0 && next < 0)
            status = -errno;
        if (at != directory)
            descriptor_close(at);
        if (status < 0)
            return status;
        at = next;
    }
    return at == directory ? status : at;
}

int file_beneath_open(int directory, const char *path, bool may_wait)
{
    int fd = by_kernel(directory, path, READ_FLAGS, 0, may_wait);

    if (fd == -EINVAL && !may_wait)
        return -EAGAIN; /* before Linux 5.12: no RESOLVE_CACHED, so it might wait */
    if (fd != -ENOSYS)
        return fd;
    return may_wait ? by_walking(directory, path, READ_FLAGS, 0) : -EAGAIN;
}

int file_beneath_open_with(int directory, const char *path, int flags, unsigned mode)
{
    int fd = by_kernel(directory, path, flags, mode, true);

    return fd == -ENOSYS ? by_walking(directory, path, flags, mode) : fd;
}

int file_beneath_parent(int directory, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char parent[PATH_MAX] = ".";

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -EINVAL;
    if (slash == path)
        return -EXDEV;
    if (slash && (size_t)(slash - path) >= sizeof parent)
        return -ENAMETOOLONG;
    if (slash)
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    *ret_name = name;
    return file_beneath_open_with(directory, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

/* A path of one segment cannot lead out unless it is a link itself; in a longer one any folder may have become one. */
int file_beneath_stat(int directory, const char *path, struct stat *ret)
{
    int fd, status;

    if (!strchr(path, '/')) {
        status = fstatat(directory, path, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
        if (status < 0 || !S_ISLNK(ret->st_mode))
            return status;
    }
    fd = by_kernel(directory, path, O_PATH | O_CLOEXEC, 0, false);
    if (fd < 0)
        return fd;
    status = fstat(fd, ret) < 0 ? -errno : 0;
    descriptor_close(fd);
    return status;
}
