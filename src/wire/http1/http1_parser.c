/* SPDX-License-Identifier: MIT */
#include "wire/http1/http1_parser.h"

#include <assert.h>

#include "wire/http1/http1_chars.h"

static_assert(sizeof(weft_http1_parser) <= 64, "every connection has one: it is to fit in a cache line");

static const struct {
    unsigned status;
    const char *text;
} problems[] = {
#define HTTP1_PROBLEM_ROW(name, status, text) {status, text},
    HTTP1_PROBLEMS(HTTP1_PROBLEM_ROW)
#undef HTTP1_PROBLEM_ROW
};

static const weft_http1_limits default_limits;

void weft_http1_parser_init(weft_http1_parser *parser, weft_http1_kind kind, const weft_http1_limits *limits)
{
    *parser = (weft_http1_parser){.limits = limits ? limits : &default_limits, .kind = (uint8_t)kind};
    weft_http1_parser_reset(parser);
}

void weft_http1_parser_reset(weft_http1_parser *parser)
{
    size_t body = http1_limit(parser->limits->body, 1024 * 1024);

    if (parser->state == HTTP1_FAILED)
        return;
    *parser = (weft_http1_parser){
        .limits = parser->limits,
        .kind = parser->kind,
        .body_limit = body == SIZE_MAX ? UINT64_MAX : body,
    };
}

void weft_http1_parser_limit_body(weft_http1_parser *parser, uint64_t maximum)
{
    parser->body_limit = maximum;
}

void weft_http1_parser_answers(weft_http1_parser *parser, weft_http1_answers answers)
{
    parser->answers = (uint8_t)answers;
}

int http1_refuse(weft_http1_parser *parser, enum http1_problem problem)
{
    parser->state = HTTP1_FAILED;
    parser->problem = (uint8_t)problem;
    return WEFT_EPROTOCOL;
}

unsigned weft_http1_parser_status(const weft_http1_parser *parser)
{
    if (parser->problem != HTTP1_BAD_NONE && parser->kind == WEFT_HTTP1_RESPONSE)
        return 502;
    return problems[parser->problem].status;
}

const char *weft_http1_parser_problem(const weft_http1_parser *parser)
{
    return problems[parser->problem].text;
}

/* What is wrong with @p byte, a control character in a line. */
static enum http1_problem control_problem(char byte)
{
    if (byte == '\n')
        return HTTP1_BAD_BARE_LF;
    return byte == '\r' ? HTTP1_BAD_BARE_CR : HTTP1_BAD_CONTROL;
}

int http1_no_line(weft_http1_parser *parser, weft_bytes input, size_t end, enum http1_problem too_long)
{
    if (end + 1 < input.length || (end < input.length && input.data[end] != '\r'))
        return http1_refuse(parser, control_problem(input.data[end]));
    if (too_long != HTTP1_BAD_NONE)
        return http1_refuse(parser, too_long);
    parser->scanned = end;
    return 0;
}

/* Whether all of a head, whose first line has @p first bytes, is in @p input, or enough of it to be refused. */
static bool head_is_there(weft_http1_parser *parser, weft_bytes input, size_t first)
{
    const char *data = input.data;
    size_t at = parser->scanned;

    for (;;) {
        at = http1_find_control(data, at, input.length);
        if (at + 1 >= input.length)
            break;
        if (data[at] != '\r' || data[at + 1] != '\n' || data[at - 1] == '\n')
            return true;
        at += 2;
    }
    if (at < input.length && data[at] != '\r')
        return true;
    parser->scanned = at;
    return input.length >= http1_add(first, http1_add(http1_head_limit(parser), 2));
}

int http1_resume_head(weft_http1_parser *parser, weft_bytes input, weft_bytes *ret)
{
    if (!head_is_there(parser, input, (size_t)parser->left + 2))
        return 0;
    *ret = weft_bytes_first(input, (size_t)parser->left);
    parser->flags &= (uint16_t)~HTTP1_HEAD_WAIT;
    parser->scanned = 0;
    parser->left = 0;
    return 1;
}

/*
 * Whether @p input ends with a line's CRLF and an empty line. Reading its lines one after the other then comes to an
 * empty line at the latest there, if nothing is refused before: so a head that begins in it is there.
 */
static bool ends_with_empty_line(weft_bytes input)
{
    return input.length >= 4 && memcmp(input.data + input.length - 4, "\r\n\r\n", 4) == 0;
}

bool http1_await_head(weft_http1_parser *parser, weft_bytes input, weft_bytes line)
{
    /* So do most inputs: one request, or many in a pipeline. It saves looking at every byte of the head twice. */
    if (ends_with_empty_line(input))
        return true;
    parser->flags |= HTTP1_HEAD_WAIT;
    parser->scanned = line.length + 2;
    parser->left = line.length;
    return http1_resume_head(parser, input, &line) > 0;
}

static const weft_bytes protocol = WEFT_BYTES("HTTP/");

int http1_parse_version(weft_http1_parser *parser, weft_bytes text)
{
    /* RFC 9112 §2.3: case-sensitive, one digit on each side. */
    if (text.length == 8 && memcmp(text.data, "HTTP/1.1", 8) == 0) {
        parser->minor = 1;
        return 0;
    }
    if (text.length != 8 || memcmp(text.data, protocol.data, protocol.length) != 0 || text.data[6] != '.' ||
        !http1_is(text.data[5], HTTP1_DIGIT) || !http1_is(text.data[7], HTTP1_DIGIT) || text.data[5] == '0')
        return http1_refuse(parser, HTTP1_BAD_VERSION);
    if (text.data[5] != '1')
        return http1_refuse(parser, HTTP1_BAD_MAJOR);
    parser->minor = (uint8_t)(text.data[7] - '0');
    return 0;
}

/* The event of the state, whose type is the result. */
static int next_of_state(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    switch ((enum http1_state)parser->state) {
    case HTTP1_START:
        if (parser->kind == WEFT_HTTP1_RESPONSE)
            return http1_next_status_line(parser, input, event);
        return http1_next_request_line(parser, input, event);
    case HTTP1_HEAD:
    case HTTP1_TRAILERS:
        return http1_next_field(parser, input, event);
    case HTTP1_LENGTH:
        return http1_next_counted(parser, input, event);
    case HTTP1_UNTIL_CLOSE:
        return http1_next_until_close(parser, input, event);
    case HTTP1_CHUNK_SIZE:
    case HTTP1_CHUNK_DATA:
    case HTTP1_CHUNK_CRLF:
        return http1_next_chunk(parser, input, event);
    case HTTP1_DONE:
        return WEFT_HTTP1_MESSAGE_END;
    case HTTP1_FAILED:
        break;
    }
    return WEFT_EPROTOCOL;
}

int weft_http1_next(weft_http1_parser *parser, weft_bytes *input, weft_http1_event *event)
{
    int type = next_of_state(parser, input, event);

    if (type >= 0)
        event->type = (weft_http1_event_type)type;
    return type;
}

int weft_http1_end(weft_http1_parser *parser, weft_bytes rest, weft_http1_event *event)
{
    if (parser->state == HTTP1_FAILED)
        return parser->problem == HTTP1_BAD_TRUNCATED ? WEFT_ETRUNCATED : WEFT_EPROTOCOL;
    if (parser->state == HTTP1_UNTIL_CLOSE)
        parser->state = HTTP1_DONE;
    if (parser->state == HTTP1_DONE) {
        event->type = WEFT_HTTP1_MESSAGE_END;
        return WEFT_HTTP1_MESSAGE_END;
    }
    if (parser->state == HTTP1_START && rest.length == 0) {
        event->type = WEFT_HTTP1_NEED_MORE;
        return WEFT_HTTP1_NEED_MORE;
    }
    http1_refuse(parser, HTTP1_BAD_TRUNCATED);
    return WEFT_ETRUNCATED;
}
