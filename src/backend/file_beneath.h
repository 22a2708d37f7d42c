/* SPDX-License-Identifier: MIT */
/* Opening a path that cannot lead out of a directory. */
#ifndef BACKEND_FILE_BENEATH_H
#define BACKEND_FILE_BENEATH_H

#include <stdbool.h>

struct stat;

/* Opens @p path beneath the descriptor @p directory for reading. Without @p may_wait, -EAGAIN says that it would have
 * to. Returns a descriptor or a negative error: -EXDEV or -ELOOP for what would lead out. */
int file_beneath_open(int directory, const char *path, bool may_wait);

/* The same with other flags of open(2), and the permissions of what is made, less the umask; may wait. */
int file_beneath_open_with(int directory, const char *path, int flags, unsigned mode);
/* Opens the directory in which the last segment of @p path is, and sets *ret_name to that: no link, whoever acts on it in
 * there. Returns a descriptor, for acting beneath only, or a negative error. */
int file_beneath_parent(int directory, const char *path, const char **ret_name);

/* What is known of @p path beneath @p directory, without opening it; for a path that was opened a moment ago, since it
 * must not wait. Returns 0 or a negative error: -EXDEV for what leads out by now. */
int file_beneath_stat(int directory, const char *path, struct stat *ret);

#endif
