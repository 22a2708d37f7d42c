/* SPDX-License-Identifier: MIT */
/* Changes of names on a simulated disk: which of them a loss of power takes back (disk.h). */
#include "backend/sim/disk.h"

#include <string.h>

#include <weft/memory.h>

#include "backend/sim/world.h"

static struct sim_change *change_of(weft_link *link)
{
    return weft_container_of(link, struct sim_change, link);
}

static struct sim_entry *entry_of(weft_link *link)
{
    return weft_container_of(link, struct sim_entry, link);
}

struct sim_change *sim_change_new(struct sim_disk *disk, size_t room)
{
    struct sim_change *change = sim_allocate(disk->world, sizeof *change + room * sizeof change->parts[0]);

    if (!change)
        return NULL;
    change->room = room;
    weft_link_insert_before(&disk->changes, &change->link);
    return change;
}

void sim_change_add(struct sim_change *change, struct sim_entry *entry, struct sim_view view)
{
    struct sim_change_part *part = &change->parts[change->count++];

    part->entry = entry;
    sim_view_set(&part->view, view);
    sim_view_set(&entry->now, view);
}

static void change_free(struct sim_change *change)
{
    for (size_t i = 0; i < change->count; i++)
        sim_inode_unref(change->parts[i].view.inode);
    weft_link_remove(&change->link);
    weft_release(change);
}

static void change_keep(struct sim_change *change)
{
    for (size_t i = 0; i < change->count; i++)
        sim_view_set(&change->parts[i].entry->kept, change->parts[i].view);
    change_free(change);
}

void sim_changes_free(struct sim_disk *disk)
{
    while (!weft_link_is_alone(&disk->changes))
        change_free(change_of(disk->changes.next));
}

/* -- syncing a directory -- */

static bool is_about(const struct sim_change *change, const char *directory)
{
    for (size_t i = 0; i < change->count; i++)
        if (sim_path_is_in(change->parts[i].entry->path, directory))
            return true;
    return false;
}

static bool share_an_entry(const struct sim_change *one, const struct sim_change *other)
{
    for (size_t i = 0; i < one->count; i++)
        for (size_t j = 0; j < other->count; j++)
            if (one->parts[i].entry == other->parts[j].entry)
                return true;
    return false;
}

/* A later change of the same name that is kept stands on this one. */
static bool is_needed(const struct sim_disk *disk, const struct sim_change *change)
{
    for (weft_link *link = change->link.next; link != &disk->changes; link = link->next)
        if (change_of(link)->keep && share_an_entry(change, change_of(link)))
            return true;
    return false;
}

void sim_changes_sync(struct sim_disk *disk, const char *directory)
{
    for (weft_link *link = disk->changes.prev; link != &disk->changes; link = link->prev)
        change_of(link)->keep = is_about(change_of(link), directory) || is_needed(disk, change_of(link));
    for (weft_link *link = disk->changes.next, *next = link->next; link != &disk->changes;
         link = next, next = link->next)
        if (change_of(link)->keep)
            change_keep(change_of(link));
}

/* -- a loss of power -- */

/* A file whose directory is not there cannot be found. */
static void drop_lost_ways(struct sim_disk *disk)
{
    static const struct sim_view none = {.what = SIM_NOTHING};

    for (weft_link *link = disk->entries.next; link != &disk->entries; link = link->next) {
        struct sim_entry *entry = entry_of(link);
        char *slash = strrchr(entry->path, '/');
        struct sim_view above;
        bool there = true;

        if (entry->now.what != SIM_INODE || slash == entry->path)
            continue;
        *slash = '\0';
        if (sim_disk_find(disk, entry->path))
            there = sim_disk_look(disk, entry->path, &above) == 0 && above.what != SIM_NOTHING;
        *slash = '/';
        if (!there) {
            sim_view_set(&entry->now, none);
            sim_view_set(&entry->kept, none);
        }
    }
}

void sim_disk_crash(struct sim_disk *disk)
{
    size_t count = 0;

    for (weft_link *link = disk->changes.next; link != &disk->changes; link = link->next)
        count++;
    for (count = (size_t)random_below(&disk->random, count + 1); count > 0; count--)
        change_keep(change_of(disk->changes.next));
    sim_changes_free(disk);
    for (weft_link *link = disk->entries.next; link != &disk->entries; link = link->next) {
        struct sim_entry *entry = entry_of(link);

        sim_view_set(&entry->now, entry->kept);
        if (entry->now.inode)
            sim_inode_crash(disk, entry->now.inode);
    }
    drop_lost_ways(disk);
    disk->lives++;
    disk->full_till = 0;
}
