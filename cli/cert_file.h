/* SPDX-License-Identifier: MIT */
/*
 * The files of `weft cert`: they are read and written on the loop, which runs until each step is done, so nothing else
 * may be going on there. A file is written beside its place, and brought there when all else has gone well.
 */
#ifndef WEFT_CLI_CERT_FILE_H
#define WEFT_CLI_CERT_FILE_H

#include <stdbool.h>

#include <weft/file.h>
#include <weft/loop.h>

/* What a file holds: cleared when it is given back. */
struct cert_text {
    char *data;
    size_t length;
};

/* Reads all of @path, if it is not longer than a certificate may be. Returns 0 or a negative error. */
int cert_file_read(weft_loop *loop, const char *path, struct cert_text *ret);
/* The same of whatever can be opened, "-" being standard input; before the loop runs. */
int cert_file_read_any(const char *path, struct cert_text *ret);
void cert_text_fini(struct cert_text *text);

/* Whether there is something at @path: 1, 0 or a negative error; -EISDIR for a directory. */
int cert_file_is_there(weft_loop *loop, const char *path);

/* A file on its way to its place. */
struct cert_write {
    weft_directory *directory;
    char temporary[256]; /* its name until then; empty if there is none */
    const char *name;    /* in @path */
};

/* Writes @bytes beside @path; if @is_private, for its owner alone. Returns 0 or a negative error. cert_write_fini has to
 * be called in any case. */
int cert_write_begin(struct cert_write *write, weft_loop *loop, const char *path, weft_bytes bytes, bool is_private);
/* Brings it to its place, whatever is there. Returns 0 or a negative error. */
int cert_write_commit(struct cert_write *write, weft_loop *loop);
/* Removes what was not brought to its place. */
void cert_write_fini(struct cert_write *write, weft_loop *loop);

/* Makes the directory @path and those above it, if they are not there. Returns 0 or a negative error. */
int cert_directory_make(weft_loop *loop, const char *path);

#endif
