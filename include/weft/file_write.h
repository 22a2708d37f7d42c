/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Files that are written: made, written, cut, synced, renamed, removed, beneath
 * a directory, by the job pool, so that the loop never waits for a disk.
 *
 * Each call has a job of its own, whose `done` is called once, from the loop.
 * weft/file_deferred.h has the same as deferreds.
 *
 * To replace a file so that after a loss of power either the old content or
 * the new one is there, whole: make a new one (WEFT_FILE_EXCLUSIVE) beside it,
 * write it, sync it, rename it over the old one, and sync the directory.
 *
 * **When a sync fails, what was written is lost**, as far as anybody can know,
 * and syncing again does not help: the system takes it for written from then
 * on. So that file answers the same error to every further sync. Write all of
 * it anew to another file, or tell whoever relies on it.
 */
#ifndef WEFT_FILE_WRITE_H
#define WEFT_FILE_WRITE_H

#include <weft/file.h>
#include <weft/job.h>

WEFT_BEGIN_DECLS

/** One call under way. Its memory is the caller's, until `done` was called; what it was given must last as long. */
typedef struct weft_file_call {
    weft_job job; /**< private */
    /** weft_file_create_start: the result, *returned*, the caller unrefs it. The others: private */
    weft_file *file;
    size_t count; /**< of bytes that were read or written, also when the call failed */

    weft_directory *directory;                             /**< private */
    const char *path, *other;                              /**< private */
    uint64_t offset;                                       /**< private; of weft_file_truncate_start the length */
    weft_time modified;                                    /**< private */
    void *memory;                                          /**< private */
    size_t length;                                         /**< private */
    unsigned flags;                                        /**< private */
    int status;                                            /**< private */
    int (*work)(struct weft_file_call *call);              /**< private */
    void (*done)(struct weft_file_call *call, int status); /**< private */
} weft_file_call;

/** Told of the end of @p call: 0 or an error; the reason, if its scope is cancelled (it may have been done all the
 *  same: what has begun is not stopped). */
typedef void weft_file_done(weft_file_call *call, int status);

/**
 * Opens @p path, relative and beneath @p directory, for reading and writing; makes it, with the permissions that the
 * umask leaves of 0666 (or 0600: WEFT_FILE_PRIVATE), if it is not there.
 * @param path   *until* done: as for weft_file_open_start
 * @param flags  WEFT_FILE_EXCLUSIVE and so on
 * @return 0: `done` will be called with 0 (and call->file set) or -EEXIST, -EISDIR, -ENOSPC, -EROFS, -EMFILE and the
 *         like; an error of weft_job_start, and it will not; -EINVAL for flags that there are not
 */
WEFT_API WEFT_NODISCARD int weft_file_create_start(weft_file_call *call, weft_scope *scope, weft_directory *directory,
                                                   const char *path, unsigned flags, weft_file_done *done);
/**
 * Reads up to @p length bytes at @p offset into @p memory (*until* done), waiting for the disk; call->count says how
 * many there were: fewer than @p length may come before the end, none at it.
 * @return as weft_file_create_start
 */
WEFT_API WEFT_NODISCARD int weft_file_read_start(weft_file_call *call, weft_scope *scope, weft_file *file,
                                                 uint64_t offset, void *memory, size_t length, weft_file_done *done);
/**
 * Writes @p bytes (*until* done) at @p offset, all of them: after an error (-ENOSPC, -EDQUOT, -EFBIG, -EIO) call->count
 * says how many are written. That they are on the disk says only weft_file_sync_start. Of writes that overlap, or
 * append, have one under way at a time.
 * @return as weft_file_create_start
 */
WEFT_API WEFT_NODISCARD int weft_file_write_start(weft_file_call *call, weft_scope *scope, weft_file *file,
                                                  uint64_t offset, weft_bytes bytes, weft_file_done *done);
/**
 * Gives @p file, which weft_file_create_start has opened, @p length bytes: what is behind them is cut off; what is
 * missing is zero.
 * @return as weft_file_create_start; `done` may be called with -EFBIG
 */
WEFT_API WEFT_NODISCARD int weft_file_truncate_start(weft_file_call *call, weft_scope *scope, weft_file *file,
                                                     uint64_t length, weft_file_done *done);
/**
 * Says that @p file, which weft_file_create_start has opened, was last changed at @p modified (wall clock, which may be
 * before 1970), until it is changed again.
 * @return as weft_file_create_start
 */
WEFT_API WEFT_NODISCARD int weft_file_set_time_start(weft_file_call *call, weft_scope *scope, weft_file *file,
                                                     weft_time modified, weft_file_done *done);
/** Has on the disk what was written before, content and length. After an error see above. A file that was made is found
 *  after a loss of power only if its directory was synced, too. @return as weft_file_create_start */
WEFT_API WEFT_NODISCARD int weft_file_sync_start(weft_file_call *call, weft_scope *scope, weft_file *file,
                                                 weft_file_done *done);
/** Has on the disk the names in the directory @p path beneath @p directory ("." is that itself).
 *  @return as weft_file_create_start */
WEFT_API WEFT_NODISCARD int weft_directory_sync_start(weft_file_call *call, weft_scope *scope,
                                                      weft_directory *directory, const char *path,
                                                      weft_file_done *done);
/** Gives @p from the name @p to, both beneath @p directory and *until* done; what has that name is replaced at once, so
 *  that there is never none. @return as weft_file_create_start */
WEFT_API WEFT_NODISCARD int weft_file_rename_start(weft_file_call *call, weft_scope *scope, weft_directory *directory,
                                                   const char *from, const char *to, weft_file_done *done);
/** Removes the name @p path (*until* done), which is no directory. @return as weft_file_create_start */
WEFT_API WEFT_NODISCARD int weft_file_remove_start(weft_file_call *call, weft_scope *scope, weft_directory *directory,
                                                   const char *path, weft_file_done *done);
/** Makes the directory @p path (*until* done), with the permissions that the umask leaves of 0777.
 *  @return as weft_file_create_start */
WEFT_API WEFT_NODISCARD int weft_directory_make_start(weft_file_call *call, weft_scope *scope,
                                                      weft_directory *directory, const char *path,
                                                      weft_file_done *done);

WEFT_END_DECLS

#endif
