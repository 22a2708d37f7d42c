/* SPDX-License-Identifier: MIT */
/* The line on a terminal that says how far `weft sim` is. */
#ifndef WEFT_CLI_SIM_PROGRESS_H
#define WEFT_CLI_SIM_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/time.h>

struct sim_progress {
    uint64_t done, total; /* runs */
    weft_time real, virtual;
    uint64_t faults, failed;
    unsigned reached, declared; /* probes */
};

/* Whether standard error is a terminal. */
bool sim_progress_is_shown(void);
/* Draws a line in the place of the one that is there. */
void sim_progress_draw(const char *line);
/* Takes it away, for something else to be printed. */
void sim_progress_clear(void);
/* The columns of the terminal. */
size_t sim_progress_columns(void);

/* The line in fewer than @columns, in @buffer, which it returns: what has no room is left out. */
const char *sim_progress_format(const struct sim_progress *progress, size_t columns, char *buffer, size_t size);

/* A time that may be long, in two units: "3 d 4 h", "12 s". In @buffer, which it returns. */
const char *sim_progress_time(weft_time time, char *buffer, size_t size);

#endif
