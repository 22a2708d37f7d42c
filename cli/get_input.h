/* SPDX-License-Identifier: MIT */
/* What `weft get --upload` sends: a file, or an input that may stay silent as long as it likes. It is read by jobs. */
#ifndef WEFT_CLI_GET_INPUT_H
#define WEFT_CLI_GET_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <weft/bytes.h>
#include <weft/job.h>

#include "get_wake.h"

#define GET_INPUT_PIECE 65536

struct get_input {
    int fd;
    bool is_file;    /* it has a length, and can be read once more */
    uint64_t length; /* WEFT_HTTP_LENGTH_UNKNOWN if it is no file */
    bool busy;       /* a job reads */
    int count;       /* that the job got; 0: the end; or a negative error */
    struct get_wake wake;
    weft_job job;
    void (*ready)(struct get_input *input); /* when a job is over: get_input_piece, or `count`, has its result */
    char piece[GET_INPUT_PIECE];
};

/* Opens @path, "-" for standard input. Returns 0 or a negative error. */
int get_input_open(struct get_input *input, const char *path);
/* NULL does nothing. */
void get_input_close(struct get_input *input);

/* From the beginning, where that is possible. */
void get_input_rewind(struct get_input *input);

/* Reads a piece; `ready` follows, from the loop. Returns 0 or a negative error. */
int get_input_read(struct get_input *input, weft_scope *scope);
weft_bytes get_input_piece(const struct get_input *input);

/* Ends a wait for what does not come; `ready` follows with -ECANCELED. */
void get_input_cancel(struct get_input *input);

#endif
