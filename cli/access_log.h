/* SPDX-License-Identifier: MIT */
/*
 * The access log of one worker: a line for each request, gathered in memory
 * and written to standard output by the job pool, so that a slow reader of the
 * log does not hold the loop. What the reader cannot take in time is dropped
 * and counted; so is what it has not taken when the time to stop is over.
 */
#ifndef WEFT_CLI_ACCESS_LOG_H
#define WEFT_CLI_ACCESS_LOG_H

#include <weft/http.h>
#include <weft/job.h>

#include "output.h"
#include "web.h"

/* What waits to be written at most, in bytes. */
#define ACCESS_LOG_LIMIT (1024 * 1024)
/* What of one text of a peer's goes into a line at most, escaped; and room for a line, which has four of them. A line is
 * no longer than OUTPUT_PIECE. */
#define ACCESS_LOG_TEXT 880
#define ACCESS_LOG_LINE (4 * ACCESS_LOG_TEXT + 512)

struct access_log {
    weft_scope *scope;
    enum web_log format;
    weft_timer flush;
    weft_job job;
    bool writing;
    char *gathered, *written; /* one is filled while the other is being written */
    size_t length, room;
    size_t write_length; /* of `written`; 0 once it was written */
    struct output output;
    atomic_bool hurry; /* what can only be written later is not written any more */
    weft_timer patience;
    int written_status; /* of the last write, and */
    uint64_t unwritten; /* how many lines it left */
    uint64_t dropped, failed;
    int error; /* the last that lines were lost to */
    weft_time date_second;
    char date[32];
};

/* Returns 0 or WEFT_ENOMEM. */
int access_log_init(struct access_log *log, weft_scope *scope, enum web_log format);
void access_log_add(struct access_log *log, const weft_http_record *record);
/* The program is about to stop: from @grace on, nothing waits for the reader any more. */
void access_log_stop(struct access_log *log, weft_time grace);
/* Writes what is left, in place, tells what was lost, and frees the memory: when the loop is over. */
void access_log_fini(struct access_log *log);

/* The line for @record, NUL-terminated; its length. However long a peer's texts are, they are cut, and never it. */
size_t access_log_line(struct access_log *log, const weft_http_record *record, char out[ACCESS_LOG_LINE]);

#endif
