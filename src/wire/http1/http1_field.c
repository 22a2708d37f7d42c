/* SPDX-License-Identifier: MIT */
/* Field lines, of heads and of trailers (RFC 9112 §5), and the fields that the parser itself understands. */
#include "wire/http1/http1_authority.h"
#include "wire/http1/http1_chars.h"
#include "wire/http1/http1_parser.h"

/* By length: no two of these names have the same one. */
static const struct {
    weft_bytes name;
    weft_http1_field_id id;
} known_fields[] = {
    [4] = {WEFT_BYTES("Host"), WEFT_HTTP1_FIELD_HOST},
    [6] = {WEFT_BYTES("Expect"), WEFT_HTTP1_FIELD_EXPECT},
    [7] = {WEFT_BYTES("Upgrade"), WEFT_HTTP1_FIELD_UPGRADE},
    [10] = {WEFT_BYTES("Connection"), WEFT_HTTP1_FIELD_CONNECTION},
    [14] = {WEFT_BYTES("Content-Length"), WEFT_HTTP1_FIELD_CONTENT_LENGTH},
    [17] = {WEFT_BYTES("Transfer-Encoding"), WEFT_HTTP1_FIELD_TRANSFER_ENCODING},
};

weft_http1_field_id http1_field_id(weft_bytes name)
{
    if (name.length >= sizeof known_fields / sizeof known_fields[0] ||
        known_fields[name.length].id == WEFT_HTTP1_FIELD_OTHER)
        return WEFT_HTTP1_FIELD_OTHER;
    /* Of the bytes of tokens, only a letter differs from one of these in the bit of its case alone. */
    for (size_t i = 0; i < name.length; i++)
        if (((name.data[i] ^ known_fields[name.length].name.data[i]) & ~0x20) != 0)
            return WEFT_HTTP1_FIELD_OTHER;
    return known_fields[name.length].id;
}

static enum http1_problem note_host(weft_http1_parser *parser, weft_bytes value)
{
    if (parser->kind != WEFT_HTTP1_REQUEST)
        return HTTP1_BAD_NONE;
    if (parser->flags & HTTP1_HAS_HOST)
        return HTTP1_BAD_HOST_TWICE;
    parser->flags |= HTTP1_HAS_HOST;
    return weft_http1_is_host(value) ? HTTP1_BAD_NONE : HTTP1_BAD_HOST;
}

static enum http1_problem note_length(weft_http1_parser *parser, weft_bytes value)
{
    uint64_t length;

    if (parser->flags & HTTP1_HAS_CODING)
        return HTTP1_BAD_LENGTH_AND_CODING;
    /* RFC 9112 §6.3 allows to accept the same value twice; RFC 9110 §8.6, leading zeros. Both are refused here. */
    if (parser->flags & HTTP1_HAS_LENGTH)
        return HTTP1_BAD_LENGTH_TWICE;
    if (weft_bytes_to_uint64(value, INT64_MAX, &length) < 0 || (value.length > 1 && value.data[0] == '0'))
        return HTTP1_BAD_LENGTH;
    parser->flags |= HTTP1_HAS_LENGTH;
    parser->body_total = length;
    return HTTP1_BAD_NONE;
}

static const weft_bytes chunked = WEFT_BYTES("chunked");

/*
 * The value must be a list of tokens: no empty member, no parameter. `chunked` must be the last and come once
 * (RFC 9112 §6.1); a coding that is not known is told apart from a list that is not valid, at the end of the head.
 */
static enum http1_problem read_codings(weft_http1_parser *parser, weft_bytes value)
{
    unsigned codings = 0;
    bool final = false;

    for (;;) {
        size_t comma = weft_bytes_find(value, ',');
        weft_bytes coding = http1_trim(weft_bytes_first(value, comma));

        if (final || !weft_http1_is_token(coding))
            return HTTP1_BAD_CODING;
        codings++;
        final = weft_bytes_equal_nocase(coding, chunked);
        if (comma == SIZE_MAX)
            break;
        value = weft_bytes_skip(value, comma + 1);
    }
    if (final && codings == 1)
        parser->flags |= HTTP1_CHUNKED;
    return HTTP1_BAD_NONE;
}

static enum http1_problem note_coding(weft_http1_parser *parser, weft_bytes value)
{
    if (parser->flags & HTTP1_HAS_LENGTH)
        return HTTP1_BAD_LENGTH_AND_CODING;
    if (parser->flags & HTTP1_HAS_CODING)
        return HTTP1_BAD_CODING_TWICE;
    /* RFC 9112 §6.1: faulty framing, in whichever direction. */
    if (parser->minor == 0)
        return HTTP1_BAD_CODING_OLD;
    parser->flags |= HTTP1_HAS_CODING;
    return read_codings(parser, value);
}

static const struct {
    weft_bytes option;
    uint16_t flag;
} connection_options[] = {
    {WEFT_BYTES("close"), HTTP1_CLOSE},
    {WEFT_BYTES("keep-alive"), HTTP1_KEEP_ALIVE},
    {WEFT_BYTES("upgrade"), HTTP1_CONNECTION_UPGRADE},
};

static enum http1_problem note_connection(weft_http1_parser *parser, weft_bytes value)
{
    weft_bytes member;

    while (weft_http1_list_next(&value, &member))
        for (size_t i = 0; i < sizeof connection_options / sizeof connection_options[0]; i++)
            if (weft_bytes_equal_nocase(member, connection_options[i].option))
                parser->flags |= connection_options[i].flag;
    return HTTP1_BAD_NONE;
}

static const weft_bytes expectation = WEFT_BYTES("100-continue");

static enum http1_problem note_expect(weft_http1_parser *parser, weft_bytes value)
{
    weft_bytes member;

    /* RFC 9110 §10.1.1: ignored in HTTP/1.0. */
    if (parser->kind != WEFT_HTTP1_REQUEST || parser->minor == 0)
        return HTTP1_BAD_NONE;
    while (weft_http1_list_next(&value, &member)) {
        if (!weft_bytes_equal_nocase(member, expectation))
            return HTTP1_BAD_EXPECT;
        parser->flags |= HTTP1_EXPECT;
    }
    return HTTP1_BAD_NONE;
}

/* Takes note of a field of the head that the parser understands. */
static enum http1_problem note_field(weft_http1_parser *parser, const weft_http1_field *field)
{
    switch (field->id) {
    case WEFT_HTTP1_FIELD_HOST:
        return note_host(parser, field->value);
    case WEFT_HTTP1_FIELD_CONTENT_LENGTH:
        return note_length(parser, field->value);
    case WEFT_HTTP1_FIELD_TRANSFER_ENCODING:
        return note_coding(parser, field->value);
    case WEFT_HTTP1_FIELD_CONNECTION:
        return note_connection(parser, field->value);
    case WEFT_HTTP1_FIELD_EXPECT:
        return note_expect(parser, field->value);
    case WEFT_HTTP1_FIELD_UPGRADE:
        parser->flags |= HTTP1_HAS_UPGRADE;
        break;
    case WEFT_HTTP1_FIELD_OTHER:
        break;
    }
    return HTTP1_BAD_NONE;
}

/* field-line = field-name ":" OWS field-value OWS (RFC 9112 §5); controls are known not to be in @p line. */
static enum http1_problem split_field(weft_bytes line, weft_http1_field *ret)
{
    size_t colon = http1_span_line(line.data, 0, HTTP1_TOKEN);

    if (colon == 0 || line.data[colon] != ':')
        return http1_is_blank(line.data[0]) ? HTTP1_BAD_FOLD : HTTP1_BAD_NAME;
    ret->name = weft_bytes_first(line, colon);
    ret->value = http1_trim(weft_bytes_of(line.data + colon + 1, line.length - colon - 1));
    ret->id = http1_field_id(ret->name);
    return HTTP1_BAD_NONE;
}

/* Counts @p line against the limits of the message's fields, of which @p left bytes are left. */
static enum http1_problem count_field(weft_http1_parser *parser, weft_bytes line, size_t left)
{
    if (line.length + 2 > left)
        return HTTP1_BAD_LARGE_HEAD;
    if (parser->field_count >= http1_limit(parser->limits->field_count, 100))
        return HTTP1_BAD_MANY_FIELDS;
    parser->head_bytes += line.length + 2;
    parser->field_count += parser->field_count < UINT32_MAX;
    return HTTP1_BAD_NONE;
}

/* Takes the empty line at the front of @p input. */
static int end_fields(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    http1_take_line(input, weft_bytes_of(input->data, 0));
    parser->scanned = 0;
    if (parser->state != HTTP1_TRAILERS)
        return http1_end_head(parser, event);
    parser->state = HTTP1_DONE;
    return WEFT_HTTP1_MESSAGE_END;
}

/* Not inlined, so that the end of a head does not pay for what it saves on the stack. */
static __attribute__((noinline)) int take_field(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    bool trailers = parser->state == HTTP1_TRAILERS;
    size_t left = http1_head_limit(parser) - parser->head_bytes;
    weft_http1_field field;
    enum http1_problem problem;
    weft_bytes line;
    int result = http1_peek_line(parser, *input, http1_add(left, 2), HTTP1_BAD_LARGE_HEAD, &line);

    if (result <= 0)
        return result;
    problem = count_field(parser, line, left);
    if (problem == HTTP1_BAD_NONE)
        problem = split_field(line, &field);
    if (problem == HTTP1_BAD_NONE) {
        if (!trailers)
            problem = note_field(parser, &field);
        else if (!weft_http1_is_trailer_name(field.name))
            problem = HTTP1_BAD_TRAILER;
    }
    if (problem != HTTP1_BAD_NONE)
        return http1_refuse(parser, problem);
    http1_take_line(input, line);
    event->field = field;
    return trailers ? WEFT_HTTP1_TRAILER : WEFT_HTTP1_FIELD;
}

int http1_next_field(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    return http1_is_crlf(*input, 0) ? end_fields(parser, input, event) : take_field(parser, input, event);
}
