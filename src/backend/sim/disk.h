/* SPDX-License-Identifier: MIT */
/*
 * The disk of a simulated host. What is there at first are the system's own
 * files, which are only read; what the host writes is in memory, over them.
 *
 * A disk is a list of entries, each with what is under its path *now*, and
 * what would be found there if the host lost its power now (*kept*). A change
 * of names is kept when its directory is synced; until then it is in `changes`,
 * and after a loss of power the disk has some of the first of those. A file
 * has both contents, too, page by page.
 *
 *   disk.c         the paths, and what is under them
 *   disk_change.c  changes of names, and what becomes of them
 *   disk_data.c    the content of a file
 *   disk_file.c    reading and writing
 *   disk_names.c   opening, making, renaming, removing
 *   disk_list.c    listing
 *
 * A symbolic link among the system's files is followed as the system does, but
 * a file that is written through one is another file under the link's path.
 */
#ifndef BACKEND_SIM_DISK_H
#define BACKEND_SIM_DISK_H

#include <weft/list.h>

#include "backend/file_system.h"
#include "base/random.h"

struct sim_world;
struct sim_host;
struct sim_file;

/* The content of a file that was written, or a directory that was made. */
struct sim_inode {
    unsigned references;
    uint64_t number;
    uint64_t version; /* moves with every change */
    bool directory;
    weft_time modified;
    size_t length, kept_length;
    size_t room; /* of the two; in whole pages */
    char *data, *kept;
    bool *dirty;                   /* pages that were written and not synced */
    const struct sim_file *holder; /* of the lock on it, unless that was another life of the disk; or NULL */
};

enum sim_under { SIM_SYSTEMS, SIM_NOTHING, SIM_INODE };

/* What is under a path: the system's file, nothing, or what this host wrote. */
struct sim_view {
    enum sim_under what;
    struct sim_inode *inode; /* SIM_INODE; else NULL */
};

struct sim_entry {
    weft_link link; /* in disk->entries */
    struct sim_view now, kept;
    char path[]; /* absolute */
};

/* One change of names that is not kept yet: all of it, or none. */
struct sim_change {
    weft_link link; /* in disk->changes, in their order */
    bool keep;
    size_t count, room;
    struct sim_change_part {
        struct sim_entry *entry;
        struct sim_view view;
    } parts[];
};

struct sim_disk {
    struct sim_world *world;
    weft_link entries, changes;
    uint64_t inodes;     /* numbers them */
    unsigned lives;      /* how often it has lost power: what was opened before is gone */
    bool off;            /* it has no power */
    weft_time full_till; /* nothing fits but `left` bytes */
    uint64_t left;
    struct random_source random;
};

/* -- disk.c -- */

void sim_disk_init(struct sim_disk *disk, struct sim_world *world, struct random_source *seed);
void sim_disk_fini(struct sim_disk *disk);
/* What is under @p path. Returns 0; -ENOTDIR if the way there leads through a file. */
int sim_disk_look(const struct sim_disk *disk, const char *path, struct sim_view *ret);
struct sim_entry *sim_disk_find(const struct sim_disk *disk, const char *path);
/* The entry of @p path, which is made if there is none. NULL: no memory. */
struct sim_entry *sim_disk_entry(struct sim_disk *disk, const char *path);
/* Whether the directory of @p path is @p parent. */
bool sim_path_is_in(const char *path, const char *parent);
/* Whether @p path is somewhere beneath @p parent. */
bool sim_path_is_beneath(const char *path, const char *parent);
void sim_view_set(struct sim_view *view, struct sim_view to);

/* -- disk_change.c -- */

/* A change of at most @p room entries. NULL: no memory. */
struct sim_change *sim_change_new(struct sim_disk *disk, size_t room);
/* Adds: under the path of @p entry there is @p view from now on. */
void sim_change_add(struct sim_change *change, struct sim_entry *entry, struct sim_view view);
/* The names in @p directory are kept, and what they depend on. */
void sim_changes_sync(struct sim_disk *disk, const char *directory);
/* The host has lost its power: only what was kept is there, and what the seed leaves of the rest. */
void sim_disk_crash(struct sim_disk *disk);
void sim_changes_free(struct sim_disk *disk);

/* -- disk_data.c -- */

/* NULL: no memory. One reference, the caller's. */
struct sim_inode *sim_inode_new(struct sim_disk *disk, bool directory);
struct sim_inode *sim_inode_ref(struct sim_inode *inode);
void sim_inode_unref(struct sim_inode *inode);
/* Copies what is in the system's file @p from, as what is kept. Returns 0, -EFBIG, or another error. */
int sim_inode_fill(struct sim_disk *disk, struct sim_inode *inode, weft_file *from);
/* Returns 0, -EFBIG or WEFT_ENOMEM. */
int sim_inode_write(struct sim_disk *disk, struct sim_inode *inode, uint64_t offset, const char *data, size_t length);
int sim_inode_read(const struct sim_inode *inode, uint64_t offset, char *memory, size_t length);
/* Returns 0, -EFBIG or WEFT_ENOMEM. */
int sim_inode_truncate(struct sim_disk *disk, struct sim_inode *inode, uint64_t length);
void sim_inode_set_time(struct sim_inode *inode, weft_time modified);
void sim_inode_sync(struct sim_inode *inode);
/* A sync that fails: of what was written since the last some is kept, and the rest never will be. */
void sim_inode_lose(struct sim_disk *disk, struct sim_inode *inode);
/* What is left of it after a loss of power. */
void sim_inode_crash(struct sim_disk *disk, struct sim_inode *inode);

/* -- disk_file.c -- */

/* An open file. */
struct sim_file {
    weft_file base; /* its fd is the system's, if it was not written here */
    struct sim_host *host;
    struct sim_inode *inode; /* or NULL */
    uint64_t version;        /* of that, when it was opened */
    unsigned life;           /* of the disk */
    char path[];             /* absolute */
};

/* Numbers that the system's inodes do not have. */
#define SIM_INODES (UINT64_C(1) << 62)

/* What is under @p path is @p inode, or @p systems, which is taken, also if it fails. */
int sim_file_new(struct sim_host *host, const char *path, struct sim_inode *inode, weft_file *systems, weft_file **ret);
/* Whether something goes wrong: 0 or the error. The job that asks takes as long as the disk. */
int sim_disk_fails(struct sim_host *host);
/* How long the disk takes; 0: what it is asked for is in the page cache. */
weft_time sim_disk_time(struct sim_host *host);
/* How many of @p length bytes fit. A disk is full for a while, for everybody. */
size_t sim_disk_room(struct sim_host *host, size_t length);
/* Has @p file hold the lock on what it is, until it is gone or the host loses its power: 0 or -EAGAIN. */
int sim_file_lock(weft_file *file);
/* Reads without a fault, for whoever has drawn them. */
int sim_file_read_plainly(weft_file *file, uint64_t offset, void *memory, size_t length);

/* -- disk_names.c -- */

/* From now on this thread's files are on the disk of @p host; NULL: the system's. */
void sim_disk_enter(struct sim_host *host);
/* The absolute path of @p name beneath @p directory, which no segment leads out of; of PATH_MAX. */
int sim_disk_path(const weft_directory *directory, const char *name, char *path);

/* -- disk_list.c -- */

/* The names in @p path, which is open as @p base. */
int sim_disk_list(struct sim_disk *disk, const char *path, weft_file *base, size_t limit, weft_file_entry **ret_entries,
                  size_t *ret_count, bool *ret_truncated);

#endif
