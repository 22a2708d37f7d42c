/* SPDX-License-Identifier: MIT */
/*
 * Standard output as a server writes it: lines in any number, by a thread that
 * may wait for the reader but can be told to wait no longer. stdio cannot do
 * that, since it waits inside write(2).
 */
#ifndef WEFT_CLI_OUTPUT_H
#define WEFT_CLI_OUTPUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What one write takes at most: a pipe takes that much at once or not at all (POSIX, PIPE_BUF on Linux), so a line that
 * is no longer stays whole among those of other writers. */
#define OUTPUT_PIECE 4096

struct output {
    int fd;
    bool is_own;    /* a description of our own, so that it can be set not to wait without a word to others */
    bool is_socket; /* of which each call can be asked not to wait */
    bool is_torn;   /* the last write failed in the middle of a line */
};

/* Looks at what standard output is. Nothing was told as failed yet. */
void output_open(struct output *output);
void output_close(struct output *output);

/* Writes @length bytes of whole lines, and waits for a reader that is slow until *@hurry. Returns 0, -EAGAIN if it hurried
 * and not all could be written, or another negative error. *ret_written is set in any case. */
int output_write(struct output *output, const char *lines, size_t length, const atomic_bool *hurry,
                 size_t *ret_written);

/* Notes an error of a write, in the whole process. Returns whether it is another than the last one. */
bool output_fails_anew(int status);
/* The error that was noted last, or 0. */
int output_failure(void);

#endif
