/* SPDX-License-Identifier: MIT */
/*
 * The content of a file on a simulated disk: what a program reads, and what
 * the disk has (disk.h). Pages that were written are dirty until a sync takes
 * them to the disk, or fails to: they are clean then, as Linux has it, and the
 * disk never gets them.
 */
#include "backend/sim/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/sim/world.h"

#define PAGE 4096
/* What a disk writes at once: a page that it was writing may be torn there. */
#define SECTOR 512
#define LENGTH_MOST ((uint64_t)256 << 20)

struct sim_inode *sim_inode_new(struct sim_disk *disk, bool directory)
{
    struct sim_inode *inode = sim_allocate(disk->world, sizeof *inode);

    if (!inode)
        return NULL;
    inode->references = 1;
    inode->number = ++disk->inodes;
    inode->directory = directory;
    inode->modified = sim_world_wall(disk->world);
    return inode;
}

struct sim_inode *sim_inode_ref(struct sim_inode *inode)
{
    inode->references++;
    return inode;
}

void sim_inode_unref(struct sim_inode *inode)
{
    if (!inode || --inode->references > 0)
        return;
    weft_release(inode->data);
    weft_release(inode->kept);
    weft_release(inode->dirty);
    weft_release(inode);
}

/* -- room -- */

/* Moves @p *memory to @p size zeroed bytes. */
static bool grow(struct sim_world *world, void *memory, size_t before, size_t size)
{
    void *former, *grown = sim_allocate(world, size);

    if (!grown)
        return false;
    memcpy(&former, memory, sizeof former);
    if (before > 0)
        memcpy(grown, former, before);
    memcpy(memory, &grown, sizeof grown);
    weft_release(former);
    return true;
}

static int make_room(struct sim_disk *disk, struct sim_inode *inode, uint64_t length)
{
    size_t room = inode->room ? inode->room : PAGE;

    if (length > LENGTH_MOST)
        return -EFBIG;
    if (length <= inode->room)
        return 0;
    while (room < length)
        room *= 2;
    if (!grow(disk->world, &inode->data, inode->room, room) || !grow(disk->world, &inode->kept, inode->room, room) ||
        !grow(disk->world, &inode->dirty, inode->room / PAGE * sizeof(bool), room / PAGE * sizeof(bool)))
        return WEFT_ENOMEM;
    inode->room = room;
    return 0;
}

static void changed(struct sim_disk *disk, struct sim_inode *inode)
{
    inode->version++;
    inode->modified = sim_world_wall(disk->world);
}

static void mark(struct sim_inode *inode, size_t from, size_t to)
{
    for (size_t page = from / PAGE; page * PAGE < to; page++)
        inode->dirty[page] = true;
}

/* -- reading and writing -- */

int sim_inode_fill(struct sim_disk *disk, struct sim_inode *inode, weft_file *from)
{
    for (;;) {
        char block[PAGE];
        int status, count = file_read_plainly(from, inode->length, block, sizeof block);

        if (count <= 0) {
            sim_inode_sync(inode);
            return count;
        }
        status = sim_inode_write(disk, inode, inode->length, block, (size_t)count);
        if (status < 0)
            return status;
    }
}

int sim_inode_write(struct sim_disk *disk, struct sim_inode *inode, uint64_t offset, const char *data, size_t length)
{
    int status = make_room(disk, inode, offset + length);

    if (status < 0 || length == 0)
        return status;
    memcpy(inode->data + offset, data, length);
    mark(inode, (size_t)offset, (size_t)offset + length);
    if (offset + length > inode->length)
        inode->length = (size_t)offset + length;
    changed(disk, inode);
    return 0;
}

int sim_inode_read(const struct sim_inode *inode, uint64_t offset, char *memory, size_t length)
{
    if (offset >= inode->length)
        return 0;
    if (length > inode->length - offset)
        length = inode->length - (size_t)offset;
    memcpy(memory, inode->data + offset, length);
    return (int)length;
}

/* What is behind the length is zero in memory: a file that becomes longer only has more of it. */
int sim_inode_truncate(struct sim_disk *disk, struct sim_inode *inode, uint64_t length)
{
    int status = make_room(disk, inode, length);
    size_t before = inode->length;

    if (status < 0)
        return status;
    inode->length = (size_t)length;
    if (length < before)
        memset(inode->data + length, 0, before - inode->length);
    mark(inode, length < before ? inode->length : before, length < before ? before : inode->length);
    changed(disk, inode);
    return 0;
}

void sim_inode_set_time(struct sim_inode *inode, weft_time modified)
{
    inode->version++;
    inode->modified = modified;
}

/* -- to the disk -- */

void sim_inode_sync(struct sim_inode *inode)
{
    for (size_t page = 0; page < inode->room / PAGE; page++) {
        if (inode->dirty[page])
            memcpy(inode->kept + page * PAGE, inode->data + page * PAGE, PAGE);
        inode->dirty[page] = false;
    }
    inode->kept_length = inode->length;
}

static bool half(struct sim_disk *disk)
{
    return random_below(&disk->random, 2) == 0;
}

void sim_inode_lose(struct sim_disk *disk, struct sim_inode *inode)
{
    for (size_t page = 0; page < inode->room / PAGE; page++) {
        if (inode->dirty[page] && half(disk))
            memcpy(inode->kept + page * PAGE, inode->data + page * PAGE, PAGE);
        inode->dirty[page] = false;
    }
    if (half(disk))
        inode->kept_length = inode->length;
}

/* Each sector of a page that was not synced may have got to the disk, and so may the length, each alone. */
void sim_inode_crash(struct sim_disk *disk, struct sim_inode *inode)
{
    for (size_t at = 0; at < inode->room; at += SECTOR)
        if (inode->dirty[at / PAGE] && half(disk))
            memcpy(inode->kept + at, inode->data + at, SECTOR);
    if (inode->kept_length != inode->length && half(disk))
        inode->kept_length = inode->length;
    if (inode->room > 0) {
        memset(inode->kept + inode->kept_length, 0, inode->room - inode->kept_length);
        memcpy(inode->data, inode->kept, inode->room);
        memset(inode->dirty, 0, inode->room / PAGE * sizeof(bool));
    }
    inode->length = inode->kept_length;
    inode->version++;
}
