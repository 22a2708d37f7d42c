/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Opening and listing files without making the loop wait.
 *
 * Opening first tries a call that cannot block (openat2 with RESOLVE_CACHED)
 * and goes to the job pool only when that would have to wait. Everything is
 * opened beneath a directory: no name, `..` or symbolic link leads out of it.
 * Where the system has no openat2, the path is walked, and no link followed.
 */
#ifndef WEFT_FILE_OPEN_H
#define WEFT_FILE_OPEN_H

#include <weft/file.h>
#include <weft/job.h>

WEFT_BEGIN_DECLS

/** An opening under way. Its memory is the caller's, until `done` was called or weft_file_open returned it done. */
typedef struct weft_file_open {
    weft_job job;                                          /**< private */
    weft_directory *directory;                             /**< private */
    const char *path;                                      /**< private */
    int status;                                            /**< private */
    weft_file *file;                                       /**< the result, *returned*: the caller unrefs it */
    void (*done)(struct weft_file_open *open, int status); /**< private */
} weft_file_open;

/**
 * Opens @p path, relative and beneath @p directory, for reading.
 *
 * @param path  *until* done: no leading slash, no empty, `.` or `..` segment; "." is the directory itself
 * @param done  called only if the result is 1, once, from the loop, with 0 (and open->file set) or an error
 * @return 0: open->file is set; 1: `done` will be called; -ENOENT, -EACCES, -ELOOP or -EXDEV (it would lead out),
 *         -EMFILE, WEFT_ENOMEM
 */
WEFT_API WEFT_NODISCARD int weft_file_open_start(weft_file_open *open, weft_scope *scope, weft_directory *directory,
                                                 const char *path, void (*done)(weft_file_open *open, int status));

/** A directory being listed by the job pool. */
typedef struct weft_file_list {
    weft_job job;             /**< private */
    weft_file *file;          /**< private */
    size_t limit;             /**< private */
    weft_file_entry *entries; /**< the result, in no order; freed by weft_file_list_fini */
    size_t count;
    bool truncated;                                        /**< there were more than the limit */
    int status;                                            /**< private */
    void (*done)(struct weft_file_list *list, int status); /**< private */
} weft_file_list;

/**
 * Lists at most @p limit entries of the directory @p file ("." and ".." left out), on the job pool.
 * @return 0: `done` will be called once; an error, and it will not
 */
WEFT_API WEFT_NODISCARD int weft_file_list_start(weft_file_list *list, weft_scope *scope, weft_file *file, size_t limit,
                                                 void (*done)(weft_file_list *list, int status));
/** Frees the entries. */
WEFT_API void weft_file_list_fini(weft_file_list *list);

WEFT_END_DECLS

#endif
