/* SPDX-License-Identifier: MIT */
/* The two formats of the access log (access_log.h). Nothing that a peer sent can end a line or a string. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <weft/log.h>

#include "access_log.h"

struct line {
    char *at;
    size_t room;
    size_t length;
};

static void add(struct line *line, const char *format, ...) WEFT_PRINTF(2, 3);

static void add(struct line *line, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line->at + line->length, line->room - line->length, format, arguments);
    va_end(arguments);
    if (length > 0)
        line->length += (size_t)length < line->room - line->length ? (size_t)length : line->room - line->length - 1;
}

static const char *date_of(struct access_log *log, weft_time wall)
{
    time_t second = (time_t)(wall / WEFT_SECONDS(1));
    struct tm broken;

    if (second == log->date_second)
        return log->date;
    log->date_second = second;
    if (!gmtime_r(&second, &broken) ||
        strftime(log->date, sizeof log->date,
                 log->format == WEB_LOG_JSON ? "%Y-%m-%dT%H:%M:%SZ" : "%d/%b/%Y:%H:%M:%S +0000", &broken) == 0)
        log->date[0] = '\0';
    return log->date;
}

static void add_escaped(struct line *line, weft_bytes text)
{
    char escaped[ACCESS_LOG_TEXT];

    (void)weft_log_escape(text, escaped, sizeof escaped);
    add(line, "%s", escaped);
}

/* A field of the combined format: in quotes, "-" if it is empty. */
static void add_quoted(struct line *line, weft_bytes text)
{
    add(line, " \"");
    if (text.length > 0)
        add_escaped(line, text);
    else
        add(line, "-");
    add(line, "\"");
}

/* Apache's "combined" format, which is the common one with two more fields; times are UTC. */
static void common(struct access_log *log, const weft_http_record *record, struct line *line)
{
    char host[WEFT_ADDRESS_TEXT];

    weft_address_host(record->peer, host);
    add(line, "%s - - [%s] \"", host, date_of(log, record->wall));
    if (record->method.length > 0) {
        add_escaped(line, record->method);
        add(line, " ");
        add_escaped(line, record->target);
        add(line, " HTTP/1.%u", record->minor);
    } else {
        add(line, "-");
    }
    add(line, "\" %u %llu", record->status, (unsigned long long)record->body_bytes);
    add_quoted(line, record->referer);
    add_quoted(line, record->user_agent);
    add(line, "\n");
}

/* RFC 8259 §7. Returns the length. */
static size_t escape_json(unsigned char byte, char out[8])
{
    if (byte == '"' || byte == '\\')
        return (size_t)snprintf(out, 8, "\\%c", byte);
    if (byte < 0x20 || byte >= 0x7f) /* bytes beyond ASCII as the characters U+0080 to U+00FF */
        return (size_t)snprintf(out, 8, "\\u%04x", byte);
    out[0] = (char)byte;
    return 1;
}

/* The log's own escapes are not JSON's, so strings are written here; they are cut between two characters. */
static void add_json_string(struct line *line, const char *name, weft_bytes text)
{
    char escaped[ACCESS_LOG_TEXT];
    size_t length = 0;

    for (size_t i = 0; i < text.length && length + 8 <= sizeof escaped; i++)
        length += escape_json((unsigned char)text.data[i], escaped + length);
    add(line, ",\"%s\":\"%.*s\"", name, (int)length, escaped);
}

static void json(struct access_log *log, const weft_http_record *record, struct line *line)
{
    char host[WEFT_ADDRESS_TEXT];

    weft_address_host(record->peer, host);
    add(line, "{\"time\":\"%s\"", date_of(log, record->wall));
    add_json_string(line, "peer", weft_bytes_from(host));
    add_json_string(line, "method", record->method);
    add_json_string(line, "target", record->target);
    add(line, ",\"status\":%u,\"bytes\":%llu,\"microseconds\":%lld,\"complete\":%s", record->status,
        (unsigned long long)record->body_bytes, (long long)(record->duration / WEFT_MICROSECONDS(1)),
        record->complete ? "true" : "false");
    add_json_string(line, "referer", record->referer);
    add_json_string(line, "user_agent", record->user_agent);
    add(line, "}\n");
}

size_t access_log_line(struct access_log *log, const weft_http_record *record, char out[ACCESS_LOG_LINE])
{
    struct line line = {.at = out, .room = ACCESS_LOG_LINE};

    if (log->format == WEB_LOG_JSON)
        json(log, record, &line);
    else
        common(log, record, &line);
    return line.length;
}
