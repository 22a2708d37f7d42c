/* SPDX-License-Identifier: MIT */
/*
 * The inside of files and directories, for the files of the seam: what a file
 * can do is in a table, so that a simulated world can have files of its own
 * among the system's (sim/disk.h).
 */
#ifndef BACKEND_FILE_SYSTEM_H
#define BACKEND_FILE_SYSTEM_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

#include "backend/file.h"

struct weft_directory {
    atomic_uint references;
    int fd;     /* -1: it is not the system's */
    char *path; /* in a simulated world, absolute; else NULL */
};

struct file_ops {
    int (*read_at)(weft_file *file, uint64_t offset, void *memory, size_t length);
    int (*read_cached)(weft_file *file, uint64_t offset, void *memory, size_t length);
    bool (*is_current)(const weft_file *file, const weft_directory *directory, const char *path);
    int (*list)(weft_file *file, size_t limit, weft_file_entry **ret_entries, size_t *ret_count, bool *ret_truncated);
    int (*write_at)(weft_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count);
    int (*truncate)(weft_file *file, uint64_t length);
    int (*set_time)(weft_file *file, weft_time modified);
    int (*sync)(weft_file *file);
};

struct weft_file {
    weft_owner owner;
    const struct file_ops *ops;
    int fd; /* -1: it is not the system's */
    bool append;
    pthread_mutex_t syncing;
    int lost; /* why what was written is lost; 0. Under the lock */
    dev_t device;
    struct timespec changed; /* ctime: moves with every change, and cannot be set */
    weft_file_info info;
};

/* Where files are opened and changed. */
struct file_system {
    int (*directory_open)(const char *path, weft_directory **ret);
    int (*open_file)(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
    int (*create)(weft_directory *directory, const char *path, unsigned flags, weft_file **ret);
    int (*rename)(weft_directory *directory, const char *from, const char *to);
    int (*remove)(weft_directory *directory, const char *path);
    int (*make)(weft_directory *directory, const char *path);
    int (*sync)(weft_directory *directory, const char *path);
    int (*lock)(const char *path, weft_file **ret);
};

/* That of the simulated host whose code this thread runs; NULL: the system's own. */
extern _Thread_local const struct file_system *file_system_here;

/* The system's own. */
extern const struct file_ops file_of_system;
int file_read_plainly(weft_file *file, uint64_t offset, void *memory, size_t length);
bool file_is_current(const weft_file *file, const weft_directory *directory, const char *path);
int file_list_plainly(weft_file *file, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
                      bool *ret_truncated);
int file_write_plainly(weft_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count);
int file_truncate_plainly(weft_file *file, uint64_t length);
int file_set_time_plainly(weft_file *file, weft_time modified);
int file_sync_plainly(weft_file *file);

#endif
