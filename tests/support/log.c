/* SPDX-License-Identifier: MIT */
/*
 * The log that records. It is called from any thread, hence the mutex; it uses malloc and not weft_allocate, so that
 * recording is neither counted nor made to fail.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/log.h>

#include "base/realtime.h"
#include "support/log_check.h"
#include "support/support.h"

struct record {
    char *line;
    bool alarming; /* a warning or an error */
};

static struct {
    pthread_mutex_t mutex;
    struct record *records;
    size_t record_count;
    char **expected;
    size_t expected_count;
} recorder = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void print_event(FILE *file, const weft_log_event *event)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};

    fprintf(file, "%s: %s: %s", levels[event->level], event->subject, event->text);
    for (size_t i = 0; i < event->field_count; i++) {
        const weft_log_field *field = &event->fields[i];
        fprintf(file, " %s=", field->name);
        if (field->text.data)
            fwrite(field->text.data, 1, field->text.length, file);
        else
            fprintf(file, "%" PRId64, field->number);
    }
}

/* Grows by one each time: a test logs little. */
static void *one_more(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    if (!grown)
        abort();
    return grown;
}

static void record_event(const weft_log_event *event, void *arg)
{
    struct record record = {NULL, event->level >= WEFT_LOG_WARNING};
    size_t length;
    FILE *file;

    (void)arg;
    realtime_look_away();
    file = open_memstream(&record.line, &length);
    if (!file)
        abort();
    print_event(file, event);
    fclose(file);
    pthread_mutex_lock(&recorder.mutex);
    recorder.records = one_more(recorder.records, recorder.record_count, sizeof record);
    recorder.records[recorder.record_count++] = record;
    pthread_mutex_unlock(&recorder.mutex);
    realtime_look_again();
}

void support_log_expect(const char *substring)
{
    pthread_mutex_lock(&recorder.mutex);
    recorder.expected = one_more(recorder.expected, recorder.expected_count, sizeof *recorder.expected);
    recorder.expected[recorder.expected_count] = strdup(substring);
    if (!recorder.expected[recorder.expected_count++])
        abort();
    pthread_mutex_unlock(&recorder.mutex);
}

static size_t count_records(const char *substring, bool alarming_only)
{
    size_t count = 0;
    for (size_t i = 0; i < recorder.record_count; i++) {
        const struct record *record = &recorder.records[i];
        if ((record->alarming || !alarming_only) && strstr(record->line, substring))
            count++;
    }
    return count;
}

size_t support_log_count(const char *substring)
{
    realtime_look_away();
    pthread_mutex_lock(&recorder.mutex);
    size_t count = count_records(substring, false);
    pthread_mutex_unlock(&recorder.mutex);
    realtime_look_again();
    return count;
}

static bool is_expected(const struct record *record)
{
    for (size_t i = 0; i < recorder.expected_count; i++) {
        if (strstr(record->line, recorder.expected[i]))
            return true;
    }
    return false;
}

static size_t print_surprises(void)
{
    size_t surprises = 0;

    for (size_t i = 0; i < recorder.record_count; i++) {
        if (!recorder.records[i].alarming || is_expected(&recorder.records[i]))
            continue;
        print_error("unexpected in the log: %s\n", recorder.records[i].line);
        surprises++;
    }
    for (size_t i = 0; i < recorder.expected_count; i++) {
        if (count_records(recorder.expected[i], true) > 0)
            continue;
        print_error("expected in the log, but not there: %s\n", recorder.expected[i]);
        surprises++;
    }
    return surprises;
}

static void forget(void)
{
    for (size_t i = 0; i < recorder.record_count; i++)
        free(recorder.records[i].line);
    for (size_t i = 0; i < recorder.expected_count; i++)
        free(recorder.expected[i]);
    free(recorder.records);
    free(recorder.expected);
    recorder.records = NULL;
    recorder.expected = NULL;
    recorder.record_count = recorder.expected_count = 0;
}

size_t log_check_surprises(void)
{
    pthread_mutex_lock(&recorder.mutex);
    size_t surprises = print_surprises();
    forget();
    pthread_mutex_unlock(&recorder.mutex);
    return surprises;
}

void support_log_install(void)
{
    pthread_mutex_lock(&recorder.mutex);
    forget();
    pthread_mutex_unlock(&recorder.mutex);
    weft_log_set_sink(record_event, NULL);
    weft_log_set_threshold(WEFT_LOG_DEBUG);
}

void support_log_remove(void)
{
    weft_log_set_sink(NULL, NULL);
    weft_log_set_threshold(WEFT_LOG_INFO);
}
