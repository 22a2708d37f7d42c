/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Files that are written, as deferreds: weft/file_write.h for tasks.
 *
 *     weft_file *file;
 *     int err;
 *
 *     if ((err = weft_await(weft_file_create(scope, spool, "new", WEFT_FILE_EXCLUSIVE), &file)) < 0)
 *         return err;
 *     if ((err = weft_wait(weft_file_write(scope, file, 0, text))) == 0 &&
 *         (err = weft_wait(weft_file_sync(scope, file))) == 0 &&
 *         (err = weft_wait(weft_file_rename(scope, spool, "new", "message"))) == 0)
 *         err = weft_wait(weft_directory_sync(scope, spool, "."));
 *     weft_file_unref(file);
 *
 * Paths and bytes are *copied*. Errors are those that the `done` of the call
 * in weft/file_write.h is told. To cancel one does not stop what a thread has
 * begun, but nobody waits for it; a file that was made by then is closed.
 */
#ifndef WEFT_FILE_DEFERRED_H
#define WEFT_FILE_DEFERRED_H

#include <weft/deferred.h>
#include <weft/file_write.h>

WEFT_BEGIN_DECLS

/** A deferred for a file, which is *returned*: whoever has the result unrefs it. */
WEFT_DEFERRED(weft_file_made, weft_file *);

/** As weft_file_create_start. */
#define weft_file_create(scope, directory, path, flags) \
    WEFT_HANDLE_(weft_file_made, weft_file_create_at(scope, directory, path, flags, WEFT_HERE))
/** As weft_file_write_start. */
#define weft_file_write(scope, file, offset, bytes) \
    WEFT_HANDLE_(weft_done, weft_file_write_at(scope, file, offset, bytes, WEFT_HERE))
/** As weft_file_truncate_start. */
#define weft_file_truncate(scope, file, length) \
    WEFT_HANDLE_(weft_done, weft_file_truncate_at(scope, file, length, WEFT_HERE))
/** As weft_file_set_time_start. */
#define weft_file_set_time(scope, file, modified) \
    WEFT_HANDLE_(weft_done, weft_file_set_time_at(scope, file, modified, WEFT_HERE))
/** As weft_file_sync_start. */
#define weft_file_sync(scope, file) WEFT_HANDLE_(weft_done, weft_file_sync_at(scope, file, WEFT_HERE))
/** As weft_file_rename_start. */
#define weft_file_rename(scope, directory, from, to) \
    WEFT_HANDLE_(weft_done, weft_file_rename_at(scope, directory, from, to, WEFT_HERE))
/** As weft_file_remove_start. */
#define weft_file_remove(scope, directory, path) \
    WEFT_HANDLE_(weft_done, weft_file_remove_at(scope, directory, path, WEFT_HERE))
/** As weft_directory_make_start. */
#define weft_directory_make(scope, directory, path) \
    WEFT_HANDLE_(weft_done, weft_directory_make_at(scope, directory, path, WEFT_HERE))
/** As weft_directory_sync_start. */
#define weft_directory_sync(scope, directory, path) \
    WEFT_HANDLE_(weft_done, weft_directory_sync_at(scope, directory, path, WEFT_HERE))

/** Beneath weft_file_create. @return *until* its result was had; NULL if memory is short */
WEFT_API weft_deferred *weft_file_create_at(weft_scope *scope, weft_directory *directory, const char *path,
                                            unsigned flags, weft_place place);
/** Beneath weft_file_write. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_write_at(weft_scope *scope, weft_file *file, uint64_t offset, weft_bytes bytes,
                                           weft_place place);
/** Beneath weft_file_truncate. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_truncate_at(weft_scope *scope, weft_file *file, uint64_t length, weft_place place);
/** Beneath weft_file_set_time. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_set_time_at(weft_scope *scope, weft_file *file, weft_time modified, weft_place place);
/** Beneath weft_file_sync. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_sync_at(weft_scope *scope, weft_file *file, weft_place place);
/** Beneath weft_file_rename. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_rename_at(weft_scope *scope, weft_directory *directory, const char *from,
                                            const char *to, weft_place place);
/** Beneath weft_file_remove. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_file_remove_at(weft_scope *scope, weft_directory *directory, const char *path,
                                            weft_place place);
/** Beneath weft_directory_make. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_directory_make_at(weft_scope *scope, weft_directory *directory, const char *path,
                                               weft_place place);
/** Beneath weft_directory_sync. @return *until* as weft_file_create_at */
WEFT_API weft_deferred *weft_directory_sync_at(weft_scope *scope, weft_directory *directory, const char *path,
                                               weft_place place);

WEFT_END_DECLS

#endif
