/* SPDX-License-Identifier: MIT */
/* The line on a terminal that says how far `weft get` is. */
#ifndef WEFT_CLI_GET_PROGRESS_H
#define WEFT_CLI_GET_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/time.h>

struct get_progress {
    bool shown; /* on a terminal */
    bool drawn;
    uint64_t done, total; /* total: UINT64_MAX if nobody knows */
    uint64_t before;      /* that was there already */
    weft_time began, last;
};

/* Draws it on standard error, at most ten times a second; @end for the last time, and ends the line. */
void get_progress_draw(struct get_progress *progress, weft_time now, bool end);

/* The line in fewer than @columns, in @buffer, which it returns: what has no room is left out. */
const char *get_progress_format(const struct get_progress *progress, weft_time now, bool end, size_t columns,
                                char *buffer, size_t size);

#endif
