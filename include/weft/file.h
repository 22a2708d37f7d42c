/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Files: counted objects that are opened beneath a directory
 * (weft/file_open.h), read without making the loop wait, and sent by
 * weft_stream_write_file.
 */
#ifndef WEFT_FILE_H
#define WEFT_FILE_H

#include <weft/bytequeue.h>
#include <weft/error.h>
#include <weft/time.h>

WEFT_BEGIN_DECLS

/** A directory to open files in. Counted; may be used by several loops at once. */
typedef struct weft_directory weft_directory;
/** An open file. Counted; belongs to one loop. */
typedef struct weft_file weft_file;

/** What a file is. */
typedef enum weft_file_kind {
    WEFT_FILE_REGULAR,
    WEFT_FILE_DIRECTORY,
    WEFT_FILE_LINK, /**< a symbolic link; only in listings */
    WEFT_FILE_OTHER /**< a device, a FIFO, a socket */
} weft_file_kind;

/** What is known of a file, as of when it was opened. */
typedef struct weft_file_info {
    weft_file_kind kind;
    uint64_t length;    /**< bytes */
    weft_time modified; /**< wall clock */
    uint64_t inode;
} weft_file_info;

/**
 * Opens the directory @p path, at start-up: this call may block.
 * @param[out] ret_directory  *returned*, the caller unrefs it
 * @return 0; -ENOENT, -ENOTDIR, -EACCES and the like
 */
WEFT_API WEFT_NODISCARD int weft_directory_open(const char *path, weft_directory **ret_directory);
/** One reference more. @return @p directory */
WEFT_API weft_directory *weft_directory_ref(weft_directory *directory);
/** One reference less. NULL does nothing. */
WEFT_API void weft_directory_unref(weft_directory *directory);

/** One reference more. @return @p file */
WEFT_API weft_file *weft_file_ref(weft_file *file);
/** One reference less. NULL does nothing. */
WEFT_API void weft_file_unref(weft_file *file);
/** Whether @p path, beneath @p directory, still leads to this very file, and it has not changed since it was opened. */
WEFT_API bool weft_file_is_current(const weft_file *file, const weft_directory *directory, const char *path);
/** What is known of it. *until* it is freed */
WEFT_API const weft_file_info *weft_file_about(const weft_file *file);

/**
 * Reads without waiting: what the page cache holds.
 * @return the count (0 at the end); -EAGAIN if it would wait (send it with weft_stream_write_file, or use
 *         weft_file_read_start)
 */
WEFT_API WEFT_NODISCARD int weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);

/** How weft_file_create_start (weft/file_write.h) opens; none of them: what is there is kept, and written over. */
enum {
    WEFT_FILE_EXCLUSIVE = 1 << 0, /**< -EEXIST if it is there, or a link is */
    WEFT_FILE_TRUNCATE = 1 << 1,  /**< what is there is thrown away */
    WEFT_FILE_APPEND = 1 << 2,    /**< every write goes to the end, whatever its offset */
    WEFT_FILE_PRIVATE =
        1 << 3 /**< what is made is its owner's alone (0600, less the umask); what is there stays as it is */
};

/** One entry of a directory listing. */
typedef struct weft_file_entry {
    weft_bytes name; /**< *until* the listing is freed */
    weft_file_info info;
} weft_file_entry;

WEFT_END_DECLS

#endif
