/* SPDX-License-Identifier: MIT */
/* Where `weft get` puts what it fetches: a file or standard output, with its digest and its progress. */
#ifndef WEFT_CLI_GET_OUTPUT_H
#define WEFT_CLI_GET_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <weft/bytes.h>
#include <weft/time.h>

struct get_progress {
    bool shown; /* on a terminal */
    bool drawn;
    uint64_t done, total; /* total: UINT64_MAX if nobody knows */
    uint64_t before;      /* that was there already */
    weft_time began, last;
};

struct get_output {
    const char *path; /* NULL: standard output */
    FILE *file;
    uint64_t resumed;     /* bytes that were there */
    int64_t modified;     /* of the file that is there, seconds since 1970; -1: not known */
    int64_t new_modified; /* what it gets */
    void *digest;         /* NULL: not checked */
    char expected[65];
    int error; /* of the first write that failed, as errno has it */
};

/* "sha256=HEX", or NULL. Returns 0 or -EINVAL. */
int get_output_init(struct get_output *output, const char *path, const char *check);
void get_output_fini(struct get_output *output);

/* Looks what is there of the file. Returns 0 or a negative error. */
int get_output_look(struct get_output *output);
/* Opens it: from @offset, or, if that is 0, anew. Returns 0 or a negative error. */
int get_output_open(struct get_output *output, uint64_t offset);
/* Returns 0 or a negative error. */
int get_output_write(struct get_output *output, weft_bytes bytes);
/* Writes all out. Returns 0 or a negative error. */
int get_output_close(struct get_output *output);
/* Whether the content has the expected digest; true if none is. */
bool get_output_matches(struct get_output *output, char found[65]);

/* Draws, at most ten times a second; @end for the last time. */
void get_progress_draw(struct get_progress *progress, weft_time now, bool end);

#endif
