/* SPDX-License-Identifier: MIT */
/* Opening a path that cannot lead out of a directory. */
#ifndef BACKEND_FILE_BENEATH_H
#define BACKEND_FILE_BENEATH_H

#include <stdbool.h>

struct stat;

/* Opens @p path beneath the descriptor @p directory for reading. Without @p may_wait, -EAGAIN says that it would have
 * to. Returns a descriptor or a negative error: -EXDEV or -ELOOP for what would lead out. */
int file_beneath_open(int directory, const char *path, bool may_wait);

/* What is known of @p path beneath @p directory, without opening it; for a path that was opened a moment ago, since it
 * must not wait. Returns 0 or a negative error: -EXDEV for what leads out by now. */
int file_beneath_stat(int directory, const char *path, struct stat *ret);

#endif
