/* SPDX-License-Identifier: MIT */
/* What the other files of the seam, and the loop and the streams, need of files. */
#ifndef BACKEND_FILE_H
#define BACKEND_FILE_H

#include <weft/file.h>

struct stat;

/* Opens @p path beneath @p directory. Without @p may_wait, -EAGAIN says that it would have to; with it, any thread may
 * call this. */
int file_open(weft_directory *directory, const char *path, bool may_wait, weft_file **ret);
/* Makes a file of @p fd, which it takes, also if it fails. */
int file_adopt(int fd, weft_file **ret);
/* Reads and may block. Returns the count, 0 at the end, or a negative error. */
int file_read(weft_file *file, uint64_t offset, void *memory, size_t length);
/* Whether the stretch is, as far as a few probes tell, in the page cache. */
bool file_is_cached(const weft_file *file, uint64_t offset, uint64_t length);
/* Sends to the descriptor @p out; *ret_sent is counted up even if an error follows. */
int file_send(int out, weft_file *file, uint64_t offset, uint64_t length, int64_t *ret_sent);
/* Opens @p path for reading and writing, makes it if it is not there; @p flags of weft/file_write.h. These block. */
int file_create(weft_directory *directory, const char *path, unsigned flags, weft_file **ret);
/* Writes all of it, or says why not; *ret_count is set in both cases. */
int file_write(weft_file *file, uint64_t offset, const void *data, size_t length, size_t *ret_count);
/* Cuts it, or fills it with zeros; says when it was changed. It was opened by file_create. */
int file_truncate(weft_file *file, uint64_t length);
int file_set_time(weft_file *file, weft_time modified);
/* Has the system tell of what is wrong with what was written as closing does (NFS, quotas), though not of the disk. */
int file_flush(weft_file *file);
/* What was written is on the disk. After one failure it always fails: what was lost then cannot be had back. */
int file_sync(weft_file *file);
int file_rename(weft_directory *directory, const char *from, const char *to);
int file_remove(weft_directory *directory, const char *path);
int directory_make(weft_directory *directory, const char *path);
int directory_sync(weft_directory *directory, const char *path);
/* Reads the entries of a directory: may block, any thread may call it. */
int file_list(weft_file *directory, size_t limit, weft_file_entry **ret_entries, size_t *ret_count,
              bool *ret_truncated);
void file_list_free(weft_file_entry *entries, size_t count);

/* At start-up, by any path, and these block: reads all of a regular file of at most @p limit bytes, with a NUL behind it,
 * into memory that is weft_release'd; and opens one (mode 0600, if it has to be made) for file_write to append to. */
int file_read_whole(const char *path, size_t limit, char **ret_data, size_t *ret_length);
int file_append_start(const char *path, weft_file **ret);

/* The reference count that an output queue holds, and back. */
weft_owner *file_owner(weft_file *file);
weft_file *file_of_owner(weft_owner *owner);
/* For the files of the seam only. */
int file_descriptor(const weft_file *file);
void file_info_from(const struct stat *about, weft_file_info *ret);

#endif
