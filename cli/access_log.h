/* SPDX-License-Identifier: MIT */
/*
 * The access log of one worker: a line for each request, gathered in memory
 * and written to standard output by the job pool, so that a slow reader of the
 * log does not hold the loop. What the reader cannot take in time is dropped
 * and counted.
 */
#ifndef WEFT_CLI_ACCESS_LOG_H
#define WEFT_CLI_ACCESS_LOG_H

#include <weft/http.h>
#include <weft/job.h>

#include "web.h"

/* What waits to be written at most, in bytes. */
#define ACCESS_LOG_LIMIT (1024 * 1024)

struct access_log {
    weft_scope *scope;
    enum web_log format;
    weft_timer flush;
    weft_job job;
    bool writing;
    char *gathered, *written; /* one is filled while the other is being written */
    size_t length, write_length, room;
    uint64_t dropped;
    weft_time date_second;
    char date[32];
};

/* Returns 0 or WEFT_ENOMEM. */
int access_log_init(struct access_log *log, weft_scope *scope, enum web_log format);
void access_log_add(struct access_log *log, const weft_http_record *record);
/* Writes what is left, in place, and frees the memory: when the loop is over. */
void access_log_fini(struct access_log *log);

/* The line for @record in @out, NUL-terminated; its length. */
size_t access_log_line(struct access_log *log, const weft_http_record *record, char *out, size_t room);

#endif
