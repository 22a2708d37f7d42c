/* SPDX-License-Identifier: MIT */
/* The paths of a simulated disk, and what is under them (disk.h). */
#include "backend/sim/disk.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

#include "backend/sim/world.h"

void sim_disk_init(struct sim_disk *disk, struct sim_world *world, struct random_source *seed)
{
    memset(disk, 0, sizeof *disk);
    disk->world = world;
    weft_link_init(&disk->entries);
    weft_link_init(&disk->changes);
    random_fork(seed, &disk->random);
}

void sim_view_set(struct sim_view *view, struct sim_view to)
{
    if (to.inode)
        sim_inode_ref(to.inode);
    sim_inode_unref(view->inode);
    *view = to;
}

void sim_disk_fini(struct sim_disk *disk)
{
    static const struct sim_view none = {.what = SIM_NOTHING};

    sim_changes_free(disk);
    while (!weft_link_is_alone(&disk->entries)) {
        struct sim_entry *entry = weft_container_of(disk->entries.next, struct sim_entry, link);

        sim_view_set(&entry->now, none);
        sim_view_set(&entry->kept, none);
        weft_link_remove(&entry->link);
        weft_release(entry);
    }
}

bool sim_path_is_beneath(const char *path, const char *parent)
{
    size_t length = strlen(parent);

    return strncmp(path, parent, length) == 0 && path[length] == '/';
}

bool sim_path_is_in(const char *path, const char *parent)
{
    return sim_path_is_beneath(path, parent) && !strchr(path + strlen(parent) + 1, '/');
}

static struct sim_entry *find(const struct sim_disk *disk, const char *path, size_t length)
{
    for (weft_link *link = disk->entries.next; link != &disk->entries; link = link->next) {
        struct sim_entry *entry = weft_container_of(link, struct sim_entry, link);
        if (strncmp(entry->path, path, length) == 0 && entry->path[length] == '\0')
            return entry;
    }
    return NULL;
}

struct sim_entry *sim_disk_find(const struct sim_disk *disk, const char *path)
{
    return find(disk, path, strlen(path));
}

struct sim_entry *sim_disk_entry(struct sim_disk *disk, const char *path)
{
    size_t size = strlen(path) + 1;
    struct sim_entry *entry = sim_disk_find(disk, path);

    if (entry)
        return entry;
    entry = sim_allocate(disk->world, sizeof *entry + size);
    if (!entry)
        return NULL;
    memcpy(entry->path, path, size);
    weft_link_insert_before(&disk->entries, &entry->link);
    return entry;
}

/* What the way to @p path says, where it has no entry of its own: there is nothing in a directory that was made here, and
 * the system's file beneath one of its own. */
static int look_above(const struct sim_disk *disk, const char *path, struct sim_view *ret)
{
    for (size_t length = strlen(path); length > 0; length--) {
        const struct sim_entry *above = path[length] == '/' ? find(disk, path, length) : NULL;

        if (!above || above->now.what == SIM_SYSTEMS)
            continue;
        if (above->now.what == SIM_INODE && !above->now.inode->directory)
            return -ENOTDIR;
        *ret = (struct sim_view){.what = SIM_NOTHING};
        return 0;
    }
    *ret = (struct sim_view){.what = SIM_SYSTEMS};
    return 0;
}

int sim_disk_look(const struct sim_disk *disk, const char *path, struct sim_view *ret)
{
    const struct sim_entry *entry = sim_disk_find(disk, path);

    if (!entry || entry->now.what == SIM_SYSTEMS)
        return look_above(disk, path, ret);
    *ret = entry->now;
    return 0;
}
