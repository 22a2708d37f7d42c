/* SPDX-License-Identifier: MIT */
#include "wire/http1/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *must_have(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* Room for @p more bytes and a NUL at the end of the transcript. */
static char *room(struct reader *reader, size_t more)
{
    if (reader->text_capacity - reader->text_length <= more) {
        reader->text_capacity = 2 * (reader->text_length + more + 1);
        reader->text = must_have(realloc(reader->text, reader->text_capacity));
    }
    return reader->text + reader->text_length;
}

static void say(struct reader *reader, const char *format, ...) WEFT_PRINTF(2, 3);

static void say(struct reader *reader, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    va_start(arguments, format);
    vsnprintf(room(reader, (size_t)length), (size_t)length + 1, format, arguments);
    va_end(arguments);
    reader->text_length += (size_t)length;
}

static void say_bytes(struct reader *reader, weft_bytes bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];

        if (byte < 0x20 || byte >= 0x7f || byte == '\\')
            say(reader, "\\x%02x", byte);
        else {
            memcpy(room(reader, 1), (char[]){(char)byte, '\0'}, 2);
            reader->text_length++;
        }
    }
}

static void say_request(struct reader *reader, const weft_http1_request_line *line)
{
    static const char *const forms[] = {"origin", "absolute", "authority", "asterisk"};

    say(reader, "request 1.%u ", line->minor);
    say_bytes(reader, line->method);
    say(reader, " ");
    say_bytes(reader, line->target);
    say(reader, " %s [", forms[line->form]);
    say_bytes(reader, line->scheme);
    say(reader, "] [");
    say_bytes(reader, line->authority);
    say(reader, "] [");
    say_bytes(reader, line->path);
    say(reader, "]\n");
}

static void say_field(struct reader *reader, const char *what, const weft_http1_field *field)
{
    say(reader, "%s", what);
    if (field->id != WEFT_HTTP1_FIELD_OTHER)
        say(reader, "#%d", (int)field->id);
    say(reader, " ");
    say_bytes(reader, field->name);
    say(reader, "=");
    say_bytes(reader, field->value);
    say(reader, "\n");
}

static void say_head(struct reader *reader, const weft_http1_head *head)
{
    static const char *const framings[] = {"none", "length", "chunked", "until-close"};

    say(reader, "head %s %llu%s%s%s%s\n", framings[head->framing], (unsigned long long)head->length,
        head->keep_alive ? " keep-alive" : " close", head->expect_continue ? " expect" : "",
        head->upgrade ? " upgrade" : "", head->interim ? " interim" : "");
}

static void message_end(struct reader *reader)
{
    say(reader, "end\n");
    reader->messages++;
    if (!reader->keep_alive && !reader->interim) {
        reader->stopped = true;
        return;
    }
    weft_http1_parser_reset(&reader->parser);
    weft_http1_parser_answers(&reader->parser, reader->answers);
}

static void note(struct reader *reader, const weft_http1_event *event)
{
    if (reader->in_body && event->type != WEFT_HTTP1_BODY) {
        say(reader, "\n");
        reader->in_body = false;
    }
    switch (event->type) {
    case WEFT_HTTP1_REQUEST_LINE:
        reader->connect = weft_bytes_equal(event->request.method, weft_bytes_from("CONNECT"));
        reader->trace = weft_bytes_equal(event->request.method, weft_bytes_from("TRACE"));
        say_request(reader, &event->request);
        break;
    case WEFT_HTTP1_STATUS_LINE:
        say(reader, "status 1.%u %u ", event->status.minor, event->status.code);
        say_bytes(reader, event->status.reason);
        say(reader, "\n");
        break;
    case WEFT_HTTP1_FIELD:
        say_field(reader, "field", &event->field);
        break;
    case WEFT_HTTP1_TRAILER:
        say_field(reader, "trailer", &event->field);
        break;
    case WEFT_HTTP1_HEAD_END:
        reader->keep_alive =
            event->head.keep_alive && !(event->head.upgrade && reader->parser.kind == WEFT_HTTP1_RESPONSE);
        reader->interim = event->head.interim;
        say_head(reader, &event->head);
        break;
    case WEFT_HTTP1_BODY:
        if (!reader->in_body)
            say(reader, "body ");
        reader->in_body = true;
        say_bytes(reader, event->body);
        break;
    case WEFT_HTTP1_MESSAGE_END:
        message_end(reader);
        break;
    case WEFT_HTTP1_NEED_MORE:
        break;
    }
}

static void refused(struct reader *reader)
{
    say(reader, "%srefused %u %s\n", reader->in_body ? "\n" : "", weft_http1_parser_status(&reader->parser),
        weft_http1_parser_problem(&reader->parser));
    reader->in_body = false;
    reader->stopped = true;
}

void reader_init(struct reader *reader, weft_http1_kind kind, const weft_http1_limits *limits)
{
    *reader = (struct reader){.in_body = false};
    weft_http1_parser_init(&reader->parser, kind, limits);
    say(reader, "%s", "");
}

void reader_fini(struct reader *reader)
{
    free(reader->held);
    free(reader->text);
}

void reader_feed(struct reader *reader, weft_bytes piece)
{
    size_t length = reader->held_length + piece.length;
    weft_http1_event event;
    weft_bytes input;
    char *block;
    int type = 1;

    if (reader->stopped)
        return;
    block = must_have(malloc(length ? length : 1));
    input = weft_bytes_of(block, length);
    if (reader->held_length > 0)
        memcpy(block, reader->held, reader->held_length);
    if (piece.length > 0)
        memcpy(block + reader->held_length, piece.data, piece.length);
    free(reader->held);
    while (type > 0 && !reader->stopped) {
        type = weft_http1_next(&reader->parser, &input, &event);
        if (type < 0)
            refused(reader);
        else if (type > 0)
            note(reader, &event);
    }
    reader->held = must_have(malloc(input.length ? input.length : 1));
    reader->held_length = input.length;
    memcpy(reader->held, input.data, input.length);
    free(block);
}

void reader_end(struct reader *reader)
{
    weft_http1_event event;
    int type;

    if (reader->stopped)
        return;
    type = weft_http1_end(&reader->parser, weft_bytes_of(reader->held, reader->held_length), &event);
    if (type < 0)
        refused(reader);
    else
        note(reader, &event);
    say(reader, "closed\n");
    reader->stopped = true;
}
