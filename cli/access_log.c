/* SPDX-License-Identifier: MIT */
/* Gathering and writing the access log (access_log.h). */
#include "access_log.h"

#include <errno.h>
#include <stdio.h>
#include <weft/memory.h>

#define FLUSH_AFTER WEFT_MILLISECONDS(100)
#define FLUSH_ABOVE (64 * 1024)

_Static_assert(ACCESS_LOG_LINE <= OUTPUT_PIECE, "a line is written whole");

static uint64_t count_lines(const char *lines, size_t length)
{
    const char *end;
    uint64_t count = 0;

    for (; length > 0 && (end = memchr(lines, '\n', length)) != NULL; count++) {
        length -= (size_t)(end + 1 - lines);
        lines = end + 1;
    }
    return count;
}

/* On any thread. */
static void write_out(struct access_log *log, const char *lines, size_t length)
{
    size_t written;

    log->written_status = output_write(&log->output, lines, length, &log->hurry, &written);
    log->unwritten = count_lines(lines + written, length - written);
}

/* What became of the last write. An error is told when it happens, but not again for every write that it spoils. */
static void account(struct access_log *log)
{
    int status = log->written_status;

    if (status == -EAGAIN)
        log->dropped += log->unwritten;
    else if (status < 0) {
        log->failed += log->unwritten;
        log->error = status;
        if (output_fails_anew(status))
            fprintf(stderr, "the access log cannot be written: %s\n", weft_error_text(status));
    }
    log->written_status = 0;
    log->unwritten = 0;
}

static void flush_soon(struct access_log *log)
{
    if (!weft_timer_active(&log->flush))
        weft_timer_start(&log->flush, atomic_load(&log->hurry) ? 0 : FLUSH_AFTER);
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
    account(log);
    if (log->length > 0)
        flush_soon(log);
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
        flush_soon(log);
        return;
    }
    log->length = 0;
    log->writing = true;
}

static void flush(weft_timer *timer)
{
    start_writing(weft_container_of(timer, struct access_log, flush));
}

static void patience_is_over(weft_timer *timer)
{
    struct access_log *log = weft_container_of(timer, struct access_log, patience);

    atomic_store(&log->hurry, true);
    start_writing(log);
}

int access_log_init(struct access_log *log, weft_scope *scope, enum web_log format)
{
    int status;

    memset(log, 0, sizeof *log);
    if (format != WEB_LOG_NONE)
        output_open(&log->output);
    log->scope = scope;
    log->format = format;
    log->date_second = -1;
    log->room = ACCESS_LOG_LIMIT;
    log->gathered = weft_allocate(log->room);
    log->written = weft_allocate(log->room);
    if (!log->gathered || !log->written)
        return WEFT_ENOMEM;
    status = weft_timer_init(&log->flush, scope, flush);
    if (status == 0)
        status = weft_timer_init(&log->patience, scope, patience_is_over);
    weft_timer_set_background(&log->patience, true);
    return status;
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
    else
        flush_soon(log);
}

void access_log_stop(struct access_log *log, weft_time grace)
{
    if (grace > 0)
        weft_timer_start(&log->patience, grace);
    else
        patience_is_over(&log->patience);
}

static void write_rest(struct access_log *log, const char *lines, size_t length)
{
    if (length == 0)
        return;
    write_out(log, lines, length);
    account(log);
}

static void tell_lost(uint64_t lines, const char *why)
{
    if (lines > 0)
        fprintf(stderr, "the access log lost %llu lines: %s\n", (unsigned long long)lines, why);
}

void access_log_fini(struct access_log *log)
{
    write_rest(log, log->written, log->write_length);
    write_rest(log, log->gathered, log->length);
    tell_lost(log->dropped, "standard output was too slow");
    tell_lost(log->failed, weft_error_text(log->error));
    weft_timer_fini(&log->flush);
    weft_timer_fini(&log->patience);
    output_close(&log->output);
    weft_release(log->gathered);
    weft_release(log->written);
}
