/* SPDX-License-Identifier: MIT */
/*
 * The way from the loop to the file (get_file.h): orders that jobs carry out, one after the other. While one is carried
 * out, what comes gathers in the next; the loop never waits.
 */
#ifndef WEFT_CLI_GET_OUTPUT_H
#define WEFT_CLI_GET_OUTPUT_H

#include <weft/job.h>

#include "get_file.h"

/* What may gather before get_output_write says that it is enough. */
#define GET_OUTPUT_ENOUGH (256 * 1024)

/* What one job does, in this order. */
struct get_order {
    bool reads; /* takes a finished file into the digest */
    bool opens;
    char *data; /* to be written */
    size_t length, room;
    bool cuts; /* what was written, at the offset */
    bool closes;
};

struct get_output {
    struct get_file file; /* the job's while `busy` */
    weft_scope *scope;
    uint64_t offset;
    struct get_order next, going; /* going: the job's */
    bool busy;
    int result; /* the job's */
    int error;  /* the first that happened; nothing is written after it */
    weft_job job;
    void (*changed)(struct get_output *output); /* a job is over, and the next begun if there is one */
};

/* As get_file_init. */
int get_output_init(struct get_output *output, weft_scope *scope, const char *path, const char *check,
                    void (*changed)(struct get_output *output));
/* No job may be under way. */
void get_output_fini(struct get_output *output);

/* Has the file opened, from @offset. Returns 0 or a negative error. */
int get_output_begin(struct get_output *output, uint64_t offset);
/* Takes @bytes. Returns 0; 1 if that is enough until `changed` is called; or a negative error. */
int get_output_write(struct get_output *output, weft_bytes bytes);
/* Has all written and the file closed; or, if what was fetched is wrong, all of it cut off again. */
void get_output_end(struct get_output *output, bool is_wrong);
/* Has a finished file read for its digest, and nothing written. */
void get_output_read(struct get_output *output);
/* Ends waits for a reader; what it did not take is dropped, with -ECANCELED. */
void get_output_cancel(struct get_output *output);

#endif
