/* SPDX-License-Identifier: MIT */
/* The names on a simulated disk: opening, making, renaming and removing beneath a directory (disk.h). */
#include "backend/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/file_beneath.h"
#include "backend/sim/world.h"
#include "base/realtime.h"

static _Thread_local struct sim_host *here;

static struct sim_faults *faults(const struct sim_host *host)
{
    return &host->world->faults;
}

static int noted(const char *what, int status)
{
    sim_note(here->world, what, here, 0, status, 0);
    return status;
}

/* -- paths -- */

static int directory_path(const weft_directory *directory, char path[PATH_MAX])
{
    char link[64];
    ssize_t length;

    if (directory->path)
        return snprintf(path, PATH_MAX, "%s", directory->path) < PATH_MAX ? 0 : -ENAMETOOLONG;
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory->fd);
    realtime_look_away(); /* (The system's disk is none that this one's loops wait for; so below.) */
    length = readlink(link, path, PATH_MAX - 1);
    realtime_look_again();
    if (length < 0)
        return -errno;
    path[length] = '\0';
    return 0;
}

int sim_disk_path(const weft_directory *directory, const char *name, char *path)
{
    int status = directory_path(directory, path);
    size_t length = status < 0 || strcmp(path, "/") == 0 ? 0 : strlen(path);

    if (status < 0 || strcmp(name, ".") == 0)
        return status;
    for (const char *at = name; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t segment = strcspn(at, "/");
        if (segment == 0 || (segment == 2 && at[0] == '.' && at[1] == '.'))
            return name[0] == '\0' ? -ENOENT : -EXDEV;
        if (segment == 1 && at[0] == '.')
            return -EINVAL;
        if (segment > NAME_MAX)
            return -ENAMETOOLONG;
    }
    return snprintf(path + length, PATH_MAX - length, "/%s", name) < (int)(PATH_MAX - length) ? 0 : -ENAMETOOLONG;
}

/* Opens what the system has there; nothing of it is beneath a directory that was made here. */
static int open_systems(const weft_directory *directory, const char *name, weft_file **ret)
{
    int fd;

    realtime_look_away();
    fd = directory->fd < 0 ? -ENOENT : file_beneath_open(directory->fd, name, true);
    realtime_look_again();
    return fd < 0 ? fd : file_adopt(fd, ret);
}

/* Whether names can be made in the directory of @p path. */
static int parent_is_there(struct sim_disk *disk, const char *path)
{
    char parent[PATH_MAX];
    struct sim_view view;
    struct stat about;
    int status, failed;

    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
    status = sim_disk_look(disk, parent, &view);
    if (status < 0)
        return status;
    if (view.what == SIM_INODE)
        return view.inode->directory ? 0 : -ENOTDIR;
    if (view.what == SIM_NOTHING)
        return -ENOENT;
    realtime_look_away();
    failed = stat(parent[0] ? parent : "/", &about);
    realtime_look_again();
    if (failed < 0)
        return -errno;
    return S_ISDIR(about.st_mode) ? 0 : -ENOTDIR;
}

/* -- opening -- */

static int opening_fails(struct sim_host *host, bool may_wait)
{
    if (!host->disk.off && sim_fault(faults(host), FAULT_descriptors))
        return -EMFILE;
    if (!may_wait && sim_fault(faults(host), FAULT_slow_files))
        return -EAGAIN;
    return sim_disk_fails(host);
}

static int open_here(weft_directory *directory, const char *name, bool may_wait, weft_file **ret)
{
    int status = opening_fails(here, may_wait);
    weft_file *systems = NULL;
    struct sim_view view;
    char path[PATH_MAX];

    if (status == 0)
        status = sim_disk_path(directory, name, path);
    if (status == 0)
        status = sim_disk_look(&here->disk, path, &view);
    if (status < 0)
        return status;
    if (view.what == SIM_NOTHING)
        return -ENOENT;
    if (view.what == SIM_SYSTEMS)
        status = open_systems(directory, name, &systems);
    return status < 0 ? status : sim_file_new(here, path, view.inode, systems, ret);
}

static int sim_open(weft_directory *directory, const char *name, bool may_wait, weft_file **ret)
{
    return noted("open", open_here(directory, name, may_wait, ret));
}

static int directory_new(const char *path, int fd, weft_directory **ret)
{
    weft_directory *directory = weft_allocate_zeroed(1, sizeof *directory);
    size_t size = strlen(path) + 1;

    if (directory)
        directory->path = weft_allocate(size);
    if (!directory || !directory->path) {
        weft_release(directory);
        if (fd >= 0)
            close(fd);
        return WEFT_ENOMEM;
    }
    memcpy(directory->path, path, size);
    directory->fd = fd;
    atomic_init(&directory->references, 1);
    *ret = directory;
    return 0;
}

/* Takes "//", "/./" and what is like them out of the absolute @p path. */
static void tidy(char *path)
{
    char *to = path;

    for (const char *at = path; *at;) {
        size_t segment = strcspn(at + 1, "/");

        if (segment > 0 && !(segment == 1 && at[1] == '.')) {
            memmove(to, at, segment + 1);
            to += segment + 1;
        }
        at += segment + 1;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

/* The way to @p path in the system, as far as it goes there, is the system's: without its links. */
static int resolve(char path[PATH_MAX])
{
    char real[PATH_MAX], rest[PATH_MAX];
    size_t length = strlen(path);

    snprintf(rest, sizeof rest, "%s", path);
    while (length > 1 && !realpath(path, real)) {
        while (length > 1 && path[length - 1] != '/')
            length--;
        path[length > 1 ? --length : length] = '\0';
    }
    if (length <= 1)
        snprintf(path, PATH_MAX, "%s", rest); /* nothing of it is the system's */
    else if (snprintf(path, PATH_MAX, "%s%s", real, rest + length) >= PATH_MAX)
        return -ENAMETOOLONG;
    return 0;
}

/* The absolute path under which the disk may know @p path. */
static int known_path(const char *path, char known[PATH_MAX])
{
    char from[PATH_MAX] = "";

    if (path[0] != '/' && !getcwd(from, sizeof from))
        return -errno;
    if (snprintf(known, PATH_MAX, "%s%s%s", from, path[0] == '/' ? "" : "/", path) >= PATH_MAX)
        return -ENAMETOOLONG;
    tidy(known);
    return resolve(known);
}

/* What only the system has is found by the system. */
static int sim_directory_open(const char *path, weft_directory **ret)
{
    char absolute[PATH_MAX], whole[PATH_MAX];
    struct sim_view view = {.what = SIM_SYSTEMS};
    int status = here->disk.off ? -EIO : known_path(path, absolute), fd;

    if (status == 0)
        status = sim_disk_look(&here->disk, absolute, &view);
    if (status < 0)
        return status;
    if (view.what == SIM_INODE)
        return view.inode->directory ? directory_new(absolute, -1, ret) : -ENOTDIR;
    if (view.what == SIM_NOTHING)
        return -ENOENT;
    realtime_look_away();
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    realtime_look_again();
    if (fd < 0)
        return -errno;
    return directory_new(realpath(path, whole) ? whole : absolute, fd, ret);
}

/* -- making -- */

/* Under @p path there is @p inode from now on, which is taken; it may be lost again, unless @p kept. */
static int place(const char *path, struct sim_inode *inode, bool kept)
{
    struct sim_entry *entry = sim_disk_entry(&here->disk, path);
    struct sim_view view = {.what = SIM_INODE, .inode = inode};
    struct sim_change *change = kept || !entry ? NULL : sim_change_new(&here->disk, 1);

    if (entry && kept) {
        sim_view_set(&entry->now, view);
        sim_view_set(&entry->kept, view);
    } else if (change) {
        sim_change_add(change, entry, view);
    }
    sim_inode_unref(inode);
    return entry && (kept || change) ? 0 : WEFT_ENOMEM;
}

static int make(const char *path, bool directory, struct sim_inode **ret)
{
    struct sim_inode *inode;
    int status = parent_is_there(&here->disk, path);

    if (status == 0 && sim_disk_room(here, 1) == 0)
        status = -ENOSPC;
    if (status < 0)
        return status;
    inode = sim_inode_new(&here->disk, directory);
    if (!inode)
        return WEFT_ENOMEM;
    status = place(path, inode, false);
    if (status == 0)
        *ret = inode;
    return status;
}

/* The system's file is copied before it is written. */
static int copy_up(const weft_directory *directory, const char *name, const char *path, struct sim_inode **ret)
{
    struct sim_inode *inode = NULL;
    weft_file *systems;
    int status = open_systems(directory, name, &systems);

    if (status < 0)
        return status;
    if (systems->info.kind != WEFT_FILE_REGULAR)
        status = systems->info.kind == WEFT_FILE_DIRECTORY ? -EISDIR : -EACCES;
    else if (!(inode = sim_inode_new(&here->disk, false)))
        status = WEFT_ENOMEM;
    else
        status = sim_inode_fill(&here->disk, inode, systems);
    weft_file_unref(systems);
    if (status < 0) {
        sim_inode_unref(inode);
        return status;
    }
    *ret = inode;
    return place(path, inode, true);
}

/* What is written to at @p path: 0, or -ENOENT. */
static int find_written(const weft_directory *directory, const char *name, const char *path, struct sim_inode **ret)
{
    struct sim_view view;
    int status = sim_disk_look(&here->disk, path, &view);

    if (status < 0)
        return status;
    if (view.what == SIM_NOTHING)
        return -ENOENT;
    if (view.what == SIM_SYSTEMS)
        return copy_up(directory, name, path, ret);
    *ret = view.inode;
    return view.inode->directory ? -EISDIR : 0;
}

static int create_here(weft_directory *directory, const char *name, unsigned flags, weft_file **ret)
{
    int status = opening_fails(here, true);
    struct sim_inode *inode;
    char path[PATH_MAX];

    if (status == 0)
        status = sim_disk_path(directory, name, path);
    if (status < 0)
        return status;
    status = find_written(directory, name, path, &inode);
    if (flags & WEFT_FILE_EXCLUSIVE && (status == 0 || status == -EISDIR))
        return -EEXIST;
    if (status == -ENOENT)
        status = make(path, false, &inode);
    else if (status == 0 && flags & WEFT_FILE_TRUNCATE)
        status = sim_inode_truncate(&here->disk, inode, 0);
    if (status == 0)
        status = sim_file_new(here, path, inode, NULL, ret);
    if (status == 0)
        (*ret)->append = flags & WEFT_FILE_APPEND;
    return status;
}

static int sim_create(weft_directory *directory, const char *name, unsigned flags, weft_file **ret)
{
    return noted("create", create_here(directory, name, flags, ret));
}

static int make_here(weft_directory *directory, const char *name)
{
    int status = sim_disk_fails(here);
    struct sim_inode *inode;
    char path[PATH_MAX];

    if (status == 0)
        status = sim_disk_path(directory, name, path);
    if (status < 0)
        return status;
    status = find_written(directory, name, path, &inode);
    if (status == 0 || status == -EISDIR)
        return -EEXIST;
    return status == -ENOENT ? make(path, true, &inode) : status;
}

static int sim_make(weft_directory *directory, const char *name)
{
    return noted("mkdir", make_here(directory, name));
}

/* -- renaming and removing -- */

static const struct sim_view nothing = {.what = SIM_NOTHING};

static int remove_here(weft_directory *directory, const char *name)
{
    int status = sim_disk_fails(here);
    struct sim_entry *entry;
    struct sim_change *change;
    struct sim_inode *inode;
    char path[PATH_MAX];

    if (status == 0)
        status = sim_disk_path(directory, name, path);
    if (status == 0)
        status = find_written(directory, name, path, &inode);
    if (status < 0)
        return status;
    entry = sim_disk_entry(&here->disk, path);
    change = entry ? sim_change_new(&here->disk, 1) : NULL;
    if (!change)
        return WEFT_ENOMEM;
    sim_change_add(change, entry, nothing);
    return 0;
}

static int sim_remove(weft_directory *directory, const char *name)
{
    return noted("remove", remove_here(directory, name));
}

/* Directories are not renamed here, as on an overlay of the kernel's: -EXDEV. */
static int rename_here(weft_directory *directory, const char *from, const char *to)
{
    char old_path[PATH_MAX], new_path[PATH_MAX];
    int status = sim_disk_fails(here);
    struct sim_inode *inode, *former;
    struct sim_entry *source, *target;
    struct sim_change *change;

    if (status == 0)
        status = sim_disk_path(directory, from, old_path);
    if (status == 0)
        status = sim_disk_path(directory, to, new_path);
    if (status == 0)
        status = find_written(directory, from, old_path, &inode);
    if (status == 0)
        status = parent_is_there(&here->disk, new_path);
    if (status < 0)
        return status == -EISDIR ? -EXDEV : status;
    status = find_written(directory, to, new_path, &former);
    if (status < 0 && status != -ENOENT)
        return status;
    if (strcmp(old_path, new_path) == 0)
        return 0;
    source = sim_disk_entry(&here->disk, old_path);
    target = sim_disk_entry(&here->disk, new_path);
    change = source && target ? sim_change_new(&here->disk, 2) : NULL;
    if (!change)
        return WEFT_ENOMEM;
    sim_change_add(change, target, (struct sim_view){.what = SIM_INODE, .inode = inode});
    sim_change_add(change, source, nothing);
    return 0;
}

static int sim_rename(weft_directory *directory, const char *from, const char *to)
{
    return noted("rename", rename_here(directory, from, to));
}

static int sync_here(weft_directory *directory, const char *name)
{
    weft_file *file;
    char path[PATH_MAX];
    int status = open_here(directory, name, true, &file);
    bool is_directory;

    if (status < 0)
        return status;
    is_directory = weft_file_about(file)->kind == WEFT_FILE_DIRECTORY;
    weft_file_unref(file);
    if (!is_directory)
        return -ENOTDIR;
    status = sim_disk_path(directory, name, path);
    if (status == 0 && sim_fault(faults(here), FAULT_failed_syncs))
        status = -EIO;
    if (status == 0)
        sim_changes_sync(&here->disk, path);
    return status;
}

static int sim_sync_directory(weft_directory *directory, const char *name)
{
    return noted("sync names", sync_here(directory, name));
}

/* -- locking -- */

static int lock_in(const char *parent, const char *name, weft_file **ret)
{
    weft_directory *directory;
    weft_file *file;
    int status = sim_directory_open(parent, &directory);

    if (status < 0)
        return status;
    status = create_here(directory, name, 0, &file);
    weft_directory_unref(directory);
    if (status < 0)
        return status == -EACCES ? -EINVAL : status; /* no regular file, or none that it may read */
    status = sim_file_lock(file);
    if (status < 0)
        weft_file_unref(file);
    else
        *ret = file;
    return status;
}

static int sim_lock(const char *path, weft_file **ret)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];

    if (strlen(path) >= sizeof parent)
        return -ENAMETOOLONG;
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (parent[0] == '\0')
        strcpy(parent, slash ? "/" : ".");
    return noted("lock", lock_in(parent, slash ? slash + 1 : path, ret));
}

static const struct file_system sim_files = {
    .directory_open = sim_directory_open,
    .open_file = sim_open,
    .create = sim_create,
    .rename = sim_rename,
    .remove = sim_remove,
    .make = sim_make,
    .sync = sim_sync_directory,
    .lock = sim_lock,
};

void sim_disk_enter(struct sim_host *host)
{
    here = host;
    file_system_here = host ? &sim_files : NULL;
}
