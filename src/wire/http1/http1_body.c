/* SPDX-License-Identifier: MIT */
/* Bodies: of known length, until the stream ends, and chunked (RFC 9112 §6, §7.1). */
#include "wire/http1/http1_chars.h"
#include "wire/http1/http1_parser.h"

/* Gives as much as there is of the `left` bytes. Returns WEFT_HTTP1_BODY, or 0 if there is nothing in the input. */
static int give_body(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    weft_bytes run = *input;

    if (run.length == 0)
        return WEFT_HTTP1_NEED_MORE;
    if (run.length > parser->left)
        run.length = (size_t)parser->left;
    parser->left -= run.length;
    *input = weft_bytes_skip(*input, run.length);
    event->body = run;
    return WEFT_HTTP1_BODY;
}

int http1_next_counted(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    int type = give_body(parser, input, event);

    if (parser->left == 0)
        parser->state = HTTP1_DONE;
    return type;
}

int http1_next_until_close(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    int type;

    if (input->length > 0 && parser->body_total >= parser->body_limit)
        return http1_refuse(parser, HTTP1_BAD_LARGE_BODY);
    parser->left = parser->body_limit - parser->body_total;
    type = give_body(parser, input, event);
    if (type > 0)
        parser->body_total += event->body.length;
    return type;
}

/* quoted-string (RFC 9110 §5.6.4) at @p from of @p line: the offset after it, or 0 if it is not valid. */
static size_t skip_quoted(weft_bytes line, size_t from)
{
    from++;
    while (from < line.length) {
        from = http1_span(line, from, HTTP1_QDTEXT);
        if (from >= line.length)
            return 0;
        if (line.data[from] == '"')
            return from + 1;
        from += 2; /* a backslash, and any text after it */
    }
    return 0;
}

static size_t skip_blank(weft_bytes line, size_t from)
{
    while (from < line.length && http1_is_blank(line.data[from]))
        from++;
    return from;
}

/* BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] at @p from: the offset after it, or 0 if not valid. */
static size_t skip_extension(weft_bytes line, size_t from)
{
    size_t name, equals, value;

    from = skip_blank(line, from);
    if (from >= line.length || line.data[from] != ';')
        return 0;
    name = skip_blank(line, from + 1);
    from = http1_span(line, name, HTTP1_TOKEN);
    if (from == name)
        return 0;
    equals = skip_blank(line, from);
    if (equals >= line.length || line.data[equals] != '=')
        return from;
    value = skip_blank(line, equals + 1);
    if (value < line.length && line.data[value] == '"')
        return skip_quoted(line, value);
    from = http1_span(line, value, HTTP1_TOKEN);
    return from == value ? 0 : from;
}

/* Checks the extensions in @p line from @p from on, and counts them against the limit of the message. */
static enum http1_problem check_extensions(weft_http1_parser *parser, weft_bytes line, size_t from)
{
    size_t limit = http1_limit(parser->limits->chunk_extensions, 16384);
    size_t length = line.length - from;

    if (parser->extension_bytes > limit || length > limit - parser->extension_bytes)
        return HTTP1_BAD_LARGE_EXTENSIONS;
    if (length > UINT32_MAX - parser->extension_bytes)
        parser->extension_bytes = UINT32_MAX;
    else
        parser->extension_bytes += (uint32_t)length;
    while (from < line.length) {
        from = skip_extension(line, from);
        if (from == 0)
            return HTTP1_BAD_CHUNK_EXTENSION;
    }
    return HTTP1_BAD_NONE;
}

/* chunk-size = 1*HEXDIG, here at most 16 of them and at most INT64_MAX (RFC 9112 §7.1: large numerals MUST be met). */
static enum http1_problem read_chunk_line(weft_http1_parser *parser, weft_bytes line)
{
    size_t digits = http1_span(line, 0, HTTP1_HEX);
    enum http1_problem problem = HTTP1_BAD_NONE;
    uint64_t size = 0;

    if (digits == 0 || digits > 16)
        return HTTP1_BAD_CHUNK_SIZE;
    for (size_t i = 0; i < digits; i++)
        size = size << 4 | http1_hex_value(line.data[i]);
    if (size > INT64_MAX || (digits < line.length && line.data[digits] != ';' && !http1_is_blank(line.data[digits])))
        return HTTP1_BAD_CHUNK_SIZE;
    if (digits < line.length)
        problem = check_extensions(parser, line, digits);
    if (problem != HTTP1_BAD_NONE)
        return problem;
    if (parser->body_total > parser->body_limit || size > parser->body_limit - parser->body_total)
        return HTTP1_BAD_LARGE_BODY;
    parser->body_total += size;
    parser->left = size;
    return HTTP1_BAD_NONE;
}

/* Reads the line before a chunk. Returns 1 if it was read, 0 if more is needed, or refuses. */
static int begin_chunk(weft_http1_parser *parser, weft_bytes *input)
{
    size_t window = http1_add(http1_limit(parser->limits->chunk_line, 1024), 2);
    enum http1_problem problem;
    weft_bytes line;
    int result = http1_peek_line(parser, *input, window, HTTP1_BAD_CHUNK_LINE, &line);

    if (result <= 0)
        return result;
    problem = read_chunk_line(parser, line);
    if (problem != HTTP1_BAD_NONE)
        return http1_refuse(parser, problem);
    http1_take_line(input, line);
    parser->state = parser->left > 0 ? HTTP1_CHUNK_DATA : HTTP1_TRAILERS;
    return 1;
}

/* Takes the CRLF after a chunk's data; results as of begin_chunk. */
static int end_chunk(weft_http1_parser *parser, weft_bytes *input)
{
    weft_bytes crlf = weft_bytes_first(*input, 2);

    if ((crlf.length > 0 && crlf.data[0] != '\r') || (crlf.length > 1 && crlf.data[1] != '\n'))
        return http1_refuse(parser, HTTP1_BAD_CHUNK_END);
    if (crlf.length < 2)
        return 0;
    *input = weft_bytes_skip(*input, 2);
    parser->state = HTTP1_CHUNK_SIZE;
    return 1;
}

int http1_next_chunk(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    int result = 1;

    if (parser->state == HTTP1_CHUNK_CRLF)
        result = end_chunk(parser, input);
    if (result > 0 && parser->state == HTTP1_CHUNK_SIZE)
        result = begin_chunk(parser, input);
    if (result <= 0)
        return result;
    if (parser->state == HTTP1_TRAILERS)
        return http1_next_field(parser, input, event);
    result = give_body(parser, input, event);
    if (parser->left == 0)
        parser->state = HTTP1_CHUNK_CRLF;
    return result;
}
