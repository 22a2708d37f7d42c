/* SPDX-License-Identifier: MIT */
/* Gathering and writing the access log (access_log.h). */
#include "access_log.h"

#include <errno.h>
#include <stdio.h>
#include <weft/memory.h>

#define FLUSH_AFTER WEFT_MILLISECONDS(100)
#define FLUSH_ABOVE (64 * 1024)

static void write_out(struct access_log *log, const char *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, stdout) < length || fflush(stdout) != 0)
        log->error = errno;
}

static void write_work(weft_job *job)
{
    struct access_log *log = weft_container_of(job, struct access_log, job);

    write_out(log, log->written, log->write_length);
    log->write_length = 0;
}

static void write_done(weft_job *job, int status)
{
    struct access_log *log = weft_container_of(job, struct access_log, job);

    (void)status;
    log->writing = false;
    if (log->length > 0 && !weft_timer_active(&log->flush))
        weft_timer_start(&log->flush, FLUSH_AFTER);
}

static void start_writing(struct access_log *log)
{
    char *full = log->gathered;

    if (log->writing || log->length == 0 || log->write_length > 0)
        return; /* the last: a write that was cancelled is made up for at the end */
    log->gathered = log->written;
    log->written = full;
    log->write_length = log->length;
    if (weft_job_start(&log->job, log->scope, write_work, write_done) < 0) {
        log->written = log->gathered; /* it stays gathered, until another attempt */
        log->gathered = full;
        log->write_length = 0;
        weft_timer_start(&log->flush, FLUSH_AFTER);
        return;
    }
    log->length = 0;
    log->writing = true;
}

static void flush(weft_timer *timer)
{
    start_writing(weft_container_of(timer, struct access_log, flush));
}

int access_log_init(struct access_log *log, weft_scope *scope, enum web_log format)
{
    memset(log, 0, sizeof *log);
    log->scope = scope;
    log->format = format;
    log->date_second = -1;
    log->room = ACCESS_LOG_LIMIT;
    log->gathered = weft_allocate(log->room);
    log->written = weft_allocate(log->room);
    if (!log->gathered || !log->written)
        return WEFT_ENOMEM;
    return weft_timer_init(&log->flush, scope, flush);
}

void access_log_add(struct access_log *log, const weft_http_record *record)
{
    char line[ACCESS_LOG_LINE];
    size_t length;

    if (log->format == WEB_LOG_NONE)
        return;
    length = access_log_line(log, record, line);
    if (length > log->room - log->length) {
        log->dropped++;
        return;
    }
    memcpy(log->gathered + log->length, line, length);
    log->length += length;
    if (log->length > FLUSH_ABOVE)
        start_writing(log);
    else if (!weft_timer_active(&log->flush))
        weft_timer_start(&log->flush, FLUSH_AFTER);
}

void access_log_fini(struct access_log *log)
{
    if (log->write_length > 0)
        write_out(log, log->written, log->write_length);
    if (log->length > 0)
        write_out(log, log->gathered, log->length);
    if (log->error)
        fprintf(stderr, "the access log could not be written: %s\n", weft_error_text(-log->error));
    if (log->dropped > 0)
        fprintf(stderr, "the access log lost %llu lines: standard output was too slow\n",
                (unsigned long long)log->dropped);
    weft_release(log->gathered);
    weft_release(log->written);
}
