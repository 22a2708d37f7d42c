/* SPDX-License-Identifier: MIT */
/* Listing a directory of a simulated disk: what the system has there, less what was replaced, and what was made. */
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/sim/disk.h"
#include "backend/sim/world.h"

struct listing {
    weft_file_entry *all;
    size_t count, room, limit;
    bool truncated;
};

static int add(struct listing *listing, const char *name, size_t length, const weft_file_info *info)
{
    char *copy;

    if (listing->count >= listing->limit) {
        listing->truncated = true;
        return 0;
    }
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 16;
        void *grown = weft_reallocate(listing->all, room * sizeof *listing->all);
        if (!grown)
            return WEFT_ENOMEM;
        listing->all = grown;
        listing->room = room;
    }
    copy = weft_allocate(length);
    if (!copy)
        return WEFT_ENOMEM;
    memcpy(copy, name, length);
    listing->all[listing->count++] = (weft_file_entry){.name = weft_bytes_of(copy, length), .info = *info};
    return 0;
}

/* Whether this host has changed what is under @p name in @p path. */
static bool is_replaced(const struct sim_disk *disk, const char *path, weft_bytes name)
{
    size_t length = strlen(path);

    for (weft_link *link = disk->entries.next; link != &disk->entries; link = link->next) {
        const struct sim_entry *entry = weft_container_of(link, struct sim_entry, link);
        if (entry->now.what != SIM_SYSTEMS && sim_path_is_in(entry->path, path) &&
            weft_bytes_equal(weft_bytes_from(entry->path + length + 1), name))
            return true;
    }
    return false;
}

static int add_systems(struct sim_disk *disk, const char *path, weft_file *base, struct listing *listing)
{
    weft_file_entry *entries;
    size_t count;
    bool truncated;
    int status = file_list_plainly(base, SIZE_MAX, &entries, &count, &truncated);

    if (status < 0)
        return status;
    for (size_t i = 0; i < count && status == 0; i++)
        if (!is_replaced(disk, path, entries[i].name))
            status = add(listing, entries[i].name.data, entries[i].name.length, &entries[i].info);
    file_list_free(entries, count);
    return status;
}

static int add_written(struct sim_disk *disk, const char *path, struct listing *listing)
{
    size_t length = strlen(path);
    int status = 0;

    for (weft_link *link = disk->entries.next; link != &disk->entries && status == 0; link = link->next) {
        const struct sim_entry *entry = weft_container_of(link, struct sim_entry, link);
        const struct sim_inode *inode = entry->now.inode;
        const char *name = entry->path + length + 1;

        if (inode && sim_path_is_in(entry->path, path))
            status = add(listing, name, strlen(name),
                         &(weft_file_info){.kind = inode->directory ? WEFT_FILE_DIRECTORY : WEFT_FILE_REGULAR,
                                           .length = inode->length,
                                           .modified = inode->modified,
                                           .inode = SIM_INODES + inode->number});
    }
    return status;
}

int sim_disk_list(struct sim_disk *disk, const char *path, weft_file *base, size_t limit, weft_file_entry **ret_entries,
                  size_t *ret_count, bool *ret_truncated)
{
    struct listing listing = {.limit = limit};
    int status = base->fd >= 0 ? add_systems(disk, path, base, &listing) : 0;

    if (status == 0)
        status = add_written(disk, path, &listing);
    if (status < 0) {
        file_list_free(listing.all, listing.count);
        return status;
    }
    *ret_entries = listing.all;
    *ret_count = listing.count;
    *ret_truncated = listing.truncated;
    return 0;
}
