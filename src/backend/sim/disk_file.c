/* SPDX-License-Identifier: MIT */
/* Files on a simulated disk, as programs read and write them, with what goes wrong (disk.h). */
#include "backend/sim/disk.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/descriptor.h"
#include "backend/sim/world.h"

static struct sim_faults *faults(const struct sim_host *host)
{
    return &host->world->faults;
}

static void note(const struct sim_host *host, const char *what, int64_t a, int64_t b)
{
    sim_note(host->world, what, host, 0, a, b);
}

/* -- what goes wrong -- */

weft_time sim_disk_time(struct sim_host *host)
{
    if (!sim_fault(faults(host), FAULT_slow_files))
        return 0;
    return 1 + (weft_time)sim_fault_below(faults(host), FAULT_slow_files,
                                          (uint64_t)WEFT_MICROSECONDS(100)
                                              << sim_fault_below(faults(host), FAULT_slow_files, 14));
}

int sim_disk_fails(struct sim_host *host)
{
    if (host->disk.off)
        return -EIO;
    if (host->world->job_time)
        *host->world->job_time += sim_disk_time(host);
    return sim_fault(faults(host), FAULT_file_errors) ? -EIO : 0;
}

/* How many of @p length bytes fit. A disk is full for a while, for everybody. */
size_t sim_disk_room(struct sim_host *host, size_t length)
{
    struct sim_disk *disk = &host->disk;

    if (faults(host)->chance[FAULT_full_disks] == 0)
        return length;
    if (disk->full_till <= host->world->now && sim_fault(faults(host), FAULT_full_disks)) {
        disk->full_till =
            host->world->now + (weft_time)sim_fault_below(faults(host), FAULT_full_disks, WEFT_SECONDS(60));
        disk->left =
            sim_fault_below(faults(host), FAULT_full_disks, 1 << sim_fault_below(faults(host), FAULT_full_disks, 17));
    }
    if (disk->full_till <= host->world->now)
        return length;
    if (length > disk->left)
        length = (size_t)disk->left;
    disk->left -= length;
    return length;
}

/* -- files -- */

static struct sim_file *sim_file_of(const weft_file *file)
{
    return weft_container_of(file, struct sim_file, base);
}

static void destroy(weft_owner *owner)
{
    struct sim_file *file = sim_file_of(weft_container_of(owner, weft_file, owner));

    if (file->base.fd >= 0)
        descriptor_close(file->base.fd);
    if (file->inode && file->inode->holder == file)
        file->inode->holder = NULL;
    sim_inode_unref(file->inode);
    weft_release(file);
}

int sim_file_lock(weft_file *base)
{
    const struct sim_file *file = sim_file_of(base), *holder = file->inode->holder;

    if (holder && holder->life == file->life)
        return -EAGAIN;
    file->inode->holder = file;
    return 0;
}

int sim_file_read_plainly(weft_file *base, uint64_t offset, void *memory, size_t length)
{
    struct sim_file *file;

    if (base->ops == &file_of_system)
        return file_read_plainly(base, offset, memory, length);
    file = sim_file_of(base);
    if (file->life != file->host->disk.lives)
        return -EIO;
    if (file->base.info.kind == WEFT_FILE_DIRECTORY)
        return -EISDIR;
    if (length > INT_MAX)
        length = INT_MAX;
    return file->inode ? sim_inode_read(file->inode, offset, memory, length)
                       : file_read_plainly(base, offset, memory, length);
}

static int read_with_faults(weft_file *base, uint64_t offset, void *memory, size_t length)
{
    struct sim_host *host = sim_file_of(base)->host;
    int status = sim_disk_fails(host);

    if (status == 0 && length > 1 && sim_fault(faults(host), FAULT_short_file_reads))
        length = 1 + (size_t)sim_fault_below(faults(host), FAULT_short_file_reads, length - 1);
    if (status == 0)
        status = sim_file_read_plainly(base, offset, memory, length);
    note(host, "read", (int64_t)offset, status);
    return status;
}

static int read_cached(weft_file *base, uint64_t offset, void *memory, size_t length)
{
    if (offset > INT64_MAX)
        return -EINVAL;
    if (sim_fault(faults(sim_file_of(base)->host), FAULT_slow_files))
        return -EAGAIN;
    return read_with_faults(base, offset, memory, length);
}

/* Whether @p file can be changed at all: 0 or the error. */
static int check_change(const struct sim_file *file)
{
    int status = file->life == file->host->disk.lives ? sim_disk_fails(file->host) : -EIO;

    return status == 0 && !file->inode ? -EBADF : status; /* it was opened for reading */
}

static int write_some(struct sim_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count)
{
    int status = check_change(file);
    size_t fits;

    if (status < 0)
        return status;
    fits = sim_disk_room(file->host, length);
    if (file->base.append)
        offset = file->inode->length;
    status = sim_inode_write(&file->host->disk, file->inode, offset, data, fits);
    if (status < 0)
        return status;
    *ret_count = fits;
    return fits < length ? -ENOSPC : 0;
}

static int sim_write(weft_file *base, uint64_t offset, const void *data, size_t length, size_t *ret_count)
{
    struct sim_file *file = sim_file_of(base);
    int status = write_some(file, offset, data, length, ret_count);

    if (*ret_count > 0)
        sim_note_bytes(file->host->world, "bytes", file->host, 0, data, *ret_count);
    note(file->host, "write", (int64_t)offset, status);
    return status;
}

static int sim_truncate(weft_file *base, uint64_t length)
{
    struct sim_file *file = sim_file_of(base);
    int status = check_change(file);

    if (status == -EBADF)
        status = -EINVAL; /* as ftruncate(2) has it on Linux */
    if (status == 0)
        status = sim_inode_truncate(&file->host->disk, file->inode, length);
    note(file->host, "truncate", (int64_t)length, status);
    return status;
}

static int sim_set_time(weft_file *base, weft_time modified)
{
    struct sim_file *file = sim_file_of(base);
    int status = check_change(file);

    if (status == 0)
        sim_inode_set_time(file->inode, modified);
    note(file->host, "set time", modified, status);
    return status;
}

static int sim_sync(weft_file *base)
{
    struct sim_file *file = sim_file_of(base);
    int status = file->life == file->host->disk.lives ? sim_disk_fails(file->host) : -EIO;

    if (status == 0 && sim_fault(faults(file->host), FAULT_failed_syncs))
        status = -EIO;
    if (status < 0 && file->inode && !file->host->disk.off)
        sim_inode_lose(&file->host->disk, file->inode);
    else if (status == 0 && file->inode)
        sim_inode_sync(file->inode);
    note(file->host, "sync", 0, status);
    return status;
}

static bool is_current(const weft_file *base, const weft_directory *directory, const char *name)
{
    const struct sim_file *file = sim_file_of(base);
    char path[PATH_MAX];
    struct sim_view view;

    if (file->life != file->host->disk.lives || sim_disk_path(directory, name, path) < 0 ||
        sim_disk_look(&file->host->disk, path, &view) < 0)
        return false;
    if (view.what == SIM_SYSTEMS)
        return !file->inode && directory->fd >= 0 && file_is_current(base, directory, name);
    return view.what == SIM_INODE && view.inode == file->inode && view.inode->version == file->version;
}

static int by_name(const void *one, const void *other)
{
    const weft_file_entry *a = one, *b = other;
    size_t shorter = a->name.length < b->name.length ? a->name.length : b->name.length;
    int order = memcmp(a->name.data, b->name.data, shorter);

    return order != 0 ? order : (a->name.length > b->name.length) - (a->name.length < b->name.length);
}

/* The system has its names in no order; here it is the same in every run. */
static int sim_list(weft_file *base, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                    bool *ret_truncated)
{
    struct sim_file *file = sim_file_of(base);
    int status = sim_disk_fails(file->host);

    if (status == 0)
        status = sim_disk_list(&file->host->disk, file->path, base, limit, ret_entries, ret_count, ret_truncated);
    if (status == 0 && *ret_count > 1)
        qsort(*ret_entries, *ret_count, sizeof **ret_entries, by_name);
    note(file->host, "list", status, status == 0 ? (int64_t)*ret_count : 0);
    return status;
}

static const struct file_ops sim_file_ops = {
    .read_at = read_with_faults,
    .read_cached = read_cached,
    .is_current = is_current,
    .list = sim_list,
    .write_at = sim_write,
    .truncate = sim_truncate,
    .set_time = sim_set_time,
    .sync = sim_sync,
};

int sim_file_new(struct sim_host *host, const char *path, struct sim_inode *inode, weft_file *systems, weft_file **ret)
{
    size_t size = strlen(path) + 1;
    struct sim_file *file = weft_allocate_zeroed(1, sizeof *file + size);

    if (!file) {
        weft_file_unref(systems);
        return WEFT_ENOMEM;
    }
    file->base.owner = (weft_owner){.references = 1, .destroy = destroy};
    file->base.ops = &sim_file_ops;
    file->base.fd = -1;
    pthread_mutex_init(&file->base.syncing, NULL);
    if (systems) {
        file->base.fd = systems->fd;
        file->base.device = systems->device;
        file->base.changed = systems->changed;
        file->base.info = systems->info;
        systems->fd = -1;
        weft_file_unref(systems);
    }
    if (inode) {
        file->inode = sim_inode_ref(inode);
        file->version = inode->version;
        file->base.info = (weft_file_info){.kind = inode->directory ? WEFT_FILE_DIRECTORY : WEFT_FILE_REGULAR,
                                           .length = inode->length,
                                           .modified = inode->modified,
                                           .inode = SIM_INODES + inode->number};
    }
    file->host = host;
    file->life = host->disk.lives;
    memcpy(file->path, path, size);
    *ret = &file->base;
    return 0;
}
