/* SPDX-License-Identifier: MIT */
#include <weft/log.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

/* Longer sentences and lines are cut: the log must not need memory, least of all to say that there is none. */
#define TEXT_SIZE 1024
#define LINE_SIZE 4096

static void write_to_stderr(const weft_log_event *event, void *arg);

static weft_log_sink *current_sink = write_to_stderr;
static void *current_arg;
static atomic_int current_threshold = WEFT_LOG_INFO;

void weft_log_set_sink(weft_log_sink *sink, void *arg)
{
    current_sink = sink ? sink : write_to_stderr;
    current_arg = sink ? arg : NULL;
}

void weft_log_set_threshold(weft_log_level level)
{
    atomic_store_explicit(&current_threshold, (int)level, memory_order_relaxed);
}

bool weft_log_enabled(weft_log_level level)
{
    return (int)level >= atomic_load_explicit(&current_threshold, memory_order_relaxed);
}

static void emit(weft_log_level level, const char *subject, const weft_log_field *fields, size_t count,
                 const char *format, va_list args) WEFT_PRINTF(5, 0);

static void emit(weft_log_level level, const char *subject, const weft_log_field *fields, size_t count,
                 const char *format, va_list args)
{
    char text[TEXT_SIZE];

    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    weft_log_event event = {level, subject, text, fields, count};
    current_sink(&event, current_arg);
}

void weft_log(weft_log_level level, const char *subject, const char *format, ...)
{
    va_list args;

    if (!weft_log_enabled(level))
        return;
    va_start(args, format);
    emit(level, subject, NULL, 0, format, args);
    va_end(args);
}

void weft_log_fields(weft_log_level level, const char *subject, const weft_log_field *fields, size_t count,
                     const char *format, ...)
{
    va_list args;

    if (!weft_log_enabled(level))
        return;
    va_start(args, format);
    emit(level, subject, fields, count, format, args);
    va_end(args);
}

/* Escaping */

static bool is_continuation(unsigned char byte)
{
    return byte >= 0x80 && byte <= 0xbf;
}

/*
 * The length of the well-formed UTF-8 sequence (Unicode, table 3-7) at the start of @p bytes, which begins with a byte
 * above 0x7f; 0 if there is none. C1 controls count as none: a terminal obeys them.
 */
static size_t utf8_length(const unsigned char *bytes, size_t length)
{
    unsigned char lead = bytes[0];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (lead < 0xc2 || lead > 0xf4 || length < needed)
        return 0;
    for (size_t i = 1; i < needed; i++) {
        if (!is_continuation(bytes[i]))
            return 0;
    }
    bool c1 = lead == 0xc2 && bytes[1] < 0xa0;
    bool overlong = (lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xf0 && bytes[1] < 0x90);
    bool no_scalar = (lead == 0xed && bytes[1] > 0x9f) || (lead == 0xf4 && bytes[1] > 0x8f);
    return c1 || overlong || no_scalar ? 0 : needed;
}

/* A buffer that takes whole pieces until the first that does not fit, while the length of all of them is counted. */
struct output {
    char *buffer;
    size_t size;   /* without room for the NUL */
    size_t stored; /* <= size */
    size_t length;
};

static void output_add(struct output *output, const char *piece, size_t length)
{
    if (output->stored == output->length && length <= output->size - output->stored) {
        memcpy(output->buffer + output->stored, piece, length);
        output->stored += length;
    }
    output->length += length;
}

/* One unit of @p text, escaped if it must be. @return how many bytes of @p text it was */
static size_t escape_unit(struct output *output, weft_bytes text, bool quotes)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)text.data[0];

    if (byte == '\\' || (byte == '"' && quotes)) {
        output_add(output, (char[]){'\\', (char)byte}, 2);
        return 1;
    }
    size_t plain =
        byte > 0x7f ? utf8_length((const unsigned char *)text.data, text.length) : byte >= 0x20 && byte != 0x7f;
    if (plain > 0) {
        output_add(output, text.data, plain);
        return plain;
    }
    output_add(output, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    return 1;
}

static void escape(struct output *output, weft_bytes text, bool quotes)
{
    while (text.length > 0)
        text = weft_bytes_skip(text, escape_unit(output, text, quotes));
}

size_t weft_log_escape(weft_bytes text, char *buffer, size_t size)
{
    struct output output = {buffer, size > 0 ? size - 1 : 0, 0, 0};

    escape(&output, text, true);
    if (size > 0)
        buffer[output.stored] = '\0';
    return output.length;
}

/* The built-in sink */

static const char *level_name(weft_log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return (size_t)level < sizeof names / sizeof names[0] ? names[level] : "unknown";
}

static void add_string(struct output *output, const char *string)
{
    output_add(output, string, strlen(string));
}

static void add_field(struct output *output, const weft_log_field *field)
{
    char number[32];

    add_string(output, " ");
    add_string(output, field->name);
    add_string(output, "=");
    if (field->text.data) {
        add_string(output, "\"");
        escape(output, field->text, true);
        add_string(output, "\"");
    } else {
        snprintf(number, sizeof number, "%" PRId64, field->number);
        add_string(output, number);
    }
}

/* The sentence may quote what a peer sent, so its control characters are escaped too; its quotes are its own. */
static void write_to_stderr(const weft_log_event *event, void *arg)
{
    char line[LINE_SIZE];
    struct output output = {line, sizeof line - sizeof "...\n", 0, 0};

    (void)arg;
    add_string(&output, "weft: ");
    add_string(&output, level_name(event->level));
    add_string(&output, ": ");
    add_string(&output, event->subject);
    add_string(&output, ": ");
    escape(&output, weft_bytes_from(event->text), false);
    for (size_t i = 0; i < event->field_count; i++)
        add_field(&output, &event->fields[i]);

    const char *end = output.stored < output.length ? "...\n" : "\n";
    memcpy(line + output.stored, end, strlen(end));
    fwrite(line, 1, output.stored + strlen(end), stderr);
}
