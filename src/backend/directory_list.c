/* SPDX-License-Identifier: MIT */
/*
 * Listing a directory: reading it and asking after each entry may wait for a
 * disk, so this runs on a thread of the job pool.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/memory.h>

#include "backend/descriptor.h"
#include "backend/file_system.h"

struct entries {
    weft_file_entry *all;
    size_t count, room;
};

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int make_room(struct entries *entries)
{
    size_t more = entries->room ? entries->room * 2 : 32;
    void *grown;

    if (entries->count < entries->room)
        return 0;
    grown = weft_reallocate(entries->all, more * sizeof *entries->all);
    if (!grown)
        return WEFT_ENOMEM;
    entries->all = grown;
    entries->room = more;
    return 0;
}

static int add(struct entries *entries, const char *name, const struct stat *about)
{
    size_t length = strlen(name);
    char *copy;

    if (make_room(entries) < 0 || !(copy = weft_allocate(length)))
        return WEFT_ENOMEM;
    memcpy(copy, name, length);
    entries->all[entries->count].name = weft_bytes_of(copy, length);
    file_info_from(about, &entries->all[entries->count].info);
    entries->count++;
    return 0;
}

/* The next entry, or NULL with the status: 0 at the end. */
static struct dirent *next_entry(DIR *directory, int *ret_status)
{
    struct dirent *found;

    errno = 0;
    found = readdir(directory);
    *ret_status = found ? 0 : -errno;
    return found;
}

/* Entries that vanish while they are listed, or cannot be looked at, are left out. A symbolic link is listed as such:
 * what it leads to may lie outside. */
static int read_entries(DIR *directory, size_t limit, struct entries *entries, bool *truncated)
{
    struct dirent *found;
    int status = 0;

    while (status == 0 && (found = next_entry(directory, &status)) != NULL) {
        struct stat about;

        if (is_dots(found->d_name) || fstatat(dirfd(directory), found->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (entries->count >= limit) {
            *truncated = true;
            return 0;
        }
        status = add(entries, found->d_name, &about);
    }
    return status;
}

int file_list(weft_file *file, size_t limit, weft_file_entry **ret_entries, size_t *ret_count, bool *ret_truncated)
{
    return file->ops->list(file, limit, ret_entries, ret_count, ret_truncated);
}

int file_list_plainly(weft_file *file, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                      bool *ret_truncated)
{
    struct entries entries = {.all = NULL};
    bool truncated = false;
    int status, fd = openat(file_descriptor(file), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);

    if (!directory) {
        status = -errno;
        if (fd >= 0)
            descriptor_close(fd);
        return status;
    }
    status = read_entries(directory, limit, &entries, &truncated);
    closedir(directory);
    if (status < 0) {
        file_list_free(entries.all, entries.count);
        return status;
    }
    *ret_entries = entries.all;
    *ret_count = entries.count;
    *ret_truncated = truncated;
    return 0;
}

void file_list_free(weft_file_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        weft_release((void *)(uintptr_t)entries[i].name.data);
    weft_release(entries);
}
