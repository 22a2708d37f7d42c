/* SPDX-License-Identifier: MIT */
/*
 * Where `weft get` puts what it fetches: a file or standard output, and its digest. An ordinary file is one of Weft's, so
 * that in a simulated world it is on the disk of its host. These calls may wait (for a disk, a reader, a FIFO's other
 * end), so they belong on a thread of jobs; a raised wake ends waits for others.
 */
#ifndef WEFT_CLI_GET_FILE_H
#define WEFT_CLI_GET_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/bytes.h>
#include <weft/file.h>

#include "get_wake.h"
#include "output.h"

struct get_file {
    const char *path; /* NULL: standard output */
    weft_file *file;  /* an ordinary file, and where in it is written next */
    uint64_t at;
    struct output place; /* another's descriptor; -1 before it is opened */
    bool is_open;
    bool is_regular;  /* writing never waits for a reader */
    int64_t modified; /* the time that it gets in the end, seconds since 1970; -1: as it comes */
    void *digest;     /* NULL: not checked */
    char expected[65];
    struct get_wake wake;
};

/* @check is "sha256=HEX", or NULL. Returns 0, -EINVAL or another negative error. */
int get_file_init(struct get_file *file, const char *path, const char *check);
void get_file_fini(struct get_file *file);

/* Looks what is there. Returns 0, with a length of 0 and a time of -1 if there is nothing; or a negative error. */
int get_file_look(const struct get_file *file, uint64_t *ret_length, int64_t *ret_modified);

/* Opens it for writing: from @offset, with what is before it taken into the digest; or, if that is 0, anew. Returns 0 or
 * a negative error. */
int get_file_open(struct get_file *file, uint64_t offset);
/* Writes all of @bytes. Returns 0 or a negative error. */
int get_file_write(struct get_file *file, weft_bytes bytes);
/* Cuts what was written off again. Returns 0 or a negative error. */
int get_file_cut(struct get_file *file, uint64_t length);
/* Returns 0 or a negative error. */
int get_file_close(struct get_file *file);

/* Takes the whole of what is there into the digest, and changes nothing. Returns 0 or a negative error. */
int get_file_read(struct get_file *file);
/* Whether the content has the expected digest; true if none is. */
bool get_file_matches(struct get_file *file, char found[65]);

#endif
