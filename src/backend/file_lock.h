/* SPDX-License-Identifier: MIT */
/* A lock on a file, which the system gives back when whoever holds it ends. */
#ifndef BACKEND_FILE_LOCK_H
#define BACKEND_FILE_LOCK_H

#include <weft/file.h>

/* Locks @p path, which is made if there is none, without waiting for another holder. Returns 0 and the file that holds
 * it until it is unreferenced; -EAGAIN if another holds it; -EINVAL if it is no regular file; another error. */
int file_lock_take(const char *path, weft_file **ret);

#endif
